"""The wire under the transport: sockets that know a deadline, and bodies read whole or not at all.

A timeout of requests counts from byte to byte, so a server that drips one byte at a time holds a
program for ever. Here every read from a socket is given only what is left of the whole answer's
time, headers and chunk sizes included.
"""

from __future__ import annotations

import http.client
import io
import re
import threading
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests
import requests.adapters
import urllib3
import urllib3.connectionpool
from requests.structures import CaseInsensitiveDict

from plexsync.errors import BadResponseError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    Budget = Callable[[], float]
    """Seconds the next read may take; 0 or less when the time is up."""

PIECE_BYTES = 1 << 16
"""How much of a body is read, or unzipped, at a time when its length is not known.

Measured on bodies of 4 MB: 32 to 256 KiB cost the same, about what requests' `.content` costs;
reading a body of known length in one go costs less than half of it.
"""

_LONGEST_LENGTH = 18
"""Digits of a Content-Length that can be meant."""

_WITHOUT_BODY = frozenset({204, 304})

_CONNECTIONS = 4
"""Idle ones that are kept."""

_GZIP = 16 + zlib.MAX_WBITS

_SHORT = 256
"""Characters of a target that cost nothing to look at once more."""

_FINAL = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]++|%[0-9A-F]{2})*+")
"""A target that encoding leaves as it is. Source: RFC 3986, 3.3 and 3.4."""


class TooLargeError(BadResponseError):
    """The body is larger than any answer we ask for."""


class CutShortError(Exception):
    """The compressed body ends before its end mark."""


class _TimedReader(io.RawIOBase):
    """Reads a socket, each time for no longer than the budget allows."""

    def __init__(self, sock: socket.socket, budget: Budget) -> None:
        super().__init__()
        self._sock = sock
        self._budget = budget
        # The socket counts its files: it closes for good when the last one does.
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int | None:  # noqa: ANN401 - a buffer, which 3.11 cannot spell
        left_s = self._budget()
        if left_s <= 0:
            raise TimeoutError("the answer took too long as a whole")
        self._sock.settimeout(left_s)
        return self._file.readinto(into)

    def close(self) -> None:
        self._file.close()
        super().close()


class _WholeLines(io.BufferedReader):
    """Refuses a head that stops in the middle, and to read on to the end of the connection.

    `http.client` takes the end of the connection for the end of the head, and so half a head for
    an answer without a body; urllib3 reads a chunk of -1 bytes as long as something comes.
    """

    _head_ended = False

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise ValueError("nothing says where this ends")
        return super().read(size)

    def readline(self, limit: int | None = -1, /) -> bytes:
        line = super().readline(limit)
        if line in {b"\r\n", b"\n"}:
            self._head_ended = True
        cut = not line.endswith(b"\n") and (limit is None or limit < 0 or len(line) < limit)
        if cut and not (self._head_ended and not line):
            raise ConnectionResetError("the answer ends within its head")
        return line


