"""What a review finds out without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.matcher import match
from plexsync.models import Confidence, PathRule, RatingKey, SceneId
from plexsync.output.console import Invocation
from plexsync.output.streams import Shape
from plexsync.review.context import open_review
from tests.support.factories import make_item, make_plex_file, make_scene, make_scene_file

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOBODY = "http://127.0.0.1:9"
RULE = PathRule(stash="/data/a/", plex="/media/x/")


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
    items = [
        make_item(
            rating_key=RatingKey(str(number)),
            title="video",
            files=(make_plex_file(path=f"/media/{place}/video.mp4", duration_s=None),),
        )
        for number, place in enumerate("xy", start=9001)
    ]
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
        state, ask = context.answers.state, context.servers.settled
        assert ask(scenes, items, state, rules=()) == frozenset()
        settled = ask(scenes, items, state, rules=(RULE,))
    found = match(scenes, items, rules=(RULE,))
    assert settled == {one.scene_id for one in found if one.confidence is Confidence.HIGH}
    assert "1" in settled
