"""One request and its answer: what simulators speak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote


class Headers(Mapping[str, str]):
    """Header fields by name, in any case; the last of two equal names wins."""

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values = {name.lower(): value for name, value in pairs}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class SimRequest:
    """What a client asked.

    Attributes:
        method: upper case.
        path: percent-decoded, without the query.
        query: decoded name-value pairs in the order sent, empty values kept.
        headers: by name, in any case.
        body: as sent.
        target: the raw second word of the request line, to look for secrets in it.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Headers
    body: bytes
    target: str

    @classmethod
    def from_target(cls, method: str, target: str, headers: Headers, body: bytes) -> Self:
        """Take a request line's target apart."""
        path, _, query = target.partition("?")
        pairs = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
        return cls(method, unquote(path), pairs, headers, body, target)

    def argument(self, name: str, default: str = "") -> str:
        """Return the last query value called `name`."""
        return next((value for key, value in reversed(self.query) if key == name), default)


@dataclass(frozen=True, slots=True)
class SimResponse:
    """What the server answers; Content-Length and Connection are the wire's business."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
