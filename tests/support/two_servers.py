"""Two servers for the state machine of detection: picking among what they hold, and the law."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis.stateful import RuleBasedStateMachine, initialize

from plexsync.errors import ExitCode
from plexsync.planning.retry_schedule import WOKEN, has_come
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.detection.seen import read_unread
from plexsync.sync.ports import RunOptions
from plexsync.text.normalize import fold_whitespace, plex_date, tag_key
from tests.support.world import World

if TYPE_CHECKING:
    from plexsync.models import SceneId
    from plexsync.simulators.library.records import StashScene
    from plexsync.simulators.plex.simulator import PlexWrite, Snapshot
    from tests.support.world import Ran

SCENES = 10
SETTINGS = {
    "PLEX__LIBRARIES": "",
    "PLEX__SCAN": "true",
    "PATHS": "/data/=/media/",
    "STASH__ORGANIZED_ONLY": "true",
    "STASH__REQUIRED": "date",
    "APPLY__EMPTY": "clear",
    "APPLY__PRESERVE_PLEX_EDITS": "false",
    "FIELDS__TAGS": "overwrite",
    "FIELDS__TAGS__PARENTS": "true",
    "FIELDS__PERFORMERS": "overwrite",
    "FIELDS__GROUPS": "overwrite",
    "FIELDS__STUDIO__COLLECTION": "false",
    "FIELDS__TAGLINE": "overwrite",
    "FIELDS__TAGLINE__TEMPLATE": "{parent_studio}",
}
"""Policies under which what Plex should show follows from Stash alone."""

LEVELS = 3
"""As many tags above a scene's own are shown."""


