"""The scenes that are due, linked to items; those that are written to none are settled."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from plexsync.matcher import answer_key
from plexsync.models import Outcome, Problem, Scene, SceneRecord
from plexsync.planning.desired import unsupported_fields
from plexsync.planning.retry_schedule import WAITING
from plexsync.state import ReviewQueueWriter, Waiting
from plexsync.sync.detection.plex_changes import rouse_heirs
from plexsync.sync.detection.seen import forget_seen, note_unread, read_unread
from plexsync.sync.linking.catalogue import open_catalogue
from plexsync.sync.linking.linker import Linked, Linker, configured_linker
from plexsync.sync.run_scope import note_proposed
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import ItemKind, SceneId
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.detected import Detected
    from plexsync.sync.rows import Pair

_UNKNOWN = SceneRecord(updated_at="", outcome=Outcome.SKIPPED)
"""Stands for the record of a scene of which nothing is remembered."""


class DueWork:
    """Links the scenes that one run found to be due, and settles those that go nowhere.

    Args:
        run: what the run is about.
        found: the scenes.

    Attributes:
        claims: returns the items earlier runs wrote to; it reads every record.
        queue: keeps what was found for the scenes that wait.
        catalogue: knows the scenes that are not due.
    """

    def __init__(self, run: RunContext, found: Detected) -> None:
        self._run = run
        self._found = found
        self.catalogue = open_catalogue(
            run.config,
            run.ports.stash.sweep,
            (run.ports.cache_dir, run.ports.state_dir),
            run.lineage.stash,
            sections=run.inventory.section_ids,
            listed=lambda: run.inventory.edition,
        )
        self._linker = self._make_linker()
        self.queue = ReviewQueueWriter(run.trial_queue if run.options.dry_run else run.queue)
        # Else a scene may have a candidate in a library that was not looked at.
        self._believe_absence = not run.options.libraries
        self._matched: frozenset[SceneId] = frozenset()
        self._former = frozenset(run.state.checkpoint.former)
        self.claims = cache(run.state.claims)
        if found.gone:
            self.claims()  # also those of scenes that are forgotten now

    def link(self) -> Linked:
        """Return the pairs, first those with a link that still holds, and what else matching found.

        Scenes that are not to be linked are settled.
        """
        run = self._run
        self._leave_out_ignored(self._found)
        self._note_absent(self._found)
        self._note_files(self._found)
        pairs, rest = self._linker.remembered(self._found.due)
        linked = self.link_again(rest, pairs)
        if run.inventory.failure is not None:
            # They stay due, also those that are linked already and were to be matched once more.
            for scene in rest:
                self._refuse(scene, Outcome.SKIPPED, run.inventory.failure.message)
        else:
            again = set(linked.unread)
            if not self._found.has_all_due:
                # What is a second file of theirs may still count as that of a scene not looked at.
                again.update(scene.scene_id for scene in rest if len(scene.files) > 1)
            marked = frozenset(filter(self._may_be_linked, read_unread(run.state)))
            self._matched = marked.intersection(one.scene_id for one in rest).difference(again)
            note_unread(run.session, marked | again)
            if rest and run.options.libraries:
                forget_seen(run.session)
        # Of a scene with several files Plex may have found some only.
        for pair in linked.pairs.made() if self._believe_absence else ():
            if pair.match is not None and len(pair.scene.files) > 1:
                self.queue.put(Waiting(scene=pair.scene, match=pair.match))
        self._tell_unsupported(linked)
        linked.pairs.slots[:0] = pairs
        return linked

    def note_written(self) -> None:
        """Note that what was to be matched once more is written: a run may end before that."""
        note_unread(self._run.session, read_unread(self._run.state) - self._matched)

    def rouse_heirs(self) -> None:
        """Have the next run try the scenes that may get an item this run has freed."""
        rouse_heirs(self._run, self._run.state.checkpoint.former.keys() - self._former)

    def _may_be_linked(self, scene_id: SceneId) -> bool:
        """Whether links of a scene may stand; one that takes no part is matched once it does."""
        record = self._run.state.get(scene_id)
        return record is not None and record.outcome is not Outcome.IGNORED

    def _make_linker(self) -> Linker:
        """Return what links scenes to items."""
        found, config, inventory = self._found, self._run.config, self._run.inventory
        return replace(
            configured_linker(
                config,
                self._run.state,
                libraries=inventory.libraries,
                catalogue=self.catalogue,
            ),
            hashes=self._run.hashes() if config.match.use_content_hash else None,
            broken=found.broken,
            again=found.again,
            void=frozenset(found.strangers.union(found.gone)),
            gone=frozenset(found.gone),
        )

    def _leave_out_ignored(self, found: Detected) -> None:
        """Take the scenes a person wants left alone out of what is due."""
        ignores = self._linker.answers.ignores
        if not self._linker.answers.ignored:
            return
        due = []
        for at, scene in enumerate(found.due):
            if (reason := ignores(scene)) is None:
                due.append(at)
            else:
                found.left_out.append((scene, reason))
        found.due = found.due.pick(due)

    def _note_files(self, detected: Detected) -> None:
        """Tell the catalogue what was seen of the scenes' files."""
        left_out = (scene.scene_id for scene, _ in detected.left_out)
        absent = detected.strangers.union(detected.gone, left_out)
        whole = detected.failure is None and detected.has_all_due and self._run.is_full
        self.catalogue.note(detected.due, absent, whole=whole)

    def link_again(
        self, scenes: Sequence[Scene], taken: Sequence[Pair] = (), *, force: bool = False
    ) -> Linked:
        """Match `scenes` against what is in Plex; costs nothing when there are none.

        A scene is matched against all libraries or not at all: a rival may be in the one that
        cannot be listed. `force` has Plex listed afresh.
        """
        if not scenes or not self._run.sections:
            return Linked()
        index = self._run.inventory.index(force=force)
        if index is None:
            return Linked()
        self._run.totals.reporter.progress(f"matching {len(scenes):,} scenes", 0, None)
        linked = self._linker.matched(scenes, index.items, taken)
        if linked.proposed:
            self._run.totals.proposed = linked.proposed
            note_proposed(self._run)
        self._run.totals.learned = linked.learned or self._run.totals.learned
        return linked

    def _tell_unsupported(self, linked: Linked) -> None:
        """Say what Plex does not keep, once: when an item of such a kind is linked first."""
        rules = self._run.config.field_rules(self._run.inventory.libraries)
        names = {
            one.section_id: (one.kind, found)
            for one in self._run.sections
            if (found := unsupported_fields(rules.of(one.section_id), one.kind))
        }
        there, pairs = set[str](), iter(linked.pairs)
        while not names.keys() <= there and (pair := next(pairs, None)):
            there.add(pair.link.section_id)
        lost: dict[ItemKind, dict[str, None]] = {}
        for section_id, (kind, found) in names.items():
            if section_id in there:
                lost.setdefault(kind, {}).update(dict.fromkeys(found))
        for kind, fields in sorted(lost.items()):
            self._run.totals.reporter.warn(
                f"Plex keeps no {', '.join(fields)} for {kind}s; not written there"
            )

    # ---- what is written to no item

    def place(self, one: Waiting, outcome: Outcome) -> None:
        """Settle a scene that waits: for a person, or for Plex to find its file."""
        previous = self._run.state.get(one.scene_id)
        if outcome is Outcome.REVIEW and (previous is None or previous.outcome is not outcome):
            self._run.totals.new_review += 1
        self._run.totals.emit(self._run.rows.unlinked(one.scene, one.match, outcome))
        self._remember(one.scene, outcome)
        if self._believe_absence:
            self.queue.put(one)

    def _note_absent(self, detected: Detected) -> None:
        """Settle the scenes that are not to be linked: gone, left out, or unreadable."""
        session = self._run.session
        for scene_id in detected.gone:
            session.forget(scene_id)
            if (key := answer_key(scene_id)) in session.state.decision_keys():
                session.decide(key, None)
        for scene, why in detected.left_out:
            self._refuse(scene, Outcome.IGNORED, why)
            known = self._run.state.get(scene.scene_id) or _UNKNOWN
            news = (Outcome.IGNORED, scene.updated_at, files_digest(scene.files))
            if (known.outcome, known.updated_at, known.files) != news:
                self._remember(scene, Outcome.IGNORED)
        for scene in detected.unready:  # in silence: its curator knows
            self._remember(scene, Outcome.IGNORED)
        for scene_id, message in detected.poisoned:
            # No version is remembered: whatever it is when Stash can tell again, it is news.
            scene = Scene(scene_id=scene_id, updated_at="")
            problem = Problem(
                kind="bad-response",
                message=f"Stash cannot tell about scene {scene_id}: {message}",
                hint="open the scene in Stash; its log says what is wrong with it",
            )
            self._refuse(scene, Outcome.FAILED, problem.message, problem)
            self._remember(scene, Outcome.FAILED, problem)

    def _refuse(
        self, scene: Scene, outcome: Outcome, why: str, problem: Problem | None = None
    ) -> None:
        """Show a scene that is not matched."""
        self._run.totals.emit(self._run.rows.refused(scene, outcome, why, problem))

    def _remember(self, scene: Scene, outcome: Outcome, problem: Problem | None = None) -> None:
        """Remember a scene that is written to no item in this run.

        What it was linked to stays while it has the files it was linked by: one it gave away is not
        its own. What is ours on an item it lets go of stays known; see `State.former`.
        """
        if not self._believe_absence:
            return
        previous = self._run.state.get(scene.scene_id) or _UNKNOWN
        # Of a scene that cannot be read no file is known.
        files = previous.files if problem else files_digest(scene.files)
        tries = (previous.attempts if previous.outcome is outcome else 0) + 1
        self._run.session.remember(
            scene.scene_id,
            SceneRecord(
                updated_at=scene.updated_at,
                outcome=outcome,
                files=files,
                links=previous.links if previous.files == files else (),
                attempts=tries,
                due_at=self._run.retry_at(tries, outcome) if outcome in WAITING else "",
                problem=problem,
                related=previous.related,
                marks=previous.marks,
                year=previous.year,
            ),
        )
