"""Laws of edits: one item, nothing added and removed at once, right on every kind of server."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.models import (
    COLLECTION_FIELDS,
    LIST_FIELDS,
    Change,
    ItemPlan,
    PlexField,
    Policy,
    Value,
)
from plexsync.plex.edit_query import SHORTEST_BYTES, PlanEdits, cleaned, edit_paths
from plexsync.sync.execution.sender import group_by_edit
from plexsync.text.normalize import tag_key
from tests.support.factories import make_plan
from tests.support.strategies import texts

NAMES = st.one_of(st.sampled_from(("A", "a", "b", "B ", "C, d", "100%", "%2C", "ß", "SS")), texts())
LISTS = st.lists(NAMES, max_size=5).map(tuple)


EDITED = frozenset(PlexField) - COLLECTION_FIELDS - {PlexField.RATING}
"""What goes to the address of an item."""


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """A change of any field but the rating, which is no part of an edit; with awkward values."""
    target = draw(st.sampled_from(sorted(EDITED)))
    values: st.SearchStrategy[Value] = LISTS if target in LIST_FIELDS else texts()
    return Change(
        field=target.value,
        target=target,
        before=draw(values),
        after=draw(values),
        policy=Policy.OVERWRITE,
    )


def plans() -> st.SearchStrategy[ItemPlan]:
    """Plans with any number of changes, each of another field."""
    found = st.lists(changes(), max_size=6, unique_by=lambda change: change.target)
    return st.builds(
        lambda chosen, lock: make_plan(changes=tuple(chosen), lock=lock), found, st.booleans()
    )


def after_edit(before: tuple[str, ...], query: list[tuple[str, str]], *, replace: bool) -> set[str]:
    """What a server makes of the tags of an item: it adds or replaces, removal first."""
    removed = [
        unquote(part) for name, value in query if name.endswith("-") for part in value.split(",")
    ]
    added = [value for name, value in query if name.endswith(".tag.tag")]
    worn = () if replace and added else before
    gone = {tag_key(name) for name in removed}
    return {tag_key(name) for name in worn if tag_key(name) not in gone} | {
        tag_key(name) for name in added
    }


def queries_of(paths: tuple[str, ...]) -> list[list[tuple[str, str]]]:
    """The arguments of each request."""
    return [parse_qsl(urlsplit(path).query, keep_blank_values=True) for path in paths]


@given(plans(), st.integers(0, 3000))
@settings(max_examples=80)
def test_every_request_names_one_item_and_nothing_is_lost(plan: ItemPlan, limit: int) -> None:
    """However the fields are spread over requests."""
    paths = edit_paths(plan, limit_bytes=limit)

    queries = queries_of(paths)
    assert all(query[:2] == [("type", "1"), ("id", "9120")] for query in queries)
    unlimited = queries_of(edit_paths(plan, limit_bytes=10**9))
    assert len(unlimited) <= 1
    sent, wanted = ([pair for query in some for pair in query[2:]] for some in (queries, unlimited))
    assert sent == wanted
    assert all(path.isascii() and path.isprintable() and " " not in path for path in paths)


@given(st.sampled_from(sorted(LIST_FIELDS & EDITED)), LISTS, LISTS, st.booleans())
@settings(max_examples=150)
def test_a_list_ends_as_wanted(
    target: PlexField,
    before: tuple[str, ...],
    after: tuple[str, ...],
    replace: bool,
) -> None:
    """On a server that appends and on one that replaces, whatever the names hold."""
    storable = tuple(name for name in before if name.strip() and name == cleaned(name))
    change = Change(field="x", target=target, before=storable, after=after, policy=Policy.OVERWRITE)
    (path, *more) = edit_paths(make_plan(changes=(change,)))

    query = parse_qsl(urlsplit(path).query, keep_blank_values=True)
    wanted = {" ".join(cleaned(name).splitlines()).replace("\t", " ").strip() for name in after}
    assert not more
    assert after_edit(storable, query, replace=replace) == {
        tag_key(name) for name in wanted if name
    }


LONG_LISTS = st.lists(
    st.text("aé漢,% \"'", min_size=1, max_size=30).filter(str.strip).map(str.strip),
    max_size=60,
    unique_by=tag_key,
).map(tuple)


@given(LONG_LISTS, LONG_LISTS, st.integers(0, 4_000))
@settings(max_examples=60)
def test_a_list_in_pieces_ends_as_wanted(
    before: tuple[str, ...], after: tuple[str, ...], limit: int
) -> None:
    """However many requests it takes; and between two of them no name is missing that stays."""
    change = Change(
        field="x", target=PlexField.GENRES, before=before, after=after, policy=Policy.OVERWRITE
    )
    paths = edit_paths(make_plan(changes=(change,)), limit_bytes=limit)

    assert all(len(path) <= max(limit, SHORTEST_BYTES) for path in paths)
    holds = {tag_key(name) for name in before}
    stays = holds & {tag_key(name) for name in after}
    for path in paths:
        query = parse_qsl(urlsplit(path).query, keep_blank_values=True)
        assert dict(query)["id"] == "9120"
        holds = after_edit(tuple(holds), query, replace=False)
        assert stays <= holds
    assert holds == {tag_key(name) for name in after}


@given(changes())
@settings(max_examples=80)
def test_no_tag_is_added_and_removed_at_once(change: Change) -> None:
    """Of which nobody knows what Plex makes."""
    queries = queries_of(edit_paths(make_plan(changes=(change,)), limit_bytes=10**9))

    sent = [pair for query in queries for pair in query]
    added = {tag_key(value) for name, value in sent if name.endswith(".tag.tag")}
    removed = {
        tag_key(unquote(part))
        for name, value in sent
        if name.endswith("-")
        for part in value.split(",")
    }
    assert not added & removed


@given(texts())
@settings(max_examples=80)
def test_cleaning_is_idempotent_and_leaves_what_can_be_stored(text: str) -> None:
    """No control character but line feed and tab, no half of a pair."""
    clean = cleaned(text)

    assert cleaned(clean) == clean
    clean.encode()
    assert all(
        character.isprintable() or ord(character) >= 0xA0 or character in "\n\t"
        for character in clean
    )


@st.composite
def families(draw: st.DrawFn) -> list[ItemPlan]:
    """Items with tags of their own, to all of which similar things happen."""
    few = st.lists(st.sampled_from(("a", "B", "b", "c, d", "É", "é", "x")), max_size=3).map(tuple)
    plans = []
    for number in range(1, draw(st.integers(2, 8))):
        before, after = draw(few), draw(few)
        made = Change(
            field="tags",
            target=PlexField.GENRES,
            before=before,
            after=after,
            policy=Policy.OVERWRITE,
        )
        plans.append(make_plan(rating_key=str(number), changes=(made,)))
    return plans


class Planned(NamedTuple):
    """Something with a plan."""

    plan: ItemPlan

    @property
    def edits(self) -> PlanEdits:
        """What it comes to."""
        return PlanEdits(self.plan)


@given(families(), st.booleans())
@settings(max_examples=80)
def test_items_edited_together_end_as_each_alone(
    plans: list[ItemPlan],
    appends: bool,
) -> None:
    """With whole lists on any server, with what is new alone on one that appends."""
    appended = LIST_FIELDS if appends else frozenset()
    edits = group_by_edit(map(Planned, plans), appended=appended)
    groups = [[edit.plan for edit in group] for group in edits]
    assert sorted(plan.rating_key for group in groups for plan in group) == sorted(
        plan.rating_key for plan in plans
    )
    for group in groups:
        others = [plan.rating_key for plan in group[1:]]
        (path,) = edit_paths(group[0], others=others, appended=appended)
        query = parse_qsl(urlsplit(path).query, keep_blank_values=True)
        assert dict(query)["id"].split(",") == [plan.rating_key for plan in group]
        for plan in group:
            (made,) = plan.changes
            before, after = made.before, made.after
            assert isinstance(before, tuple)
            ends = after_edit(before, query, replace=not appends)
            assert ends == {tag_key(name) for name in after}
