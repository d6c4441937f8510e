"""Stand-ins for titles, names and paths: the same text has the same one in every report.

A stand-in is a keyed digest; who does not know the key, which comes of the servers' identities,
cannot find out a text by trying.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import PICTURE_FIELDS

if TYPE_CHECKING:
    from plexsync.models import Value
    from plexsync.output.report.values import (
        CoverageLine,
        FailingScene,
        Report,
        ReportedRun,
        ReportedScene,
        WrittenField,
        WrittenItem,
    )

_DIGEST_BYTES = 4
_NAMED = re.compile(r"""\w+://\S+|(?:[A-Za-z]:)?[\\/]\S.*|'[^']*'|"[^"]*"|: [^:]*\Z""")
"""What in a message may be an address, a path, or a text of a server: it ends the message."""

_NO_PAGES = {"scene_url": "", "item_url": ""}
"""Addresses name somebody's hosts."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Replaces what a report says of somebody's library.

    Args:
        key: makes the stand-ins; not in the report.
    """

    key: bytes

    def report(self, report: Report) -> Report:
        """Return the report with stand-ins, without covers and addresses."""
        return replace(
            report,
            libraries=tuple(self._line(one, "library") for one in report.libraries),
            studios=tuple(self._line(one, "studio") for one in report.studios),
            reasons=tuple(replace(one, reason=self._message(one.reason)) for one in report.reasons),
            waiting=tuple(map(self._waiting, report.waiting)),
            runs=tuple(map(self._run, report.runs)),
            failing=tuple(map(self._failing, report.failing)),
            scope=self._message(report.scope),
            notes=tuple(map(self._message, report.notes)),
        )

    # ---- Private ---------------------------------------------------------------------------------

    def _stand_in(self, kind: str, text: str) -> str:
        if not text:
            return ""
        digest = blake2b(
            text.encode("utf-8", "surrogateescape"), digest_size=_DIGEST_BYTES, key=self.key[:64]
        )
        return f"{kind}-{digest.hexdigest()}"

    def _path(self, path: str) -> str:
        """Return a stand-in for a path, which keeps what the file is: its extension."""
        name = path.replace("\\", "/").rpartition("/")[2]
        stem, dot, extension = name.rpartition(".")
        plain = extension.isascii() and extension.isalnum() and len(extension) <= _DIGEST_BYTES
        return self._stand_in("path", path) + (f".{extension}" if stem and dot and plain else "")

    def _message(self, text: str) -> str:
        return _NAMED.sub("…", text)

    def _line(self, line: CoverageLine, kind: str) -> CoverageLine:
        return replace(line, name=self._stand_in(kind, line.name))

    def _waiting(self, one: ReportedScene) -> ReportedScene:
        return replace(
            one,
            title=self._stand_in("title", one.title),
            path=self._path(one.path),
            library=self._stand_in("library", one.library),
            item=self._stand_in("title", one.item),
            item_path=self._path(one.item_path),
            reason=self._message(one.reason),
            **_NO_PAGES,
        )

    def _failing(self, one: FailingScene) -> FailingScene:
        return replace(
            one,
            path=self._path(one.path),
            problem=self._message(one.problem),
            remedy=self._message(one.remedy),
            **_NO_PAGES,
        )

    def _run(self, run: ReportedRun) -> ReportedRun:
        return replace(run, items=tuple(map(self._item, run.items)))

    def _item(self, item: WrittenItem) -> WrittenItem:
        return replace(
            item,
            title=self._stand_in("title", item.title),
            path=self._path(item.path),
            fields=tuple(map(self._field, item.fields)),
            **_NO_PAGES,
        )

    def _field(self, field: WrittenField) -> WrittenField:
        return replace(
            field,
            before=self._value(field, field.before),
            after=self._value(field, field.after),
            cover_before=b"",
            cover_after=b"",
        )

    def _value(self, field: WrittenField, value: Value) -> Value:
        kind = "picture" if field.target in PICTURE_FIELDS else field.target.value
        if isinstance(value, str):
            return self._stand_in(kind, value)
        return tuple(self._stand_in(kind, name) for name in value)
