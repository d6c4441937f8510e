"""Laws of the planner over arbitrary texts, names, policies and histories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plexsync.models import (
    LIST_FIELDS,
    Base,
    Change,
    Desired,
    EmptyPolicy,
    ItemDetail,
    ItemKind,
    Link,
    PlexField,
    PlexItem,
    Policy,
    RatingKey,
    Scene,
    SceneId,
    Value,
)
from plexsync.planning.observed import Rules
from plexsync.planning.planner import AS_WANTED, Planned, Planner
from plexsync.plex.client import PlexClient
from plexsync.sync.execution.reader import Freshness, Reader
from plexsync.sync.execution.work import Decision, Ready, WorkItem, Write
from plexsync.sync.rows import Pair
from plexsync.text.normalize import tag_key
from plexsync.transport.client import Transport
from tests.support.factories import make_plan
from tests.support.plex_bench import ports_on

ITEM = PlexItem(rating_key=RatingKey("9"), section_id="1", kind=ItemKind.MOVIE)
LINK = Link(rating_key=RatingKey("9"), section_id="1", path="/media/9.mp4")
names = st.lists(st.sampled_from(["a", "B", "b", "c d", "É", "x", "Y"]), max_size=4).map(tuple)
texts = st.sampled_from(["", "one", "Two", "two", " one ", "three\nlines"])
rules = st.builds(
    Rules,
    preserve_plex_edits=st.booleans(),
    lock_fields=st.booleans(),
    empty=st.sampled_from(EmptyPolicy),
)
policies = st.sampled_from([Policy.OVERWRITE, Policy.FILL, Policy.MERGE, Policy.KEEP])


def observe(text: str, tags: tuple[str, ...], planned: Planned | None = None) -> ItemDetail:
    """The item before, or after `planned` was written with locks."""
    values: dict[PlexField, Value] = {PlexField.TITLE: text, PlexField.GENRES: tags}
    changes = planned.changes if planned else ()
    for change in changes:
        values[change.target] = change.after
    return ItemDetail(item=ITEM, values=values, locked=frozenset(c.target for c in changes))


def base_of(planner: Planner, planned: Planned) -> dict[PlexField, Base]:
    """What is remembered once `planned` is written to an item without base."""
    return planner.link_after(LINK, (*planned.changes, *planned.agreed)).base


def wants(text: str, tags: tuple[str, ...], policy: Policy) -> list[Desired]:
    """A title and a list of genres under one policy."""
    return [
        Desired(field="title", target=PlexField.TITLE, value=text, policy=policy),
        Desired(field="tags", target=PlexField.GENRES, value=tags, policy=policy),
    ]


@given(texts, names, texts, names, policies, rules)
def test_a_plan_applied_once_leaves_nothing_to_do(  # noqa: PLR0917 -- one per axis
    text: str,
    tags: tuple[str, ...],
    seen: str,
    seen_tags: tuple[str, ...],
    policy: Policy,
    rule: Rules,
) -> None:
    """Applying is idempotent: the second plan over the written item is empty."""
    planner, desired = Planner(rule), wants(text, tags, policy)
    first = planner.plan(desired, observe(seen, seen_tags), {})
    second = planner.plan(desired, observe(seen, seen_tags, first), base_of(planner, first))
    assert second.changes == ()


@given(names, names, names, rules)
def test_merge_never_loses_somebody_elses_name(
    first_tags: tuple[str, ...],
    later_tags: tuple[str, ...],
    theirs: tuple[str, ...],
    rule: Rules,
) -> None:
    """Whatever Stash says first and later, names that were in Plex before stay there."""
    planner = Planner(rule)
    first = planner.plan(wants("", first_tags, Policy.MERGE), observe("", theirs), {})
    after_first = observe("", theirs, first)
    base = base_of(planner, first)
    later = planner.plan(wants("", later_tags, Policy.MERGE), after_first, base)
    final = dict(after_first.values)
    final.update({change.target: change.after for change in later.changes})
    left = {tag_key(name) for name in final[PlexField.GENRES]}
    assert {tag_key(name) for name in theirs} <= left
    assert {tag_key(name) for name in later_tags} <= left
    if later_tags or rule.empty is not EmptyPolicy.KEEP:
        assert left <= {tag_key(name) for name in (*theirs, *later_tags)}


@given(texts, texts, texts)
def test_keep_never_overwrites_a_locked_stranger(text: str, seen: str, hand: str) -> None:
    """After our write, a person's locked edit stays whatever Stash says next."""
    planner, desired = Planner(Rules()), wants(text, (), Policy.KEEP)
    base = base_of(planner, planner.plan(desired, observe(seen, ()), {}))
    edited = ItemDetail(
        item=ITEM,
        values={PlexField.TITLE: hand, PlexField.GENRES: ()},
        locked=frozenset({PlexField.TITLE}),
    )
    later = planner.plan(wants(text + "!", (), Policy.KEEP), edited, base)
    ours = planner.plan(desired, edited, base).kept == ()
    assert ours or later.changes == ()


