"""Who may talk to the page: one browser on this machine that was given the address.

The address holds a key that works once; it becomes a cookie. Requests for another host name (DNS
rebinding), from another origin (a page elsewhere), or without the cookie get nothing.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BODY_BYTES = 256 << 10
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


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
        # Browsers send cookies to every port of a machine: another review has another name.
        self._name = f"plexsync-review-{port}"
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
        request, answer = Request(scope), self._app
        if request.headers.get("host") not in self._hosts:
            answer = PlainTextResponse("This page answers only under its own address.", 421)
        elif not _is_own_origin(request):
            answer = PlainTextResponse("Another page asked for this.", 403)
        elif _are_same(request.cookies.get(self._name, ""), self._cookie):
            answer = self._app
        elif self._spends_key(request):
            # The cookie is handed over, and the key goes out of the address.
            cookie = f"{self._name}={self._cookie}; HttpOnly; SameSite=Strict; Path=/"
            answer = RedirectResponse("/", 303, {"set-cookie": cookie})
        else:
            text = "Open the address that plexsync review --web has printed; it works once."
            answer = PlainTextResponse(text, 403)
        await answer(scope, _limited(receive), _with_headers(send))

    def _spends_key(self, request: Request) -> bool:
        if self._used or request.method != "GET" or request.scope["path"] != "/":
            return False
        self._used = _are_same(request.query_params.get("key", ""), self.key)
        return self._used


# ---- Private -------------------------------------------------------------------------------------


def _are_same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def _is_own_origin(request: Request) -> bool:
    """Whether a request comes from a page of ours, or from an address typed by a person."""
    headers = request.headers
    site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
    if origin is not None and origin != f"http://{headers['host']}":
        return False
    if request.method in {"GET", "HEAD"}:
        # A link elsewhere may lead to the page, but no page elsewhere may read or embed it.
        return site in {"none", "same-origin"} or headers.get("sec-fetch-mode") == "navigate"
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
            headers = MutableHeaders(scope=message)
            headers.update(_SECURITY)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return secured
