"""Dependencies of a run: clients, reporter, clock, file system, options."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.errors import AuthError, ExitCode, InterruptedRunError, ServerError
from plexsync.state import DISK, Filesystem
from plexsync.sync.server_faults import ServerFaults, WorkKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from plexsync.models import Requests, SceneId
    from plexsync.plex.client import PlexClient
    from plexsync.stash_client import StashClient


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line asks of one run.

    Args:
        dry_run: change nothing in Plex and remember nothing; only the cache may be written.
        full: look at every scene and every linked item.
        scenes: look at just these.
        libraries: only these Plex libraries, instead of the configured ones.
        limit: at most so many scenes; the others stay due.
        max_changes: instead of the configured limit.
        force: pass the safety limits.
        detailed_exitcode: say by exit code whether there were changes.
        lock_wait_s: how long to wait for another run, in seconds.
        ask: have a person confirm what is shown before anything is written.
        save_plan: where to save what a dry run would write; None for nowhere.
        take_over: Stash has the last word for once, over what was typed by hand or by another
            program; goes with `full`.
        fields: only in these fields; none for all.
        watched: a person waits for the run, so it looks at every scene's version; see `glance`.
    """

    dry_run: bool = False
    full: bool = False
    scenes: tuple[SceneId, ...] = ()
    libraries: tuple[str, ...] = ()
    limit: int | None = None
    max_changes: int | None = None
    force: bool = False
    detailed_exitcode: bool = False
    lock_wait_s: float = 0.0
    ask: bool = False
    save_plan: Path | None = None
    take_over: bool = False
    fields: tuple[str, ...] = ()
    watched: bool = True

    @property
    def partial(self) -> bool:
        """Whether this run leaves scenes out that are due all the same."""
        return bool(self.scenes or self.libraries or self.limit is not None)

    @property
    def to_write(self) -> tuple[str, ...]:
        """The command that writes what a dry run with these options showed, and nothing else."""
        if self.save_plan is not None:
            return ("plexsync", "apply", str(self.save_plan))
        words = ["plexsync", "run"]
        words += ["--full"] if self.full and not self.take_over else []
        words += ["--take-over"] if self.take_over else []
        for name in self.fields:
            words += ["--field", name]
        for scene_id in self.scenes:
            words += ["--scene", scene_id]
        for name in self.libraries:
            words += ["--library", name]
        for option, number in (("--limit", self.limit), ("--max-changes", self.max_changes)):
            words += [] if number is None else [option, str(number)]
        words += ["--force"] if self.force else []
        return tuple(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHealth:
    """Whether it is of any use to go on.

    Args:
        should_stop: True once the run is asked to end.
        plex_down: True once Plex failed so often that no further request is worth sending.
        stash_down: the same of Stash.
        faults: tells a server's fault from an item's.
        stop_code: what the process ends with once it is asked to end.
    """

    should_stop: Callable[[], bool]
    plex_down: Callable[[], bool]
    stash_down: Callable[[], bool]
    faults: ServerFaults = field(default_factory=ServerFaults)
    stop_code: Callable[[], ExitCode] = lambda: ExitCode.INTERRUPTED

    def check(self) -> None:
        """Return unless the run is asked to end.

        Raises:
            InterruptedRunError: it is.
        """
        if stopped := self.interruption():
            raise stopped

    def interruption(self) -> InterruptedRunError | None:
        """Return what the run ends with if it is asked to end."""
        return InterruptedRunError(self.stop_code()) if self.should_stop() else None

    def servers_down(self) -> bool:
        """Return whether one of the two servers was given up."""
        return self.plex_down() or self.stash_down()

    def ends_run(self, error: ServerError) -> bool:
        """Return whether nothing more can be done after `error`."""
        return isinstance(error, AuthError) or self.servers_down()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world a run lives in, composed by the command line.

    Args:
        stash: where metadata comes from.
        plex: where it goes.
        requests: how many requests were sent so far.
        plex_down: True once Plex failed so often that no further request is worth sending.
        stash_down: the same of Stash.
        state_dir: what is remembered between runs.
        cache_dir: what may be deleted at any time.
        now: the clock; aware UTC.
        should_stop: True once the run is asked to end.
        stop_code: what the process ends with then.
        run_id: this run's name, unique and sortable by time.
        sleep: lets so many seconds pass.
        monotonic: seconds on a clock that is never set.
        disk: how files are read and written.
        confirm: asks a person whether so many items are to be written; needed with `ask` only.
        faults: tells a server's fault from an item's, by all answers of the run.
    """

    stash: StashClient
    plex: PlexClient
    requests: Callable[[], Requests]
    plex_down: Callable[[], bool]
    state_dir: Path
    cache_dir: Path
    now: Callable[[], datetime]
    should_stop: Callable[[], bool]
    run_id: str
    stash_down: Callable[[], bool] = lambda: False
    disk: Filesystem = DISK
    confirm: Callable[[int], bool] = lambda _items: False
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    faults: ServerFaults = field(default_factory=ServerFaults)
    stop_code: Callable[[], ExitCode] = lambda: ExitCode.INTERRUPTED

    @property
    def health(self) -> RunHealth:
        """Whether it is of any use to go on, as one value."""
        faults = self.faults
        return RunHealth(
            should_stop=self.should_stop,
            plex_down=lambda: (
                self.plex_down() or faults.of(WorkKind.READ, WorkKind.EDIT) is not None
            ),
            stash_down=self.stash_down,
            faults=faults,
            stop_code=self.stop_code,
        )
