"""The Plex client meets a simulated server: greetings, headers, libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

import pytest

from plexsync.errors import (
    AuthError,
    BadResponseError,
    LibraryMissingError,
    TransientError,
)
from plexsync.models import ItemKind, RatingKey
from plexsync.plex.client import PlexClient
from plexsync.plex.connection import chosen_sections, plex_headers
from plexsync.simulators.http.wire import ErrorStatus, Fault, Redirect, garbage, html
from plexsync.transport.client import Transport
from tests.support.plex_bench import CLIENT_ID, KEY, detail_of, plan_for, plex_bench

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.simulators.http.wire import SimRequest

OTHER = RatingKey("1002")


# ---- Connecting ----------------------------------------------------------------------------------


def test_connecting_and_finding_libraries_costs_two_requests() -> None:
    """One to say hello, one for all libraries."""
    with plex_bench() as bench:
        server = bench.client.connect()
        sections = bench.client.sections(["Scenes"])

        assert bench.spent() == {"plex.root": 1, "plex.sections": 1}
        assert (bench.transport.reads, bench.transport.writes) == (2, 0)
        assert server.identity == bench.simulator.identity.machine
        assert server.version == bench.simulator.identity.version
        assert [section.section_id for section in sections] == ["1"]


def test_connecting_twice_is_one_request() -> None:
    """The server is remembered."""
    with plex_bench() as bench:
        first, second = bench.client.connect(), bench.client.connect()

        assert first == second
        assert bench.spent() == {"plex.root": 1}


def test_every_request_names_us_and_only_in_headers() -> None:
    """One device for the owner, whoever asks; the token stands in no address."""
    seen: list[SimRequest] = []
    with plex_bench() as bench:
        bench.wired.on_request = seen.append
        detail = detail_of(bench)
        bench.client.listing(bench.section())
        bench.client.editor.edit(plan_for(detail, title="New"))

    names = {request.headers.get("X-Plex-Client-Identifier") for request in seen}
    assert names == {CLIENT_ID}
    assert {request.headers.get("X-Plex-Product") for request in seen} == {"plexsync"}
    assert {request.headers.get("X-Plex-Token") for request in seen} == {"owner-token"}
    assert not any("token" in request.target.casefold() for request in seen)


def test_the_greeting_adds_no_headers() -> None:
    """Plexapi would call us a controller and name this machine."""
    seen: list[SimRequest] = []
    with plex_bench() as bench:
        bench.wired.on_request = seen.append
        bench.client.connect()

    ours = {name.casefold() for name in plex_headers(CLIENT_ID, "owner-token")}
    assert {name for name in seen[0].headers if name.startswith("x-plex-")} == ours


def test_the_greeting_invents_no_device() -> None:
    """It is the one that was given; neither the machine's name nor its network address."""
    seen: list[SimRequest] = []
    with plex_bench() as bench:
        bench.wired.on_request = seen.append
        headers = plex_headers("device-1", bench.simulator.token)
        with Transport(bench.transport.base_url, name="Plex", headers=headers, secrets=()) as own:
            PlexClient(own, url=own.base_url).connect()

    assert seen[0].headers["X-Plex-Client-Identifier"] == "device-1"


def test_a_server_that_is_starting_is_waited_for() -> None:
    """Every path says 503 while Plex migrates its database."""
    with plex_bench() as bench:
        bench.simulator.startup_503(3)

        assert bench.client.connect().identity


def test_a_server_that_does_not_start_is_named() -> None:
    """The person learns what Plex itself answered."""
    with plex_bench() as bench:
        bench.simulator.startup_503(100)

        with pytest.raises(TransientError, match="migrations"):
            bench.client.connect()


