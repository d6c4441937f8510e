"""From linked pairs to written items: read, plan, write, remember.

Pairs flow through in batches of one detail read, or of a few where their changes are alike: so a
value is written seconds after it was read, and memory holds batches and not the library. `writing`
sends and reads back; a scene is remembered as written only after Plex was seen to hold what was
sent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.artwork import NOTHING, Wanted
from plexsync.due import PARKED
from plexsync.errors import AuthError, ExitCode, InterruptedRunError, ServerError
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
from plexsync.painting import Job, Painted, Pictures
from plexsync.plan_file import SavedItem
from plexsync.planner import files_digest
from plexsync.relations import joined
from plexsync.rows import REMEMBERED
from plexsync.writing import (
    DETAIL_BATCH,
    NOT_STORED,
    Reader,
    Verdict,
    Writer,
    as_problem,
    settle,
    with_link,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.fieldmap import FieldMap
    from plexsync.models import Change, Desired, ItemDetail, Link, RelatedId, Row, Scene
    from plexsync.planner import Planned, Planner
    from plexsync.rows import Pair, RowMaker
    from plexsync.stash_client import Fetched
    from plexsync.state import Unsettled
    from plexsync.writing import Notebook, PlexItems

_STASH_BATCH = 200
"""Scenes per detail request. Source: docs/stash-api.md 8 (pages of 100 to 250)."""

_NOT_STORED_TRIES = 2
"""How often the same value is sent that Plex accepts and does not store."""

_GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT})


class StashDetails(Protocol):
    """What the pipeline asks Stash."""

    def details(self, ids: Sequence[SceneId]) -> Fetched[SceneDetail]:
        """All a scene says about itself."""

    def is_settled(self, version: str) -> bool:
        """Whether no further edit can hide behind a version just read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the pipeline does not decide itself.

    Args:
        fields: says what a scene wants.
        planner: decides what is written.
        lock_fields: a written field is locked.
        compare_all: read every item, also where Stash's side did not move since the last run.
        asked_for: a person named these scenes, or asked for everything: what was taken back or
            given up is written again.
        retry_at: ISO time at which a scene is due again after so many failed tries in a row.
        should_stop: asked between requests; True ends the run in good order.
        plex_down: True once Plex failed so often that no further request is worth sending.
    """

    fields: FieldMap
    planner: Planner
    lock_fields: bool
    compare_all: bool
    asked_for: bool
    retry_at: Callable[[int, Outcome], str]
    should_stop: Callable[[], bool]
    plex_down: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What earlier runs left.

    Args:
        record: what is remembered of a scene.
        unsettled: intents without result, by scene and item.
        observe: told what a scene shows of other objects, before it is remembered.
    """

    record: Callable[[SceneId], SceneRecord | None]
    unsettled: Mapping[tuple[SceneId, RatingKey], Sequence[Unsettled]]
    observe: Callable[[Mapping[RelatedId, str]], None]


@dataclass(slots=True, kw_only=True)
class Ready:
    """A pair that was read and planned, and has changes to write.

    Args:
        pair: the pair.
        planned: what its fields need.
        plan: the edit that carries `planned` out; without changes when only pictures need some.
        wanted: what its pictures need.
    """

    pair: Pair
    planned: Planned
    plan: ItemPlan
    wanted: Wanted = NOTHING

    @property
    def changes(self) -> tuple[Change, ...]:
        """All that would change, as a person sees it."""
        return self.planned.changes + self.wanted.changes

    @property
    def is_counted(self) -> bool:
        """Whether safety limits count it: a first picture replaces nothing that was synced."""
        return bool(self.planned.changes or not self.wanted.first)


