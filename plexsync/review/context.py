"""What a review works with: what waits, where answers are kept, and both servers."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.app.failures import make_run_id, utc_now
from plexsync.app.opening import command_config, open_servers
from plexsync.errors import ConfigError, ServerError, StateMismatchError
from plexsync.matcher import NOTHING
from plexsync.models import SceneId, id_order
from plexsync.review.answer_store import AnswerStore
from plexsync.review.machine import Review
from plexsync.review.servers import ReviewServers
from plexsync.state import (
    ReviewQueueWriter,
    Waiting,
    cache_directory,
    load_client_id,
    load_trial,
    load_waiting,
    review_queue_path,
    state_directory,
    trial_queue_path,
    waiting_ids,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plexsync.output.console import Invocation
    from plexsync.sync.ports import RunOptions

_PRIVATE_UMASK = 0o077


@dataclass(slots=True, kw_only=True)
class ReviewContext:
    """Everything a review needs.

    Attributes:
        answers: takes the answers.
        servers: asks the servers.
        waiting: the LOW scenes, by id.
        trial: those of a dry run that no run has handled since, answered or not.
        missing: how many more wait without known candidates.
        notes: what a person should know about that.
    """

    answers: AnswerStore
    servers: ReviewServers
    waiting: list[Waiting] = field(default_factory=list)
    trial: list[Waiting] = field(default_factory=list)
    missing: int = 0
    notes: list[str] = field(default_factory=list)

    def named(self, ids: Sequence[SceneId]) -> list[Waiting]:
        """Return the scenes of these ids, whether they wait or not.

        Raises:
            ConfigError: nothing is known of one of them.
            ServerError: one does not wait, and the servers cannot tell about it.
        """
        known = {one.scene_id: one for one in (*self.trial, *self.waiting)}
        found = []
        for scene_id in dict.fromkeys(ids):
            if scene_id in known:
                found.append(known[scene_id])
            elif not self._is_known(scene_id):
                raise ConfigError(
                    f"no run has seen scene {scene_id} yet",
                    hint="plexsync run looks at new scenes; plexsync review list shows what waits",
                )
            else:
                found.append(self.servers.linked(scene_id))
        return found

    def _is_known(self, scene_id: SceneId) -> bool:
        """Whether a run has seen a scene, or a person has answered about it before one did."""
        answered = self.answers.recorded(scene_id) != NOTHING
        return answered or self.answers.state.get(scene_id) is not None

    def review(self, scenes: Sequence[Waiting]) -> Review:
        """Begin a review of scenes."""
        return Review(scenes, self.answers, self.servers, message=". ".join(self.notes))


@contextmanager
def open_review(
    invocation: Invocation, *, lock_wait_s: float = 0.0, locked: bool = False
) -> Iterator[ReviewContext]:
    """Read the configuration and what waits; let go of everything at the end.

    Args:
        invocation: the command.
        lock_wait_s: how long to wait for a run that is under way, in seconds.
        locked: what waits is read under the lock, so that it still waits when it is answered.

    Raises:
        ConfigError: the configuration is wrong.
        StateLockedError: with `locked`, a run is under way.
        StateError: what is remembered cannot be read.
    """
    os.umask(_PRIVATE_UMASK)
    config = command_config(invocation)
    state_dir = state_directory(os.environ)
    with open_servers(config, load_client_id(state_dir, create=False)) as both:
        answers = AnswerStore(
            state_dir,
            now=utc_now,
            new_run_id=lambda: make_run_id(utc_now()),
            lock_wait_s=lock_wait_s,
        )
        servers = ReviewServers(both, answers, cache_directory(os.environ))
        context = ReviewContext(answers=answers, servers=servers)
        try:
            if locked:
                answers.take_lock()
            _read_waiting(context, state_dir)
            yield context
        finally:
            servers.previews.close()
            answers.release_lock()


def run_accepted(invocation: Invocation, options: RunOptions) -> int:
    """Run with what was accepted; returns the exit code."""
    from plexsync.app.runs import perform  # noqa: PLC0415 - no screen waits for a run
    from plexsync.sync.reconcile import run  # noqa: PLC0415 - same

    return perform(invocation, run, options)


# ---- Private -------------------------------------------------------------------------------------


def _read_waiting(context: ReviewContext, state_dir: Path) -> None:
    """Read what waits, and what a dry run found of scenes no run or person has settled."""
    answers, cache_dir = context.answers, context.servers.cache_dir
    lineage = answers.state.lineage
    path = review_queue_path(cache_dir, state_dir, lineage)
    context.waiting = load_waiting(path, answers.state)
    _find_lost(context, path)
    context.trial = load_trial(trial_queue_path(cache_dir, state_dir, lineage), answers.state)
    known = {one.scene_id for one in context.waiting}
    context.waiting += [
        one for one in context.trial if one.scene_id not in known and answers.leaves_open(one)
    ]
    context.waiting.sort(key=lambda one: id_order(one.scene_id))
    answers.learn_rivals(context.waiting)


def _find_lost(context: ReviewContext, path: Path) -> None:
    """Find what waits again where the cache has lost it."""
    state, notes = context.answers.state, context.notes
    known = {one.scene_id for one in context.waiting}
    lost = [scene_id for scene_id in waiting_ids(state) if scene_id not in known]
    try:
        found = context.servers.find_again(lost)
    except (ServerError, StateMismatchError) as error:
        notes.append(f"{len(lost):,} more wait, but their candidates are lost: {error.message}")
        context.missing = len(lost)
        return
    shelf = ReviewQueueWriter(path)
    for one in found:
        shelf.put(one)
    shelf.close()
    if shelf.problem:
        notes.append(shelf.problem)
    context.missing = len(lost) - len(found)
    if context.missing:
        notes.append(f"{context.missing:,} more are no longer LOW; the next run settles them")
    context.waiting += found
