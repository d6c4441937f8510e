"""A small, fast HTTP/1.1 server on 127.0.0.1 for one wired simulator."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from http.client import responses
from typing import TYPE_CHECKING, Self

from plexsync.simulators.http.faults import Cut, Drip, Effect, Hang, Latency, Reset, Stale
from plexsync.simulators.http.messages import Headers, SimRequest, SimResponse

if TYPE_CHECKING:
    from types import TracebackType

    from plexsync.simulators.http.exchange import Reply, Wired

_RECEIVE_BYTES = 65536
_HEAD_LIMIT_BYTES = 262_144
_NO_BODY = frozenset({204, 304})
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class LoopbackServer:
    """Serves until closed; one thread a connection, keep-alive, no logging.

    Args:
        wired: what to serve.
        port: 0 takes a free one.
        chunked_from: bodies of at least this many bytes go out chunked, without Content-Length;
            None never. Source: docs/stash-api.md 1.1.

    Raises (on a clean exit of the `with` block):
        ExceptionGroup: the simulator itself crashed while it served.
    """

    def __init__(self, wired: Wired, *, port: int = 0, chunked_from: int | None = None) -> None:
        self.wired = wired
        self._chunked_from = chunked_from
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._talks: dict[socket.socket, threading.Thread] = {}
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if error is None and self.wired.crashes:
            raise ExceptionGroup("a simulator crashed", list(self.wired.crashes))

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor.start()

    def close(self) -> None:
        """End every connection and wait until nothing serves any more."""
        if self._closing.is_set():
            return
        self._closing.set()
        self.wired.faults.release()
        if self._acceptor.ident is not None:
            # A blocked accept() is woken by a connection on every platform, not by close().
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            self._acceptor.join()
        self._listener.close()
        with self._lock:
            talks = dict(self._talks)
        for talk in talks:
            with contextlib.suppress(OSError):
                talk.shutdown(socket.SHUT_RDWR)
        for thread in talks.values():
            thread.join()

    def _accept(self) -> None:
        """Give every connection a thread of its own."""
        while not self._closing.is_set():
            try:
                talk, _ = self._listener.accept()
            except OSError:
                return
            if self._closing.is_set():
                talk.close()
                return
            talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._converse, args=(talk,), daemon=True)
            with self._lock:
                self._talks[talk] = thread
            thread.start()

    def _converse(self, talk: socket.socket) -> None:
        """Answer request after request until either side ends the connection."""
        try:
            with contextlib.suppress(OSError), talk:
                reader = _Reader(talk)
                while request := reader.next_request():
                    if not self._answer(talk, request, self.wired.serve(request)):
                        return
        finally:
            with self._lock:
                self._talks.pop(talk, None)

    def _answer(self, talk: socket.socket, request: SimRequest, delivery: Reply) -> bool:
        """Send what the client shall see; says whether the connection lives on."""
        match delivery.effect:
            case Reset():
                talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                return False
            case Hang():
                self.wired.faults.hold(self._closing.is_set)
                return False
            case Latency(wait_s):
                self._closing.wait(wait_s)
        if delivery.response is None:
            return False
        self._send(talk, request, delivery.response, delivery.effect)
        if isinstance(delivery.effect, Cut | Stale):
            return False
        return request.headers.get("Connection", "").lower() != "close"

    def _send(
        self, talk: socket.socket, request: SimRequest, response: SimResponse, effect: Effect | None
    ) -> None:
        """Write head and body, whole, cut or drop by drop."""
        body = response.body
        bare = request.method == "HEAD" or response.status in _NO_BODY
        chunked = not bare and self._goes_chunked(len(body), effect)
        head = _head(response, None if chunked else len(body))
        if bare:
            talk.sendall(head)
        elif isinstance(effect, Drip):
            self._drip(talk, head, body, effect)
        elif isinstance(effect, Cut):
            kept = body[: int(len(body) * effect.share)]
            talk.sendall(head + (_chunk(kept) if chunked else kept))
        else:
            talk.sendall(head + (_chunk(body) + b"0\r\n\r\n" if chunked else body))

    def _goes_chunked(self, size_bytes: int, effect: Effect | None) -> bool:
        """Whether the length stays unsaid."""
        if isinstance(effect, Cut):
            return effect.chunked
        if isinstance(effect, Drip) or self._chunked_from is None:
            return False
        return size_bytes >= self._chunked_from

    def _drip(self, talk: socket.socket, head: bytes, body: bytes, drip: Drip) -> None:
        """Send the body slowly, but end at once with the server."""
        talk.sendall(head)
        for start in range(0, len(body), drip.step_bytes):
            if self._closing.wait(drip.pause_s):
                return
            talk.sendall(body[start : start + drip.step_bytes])


class _Reader:
    """Reads one request after the other from a connection."""

    def __init__(self, talk: socket.socket) -> None:
        self._talk = talk
        self._buffer = b""

    def next_request(self) -> SimRequest | None:
        """Return the next request; None when the client is done, or sends what is no request."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _HEAD_LIMIT_BYTES or not self._receive():
                return None
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        self._buffer = self._buffer[end + 4 :]
        words = lines[0].split(" ")
        if len(words) != 3:
            return None
        headers = Headers(_field(line) for line in lines[1:])
        body = self._take(int(headers.get("Content-Length", "0")))
        if body is None:
            return None
        return SimRequest.from_target(words[0], words[1], headers, body)

    def _receive(self) -> bool:
        """Wait for more bytes; False at the end of the connection."""
        more = self._talk.recv(_RECEIVE_BYTES)
        self._buffer += more
        return bool(more)

    def _take(self, size_bytes: int) -> bytes | None:
        """Return a body of known size; None when the client leaves before its end."""
        parts = [self._buffer]
        have = len(self._buffer)
        while have < size_bytes:
            more = self._talk.recv(_RECEIVE_BYTES)
            if not more:
                return None
            parts.append(more)
            have += len(more)
        whole = b"".join(parts)
        self._buffer = whole[size_bytes:]
        return whole[:size_bytes]


def _field(line: str) -> tuple[str, str]:
    """One header line."""
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _head(response: SimResponse, length: int | None) -> bytes:
    """Status line and header lines; a length of None means chunked."""
    lines = [f"HTTP/1.1 {response.status} {responses.get(response.status, 'Unknown')}"]
    lines.extend(f"{name}: {value}" for name, value in response.headers)
    if length is None:
        lines.append("Transfer-Encoding: chunked")
    elif response.status not in _NO_BODY:
        lines.append(f"Content-Length: {length}")
    lines.append("Connection: keep-alive\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1")


def _chunk(body: bytes) -> bytes:
    """Return the body as one chunk, without the last, empty one."""
    return b"%x\r\n%b\r\n" % (len(body), body) if body else b""
