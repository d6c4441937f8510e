"""How each collection of a run ended: its row, and what is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import CollectionRecord, Outcome, PlexField, Withheld
from plexsync.state import SavedItem
from plexsync.sync.execution.kept import KeptOutcomes

if TYPE_CHECKING:
    from plexsync.models import Change, Link, SceneId
    from plexsync.state import SavedPicture
    from plexsync.sync.collections.work import CollectionWork
    from plexsync.sync.execution.work import Ready
    from plexsync.sync.rows import Pair


class CollectionOutcomes(KeptOutcomes["CollectionWork", CollectionRecord]):
    """Shows and remembers how collections ended."""

    def withhold(self, work: CollectionWork, why: Withheld, note: str, outcome: Outcome) -> None:
        """Leave a collection alone from now on, and say so once."""
        self._emit(self._rows.pair(work.pair, outcome, note=note))
        self._keep(work.key, replace(work.blank(), withheld=why))

    def postpone(self, work: CollectionWork, note: str) -> None:
        """Leave a collection to the next run."""
        self._emit(self._rows.pair(work.pair, Outcome.SKIPPED, note=note))

    def forget(self, work: CollectionWork) -> None:
        """Remember nothing of a collection that is not there, and that nothing belongs to."""
        self._keep(work.key, None)

    def lose(self, pair: Pair, note: str) -> None:
        """Leave a collection alone that a person deleted, or that is none any more."""
        del note
        work = self._works[pair.scene.scene_id]
        if not work.wish.members:
            self._keep(work.key, None)  # it went with its last member
            return
        self.withhold(
            work,
            Withheld.DELETED,
            "deleted in Plex, so it is not made again; plexsync run --full does",
            Outcome.SKIPPED,
        )

    def _ended(
        self,
        work: CollectionWork,
        link: Link,
        outcome: Outcome,
        changes: tuple[Change, ...],
        *,
        done: bool,
    ) -> CollectionRecord | None:
        if outcome is Outcome.APPLIED and is_deletion(changes):
            return None
        if not link.rating_key and outcome is Outcome.SKIPPED:
            # Nothing was made because somebody else's has the title.
            return replace(work.blank(), withheld=Withheld.TAKEN)
        return work.record_of(link, done=done)

    def _record_of(self, work: CollectionWork, link: Link, *, done: bool) -> CollectionRecord:
        return work.record_of(link, done=done)

    def _keep(self, key: SceneId, record: CollectionRecord | None) -> None:
        if self._session is not None:
            self._session.keep_collection(key, record)


def is_deletion(changes: tuple[Change, ...]) -> bool:
    """Return whether a collection went."""
    return any(one.target is PlexField.EXISTENCE and not one.after for one in changes)


def saved_collection(ready: Ready, pictures: tuple[SavedPicture, ...]) -> SavedItem:
    """Return a planned collection as a plan file holds it."""
    pair = ready.pair
    return SavedItem(
        plan=ready.plan,
        pictures=pictures,
        agreed=ready.decision.agreed,
        scene_title=pair.scene.title,
        version=pair.scene.updated_at,
        reason=pair.reason,
    )
