"""All plausible pairs at once, weighed: what decisions are made on."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.matching.answers import People, refuses
from plexsync.matching.assignment import group, join_places
from plexsync.matching.comparing.blocking import (
    Blocks,
    FileKeys,
    Ours,
    Theirs,
    prepare,
    prepare_part,
)
from plexsync.matching.comparing.comparison import Compared, Comparer
from plexsync.matching.comparing.evidence import Comparison, FolderLevel, Level, Spelling
from plexsync.matching.comparing.facts import compare_date
from plexsync.matching.comparing.title_similarity import (
    Text,
    compare_titles,
    find_by_title,
    texts_of_item,
    texts_of_scene,
)
from plexsync.matching.comparing.weighing import DEFAULT_WEIGHTS, Kind, Option, Scale
from plexsync.matching.decision import MatchSettings, Table
from plexsync.matching.layout import Layout, learn_layout
from plexsync.matching.locating import Locator, certain_pairs, folder_lengths
from plexsync.matching.lone_pairs import Free, LonePairs, Partners, Sure, judge_alone
from plexsync.models import PathRule, PlexFile, PlexItem, Scene, SceneFile, SceneId
from plexsync.text.generic_names import COPY_FOLDERS
from plexsync.text.normalize import fold, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_MOST_RANKED = 64
"""A row of more options than this stays as it is: nobody would read it."""


class Tabulated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything compared and weighed.

    Attributes:
        table: the options.
        sure: what speaks for the pair of each scene that is HIGH and that nothing competes with.
        partners: more about these pairs, and about those that are not HIGH.
        comparer: compares further pairs.
        layout: how the libraries lie to each other, as it was given or learned.
        texts: what items call themselves, as far as it was asked for.
        dismissed: pairs of scene and item that were compared and are implausible, of the scenes
            that have no option.
    """

    table: Table
    sure: Sequence[Sure | None]
    partners: Partners
    comparer: Comparer
    layout: Layout
    dismissed: frozenset[tuple[int, int]]
    texts: dict[int, tuple[Text, ...]] = {}


def tabulate(
    scenes: Sequence[Scene],
    keys: FileKeys,
    *,
    rules: Sequence[PathRule],
    settings: MatchSettings,
    layout: Layout | None,
    free: Free,
) -> Tabulated:
    """Compare and weigh all but what a person refused.

    HIGH pairs that nothing competes with stand in no row, as far as they are `free` to be decided.
    """
    items = keys.items
    comparer = Comparer(keys, rules, Scale(items=len(items), weights=settings.weights))
    looked = _look(scenes, keys, comparer, rules=rules, free=free, layout=layout)
    weighed = _weigh(looked, scenes, keys, comparer.scale, settings=settings, people=free.people)
    rows = weighed.rows
    columns = _columns(rows)
    places = join_places(items, columns)
    table = Table(
        items=items,
        rows=rows,
        columns=columns,
        places=places,
        assigned=group(rows, columns, places=places, scenes=scenes, items=items, settings=settings),
        given=_given(items, free.people),
        is_layout_known=bool(looked.layout.roots),
    )
    return Tabulated(
        table=table,
        sure=weighed.sure,
        partners=looked.lone.partners,
        comparer=comparer,
        layout=looked.layout,
        dismissed=frozenset(one for one in weighed.seen if not rows[one[0]]),
    )


def survey(scenes: Sequence[Scene], items: Sequence[PlexItem], rules: Sequence[PathRule]) -> Layout:
    """Learn how the libraries lie to each other from all scenes, without a decision."""
    keys = FileKeys(items)
    comparer = Comparer(keys, rules, Scale(items=len(items), weights=DEFAULT_WEIGHTS))
    return _look(scenes, keys, comparer, rules=rules, free=Free(len(scenes)), layout=None).layout


