"""A waiting scene is matched again after each change in Plex that gives it another match."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.matcher import match
from plexsync.models import (
    Confidence,
    ItemKind,
    Match,
    PathRule,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)
from plexsync.state import Waiting
from plexsync.sync.detection.plex_changes import changed_items, concerned

RULES = (PathRule(stash="/data/", plex="/media/"),)
SIZES = st.sampled_from((None, -1, 1_000_003, 2_000_003, 3_000_017))
LENGTHS = st.sampled_from((None, 60.0, 60.4, 300.0))
PATHS = st.builds(
    "{}{}{}".format,
    st.sampled_from(("", "a/", "a/b/", "c/")),
    st.sampled_from(("lake", "Lake", "forest", "forest trip", "video", "lake 2", "Forest Trips")),
    st.sampled_from((".mp4", ".mkv")),
)
TITLES = st.sampled_from(("", "Lake", "Forest Trip", "Forest Trips", "Lake 2", "Lake trailer"))

scene_files = st.builds(
    SceneFile, path=PATHS.map("/data/{}".format), size_bytes=SIZES, duration_s=LENGTHS
)
item_files = st.builds(
    PlexFile, path=PATHS.map("/media/{}".format), size_bytes=SIZES, duration_s=LENGTHS
)


def scene(number: int, title: str, files: list[SceneFile]) -> Scene:
    """A scene of that id."""
    return Scene(scene_id=SceneId(str(number)), updated_at="v", title=title, files=tuple(files))


def item(number: int, title: str, files: list[PlexFile], *, trashed: bool) -> PlexItem:
    """An item of that rating key."""
    return PlexItem(
        rating_key=RatingKey(str(number)),
        section_id="1",
        kind=ItemKind.MOVIE,
        title=title,
        files=tuple(files),
        trashed=trashed,
    )


@st.composite
def scene_lists(draw: st.DrawFn) -> list[Scene]:
    """A few scenes that compete."""
    few = draw(st.lists(st.tuples(TITLES, st.lists(scene_files, max_size=2)), max_size=4))
    return [scene(number, *values) for number, values in enumerate(few, 1)]


@st.composite
def item_lists(draw: st.DrawFn) -> list[PlexItem]:
    """A few items, with numbers that two lists have in common."""
    values = st.tuples(TITLES, st.lists(item_files, min_size=1, max_size=2), st.booleans())
    few = draw(st.dictionaries(st.integers(1, 6), values, max_size=5))
    return [
        item(number, title, files, trashed=trashed and number % 2 == 0)
        for number, (title, files, trashed) in few.items()
    ]


def shown_of(matches: list[Match]) -> dict[SceneId, object]:
    """What matters of the decisions: the items a scene goes to, or may go to, and how surely."""
    found: dict[SceneId, list[object]] = {}
    for one in matches:
        keys = sorted(candidate.rating_key for candidate in one.candidates)
        found.setdefault(one.scene_id, []).append((one.confidence, keys))
    return {scene_id: sorted(decisions, key=repr) for scene_id, decisions in found.items()}


def waiting_scenes(scenes: list[Scene], matches: list[Match]) -> list[Waiting]:
    """The scenes that wait after a run found this."""
    certain = {one.scene_id for one in matches if one.confidence is Confidence.HIGH}
    last = {one.scene_id: one for one in matches}
    return [
        Waiting(scene=one, match=last[one.scene_id])
        for one in scenes
        if one.scene_id not in certain
    ]


@settings(max_examples=400, deadline=None)
@given(scenes=scene_lists(), before=item_lists(), now=item_lists())
def test_a_scene_that_would_get_another_match_is_due(
    scenes: list[Scene], before: list[PlexItem], now: list[PlexItem]
) -> None:
    """Alone, or among all who wait: another item, another candidate, or more or less certainty."""
    then = match(scenes, before, rules=RULES)
    claims = {
        one.candidates[0].rating_key: one.scene_id
        for one in then
        if one.confidence is Confidence.HIGH
    }
    found = waiting_scenes(scenes, then)
    woken = concerned(found, changed_items(before, now, frozenset), RULES)

    def decide(who: list[Scene], items: list[PlexItem]) -> dict[SceneId, object]:
        return shown_of(match(who, items, rules=RULES, claims=claims))

    waiting = [one.scene for one in found]
    was, is_ = decide(waiting, before), decide(waiting, now)
    assert {scene_id for scene_id in was if was[scene_id] != is_[scene_id]} <= woken
    for one in waiting:
        if one.scene_id not in woken:
            assert decide([one], before) == decide([one], now)


@given(scenes=scene_lists(), items=item_lists())
def test_what_reads_the_same_wakes_nobody(scenes: list[Scene], items: list[PlexItem]) -> None:
    """In whatever order it comes."""
    changed = changed_items(items, reversed(items), frozenset)
    assert (
        concerned(waiting_scenes(scenes, match(scenes, items, rules=RULES)), changed, RULES)
        == set()
    )


def test_those_with_nothing_in_common_sleep_on() -> None:
    """A name, a size or a title nearly like its own wakes a scene, and nothing else does."""
    here = [
        scene(1, "", [SceneFile(path="/data/a/lake.mp4", size_bytes=1)]),
        scene(2, "", [SceneFile(path="/data/a/forest.mp4", size_bytes=2)]),
        scene(3, "Forest Trips", [SceneFile(path="/data/a/x1.mp4", size_bytes=3)]),
        scene(4, "Sea", [SceneFile(path="/data/a/x2.mp4", size_bytes=4)]),
    ]
    came = [
        item(1, "", [PlexFile(path="/media/z/Lake.mkv", size_bytes=9)], trashed=False),
        item(2, "", [PlexFile(path="/media/z/y.mkv", size_bytes=2)], trashed=False),
        item(3, "Forest Trip", [PlexFile(path="/media/z/z.mkv")], trashed=False),
    ]
    matches = match(here, [], rules=RULES)
    assert concerned(waiting_scenes(here, matches), changed_items([], came, frozenset), RULES) == {
        "1",
        "2",
        "3",
    }


def test_whoever_competes_with_one_that_wakes_is_woken_too() -> None:
    """An item came for the second scene alone; and so the first one's claim has no rival left."""
    here = [
        scene(1, "", [SceneFile(path="/media/q/lake.mp4")]),
        scene(2, "", [SceneFile(path="/x/forest.mp4", size_bytes=1_000_003, duration_s=60.0)]),
    ]
    lake = PlexFile(path="/media/q/lake.mp4", size_bytes=1_000_003, duration_s=60.0)
    forest = PlexFile(path="/media/forest.mp4", size_bytes=1_000_003, duration_s=60.0)
    before = [item(1, "", [lake], trashed=False)]
    now = [*before, item(2, "", [forest], trashed=False)]
    then = match(here, before, rules=RULES)
    assert {one.confidence for one in then} == {Confidence.LOW}
    assert {one.confidence for one in match(here, now, rules=RULES)} == {Confidence.HIGH}
    changed = changed_items(before, now, frozenset)
    assert concerned(waiting_scenes(here, then), changed, RULES) == {"1", "2"}


def test_titles_plexsync_wrote_wake_nobody() -> None:
    """An item that is linked gets the titles of its scene, and no other scene gets the item."""
    old = item(1, "lake", [PlexFile(path="/media/lake.mp4")], trashed=False)
    new = item(1, "Lake", [PlexFile(path="/media/lake.mp4")], trashed=False)
    assert changed_items([old], [new], lambda: {RatingKey("1")}) == []
    assert changed_items([old], [new], frozenset) == [old, new]
