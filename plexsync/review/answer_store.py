"""A person's answers on disk: written under the lock, journaled, before the next question.

The lock is taken with the first answer and released when the person pauses, so that an open review
keeps no run waiting.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync import __version__
from plexsync.matcher import (
    NOTHING,
    Answer,
    AnsweredPair,
    SceneAnswers,
    Verb,
    answer_key,
    answered,
    answered_since,
    collect_answers,
    find_file,
)
from plexsync.models import (
    Candidate,
    Confidence,
    Counts,
    Outcome,
    RatingKey,
    Scene,
    SceneId,
    SceneRecord,
    id_order,
)
from plexsync.planning.retry_schedule import iso
from plexsync.review.queue import wanted_by
from plexsync.state import DISK, End, Filesystem, RunKind, Session, load_state, open_session
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from plexsync.state import State, Waiting


class _Standing(NamedTuple):
    """How a scene stands: what was answered about it, and what runs remember."""

    answers: SceneAnswers
    record: SceneRecord | None

    def owned(self) -> set[RatingKey]:
        """Return the items it is linked or was given to."""
        keys = {pin.rating_key for pin in self.answers.pins}
        return keys | ({link.rating_key for link in self.record.links} if self.record else set())


class AnswerStore:
    """Remembers answers.

    Args:
        state_dir: the state directory.
        now: the clock; aware UTC.
        new_run_id: names the journal of a review.
        lock_wait_s: how long to wait for a run that is under way, in seconds.
        disk: where to read and write.

    Attributes:
        state: what is remembered; another object after the lock was taken or let go.
        elsewhere: the scenes that were answered elsewhere since this store was made.

    Raises:
        StateError: see `load_state`.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        now: Callable[[], datetime],
        new_run_id: Callable[[], str],
        lock_wait_s: float = 0.0,
        disk: Filesystem = DISK,
    ) -> None:
        self._state_dir, self._disk = state_dir, disk
        self._now, self._new_run_id = now, new_run_id
        self._lock_wait_s = lock_wait_s
        self._stack = ExitStack()
        self._session: Session | None = None
        self._begun = False
        self._wanted: Mapping[RatingKey, Sequence[SceneId]] = {}
        self._proposed: Mapping[SceneId, Sequence[RatingKey]] = {}
        self.state: State = load_state(state_dir, disk)
        self.elsewhere: set[SceneId] = set()
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

    def refused(self, scene_id: SceneId) -> set[RatingKey]:
        """Return the items a scene is not, by a person's answers."""
        return {one.rating_key for one in self.recorded(scene_id).refusals}

    def leaves_open(self, waiting: Waiting) -> bool:
        """Whether a scene as it was found waits, whatever was answered about it so far."""
        recorded, files = self.recorded(waiting.scene_id), files_digest(waiting.scene.files)
        is_ignored = recorded.ignored is not None and recorded.ignored.files == files
        if is_ignored or recorded.absent == files:
            return False
        refused = {one.rating_key for one in recorded.refusals if _stands(one, waiting)}
        pinned = any(_stands(one, waiting) for one in recorded.pins)
        return not pinned and (not refused or _has_others(waiting, refused))

    def owner(self, rating_key: RatingKey, scene_id: SceneId) -> SceneId | None:
        """Which other scene an item is linked or was given to; None when it is free."""
        return min(self.owners((rating_key,), scene_id), key=id_order, default=None)

    def owners(self, keys: Iterable[RatingKey], scene_id: SceneId) -> set[SceneId]:
        """Return which other scenes items are linked or were given to."""
        found = (self._owners.get(key, set()) for key in keys)
        return set().union(*found) - {scene_id}

    # ---- Answering -------------------------------------------------------------------------------

    def answer_about(
        self,
        waiting: Waiting,
        verb: Verb,
        candidates: Sequence[Candidate] = (),
        *,
        reason: str = "",
    ) -> Answer:
        """Return an answer about a scene, to be given.

        Args:
            waiting: the scene.
            verb: how it is answered.
            candidates: the items that it is, or is not; otherwise not looked at.
            reason: why it is ignored.
        """
        scene, is_open = waiting.scene, verb is Verb.RESET and bool(waiting.candidates)
        if verb is Verb.REJECT:
            keys = {one.rating_key for one in candidates} | self.refused(scene.scene_id)
            is_open = waiting.match.confidence is Confidence.LOW and _has_others(waiting, keys)
        about = {
            Verb.ACCEPT: candidates,
            Verb.REJECT: candidates,
            Verb.ABSENT: waiting.candidates,
        }.get(verb, ())
        targets = tuple(_pair(scene, one) for one in about)
        return Answer(verb=verb, scene=scene, targets=targets, reason=reason.strip(), open=is_open)

    def take_lock(self) -> Session:
        """Take the lock, and know what was linked and answered since this store had it last.

        Raises:
            StateLockedError: a run is under way.
            StateError: what is remembered cannot be read.
        """
        if self._session is not None:
            return self._session
        opened = open_session(
            self._state_dir, now=self._now(), wait_s=self._lock_wait_s, disk=self._disk
        )
        session = self._stack.enter_context(opened)
        self.elsewhere |= answered_since(self.state, session.state)
        self._session, self.state, self._begun = session, session.state, False
        self._learn_owners()
        return session

    def give(self, answers: Sequence[Answer]) -> Callable[[], Collection[SceneId]]:
        """Remember `answers`; all of them are safe on disk when this returns.

        An accepted item is taken from the scene it was linked or given to. The next run looks
        again at the scenes that wait and have a candidate in common with one of these.

        Returns:
            What puts everything back as it stood before, but for the answers given elsewhere since:
            it returns which of these scenes stand by such a one, and raises the same errors.

        Raises:
            StateLockedError: a run is under way.
            StateError: they could not be written.
        """
        session = self._open()
        before: dict[SceneId, _Standing] = {}
        for answer in answers:
            scene_id = answer.scene.scene_id
            taken = _keys(answer) if answer.verb is Verb.ACCEPT else frozenset()
            losers = sorted(self.owners(taken, scene_id))
            rivals = self._rivals(answer, losers)
            for one in (scene_id, *losers, *rivals):
                before.setdefault(one, self._standing(one))
            for one in losers:
                self._look_again(one, Outcome.SKIPPED, without=taken)
            for one in rivals:
                self._look_again(one, Outcome.REVIEW)
            self._apply(answer)
        session.commit()
        left = {one: self._standing(one) for one in before}
        ours = frozenset(answer.scene.scene_id for answer in answers)
        return partial(self._put_back, before, left, ours)

    def release_lock(self) -> None:
        """End the journal and let go of the lock. May be repeated; the next answer takes it again.

        Raises:
            StateError: the journal could not be ended. Every answer is safe all the same.
        """
        session, self._session = self._session, None
        try:
            if session is not None and self._begun:
                session.end(self._now(), End(exit_code=0, counts=Counts()))
        finally:
            self._stack.close()

    # ---- Private ---------------------------------------------------------------------------------

    def _open(self) -> Session:
        """Return the session, with a journal to write answers into."""
        session = self.take_lock()
        if self._begun:
            return session
        try:
            session.begin(
                run_id=self._new_run_id(),
                kind=RunKind.REVIEW,
                started_at=iso(self._now()),
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

    def _put_back(
        self,
        before: Mapping[SceneId, _Standing],
        left: Mapping[SceneId, _Standing],
        ours: frozenset[SceneId],
    ) -> frozenset[SceneId]:
        """Let scenes stand as `before` answers to `ours` that left them standing so.

        One that was answered elsewhere since stays so, with the items it was given. A scene that a
        run has handled since keeps what the run found, and is looked at again.
        """
        session = self._open()
        same = {one for one in before if self._standing(one).answers == left[one].answers}
        for scene_id in (one for one in before if one in same):
            was, now = before[scene_id], self.state.get(scene_id)
            unhandled = now == left[scene_id].record
            self._write(scene_id, was.answers, was.record if unhandled else now and _due(now))
            lost = frozenset(key for key in was.owned() if self._owners.get(key, set()) - same)
            if lost:
                self._look_again(scene_id, Outcome.SKIPPED, without=lost)
        session.commit()
        return ours - same

    def _standing(self, scene_id: SceneId) -> _Standing:
        return _Standing(self.recorded(scene_id), self.state.get(scene_id))

    def _rivals(self, answer: Answer, losers: Collection[SceneId]) -> list[SceneId]:
        """Return the scenes that wait and want what this one may get, or no longer wants."""
        scene_id = answer.scene.scene_id
        keys = _keys(answer).union(self._proposed.get(scene_id, ()))
        found = {one for key in keys for one in self._wanted.get(key, ())}
        records = {one: self.state.get(one) for one in found - {scene_id, *losers}}
        return sorted(
            one for one, record in records.items() if record and record.outcome is Outcome.REVIEW
        )

    def _look_again(
        self, scene_id: SceneId, outcome: Outcome, *, without: frozenset[RatingKey] = frozenset()
    ) -> None:
        """Let a scene be matched again, without the items it loses to another one."""
        answers, record = self._standing(scene_id)
        pins = tuple(pin for pin in answers.pins if pin.rating_key not in without)
        due = record and _due(record, outcome, without=without)
        self._write(scene_id, replace(answers, pins=pins), due)

    def _apply(self, answer: Answer) -> None:
        scene_id = answer.scene.scene_id
        known, record = self._standing(scene_id)
        answers = answered(known, answer)
        self._write(scene_id, answers, record and _answered_record(record, answer, answers))

    def _write(self, scene_id: SceneId, answers: SceneAnswers, record: SceneRecord | None) -> None:
        session = self._open()
        before, after = self._standing(scene_id), _Standing(answers, record)
        if answers != before.answers:
            session.decide(answer_key(scene_id), answers if answers != NOTHING else None)
        if record is not None:
            session.remember(scene_id, record)
        elif before.record is not None:
            session.forget(scene_id)
        for rating_key in before.owned():
            self._owners.get(rating_key, set()).discard(scene_id)
        for rating_key in after.owned():
            self._owners.setdefault(rating_key, set()).add(scene_id)


def _answered_record(record: SceneRecord, answer: Answer, answers: SceneAnswers) -> SceneRecord:
    """Return the record of a scene of which `answers` stand since `answer`."""
    if answer.verb is Verb.IGNORE:
        files = files_digest(answer.scene.files)
        # What it was linked to by other files may be another scene's by now.
        links = record.links if record.files == files else ()
        return replace(_due(record, Outcome.IGNORED), files=files, links=links)
    waits = answer.open and not answers.pins
    refused = _keys(answer) if answer.verb in {Verb.REJECT, Verb.ABSENT} else frozenset()
    return _due(record, Outcome.REVIEW if waits else Outcome.SKIPPED, without=refused)


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


def _has_others(waiting: Waiting, keys: Collection[RatingKey]) -> bool:
    """Whether a scene has candidates beside `keys`."""
    left = any(one.rating_key not in keys for one in waiting.candidates)
    return left or waiting.match.candidate_count > len(waiting.candidates)


def _stands(answer: AnsweredPair, waiting: Waiting) -> bool:
    """Whether an answer is about the files that were found of a scene and its candidate."""
    found = (one.item_path for one in waiting.candidates if one.rating_key == answer.rating_key)
    same_item = all(path == answer.item_path for path in found)
    return same_item and find_file(waiting.scene, answer) is not None


def _pair(scene: Scene, candidate: Candidate) -> AnsweredPair:
    """Return both, with what they are to be recognised by."""
    hashes = (file.oshash for file in scene.files if file.path == candidate.scene_path)
    return AnsweredPair(
        scene_id=scene.scene_id,
        rating_key=candidate.rating_key,
        scene_path=candidate.scene_path,
        item_path=candidate.item_path,
        oshash=next(hashes, None),
    )


def _keys(answer: Answer) -> frozenset[RatingKey]:
    return frozenset(target.rating_key for target in answer.targets)
