"""Safety limits: how much one run may change of what earlier runs wrote."""

from __future__ import annotations

from dataclasses import dataclass

from plexsync.errors import UnsafeError

MIN_SYNCED = 50
"""Below so many synced items a share says nothing: two of three is no landslide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is too much.

    Args:
        max_changes: most items synced before that one run may change.
        max_share: the same as a share of all items synced before, above 0 and at most 1.
    """

    max_changes: int
    max_share: float

    def exceeded(self, changes: int, synced: int) -> bool:
        """Whether `changes` of `synced` items are too many."""
        return changes > self.max_changes or (
            synced >= MIN_SYNCED and changes > self.max_share * synced
        )

    def check(self, changes: int, synced: int) -> None:
        """Stop a run that would change too much.

        Raises:
            UnsafeError: too many, with the count, the limit and how to pass it.
        """
        if changes > self.max_changes:
            limit, key = f"the limit is {self.max_changes}", "max_changes"
        elif self.exceeded(changes, synced):
            limit, key = f"the limit is {self.max_share:.0%} of them", "max_share"
        else:
            return
        raise UnsafeError(
            f"{changes} of {synced} items synced before would change; {limit}",
            context=f"[apply] > {key}",
            hint=(
                "look with 'plexsync run --dry-run', then pass it once with "
                f"'plexsync run --force', or raise {key} for good"
            ),
        )
