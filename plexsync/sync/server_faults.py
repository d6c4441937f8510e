"""Whether a failure is the item's or the server's, decided by all answers of one run.

An item is at fault where the server did the same for others. A server is at fault where a few items
in a row get the same answer, and none a good one between: then nothing more of that kind is sent,
and no scene is charged with a failed try.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from plexsync.errors import AuthError, BadResponseError, ServerError, TooLongError, TransientError

IN_A_ROW = 5
"""Items in a row with the same answer that are a server's fault: as many as the transport gives a
server that does not answer."""


class WorkKind(StrEnum):
    """What is asked of Plex about an item."""

    READ = "reads"
    EDIT = "edits"
    PICTURE = "pictures"


class _Row(NamedTuple):
    """The last answers of one kind: how they failed, and how many did so."""

    answer: tuple[str, int]
    items: int


class ServerFaults:
    """Takes the answers of one run."""

    def __init__(self) -> None:
        self._rows: dict[WorkKind, _Row] = {}
        self._proven: Counter[WorkKind] = Counter()
        self._found: dict[WorkKind, ServerError] = {}

    def answered(self, kind: WorkKind) -> None:
        """Note that an item got a good answer, which proves nothing but that."""
        self._rows.pop(kind, None)

    def proven(self, kind: WorkKind) -> None:
        """Note that Plex was seen to do for an item what was asked."""
        self._proven[kind] += 1

    def failed(self, kind: WorkKind, error: ServerError) -> None:
        """Note how Plex refused an item."""
        if isinstance(error, AuthError):
            return
        if isinstance(error, TooLongError) and not error.status:
            return  # this very text is too long: an answer to nothing else
        answer = (error.kind, error.status)
        before = self._rows.get(kind)
        items = before.items + 1 if before and before.answer == answer else 1
        self._rows[kind] = _Row(answer, items)
        if items >= IN_A_ROW:
            self._found.setdefault(kind, _fault(kind, error, items))

    def of(self, *kinds: WorkKind) -> ServerError | None:
        """Return the fault found in one of `kinds`, or in any when none is named."""
        return next((self._found[one] for one in kinds or WorkKind if one in self._found), None)

    def is_items_own(self, kind: WorkKind) -> bool:
        """Whether a failure is the item's: Plex did the same for another one in this run."""
        return self._proven[kind] > 0 and kind not in self._found

    def check_denied(self, denied: int) -> None:
        """Hold that Plex knows most of the items it has just listed.

        Args:
            denied: items it listed, and did not know right after.

        Raises:
            BadResponseError: it denies more than it shows.
        """
        if denied <= max(self._proven[WorkKind.READ], 1):
            return
        raise BadResponseError(
            f"Plex lists {denied} items and says of each that it is not there",
            hint="its database or a proxy before it is not well: see the log of Plex, and whether "
            "[plex] url leads to Plex itself; nothing is forgotten, and the next run tries again",
        )


def _fault(kind: WorkKind, error: ServerError, items: int) -> ServerError:
    """Return the error a run ends with."""
    made = TransientError if isinstance(error, TransientError) else BadResponseError
    return made(
        f"Plex, or a proxy before it, gives {items} items in a row the same answer to {kind}: "
        f"{error.message}",
        context=error.context,
        hint=f"nothing more was sent, no scene is charged with it, and the next run goes on; "
        f"{error.hint}",
    )
