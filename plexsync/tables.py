"""All plausible pairs at once, weighed: what decisions are made on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.blocking import Ours, Theirs, block, gather, pair
from plexsync.comparing import Context, compare_row, mapped_folders
from plexsync.decision import Claimant, MatchSettings, Option, Table
from plexsync.evidence import (
    Assessment,
    Comparison,
    Level,
    Place,
    Spelling,
    folder_agreement,
    weigh,
)
from plexsync.normalize import compile_rules
from plexsync.people import refuses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import PathRule, PlexItem, Scene
    from plexsync.people import People


def tabulate(
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    rules: Sequence[PathRule],
    settings: MatchSettings,
    hashes: Mapping[int, int],
    people: People,
) -> Table:
    """Block, compare and weigh everything; pairs a person refused are left out."""
    weights = settings.weights
    context = Context(
        items=len(items),
        hashes=hashes,
        mapped=mapped_folders(rules),
        size_most=weights.size_most,
    )
    blocks = block(gather(scenes, compile_rules(rules)), items, hashes)
    shared: dict[Comparison, Comparison] = {}
    compared = [
        (row.ours, [(shared.setdefault(made, made), part) for made, part in found])
        for row in pair(blocks)
        if (found := compare_row(row, context))
    ]
    agreement = _learn_agreement((found for _, found in compared), settings)
    weighed = {
        made: weigh(made, items=len(items), agreement=agreement, weights=weights) for made in shared
    }
    rows: list[list[tuple[Option, ...]]] = [[] for _ in scenes]
    for ours, found in compared:
        options = _best_parts(ours, found, weighed)
        scene = scenes[ours.scene]
        refusals = people.refusals.get(scene.scene_id, ())
        plausible = tuple(
            one
            for one in options
            if one.bits >= settings.plausible_bits
            and not any(refuses(said, scene, items[one.item]) for said in refusals)
        )
        if plausible:
            rows[ours.scene].append(plausible)
    return Table(rows=rows, columns=_columns(rows))


# ---- Private -------------------------------------------------------------------------------------


def _learn_agreement(
    compared: Iterable[list[tuple[Comparison, Theirs]]], settings: MatchSettings
) -> float:
    """How often the last folder of a certain pair is equal in these two libraries."""
    agreed = total = 0
    for found in compared:
        if len(found) != 1:
            continue
        made = found[0][0]
        if made.size is Level.EQUAL and made.spelling is Spelling.EXACT and not made.others:
            agreed += made.place >= Place.FOLDERS
            total += made.place is not Place.UNKNOWN
    return folder_agreement(agreed, total, settings.weights)


def _best_parts(
    ours: Ours,
    found: list[tuple[Comparison, Theirs]],
    weighed: Mapping[Comparison, Assessment],
) -> Iterable[Option]:
    """The best part of each item, by item."""
    best: dict[int, Option] = {}
    for made, part in found:
        option = Option(ours, part, made, weighed[made])
        other = best.get(part.item)
        if other is None or _part_rank(option) > _part_rank(other):
            best[part.item] = option
    return best.values()


def _part_rank(option: Option) -> tuple[bool, float, str]:
    return not option.weighed.contradictions, option.bits, option.theirs.file.path


def _columns(rows: Sequence[Sequence[tuple[Option, ...]]]) -> dict[int, list[Claimant]]:
    """For each item the scenes that could claim it, each with its best file for it."""
    columns: dict[int, list[Claimant]] = {}
    for scene, files in enumerate(rows):
        best: dict[int, Option] = {}
        for row in files:
            for option in row:
                other = best.get(option.item)
                if other is None or option.bits > other.bits:
                    best[option.item] = option
        for item, option in best.items():
            columns.setdefault(item, []).append(Claimant(scene, option))
    return columns
