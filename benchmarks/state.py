"""What the state costs at 100,000 scenes, beside the floors nobody can go below.

Run it with `python benchmarks/state.py [SCENES]`. Each time is CPU seconds of this process, the
best of three. Floors: reading the bytes, and one walk of a JSON parser over them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import deque
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from plexsync.models import (
    Base,
    Change,
    Counts,
    ItemKind,
    ItemPlan,
    Link,
    Outcome,
    PlexField,
    Policy,
    RatingKey,
    RelatedId,
    SceneId,
    SceneRecord,
)
from plexsync.planning.relations import join_related
from plexsync.state import load_state
from plexsync.storage.checkpoint import Checkpoint, write_checkpoint
from plexsync.storage.journal import DecisionEntry, End, Lineage, Result, RunKind, Settlement
from plexsync.storage.scenes.rows import NAME_PREFIX, STATE_NAME, SceneRows
from plexsync.storage.session import open_session
from plexsync.text.folding import ENTRY_DIGITS, join_entries, list_digest, name_digest
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 22, 8, 32, 54, tzinfo=UTC)


def make_record(number: int, version: str = "2026-11-21T10:00:00Z") -> SceneRecord:
    """A record as an applied scene with seven fields leaves it: eight tags, two performers."""
    studio, first = number % 100, number % 150
    tags = [f"t{one}" for one in range(first, first + 8)]
    performers = [f"p{number % 900}", f"p{number % 700}"]
    link = Link(
        rating_key=RatingKey(str(number + 500_000)),
        section_id="1",
        path=f"/media/scenes/Studio {studio}/Studio - {number} - A Title Of Usual Length.mp4",
        base={
            PlexField.TITLE: Base(digest=_digest(number, 16)),
            PlexField.SUMMARY: Base(digest=_digest(-number, 16)),
            PlexField.DATE: Base(digest=_digest(number % 5000, 16)),
            PlexField.STUDIO: Base(digest=_digest(studio, 16)),
            PlexField.COLLECTIONS: _list_of(f"s{studio}"),
            PlexField.ACTORS: _list_of(*performers),
            PlexField.GENRES: _list_of(*tags),
        },
    )
    return SceneRecord(
        updated_at=version,
        outcome=Outcome.FAILED if number % 100 == 0 else Outcome.APPLIED,
        files=_digest(number + 1, 16),
        desired=_digest(number + 2, 16),
        links=(link,),
        related=join_related({RelatedId(one) for one in (*performers, f"s{studio}", *tags)}),
    )


def _list_of(*objects: str) -> Base:
    """What is remembered of a list of names, all of which are ours."""
    entries = join_entries({name_digest(tag_key(_name(one)), ENTRY_DIGITS) for one in objects})
    return Base(digest=list_digest(entries), entries=entries)


def _name(one: str) -> str:
    return f"Name of {one}"


def make_names() -> dict[str, msgspec.Raw]:
    """What is remembered of the names of all objects."""
    counts = {"t": 160, "p": 900, "s": 100}
    objects = (f"{kind}{number}" for kind, count in counts.items() for number in range(count))
    return {
        f"{NAME_PREFIX}{one}": msgspec.Raw(msgspec.json.encode([_name(one)])) for one in objects
    }


def _digest(number: int, digits: int) -> str:
    """Hex digits that look like no others."""
    return blake2b(str(number).encode(), digest_size=digits // 2).hexdigest()


def make_plan(number: int) -> ItemPlan:
    """A change of one title."""
    change = Change(
        field="title", target=PlexField.TITLE, before="old", after="new", policy=Policy.OVERWRITE
    )
    return ItemPlan(
        scene_id=SceneId(str(number)),
        rating_key=RatingKey(str(number + 500_000)),
        section_id="1",
        kind=ItemKind.MOVIE,
        path=f"/media/scenes/{number}.mp4",
        lock=True,
        changes=(change,),
    )


def measure(name: str, work: Callable[[], object], floor_s: float = 0.0, times: int = 3) -> float:
    """Print the best CPU time of `work`, and how many floors that is."""
    best_s = min(_once(work) for _ in range(times))
    ratio = f"{best_s / floor_s:8.2f} x floor" if floor_s else ""
    print(f"{name:<44}{best_s:8.3f} s{ratio}")
    return best_s


def _once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def run(directory: Path, number: int, scenes: range) -> None:
    """A run that writes and remembers `scenes`, in batches of 100."""
    with open_session(directory, now=NOW) as session:
        session.begin(
            run_id=f"{NOW:%Y%m%dT%H%M%SZ}-{number:04x}",
            kind=RunKind.RUN,
            started_at="2026-11-22T08:32:54Z",
            lineage=Lineage(plex="p", stash="s"),
            version="0",
        )
        for key, value in make_names().items() if session.state.is_new else ():
            session.note(DecisionEntry(key=key, value=value))
        for start in range(scenes.start, scenes.stop, 100):
            batch = range(start, min(start + 100, scenes.stop))
            seqs = session.intend([make_plan(scene) for scene in batch])
            for seq, scene in zip(seqs, batch, strict=True):
                session.note(Result(seq, Settlement.APPLIED))
                session.remember(SceneId(str(scene)), make_record(scene, f"run {number}"))
        session.end(NOW, End(exit_code=0, counts=Counts()))


def peak_of_a_load(directory: Path) -> float:
    """Megabytes a process peaks at that loads the state, over one that only imports it. Linux."""
    code = (
        "import sys; from pathlib import Path; from plexsync.state import load_state; "
        "state = load_state(Path(sys.argv[1])); "
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    peaks_kb = [
        int(subprocess.check_output([sys.executable, "-c", code, str(place)]))
        for place in (directory, directory / "empty")
    ]
    return (peaks_kb[0] - peaks_kb[1]) / 1024


def main() -> None:
    """Measure and print."""
    scenes = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        path = directory / STATE_NAME
        rows, names = SceneRows(), make_names()
        rows.know_names(names)
        for number in range(1, scenes + 1):
            rows.keep(SceneId(str(number)), rows.pack(make_record(number))[0])
        waiting = {SceneId(str(number)) for number in range(100, scenes + 1, 100)}
        checkpoint = Checkpoint(serial=1, waiting=waiting, decisions=names, rows=rows)
        write_checkpoint(path, checkpoint)
        size_bytes = path.stat().st_size
        print(f"{scenes} scenes, {size_bytes / 1e6:.1f} MB in {STATE_NAME}: ", end="")
        print(f"{size_bytes / scenes:.0f} bytes a scene\n")

        read_s = measure("floor: read the bytes", path.read_bytes)
        content = path.read_bytes()
        walk_s = read_s + measure(
            "floor: one parser walk", lambda: msgspec.json.decode(content, type=msgspec.Raw)
        )
        measure("for comparison: json.loads", lambda: json.loads(content), walk_s, times=1)
        print()
        measure("load", lambda: load_state(directory), walk_s)
        state = load_state(directory)
        measure(
            "ask every scene for its version",
            lambda: [state.version(s) for s in state.scene_ids()],
            walk_s,
        )
        measure("claims", state.claims, walk_s)
        measure("waiting (one in a hundred)", lambda: list(state.waiting()), walk_s)
        measure("write the checkpoint", lambda: write_checkpoint(path, checkpoint), walk_s)
        print()
        measure(
            "run of 1 scene, loading included",
            lambda: run(directory, 1, range(1, 2)),
            walk_s,
            times=1,
        )
        measure(
            "run of no scene, loading included",
            lambda: run(directory, 2, range(0)),
            walk_s,
            times=1,
        )
        measure(
            "run of 1 % of the scenes",
            lambda: run(directory, 3, range(1, scenes // 100 + 1)),
            walk_s,
            times=1,
        )
        peak_mb = peak_of_a_load(directory)
        print(f"\npeak memory of a load: {peak_mb:.0f} MB, the file has {size_bytes / 1e6:.0f} MB")
        first = directory / "first"
        print()
        measure(
            "making the records of all scenes",
            lambda: deque(map(make_record, range(1, scenes + 1)), maxlen=0),
            times=1,
        )
        measure(
            "first run of every scene, these included",
            lambda: run(first, 4, range(1, scenes + 1)),
            times=1,
        )
        (first / STATE_NAME).unlink()
        measure("load from its journal alone", lambda: load_state(first), times=1)


if __name__ == "__main__":
    main()
