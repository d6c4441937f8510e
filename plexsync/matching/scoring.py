"""All plausible pairs at once, weighed: what decisions are made on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from plexsync.matching.answers import refuses
from plexsync.matching.attributes import Level, compare_date
from plexsync.matching.blocking import (
    Ours,
    Theirs,
    block,
    pair,
    prepare,
    prepare_files,
    split_folders,
    split_name,
)
from plexsync.matching.comparison import (
    Context,
    compare_resembling,
    compare_row,
    mapped_folders,
    merged_folders,
)
from plexsync.matching.decision import MatchSettings, Option, Table, group, look_alike, make_option
from plexsync.matching.evidence import (
    Assessment,
    Comparison,
    FolderLevel,
    Spelling,
    Weights,
    folder_agreement,
    weigh,
)
from plexsync.matching.layout import split_prefixes
from plexsync.matching.title_similarity import (
    Text,
    compare_titles,
    find_by_title,
    texts_of_item,
    texts_of_scene,
)
from plexsync.models import PlexFile, SceneFile
from plexsync.text.generic_names import COPY_FOLDERS
from plexsync.text.normalize import compile_rules, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.matching.answers import People
    from plexsync.models import PathRule, PlexItem, Scene
    from plexsync.text.normalize import PathMap

_LEAST_PAIRS = 20
"""Certain pairs from which the libraries' layout is taken to be known."""
_LEAST_ROOT_SHARE = 0.005

_MOST_RANKED = 64
"""A row of more options than this stays as it is: nobody would read it."""

_Compared = tuple[Ours, list[tuple[Comparison, Theirs]]]


