"""A scene with a file that is several items: each is linked, written, remembered and undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome, SceneId
from plexsync.simulators.library.cases import Case
from plexsync.simulators.library.pairs import Library, LibrarySpec, make_library
from plexsync.simulators.library.records import PlexLibrarySection, PlexSide, PlexVideo
from plexsync.sync.ports import RunOptions
from tests.support.commands import run_command
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

SCENES = 12
_SECOND, _BACKUP, _AGAIN = 88, 99, 77
_APART = 1_000_000


def _again(video: PlexVideo, section_id: int, folder: tuple[str, str] = ("", "")) -> PlexVideo:
    """The same file as an item of another library, or a copy of it in another folder."""
    offset = _APART * section_id
    media = tuple(
        replace(
            one,
            id=one.id + offset,
            parts=tuple(
                replace(part, id=part.id + offset, file=part.file.replace(*folder, 1))
                for part in one.parts
            ),
        )
        for one in video.media
    )
    return replace(video, rating_key=video.rating_key + offset, section_id=section_id, media=media)


def _library(*, backup: bool = False) -> Library:
    """Every file in two libraries; with `backup` also as a copy on another disk."""
    spec = LibrarySpec(seed=5, scenes=SCENES, mix={Case.SAME: 1}, extra_items=0.0, edited=0.0)
    made = make_library(spec)
    movies = next(one for one in made.plex.sections if one.title == "Scenes")
    second = PlexLibrarySection(_SECOND, "Second", movies.locations, uuid="second")
    kept = PlexLibrarySection(_BACKUP, "Backup", ("/backup",), uuid="backup")
    videos = [*made.plex.videos, *(_again(one, _SECOND) for one in made.plex.videos)]
    if backup:
        videos += [_again(one, _BACKUP, ("/media/", "/backup/")) for one in made.plex.videos]
    sections = (*made.plex.sections, second, kept)
    return replace(made, plex=PlexSide(sections=sections, videos=tuple(videos)))


ONE, BOTH, ALL = "Scenes", "Scenes,Second", "Scenes,Second,Backup"


@pytest.fixture
def library() -> Library:
    """Every file in two libraries."""
    return _library()


def _links(world: World, scene_id: str) -> list[str]:
    record = world.state().get(SceneId(scene_id))
    assert record is not None
    return [link.section_id for link in record.links]


def test_one_file_in_two_libraries_is_written_to_each(library: Library, tmp_path: Path) -> None:
    """One run, twice as many items; the second run writes nothing; an undo takes all back."""
    with World(library, tmp_path, PLEX__LIBRARIES=BOTH) as world:
        before = world.plex.dump()
        world.now = datetime.now(UTC)
        first = run_command(world)
        assert first.count("applied") == 2 * SCENES
        assert {row["confidence"] for row in first.rows} == {"HIGH"}
        assert run_command(world).writes == 0
        assert run_command(world, "--full").writes == 0
        world.stash.edit_scene(3, title="Another Title")
        edited = world.run()
        assert edited.count(Outcome.APPLIED) == 2
        assert world.run().puts == 0
        world.undo()
        world.undo(first.run_id)
        after = world.plex.dump()
        assert {key: one["fields"] for key, one in after.items()} == {
            key: one["fields"] for key, one in before.items()
        }


def test_a_library_added_later_is_linked_and_the_old_ones_are_not_written_again(
    library: Library, tmp_path: Path
) -> None:
    """Each scene gets a further item; what was written stays as it is."""
    with World(library, tmp_path, PLEX__LIBRARIES=ONE) as world:
        assert world.run().count(Outcome.APPLIED) == SCENES
        added = world.run(PLEX__LIBRARIES=BOTH)
        written = [row for row in added.rows if row.outcome is Outcome.APPLIED]
        assert len(written) == SCENES
        assert {row.item.library for row in written if row.item} == {"Second"}
        assert world.run(PLEX__LIBRARIES=BOTH).puts == 0
        assert world.run(RunOptions(full=True), PLEX__LIBRARIES=BOTH).puts == 0


def test_a_library_that_was_made_again_is_written_by_the_run_after_its_scan(
    library: Library, tmp_path: Path
) -> None:
    """It has another id and other items, so nothing of the old links is listed any more."""
    with World(library, tmp_path, PLEX__LIBRARIES=ONE) as world:
        world.run()
        (old,) = [one.id for one in library.plex.sections if one.title == ONE]
        world.plex.remake_library(old, _AGAIN)
        assert world.run().puts == 0
        for video in library.plex.videos:
            if video.section_id == old:
                world.plex.scan_in(replace(video, rating_key=0, section_id=_AGAIN))
        world.plex.set_refreshing(_AGAIN, refreshing=False)
        ran = world.run()
        assert ran.count(Outcome.APPLIED) == SCENES
        assert world.run(RunOptions(full=True)).puts == 0


def test_a_library_in_place_of_another_one_is_written_by_the_next_run(
    library: Library, tmp_path: Path
) -> None:
    """Links to the other one rest, and their scenes get the items that are there now."""
    with World(library, tmp_path, PLEX__LIBRARIES=ONE) as world:
        world.run()
        ran = world.run(PLEX__LIBRARIES="Second")
        assert ran.count(Outcome.APPLIED) == SCENES
        assert sorted(_links(world, "3")) == ["1", str(_SECOND)]


def test_links_to_a_library_that_is_left_out_rest_unharmed(
    library: Library, tmp_path: Path
) -> None:
    """They are not moved, forgotten or written, and stand again when the library comes back."""
    with World(library, tmp_path, PLEX__LIBRARIES=BOTH) as world:
        world.run()
        kept = sorted(_links(world, "3"))
        assert len(kept) == 2
        assert world.run(RunOptions(full=True, force=True), PLEX__LIBRARIES=ONE).puts == 0
        assert sorted(_links(world, "3")) == kept
        world.stash.edit_scene(3, title="Another Title")
        assert world.run(PLEX__LIBRARIES=ONE).count(Outcome.APPLIED) == 1
        assert sorted(_links(world, "3")) == kept
        assert world.run(PLEX__LIBRARIES=BOTH).count(Outcome.APPLIED) == 1
        assert world.run(PLEX__LIBRARIES=BOTH).puts == 0


def test_a_run_over_another_library_adds_its_items(library: Library, tmp_path: Path) -> None:
    """`--library` moves no link to the library it names."""
    with World(library, tmp_path, PLEX__LIBRARIES=ONE) as world:
        world.run()
        first = _links(world, "3")
        options = RunOptions(full=True, force=True, libraries=("Second",))
        world.run(options, PLEX__LIBRARIES=BOTH)
        assert set(first) < set(_links(world, "3"))
        assert world.run(PLEX__LIBRARIES=BOTH).puts == 0


def test_a_file_that_moved_in_stash_keeps_its_item_beside_a_certain_one(
    library: Library, tmp_path: Path
) -> None:
    """Of two files of a scene one has only its content left to tell it by; it is asked for."""
    with World(library, tmp_path, PLEX__LIBRARIES=ONE) as world:
        (moved,) = world.stash.scene(4).file_ids
        world.stash.merge_scenes([4], 3)
        world.run()
        kept = _links(world, "3")
        assert len(kept) == 2
        world.stash.move_file(moved, "/data/sorted/by hand/another name.mp4")
        world.stash.edit_scene(3, title="Another Title")
        assert world.run().count(Outcome.APPLIED) == 2
        assert _links(world, "3") == kept
        assert world.run(RunOptions(full=True)).puts == 0


def test_a_copy_on_another_disk_is_written_as_well(tmp_path: Path) -> None:
    """A library also on a backup disk; without a rule, and by the content hash."""
    with World(_library(backup=True), tmp_path, PLEX__LIBRARIES=ALL) as world:
        assert run_command(world).count("applied") == 3 * SCENES
        assert run_command(world).writes == 0


def test_copies_are_left_alone_if_configured(tmp_path: Path) -> None:
    """The file at the mapped path is written, the backup is not."""
    settings = {"PLEX__LIBRARIES": ALL, "MATCH__COPIES": "skip", "PATHS": "/data/=/media/"}
    with World(_library(backup=True), tmp_path, **settings) as world:
        written = [row for row in world.run().rows if row.outcome is Outcome.APPLIED]
        assert len(written) == 2 * SCENES
        assert "Backup" not in {row.item.library for row in written if row.item}
        assert world.run().puts == 0
