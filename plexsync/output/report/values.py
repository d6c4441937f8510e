"""What a report holds; whatever is cut short says how much is left out. And its redaction.

A stand-in for a title, name or path is a keyed digest: the same text has the same one in every
report, and who does not know the key, which comes of the servers' identities, cannot find out a
text by trying.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from plexsync.models import PICTURE_FIELDS, PlexField, Value
from plexsync.output.status import shares_words
from plexsync.state import Coverage, RunRecord
from plexsync.text.words import file_name


class CoverageLine(Coverage, frozen=True, kw_only=True):
    """How many scenes of one library or studio are what. `name` is "" for those of none."""

    name: str


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many scenes wait for one reason."""

    reason: str
    count: int


class ReportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A scene with the file it is about, and the pages of it and of its item; "" for unknown."""

    scene_id: str
    path: str = ""
    scene_url: str = ""
    item_url: str = ""


class ReportedScene(ReportedFile, frozen=True, kw_only=True):
    """A scene that waits for a person, with its best candidate."""

    reason: str
    title: str = ""
    library: str = ""
    item: str = ""
    item_path: str = ""
    candidates: int = 0


class FailingScene(ReportedFile, frozen=True, kw_only=True):
    """A scene that failed; `due_at` is "" for one that is parked."""

    problem: str
    remedy: str
    attempts: int
    due_at: str


class WrittenField(msgspec.Struct, frozen=True, kw_only=True):
    """One field a run wrote. Pictures have their covers, as far as these could be fetched."""

    field: str
    target: PlexField
    before: Value
    after: Value
    cover_before: bytes = b""
    cover_after: bytes = b""


class WrittenItem(ReportedFile, frozen=True, kw_only=True):
    """One item a run wrote, or meant to."""

    rating_key: str
    title: str
    outcome: str
    fields: tuple[WrittenField, ...]


class ReportedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run and what it wrote; `more` items are left out."""

    run_id: str
    kind: str
    started_at: str
    end: str
    items: tuple[WrittenItem, ...]
    more: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report shows.

    Attributes:
        made_at: ISO time.
        version: of plexsync.
        scope: what was asked for, in words; "" for everything.
        coverage: all scenes.
        libraries: by Plex library, the largest first.
        studios: by Stash's studio, the largest first; `more_studios` are left out.
        reasons: why scenes are LOW, the most frequent first.
        waiting: LOW scenes; `more_waiting` are left out.
        runs: the last ones, newest first.
        trend: the last runs, oldest first.
        failing: scenes that are tried again, and those that are parked.
        collections: how many collections are kept, wait, are parked or left alone; by name.
        shows: the same of shows and seasons.
        notes: what is unknown.
    """

    made_at: str
    version: str
    scope: str = ""
    coverage: CoverageLine
    libraries: tuple[CoverageLine, ...] = ()
    studios: tuple[CoverageLine, ...] = ()
    more_studios: int = 0
    reasons: tuple[ReasonCount, ...] = ()
    waiting: tuple[ReportedScene, ...] = ()
    more_waiting: int = 0
    runs: tuple[ReportedRun, ...] = ()
    trend: tuple[RunRecord, ...] = ()
    failing: tuple[FailingScene, ...] = ()
    more_failing: int = 0
    collections: tuple[tuple[str, int], ...] = ()
    shows: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kept_words(self) -> tuple[tuple[str, str], ...]:
        """How many collections, shows and seasons are what, in words."""
        found = (("Collections", self.collections), ("Shows and seasons", self.shows))
        return tuple((name, shares_words(shares)) for name, shares in found if shares)


# ---- Redaction -----------------------------------------------------------------------------------


T = TypeVar("T", bound=msgspec.Struct)

_DIGEST_BYTES = 4
_NAMED = re.compile(r"""\w+://\S+|(?:[A-Za-z]:)?[\\/]\S.*|'[^']*'|"[^"]*"|: [^:]*\Z""")
"""What in a message may be an address, a path, or a text of a server: it ends the message."""

_IDS = frozenset({"scene_id", "rating_key", "run_id", "version"})
_TIMES = frozenset({"made_at", "started_at", "finished_at", "due_at"})
_OWN_WORDS = frozenset({"kind", "end", "outcome", "field", "target", "collections", "shows"})
_KEPT = _IDS | _TIMES | _OWN_WORDS
"""Fields that say nothing of a library."""

_LEFT_OUT = frozenset({"scene_url", "item_url", "cover_before", "cover_after", "by_library"})
"""Covers, addresses, which name somebody's hosts, and counts nothing shows."""

_MESSAGES = frozenset({"reason", "problem", "remedy", "scope", "notes"})
_PATHS = frozenset({"path", "item_path"})

_KINDS = {"item": "title", "libraries": "library", "studios": "studio"}
"""What the text in a field is, or the name of what is in it, unless the field is called that."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Replaces what a report says of somebody's library: each text that is not known to be safe.

    Args:
        key: makes the stand-ins; not in the report.
    """

    key: bytes

    def report(self, report: Report) -> Report:
        """Return the report with stand-ins, without covers and addresses."""
        return self._noun(report, "")

    # ---- Private ---------------------------------------------------------------------------------

    def _noun(self, noun: T, kind: str) -> T:
        """Return a part of the report; `kind` says what it is, if it has a name."""
        if isinstance(noun, WrittenField):
            kind = "picture" if noun.target in PICTURE_FIELDS else noun.target.value
        kinds = _KINDS | dict.fromkeys(("name", "before", "after"), kind)
        fields = noun.__struct_fields__
        return replace(
            noun, **{name: self._value(getattr(noun, name), name, kinds) for name in fields}
        )

    def _value(self, value: object, name: str, kinds: dict[str, str]) -> object:
        if name in _LEFT_OUT:
            return type(value)()
        match value:
            case str() if name not in _KEPT:
                return self._text(value, name, kinds)
            case tuple() if name not in _KEPT:
                return tuple(self._value(one, name, kinds) for one in value)
            case msgspec.Struct():
                return self._noun(value, kinds.get(name, name))
            case _:
                return value

    def _text(self, text: str, name: str, kinds: dict[str, str]) -> str:
        if name in _PATHS:
            return self._path(text)
        if name in _MESSAGES:
            return _NAMED.sub("…", text)
        return self._stand_in(kinds.get(name, name), text)

    def _path(self, path: str) -> str:
        """Return a stand-in for a path, which keeps what the file is: its extension."""
        stem, dot, extension = file_name(path).rpartition(".")
        plain = extension.isascii() and extension.isalnum() and len(extension) <= _DIGEST_BYTES
        return self._stand_in("path", path) + (f".{extension}" if stem and dot and plain else "")

    def _stand_in(self, kind: str, text: str) -> str:
        if not text:
            return ""
        digest = blake2b(
            text.encode("utf-8", "surrogateescape"), digest_size=_DIGEST_BYTES, key=self.key[:64]
        )
        return f"{kind}-{digest.hexdigest()}"
