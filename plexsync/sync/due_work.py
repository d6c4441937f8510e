"""The scenes that are due: linked to items, read, planned, shown, written and remembered.

Imported when there is such work: a run that has nothing to do needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import AuthError, ServerError
from plexsync.matcher import collect_answers
from plexsync.models import Outcome
from plexsync.output import streams as sinks
from plexsync.planning.desired import unsupported_fields
from plexsync.planning.retry_schedule import has_come
from plexsync.state import ReviewQueueWriter, write_plan
from plexsync.sync.components import RunComponents
from plexsync.sync.detection.plex_changes import note_unread
from plexsync.sync.detection.scan_requests import folders_to_scan
from plexsync.sync.execution.reader import settle_unlinked
from plexsync.sync.execution.unmatched import Unwritten
from plexsync.sync.linking.linker import Linked, Linker
from plexsync.sync.rows import Pair, RowMaker
from plexsync.sync.run_scope import note_proposed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plexsync.errors import UnsafeError
    from plexsync.models import ItemKind, Scene, Section
    from plexsync.state import Lineage, State
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.changes import DetectedChanges
    from plexsync.sync.detection.detector import Detected
    from plexsync.sync.plex_items import Inventory


class DueWork:
    """What one run does with the scenes it found to be due.

    Args:
        run: what the run is about.
    """

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._parts = RunComponents(run)
        self._config = run.config
        self._options = run.options
        self._ports = run.ports
        self._totals = run.totals
        self._reporter = run.totals.reporter
        self._sections = run.sections
        self._plan = sinks.Spool()

    def close(self) -> None:
        """Give back what was held for the run."""
        self._plan.close()

    def carry_out(self, found: DetectedChanges) -> UnsafeError | None:
        """Link, plan, show and write what was found; return the limit that held some of it back."""
        state, session, inventory = self._run.state, self._run.session, self._run.inventory
        detected, parts = found.detected, self._parts
        rows = RowMaker(
            scene_url=self._ports.stash.scene_url,
            item_url=self._ports.plex.item_url,
            libraries={section.section_id: section.title for section in self._sections},
        )
        trial = ReviewQueueWriter(self._run.trial_queue)
        queue = trial if session is None else ReviewQueueWriter(self._run.queue)
        unwritten = Unwritten(
            state=state,
            session=session,
            rows=rows,
            totals=self._totals,
            retry_at=parts.retry_at,
            believe_absence=not self._options.libraries,
            queue=queue,
        )
        synced = frozenset(state.claims())  # also those of scenes that are forgotten now
        unwritten.note_absent(detected)
        answers = collect_answers(state)
        due = []
        for scene in detected.due:
            reason = answers.ignores(scene)
            if reason is None:
                due.append(scene)
            else:
                unwritten.note_ignored(scene, reason)
        linker = parts.linker(
            answers,
            broken=found.broken,
            again=found.again,
            void=detected.strangers.union(detected.gone),
        )
        absent = detected.strangers.union(
            detected.gone, (scene.scene_id for scene, _ in detected.left_out)
        )
        parts.catalogue.note(due, absent, whole=self._is_whole(detected))
        pairs, rest = linker.remembered(due)
        linked = self._link(linker, inventory, rest, pairs)
        if inventory.failure is not None:
            unwritten.note_unlisted(rest, inventory.failure)
        if session is not None:
            note_unread(session, [scene.scene_id for scene in rest], linked.unread)
        unwritten.keep_several(linked.pairs)
        self._tell_unsupported(linked)
        folders = self._folders_to_scan(state, linked)
        writer = parts.writer(
            rows,
            found,
            unwritten,
            lambda scenes: self._link(linker, inventory, scenes, (), force=True),
            self._plan if self._options.save_plan else None,
            synced,
        )
        try:
            held = writer.write(pairs + linked.pairs, linked)
        finally:
            self._put_away(queue)
            parts.catalogue.keep()
            if parts.catalogue.problem:
                self._reporter.warn(parts.catalogue.problem)
        if session is not None and not self._options.partial:
            settle_unlinked(session, writer.executor.reader, self._run.planner())
        self._scan(folders)
        return held

    def write_plan(self, path: Path, lineage: Lineage) -> None:
        """Save what was planned; a run that failed as a whole saves nothing."""
        write_plan(
            path,
            self._plan,
            run_id=self._ports.run_id,
            created_at=self._totals.header.started_at,
            lineage=lineage,
            disk=self._ports.disk,
        )

    def _is_whole(self, detected: Detected) -> bool:
        """Whether all scenes that take part are due."""
        unseen = detected.held or detected.poisoned or self._options.limit is not None
        named = bool(self._options.scenes)
        return self._totals.header.full and detected.complete and not unseen and not named

    def _put_away(self, queue: ReviewQueueWriter) -> None:
        queue.close()
        if queue.problem:
            self._reporter.warn(queue.problem)

    def _folders_to_scan(self, state: State, linked: Linked) -> tuple[tuple[Section, str], ...]:
        """Where Plex should look for what it lacks, if it may be asked to.

        A scan wakes all that wait for Plex. So that they do not ask for the next one in turn, only
        a scene whose own time has come asks.
        """
        if not self._config.plex.scan or self._options.dry_run or self._options.libraries:
            return ()
        now = self._ports.now()
        records = ((one.scene, state.get(one.scene.scene_id)) for one in linked.unmatched)
        asking = (
            scene
            for scene, record in records
            if record is None
            or record.outcome is not Outcome.UNMATCHED
            or has_come(record.due_at, now)
        )
        return folders_to_scan(asking, self._config.paths, self._sections)

    def _scan(self, folders: Sequence[tuple[Section, str]]) -> None:
        """Ask for the scans; one that is refused costs nothing but a word."""
        for section, folder in folders:
            try:
                self._ports.plex.scan(section, folder)
            except AuthError:
                raise
            except ServerError as error:
                self._reporter.warn(f"Plex does not scan '{folder}': {error.message}")
                if self._ports.plex_down():
                    raise

    def _link(
        self,
        linker: Linker,
        inventory: Inventory,
        scenes: Sequence[Scene],
        taken: Sequence[Pair],
        *,
        force: bool = False,
    ) -> Linked:
        """Match `scenes` against what is in Plex; costs nothing when there are none.

        A scene is matched against all libraries or not at all: a rival may be in the one that
        cannot be listed.
        """
        if not scenes or not self._sections:
            return Linked()
        index = inventory.index(force=force)
        if index is None:
            return Linked()
        self._reporter.progress(f"matching {len(scenes):,} scenes", 0, None)
        linked = linker.matched(scenes, index.items, taken)
        if linked.proposed:
            self._totals.proposed = linked.proposed
            if self._run.session is not None:
                note_proposed(self._run.session, self._totals, self._config)
        return linked

    def _tell_unsupported(self, linked: Linked) -> None:
        """Say what Plex does not keep, once: when an item of such a kind is linked first."""
        there = {pair.link.section_id for pair in linked.pairs}
        rules = self._config.field_rules({one.section_id: one.title for one in self._sections})
        lost: dict[ItemKind, dict[str, None]] = {}
        for section in self._sections:
            if section.section_id in there:
                names = unsupported_fields(rules.of(section.section_id), section.kind)
                lost.setdefault(section.kind, {}).update(dict.fromkeys(names))
        for kind, fields in sorted(lost.items()):
            if fields:
                self._reporter.warn(
                    f"Plex keeps no {', '.join(fields)} for {kind}s; not written there"
                )