@pytest.mark.parametrize(
    "effect",
    [
        ErrorStatus(200, b'<Response code="503" title="Maintenance" status="x"/>'),
        ErrorStatus(200, b"<MediaContainer/>"),
        ErrorStatus(200, b""),
        ErrorStatus(200, b"{}"),
        ErrorStatus(200, b"<MediaContainer machineIdentifier='"),
        ErrorStatus(200, b"<MediaContainer machineIdentifier='m' multiuser='perhaps'/>"),
        ErrorStatus(200, b"<?xml version='1.0' encoding='utf-9'?><MediaContainer/>"),
        ErrorStatus(200, b"<?xml version='1.0' encoding='shift_jis'?><MediaContainer/>"),
        html(),
        garbage(),
    ],
    ids=[
        "response",
        "nobody",
        "empty",
        "JSON",
        "cut XML",
        "no boolean",
        "unknown encoding",
        "encoding nobody reads",
        "web page",
        "garbage",
    ],
)
def test_what_is_no_plex_server_is_refused(effect: ErrorStatus) -> None:
    """A 200 alone makes no Plex server."""
    with (
        plex_bench(None, Fault("plex.root", 1, effect, times=None)) as bench,
        pytest.raises(BadResponseError),
    ):
        bench.client.connect()


def test_a_redirect_is_not_followed() -> None:
    """The token would go to the other host, and a PUT would become a GET."""
    fault = Fault("plex.root", 1, Redirect("https://elsewhere.test/"))
    with plex_bench(None, fault) as bench:
        with pytest.raises(BadResponseError, match="redirect"):
            bench.client.connect()

        assert bench.transport.reads == 1


def test_a_refused_token_is_an_access_error() -> None:
    """And is not tried again."""
    with plex_bench(token="wrong") as bench:
        with pytest.raises(AuthError):
            bench.client.connect()

        assert bench.transport.reads == 1


_STRAY = """
[plexapi]
autoreload = true
timeout = 1
[auth]
server_token = leftover-token
server_baseurl = http://leftover.invalid
[header]
identifier = leftover-device
product = leftover
[log]
path = {log}
show_secrets = true
"""

_CONNECT_TWICE = """
import json, os, sys
if sys.argv[3] == "first":
    import plexapi.server
before = dict(os.environ)
from plexsync.plex.client import PlexClient
from plexsync.plex.connection import plex_headers, plexapi_imported
from plexsync.transport.client import Transport
token = sys.argv[2]
transport = Transport(
    sys.argv[1], name="Plex", headers=plex_headers("device-1", token), secrets=(token,)
)
client = PlexClient(transport, url=sys.argv[1])
assert client.connect().identity
assert client.sections(["Scenes"])
with plexapi_imported():
    import plexapi
    assert not plexapi.CONFIG.data, plexapi.CONFIG.data
assert dict(os.environ) == before, "the environment was left changed"
"""


@pytest.mark.parametrize("imported", ["first", "late"])
def test_leftover_plexapi_settings_change_nothing(tmp_path: Path, imported: str) -> None:
    """A configuration file in the home directory and variables reach no server, nor plexapi."""
    log = tmp_path / "plexapi.log"
    config = tmp_path / ".config" / "plexapi" / "config.ini"
    config.parent.mkdir(parents=True)
    # A log file opened at import time is beyond our reach when plexapi came first.
    text = _STRAY.format(log=log) if imported == "late" else _STRAY.replace("path = {log}", "")
    config.write_text(text)
    leftover = {
        "HOME": str(tmp_path),
        "PLEXAPI_HEADER_IDENTIFIER": "leftover-device",
        "PLEXAPI_LOG_SHOW_SECRETS": "true",
        "PLEXAPI_AUTH_SERVER_TOKEN": "leftover-token",
    }
    seen: list[SimRequest] = []
    with plex_bench() as bench:
        bench.wired.on_request = seen.append
        command = [sys.executable, "-c", _CONNECT_TWICE, bench.transport.base_url]
        subprocess.run(
            [*command, bench.simulator.token, imported], check=True, env=os.environ | leftover
        )

    assert not log.exists()
    assert {request.headers["X-Plex-Client-Identifier"] for request in seen} == {"device-1"}
    assert {request.headers["X-Plex-Token"] for request in seen} == {"owner-token"}
    assert not any("leftover" in value for request in seen for value in request.headers.values())


