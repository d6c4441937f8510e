"""Safety limits: how much one run may change, empty or forget of what earlier runs knew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import UnsafeError
from plexsync.models import PlexField

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.models import Change

MIN_SYNCED = 50
"""Below so many synced items a share says nothing: two of three is no landslide."""

_LOOK = "look with 'plexsync run --dry-run', then "
_ONCE = "once with 'plexsync run --force'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is too much.

    Args:
        max_changes: most items synced before that one run may change.
        max_clears: most of those that may lose a value without getting another one.
        max_share: `max_changes` as a share of all items synced before, above 0 and at most 1; also
            the share of all remembered scenes that may be gone from Stash at once, and that of all
            linked items that may be gone from Plex.
    """

    max_changes: int
    max_clears: int
    max_share: float

    def exceeded(self, changes: int, synced: int) -> bool:
        """Whether `changes` of `synced` items are too many."""
        return changes > self.max_changes or self._is_landslide(changes, synced)

    def could_be_exceeded(self, items: int, synced: int) -> bool:
        """Whether any limit is passed if each of `items` changes and loses a value."""
        return items > self.max_clears or self.exceeded(items, synced)

    def check(self, *, changes: int, clears: int, synced: int) -> None:
        """Stop a run that would change too much, or empty too much.

        Raises:
            UnsafeError: too many, with the count, the limit and how to pass it.
        """
        what = f"of {synced} items synced before would"
        if changes > self.max_changes:
            raise _unsafe(f"{changes} {what} change", f"{self.max_changes}", "max_changes")
        if clears > self.max_clears:
            lose = f"{clears} {what} lose a value and get no other"
            raise _unsafe(lose, f"{self.max_clears}", "max_clears")
        if self._is_landslide(changes, synced):
            raise _unsafe(f"{changes} {what} change", f"{self.max_share:.0%} of them", "max_share")

    def check_gone(self, gone: int, remembered: int) -> None:
        """Stop a run that finds Stash empty, or much smaller than it was.

        Of a Stash whose database is not the one it should be, nothing follows for what is
        remembered. A share of 1 lets everything go.

        Raises:
            UnsafeError: too many scenes are gone, with the count, the limit and how to pass it.
        """
        empty = 0 < remembered == gone and self.max_share < 1
        if not empty and not self._is_landslide(gone, remembered):
            return
        raise UnsafeError(
            f"{gone} of {remembered} scenes known from earlier runs are gone from Stash; "
            f"the limit is {self.max_share:.0%} of them",
            context="[apply] > max_share",
            hint=(
                "make sure that Stash shows its whole library; if these scenes are meant to be "
                f"gone, have them forgotten {_ONCE}, or raise max_share for good"
            ),
        )

    def check_lost(self, lost: int, linked: int, *, empty: bool) -> None:
        """Stop a run that finds Plex empty, or much smaller than it was.

        A share of 1 lets everything go.

        Args:
            lost: linked items that Plex lists no more, under any key.
            linked: all linked items.
            empty: Plex lists nothing at all.

        Raises:
            UnsafeError: too many items are gone, with the count, the limit and how to pass it.
        """
        emptied = empty and lost > 0 and self.max_share < 1
        if not emptied and not self._is_landslide(lost, linked):
            return
        raise UnsafeError(
            f"{lost} of {linked} items linked in earlier runs are gone from Plex; "
            f"the limit is {self.max_share:.0%} of them",
            context="[apply] > max_share",
            hint=(
                "make sure that Plex shows its whole library; if these items are meant to be gone, "
                f"say so {_ONCE}, or raise max_share for good"
            ),
        )

    def _is_landslide(self, some: int, of_all: int) -> bool:
        return of_all >= MIN_SYNCED and some > self.max_share * of_all


def clears_any(changes: Iterable[Change]) -> bool:
    """Whether one of `changes` leaves nothing where something was."""
    # Of a sort title Plex makes another one of the title.
    return any(
        change.before and not change.after and change.target is not PlexField.SORT_TITLE
        for change in changes
    )


def _unsafe(what: str, limit: str, key: str) -> UnsafeError:
    return UnsafeError(
        f"{what}; the limit is {limit}",
        context=f"[apply] > {key}",
        hint=f"{_LOOK}pass it {_ONCE}, or raise {key} for good",
    )
