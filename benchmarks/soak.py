"""Whether runs lose what a person types in Plex meanwhile.

    python -m benchmarks.soak [--scenes 2000] [--rounds 3] [--wait-ms 0 20] [--seed 1]

A process of its own, the person, edits and locks a random field of a random item every 50 ms, while
runs, each a process of its own, write what changed in Stash: every scene gets another title and
text, and all of them one more tag. Some requests fail, some of them after they were carried out,
and each round kills two runs before it lets one end.

The simulated Plex keeps all writes in the order in which it carried them out, so that it is known
of each edit whether a later write of plexsync took it away, and whether plexsync had read the item
since. An edit between the last read of an item and its own write cannot be seen by anybody; how
long that is in milliseconds is printed, too. In the end a full run must name just those fields as
typed by hand that were, and write nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import requests

from benchmarks.incremental import Bench, bench_of, in_step
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plexsync.simulators.http.wire import SimRequest
    from plexsync.simulators.plex.parts import PlexWrite

TEXTS = {
    "title": "title",
    "summary": "summary",
    "studio": "studio",
    "originallyAvailableAt": "date",
}
"""The texts a person edits, by Plex's names, and what plexsync calls them."""

LISTS = ("genre", "actor")
PERIOD_S = 0.05
KILLS_PER_ROUND = 2
_PERSON = "a person"
_FAILING_SHARE = 0.01
_LAST_REQUEST_S = 1.0
"""What a killed person sent last is carried out by then."""


# ---- the person, a process of its own ------------------------------------------------------------


