"""What a check-up says of photos nobody could see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.app.checkup.doctor import Severity, check_config
from plexsync.config.loader import load_config

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("photo", "key", "warned"),
    [
        ("{image}", "k", True),
        ("{image}", "", False),
        ("https://pictures.lan/{name}.jpg", "k", False),
        ("", "k", False),
    ],
)
def test_a_stash_that_wants_a_key_serves_no_photos(
    tmp_path: Path,
    photo: str,
    key: str,
    warned: bool,
) -> None:
    """Plex and its apps have none, and must not."""
    environ = {
        "PLEXSYNC_STASH__URL": "http://stash.test",
        "PLEXSYNC_STASH__API_KEY": key,
        "PLEXSYNC_PLEX__URL": "http://plex.test",
        "PLEXSYNC_PLEX__TOKEN": "t",
        "PLEXSYNC_FIELDS__PERFORMERS__PHOTO": photo,
    }
    found = list(check_config(load_config(None, environ, home=tmp_path)))
    warnings = [one for one in found if one.level is Severity.WARN and "photos" in one.message]
    assert bool(warnings) is warned
