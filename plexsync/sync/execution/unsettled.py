"""Writes whose end nobody noted, to items their scenes no longer go to: settled by reading Plex.

A write that belongs to a link is settled when that link is next read. But the file may have moved
since, so that Plex made another item of it, or the scene may be gone: then no link leads there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import ServerError
from plexsync.state import Settlement

if TYPE_CHECKING:
    from plexsync.planning.planner import Planner
    from plexsync.state import Session, State, Unsettled
    from plexsync.sync.execution.writer import Reader


def settle_strays(session: Session, reader: Reader, planner: Planner) -> None:
    """Note what became of each of them; one that cannot be read now waits for the next run.

    Raises:
        ServerError: Plex is down, or refuses us altogether.
    """
    strays = [one for one in session.state.unsettled if not _is_linked(session.state, one)]
    if not strays:
        return
    read = reader.read(tuple(dict.fromkeys(one.plan.rating_key for one in strays)))
    for one in strays:
        detail = read.get(one.plan.rating_key)
        if isinstance(detail, ServerError):
            continue
        # An item that is gone shows nothing.
        missing = planner.not_stored(one.plan, detail) if detail else one.plan.changes
        session.settle(
            one,
            Settlement.FAILED if missing else Settlement.APPLIED,
            missing=tuple(change.target for change in missing),
        )


def _is_linked(state: State, one: Unsettled) -> bool:
    record = state.get(one.plan.scene_id)
    return record is not None and any(
        link.rating_key == one.plan.rating_key for link in record.links
    )