def be_a_person(section: str, keys: list[str], seed: int) -> None:
    """Edit and lock something every 50 ms until killed."""
    url, token = os.environ["PLEXSYNC_PLEX__URL"], os.environ["PLEXSYNC_PLEX__TOKEN"]
    chance = random.Random(seed)
    session = requests.Session()
    session.headers["X-Plex-Token"] = token
    session.headers["User-Agent"] = _PERSON
    session.headers["Accept"] = "application/json"
    number, due = 0, time.monotonic()
    while True:
        number += 1
        key = chance.choice(keys)
        query = {"type": "1", "id": key, "by": _PERSON}
        query |= _edit(partial(_item, session, url, key), chance, number)
        session.put(f"{url}/library/sections/{section}/all", params=query, timeout=60)
        due = max(due + PERIOD_S, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def _item(session: requests.Session, url: str, key: str) -> dict[str, Any]:
    found = session.get(f"{url}/library/metadata/{key}", timeout=60).json()
    item: dict[str, Any] = found["MediaContainer"]["Metadata"][0]
    return item


def _edit(look: Callable[[], dict[str, Any]], chance: random.Random, number: int) -> dict[str, str]:
    """The arguments of one edit: a text, or a name that comes while another one goes."""
    name = chance.choice([*TEXTS, *LISTS])
    lock = {f"{name}.locked": "1"}
    if name == "originallyAvailableAt":
        day = date(1950, 1, 1) + timedelta(days=number)
        return {f"{name}.value": day.isoformat()} | lock
    if name in TEXTS:
        return {f"{name}.value": f"By hand {number}"} | lock
    worn = [one["tag"] for one in look().get("Role" if name == "actor" else "Genre", ())]
    gone = {f"{name}[].tag.tag-": chance.choice(worn)} if worn else {}
    return {f"{name}[0].tag.tag": f"Mine {number}"} | gone | lock


# ---- what happened -------------------------------------------------------------------------------


class Typed(NamedTuple):
    """One edit of a person: where it stands among all writes, of what, and its value."""

    place: int
    key: str
    name: str
    value: str
    gone: str


@dataclass
class Watch:
    """Notes when plexsync reads and writes items.

    Attributes:
        reads: by item, how many writes there were before each read.
        windows_ms: from the last read of an item to its write, of each write.
    """

    bench: Bench
    wait_s: float
    reads: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    windows_ms: list[float] = field(default_factory=list)
    _read_at: dict[str, float] = field(default_factory=dict)

    def note(self, request: SimRequest) -> None:
        """Note a request, and take as long as a slow server does."""
        if self.wait_s:
            time.sleep(self.wait_s)
        kind = self.bench.plex.kind(request)
        if request.headers.get("User-Agent") == _PERSON:
            return
        keys = (request.argument("id") or request.path.rpartition("/")[2]).split(",")
        now = time.monotonic()
        if kind == "plex.detail":
            written = len(self.bench.plex.writes)
            for key in keys:
                self.reads[key].append(written)
                self._read_at[key] = now
        elif kind == "plex.put":
            self.windows_ms += [
                (now - self._read_at[key]) * 1000 for key in keys if key in self._read_at
            ]


def typed_in(writes: tuple[PlexWrite, ...]) -> list[Typed]:
    """The edits of the person among all writes."""
    found = []
    for place, write in enumerate(writes):
        if write.argument("by") != _PERSON:
            continue
        (key,) = write.rating_keys
        for argument, value in write.arguments:
            name, _, kind = argument.partition(".")
            if kind == "value":
                found.append(Typed(place, key, name, value, ""))
            elif kind == "tag.tag":
                list_name = name.removesuffix("[0]")
                gone = write.argument(f"{list_name}[].tag.tag-") or ""
                found.append(Typed(place, key, list_name, value, gone))
    return found


def takes_away(write: PlexWrite, typed: Typed) -> bool:
    """Whether a write undoes an edit."""
    if typed.name in TEXTS:
        return write.argument(f"{typed.name}.value") is not None
    prefix = f"{typed.name}["
    removed = (write.argument(f"{typed.name}[].tag.tag-") or "").split(",")
    added = [v for k, v in write.arguments if k.startswith(prefix) and k.endswith("].tag.tag")]
    return typed.value in removed or bool(typed.gone and typed.gone in added)


class Fate(NamedTuple):
    """What became of the edits: `lost` although plexsync had looked, or `unseen` by anybody."""

    typed: int
    lost: list[Typed]
    unseen: list[Typed]
    live: set[tuple[str, str]]


def fate_of(writes: tuple[PlexWrite, ...], watch: Watch) -> Fate:
    """What became of each edit, until the person edits that field again."""
    edits = typed_in(writes)
    by_key: dict[str, list[int]] = defaultdict(list)
    for place, write in enumerate(writes):
        for key in write.rating_keys:
            by_key[key].append(place)
    lost: list[Typed] = []
    unseen: list[Typed] = []
    live: dict[tuple[str, str], bool] = {}
    for one in edits:
        live[one.key, one.name] = True
        for place in by_key[one.key]:
            if place <= one.place:
                continue
            write = writes[place]
            if write.argument("by") == _PERSON:
                if any(a.startswith((f"{one.name}.", f"{one.name}[")) for a, _ in write.arguments):
                    break
            elif takes_away(write, one):
                looked = any(one.place < before <= place for before in watch.reads[one.key])
                (lost if looked else unseen).append(one)
                live[one.key, one.name] = False
                break
    return Fate(len(edits), lost, unseen, {place for place, stays in live.items() if stays})


# ---- the soak ------------------------------------------------------------------------------------


@contextmanager
def person_at(bench: Bench, seed: int) -> Iterator[None]:
    """Have a person at work meanwhile."""
    videos = bench.library.plex.videos
    started = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.soak", "--person", str(seed)],
        stdin=subprocess.PIPE,
        env={**os.environ, **bench.environ},
        text=True,
    )
    assert started.stdin is not None
    section = str(videos[0].section_id)
    started.stdin.write(json.dumps([section, [str(one.rating_key) for one in videos]]))
    started.stdin.close()
    try:
        yield
    finally:
        assert started.poll() is None, "the person left before the end"
        started.kill()
        started.wait()
        time.sleep(_LAST_REQUEST_S)


def plexsync(bench: Bench, *arguments: str, kill_after_s: float | None = None) -> str:
    """One run in a process of its own; what it printed, or "" when it was killed."""
    with TemporaryDirectory() as scratch:
        printed = Path(scratch) / "printed"
        with printed.open("wb") as out:
            started = subprocess.Popen(
                [sys.executable, "-m", "plexsync", "run", *arguments],
                stdout=out,
                stderr=subprocess.PIPE,
                env={**os.environ, **bench.environ},
            )
            try:
                _, errors = started.communicate(timeout=kill_after_s)
            except subprocess.TimeoutExpired:
                started.send_signal(signal.SIGKILL)
                started.communicate()
                return ""
        # 3: some failed, and are due again.
        if started.returncode not in {0, 3}:
            print(f"  ended with {started.returncode}: {errors.decode()[-400:]}", flush=True)
        return printed.read_text()


