"""A world with LOW matches in it, and a store for answers."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from plexsync.review.answer_store import AnswerStore
from plexsync.review.queue import WaitingQueue
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.review_queue import Waiting, load_waiting, review_queue_path
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TWINS = {Case.SAME: 1, Case.DUPLICATE: 3}
"""Pairs of scenes and items with the same bytes: every one of them is LOW, with candidates."""

STRANGERS = {Case.SAME: 1, Case.DECOY: 2}
"""Scenes that are not in Plex, but another video has their base name: LOW, one candidate each."""


def low_world(
    directory: Path, mix: Mapping[Case, float], *, scenes: int = 12, **settings: str
) -> World:
    """Both servers with LOW matches, after nothing was run."""
    spec = LibrarySpec(seed=3, scenes=scenes, mix=mix, edited=0.0)
    found = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"} | settings
    return World(make_library(spec), directory, **found)


def waiting_in(world: World) -> list[Waiting]:
    """What waits for a person, as the last run left it."""
    state = world.state()
    return load_waiting(review_queue_path(world.cache_dir, world.state_dir, state.lineage), state)


def review_order(world: World) -> list[Waiting]:
    """What waits, in the order in which a review shows it."""
    queue = WaitingQueue(waiting_in(world))
    return [queue[place] for place in range(len(queue))]


@contextmanager
def store_of(world: World, *, number: int = 0) -> Iterator[AnswerStore]:
    """The answer store of this world; another number is another review."""
    numbers = count(16 * number)
    answers = AnswerStore(
        world.state_dir,
        now=lambda: world.now,
        new_run_id=lambda: f"{world.now:%Y%m%dT%H%M%SZ}-fe{next(numbers):02x}",
    )
    answers.learn_rivals(waiting_in(world))
    try:
        yield answers
    finally:
        answers.release_lock()
