"""One-to-one assignment of greatest total weight, for a whole group of rivals at once.

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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def assign(rows: Sequence[Mapping[int, float]]) -> list[int | None]:
    """Give each row at most one column and each column at most one row.

    Args:
        rows: for each row the columns it may have, with weights above 0.

    Returns:
        The column of each row; None where going without leaves more for the others.
    """
    solver = _Solver(rows)
    for row in range(len(rows)):
        solver.augment(row)
    taken = [solver.taken[row] for row in range(len(rows))]
    return [column if column >= 0 else None for column in taken]


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
