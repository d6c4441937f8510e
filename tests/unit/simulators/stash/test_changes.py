"""What moves which time on the Stash simulator: the table of docs/stash-api.md 4.1."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plexsync.simulators.library.pairs import LibrarySpec, make_library
from plexsync.simulators.library.records import StashScene
from plexsync.simulators.stash.simulator import StashSimulator

if TYPE_CHECKING:
    from collections.abc import Callable

_LIBRARY = make_library(LibrarySpec(scenes=20))
_NOW_TEXT = "2026-11-22T08:30:00Z"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The present."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands still."""
    return Clock()


@pytest.fixture
def stash(clock: Clock) -> StashSimulator:
    """Twenty scenes; scene 1 has tag 1 and 2, performer 1 and 2, studio 5 below 4, group 1."""
    made = StashSimulator(_LIBRARY, clock=clock)
    made.write_silently(
        1, tag_ids=(1, 2), performer_ids=(1, 2), studio_id=5, groups=((1, None),), cover=None
    )
    return made


def _moved(stash: StashSimulator) -> set[int]:
    """The scenes with the present as their time."""
    return {scene.id for scene in stash.scenes if scene.updated_at == _NOW_TEXT}


def _second_file(stash: StashSimulator, scene_id: int) -> int:
    """Give a scene another file without moving its time; the file's id."""
    file = stash.add_file("/data/second.mp4", size=9, duration=9.0, oshash=9)
    stash.write_silently(scene_id, file_ids=(*stash.scene(scene_id).file_ids, file))
    return file


_MOVES: dict[str, tuple[Callable[[StashSimulator], object], set[int]]] = {
    "edit": (lambda s: s.edit_scene(1, title="New"), {1}),
    "edit without a change": (lambda s: s.edit_scene("1"), {1}),
    "bulk edit": (lambda s: s.edit_scenes([1, 2, 3], organized=True), {1, 2, 3}),
    "set cover": (lambda s: s.set_cover(1, b"x"), {1}),
    "generate a cover": (lambda s: s.generate_covers([1]), {1}),
    "generate all covers": (lambda s: s.generate_covers(), set(range(1, 21))),
    "second file of known hash": (lambda s: s.add_to_scene(1, 3), {1}),
    "import": (lambda s: s.write_silently(1, title="Old"), set()),
    "play": (lambda s: s.play(1), set()),
    "assign file": (lambda s: s.assign_file(_second_file(s, 2), 1), set()),
    "delete file": (lambda s: s.delete_file(_second_file(s, 2)), set()),
    "another primary file": (lambda s: s.set_primary(2, _second_file(s, 2)), {2}),
    "move file": (lambda s: s.move_file(1, "/data/new/name.mp4"), set()),
    "rewrite file": (lambda s: s.rewrite_file(1, size=1), set()),
    "rename folder": (lambda s: s.rename_folder("/data", "/mnt"), set()),
    "rename tag": (lambda s: s.edit_tag(1, name="New"), set()),
    "merge tags": (lambda s: s.merge_tags([1], 2), set()),
    "delete tag": (lambda s: s.delete_tag(1), set()),
    "rename performer": (lambda s: s.edit_performer(1, name="New"), set()),
    "merge performers": (lambda s: s.merge_performers([1], 2), set()),
    "delete performer": (lambda s: s.delete_performer(1), set()),
    "rename studio": (lambda s: s.edit_studio(5, name="New"), set()),
    "re-parent studio": (lambda s: s.edit_studio(5, parent_id=None), set()),
    "delete studio": (lambda s: s.delete_studio(5), set()),
    "rename group": (lambda s: s.edit_group(1, name="New"), set()),
    "delete group": (lambda s: s.delete_group(1), set()),
    "delete scene": (lambda s: s.delete_scene(2), set()),
    "merge scenes": (lambda s: s.merge_scenes([2, 3], 1), {1}),
    "full import": (lambda s: s.full_import(), set()),
}


