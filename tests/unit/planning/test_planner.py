"""The planner: policy tables over desired, observed and base."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plexsync.models import (
    Base,
    Change,
    Desired,
    EmptyPolicy,
    ItemDetail,
    ItemKind,
    ItemPlan,
    Link,
    PlexField,
    PlexItem,
    Policy,
    RatingKey,
    SceneFile,
    SceneId,
    Value,
)
from plexsync.planning.observed import Rules, was_by_hand
from plexsync.planning.planner import Planned, Planner
from plexsync.text.folding import files_digest

PLANNER = Planner(Rules())
ITEM = PlexItem(rating_key=RatingKey("9"), section_id="1", kind=ItemKind.MOVIE)
LINK = Link(rating_key=RatingKey("9"), section_id="1", path="/media/9.mp4")


def detail(target: PlexField, value: Value, *, locked: bool = False) -> ItemDetail:
    """An item that holds `value` and nothing else."""
    locks = frozenset({target}) if locked else frozenset()
    return ItemDetail(item=ITEM, values={target: value}, locked=locks)


def plan(
    policy: Policy,
    desired: Value,
    observed: Value,
    *,
    base: Value | None = None,
    locked: bool = False,
    rules: Rules = Rules(),  # noqa: B008 -- frozen, shared on purpose
    target: PlexField = PlexField.TITLE,
) -> Planned:
    """Plan one field."""
    known = {} if base is None else _applied(target, policy, base)
    wants = [Desired(field="f", target=target, value=desired, policy=policy)]
    return Planner(rules).plan(wants, detail(target, observed, locked=locked), known)


def _applied(target: PlexField, policy: Policy, value: Value) -> dict[PlexField, Base]:
    """The base after `value` was written to an empty field."""
    wants = [Desired(field="f", target=target, value=value, policy=policy)]
    empty: Value = () if isinstance(value, tuple) else ""
    return base_of(PLANNER.plan(wants, detail(target, empty), {}))


def base_of(planned: Planned) -> dict[PlexField, Base]:
    """What is remembered once `planned` is written to a field without base."""
    return PLANNER.link_after(LINK, (*planned.changes, *planned.agreed)).base


def written(planned: Planned) -> Value | None:
    """The one value to write, or None."""
    return planned.changes[0].after if planned.changes else None


PRESERVE = Rules(preserve_plex_edits=True)
REPLACE = Rules(preserve_plex_edits=False)
CLEAR = Rules(empty=EmptyPolicy.CLEAR)
KEEP = Rules(empty=EmptyPolicy.KEEP)

TEXT_TABLE = [
    # policy, base, observed, locked, rules -> what is written of "new", whether it is kept
    pytest.param(Policy.OVERWRITE, None, "file", False, Rules(), "new", False, id="first time"),
    pytest.param(Policy.OVERWRITE, None, "hand", True, REPLACE, "new", False, id="over a lock"),
    pytest.param(Policy.OVERWRITE, "old", "old", True, Rules(), "new", False, id="only desired"),
    pytest.param(Policy.OVERWRITE, "new", "hand", True, REPLACE, "new", False, id="drift"),
    pytest.param(Policy.OVERWRITE, None, "hand", True, PRESERVE, None, True, id="preserve lock"),
    pytest.param(Policy.OVERWRITE, "new", "hand", True, PRESERVE, None, True, id="preserve edit"),
    pytest.param(Policy.OVERWRITE, "old", "old", True, PRESERVE, "new", False, id="ours, locked"),
    pytest.param(Policy.OVERWRITE, "new", "agent", False, PRESERVE, "new", False, id="agent"),
    pytest.param(Policy.FILL, None, "", False, Rules(), "new", False, id="fill empty"),
    pytest.param(Policy.FILL, None, "", True, Rules(), None, True, id="fill, emptied by hand"),
    pytest.param(Policy.FILL, None, "file", False, Rules(), None, True, id="fill full"),
    pytest.param(Policy.FILL, "old", "old", True, Rules(), "new", False, id="fill what we filled"),
    pytest.param(Policy.FILL, "old", "hand", True, Rules(), None, True, id="fill, edited since"),
    pytest.param(Policy.KEEP, None, "file", False, Rules(), "new", False, id="keep, first time"),
    pytest.param(Policy.KEEP, None, "hand", True, Rules(), None, True, id="keep, edited before"),
    pytest.param(Policy.KEEP, "old", "old", True, Rules(), "new", False, id="keep, ours"),
    pytest.param(Policy.KEEP, "old", "hand", True, Rules(), None, True, id="keep, edited since"),
]


@pytest.mark.parametrize(
    ("policy", "base", "observed", "locked", "rules", "expected", "kept"), TEXT_TABLE
)
def test_a_text_follows_its_policy(  # noqa: PLR0917 -- one argument per column
    policy: Policy,
    base: str | None,
    observed: str,
    locked: bool,
    rules: Rules,
    expected: str | None,
    kept: bool,
) -> None:
    """Each row of the policy table is a decision made on purpose."""
    planned = plan(policy, "new", observed, base=base, locked=locked, rules=rules)
    assert written(planned) == expected
    assert planned.kept == (("f",) if kept else ())


@pytest.mark.parametrize("policy", [Policy.OVERWRITE, Policy.FILL, Policy.KEEP])
def test_silence_in_stash_clears_nothing(policy: Policy) -> None:
    """An empty desired value leaves Plex alone and is not called kept."""
    planned = plan(policy, "", "Plex's own")
    assert planned == Planned(changes=(), kept=(), agreed=())


def test_silence_clears_when_the_configuration_says_so() -> None:
    """`empty = "clear"` turns an empty desired value into a change."""
    assert written(plan(Policy.OVERWRITE, "", "Plex's own", rules=CLEAR)) == ""


TEXT_POLICIES = [Policy.OVERWRITE, Policy.FILL, Policy.KEEP]


@pytest.mark.parametrize("policy", TEXT_POLICIES)
@pytest.mark.parametrize("locked", [False, True], ids=["free", "locked"])
def test_silence_clears_what_we_wrote(policy: Policy, locked: bool) -> None:
    """`empty = "own"`: our own value goes with Stash's, whoever set the lock."""
    assert written(plan(policy, "", "ours", base="ours", locked=locked)) == ""
    assert written(plan(policy, "", "ours", base="ours", locked=locked, rules=KEEP)) is None


