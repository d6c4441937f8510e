"""What a review costs with 5,000 scenes waiting of 100,000: on a real terminal, as a person has it.

Run it with `python -m benchmarks.review [SCENES [WAITING]]`. `plexsync review` runs in a process of
its own on a pseudo terminal; both servers are away, so that nothing is waited for. CPU seconds and
memory are those of that process, as the system counts them; the wait is from the key to the end of
the screen it brings.
"""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from benchmarks.state import make_record
from plexsync.models import (
    Candidate,
    Confidence,
    Evidence,
    Match,
    Outcome,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)
from plexsync.storage.checkpoint import Checkpoint, write_checkpoint
from plexsync.storage.journal import Lineage
from plexsync.storage.review_queue import ReviewQueueWriter, Waiting, review_queue_path
from plexsync.storage.scenes.rows import STATE_NAME, SceneRows

KEYS = 100
_NOBODY = "http://127.0.0.1:9"
_LONGEST_S = 60.0
_LAST = b"quit"
"""What the last line of a screen ends with."""


def make_waiting(number: int) -> Waiting:
    """A LOW scene; one in ten has three candidates, each of them six pieces of evidence."""
    path = f"/data/Some Studio/2024/Some Studio - {number} - A Title Of Usual Length.mp4"
    evidence = tuple(
        Evidence(name=name, value="equal, a name 1 more file bears", weight=weight)
        for name, weight in (
            ("name", 9.5),
            ("folders", 4.0),
            ("size", 4.0),
            ("frame", 1.0),
            ("duration", -8.0),
            ("prior", -17.0),
        )
    )
    candidates = tuple(
        Candidate(
            rating_key=RatingKey(str(500_000 + number + place)),
            title=f"Some Studio - {number + place} - A Title Of Usual Length",
            scene_path=path,
            item_path=path.replace("/data/", "/media/elsewhere/"),
            score=0.6 - place / 10,
            evidence=evidence,
            library="Films",
        )
        for place in range(1 if number % 200 else 3)
    )
    return Waiting(
        scene=Scene(
            scene_id=SceneId(str(number)),
            title=f"A Title Of Usual Length {number}",
            date="2024-05-01",
            updated_at="2026-11-21T10:00:00Z",
            files=(SceneFile(path=path, size_bytes=700_000_000, duration_s=600.0),),
        ),
        match=Match(
            scene_id=SceneId(str(number)),
            confidence=Confidence.LOW,
            reason="name equal, but the duration differs",
            score=0.6,
            margin=0.1,
            candidates=candidates,
            candidate_count=len(candidates),
        ),
    )


def make_home(directory: Path, scenes: int, waiting: int) -> dict[str, str]:
    """State and cache of somebody who never looked; gives the environment that names them."""
    lineage = Lineage(plex="p", stash="s")
    every = max(scenes // waiting, 1)
    open_ids = [SceneId(str(number)) for number in range(every, scenes + 1, every)][:waiting]
    among = set(open_ids)
    rows = SceneRows()
    for number in range(1, scenes + 1):
        scene_id = SceneId(str(number))
        record = make_record(number)
        if scene_id in among:
            record = msgspec.structs.replace(
                record, outcome=Outcome.REVIEW, links=(), due_at="2027-01-01T00:00:00Z"
            )
        else:
            record = msgspec.structs.replace(record, outcome=Outcome.APPLIED)
        rows.keep(scene_id, rows.pack(record)[0])
    state_dir, cache_dir = directory / "state", directory / "cache"
    state_dir.mkdir(mode=0o700)
    checkpoint = Checkpoint(serial=1, lineage=lineage, waiting=set(open_ids), rows=rows)
    write_checkpoint(state_dir / STATE_NAME, checkpoint)
    shelf = ReviewQueueWriter(review_queue_path(cache_dir, state_dir, lineage))
    for scene_id in open_ids:
        shelf.put(make_waiting(int(scene_id)))
    shelf.close()
    return {
        "PLEXSYNC_STATE_DIR": str(state_dir),
        "CACHE_DIRECTORY": str(cache_dir),
        "PLEXSYNC_STASH__URL": _NOBODY,
        "PLEXSYNC_PLEX__URL": _NOBODY,
        "PLEXSYNC_PLEX__TOKEN": "token",
        "TERM": "xterm",
    }


class ReviewProcess:
    """A person at `plexsync review`, who waits for the end of each screen."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "plexsync", "review"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **environ},
        )
        os.close(slave)

    def waits_for(self, text: bytes) -> None:
        """Read until `text` and the end of its screen."""
        deadline = time.monotonic() + _LONGEST_S
        seen = b""
        while text not in seen or _LAST not in seen[seen.index(text) :]:
            assert time.monotonic() < deadline, seen[-2000:]
            if select.select([self._master], [], [], 1.0)[0]:
                seen += os.read(self._master, 65536)

    def types(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def cpu_s(self) -> float:
        """CPU seconds of the process up to now. Linux."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ends(self) -> None:
        """Wait for the end; what is still printed is read, or the process would wait for it."""
        with suppress(OSError):  # Linux says EIO once nobody has the other end open
            while os.read(self._master, 65536):
                pass
        self.process.wait()
        os.close(self._master)


def main() -> None:
    """Measure and print."""
    scenes = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    waiting = int(sys.argv[2]) if len(sys.argv) > 2 else scenes // 20
    with tempfile.TemporaryDirectory() as name:
        environ = make_home(Path(name), scenes, waiting)
        review = ReviewProcess(environ)
        review.waits_for(b"Review 1 of")
        first_s = review.cpu_s()
        waits = []
        for number in range(2, KEYS + 2):
            start = time.monotonic()
            review.types(b"\x1b[C")
            review.waits_for(b"Review %d of" % number)
            waits.append(time.monotonic() - start)
        shown_s = review.cpu_s()
        start = time.monotonic()
        review.types(b"n")
        review.waits_for(b"u takes it back")
        answer_s = time.monotonic() - start
        answers_s = []
        for _ in range(KEYS):
            start = time.monotonic()
            review.types(b"n")
            review.waits_for(b"u takes it back")
            answers_s.append(time.monotonic() - start)
        review.types(b"qk")
        review.ends()
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{waiting:,} scenes wait of {scenes:,}")
    for name, value, unit in (
        ("first screen", first_s, "s of CPU"),
        ("each next one, from the key, median", 1000 * statistics.median(waits), "ms"),
        ("each next one, from the key, worst", 1000 * max(waits), "ms"),
        ("each next one", 1000 * (shown_s - first_s) / KEYS, "ms of CPU"),
        ("first answer, with lock and state", 1000 * answer_s, "ms"),
        ("each next answer, from the key, median", 1000 * statistics.median(answers_s), "ms"),
        ("peak memory", peak_mb, "MB"),
    ):
        print(f"{name:<40}{value:8.2f} {unit}")


if __name__ == "__main__":
    main()