@pytest.mark.parametrize(("change", "moved"), _MOVES.values(), ids=_MOVES.keys())
def test_what_moves_a_scenes_time(
    stash: StashSimulator, change: Callable[[StashSimulator], object], moved: set[int]
) -> None:
    """Only changes of the scene itself, and of its files through Stash, move its time."""
    assert _moved(stash) == set()

    change(stash)

    assert _moved(stash) == moved


def test_times_of_related_rows(stash: StashSimulator) -> None:
    """Edits and performer merges move the row's own time, a tag merge none."""
    stash.edit_tag(3, name="Moved")
    stash.merge_tags([1], 2)
    stash.merge_performers([1], 2)
    stash.edit_studio(4, name="Parent renamed")
    stash.delete_group(2)

    assert [tag.id for tag in stash.tags if tag.updated_at == _NOW_TEXT] == [3]
    assert [row.id for row in stash.performers if row.updated_at == _NOW_TEXT] == [2]
    assert [row.id for row in stash.studios if row.updated_at == _NOW_TEXT] == [4]
    assert [row.id for row in stash.groups if row.updated_at == _NOW_TEXT] == []


def test_times_of_files(stash: StashSimulator) -> None:
    """A moved or rewritten file has a new time; one in a renamed folder has not."""
    stash.move_file(1, "/data/new/name.mp4")
    stash.rewrite_file(2, size=9)
    stash.rename_folder("/data", "/mnt/data")

    assert [file.id for file in stash.files if file.updated_at == _NOW_TEXT] == [1, 2]
    assert stash.paths(1) == ("/mnt/data/new/name.mp4",)
    assert all(not path.startswith("/data/") for s in stash.scenes for path in stash.paths(s.id))


def test_links_follow_merges_and_deletions(stash: StashSimulator) -> None:
    """Merged links are not doubled, deleted ones are gone, scenes keep their other links."""
    stash.merge_tags([1], 2)
    stash.delete_performer(1)
    stash.delete_group(1)
    stash.delete_studio(5)

    scene = stash.scene(1)
    assert scene.tag_ids == (2,)
    assert scene.performer_ids == (2,)
    assert scene.groups == ()
    assert scene.studio_id is None


def test_a_merged_tag_lives_on_as_an_alias(stash: StashSimulator) -> None:
    """Its aliases move along; the destination keeps its own."""
    stash.edit_tag(1, name="Rain", aliases=("Shower",))
    stash.edit_tag(2, aliases=("Wet",))

    stash.merge_tags([1], 2)

    assert stash.tags[2].aliases == ("Rain", "Shower", "Wet")


def test_deleting_a_parent_studio_frees_its_children(stash: StashSimulator) -> None:
    """Children lose their parent and keep their time."""
    before = stash.studios[5]

    stash.delete_studio(4)

    assert before.parent_id == 4
    assert stash.studios[5] == replace(before, parent_id=None)


def test_clean_takes_the_scene_with_its_last_file(stash: StashSimulator) -> None:
    """A lost secondary file moves the scene's time, the last file takes the scene along."""
    other = stash.add_file("/data/x/second.mp4", size=5, duration=6.5, oshash=7)
    stash.write_silently(1, file_ids=(*stash.scene(1).file_ids, other))

    stash.clean_file(other)
    after_first = stash.scene(1)
    stash.clean_file(stash.scene(1).file_ids[0])

    assert after_first.updated_at == _NOW_TEXT
    assert len(after_first.file_ids) == 1
    assert 1 not in stash.scenes


def test_merged_scenes_leave_their_files_to_the_destination(stash: StashSimulator) -> None:
    """Sources are gone, files are all there, the destination's own first."""
    files = [stash.scene(i).file_ids for i in (1, 2, 3)]

    stash.merge_scenes([2, 3], 1)

    assert stash.scene(1).file_ids == sum(files, ())
    assert 2 not in stash.scenes


