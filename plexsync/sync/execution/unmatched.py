"""What becomes of scenes that are written to no item in this run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.models import Match, Outcome, Problem, Scene, SceneRecord
from plexsync.planning.retry_schedule import WAITING
from plexsync.state import ReviewQueueWriter, Waiting
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plexsync.errors import ServerError
    from plexsync.state import Session, State
    from plexsync.sync.detection.detector import Detected
    from plexsync.sync.linking.linker import Unlinked
    from plexsync.sync.rows import Pair, RowMaker
    from plexsync.sync.totals import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritten:
    """Shows and remembers scenes that wait, are left out, or cannot be read.

    Args:
        state: what earlier runs remember.
        session: where this run remembers; None for nothing.
        rows: makes their rows.
        totals: takes their rows.
        retry_at: ISO time at which a scene is due again after so many tries in a row that ended
            so.
        believe_absence: False when only some libraries are looked at, so that a scene without
            candidate may have one elsewhere.
        queue: where what was found for a scene is kept while it waits.
    """

    state: State
    session: Session | None
    rows: RowMaker
    totals: Totals
    retry_at: Callable[[int, Outcome], str]
    believe_absence: bool
    queue: ReviewQueueWriter | None = None

    def note_absent(self, detected: Detected) -> None:
        """Settle the scenes that are not to be linked: gone, left out, or unreadable."""
        for scene_id in detected.gone:
            if self.session is not None:
                self.session.forget(scene_id)
        for scene, why in detected.left_out:
            match = Match(scene_id=scene.scene_id, confidence=None, reason=why)
            self.totals.emit(self.rows.unlinked(scene, match, Outcome.IGNORED))
            self._remember(scene, Outcome.IGNORED, self.state.get(scene.scene_id))
        for scene in detected.unready:  # in silence: its curator knows
            self._remember(scene, Outcome.IGNORED, self.state.get(scene.scene_id))
        for scene_id, message in detected.poisoned:
            previous = self.state.get(scene_id)
            # No version is remembered: whatever it is when Stash can tell again, it is news.
            scene = Scene(scene_id=scene_id, updated_at="")
            problem = Problem(
                kind="bad-response",
                message=f"Stash cannot tell about scene {scene_id}: {message}",
                hint="open the scene in Stash; its log says what is wrong with it",
            )
            self.totals.emit(self.rows.failed(scene, problem))
            self._remember(scene, Outcome.FAILED, previous, problem)

    def note_unlisted(self, scenes: Iterable[Scene], failure: ServerError) -> None:
        """Show scenes that cannot be matched because of a library; they stay due."""
        for scene in scenes:
            match = Match(scene_id=scene.scene_id, confidence=None, reason=failure.message)
            self.totals.emit(self.rows.unlinked(scene, match, Outcome.SKIPPED))

    def note_ignored(self, scene: Scene, reason: str) -> None:
        """Settle a scene a person wants left alone."""
        match = Match(scene_id=scene.scene_id, confidence=None, reason=reason)
        self.totals.emit(self.rows.unlinked(scene, match, Outcome.IGNORED))
        known = self.state.get(scene.scene_id)
        if known is None or (known.outcome, known.updated_at, known.files) != (
            Outcome.IGNORED,
            scene.updated_at,
            files_digest(scene.files),
        ):
            self._remember(scene, Outcome.IGNORED, known)

    def place(self, one: Unlinked, outcome: Outcome) -> None:
        """Settle a scene that waits: for a person, or for Plex to find its file."""
        previous = self.state.get(one.scene.scene_id)
        if outcome is Outcome.REVIEW and (previous is None or previous.outcome is not outcome):
            self.totals.new_review += 1
        self.totals.emit(self.rows.unlinked(one.scene, one.match, outcome, item=one.item))
        self._remember(one.scene, outcome, previous)
        if self.queue is not None and self.believe_absence:
            shown = (self.rows.libraries.get(item.section_id, "") for item in one.items)
            self.queue.put(Waiting(scene=one.scene, match=one.match, libraries=tuple(shown)))

    def keep_several(self, pairs: Iterable[Pair]) -> None:
        """Keep the scenes with several files: Plex may have found some of them only."""
        if self.queue is None or not self.believe_absence:
            return
        for pair in pairs:
            if pair.match is not None and len(pair.scene.files) > 1:
                self.queue.put(Waiting(scene=pair.scene, match=pair.match))

    def _remember(
        self,
        scene: Scene,
        outcome: Outcome,
        previous: SceneRecord | None,
        problem: Problem | None = None,
    ) -> None:
        """Remember a scene that is written to no item in this run; what it was linked to stays."""
        if self.session is None or not self.believe_absence:
            return
        tries = (previous.attempts if previous and previous.outcome is outcome else 0) + 1
        self.session.remember(
            scene.scene_id,
            SceneRecord(
                updated_at=scene.updated_at,
                outcome=outcome,
                files=files_digest(scene.files),
                links=previous.links if previous else (),
                attempts=tries,
                due_at=self.retry_at(tries, outcome) if outcome in WAITING else "",
                problem=problem,
                related=previous.related if previous else "",
            ),
        )