def find_resembling(
    tabulated: Tabulated, lost: Iterable[int], scenes: Sequence[Scene]
) -> Iterator[tuple[int, tuple[Option, ...]]]:
    """Yield a row of options for each scene that only titles find something for.

    They are there for a person to look at, and stand in no other pair's way.
    """
    items, comparer = tabulated.table.items, tabulated.comparer
    found = find_by_title(list(lost), scenes, items, tabulated.dismissed)
    for position, resembling in found.items():
        scene = scenes[position]
        file = next(iter(scene.files), _NO_FILE)
        ours = prepare(position, scene.scene_id, file, comparer.path_map)
        options = []
        for item, title in resembling:
            theirs = prepare_part(item, next(iter(items[item].files), _NO_PART))
            date = compare_date(scene.date, items[item].date)
            kind = comparer.compare_resembling(ours, theirs, title=title, date=date)
            options.append(comparer.scale.option(ours, theirs, kind))
        yield position, tuple(options)


def without_refused(
    options: tuple[Option, ...], scene: Scene, items: Sequence[PlexItem], people: People
) -> tuple[Option, ...]:
    """Leave out the pairs a person refused."""
    refusals = people.refusals.get(scene.scene_id, ())
    if not refusals:
        return options
    return tuple(
        one
        for one in options
        if not any(refuses(answer, scene, items[one.item]) for answer in refusals)
    )


def refine(options: Sequence[Option], scene: Scene, tabulated: Tabulated) -> list[Option]:
    """Weigh the options of one file again with all that may rank them."""
    if len(options) > _MOST_RANKED:
        return list(options)
    scale = tabulated.comparer.scale
    return [
        one if one.made is made else scale.option(one.ours, one.theirs, scale.kind(made))
        for one, made in zip(
            options, _even_out(options, _add_titles(options, scene, tabulated)), strict=True
        )
    ]


# ---- Private -------------------------------------------------------------------------------------

_NO_FILE, _NO_PART = SceneFile(path=""), PlexFile(path="")


class _Looked(NamedTuple):
    """What comparing found: pairs that nothing competes with, the others, where all of them lie."""

    lone: LonePairs
    compared: list[Compared]
    layout: Layout


def _look(
    scenes: Sequence[Scene],
    keys: FileKeys,
    comparer: Comparer,
    *,
    rules: Sequence[PathRule],
    free: Free,
    layout: Layout | None,
) -> _Looked:
    """Compare every file with its candidates, and learn the layout where it is not known."""
    lone = LonePairs(scenes, comparer=comparer, keys=keys, free=free)
    rows = Blocks(list(lone.rest()), keys).rows()
    compared = [Compared(row.ours, comparer.compare(row)) for row in rows]
    if layout is None:
        layout = learn_layout(certain_pairs(compared), lone=lone.certain(), rules=rules)
    return _Looked(lone, compared, layout)


@dataclass(slots=True)
class _Weighed:
    """What became of the comparisons: options, pairs that are sure, pairs that are implausible.

    Attributes:
        rows: the options, by scene and file.
        sure: by scene, what speaks for a pair that nothing competes with.
        seen: pairs of scene and item of the files that have no option.
    """

    rows: list[Sequence[tuple[Option, ...]]]
    sure: list[Sure | None]
    seen: set[tuple[int, int]] = field(default_factory=set)

    def add(self, ours: Ours, options: tuple[Option, ...], parts: Iterable[Theirs]) -> None:
        """Note the options of a file, or that it has none."""
        if options:
            self.rows[ours.scene] = (*self.rows[ours.scene], options)
        else:
            self.seen.update((ours.scene, part.item) for part in parts)


def _weigh(
    looked: _Looked,
    scenes: Sequence[Scene],
    keys: FileKeys,
    scale: Scale,
    *,
    settings: MatchSettings,
    people: People,
) -> _Weighed:
    """Weigh what was compared, in the light of where the libraries lie."""
    items, lone = keys.items, looked.lone
    weighed = _Weighed([()] * len(scenes), [None] * len(scenes))
    locator = Locator(looked.layout, lone.places, folder_lengths(looked.compared, items), scale)
    judged: dict[Kind, Sure | None] = {}
    for at, kind, number in lone.kinds():
        placed = locator.locate_at(number, kind)
        if placed not in judged:
            judged[placed] = judge_alone(scale.option(*lone.pair(at), placed), items, settings)
        weighed.sure[at] = sure = judged[placed]
        if sure is None:
            ours, theirs = lone.pair(at)
            weighed.add(ours, _weigh_row(ours, [(placed, theirs)], scale, settings), [theirs])
    for ours, found in looked.compared:
        located = [(locator.locate(kind, ours, part), part) for kind, part in found]
        row = _weigh_row(ours, located, scale, settings)
        options = without_refused(row, scenes[ours.scene], items, people)
        weighed.add(ours, options, [part for _, part in found])
    return weighed


