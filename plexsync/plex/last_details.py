"""Items that were read a moment ago, known again by the bytes that Plex sends of them. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import BadResponseError
from plexsync.plex.decode import ItemAnswer, decode_answers, decode_details, whole_entries
from plexsync.plex.wire import AnswerObject, ContainerObject

if TYPE_CHECKING:
    from plexsync.models import ItemDetail, RatingKey

_ANSWERS = 2
"""Answers kept for comparing: one of 500 items has about 1.5 MB."""

_SENT = msgspec.json.Decoder(AnswerObject[ContainerObject[msgspec.Raw]], strict=False)


class LastDetails:
    """Decodes details, and those of items that were read a moment ago by comparing bytes.

    To see that an item is as it was costs a fifth of what decoding it once more does.
    """

    def __init__(self) -> None:
        self._unparted: deque[tuple[bytes, tuple[ItemDetail, ...]]] = deque(maxlen=_ANSWERS)
        self._answers: dict[RatingKey, ItemAnswer] = {}
        self._known: deque[dict[tuple[str, bytes], ItemDetail]] = deque(maxlen=_ANSWERS)

    def begin(self) -> dict[RatingKey, ItemAnswer]:
        """Return where what is decoded from now on is kept as it was answered."""
        self._answers = {}
        return self._answers

    def decode(self, body: bytes) -> tuple[ItemDetail, ...]:
        """Return what `decode_details` does."""
        answers = decode_answers(body)
        self._answers.update((one.rating_key, one) for one in answers)
        details = tuple([one.detail() for one in answers])
        if len(details) > 1:
            self._unparted.append((body, details))
        return details

    def decode_again(self, body: bytes) -> tuple[ItemDetail, ...]:
        """Return the same; what comes in the same bytes as before is the same object."""
        while self._unparted:
            before, known = self._unparted.popleft()
            sent = _as_sent(before)
            # Fewer items than entries: some are of kinds that do not count.
            whole = len(sent) == len(known)
            self._known.append(dict(zip(sent, known, strict=True)) if whole else {})
        found = [self._found(one) for one in _as_sent(body)]
        if found and all(found):
            return tuple(filter(None, found))
        details = decode_details(body)
        if len(found) != len(details):
            return details
        return tuple([old or new for old, new in zip(found, details, strict=True)])

    def _found(self, sent: tuple[str, bytes]) -> ItemDetail | None:
        return next((known[sent] for known in self._known if sent in known), None)


def _as_sent(body: bytes) -> list[tuple[str, bytes]]:
    """Return the entries of an answer as they were sent, each with the section of the answer.

    None where it is not plain JSON, or was cut short.
    """
    try:
        container = _SENT.decode(body).container
        section = str(container.section_id)
        return [(section, bytes(one)) for one in whole_entries(container, container.entries)]
    except (msgspec.DecodeError, UnicodeDecodeError, BadResponseError):
        return []
