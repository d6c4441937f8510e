"""A whole world for tests: both simulators on loopback, a state directory, a clock, runs.

Runs go through the real clients and real HTTP; only the clock and the sleeping between retries
are the test's own.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import requests

from plexsync.config.configuration import Config
from plexsync.config.loader import find_config, load_config
from plexsync.models import MatchRow, Preview, Requests, RunHeader, RunSummary, SceneId
from plexsync.output.streams import Reporter
from plexsync.plex.client import PlexClient
from plexsync.plex.connection import plex_headers
from plexsync.simulators.http.wire import ErrorStatus, Fault, LoopbackServer, SimAdapter, Wired
from plexsync.simulators.library.records import PlexVideo
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.simulators.stash.simulator import StashSimulator
from plexsync.stash_client import StashClient
from plexsync.state import load_state
from plexsync.storage.filesystem import DISK, Filesystem
from plexsync.storage.history import LAST
from plexsync.storage.locations import cache_directory, state_directory
from plexsync.sync.ports import Ports, RunOptions
from plexsync.sync.reconcile import run
from plexsync.sync.replay.apply import ApplyOptions, apply
from plexsync.sync.replay.undo import UndoOptions, undo
from plexsync.sync.stash_needs import wanted_of
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import Timing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from requests.adapters import BaseAdapter

    from plexsync.models import Outcome
    from plexsync.simulators.http.messages import SimRequest
    from plexsync.simulators.library.pairs import Library
    from plexsync.state import State

CLIENT_ID = "5f0c8c2e-test"


@dataclass
class Recorder(Reporter):
    """A reporter that keeps everything it receives."""

    headers: list[RunHeader] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    rows: list[MatchRow] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    summaries: list[RunSummary] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)

    def started(self, header: RunHeader) -> None:
        """Keep it."""
        self.headers.append(header)

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Keep the phase, and hold that no step runs past its end."""
        assert total is None or done <= total, (phase, done, total)
        if phase not in self.phases:
            self.phases.append(phase)

    def preview(self, preview: Preview) -> None:
        """Keep it."""
        self.previews.append(preview)

    def row(self, row: MatchRow) -> None:
        """Keep it."""
        self.rows.append(row)

    def warn(self, message: str) -> None:
        """Keep it."""
        self.warnings.append(message)

    def finished(self, summary: RunSummary) -> None:
        """Keep it."""
        self.summaries.append(summary)


@dataclass(frozen=True)
class Ran:
    """What one run did."""

    summary: RunSummary
    rows: tuple[MatchRow, ...]
    preview: Preview | None
    warnings: tuple[str, ...]
    stash: dict[str, int]
    plex: dict[str, int]

    @property
    def puts(self) -> int:
        """Edits that reached Plex."""
        return self.plex.get("plex.put", 0)

    def outcomes(self) -> dict[str, str]:
        """What became of each scene, by id; of a scene with several items, the last."""
        return {row.scene.id: row.outcome.value for row in self.rows}

    def row(self, scene_id: str) -> MatchRow:
        """The only row of a scene."""
        (row,) = [row for row in self.rows if row.scene.id == scene_id]
        return row

    def count(self, outcome: Outcome) -> int:
        """How many rows ended so."""
        return sum(row.outcome is outcome for row in self.rows)


@dataclass(frozen=True)
class Visit:
    """All that one run knows of its world; may be sent to another process.

    Attributes:
        environ: the environment the configuration is read from.
        home: the home directory.
        now: the time, which stands still during the run.
        number: which run of its world this is.
    """

    environ: dict[str, str]
    home: Path
    now: datetime
    number: int


UseCase = Callable[[Config, Ports, Reporter], RunSummary]
"""What is done in a world: a run, an undo."""


def run_once(
    visit: Visit,
    options: RunOptions,
    reporter: Reporter,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    page_size: int = 500,
    disk: Filesystem = DISK,
) -> RunSummary:
    """One run with real clients over real HTTP."""
    return act(
        visit,
        lambda config, ports, reporter: run(config, options, ports, reporter),
        reporter,
        should_stop=should_stop,
        page_size=page_size,
        disk=disk,
    )


