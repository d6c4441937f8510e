"""The plan a dry run saves: what it would write, to be carried out by `plexsync apply`.

A plan holds no pictures. It says by its sum which cover is meant, and by Plex's key what that takes
the place of; both must still be so when the plan is applied, and the bytes are fetched then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ServerError, StateError
from plexsync.models import PictureBase, PlexField, as_problem
from plexsync.output import streams as sinks
from plexsync.planning.picture_policy import UPLOADED, upload_key
from plexsync.plex.pictures import selected_key
from plexsync.plex.poster_padding import fitted, recipe
from plexsync.stash_client import Cover, NoCover, StashClient, checksum
from plexsync.state import SavedPicture, item_line, write_plan
from plexsync.sync.execution.work import PictureChange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plexsync.models import ItemDetail, Link
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Outcomes, Ready
    from plexsync.sync.ports import Ports


class PlanSaver:
    """Keeps what one run would write until it is saved.

    Args:
        run: what the run is about.
    """

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._plan = sinks.Spool()

    def close(self) -> None:
        """Give back what was held."""
        self._plan.close()

    def add(self, ready: Ready, outcomes: Outcomes) -> None:
        """Put a planned item into the plan, in the words of `outcomes`."""
        saved: tuple[SavedPicture, ...] = ()
        try:
            saved = saved_pictures(self._run.ports, ready)
        except ServerError as error:
            self._run.ports.raise_if_over(error)
            ready.decision = replace(ready.decision, pictures=(), problem=as_problem(error))
        if saved or ready.plan.changes:
            self._plan.add(item_line(outcomes.saved(ready, saved)))

    def write(self, path: Path) -> None:
        """Save what was planned; a run that failed as a whole saves nothing.

        Raises:
            StateError: it could not be kept until now, or cannot be written; `path` holds what it
                held.
        """
        if failure := self._plan.failure:
            reason = failure.strerror or failure
            raise StateError(f"the plan could not be kept while the run went on: {reason}")
        write_plan(
            path,
            self._plan,
            run_id=self._run.ports.run_id,
            created_at=self._run.totals.header.started_at,
            lineage=self._run.lineage,
            disk=self._run.ports.disk,
        )


# ---- its pictures --------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Fit:
    """How the pictures of one item of a plan fit by now.

    Attributes:
        pictures: those still to be written.
        right: what is known of those Plex shows already.
        moved_in_plex: the names of fields that show another picture by now.
        moved_in_stash: the names of fields with another cover by now.
    """

    pictures: list[PictureChange] = field(default_factory=list)
    right: dict[PlexField, PictureBase] = field(default_factory=dict)
    moved_in_plex: list[str] = field(default_factory=list)
    moved_in_stash: list[str] = field(default_factory=list)


def saved_pictures(ports: Ports, ready: Ready) -> tuple[SavedPicture, ...]:
    """Return the pictures a run would write to an item, as its plan says them.

    One that is only to be looked at, because it may be the cover already, is none of them.

    Raises:
        ServerError: what is there cannot be read.
    """
    found, key = [], ready.plan.rating_key
    for change in ready.decision.pictures:
        cover = NoCover.NONE if change.ask else _cover(ports.stash, change.cover_path)
        if not isinstance(cover, Cover):
            continue
        pictures = change.seen
        if pictures is None:
            pictures = ports.plex.pictures.available(key, change.rule.to)
        found.append(
            SavedPicture(
                rule=change.rule,
                shown=change.shown,
                before=selected_key(pictures),
                cover_path=change.cover_path,
                stamp=change.stamp,
                checksum=checksum(cover),
            )
        )
    return tuple(found)


def fit_of(ports: Ports, saved: Sequence[SavedPicture], detail: ItemDetail, link: Link) -> Fit:
    """Compare what a plan says with both servers.

    Args:
        ports: where they are.
        saved: the pictures of one item.
        detail: a fresh read of the item.
        link: what is remembered of it.

    Raises:
        ServerError: one of them cannot be asked.
    """
    fit, key = Fit(), detail.item.rating_key
    for one in saved:
        target = one.rule.to
        selected = selected_key(ports.plex.pictures.available(key, target))
        locked = target in detail.locked and not one.shown.locked_before
        if not _is_same_cover(ports.stash, one):
            fit.moved_in_stash.append(one.rule.name)
        elif selected == one.before and not locked:
            fit.pictures.append(
                PictureChange(
                    rule=one.rule,
                    shown=one.shown,
                    cover_path=one.cover_path,
                    stamp=one.stamp,
                    checksum=one.checksum,
                )
            )
        elif _is_there(ports.stash, one, selected, link):
            fit.right[target] = PictureBase(
                stamp=one.stamp, etag=one.checksum, key=selected, made=recipe(one.rule)
            )
        else:
            fit.moved_in_plex.append(one.rule.name)
    return fit


def _cover(stash: StashClient, cover_path: str, known: str = "") -> Cover | NoCover:
    """Return a cover with what its sum is made of, as a rule without fetching it.

    `known` is the sum of the one it may still be.
    """
    cover = stash.cover(cover_path, known, whole=False)
    return stash.cover(cover_path) if isinstance(cover, Cover) and not checksum(cover) else cover


def _is_same_cover(stash: StashClient, one: SavedPicture) -> bool:
    """Whether Stash still has the cover that was planned."""
    cover = _cover(stash, one.cover_path, one.checksum)
    return cover is NoCover.UNCHANGED or (
        isinstance(cover, Cover) and checksum(cover) == one.checksum
    )


def _is_there(stash: StashClient, one: SavedPicture, selected: str, link: Link) -> bool:
    """Whether an item shows the planned cover already, as when a plan is applied again."""
    known = link.pictures.get(one.rule.to)
    made_of = (known.key, known.etag, known.made) if known else ()
    if made_of == (selected, one.checksum, recipe(one.rule)):
        return True
    cover = stash.cover(one.cover_path) if selected.startswith(UPLOADED) else NoCover.NONE
    if not isinstance(cover, Cover):
        return False
    return selected == upload_key(one.rule.to, fitted(one.rule, cover.body))
