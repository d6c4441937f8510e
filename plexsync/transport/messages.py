"""HTTP/1.1 as it stands on one connection: a request in one piece, an answer read as it comes.

`http.client` takes the head of an answer for a letter, and checks each header of a request: with
what urllib3 makes of both that was two thirds of the time of a request. Source: RFC 9112.
"""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping

_STATUS = re.compile(rb"HTTP/1\.(\d) +([1-9]\d\d)(?: .*)?\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?\r?\n")
_EMPTY = frozenset({b"\r\n", b"\n"})

_LONGEST_LINE = 1 << 16
_MOST_HEADERS = 100
"""What `http.client` takes, too."""

_SWITCHING, _FINAL, _NO_CONTENT, _UNCHANGED = 101, 200, 204, 304


def request_bytes(
    method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> bytes:
    """Return a request; its target is encoded, and its headers were checked."""
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {headers[name]}" for name in headers]]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + (body or b"")


class Head(NamedTuple):
    """How an answer begins: `minor` is that of its HTTP version; headers of one name run together.

    `is_empty`: it has no body, whatever it says of one.
    """

    minor: int
    status: int
    headers: CaseInsensitiveDict[str]
    is_empty: bool

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with this answer."""
        ways = self.headers.get("Connection", "").lower()
        keeps = "keep-alive" in ways or self.headers.get("Keep-Alive")
        if "close" in ways if self.minor else not keeps:
            return True
        return not (self.is_empty or self.is_chunked or self.headers.get("Content-Length"))


def read_head(lines: io.BufferedReader[Any], method: str) -> Head:
    """Return the head of the answer to a request with `method`.

    Raises:
        HTTPException: it is no HTTP/1.
        OSError: it ends too early.
    """
    while True:
        start = _STATUS.fullmatch(_line(lines))
        if start is None:
            raise http.client.BadStatusLine("no HTTP")
        headers = _read_headers(lines)
        status = int(start[2])
        if status >= _FINAL or status == _SWITCHING:
            is_empty = method == "HEAD" or status in {_NO_CONTENT, _UNCHANGED}
            return Head(int(start[1]), status, CaseInsensitiveDict(headers), is_empty)


def body_pieces(lines: io.BufferedReader[Any], head: Head, most: int) -> Iterator[bytes]:
    """Yield the body as it was sent, at most so many bytes at a time.

    Raises:
        ProtocolError: it ends too early.
    """
    length = head.headers.get("Content-Length", "")
    if head.is_empty:
        return
    if head.is_chunked:
        while size := _chunk_bytes(lines):
            yield from _exactly(lines, size, most)
            if lines.readline(3) not in _EMPTY:
                raise ProtocolError("a chunk of the answer has not the length it says")
        while lines.readline(_LONGEST_LINE) not in {*_EMPTY, b""}:
            pass  # nobody asked for what comes after the body
    elif length:
        yield from _exactly(lines, int(length), most)
    else:
        while piece := lines.read(most):
            yield piece


# ---- Private -------------------------------------------------------------------------------------


def _exactly(lines: io.BufferedReader[Any], size_bytes: int, most: int) -> Iterator[bytes]:
    while size_bytes:
        piece = lines.read(min(size_bytes, most))
        if not piece:
            raise ProtocolError("the answer ends within its body")
        size_bytes -= len(piece)
        yield piece


def _chunk_bytes(lines: io.BufferedReader[Any]) -> int:
    size = _CHUNK.fullmatch(lines.readline(_LONGEST_LINE))
    if size is None:
        raise ProtocolError("a chunk of the answer has no length")
    return int(size[1], 16)


def _read_headers(lines: io.BufferedReader[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for _ in range(_MOST_HEADERS + 1):
        line = _line(lines)
        if line in _EMPTY:
            return found
        text = line.decode("latin-1").rstrip("\r\n")
        if name and text.startswith((" ", "\t")):
            found[name] += text
            continue
        name, _, value = text.partition(":")
        name = name.lower()
        found[name] = f"{found[name]}, {value.strip()}" if name in found else value.strip()
    raise http.client.HTTPException("the answer has too many headers")


def _line(lines: io.BufferedReader[Any]) -> bytes:
    line = lines.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        if len(line) == _LONGEST_LINE:
            raise http.client.LineTooLong("head of the answer")
        raise ConnectionResetError("the answer ends within its head")
    return line