class TwoServers(RuleBasedStateMachine):
    """Both servers, what was done to them, and what must hold after a run."""

    @initialize()
    def begin(self) -> None:
        """Everything is in step."""
        self.place = Path(tempfile.mkdtemp(prefix="plexsync-machine-"))
        spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0, edited=0.0)
        self.world = World(make_library(spec), self.place, **SETTINGS).__enter__()
        self.stash, self.plex = self.world.stash, self.world.plex
        for scene in list(self.stash.scenes):
            self.stash.edit_scene(scene.id, organized=True, date=scene.date or "2024")
        self.names = 0
        self.drifted = self.hidden = self.named = False
        self.world.run()

    def teardown(self) -> None:
        """One last look, and stop both."""
        if hasattr(self, "world"):
            try:
                self.check()
            finally:
                self.end()

    def end(self) -> None:
        """Stop both."""
        self.world.__exit__(None, None, None)
        shutil.rmtree(self.place)

    def check(self) -> None:
        """Plex says what Stash says, by writes each of which changed something."""
        if self.hidden:
            self.world.wait(25)
        options = RunOptions(force=True, full=self.drifted)
        ran = self.run_honestly(options)
        scanned = any(write.path.endswith("/refresh") for write in self.written)
        if scanned or self.named:  # what a hook named was written at once, and is looked at again
            self.run_honestly(RunOptions(force=True))
        for scene in self.stash.scenes:
            if scene.organized and scene.date:
                self.compare(scene)
        self.drifted = self.hidden = self.named = False
        waits_end = self.next_waits()
        again = self.world.run(RunOptions(force=True))
        assert again.puts == 0, (ran.rows, again.rows)
        assert {row.scene.id for row in again.rows} <= waits_end
        assert not read_unread(self.world.state())

    def next_waits(self) -> frozenset[SceneId]:
        """The scenes that the next run looks at again though nothing changed.

        Their time has come, another scene let go of an item that may be theirs, or they are to be
        matched once more, as one with several files is that was matched without all others.
        """
        soon = self.world.now + timedelta(minutes=1)
        waiting = self.world.state().waiting()
        tried = ((key, one.due_at) for key, one in waiting if one.due_at or one.outcome in WOKEN)
        again = read_unread(self.world.state())
        return again.union(key for key, due_at in tried if has_come(due_at, soon))

    def run_honestly(self, options: RunOptions) -> Ran:
        """One run; whatever it edited reads differently, and was edited once."""
        before, sent = self.plex.dump(), len(self.plex.writes)
        ran = self.world.run(options)
        assert ran.summary.exit_code == ExitCode.OK, (ran.summary, ran.rows)
        self.written: tuple[PlexWrite, ...] = self.plex.writes[sent:]
        after = self.plex.dump()
        edited = [key for write in self.written for key in write.rating_keys]
        assert len(edited) == len(set(edited))
        assert [key for key in edited if before.get(key) == after[key]] == []
        assert self.plex.misdeeds.total == 0
        return ran

    def compare(self, scene: StashScene) -> None:
        """The items that hold the scene's files, and no other scene's, say what the scene says."""
        shown = self.plex.dump()
        ours = {self.world.plex_path(file) for file in scene.file_ids}
        for key in {self.key_of(path) for path in ours} - {""}:
            if ours.issuperset(files_of(shown, key)) and self.is_one_video(key):
                self.compare_item(scene, key)

    def compare_item(self, scene: StashScene, key: str) -> None:
        """The item says what the scene says."""
        world, stash = self.world, self.stash
        tags = {tag_key(stash.tags[one].name) for one in self.with_those_above(scene.tag_ids)}
        people = {tag_key(stash.performers[one].name) for one in scene.performer_ids}
        groups = {tag_key(stash.groups[one].name) for one, _ in scene.groups}
        studio = stash.studios.get(scene.studio_id)
        parent = stash.studios.get(studio.parent_id) if studio else None
        assert {tag_key(name) for name in world.tags(key, "genre")} == tags
        assert {tag_key(name) for name in world.tags(key, "actor")} == people
        assert {tag_key(name) for name in world.tags(key, "collection")} == groups
        assert world.shown(key, "studio") == (studio.name if studio else "")
        assert world.shown(key, "tagline") == (parent.name if parent else "")
        assert fold_whitespace(world.shown(key, "title")) == fold_whitespace(scene.title)
        assert fold_whitespace(world.shown(key, "summary")) == fold_whitespace(scene.details)
        assert world.shown(key, "originallyAvailableAt")[:10] == plex_date(scene.date or "")

    # ---- picking

    def scene(self, pick: int) -> StashScene:
        """Some scene."""
        return self.stash.scene(self.row(self.stash.scenes, pick))

    def scene_with_files(self, pick: int) -> StashScene:
        """Some scene with several files, if there is one."""
        several = [scene for scene in self.stash.scenes if len(scene.file_ids) > 1]
        return several[pick % len(several)] if several else self.scene(pick)

    def row(self, table: object, pick: int) -> int:
        """The id of some row."""
        ids: list[int] = getattr(table, "ids")  # noqa: B009 - any table
        return ids[pick % len(ids)]

    def paths(self) -> list[str]:
        """Where the files of all scenes lie, as Stash sees it."""
        return [path for scene in self.stash.scenes for path in self.stash.paths(scene.id)]

    def with_those_above(self, tags: tuple[int, ...]) -> set[int]:
        """The tags, and as many levels above them as are shown."""
        found = level = set(tags)
        for _ in range(LEVELS):
            level = {above for one in level for above in self.stash.tags[one].parent_ids}
            found = found | level
        return found

    def key_of(self, path: str) -> str:
        """The item that holds a file now; "" for none."""
        try:
            return self.plex.key_of(path)
        except KeyError:
            return ""

    def is_single(self, path: str) -> bool:
        """Whether a file's item, if it has one, holds nothing else."""
        key = self.key_of(path.replace("/data/", "/media/"))
        return not key or len(files_of(self.plex.dump(), key)) == 1

    def is_one_video(self, key: str) -> bool:
        """Whether the versions of an item are equally long; else no match of it is certain."""
        paths = files_of(self.plex.dump(), key)
        files = (self.stash.files[one] for one in self.stash.files.ids)
        lengths = {f.duration for f in files if self.world.plex_path(f.id) in paths}
        return len(lengths) == 1

    # ---- doing

    def new_file(self) -> int:
        """A file nobody has seen, as long as all such files are."""
        number = 10**6 + 7919 * len(self.stash.files.ids) + self.names
        path = f"/data/new/{self.name()}.mp4"
        return self.stash.add_file(path, size=number, duration=61.5, oshash=number)

    def trash(self, path: str) -> None:
        """Plex scans and misses a file."""
        if self.is_single(path) and (key := self.key_of(path)):
            self.plex.trash(key)
        self.world.rescan()

    def move_in_plex(self, old: str, new: str) -> bool:
        """Plex finds a file elsewhere; whether that can be: it holds it alone, or not at all."""
        if not self.is_single(old):
            return False
        if key := self.key_of(old):
            self.plex.move_file(key, new)
        return True

    def name(self) -> str:
        """A name nobody has."""
        self.names += 1
        return f"Name {self.names}"


def files_of(shown: Snapshot, key: str) -> tuple[str, ...]:
    """The files of an item."""
    files = shown[key]["files"]
    assert isinstance(files, tuple)
    return files
