"""The scenes that are due: linked to items, read, planned, shown, written and remembered.

Imported when there is such work: a run that has nothing to do needs none of it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from plexsync.errors import AuthError, ServerError
from plexsync.matcher import collect_answers
from plexsync.models import Outcome, as_problem
from plexsync.output import streams as sinks
from plexsync.planning.desired import unsupported_fields
from plexsync.planning.retry_schedule import has_come
from plexsync.state import ReviewQueueWriter, item_line, write_plan
from plexsync.sync.collections.keeping import CollectionKeeper
from plexsync.sync.collections.outcomes import saved_collection
from plexsync.sync.detection.plex_changes import note_unread
from plexsync.sync.detection.scan_requests import folders_to_scan
from plexsync.sync.execution.executor import Executor
from plexsync.sync.execution.pictures.saved import SavedPictures
from plexsync.sync.execution.reader import settle_unlinked
from plexsync.sync.linking.catalogue import open_catalogue
from plexsync.sync.linking.decider import Decider, match_settings
from plexsync.sync.linking.linker import Linked, Linker
from plexsync.sync.run_scope import note_proposed
from plexsync.sync.scenes.outcomes import SceneOutcomes
from plexsync.sync.scenes.run_items import RunItems
from plexsync.sync.scenes.run_writer import RunWriter
from plexsync.sync.scenes.unmatched import Unwritten
from plexsync.sync.shows.keeping import ShowKeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from plexsync.errors import UnsafeError
    from plexsync.matcher import AllAnswers
    from plexsync.models import ItemKind, RatingKey, Scene, Section
    from plexsync.state import Lineage, SavedItem, SavedPicture
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.changes import DetectedChanges
    from plexsync.sync.detection.detected import Detected
    from plexsync.sync.execution.work import Ready
    from plexsync.sync.rows import Pair

    SavedAs = Callable[[Ready, tuple[SavedPicture, ...]], SavedItem]


class DueWork:
    """What one run does with the scenes it found to be due.

    Args:
        run: what the run is about.
    """

    def __init__(self, run: RunContext) -> None:
        self._run = run
        stash = run.totals.header.stash
        self._catalogue = open_catalogue(
            run.config,
            run.ports.stash,
            (run.ports.cache_dir, run.ports.state_dir),
            stash.identity if stash else "",
            sections=run.inventory.section_ids,
        )
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
        run = self._run
        queue = ReviewQueueWriter(run.trial_queue if run.session is None else run.queue)
        unwritten = Unwritten(run=run, queue=queue)
        synced = frozenset(run.state.claims())  # also those of scenes that are forgotten now
        unwritten.note_absent(found.detected)
        answers = collect_answers(run.state)
        due = _without_ignored(found.detected.due, answers, unwritten)
        self._note_files(due, found.detected)
        linker = self._linker(answers, found)
        pairs, linked = self._link_due(linker, due, unwritten)
        folders = self._folders_to_scan(linked)
        writer = self._writer(linker, found, unwritten, synced)
        try:
            held = writer.write(pairs + linked.pairs, linked)
        finally:
            queue.close()
            self._catalogue.keep()
            for problem in filter(None, (queue.problem, self._catalogue.problem)):
                self._reporter.warn(problem)
        if run.session is not None and not self._options.partial:
            settle_unlinked(run.session, writer.executor.reader, run.planner())
        self._scan(folders)
        return held

    def keep_collections(self, found: DetectedChanges) -> UnsafeError | None:
        """Bring collections in step with the scenes; return the limit that held some back."""
        save = partial(self._save, saved_collection) if self._options.save_plan else None
        return CollectionKeeper(self._run, found.dictionary.present, save).keep()

    def keep_shows(self, found: DetectedChanges) -> UnsafeError | None:
        """Bring shows and seasons in step; return the limit that held some of it back."""
        save = partial(self._save, saved_collection) if self._options.save_plan else None
        return ShowKeeper(self._run, found.dictionary.present, save).keep()

    # ---- what does it

    def _linker(self, answers: AllAnswers, found: DetectedChanges) -> Linker:
        """Return what links scenes to items."""
        match, inventory = self._config.match, self._run.inventory
        return Linker(
            records=self._run.state,
            sections=inventory.section_ids,
            decider=Decider(
                catalogue=self._catalogue,
                rules=self._config.paths,
                settings=match_settings(self._config),
                hashes=inventory.hashes() if match.use_content_hash else None,
                answers=answers,
                libraries=inventory.libraries,
            ),
            strict=match.strict_matching,
            least_low=match.least_low,
            answers=answers,
            broken=found.broken,
            again=found.again,
            void=frozenset(found.detected.strangers.union(found.detected.gone)),
        )

    def _writer(
        self,
        linker: Linker,
        found: DetectedChanges,
        unwritten: Unwritten,
        synced: frozenset[RatingKey],
    ) -> RunWriter:
        """Return what reads, compares and writes pairs."""
        run, planner = self._run, self._run.planner()
        outcomes = SceneOutcomes(run, planner)
        return RunWriter(
            run=run,
            synced=synced,
            equality=planner.equality,
            items=RunItems(
                run,
                outcomes,
                planner=planner,
                observe=found.dictionary.observe,
                shared=found.dictionary.shared,
            ),
            executor=Executor(
                run.ports,
                run.state,
                run.session,
                planner=planner,
                outcomes=outcomes,
                totals=run.totals,
                spare=outcomes.spare,
                save=partial(self._save, outcomes.saved) if self._options.save_plan else None,
            ),
            outcomes=outcomes,
            unwritten=unwritten,
            link_again=lambda scenes: self._link(linker, scenes, (), force=True),
        )

    # ---- a saved plan

    def _save(self, saved_as: SavedAs, ready: Ready) -> None:
        """Put a planned item into the plan, in the words of `saved_as`."""
        pictures = SavedPictures(self._ports.stash, self._ports.plex.pictures)
        saved: tuple[SavedPicture, ...] = ()
        try:
            saved = pictures.save(ready.plan.rating_key, ready.decision.pictures)
        except ServerError as error:
            if self._ports.health.ends_run(error):
                raise
            ready.decision = replace(ready.decision, pictures=(), problem=as_problem(error))
        if saved or ready.plan.changes:
            self._plan.add(item_line(saved_as(ready, saved)))

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

    # ---- linking

    def _note_files(self, due: Sequence[Scene], detected: Detected) -> None:
        """Tell the catalogue what was seen of the scenes' files."""
        left_out = (scene.scene_id for scene, _ in detected.left_out)
        absent = detected.strangers.union(detected.gone, left_out)
        unseen = detected.held or detected.poisoned or self._options.limit is not None
        whole = self._totals.header.full and detected.complete and not unseen
        self._catalogue.note(due, absent, whole=whole and not self._options.scenes)

    def _link_due(
        self, linker: Linker, due: Sequence[Scene], unwritten: Unwritten
    ) -> tuple[list[Pair], Linked]:
        """Return the pairs whose link still holds, and what matching found for the others."""
        session = self._run.session
        pairs, rest = linker.remembered(due)
        linked = self._link(linker, rest, pairs)
        failure = self._run.inventory.failure
        if failure is not None:
            unwritten.note_unlisted(rest, failure)
        if session is not None:
            note_unread(session, [scene.scene_id for scene in rest], linked.unread)
        unwritten.keep_several(linked.pairs)
        self._tell_unsupported(linked)
        return pairs, linked

    def _folders_to_scan(self, linked: Linked) -> tuple[tuple[Section, str], ...]:
        """Where Plex should look for what it lacks, if it may be asked to.

        A scan wakes all that wait for Plex. So that they do not ask for the next one in turn, only
        a scene whose own time has come asks.
        """
        if not self._config.plex.scan or self._options.dry_run or self._options.libraries:
            return ()
        now = self._ports.now()
        state = self._run.state
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
        index = self._run.inventory.index(force=force)
        if index is None:
            return Linked()
        self._reporter.progress(f"matching {len(scenes):,} scenes", 0, None)
        linked = linker.matched(scenes, index.items, taken)
        if linked.proposed:
            self._totals.proposed = linked.proposed
            if self._run.session is not None:
                note_proposed(self._run.session, self._totals, self._config)
        self._totals.learned = linked.learned or self._totals.learned
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


def _without_ignored(
    scenes: Iterable[Scene], answers: AllAnswers, unwritten: Unwritten
) -> list[Scene]:
    """Return the scenes a person does not want left alone; settle the others."""
    due = []
    for scene in scenes:
        reason = answers.ignores(scene)
        if reason is None:
            due.append(scene)
        else:
            unwritten.note_ignored(scene, reason)
    return due
