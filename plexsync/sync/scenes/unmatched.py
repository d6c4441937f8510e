"""What becomes of scenes that are written to no item in this run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.models import Match, Outcome, Problem, Scene, SceneRecord
from plexsync.planning.retry_schedule import WAITING
from plexsync.state import Waiting
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.errors import ServerError
    from plexsync.state import ReviewQueueWriter
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.detector import Detected
    from plexsync.sync.linking.linker import Unlinked
    from plexsync.sync.rows import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritten:
    """Shows and remembers scenes that wait, are left out, or cannot be read.

    Args:
        run: what the run is about.
        queue: where what was found for a scene is kept while it waits.
    """

    run: RunContext
    queue: ReviewQueueWriter

    @property
    def believe_absence(self) -> bool:
        """Whether all libraries were looked at: else a scene may have a candidate elsewhere."""
        return not self.run.options.libraries

    def note_absent(self, detected: Detected) -> None:
        """Settle the scenes that are not to be linked: gone, left out, or unreadable."""
        for scene_id in detected.gone:
            if self.run.session is not None:
                self.run.session.forget(scene_id)
        for scene, why in detected.left_out:
            match = Match(scene_id=scene.scene_id, confidence=None, reason=why)
            self.run.totals.emit(self.run.rows.unlinked(scene, match, Outcome.IGNORED))
            self._remember(scene, Outcome.IGNORED, self.run.state.get(scene.scene_id))
        for scene in detected.unready:  # in silence: its curator knows
            self._remember(scene, Outcome.IGNORED, self.run.state.get(scene.scene_id))
        for scene_id, message in detected.poisoned:
            previous = self.run.state.get(scene_id)
            # No version is remembered: whatever it is when Stash can tell again, it is news.
            scene = Scene(scene_id=scene_id, updated_at="")
            problem = Problem(
                kind="bad-response",
                message=f"Stash cannot tell about scene {scene_id}: {message}",
                hint="open the scene in Stash; its log says what is wrong with it",
            )
            self.run.totals.emit(self.run.rows.failed(scene, problem))
            self._remember(scene, Outcome.FAILED, previous, problem)

    def note_unlisted(self, scenes: Iterable[Scene], failure: ServerError) -> None:
        """Show scenes that cannot be matched because of a library; they stay due."""
        for scene in scenes:
            match = Match(scene_id=scene.scene_id, confidence=None, reason=failure.message)
            self.run.totals.emit(self.run.rows.unlinked(scene, match, Outcome.SKIPPED))

    def note_ignored(self, scene: Scene, reason: str) -> None:
        """Settle a scene a person wants left alone."""
        match = Match(scene_id=scene.scene_id, confidence=None, reason=reason)
        self.run.totals.emit(self.run.rows.unlinked(scene, match, Outcome.IGNORED))
        known = self.run.state.get(scene.scene_id)
        if known is None or (known.outcome, known.updated_at, known.files) != (
            Outcome.IGNORED,
            scene.updated_at,
            files_digest(scene.files),
        ):
            self._remember(scene, Outcome.IGNORED, known)

    def place(self, one: Unlinked, outcome: Outcome) -> None:
        """Settle a scene that waits: for a person, or for Plex to find its file."""
        previous = self.run.state.get(one.scene.scene_id)
        if outcome is Outcome.REVIEW and (previous is None or previous.outcome is not outcome):
            self.run.totals.new_review += 1
        self.run.totals.emit(self.run.rows.unlinked(one.scene, one.match, outcome, item=one.item))
        self._remember(one.scene, outcome, previous)
        if self.believe_absence:
            shown = (self.run.rows.libraries.get(item.section_id, "") for item in one.items)
            self.queue.put(Waiting(scene=one.scene, match=one.match, libraries=tuple(shown)))

    def keep_several(self, pairs: Iterable[Pair]) -> None:
        """Keep the scenes with several files: Plex may have found some of them only."""
        if not self.believe_absence:
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
        if self.run.session is None or not self.believe_absence:
            return
        tries = (previous.attempts if previous and previous.outcome is outcome else 0) + 1
        self.run.session.remember(
            scene.scene_id,
            SceneRecord(
                updated_at=scene.updated_at,
                outcome=outcome,
                files=files_digest(scene.files),
                links=previous.links if previous else (),
                attempts=tries,
                due_at=self.run.retry_at(tries, outcome) if outcome in WAITING else "",
                problem=problem,
                related=previous.related if previous else "",
            ),
        )
