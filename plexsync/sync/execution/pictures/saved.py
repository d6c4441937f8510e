"""Pictures of a saved plan: how they get into it, and whether they still fit when it is applied.

A plan holds no bytes. It says by its sum which cover is meant, and by Plex's key what that takes
the place of; both must still be so when the plan is applied, and the bytes are fetched then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.models import PictureBase
from plexsync.planning.picture_policy import UPLOADED, upload_key
from plexsync.plex.pictures import selected_key
from plexsync.plex.poster_padding import fitted, recipe
from plexsync.stash_client import Cover, NoCover, checksum
from plexsync.state import SavedPicture
from plexsync.sync.execution.work import PictureChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import ItemDetail, Link, PlexField, RatingKey
    from plexsync.plex.pictures import PlexPictures
    from plexsync.stash_client import StashClient


@dataclass(slots=True, kw_only=True)
class Fit:
    """How the pictures of one item of a plan fit by now.

    Attributes:
        pictures: those still to be written.
        right: what is known of those Plex shows already.
        moved_in_plex: the names of fields that show another picture by now.
        moved_in_stash: the names of fields whose cover is another one by now.
    """

    pictures: list[PictureChange] = field(default_factory=list)
    right: dict[PlexField, PictureBase] = field(default_factory=dict)
    moved_in_plex: list[str] = field(default_factory=list)
    moved_in_stash: list[str] = field(default_factory=list)


class SavedPictures:
    """Puts pictures into plans, and takes them out again.

    Args:
        covers: where covers come from.
        gallery: where they go.
    """

    def __init__(self, covers: StashClient, gallery: PlexPictures) -> None:
        self._covers = covers
        self._gallery = gallery

    def save(
        self, rating_key: RatingKey, changes: Sequence[PictureChange]
    ) -> tuple[SavedPicture, ...]:
        """Return the pictures a run would write to an item, as its plan says them.

        One that is only to be looked at, because it may be the cover already, is none of them.

        Raises:
            ServerError: what is there cannot be read.
        """
        found = []
        for change in changes:
            cover = NoCover.NONE if change.ask else self._cover(change.cover_path)
            if not isinstance(cover, Cover):
                continue
            pictures = change.seen if rating_key else ()
            if pictures is None:
                pictures = self._gallery.available(rating_key, change.rule.to)
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

    def fit(self, saved: Sequence[SavedPicture], detail: ItemDetail, link: Link) -> Fit:
        """Compare what a plan says with both servers.

        Args:
            saved: the pictures of one item.
            detail: a fresh read of the item.
            link: what is remembered of it.

        Raises:
            ServerError: one of them cannot be asked.
        """
        fit = Fit()
        for one in saved:
            target = one.rule.to
            key = detail.item.rating_key
            selected = selected_key(self._gallery.available(key, target)) if key else ""
            locked = target in detail.locked and not one.shown.locked_before
            if not self._is_same_cover(one):
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
            elif self._is_there(one, selected, link):
                fit.right[target] = PictureBase(
                    stamp=one.stamp, etag=one.checksum, key=selected, made=recipe(one.rule)
                )
            else:
                fit.moved_in_plex.append(one.rule.name)
        return fit

    def _cover(self, cover_path: str, known: str = "") -> Cover | NoCover:
        """Return a cover with what its sum is made of, as a rule without fetching it.

        `known` is the sum of the one it may still be.
        """
        cover = self._covers.cover(cover_path, known, whole=False)
        if isinstance(cover, Cover) and not checksum(cover):
            return self._covers.cover(cover_path)
        return cover

    def _is_same_cover(self, one: SavedPicture) -> bool:
        """Whether Stash still has the cover that was planned."""
        cover = self._cover(one.cover_path, one.checksum)
        return cover is NoCover.UNCHANGED or (
            isinstance(cover, Cover) and checksum(cover) == one.checksum
        )

    def _is_there(self, one: SavedPicture, selected: str, link: Link) -> bool:
        """Whether an item shows the planned cover already, as when a plan is applied again."""
        known = link.pictures.get(one.rule.to)
        made_of = (known.key, known.etag, known.made) if known else ()
        if made_of == (selected, one.checksum, recipe(one.rule)):
            return True
        if not selected.startswith(UPLOADED):
            return False
        cover = self._covers.cover(one.cover_path)
        if not isinstance(cover, Cover):
            return False
        return selected == upload_key(one.rule.to, fitted(one.rule, cover.body))
