"""What counts as the same file, and what may be written: `[match]` and `[apply]`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plexsync.config.forms import COUNT, FLAG, SHARE, word_of
from plexsync.config.keys import setting
from plexsync.models import EmptyPolicy
from plexsync.planning.observed import Rules


class CopyPolicy(StrEnum):
    """What to do with byte-identical copies of a scene's file that are items of their own."""

    WRITE = "write"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchConfig:
    """`[match]`."""

    strict_matching: bool = setting(
        FLAG,
        "true",
        meaning="Only HIGH matches are applied. `false` applies the best LOW candidate too, "
        "marked as LOW, unless something contradicts it or it is below `match.least_low`.",
    )
    least_low: float = setting(
        SHARE,
        "0.9",
        meaning="The lowest score, above 0 and at most 1, of a LOW candidate that is applied when "
        "`match.strict_matching` is off.",
    )
    copies: CopyPolicy = setting(
        word_of(CopyPolicy),
        '"write"',
        meaning="What to do with a byte-identical copy of a scene's file that is another item: "
        '`"write"` writes to it as well, `"skip"` leaves it alone.',
    )
    use_content_hash: bool = setting(
        FLAG,
        "true",
        meaning="Compare Stash's oshash with Plex's hash of a file where that can decide. Costs "
        "requests to Plex for those files only.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig:
    """`[apply]`."""

    preserve_plex_edits: bool = setting(
        FLAG,
        "true",
        meaning="What a person typed into Plex stays, whatever the policy of the field. `false` "
        "gives Stash the last word. See [what was typed by hand](#what-was-typed-by-hand).",
    )
    lock_fields: bool = setting(
        FLAG,
        "true",
        meaning="Lock written fields in Plex, so that a metadata refresh does not undo them.",
    )
    max_changes: int = setting(
        COUNT,
        "500",
        meaning="If more items synced before than this would lose something in one run, these are "
        "held back, the rest is written, and the run ends with exit code 6. At least 1.",
    )
    max_clears: int = setting(
        COUNT,
        "150",
        meaning="The same for items that would lose a value and get no other: all of their tags, "
        "say. At least 1.",
    )
    max_share: float = setting(
        SHARE,
        "0.3",
        meaning="`max_changes` as a share of the items synced before, once they are 50; above 0, "
        "at most 1. Also the share of the scenes known from earlier runs that may be gone "
        "from Stash: see [safety limits](#safety-limits).",
    )
    empty: EmptyPolicy = setting(
        word_of(EmptyPolicy),
        '"own"',
        meaning='What a value that is empty in Stash does: `"own"` clears what plexsync wrote and '
        'nobody touched since, `"keep"` leaves Plex alone, `"clear"` empties it as the policy of '
        "the field would replace it. See [empty values](#empty-values).",
    )

    @property
    def rules(self) -> Rules:
        """The rules of planning these keys ask for."""
        return Rules(
            preserve_plex_edits=self.preserve_plex_edits,
            lock_fields=self.lock_fields,
            empty=self.empty,
        )