def test_files_come_by_id_behind_the_primary_one(stash: StashSimulator) -> None:
    """In whatever order they came to the scene."""
    stash.merge_scenes([3, 2], 4)

    answer = stash.query("{ findScene(id: 4) { files { id } } }")

    files = [file["id"] for file in answer["data"]["findScene"]["files"]]
    own, *others = [stash.scene(4).file_ids[0], *sorted(stash.scene(4).file_ids[1:])]
    assert stash.scene(4).file_ids[1:] != tuple(others)
    assert files == [str(one) for one in (own, *others)]


def test_ids_are_not_used_again(stash: StashSimulator) -> None:
    """A new scene gets a higher id than any before it, deleted ones included."""
    stash.delete_scene(20)
    created = stash.create_scene(title="New")
    scanned = stash.scan_in("/data/new/file.mp4", size=1, duration=2.0, oshash=3)

    assert (created, scanned) == (21, 22)
    assert stash.scene(21).updated_at == stash.scene(21).created_at == _NOW_TEXT
    assert stash.paths(22) == ("/data/new/file.mp4",)


def test_full_import_restarts_ids_and_keeps_times(stash: StashSimulator) -> None:
    """The same scenes, with the same tags and studios, all under other ids."""
    stash.set_cover(2, b"cover")

    def shown() -> list[tuple[object, ...]]:
        return sorted(
            (
                scene.title,
                scene.updated_at,
                scene.file_ids,
                sorted(stash.tags[i].name for i in scene.tag_ids),
                sorted(stash.performers[i].name for i in scene.performer_ids),
                stash.studios[scene.studio_id].name if scene.studio_id else "",
                stash.covers.get(scene.id, b""),
            )
            for scene in stash.scenes
        )

    before = shown()

    renamed = stash.full_import()

    assert sorted(renamed.values()) == list(range(1, 21))
    assert any(old != new for old, new in renamed.items())
    assert shown() == before


def test_two_edits_in_a_second_leave_one_time(stash: StashSimulator, clock: Clock) -> None:
    """Times have no fractions; a clock set back makes them go backwards."""
    first = stash.edit_scene(1, title="One").updated_at
    clock.now += timedelta(milliseconds=900)
    second = stash.edit_scene(1, title="Two").updated_at
    clock.now -= timedelta(hours=1)
    third = stash.edit_scene(1, title="Three").updated_at

    assert first == second
    assert third < second


def test_unknown_field_is_refused(stash: StashSimulator) -> None:
    """A typing error in a test must not pass silently."""
    with pytest.raises(TypeError):
        stash.edit_scene(1, titel="Oops")


def test_dump_is_a_value(stash: StashSimulator) -> None:
    """Snapshots compare, and do not change with the server."""
    before = stash.dump()
    stash.create_scene(StashScene(0, "New"))

    assert before != stash.dump()
    assert len(before.scenes) == 20


def test_a_primary_file_is_neither_reassigned_nor_deleted(stash: StashSimulator) -> None:
    """Stash refuses both."""
    primary = stash.scene(2).file_ids[0]
    with pytest.raises(ValueError, match="primary"):
        stash.assign_file(primary, 1)
    with pytest.raises(ValueError, match="primary"):
        stash.delete_file(primary)


def test_the_hierarchy_follows_merges_and_deletions(stash: StashSimulator) -> None:
    """What lay above and below the source does so with the destination; no time moves."""
    low, source, high, target = (stash.add_tag(f"Tag {n}") for n in range(4))
    stash.edit_tag(low, parent_ids=(source, target))
    stash.edit_tag(source, parent_ids=(high, target))
    before = [tag.updated_at for tag in stash.tags if tag.id != source]

    stash.merge_tags([source], target)

    assert stash.tags[low].parent_ids == (target,)
    assert stash.tags[target].parent_ids == (high,)
    assert [tag.updated_at for tag in stash.tags] == before
    stash.delete_tag(high)
    assert stash.tags[target].parent_ids == ()
