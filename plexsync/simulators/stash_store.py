"""What a simulated Stash remembers, and what each thing a person or a task does moves in it.

Which changes move a scene's `updated_at` and which do not is the point of this module.
Source: docs/stash-api.md 4.1. Ids are taken as numbers or as text.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from plexsync.simulators.records import (
    StashFile,
    StashFolder,
    StashGroup,
    StashPerformer,
    StashScene,
    StashSide,
    StashStudio,
    StashTag,
)
from plexsync.simulators.stash_table import Row, Table, descendants, split, stored_time, within

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

Id = int | str


class StashStore:
    """Tables, a clock and a zone. Every method that changes something is thread-safe.

    Args:
        side: what is there at first.
        clock: gives the present as an aware datetime.
        zone: the server's local zone, in which times are stored; may be changed at any time.
    """

    def __init__(
        self,
        side: StashSide,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo = UTC,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.zone = zone
        self.scenes = Table(side.scenes)
        self.files = Table(side.files)
        self.folders = Table(side.folders)
        self.performers = Table(side.performers)
        self.tags = Table(side.tags)
        self.studios = Table(side.studios)
        self.groups = Table(side.groups)
        self.covers: dict[int, bytes] = {}
        self.poisoned: set[int] = set()
        self._watchers: list[Callable[[Collection[int]], None]] = []

    # -- reading -----------------------------------------------------------------------------------

    def dump(self) -> StashSide:
        """Everything, as a value to compare."""
        with self.lock:
            return StashSide(
                scenes=tuple(self.scenes),
                files=tuple(self.files),
                folders=tuple(self.folders),
                performers=tuple(self.performers),
                tags=tuple(self.tags),
                studios=tuple(self.studios),
                groups=tuple(self.groups),
            )

    def scene(self, scene_id: Id) -> StashScene:
        """One scene as it is now. Raises KeyError when it is gone."""
        return self.scenes[int(scene_id)]

    def path(self, file: StashFile) -> str:
        """Where a file lies."""
        folder = self.folders[file.folder_id]
        return folder.path + folder.separator + file.basename

    def paths(self, scene_id: Id) -> tuple[str, ...]:
        """The paths of a scene's files, the primary one first."""
        return tuple(self.path(self.files[file_id]) for file_id in self.scene(scene_id).file_ids)

    def now_text(self) -> str:
        """The present as it is stored: local wall clock, offset, whole seconds."""
        return stored_time(self.clock(), self.zone)

    def tag_id(self, name: str) -> int:
        """The id of a tag by its name."""
        return next(tag.id for tag in self.tags if tag.name == name)

    def watch(self, watcher: Callable[[Collection[int]], None]) -> None:
        """Call `watcher` with the ids of scenes whose answers change, related rows included."""
        self._watchers.append(watcher)

    # -- scenes ------------------------------------------------------------------------------------

    def edit_scene(self, scene_id: Id, **changes: object) -> StashScene:
        """A person edits a scene; without changes it is a save that changes nothing but the time.

        Raises:
            TypeError: there is no such field.
        """
        with self.lock:
            scene = self.scenes.change(int(scene_id), **{"updated_at": self.now_text(), **changes})
            self._changed((scene.id,))
            return scene

    def edit_scenes(self, scene_ids: Iterable[Id], **changes: object) -> None:
        """A bulk edit: the same change to many scenes in one second."""
        with self.lock:
            text = self.now_text()
            for scene_id in scene_ids:
                self.edit_scene(scene_id, **{"updated_at": text, **changes})

    def write_silently(self, scene_id: Id, **changes: object) -> StashScene:
        """Change a scene and leave its time alone: an import, a migration, SQL by hand."""
        with self.lock:
            scene = self.scenes.change(int(scene_id), **changes)
            self._changed((scene.id,))
            return scene

    def create_scene(self, scene: StashScene | None = None, **values: object) -> int:
        """A new scene under the next id, from a row or from values; its id."""
        with self.lock:
            text = self.now_text()
            row = replace(scene or StashScene(0), created_at=text, updated_at=text)
            added = self.scenes.add(replace(row, **values))  # type: ignore[arg-type] # by replace
            self._changed((added.id,))
            return added.id

    def scan_in(self, path: str, *, size: int, duration: float, oshash: int | None) -> int:
        """A scan finds a new file and makes a scene of it; the scene's id."""
        with self.lock:
            return self.create_scene(
                file_ids=(self.add_file(path, size=size, duration=duration, oshash=oshash),)
            )

    def delete_scene(self, scene_id: Id) -> None:
        """The scene is destroyed; its files stay behind without one."""
        with self.lock:
            self.scenes.remove(int(scene_id))
            self._changed((int(scene_id),))

    def merge_scenes(self, sources: Iterable[Id], destination: Id) -> None:
        """Files move to the destination, whose time moves; the sources are gone."""
        with self.lock:
            gone = [self.scene(scene_id) for scene_id in sources]
            file_ids = dict.fromkeys(
                [*self.scene(destination).file_ids, *(i for s in gone for i in s.file_ids)]
            )
            for scene in gone:
                self.delete_scene(scene.id)
            self.edit_scene(destination, file_ids=tuple(file_ids))

    def play(self, scene_id: Id) -> None:
        """Somebody watches: no scene time moves, and nothing plexsync reads."""
        self.scene(scene_id)

    def set_cover(self, scene_id: Id, picture: bytes) -> None:
        """A person sets a cover, of any bytes: the scene's time moves."""
        with self.lock:
            self.covers[int(scene_id)] = picture
            self.edit_scene(scene_id, cover=int(scene_id))

    def remove_cover(self, scene_id: Id) -> None:
        """Somebody takes a cover away: the scene's time moves."""
        with self.lock:
            self.covers.pop(int(scene_id), None)
            self.edit_scene(scene_id, cover=None)

    def generate_covers(self, scene_ids: Iterable[Id] | None = None) -> None:
        """The generate task with "overwrite": every scene's time moves, no content does."""
        with self.lock:
            chosen = self.scenes.ids if scene_ids is None else [int(i) for i in scene_ids]
            text = self.now_text()
            for scene_id in chosen:
                self.scenes.change(scene_id, cover=scene_id, updated_at=text)
            self._changed(chosen)

    def poison(self, scene_id: Id) -> None:
        """From now on every page with this scene fails. Source: docs/stash-api.md 1.4."""
        self.poisoned.add(int(scene_id))

    def cure(self, scene_id: Id) -> None:
        """Undo `poison`."""
        self.poisoned.discard(int(scene_id))

    def full_import(self) -> Mapping[int, int]:
        """Everything is imported anew: scenes get other ids and keep their times; old id -> new."""
        with self.lock:
            rows = list(reversed(list(self.scenes)))
            renamed = {row.id: number for number, row in enumerate(rows, 1)}
            self.covers = {renamed[old]: picture for old, picture in self.covers.items()}
            self.scenes = Table(replace(row, id=renamed[row.id]) for row in rows)
            self._changed(self.scenes.ids)
            return renamed

    # -- files -------------------------------------------------------------------------------------

    def add_file(self, path: str, *, size: int, duration: float, oshash: int | None) -> int:
        """A file that no scene has yet; its id."""
        with self.lock:
            folder_path, basename = split(path)
            file = StashFile(
                0, self._folder_id(folder_path), basename, size, duration, oshash, oshash
            )
            text = self.now_text()
            file = replace(file, mod_time=text, created_at=text, updated_at=text)
            return self.files.add(file).id

    def add_to_scene(self, scene_id: Id, file_id: Id) -> None:
        """A scan finds another file with a known hash: it joins the scene, whose time moves."""
        with self.lock:
            self.edit_scene(scene_id, file_ids=(*self.scene(scene_id).file_ids, int(file_id)))

    def assign_file(self, file_id: Id, scene_id: Id) -> None:
        """A file is reassigned by hand: no scene's time moves."""
        with self.lock:
            for scene in self._scenes_with_files({int(file_id)}):
                kept = tuple(i for i in scene.file_ids if i != int(file_id))
                self.write_silently(scene.id, file_ids=kept)
            self.write_silently(scene_id, file_ids=(*self.scene(scene_id).file_ids, int(file_id)))

    def move_file(self, file_id: Id, path: str) -> None:
        """A file is renamed or moved: its own time moves, no scene's."""
        folder_path, basename = split(path)
        with self.lock:
            folder_id = self._folder_id(folder_path)
            self._change_file(int(file_id), folder_id=folder_id, basename=basename)

    def rewrite_file(self, file_id: Id, **changes: object) -> None:
        """A file's content changes (size, duration, oshash): its own time moves, no scene's."""
        with self.lock:
            self._change_file(int(file_id), **changes)

    def rename_folder(self, old: str, new: str) -> None:
        """A folder and all below it move: no time of scene or file moves."""
        with self.lock:
            moved = [f for f in self.folders if within(f.path, old)]
            for folder in moved:
                self.folders.change(folder.id, path=new + folder.path[len(old) :])
            ids = {folder.id for folder in moved}
            self._files_changed({file.id for file in self.files if file.folder_id in ids})

    def clean_file(self, file_id: Id) -> None:
        """A file is gone from disk: its scene's time moves, or the scene goes with it."""
        with self.lock:
            for scene in self._scenes_with_files({int(file_id)}):
                kept = tuple(i for i in scene.file_ids if i != int(file_id))
                if kept:
                    self.edit_scene(scene.id, file_ids=kept)
                else:
                    self.delete_scene(scene.id)
            self.files.remove(int(file_id))

    # -- tags, performers, studios, groups: no scene's time ever moves -----------------------------

    def add_tag(self, name: str, **values: object) -> int:
        """A new tag; its id."""
        return self._add(self.tags, StashTag(0, name), values)

    def edit_tag(self, tag_id: Id, **changes: object) -> None:
        """Rename a tag, or change anything else of it."""
        self._edit(self.tags, int(tag_id), changes)

    def merge_tags(self, sources: Iterable[Id], destination: Id) -> None:
        """Links are rewritten by SQL: not even the destination's own time moves."""
        with self.lock:
            for source in (int(source) for source in sources):
                for scene in self._scenes_with_tag(source):
                    tag_ids = (int(destination) if i == source else i for i in scene.tag_ids)
                    self.write_silently(scene.id, tag_ids=tuple(dict.fromkeys(tag_ids)))
                self.tags.remove(source)

    def delete_tag(self, tag_id: Id) -> None:
        """Links go with the tag."""
        with self.lock:
            for scene in self._scenes_with_tag(int(tag_id)):
                kept = tuple(i for i in scene.tag_ids if i != int(tag_id))
                self.write_silently(scene.id, tag_ids=kept)
            self.tags.remove(int(tag_id))

    def add_performer(self, name: str, **values: object) -> int:
        """A new performer; the id."""
        return self._add(self.performers, StashPerformer(0, name), values)

    def edit_performer(self, performer_id: Id, **changes: object) -> None:
        """Rename a performer, or change anything else."""
        self._edit(self.performers, int(performer_id), changes)

    def merge_performers(self, sources: Iterable[Id], destination: Id) -> None:
        """Links are rewritten; only the destination performer's time moves."""
        with self.lock:
            for source in (int(source) for source in sources):
                for scene in self._scenes_with_performer(source):
                    ids = (int(destination) if i == source else i for i in scene.performer_ids)
                    self.write_silently(scene.id, performer_ids=tuple(dict.fromkeys(ids)))
                self.performers.remove(source)
            self.edit_performer(destination)

    def delete_performer(self, performer_id: Id) -> None:
        """Links go with the performer."""
        with self.lock:
            for scene in self._scenes_with_performer(int(performer_id)):
                kept = tuple(i for i in scene.performer_ids if i != int(performer_id))
                self.write_silently(scene.id, performer_ids=kept)
            self.performers.remove(int(performer_id))

    def add_studio(self, name: str, **values: object) -> int:
        """A new studio; its id."""
        return self._add(self.studios, StashStudio(0, name), values)

    def edit_studio(self, studio_id: Id, **changes: object) -> None:
        """Rename a studio or give it another parent: its own time moves, no child's."""
        self._edit(self.studios, int(studio_id), changes)

    def delete_studio(self, studio_id: Id) -> None:
        """Scenes lose their studio and children their parent; nobody's time moves."""
        with self.lock:
            concerned = [s.id for s in self._scenes_under({int(studio_id)})]
            for scene in [s for s in self.scenes if s.studio_id == int(studio_id)]:
                self.scenes.change(scene.id, studio_id=None)
            for child in [s for s in self.studios if s.parent_id == int(studio_id)]:
                self.studios.change(child.id, parent_id=None)
            self.studios.remove(int(studio_id))
            self._changed(concerned)

    def add_group(self, name: str, **values: object) -> int:
        """A new group; its id."""
        return self._add(self.groups, StashGroup(0, name), values)

    def edit_group(self, group_id: Id, **changes: object) -> None:
        """Rename a group, or change anything else of it."""
        self._edit(self.groups, int(group_id), changes)

    def delete_group(self, group_id: Id) -> None:
        """Links go with the group."""
        with self.lock:
            for scene in self._scenes_with_group(int(group_id)):
                kept = tuple(pair for pair in scene.groups if pair[0] != int(group_id))
                self.write_silently(scene.id, groups=kept)
            self.groups.remove(int(group_id))

    # -- who is concerned --------------------------------------------------------------------------

    def studios_under(self, roots: Iterable[int], depth: int = -1) -> set[int]:
        """The studios and their descendants down to `depth` generations; -1 for all."""
        return descendants(
            roots, ((s.id, (s.parent_id,)) for s in self.studios if s.parent_id), depth
        )

    def tags_under(self, roots: Iterable[int], depth: int = -1) -> set[int]:
        """The tags and their descendants down to `depth` generations; -1 for all."""
        return descendants(roots, ((t.id, t.parent_ids) for t in self.tags if t.parent_ids), depth)

    def _scenes_with_tag(self, tag_id: int) -> list[StashScene]:
        return [scene for scene in self.scenes if tag_id in scene.tag_ids]

    def _scenes_with_performer(self, performer_id: int) -> list[StashScene]:
        return [scene for scene in self.scenes if performer_id in scene.performer_ids]

    def _scenes_with_group(self, group_id: int) -> list[StashScene]:
        return [s for s in self.scenes if any(pair[0] == group_id for pair in s.groups)]

    def _scenes_with_files(self, file_ids: set[int]) -> list[StashScene]:
        return [scene for scene in self.scenes if not file_ids.isdisjoint(scene.file_ids)]

    def _scenes_under(self, studio_ids: set[int]) -> list[StashScene]:
        """Scenes of the studios or of any studio below them."""
        below = self.studios_under(studio_ids)
        return [scene for scene in self.scenes if scene.studio_id in below]

    def _concerned(self, table: object, row_id: int) -> list[StashScene]:
        """The scenes whose answers may show a related row."""
        if table is self.tags:
            return self._scenes_with_tag(row_id)
        if table is self.performers:
            return self._scenes_with_performer(row_id)
        if table is self.studios:
            return self._scenes_under({row_id})
        return self._scenes_with_group(row_id)

    # -- private -----------------------------------------------------------------------------------

    def _add(self, table: Table[Row], row: Row, values: dict[str, object]) -> int:
        with self.lock:
            text = self.now_text()
            stamped = {"created_at": text, "updated_at": text, **values}
            added = table.add(replace(row, **stamped))  # type: ignore[arg-type] # by replace
            self._changed(())
            return added.id

    def _edit(self, table: Table[Row], row_id: int, changes: dict[str, object]) -> None:
        with self.lock:
            before = {scene.id for scene in self._concerned(table, row_id)}
            table.change(row_id, **{"updated_at": self.now_text(), **changes})
            self._changed(before)

    def _change_file(self, file_id: int, **changes: object) -> None:
        self.files.change(file_id, **{"updated_at": self.now_text(), **changes})
        self._files_changed({file_id})

    def _files_changed(self, file_ids: set[int]) -> None:
        self._changed([scene.id for scene in self._scenes_with_files(file_ids)])

    def _folder_id(self, path: str) -> int:
        """The folder's id; a folder not seen before gets one."""
        found = next((folder for folder in self.folders if folder.path == path), None)
        return (found or self.folders.add(StashFolder(0, path))).id

    def _changed(self, scene_ids: Collection[int]) -> None:
        for watcher in self._watchers:
            watcher(scene_ids)
