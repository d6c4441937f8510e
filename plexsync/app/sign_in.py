"""Signing in at plex.tv with a code, and the conversation around it: which server, and where it is.

A person types the code at plex.tv/link; what comes back is the account's classic token, which lasts
until it is revoked. Nothing here signs out, converts or expires a token.
Source: plexapi 4.18.3, `MyPlexPinLogin` and `MyPlexResource`; docs/plex-api.md 7.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from plexsync.config.secrets import Secret
from plexsync.errors import (
    AuthError,
    BadResponseError,
    ConfigError,
    NotFoundError,
    ServerError,
    StateError,
)
from plexsync.plex.connection import plex_headers, plexapi_imported, read_xml
from plexsync.state import UNREGISTERED_CLIENT_ID
from plexsync.text.normalize import clean_for_terminal
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import AnswerLimits, RetryPolicy, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from xml.etree.ElementTree import Element

    from plexsync.transport.responses import HttpResponse

PLEX_TV = "https://plex.tv"
LINK_PAGE = "https://plex.tv/link"

TOKEN_WORDS = (
    "In Plex Web: any item > ... > Get Info > View XML; the address ends in X-Plex-Token=TOKEN.",
    "On the server: PlexOnlineToken in Preferences.xml, in the folder of Plex's data.",
)
"""Where a token is found without signing in."""

POLL_S = 2.0
"""Seconds between two looks at whether the code was typed; plex.tv refuses many a second."""

_XML = (("Accept", "application/xml"),)
_MADE = frozenset({200, 201})
_PINS = "/api/v2/pins"
_RESOURCES = "/api/v2/resources?includeHttps=1&includeRelay=1&includeIPv6=1"
_PATIENT = RetryPolicy(attempts=4, seconds=20.0, first_wait_s=0.5, max_wait_s=8.0)
_TRY_ONCE = RetryPolicy(attempts=1, seconds=4.0, first_wait_s=0.1, max_wait_s=0.1)
_TRY_S = 3.0
"""Seconds one address of a server may take: most of those an account lists are dead from here."""


class CodeExpiredError(AuthError):
    """Nobody typed the code in time, or plex.tv no longer knows it."""

    kind = "code-expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountServer:
    """A Plex server of the account.

    Args:
        name: as its owner calls it.
        machine: its identifier.
        owned: whether the account is its owner's; only that one may write.
        token: opens it.
        addresses: where it may be reached, best first: local, then remote, then relayed; with TLS
            before without.
    """

    name: str
    machine: str
    owned: bool
    token: Secret
    addresses: tuple[str, ...]


class PlexSignIn:
    """One attempt to sign in.

    Args:
        transport: to plex.tv; the account lists this sign-in under the identifier it sends.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._id = self._code = ""

    def code(self) -> str:
        """Return the code to type, four letters or digits; the same one every time.

        Raises:
            ServerError: plex.tv did not give one.
        """
        if not self._code:
            answer = self._transport.request(
                "POST", _PINS, headers=_XML, write=True, repeatable=False, accept_status=_MADE
            )
            pin = _parsed(answer, _PINS)
            self._id, self._code = pin.get("id", ""), pin.get("code", "")
        if not (self._id and self._code):
            raise BadResponseError("plex.tv answered without a code", context=_PINS)
        return self._code

    def token(self) -> Secret | None:
        """Return the account's token; None while the code was not typed yet.

        Raises:
            CodeExpiredError: it can no longer be typed.
            ServerError: plex.tv did not say.
        """
        path = f"{_PINS}/{quote(self._id, safe='')}"
        try:
            answer = self._transport.request("GET", path, headers=_XML)
        except NotFoundError as error:
            raise CodeExpiredError(
                "the code expired before it was typed", hint="plexsync init shows another one"
            ) from error
        token = _parsed(answer, path).get("authToken")
        return _classic(token) if token else None


