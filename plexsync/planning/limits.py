"""Safety limits: how much one run may take away, or forget, of what earlier runs knew.

What only adds is not what limits are for: a name more, a value where Plex had none, or another one
where it had ours. What clears, shrinks, or replaces what somebody else gave is a loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.errors import UnsafeError
from plexsync.models import PICTURE_FIELDS, Change, PlexField
from plexsync.planning.credits import takes_role
from plexsync.planning.picture_policy import CHOSEN_IN_PLEX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.planning.observed import PlexEquality

MIN_SYNCED = 50
"""Below so many synced items a share says nothing: two of three is no landslide."""

_NAMED = 5
"""Scenes that were held back, by name."""

MAX_CLEARS = "max_clears"

_LOOK = "look with 'plexsync run -n --force', then "
_ONCE = "once with 'plexsync run --force'"


class PassedLimit(NamedTuple):
    """A limit a run would pass.

    Attributes:
        key: its name under `[apply]`.
        words: what would happen, and the limit.
    """

    key: str
    words: str

    def error(self, held: Sequence[str]) -> UnsafeError:
        """Return what a run that held back these scenes ends with."""
        some = ", ".join(held[:_NAMED])
        more = f" and {len(held) - _NAMED:,} more" if len(held) > _NAMED else ""
        return UnsafeError(
            f"{self.words}; held back: {some}{more}",
            context=f"[apply] > {self.key}",
            hint=f"{_LOOK}pass it {_ONCE}, or raise [apply] {self.key} for good",
        )


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is too much.

    Args:
        max_changes: most items synced before that may lose something in one run.
        max_clears: most of those that may lose a value without getting another one.
        max_share: `max_changes` as a share of all items synced before, above 0 and at most 1; also
            the share of all remembered scenes that may be gone from Stash at once, and that of all
            linked items that may be gone from Plex.
    """

    max_changes: int
    max_clears: int
    max_share: float

    def could_be_exceeded(self, items: int, synced: int = MIN_SYNCED) -> bool:
        """Whether any limit is passed if each of `items` loses a value, of `synced` or more."""
        return bool(self.passed(losses=items, clears=items, synced=synced))

    def passed(self, *, losses: int, clears: int, synced: int) -> tuple[PassedLimit, ...]:
        """Return the limits a run would pass, if it took so much away.

        Args:
            losses: items synced before that would lose something.
            clears: those of them that would lose a value and get no other.
            synced: items synced before.
        """
        what = f"of {synced:,} items synced before would"
        lose, clear = (
            f"{losses:,} {what} lose something",
            f"{clears:,} {what} lose a value for good",
        )
        found = (
            (losses > self.max_changes, "max_changes", lose, f"{self.max_changes:,}"),
            (clears > self.max_clears, MAX_CLEARS, clear, f"{self.max_clears:,}"),
            (
                self._is_landslide(losses, synced),
                "max_share",
                lose,
                f"{self.max_share:.0%} of them",
            ),
        )
        return tuple(
            PassedLimit(key, f"{words}; the limit is {limit}")
            for is_so, key, words, limit in found
            if is_so
        )

    def check_gone(self, gone: int, remembered: int) -> None:
        """Stop a run that finds Stash empty, or much smaller than it was.

        From a Stash with the wrong database nothing follows for what is remembered. A share of 1
        lets everything go.

        Raises:
            UnsafeError: too many scenes are gone, with the count, the limit and how to pass it.
        """
        self._check_left(
            gone,
            remembered,
            empty=gone == remembered,
            problem="scenes known from earlier runs are gone from Stash",
            look="Stash shows its whole library; if these scenes",
            let_go="have them forgotten",
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
        self._check_left(
            lost,
            linked,
            empty=empty,
            problem="items linked in earlier runs are gone from Plex",
            look="Plex shows its whole library; if these items",
            let_go="say so",
        )

    def _check_left(
        self, gone: int, of_all: int, *, empty: bool, problem: str, look: str, let_go: str
    ) -> None:
        """Raise UnsafeError if too much is gone, or all of it."""
        if (empty and gone > 0 and self.max_share < 1) or self._is_landslide(gone, of_all):
            raise UnsafeError(
                f"{gone} of {of_all} {problem}; the limit is {self.max_share:.0%} of them",
                context="[apply] > max_share",
                hint=f"make sure that {look} are meant to be gone, {let_go} {_ONCE}, or raise "
                "[apply] max_share for good",
            )

    def _is_landslide(self, some: int, of_all: int) -> bool:
        return of_all >= MIN_SYNCED and some > self.max_share * of_all


def loses(change: Change, equality: PlexEquality) -> bool:
    """Whether a change takes away what is not replaced by something of its kind.

    Args:
        change: of one field.
        equality: says what is ours.
    """
    before, after, target = change.before, change.after, change.target
    base = change.trace_before.base if change.trace_before else None
    if not before or equality.equal(target, before, after):
        return takes_role(change)
    if target in PICTURE_FIELDS:
        return before == CHOSEN_IN_PLEX
    if isinstance(before, str) or isinstance(after, str):
        # Of a sort title that goes Plex makes another one of the title.
        goes = not after and target is not PlexField.SORT_TITLE
        return goes or (bool(after) and not equality.is_base(base, target, before))
    if len(after) < len(before) or takes_role(change):
        return True
    if equality.is_base(base, target, before):
        return False
    keys = equality.spellings.keys
    stay = {keys[name] for name in after}
    gone = [name for name in before if keys[name] not in stay]
    return len(equality.owned_among(gone, base)) < len(gone)


def clears_any(changes: Iterable[Change]) -> bool:
    """Whether one of `changes` leaves nothing where something was."""
    # Of a sort title Plex makes another one of the title.
    return any(
        change.before and not change.after and change.target is not PlexField.SORT_TITLE
        for change in changes
    )
