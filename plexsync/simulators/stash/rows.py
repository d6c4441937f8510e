"""What a simulated Stash remembers: tables, a clock, and who is concerned by a row of them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from plexsync.simulators.http.pictures import drawn_picture
from plexsync.simulators.library.records import (
    StashFile,
    StashFolder,
    StashScene,
    StashSide,
)
from plexsync.simulators.stash.table import Row, RowTable, descendants, stored_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

Id = int | str

PLACEHOLDER = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 9">'
    b'<rect width="16" height="9" fill="#202b33"/></svg>'
)
"""What is shown, with 200, where there is no picture."""


class StashRows:
    """Tables, a clock and a zone; see `stash_store.StashStore` for what happens to them.

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
        self.scenes = RowTable(side.scenes)
        self.files = RowTable(side.files)
        self.folders = RowTable(side.folders)
        self.performers = RowTable(side.performers)
        self.tags = RowTable(side.tags)
        self.studios = RowTable(side.studios)
        self.groups = RowTable(side.groups)
        self.covers: dict[int, bytes] = {}
        self.images: dict[tuple[str, int], bytes] = {}
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
        """Return the paths of a scene's files, the primary one first."""
        return tuple(self.path(self.files[file_id]) for file_id in self.scene(scene_id).file_ids)

    def now_text(self) -> str:
        """Return the present as it is stored: local wall clock, offset, whole seconds."""
        return stored_time(self.clock(), self.zone)

    def tag_id(self, name: str) -> int:
        """Return the id of a tag by its name."""
        return next(tag.id for tag in self.tags if tag.name == name)

    def image(self, kind: str, row_id: int) -> bytes | None:
        """Return the picture of a studio, performer, tag or group; None for no such row."""
        row = self.table_of(kind).get(row_id)
        if row is None:
            return None
        drawn = generated_cover(row_id) if row.has_image else PLACEHOLDER
        return self.images.get((kind, row_id), drawn)

    def table_of(self, kind: str) -> RowTable[Any]:
        """Return the table of studios, performers, tags or groups, by the word in addresses."""
        tables: dict[str, RowTable[Any]] = {
            "studio": self.studios,
            "performer": self.performers,
            "tag": self.tags,
            "group": self.groups,
        }
        return tables[kind]

    def watch(self, watcher: Callable[[Collection[int]], None]) -> None:
        """Call `watcher` with the ids of scenes with changed answers, related rows included."""
        self._watchers.append(watcher)

    # -- who is concerned --------------------------------------------------------------------------

    def studios_under(self, roots: Iterable[int], depth: int = -1) -> set[int]:
        """Return the studios and their descendants down to `depth` generations; -1 for all."""
        return descendants(
            roots, ((s.id, (s.parent_id,)) for s in self.studios if s.parent_id), depth
        )

    def tags_under(self, roots: Iterable[int], depth: int = -1) -> set[int]:
        """Return the tags and their descendants down to `depth` generations; -1 for all."""
        return descendants(roots, ((t.id, t.parent_ids) for t in self.tags if t.parent_ids), depth)

    def _scenes_with_tag(self, tag_id: int) -> list[StashScene]:
        return [scene for scene in self.scenes if tag_id in scene.tag_ids]

    def _scenes_at_or_under_tag(self, tag_id: int) -> list[StashScene]:
        """Scenes with the tag or with any tag below it."""
        below = self.tags_under({tag_id})
        return [scene for scene in self.scenes if not below.isdisjoint(scene.tag_ids)]

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
        """Return the scenes that may show a related row."""
        if table is self.tags:
            return self._scenes_at_or_under_tag(row_id)
        if table is self.performers:
            return self._scenes_with_performer(row_id)
        if table is self.studios:
            return self._scenes_under({row_id})
        return self._scenes_with_group(row_id)

    # -- private -----------------------------------------------------------------------------------

    def _add(self, table: RowTable[Row], row: Row, values: dict[str, object]) -> int:
        with self.lock:
            text = self.now_text()
            stamped = {"created_at": text, "updated_at": text, **values}
            added = table.add(replace(row, **stamped))  # type: ignore[arg-type] # by replace
            self._changed(())
            return added.id

    def _edit(self, table: RowTable[Row], row_id: int, changes: dict[str, object]) -> None:
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
        """Return the folder's id; a folder not seen before gets one."""
        found = next((folder for folder in self.folders if folder.path == path), None)
        return (found or self.folders.add(StashFolder(0, path))).id

    def _changed(self, scene_ids: Collection[int]) -> None:
        for watcher in self._watchers:
            watcher(scene_ids)


def generated_cover(seed: int) -> bytes:
    """Return a valid PNG of 16 by 9 pixels in a colour of its own."""
    return drawn_picture(str(seed), 16, 9)
