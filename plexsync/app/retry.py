"""Make due what waits for another try, or that no run comes back to by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync import __version__
from plexsync.errors import ConfigError
from plexsync.models import Counts, KeptRecord, Outcome, SceneId, SceneRecord
from plexsync.planning.retry_schedule import WAITING, iso
from plexsync.state import DISK, End, Filesystem, RunKind, Session, State, load_state, open_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What became of the scenes named.

    Args:
        due: those the next run tries again, that would have waited; collections, shows and seasons
            by their key.
        settled: those that wait for nothing.
    """

    due: tuple[SceneId, ...] = ()
    settled: tuple[SceneId, ...] = ()


def retry(
    directory: Path,
    scene_ids: Sequence[SceneId],
    *,
    now: datetime,
    run_id: str,
    lock_wait_s: float = 0.0,
    disk: Filesystem = DISK,
) -> Retried:
    """Have the next run try scenes again, as if they had never failed before.

    Args:
        directory: the state directory.
        scene_ids: which; none for all that failed, collections, shows and seasons included.
        now: aware UTC time.
        run_id: a name for the journal; see `journal.is_run_id`.
        lock_wait_s: how long to wait for a run to end, in seconds.
        disk: where to read and write.

    Raises:
        ConfigError: nothing is remembered of a named scene.
        StateLockedError: a run holds the lock.
        StateError: the state cannot be read or written.
    """
    # Asked without the lock first, so that a retry of nothing leaves no trace.
    if not _waiting(load_state(directory, disk), scene_ids):
        return Retried(settled=tuple(scene_ids))
    with open_session(directory, now=now, wait_s=lock_wait_s, disk=disk) as session:
        waiting = _waiting(session.state, scene_ids)
        session.begin(
            run_id=run_id,
            kind=RunKind.RETRY,
            started_at=iso(now),
            lineage=session.state.lineage,
            version=__version__,
        )
        _make_due(session, waiting)
        session.end(now, End(exit_code=0, counts=Counts()))
    settled = tuple(one for one in scene_ids if one not in waiting)
    return Retried(due=tuple(waiting), settled=settled)


def _make_due(session: Session, waiting: Mapping[SceneId, SceneRecord | KeptRecord]) -> None:
    for key, record in waiting.items():
        if isinstance(record, KeptRecord):
            session.keep(key, replace(record, attempts=0, due_at="", wanted=""))
        else:
            session.remember(key, replace(record, attempts=0, due_at=""))


def _waiting(state: State, scene_ids: Sequence[SceneId]) -> dict[SceneId, SceneRecord | KeptRecord]:
    """Return what failed and waits: scenes, and where none is named all the rest."""
    if scene_ids:
        named = ((scene_id, _known(state, scene_id)) for scene_id in scene_ids)
        return {key: one for key, one in named if one.outcome in WAITING and one.due_at}
    every: dict[SceneId, SceneRecord | KeptRecord] = {**state.collections(), **state.shows()}
    failed = {key: one for key, one in state.waiting() if one.outcome is Outcome.FAILED}
    return {key: one for key, one in (failed | every).items() if one.due_at}


def _known(state: State, scene_id: SceneId) -> SceneRecord:
    found = state.get(scene_id)
    if found is None:
        raise ConfigError(
            f"nothing is remembered of scene {scene_id}",
            hint=f"To look at it now: plexsync run --scene {scene_id}",
        )
    return found
