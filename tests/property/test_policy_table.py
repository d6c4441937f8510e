"""The policy table, all of it: every base, observed and desired value, lock and rule there is.

What is expected is written down here a second time, in the words of docs/configuration.md and
docs/design.md ("Deciding what to write"), and compared with the planner for every combination of
a few values that stand for all: nothing, ours, another's, the same in another spelling.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from plexsync.models import (
    Base,
    Credit,
    Desired,
    EmptyPolicy,
    ItemDetail,
    ItemKind,
    Link,
    PlexField,
    PlexItem,
    Policy,
    RatingKey,
    Value,
)
from plexsync.planning.observed import Rules
from plexsync.planning.planner import Planner

ITEM = PlexItem(rating_key=RatingKey("9"), section_id="1", kind=ItemKind.MOVIE)
LINK = Link(rating_key=RatingKey("9"), section_id="1", path="/media/9.mp4")
POLICIES = (Policy.OVERWRITE, Policy.FILL, Policy.MERGE, Policy.KEEP)
RULES = tuple(
    Rules(preserve_plex_edits=preserve, empty=empty)
    for preserve, empty in product((False, True), EmptyPolicy)
)
NO_BASE = None

TEXTS = ("", "a", " a ", "b", "B")
ORDERED = (permutations(("x", "y", "z"), length) for length in range(3))
NAMES = (*(names for lists in ORDERED for names in lists), ("X",))


class Case(NamedTuple):
    """One combination.

    Attributes:
        policy: of the field.
        rules: what decides besides.
        base: what we applied last; None for nothing.
        observed: what Plex holds.
        locked: whether Plex locks it.
        desired: what Stash says.
    """

    policy: Policy
    rules: Rules
    base: Value | None
    observed: Value
    locked: bool
    desired: Value


class Verdict(NamedTuple):
    """What becomes of it: the value to write, None for no write, and whether that is reported."""

    write: Value | None
    kept: bool = False


NOTHING = Verdict(None)
KEPT = Verdict(None, kept=True)


def same(one: Value, other: Value) -> bool:
    """Whether Plex shows the same."""
    if isinstance(one, str) and isinstance(other, str):
        return one.split() == other.split()
    return {name.lower() for name in one} == {name.lower() for name in other}


def expected(case: Case) -> Verdict:
    """The table, for a text, and for a list that is not merged."""
    policy, rules, base, observed, locked, desired = case
    if same(desired, observed):
        return NOTHING
    if not desired and rules.empty is not EmptyPolicy.CLEAR:
        return silenced(case)
    ours = base is not None and same(base, observed)
    a_persons = locked and not ours
    if policy is Policy.KEEP or (policy is Policy.OVERWRITE and rules.preserve_plex_edits):
        return KEPT if a_persons else Verdict(desired)
    if policy is Policy.OVERWRITE:
        return Verdict(desired)
    # fill: only where Plex has nothing, or what we filled in; a text cannot be merged
    empty = not observed and not a_persons
    return Verdict(desired) if ours or empty else KEPT


def silenced(case: Case) -> Verdict:
    """The table where Stash says nothing: absent is not empty."""
    base, observed = case.base, case.observed
    if case.rules.empty is EmptyPolicy.KEEP or not base:
        return NOTHING
    if isinstance(observed, tuple) and (case.policy is Policy.MERGE or same(base, observed)):
        left = {name.lower() for name in observed} - {name.lower() for name in base}
        lost = len(left) < len({name.lower() for name in observed})
        return Verdict(tuple(sorted(left))) if lost else NOTHING
    return Verdict("") if same(base, observed) else KEPT


def expected_merge(case: Case) -> Verdict:
    """The table, for a list that is merged: add Stash's, remove only what we once added."""
    assert isinstance(case.observed, tuple)
    assert isinstance(case.desired, tuple)
    wanted = {name.lower() for name in case.desired}
    there = {name.lower() for name in case.observed}
    if not case.desired and case.rules.empty is not EmptyPolicy.CLEAR:
        return silenced(case)
    ours = {name.lower() for name in case.base or ()}
    taken_out = ours - there if case.locked and case.rules.preserve_plex_edits else set()
    after = (there - (ours - wanted)) | (wanted - taken_out)
    return NOTHING if after == there else Verdict(tuple(sorted(after)))


