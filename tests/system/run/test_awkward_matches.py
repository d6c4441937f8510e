"""Awkward pairs through the command line: what is LOW says why, stays LOW, and costs no write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome
from plexsync.simulators.library.cases import Case
from plexsync.simulators.library.pairs import Library, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.commands import run_command
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plexsync.simulators.library.records import PlexMedia, PlexVideo, StashFile

SCENES = 32
ROUND = 1_000_000_000


class _Pairs:
    """A library with pairs that can be bent one by one."""

    def __init__(self) -> None:
        spec = LibrarySpec(
            seed=12,
            scenes=SCENES,
            mix={Case.SAME: 30, Case.EPISODE: 1},
            extra_items=0.0,
            edited=0.0,
        )
        self.library: Library = make_library(spec)
        movies = [one for one in self.library.plex.videos if one.kind == "movie"]
        self.keys = [one.rating_key for one in movies]
        self._scenes = {key: scene for scene, (key,) in self.library.truth.items()}

    def scene(self, at: int) -> str:
        """The id of the scene of a movie."""
        return self._scenes[str(self.keys[at])]

    def bend(self, at: int, change: Callable[[PlexMedia], PlexMedia]) -> None:
        """Change what Plex shows of a movie."""
        self.videos(
            lambda one: (
                [replace(one, media=tuple(map(change, one.media)))]
                if one.rating_key == self.keys[at]
                else [one]
            )
        )

    def videos(self, change: Callable[[PlexVideo], list[PlexVideo]]) -> None:
        """Put other items in the place of each."""
        plex = self.library.plex
        found = tuple(new for one in plex.videos for new in change(one))
        self.library = replace(self.library, plex=replace(plex, videos=found))

    def rename(self, at: int, name: str, size: int | None = None) -> None:
        """Give the file of a scene another name in Stash, and another size."""
        stash = self.library.stash
        scene = next(one for one in stash.scenes if str(one.id) == self.scene(at))

        def renamed(file: StashFile) -> StashFile:
            return replace(file, basename=name, size=size or file.size)

        files = tuple(renamed(one) if one.id in scene.file_ids else one for one in stash.files)
        self.library = replace(self.library, stash=replace(stash, files=files))

    def merge(self, at: int, other: int) -> None:
        """Let Plex take two videos for two versions of one; it has one content hash of the two."""
        extra = next(one for one in self.library.plex.videos if one.rating_key == self.keys[other])
        self.videos(
            lambda one: (
                []
                if one is extra
                else [replace(one, media=(*one.media, *map(_hashless, extra.media)))]
                if one.rating_key == self.keys[at]
                else [one]
            )
        )


def _part(**changes: object) -> Callable[[PlexMedia], PlexMedia]:
    """Return what changes the part of a medium."""

    def change(media: PlexMedia) -> PlexMedia:
        part = replace(media.parts[0], **changes)  # type: ignore[arg-type] # keywords are a part's own
        return replace(media, parts=(part,), duration_ms=part.duration_ms)

    return change


_hashless = _part(oshash=None)
LOWS = range(5)


@pytest.fixture
def pairs() -> _Pairs:
    """Five pairs that must be LOW, three that must be HIGH all the same, and a double episode."""
    made = _Pairs()
    # 0: a generic name of round size in a foreign folder, as long, and without a content hash.
    made.rename(0, "video.mp4", ROUND)
    made.bend(0, _part(file="/elsewhere/x/video.mp4", size=ROUND, oshash=None))
    # 1, 2: two videos in one item.
    made.merge(1, 2)
    # 3: replaced in place by another length; 4: as 0 but for the name, which two files have.
    made.bend(3, _part(size=77_777_777, duration_ms=61_000))
    made.rename(4, "Beach Day.mp4", ROUND)
    made.rename(5, "Beach Day.mp4")
    made.bend(4, _part(file="/elsewhere/y/Beach Day.mp4", size=ROUND, oshash=None))
    made.bend(5, _in_place("Beach Day.mp4"))
    # 6: replaced in place, as long as before; 7: only the tag of quality differs.
    made.bend(6, lambda media: _part(size=(media.parts[0].size or 0) + 4097, oshash=None)(media))
    made.rename(7, "Harbour Lights 720p.mp4")
    made.bend(7, _in_place("Harbour Lights 1080p.mp4"))
    # An episode's file is two episodes.
    made.videos(
        lambda one: (
            [one, replace(one, rating_key=one.rating_key + 5000, episode=2)]
            if one.kind == "episode"
            else [one]
        )
    )
    return made


def _in_place(name: str) -> Callable[[PlexMedia], PlexMedia]:
    """Return what gives a file of Plex another name, and no content hash."""

    def change(media: PlexMedia) -> PlexMedia:
        folder = media.parts[0].file.rpartition("/")[0]
        return _part(file=f"{folder}/{name}", oshash=None)(media)

    return change


def test_awkward_pairs_are_low_in_every_run_and_say_why(pairs: _Pairs, tmp_path: Path) -> None:
    """Full, with few scenes due, and again: the same verdicts, no write, facts for each."""
    low = [pairs.scene(at) for at in LOWS]
    with World(pairs.library, tmp_path) as world:
        first = run_command(world).by_scene()
        doubtful = {one: row for one, row in first.items() if row["confidence"] != "HIGH"}
        episode = next(iter(doubtful.keys() - set(low)))
        assert doubtful.keys() == {*low, episode}
        assert "episodes" in doubtful[episode]["reason"]
        for one in (pairs.scene(1), pairs.scene(2)):
            assert "holds two videos" in doubtful[one]["reason"]
        assert all("size" in row["candidates"][0]["facts"] for row in doubtful.values())
        assert (world.run().puts, world.run(RunOptions(full=True)).puts) == (0, 0)
        named = [word for one in doubtful for word in ("--scene", one)]
        again = run_command(world, *named)
        assert {one: row["reason"] for one, row in again.by_scene().items()} == {
            one: row["reason"] for one, row in doubtful.items()
        }
        assert again.writes == 0
        world.settings |= {"MATCH__STRICT_MATCHING": "false", "MATCH__LEAST_LOW": "0.9"}
        bold = world.run(RunOptions(full=True))
        refused = {episode, *(pairs.scene(at) for at in (1, 2, 3))}
        outcomes = {row.outcome for row in bold.rows if row.scene.id in refused}
        assert outcomes == {Outcome.REVIEW}
        assert world.run(RunOptions(full=True)).puts == 0
