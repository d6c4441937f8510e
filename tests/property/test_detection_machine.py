"""Whatever happens to Stash, to Plex and to clocks, the next run makes Plex say what Stash says.

A state machine: anything may happen, in any order, any number of times; then a run. Afterwards
every item shows what its scene says, and no write was sent that changed nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from plexsync.errors import ExitCode
from plexsync.normalize import fold_tag, fold_whitespace, plex_date
from plexsync.ports import RunOptions
from plexsync.simulators.library import Case, LibrarySpec, make_library
from plexsync.simulators.wire import Fault, Reset, Status
from tests.world import World

if TYPE_CHECKING:
    from plexsync.simulators.records import StashScene

SCENES = 12
SETTINGS = {
    "PLEX__LIBRARIES": "",
    "PATHS": "/data/=/media/",
    "APPLY__EMPTY": "clear",
    "FIELDS__TAGS": "overwrite",
    "FIELDS__PERFORMERS": "overwrite",
    "FIELDS__STUDIO__COLLECTION": "false",
}
"""Policies under which what Plex should show follows from Stash alone."""

NUMBERS = st.integers(0, 99)
WORDS = st.sampled_from(["Rain", "Sun", "Snow", "Wind", "Fog", "Hail", "Sleet", "Storm"])


class Servers(RuleBasedStateMachine):
    """Two servers, people, tasks and clocks."""

    @initialize()
    def begin(self) -> None:
        """Everything is in step."""
        self.place = Path(tempfile.mkdtemp(prefix="plexsync-machine-"))
        spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0, edited=0.0)
        self.world = World(make_library(spec), self.place, **SETTINGS).__enter__()
        self.stash, self.plex = self.world.stash, self.world.plex
        self.names = 0
        self.drifted = self.files_changed = False
        self.world.run()

    def teardown(self) -> None:
        """One last look, and stop both."""
        if hasattr(self, "world"):
            try:
                self.run_and_compare()
            finally:
                self.end()

    def end(self) -> None:
        """Stop both."""
        self.world.__exit__(None, None, None)
        shutil.rmtree(self.place)

    # ---- Stash, docs/stash-api.md 4.1

    @rule(pick=NUMBERS, word=WORDS)
    def edit_a_scene(self, pick: int, word: str) -> None:
        """A person gives it another title and date."""
        self.stash.edit_scene(self.scene(pick).id, title=f"{word} {pick}", date=f"20{pick:02}")

    @rule(pick=NUMBERS)
    def save_without_a_change(self, pick: int) -> None:
        """Only its time moves."""
        self.stash.edit_scene(self.scene(pick).id)

    @rule(pick=NUMBERS, word=WORDS, year=st.integers(1990, 2030))
    def import_a_scene(self, pick: int, word: str, year: int) -> None:
        """Another title comes with a time of any year."""
        text = f"{year}-05-05T00:00:00{'Z' if pick % 2 else '+02:00'}"
        if self.scene(pick).updated_at != text:
            self.stash.write_silently(self.scene(pick).id, title=word, updated_at=text)

    @rule(pick=NUMBERS, tag=NUMBERS)
    def tag_a_scene(self, pick: int, tag: int) -> None:
        """It wears one more tag, or just this one."""
        scene, row = self.scene(pick), self.row(self.stash.tags, tag)
        tags = (row,) if tag % 2 else dict.fromkeys((*scene.tag_ids, row))
        self.stash.edit_scene(scene.id, tag_ids=tuple(tags))

    @rule(tag=NUMBERS)
    def rename_a_tag(self, tag: int) -> None:
        """No scene's time moves."""
        self.stash.edit_tag(self.row(self.stash.tags, tag), name=self.name())

    @rule(tag=NUMBERS, into=NUMBERS)
    def merge_tags(self, tag: int, into: int) -> None:
        """No time moves at all."""
        source, target = self.row(self.stash.tags, tag), self.row(self.stash.tags, into)
        if source != target:
            self.stash.merge_tags([source], target)

    @rule(tag=NUMBERS)
    def delete_a_tag(self, tag: int) -> None:
        """Its links go with it."""
        if len(self.stash.tags.ids) > 2:
            self.stash.delete_tag(self.row(self.stash.tags, tag))

    @rule(who=NUMBERS, into=NUMBERS)
    def rename_and_merge_performers(self, who: int, into: int) -> None:
        """One is renamed, and if there are two, they become one."""
        source = self.row(self.stash.performers, who)
        target = self.row(self.stash.performers, into)
        self.stash.edit_performer(source, name=self.name())
        if source != target:
            self.stash.merge_performers([source], target)

    @rule(which=NUMBERS, parent=NUMBERS)
    def rename_or_move_a_studio(self, which: int, parent: int) -> None:
        """It has another name or another parent, or is gone."""
        studio, above = self.row(self.stash.studios, which), self.row(self.stash.studios, parent)
        if parent % 3 == 0:
            self.stash.edit_studio(studio, name=self.name())
        elif parent % 3 == 1 and studio not in self.stash.studios_under({above}):
            self.stash.edit_studio(above, parent_id=studio)
        elif len(self.stash.studios.ids) > 2:
            self.stash.delete_studio(studio)

    @rule()
    def generate_covers(self) -> None:
        """Every scene's time moves, and nothing else."""
        self.stash.generate_covers()

    @rule(pick=NUMBERS)
    def delete_a_scene(self, pick: int) -> None:
        """Its item is left alone."""
        if len(self.stash.scenes.ids) > SCENES - 3:
            self.stash.delete_scene(self.scene(pick).id)

    # ---- Plex

    @rule(pick=NUMBERS, word=WORDS)
    def edit_in_plex(self, pick: int, word: str) -> None:
        """A person or an agent has another word; only a full run looks."""
        key = self.key(self.scene(pick))
        if pick % 2:
            self.plex.edit_by_hand(key, {"title": word, "genre": (word,)})
        else:
            self.plex.set_locks(key, locked=())
            self.plex.agent_refresh(key, {"summary": word, "title": word})
        self.drifted = True

    @rule(pick=NUMBERS, rename=st.booleans())
    def move_a_file(self, pick: int, *, rename: bool) -> None:
        """A file moves, both servers notice, and Plex makes a new item of it."""
        scene = self.scene(pick)
        (path,) = self.stash.paths(scene.id)
        folder, _, name = path.rpartition("/")
        moved = f"{folder}/{self.name()} {name}" if rename else f"{folder}/sub/{name}"
        self.plex.move_file(self.key(scene), moved.replace("/data/", "/media/"))
        self.stash.move_file(scene.file_ids[0], moved)
        self.rescan()

    @rule()
    def rescan(self) -> None:
        """Plex scans and finds nothing new."""
        for section in self.world.library.plex.sections:
            self.plex.set_refreshing(section.id, refreshing=False)

    @rule()
    def empty_the_trash(self) -> None:
        """Items whose file is gone go."""
        self.plex.empty_trash()

    # ---- time and trouble

    @rule(hours=st.integers(-12, 14))
    def change_the_zone(self, hours: int) -> None:
        """Stash writes times of another zone from now on."""
        self.stash.zone = timezone(timedelta(hours=hours))

    @rule(hours=st.sampled_from([1, 30]))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.world.wait(hours)

    @rule(nth=st.integers(1, 6), server=st.sampled_from(["stash", "plex"]), lost=st.booleans())
    def fail_somewhere(self, nth: int, server: str, *, lost: bool) -> None:
        """A run with a server that stops working, or loses an answer; what it does is unsaid."""
        wire = self.world.stash_wire if server == "stash" else self.world.plex_wire
        effect = Reset(applied=True) if lost else Status(503)
        wire.faults.add(Fault(None, nth, effect, 1 if lost else None))
        self.world.run(RunOptions(force=True))
        wire.faults.clear()
        self.world.wait(30)

    # ---- the law

    @rule()
    def run_and_compare(self) -> None:
        """Plex says what Stash says, by writes each of which changed something."""
        options = RunOptions(force=True, full=self.drifted)
        before = self.plex.dump()
        ran = self.world.run(options)
        assert ran.summary.exit_code == ExitCode.OK, (ran.summary, ran.rows)
        written = {key for write in self.plex.writes for key in write.rating_keys}
        after = self.plex.dump()
        assert ran.puts == sum(
            before[key] != after[key] for key in written & before.keys() & after.keys()
        )
        for scene in self.stash.scenes:
            self.compare(scene)
        self.drifted = False
        again = self.world.run(options)
        assert again.puts == 0
        if not options.full:
            assert again.rows == ()

    def compare(self, scene: StashScene) -> None:
        """The item that holds the scene's file says what the scene says."""
        world, key = self.world, self.key(scene)
        tags = {fold_tag(self.stash.tags[one].name) for one in scene.tag_ids}
        people = {fold_tag(self.stash.performers[one].name) for one in scene.performer_ids}
        studio = self.stash.studios.get(scene.studio_id)
        assert {fold_tag(name) for name in world.tags(key, "genre")} == tags
        assert {fold_tag(name) for name in world.tags(key, "actor")} == people
        assert world.shown(key, "studio") == (studio.name if studio else "")
        assert fold_whitespace(world.shown(key, "title")) == fold_whitespace(scene.title)
        assert world.shown(key, "originallyAvailableAt")[:10] == plex_date(scene.date or "")

    # ---- picking

    def scene(self, pick: int) -> StashScene:
        """Some scene."""
        return self.stash.scene(self.row(self.stash.scenes, pick))

    def row(self, table: object, pick: int) -> int:
        """The id of some row."""
        ids: list[int] = getattr(table, "ids")  # noqa: B009 - any table
        return ids[pick % len(ids)]

    def key(self, scene: StashScene) -> str:
        """The item that holds the scene's file now."""
        return self.plex.key_of(self.stash.paths(scene.id)[0].replace("/data/", "/media/"))

    def name(self) -> str:
        """A name nobody has."""
        self.names += 1
        return f"Name {self.names}"


Servers.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestServers = Servers.TestCase
