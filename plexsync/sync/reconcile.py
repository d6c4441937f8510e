"""The use cases: reconcile a Stash library onto a Plex library.

One run goes one way: detect what is due, link it to items, read and plan in batches, show, write,
remember. Source: docs/design.md.
"""

from __future__ import annotations

from contextlib import closing
from shlex import quote
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.config.configuration import named_library
from plexsync.errors import LibraryMissingError, UnsafeError
from plexsync.integrations.hook_events import clear_spool
from plexsync.models import SHOW_KINDS, ItemKind, RunHeader, RunSummary
from plexsync.planning.retry_schedule import iso
from plexsync.plex.sections import other_writer
from plexsync.state import Lineage, ReviewQueueWriter, RunKind
from plexsync.sync.connections import for_this_stash
from plexsync.sync.context import RunContext, safety_limits
from plexsync.sync.detection.changes import ChangeDetection, DetectedChanges
from plexsync.sync.detection.glance import Glance
from plexsync.sync.plex_items import Inventory
from plexsync.sync.rows import RowMaker
from plexsync.sync.run_scope import JournalEnd, concluded, journaled, note_proposed, remembered
from plexsync.sync.totals import Totals
from plexsync.text.folding import files_digest
from plexsync.text.nearest import nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from plexsync.config.configuration import Config
    from plexsync.models import Section
    from plexsync.state import Session, State
    from plexsync.sync.detection.detected import Detected
    from plexsync.sync.detection.glance import Unmoved
    from plexsync.sync.ports import Ports, Reporter, RunOptions
    from plexsync.sync.scenes.due_work import DueWork


def run(config: Config, options: RunOptions, ports: Ports, reporter: Reporter) -> RunSummary:
    """Run one reconcile pass; what goes wrong ends in the summary, not in an exception."""
    header = RunHeader(
        run_id=ports.run_id, started_at=iso(ports.now()), dry_run=options.dry_run, full=options.full
    )
    header = replace(header, again=" ".join(map(quote, options.to_write)))
    totals = Totals(reporter, header)
    with (
        concluded(totals, ports, options) as conclusion,
        remembered(config, ports, options) as (state, session),
        closing(_Run(config, options, ports, totals)) as once,
    ):
        if not once.is_over_at_a_glance(state, session):
            once.go(state, session)
    return conclusion.summary


