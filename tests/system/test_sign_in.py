"""Signing in at a simulated plex.tv, over real HTTP: codes, refusals, servers, dead addresses."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.app.sign_in import (
    AccountServer,
    CodeExpiredError,
    PlexSignIn,
    account_servers,
    answering_address,
    machine_at,
    plex_tv_transport,
)
from plexsync.config.secrets import Secret
from plexsync.errors import AuthError, BadResponseError, ServerError, TransientError
from plexsync.simulators.http.plex_tv import PlexTvSimulator, SimConnection, SimResource
from plexsync.simulators.http.wire import ErrorStatus, Fault, Faults, LoopbackServer, Wired
from plexsync.simulators.library.pairs import demo_library
from plexsync.simulators.plex.parts import Identity
from plexsync.simulators.plex.simulator import PlexSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "classic-token-1234567"
CLIENT = "client-1"
MACHINE = Identity().machine


@contextmanager
def plex_tv(simulator: PlexTvSimulator, *faults: Fault) -> Iterator[LoopbackServer]:
    """A plex.tv on loopback."""
    with LoopbackServer(Wired(simulator, Faults(*faults))) as server:
        yield server


def sign_in(server: LoopbackServer, waits: list[float] | None = None) -> PlexSignIn:
    """An attempt that only notes its waits."""
    noted = [] if waits is None else waits
    return PlexSignIn(plex_tv_transport(CLIENT, url=server.url, sleep=noted.append))


def test_a_typed_code_gives_the_token() -> None:
    """The code stays the same while it waits, and every request carries one identifier."""
    simulator = PlexTvSimulator(TOKEN, typed_after=2)
    with plex_tv(simulator) as server:
        attempt = sign_in(server)
        code = attempt.code()
        assert code == attempt.code()
        assert len(code) == 4
        looks = [attempt.token() for _ in range(3)]
    assert looks == [None, None, Secret(TOKEN)]
    assert set(simulator.clients) == {CLIENT}
    assert server.wired.counters.requests("plextv.code") == 1
    assert not any(TOKEN in target for target in server.wired.counters.targets)


def test_a_code_nobody_typed_expires() -> None:
    """It is kept apart from a plex.tv that fails."""
    with plex_tv(PlexTvSimulator(TOKEN, typed_after=None, expires_after=1)) as server:
        attempt = sign_in(server)
        attempt.code()
        assert attempt.token() is None
        with pytest.raises(CodeExpiredError):
            attempt.token()


def test_too_many_requests_are_waited_for_and_no_end_of_the_code() -> None:
    """The wait plex.tv asks for is kept, and the code stands."""
    fault = Fault("plextv.look", 1, ErrorStatus(429, headers=(("Retry-After", "3"),)))
    waits: list[float] = []
    with plex_tv(PlexTvSimulator(TOKEN, typed_after=0), fault) as server:
        attempt = sign_in(server, waits)
        attempt.code()
        assert attempt.token() == Secret(TOKEN)
    assert max(waits) >= 3


def test_a_plex_tv_that_fails_is_not_an_expired_code() -> None:
    """The message is about the server."""
    fault = Fault("plextv.look", 1, ErrorStatus(503), times=None)
    with plex_tv(PlexTvSimulator(TOKEN), fault) as server:
        attempt = sign_in(server)
        attempt.code()
        with pytest.raises(TransientError):
            attempt.token()


def test_an_answer_that_is_none_is_not_an_expired_code() -> None:
    """Only plex.tv itself ends a code."""
    fault = Fault("plextv.look", 1, ErrorStatus(200))
    with plex_tv(PlexTvSimulator(TOKEN), fault) as server:
        attempt = sign_in(server)
        attempt.code()
        with pytest.raises(BadResponseError, match="XML"):
            attempt.token()


def test_a_code_is_asked_for_once_where_the_answer_is_none() -> None:
    """Plex.tv may have made it all the same, and who asks too often is refused."""
    fault = Fault("plextv.code", 1, ErrorStatus(503), times=None)
    with plex_tv(PlexTvSimulator(TOKEN), fault) as server:
        with pytest.raises(TransientError):
            sign_in(server).code()
        assert server.wired.counters.requests("plextv.code") == 1


def test_a_refused_client_gets_no_code() -> None:
    """Nothing is polled then."""
    with plex_tv(PlexTvSimulator(TOKEN, refused=frozenset({CLIENT}))) as server:
        with pytest.raises(ServerError):
            sign_in(server).code()
        assert server.wired.counters.requests("plextv.look") == 0


def test_a_token_of_seven_days_is_refused() -> None:
    """Servers have refused those; the hint says where the classic one is."""
    with plex_tv(PlexTvSimulator("head.body.signature", typed_after=0)) as server:
        attempt = sign_in(server)
        attempt.code()
        with pytest.raises(AuthError, match="seven days") as caught:
            attempt.token()
    assert "X-Plex-Token" in caught.value.hint


def test_servers_are_listed_owned_ones_first_and_local_addresses_before_others() -> None:
    """Players are no servers; a relay comes last; a shared server is known as such."""
    remote = SimConnection(
        uri="https://1-2-3-4.abc.plex.direct:32400", address="1.2.3.4", local=False
    )
    relay = SimConnection(uri="https://relay:8443", address="5.6.7.8", local=False, relay=True)
    local = SimConnection(uri="https://192-168-1-2.abc.plex.direct:32400", address="192.168.1.2")
    resources = (
        SimResource(name="Friend", machine="m2", owned=False, connections=(remote,), token="other"),
        SimResource(name="Phone", machine="p", provides="player"),
        SimResource(name="Home", machine="m1", connections=(relay, remote, local)),
    )
    with plex_tv(PlexTvSimulator(TOKEN, resources)) as server:
        transport = plex_tv_transport(CLIENT, url=server.url, token=Secret(TOKEN))
        home, friend = account_servers(transport)
    assert (home.name, home.owned, friend.name, friend.owned) == ("Home", True, "Friend", False)
    assert home.addresses[:2] == (local.uri, "http://192.168.1.2:32400")
    assert home.addresses.index(remote.uri) < home.addresses.index(relay.uri)
    assert friend.token == Secret("other")


def test_a_revoked_token_lists_nothing() -> None:
    """It is an error of access, not an empty account."""
    with plex_tv(PlexTvSimulator(TOKEN)) as server:
        transport = plex_tv_transport(CLIENT, url=server.url, token=Secret("revoked"))
        with pytest.raises(AuthError):
            account_servers(transport)


def account_server(machine: str, *addresses: str) -> AccountServer:
    """A server at these addresses."""
    return AccountServer(
        name="Home", machine=machine, owned=True, token=Secret(TOKEN), addresses=addresses
    )


def test_dead_addresses_and_other_servers_are_passed_over_without_the_token() -> None:
    """An address of a home network may be another server here; it must not get the token."""
    plex: Any = PlexSimulator(demo_library(), token=TOKEN)
    stranger: Any = PlexTvSimulator("x")
    with LoopbackServer(Wired(plex)) as home, LoopbackServer(Wired(stranger)) as other:
        tried: list[str] = []
        server = account_server(MACHINE, "http://127.0.0.1:9", other.url, home.url)
        assert answering_address(server, CLIENT, tried.append) == home.url
        assert tried == ["http://127.0.0.1:9", other.url, home.url]
        assert answering_address(account_server("another", home.url), CLIENT, tried.append) is None
        assert plex.misdeeds.total == 0


@pytest.mark.parametrize(
    "body", [b"{}", b"pong", b"<a/>", b"<?xml version='1.0' encoding='utf-7'?><a/>"]
)
def test_what_is_no_plex_is_named_with_what_to_write(body: bytes) -> None:
    """The message is about that address, and not about plex.tv."""
    plex: Any = PlexSimulator(demo_library(), token=TOKEN)
    fault = Fault("plex.identity", 1, ErrorStatus(200, body))
    with LoopbackServer(Wired(plex, Faults(fault))) as home:
        with pytest.raises(BadResponseError, match="no Plex Media Server") as refused:
            machine_at(home.url, CLIENT)
        assert "32400" in refused.value.hint
