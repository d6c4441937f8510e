"""Dependencies of a run: clients, clock, file system, options, and whether servers are well.

An item is at fault where the server did the same for others. A server is at fault where a few items
in a row get the same answer, and none a good one between: then nothing more of that kind is sent,
and no scene is charged with a failed try.
"""

from __future__ import annotations

import time
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.errors import (
    AuthError,
    BadResponseError,
    ExitCode,
    InterruptedRunError,
    ServerError,
    TooLongError,
    TransientError,
)
from plexsync.state import DISK, Filesystem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from plexsync.models import Requests, SceneId
    from plexsync.plex.client import PlexClient
    from plexsync.stash_client import StashClient

IN_A_ROW = 5
"""Items in a row with the same answer that are a server's fault: as many as the transport gives a
server that does not answer."""


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
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
        named = {"--field": self.fields, "--scene": self.scenes, "--library": self.libraries}
        for option, values in named.items():
            words += [word for value in values for word in (option, value)]
        for option, number in (("--limit", self.limit), ("--max-changes", self.max_changes)):
            words += [] if number is None else [option, str(number)]
        words += ["--force"] if self.force else []
        return tuple(words)


# ---- Whether servers are well --------------------------------------------------------------------


class WorkKind(StrEnum):
    """What is asked of Plex about an item."""

    READ = "reads"
    EDIT = "edits"
    PICTURE = "pictures"


class _Row(NamedTuple):
    """The last answers of one kind: how they failed, and how many did so."""

    answer: tuple[str, int]
    items: int


class ServerFaults:
    """Takes the answers of one run."""

    def __init__(self) -> None:
        self._rows: dict[WorkKind, _Row] = {}
        self._proven: Counter[WorkKind] = Counter()
        self._found: dict[WorkKind, ServerError] = {}

    def answered(self, kind: WorkKind) -> None:
        """Note that an item got a good answer, which proves nothing but that."""
        self._rows.pop(kind, None)

    def proven(self, kind: WorkKind) -> None:
        """Note that Plex was seen to do for an item what was asked."""
        self._proven[kind] += 1

    def failed(self, kind: WorkKind, error: ServerError) -> None:
        """Note how Plex refused an item."""
        if isinstance(error, AuthError):
            return
        if isinstance(error, TooLongError) and not error.status:
            return  # this very text is too long: an answer to nothing else
        answer = (error.kind, error.status)
        before = self._rows.get(kind)
        items = before.items + 1 if before and before.answer == answer else 1
        self._rows[kind] = _Row(answer, items)
        if items >= IN_A_ROW:
            self._found.setdefault(kind, _fault(kind, error, items))

    def found(self, error: ServerError) -> None:
        """Note that Plex fails whatever it is asked, so that nothing is an item's own fault."""
        for kind in WorkKind:
            self._found.setdefault(kind, error)

    def of(self, *kinds: WorkKind) -> ServerError | None:
        """Return the fault found in one of `kinds`, or in any when none is named."""
        return next((self._found[one] for one in kinds or WorkKind if one in self._found), None)

    def is_items_own(self, kind: WorkKind) -> bool:
        """Whether a failure is the item's: Plex did the same for another one in this run."""
        return self._proven[kind] > 0 and kind not in self._found

    def check_denied(self, denied: int) -> None:
        """Hold that Plex knows most of the items it has just listed.

        Args:
            denied: items it listed, and did not know right after.

        Raises:
            BadResponseError: it denies more than it shows.
        """
        if denied <= max(self._proven[WorkKind.READ], 1):
            return
        raise BadResponseError(
            f"Plex lists {denied} items and says of each that it is not there",
            hint="its database or a proxy before it is not well: see the log of Plex, and whether "
            "[plex] url leads to Plex itself; nothing is forgotten, and the next run tries again",
        )


def _fault(kind: WorkKind, error: ServerError, items: int) -> ServerError:
    """Return the error a run ends with."""
    made = TransientError if isinstance(error, TransientError) else BadResponseError
    return made(
        f"Plex, or a proxy before it, gives {items} items in a row the same answer to {kind}: "
        f"{error.message}",
        context=error.context,
        hint=f"nothing more was sent, no scene is charged with it, and the next run goes on; "
        f"{error.hint}",
    )


# ---- The world -----------------------------------------------------------------------------------


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The world a run lives in, composed by the command line, and whether it is of use to go on.

    Args:
        stash: where metadata comes from.
        plex: where it goes.
        requests: how many requests were sent so far.
        state_dir: what is remembered between runs.
        cache_dir: what may be deleted at any time.
        now: the clock; aware UTC.
        run_id: this run's name, unique and sortable by time.
        should_stop: True once the run is asked to end.
        plex_down: True once Plex failed so often that no further request is worth sending.
        stash_down: the same of Stash.
        faults: tells a server's fault from an item's, by all answers of the run.
        stop_code: what the process ends with once it is asked to end.
        disk: how files are read and written.
        confirm: asks a person whether so many items are to be written; needed with `ask` only.
        sleep: lets so many seconds pass.
        monotonic: seconds on a clock that is never set.
    """

    stash: StashClient
    plex: PlexClient
    requests: Callable[[], Requests]
    state_dir: Path
    cache_dir: Path
    now: Callable[[], datetime]
    run_id: str
    should_stop: Callable[[], bool]
    plex_down: Callable[[], bool]
    stash_down: Callable[[], bool] = lambda: False
    faults: ServerFaults = msgspec.field(default_factory=ServerFaults)
    stop_code: Callable[[], ExitCode] = lambda: ExitCode.INTERRUPTED
    disk: Filesystem = DISK
    confirm: Callable[[int], bool] = lambda _items: False
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

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

    def ends(self, kind: WorkKind) -> bool:
        """Return whether nothing more of a kind is sent: the run is to end, or Plex refuses it."""
        return self.should_stop() or self.faults.of(kind) is not None

    def plex_given_up(self) -> bool:
        """Return whether nothing more is read from Plex or edited there."""
        return self.plex_down() or self.faults.of(WorkKind.READ, WorkKind.EDIT) is not None

    def servers_down(self) -> bool:
        """Return whether one of the two servers was given up."""
        return self.plex_given_up() or self.stash_down()

    def ends_run(self, error: ServerError) -> bool:
        """Return whether nothing more can be done after `error`."""
        return isinstance(error, AuthError) or self.servers_down()

    def raise_if_over(self, error: ServerError) -> None:
        """Raise `error` if nothing more can be done after it."""
        if self.ends_run(error):
            raise error