def configuration(environ: Mapping[str, str], home: Path) -> Config:
    """Return what file and environment say; while they stay as they are, they are read once."""
    file = find_config(None, environ, home=home)
    read = {name: text for name, text in environ.items() if name != "CACHE_DIRECTORY"}
    return _configuration(
        frozenset(read.items()), home, file.read_bytes() if file.exists() else b""
    )


@lru_cache(maxsize=4)
def _configuration(environ: frozenset[tuple[str, str]], home: Path, _file: bytes) -> Config:
    return load_config(None, dict(environ), home=home)


def act(  # noqa: PLR0913 - the edges of a world, each of which a test may exchange
    visit: Visit,
    use_case: UseCase,
    reporter: Reporter,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    page_size: int = 500,
    disk: Filesystem = DISK,
    sleep: Callable[[float], None] = lambda _: None,
    adapters: tuple[BaseAdapter | None, BaseAdapter | None] = (None, None),
    monotonic: Callable[[], float] = lambda: 0.0,
    wire_clock: Callable[[], float] = time.monotonic,
) -> RunSummary:
    """One use case with real clients over real HTTP, or over adapters of Stash and Plex."""
    config = configuration(visit.environ, visit.home)
    key = config.stash.api_key.reveal() if config.stash.api_key else ""
    token = config.plex.token.reveal()
    chance = random.Random(visit.number).random  # noqa: S311 - jitter, not cryptography
    timing = Timing(sleep=lambda _: None, monotonic=wire_clock, random=chance)
    with (
        Transport(
            config.stash.url,
            name="Stash",
            headers={"ApiKey": key} if key else {},
            secrets=(key,),
            timing=timing,
            adapter=adapters[0],
        ) as stash,
        Transport(
            config.plex.url,
            name="Plex",
            headers=plex_headers(CLIENT_ID, token),
            secrets=(token,),
            timing=timing,
            adapter=adapters[1],
        ) as plex,
    ):
        ports = Ports(
            stash=StashClient(
                stash,
                url=config.stash.url,
                wanted=wanted_of(config),
            ),
            plex=PlexClient(plex, url=config.plex.url, page_size=page_size),
            requests=lambda: Requests(
                stash=stash.reads + stash.writes,
                plex_reads=plex.reads,
                plex_writes=plex.writes,
            ),
            plex_down=lambda: plex.down,
            stash_down=lambda: stash.down,
            state_dir=state_directory(visit.environ),
            cache_dir=cache_directory(visit.environ),
            now=lambda: visit.now,
            should_stop=should_stop,
            run_id=f"{visit.now:%Y%m%dT%H%M%SZ}-{visit.number:04x}",
            disk=disk,
            sleep=sleep,
            monotonic=monotonic,
        )
        return use_case(config, ports, reporter)


