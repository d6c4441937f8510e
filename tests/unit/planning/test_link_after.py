"""What a link remembers once Plex was seen to hold what changes say."""

from __future__ import annotations

from plexsync.models import Base, Change, Link, PlexField, Policy, RatingKey, Trace, Value
from plexsync.planning.observed import Rules
from plexsync.planning.planner import Planner

PLANNER = Planner(Rules())
TITLE, SUMMARY, GENRES = PlexField.TITLE, PlexField.SUMMARY, PlexField.GENRES


def change(
    target: PlexField,
    after: Value,
    *,
    policy: Policy = Policy.OVERWRITE,
    before: Value = "",
    trace_after: Trace | None = None,
) -> Change:
    """A change of one field."""
    return Change(
        field="f",
        target=target,
        before=before,
        after=after,
        policy=policy,
        trace_after=trace_after,
    )


def base(target: PlexField, value: Value) -> Base:
    """What is remembered of a value written to a field that never was ours."""
    return PLANNER.link_after(link(), [change(target, value, before=type(value)())]).base[target]


def link(
    base: dict[PlexField, Base] | None = None, held: dict[PlexField, str] | None = None
) -> Link:
    """A link that remembers so much."""
    return Link(
        rating_key=RatingKey("9"),
        section_id="1",
        path="/media/9.mp4",
        base=base or {},
        held=held or {},
    )


def test_every_change_becomes_base() -> None:
    """Not the first one only, nor the last."""
    after = PLANNER.link_after(link(), [change(TITLE, "a"), change(SUMMARY, "b")])
    assert after.base == {TITLE: base(TITLE, "a"), SUMMARY: base(SUMMARY, "b")}


def test_what_did_not_change_stays_remembered() -> None:
    """A field no change speaks of keeps its base, and stays held back."""
    before = link({TITLE: base(TITLE, "a")}, {GENRES: "d" * 16})
    after = PLANNER.link_after(before, [change(SUMMARY, "b")])
    assert after.base == {**before.base, SUMMARY: base(SUMMARY, "b")}
    assert after.held == before.held


def test_a_written_field_is_held_back_no_more() -> None:
    """Stash wanted something else, and got it."""
    before = link(held={TITLE: "d" * 16})
    after = PLANNER.link_after(before, [change(TITLE, "a")])
    assert (after.base, after.held) == ({TITLE: base(TITLE, "a")}, {})


def test_an_undo_says_itself_what_is_remembered() -> None:
    """The base from before comes back, and what was taken back is held."""
    then, wanted = base(TITLE, "once"), "d" * 16
    back = change(TITLE, "once", trace_after=Trace(base=then, held=wanted))
    after = PLANNER.link_after(link({TITLE: base(TITLE, "a")}), [back])
    assert (after.base, after.held) == ({TITLE: then}, {TITLE: wanted})


def test_an_undo_of_the_first_write_leaves_no_base() -> None:
    """What never was ours before is not ours afterwards."""
    back = change(TITLE, "file", trace_after=Trace())
    after = PLANNER.link_after(link({TITLE: base(TITLE, "a")}, {TITLE: "d" * 16}), [back])
    assert (after.base, after.held) == ({}, {})


def test_a_name_once_ours_stays_ours_when_it_is_merged_again() -> None:
    """It is there before the second write, and only the base says that we put it there."""
    before = link({GENRES: base(GENRES, ("x",))})
    again = change(GENRES, ("x", "y"), policy=Policy.MERGE, before=("x",))
    assert PLANNER.link_after(before, [again]).base[GENRES] == base(GENRES, ("x", "y"))