class _Run:
    """One pass, from the first question to the last remembered scene."""

    def __init__(self, config: Config, options: RunOptions, ports: Ports, totals: Totals) -> None:
        self._config = config
        self._options = options
        self._ports = ports
        self._totals = totals
        self._reporter = totals.reporter
        totals.subset = config.plex.subset
        self._work: DueWork | None = None
        self._mark = ""
        self._near: Unmoved | None = None

    def is_over_at_a_glance(self, state: State, session: Session | None) -> bool:
        """Look at both servers from afar; write down a run that found them as they were."""
        glance = Glance(self._config, self._options, self._ports, state)
        look = glance.take()
        self._mark = look.mark if look else ""
        unmoved = glance.unmoved(look) if look and session else None
        if unmoved is None or session is None:
            return False
        if unmoved.edited:
            self._near = unmoved
            return False
        self._end_unmoved(session, unmoved)
        return True

    def go(self, state: State, session: Session | None) -> None:
        """Ask both servers what changed, and see to it."""
        lineage = self._connect(state)
        run = self._context(state, session)
        detection = ChangeDetection(run, self._near.edited if self._near else ())
        self._totals.header = replace(self._totals.header, full=detection.full)
        with self._journaled(session, lineage) as end:
            found = detection.look()
            unsafe = self._guard(run, found.detected)
            if self._has_work(run, found.detected):
                end.held = self._due_work(run).carry_out(found)
            if error := unsafe or found.detected.failure or run.inventory.failure:
                raise error
            if self._keeps_collections(state):
                end.held = self._due_work(run).keep_collections(found) or end.held
            if self._keeps_shows(state):
                end.held = self._due_work(run).keep_shows(found) or end.held
            self._complete(run, detection, found, end)
        if end.complete and session is not None:
            clear_spool(found.spool, self._ports.disk)
        if self._options.save_plan is not None:
            self._due_work(run).write_plan(self._options.save_plan, lineage)
        if end.held is not None:
            raise end.held

    def close(self) -> None:
        """Give back what was held for the run."""
        if self._work is not None:
            self._work.close()

    # ---- asking

    def _context(self, state: State, session: Session | None) -> RunContext:
        """Return what the run is about, once the servers are known."""
        sections = self._ask_sections()
        self._name_strange_libraries(sections)
        if not state.scene_ids():
            self._name_other_writers(sections)
        inventory = Inventory(
            self._ports,
            sections,
            self._totals,
            links=state.links,
            limits=None if self._options.force else safety_limits(self._config, self._options),
        )
        return RunContext(
            config=self._config,
            options=self._options,
            ports=self._ports,
            totals=self._totals,
            state=state,
            session=session,
            sections=sections,
            inventory=inventory,
            rows=RowMaker(
                scene_url=self._ports.stash.scene_url,
                item_url=self._ports.plex.item_url,
                libraries=inventory.libraries,
            ),
        )

    def _connect(self, state: State) -> Lineage:
        """Meet both servers, and make sure that the state is about them."""
        for note in state.notes:
            self._reporter.warn(note)
        stash = self._ports.stash.connect()
        plex = self._ports.plex.connect()
        self._totals.header = replace(self._totals.header, stash=stash, plex=plex)
        self._config, lost = for_this_stash(self._config, self._ports.stash)
        for sentence in lost:
            self._reporter.warn(sentence)
        lineage = Lineage(plex=plex.identity, stash=stash.identity)
        note = state.check_lineage(lineage)
        if note:
            self._reporter.warn(note)
        return lineage

    def _ask_sections(self) -> tuple[Section, ...]:
        """Return the libraries that take part, with a word on those that are changing."""
        if self._near is not None:
            return self._near.sections
        sections = self._ports.plex.sections(self._options.libraries or self._config.plex.libraries)
        if not sections:
            raise LibraryMissingError(
                "Plex has no movie or show library",
                hint="add one in Plex; plexsync writes to what Plex has found there",
            )
        for section in sections:
            if section.refreshing:
                self._reporter.warn(
                    f"Plex is scanning '{section.title}'; what it has not found yet comes next time"
                )
        return sections

    def _name_strange_libraries(self, sections: Sequence[Section]) -> None:
        """Say which libraries with fields of their own Plex does not have."""
        titles = {one.section_id: one.title for one in sections}
        absent = [o.library for o in self._config.libraries if not named_library(o.library, titles)]
        if not absent:
            return
        titles = {one.section_id: one.title for one in self._ports.plex.sections(())}
        for name in absent:
            if not named_library(name, titles):
                near = nearest_name(name, titles.values())
                hint = f"; did you mean {near!r}?" if near else ""
                self._reporter.warn(f"[libraries] Plex has no library {name!r}{hint}")

    def _name_other_writers(self, sections: Sequence[Section]) -> None:
        """Say on a first run which libraries another program writes to."""
        for section in sections:
            if writer := other_writer(section):
                self._reporter.warn(
                    f"'{section.title}' has {writer}, which writes there as well: plexsync adopt "
                    "takes over what it matched"
                )

    # ---- doing

    def _guard(self, run: RunContext, detected: Detected) -> UnsafeError | None:
        """Stop before anything is forgotten where Stash lost more scenes than can be meant.

        A scene that got another id is not lost: its files tell. A dry run forgets nothing: it goes
        on, and says at the end what would have stopped it.

        Raises:
            UnsafeError: that is so.
        """
        gone = set(detected.gone)
        if self._options.force or not gone:
            return None
        here = {files_digest(scene.files) for scene in detected.due if scene.files}
        records = map(run.state.get, gone)
        lost = sum(record is None or record.files not in here for record in records)
        try:
            run.limits().check_gone(lost, len(run.state.scene_ids()))
        except UnsafeError as unsafe:
            if not self._options.dry_run:
                raise
            return unsafe
        return None

    def _has_work(self, run: RunContext, detected: Detected) -> bool:
        """Whether there is anything to do about any scene."""
        if not self._options.partial:
            ReviewQueueWriter(run.trial_queue).clear()
        wanted = self._totals.header.full or self._options.save_plan is not None
        return wanted or detected.concerns_any or run.state.has_unsettled

    def _keeps_collections(self, state: State) -> bool:
        """Whether collections are to be kept by this run."""
        if self._options.partial:
            return False
        kinds = (one.plan.kind for one in state.unsettled)
        return bool(self._config.collections.kinds) or ItemKind.COLLECTION in kinds

    def _keeps_shows(self, state: State) -> bool:
        """Whether shows and seasons are to be kept by this run."""
        if self._options.partial:
            return False
        kinds = {one.plan.kind for one in state.unsettled}
        return self._config.shows.studios or bool(kinds & SHOW_KINDS)

    def _due_work(self, run: RunContext) -> DueWork:
        """Return what deals with the scenes that are due."""
        from plexsync.sync.scenes.due_work import DueWork  # noqa: PLC0415 - most runs have nothing to do

        self._work = self._work or DueWork(run)
        return self._work

    # ---- ending

    def _journaled(
        self, session: Session | None, lineage: Lineage
    ) -> AbstractContextManager[JournalEnd]:
        return journaled(
            self._totals,
            self._ports,
            self._options,
            session=session,
            kind=RunKind.RUN,
            lineage=lineage,
        )

    def _end_unmoved(self, session: Session, unmoved: Unmoved) -> None:
        """Write down a run that found both servers as they were."""
        totals = self._totals
        totals.header = replace(totals.header, stash=unmoved.stash, plex=unmoved.plex)
        totals.waiting, totals.review_waiting = unmoved.waiting, unmoved.review_waiting
        with self._journaled(session, session.state.lineage):
            pass

    def _complete(
        self,
        run: RunContext,
        detection: ChangeDetection,
        found: DetectedChanges,
        end: JournalEnd,
    ) -> None:
        """Say what a run came through with; only a complete one moves what was seen and handled.

        What a limit held back is remembered as due, and the run is complete without it.
        """
        if run.session is None:
            return
        end.complete = found.detected.complete and not self._options.partial
        end.full = self._totals.header.full and end.complete
        if end.complete:
            detection.remember(run.session, found, mark=self._mark)
            end.newest = max(found.detected.newest, run.session.state.newest_updated_at)
        note_proposed(run.session, self._totals, self._config, all_matched=end.full)