class World:
    """Both servers, and a place to remember.

    Args:
        library: what they start with.
        directory: for state and cache.
        settings: `PLEXSYNC_` variables without the prefix, as the configuration reads them.
    """

    def __init__(self, library: Library, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.settings = settings
        self.now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
        self.library = library
        self.meanwhile: Callable[[], object] = lambda: None
        self.monotonic: Callable[[], float] = lambda: 0.0
        self.stash = StashSimulator(library, api_key="stash-key", clock=lambda: self.now)
        self.plex = PlexSimulator(library)
        self.stash_wire = Wired(self.stash)
        self.plex_wire = Wired(self.plex)
        self._stack = ExitStack()
        self._runs = 0
        self.stash_url = ""
        self.plex_url = ""

    def __enter__(self) -> Self:
        """Start both servers."""
        self.stash_url = self._stack.enter_context(LoopbackServer(self.stash_wire)).url
        self.plex_url = self._stack.enter_context(LoopbackServer(self.plex_wire)).url
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop both servers."""
        self._stack.close()

    def adapters(self) -> tuple[BaseAdapter | None, BaseAdapter | None]:
        """What leads to Stash and Plex, if not the network."""
        return None, None

    @property
    def state_dir(self) -> Path:
        """What is remembered."""
        return self.directory / "state"

    @property
    def cache_dir(self) -> Path:
        """What may be deleted."""
        return self.directory / "cache"

    def environ(self, **settings: str) -> dict[str, str]:
        """The environment a run finds."""
        found = {
            "PLEXSYNC_STASH__URL": self.stash_url,
            "PLEXSYNC_STASH__API_KEY": "stash-key",
            "PLEXSYNC_PLEX__URL": self.plex_url,
            "PLEXSYNC_PLEX__TOKEN": self.plex.token,
            "PLEXSYNC_STATE_DIR": str(self.state_dir),
            "CACHE_DIRECTORY": str(self.cache_dir),
            # Pictures have tests of their own; everywhere else they would only add requests.
            "PLEXSYNC_FIELDS__POSTER": "off",
        }
        both = {**self.settings, **settings}
        return found | {f"PLEXSYNC_{name}": value for name, value in both.items()}

    def config(self, **settings: str) -> Config:
        """The configuration of the next run."""
        return load_config(None, self.environ(**settings), home=self.directory)

    def run(
        self,
        options: RunOptions | None = None,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        page_size: int = 500,
        disk: Filesystem = DISK,
        **settings: str,
    ) -> Ran:
        """One run, a minute after the last one."""
        return self.act(
            lambda config, ports, reporter: run(config, options or RunOptions(), ports, reporter),
            should_stop=should_stop,
            page_size=page_size,
            disk=disk,
            **settings,
        )

    def undo(
        self,
        target: str = LAST,
        *,
        dry_run: bool = False,
        scenes: tuple[SceneId, ...] = (),
        fields: tuple[str, ...] = (),
        should_stop: Callable[[], bool] = lambda: False,
        disk: Filesystem = DISK,
    ) -> Ran:
        """One undo, a minute after whatever came last."""
        options = UndoOptions(target=target, dry_run=dry_run, scenes=scenes, fields=fields)
        return self.act(
            lambda config, ports, reporter: undo(config, options, ports, reporter),
            should_stop=should_stop,
            disk=disk,
        )

    def apply(
        self,
        file: Path,
        *,
        dry_run: bool = False,
        should_stop: Callable[[], bool] = lambda: False,
        disk: Filesystem = DISK,
    ) -> Ran:
        """Apply a saved plan, a minute after whatever came last."""
        options = ApplyOptions(file=file, dry_run=dry_run)
        return self.act(
            lambda config, ports, reporter: apply(config, options, ports, reporter),
            should_stop=should_stop,
            disk=disk,
        )

    def act(
        self,
        use_case: UseCase,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        page_size: int = 500,
        disk: Filesystem = DISK,
        **settings: str,
    ) -> Ran:
        """One use case, a minute after the last one."""
        self.stash_wire.counters.clear()
        self.plex_wire.counters.clear()
        recorder = Recorder()
        summary = act(
            self.next_visit(**settings),
            use_case,
            recorder,
            should_stop=should_stop,
            page_size=page_size,
            disk=disk,
            sleep=self._sleep,
            adapters=self.adapters(),
            monotonic=self.monotonic,
        )
        assert recorder.summaries == [summary]
        return Ran(
            summary=summary,
            rows=tuple(recorder.rows),
            preview=recorder.previews[0] if recorder.previews else None,
            warnings=tuple(recorder.warnings),
            stash=self.stash_wire.counters.by_kind(),
            plex=self.plex_wire.counters.by_kind(),
        )

    def next_visit(self, **settings: str) -> Visit:
        """What the next run needs to know of this world, a minute after the last one."""
        self.now += timedelta(minutes=1)
        self._runs += 1
        return Visit(
            environ=self.environ(**settings),
            home=self.directory,
            now=self.now,
            number=self._runs,
        )

    def refuse_edits(self, rating_key: str, status: int = 500) -> None:
        """Have Plex refuse every edit of one item, show or collection, and of no other."""
        self.plex_wire.faults.add(
            Fault(
                "plex.put",
                1,
                ErrorStatus(status),
                times=None,
                match=lambda one: edited_keys(one) == (rating_key,),
            )
        )

    def shown(self, rating_key: str, name: str) -> str:
        """What Plex holds in a text field, by Plex's own name for it."""
        fields = self.plex.dump()[rating_key]["fields"]
        assert isinstance(fields, dict)
        return str(fields.get(name, ""))

    def tags(self, rating_key: str, kind: str) -> tuple[str, ...]:
        """What Plex holds in a list, by Plex's own name for it."""
        tags = self.plex.dump()[rating_key]["tags"]
        assert isinstance(tags, dict)
        return tuple(name for name, *_ in tags.get(kind, ()))

    def key_of(self, scene_id: str) -> str:
        """The rating key of the one item that truly shows a scene."""
        (key,) = self.library.truth[scene_id]
        return key

    def exchange_file(self, rating_key: str, path: str) -> None:
        """Plex holds another video under a rating key, as after a restored database."""
        video = next(v for v in self.library.plex.videos if str(v.rating_key) == rating_key)
        old = video.media[0]
        part = replace(old.parts[0], file=path, size=1_234_567, oshash=7, duration_ms=61_000)
        self.plex.remove_item(rating_key)
        self.plex.add_item(replace(video, media=(replace(old, parts=(part,), duration_ms=61_000),)))

    def plex_path(self, file_id: int) -> str:
        """Where Plex should see a file of Stash's."""
        return self.stash.path(self.stash.files[file_id]).replace("/data/", "/media/")

    def video_of(self, file_id: int, title: str = "new") -> PlexVideo:
        """What Plex makes of a file of Stash's: an item that knows the file and nothing else."""
        file = self.stash.files[file_id]
        like = self.library.plex.videos[0]
        number, duration_ms = 990_000 + file_id, round(file.duration * 1000)
        part = replace(
            like.media[0].parts[0],
            id=number,
            file=self.plex_path(file_id),
            size=file.size,
            oshash=file.oshash,
            duration_ms=duration_ms,
        )
        media = replace(like.media[0], id=number, parts=(part,), duration_ms=duration_ms)
        return PlexVideo(rating_key=0, section_id=like.section_id, title=title, media=(media,))

    def scan_in(self, scene_id: str) -> str:
        """Plex scans and finds a scene's file that it did not have; returns its rating key."""
        file_id = self.stash.scene(scene_id).file_ids[0]
        video = self.video_of(file_id)
        self.plex.stage_item(video)
        section = f"/library/sections/{video.section_id}/refresh"
        headers = {"X-Plex-Token": self.plex.token}
        requests.get(f"{self.plex_url}{section}", headers=headers, timeout=120).raise_for_status()
        return self.plex.key_of(self.plex_path(file_id))

    def rescan(self) -> None:
        """Plex ends a scan of every library."""
        for section in self.library.plex.sections:
            self.plex.set_refreshing(section.id, refreshing=False)

    def _sleep(self, seconds: float) -> None:
        """Time passes during a run, and something may happen meanwhile."""
        self.now += timedelta(seconds=seconds)
        self.meanwhile()

    def wait(self, hours: float) -> None:
        """Let time pass."""
        self.now += timedelta(hours=hours)

    def state(self) -> State:
        """What is remembered now."""
        return load_state(self.state_dir)


class SocketlessWorld(World):
    """A world with servers that are called: for laws over many runs, which are not about HTTP."""

    def __enter__(self) -> Self:
        """Name both servers."""
        self.stash_url, self.plex_url = "http://stash.invalid:9999", "http://plex.invalid:32400"
        return self

    def adapters(self) -> tuple[BaseAdapter | None, BaseAdapter | None]:
        """What leads to Stash and Plex."""
        return SimAdapter(self.stash_wire), SimAdapter(self.plex_wire)


def snapshot_of(world: World) -> dict[str, object]:
    """Everything an edit can change in Plex; the order of tags means nothing to it."""
    return {
        key: (
            item["fields"],
            {kind: sorted(tags) for kind, tags in item["tags"].items() if tags},
            item["photos"],
            item["locks"],
            item["rating"],
        )
        for key, item in world.plex.dump().items()
    }


def scene_ids(*ids: int | str) -> tuple[SceneId, ...]:
    """Ids as the command line gives them."""
    return tuple(SceneId(str(one)) for one in ids)


def stops_after(times: int) -> Callable[[], bool]:
    """A `should_stop` that says yes once it was asked more than `times` times."""
    asked = itertools.count(1)
    return lambda: next(asked) > times


def assert_quiet(ran: Ran) -> None:
    """The run looked at no scene."""
    assert ran.rows == ()
    assert ran.puts == 0


def edited_keys(request: SimRequest) -> tuple[str, ...]:
    """The items an edit names, in its path or in its query."""
    named = request.argument("id") or request.path.rpartition("/")[2]
    return tuple(named.split(","))
