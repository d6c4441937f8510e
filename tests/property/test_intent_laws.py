"""Laws of intents: a plan is read as it was packed, whichever version packed it."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.models import (
    Base,
    Change,
    Credit,
    ItemKind,
    ItemPlan,
    PlexField,
    Policy,
    RatingKey,
    SceneId,
    Trace,
    Video,
)
from plexsync.storage.intents import pack_plan, planned_item, unpack_plan, written_item

texts = st.sampled_from(["", "a", "é", "genres", "title"])
values = texts | st.lists(texts, max_size=4).map(tuple)
traces = st.none() | st.builds(
    Trace, base=st.none() | st.builds(Base, digest=texts, entries=texts), held=texts
)
credit = st.dictionaries(texts, st.builds(Credit, role=st.none() | texts), max_size=2)
changes = st.builds(
    Change,
    field=texts.filter(bool),
    target=st.sampled_from(PlexField),
    before=values,
    after=values,
    policy=st.sampled_from(Policy),
    locked_before=st.booleans(),
    locked_after=st.none() | st.booleans(),
    wanted=texts,
    trace_before=traces,
    trace_after=traces,
    credits_before=credit,
    credits_after=credit,
    risked=texts,
)
videos = st.builds(Video, size_bytes=st.none() | st.integers(0, 9))
plans = st.builds(
    ItemPlan,
    scene_id=texts.map(SceneId),
    rating_key=texts.map(RatingKey),
    section_id=texts,
    kind=st.sampled_from(ItemKind),
    path=texts,
    lock=st.booleans(),
    changes=st.lists(changes, max_size=3).map(tuple),
    member_kind=st.none() | st.sampled_from(ItemKind),
    videos=st.lists(videos, max_size=2).map(tuple),
)


@given(plan=plans)
@settings(max_examples=200, deadline=None)
def test_a_plan_is_read_as_it_was_packed(plan: ItemPlan) -> None:
    """Also one that an earlier version wrote, with the names of all it holds."""
    for packed in (pack_plan(plan), msgspec.Raw(msgspec.json.encode(plan))):
        assert unpack_plan(packed) == plan
        assert planned_item(packed) == written_item(plan)


def test_an_intent_says_what_was_and_what_is_to_be() -> None:
    """A person reads it in the journal; what stays of a list is not written twice."""
    change = Change(
        field="tags",
        target=PlexField.GENRES,
        before=("Seen", "Old"),
        after=("Seen", "Night"),
        policy=Policy.MERGE,
        locked_before=True,
    )
    plan = ItemPlan(
        scene_id=SceneId("7"),
        rating_key=RatingKey("90"),
        section_id="1",
        kind=ItemKind.MOVIE,
        path="/m/7.mp4",
        lock=True,
        changes=(change,),
    )
    assert msgspec.json.decode(pack_plan(plan)) == [
        "7",
        "90",
        "1",
        "movie",
        "/m/7.mp4",
        True,
        [["genres", ["Seen", "Old"], [0, "Night"], "merge", "tags", True]],
    ]
