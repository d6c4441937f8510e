"""How pictures are called for a person."""

from __future__ import annotations

import pytest

from plexsync.models import SceneId
from plexsync.planning.picture_policy import cover_text


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("42", "cover of scene 42 (1.2 MB), padded"),
        ("3.studio:12", "picture of studio 12 (1.2 MB), padded"),
        ("show:77", "picture of its studio (1.2 MB), padded"),
        ("season:78", "picture of its studio (1.2 MB), padded"),
    ],
)
def test_only_a_scene_has_a_cover(key: str, text: str) -> None:
    """A collection, show or season has the picture of what it is made from."""
    assert cover_text(SceneId(key), 1_200_000, padded=True) == text
