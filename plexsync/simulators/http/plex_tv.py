"""A simulated plex.tv: codes that are typed, expire or are refused, and an account's servers.

Answers XML as plexapi asks for it, or JSON. Source: plexapi 4.18.3, `MyPlexPinLogin` and
`MyPlexResource`; docs/plex-api.md 7.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from plexsync.simulators.http.messages import SimRequest, SimResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PIN = re.compile(r"/api/v2/pins/(\d+)")
_CODES = ("K7PX", "M2QD", "ZV94", "8HRT")
_XML = (("Content-Type", "application/xml; charset=utf-8"),)
_JSON = (("Content-Type", "application/json; charset=utf-8"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimConnection:
    """An address of a server, as its owner's account lists it.

    Attributes:
        uri: with TLS, under plex.direct.
        address: without; with `port` it makes the plain address.
        port: of the server.
        local: within the owner's network.
        relay: through plex.tv's relay.
    """

    uri: str
    address: str = "127.0.0.1"
    port: int = 32400
    local: bool = True
    relay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimResource:
    """A device of the account: a server, unless `provides` says otherwise."""

    name: str
    machine: str
    connections: Sequence[SimConnection] = ()
    owned: bool = True
    provides: str = "server"
    token: str = ""


@dataclass(slots=True)
class _Code:
    code: str
    client: str
    looks: int = 0
    expired: bool = False


@dataclass(slots=True)
class PlexTvSimulator:
    """Codes and servers of one account.

    Attributes:
        token: what a typed code gives.
        resources: the account's devices.
        typed_after: how many times a code is looked at before its person types it; None never.
        expires_after: how many times before it expires.
        refused: clients of these identifiers get no code.
    """

    token: str
    resources: Sequence[SimResource] = ()
    typed_after: int | None = 2
    expires_after: int = 900
    refused: frozenset[str] = frozenset()
    clients: list[str] = field(default_factory=list)
    _codes: dict[int, _Code] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def kind(self, request: SimRequest) -> str:
        """Say what a request counts as."""
        if _PIN.fullmatch(request.path):
            return "plextv.look"
        return {"/api/v2/pins": "plextv.code", "/api/v2/resources": "plextv.resources"}.get(
            request.path, "plextv.other"
        )

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        with self._lock:
            client = request.headers.get("X-Plex-Client-Identifier", "")
            if not client:
                return _error(request, 400, 1000, "X-Plex-Client-Identifier is missing")
            self.clients.append(client)
            if found := _PIN.fullmatch(request.path):
                return self._look(request, int(found[1]), client)
            if (request.method, request.path) == ("POST", "/api/v2/pins"):
                return self._new_code(request, client)
            if (request.method, request.path) == ("GET", "/api/v2/resources"):
                return self._list(request)
            return _error(request, 404, 1002, "Not Found")

    def _new_code(self, request: SimRequest, client: str) -> SimResponse:
        if client in self.refused:
            return _error(request, 403, 1003, "This client may not sign in")
        number = 1_000_000 + len(self._codes)
        code = _Code(_CODES[len(self._codes) % len(_CODES)], client)
        self._codes[number] = code
        return self._show(request, number, code, status=201)

    def _look(self, request: SimRequest, number: int, client: str) -> SimResponse:
        code = self._codes.get(number)
        if code is not None and code.client == client:
            code.looks += 1
            code.expired = code.expired or code.looks > self.expires_after
        if code is None or code.client != client or code.expired:
            return _error(request, 404, 1020, "Code not found or expired")
        return self._show(request, number, code)

    def _show(
        self, request: SimRequest, number: int, code: _Code, status: int = 200
    ) -> SimResponse:
        typed = self.typed_after is not None and code.looks > self.typed_after
        values = {
            "id": str(number),
            "code": code.code,
            "product": request.headers.get("X-Plex-Product", ""),
            "clientIdentifier": code.client,
            "expiresIn": "1800",
            "authToken": self.token if typed else "",
        }
        return _answer(request, status, "pin", values)

    def _list(self, request: SimRequest) -> SimResponse:
        if request.headers.get("X-Plex-Token") != self.token:
            return _error(request, 401, 1001, "User could not be authenticated")
        root = Element("resources")
        for resource in self.resources:
            entry = SubElement(root, "resource", _resource_values(resource, self.token))
            connections = SubElement(entry, "connections")
            for one in resource.connections:
                SubElement(connections, "connection", _connection_values(one))
        return SimResponse(200, _XML, b'<?xml version="1.0"?>' + tostring(root))


def _resource_values(resource: SimResource, token: str) -> dict[str, str]:
    return {
        "name": resource.name,
        "product": "Plex Media Server",
        "clientIdentifier": resource.machine,
        "provides": resource.provides,
        "owned": str(int(resource.owned)),
        "accessToken": resource.token or token,
        "createdAt": "2020-01-01T00:00:00Z",
        "lastSeenAt": "2026-01-01T00:00:00Z",
        "presence": "1",
    }


def _connection_values(one: SimConnection) -> dict[str, str]:
    return {
        "protocol": one.uri.partition(":")[0],
        "address": one.address,
        "port": str(one.port),
        "uri": one.uri,
        "local": str(int(one.local)),
        "relay": str(int(one.relay)),
        "IPv6": "0",
    }


def _answer(request: SimRequest, status: int, name: str, values: Mapping[str, str]) -> SimResponse:
    """XML unless JSON was asked for, as plex.tv decides."""
    if "json" in request.headers.get("Accept", ""):
        return SimResponse(status, _JSON, json.dumps(dict(values)).encode())
    return SimResponse(
        status, _XML, b'<?xml version="1.0"?>' + tostring(Element(name, dict(values)))
    )


def _error(request: SimRequest, status: int, code: int, message: str) -> SimResponse:
    if "json" in request.headers.get("Accept", ""):
        body = {"errors": [{"code": code, "message": message, "status": status}]}
        return SimResponse(status, _JSON, json.dumps(body).encode())
    root = Element("errors")
    SubElement(root, "error", {"code": str(code), "message": message, "status": str(status)})
    return SimResponse(status, _XML, tostring(root))
