"""How things stand, from what is remembered alone: no server is asked and no lock is taken.

Source: docs/contract.md, "Commands"; docs/output.md, "Status".
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import StateCorruptError
from plexsync.models import Outcome, PathRule, noun_of
from plexsync.planning.retry_schedule import CLOCK_MARGIN, PARKED, has_come
from plexsync.storage.loading import load_state
from plexsync.storage.locations import Holder, at_work
from plexsync.storage.memory import UNLINKED, State
from plexsync.storage.review_queue import load_waiting, review_queue_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plexsync.models import KeptRecord, Problem, RatingKey, SceneId, SceneRecord
    from plexsync.storage.checkpoint import RunRecord
    from plexsync.storage.journal import Lineage

PROPOSED = "proposed-rules"
"""The key under which a run remembers the path rules it proposed."""

_READS = 3
"""Tries to read a state that a run may be folding just then: each sees it whole or fails."""


_PARTS = {Outcome.IGNORED: "ignored", Outcome.REVIEW: "low", Outcome.UNMATCHED: "unmatched"}
"""Which part of `Coverage` a scene belongs to, whether or not it is linked."""


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """Path rules a run found in the libraries."""

    rules: tuple[PathRule, ...] = ()


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How many scenes are what; they add up to `scenes`.

    Args:
        scenes: all that are remembered.
        linked: written to an item, or about to be.
        low: wait for a person.
        unmatched: have no candidate in Plex.
        ignored: take no part.
        undecided: came to nothing yet: they failed, the run ended before their turn, or what a
            person answered waits for the next run.
    """

    scenes: int = 0
    linked: int = 0
    low: int = 0
    unmatched: int = 0
    ignored: int = 0
    undecided: int = 0


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A scene that failed.

    Args:
        scene_id: which.
        attempts: tries in a row.
        due_at: ISO time of the next one; "" for at once, and for a parked scene.
        problem: what went wrong last.
        paths: its items' files, as Plex sees them; empty while it has no item.
        section_id: the library of the first of them; "" while it has no item.
        rating_keys: its items, as Plex names them.
        scene_url: where a person opens it; "" where that is not known.
        item_urls: where a person opens its items, as far as that is known.
    """

    scene_id: SceneId
    attempts: int
    due_at: str
    problem: Problem | None
    paths: tuple[str, ...] = ()
    section_id: str = ""
    rating_keys: tuple[RatingKey, ...] = ()
    scene_url: str = ""
    item_urls: tuple[str, ...] = ()


class KeptTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """A collection, show or season that failed.

    Args:
        key: what stands for it: `3.studio:12`, `season:77`.
        title: what it is to be called.
        attempts: tries in a row.
        due_at: ISO time of the next one; "" for at once, and for a parked one.
        parked: whether it failed too often.
        problem: what went wrong last.
    """

    key: SceneId
    title: str
    attempts: int
    due_at: str
    parked: bool
    problem: Problem | None


class KeptStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How many collections are what, or shows and seasons; see `[collections]` and `[shows]`.

    Args:
        kept: in Plex, and in step.
        waiting: the next run looks at them again, or a later one.
        parked: failed too often.
        left_alone: not made or touched: the title of a collection is taken, or a person deleted it
            or took it back; a show is not of one studio, a season not of one year.
        troubles: those that failed, by key.
    """

    kept: int = 0
    waiting: int = 0
    parked: int = 0
    left_alone: int = 0
    troubles: tuple[KeptTrouble, ...] = ()

    @property
    def shares(self) -> tuple[tuple[str, int], ...]:
        """How many are what, by name; nothing where there are none."""
        counts = (
            ("kept", self.kept),
            ("waiting", self.waiting),
            ("parked", self.parked),
            ("left alone", self.left_alone),
        )
        return counts if any(count for _, count in counts) else ()


