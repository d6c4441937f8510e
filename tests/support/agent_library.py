"""A library an agent matched: its items name their scenes in their GUIDs, and no path rule fits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plexsync.simulators.library.cases import Case
from plexsync.simulators.library.pairs import Library, LibrarySpec, make_library

if TYPE_CHECKING:
    from collections.abc import Callable


def agent_library(guid: Callable[[str], str], *, scenes: int, shift: int = 0) -> Library:
    """Items that lie elsewhere under other names; with `shift` the ids have started again.

    Args:
        guid: the GUID of an item, by its scene's id.
        scenes: how many there are.
        shift: by how many ids the GUIDs are off.
    """
    spec = LibrarySpec(seed=5, scenes=scenes, mix={Case.SAME: 1}, extra_items=0.0, edited=0.0)
    made = make_library(spec)
    owners = {key: scene for scene, keys in made.truth.items() for key in keys}
    ids = sorted(made.truth, key=int)
    named = dict(zip(ids, (*ids[shift:], *ids[:shift]), strict=True))
    videos = []
    for video in made.plex.videos:
        media = tuple(
            replace(
                one,
                parts=tuple(
                    replace(part, file=f"/agent/{video.rating_key} {shift}.mp4", oshash=None)
                    for part in one.parts
                ),
            )
            for one in video.media
        )
        videos.append(
            replace(
                video,
                media=media,
                guid=guid(named[owners[str(video.rating_key)]]),
                collections=("Of the Agent",),
                locked=frozenset({"title"}),
            )
        )
    return replace(made, plex=replace(made.plex, videos=tuple(videos)))