@pytest.mark.parametrize("policy", TEXT_POLICIES)
def test_silence_spares_what_somebody_changed_since(policy: Policy) -> None:
    """It stays, and is reported to stay."""
    planned = plan(policy, "", "theirs", base="ours", locked=True)
    assert (planned.changes, planned.kept, planned.by_hand) == ((), ("f",), ())


@pytest.mark.parametrize("value", ["same", ("x", "y")], ids=["text", "list"])
def test_silence_spares_what_plex_had_before_us(value: Value) -> None:
    """Plex held it when plexsync saw the item first, so it is not plexsync's to clear."""
    target = PlexField.GENRES if isinstance(value, tuple) else PlexField.TITLE
    wants = [Desired(field="f", target=target, value=value, policy=Policy.OVERWRITE)]
    base = base_of(PLANNER.plan(wants, detail(target, value), {}))
    silent = [replace(wants[0], value=type(value)())]
    planned = PLANNER.plan(silent, detail(target, value), base)
    assert (planned.changes, planned.kept) == ((), ("f",))


def test_what_plex_had_before_us_becomes_ours_when_stash_changes_it() -> None:
    """The second value is ours, and goes with Stash's."""
    wants = [Desired(field="f", target=PlexField.TITLE, value="a", policy=Policy.OVERWRITE)]
    link = replace(LINK, base=base_of(PLANNER.plan(wants, detail(PlexField.TITLE, "a"), {})))
    moved = [replace(wants[0], value="b")]
    changes = PLANNER.plan(moved, detail(PlexField.TITLE, "a"), link.base).changes
    link = PLANNER.link_after(link, changes)
    silent = [replace(wants[0], value="")]
    assert written(PLANNER.plan(silent, detail(PlexField.TITLE, "b"), link.base)) == ""


