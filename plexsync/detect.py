"""Which scenes this run looks at, found with as few requests as the question allows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from plexsync.due import WAITING, is_due
from plexsync.errors import ConfigError
from plexsync.models import Outcome
from plexsync.normalize import fold_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from plexsync.models import Scene, SceneId, SceneRecord
    from plexsync.stash_client import Fetched


class StashScenes(Protocol):
    """What detection asks Stash."""

    @property
    def poisoned(self) -> tuple[tuple[SceneId, str], ...]:
        """Scenes it could not tell about so far, each with its words."""

    def count(self) -> int:
        """How many scenes there are, whatever the configuration leaves out."""

    def versions(
        self, *, updated_after: str = "", organized_only: bool = False
    ) -> Iterator[tuple[tuple[SceneId, str], ...]]:
        """Pages of (id, version)."""

    def sweep(
        self, *, updated_after: str = "", with_tags: bool = False, organized_only: bool = False
    ) -> Iterator[tuple[Scene, ...]]:
        """Pages of scenes with what matching needs."""

    def scenes(self, ids: Sequence[SceneId], *, with_tags: bool = False) -> Fetched[Scene]:
        """The named scenes with what matching needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which scenes take part, and how far back to look.

    Args:
        organized_only: only scenes Stash calls organized.
        exclude_tags: case-folded tag names that keep a scene out.
        sync_unversioned: a scene without `updated_at` is always due; else never.
        everything: every scene is due, changed or not.
        woken: the Plex library changed since the last run.
        now: aware UTC time.
    """

    organized_only: bool
    exclude_tags: frozenset[str]
    sync_unversioned: bool
    everything: bool
    woken: bool
    now: datetime


@dataclass(slots=True, kw_only=True)
class Detected:
    """What a look at Stash found.

    Attributes:
        due: scenes to look at, each once.
        left_out: scenes an excluded tag keeps out, not remembered as such yet.
        gone: remembered scenes that Stash has no more.
        poisoned: scenes Stash cannot tell about, each with its words.
        scenes_read: how many scenes were read.
        waiting: how many remembered scenes wait for a later try.
        review_waiting: how many of those wait for a person.
        newest: the highest version text seen, "" if none.
        complete: False when the sweep is known to be short, so that nothing follows from absence.
    """

    due: list[Scene] = field(default_factory=list)
    left_out: list[Scene] = field(default_factory=list)
    gone: list[SceneId] = field(default_factory=list)
    poisoned: list[tuple[SceneId, str]] = field(default_factory=list)
    scenes_read: int = 0
    waiting: int = 0
    review_waiting: int = 0
    newest: str = ""
    complete: bool = True

    def note_waiting(self, record: SceneRecord) -> None:
        """Count a scene that is not due yet."""
        self.waiting += 1
        self.review_waiting += record.outcome is Outcome.REVIEW


class Records(Protocol):
    """What detection asks of memory."""

    def get(self, scene_id: SceneId) -> SceneRecord | None:
        """What is remembered of a scene."""

    def scene_ids(self) -> Iterable[SceneId]:
        """Every remembered scene."""

    def waiting(self) -> Iterable[tuple[SceneId, SceneRecord]]:
        """Remembered scenes whose last outcome calls for another try."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds the scenes a run looks at.

    Args:
        stash: the server that knows.
        records: what earlier runs remember.
        scope: which scenes take part.
        forced: scenes that are due whatever their version says: an earlier write is unsettled.
        step: told how many scenes were read so far.
    """

    stash: StashScenes
    records: Records
    scope: Scope
    forced: frozenset[SceneId]
    step: Callable[[int], None]

    def named(self, ids: Sequence[SceneId]) -> Detected:
        """Just the scenes a person named, due or not.

        Raises:
            ConfigError: Stash has no scene of that id.
        """
        fetched = self.stash.scenes(tuple(dict.fromkeys(ids)))
        if fetched.missing:
            raise ConfigError(
                f"Stash has no scene {', '.join(fetched.missing)}",
                context="--scene",
                hint="the id is the number in the scene's address in Stash",
            )
        return Detected(
            due=list(fetched.found),
            poisoned=list(fetched.poisoned),
            scenes_read=len(fetched.found),
        )

    def everything(self) -> Detected:
        """Sweep the whole library: notices what changed, what is new and what is gone."""
        found = Detected()
        seen: set[SceneId] = set()
        for page in self.stash.sweep(
            with_tags=bool(self.scope.exclude_tags), organized_only=self.scope.organized_only
        ):
            for scene in page:
                seen.add(scene.scene_id)
                self._sort(scene, found)
            found.scenes_read += len(page)
            self.step(found.scenes_read)
        found.poisoned.extend(self._new_poison(seen))
        # Scenes left out because they are not organized are not gone, and look the same here.
        if not self.scope.organized_only:
            self._check_complete(seen, found)
        return found

    def changes(self, updated_after: str) -> Detected:
        """Ask only for what was updated after a date, and for what waits for another try."""
        found = Detected()
        wanted = dict.fromkeys(self.forced)
        for page in self.stash.versions(
            updated_after=updated_after, organized_only=self.scope.organized_only
        ):
            for scene_id, version in page:
                found.newest = max(found.newest, version)
                if self._due(scene_id, version):
                    wanted[scene_id] = None
            found.scenes_read += len(page)
            self.step(found.scenes_read)
        for scene_id, record in self.records.waiting():
            if scene_id in wanted or self._due(scene_id, record.updated_at):
                wanted[scene_id] = None
            else:
                found.note_waiting(record)
        if wanted:
            self._fetch(tuple(wanted), found)
        return found

    def _fetch(self, ids: Sequence[SceneId], found: Detected) -> None:
        fetched = self.stash.scenes(ids, with_tags=bool(self.scope.exclude_tags))
        found.gone.extend(i for i in fetched.missing if self.records.get(i) is not None)
        found.poisoned.extend(fetched.poisoned)
        for scene in fetched.found:
            if self._excluded(scene):
                self._leave_out(scene, found)
            else:
                found.due.append(scene)

    def _sort(self, scene: Scene, found: Detected) -> None:
        found.newest = max(found.newest, scene.updated_at)
        record = self.records.get(scene.scene_id)
        if self._excluded(scene):
            self._leave_out(scene, found)
        elif self._due(scene.scene_id, scene.updated_at):
            found.due.append(scene)
        elif record is not None and record.outcome in WAITING:
            found.note_waiting(record)

    def _due(self, scene_id: SceneId, version: str) -> bool:
        return (
            self.scope.everything
            or scene_id in self.forced
            or is_due(
                version,
                self.records.get(scene_id),
                now=self.scope.now,
                woken=self.scope.woken,
                sync_unversioned=self.scope.sync_unversioned,
            )
        )

    def _excluded(self, scene: Scene) -> bool:
        return any(fold_tag(tag) in self.scope.exclude_tags for tag in scene.tags)

    def _leave_out(self, scene: Scene, found: Detected) -> None:
        record = self.records.get(scene.scene_id)
        known = record is not None and record.outcome is Outcome.IGNORED
        if not known or (record and record.updated_at != scene.updated_at):
            found.left_out.append(scene)

    def _new_poison(self, seen: set[SceneId]) -> Iterator[tuple[SceneId, str]]:
        """Scenes the sweep had to leave out, unless one waits for a later try."""
        for scene_id, message in self.stash.poisoned:
            if scene_id not in seen and self._due(scene_id, ""):
                yield scene_id, message

    def _check_complete(self, seen: set[SceneId], found: Detected) -> None:
        """Compare with Stash's own count: who is absent from a short sweep is not gone."""
        here = seen.union(scene_id for scene_id, _ in self.stash.poisoned)
        found.complete = len(here) >= self.stash.count()
        if found.complete:
            found.gone.extend(i for i in self.records.scene_ids() if i not in here)
