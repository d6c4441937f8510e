"""All plausible pairs at once, weighed: what decisions are made on."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING

import msgspec

from plexsync.matching.answers import refuses
from plexsync.matching.assignment import group, join_places
from plexsync.matching.comparing.blocking import (
    Ours,
    Theirs,
    block,
    pair,
    prepare,
    prepare_files,
    split_name,
)
from plexsync.matching.comparing.comparison import (
    Compared,
    Context,
    compare_resembling,
    compare_rows,
    mapped_folders,
    merged_folders,
)
from plexsync.matching.comparing.evidence import (
    Comparison,
    FolderLevel,
    Level,
    Spelling,
)
from plexsync.matching.comparing.facts import compare_date
from plexsync.matching.comparing.title_similarity import (
    Text,
    compare_titles,
    find_by_title,
    texts_of_item,
    texts_of_scene,
)
from plexsync.matching.comparing.weighing import DEFAULT_WEIGHTS, Scale
from plexsync.matching.decision import MatchSettings, Table
from plexsync.matching.layout import Layout, learn_layout
from plexsync.matching.locating import Locator, certain_pairs
from plexsync.models import PlexFile, SceneFile
from plexsync.text.generic_names import COPY_FOLDERS
from plexsync.text.normalize import compile_rules, fold, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plexsync.matching.answers import People
    from plexsync.matching.comparing.weighing import Kind, Option
    from plexsync.matching.lone_pairs import LonePair, LonePairs
    from plexsync.models import PathRule, PlexItem, Scene, SceneId
    from plexsync.text.normalize import PathMap

_MOST_RANKED = 64
"""A row of more options than this stays as it is: nobody would read it."""


class Tabulated(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything compared and weighed.

    Attributes:
        table: the options.
        sure: by scene, the pairs that nothing competes with.
        scale: weighs further comparisons.
        layout: how the libraries lie to each other, as it was given or learned.
        context: what comparing needs.
        path_map: the path rules.
        texts: what items call themselves, as far as it was asked for.
        dismissed: pairs of scene and item that were compared and are implausible, of the scenes
            that have no option.
    """

    table: Table
    sure: Mapping[int, LonePair]
    scale: Scale
    layout: Layout
    context: Context
    path_map: PathMap
    dismissed: frozenset[tuple[int, int]]
    texts: dict[int, tuple[Text, ...]] = {}


def tabulate(
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    rules: Sequence[PathRule],
    settings: MatchSettings,
    hashes: Mapping[int, int] | None,
    people: People,
    layout: Layout | None,
    lone: LonePairs | None,
) -> Tabulated:
    """Compare and weigh all but what a person refused; what `lone` decides stands in no row."""
    path_map = compile_rules(rules)
    context = _context(items, rules, hashes)
    scale = Scale(items=len(items), weights=settings.weights)
    compared = _compare_all(prepare_files(scenes, path_map), items, context, scale)
    if layout is None:
        layout = learn_layout(certain_pairs(compared), rules=rules)
    weighed = _Weighed([[] for _ in scenes])
    locate = Locator(layout, compared, items, scale).locate
    for ours, found, alone in compared:
        located = [(locate(kind, ours, part), part) for kind, part in found]
        if not (alone and lone is not None and weighed.settle(ours, located[0], lone, scale)):
            row = _weigh_row(ours, located, scale, settings)
            weighed.add(ours, found, without_refused(row, scenes[ours.scene], items, people))
    return Tabulated(
        table=_make_table(
            weighed.rows, scenes, items, people=people, settings=settings, layout=layout
        ),
        sure=weighed.sure,
        scale=scale,
        layout=layout,
        context=context,
        path_map=path_map,
        dismissed=frozenset(one for one in weighed.seen if not weighed.rows[one[0]]),
    )


def survey(scenes: Sequence[Scene], items: Sequence[PlexItem], rules: Sequence[PathRule]) -> Layout:
    """Learn how the libraries lie to each other from all scenes, without a decision."""
    context = _context(items, rules, None)
    scale = Scale(items=len(items), weights=DEFAULT_WEIGHTS)
    ours = prepare_files(scenes, compile_rules(rules))
    compared = _compare_all(ours, items, context, scale)
    return learn_layout(certain_pairs(compared), rules=rules)


def find_resembling(
    tabulated: Tabulated, lost: Iterable[int], scenes: Sequence[Scene]
) -> Iterator[tuple[int, list[Option]]]:
    """Yield a row of options for each scene that only titles find something for.

    They are there for a person to look at, and stand in no other pair's way.
    """
    items = tabulated.table.items
    found = find_by_title(list(lost), scenes, items, tabulated.dismissed)
    for position, resembling in found.items():
        scene = scenes[position]
        file = scene.files[0] if scene.files else SceneFile(path="")
        ours = prepare(position, scene.scene_id, file, tabulated.path_map)
        options = []
        for item, title in resembling:
            theirs = _prepare_item(item, items[item])
            date = compare_date(scene.date, items[item].date)
            kind = compare_resembling(
                ours, theirs, tabulated.context, tabulated.scale, title=title, date=date
            )
            options.append(tabulated.scale.option(ours, theirs, kind))
        yield position, options