@dataclass(slots=True)
class _Progress:
    """How far a scene is whose pairs are under way."""

    scene: Scene
    open_pairs: int = 0
    version: str | None = None
    related: str | None = None
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
        pictures: compares posters and backgrounds, and replaces them.
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
        pictures: Pictures,
        settings: Settings,
        memory: Memory,
        rows: RowMaker,
        emit: Callable[[Row], None],
    ) -> None:
        self._stash = stash
        self._reader = Reader(plex, plex_down=settings.plex_down)
        self._notebook = notebook
        self._writer = None
        if notebook is not None:
            self._writer = Writer(
                plex,
                self._reader,
                notebook,
                planner=settings.planner,
                should_stop=settings.should_stop,
                spare=self._spare,
            )
        self._artwork, self._painter = pictures
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
                    # It was linked by files it has no more; one deleted just now has none at all.
                    if _other_files(pair.scene, detail):
                        self.skip(pair, "changed in Stash while it was read")
                    elif not self._finish_unread(pair, detail):
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
        # Without a version the scene stays due: its next edit may not show in this one.
        settled = self._stash.is_settled(detail.updated_at)
        progress.version = detail.updated_at if settled else ""
        progress.related = joined(detail.related)
        self._memory.observe(detail.related)
        progress.desired = self._fields.desired(detail, ItemKind.MOVIE)

    def _finish_unread(self, pair: Pair, detail: SceneDetail) -> bool:
        """Finish a pair if it is known without asking Plex what becomes of it."""
        if self._handled(pair, detail):
            self._finish(pair, Outcome.UNCHANGED, note="nothing to write has changed")
            return True
        if problem := self._parked(pair):
            self._finish(pair, Outcome.FAILED, problem=problem)
            return True
        return False

    def _handled(self, pair: Pair, detail: SceneDetail) -> bool:
        """Whether an earlier run wrote just this, so that Plex need not be asked."""
        scene_id = pair.scene.scene_id
        record = self._memory.record(scene_id)
        return (
            pair.match is None
            and record is not None
            and record.outcome in _GOOD
            and not self._settings.compare_all
            and (scene_id, pair.link.rating_key) not in self._memory.unsettled
            and record.desired == self._desired_digest(scene_id)
            and self._artwork.handled(pair, detail)
        )

    def _parked(self, pair: Pair) -> Problem | None:
        """Why this is not tried again: Plex did not store just this, twice."""
        record = self._memory.record(pair.scene.scene_id)
        parked = (
            pair.match is None
            and record is not None
            and record.due_at == PARKED
            and record.problem is not None
            and record.problem.kind == NOT_STORED
            and not self._settings.asked_for
            and record.desired == self._desired_digest(pair.scene.scene_id)
        )
        return record.problem if parked and record else None

    def _desired_digest(self, scene_id: SceneId) -> str:
        return self._planner.desired_digest(self._scenes[scene_id].desired)

    def _plan_batch(self, batch: Sequence[tuple[Pair, SceneDetail]]) -> list[Ready]:
        read = self._reader.read([pair.link.rating_key for pair, _ in batch])
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
        try:
            settled = self._settled(pair, detail)
        except ServerError as error:
            if isinstance(error, AuthError) or self._settings.plex_down():
                raise
            self._finish(pair, Outcome.FAILED, problem=as_problem(error))
            return None
        pair.link = self._unheld(settled, desired)
        planned = self._planner.plan(desired, detail, pair.link.base, pair.link.held)
        wanted = self._artwork.plan(pair, scene, detail)
        if not planned.changes and not wanted.strokes:
            kept = planned.kept or planned.held or wanted.kept
            outcome = Outcome.KEPT if kept else Outcome.UNCHANGED
            self._finish(
                pair,
                Outcome.FAILED if wanted.problem else outcome,
                holds=planned.agreed,
                problem=wanted.problem,
                note=_kept_note(planned, *wanted.kept),
            )
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
        return Ready(pair=pair, planned=planned, plan=plan, wanted=wanted)

    def _settled(self, pair: Pair, detail: ItemDetail) -> Link:
        """The link brought up to date by writes whose result nobody noted.

        Raises:
            ServerError: a picture was written, and those of the item cannot be read.
        """
        scene_id = pair.scene.scene_id
        unsettled = self._memory.unsettled.get((scene_id, pair.link.rating_key), ())
        for one in unsettled:
            detail = self._painter.seen(detail, one.plan)
        link = settle(pair.link, unsettled, detail, planner=self._planner, notebook=self._notebook)
        if unsettled and self._notebook is not None:
            record = with_link(self._memory.record(scene_id), link)
            self._notebook.remember(scene_id, record)
        return link

    def _unheld(self, link: Link, desired: Sequence[Desired]) -> Link:
        """The link without what no longer holds a field back: Stash moved on, or a person asked."""
        if not link.held:
            return link
        asked = self._settings.asked_for
        held = {} if asked else self._planner.still_held(desired, link.held)
        return replace(link, held=held)

    # ---- writing

    def write(self, batch: Sequence[Ready]) -> None:
        """Write `batch`, read it back, and remember what Plex was seen to hold. Not in a dry run.

        Raises:
            AuthError: the token may not write.
            ServerError: Plex is down; what was sent is settled by the next run.
            InterruptedRunError: asked to stop; what was sent is read back and remembered.
        """
        assert self._writer is not None, "a dry run writes nothing"  # noqa: S101 - our own invariant
        ready_for = {(ready.plan.scene_id, ready.plan.rating_key): ready for ready in batch}
        edits = [ready.plan for ready in batch if ready.planned.changes]
        edited: list[tuple[Ready, Verdict]] = []
        end: ServerError | InterruptedRunError | None = None
        try:
            if edits:
                self._writer.write(
                    edits,
                    lambda plan, verdict: self._conclude(
                        ready_for[plan.scene_id, plan.rating_key], verdict, edited
                    ),
                )
        except (ServerError, InterruptedRunError) as error:
            end = error
        pictures = [(ready, Verdict()) for ready in batch if not ready.planned.changes]
        end = self._paint(edited + pictures, end) or end
        if end is not None:
            raise end
        self._pause()

    def _spare(self, plan: ItemPlan, change: Change) -> tuple[str, ...]:
        """See `Planner.spare`; what a list is to hold is the same for every kind of item."""
        return self._planner.spare(self._scenes[plan.scene_id].desired, change)

    def _conclude(
        self, ready: Ready, verdict: Verdict, edited: list[tuple[Ready, Verdict]]
    ) -> None:
        """Finish a pair whose fields were sent, unless its pictures are still to come."""
        planned, pair = ready.planned, ready.pair
        if verdict.detail is None:
            self._finish(pair, Outcome.FAILED, changes=planned.changes, problem=verdict.problem)
            return
        stored = tuple(change for change in planned.changes if change not in verdict.missing)
        holds = (*stored, *planned.agreed)
        if not ready.wanted.strokes:
            self._finish_painted(ready, verdict, Painted(), holds=holds)
            return
        # The pictures may never be reached: what is ours among the fields must be known even so.
        pair.link = self._planner.link_after(pair.link, holds)
        progress = self._scenes[pair.scene.scene_id]
        self._note_unfinished(progress, pair.link)
        edited.append((ready, verdict))

    def _paint(
        self, work: Sequence[tuple[Ready, Verdict]], end: ServerError | InterruptedRunError | None
    ) -> ServerError | None:
        """Bring pictures up to date and finish their pairs; only that when the run is to end.

        Returns:
            The error after which nothing more can be done.
        """
        fatal: ServerError | None = None
        if end is None:
            jobs = [Job(pair=one.pair, plan=one.plan, wanted=one.wanted) for one, _ in work]
            done, fatal = self._painter.paint(jobs, self._written_down())
        else:
            done = [Painted(unfinished=True) for _ in work]
        for (ready, verdict), painted in zip(work, done, strict=True):
            agreed = () if ready.planned.changes else ready.planned.agreed
            self._finish_painted(ready, verdict, painted, holds=agreed)
        self._written_down().commit()
        return fatal

    def _finish_painted(
        self, ready: Ready, verdict: Verdict, painted: Painted, *, holds: tuple[Change, ...]
    ) -> None:
        changes = (*ready.planned.changes, *painted.changes)
        if painted.unfinished and not changes:
            return  # the run ends, and says so for this pair as for all that are left
        planned, pictures = ready.planned, (*ready.wanted.kept, *painted.kept)
        kept = planned.kept or planned.held or pictures
        problem = verdict.problem or painted.problem or ready.wanted.problem
        outcome = Outcome.APPLIED if changes else Outcome.KEPT if kept else Outcome.UNCHANGED
        self._finish(
            ready.pair,
            Outcome.FAILED if problem else outcome,
            changes=changes,
            holds=holds,
            problem=problem,
            note=_kept_note(planned, *pictures),
            again=painted.unfinished,
        )

    def _written_down(self) -> Notebook:
        assert self._notebook is not None, "a dry run writes nothing"  # noqa: S101 - our own invariant
        return self._notebook

    # ---- finishing

    def show(self, ready: Ready) -> None:
        """Finish a pair in a dry run: its changes are shown, and not written."""
        asked = (stroke.rule.name for stroke in ready.wanted.strokes if stroke.ask)
        problem = ready.wanted.problem
        outcome = Outcome.PLANNED if ready.changes else Outcome.KEPT
        self._finish(
            ready.pair,
            Outcome.FAILED if problem else outcome,
            changes=ready.changes,
            problem=problem,
            note=_kept_note(ready.planned, *ready.wanted.kept, *asked),
        )

    def saved(self, ready: Ready) -> SavedItem:
        """A planned pair as a plan file holds it; to be asked before `show`."""
        pair, progress = ready.pair, self._scenes[ready.pair.scene.scene_id]
        files = pair.scene.files
        return SavedItem(
            plan=ready.plan,
            agreed=ready.planned.agreed,
            scene_title=pair.scene.title,
            scene_path=files[0].path if files else "",
            version=progress.version or pair.scene.updated_at,
            files=files_digest(files),
            desired=self._desired_digest(pair.scene.scene_id),
            confidence=pair.link.confidence,
            reason=pair.match.reason if pair.match else REMEMBERED,
            items=progress.open_pairs + len(progress.outcomes),
        )

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
        again: bool = False,
    ) -> None:
        """Show a pair's outcome; `holds` is what Plex was seen to hold as Stash wants it.

        With `again` something was not even tried, and the scene stays due.
        """
        progress = self._scenes[pair.scene.scene_id]
        progress.open_pairs -= 1
        link = pair.link
        if self._notebook is not None and holds:
            link = self._planner.link_after(link, holds)
        progress.links[link.rating_key] = link
        progress.outcomes += [outcome, Outcome.SKIPPED] if again else [outcome]
        progress.problem = problem or progress.problem
        self._emit(self._rows.pair(pair, outcome, changes=changes, problem=problem, note=note))
        if not progress.open_pairs:
            self._remember(progress)
        elif self._notebook is not None:
            # What is ours on this item must be known even if the scene's others are never reached.
            self._note_unfinished(progress, link)

    def _remember(self, progress: _Progress) -> None:
        scene_id = progress.scene.scene_id
        if self._notebook is not None:
            self._notebook.remember(scene_id, self._record(progress))
        self._finished.add(scene_id)
        del self._scenes[scene_id]

    def _record(self, progress: _Progress) -> SceneRecord:
        previous = self._memory.record(progress.scene.scene_id)
        outcome = next(one for one in _WORST_FIRST if one in progress.outcomes)
        version, related = progress.version, progress.related
        if related is None:
            related = previous.related if previous else ""
        desired = self._planner.desired_digest(progress.desired) if progress.desired else ""
        record = SceneRecord(
            updated_at=progress.scene.updated_at if version is None else version,
            outcome=outcome,
            files=files_digest(progress.scene.files),
            desired=desired,
            links=tuple(progress.links.values()),
            related=related,
        )
        if outcome is not Outcome.FAILED:
            return record
        attempts = _tries_before(previous, progress.problem, desired) + 1
        return replace(
            record,
            attempts=attempts,
            due_at=self._next_try(attempts, progress.problem),
            problem=progress.problem,
        )

    def _next_try(self, attempts: int, problem: Problem | None) -> str:
        if problem and problem.kind == NOT_STORED and attempts >= _NOT_STORED_TRIES:
            return PARKED
        return self._settings.retry_at(attempts, Outcome.FAILED)

    def _note_unfinished(self, progress: _Progress, link: Link) -> None:
        """Remember a scene some of whose items are still to come: due, and to be matched again."""
        links = {**progress.links, link.rating_key: link}
        record = SceneRecord(updated_at="", outcome=Outcome.SKIPPED, links=tuple(links.values()))
        self._written_down().remember(progress.scene.scene_id, record)

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


def _tries_before(previous: SceneRecord | None, problem: Problem | None, desired: str) -> int:
    """How many tries in a row went wrong before; for what Plex does not store, in just this way."""
    if previous is None:
        return 0
    if problem and problem.kind == NOT_STORED:
        before = previous.problem.kind if previous.problem else ""
        return previous.attempts if before == NOT_STORED and previous.desired == desired else 0
    return previous.attempts


def _holds(detail: ItemDetail, path: str) -> bool:
    """Whether the item still holds the matched file."""
    wanted = normalize_path(path)
    return not detail.item.trashed and any(
        normalize_path(file.path) == wanted for file in detail.item.files
    )


def _other_files(scene: Scene, detail: SceneDetail) -> bool:
    """Whether a scene's files changed since it was listed."""
    if scene.files == detail.files:
        return False
    return files_digest(scene.files) != files_digest(detail.files)


def _kept_note(planned: Planned, *pictures: str) -> str:
    notes = []
    if kept := (*planned.kept, *pictures):
        notes.append(f"Plex's own kept for {', '.join(kept)}")
    if planned.held:
        notes.append(f"not written again since an undo: {', '.join(planned.held)}")
    return "; ".join(notes)
