"""Stand-ins for titles, names and paths: the same text has the same one in every report.

A stand-in is a keyed digest; who does not know the key, which comes of the servers' identities,
cannot find out a text by trying.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from plexsync.models import PICTURE_FIELDS
from plexsync.output.report.values import WrittenField
from plexsync.text.words import file_name

if TYPE_CHECKING:
    from plexsync.output.report.values import Report

T = TypeVar("T", bound=Struct)

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
            case Struct():
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
