"""Laws of the planner over arbitrary texts, names, policies and histories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plexsync.models import (
    Base,
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
from plexsync.planning.planner import Planned, Planner
from plexsync.text.normalize import tag_key

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
