"""Trying edits on one throw-away item, to learn what this Plex server does with them.

What the item held is on disk before the first edit leaves, and is put back at the end, also after
Ctrl-C; a probe that was killed is undone by the next one.
Source: docs/plex-api.md, what is marked [?].
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from plexsync.errors import BadResponseError, MismatchError
from plexsync.models import VIDEO_KINDS, RatingKey
from plexsync.plex.connection import JSON
from plexsync.plex.decode import TYPE_NUMBERS
from plexsync.state import DISK, mode_of, state_errors, write_atomically

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from plexsync.transport.client import Transport

ANY_ANSWER = frozenset(range(200, 500)) - {401, 429}
"""The statuses that are an answer where it is asked what Plex does."""

_FIELDS = ("summary", "titleSort", "contentRating", "originallyAvailableAt")
_WORD = "plexsync-probe"


class ProbedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it was: its values and locks by Plex's own names."""

    rating_key: str
    section_id: str
    kind: int
    title: str
    values: dict[str, str]
    locked: tuple[str, ...]


class Probe:
    """Edits one item and puts it back.

    Args:
        plex: the way to the server.
        rating_key: the item.
        directory: where its values are kept meanwhile; the state directory.

    Raises:
        ServerError: Plex has no such item, or is away.
    """

    def __init__(self, plex: Transport, rating_key: RatingKey, directory: Path) -> None:
        self._plex, self._key = plex, rating_key
        self._kept = directory / f"probe-{rating_key}.json"
        self._restore_leftover()
        self.item = self._read()

    def facts(self) -> Generator[str, None, None]:
        """Yield what each edit did, a line each; at the end the item is as it was.

        Raises:
            StateError: its values could not be kept; nothing was written then.
            MismatchError: Plex does not show them again.
            ServerError: Plex failed; the values are kept for the next probe.
        """
        self._keep()
        try:
            yield from self._experiments()
        finally:
            self._restore(self.item)

    # ---- Experiments

    def _experiments(self) -> Iterator[str]:
        before = self._raw().get("updatedAt")
        yield f"Edit of a summary: {self._edit(summary=f'{_WORD} one')}"
        after = self._raw()
        yield f"Does an edit move updatedAt? {_yes_or_no(after.get('updatedAt') != before)}"
        yield f"Is the field locked then? {_yes_or_no('summary' in _locks(after))}"
        self._edit(summary=f"{_WORD}\r\ntwo  \n")
        yield f"Line breaks and spaces at the end become: {self._raw().get('summary')!r}"
        yield f"Emptied sort title: {self._edit(titleSort='')}, {self._raw().get('titleSort')!r}"
        status = self._edit(contentRating=_WORD)
        yield f"Free content rating: {status}, {self._raw().get('contentRating')!r}"
        status = self._edit(originallyAvailableAt="2023-02-31")
        yield f"Impossible date: {status}, {self._raw().get('originallyAvailableAt')!r}"

    def _edit(self, **values: str) -> int:
        """Write values and lock them; the status Plex answers with."""
        return self._put(values, dict.fromkeys(values, True))

    # ---- Reading and writing

    def _put(self, values: Mapping[str, str], locks: Mapping[str, bool]) -> int:
        words = {"type": str(self.item.kind), "id": self._key}
        words |= {f"{name}.value": text for name, text in values.items()}
        words |= {f"{name}.locked": str(int(lock)) for name, lock in locks.items()}
        path = f"/library/sections/{self.item.section_id}/all?{urlencode(words, quote_via=quote)}"
        return self._plex.request("PUT", path, write=True, accept_status=ANY_ANSWER).status

    def _raw(self) -> dict[str, Any]:
        place = f"/library/metadata/{self._key}"
        body = self._plex.request("GET", place, headers=JSON).body
        try:
            container = json.loads(body)["MediaContainer"]
            item: dict[str, Any] = container["Metadata"][0]
        except (ValueError, LookupError, TypeError) as error:
            raise BadResponseError("Plex sent no item", context=place) from error
        return {"librarySectionID": container.get("librarySectionID"), **item}

    def _read(self) -> ProbedItem:
        raw = self._raw()
        if raw.get("type") not in VIDEO_KINDS:
            raise BadResponseError(
                f"item {self._key} is neither a movie nor an episode",
                hint="name one of a movie or show library: --probe RATING_KEY",
            )
        return ProbedItem(
            rating_key=self._key,
            section_id=str(raw["librarySectionID"]),
            kind=TYPE_NUMBERS[raw["type"]],
            title=str(raw.get("title", "")),
            values={name: str(raw.get(name, "")) for name in _FIELDS},
            locked=tuple(sorted(_locks(raw) & set(_FIELDS))),
        )

    # ---- Putting back

    def _keep(self) -> None:
        with state_errors("create", self._kept):
            DISK.make_directory(self._kept.parent)
        write_atomically(DISK, self._kept, [msgspec.json.encode(self.item)])

    def _restore_leftover(self) -> None:
        """Put back what a probe that was killed left."""
        if not mode_of(self._kept):
            return
        self.item = msgspec.json.decode(self._kept.read_bytes(), type=ProbedItem)
        self._restore(self.item)

    def _restore(self, item: ProbedItem) -> None:
        self._put(item.values, {name: name in item.locked for name in _FIELDS})
        now = self._read()
        if now != item:
            changed = [name for name in _FIELDS if now.values[name] != item.values[name]]
            raise MismatchError(
                f"Plex does not show again what item {item.rating_key} held before: "
                f"{', '.join(changed) or 'locks'}",
                hint=f"its values are in {self._kept}; plexsync doctor --probe puts them back",
            )
        with state_errors("remove", self._kept):
            self._kept.unlink(missing_ok=True)


def _locks(raw: Mapping[str, Any]) -> set[str]:
    return {one["name"] for one in raw.get("Field", ()) if one.get("locked")}


def _yes_or_no(held: bool) -> str:  # noqa: FBT001 - a word for a fact
    return "yes" if held else "no"