def decided(case: Case, target: PlexField) -> Verdict:
    """What the planner makes of it."""
    planner = Planner(case.rules)
    base: dict[PlexField, Base] = {}
    if case.base is not None:
        # What is remembered of a value that was written to an empty field.
        empty: Value = () if isinstance(case.base, tuple) else ""
        wrote = [Desired(field="f", target=target, value=case.base, policy=case.policy)]
        first = Planner(Rules(empty=EmptyPolicy.CLEAR)).plan(wrote, detail(target, empty), {})
        base = planner.link_after(LINK, (*first.changes, *first.agreed)).base
        base = base or {target: Base(digest=planner.equality.digest(target, case.base))}
    wants = [Desired(field="f", target=target, value=case.desired, policy=case.policy)]
    planned = planner.plan(wants, detail(target, case.observed, locked=case.locked), base)
    write = planned.changes[0].after if planned.changes else None
    return Verdict(write, kept=bool(planned.kept))


def detail(target: PlexField, value: Value, *, locked: bool = False) -> ItemDetail:
    """An item that holds `value` and nothing else."""
    locks = frozenset({target}) if locked else frozenset()
    return ItemDetail(item=ITEM, values={target: value}, locked=locks)


def cases(policy: Policy, values: tuple[Value, ...]) -> list[Case]:
    """Every combination of `values`."""
    axes = product(RULES, (NO_BASE, *values), values, (False, True), values)
    return [Case(policy, *axis) for axis in axes]


def agree(found: Verdict, wanted: Verdict) -> bool:
    """Whether both write what Plex shows alike, and tell alike what stays."""
    if (found.write is None) != (wanted.write is None):
        return False
    alike = found.write is None or same(found.write, wanted.write or type(found.write)())
    return alike and found.kept == wanted.kept


@pytest.mark.parametrize("policy", POLICIES)
def test_every_text_is_decided_as_the_table_says(policy: Policy) -> None:
    """4 policies, 6 pairs of rules, 6 bases, 5 observed and 5 desired values, both locks."""
    wrong = [
        (case, found, wanted)
        for case in cases(policy, TEXTS)
        if not agree(found := decided(case, PlexField.SUMMARY), wanted := expected(case))
    ]
    assert wrong == []


@pytest.mark.parametrize("policy", POLICIES)
def test_every_list_is_decided_as_the_table_says(policy: Policy) -> None:
    """The same for lists of up to two of three names, in every order and in another spelling."""
    table = expected_merge if policy is Policy.MERGE else expected
    wrong = [
        (case, found, wanted)
        for case in cases(policy, NAMES)
        if not agree(found := decided(case, PlexField.GENRES), wanted := table(case))
    ]
    assert wrong == []


RATINGS = ("", "5", "8", "8.0")


def expected_rating(case: Case) -> Verdict:
    """The table for a rating: no lock says who gave it, but only a person rates."""
    policy, rules, base, observed, _, desired = case
    assert isinstance(observed, str)
    assert isinstance(desired, str)
    shown, wanted = observed.removesuffix(".0"), desired.removesuffix(".0")
    if shown == wanted:
        return NOTHING
    if not wanted and rules.empty is not EmptyPolicy.CLEAR:
        return silenced(case._replace(base=base and str(base).removesuffix(".0"), observed=shown))
    ours = isinstance(base, str) and base.removesuffix(".0") == shown
    a_persons = not ours and (shown != "" or base is not None)
    if policy is Policy.KEEP or (policy is Policy.OVERWRITE and rules.preserve_plex_edits):
        return KEPT if a_persons else Verdict(desired)
    if policy is Policy.OVERWRITE:
        return Verdict(desired)
    return Verdict(desired) if ours or (not shown and not a_persons) else KEPT


