"""From linked pairs to written items: read, plan, write, read back, remember.

Pairs flow through in batches of one detail read, so that a value is written seconds after it was
read, and memory holds one batch and not the library. The order inside a batch is what makes a run
safe to kill at any instant: the old values are durable in the journal before the first request
that replaces one, and a scene is remembered as written only after Plex was seen to hold what was
sent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.errors import (
    AuthError,
    ExitCode,
    InterruptedRunError,
    PlexsyncError,
    ServerError,
)
from plexsync.journal import Settlement
from plexsync.models import (
    ItemKind,
    ItemPlan,
    Outcome,
    PlexField,
    Problem,
    RatingKey,
    SceneDetail,
    SceneId,
    SceneRecord,
)
from plexsync.normalize import normalize_path
from plexsync.planner import files_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.fieldmap import FieldMap
    from plexsync.models import Change, Desired, ItemDetail, Link, Row, Scene
    from plexsync.planner import Planned, Planner
    from plexsync.rows import Pair, RowMaker
    from plexsync.stash_client import Fetched
    from plexsync.state import Unsettled

DETAIL_BATCH = 50
"""Items per detail read. Source: docs/plex-api.md 3 (50 to 100 ids per request is prudent)."""

_STASH_BATCH = 200
"""Scenes per detail request. Source: docs/stash-api.md 8 (pages of 100 to 250)."""

_UNSENT = Problem(kind="interrupted", message="not sent: the run was asked to end")

_GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT})


class StashDetails(Protocol):
    """What the pipeline asks Stash."""

    def details(self, ids: Sequence[SceneId]) -> Fetched[SceneDetail]:
        """All a scene says about itself."""


class PlexItems(Protocol):
    """What the pipeline asks Plex."""

    def details(self, rating_keys: Sequence[RatingKey]) -> tuple[ItemDetail, ...]:
        """Fresh full reads; an item that is gone is left out."""

    def edit(self, plan: ItemPlan) -> None:
        """Send one item's changes."""