def plex_tv_transport(
    client_id: str,
    *,
    url: str = PLEX_TV,
    token: Secret | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Transport:
    """Return the way to plex.tv.

    Args:
        client_id: our stable identifier.
        url: where plex.tv is; for tests, never a setting.
        token: opens the account.
        sleep: waits between attempts.
    """
    known = token.reveal() if token else ""
    return Transport(
        url,
        name="plex.tv",
        headers=plex_headers(client_id, known),
        secrets=(known,),
        retry=_PATIENT,
        timeout_s=10.0,
        timing=Timing(sleep=sleep),
    )


def account_servers(transport: Transport) -> tuple[AccountServer, ...]:
    """Return the servers of the account, those it owns first.

    Raises:
        ServerError: plex.tv did not say.
    """
    answer = transport.request("GET", _RESOURCES, headers=_XML)
    root = _parsed(answer, "/api/v2/resources")
    with plexapi_imported():
        from plexapi.myplex import MyPlexResource  # noqa: PLC0415 - 0.2 s; see `plexapi_imported`

        made: Any = MyPlexResource
        found = [
            AccountServer(
                name=one.name or one.clientIdentifier,
                machine=one.clientIdentifier or "",
                owned=bool(one.owned),
                token=Secret(one.accessToken),
                addresses=tuple(dict.fromkeys(one.preferred_connections())),
            )
            for one in (made(None, entry) for entry in root.iter("resource"))
            if "server" in (one.provides or "").split(",") and one.accessToken
        ]
    return tuple(sorted(found, key=lambda server: not server.owned))


def machine_at(address: str, client_id: str) -> str:
    """Return the identifier of the Plex server at `address`. No token is sent.

    Raises:
        ServerError: none answers there.
        ConfigError: it is no address.
    """
    with Transport(
        address,
        name="Plex",
        headers=plex_headers(client_id),
        secrets=(),
        retry=_TRY_ONCE,
        timeout_s=_TRY_S,
        limits=AnswerLimits(deadline_s=_TRY_S, max_bytes=1 << 20),
    ) as transport:
        answer = transport.request("GET", "/identity", headers=_XML)
    with suppress(BadResponseError):
        if machine := read_xml(answer).get("machineIdentifier", ""):
            return machine
    raise BadResponseError(
        "what answers is no Plex Media Server",
        context="/identity",
        hint="write the address of Plex itself into [plex] url; its port is usually 32400",
    )


def answering_address(
    server: AccountServer, client_id: str, tried: Callable[[str], None]
) -> str | None:
    """Return the first of the server's addresses that it answers at; None when none does.

    The token is not sent: an address of a home network may belong to another server here.

    Args:
        server: which.
        client_id: our stable identifier.
        tried: takes each address before it is tried.
    """
    for address in server.addresses:
        tried(address)
        with suppress(ServerError, ConfigError):
            if machine_at(address, client_id) == server.machine:
                return address
    return None


class Asker(Protocol):
    """A person at a terminal, or a stand-in for one."""

    def tell(self, text: str) -> None:
        """Show a line."""

    def ask(self, question: str, default: str = "") -> str:
        """Return a line of text; `default` when nothing is typed."""

    def ask_secret(self, question: str) -> str:
        """Return a line of text that is not shown; "" when nothing is typed."""

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no."""


@dataclass(slots=True, kw_only=True)
class SignInSteps:
    """Shows a code, waits for it to be typed, and lets a person choose among their servers.

    Args:
        asker: what puts the questions to a person.
        learn: receives every token at once, so that no message ever shows it.
        client_id: returns our stable identifier.
        plex_tv: where plex.tv is.
        sleep: waits so many seconds.
    """

    asker: Asker
    learn: Callable[[str], None]
    client_id: Callable[[], str] = lambda: UNREGISTERED_CLIENT_ID
    plex_tv: str = ""
    sleep: Callable[[float], None] = time.sleep

    def find_server(self) -> tuple[str, str] | None:
        """Return address and token of the server a person chose; None where there is none.

        The address is "" where the server answers at none of its own from here.
        """
        wanted = self.asker.confirm("Sign in at plex.tv to find your Plex server?", default=True)
        server = self._sign_in() if wanted else None
        if server is not None:
            return self._reach(server), server.token.reveal()
        self.asker.tell("Without signing in, the token of the server's owner is found so:")
        for line in TOKEN_WORDS:
            self.asker.tell(f"  {line}")
        return None

    def _sign_in(self) -> AccountServer | None:
        try:
            token = self._wait_for_token()
            return self._choose_server(token) if token else None
        except (ServerError, StateError) as error:
            self.asker.tell(clean_for_terminal(str(error)))
            return None

    def _wait_for_token(self) -> Secret | None:
        client_id = self.client_id()
        while True:
            with plex_tv_transport(client_id, url=self.plex_tv, sleep=self.sleep) as transport:
                attempt = PlexSignIn(transport)
                self.asker.tell(f"Open {LINK_PAGE} in a browser and type this code:")
                self.asker.tell(f"    {clean_for_terminal(attempt.code())}")
                self.asker.tell("Waiting until it is typed (Ctrl-C leaves) ...")
                try:
                    while (token := attempt.token()) is None:
                        self.sleep(POLL_S)
                except CodeExpiredError:
                    if not self.asker.confirm("The code expired. Another one?", default=True):
                        return None
                else:
                    self.learn(token.reveal())
                    return token

    def _choose_server(self, token: Secret) -> AccountServer | None:
        with plex_tv_transport(self.client_id(), url=self.plex_tv, token=token) as transport:
            servers = account_servers(transport)
        for server in servers:
            self.learn(server.token.reveal())
        if not servers:
            self.asker.tell("Signed in, but this account has no Plex server.")
            return None
        if len(servers) == 1:
            self.asker.tell(f"Signed in. Your server: {_shown(servers[0])}.")
            return servers[0]
        self.asker.tell("Signed in. Servers of this account:")
        for number, server in enumerate(servers, start=1):
            self.asker.tell(f"  {number}  {_shown(server)}")
        return servers[self._number(servers) - 1]

    def _number(self, servers: Sequence[AccountServer]) -> int:
        while True:
            typed = self.asker.ask("Which of them, by number", "1")
            if typed.isdecimal() and 1 <= int(typed) <= len(servers):
                return int(typed)
            self.asker.tell(f"A number from 1 to {len(servers)}, please.")

    def _reach(self, server: AccountServer) -> str:
        def show(address: str) -> None:
            self.asker.tell(f"  trying {clean_for_terminal(address)} ...")

        address = answering_address(server, self.client_id(), show)
        if address is None:
            self.asker.tell("It answers at none of them from here.")
        return address or ""


# ---- Private -------------------------------------------------------------------------------------


def _parsed(answer: HttpResponse, place: str) -> Element:
    try:
        return read_xml(answer)
    except BadResponseError as error:
        raise BadResponseError("plex.tv sent no XML", context=place) from error


def _classic(token: str) -> Secret:
    """Refuse a token that lasts seven days; servers have refused those, too.

    Source: docs/plex-api.md 7.
    """
    if token.count(".") == 2:  # noqa: PLR2004 - the three parts of a JWT
        raise AuthError(
            "plex.tv gave a token that ends after seven days",
            hint=f"Put a classic one into [plex] token. {TOKEN_WORDS[0]}",
        )
    return Secret(token)


def _shown(server: AccountServer) -> str:
    name = clean_for_terminal(server.name)
    return name if server.owned else f"{name} (shared with you: plexsync could read it, not write)"