def change_stash(bench: Bench, number: int) -> None:
    """Give every scene another title and text, and all of them one more tag."""
    stash = bench.stash
    stash.clock = lambda: datetime.now(UTC) - timedelta(minutes=1)
    tag = stash.add_tag(f"Tag of round {number}")
    for scene in bench.library.stash.scenes:
        tags = (*stash.scene(str(scene.id)).tag_ids, tag)
        words = f"{number} of scene {scene.id}"
        stash.edit_scene(scene.id, title=f"Title {words}", details=f"Text {words}", tag_ids=tags)
    stash.clock = lambda: datetime.now(UTC)


def soak(scenes: int, rounds: int, wait_ms: int, seed: int) -> None:
    """Let runs and a person work, and print what became of the edits."""
    chance = random.Random(seed)
    spec = LibrarySpec(seed=seed, scenes=scenes, mix={Case.SAME: 1.0}, edited=0.0, extra_items=0.0)
    with bench_of(in_step(make_library(spec))) as bench:
        bench.environ |= {"PLEXSYNC_FIELDS__POSTER": "off", "PLEXSYNC_APPLY__MAX_SHARE": "1.0"}
        plexsync(bench)
        watch = Watch(bench, wait_ms / 1000)
        bench.plex_wire.on_request = watch.note
        begun, ended = time.monotonic(), 0
        with person_at(bench, seed):
            for number in range(rounds):
                change_stash(bench, number)
                for effect in (ErrorStatus(503), Reset(applied=True), Reset()):
                    bench.plex_wire.faults.add(
                        Fault("plex.put", 1, effect, None, lambda r: _fails(r, chance))
                    )
                for _ in range(KILLS_PER_ROUND):
                    plexsync(bench, kill_after_s=chance.uniform(1.5, 4.0 + wait_ms / 4))
                plexsync(bench)
                ended += 1
                bench.plex_wire.faults.clear()
                plexsync(bench)
        took_s = time.monotonic() - begun
        bench.plex_wire.on_request = None
        fate = fate_of(bench.plex.writes, watch)
        report(bench, fate, watch, f"{wait_ms} ms a request, {took_s:.0f} s, {rounds} rounds")


def _fails(request: SimRequest, chance: random.Random) -> bool:
    ours = request.headers.get("User-Agent") != _PERSON
    return ours and chance.random() < _FAILING_SHARE / 3


def report(bench: Bench, fate: Fate, watch: Watch, title: str) -> None:
    """Print what became of the edits, and whether a full run tells them from ours."""
    ours = sum(write.argument("by") != _PERSON for write in bench.plex.writes)
    print(f"{title}: {fate.typed} edits by hand, {ours} writes by plexsync")
    print(f"  lost although read since: {len(fate.lost)}; typed in the window: {len(fate.unseen)}")
    for one in (*fate.lost, *fate.unseen)[:10]:
        print(f"    item {one.key}: {one.name} {one.value!r} for {one.gone!r} (write {one.place})")
    steps = quantiles(watch.windows_ms, n=100)
    print(
        f"  from the read of an item to its write: median {steps[49]:.1f} ms, 95 % "
        f"{steps[94]:.1f} ms, 99 % {steps[98]:.1f} ms, most {max(watch.windows_ms):.1f} ms"
    )
    before = len(bench.plex.writes)
    rows = json.loads(plexsync(bench, "--full", "--json"))["matches"]
    named = {(row["item"]["rating_key"], name) for row in rows for name in row["by_hand"]}
    typed = {(key, TEXTS[name]) for key, name in fate.live if name in TEXTS}
    print(
        f"  a full run writes {len(bench.plex.writes) - before}, and names {len(named & typed)} of "
        f"{len(typed)} texts as typed by hand, {len(named - typed)} that were not"
    )
    for key, name in sorted(typed ^ named)[:10]:
        print(f"    item {key}: {name}")


def main() -> None:
    """Measure and print; or be the person."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait-ms", type=int, nargs="+", default=[0, 20])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--person", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.person is not None:
        section, keys = json.load(sys.stdin)
        be_a_person(section, keys, options.person)
    for wait_ms in options.wait_ms:
        soak(options.scenes, options.rounds, wait_ms, options.seed)


if __name__ == "__main__":
    main()
