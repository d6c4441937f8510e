"""What accepting would write, found out before it comes to the screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from plexsync.errors import ServerError
from plexsync.models import RatingKey, SceneId
from plexsync.review.ahead import LinkPreview, PreviewLoader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

ONE, KEY, GONE = SceneId("1"), RatingKey("9001"), RatingKey("9002")


class Servers:
    """Both servers, which are away first."""

    def __init__(self) -> None:
        self.away = True
        self.asked = 0

    def compare(self, _id: SceneId, keys: Sequence[RatingKey]) -> Mapping[RatingKey, LinkPreview]:
        """Compare, or fail."""
        self.asked += 1
        if self.away:
            raise ServerError("Plex does not answer")
        return {key: LinkPreview(problem="gone" if key == GONE else "") for key in keys}


def test_what_a_server_owed_while_it_was_away_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not at once, since it is away; later what is known of the pair is what it answers."""
    servers, hours = Servers(), iter(range(3600, 36000, 3600))
    loader = PreviewLoader(servers.compare)
    loader.load((ONE, (KEY, GONE)))
    assert loader.known(ONE)[KEY].problem == "Plex does not answer"
    assert not loader.load((ONE, (KEY,)))
    assert servers.asked == 1
    servers.away, now = False, time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + next(hours))
    assert loader.load((ONE, (KEY, GONE)))
    assert loader.known(ONE)[KEY].problem == ""


def test_what_both_servers_answered_is_not_asked_for_again() -> None:
    """Not even that an item is gone."""
    servers = Servers()
    servers.away = False
    loader = PreviewLoader(servers.compare)
    assert loader.load((ONE, (KEY, GONE)))
    assert not loader.load((ONE, (KEY, GONE)))
    assert servers.asked == 1
