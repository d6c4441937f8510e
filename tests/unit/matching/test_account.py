"""The account of a decision: it adds up, names what is missing and what would help."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Unpack

import pytest

from plexsync.matcher import AnsweredPair, MatchSettings, account, account_of_item, match
from plexsync.models import PathRule, RatingKey, SceneId
from tests.support.factories import make_item, make_plex_file, make_scene, make_scene_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.matcher import Account, Known, Standing
    from plexsync.models import PlexItem, Scene

SIZE = 1_155_219_457
RULES = (PathRule(stash="/data/", plex="/media/"),)


def scene(path: str, number: str = "1", **facts: object) -> Scene:
    """A scene with one file."""
    file = make_scene_file(path=path, **({"size_bytes": SIZE} | facts))
    return make_scene(scene_id=SceneId(number), files=(file,))


def item(path: str, key: str = "9", **facts: object) -> PlexItem:
    """An item with one file."""
    file = make_plex_file(path=path, **({"size_bytes": SIZE} | facts))
    return make_item(rating_key=RatingKey(key), files=(file,))


def account_now(ours: Scene, items: Sequence[PlexItem], **known: Unpack[Known]) -> Account:
    """The account of a scene that was just matched."""
    return account(ours, items, match([ours], items, **known), **known)


COPIES = [item("/media/a/beach day.mp4", "8"), item("/backup/a/beach day.mp4", "9")]

CASES = {
    "certain": ([item("/media/a/beach day.mp4")], RULES),
    "two copies": (COPIES, ()),
    "renamed": ([item("/media/a/strand.mp4")], ()),
    "re-encoded": ([item("/media/a/beach day.mp4", size_bytes=5_000_001)], ()),
    "title only": ([make_item(title="Beach Day", files=())], ()),
    "generic, titled": ([item("/media/b/video.mp4", "8"), item("/media/c/video.mp4")], ()),
}


@pytest.mark.parametrize(("items", "rules"), CASES.values(), ids=CASES)
def test_waterfall_adds_up_to_the_score(items: list[PlexItem], rules: tuple[PathRule, ...]) -> None:
    """The weights of a candidate sum to the log2 odds of its score."""
    name = "video" if "video" in str(items) else "beach day"
    found = account_now(scene(f"/data/a/{name}.mp4"), items, rules=rules)
    assert found.standings
    for standing in found.standings:
        bits = math.fsum(one.weight for one in standing.candidate.evidence)
        assert 1 / (1 + 2**-bits) == pytest.approx(standing.candidate.score, abs=1e-12)


@pytest.mark.parametrize(("items", "rules"), CASES.values(), ids=CASES)
def test_account_shows_the_scores_of_the_match(
    items: list[PlexItem], rules: tuple[PathRule, ...]
) -> None:
    """What explains a decision is what decided."""
    name = "video" if "video" in str(items) else "beach day"
    ours = scene(f"/data/a/{name}.mp4")
    found = account_now(ours, items, rules=rules)
    scores = {one.candidate.rating_key: one.candidate.score for one in found.standings}
    for candidate in found.matches[0].candidates:
        assert scores[candidate.rating_key] == pytest.approx(candidate.score, abs=1e-12)


def test_rivals_are_named_the_strongest_first() -> None:
    """What stands in the way is an item or a scene with a name a person can look up."""
    twin = make_scene(
        scene_id=SceneId("2"),
        title="The Twin",
        files=(make_scene_file(path="/data/0/beach day.mp4", size_bytes=SIZE),),
    )
    items = [
        make_item(
            rating_key=RatingKey(f"90{one}"),
            title=f"Copy {one}",
            files=(make_plex_file(path=f"/media/{one}/beach day.mp4", size_bytes=SIZE),),
        )
        for one in range(5)
    ]
    found = account_now(scene("/data/0/beach day.mp4"), items, others=[twin], settings=SKIP)
    evidence = found.standings[0].candidate.evidence
    named = next(one.value for one in evidence if one.name == "rivals")
    assert named == "scene 2 (The Twin), item 901 (Copy 1), item 902 (Copy 2), 2 more"


SKIP = MatchSettings(write_copies=False)


def _standing(*items: PlexItem, name: str = "beach day.mp4") -> Standing:
    return account_now(scene(f"/data/a/{name}"), items, settings=SKIP).standings[0]


@pytest.mark.parametrize(
    ("theirs", "obstacle", "help_"),
    [
        (COPIES, "2 items fit", "a path rule /data/ -> /media/"),
        ([item("/media/a/strand.mp4")], "not enough", "an equal content hash"),
        ([item("/media/a/beach day.mp4", size_bytes=7)], "size differs", "a rescan"),
    ],
    ids=["copies", "renamed", "re-encoded"],
)
def test_account_says_what_is_missing_and_what_would_help(
    theirs: list[PlexItem], obstacle: str, help_: str
) -> None:
    """A person learns why a pair is not HIGH and what to do about it."""
    standing = _standing(*theirs)
    assert obstacle in standing.obstacle
    assert any(help_ in one for one in standing.would_raise)
    assert "confirming" in standing.would_raise[-1]


def test_certain_pair_needs_nothing() -> None:
    """A HIGH pair has no obstacle and a grade."""
    standing = _standing(item("/media/a/beach day.mp4"))
    assert standing.obstacle == ""
    assert standing.would_raise == ()
    assert standing.grade == "name and size"


def test_what_would_help_does_help() -> None:
    """A promised path rule really makes the pair HIGH."""
    ours = scene("/data/a/beach day.mp4")
    before = match([ours], COPIES, settings=SKIP)[0]
    after = match([ours], COPIES, rules=RULES, settings=SKIP)[0]
    assert (before.confidence, after.confidence) == ("LOW", "HIGH")


def test_account_names_refused_and_trashed_items() -> None:
    """Items that cannot be candidates are named, so that nobody looks for them in vain."""
    ours = scene("/data/a/beach day.mp4")
    theirs = [
        item("/media/a/beach day.mp4", "8"),
        make_item(
            rating_key=RatingKey("9"),
            files=(make_plex_file(path="/old/beach day.mp4"),),
            trashed=True,
        ),
    ]
    no = AnsweredPair(
        scene_id=ours.scene_id,
        rating_key=RatingKey("8"),
        scene_path=ours.files[0].path,
        item_path="/media/a/beach day.mp4",
        oshash=ours.files[0].oshash,
    )
    found = account_now(ours, theirs, refusals=[no])
    assert (found.refused, found.in_trash) == ((RatingKey("8"),), (RatingKey("9"),))
    assert found.standings == ()


def test_account_of_an_item_shows_every_claimant() -> None:
    """From the item's side, all scenes that could be it are compared."""
    ours = [scene("/data/a/beach day.mp4", "1"), scene("/data/b/beach day.mp4", "2")]
    theirs = [item("/media/c/beach day.mp4")]
    found = account_of_item(RatingKey("9"), ours, theirs, match(ours, theirs))
    assert {one.scene_id for one in found.standings} == {"1", "2"}
    assert all("another scene" in one.obstacle for one in found.standings)


def test_account_of_an_unknown_item_is_empty() -> None:
    """Asking for an item that is not there is answered, not an error."""
    found = account_of_item(RatingKey("404"), [scene("/data/a/x y.mp4")], [], [])
    assert found.standings == ()
    assert found.matches == ()
