"""What a review finds out without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.matcher import match
from plexsync.models import Confidence, Match, PathRule, Scene, SceneId
from plexsync.output.console import Invocation
from plexsync.output.streams import Shape
from plexsync.plex.index import IndexLoader
from plexsync.review.context import open_review
from plexsync.simulators.library.records import PlexMedia, PlexPart, PlexVideo
from plexsync.state import Waiting
from tests.support.factories import make_scene, make_scene_file
from tests.support.plex_bench import make_library, make_video, plex_bench
from tests.support.state_factories import NOW

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOBODY = "http://127.0.0.1:9"
RULE = PathRule(stash="/data/a/", plex="/media/x/")
OTHER_RULE = PathRule(stash="/else/", plex="/where/")


def _video(number: int, place: str) -> PlexVideo:
    """A movie that Plex has not analysed yet, in a folder of its own."""
    file = f"/media/{place}/video.mp4"
    part = PlexPart(id=number, file=file, size=700_000_000, duration_ms=None)
    return make_video(number, rating_key=number, title="video", media=(PlexMedia(1, (part,)),))


def _nothing_found(scene: Scene) -> Match:
    return Match(scene_id=scene.scene_id, confidence=Confidence.LOW, reason="")


def test_what_a_path_rule_settles_is_what_matching_makes_high(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two files with one name a rule tells which is which; without it both are LOW."""
    scenes = [
        make_scene(
            scene_id=SceneId(str(number)),
            title="",
            files=(make_scene_file(path=f"/data/{place}/video.mp4", duration_s=None),),
        )
        for number, place in enumerate("ab", start=1)
    ]
    with plex_bench(make_library(0, 0, _video(9001, "x"), _video(9002, "y"))) as bench:
        loader = IndexLoader(
            client=bench.client, cache_dir=tmp_path / "cache", machine="m", now=NOW
        )
        items = loader.load(bench.client.sections(())).items
    environ = {
        "PLEXSYNC_STASH__URL": NOBODY,
        "PLEXSYNC_PLEX__URL": NOBODY,
        "PLEXSYNC_PLEX__TOKEN": "token",
        "PLEXSYNC_STATE_DIR": str(tmp_path / "state"),
        "CACHE_DIRECTORY": str(tmp_path / "cache"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with open_review(Invocation(shape=Shape())) as context:
        waiting = [Waiting(scene=one, match=_nothing_found(one)) for one in scenes]
        assert context.servers.settled(OTHER_RULE, waiting) == frozenset()
        settled = context.servers.settled(RULE, waiting)
    found = match(scenes, items, rules=(RULE,))
    assert settled == {one.scene_id for one in found if one.confidence is Confidence.HIGH}
    assert "1" in settled
