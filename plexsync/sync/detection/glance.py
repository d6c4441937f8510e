"""A look at both servers from afar: where nothing moved, a run that nobody watches is over.

It costs one request to each server, whatever the library. Where it shows that a few scenes were
edited and nothing else, the run reads just those. What it cannot see is found by the next look at
every scene's version, `run.sweep_every` later. Source: docs/detection.md, "From afar".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plexsync.errors import AuthError, PlexsyncError, ServerError
from plexsync.integrations.hook_events import read_spool
from plexsync.models import Section, Server, source_in
from plexsync.planning.retry_schedule import Backlog, is_kept_due, is_past, is_wait_over
from plexsync.state import ENDED_WELL, RunKind
from plexsync.sync.detection.seen import KEY, Seen, is_list_due, read_unread, seen_at_once

if TYPE_CHECKING:
    from plexsync.stash_client import StashLook, Version
    from plexsync.sync.run_scope import RunScope

SMALL_LIBRARY = 20_000
"""Up to so many scenes every run looks at all versions, unless configured: a few requests."""

_USUAL_S = 3600.0


class Unmoved(NamedTuple):
    """What is known of servers where nothing moved but a few scenes.

    Attributes:
        stash: as it is.
        plex: as it was.
        sections: Plex's libraries.
        backlog: the scenes that wait for a later try.
        edited: those edited last, if any was edited; all others are what they were.
    """

    stash: Server
    plex: Server
    sections: tuple[Section, ...]
    backlog: Backlog
    edited: tuple[Version, ...]


class Glance:
    """One run's look from afar.

    Args:
        scope: the run.
    """

    def __init__(self, scope: RunScope) -> None:
        self._config = scope.config
        self._options = scope.options
        self._ports = scope.ports
        self._state = scope.state

    def take(self) -> StashLook | None:
        """Look at Stash; None where no run goes by such a look, or Stash does not answer it.

        Raises:
            AuthError: Stash refuses us.
        """
        if self._options.partial or self._options.dry_run or not self._every_s:
            return None
        try:
            return self._ports.stash.look()
        except AuthError:
            raise
        except ServerError:
            return None  # whatever it is, the run itself has the words for it

    def unmoved(self, look: StashLook) -> Unmoved | None:
        """Return what is known of servers where nothing moved but scenes; None if more may have."""
        before = self._state.decision(KEY, Seen) or Seen()
        if before.plex is None or not look.is_of(before.look) or not self._may_pass(before):
            return None
        if look.server.identity != self._state.lineage.stash:
            return None
        edited = () if before.look == look.mark else look.edited
        if edited and not (look.lists_all_since(before.look) and self._are_own()):
            return None
        backlog = self._backlog()
        sections = self._unmoved_sections(before) if backlog else None
        if backlog is None or sections is None:
            return None
        return Unmoved(look.server, before.plex, sections, backlog, edited)

    def _are_own(self) -> bool:
        """Whether what is made of an edited scene is its own, and concerns no other one."""
        config = self._config
        return not (
            config.uses_records
            or config.with_namesakes
            or config.stash.organized_only
            or config.participants.with_names
        )

    @property
    def _every_s(self) -> float:
        """Seconds between two looks at all versions; 0 for every run."""
        configured = self._config.run.sweep_every_s
        if configured is not None:
            return float(configured)
        return _USUAL_S if len(self._state.scene_ids()) > SMALL_LIBRARY else 0.0

    def _may_pass(self, before: Seen) -> bool:
        """Whether this run needs not look at every version by what is remembered alone."""
        options, run, now = self._options, self._config.run, self._ports.now()
        return not (
            options.watched
            or options.full
            or options.ask
            or self._state.notes
            or self._state.unsettled
            or read_unread(self._state)
            or read_spool(self._ports.state_dir, self._ports.disk, now).files  # of the hook
            or self._is_one_due()
            or not self._only_good_runs_since(before.swept_at)
            or is_past(before.swept_at, self._every_s, now)
            or is_past(self._state.checkpoint.last_full_at, run.full_every_s, now)
            or is_past(before.files_at, run.files_every_s, now)
        )

    def _is_one_due(self) -> bool:
        """Whether a collection, show or season is to be tried again."""
        kinds, now = self._config.collections.kinds, self._ports.now()
        if self._config.shows.studios and any(
            is_kept_due(record, now) for record in self._state.shows().values() if record.due_at
        ):
            return True
        return bool(kinds) and any(
            is_kept_due(record, now)
            for key, record in self._state.collections().items()
            if (source := source_in(key)) is not None and source.kind in kinds
        )

    def _only_good_runs_since(self, moment: str) -> bool:
        """Whether nothing but runs that ended well began at `moment` and later."""
        return all(
            run.kind is RunKind.RUN and run.exit_code in ENDED_WELL
            for run in self._state.runs
            if run.started_at >= moment
        )

    def _backlog(self) -> Backlog | None:
        """Return the scenes that wait; None if one is due.

        The time of a scene without candidate says nothing while Plex is what it was.
        """
        now, backlog, timed = self._ports.now(), Backlog(), self._config.plex.scan
        for scene_id, record in self._state.waiting():
            if not record.updated_at or is_wait_over(record, now, timed=timed):
                return None
            backlog.add(scene_id, record)
        return backlog

    def _unmoved_sections(self, before: Seen) -> tuple[Section, ...] | None:
        """Return Plex's libraries if they are those that were seen, and no change matters."""
        try:
            sections = self._ports.plex.sections(self._config.plex.libraries)
        except PlexsyncError:
            return None
        now = seen_at_once(self._config, sections)
        if now.rules != before.rules or any(section.refreshing for section in sections):
            return None
        is_due = is_list_due(before, now, self._state.waiting(), self._ports.now())
        return None if is_due else sections