def without_refused(
    options: Sequence[Option], scene: Scene, items: Sequence[PlexItem], people: People
) -> tuple[Option, ...]:
    """Leave out the pairs a person refused."""
    refusals = people.refusals.get(scene.scene_id, ())
    if not refusals:
        return tuple(options)
    return tuple(
        one
        for one in options
        if not any(refuses(answer, scene, items[one.item]) for answer in refusals)
    )


def refine(options: Sequence[Option], scene: Scene, tabulated: Tabulated) -> list[Option]:
    """Weigh the options of one file again with all that may rank them."""
    if len(options) > _MOST_RANKED:
        return list(options)
    scale = tabulated.scale
    return [
        one if one.made is made else scale.option(one.ours, one.theirs, scale.kind(made))
        for one, made in zip(
            options, _even_out(options, _add_titles(options, scene, tabulated)), strict=True
        )
    ]


# ---- Private -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Weighed:
    """What became of the comparisons: options, pairs that are sure, pairs that are implausible.

    Attributes:
        rows: the options, by scene and file.
        sure: by scene, the pairs that nothing competes with.
        seen: pairs of scene and item of the files that have no option.
    """

    rows: list[list[tuple[Option, ...]]]
    sure: dict[int, LonePair] = field(default_factory=dict)
    seen: set[tuple[int, int]] = field(default_factory=set)

    def settle(self, ours: Ours, found: tuple[Kind, Theirs], lone: LonePairs, scale: Scale) -> bool:
        """Note a pair that nothing competes with, if it is HIGH."""
        sole = lone.judge(ours, *found, scale)
        if sole is not None:
            self.sure[ours.scene] = sole
        return sole is not None

    def add(
        self, ours: Ours, found: Iterable[tuple[Kind, Theirs]], options: tuple[Option, ...]
    ) -> None:
        """Note the options of a file, or that it has none."""
        if options:
            self.rows[ours.scene].append(options)
        else:
            self.seen.update((ours.scene, part.item) for _, part in found)


def _make_table(
    rows: Sequence[Sequence[tuple[Option, ...]]],
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    people: People,
    settings: MatchSettings,
    layout: Layout,
) -> Table:
    """Put all options side by side, and serve those that compete as a whole."""
    columns = _columns(rows)
    places = join_places(items, columns)
    return Table(
        items=items,
        rows=rows,
        columns=columns,
        places=places,
        assigned=group(rows, columns, places=places, scenes=scenes, items=items, settings=settings),
        given=_given(items, people),
        is_layout_known=bool(layout.roots),
    )


def _context(
    items: Sequence[PlexItem], rules: Sequence[PathRule], hashes: Mapping[int, int] | None
) -> Context:
    return Context(
        items=len(items),
        hashes=hashes,
        mapped=mapped_folders(rules),
        merged=merged_folders(rules),
    )


def _given(items: Sequence[PlexItem], people: People) -> dict[int, frozenset[SceneId]]:
    """Return the scenes people gave items to, by the item's position."""
    if not people.pinned:
        return {}
    return {
        at: people.pinned[one.rating_key]
        for at, one in enumerate(items)
        if one.rating_key in people.pinned
    }


def _compare_all(
    ours: list[Ours], items: Sequence[PlexItem], context: Context, scale: Scale
) -> list[Compared]:
    """Every file of ours that has candidates, with its comparisons."""
    blocks = block(ours, items, context.hashes or {})
    return list(compare_rows(pair(blocks), context, scale))


def _weigh_row(
    ours: Ours,
    found: list[tuple[Kind, Theirs]],
    scale: Scale,
    settings: MatchSettings,
) -> list[Option]:
    """Return the best part of each plausible item."""
    best: dict[int, Option] = {}
    for kind, part in found:
        option = scale.option(ours, part, kind)
        other = best.get(part.item)
        if other is None or _part_rank(option) > _part_rank(other):
            best[part.item] = option
    return [one for one in best.values() if one.bits >= settings.plausible_bits]


def _part_rank(option: Option) -> tuple[bool, float, str]:
    return not option.weighed.contradictions, option.bits, option.theirs.file.path


def _prepare_item(position: int, item: PlexItem) -> Theirs:
    file = item.files[0] if item.files else PlexFile(path="")
    path = normalize_path(file.path)
    name, stem = split_name(path)
    return Theirs(position, file, path, name, stem)


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
    known: dict[tuple[int, bool], Comparison] = {}
    evened = []
    for option, made, is_alike in zip(options, titled, flags, strict=True):
        found: Comparison | None = made
        if is_alike:
            spare = not ours_spare and _is_spare(option.theirs.path)
            found = known.get((id(made), spare))
            if found is None:
                found = known[id(made), spare] = made._replace(
                    tail_others=tail, folders=depth, telling_folders=telling, spare=spare
                )
        evened.append(found or made)
    return evened


def _is_spare(path: str) -> bool:
    """Whether a file lies in a folder for copies."""
    return not COPY_FOLDERS.isdisjoint(fold(path[: path.rfind("/") + 1]).split("/"))
