"""Which plans go out together, and how long one waits for others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import msgspec
import pytest

from plexsync.models import (
    LIST_FIELDS,
    Change,
    ItemKind,
    ItemPlan,
    PlexField,
    Policy,
    RatingKey,
    Value,
)
from plexsync.plex.edit_query import PlanEdits
from plexsync.sync.execution.sender import (
    MOST_AHEAD,
    MOST_ITEMS,
    MOST_READS,
    group_by_edit,
    join_batches,
)
from tests.support.factories import make_plan


def change(target: PlexField, before: Value, after: Value) -> Change:
    """A change of one field."""
    return Change(
        field=target.value, target=target, before=before, after=after, policy=Policy.MERGE
    )


def renamed(number: int, *own: str, **fields: object) -> ItemPlan:
    """An item with tags of its own, on which Old becomes New."""
    genres = change(PlexField.GENRES, (*own, "Old"), (*own, "New"))
    made = make_plan(rating_key=RatingKey(str(number)), changes=(genres,))
    return msgspec.structs.replace(made, **fields)


def titled(number: int, title: str = "t") -> ItemPlan:
    """An item that gets a title."""
    return make_plan(
        rating_key=RatingKey(str(number)), changes=(change(PlexField.TITLE, str(number), title),)
    )


@dataclass(frozen=True)
class Held:
    """Something with a plan."""

    plan: ItemPlan

    @property
    def edits(self) -> PlanEdits:
        """What it comes to."""
        return PlanEdits(self.plan)


def grouped(plans: list[ItemPlan], appended: frozenset[PlexField] = frozenset()) -> list[list[str]]:
    """The rating keys of each group."""
    groups = group_by_edit(map(Held, plans), appended=appended)
    return [[one.plan.rating_key for one in group] for group in groups]


def test_lists_are_alike_only_as_a_whole_until_the_server_is_known() -> None:
    """Other tags besides make another list; what is new is the same."""
    plans = [renamed(1, "a"), renamed(2, "b"), renamed(3, "a")]
    assert grouped(plans) == [["1", "3"], ["2"]]
    assert grouped(plans, LIST_FIELDS) == [["1", "2", "3"]]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"section_id": "2"}, id="another section"),
        pytest.param({"kind": ItemKind.EPISODE}, id="another kind"),
        pytest.param({"lock": False}, id="without locks"),
    ],
)
def test_what_makes_another_request_makes_another_group(other: dict[str, object]) -> None:
    """Section and type stand in the address, locks among the arguments."""
    assert len(grouped([renamed(1), renamed(2, **other)], LIST_FIELDS)) == 2


def test_a_rating_and_a_plan_of_nothing_go_alone() -> None:
    """The door for ratings takes one item."""
    rated = [
        make_plan(rating_key=RatingKey(str(n)), changes=(change(PlexField.RATING, "", "8"),))
        for n in (1, 2)
    ]
    nothing = [make_plan(rating_key=RatingKey(str(n)), changes=()) for n in (3, 4)]
    assert grouped([*rated, *nothing]) == [["1"], ["2"], ["3"], ["4"]]


def test_a_group_is_at_most_a_hundred_items() -> None:
    """One more starts another."""
    groups = grouped([titled(number) for number in range(1, 2 * MOST_ITEMS + 2)])
    assert [len(group) for group in groups] == [MOST_ITEMS, MOST_ITEMS, 1]


def batches_of(plans: list[ItemPlan], size: int = 50) -> list[list[Held]]:
    """What so many reads would give."""
    return [list(map(Held, plans[at : at + size])) for at in range(0, len(plans), size)]


def test_alike_plans_wait_for_each_other_up_to_a_limit() -> None:
    """Ten reads make one batch to write."""
    gathered = list(join_batches(batches_of([titled(number) for number in range(1200)])))
    assert [len(batch) for batch in gathered] == [MOST_AHEAD, MOST_AHEAD, 200]


def test_plans_that_have_nothing_in_common_wait_for_nobody() -> None:
    """Each is written right after it was read."""
    different = [titled(number, f"title {number}") for number in range(200)]
    assert [len(batch) for batch in join_batches(batches_of(different))] == [50, 50, 50, 50]


def test_a_few_plans_among_many_reads_are_written_in_time() -> None:
    """What was read long ago is stale, however few there are."""
    sparse = batches_of([titled(number) for number in range(3 * MOST_READS)], size=1)
    assert [len(batch) for batch in join_batches(sparse)] == [MOST_READS] * 3


def test_nothing_is_lost_or_invented_by_gathering() -> None:
    """The same plans in the same order; no empty batch."""
    plans = [titled(number, str(number % 7)) for number in range(333)]
    batches = [[], *batches_of(plans, 40), []]
    gathered = list(join_batches(batches))
    assert all(gathered)
    assert [one.plan for one in chain.from_iterable(gathered)] == plans
