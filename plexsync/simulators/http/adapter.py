"""Answers for `requests` from a wired simulator, without any socket."""

from __future__ import annotations

import io
from http.client import responses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from plexsync.simulators.http.faults import Cut, Drip, Effect, Hang, Latency, Reset
from plexsync.simulators.http.messages import Headers, SimRequest, SimResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.simulators.http.exchange import Wired

_NO_BODY = frozenset({204, 304})


class SimAdapter(HTTPAdapter):
    """Mount it on a session: every request goes to the simulator in the caller's thread.

    A reset is a `requests.ConnectionError`, a hang a `requests.ReadTimeout` at once, a cut body a
    `requests.exceptions.ChunkedEncodingError` when it is read.

    Args:
        wired: what answers.
        sleep: called with the seconds a latency or a drip takes; a fake clock's sleep lets
            deadlines pass without waiting. The default does not wait.
    """

    def __init__(self, wired: Wired, *, sleep: Callable[[float], None] | None = None) -> None:
        super().__init__()
        self.wired = wired
        self._sleep = sleep

    def send(
        self, request: requests.PreparedRequest, *_: object, **options: object
    ) -> requests.Response:
        """Serve one request. See the class for what faults become."""
        delivery = self.wired.serve(_asked(request))
        match delivery.effect:
            case Reset():
                raise requests.ConnectionError("Connection reset by peer", request=request)
            case Hang():
                raise requests.ReadTimeout("Read timed out.", request=request)
            case Latency(wait_s):
                self._wait(wait_s)
                if (limit := _read_limit_s(options.get("timeout"))) is not None and wait_s > limit:
                    raise requests.ReadTimeout("Read timed out.", request=request)
        if delivery.response is None:
            raise requests.ConnectionError("Remote end closed connection", request=request)
        raw = self._raw(request, delivery.response, delivery.effect)
        return self.build_response(request, raw)

    def _raw(
        self, request: requests.PreparedRequest, response: SimResponse, effect: Effect | None
    ) -> HTTPResponse:
        """Return the answer as urllib3 hands it to requests, body unread."""
        bare = request.method == "HEAD" or response.status in _NO_BODY
        headers = HTTPHeaderDict(response.headers)
        headers["Content-Length"] = str(len(response.body))
        return HTTPResponse(
            body=io.BytesIO() if bare else self._body(response.body, effect),
            headers=headers,
            status=response.status,
            reason=responses.get(response.status, "Unknown"),
            preload_content=False,
            decode_content=False,
            request_method=request.method,
            enforce_content_length=not bare,
        )

    def _body(self, body: bytes, effect: Effect | None) -> io.BufferedIOBase:
        """Return the bytes that arrive, at the pace they arrive."""
        match effect:
            case Cut(share):
                return io.BytesIO(body[: int(len(body) * share)])
            case Drip():
                return _DrippingBody(body, effect, self._wait)
            case _:
                return io.BytesIO(body)

    def _wait(self, wait_s: float) -> None:
        """Let time pass, if the test has a clock."""
        if self._sleep is not None:
            self._sleep(wait_s)


class _DrippingBody(io.BufferedIOBase):
    """A body that arrives in small steps."""

    def __init__(self, body: bytes, drip: Drip, wait: Callable[[float], None]) -> None:
        self._rest = body
        self._drip = drip
        self._wait = wait

    def readable(self) -> bool:
        """Return whether it can be read: always, until closed."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """As a socket's reader does: blocks until all of `size` bytes are there."""
        wanted = len(self._rest) if size is None or size < 0 else size
        parts = []
        while wanted > 0 and (part := self.read1(wanted)):
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what the next step brings."""
        if not self._rest:
            return b""
        self._wait(self._drip.pause_s)
        step = self._drip.step_bytes if size < 0 else min(size, self._drip.step_bytes)
        part, self._rest = self._rest[:step], self._rest[step:]
        return part


def _asked(request: requests.PreparedRequest) -> SimRequest:
    """Return what would have come over the wire."""
    parts = urlsplit(request.url or "")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = request.body if request.body is not None else b""
    headers = Headers(
        [("Host", parts.netloc), *((n, _text(v)) for n, v in request.headers.items())]
    )
    return SimRequest.from_target(
        request.method or "GET", target, headers, body.encode() if isinstance(body, str) else body
    )


def _text(value: str | bytes) -> str:
    """Return a header value, which requests allows as bytes too."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _read_limit_s(timeout: object) -> float | None:
    """Return the read part of a requests timeout: one number, or a pair of connect and read."""
    limit = timeout[1] if isinstance(timeout, tuple) else timeout
    return float(limit) if isinstance(limit, int | float) else None