class Scale(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Weighs comparisons; equal ones share one assessment, which keeps 100,000 of them small."""

    items: int
    agreement: float
    weights: Weights
    weighed: dict[Comparison, Assessment]

    def weigh(self, made: Comparison) -> Assessment:
        """The assessment of a comparison."""
        known = self.weighed.get(made)
        if known is None:
            known = weigh(made, items=self.items, agreement=self.agreement, weights=self.weights)
            self.weighed[made] = known
        return known


def tabulate(
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    rules: Sequence[PathRule],
    settings: MatchSettings,
    hashes: Mapping[int, int],
    people: People,
    held: Iterable[int] = (),
) -> tuple[Table, Scale]:
    """Block, compare and weigh everything; pairs a person refused are left out."""
    weights = settings.weights
    path_map = compile_rules(rules)
    context = Context(
        items=len(items),
        hashes=hashes,
        mapped=mapped_folders(rules),
        merged=merged_folders(rules),
    )
    compared = _compare_all(scenes, items, path_map, context)
    sure = [one for one in compared if _is_sure(one)]
    scale = Scale(
        items=len(items), agreement=_learn_agreement(sure, weights), weights=weights, weighed={}
    )
    rows: list[list[tuple[Option, ...]]] = [[] for _ in scenes]
    for ours, found in compared:
        plausible = _weigh_row(ours, found, scale, settings)
        allowed = _without_refused(plausible, scenes[ours.scene], items, people)
        if allowed:
            rows[ours.scene].append(allowed)
    lost = [position for position, files in enumerate(rows) if not files]
    for position, options in _resembling(
        lost, scenes, items, path_map=path_map, context=context, scale=scale
    ):
        allowed = _without_refused(options, scenes[position], items, people)
        if allowed:
            rows[position].append(allowed)
    columns = _columns(rows)
    table = Table(
        rows=rows,
        columns=columns,
        roots=_learn_roots(sure),
        assigned=group(rows, columns, scenes, items, settings=settings),
        held=frozenset(held),
    )
    return table, scale


def refine(
    options: Sequence[Option], scene: Scene, items: Sequence[PlexItem], scale: Scale
) -> list[Option]:
    """Weigh the options of one file again with all that may rank them."""
    if len(options) > _MOST_RANKED:
        return list(options)
    texts = texts_of_scene(scene)
    titled = [_add_title(option, scene, texts, items) for option in options]
    return [
        make_option(one.ours, one.theirs, one.made, scale.weigh(one.made))
        for one in _even_out(titled)
    ]


# ---- Private -------------------------------------------------------------------------------------


def _compare_all(
    scenes: Sequence[Scene], items: Sequence[PlexItem], path_map: PathMap, context: Context
) -> list[_Compared]:
    """Every file of ours that has candidates, with its comparisons; equal ones are one object."""
    shared: dict[Comparison, Comparison] = {}
    blocks = block(prepare_files(scenes, path_map), items, context.hashes)
    return [
        (row.ours, [(shared.setdefault(made, made), part) for made, part in found])
        for row in pair(blocks)
        if (found := compare_row(row, context))
    ]


def _is_sure(compared: _Compared) -> bool:
    """Whether a pair is certain without its folders, so that it teaches something about them."""
    _, found = compared
    made = found[0][0]
    return (
        len(found) == 1
        and made.size is Level.EQUAL
        and made.spelling is Spelling.EXACT
        and not made.others
        and not made.generic
    )


def _learn_agreement(sure: Iterable[_Compared], weights: Weights) -> float:
    """How often the last folder of a certain pair is equal in these two libraries."""
    agreed = total = 0
    for _, found in sure:
        place = found[0][0].place
        agreed += place >= FolderLevel.FOLDERS
        total += place is not FolderLevel.UNKNOWN
    return folder_agreement(agreed, total, weights)


def _learn_roots(sure: Sequence[_Compared]) -> frozenset[tuple[str, str]]:
    """The pairs of folders certain pairs lie below; empty while too few are known."""
    if len(sure) < _LEAST_PAIRS:
        return frozenset()
    votes = Counter(split_prefixes(ours.path, found[0][1].path) for ours, found in sure)
    least = max(2.0, _LEAST_ROOT_SHARE * len(sure))
    return frozenset(root for root, count in votes.items() if count >= least)


def _weigh_row(
    ours: Ours,
    found: list[tuple[Comparison, Theirs]],
    scale: Scale,
    settings: MatchSettings,
) -> list[Option]:
    """The best part of each plausible item."""
    best: dict[int, Option] = {}
    for made, part in found:
        option = make_option(ours, part, made, scale.weigh(made))
        other = best.get(part.item)
        if other is None or _part_rank(option) > _part_rank(other):
            best[part.item] = option
    return [one for one in best.values() if one.bits >= settings.plausible_bits]


def _part_rank(option: Option) -> tuple[bool, float, str]:
    return not option.weighed.contradictions, option.bits, option.theirs.file.path


def _without_refused(
    options: Sequence[Option], scene: Scene, items: Sequence[PlexItem], people: People
) -> tuple[Option, ...]:
    refusals = people.refusals.get(scene.scene_id, ())
    if not refusals:
        return tuple(options)
    return tuple(
        one
        for one in options
        if not any(refuses(said, scene, items[one.item]) for said in refusals)
    )


def _resembling(
    lost: Sequence[int],
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    path_map: PathMap,
    context: Context,
    scale: Scale,
) -> Iterable[tuple[int, list[Option]]]:
    """A row of options for each scene that only titles find something for."""
    for position, found in find_by_title(lost, scenes, items).items():
        scene = scenes[position]
        file = scene.files[0] if scene.files else SceneFile(path="")
        ours = prepare(position, file, path_map)
        options = []
        for item, title in found:
            theirs = _prepare_item(item, items[item])
            date = compare_date(scene.date, items[item].date)
            made = compare_resembling(ours, theirs, context, title=title, date=date)
            options.append(make_option(ours, theirs, made, scale.weigh(made)))
        yield position, options


def _prepare_item(position: int, item: PlexItem) -> Theirs:
    file = item.files[0] if item.files else PlexFile(path="")
    path = normalize_path(file.path)
    name, stem = split_name(path)
    return Theirs(item=position, file=file, path=path, name=name, stem=stem)


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


def _add_title(
    option: Option, scene: Scene, texts: tuple[Text, ...], items: Sequence[PlexItem]
) -> Option:
    """Add what title and date say, unless the name has said it already."""
    made = option.made
    named = made.spelling is not Spelling.DIFFERENT and not made.generic
    if named or made.title is not Level.UNKNOWN:
        return option
    item = items[option.item]
    title = compare_titles(texts, texts_of_item(item))
    date = compare_date(scene.date, item.date)
    return _change(option, title=title, date=date)


def _even_out(options: list[Option]) -> list[Option]:
    """Give copies of one file the same credit for equal folders, and less to kept copies."""
    alike = [one for one in options if look_alike(one) and one.made.place is FolderLevel.FOLDERS]
    if len(alike) <= 1:
        return options
    tail = max(one.made.tail_others for one in alike)
    depth = min(one.made.folders for one in alike)
    telling = min(one.made.telling_folders for one in alike)
    return [
        _change(
            one,
            tail_others=max(one.made.tail_others, tail),
            folders=min(one.made.folders, depth),
            telling_folders=min(one.made.telling_folders, telling),
            spare=_is_spare(one),
        )
        if one in alike
        else one
        for one in options
    ]


def _is_spare(option: Option) -> bool:
    """Whether the item, unlike our file, lies in a folder for copies."""
    theirs = COPY_FOLDERS.intersection(split_folders(option.theirs.path))
    return bool(theirs) and not COPY_FOLDERS.intersection(split_folders(option.ours.path))


def _change(option: Option, **fields: object) -> Option:
    """The same pair with a changed comparison; its weight is out of date."""
    made = option.made._replace(**fields)  # type: ignore[arg-type] # fields are a Comparison's own
    return make_option(option.ours, option.theirs, made, option.weighed)
