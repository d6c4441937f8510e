"""Who may talk to the page: one browser on this machine that was given the address.

The address holds a key that works once; it becomes a cookie. Requests for another host name (DNS
rebinding), from another origin (a page elsewhere), or without the cookie get nothing.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COOKIE = "plexsync-review"
_MOST_BODY_BYTES = 256 << 10
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


class Guard:
    """Wraps an application, and answers for it whoever may not talk to it.

    Args:
        app: the application.
        port: where it listens.

    Attributes:
        key: what the address ends with; works once.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = secrets.token_urlsafe(32)
        self.key = secrets.token_urlsafe(32)
        self._used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        answer: ASGIApp
        if host not in self._hosts:
            answer = PlainTextResponse("This page answers only under its own address.", 421)
        elif not _is_own_origin(headers, host, scope["method"]):
            answer = PlainTextResponse("Another page asked for this.", 403)
        elif self._holds_cookie(headers.get(b"cookie", "")):
            answer = self._app
        elif self._spends_key(scope):
            # The cookie is handed over, and the key goes out of the address.
            cookie = f"{_COOKIE}={self._cookie}; HttpOnly; SameSite=Strict; Path=/"
            answer = RedirectResponse("/", 303, {"set-cookie": cookie})
        else:
            text = "Open the address that plexsync review --web has printed; it works once."
            answer = PlainTextResponse(text, 403)
        await answer(scope, _limited(receive), _with_headers(send))

    def _holds_cookie(self, text: str) -> bool:
        pieces = (piece.strip().partition("=") for piece in text.split(";"))
        values = [value for name, _, value in pieces if name == _COOKIE]
        return any(hmac.compare_digest(one.encode(), self._cookie.encode()) for one in values)

    def _spends_key(self, scope: Scope) -> bool:
        if self._used or scope["method"] != "GET" or scope["path"] != "/":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])[0]
        self._used = hmac.compare_digest(given.encode(), self.key.encode())
        return self._used


# ---- Private -------------------------------------------------------------------------------------


def _is_own_origin(headers: dict[bytes, str], host: str, method: str) -> bool:
    """Whether a request comes from a page of ours, or from an address typed by a person."""
    site = headers.get(b"sec-fetch-site", "none")
    origin = headers.get(b"origin")
    if origin is not None and origin != f"http://{host}":
        return False
    if method in {"GET", "HEAD"}:
        # A link elsewhere may lead to the page, but no page elsewhere may read or embed it.
        return site in {"none", "same-origin"} or headers.get(b"sec-fetch-mode") == "navigate"
    return origin is not None and site in {"none", "same-origin"}


def _limited(receive: Receive) -> Receive:
    """Return the body of a request up to what a form can hold; the rest is cut off."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > _MOST_BODY_BYTES:
            return {"type": "http.request", "body": b"", "more_body": False}
        return message

    return limited


def _with_headers(send: Send) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message["headers"], *_SECURITY]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return secured
