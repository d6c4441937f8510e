"""What becomes of scenes that are written to no item in this run.

Where they lack a candidate Plex may be asked to look for their files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import AuthError, ServerError
from plexsync.models import Outcome, PathRule, Problem, Scene, SceneRecord, Section
from plexsync.planning.retry_schedule import WAITING, has_come
from plexsync.state import ReviewQueueWriter, Waiting
from plexsync.text.folding import files_digest
from plexsync.text.normalize import NormalizedPath, compile_rules, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.detected import Detected
    from plexsync.sync.rows import Pair

MOST_FOLDERS = 20
"""Folders scanned in one run: a scan is cheap, twenty thousand of them are not."""


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
            self.run.totals.emit(self.run.rows.refused(scene, Outcome.IGNORED, why))
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
            row = self.run.rows.refused(scene, Outcome.FAILED, problem.message, problem)
            self.run.totals.emit(row)
            self._remember(scene, Outcome.FAILED, problem)

    def note_unlisted(self, scenes: Iterable[Scene], failure: ServerError) -> None:
        """Show scenes that cannot be matched because of a library; they stay due."""
        for scene in scenes:
            self.run.totals.emit(self.run.rows.refused(scene, Outcome.SKIPPED, failure.message))

    def note_ignored(self, scene: Scene, reason: str) -> None:
        """Settle a scene a person wants left alone."""
        self.run.totals.emit(self.run.rows.refused(scene, Outcome.IGNORED, reason))
        known = self.run.state.get(scene.scene_id)
        if known is None or (known.outcome, known.updated_at, known.files) != (
            Outcome.IGNORED,
            scene.updated_at,
            files_digest(scene.files),
        ):
            self._remember(scene, Outcome.IGNORED)

    def place(self, one: Waiting, outcome: Outcome) -> None:
        """Settle a scene that waits: for a person, or for Plex to find its file."""
        previous = self.run.state.get(one.scene_id)
        if outcome is Outcome.REVIEW and (previous is None or previous.outcome is not outcome):
            self.run.totals.new_review += 1
        self.run.totals.emit(self.run.rows.unlinked(one.scene, one.match, outcome))
        self._remember(one.scene, outcome)
        if self.believe_absence:
            self.queue.put(one)

    def keep_several(self, pairs: Iterable[Pair]) -> None:
        """Keep the scenes with several files: Plex may have found some of them only."""
        if not self.believe_absence:
            return
        for pair in pairs:
            if pair.match is not None and len(pair.scene.files) > 1:
                self.queue.put(Waiting(scene=pair.scene, match=pair.match))

    def _remember(self, scene: Scene, outcome: Outcome, problem: Problem | None = None) -> None:
        """Remember a scene that is written to no item in this run; what it was linked to stays."""
        if self.run.session is None or not self.believe_absence:
            return
        previous = self.run.state.get(scene.scene_id)
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


# ---- Scans ---------------------------------------------------------------------------------------


def wanted_scans(run: RunContext, unmatched: Iterable[Waiting]) -> tuple[tuple[Section, str], ...]:
    """Return where Plex should look for what it lacks, if it may be asked to.

    A scan wakes all that wait for Plex. So that they do not ask for the next one in turn, a
    scene asks only when its own time has come.
    """
    if not run.config.plex.scan or run.options.dry_run or run.options.libraries:
        return ()
    now = run.ports.now()
    records = ((one.scene, run.state.get(one.scene_id)) for one in unmatched)
    asking = (
        scene
        for scene, record in records
        if record is None or record.outcome is not Outcome.UNMATCHED or has_come(record.due_at, now)
    )
    return folders_to_scan(asking, run.config.paths, run.sections)


def request_scans(run: RunContext, folders: Sequence[tuple[Section, str]]) -> None:
    """Ask for scans; one that is refused costs nothing but a word."""
    for section, folder in folders:
        try:
            run.ports.plex.scan(section, folder)
        except AuthError:
            raise
        except ServerError as error:
            run.totals.reporter.warn(f"Plex does not scan '{folder}': {error.message}")
            if run.ports.plex_down():
                raise


def folders_to_scan(
    scenes: Iterable[Scene], rules: Sequence[PathRule], sections: Sequence[Section]
) -> tuple[tuple[Section, str], ...]:
    """Return the folders the files of `scenes` should lie in, each once, at most `MOST_FOLDERS`.

    A folder that lies in no library, or in one that is being scanned already, is left out.

    Args:
        scenes: scenes Plex does not have.
        rules: how Stash's paths become Plex's; a path no rule covers is the same on both.
        sections: the libraries that take part.
    """
    found: dict[tuple[str, str], tuple[Section, str]] = {}
    mapped = compile_rules(rules)
    for scene in scenes:
        for file in scene.files:
            path = normalize_path(file.path)
            folder = (mapped.apply(path) or path).rpartition("/")[0]
            for section, place in _places(NormalizedPath(folder), sections):
                found.setdefault((section.section_id, place), (section, place))
                if len(found) == MOST_FOLDERS:
                    return tuple(found.values())
    return tuple(found.values())


def _places(folder: NormalizedPath, sections: Sequence[Section]) -> Iterator[tuple[Section, str]]:
    """Where `folder` lies in the libraries, spelled as they spell their own folders."""
    for section in sections:
        for location in () if section.refreshing else section.locations:
            root = normalize_path(location).rstrip("/")
            if folder == root or folder.startswith(f"{root}/"):
                separator = "\\" if "\\" in location else "/"
                rest = folder[len(root) :].replace("/", separator)
                yield section, location.rstrip("/\\") + rest
