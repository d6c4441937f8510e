"""Laws of taking back, over random small libraries, edits on both sides, policies and crashes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.filesystem import DISK
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import FaultyDisk, Killed, Strike
from tests.support.world import SocketlessWorld, snapshot_of

FULL = RunOptions(full=True, force=True)
MIX = {Case.SAME: 3.0, Case.TWO_ITEMS: 1.0}
POLICIES = st.sampled_from(["overwrite", "fill", "merge", "keep"])
TEXT_POLICIES = st.sampled_from(["overwrite", "fill", "keep"])


def world(place: str, seed: int, **policies: str) -> SocketlessWorld:
    """Five scenes, some with two items, half of them edited in Plex before."""
    library = make_library(LibrarySpec(seed=seed, scenes=5, mix=MIX, extra_items=0.0, edited=0.5))
    return SocketlessWorld(library, Path(place), PATHS="/data/=/media/", **policies)


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    text=TEXT_POLICIES,
    names=POLICIES,
    lock=st.booleans(),
    replace_tags=st.booleans(),
)
def test_run_and_undo_leave_plex_as_it_was(
    seed: int,
    text: str,
    names: str,
    *,
    lock: bool,
    replace_tags: bool,
) -> None:
    """After one run and after a second one; undo of undo is as after the run, each time."""
    policies = {
        "FIELDS__TITLE": text,
        "FIELDS__SUMMARY": text,
        "FIELDS__TAGS": names,
        "FIELDS__PERFORMERS": names,
        "APPLY__LOCK_FIELDS": str(lock).lower(),
        "APPLY__EMPTY": "clear",
    }
    with TemporaryDirectory() as place, world(place, seed, **policies) as w:
        w.plex.switches.replace_tags = replace_tags
        start = snapshot_of(w)
        w.run()
        first = snapshot_of(w)
        scenes = [scene.id for scene in w.library.stash.scenes]
        w.stash.edit_scenes(scenes[::2], title="Second", tag_ids=(1,), details="")
        w.stash.edit_scenes(scenes[1::2], tag_ids=(2, 3))
        second_run = w.run()
        second = snapshot_of(w)

        if second_run.puts:
            back = w.undo(second_run.summary.header.run_id)
            assert snapshot_of(w) == first
            forth = w.undo(back.summary.header.run_id)
            assert snapshot_of(w) == second
            w.undo(forth.summary.header.run_id)
            assert snapshot_of(w) == first
        w.undo(w.state().runs[0].run_id)
        assert snapshot_of(w) == start
        assert w.run().puts == 0, "nothing comes back by itself"
        w.wait(hours=24 * 8)
        assert w.run().puts == 0, "nor with the full run of the week"


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), by_hand=st.sets(st.integers(0, 4), max_size=3))
def test_what_somebody_changed_since_is_never_touched(seed: int, by_hand: set[int]) -> None:
    """Whatever a person put in after the run is there after the undo, locks and all."""
    with TemporaryDirectory() as place, world(place, seed) as w:
        w.run()
        keys = [keys[0] for keys in w.library.truth.values() if keys]
        theirs = {keys[n] for n in by_hand if n < len(keys)}
        for key in theirs:
            w.plex.edit_by_hand(key, {"title": "By Hand", "summary": "Theirs"})
        w.undo()
        for key in theirs:
            item = w.plex.dump()[key]
            assert item["fields"]["title"] == "By Hand"
            assert item["fields"]["summary"] == "Theirs"
            assert {"title", "summary"} <= set(item["locks"])


def test_undo_killed_at_any_disk_operation_converges_when_repeated() -> None:
    """No old value is lost; the same command again ends it, and nothing comes back by itself."""
    with TemporaryDirectory() as place, world(place, 7) as w:
        start = snapshot_of(w)
        counted = FaultyDisk(DISK)
        w.run()
        target = w.state().runs[-1].run_id
        w.undo(target, disk=counted)
        assert snapshot_of(w) == start
        for strike in (Strike.KILL, Strike.KILL_AFTER, Strike.FULL):
            for at in range(1, counted.operations + 1):
                assert w.run(FULL).count(Outcome.APPLIED)
                target = w.state().runs[-1].run_id
                with suppress(Killed):
                    w.undo(target, disk=FaultyDisk(DISK, at=at, strike=strike))
                ended = w.undo(target)
                assert ended.summary.exit_code == ExitCode.OK
                assert snapshot_of(w) == start, (strike, at)
                assert w.run().puts == 0, (strike, at)


def test_undo_killed_and_followed_by_a_run_claims_nothing_foreign() -> None:
    """The run settles what the undo left open, and neither writes it again nor calls it ours."""
    with TemporaryDirectory() as place, world(place, 7) as w:
        start = snapshot_of(w)
        counted = FaultyDisk(DISK)
        w.run()
        target = w.state().runs[-1].run_id
        w.undo(target, disk=counted)
        for at in range(1, counted.operations + 1):
            w.run(FULL)
            target = w.state().runs[-1].run_id
            with suppress(Killed):
                w.undo(target, disk=FaultyDisk(DISK, at=at, strike=Strike.KILL))
            w.run()
            assert w.undo(target).summary.exit_code == ExitCode.OK
            assert snapshot_of(w) == start, at
            record = w.state().get(next(iter(w.state().scene_ids())))
            assert record is not None
            assert all(link.held and not link.base.keys() & link.held for link in record.links), at


def test_undo_survives_a_server_that_dies_at_any_request() -> None:
    """Before or after a write took effect, the next try ends it."""
    with TemporaryDirectory() as place, world(place, 7) as w:
        start = snapshot_of(w)
        for nth in range(1, 7):
            for effect in (ErrorStatus(503), Reset(applied=True)):
                w.run(FULL)
                target = w.state().runs[-1].run_id
                w.plex_wire.faults.add(Fault("plex.put", nth, effect, None))
                w.undo(target)
                w.plex_wire.faults.clear()
                w.undo(target)
                assert snapshot_of(w) == start, (nth, effect)
                assert w.run().puts == 0
