"""From linked pairs to written items: read, plan, write, remember.

Pairs flow through in batches of one detail read, or of a few where their changes are alike: so a
value is written seconds after it was read, and memory holds batches and not the library. Here they
are read and planned; `carrying` writes, and `accounts` remembers a scene as written only after Plex
was seen to hold what was sent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.errors import AuthError, ExitCode, InterruptedRunError, ServerError
from plexsync.models import (
    ItemKind,
    ItemPlan,
    Outcome,
    PlexField,
    Problem,
    SceneDetail,
    SceneId,
    as_problem,
)
from plexsync.planning.retry_schedule import PARKED
from plexsync.sync.execution.item_writer import Carrier, Ready, kept_note
from plexsync.sync.execution.outcomes import GIVEN_UP, Accounts
from plexsync.sync.execution.writer import (
    DETAIL_BATCH,
    NOT_SHOWN,
    Reader,
    Writer,
    settle,
    with_link,
)
from plexsync.sync.pictures.plan import Wanted
from plexsync.text.folding import files_digest
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.models import Change, Desired, ItemDetail, Link, MatchRow, Scene
    from plexsync.planning.desired import FieldMap
    from plexsync.planning.planner import Planner
    from plexsync.stash_client import Fetched
    from plexsync.state import SavedItem, SavedPicture
    from plexsync.sync.execution.outcomes import Memory
    from plexsync.sync.execution.writer import Notebook, PlexItems
    from plexsync.sync.pictures.fetch import Pictures
    from plexsync.sync.rows import Pair, RowMaker

_STASH_BATCH = 200
"""Scenes per detail request. Source: docs/stash-api.md 8 (pages of 100 to 250)."""

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
        servers_down: the same of any of the two.
    """

    fields: FieldMap
    planner: Planner
    lock_fields: bool
    compare_all: bool
    asked_for: bool
    retry_at: Callable[[int, Outcome], str]
    should_stop: Callable[[], bool]
    plex_down: Callable[[], bool]
    servers_down: Callable[[], bool]


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
        emit: Callable[[MatchRow], None],
    ) -> None:
        self._stash = stash
        self._reader = Reader(plex, plex_down=settings.plex_down)
        self._notebook = notebook
        self._artwork, self._painter, self._save_pictures = pictures
        self._fields = settings.fields
        self._planner = settings.planner
        self._settings = settings
        self._memory = memory
        self.accounts = Accounts(
            notebook,
            planner=settings.planner,
            memory=memory,
            rows=rows,
            emit=emit,
            retry_at=settings.retry_at,
        )
        """The pairs of the run, and what became of them."""
        self._carrier = None if notebook is None else self._make_carrier(plex, notebook)
        self.orphans: list[Pair] = []
        """Pairs whose item is gone or holds another file by now: to be matched again."""

    # ---- reading and planning

    def ready(self, pairs: Sequence[Pair]) -> Iterator[list[Ready]]:
        """Read and plan `pairs`; each batch yielded holds those of one read that need writing.

        Pairs that need nothing are finished on the way.
        """
        by_scene: defaultdict[SceneId, list[Pair]] = defaultdict(list)
        for pair in pairs:
            if self.accounts.open(pair):
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
                        self.accounts.skip(pair, "changed in Stash while it was read")
                    elif not self._finish_unread(pair, detail):
                        yield pair, detail
            # A scene deleted since it was listed says nothing; the next sweep forgets it.
            for scene_id in fetched.missing:
                for pair in by_scene[scene_id]:
                    self.accounts.skip(pair, "deleted in Stash meanwhile")
            for scene_id, message in fetched.poisoned:
                problem = Problem(kind="bad-response", message=message)
                for pair in by_scene[scene_id]:
                    self.accounts.finish(pair, Outcome.FAILED, problem=problem)

    def _note_desired(self, detail: SceneDetail) -> None:
        """Remember which version and which values of a scene are being compared."""
        settled = self._stash.is_settled(detail.updated_at)
        self._memory.observe(detail.related)
        desired = self._fields.desired(detail, ItemKind.MOVIE)
        self.accounts.note_compared(detail, desired, settled=settled)

    def _finish_unread(self, pair: Pair, detail: SceneDetail) -> bool:
        """Finish a pair if it is known without asking Plex what becomes of it."""
        if self._handled(pair, detail):
            self.accounts.finish(pair, Outcome.UNCHANGED, note="nothing to write has changed")
            return True
        if problem := self._parked(pair):
            self.accounts.finish(pair, Outcome.FAILED, problem=problem)
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
            and record.desired == self.accounts.desired_digest(scene_id)
            and self._artwork.handled(pair, detail)
        )

    def _parked(self, pair: Pair) -> Problem | None:
        """Why this is not tried again: just this would end in the same way."""
        record = self._memory.record(pair.scene.scene_id)
        parked = (
            pair.match is None
            and record is not None
            and record.due_at == PARKED
            and record.problem is not None
            and record.problem.kind in GIVEN_UP
            # Of a cover the digest of the fields does not say whether it is the one that was tried.
            and record.problem.kind != NOT_SHOWN
            and not self._settings.asked_for
            and record.desired == self.accounts.desired_digest(pair.scene.scene_id)
        )
        return record.problem if parked and record else None

    def _plan_batch(self, batch: Sequence[tuple[Pair, SceneDetail]]) -> list[Ready]:
        read = self._reader.read([pair.link.rating_key for pair, _ in batch])
        ready = []
        for pair, scene in batch:
            detail = read.get(pair.link.rating_key)
            if isinstance(detail, ServerError):
                self.accounts.finish(pair, Outcome.FAILED, problem=as_problem(detail))
            elif detail is None or not holds_file(detail.item, pair.link.path):
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
        noted = self.accounts.desired(scene.scene_id)
        desired = noted if movie else self._fields.desired(scene, kind)
        try:
            settled = self._settled(pair, detail)
        except ServerError as error:
            if isinstance(error, AuthError) or self._settings.plex_down():
                raise
            self.accounts.finish(pair, Outcome.FAILED, problem=as_problem(error))
            return None
        pair.link = self._unheld(settled, desired)
        planned = self._planner.plan(desired, detail, pair.link.base, pair.link.held)
        wanted = self._artwork.plan(pair, scene, detail)
        if not planned.changes and not wanted.strokes:
            kept = planned.kept or planned.held or wanted.kept
            outcome = Outcome.KEPT if kept else Outcome.UNCHANGED
            self.accounts.finish(
                pair,
                Outcome.FAILED if wanted.problem else outcome,
                holds=planned.agreed,
                problem=wanted.problem,
                note=kept_note(planned, *wanted.kept),
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

    # ---- writing, or only showing

    def write(self, batch: Sequence[Ready]) -> None:
        """See `Carrier.write`. Not in a dry run."""
        assert self._carrier is not None, "a dry run writes nothing"  # noqa: S101 - our own invariant
        self._carrier.write(batch)

    def show(self, ready: Ready) -> None:
        """Finish a pair in a dry run: its changes are shown, and not written."""
        asked = [stroke.rule.name for stroke in ready.wanted.strokes if stroke.ask]
        problem, changes = ready.wanted.problem, ready.changes
        outcome = Outcome.PLANNED if changes else Outcome.KEPT
        self.accounts.finish(
            ready.pair,
            Outcome.FAILED if problem else outcome,
            changes=changes,
            problem=problem,
            note=kept_note(ready.planned, *ready.wanted.kept, *asked),
        )

    def saved(self, ready: Ready) -> SavedItem | None:
        """A planned pair as a plan file holds it; None for nothing. To be asked before `show`.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        pictures: tuple[SavedPicture, ...] = ()
        try:
            pictures = self._save_pictures(ready.plan.rating_key, ready.wanted)
        except ServerError as error:
            if isinstance(error, AuthError) or self._settings.servers_down():
                raise
            ready.wanted = Wanted(kept=ready.wanted.kept, problem=as_problem(error))
        if not pictures and not ready.planned.changes:
            return None
        item = self.accounts.saved(ready.pair, ready.planned, ready.plan)
        return replace(item, pictures=pictures)

    def take_orphans(self) -> dict[SceneId, Scene]:
        """The scenes with orphaned pairs, which are dropped: they are to be matched again."""
        scenes = {}
        for pair in self.orphans:
            scenes[pair.scene.scene_id] = pair.scene
            self.accounts.drop(pair)
        self.orphans = []
        return scenes

    def _make_carrier(self, plex: PlexItems, notebook: Notebook) -> Carrier:
        should_stop = self._settings.should_stop
        writer = Writer(
            plex,
            self._reader,
            notebook,
            planner=self._planner,
            should_stop=should_stop,
            spare=self._spare,
        )
        return Carrier(
            writer,
            self._painter,
            notebook,
            accounts=self.accounts,
            should_stop=should_stop,
        )

    def _spare(self, plan: ItemPlan, change: Change) -> tuple[str, ...]:
        """See `Planner.spare`; what a list is to hold is the same for every kind of item."""
        return self._planner.spare(self.accounts.desired(plan.scene_id), change)

    def _pause(self) -> None:
        if self._settings.should_stop():
            raise InterruptedRunError(ExitCode.INTERRUPTED)


def _other_files(scene: Scene, detail: SceneDetail) -> bool:
    """Whether a scene's files changed since it was listed."""
    if scene.files == detail.files:
        return False
    return files_digest(scene.files) != files_digest(detail.files)