def test_a_blank_new_scene_decides_nothing_of_what_an_earlier_one_gave() -> None:
    """What it has no value for stays, what a template makes of it is not written over that."""
    wants = [
        Desired(field="title", target=PlexField.TITLE, value="", policy=Policy.OVERWRITE),
        Desired(field="labels", target=PlexField.LABELS, value=("S 2",), policy=Policy.MERGE),
        Desired(field="tags", target=PlexField.GENRES, value=(), policy=Policy.MERGE),
        Desired(field="summary", target=PlexField.SUMMARY, value="new", policy=Policy.OVERWRITE),
    ]
    given: dict[PlexField, Value] = {
        PlexField.TITLE: "ours",
        PlexField.LABELS: ("S 1",),
        PlexField.GENRES: ("x",),
    }
    base = {
        target: _applied(target, Policy.MERGE, value)[target] for target, value in given.items()
    }
    for rules in (Rules(), CLEAR):
        seen = ItemDetail(item=ITEM, values=given)
        planned = Planner(rules).plan(wants, seen, base, uncurated=True)
        assert targets(planned) == [(PlexField.SUMMARY, "", "new")]
        assert planned.waiting == ("title", "labels", "tags")
    assert len(PLANNER.plan(wants, ItemDetail(item=ITEM, values=given), base).changes) == 4


@pytest.mark.parametrize("policy", [Policy.OVERWRITE, Policy.KEEP])
def test_a_field_that_is_taken_over_loses_its_hand_typed_value(policy: Policy) -> None:
    """Once, and only the field that is named."""
    assert plan(policy, "new", "hand", locked=True).by_hand == ("f",)
    taken = plan(policy, "new", "hand", locked=True, rules=Rules(taken=frozenset({"f"})))
    assert written(taken) == "new"
    assert taken.changes[0].locked_before
    other = plan(policy, "new", "hand", locked=True, rules=Rules(taken=frozenset({"other"})))
    assert other.by_hand == ("f",)


def test_a_field_that_only_fills_is_not_taken_over() -> None:
    """The policy says that Plex's own stays; only what a person emptied is filled."""
    rules = Rules(taken=frozenset({"f"}))
    assert plan(Policy.FILL, "new", "hand", locked=True, rules=rules).kept == ("f",)
    assert plan(Policy.FILL, "new", "hand", locked=True).by_hand == ()
    assert plan(Policy.FILL, "new", "", locked=True).by_hand == ("f",)
    assert written(plan(Policy.FILL, "new", "", locked=True, rules=rules)) == "new"


def test_a_rating_and_a_merged_name_are_taken_over() -> None:
    """A rating that has no lock, and a name a person took out, come back."""
    rules = Rules(taken=frozenset({"f"}))
    assert written(rate(Policy.OVERWRITE, "8", "5", rules=rules)) == "8"
    assert merge(("x", "y"), ("x",), base=("x", "y"), locked=True, rules=rules) == ("x", "y")


@pytest.mark.parametrize(
    ("target", "desired", "observed"),
    [
        pytest.param(PlexField.TITLE, "A  b", " A b\r\n", id="white space"),
        pytest.param(PlexField.DATE, "2024-05-01", "2024-05-01 00:00:00", id="time part"),
        pytest.param(PlexField.GENRES, ("Blonde", "day"), ("Day", "blonde"), id="case and order"),
    ],
)
def test_spelling_alone_is_no_change(target: PlexField, desired: Value, observed: Value) -> None:
    """What Plex shows alike is never written again."""
    planned = plan(Policy.OVERWRITE, desired, observed, target=target)
    assert planned.changes == ()
    assert target in base_of(planned)


@pytest.mark.parametrize(
    ("target", "one", "other"),
    [
        pytest.param(PlexField.TITLE, "Lake", "lake", id="a title's case is meant"),
        pytest.param(PlexField.TITLE, "caf\u00e9", "cafe", id="a title's accent is meant"),
        pytest.param(PlexField.TITLE, "\uff21", "A", id="a title's width is meant"),
        pytest.param(PlexField.DATE, "2024-05-01", "2024-05-02", id="another day"),
        pytest.param(PlexField.GENRES, ("a", "b"), ("a b",), id="two names are not one"),
        pytest.param(PlexField.GENRES, ("é",), ("e",), id="an accent is meant"),
        pytest.param(PlexField.GENRES, ("É",), ("é",), id="NOCASE folds ASCII alone"),
        pytest.param(PlexField.GENRES, ("e\u0301",), ("é",), id="names are bytes to Plex"),
        pytest.param(PlexField.GENRES, ("Straße",), ("strasse",), id="two tags to Plex"),
    ],
)
def test_different_values_stay_different(target: PlexField, one: Value, other: Value) -> None:
    """The comparison forms do not fold away what a person would see."""
    assert not PLANNER.equality.equal(target, one, other)
    assert PLANNER.equality.digest(target, one) != PLANNER.equality.digest(target, other)


