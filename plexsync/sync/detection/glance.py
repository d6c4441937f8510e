"""A look at both servers from afar: where nothing moved, a run that nobody watches is over.

It costs one request to each server, whatever the library. What it cannot see is found by the next
look at every scene's version, `run.sweep_every` later. Source: docs/detection.md, "From afar".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.errors import AuthError, PlexsyncError, ServerError
from plexsync.integrations.hook_events import read_spool
from plexsync.models import Outcome
from plexsync.planning.retry_schedule import has_come, is_past
from plexsync.state import ENDED_WELL, RunKind
from plexsync.sync.detection.changes import seen_at_once
from plexsync.sync.detection.plex_changes import KEY, Seen, read_unread

if TYPE_CHECKING:
    from plexsync.config.configuration import Config
    from plexsync.models import SceneRecord, Server
    from plexsync.stash_client import StashLook
    from plexsync.state import State
    from plexsync.sync.ports import Ports, RunOptions

SMALL_LIBRARY = 20_000
"""Scenes whose versions every run looks at, unless configured: a few requests."""

_USUAL_S = 3600.0


class Unmoved(NamedTuple):
    """Both servers as they are, and how many scenes wait for a later try."""

    stash: Server
    plex: Server
    waiting: int
    review_waiting: int


@dataclass(frozen=True, slots=True)
class Glance:
    """One run's look from afar.

    Args:
        config: the configuration.
        options: what the command line asks.
        ports: the world.
        state: what earlier runs remember.
    """

    config: Config
    options: RunOptions
    ports: Ports
    state: State

    def take(self) -> StashLook | None:
        """Look at Stash; None where no run goes by such a look, or Stash does not answer it.

        Raises:
            AuthError: Stash refuses us.
        """
        if self.options.partial or self.options.dry_run or not self._every_s:
            return None
        try:
            return self.ports.stash.look()
        except AuthError:
            raise
        except ServerError:
            return None  # whatever it is, the run itself has the words for it

    def unmoved(self, look: StashLook) -> Unmoved | None:
        """Return what is known of servers where nothing moved; None if anything has to be done."""
        before = self.state.decision(KEY, Seen) or Seen()
        if before.plex is None or before.look != look.mark or not self._may_pass(before):
            return None
        if look.server.identity != self.state.lineage.stash:
            return None
        waiting = self._waiting()
        if waiting is None or not self._is_plex_unmoved(before):
            return None
        return Unmoved(look.server, before.plex, *waiting)

    @property
    def _every_s(self) -> float:
        """Seconds between two looks at all versions; 0 for every run."""
        configured = self.config.run.sweep_every_s
        if configured is not None:
            return float(configured)
        return _USUAL_S if len(self.state.scene_ids()) > SMALL_LIBRARY else 0.0

    def _may_pass(self, before: Seen) -> bool:
        """Whether this run needs not look at every version by what is remembered alone."""
        options, run, now = self.options, self.config.run, self.ports.now()
        if options.watched or options.full or options.ask:
            return False
        if (
            self.state.notes
            or self.state.has_unsettled
            or read_unread(self.state)
            or self._is_announced()
        ):
            return False
        return not (
            is_past(self._swept_at(), self._every_s, now)
            or is_past(self.state.last_full_at, run.full_every_s, now)
            or is_past(before.files_at, run.files_every_s, now)
        )

    def _is_announced(self) -> bool:
        """Whether the hook noted anything."""
        return bool(read_spool(self.ports.state_dir, self.ports.disk, self.ports.now()).files)

    def _swept_at(self) -> str:
        """When a run last looked at all versions, if nothing but good runs came since; else ""."""
        for run in reversed(self.state.runs):
            if run.kind is not RunKind.RUN or run.exit_code not in ENDED_WELL:
                return ""
            if run.counts.scenes_read:
                return run.started_at
        return ""

    def _waiting(self) -> tuple[int, int] | None:
        """Return how many scenes wait, and how many of them for a person; None if one is due.

        The time of a scene without candidate says nothing while Plex is what it was.
        """
        now, waiting, review = self.ports.now(), 0, 0
        for _, record in self.state.waiting():
            if not record.updated_at or (not self._rests(record) and has_come(record.due_at, now)):
                return None
            waiting += 1
            review += record.outcome is Outcome.REVIEW
        return waiting, review

    def _rests(self, record: SceneRecord) -> bool:
        """Whether only a change in Plex can settle a scene; see `is_due`."""
        unmatched = record.outcome is Outcome.UNMATCHED and bool(record.due_at)
        return unmatched and not self.config.plex.scan

    def _is_plex_unmoved(self, before: Seen) -> bool:
        """Whether Plex's libraries are those that were seen, and show no change that matters."""
        try:
            sections = self.ports.plex.sections(self.config.plex.libraries)
        except PlexsyncError:
            return False
        now = seen_at_once(self.config, sections)
        if replace(now, counters="") != replace(
            before, items="", counters="", files_at="", look="", plex=None
        ):
            return False
        if any(section.refreshing for section in sections):
            return False
        return now.counters == before.counters or not self._one_has_come()

    def _one_has_come(self) -> bool:
        """Whether the time of a scene without candidate has come."""
        now = self.ports.now()
        return any(
            record.outcome is Outcome.UNMATCHED and has_come(record.due_at, now)
            for _, record in self.state.waiting()
        )
