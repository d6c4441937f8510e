"""Pairs of libraries, Stash's and Plex's, with the true links between them."""

from __future__ import annotations

from plexsync.simulators.records import (
    Library,
    PlexLibrarySection,
    PlexMedia,
    PlexPart,
    PlexSide,
    PlexVideo,
    StashFile,
    StashFolder,
    StashGroup,
    StashPerformer,
    StashScene,
    StashSide,
    StashStudio,
    StashTag,
)

__all__ = [
    "Library",
    "PlexLibrarySection",
    "PlexMedia",
    "PlexPart",
    "PlexSide",
    "PlexVideo",
    "StashFile",
    "StashFolder",
    "StashGroup",
    "StashPerformer",
    "StashScene",
    "StashSide",
    "StashStudio",
    "StashTag",
]
