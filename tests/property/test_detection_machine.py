"""Whatever happens to Stash, to Plex and to clocks, the next run makes Plex say what Stash says.

A state machine: anything may happen, in any order, any number of times; then a run. Afterwards
every item shows what its scene says, and no write was sent that changed nothing. The rules about
Stash are the rows of docs/stash-api.md 4.1; what no run looks at every time is named there, too.
"""

from __future__ import annotations

import json
from datetime import timedelta, timezone

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from plexsync.integrations.stash_hook import SPOOL
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.sync.ports import RunOptions
from tests.support.two_servers import TwoServers

FEWEST = 6
NUMBERS = st.integers(0, 99)
WORDS = st.sampled_from(["Rain", "Sun", "Snow", "Wind", "Fog", "Hail", "Sleet", "Storm"])


class Servers(TwoServers):
    """What can happen to two servers, people, tasks and clocks."""

    # ---- Stash: scenes

    @rule(pick=NUMBERS, word=WORDS)
    def edit_a_scene(self, pick: int, word: str) -> None:
        """A person gives it another title and date."""
        self.stash.edit_scene(self.scene(pick).id, title=f"{word} {pick}", date=f"20{pick:02}")

    @rule(pick=NUMBERS, word=WORDS)
    def edit_a_scene_a_moment_ago(self, pick: int, word: str) -> None:
        """The next run comes within the same two seconds."""
        moment = self.world.now + timedelta(seconds=58)
        self.stash.clock = lambda: moment
        self.stash.edit_scene(self.scene(pick).id, title=word)
        self.stash.clock = lambda: self.world.now

    @rule(pick=NUMBERS)
    def save_without_a_change(self, pick: int) -> None:
        """Only its time moves: a save, a heatmap."""
        self.stash.edit_scene(self.scene(pick).id)

    @rule(pick=NUMBERS)
    def curate(self, pick: int) -> None:
        """It is taken out of what is organized, or back; or loses its date, which is required."""
        scene = self.scene(pick)
        if pick % 3:
            self.stash.edit_scene(scene.id, organized=not scene.organized)
        else:
            self.stash.edit_scene(scene.id, date=None if scene.date else "2020-02-02")

    @rule(pick=NUMBERS, word=WORDS, year=st.integers(1990, 2030))
    def import_a_scene(self, pick: int, word: str, year: int) -> None:
        """Another title comes with a time of any year."""
        text = f"{year}-05-05T00:00:00{'Z' if pick % 2 else '+02:00'}"
        if self.scene(pick).updated_at != text:
            self.stash.write_silently(self.scene(pick).id, title=word, updated_at=text)

    @rule(pick=NUMBERS, word=WORDS)
    def edit_by_sql(self, pick: int, word: str) -> None:
        """Nothing tells; only a full run looks."""
        self.stash.write_silently(self.scene(pick).id, details=word)
        self.drifted = True

    @rule(pick=NUMBERS, which=NUMBERS)
    def relate_a_scene(self, pick: int, which: int) -> None:
        """It wears one more tag or just this one, and has another studio, group and cast."""
        scene, tag = self.scene(pick), self.row(self.stash.tags, which)
        who, group = self.row(self.stash.performers, which), self.row(self.stash.groups, which)
        self.stash.edit_scene(
            scene.id,
            tag_ids=(tag,) if which % 2 else tuple(dict.fromkeys((*scene.tag_ids, tag))),
            performer_ids=tuple(dict.fromkeys((*scene.performer_ids[-2:], who))),
            studio_id=self.row(self.stash.studios, which) if which % 5 else None,
            groups=((group, None),) if which % 3 else (),
        )

    @rule()
    def generate_covers(self) -> None:
        """Every scene's time moves, and nothing else."""
        self.stash.generate_covers()

    @rule(pick=NUMBERS)
    def play(self, pick: int) -> None:
        """Nothing moves: plays, markers, galleries, previews and perceptual hashes."""
        self.stash.play(self.scene(pick).id)

    @rule(pick=NUMBERS)
    def delete_a_scene(self, pick: int) -> None:
        """Its item is left alone."""
        if len(self.stash.scenes.ids) > FEWEST:
            self.stash.delete_scene(self.scene(pick).id)

    @rule(pick=NUMBERS, into=NUMBERS)
    def merge_scenes(self, pick: int, into: int) -> None:
        """One gets the files of another, which is gone."""
        source, target = self.scene(pick), self.scene(into)
        if source != target and len(self.stash.scenes.ids) > FEWEST:
            self.stash.merge_scenes([source.id], target.id)

    @rule(word=WORDS, known=st.booleans())
    def scan_a_new_file(self, word: str, *, known: bool) -> None:
        """Stash makes a scene of it; Plex has it as well, or finds it when it is asked to look."""
        file = self.new_file()
        self.stash.create_scene(title=word, date="2023", organized=True, file_ids=(file,))
        if known:
            self.plex.scan_in(self.world.video_of(file))
            self.world.rescan()
        else:
            self.plex.stage_item(self.world.video_of(file))

    @rule()
    def import_everything(self) -> None:
        """Scenes get other ids, times stay: the daily look at all files tells."""
        self.stash.full_import()
        self.hidden = True

    # ---- Stash: files

    @rule(pick=NUMBERS)
    def attach_a_file(self, pick: int) -> None:
        """A scan finds another file of a scene; Plex has it, too."""
        file = self.new_file()
        self.stash.add_to_scene(self.scene(pick).id, file)
        self.plex.scan_in(self.world.video_of(file))
        self.world.rescan()

    @rule(pick=NUMBERS, to=NUMBERS, delete=st.booleans())
    def take_a_secondary_file_away(self, pick: int, to: int, *, delete: bool) -> None:
        """By hand, to another scene or for good: no time moves."""
        scene, other = self.scene_with_files(pick), self.scene(to)
        if len(scene.file_ids) > 1 and delete:
            self.stash.delete_file(scene.file_ids[-1])
        elif len(scene.file_ids) > 1 and scene != other:
            self.stash.assign_file(scene.file_ids[-1], other.id)

    @rule(pick=NUMBERS)
    def make_another_file_the_primary_one(self, pick: int) -> None:
        """Its time moves."""
        scene = self.scene_with_files(pick)
        self.stash.set_primary(scene.id, scene.file_ids[-1])

    @rule(pick=NUMBERS)
    def clean_a_file(self, pick: int) -> None:
        """It is gone from disk: both notice; a scene goes with its last file."""
        scene = self.scene_with_files(pick)
        if len(self.stash.scenes.ids) > FEWEST:
            self.trash(self.world.plex_path(scene.file_ids[0]))
            self.stash.clean_file(scene.file_ids[0])

    @rule(pick=NUMBERS, size=st.integers(10**6, 10**7))
    def rewrite_a_file(self, pick: int, size: int) -> None:
        """Its content changes, both servers notice, and no scene's time moves."""
        path = self.world.plex_path(self.scene(pick).file_ids[0])
        if self.is_single(path) and (key := self.key_of(path)):
            self.stash.rewrite_file(self.scene(pick).file_ids[0], size=size)
            self.plex.rewrite_file(key, size=size)
        self.world.rescan()

    @rule(pick=NUMBERS, rename=st.booleans())
    def move_a_file(self, pick: int, *, rename: bool) -> None:
        """A file moves, both servers notice, and Plex makes a new item of it."""
        file = self.scene(pick).file_ids[pick % len(self.scene(pick).file_ids)]
        folder, _, name = self.stash.path(self.stash.files[file]).rpartition("/")
        moved = f"{folder}/{self.name()} {name}" if rename else f"{folder}/sub/{name}"
        if self.move_in_plex(self.world.plex_path(file), moved.replace("/data/", "/media/")):
            self.stash.move_file(file, moved)
        self.world.rescan()

    @rule(pick=NUMBERS)
    def move_a_folder(self, pick: int) -> None:
        """All below it moves: in Stash not even the files' own times do."""
        folder = self.stash.paths(self.scene(pick).id)[0].rpartition("/")[0]
        target = f"/data/{self.name()}"
        inside = [f"{one.rpartition('/')[0]}/".startswith(f"{folder}/") for one in self.paths()]
        if folder == "/data" or not all(self.is_single(one) for one in self.paths()):
            return
        for path in [one for one, moves in zip(self.paths(), inside, strict=True) if moves]:
            old, new = path.replace("/data/", "/media/"), target + path[len(folder) :]
            self.move_in_plex(old, new.replace("/data/", "/media/"))
        self.stash.rename_folder(folder, target)
        self.world.rescan()

    # ---- Stash: other objects

    @rule(tag=NUMBERS)
    def rename_a_tag(self, tag: int) -> None:
        """No scene's time moves."""
        self.stash.edit_tag(self.row(self.stash.tags, tag), name=self.name())

    @rule(tag=NUMBERS, above=NUMBERS)
    def put_a_tag_below_another(self, tag: int, above: int) -> None:
        """Or below none; never below itself."""
        low, high = self.row(self.stash.tags, tag), self.row(self.stash.tags, above)
        if high not in self.stash.tags_under({low}):
            self.stash.edit_tag(low, parent_ids=(high,) if above % 4 else ())

    @rule(tag=NUMBERS, into=NUMBERS)
    def merge_tags(self, tag: int, into: int) -> None:
        """No time moves at all; and Stash refuses what would end in a circle."""
        source, target = self.row(self.stash.tags, tag), self.row(self.stash.tags, into)
        kin = self.stash.tags_under({source}) | self.stash.tags_under({target})
        if source != target and len(kin) <= 2:
            self.stash.merge_tags([source], target)

    @rule(tag=NUMBERS)
    def delete_a_tag(self, tag: int) -> None:
        """Its links go with it."""
        if len(self.stash.tags.ids) > 2:
            self.stash.delete_tag(self.row(self.stash.tags, tag))

    @rule(who=NUMBERS, into=NUMBERS)
    def rename_merge_or_delete_a_performer(self, who: int, into: int) -> None:
        """One is renamed, becomes another one, or is gone."""
        source = self.row(self.stash.performers, who)
        target = self.row(self.stash.performers, into)
        if into % 3 == 0 or len(self.stash.performers.ids) < FEWEST:
            self.stash.edit_performer(source, name=self.name())
        elif into % 3 == 1 and source != target:
            self.stash.merge_performers([source], target)
        else:
            self.stash.delete_performer(source)

    @rule(which=NUMBERS, parent=NUMBERS)
    def rename_move_or_delete_a_studio(self, which: int, parent: int) -> None:
        """It has another name or another parent, or is gone."""
        studio, above = self.row(self.stash.studios, which), self.row(self.stash.studios, parent)
        if parent % 3 == 0:
            self.stash.edit_studio(studio, name=self.name())
        elif parent % 3 == 1 and above not in self.stash.studios_under({studio}):
            self.stash.edit_studio(studio, parent_id=above)
        elif len(self.stash.studios.ids) > 2:
            self.stash.delete_studio(studio)

    @rule(which=NUMBERS, delete=st.booleans())
    def rename_or_delete_a_group(self, which: int, *, delete: bool) -> None:
        """A film's name changes, or it is gone."""
        group = self.row(self.stash.groups, which)
        if delete and len(self.stash.groups.ids) > 2:
            self.stash.delete_group(group)
        else:
            self.stash.edit_group(group, name=self.name())

    @rule(scene=st.integers(1, 20), kind=st.sampled_from(["Create", "Update", "Destroy", "Merge"]))
    def tell(self, scene: int, kind: str) -> None:
        """Stash's hook leaves a note, true or not."""
        spool = self.world.state_dir / SPOOL
        spool.mkdir(exist_ok=True)
        self.names += 1
        note = spool / f"{self.world.now.timestamp():.0f}000000000-{self.names}.json"
        note.write_text(json.dumps({"id": scene, "type": f"Scene.{kind}.Post"}))

    # ---- Plex

    @rule(pick=NUMBERS, word=WORDS)
    def edit_in_plex(self, pick: int, word: str) -> None:
        """A person or an agent has another word; only a full run looks."""
        key = self.key_of(self.world.plex_path(self.scene(pick).file_ids[0]))
        if key and pick % 2:
            self.plex.edit_by_hand(key, {"title": word, "genre": (word,)})
        elif key:
            self.plex.set_locks(key, locked=())
            self.plex.agent_refresh(key, {"summary": word, "title": word})
        self.drifted = True

    @rule()
    def rescan(self) -> None:
        """Plex scans and finds nothing new."""
        self.world.rescan()

    @rule(pick=NUMBERS)
    def lose_a_file(self, pick: int) -> None:
        """Plex cannot see it, and puts its item into the trash."""
        self.trash(self.world.plex_path(self.scene(pick).file_ids[0]))

    @rule(pick=NUMBERS)
    def find_a_file_again(self, pick: int) -> None:
        """Plex empties the trash, sees a file it lacks, and makes a bare item of it."""
        self.plex.empty_trash()
        file = self.scene(pick).file_ids[0]
        if not self.key_of(self.world.plex_path(file)):
            self.plex.scan_in(self.world.video_of(file))
        self.world.rescan()

    @rule()
    def empty_the_trash(self) -> None:
        """Items without their file go."""
        self.plex.empty_trash()

    @rule(pick=NUMBERS, into=NUMBERS)
    def merge_items(self, pick: int, into: int) -> None:
        """Two items become versions of one; a number vanishes."""
        one, other = (self.paths()[n % len(self.paths())] for n in (pick, into))
        keys = [self.key_of(path.replace("/data/", "/media/")) for path in (one, other)]
        if all(keys) and keys[0] != keys[1]:
            self.plex.merge(keys[0], keys[1])
        self.world.rescan()

    @rule(pick=NUMBERS)
    def split_items(self, pick: int) -> None:
        """Each version becomes an item of its own."""
        for path in self.paths():
            key = self.key_of(path.replace("/data/", "/media/"))
            if key and pick % 2 and not self.is_single(path):
                self.plex.split(key)
        self.world.rescan()

    # ---- time and trouble

    @rule(hours=st.integers(-12, 14))
    def change_the_zone(self, hours: int) -> None:
        """Stash writes times of another zone from now on."""
        self.stash.zone = timezone(timedelta(hours=hours))

    @rule(hours=st.sampled_from([1, 30]))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.world.wait(hours)

    @rule(days=st.integers(-400, 400), pick=NUMBERS, word=WORDS)
    def edit_with_a_wrong_clock(self, days: int, pick: int, word: str) -> None:
        """Stash's clock jumps, somebody edits, and it jumps back."""
        moment = self.world.now + timedelta(days=days)
        self.stash.clock = lambda: moment
        self.stash.edit_scene(self.scene(pick).id, title=f"{word} {days}")
        self.stash.clock = lambda: self.world.now

    @rule(nth=st.integers(1, 6), server=st.sampled_from(["stash", "plex"]), lost=st.booleans())
    def fail_somewhere(self, nth: int, server: str, *, lost: bool) -> None:
        """A run with a server that stops working, or loses an answer; what it does is unsaid."""
        wire = self.world.stash_wire if server == "stash" else self.world.plex_wire
        effect = Reset(applied=True) if lost else ErrorStatus(503)
        wire.faults.add(Fault(None, nth, effect, 1 if lost else None))
        self.world.run(RunOptions(force=True))
        wire.faults.clear()
        self.world.wait(30)

    @rule()
    def look_only(self) -> None:
        """A dry run brings the kept list of items up to date, and nothing else."""
        writes = self.plex.writes
        self.world.run(RunOptions(dry_run=True, force=True))
        assert self.plex.writes == writes

    # ---- the law

    @rule()
    def run_and_compare(self) -> None:
        """Plex says what Stash says, by writes each of which changed something."""
        self.check()


Servers.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A failure of twenty steps is read faster than it is shrunk: that takes five minutes.
    phases=(Phase.explicit, Phase.generate),
)
TestServers = Servers.TestCase
