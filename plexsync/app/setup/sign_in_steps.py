"""The part of the first configuration that finds the Plex server by signing in at plex.tv."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from plexsync.app.setup.sign_in import (
    LINK_PAGE,
    POLL_S,
    TOKEN_WORDS,
    CodeExpiredError,
    PlexSignIn,
    account_servers,
    answering_address,
    plex_tv_transport,
)
from plexsync.errors import ServerError, StateError
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.app.setup.sign_in import AccountServer
    from plexsync.config.secrets import Secret


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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    client_id: Callable[[], str]
    plex_tv: str
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
                    return self._poll(attempt)
                except CodeExpiredError:
                    if not self.asker.confirm("The code expired. Another one?", default=True):
                        return None

    def _poll(self, attempt: PlexSignIn) -> Secret:
        while (token := attempt.token()) is None:
            self.sleep(POLL_S)
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
        address = answering_address(server, self.client_id(), self._tell_try)
        if address is None:
            self.asker.tell("It answers at none of them from here.")
        return address or ""

    def _tell_try(self, address: str) -> None:
        self.asker.tell(f"  trying {clean_for_terminal(address)} ...")


def _shown(server: AccountServer) -> str:
    name = clean_for_terminal(server.name)
    return name if server.owned else f"{name} (shared with you: plexsync could read it, not write)"