values: dict[PlexField, st.SearchStrategy[Value]] = {
    target: names if target in LIST_FIELDS else texts
    for target in (PlexField.TITLE, PlexField.SORT_TITLE, PlexField.SUMMARY, PlexField.GENRES)
}
details = st.builds(
    ItemDetail,
    item=st.just(ITEM),
    values=st.fixed_dictionaries({}, optional=values),
    locked=st.frozensets(st.sampled_from([*values, PlexField.POSTER])),
)


@st.composite
def changes(draw: st.DrawFn, *, most: int = 3) -> tuple[Change, ...]:
    """Changes of some fields, each of another one."""
    targets = draw(st.lists(st.sampled_from([*values]), unique=True, max_size=most))
    return tuple(
        Change(
            field=target.value,
            target=target,
            before=draw(values[target]),
            after=draw(values[target]),
            policy=draw(policies),
        )
        for target in targets
    )


@given(changes(), details)
def test_what_is_stored_to_the_letter_is_shown(
    meant: tuple[Change, ...], detail: ItemDetail
) -> None:
    """The early answer is the one that comparing field by field gives."""
    planner = Planner(Rules())
    for change in meant:
        held = ItemDetail(
            item=ITEM,
            values={**detail.values, change.target: change.after},
            locked=detail.locked,
        )
        assert planner.shows(held, change)
        assert planner.shows_just(held, change)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[tuple[Desired, ...], ItemDetail]:
    """An item, and what a scene wants of it: of most fields just what they show."""
    detail = draw(details)
    targets = draw(st.lists(st.sampled_from([*values]), unique=True))
    shown = {target: detail.values.get(target, ()) for target in targets}
    same = {
        target: st.permutations(value).map(tuple) | st.sampled_from([value[1:], (*value, "new")])
        if isinstance(value, tuple)
        else st.just(value)
        for target, value in shown.items()
    }
    return tuple(
        Desired(
            field=target.value,
            target=target,
            value=draw(same[target] | values[target] if shown[target] else values[target]),
            policy=draw(policies),
        )
        for target in targets
    ), detail


@given(wishes(), wishes(), rules, st.booleans())
def test_what_shows_all_that_is_wanted_is_decided_as_field_by_field(
    wish: tuple[tuple[Desired, ...], ItemDetail],
    earlier: tuple[tuple[Desired, ...], ItemDetail],
    rule: Rules,
    agrees: bool,
) -> None:
    """The early answer is the one that comparing every field gives, and no name differs then."""
    (desired, detail), planner = wish, Planner(rule, agrees=agrees)
    last = Planner(rule).plan(earlier[0] or desired, earlier[1], {})
    for base in ({}, base_of(planner, last)):
        planned = planner.plan(desired, detail, base)
        # A field of no interest that is held back has all others compared one by one.
        assert planned == planner.plan(desired, detail, base, {PlexField.MEMBERS: ""})
        if planned is AS_WANTED:
            spelled = planner.equality.respelled
            pairs = [(one.value, detail.values.get(one.target, "")) for one in desired]
            assert not any(spelled(wanted, shown) for wanted, shown in pairs)


URL = "http://plex.test:32400"
PLEX = Transport(URL, name="Plex", headers={}, secrets=())
LOOK = Freshness(Reader(ports_on(PlexClient(PLEX, url=URL), PLEX)), Planner(Rules()), lambda: 0.0)
"""Asks no server: what it compares was read."""


@given(changes(), details, details)
def test_others_changes_are_seen_whichever_way_they_are_looked_for(
    meant: tuple[Change, ...], first: ItemDetail, now: ItemDetail
) -> None:
    """The look at all fields at once agrees with that at each, which an empty field forces."""
    decision = Decision(plan=make_plan(changes=meant))
    pair = Pair(scene=Scene(scene_id=SceneId("42"), updated_at=""), link=LINK)
    work = WorkItem(pair=pair, decide=lambda _: decision, paths=())
    ready = Ready(item=work, decision=decision, detail=first, read_at=0.0)
    edit = Write(ready=ready, plan=decision.plan, first=first, read_at=0.0)
    stored = {change.target: change.after for change in meant}
    for held in ({**first.values, **stored}, now.values):
        for locked in (first.locked | stored.keys(), now.locked):
            alike = ItemDetail(item=ITEM, values=held, locked=locked)
            odd = replace(alike, values={**held, PlexField.TAGLINE: ""})
            assert LOOK.changed_by_others(edit, alike) == LOOK.changed_by_others(edit, odd)
