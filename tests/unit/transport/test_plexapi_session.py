"""plexapi over our transport: it works, and failures come out as ours, not as plexapi's."""

from __future__ import annotations

import pytest
from plexapi.server import PlexServer

from plexsync.errors import (
    AuthError,
    BadResponseError,
    NotFoundError,
    ServerError,
    TransientError,
)
from plexsync.simulators.http.wire import Cut, ErrorStatus, Redirect, Reset, SimResponse
from plexsync.transport.client import RetryPolicy
from tests.support.transport_bench import transport_bench

XML = (("Content-Type", "text/xml"),)
ROOT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<MediaContainer size="0" machineIdentifier="abc" version="1.43.1" friendlyName="Büro"/>'
).encode()


def test_plexapi_connects_over_our_session() -> None:
    """A server object comes about, UTF-8 is read as such, and our headers are sent."""
    with transport_bench(body=ROOT, headers=XML, name="Plex") as bench:
        server = PlexServer(
            bench.server.url, "its-own-token", session=bench.transport.plexapi_session()
        )  # type: ignore[no-untyped-call]  # plexapi has no types
        assert (server.machineIdentifier, server.friendlyName) == ("abc", "Büro")
        asked = bench.simulator.asked[0].headers
        assert asked["ApiKey"]
        assert asked["X-Plex-Token"] == "its-own-token"
        assert "json" not in asked["Accept"]
        assert bench.transport.reads == 1


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        (ErrorStatus(401), AuthError),
        (ErrorStatus(403), AuthError),
        (ErrorStatus(404), NotFoundError),
        (ErrorStatus(400), BadResponseError),
        (ErrorStatus(429), TransientError),
        (ErrorStatus(498), AuthError),
        (ErrorStatus(500), TransientError),
        (ErrorStatus(503), TransientError),
        (ErrorStatus(524), TransientError),
        (Redirect("https://plex.example/"), BadResponseError),
        (Reset(), TransientError),
        (Cut(), TransientError),
    ],
    ids=str,
)
def test_failures_are_ours(
    effect: ErrorStatus | Redirect | Reset | Cut, kind: type[ServerError]
) -> None:
    """What plexapi would make a BadRequest or a TypeError never reaches it."""
    with transport_bench(effect, body=ROOT, headers=XML, name="Plex") as bench:
        with pytest.raises(ServerError) as caught:
            PlexServer(bench.server.url, session=bench.transport.plexapi_session())  # type: ignore[no-untyped-call]  # plexapi has no types
        assert type(caught.value) is kind


@pytest.mark.parametrize(("method", "sent"), [("get", 2), ("put", 2), ("post", 1), ("delete", 1)])
def test_only_get_and_put_are_repeated(method: str, sent: int) -> None:
    """A PUT sets what it sets however often; a POST may add a thing twice."""
    retry = RetryPolicy(attempts=2)
    with transport_bench(status=503, name="Plex", retry=retry) as bench:
        with pytest.raises(TransientError):
            bench.transport.plexapi_session().request(method, bench.server.url + "/x?y=1")
        assert bench.served == sent
        reads = sent if method == "get" else 0
        assert (bench.transport.reads, bench.transport.writes) == (reads, sent - reads)


def test_an_empty_answer_is_a_success() -> None:
    """Plex answers an edit with an empty 200."""
    with transport_bench(body=b"", headers=XML, name="Plex") as bench:
        response = bench.transport.plexapi_session().put(
            bench.server.url + "/x", params={"a": "b c"}
        )
        assert (response.status_code, response.text, response.content) == (200, "", b"")
        assert bench.simulator.asked[0].query == (("a", "b c"),)


def test_another_server_is_never_asked() -> None:
    """Our token does not go where some answer points."""
    with transport_bench() as other, transport_bench(name="Plex") as bench:
        with pytest.raises(BadResponseError, match="another server"):
            bench.transport.plexapi_session().get(other.server.url + "/photo")
        assert other.served == 0


def test_a_charset_the_server_names_is_believed() -> None:
    """Only silence means UTF-8."""
    headers = (("Content-Type", "text/xml; charset=iso-8859-1"),)
    with transport_bench(name="Plex") as bench:
        bench.simulator.response = SimResponse(200, headers, "ü".encode("latin-1"))
        assert bench.transport.plexapi_session().get(bench.server.url).text == "ü"
