"""Safety limits, on both sides of each."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plexsync.errors import ExitCode, UnsafeError
from plexsync.models import Change, Credit, Link, PlexField, Policy, RatingKey, Trace, Value
from plexsync.planning.limits import MIN_SYNCED, Limits, clears_any, loses
from plexsync.planning.observed import PlexEquality, Rules
from plexsync.planning.planner import Planner

LIMITS = Limits(max_changes=500, max_clears=100, max_share=0.3)


@pytest.mark.parametrize(
    ("losses", "synced", "passes"),
    [
        pytest.param(500, 10_000, False, id="as many as allowed"),
        pytest.param(501, 10_000, True, id="one too many"),
        pytest.param(300, 1_000, False, id="the share exactly"),
        pytest.param(301, 1_000, True, id="just above the share"),
        pytest.param(MIN_SYNCED - 1, MIN_SYNCED - 1, False, id="a share of few says nothing"),
        pytest.param(MIN_SYNCED, MIN_SYNCED, True, id="a share of enough does"),
        pytest.param(0, 0, False, id="nothing"),
    ],
)
def test_a_limit_holds_on_both_sides(
    losses: int,
    synced: int,
    passes: bool,
) -> None:
    """Exactly the limit goes, one more does not."""
    assert bool(LIMITS.passed(losses=losses, clears=0, synced=synced)) is passes


def test_the_error_says_count_limit_who_and_both_ways_out() -> None:
    """A person learns how many, the limit, which scenes, and how to pass it once or for good."""
    (passed,) = LIMITS.passed(losses=501, clears=0, synced=10_000)
    error = passed.error([f"scene {number}" for number in range(501)])
    assert error.exit_code is ExitCode.UNSAFE
    assert "501 of 10,000" in str(error)
    assert "500" in str(error)
    assert "held back: scene 0, scene 1, scene 2, scene 3, scene 4 and 496 more" in str(error)
    assert "--force" in error.hint
    assert "max_changes" in error.hint


def test_the_share_is_named_when_it_is_the_share() -> None:
    """The limit that was passed is the limit that is named."""
    (passed,) = LIMITS.passed(losses=400, clears=0, synced=1_000)
    assert passed.key == "max_share"
    assert "30% of them" in passed.words


def test_values_that_go_count_apart_from_values_that_change() -> None:
    """A hundred emptied items are as many as allowed; one more is too many, however few change."""
    assert LIMITS.passed(losses=100, clears=100, synced=10_000) == ()
    (passed,) = LIMITS.passed(losses=101, clears=101, synced=10_000)
    assert passed.key == "max_clears"
    assert "101 of 10,000" in passed.words


EQUALITY = PlexEquality()
PLANNER = Planner(Rules(preserve_plex_edits=False))


def a_change(target: PlexField, before: Value, after: Value, ours: Value | None = None) -> Change:
    """A change of a value; `ours` is what we applied last."""
    one = Change(field="f", target=target, before=before, after=after, policy=Policy.OVERWRITE)
    if ours is None:
        return one
    gave = replace(one, before=type(ours)(), after=ours)
    link = Link(rating_key=RatingKey("9"), section_id="1", path="/m")
    base = PLANNER.link_after(link, [gave]).base[target]
    return replace(one, trace_before=Trace(base=base))


@pytest.mark.parametrize(
    ("change", "loses_something"),
    [
        pytest.param(a_change(PlexField.TITLE, "", "new"), False, id="a value where none was"),
        pytest.param(a_change(PlexField.TITLE, "a", "b", ours="a"), False, id="ours for ours"),
        pytest.param(a_change(PlexField.TITLE, "x", "b"), True, id="somebody else's text"),
        pytest.param(a_change(PlexField.TITLE, "x", "b", ours="a"), True, id="an edit of ours"),
        pytest.param(a_change(PlexField.TITLE, "a", "", ours="a"), True, id="a text goes"),
        pytest.param(a_change(PlexField.SORT_TITLE, "a", ""), False, id="Plex makes another"),
        pytest.param(a_change(PlexField.RATING, "", "8"), False, id="a rating"),
        pytest.param(a_change(PlexField.RATING, "5", "8"), True, id="somebody's rating"),
        pytest.param(a_change(PlexField.GENRES, ("x",), ("x", "y")), False, id="a tag more"),
        pytest.param(
            a_change(PlexField.GENRES, ("x", "y"), ("x",), ours=("x", "y")), True, id="shorter"
        ),
        pytest.param(
            a_change(PlexField.GENRES, ("x", "y"), ("x", "z"), ours=("x", "y")),
            False,
            id="a renamed tag of ours",
        ),
        pytest.param(
            a_change(PlexField.GENRES, ("hand", "y"), ("y", "z"), ours=("y",)),
            True,
            id="somebody else's tag",
        ),
        pytest.param(
            a_change(PlexField.POSTER, "picture chosen in Plex", "cover"), True, id="a picture"
        ),
        pytest.param(a_change(PlexField.POSTER, "earlier cover", "cover"), False, id="our picture"),
        pytest.param(
            a_change(PlexField.POSTER, "frame of the video", "cover"), False, id="no picture"
        ),
    ],
)
def test_limits_weigh_loss(change: Change, loses_something: bool) -> None:
    """What only adds, and what brings our own value up to date, takes nothing from anyone."""
    assert loses(change, EQUALITY) is loses_something


def a_role(before: str, after: str, ours: str = "") -> Change:
    """A change of the role of an actor who stays; `ours` is what we applied last."""
    one = a_change(PlexField.ACTORS, ("Ann",), ("Ann",), ours=("Ann",))
    wished = {"ann": Credit(role=after, photo=None)}
    if ours:
        gave = replace(one, trace_before=None, credits_after={"ann": Credit(role=ours, photo=None)})
        link = Link(rating_key=RatingKey("9"), section_id="1", path="/m")
        base = PLANNER.link_after(link, [gave]).base[PlexField.ACTORS]
        one = replace(one, trace_before=Trace(base=base))
    shown = {"ann": Credit(role=before, photo=None)}
    return replace(one, credits_before=shown, credits_after=wished)


@pytest.mark.parametrize(
    ("change", "loses_something"),
    [
        pytest.param(a_role("", "Doe"), False, id="a role where none was"),
        pytest.param(a_role("Doe", "Roe", ours="Doe"), False, id="ours for ours"),
        pytest.param(a_role("By Hand", "Roe", ours="Doe"), True, id="an edit of ours"),
        pytest.param(a_role("By Hand", "Roe"), True, id="somebody else's role"),
        pytest.param(a_role("Doe", "", ours="Doe"), True, id="a role goes"),
        pytest.param(a_role("Doe", "Doe"), False, id="the same"),
    ],
)
def test_limits_weigh_the_loss_of_roles(change: Change, loses_something: bool) -> None:
    """What an actor plays is a value of its own, whoever is in the list."""
    assert loses(change, EQUALITY) is loses_something


@pytest.mark.parametrize("items", [100, 101])
def test_counting_is_worth_while_only_where_a_limit_could_be_passed(items: int) -> None:
    """By the lowest limit there is."""
    assert LIMITS.could_be_exceeded(items, 10_000) is (items > 100)


@pytest.mark.parametrize(
    ("gone", "remembered", "share", "passes"),
    [
        pytest.param(300, 1_000, 0.3, False, id="as many as allowed"),
        pytest.param(301, 1_000, 0.3, True, id="one too many"),
        pytest.param(49, 49, 0.3, True, id="a few, but all of them"),
        pytest.param(48, 49, 0.3, False, id="most of a few"),
        pytest.param(0, 0, 0.3, False, id="nothing was there"),
        pytest.param(1_000, 1_000, 1.0, False, id="all, as configured"),
    ],
)
def test_a_stash_may_only_shrink_so_much(
    gone: int,
    remembered: int,
    share: float,
    passes: bool,
) -> None:
    """An empty one is never believed, unless the configuration says that all of it may go."""
    limits = Limits(max_changes=1, max_clears=1, max_share=share)
    if not passes:
        limits.check_gone(gone, remembered)
        return
    with pytest.raises(UnsafeError, match=f"{gone} of {remembered} scenes") as caught:
        limits.check_gone(gone, remembered)
    assert "--force" in caught.value.hint
    assert "max_share" in caught.value.hint


@pytest.mark.parametrize(
    ("before", "after", "clears"),
    [
        pytest.param("old", "", True, id="a text goes"),
        pytest.param("old", "new", False, id="a text changes"),
        pytest.param("", "", False, id="there was none"),
        pytest.param(("a", "b"), (), True, id="a list goes"),
        pytest.param(("a", "b"), ("b",), False, id="a list shrinks"),
    ],
)
def test_only_a_value_that_goes_without_another_is_cleared(
    before: str | tuple[str, ...],
    after: str | tuple[str, ...],
    clears: bool,
) -> None:
    """One field of an item is enough."""
    other = Change(
        field="title",
        target=PlexField.TITLE,
        before="a",
        after="b",
        policy=Policy.OVERWRITE,
    )
    change = Change(
        field="tags", target=PlexField.GENRES, before=before, after=after, policy=Policy.OVERWRITE
    )
    assert clears_any([other, change]) is clears
