"""One-to-one assignment of greatest total weight, for whole groups of rivals at once.

Greedy choice gives the first comer the item that another scene needs more. This is the Hungarian
method on sparse edges: each row in turn takes the cheapest path of swaps (Dijkstra over reduced
costs) to a free column, or stays without one.
Source: Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
assignment problems", 1987. beets solves its album tracks the same way (`assign_items`).
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from plexsync.models import PlexItem, Scene, id_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.matching.comparing.weighing import Option
    from plexsync.matching.decision import MatchSettings

_MOST_IN_GROUP = 500


def assign(rows: Sequence[Mapping[int, float]]) -> list[int | None]:
    """Give each row at most one column and each column at most one row.

    Args:
        rows: for each row the columns it may have, with weights above 0.

    Returns:
        The column of each row; None where going without leaves more for the others.
    """
    worths = {worth for edges in rows for worth in edges.values()}
    if len(worths) == 1 and all(edges.keys() == rows[0].keys() for edges in rows):
        # Nothing tells them apart: first come, first served.
        return [*sorted(rows[0]), *[None] * len(rows)][: len(rows)]
    solver = _Solver(rows)
    for row in range(len(rows)):
        solver.augment(row)
    taken = [solver.taken[row] for row in range(len(rows))]
    return [column if column >= 0 else None for column in taken]


def group(
    rows: Sequence[Sequence[tuple[Option, ...]]],
    columns: Mapping[int, Sequence[Option]],
    *,
    places: Mapping[int, int],
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    settings: MatchSettings,
) -> dict[int, int]:
    """Assign the places scenes compete for, each connected group as a whole.

    Scenes nobody competes with are left out, and so are groups of more than `_MOST_IN_GROUP`
    scenes; their members are judged by their own rivals alone.
    """
    assigned: dict[int, int] = {}
    for rivals in _connect(columns, places):
        if len(rivals) > _MOST_IN_GROUP:
            continue
        # Ids settle ties, so that the order of the input does not matter.
        ranked = sorted(rivals, key=lambda one: id_order(scenes[one].scene_id))
        edges = [_edges(rows[scene], places, settings) for scene in ranked]
        order = sorted(
            {item for one in edges for item in one},
            key=lambda one: id_order(items[one].rating_key),
        )
        rank = {item: position for position, item in enumerate(order)}
        found = assign([{rank[item]: bits for item, bits in one.items()} for one in edges])
        for scene, column in zip(ranked, found, strict=True):
            if column is not None:
                assigned[scene] = order[column]
    return assigned


def join_places(items: Sequence[PlexItem], wanted: Iterable[int]) -> dict[int, int]:
    """For each item that shows a file another one shows, too, the first of them.

    Args:
        items: every item.
        wanted: positions of the items that are anybody's option.
    """
    shown: dict[str, list[int]] = {}
    for position in wanted:
        for file in items[position].files:
            shown.setdefault(file.path, []).append(position)
    leader: dict[int, int] = {}
    for several in shown.values():
        for item in set(several) - {several[0]}:
            for one in (item, several[0]):
                leader.setdefault(one, one)
            low, high = sorted(
                (_lead(leader, item), _lead(leader, several[0])),
                key=lambda one: id_order(items[one].rating_key),
            )
            leader[high] = low
    return {item: _lead(leader, item) for item in leader}


# ---- Private -------------------------------------------------------------------------------------


class _Solver:
    """Rows assigned so far, and the potentials that keep all reduced costs at 0 or above.

    Column `-1 - row` is the row's own way out: it costs nothing and gives nothing.
    """

    def __init__(self, rows: Sequence[Mapping[int, float]]) -> None:
        self._rows = [
            [(column, -weight) for column, weight in sorted(edges.items())] + [(-1 - row, 0.0)]
            for row, edges in enumerate(rows)
        ]
        self._row_price = [min(cost for _, cost in edges) for edges in self._rows]
        self._column_price: dict[int, float] = {}
        self._owner: dict[int, int] = {}
        self.taken: dict[int, int] = {}

    def augment(self, start: int) -> None:
        """Bring one more row in, at the least total cost."""
        distance: dict[int, float] = {}
        reached_from: dict[int, int] = {}
        settled: dict[int, float] = {}
        heap: list[tuple[float, int]] = []
        row, travelled = start, 0.0
        while True:
            for column, cost in self._rows[row]:
                price = self._row_price[row] + self._column_price.get(column, 0.0)
                reach = travelled + max(cost - price, 0.0)
                if column not in settled and reach < distance.get(column, math.inf):
                    distance[column] = reach
                    reached_from[column] = row
                    heapq.heappush(heap, (reach, column))
            travelled, column = heapq.heappop(heap)
            while column in settled:
                travelled, column = heapq.heappop(heap)
            settled[column] = travelled
            if column not in self._owner:
                break
            row = self._owner[column]
        self._reprice(start, settled, travelled)
        self._swap(start, column, reached_from)

    def _reprice(self, start: int, settled: Mapping[int, float], travelled: float) -> None:
        self._row_price[start] += travelled
        for column, reach in settled.items():
            if column in self._owner:
                self._row_price[self._owner[column]] += travelled - reach
            self._column_price[column] = self._column_price.get(column, 0.0) - (travelled - reach)

    def _swap(self, start: int, column: int, reached_from: Mapping[int, int]) -> None:
        """Hand the columns along the path on, from its free end back to `start`."""
        row = reached_from[column]
        while row != start:
            given_up = self.taken[row]
            self._owner[column], self.taken[row] = row, column
            column = given_up
            row = reached_from[column]
        self._owner[column], self.taken[row] = row, column


def _lead(leader: dict[int, int], one: int) -> int:
    """Return the representative of a joined set, with the way to it made shorter."""
    while leader[one] != one:
        leader[one] = leader[leader[one]]
        one = leader[one]
    return one


def _connect(columns: Mapping[int, Sequence[Option]], places: Mapping[int, int]) -> list[list[int]]:
    """Return the groups of scenes that compete for a place, directly or through others."""
    leader: dict[int, int] = {}
    first_of: dict[int, int] = {}
    for item, column in columns.items():
        shared = places.get(item)
        if len(column) == 1 and shared is None:
            continue
        first = column[0].ours.scene
        if shared is not None:
            first = first_of.setdefault(shared, first)
        for scene in (first, *(one.ours.scene for one in column)):
            leader.setdefault(scene, scene)
            leader[_lead(leader, scene)] = _lead(leader, first)
    groups: dict[int, list[int]] = {}
    for scene in leader:
        groups.setdefault(_lead(leader, scene), []).append(scene)
    return [one for one in groups.values() if len(one) > 1]


def _edges(
    rows: Sequence[tuple[Option, ...]], places: Mapping[int, int], settings: MatchSettings
) -> dict[int, float]:
    """Return what each place is worth to a scene, from just above 0 for a barely plausible one."""
    best: dict[int, float] = {}
    for option in (one for row in rows for one in row):
        worth = max(option.bits - settings.plausible_bits, 0.0) + 1e-6
        place = places.get(option.item, option.item)
        best[place] = max(best.get(place, 0.0), worth)
    return best