@pytest.mark.parametrize("policy", [Policy.OVERWRITE, Policy.FILL, Policy.KEEP])
def test_every_rating_is_decided_as_the_table_says(policy: Policy) -> None:
    """One that was taken away after us is a person's word, too."""
    wrong = [
        (case, found, wanted)
        for case in cases(policy, RATINGS)
        if not agree(found := decided(case, PlexField.RATING), wanted := expected_rating(case))
    ]
    assert wrong == []


@pytest.mark.parametrize("values", [TEXTS, NAMES], ids=["texts", "lists"])
def test_preserved_edits_survive_every_policy(values: tuple[Value, ...]) -> None:
    """`preserve_plex_edits`: what a person put into Plex is there afterwards, in every case."""
    target = PlexField.SUMMARY if isinstance(values[0], str) else PlexField.GENRES
    for policy in POLICIES:
        for case in cases(policy, values):
            by_hand = case.locked and (case.base is None or not same(case.base, case.observed))
            write = decided(case, target).write
            if not (case.rules.preserve_plex_edits and by_hand) or write is None:
                continue
            assert policy is Policy.MERGE, case
            put_in = {name.lower() for name in case.observed} - {n.lower() for n in case.base or ()}
            assert put_in <= {name.lower() for name in write}, case


# ---- roles ---------------------------------------------------------------------------------------

ROLES = ("", "a", "b")


class Part(NamedTuple):
    """One combination for an actor that was there and stays; `gave` is the role we gave last."""

    policy: Policy
    rules: Rules
    gave: str | None
    shown: str
    locked: bool
    wish: str


def expected_role(part: Part) -> str | None:
    """The table once more: a role is a text of its own; under merge one of Plex's stays."""
    policy, rules, gave, shown, locked, wish = part
    ours = gave is not None and gave == shown
    if wish == shown:
        return None
    if not wish and not (
        rules.empty is EmptyPolicy.CLEAR or (rules.empty is EmptyPolicy.OWN and ours)
    ):
        return None
    a_persons = locked and not ours and (shown != "" or gave is not None)
    if policy is Policy.KEEP or (policy is Policy.OVERWRITE and rules.preserve_plex_edits):
        return None if a_persons else wish
    if policy is Policy.OVERWRITE:
        return wish
    return wish if ours or (not shown and not a_persons) else None


def decided_role(part: Part) -> str | None:
    """What the planner makes of it."""
    planner = Planner(part.rules)
    base: dict[PlexField, Base] = {}
    if part.gave is not None:
        gave = replace(actors(part, part.gave), policy=Policy.OVERWRITE)
        first = Planner(Rules(empty=EmptyPolicy.CLEAR)).plan([gave], credited(""), {})
        base = planner.link_after(LINK, (*first.changes, *first.agreed)).base
    planned = planner.plan([actors(part, part.wish)], credited(part.shown, part.locked), base)
    wishes = [one for change in planned.changes for one in change.credits_after.values()]
    return wishes[0].role if wishes else None


def actors(part: Part, role: str) -> Desired:
    """Ann, in that part."""
    return Desired(
        field="performers",
        target=PlexField.ACTORS,
        value=("Ann",),
        policy=part.policy,
        credits={"ann": Credit(role=role)},
    )


def credited(role: str, locked: bool = False) -> ItemDetail:  # noqa: FBT002 - see `Part`
    """An item with Ann in that part."""
    shown = {"ann": Credit(role=role, photo="")} if role else {}
    return replace(detail(PlexField.ACTORS, ("Ann",), locked=locked), credits=shown)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_role_is_decided_as_the_table_says(policy: Policy) -> None:
    """4 policies, 6 pairs of rules, 4 memories, 3 shown and 3 wanted roles, both locks."""
    parts = [
        Part(policy, *axis) for axis in product(RULES, (None, *ROLES), ROLES, (False, True), ROLES)
    ]
    wrong = [
        (part, found, wanted)
        for part in parts
        if (found := decided_role(part)) != (wanted := expected_role(part))
    ]
    assert wrong == []
