"""The program, both servers and the disk in one process, so that a fork copies all of them.

Nothing leaves the process but the lock, and a cache that may be lost at any time: requests go to
the simulators by calls, files to a disk in memory. So at any disk operation or request the process
can be forked, and the copy finds out what a crash there comes to.
"""

from __future__ import annotations

import gc
import io
import os
import shutil
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from plexsync.app.explain import find_adoptable
from plexsync.app.retry import retry
from plexsync.models import RunSummary, SceneId
from plexsync.simulators.http.wire import Counters, Effect, SimAdapter, Wired
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.simulators.stash.simulator import StashSimulator
from plexsync.storage.filesystem import Filesystem
from plexsync.storage.history import LAST, read_history
from plexsync.storage.journal import RunKind
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run
from plexsync.sync.replay.apply import ApplyOptions, apply
from plexsync.sync.replay.undo import UndoOptions, undo
from tests.support.disk_faults import MemoryDisk
from tests.support.world import Recorder, Visit, act

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import requests

    from plexsync.config.configuration import Config
    from plexsync.output.streams import Reporter
    from plexsync.simulators.library.pairs import Library
    from plexsync.simulators.plex.build import Snapshot
    from plexsync.sync.ports import Ports
    from tests.support.world import UseCase

Hit = Callable[[str], None]
"""Called at every point at which the program may end, with what comes next."""

_READS = frozenset({"GET", "HEAD"})


class PointDisk(Filesystem):
    """Passes everything on to `disk`, and calls `hit` before each change, and within each write."""

    def __init__(self, disk: Filesystem, hit: Hit) -> None:
        self._disk = disk
        self._hit = hit

    def make_directory(self, path: Path) -> None:
        """See `Filesystem`."""
        self._disk.make_directory(path)

    def names(self, path: Path) -> tuple[str, ...]:
        """See `Filesystem`."""
        return self._disk.names(path)

    def read(self, path: Path) -> BinaryIO:
        """See `Filesystem`."""
        return self._disk.read(path)

    def create(self, path: Path) -> int:
        """See `Filesystem`."""
        self._hit(f"create {path.name}")
        return self._disk.create(path)

    def write(self, handle: int, content: bytes) -> None:
        """See `Filesystem`."""
        half = len(content) // 2
        self._hit("write")
        self._disk.write(handle, content[:half])
        self._hit("half a write")
        self._disk.write(handle, content[half:])

    def truncate(self, handle: int, size_bytes: int) -> None:
        """See `Filesystem`."""
        self._hit("truncate")
        self._disk.truncate(handle, size_bytes)

    def sync(self, handle: int) -> None:
        """See `Filesystem`."""
        self._hit("sync")
        self._disk.sync(handle)

    def close(self, handle: int) -> None:
        """See `Filesystem`."""
        self._disk.close(handle)

    def replace(self, source: Path, target: Path) -> None:
        """See `Filesystem`."""
        self._hit(f"replace {target.name}")
        self._disk.replace(source, target)

    def remove(self, path: Path) -> None:
        """See `Filesystem`."""
        self._hit(f"remove {path.name}")
        self._disk.remove(path)

    def sync_directory(self, path: Path) -> None:
        """See `Filesystem`."""
        self._hit("sync directory")
        self._disk.sync_directory(path)


