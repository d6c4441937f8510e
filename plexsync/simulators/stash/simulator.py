"""A simulated Stash server: GraphQL over the real schema, covers, keys, and its awkward sides.

    stash = StashSimulator(make_library(LibrarySpec(scenes=50)), api_key="k")
    with LoopbackServer(Wired(stash)) as server:
        ...
        stash.edit_tag(7, name="Rain")

Everything a `StashStore` can do to its tables, a test can do to the running server.
Source: docs/stash-api.md.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, tzinfo
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from plexsync.simulators.http.faults import ErrorStatus
from plexsync.simulators.http.messages import Headers, SimRequest, SimResponse
from plexsync.simulators.stash.covers import serve_cover, serve_frames, serve_image
from plexsync.simulators.stash.engine import Engine, Query
from plexsync.simulators.stash.render import encode_json
from plexsync.simulators.stash.roots import Facts, Job
from plexsync.simulators.stash.schema import NEWEST, parse_version
from plexsync.simulators.stash.store import StashStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.simulators.library.records import Library

__all__ = ["Facts", "Job", "StashSimulator", "resolver_failure"]

_JSON = "application/json"
_NEW_JSON = "application/graphql-response+json"
_IMAGE = re.compile(
    r"/(?:(?P<kind>studio|performer|tag)/(?P<id>[^/]+)/image"
    r"|(?P<group>group)/(?P<group_id>[^/]+)/frontimage)"
)
_PAGE = (
    b'<!DOCTYPE html><html lang="en"><head><title>Stash</title></head>'
    b'<body><div id="root"></div></body></html>'
)


class StashSimulator(StashStore):
    """A Stash without a socket.

    Args:
        library: what it holds at first.
        clock: gives the present as an aware datetime.
        zone: the server's local zone, in which times are stored.
        version: which release it behaves as, v0.24 to v0.30.1.
        api_key: the configured key; "" for a server without credentials.
        compiled: False lets graphql-core execute whole pages: slow, and the reference.

    Attributes:
        facts: version, readiness, key, jobs; to be changed while it serves.
        external_host: scheme and host of returned URLs; "" takes the request's.
        prefix: sub-path behind a reverse proxy, `/stash`.
        tripwire: it was reached from the internet without credentials and locked itself.
    """

    def __init__(
        self,
        library: Library,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo = UTC,
        version: str = NEWEST,
        api_key: str = "",
        compiled: bool = True,
    ) -> None:
        super().__init__(library.stash, clock=clock, zone=zone)
        self.facts = Facts(version=version, api_key=api_key)
        self.external_host = ""
        self.prefix = ""
        self.tripwire = False
        self._engine = Engine(self, self.facts, compiled=compiled)

    def kind(self, request: SimRequest) -> str:
        """`stash.graphql`, `stash.cover`, `stash.image`, or `stash.other`."""
        path = request.path.removeprefix(self.prefix)
        if path == "/graphql":
            return "stash.graphql"
        if _IMAGE.fullmatch(path):
            return "stash.image"
        return "stash.cover" if path.endswith("/screenshot") else "stash.other"

    def handle(self, request: SimRequest) -> SimResponse:
        """Check the key and answer, with the simulated time as date."""
        response = self._refusal(request) or self._answer(request)
        date = format_datetime(self.clock().astimezone(UTC), usegmt=True)
        return SimResponse(response.status, (*response.headers, ("Date", date)), response.body)

    def query(self, text: str, **variables: object) -> Any:
        """Ask as a client would, without HTTP; the decoded body."""
        return json.loads(self._engine.run(Query(text, variables), "http://localhost:9999").body)

    # -- keys --------------------------------------------------------------------------------------

    def _refusal(self, request: SimRequest) -> SimResponse | None:
        """Return what a client without the right key gets. Source: docs/stash-api.md 1.3."""
        if self.tripwire:
            text = b"Stash is exposed to the internet without authentication.\n"
            return SimResponse(403, (("Content-Type", "text/plain; charset=utf-8"),), text)
        path = request.path.removeprefix(self.prefix)
        if self.facts.status == "SETUP" or path == "/healthz":
            return None
        key = request.headers.get("ApiKey") or request.argument("apikey")
        if key:
            return None if key == self.facts.api_key else self._wrong_key()
        if not self.facts.api_key or "." in path.rpartition("/")[2] or path == "/login":
            return None
        if path == "/graphql":
            return self._wrong_key()
        place = f"{self.prefix}/login?returnURL={quote(request.target, safe='')}"
        return SimResponse(302, (("Location", place),))

    def _wrong_key(self) -> SimResponse:
        """401, but old servers confused it with a failure of their own."""
        if parse_version(self.facts.version or NEWEST) < (0, 26):
            return SimResponse(500, (("Content-Type", "text/plain"),), b"unauthorized\n")
        return SimResponse(401, (("WWW-Authenticate", "FormBased"),))

    # -- paths -------------------------------------------------------------------------------------

    def _answer(self, request: SimRequest) -> SimResponse:
        """Find out what is asked for."""
        path = request.path.removeprefix(self.prefix)
        words = path.strip("/").split("/")
        if path == "/graphql":
            return self._graphql(request)
        if path == "/healthz":
            return SimResponse(200, (("Content-Type", "text/plain"),), b".")
        if picture := self._picture(request, path, words):
            return picture
        if "." in words[-1]:
            return SimResponse(
                404, (("Content-Type", "text/plain; charset=utf-8"),), b"Not Found\n"
            )
        return SimResponse(200, (("Content-Type", "text/html; charset=utf-8"),), _PAGE)

    def _picture(self, request: SimRequest, path: str, words: list[str]) -> SimResponse | None:
        """Return the picture at an address; None where there are none.

        Without a database the server panics. Source: docs/stash-api.md 1.5.
        """
        if self.facts.status != "OK" and self.kind(request) in ("stash.cover", "stash.image"):
            return SimResponse(400 if words[1:2] and not words[1].isdecimal() else 500)
        if words[0] == "scene" and words[2:] == ["screenshot"]:
            return serve_cover(self, request, words[1])
        if image := _IMAGE.fullmatch(path):
            kind, number = image["kind"] or image["group"], image["id"] or image["group_id"]
            return serve_image(self, request, kind, number)
        if words[0] == "scene" and words[-1].endswith("_sprite.jpg"):
            return serve_frames(request, words[-1])
        return None

    def _graphql(self, request: SimRequest) -> SimResponse:
        """One query by GET or POST."""
        try:
            query = _asked_query(request)
        except ValueError as error:
            body = encode_json({"errors": [{"message": str(error)}], "data": None})
            return SimResponse(400, (("Content-Type", _JSON),), body)
        answer = self._engine.run(query, self._base(request))
        media_type = self._media_type(request.headers)
        refused = 400 if media_type == _NEW_JSON else 422
        headers = (("Content-Type", media_type), ("Cache-Control", "no-store"))
        return SimResponse(200 if answer.understood else refused, headers, answer.body)

    def _base(self, request: SimRequest) -> str:
        """How URLs in answers begin. Source: docs/stash-api.md 3.2."""
        host = self.external_host or f"http://{request.headers.get('Host', 'localhost:9999')}"
        return host + self.prefix

    def _media_type(self, headers: Headers) -> str:
        """Return the first type in `Accept` that names JSON. Source: docs/stash-api.md 1.2."""
        accept = headers.get("Accept", "")
        if not accept or parse_version(self.facts.version or NEWEST) < (0, 29):
            return _JSON
        for part in accept.split(","):
            name = part.partition(";")[0].strip()
            if name == _JSON:
                return _JSON
            if name in ("*/*", "application/*", _NEW_JSON):
                break
        return _NEW_JSON


def resolver_failure(message: str = "database is locked", path: str = "findScenes") -> ErrorStatus:
    """Return a fault: 200 with an error and no data, as any failing resolver answers."""
    body = encode_json({"errors": [{"message": message, "path": [path]}], "data": None})
    return ErrorStatus(200, body, (("Content-Type", _JSON), ("Cache-Control", "no-store")))


def _asked_query(request: SimRequest) -> Query:
    """Return the query of a request.

    Raises:
        ValueError: with the server's words, when there is none.
    """
    if request.method == "GET":
        variables = json.loads(request.argument("variables", "{}"))
        return Query(
            request.argument("query"), variables, request.argument("operationName") or None
        )
    if request.method != "POST" or not _says_json(request.headers):
        raise ValueError("transport not supported")
    try:
        body: Any = json.loads(request.body)
    except ValueError as error:
        raise ValueError(f"json request body could not be decoded: {error}") from error
    if not isinstance(body, dict):
        raise ValueError(  # noqa: TRY004 - the server words both alike
            "json request body could not be decoded: json: cannot unmarshal array into Go value "
            "of type graphql.RawParams"
        )
    return Query(
        body.get("query") or "", body.get("variables") or {}, body.get("operationName") or None
    )


def _says_json(headers: Headers) -> bool:
    return headers.get("Content-Type", "").partition(";")[0].strip() == _JSON