def merge(
    desired: tuple[str, ...],
    observed: tuple[str, ...],
    *,
    base: tuple[str, ...] | None = None,
    locked: bool = False,
    rules: Rules = Rules(),  # noqa: B008 -- frozen, shared on purpose
) -> Value | None:
    """What merging writes."""
    return written(
        plan(
            Policy.MERGE,
            desired,
            observed,
            base=base,
            locked=locked,
            rules=rules,
            target=PlexField.GENRES,
        )
    )


def test_merge_adds_ours_and_keeps_theirs() -> None:
    """Names Plex had before stay where they were; ours follow."""
    assert merge(("x", "y"), ("hand", "X")) == ("hand", "X", "y")


def test_merge_removes_only_what_we_once_added() -> None:
    """A name we added and Stash dropped goes; a name somebody else added stays."""
    assert merge(("y",), ("hand", "x", "y"), base=("x", "y")) == ("hand", "y")


def test_merge_never_claims_a_name_that_was_there_before() -> None:
    """A name both sides had on their own survives when Stash drops it."""
    wants = [Desired(field="f", target=PlexField.GENRES, value=("x",), policy=Policy.MERGE)]
    base = base_of(PLANNER.plan(wants, detail(PlexField.GENRES, ("x",)), {}))
    later = [Desired(field="f", target=PlexField.GENRES, value=("y",), policy=Policy.MERGE)]
    planned = PLANNER.plan(later, detail(PlexField.GENRES, ("x",)), base)
    assert written(planned) == ("x", "y")


def test_merge_removes_the_last_of_ours() -> None:
    """Stash dropping its last name takes ours out, and nothing else."""
    assert merge((), ("hand", "x"), base=("x",)) == ("hand",)


def test_merge_puts_back_what_was_taken_out_unless_edits_are_preserved() -> None:
    """A name of ours that a person removed comes back, but not under preserve_plex_edits."""
    assert merge(("x", "y"), ("x",), base=("x", "y"), locked=True, rules=REPLACE) == (
        "x",
        "y",
    )
    assert merge(("x", "y"), ("x",), base=("x", "y"), locked=True, rules=PRESERVE) is None


def test_an_interrupted_write_that_arrived_becomes_the_base() -> None:
    """Where Plex holds what was being written, the value is ours; elsewhere the base stands."""
    changes = plan(Policy.OVERWRITE, "new", "file").changes
    arrived = PLANNER.settle(LINK, changes, detail(PlexField.TITLE, "new"))
    lost = PLANNER.settle(LINK, changes, detail(PlexField.TITLE, "file"))
    digest = PLANNER.equality.digest(PlexField.TITLE, "new")
    assert arrived.base == {PlexField.TITLE: Base(digest=digest)}
    assert lost == LINK


def test_a_value_plex_did_not_store_is_named() -> None:
    """A read back that differs is found, field by field."""
    changes = plan(Policy.OVERWRITE, "new", "file").changes
    written_plan = ItemPlan(
        scene_id=SceneId("1"),
        rating_key=RatingKey("9"),
        section_id="1",
        kind=ItemKind.MOVIE,
        path="/a",
        lock=True,
        changes=changes,
    )
    assert PLANNER.not_stored(written_plan, detail(PlexField.TITLE, "file")) == changes
    assert PLANNER.not_stored(written_plan, detail(PlexField.TITLE, "new")) == ()


def test_the_desired_digest_moves_with_values_and_rules() -> None:
    """A digest that stood still would hide a change for ever."""
    one = [Desired(field="f", target=PlexField.TITLE, value="a", policy=Policy.OVERWRITE)]
    two = [Desired(field="f", target=PlexField.TITLE, value="b", policy=Policy.OVERWRITE)]
    assert PLANNER.desired_digest(one) != PLANNER.desired_digest(two)
    assert PLANNER.desired_digest(one) != Planner(REPLACE).desired_digest(one)


def test_the_files_digest_ignores_order_and_sees_moves() -> None:
    """A link stands while its files do: same files in another order are the same files."""
    a, b = SceneFile(path="/a", size_bytes=1), SceneFile(path="/b", size_bytes=2)
    moved = SceneFile(path="/c", size_bytes=1)
    assert files_digest((a, b)) == files_digest((b, a))
    assert files_digest((a, b)) != files_digest((moved, b))


# ---- sort titles, ratings, spelling --------------------------------------------------------------


