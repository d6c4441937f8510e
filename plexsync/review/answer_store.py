"""A person's answers on disk: written under the lock, journaled, before the next question.

The lock is taken with the first answer and released when the person pauses, so that an open review
keeps no run waiting.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from plexsync import __version__
from plexsync.matcher import (
    NOTHING,
    Answer,
    Pin,
    Refusal,
    SceneAnswers,
    Target,
    Verb,
    accept,
    answer_key,
    collect_answers,
    ignore,
    refuse,
)
from plexsync.models import Counts, Outcome, RatingKey, Scene, SceneId, SceneRecord
from plexsync.planning.retry_schedule import iso
from plexsync.review.queue import wanted_by
from plexsync.state import DISK, Filesystem, RunKind, Session, load_state, open_session
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from plexsync.state import State, Waiting

P = TypeVar("P", Pin, Refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """How a scene stood before an answer, and the record it had right after it."""

    scene_id: SceneId
    answers: SceneAnswers | None
    record: SceneRecord | None
    left: SceneRecord | None


Given = tuple[_Before, ...]
"""What taking an answer back needs to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where answers are kept.

    Args:
        state_dir: the state directory.
        now: the clock; aware UTC.
        new_run_id: names the journal of a review.
        lock_wait_s: how long to wait for a run that is under way, in seconds.
        disk: where to read and write.
    """

    state_dir: Path
    now: Callable[[], datetime]
    new_run_id: Callable[[], str]
    lock_wait_s: float = 0.0
    disk: Filesystem = DISK


class AnswerStore:
    """Remembers answers.

    Args:
        settings: where, and by which clock.

    Attributes:
        state: what is remembered; another object after the lock was taken or let go.

    Raises:
        StateError: see `load_state`.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._session: Session | None = None
        self._begun = False
        self._wanted: Mapping[RatingKey, Sequence[SceneId]] = {}
        self._proposed: Mapping[SceneId, Sequence[RatingKey]] = {}
        self.state: State = load_state(settings.state_dir, settings.disk)
        self._learn_owners()

    def learn_rivals(self, queue: Sequence[Waiting]) -> None:
        """Know which waiting scenes share candidates: an answer about one may settle another."""
        self._wanted = wanted_by(queue)
        self._proposed = {
            one.scene_id: [candidate.rating_key for candidate in one.candidates] for one in queue
        }

    # ---- Asking ----------------------------------------------------------------------------------

    def recorded(self, scene_id: SceneId) -> SceneAnswers:
        """Return the answers about a scene so far."""
        return self.state.decision(answer_key(scene_id), SceneAnswers) or NOTHING

    def owner(self, rating_key: RatingKey, scene_id: SceneId) -> SceneId | None:
        """Which other scene an item is linked or was given to; None when it is free."""
        others = self._owners.get(rating_key, set()) - {scene_id}
        return min(others, key=lambda one: (len(one), one), default=None)

    # ---- Answering -------------------------------------------------------------------------------

    def take_lock(self) -> None:
        """Take the lock, and know what was linked and answered since this store had it last.

        Raises:
            StateLockedError: a run is under way.
            StateError: what is remembered cannot be read.
        """
        if self._session is not None:
            return
        settings = self._settings
        session = self._stack.enter_context(
            open_session(
                settings.state_dir,
                now=settings.now(),
                wait_s=settings.lock_wait_s,
                disk=settings.disk,
            )
        )
        self._session, self.state, self._begun = session, session.state, False
        self._learn_owners()

    def give(self, answers: Sequence[Answer]) -> Given:
        """Remember `answers`; all of them are safe on disk when this returns.

        An accepted item is taken from the scene it was linked or given to. The next run looks
        again at the scenes that wait and have a candidate in common with one of these.

        Raises:
            StateLockedError: a run is under way.
            StateError: they could not be written.
        """
        session = self._open()
        touched: dict[SceneId, tuple[SceneAnswers | None, SceneRecord | None]] = {}
        for answer in answers:
            scene_id = answer.scene.scene_id
            losers = self._losers(answer)
            rivals = self._rivals(answer, losers)
            for one in (scene_id, *losers, *rivals):
                touched.setdefault(one, self._standing(one))
            for one in losers:
                self._take_from(one, frozenset(target.rating_key for target in answer.targets))
            for one in rivals:
                self._look_again(one)
            self._apply(answer)
        session.commit()
        return tuple(
            _Before(scene_id=one, answers=answers, record=record, left=self.state.get(one))
            for one, (answers, record) in touched.items()
        )

    def take_back(self, given: Given) -> None:
        """Put everything back as it stood before an answer.

        A scene that a run has handled since keeps what the run found, and is looked at again.

        Raises:
            StateLockedError: a run is under way.
            StateError: it could not be written.
        """
        session = self._open()
        for before in given:
            now = self.state.get(before.scene_id)
            self._write(
                before.scene_id,
                before.answers,
                before.record if now == before.left else now and _due(now),
            )
        session.commit()

    def release_lock(self) -> None:
        """End the journal and let go of the lock. May be repeated; the next answer takes it again.

        Raises:
            StateError: the journal could not be ended. Every answer is safe all the same.
        """
        session, self._session = self._session, None
        try:
            if session is not None and self._begun:
                session.end(finished_at=self._settings.now(), exit_code=0, counts=Counts())
        finally:
            self._stack.close()

    # ---- Private ---------------------------------------------------------------------------------

    def _open(self) -> Session:
        """Return the session, with a journal to write answers into."""
        self.take_lock()
        session = self._session
        assert session is not None  # noqa: S101 - it is awake
        if self._begun:
            return session
        settings = self._settings
        try:
            session.begin(
                run_id=settings.new_run_id(),
                kind=RunKind.REVIEW,
                started_at=iso(settings.now()),
                lineage=session.state.lineage,
                version=__version__,
            )
        except BaseException:
            self._session = None
            self._stack.close()
            raise
        self._begun = True
        return session

    def _learn_owners(self) -> None:
        self._owners: dict[RatingKey, set[SceneId]] = {}
        for rating_key, scene_id in self.state.claims().items():
            self._owners.setdefault(rating_key, set()).add(scene_id)
        for pin in collect_answers(self.state).pins:
            self._owners.setdefault(pin.rating_key, set()).add(pin.scene_id)

    def _standing(self, scene_id: SceneId) -> tuple[SceneAnswers | None, SceneRecord | None]:
        return self.state.decision(answer_key(scene_id), SceneAnswers), self.state.get(scene_id)

    def _losers(self, answer: Answer) -> list[SceneId]:
        if answer.verb is not Verb.ACCEPT:
            return []
        found = [self._owners.get(target.rating_key, set()) for target in answer.targets]
        return sorted(set().union(*found) - {answer.scene.scene_id})

    def _rivals(self, answer: Answer, losers: Collection[SceneId]) -> list[SceneId]:
        """Return the scenes that wait and want what this one may get, or no longer wants."""
        scene_id = answer.scene.scene_id
        keys = {target.rating_key for target in answer.targets}
        keys.update(self._proposed.get(scene_id, ()))
        found = {one for key in keys for one in self._wanted.get(key, ())}
        return sorted(one for one in found - {scene_id, *losers} if self._waits(one))

    def _waits(self, scene_id: SceneId) -> bool:
        record = self.state.get(scene_id)
        return record is not None and record.outcome is Outcome.REVIEW

    def _look_again(self, scene_id: SceneId) -> None:
        """Let a scene wait on, but be matched again by the next run."""
        answers, record = self._standing(scene_id)
        self._write(scene_id, answers, record and _due(record, Outcome.REVIEW))

    def _take_from(self, scene_id: SceneId, keys: frozenset[RatingKey]) -> None:
        """Let a scene lose items to another one, and be matched again."""
        answers, record = self._standing(scene_id)
        if answers is not None:
            pins = tuple(pin for pin in answers.pins if pin.rating_key not in keys)
            answers = replace(answers, pins=pins)
        self._write(scene_id, answers, record and _due(record, without=keys))

    def _apply(self, answer: Answer) -> None:
        scene = answer.scene
        answers, record = self._standing(scene.scene_id)
        keys = frozenset(target.rating_key for target in answer.targets)
        match answer.verb:
            case Verb.ACCEPT:
                answers = accept(
                    answers or NOTHING, [_about(Pin, scene, one) for one in answer.targets]
                )
                record = record and _due(record)
            case Verb.REJECT:
                answers = refuse(
                    answers or NOTHING, [_about(Refusal, scene, one) for one in answer.targets]
                )
                outcome = Outcome.REVIEW if answer.open else Outcome.SKIPPED
                record = record and _due(record, outcome, without=keys)
            case Verb.ABSENT:
                refusals = [_about(Refusal, scene, one) for one in answer.targets]
                answers = refuse(answers or NOTHING, refusals, absent=files_digest(scene.files))
                record = record and _due(record, without=keys)
            case Verb.IGNORE:
                answers = ignore(answers or NOTHING, scene, answer.reason)
                record = record and replace(
                    record,
                    outcome=Outcome.IGNORED,
                    files=files_digest(scene.files),
                    attempts=0,
                    due_at="",
                    problem=None,
                )
            case Verb.RESET:
                answers = None
                outcome = Outcome.REVIEW if answer.open else Outcome.SKIPPED
                record = record and _due(record, outcome)
        self._write(scene.scene_id, answers, record)

    def _write(
        self, scene_id: SceneId, answers: SceneAnswers | None, record: SceneRecord | None
    ) -> None:
        session = self._open()
        answers_before, before = self._standing(scene_id)
        kept = answers if answers != NOTHING else None
        if kept != answers_before:
            session.decide(answer_key(scene_id), kept)
        if record is None:
            if before is not None:
                session.forget(scene_id)
        else:
            session.remember(scene_id, record)
        self._note_owner(scene_id, (answers_before, before), (kept, record))

    def _note_owner(
        self,
        scene_id: SceneId,
        before: tuple[SceneAnswers | None, SceneRecord | None],
        after: tuple[SceneAnswers | None, SceneRecord | None],
    ) -> None:
        for rating_key in _keys(before):
            self._owners.get(rating_key, set()).discard(scene_id)
        for rating_key in _keys(after):
            self._owners.setdefault(rating_key, set()).add(scene_id)


def _keys(standing: tuple[SceneAnswers | None, SceneRecord | None]) -> set[RatingKey]:
    answers, record = standing
    keys = {pin.rating_key for pin in answers.pins} if answers else set()
    return keys | ({link.rating_key for link in record.links} if record else set())


def _due(
    record: SceneRecord,
    outcome: Outcome = Outcome.SKIPPED,
    *,
    without: frozenset[RatingKey] = frozenset(),
) -> SceneRecord:
    """Return the record of a scene the next run matches again; it loses its links to `without`."""
    return replace(
        record,
        outcome=outcome,
        files="",
        links=tuple(link for link in record.links if link.rating_key not in without),
        attempts=0,
        due_at="",
        problem=None,
    )


def _about(kind: Callable[..., P], scene: Scene, target: Target) -> P:
    """Return a pin or a refusal of a pair, with what it is to be recognised by."""
    return kind(
        scene_id=scene.scene_id,
        rating_key=target.rating_key,
        scene_path=target.scene_path,
        item_path=target.item_path,
        oshash=_oshash(scene, target.scene_path),
    )


def _oshash(scene: Scene, path: str) -> int | None:
    return next((file.oshash for file in scene.files if file.path == path), None)