class Notebook(Protocol):
    """What a run writes down; durable when `intend` or `commit` returns."""

    def intend(self, plans: Sequence[ItemPlan], /) -> Sequence[int]:
        """Note what is about to be written; one number per plan."""

    def result(self, seq: int, status: Settlement, problem: Problem | None = None, /) -> None:
        """Note what became of an intent."""

    def settle(self, unsettled: Unsettled, /) -> None:
        """Note that Plex was read and the end of an earlier run's intent is known."""

    def remember(self, scene_id: SceneId, record: SceneRecord, /) -> None:
        """Note what is now known of a scene."""

    def commit(self) -> None:
        """Make everything noted so far durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the pipeline does not decide itself.

    Args:
        fields: says what a scene wants.
        planner: decides what is written.
        lock_fields: a written field is locked.
        compare_all: read every item, also where Stash's side did not move since the last run.
        retry_at: ISO time at which a scene is due again after so many failed tries in a row.
        should_stop: asked between requests; True ends the run in good order.
        plex_down: True once Plex failed so often that no further request is worth sending.
    """

    fields: FieldMap
    planner: Planner
    lock_fields: bool
    compare_all: bool
    retry_at: Callable[[int], str]
    should_stop: Callable[[], bool]
    plex_down: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What earlier runs left.

    Args:
        record: what is remembered of a scene.
        unsettled: intents without result, by scene and item.
    """

    record: Callable[[SceneId], SceneRecord | None]
    unsettled: Mapping[tuple[SceneId, RatingKey], Sequence[Unsettled]]


@dataclass(slots=True, kw_only=True)
class Ready:
    """A pair that was read and planned, and has changes to write."""

    pair: Pair
    planned: Planned
    plan: ItemPlan


@dataclass(slots=True)
class _Progress:
    """How far a scene is whose pairs are under way."""

    scene: Scene
    open_pairs: int = 0
    version: str = ""
    desired: tuple[Desired, ...] = ()
    links: dict[RatingKey, Link] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    problem: Problem | None = None


class Pipeline:
    """Takes pairs through reading and planning, and, if asked, through writing.

    Args:
        stash: where desired values come from.
        plex: where observed values come from, and where changes go.
        notebook: where a run is written down; None for a dry run, which writes nothing.
        settings: what is decided elsewhere.
        memory: what earlier runs left.
        rows: makes the row of a pair that is done.
        emit: takes each row, once per pair.
    """

    def __init__(
        self,
        stash: StashDetails,
        plex: PlexItems,
        notebook: Notebook | None,
        *,
        settings: Settings,
        memory: Memory,
        rows: RowMaker,
        emit: Callable[[Row], None],
    ) -> None:
        self._stash = stash
        self._plex = plex
        self._notebook = notebook
        self._fields = settings.fields
        self._planner = settings.planner
        self._settings = settings
        self._memory = memory
        self._rows = rows
        self._emit = emit
        self._scenes: dict[SceneId, _Progress] = {}
        self._finished: set[SceneId] = set()
        self.orphans: list[Pair] = []
        """Pairs whose item is gone or holds another file by now: to be matched again."""

    # ---- reading and planning

    def ready(self, pairs: Sequence[Pair]) -> Iterator[list[Ready]]:
        """Read and plan `pairs`; each batch yielded holds those of one read that need writing.

        Pairs that need nothing are finished on the way.
        """
        by_scene: defaultdict[SceneId, list[Pair]] = defaultdict(list)
        for pair in pairs:
            progress = self._scenes.setdefault(pair.scene.scene_id, _Progress(pair.scene))
            if pair.link.rating_key not in progress.links:
                progress.open_pairs += 1
                by_scene[pair.scene.scene_id].append(pair)
        wanted = self._wanted(by_scene)
        while batch := list(islice(wanted, DETAIL_BATCH)):
            self._pause()
            yield self._plan_batch(batch)

    def _wanted(
        self, by_scene: Mapping[SceneId, Sequence[Pair]]
    ) -> Iterator[tuple[Pair, SceneDetail]]:
        """The pairs whose item has to be read, with what their scene says."""
        ids = iter(by_scene)
        while chunk := tuple(islice(ids, _STASH_BATCH)):
            self._pause()
            fetched = self._stash.details(chunk)
            for detail in fetched.found:
                self._note_desired(detail)
                for pair in by_scene[detail.scene_id]:
                    # A scene deleted while it was read has lost its files and all its names.
                    if pair.scene.files and not detail.files:
                        self.skip(pair, "changed in Stash while it was read")
                    elif self._handled(pair):
                        self._finish(pair, Outcome.UNCHANGED, note="nothing to write has changed")
                    else:
                        yield pair, detail
            # A scene deleted since it was listed says nothing; the next sweep forgets it.
            for scene_id in fetched.missing:
                for pair in by_scene[scene_id]:
                    self.skip(pair, "deleted in Stash meanwhile")
            for scene_id, message in fetched.poisoned:
                problem = Problem(kind="bad-response", message=message)
                for pair in by_scene[scene_id]:
                    self._finish(pair, Outcome.FAILED, problem=problem)

    def _note_desired(self, detail: SceneDetail) -> None:
        """Remember which version and which values of a scene are being compared."""
        progress = self._scenes[detail.scene_id]
        progress.version = detail.updated_at
        progress.desired = self._fields.desired(detail, ItemKind.MOVIE)

    def _handled(self, pair: Pair) -> bool:
        """Whether an earlier run wrote just this, so that Plex need not be asked."""
        scene_id = pair.scene.scene_id
        record = self._memory.record(scene_id)
        return (
            pair.match is None
            and record is not None
            and record.outcome in _GOOD
            and not self._settings.compare_all
            and (scene_id, pair.link.rating_key) not in self._memory.unsettled
            and record.desired == self._planner.desired_digest(self._scenes[scene_id].desired)
        )

    def _plan_batch(self, batch: Sequence[tuple[Pair, SceneDetail]]) -> list[Ready]:
        read = self._read([pair.link.rating_key for pair, _ in batch])
        ready = []
        for pair, scene in batch:
            detail = read.get(pair.link.rating_key)
            if isinstance(detail, ServerError):
                self._finish(pair, Outcome.FAILED, problem=as_problem(detail))
            elif detail is None or not _holds(detail, pair.link.path):
                self.orphans.append(pair)
            else:
                planned = self._plan(pair, scene, detail)
                if planned:
                    ready.append(planned)
        return ready

    def _plan(self, pair: Pair, scene: SceneDetail, detail: ItemDetail) -> Ready | None:
        """What one pair needs; None when it needs nothing and is finished."""
        pair.title = str(detail.values.get(PlexField.TITLE, pair.title))
        kind = detail.item.kind
        movie = kind is ItemKind.MOVIE
        progress = self._scenes[pair.scene.scene_id]
        desired = progress.desired if movie else self._fields.desired(scene, kind)
        pair.link = self._settled(pair, detail)
        planned = self._planner.plan(desired, detail, pair.link.base)
        if not planned.changes:
            outcome = Outcome.KEPT if planned.kept else Outcome.UNCHANGED
            self._finish(pair, outcome, holds=planned.agreed, note=_kept_note(planned))
            return None
        plan = ItemPlan(
            scene_id=scene.scene_id,
            rating_key=pair.link.rating_key,
            section_id=detail.item.section_id,
            kind=kind,
            path=pair.link.path,
            lock=self._settings.lock_fields,
            changes=planned.changes,
        )
        return Ready(pair=pair, planned=planned, plan=plan)

    def _settled(self, pair: Pair, detail: ItemDetail) -> Link:
        """The link with its base brought up to date by writes whose result nobody noted."""
        key = (pair.scene.scene_id, pair.link.rating_key)
        base = pair.link.base
        for unsettled in self._memory.unsettled.get(key, ()):
            base = self._planner.settle(base, unsettled.plan.changes, detail)
            if self._notebook is not None:
                self._notebook.settle(unsettled)
        return pair.link if base is pair.link.base else replace(pair.link, base=base)

    def _read(self, keys: Sequence[RatingKey]) -> dict[RatingKey, ItemDetail | ServerError]:
        """Fresh details by rating key; one bad item is narrowed down to itself.

        Raises:
            ServerError: Plex is down, or refuses us altogether.
        """
        try:
            return {detail.item.rating_key: detail for detail in self._plex.details(keys)}
        except AuthError:
            raise
        except ServerError as error:
            if self._settings.plex_down():
                raise
            if len(keys) == 1:
                return {keys[0]: error}
        # One by one and not by halves: each half that fails brings Plex nearer to being given up.
        found: dict[RatingKey, ItemDetail | ServerError] = {}
        for key in keys:
            found |= self._read([key])
        return found

    # ---- writing

    def write(self, batch: Sequence[Ready]) -> None:
        """Write `batch`, read it back, and remember what Plex was seen to hold. Not in a dry run.

        Raises:
            AuthError: the token may not write.
            ServerError: Plex is down; what was sent is settled by the next run.
            InterruptedRunError: asked to stop; what was sent is read back and remembered.
        """
        notebook = self._written_down()
        seqs = notebook.intend([ready.plan for ready in batch])
        tried: list[tuple[int, Ready, ServerError | None]] = []
        for seq, ready in zip(seqs, batch, strict=True):
            if self._settings.should_stop():
                notebook.result(seq, Settlement.FAILED, _UNSENT)
                continue
            try:
                self._plex.edit(ready.plan)
            except AuthError as error:
                notebook.result(seq, Settlement.FAILED, as_problem(error))
                notebook.commit()
                raise
            except ServerError as error:
                tried.append((seq, ready, error))
            else:
                tried.append((seq, ready, None))
        if tried:
            self._read_back(tried)
        notebook.commit()
        self._pause()

    def _read_back(self, tried: Sequence[tuple[int, Ready, ServerError | None]]) -> None:
        """Decide by reading what became of each write, whatever its reply said."""
        read = self._read([ready.plan.rating_key for _, ready, _ in tried])
        for seq, ready, error in tried:
            detail = read.get(ready.plan.rating_key)
            if detail is None or isinstance(detail, ServerError):
                cause = detail or error or ServerError("the item vanished while it was written")
                # Without a result the intent stays unsettled, and the next run looks again.
                self._finish(
                    ready.pair,
                    Outcome.FAILED,
                    changes=ready.planned.changes,
                    problem=as_problem(cause),
                )
                continue
            missing = self._planner.not_stored(ready.plan, detail)
            self._note_result(seq, ready, missing, error)

    def _note_result(
        self, seq: int, ready: Ready, missing: tuple[Change, ...], error: ServerError | None
    ) -> None:
        notebook, planned = self._written_down(), ready.planned
        problem = None
        if missing:
            problem = as_problem(error) if error else _not_stored_problem(missing)
        notebook.result(seq, Settlement.FAILED if missing else Settlement.APPLIED, problem)
        stored = tuple(change for change in planned.changes if change not in missing)
        self._finish(
            ready.pair,
            Outcome.FAILED if missing else Outcome.APPLIED,
            changes=planned.changes,
            holds=(*stored, *planned.agreed),
            problem=problem,
            note=_kept_note(planned),
        )

    def _written_down(self) -> Notebook:
        assert self._notebook is not None, "a dry run writes nothing"  # noqa: S101 - our own invariant
        return self._notebook

    # ---- finishing

    def show(self, ready: Ready) -> None:
        """Finish a pair in a dry run: its changes are shown, and not written."""
        note = _kept_note(ready.planned)
        self._finish(ready.pair, Outcome.PLANNED, changes=ready.planned.changes, note=note)

    def unfinished(self, pairs: Sequence[Pair]) -> Iterator[Pair]:
        """Those of `pairs` that have no outcome yet."""
        for pair in pairs:
            scene_id = pair.scene.scene_id
            progress = self._scenes.get(scene_id)
            done = progress is not None and pair.link.rating_key in progress.links
            if not done and scene_id not in self._finished:
                yield pair

    def postpone(self, ready: Ready) -> None:
        """Take a planned pair back, to be read and planned once more later."""
        self._scenes[ready.pair.scene.scene_id].open_pairs -= 1

    def skip(self, pair: Pair, note: str) -> None:
        """Finish a pair this run can do nothing for; it is due again next time."""
        self._finish(pair, Outcome.SKIPPED, note=note)

    def take_orphans(self) -> dict[SceneId, Scene]:
        """The scenes with orphaned pairs, which are dropped: they are to be matched again."""
        scenes = {}
        for pair in self.orphans:
            scene_id = pair.scene.scene_id
            scenes[scene_id] = pair.scene
            self._scenes[scene_id].open_pairs -= 1
        self.orphans = []
        return scenes

    def forgo(self, scene_id: SceneId) -> bool:
        """Nothing more comes for a scene that lost its pairs.

        Returns:
            Whether other pairs of it were finished, so that the scene is remembered by those.
        """
        progress = self._scenes[scene_id]
        if progress.outcomes:
            self._remember(progress)
            return True
        self._finished.add(scene_id)
        del self._scenes[scene_id]
        return False

    def _finish(
        self,
        pair: Pair,
        outcome: Outcome,
        *,
        changes: tuple[Change, ...] = (),
        holds: tuple[Change, ...] = (),
        problem: Problem | None = None,
        note: str = "",
    ) -> None:
        """Show a pair's outcome; `holds` is what Plex was seen to hold as Stash wants it."""
        progress = self._scenes[pair.scene.scene_id]
        progress.open_pairs -= 1
        link = pair.link
        if self._notebook is not None and holds:
            link = replace(link, base=self._planner.base_after(holds, link.base))
        progress.links[link.rating_key] = link
        progress.outcomes.append(outcome)
        progress.problem = problem or progress.problem
        self._emit(self._rows.pair(pair, outcome, changes=changes, problem=problem, note=note))
        if not progress.open_pairs:
            self._remember(progress)
        elif self._notebook is not None:
            # What is ours on this item must be known even if the scene's others are never reached.
            self._notebook.remember(pair.scene.scene_id, self._unfinished_record(progress))

    def _remember(self, progress: _Progress) -> None:
        scene_id = progress.scene.scene_id
        if self._notebook is not None:
            self._notebook.remember(scene_id, self._record(progress))
        self._finished.add(scene_id)
        del self._scenes[scene_id]

    def _record(self, progress: _Progress) -> SceneRecord:
        previous = self._memory.record(progress.scene.scene_id)
        outcome = next(one for one in _WORST_FIRST if one in progress.outcomes)
        failed = outcome is Outcome.FAILED
        attempts = (previous.attempts if previous else 0) + 1 if failed else 0
        desired = progress.desired
        return SceneRecord(
            updated_at=progress.version or progress.scene.updated_at,
            outcome=outcome,
            files=files_digest(progress.scene.files),
            desired=self._planner.desired_digest(desired) if desired else "",
            links=tuple(progress.links.values()),
            attempts=attempts,
            due_at=self._settings.retry_at(attempts) if failed else "",
            problem=progress.problem if failed else None,
        )

    def _unfinished_record(self, progress: _Progress) -> SceneRecord:
        """What holds while items of a scene are still to come: due, and to be matched again."""
        return SceneRecord(
            updated_at="", outcome=Outcome.SKIPPED, links=tuple(progress.links.values())
        )

    def _pause(self) -> None:
        if self._settings.should_stop():
            raise InterruptedRunError(ExitCode.INTERRUPTED)


# A scene with several items is remembered by the one that most needs another look.
_WORST_FIRST = (
    Outcome.FAILED,
    Outcome.SKIPPED,
    Outcome.PLANNED,
    Outcome.APPLIED,
    Outcome.KEPT,
    Outcome.UNCHANGED,
)


def as_problem(error: PlexsyncError) -> Problem:
    """An error as a row and a record hold it."""
    return Problem(kind=error.kind, message=str(error), hint=error.hint)


def _holds(detail: ItemDetail, path: str) -> bool:
    """Whether the item still holds the matched file."""
    wanted = normalize_path(path)
    return not detail.item.trashed and any(
        normalize_path(file.path) == wanted for file in detail.item.files
    )


def _kept_note(planned: Planned) -> str:
    return f"Plex's own kept for {', '.join(planned.kept)}" if planned.kept else ""


def _not_stored_problem(missing: Sequence[Change]) -> Problem:
    fields = ", ".join(change.field for change in missing)
    return Problem(
        kind="not-stored",
        message=f"Plex accepted the change but does not hold what was sent: {fields}",
        hint="compare the field in Plex; another program may be writing to it",
    )
