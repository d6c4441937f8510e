"""What is remembered of fields that need no write: worked out only where it is not known yet."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plexsync.models import (
    Base,
    Change,
    Credit,
    Desired,
    ItemDetail,
    ItemKind,
    PlexField,
    PlexItem,
    Policy,
    RatingKey,
    Value,
)
from plexsync.planning.observed import Rules
from plexsync.planning.planner import Planner
from tests.support.factories import make_link

FIELDS: list[tuple[PlexField, Value, Policy]] = [
    (PlexField.TITLE, "One  Title", Policy.OVERWRITE),
    (PlexField.SUMMARY, "", Policy.OVERWRITE),
    (PlexField.DATE, "2024-05-01", Policy.FILL),
    (PlexField.STUDIO, "A Studio", Policy.KEEP),
    (PlexField.RATING, "8", Policy.OVERWRITE),
    (PlexField.GENRES, ("Outdoor", "Straße"), Policy.MERGE),
    (PlexField.LABELS, ("One",), Policy.OVERWRITE),
    (PlexField.ACTORS, ("Ada", "Bea"), Policy.MERGE),
]
DESIRED = [
    Desired(field=str(target), target=target, value=value, policy=policy)
    for target, value, policy in FIELDS
]
ITEM = PlexItem(rating_key=RatingKey("9120"), section_id="1", kind=ItemKind.MOVIE)
DETAIL = ItemDetail(item=ITEM, values={target: value for target, value, _ in FIELDS})


def agreed(planner: Planner, base: dict[PlexField, Base]) -> tuple[Change, ...]:
    """What is to be remembered of an item that is in step."""
    planned = planner.plan(DESIRED, DETAIL, base)
    assert planned.changes == ()
    return planned.agreed


@pytest.mark.parametrize("preserve", [True, False])
def test_what_a_base_says_already_is_not_worked_out_again(preserve: bool) -> None:
    """Once each field is remembered nothing is left, and remembering again would change nothing."""
    planner = Planner(Rules(preserve_plex_edits=preserve))
    link = make_link(base={})
    first = agreed(planner, {})
    assert {one.target for one in first} == {target for target, value, _ in FIELDS if value}

    link = planner.link_after(link, first)

    assert agreed(planner, link.base) == ()
    assert planner.link_after(link, first) == link


@pytest.mark.parametrize("target", [target for target, value, _ in FIELDS if value])
def test_a_base_that_says_otherwise_is_brought_up_to_date(target: PlexField) -> None:
    """Another value, one that lacks what is kept of names, or one that remembers credits."""
    planner = Planner(Rules())
    base = planner.link_after(make_link(base={}), agreed(planner, {})).base
    others = [replace(base[target], digest="0" * 16), replace(base[target], wanted="1" * 16)]
    if isinstance(DETAIL.values[target], tuple):
        others.append(replace(base[target], credits="2" * 24))
    if target in {PlexField.GENRES, PlexField.ACTORS}:
        others.append(replace(base[target], entries="", seen=""))
    for other in others:
        found = agreed(planner, {**base, target: other})
        assert [one.target for one in found] == [target]


def test_credits_are_compared_although_the_names_are_remembered() -> None:
    """A part that is played is no name."""
    planner = Planner(Rules())
    base = planner.link_after(make_link(base={}), agreed(planner, {})).base
    played = replace(DESIRED[-1], credits={"ada": Credit(role="Herself")})

    planned = planner.plan([played], DETAIL, base)

    assert [one.target for one in planned.changes] == [PlexField.ACTORS]


def test_a_planner_that_remembers_nothing_returns_what_is_written_alone() -> None:
    """As in a dry run."""
    planner = Planner(Rules(), agrees=False)
    assert agreed(planner, {}) == ()

    planned = planner.plan([replace(DESIRED[0], value="Another")], DETAIL, {})

    assert [one.after for one in planned.changes] == ["Another"]