def _pool_class(
    pool: type[urllib3.HTTPConnectionPool], budget: Budget, sent: threading.local
) -> type[urllib3.HTTPConnectionPool]:
    """Return a pool with connections that read their answers under `budget`.

    They ask for the target in `sent`, if there is one, and not for that of the pool.
    """
    connection: Any = pool.ConnectionCls

    def response(sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:  # noqa: ANN401 - handed through
        lines = _WholeLines(_TimedReader(sock, budget), PIECE_BYTES)
        timed: Any = SimpleNamespace(makefile=lambda _mode: lines)  # all it wants of a socket
        return http.client.HTTPResponse(timed, *args, **kwargs)

    def request(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed through
        connection.request(self, method, sent.target or url, *args, **kwargs)

    changed = {"response_class": staticmethod(response), "request": request}
    timed = type("TimedConnection", (connection,), changed)
    return type("TimedPool", (pool,), {"ConnectionCls": timed})


class TimedAdapter(requests.adapters.HTTPAdapter):
    """A requests adapter that makes every read obey `budget`. It never retries or redirects."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._pool: urllib3.connectionpool.ConnectionPool | None = None
        self._way: object = None
        self._sent = threading.local()
        super().__init__(pool_connections=1, pool_maxsize=_CONNECTIONS, max_retries=0)

    def close(self) -> None:
        """Close idle connections. The adapter can be used again."""
        self._pool = None
        super().close()

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,  # noqa: ANN401 - handed through
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,  # noqa: ANN401 - handed through
    ) -> urllib3.connectionpool.ConnectionPool:
        """Return the pool of connections, looked up once: all requests go to one server.

        Called by the base class.
        """
        way = (verify, proxies, cert)
        pool = self._pool
        if pool is None or self._way != way:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            self._pool, self._way = pool, way
        return pool

    def request_url(
        self, request: requests.PreparedRequest, proxies: Mapping[str, str] | None
    ) -> str:
        """Return what urllib3 shall ask for; a target that is encoded goes past it.

        It would look at each byte of a long edit once more: half the time of a PUT.
        Called by the base class.
        """
        target = request.path_url
        if proxies or target.startswith("//"):
            target = super().request_url(request, proxies)
        is_final = len(target) > _SHORT and _FINAL.fullmatch(target) is not None
        self._sent.target = target if is_final else ""
        return "/" if is_final else target

    def build_response(
        self, req: requests.PreparedRequest, resp: urllib3.BaseHTTPResponse
    ) -> requests.Response:
        """Return what the transport reads of an answer: nobody asks for cookies.

        Called by the base class.
        """
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw, response.request = resp, req
        return response

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed through
        """Make the pools, of timed connections. Called by the base class."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pool_classes()

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:  # noqa: ANN401 - handed through
        """Make the pools of a proxy, of timed connections too. Called by the base class."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pool_classes()
        return manager

    def _pool_classes(self) -> dict[str, type[urllib3.HTTPConnectionPool]]:
        pools = {"http": urllib3.HTTPConnectionPool, "https": urllib3.HTTPSConnectionPool}
        return {name: _pool_class(one, self._budget, self._sent) for name, one in pools.items()}


def read_body(response: requests.Response, *, max_bytes: int, budget: Budget) -> bytes:
    """Return the whole decoded body.

    Args:
        response: an answer of which nothing but the headers was read.
        max_bytes: the largest decoded body to accept.
        budget: seconds left for the whole answer.

    Raises:
        TooLargeError: more than `max_bytes`.
        CutShortError: the compressed stream stops early.
        TimeoutError: the budget is used up.
        zlib.error: the compressed stream is damaged.
        BadResponseError: an encoding we did not offer.
        urllib3.exceptions.HTTPError: the connection failed on the way.
    """
    announced_bytes = _announced_bytes(response)
    if announced_bytes > max_bytes:
        raise TooLargeError(f"the answer is larger than {max_bytes} bytes")
    raw = _raw_pieces(response, announced_bytes or PIECE_BYTES, budget)
    pieces: list[bytes] = []
    size_bytes = 0
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    for piece in _decoded(raw, encoding):
        size_bytes += len(piece)
        if size_bytes > max_bytes:
            raise TooLargeError(f"the answer is larger than {max_bytes} bytes")
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _announced_bytes(response: requests.Response) -> int:
    """Return the Content-Length, 0 when there is none.

    What is no number would be read to the end of the connection, wherever that comes.
    """
    text = response.headers.get("Content-Length", "")
    if not text or "Transfer-Encoding" in response.headers:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_LENGTH):
        raise BadResponseError("the answer has an impossible length")
    return int(text)


def _raw_pieces(response: requests.Response, piece_bytes: int, budget: Budget) -> Iterator[bytes]:
    if response.status_code in _WITHOUT_BODY and "Transfer-Encoding" in response.headers:
        return  # it says how the body would be sent: RFC 9112, 6.1
    try:
        for piece in response.raw.stream(piece_bytes, decode_content=False):
            if budget() <= 0:
                raise TimeoutError("the answer took too long as a whole")
            yield piece
    except ValueError as error:
        raise urllib3.exceptions.ProtocolError("a chunk of less than nothing") from error


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in {"", "identity"}:
        return pieces
    if encoding in {"gzip", "x-gzip"}:
        return _unzipped(pieces)
    raise BadResponseError(f"the answer is encoded as {encoding[:40]!r}, which nobody asked for")


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unzip piece by piece, at most `PIECE_BYTES` out at a time: a zip bomb meets the size cap.

    A gzip body may be several streams one after the other (RFC 1952 2.2).
    """
    stream = zlib.decompressobj(_GZIP)
    begun = False
    for piece in pieces:
        rest = piece
        while rest:
            if stream.eof:
                stream = zlib.decompressobj(_GZIP)
            begun = True
            yield stream.decompress(rest, PIECE_BYTES)
            rest = stream.unconsumed_tail or stream.unused_data
    while begun and not stream.eof:
        last = stream.decompress(b"", PIECE_BYTES)
        if not last:
            raise CutShortError("the compressed answer ends early")
        yield last