NOTHING_KEPT = KeptStatus()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand.

    Args:
        now: aware UTC time.
        directory: the state directory.
        lineage: the servers the state belongs to.
        runs: the last ones, oldest first.
        running: who says to be at work; None when nobody is known to.
        last_success_at: when a run last ended well; ISO, "" for never.
        last_full_at: when the last full one began; ISO, "" for never.
        coverage: how much of Stash is linked.
        items: how many items of Plex are linked with a scene.
        links: how many items of each library are linked, by the library's id in Plex.
        due: scenes the next run tries again, whatever changed.
        later: scenes that are tried again later.
        next_at: when the first of those is; ISO, "" for none.
        review: scenes that wait for a person, by id.
        review_libraries: how many of them have their best candidate in which library, by its
            title, as far as that was asked for and is known.
        failing: scenes that failed and are tried again, by id.
        parked: scenes that failed too often, by id.
        shows: the shows and seasons plexsync keeps.
        collections: the collections it keeps.
        unsettled: writes of which nobody knows whether they reached Plex.
        proposed: path rules the last run proposed.
    """

    now: datetime
    directory: Path
    lineage: Lineage
    runs: tuple[RunRecord, ...] = ()
    running: Holder | None = None
    last_success_at: str = ""
    last_full_at: str = ""
    coverage: Coverage
    items: int = 0
    links: tuple[tuple[str, int], ...] = ()
    due: int = 0
    later: int = 0
    next_at: str = ""
    review: tuple[SceneId, ...] = ()
    review_libraries: tuple[tuple[str, int], ...] = ()
    failing: tuple[Trouble, ...] = ()
    parked: tuple[Trouble, ...] = ()
    shows: KeptStatus = NOTHING_KEPT
    collections: KeptStatus = NOTHING_KEPT
    unsettled: int = 0
    proposed: tuple[PathRule, ...] = ()

    @property
    def success_age_s(self) -> float | None:
        """Seconds since a run last ended well; None for never. A clock set back makes it 0."""
        return age_s(self.last_success_at, self.now)

    @property
    def failed_too_often(self) -> dict[str, list[Problem | None]]:
        """Why what is parked failed last, by what it is as `noun_of` names it, scenes first."""
        found: dict[str, list[Problem | None]] = {}
        if self.parked:
            found["scene"] = [one.problem for one in self.parked]
        for one in (*self.collections.troubles, *self.shows.troubles):
            if one.parked:
                found.setdefault(noun_of(one.key), []).append(one.problem)
        return found

    def is_fresh(self, max_age_s: float) -> bool:
        """Whether a run ended well within `max_age_s`, in seconds."""
        age = self.success_age_s
        return age is not None and age <= max_age_s


def read_status(directory: Path, now: datetime, *, cache_dir: Path | None = None) -> Status:
    """Read how things stand in `directory`, which need not exist. Writes nothing.

    Args:
        directory: the state directory.
        now: aware UTC time.
        cache_dir: where the candidates of what waits lie; None: their libraries do not matter.

    Raises:
        StateError: what is remembered cannot be read.
    """
    state = _load(directory)
    found = status_of(state, directory, now, running=at_work(directory))
    if cache_dir is None or not found.review:
        return found
    waiting = load_waiting(review_queue_path(cache_dir, directory, state.lineage), state)
    counts = Counter(one.candidates[0].library for one in waiting if one.candidates)
    return msgspec.structs.replace(found, review_libraries=tuple(sorted(counts.items())))


def status_of(
    state: State, directory: Path, now: datetime, *, running: Holder | None = None
) -> Status:
    """Return how things stand by what `state` remembers."""
    waiting = tuple(state.waiting())
    tried = [one for one in waiting if one[1].due_at != PARKED]
    rest = [record for _, record in tried if not _waits_for_plex(record)]
    timed = [record.due_at for record in rest if not has_come(record.due_at, now)]
    proposed = state.decision(PROPOSED, Proposed) or Proposed()
    coverage, items, links = _count(state)
    return Status(
        now=now,
        directory=directory,
        lineage=state.lineage,
        runs=state.runs,
        running=running,
        last_success_at=state.checkpoint.last_success_at,
        last_full_at=state.checkpoint.last_full_at,
        coverage=coverage,
        items=items,
        links=links,
        due=len(rest) - len(timed),
        later=len(tried) - len(rest) + len(timed),
        next_at=min(timed, default=""),
        review=tuple(one for one, record in waiting if record.outcome is Outcome.REVIEW),
        failing=tuple(_trouble(*one) for one in tried if one[1].outcome is Outcome.FAILED),
        parked=tuple(_trouble(*one) for one in waiting if one[1].due_at == PARKED),
        shows=kept_status(state.shows()),
        collections=kept_status(state.collections()),
        unsettled=len(state.unsettled),
        proposed=proposed.rules,
    )


def age_s(moment: str, now: datetime) -> float | None:
    """Seconds from an ISO time to `now`, at least 0; None when there is no time.

    A time more than a day in the future is none: the clock that noted it was wrong.
    """
    try:
        age = now - datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        return None
    return None if age < -CLOCK_MARGIN else max(age.total_seconds(), 0.0)


# ---- Private -------------------------------------------------------------------------------------


def _load(directory: Path) -> State:
    """Return the state; read again where it changed while it was read."""
    for _ in range(_READS - 1):
        try:
            return load_state(directory)
        except StateCorruptError:
            continue
    return load_state(directory)


def _count(state: State) -> tuple[Coverage, int, tuple[tuple[str, int], ...]]:
    """Return what one walk over all records counts: `coverage`, `items` and `links` of `Status`."""
    parts: Counter[tuple[Outcome, bool]] = Counter()
    sections: Counter[str] = Counter()
    items: set[RatingKey] = set()
    for standing in state.standings():
        parts[standing.outcome, bool(standing.links)] += 1
        counts = standing.outcome not in UNLINKED
        for link in standing.links:
            items.add(link.rating_key)
            sections[link.section_id] += counts
    shares: Counter[str] = Counter()
    for (outcome, linked), number in parts.items():
        shares[coverage_part(outcome, linked=linked)] += number
    coverage = Coverage(scenes=shares.total(), **shares)
    return coverage, len(items), tuple(sorted((+sections).items()))


def kept_status(records: Mapping[SceneId, KeptRecord]) -> KeptStatus:
    """Return how many of what is kept in step with the scenes are what."""
    shares: Counter[str] = Counter()
    troubles: list[KeptTrouble] = []
    for key, record in sorted(records.items()):
        parked = record.due_at == PARKED
        if record.is_left_alone:
            shares["left_alone"] += 1
        elif parked:
            shares["parked"] += 1
        elif record.due_at or not record.wanted:
            shares["waiting"] += 1
        else:
            shares["kept"] += bool(record.link.rating_key)
        if record.problem is not None:
            troubles.append(
                KeptTrouble(
                    key=key,
                    title=record.title,
                    attempts=record.attempts,
                    due_at="" if parked else record.due_at,
                    parked=parked,
                    problem=record.problem,
                )
            )
    return KeptStatus(troubles=tuple(troubles), **shares)


def coverage_part(outcome: Outcome, *, linked: bool) -> str:
    """Return which part of `Coverage` a scene belongs to."""
    return _PARTS.get(outcome) or ("linked" if linked else "undecided")


def _waits_for_plex(record: SceneRecord) -> bool:
    """Whether a scene is tried again when Plex's libraries change."""
    return record.outcome is Outcome.UNMATCHED and bool(record.due_at)


def _trouble(scene_id: SceneId, record: SceneRecord) -> Trouble:
    return Trouble(
        scene_id=scene_id,
        attempts=record.attempts,
        due_at="" if record.due_at == PARKED else record.due_at,
        problem=record.problem,
        paths=tuple(link.path for link in record.links),
        section_id=record.links[0].section_id if record.links else "",
        rating_keys=tuple(link.rating_key for link in record.links),
    )
