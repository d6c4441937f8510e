"""Posters that are kept for an undo: by their checksum, and no longer than the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import PlexField
from plexsync.planning.picture_policy import upload_key
from plexsync.state import DISK
from plexsync.sync.execution.pictures.prepare import DIRECTORY, KeptPictures

if TYPE_CHECKING:
    from pathlib import Path

LOGO, OTHER = b"a logo", b"another logo"


def test_a_picture_is_kept_as_long_as_the_journal_of_its_run(tmp_path: Path) -> None:
    """What is not what its key says is not kept, nor is what no journal names any more."""
    key, other = (upload_key(PlexField.POSTER, body) for body in (LOGO, OTHER))

    first = KeptPictures(tmp_path, "20260101T000000Z-0000", DISK)
    first.keep(key, LOGO)
    first.keep(other, LOGO)
    assert (first.get(key), first.get(other)) == (LOGO, None)
    assert first.get("metadata://posters/agent_1") is None

    later = KeptPictures(tmp_path, "20260102T000000Z-0000", DISK)
    assert later.get(key) == LOGO
    later.keep(other, OTHER)
    assert (later.get(key), later.get(other)) == (None, OTHER)
    assert len(list((tmp_path / DIRECTORY).iterdir())) == 1