def plan_titles(
    sort: str,
    observed: dict[PlexField, Value],
    *,
    title: str = "The Lake",
    locked: bool = False,
    base: dict[PlexField, Base] | None = None,
    rules: Rules = PRESERVE,
) -> Planned:
    """Plan title and sort title."""
    wants = [
        Desired(field="title", target=PlexField.TITLE, value=title, policy=Policy.OVERWRITE),
        Desired(field="s", target=PlexField.SORT_TITLE, value=sort, policy=Policy.OVERWRITE),
    ]
    locks = frozenset({PlexField.SORT_TITLE}) if locked else frozenset()
    seen = ItemDetail(item=ITEM, values=observed, locked=locks)
    return Planner(rules).plan(wants, seen, base or {})


def targets(planned: Planned) -> list[tuple[PlexField, Value, Value]]:
    """What is written, with what was there."""
    return [(change.target, change.before, change.after) for change in planned.changes]


@pytest.mark.parametrize(
    ("sort", "observed"),
    [
        pytest.param("The Lake", {PlexField.TITLE: "The Lake"}, id="shown only if it differs"),
        pytest.param(
            "Lake", {PlexField.TITLE: "The Lake", PlexField.SORT_TITLE: "Lake"}, id="made by Plex"
        ),
        pytest.param("", {PlexField.TITLE: "The Lake", PlexField.SORT_TITLE: "Lake"}, id="silence"),
    ],
)
def test_a_sort_title_plex_makes_itself_is_not_written(
    sort: str, observed: dict[PlexField, Value]
) -> None:
    """Plex shows it only where it differs, and makes one where none is set."""
    assert plan_titles(sort, observed).changes == ()


def test_a_sort_title_plex_made_counts_as_none_before() -> None:
    """Undo must give Plex its own one back, which follows the title."""
    seen: dict[PlexField, Value] = {PlexField.TITLE: "The Lake", PlexField.SORT_TITLE: "Lake"}
    assert targets(plan_titles("2024 Lake", seen)) == [(PlexField.SORT_TITLE, "", "2024 Lake")]


def test_a_new_title_takes_its_sort_title_along() -> None:
    """Plex would replace an unlocked one."""
    seen: dict[PlexField, Value] = {PlexField.TITLE: "old", PlexField.SORT_TITLE: "2024"}
    with_title = targets(plan_titles("2024", seen))
    assert with_title == [
        (PlexField.TITLE, "old", "The Lake"),
        (PlexField.SORT_TITLE, "2024", "2024"),
    ]
    assert [one for one, *_ in targets(plan_titles("2024", seen, locked=True))] == [PlexField.TITLE]


def rate(
    policy: Policy,
    desired: str,
    observed: str,
    base: str | None = None,
    *,
    rules: Rules = PRESERVE,
) -> Planned:
    """Plan a rating, which has no lock."""
    return plan(policy, desired, observed, base=base, rules=rules, target=PlexField.RATING)


def test_a_rating_somebody_gave_is_kept_without_a_lock() -> None:
    """Nobody but a person rates, so what is not ours is theirs; also that it was taken away."""
    assert rate(Policy.KEEP, "8", "5").kept == ("f",)
    assert rate(Policy.KEEP, "8", "", base="6").kept == ("f",)
    assert written(rate(Policy.KEEP, "8", "6", base="6")) == "8"
    assert written(rate(Policy.KEEP, "8", "")) == "8"
    assert rate(Policy.OVERWRITE, "8", "5").kept == ("f",)
    assert written(rate(Policy.OVERWRITE, "8", "5", rules=REPLACE)) == "8"
    assert rate(Policy.OVERWRITE, "8", "8.0").changes == ()


def test_names_plex_has_keep_their_spelling() -> None:
    """Plex takes another case of ASCII letters for the same tag, and beyond ASCII for another."""
    seen = ("Lake", "été", "old")
    planned = plan(Policy.OVERWRITE, ("LAKE", "ÉTÉ", "new"), seen, target=PlexField.GENRES)
    assert written(planned) == ("Lake", "ÉTÉ", "new")


