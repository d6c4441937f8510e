"""What a simulated Stash remembers, and what each thing a person or a task does moves in it.

Which changes move a scene's `updated_at` and which do not is the point of this module.
Source: docs/stash-api.md 4.1. Ids are taken as numbers or as text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plexsync.simulators.library.records import (
    StashFile,
    StashGroup,
    StashPerformer,
    StashScene,
    StashTag,
)
from plexsync.simulators.stash.rows import Id, StashRows
from plexsync.simulators.stash.table import RowTable, split_path, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class StashStore(StashRows):
    """What can happen to the tables. Every method that changes something is thread-safe."""

    # -- scenes ------------------------------------------------------------------------------------

    def edit_scene(self, scene_id: Id, **changes: object) -> StashScene:
        """Edit a scene, as a person does; without changes a save moves the time only.

        Raises:
            TypeError: there is no such field.
        """
        with self.lock:
            scene = self.scenes.change(int(scene_id), **{"updated_at": self.now_text(), **changes})
            self._changed((scene.id,))
            return scene

    def edit_scenes(self, scene_ids: Iterable[Id], **changes: object) -> None:
        """Make the same change to many scenes in one second: a bulk edit."""
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
        """Return a new scene under the next id, from a row or from values; its id."""
        with self.lock:
            text = self.now_text()
            row = replace(scene or StashScene(0), created_at=text, updated_at=text)
            added = self.scenes.add(replace(row, **values))  # type: ignore[arg-type] # by replace
            self._changed((added.id,))
            return added.id

    def scan_in(self, path: str, *, size: int, duration: float, oshash: int | None) -> int:
        """Return a scan finds a new file and makes a scene of it; the scene's id."""
        with self.lock:
            return self.create_scene(
                file_ids=(self.add_file(path, size=size, duration=duration, oshash=oshash),)
            )

    def delete_scene(self, scene_id: Id) -> None:
        """Destroy the scene; its files stay behind without one."""
        with self.lock:
            self.scenes.remove(int(scene_id))
            self.covers.pop(int(scene_id), None)
            self._changed((int(scene_id),))

    def merge_scenes(self, sources: Iterable[Id], destination: Id) -> None:
        """Files move to the destination, and its time moves; the sources are gone."""
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
        """Set a cover, of any bytes, as a person does: the scene's time moves."""
        with self.lock:
            self.covers[int(scene_id)] = picture
            self.edit_scene(scene_id, cover=int(scene_id))

    def remove_cover(self, scene_id: Id) -> None:
        """Somebody takes a cover away: the scene's time moves."""
        with self.lock:
            self.covers.pop(int(scene_id), None)
            self.edit_scene(scene_id, cover=None)

    def generate_covers(self, scene_ids: Iterable[Id] | None = None) -> None:
        """Run the generate task with "overwrite": every scene's time moves, no content does."""
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
        """Import everything again: all get other ids and keep their times; old scene id -> new."""
        with self.lock:
            tables = (self.scenes, self.tags, self.performers, self.studios, self.groups)
            scenes, tags, performers, studios, groups = map(_other_ids, [t.ids for t in tables])
            self.covers = {scenes[old]: picture for old, picture in self.covers.items()}
            kinds = {"tag": tags, "performer": performers, "studio": studios, "group": groups}
            self.images = {(kind, kinds[kind][i]): one for (kind, i), one in self.images.items()}
            self.scenes = RowTable(
                replace(
                    row,
                    id=scenes[row.id],
                    tag_ids=tuple(tags[i] for i in row.tag_ids),
                    performer_ids=tuple(performers[i] for i in row.performer_ids),
                    studio_id=row.studio_id and studios[row.studio_id],
                    groups=tuple((groups[i], index) for i, index in row.groups),
                )
                for row in reversed(list(self.scenes))
            )
            self.tags = RowTable(
                replace(t, id=tags[t.id], parent_ids=tuple(tags[i] for i in t.parent_ids))
                for t in self.tags
            )
            self.performers = RowTable(replace(p, id=performers[p.id]) for p in self.performers)
            self.studios = RowTable(
                replace(s, id=studios[s.id], parent_id=s.parent_id and studios[s.parent_id])
                for s in self.studios
            )
            self.groups = RowTable(replace(g, id=groups[g.id]) for g in self.groups)
            self._changed(self.scenes.ids)
            return scenes

    # -- files -------------------------------------------------------------------------------------

    def add_file(self, path: str, *, size: int, duration: float, oshash: int | None) -> int:
        """Return a file that no scene has yet; its id."""
        with self.lock:
            folder_path, basename = split_path(path)
            file = StashFile(
                0, self._folder_id(folder_path), basename, size, duration, oshash, oshash
            )
            text = self.now_text()
            file = replace(file, mod_time=text, created_at=text, updated_at=text)
            return self.files.add(file).id

    def add_to_scene(self, scene_id: Id, file_id: Id) -> None:
        """Let a scan find another file with a known hash: it joins the scene and moves its time."""
        with self.lock:
            self.edit_scene(scene_id, file_ids=(*self.scene(scene_id).file_ids, int(file_id)))

    def assign_file(self, file_id: Id, scene_id: Id) -> None:
        """Reassign a secondary file by hand: no scene's time moves.

        Raises:
            ValueError: it is the primary file of a scene, which Stash refuses.
        """
        with self.lock:
            self._take_away(int(file_id))
            self.write_silently(scene_id, file_ids=(*self.scene(scene_id).file_ids, int(file_id)))

    def delete_file(self, file_id: Id) -> None:
        """Delete a secondary file by hand: no scene's time moves.

        Raises:
            ValueError: it is the primary file of a scene, which Stash refuses.
        """
        with self.lock:
            self._take_away(int(file_id))
            self.files.remove(int(file_id))

    def set_primary(self, scene_id: Id, file_id: Id) -> None:
        """Another of a scene's files becomes the primary one: its time moves."""
        with self.lock:
            others = (i for i in self.scene(scene_id).file_ids if i != int(file_id))
            self.edit_scene(scene_id, file_ids=(int(file_id), *others))

    def move_file(self, file_id: Id, path: str) -> None:
        """Rename or move a file: its own time moves, no scene's."""
        folder_path, basename = split_path(path)
        with self.lock:
            folder_id = self._folder_id(folder_path)
            self._change_file(int(file_id), folder_id=folder_id, basename=basename)

    def rewrite_file(self, file_id: Id, **changes: object) -> None:
        """Change a file's content (size, duration, oshash): its own time moves, no scene's."""
        with self.lock:
            self._change_file(int(file_id), **changes)

    def rename_folder(self, old: str, new: str) -> None:
        """Move a folder and all below it: no time of scene or file moves."""
        with self.lock:
            moved = [f for f in self.folders if within(f.path, old)]
            for folder in moved:
                self.folders.change(folder.id, path=new + folder.path[len(old) :])
            ids = {folder.id for folder in moved}
            self._files_changed({file.id for file in self.files if file.folder_id in ids})

    def clean_file(self, file_id: Id) -> None:
        """Take a file from disk: its scene's time moves, or the scene goes with it."""
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
        """Return a new tag; its id."""
        return self._add(self.tags, StashTag(0, name), values)

    def edit_tag(self, tag_id: Id, **changes: object) -> None:
        """Rename a tag, or change anything else of it."""
        self._edit(self.tags, int(tag_id), changes)

    def merge_tags(self, sources: Iterable[Id], destination: Id) -> None:
        """Links are rewritten by SQL: not even the destination's own time moves.

        Tags above and below the sources are above and below the destination from then on, and their
        names and aliases are aliases of it.
        """
        with self.lock:
            merged = {int(source) for source in sources}
            concerned = [s.id for one in merged for s in self._scenes_at_or_under_tag(one)]
            self._merge_hierarchy(merged, int(destination))
            tags = [self.tags[i] for i in (int(destination), *sorted(merged))]
            aliases = (*[tag.name for tag in tags[1:]], *[a for tag in tags for a in tag.aliases])
            self.tags.change(int(destination), aliases=tuple(sorted(aliases)))
            for source in merged:
                for scene in self._scenes_with_tag(source):
                    tag_ids = (int(destination) if i == source else i for i in scene.tag_ids)
                    self.write_silently(scene.id, tag_ids=tuple(dict.fromkeys(tag_ids)))
                self.tags.remove(source)
            self._changed(concerned)

    def delete_tag(self, tag_id: Id) -> None:
        """Links go with the tag, those of the tags below it too; their times do not move."""
        with self.lock:
            concerned = [scene.id for scene in self._scenes_at_or_under_tag(int(tag_id))]
            for scene in self._scenes_with_tag(int(tag_id)):
                kept = tuple(i for i in scene.tag_ids if i != int(tag_id))
                self.write_silently(scene.id, tag_ids=kept)
            for child in [tag for tag in self.tags if int(tag_id) in tag.parent_ids]:
                above = tuple(i for i in child.parent_ids if i != int(tag_id))
                self.tags.change(child.id, parent_ids=above)
            self.tags.remove(int(tag_id))
            self._changed(concerned)

    def add_performer(self, name: str, **values: object) -> int:
        """Return a new performer; the id."""
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

    def set_image(self, kind: str, row_id: Id, picture: bytes) -> None:
        """Give a `studio`, `performer`, `tag` or `group` a picture: only its own time moves."""
        with self.lock:
            self.images[kind, int(row_id)] = picture
            self._edit(self.table_of(kind), int(row_id), {"has_image": True})

    def edit_studio(self, studio_id: Id, **changes: object) -> None:
        """Rename a studio or give it another parent: its own time moves, no child's."""
        self._edit(self.studios, int(studio_id), changes)

    def delete_studio(self, studio_id: Id) -> None:
        """Scenes lose their studio and children their parent; no update time moves."""
        with self.lock:
            concerned = [s.id for s in self._scenes_under({int(studio_id)})]
            for scene in [s for s in self.scenes if s.studio_id == int(studio_id)]:
                self.scenes.change(scene.id, studio_id=None)
            for child in [s for s in self.studios if s.parent_id == int(studio_id)]:
                self.studios.change(child.id, parent_id=None)
            self.studios.remove(int(studio_id))
            self._changed(concerned)

    def add_group(self, name: str, **values: object) -> int:
        """Return a new group; its id."""
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

    # -- private -----------------------------------------------------------------------------------

    def _merge_hierarchy(self, merged: set[int], destination: int) -> None:
        """Link with `destination` what `merged` are linked with in the hierarchy."""
        own = merged | {destination}
        above = dict.fromkeys(
            parent
            for one in (destination, *sorted(merged))
            for parent in self.tags[one].parent_ids
            if parent not in own
        )
        self.tags.change(destination, parent_ids=tuple(above))
        for child in [
            t for t in self.tags if t.id not in own and not merged.isdisjoint(t.parent_ids)
        ]:
            parents = (destination if i in merged else i for i in child.parent_ids)
            self.tags.change(child.id, parent_ids=tuple(dict.fromkeys(parents)))

    def _take_away(self, file_id: int) -> None:
        """Take a secondary file from its scenes.

        Raises:
            ValueError: it is a primary file. Source: docs/stash-api.md 4.1.
        """
        holders = self._scenes_with_files({file_id})
        if any(scene.file_ids[0] == file_id for scene in holders):
            raise ValueError("cannot reassign or delete a primary file")
        for scene in holders:
            kept = tuple(i for i in scene.file_ids if i != file_id)
            self.write_silently(scene.id, file_ids=kept)


def _other_ids(ids: Sequence[int]) -> dict[int, int]:
    """Return for each id the one an import gives the same row."""
    return {old: number for number, old in enumerate(reversed(ids), 1)}
