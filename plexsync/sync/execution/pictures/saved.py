"""Pictures that outlast a run: those of a saved plan, and posters an undo may want back.

A plan holds no bytes. It says by its sum which cover is meant, and by Plex's key what that takes
the place of; both must still be so when the plan is applied, and the bytes are fetched then.

Plex forgets a poster with its collection, and Stash may have forgotten what it was made from: so
it is kept by its checksum until no undo can want it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1
from typing import TYPE_CHECKING

from plexsync.models import ItemDetail, Link, PictureBase, PlexField
from plexsync.planning.picture_policy import UPLOADED, upload_key
from plexsync.plex.pictures import selected_key
from plexsync.plex.poster_padding import fitted, recipe
from plexsync.stash_client import Cover, NoCover, StashClient, checksum
from plexsync.state import (
    SavedPicture,
    journal_runs,
    read_if_there,
    state_errors,
    write_atomically,
)
from plexsync.sync.execution.work import PictureChange, Ready

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plexsync.state import Filesystem
    from plexsync.sync.ports import Ports


DIRECTORY = "pictures"
"""Below the state directory; each file is called `<run id>.<checksum>`."""

_DIGITS = 40


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
        pictures = change.seen if key else ()
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
        selected = selected_key(ports.plex.pictures.available(key, target)) if key else ""
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


class KeptPictures:
    """Keeps pictures as long as the journal of the run that took them away.

    Args:
        directory: the state directory.
        run_id: this run's.
        disk: where to read and write.
    """

    def __init__(self, directory: Path, run_id: str, disk: Filesystem) -> None:
        self._directory = directory
        self._place = directory / DIRECTORY
        self._run_id = run_id
        self._disk = disk

    def keep(self, key: str, body: bytes) -> None:
        """Keep an uploaded picture, and let go of those no journal names any more.

        Bytes that are not what the key says are not kept.

        Raises:
            StateError: they cannot be written.
        """
        digest = _digest_in(key)
        if not digest or _digest_of(body) != digest:
            return
        with state_errors("create", self._place):
            self._disk.make_directory(self._place)
        write_atomically(self._disk, self._place / f"{self._run_id}.{digest}", (body,))
        self._let_go()

    def get(self, key: str) -> bytes | None:
        """Return the bytes of an uploaded picture; None where they are not kept.

        Raises:
            StateError: they cannot be read.
        """
        digest = _digest_in(key)
        for name in self._names() if digest else ():
            if name.endswith(f".{digest}"):
                body = read_if_there(self._disk, self._place / name)
                if body is not None and _digest_of(body) == digest:
                    return body
        return None

    def _let_go(self) -> None:
        known = {*journal_runs(self._directory, self._disk), self._run_id}
        for name in self._names():
            if name.partition(".")[0] not in known:
                with state_errors("remove", self._place):
                    self._disk.remove(self._place / name)

    def _names(self) -> tuple[str, ...]:
        with state_errors("read", self._place):
            return self._disk.names(self._place)


def _digest_of(body: bytes) -> str:
    return sha1(body, usedforsecurity=False).hexdigest()


def _digest_in(key: str) -> str:
    """Return the checksum in the key of an uploaded picture; "" for none."""
    digest = key.rpartition("/")[2]
    is_one = key.startswith(UPLOADED) and len(digest) == _DIGITS and digest.isalnum()
    return digest if is_one else ""