def test_a_name_a_person_took_out_stays_out_run_after_run() -> None:
    """That it was ours once is still known when the next run comes."""
    wants = [
        Desired(field="f", target=PlexField.GENRES, value=("x", "y"), policy=Policy.MERGE),
    ]
    planner = Planner(PRESERVE)
    link = replace(LINK, base=_applied(PlexField.GENRES, Policy.MERGE, ("x", "y")))
    for _ in range(3):
        planned = planner.plan(wants, detail(PlexField.GENRES, ("x",), locked=True), link.base)
        assert planned.changes == ()
        link = planner.link_after(link, (*planned.changes, *planned.agreed))


@pytest.mark.parametrize("arrived", [True, False])
def test_a_name_taken_out_right_after_an_interrupted_write_stays_out(*, arrived: bool) -> None:
    """That the write arrived, its other field tells; else the name is still to be written."""
    planner = Planner(PRESERVE)
    wants = [
        Desired(field="f", target=PlexField.GENRES, value=("x", "new"), policy=Policy.MERGE),
        Desired(field="t", target=PlexField.TITLE, value="T", policy=Policy.OVERWRITE),
    ]
    before: dict[PlexField, Value] = {PlexField.GENRES: ("x",), PlexField.TITLE: "old"}
    sent = planner.plan(wants, ItemDetail(item=ITEM, values=before), {}).changes
    values = {**before, PlexField.GENRES: ("x", "mine")}
    values |= {PlexField.TITLE: "T"} if arrived else {}
    now = ItemDetail(item=ITEM, values=values, locked=frozenset({PlexField.GENRES}))
    link = planner.settle(LINK, sent, now)
    planned = planner.plan(wants, now, link.base)
    lists = [one.after for one in planned.changes if one.target is PlexField.GENRES]
    assert lists == ([] if arrived else [("x", "mine", "new")])


def test_a_name_plex_had_before_us_stays_out_once_a_person_took_it_out() -> None:
    """Both sides had it on their own; what Stash adds later comes even so."""
    planner, link = Planner(PRESERVE), LINK

    def run(
        wanted: tuple[str, ...], shown: tuple[str, ...], *, locked: bool = True
    ) -> Value | None:
        nonlocal link
        wants = [Desired(field="f", target=PlexField.GENRES, value=wanted, policy=Policy.MERGE)]
        planned = planner.plan(wants, detail(PlexField.GENRES, shown, locked=locked), link.base)
        link = planner.link_after(link, (*planned.changes, *planned.agreed))
        return written(planned)

    assert run(("x", "y"), ("x", "y", "z"), locked=False) is None
    assert run(("x", "y"), ("x", "z")) is None
    assert run(("x", "y", "new"), ("x", "z")) == ("x", "z", "new")
    assert run(("x", "y", "new"), ("x", "z", "new")) is None
    assert run(("y", "new"), ("x", "z", "new")) is None, "x was there before us"


def test_a_locked_sort_title_is_somebodys_even_if_plex_would_make_the_same() -> None:
    """It stays when the title changes, so undo has to put it back as it is."""
    seen: dict[PlexField, Value] = {PlexField.TITLE: "The Lake"}
    assert plan_titles("2024 Lake", seen, locked=True).by_hand == ("s",)
    planned = plan_titles("2024 Lake", seen, locked=True, rules=REPLACE)
    assert targets(planned) == [(PlexField.SORT_TITLE, "The Lake", "2024 Lake")]


def test_a_sort_title_plex_makes_is_never_cleared() -> None:
    """Locked or not, Plex would only make it again."""
    wants = [Desired(field="s", target=PlexField.SORT_TITLE, value="", policy=Policy.OVERWRITE)]
    values: dict[PlexField, Value] = {PlexField.TITLE: "The Lake", PlexField.SORT_TITLE: "Lake"}
    for locks in (frozenset[PlexField](), frozenset({PlexField.SORT_TITLE})):
        seen = ItemDetail(item=ITEM, values=values, locked=locks)
        assert Planner(CLEAR).plan(wants, seen, {}).changes == ()


@pytest.mark.parametrize(
    ("before", "by_hand"),
    [("earlier cover", False), ("upload://posters/1", False), ("picture chosen in Plex", True)],
)
def test_only_a_picture_somebody_chose_was_put_there_by_hand(before: str, by_hand: bool) -> None:
    """Choosing a picture locks it, whoever does: the lock of our own upload says nothing."""
    change = Change(
        field="poster",
        target=PlexField.POSTER,
        before=before,
        after="cover of scene 1",
        policy=Policy.OVERWRITE,
        locked_before=True,
    )
    assert was_by_hand(change) is by_hand