class HalvedBody(io.BytesIO):
    """An answer that arrives in two halves, with `hit` called between them."""

    def __init__(self, body: bytes, hit: Callable[[], None]) -> None:
        super().__init__(body)
        self._half = len(body) // 2
        self._hit = hit

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what is asked for, over the half of it all in two steps."""
        wanted = len(self.getvalue()) if size is None or size < 0 else size
        first = super().read(min(wanted, max(self._half - self.tell(), 0)))
        if first and self.tell() == self._half:
            self._hit()
        return first + super().read(wanted - len(first))


class PointAdapter(SimAdapter):
    """Serves from a simulator, and calls `hit` before each request and within each answer.

    After a write it also calls `hit` before anything of the answer is there.
    """

    def __init__(self, wired: Wired, hit: Hit, sleep: Callable[[float], None]) -> None:
        super().__init__(wired, sleep=sleep)
        self._hit = hit
        self._asked = ""

    def send(
        self, request: requests.PreparedRequest, *_: object, **options: object
    ) -> requests.Response:
        """Serve one request."""
        what = f"{request.method} {(request.path_url or '').partition('?')[0]}"
        self._asked = what
        self._hit(f"before {what}")
        response = super().send(request, **options)
        if request.method not in _READS and "graphql" not in what:
            self._hit(f"after {what}")
        return response

    def _body(self, body: bytes, effect: Effect | None) -> io.BufferedIOBase:
        """Return the bytes of the answer."""
        if effect is not None:
            return super()._body(body, effect)
        return HalvedBody(body, partial(self._hit, f"half the answer to {self._asked}"))


class OneProcess:
    """Both servers, a disk, a clock, and commands.

    Args:
        library: what the servers start with.
        root: a real directory for the lock and the cache.
        settings: `PLEXSYNC_` variables without the prefix.

    Attributes:
        hit: called at each point; see `Hit`.
        disk: where it is remembered; in memory, unless a process is killed for real.
        wires: what Stash and Plex are reached by.
        open_disk: makes of `disk` and a `Hit` what a command writes to.
        reborn: called at the beginning of each further life.
    """

    def __init__(self, library: Library, root: Path, settings: Mapping[str, str]) -> None:
        self.root = root
        self.settings = dict(settings)
        self.library = library
        self.now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
        self.stash = StashSimulator(library, api_key="stash-key", clock=lambda: self.now)
        self.plex = PlexSimulator(library)
        self.disk: Filesystem = MemoryDisk()
        self.hit: Hit = lambda _: None
        self.open_disk: Callable[[Filesystem, Hit], Filesystem] = PointDisk
        self.reborn: Callable[[OneProcess], object] = lambda _: None
        self.wires = tuple(
            Wired(one, counters=Counters(keep_targets=False)) for one in (self.stash, self.plex)
        )
        self._runs = 0
        self._seconds = 0.0
        self._lives = 0
        self._maker = os.getpid()
        (root / "state").mkdir(exist_ok=True)

    @property
    def state_dir(self) -> Path:
        """What is remembered, on the disk in memory; for the lock a real directory."""
        return self.root / "state"

    @property
    def cache_dir(self) -> Path:
        """What may be lost: every life has its own."""
        return self.root / f"cache-{self._maker}-{self._lives}"

    @property
    def plan(self) -> Path:
        """Where a plan is saved."""
        return self.root / "plan.json"

    def key_of(self, scene: int) -> str:
        """The rating key of the item that shows a scene."""
        (key,) = self.library.truth[str(scene)]
        return key

    def pass_time(self, hours: float) -> None:
        """Let time pass."""
        self.now += timedelta(hours=hours)

    @property
    def stash_wire(self) -> Wired:
        """What Stash is reached by."""
        return self.wires[0]

    @property
    def plex_wire(self) -> Wired:
        """What Plex is reached by."""
        return self.wires[1]

    # ---- commands

    def act(self, use_case: UseCase) -> RunSummary:
        """One use case, a minute after whatever came last."""
        self.now += timedelta(minutes=1)
        self._runs += 1
        environ = {
            "PLEXSYNC_STASH__URL": "http://stash.invalid:9999",
            "PLEXSYNC_STASH__API_KEY": "stash-key",
            "PLEXSYNC_PLEX__URL": "http://plex.invalid:32400",
            "PLEXSYNC_PLEX__TOKEN": self.plex.token,
            "PLEXSYNC_STATE_DIR": str(self.state_dir),
            "CACHE_DIRECTORY": str(self.cache_dir),
        } | {f"PLEXSYNC_{name}": value for name, value in self.settings.items()}
        stash, plex = (PointAdapter(wire, self.at, self._sleep) for wire in self.wires)
        return act(
            Visit(environ=environ, home=self.root, now=self.now, number=self._runs),
            use_case,
            Recorder(),
            disk=self.new_disk(),
            adapters=(stash, plex),
            wire_clock=lambda: self._seconds,
        )

    def _sleep(self, seconds: float) -> None:
        """Let time pass on the clock of the transports."""
        self._seconds += seconds

    def new_disk(self) -> Filesystem:
        """The disk, as one command sees it."""
        return self.open_disk(self.disk, self.at)

    @property
    def memory(self) -> MemoryDisk:
        """The disk, which must be one in memory."""
        assert isinstance(self.disk, MemoryDisk)
        return self.disk

    def at(self, what: str) -> None:
        """Be at a point."""
        self.hit(what)

    def run(self, options: RunOptions | None = None) -> RunSummary:
        """`plexsync run`."""
        chosen = options or RunOptions()
        return self.act(lambda config, ports, reporter: run(config, chosen, ports, reporter))

    def undo(self, target: str = LAST) -> RunSummary:
        """`plexsync undo`."""
        options = UndoOptions(target=target)
        return self.act(lambda config, ports, reporter: undo(config, options, ports, reporter))

    def save_plan(self) -> RunSummary:
        """`plexsync run --save-plan`."""
        return self.run(RunOptions(dry_run=True, save_plan=self.plan))

    def apply(self) -> RunSummary:
        """`plexsync apply`."""
        options = ApplyOptions(file=self.plan)
        return self.act(lambda config, ports, reporter: apply(config, options, ports, reporter))

    def adopt(self) -> RunSummary:
        """`plexsync adopt`."""

        def take_over(config: Config, ports: Ports, reporter: Reporter) -> RunSummary:
            certain = find_adoptable(config, ports).certain
            return run(config, RunOptions(scenes=certain), ports, reporter)

        return self.act(take_over)

    def retry(self, *scenes: int) -> None:
        """`plexsync retry`."""
        self.now += timedelta(minutes=1)
        self._runs += 1
        retry(
            self.state_dir,
            tuple(SceneId(str(scene)) for scene in scenes),
            now=self.now,
            run_id=f"{self.now:%Y%m%dT%H%M%SZ}-{self._runs:04x}",
            disk=self.new_disk(),
        )

    def undo_everything(self) -> None:
        """Take back every run that wrote something, the last one first."""
        for one in read_history(self.state_dir, limit=100, disk=self.disk):
            if one.kind in {RunKind.RUN, RunKind.APPLY} and one.written:
                code = self.undo(one.run_id).exit_code
                assert code in {0, 7}, f"undo of {one.run_id} ends with {code}"

    def shown(self) -> Snapshot:
        """Everything an edit can change."""
        return self.plex.dump()

    # ---- crashes

    def crash(self, disk: Filesystem) -> None:
        """Begin another life with this disk: no lock is held, and the cache is gone."""
        self.disk = disk
        self._maker = os.getpid()
        self._lives += 1
        self.hit = lambda _: None
        with suppress(FileNotFoundError):
            (self.state_dir / "lock").unlink()
        self.reborn(self)

    def keep_cache(self) -> None:
        """Go on in a copy of the process with a copy of the cache."""
        before, self._maker = self.cache_dir, os.getpid()
        if before.is_dir():
            shutil.copytree(before, self.cache_dir)

    def clean(self) -> None:
        """Remove what this life left on the real disk."""
        for life in range(self._lives + 1):
            shutil.rmtree(self.root / f"cache-{self._maker}-{life}", ignore_errors=True)


def fork() -> int:
    """Copy this process as `os.fork` does, but for its threads: none of them is needed.

    Python warns of them, from 3.15 on as an error where warnings are errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_fork(work: Callable[[], Any]) -> tuple[bool, bytes]:
    """Do `work` in a copy of this process.

    Returns:
        Whether it came to its end, and what it returned, as bytes, or how it failed.
    """
    reading, writing = os.pipe()
    child = fork()
    if not child:
        gc.disable()
        good = False
        try:
            printed = work() or b""
            good = True
        except BaseException:  # noqa: BLE001 - whatever it is, the parent has to know
            printed = traceback.format_exc().encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(printed)
        os._exit(0 if good else 1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        printed = pipe.read()
    _, status = os.waitpid(child, 0)
    return status == 0, printed
