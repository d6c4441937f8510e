"""The simulated Plex server's answers: status, headers, body, and the bytes it keeps.

Every item is written once per form and view, and its bytes are kept until it changes, so that a
listing is a join of bytes.

Source: docs/plex-api.md 1, "Response headers" and "Status codes".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from plexsync.simulators.http.messages import SimResponse
from plexsync.simulators.plex.element import json_document, to_json, to_xml, xml_document
from plexsync.simulators.plex.render import item_element

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http import HTTPStatus

    from plexsync.simulators.http.messages import SimRequest
    from plexsync.simulators.plex.element import Element
    from plexsync.simulators.plex.render_files import View
    from plexsync.simulators.plex.store import Item

_COMMON = (
    ("X-Plex-Protocol", "1.0"),
    ("Cache-Control", "no-cache"),
    ("Keep-Alive", "timeout=20"),
)
_MAINTENANCE = (
    b'<Response code="503" title="Maintenance" status="Plex Media Server is currently running '
    b'database migrations."/>'
)


class AnswerForm(StrEnum):
    """In which language an answer is written, by its Content-Type."""

    XML = "text/xml;charset=utf-8"
    JSON = "application/json"


def form_of(request: SimRequest) -> AnswerForm:
    """JSON only for those who ask for it. Source: docs/plex-api.md 1."""
    wanted = request.headers.get("Accept", "") or request.argument("Accept")
    return AnswerForm.JSON if "application/json" in wanted else AnswerForm.XML


def refusal(status: HTTPStatus) -> SimResponse:
    """Return the small web page Plex gives instead of an answer."""
    phrase = status.phrase
    page = (
        f"<html><head><title>{phrase}</title></head>"
        f"<body><h1>{status.value} {phrase}</h1></body></html>"
    )
    return SimResponse(status.value, (*_COMMON, ("Content-Type", "text/html")), page.encode())


def maintenance() -> SimResponse:
    """Return what a server that is not ready yet says to everything."""
    return SimResponse(503, (*_COMMON, ("Content-Type", AnswerForm.XML)), _MAINTENANCE)


def done() -> SimResponse:
    """Return the empty answer to a write, whether it changed anything or not."""
    return SimResponse(200, (*_COMMON, ("Content-Type", "text/html")))


def picture_response(body: bytes) -> SimResponse:
    """Return an image."""
    return SimResponse(200, (*_COMMON, ("Content-Type", "image/jpeg")), body)


def document(
    request: SimRequest,
    container: Element,
    fragments: Sequence[bytes] = (),
    *,
    page: tuple[int, int] | None = None,
) -> SimResponse:
    """Return a whole answer; `page` is start and total, which listings repeat in their headers."""
    form = form_of(request)
    write = json_document if form is AnswerForm.JSON else xml_document
    body = write(container, fragments)
    headers = [
        *_COMMON,
        ("Content-Type", form.value),
        ("X-Plex-Content-Original-Length", str(len(body))),
    ]
    if page is not None:
        headers.append(("X-Plex-Container-Start", str(page[0])))
        headers.append(("X-Plex-Container-Total-Size", str(page[1])))
    return SimResponse(200, tuple(headers), body)


class FragmentCache:
    """The written items, kept until they change. Not thread-safe: the simulator holds the lock."""

    def __init__(self) -> None:
        self._kept: dict[tuple[AnswerForm, View], dict[int, bytes]] = {}

    def fragments(self, items: Sequence[Item], form: AnswerForm, view: View) -> list[bytes]:
        """Every item's bytes, in order."""
        kept = self._kept.setdefault((form, view), {})
        write = to_json if form is AnswerForm.JSON else to_xml
        for item in items:
            if item.rating_key not in kept:
                kept[item.rating_key] = write(item_element(item, view))
        return [kept[item.rating_key] for item in items]

    def forget(self, item: Item | None) -> None:
        """Forget an item that reads differently now; None: all of them do."""
        if item is None:
            self._kept.clear()
            return
        for kept in self._kept.values():
            kept.pop(item.rating_key, None)