# ---- Libraries -----------------------------------------------------------------------------------


def test_without_names_every_movie_and_show_library_is_taken() -> None:
    """Music is left out; a show library is one of episodes."""
    with plex_bench() as bench:
        sections = bench.client.sections()

        assert [(one.title, one.kind) for one in sections] == [
            ("Scenes", ItemKind.MOVIE),
            ("Shows", ItemKind.EPISODE),
            ("Empty", ItemKind.MOVIE),
        ]
        assert sections[1].locations == ("/media/shows", "/media/more")
        assert sections[1].uuid == "u-2"


def test_names_are_found_in_any_case_and_order() -> None:
    """Twice the same name is one library."""
    with plex_bench() as bench:
        sections = bench.client.sections([" shows ", "SCENES", "Shows"])

        assert [section.title for section in sections] == ["Shows", "Scenes"]


def _libraries(*titles: str) -> Element:
    container = Element("MediaContainer")
    for number, title in enumerate(titles, start=1):
        SubElement(container, "Directory", type="movie", key=str(number), title=title)
    return container


@pytest.mark.parametrize(
    ("titles", "name", "chosen"),
    [
        ((" Movies", "Movies"), " Movies", "1"),
        ((" Movies", "Movies"), "Movies", "2"),
        (("Movies", "movies"), "movies", "2"),
        (("Films", "Movies"), " movies ", "2"),
        (("Films", "Films"), "2", "2"),
        (("2", "Films"), "2", "1"),
    ],
    ids=["blank", "no blank", "case", "folded", "id", "a title before an id"],
)
def test_the_exact_title_wins(titles: tuple[str, ...], name: str, chosen: str) -> None:
    """Names are folded only where no library has just that title, so one name is one library."""
    assert [one.section_id for one in chosen_sections(_libraries(*titles), [name])] == [chosen]


@pytest.mark.parametrize(
    ("titles", "name"), [(("Films", "Films"), "Films"), (("FILMS", "Films"), "films")]
)
def test_two_libraries_of_one_name_are_an_error_that_names_both_ids(
    titles: tuple[str, ...], name: str
) -> None:
    """Which of them is meant is for the person to say, by its id."""
    with pytest.raises(LibraryMissingError) as caught:
        chosen_sections(_libraries(*titles), [name])
    assert "id 1" in caught.value.message
    assert "id 2" in caught.value.message
    assert "id" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "words"),
    [("Clips", "'Empty', 'Scenes', 'Shows'"), ("Music", "artist")],
    ids=["unknown", "other kind"],
)
def test_a_missing_library_is_named_with_what_there_is(name: str, words: str) -> None:
    """So that the configuration can be put right without looking at Plex."""
    with plex_bench() as bench:
        with pytest.raises(LibraryMissingError) as caught:
            bench.client.sections(["Scenes", name])

        assert repr(name) in caught.value.message
        assert words in caught.value.message + caught.value.hint


def test_counters_of_a_library_move_with_it() -> None:
    """The hints the index goes by."""
    with plex_bench() as bench:
        before = bench.section()
        bench.simulator.edit_by_hand(KEY, {"title": "x"})
        bench.simulator.set_refreshing(1, refreshing=True)
        after = bench.section()

        assert after.content_changed_at > before.content_changed_at
        assert (before.refreshing, after.refreshing) == (False, True)


@pytest.mark.parametrize(
    "effect", [ErrorStatus(200, b""), html(), ErrorStatus(200, b"<Response code='503'/>")]
)
def test_an_unreadable_list_of_libraries_is_an_error(effect: ErrorStatus) -> None:
    """It does not read as "there are no libraries"."""
    with (
        plex_bench(None, Fault("plex.sections", 1, effect, times=None)) as bench,
        pytest.raises(BadResponseError),
    ):
        bench.client.sections()