def _given(items: Sequence[PlexItem], people: People) -> dict[int, frozenset[SceneId]]:
    """Return the scenes people gave items to, by the item's position."""
    if not people.pinned:
        return {}
    return {
        at: people.pinned[one.rating_key]
        for at, one in enumerate(items)
        if one.rating_key in people.pinned
    }


def _weigh_row(
    ours: Ours,
    found: list[tuple[Kind, Theirs]],
    scale: Scale,
    settings: MatchSettings,
) -> tuple[Option, ...]:
    """Return the best part of each plausible item."""
    best: dict[int, Option] = {}
    for kind, part in found:
        option = scale.option(ours, part, kind)
        other = best.get(part.item)
        if other is None or _part_rank(option) > _part_rank(other):
            best[part.item] = option
    return tuple([one for one in best.values() if one.bits >= settings.plausible_bits])


def _part_rank(option: Option) -> tuple[bool, float, str]:
    return not option.weighed.contradictions, option.bits, option.theirs.file.path


def _columns(rows: Sequence[Sequence[tuple[Option, ...]]]) -> dict[int, list[Option]]:
    """For each item the scenes that could claim it, each with its best file for it."""
    columns: dict[int, list[Option]] = {}
    for files in rows:
        for option in files[0] if len(files) == 1 else _best_files(files):
            columns.setdefault(option.item, []).append(option)
    return columns


def _best_files(files: Sequence[tuple[Option, ...]]) -> Iterable[Option]:
    """For each item of a scene with several files the option of the best one."""
    best: dict[int, Option] = {}
    for option in (one for row in files for one in row):
        other = best.get(option.item)
        if other is None or option.bits > other.bits:
            best[option.item] = option
    return best.values()


def _add_titles(options: Sequence[Option], scene: Scene, tabulated: Tabulated) -> list[Comparison]:
    """Add what titles and dates say, unless the name covers it already."""
    ours: tuple[Text, ...] = ()
    known: dict[tuple[Kind, tuple[Text, ...], str], Comparison] = {}
    titled = []
    for one in options:
        made = one.made
        named = made.spelling > Spelling.WORDS and not made.generic
        if not named and made.title is Level.UNKNOWN:
            item = tabulated.table.items[one.item]
            theirs = tabulated.texts.get(one.item)
            if theirs is None:
                theirs = tabulated.texts[one.item] = texts_of_item(item)
            looks = one.kind, theirs, item.date
            if looks not in known:
                ours = ours or texts_of_scene(scene)
                date = compare_date(scene.date, item.date)
                known[looks] = made._replace(title=compare_titles(ours, theirs), date=date)
            made = known[looks]
        titled.append(made)
    return titled


def _even_out(options: Sequence[Option], titled: list[Comparison]) -> list[Comparison]:
    """Give copies of one file the same credit for equal folders, and less to kept copies."""
    flags = [one.weighed.alike and one.made.place is FolderLevel.FOLDERS for one in options]
    alike = list(compress(titled, flags))
    if len(alike) <= 1:
        return titled
    tail = max(one.tail_others for one in alike)
    depth = min(one.folders for one in alike)
    telling = min(one.telling_folders for one in alike)
    ours_spare = _is_spare(options[0].ours.path)
    evened = []
    for option, made, is_alike in zip(options, titled, flags, strict=True):
        if is_alike:
            spare = not ours_spare and _is_spare(option.theirs.path)
            evened.append(
                made._replace(tail_others=tail, folders=depth, telling_folders=telling, spare=spare)
            )
        else:
            evened.append(made)
    return evened


def _is_spare(path: str) -> bool:
    """Whether a file lies in a folder for copies."""
    return not COPY_FOLDERS.isdisjoint(fold(folder_of(path)).split("/"))
