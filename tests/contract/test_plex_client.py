"""The Plex client against a simulated server: what it asks, what it believes, what it writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import (
    AuthError,
    BadResponseError,
    LibraryMissingError,
    ServerError,
    TransientError,
    UnsafeError,
)
from plexsync.models import (
    LIST_FIELDS,
    Change,
    ItemKind,
    ItemPlan,
    PlexField,
    Policy,
    RatingKey,
    SceneId,
    Value,
)
from plexsync.plex_client import PlexClient
from plexsync.plex_server import request_headers
from plexsync.simulators.records import PlexMedia, PlexPart
from plexsync.simulators.wire import Cut, Fault, Redirect, Reset, Status, garbage, html
from plexsync.transport import Transport
from tests.contract.plex_bench import CLIENT_ID, make_library, make_video, plex_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from plexsync.models import ItemDetail
    from plexsync.simulators.wire import SimRequest, SimResponse
    from tests.contract.plex_bench import Bench

KEY = RatingKey("1001")
OTHER = RatingKey("1002")


def plan_for(
    detail: ItemDetail, wanted: Mapping[str, Value] = {}, *, lock: bool = True, **more: Value
) -> ItemPlan:
    """A plan that brings the named fields of a freshly read item to these values."""
    changes = tuple(
        Change(
            field=name,
            target=PlexField(name),
            before=detail.values[PlexField(name)],
            after=after,
            policy=Policy.OVERWRITE,
        )
        for name, after in {**wanted, **more}.items()
    )
    item = detail.item
    return ItemPlan(
        scene_id=SceneId("42"),
        rating_key=item.rating_key,
        section_id=item.section_id,
        kind=item.kind,
        path=item.files[0].path,
        lock=lock,
        changes=changes,
    )


def detail_of(bench: Bench, key: RatingKey = KEY) -> ItemDetail:
    """One item, freshly read."""
    (detail,) = bench.client.details([key])
    return detail


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
        bench.client.edit(plan_for(detail, title="New"))

    names = {request.headers.get("X-Plex-Client-Identifier") for request in seen}
    assert names == {CLIENT_ID}
    assert {request.headers.get("X-Plex-Product") for request in seen} == {"plexsync"}
    assert {request.headers.get("X-Plex-Token") for request in seen} == {"owner-token"}
    assert not any("token" in request.target.casefold() for request in seen)


def test_plexapi_adds_no_headers_of_its_own() -> None:
    """It would call us a controller and name this machine."""
    seen: list[SimRequest] = []
    with plex_bench() as bench:
        bench.wired.on_request = seen.append
        bench.client.connect()

    ours = {name.casefold() for name in request_headers(CLIENT_ID, "owner-token")}
    assert {name for name in seen[0].headers if name.startswith("x-plex-")} == ours


def test_plexapi_never_invents_a_device() -> None:
    """Even over a transport that names none: its own name changes from run to run."""
    seen: list[SimRequest] = []
    with plex_bench() as bench:
        bench.wired.on_request = seen.append
        token = {"X-Plex-Token": bench.simulator.token}
        with Transport(bench.transport.base_url, name="Plex", headers=token, secrets=()) as bare:
            PlexClient(bare, url=bare.base_url, client_id="device-1").connect()

    assert seen[0].headers["X-Plex-Client-Identifier"] == "device-1"


def test_a_server_that_is_starting_is_waited_for() -> None:
    """Every path says 503 while Plex migrates its database."""
    with plex_bench() as bench:
        bench.simulator.startup_503(3)

        assert bench.client.connect().identity


def test_a_server_that_does_not_start_is_named() -> None:
    """The person learns what Plex itself said."""
    with plex_bench() as bench:
        bench.simulator.startup_503(100)

        with pytest.raises(TransientError, match="migrations"):
            bench.client.connect()


@pytest.mark.parametrize(
    "effect",
    [
        Status(200, b'<Response code="503" title="Maintenance" status="x"/>'),
        Status(200, b"<MediaContainer/>"),
        Status(200, b""),
        Status(200, b"{}"),
        Status(200, b"<MediaContainer machineIdentifier='"),
        Status(200, b"<MediaContainer machineIdentifier='m' multiuser='perhaps'/>"),
        html(),
        garbage(),
    ],
    ids=["response", "nobody", "empty", "JSON", "cut XML", "no boolean", "web page", "garbage"],
)
def test_what_is_no_plex_server_is_refused(effect: Status) -> None:
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
server_token = stray-token
server_baseurl = http://stray.invalid
[header]
identifier = stray-device
product = stray
[log]
path = {log}
show_secrets = true
"""

_CONNECT_TWICE = """
import json, os, sys
if sys.argv[3] == "first":
    import plexapi.server
before = dict(os.environ)
from plexsync.plex_client import PlexClient
from plexsync.plex_server import request_headers
from plexsync.transport import Transport
token = sys.argv[2]
transport = Transport(
    sys.argv[1], name="Plex", headers=request_headers("device-1", token), secrets=(token,)
)
client = PlexClient(transport, url=sys.argv[1], client_id="device-1")
assert client.connect().identity
assert client.sections(["Scenes"])
assert dict(os.environ) == before, "the environment was left changed"
"""


@pytest.mark.parametrize("imported", ["first", "late"])
def test_stray_plexapi_settings_change_nothing(tmp_path: Path, imported: str) -> None:
    """Neither a configuration file in the home directory nor variables reach the server."""
    log = tmp_path / "plexapi.log"
    config = tmp_path / ".config" / "plexapi" / "config.ini"
    config.parent.mkdir(parents=True)
    # A log file opened at import time is beyond our reach when plexapi came first.
    text = _STRAY.format(log=log) if imported == "late" else _STRAY.replace("path = {log}", "")
    config.write_text(text)
    stray = {
        "HOME": str(tmp_path),
        "PLEXAPI_HEADER_IDENTIFIER": "stray-device",
        "PLEXAPI_LOG_SHOW_SECRETS": "true",
        "PLEXAPI_AUTH_SERVER_TOKEN": "stray-token",
    }
    seen: list[SimRequest] = []
    with plex_bench() as bench:
        bench.wired.on_request = seen.append
        command = [sys.executable, "-c", _CONNECT_TWICE, bench.transport.base_url]
        subprocess.run(  # noqa: S603 - our own interpreter, our own script
            [*command, bench.simulator.token, imported], check=True, env=os.environ | stray
        )

    assert not log.exists()
    assert {request.headers["X-Plex-Client-Identifier"] for request in seen} == {"device-1"}
    assert {request.headers["X-Plex-Token"] for request in seen} == {"owner-token"}
    assert not any("stray" in value for request in seen for value in request.headers.values())


def test_importing_the_client_does_not_import_plexapi() -> None:
    """It costs a fifth of a second, and a run that stops earlier must not pay it."""
    script = "import sys, plexsync.plex_client; sys.exit('plexapi' in sys.modules)"

    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - our own interpreter


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
    "effect", [Status(200, b""), html(), Status(200, b"<Response code='503'/>")]
)
def test_an_unreadable_list_of_libraries_is_an_error(effect: Status) -> None:
    """It does not read as "there are no libraries"."""
    with (
        plex_bench(None, Fault("plex.sections", 1, effect)) as bench,
        pytest.raises(BadResponseError),
    ):
        bench.client.sections()


# ---- Listings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("movies", "page_size", "pages"),
    [(0, 10, 1), (1, 10, 1), (9, 10, 1), (10, 10, 1), (11, 10, 2), (40, 10, 4)],
)
def test_a_listing_costs_one_request_a_page(movies: int, page_size: int, pages: int) -> None:
    """No request to count, none past the end."""
    with plex_bench(make_library(movies), page_size=page_size) as bench:
        section = bench.section()
        bench.spent()

        listing = bench.client.listing(section)

        assert bench.spent() == {"plex.listing": pages}
        assert len(listing.items) == listing.total == movies
        assert [item.rating_key for item in listing.items] == [
            str(1001 + number) for number in range(movies)
        ]


def test_a_show_library_lists_episodes() -> None:
    """Not shows and not seasons, of which there are some too."""
    with plex_bench(make_library(2, 3)) as bench:
        listing = bench.client.listing(bench.section("Shows"))

        assert [item.kind for item in listing.items] == [ItemKind.EPISODE] * 3
        assert {item.section_id for item in listing.items} == {"2"}


def test_smaller_pages_than_asked_for_are_taken() -> None:
    """A server may cap a page; a short page is not the end."""
    with plex_bench(make_library(10)) as bench:
        bench.simulator.switches.page_cap = 3

        assert len(bench.client.listing(bench.section()).items) == 10


def test_a_server_that_insists_on_paging_is_content() -> None:
    """Newer servers say 400 without a container size."""
    with plex_bench() as bench:
        bench.simulator.switches.require_container_size = True

        assert len(bench.client.listing(bench.section()).items) == 5


def test_progress_is_told_after_each_page() -> None:
    """How many of how many."""
    told = []
    with plex_bench(make_library(5), page_size=2) as bench:
        bench.client.listing(
            bench.section(), progress=lambda done, total: told.append((done, total))
        )

    assert told == [(2, 5), (4, 5), (5, 5)]


def _one_more(bench: Bench) -> None:
    bench.simulator.add_item(make_video(99))


def _an_early_one_more(bench: Bench) -> None:
    bench.simulator.add_item(make_video(0, added_at=1))


def _one_less(bench: Bench) -> None:
    bench.simulator.remove_item(KEY)


@pytest.mark.parametrize("happens", [_one_more, _an_early_one_more, _one_less])
def test_a_library_that_changes_while_it_is_listed_is_listed_anew(
    happens: Callable[[Bench], None],
) -> None:
    """What comes out is the library as it is at the end, each item once."""
    with plex_bench(make_library(7), page_size=3) as bench:
        section = bench.section()
        bench.simulator.before("plex.listing", 2, lambda: happens(bench))

        listing = bench.client.listing(section)

        assert sorted(item.rating_key for item in listing.items) == sorted(
            bench.simulator.rating_keys(section=1)
        )


def test_a_library_that_never_stands_still_is_an_error() -> None:
    """After a few attempts; nothing half is returned."""
    with plex_bench(make_library(7), page_size=3) as bench:
        section = bench.section()
        bench.spent()
        for nth in range(1, 20):
            more = partial(bench.simulator.add_item, make_video(100 + nth))
            bench.simulator.before("plex.listing", nth, more)

        with pytest.raises(BadResponseError, match="completely"):
            bench.client.listing(section)

        assert bench.spent()["plex.listing"] < 20


@pytest.mark.parametrize(
    "effect",
    [
        Cut(),
        Reset(),
        Status(503),
        Status(500),
    ],
    ids=["cut", "reset", "503", "500"],
)
def test_a_page_that_fails_once_is_asked_for_again(effect: Cut | Reset | Status) -> None:
    """The listing is whole in the end."""
    fault = Fault("plex.listing", 2, effect)
    with plex_bench(make_library(7), fault, page_size=3) as bench:
        assert len(bench.client.listing(bench.section()).items) == 7


@pytest.mark.parametrize(
    "effect",
    [
        Status(503),
        Reset(),
        html(),
        garbage(),
        Status(404),
        garbage(b'{"MediaContainer": {"size": 0, "totalSize": 7, "offset": 3}}'),
        garbage(b'{"MediaContainer": {"size": 0, "totalSize": 0, "offset": 3}}'),
        garbage(b'{"MediaContainer": {"size": 0}}'),
        garbage(b'{"MediaContainer": {"size": 0, "totalSize": 7, "offset": 0}}'),
    ],
    ids=[
        "503",
        "reset",
        "web page",
        "garbage",
        "404",
        "empty before the end",
        "suddenly empty",
        "no total",
        "wrong page",
    ],
)
def test_a_page_that_keeps_failing_is_an_error(effect: Status | Reset) -> None:
    """A listing that cannot be completed never comes back shorter."""
    fault = Fault("plex.listing", 2, effect, times=None)
    with plex_bench(make_library(7), fault, page_size=3) as bench, pytest.raises(ServerError):
        bench.client.listing(bench.section())


def test_an_item_that_comes_twice_is_no_two_items() -> None:
    """Pages that repeat an item do not make a library whole."""
    entry = {"ratingKey": "1", "type": "movie"}
    body = {"MediaContainer": {"size": 2, "totalSize": 2, "Metadata": [entry, entry]}}
    fault = Fault("plex.listing", 1, garbage(json.dumps(body).encode()), times=None)
    with (
        plex_bench(None, fault) as bench,
        pytest.raises(BadResponseError, match="1 came, 2 are counted"),
    ):
        bench.client.listing(bench.section())


def test_only_changed_items_are_listed_on_request() -> None:
    """Later than the given second."""
    with plex_bench(make_library(5)) as bench:
        section = bench.section()
        newest = max(item.updated_at for item in bench.client.listing(section).items)
        bench.simulator.edit_by_hand(KEY, {"title": "changed"})

        listing = bench.client.listing(section, updated_after=newest)

        assert [item.title for item in listing.items] == ["changed"]
        assert listing.filtered


def test_an_ignored_filter_is_noticed() -> None:
    """A server that does not know it answers with the whole library, and 200."""
    entries = [{"ratingKey": str(n), "type": "movie", "updatedAt": n} for n in (5, 6, 7)]
    body = {"MediaContainer": {"size": 3, "totalSize": 3, "Metadata": entries}}
    fault = Fault("plex.listing", 1, garbage(json.dumps(body).encode()))
    with plex_bench(None, fault) as bench:
        listing = bench.client.listing(bench.section(), updated_after=6)

        assert not listing.filtered
        assert len(listing.items) == 3


def test_the_count_includes_the_trash_and_costs_one_request() -> None:
    """As a listing does."""
    with plex_bench(make_library(5)) as bench:
        section = bench.section()
        bench.simulator.trash(KEY)
        bench.spent()

        assert bench.client.count(section) == 5
        assert bench.spent() == {"plex.listing": 1}
        (trashed,) = [item for item in bench.client.listing(section).items if item.trashed]
        assert trashed.rating_key == KEY


def test_a_count_nobody_gives_is_an_error() -> None:
    """It does not read as none."""
    uncounted = garbage(b'{"MediaContainer": {"size": 0}}')
    with plex_bench(None, Fault("plex.listing", 1, uncounted)) as bench:
        section = bench.section()

        with pytest.raises(BadResponseError, match="does not say"):
            bench.client.count(section)


def test_the_item_made_last_comes_with_the_count() -> None:
    """Whatever its times say; an empty library has none."""
    with plex_bench(make_library(5)) as bench:
        section, empty = bench.section(), bench.section("Empty")
        bench.simulator.add_item(make_video(90, added_at=1, updated_at=1))
        bench.spent()

        total, latest = bench.client.latest(section)

        assert (total, latest and latest.rating_key) == (6, "1090")
        assert bench.spent() == {"plex.listing": 1}
        assert bench.client.latest(empty) == (0, None)


def test_listings_leave_out_what_nobody_reads() -> None:
    """Tags, pictures and summaries are most of a listing."""
    video = make_video(1, summary="long " * 500, genres=("G1", "G2"), actors=(("A", ""),))
    with plex_bench(make_library(0, 0, video)) as bench:
        section = bench.section()
        bench.spent()
        bench.client.listing(section)

        assert bench.wired.counters.bytes_out("plex.listing") < 2000


# ---- Details -------------------------------------------------------------------------------------


def test_details_are_full_where_listings_are_cut_short() -> None:
    """All tags, labels and locks, and the section on the item."""
    names = tuple(f"Tag {number:04}" for number in range(1500))
    video = make_video(
        1,
        genres=names,
        labels=("Stash",),
        actors=tuple((name, "") for name in names[:9]),
        locked=frozenset({"title", "genre"}),
        summary="[b]<i>markup & more</i>\nsecond line",
        originally_available_at="2021-06-05",
    )
    with plex_bench(make_library(0, 0, video)) as bench:
        detail = detail_of(bench)

        assert detail.values[PlexField.GENRES] == names
        assert detail.values[PlexField.LABELS] == ("Stash",)
        assert len(detail.values[PlexField.ACTORS]) == 9
        assert detail.values[PlexField.SUMMARY] == "[b]<i>markup & more</i>\nsecond line"
        assert detail.locked == {PlexField.TITLE, PlexField.GENRES}
        assert detail.item == bench.client.listing(bench.section()).items[0]


@pytest.mark.parametrize(("items", "requests_sent"), [(0, 0), (1, 1), (4, 1), (5, 2), (12, 3)])
def test_details_are_read_in_batches(items: int, requests_sent: int) -> None:
    """Several items a request, in the order asked, doubles once."""
    with plex_bench(make_library(12), detail_batch=4) as bench:
        keys = [RatingKey(str(1012 - number)) for number in range(items)]

        details = bench.client.details([*keys, *keys])

        assert [detail.item.rating_key for detail in details] == keys
        assert bench.spent().get("plex.detail", 0) == requests_sent


def test_details_do_not_make_plex_look_at_the_disk() -> None:
    """A plain detail read may refresh local artwork first."""
    with plex_bench() as bench:
        detail_of(bench)

        assert any("skipRefresh=1" in target for target in bench.wired.counters.targets)


def test_items_that_are_gone_are_left_out() -> None:
    """Plex leaves them out of an answer itself."""
    with plex_bench() as bench:
        bench.simulator.remove_item(KEY)

        details = bench.client.details([KEY, OTHER, RatingKey("999999")])

        assert [detail.item.rating_key for detail in details] == [OTHER]


def test_when_all_items_are_gone_there_are_none() -> None:
    """Plex says 404 then."""
    with plex_bench() as bench:
        assert bench.client.details([RatingKey("999998"), RatingKey("999999")]) == ()


def test_one_missing_item_does_not_hide_the_others() -> None:
    """Even on a server that says 404 as soon as any item is missing, which nobody knows."""
    fault = Fault(
        "plex.detail", 1, Status(404), times=None, match=lambda request: "999999" in request.path
    )
    with plex_bench(None, fault) as bench:
        details = bench.client.details([KEY, RatingKey("999999"), OTHER])

        assert [detail.item.rating_key for detail in details] == [KEY, OTHER]


def test_an_empty_container_means_gone() -> None:
    """The other way Plex says that an item is not there."""
    empty = garbage(b'{"MediaContainer": {"size": 0}}')
    with plex_bench(None, Fault("plex.detail", 1, empty)) as bench:
        assert bench.client.details([KEY]) == ()


def test_an_item_nobody_asked_for_is_an_error() -> None:
    """An answer for somebody else would be written to the wrong item."""
    other = garbage(
        b'{"MediaContainer": {"size": 1, "Metadata": [{"ratingKey": "7", "type": "movie"}]}}'
    )
    with (
        plex_bench(None, Fault("plex.detail", 1, other)) as bench,
        pytest.raises(BadResponseError, match="not asked for"),
    ):
        bench.client.details([KEY])


@pytest.mark.parametrize("key", ["", "1,2", "1?x=", "../1", "1\u0661"])
def test_a_key_that_is_none_is_never_sent(key: str) -> None:
    """It could name something else."""
    with plex_bench() as bench:
        with pytest.raises(BadResponseError):
            bench.client.details([RatingKey(key)])
        with pytest.raises(BadResponseError):
            bench.client.hashes([RatingKey(key)])

        assert bench.spent() == {}


# ---- Hashes --------------------------------------------------------------------------------------


def test_hashes_come_by_part() -> None:
    """One request for all; what is not analysed is left out."""
    with plex_bench() as bench:
        bench.simulator.set_hash(OTHER, None)

        hashes = bench.client.hashes([KEY, OTHER, KEY])

        assert hashes == {50_001: 0xABC0000000000001}
        assert bench.spent() == {"plex.tree": 1}


def test_hashes_of_an_item_that_is_gone_are_none() -> None:
    """It is asked for by itself before that is believed."""
    with plex_bench() as bench:
        hashes = bench.client.hashes([KEY, OTHER, RatingKey("999999")])

        assert set(hashes) == {50_001, 50_002}
        assert bench.client.hashes([RatingKey("999999")]) == {}


@pytest.mark.parametrize(
    "effect", [Status(404), Status(400), Status(500), html()], ids=["404", "400", "500", "page"]
)
def test_hashes_come_one_by_one_where_many_are_refused(effect: Status) -> None:
    """A server that knows no list of ids is asked for a list once."""
    listed = Fault("plex.tree", 1, effect, None, lambda request: "," in request.path)
    with plex_bench(None, listed) as bench:
        hashes = bench.client.hashes([KEY, OTHER])
        bench.spent()
        again = bench.client.hashes([KEY, OTHER])

        assert hashes == again == {50_001: 0xABC0000000000001, 50_002: 0xABC0000000000002}
        assert bench.spent() == {"plex.tree": 2}


def test_hashes_of_items_a_tree_leaves_out_are_asked_for() -> None:
    """A server that answers for the first of many only does not make the others unanalysed."""
    with plex_bench() as bench:
        first = bench.simulator.handle

        def answer_first_only(request: SimRequest) -> SimResponse:
            return first(replace(request, path=re.sub(",[0-9,]+", "", request.path)))

        bench.simulator.handle = answer_first_only  # type: ignore[method-assign] # another server
        hashes = bench.client.hashes([KEY, OTHER])

        assert set(hashes) == {50_001, 50_002}


# ---- Edits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("replace_tags", [False, True], ids=["append", "replace"])
def test_an_edit_ends_right_whether_tags_are_added_or_replaced(replace_tags: bool) -> None:  # noqa: FBT001 - a table of two
    """One PUT, and the item says what was wanted, with locks."""
    video = make_video(
        1,
        genres=("Old", "Kept", "C, d", "50% & more"),
        labels=("L",),
        collections=("All",),
        actors=(("Ann", ""),),
        tagline="t",
    )
    wanted: dict[str, Value] = {
        "title": "A [bold]new[/bold] <b>title</b> & more, 100%",
        "summary": "first\nsecond 😀",
        "date": "2021-06-05",
        "studio": "Example Films",
        "tagline": "",
        "genres": ("kept", "New, with comma", "Ünïcode / slash"),
        "actors": ("Bo", "Ann"),
        "labels": (),
        "collections": ("All", "More"),
        "directors": ("Dee",),
    }
    with plex_bench(make_library(0, 0, video, make_video(2))) as bench:
        bench.simulator.switches.replace_tags = replace_tags
        untouched = detail_of(bench, OTHER)
        plan = plan_for(detail_of(bench), wanted)
        bench.client.connect()
        bench.spent()

        bench.client.edit(plan)

        assert bench.spent() == {"plex.put": 1}
        assert bench.transport.writes == 1
        after = detail_of(bench)
        for name, value in wanted.items():
            field = PlexField(name)
            if field in LIST_FIELDS:
                assert {one.casefold() for one in after.values[field]} == {
                    one.casefold() for one in value
                }
            else:
                assert after.values[field] == value
        assert after.locked == {PlexField(name) for name in wanted}
        assert detail_of(bench, OTHER) == untouched


def test_an_edit_survives_the_agent() -> None:
    """That is what locks are for."""
    with plex_bench() as bench:
        bench.client.edit(plan_for(detail_of(bench), title="Ours"))
        bench.simulator.agent_refresh(KEY, {"title": "theirs", "studio": "theirs"})

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.STUDIO]) == ("Ours", "theirs")


def test_locks_can_be_put_back() -> None:
    """What an undo does: the old value and the old lock."""
    with plex_bench() as bench:
        before = detail_of(bench)
        bench.client.edit(plan_for(before, title="Ours", studio="S"))
        now = detail_of(bench)

        bench.client.edit(
            plan_for(now, title="scene 1", studio="", lock=False),
            locks={PlexField.TITLE: False, PlexField.STUDIO: False},
        )

        after = detail_of(bench)
        assert (after.values, after.locked) == (before.values, before.locked)


def test_episodes_are_edited_as_episodes() -> None:
    """The type must fit, or nothing happens and Plex says 200."""
    with plex_bench(make_library(0, 2)) as bench:
        key = RatingKey("9001")
        bench.client.edit(plan_for(detail_of(bench, key), title="New"))

        assert detail_of(bench, key).values[PlexField.TITLE] == "New"


def test_control_characters_never_reach_plex() -> None:
    """They would make its listings unparsable for everybody."""
    with plex_bench() as bench:
        bench.client.edit(plan_for(detail_of(bench), title="a\x00b\x1bc", genres=("x\x07y",)))

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.GENRES]) == ("abc", ("xy",))


def test_a_plan_of_nothing_writes_nothing() -> None:
    """Not even an empty PUT."""
    with plex_bench() as bench:
        bench.client.edit(plan_for(detail_of(bench)))

        assert bench.transport.writes == 0


def test_an_edit_without_an_id_is_never_sent() -> None:
    """It would change the whole library."""
    with plex_bench() as bench:
        plan = plan_for(detail_of(bench), title="All of you")
        broken = ItemPlan(
            scene_id=plan.scene_id,
            rating_key=RatingKey(""),
            section_id=plan.section_id,
            kind=plan.kind,
            path=plan.path,
            lock=True,
            changes=plan.changes,
        )

        with pytest.raises(UnsafeError):
            bench.client.edit(broken)

        assert bench.transport.writes == 0


def test_a_token_that_may_not_edit_is_told_so() -> None:
    """Shared users can list and not write."""
    with plex_bench(token="guest-token") as bench:
        plan = plan_for(detail_of(bench), title="x")

        with pytest.raises(AuthError) as caught:
            bench.client.edit(plan)

        assert "owns the server" in caught.value.hint
        assert bench.transport.writes == 1


@pytest.mark.parametrize("status", [400, 414, 431])
def test_a_refused_long_edit_goes_out_field_by_field(status: int) -> None:
    """Proxies have other limits than ours."""
    fault = Fault("plex.put", 1, Status(status))
    with plex_bench(None, fault) as bench:
        bench.client.edit(plan_for(detail_of(bench), title="T", studio="S", genres=("G",)))

        values = detail_of(bench).values
        assert values[PlexField.TITLE] == "T"
        assert values[PlexField.STUDIO] == "S"
        assert values[PlexField.GENRES] == ("G",)
        assert bench.spent()["plex.put"] == 4


def test_several_items_are_edited_in_one_request() -> None:
    """What is new goes to all of them, what each has besides stays."""
    mine = make_video(1, genres=("a", "Old"))
    yours = make_video(2, genres=("Old", "b", "c, d"))
    with plex_bench(make_library(0, 0, mine, yours)) as bench:
        details = bench.client.details([KEY, OTHER])
        plans = [
            plan_for(details[0], genres=("a", "New"), title="One"),
            plan_for(details[1], genres=("New", "b", "c, d"), title="One"),
        ]

        bench.client.edit_alike(plans, appended=LIST_FIELDS)

        assert bench.spent()["plex.put"] == 1
        genres = [detail.values[PlexField.GENRES] for detail in bench.client.details([KEY, OTHER])]
        assert genres == [("a", "New"), ("b", "c, d", "New")]
        assert detail_of(bench, OTHER).values[PlexField.TITLE] == "One"
        assert bench.simulator.misdeeds.total == 0


def test_items_that_need_different_edits_are_never_edited_together() -> None:
    """Whole lists differ; so do other items' titles, sections, and ratings."""
    mine, yours = make_video(1, genres=("a",)), make_video(2, genres=("b",))
    with plex_bench(make_library(0, 1, mine, yours)) as bench:
        details = bench.client.details([KEY, OTHER, RatingKey("9001")])
        lists = [
            plan_for(detail, genres=(f"{number}", "New"))
            for number, detail in enumerate(details[:2])
        ]
        titles = [plan_for(details[0], title="x"), plan_for(details[1], title="y")]
        kinds = [plan_for(details[0], title="x"), plan_for(details[2], title="x")]
        rated = [plan_for(detail, rating="8") for detail in details[:2]]

        for plans in (lists, titles, kinds, rated):
            with pytest.raises(UnsafeError):
                bench.client.edit_alike(plans)

        assert bench.transport.writes == 0


def test_a_rating_is_given_and_taken_away() -> None:
    """Through its own door, after the other fields; it moves no lock."""
    with plex_bench() as bench:
        bench.client.edit(plan_for(detail_of(bench), title="T", rating="7"))
        rated = detail_of(bench)
        assert rated.values[PlexField.RATING] == "7"
        assert rated.locked == frozenset({PlexField.TITLE})

        bench.client.edit(plan_for(rated, rating=""))
        assert detail_of(bench).values[PlexField.RATING] == ""


def test_a_long_edit_is_spread_before_a_proxy_refuses_it() -> None:
    """A summary of 2,000 CJK characters is 18 KB of address."""
    with plex_bench() as bench:
        bench.simulator.switches.url_limit = 20_000
        summary = "漢" * 2000
        bench.client.edit(plan_for(detail_of(bench), title="漢" * 300, summary=summary))

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.SUMMARY]) == ("漢" * 300, summary)
        assert bench.spent()["plex.put"] == 2


def test_a_field_too_long_for_the_server_is_an_error() -> None:
    """Cutting it would be wrong silently."""
    with plex_bench() as bench:
        bench.simulator.switches.url_limit = 8_000
        plan = plan_for(detail_of(bench), summary="漢" * 2000)

        with pytest.raises(BadResponseError, match="414"):
            bench.client.edit(plan)

        assert detail_of(bench).values[PlexField.SUMMARY] == ""


@pytest.mark.parametrize(
    "effect",
    [Reset(applied=True), Status(503), Status(502, applied=True), Reset()],
    ids=["reply lost", "busy", "proxy failed after the write", "not arrived"],
)
def test_a_lost_edit_is_repeated(effect: Reset | Status) -> None:
    """The same PUT twice leaves the item as once."""
    video = make_video(1, genres=("Old",))
    with plex_bench(make_library(0, 0, video), Fault("plex.put", 1, effect)) as bench:
        bench.client.edit(plan_for(detail_of(bench), title="New", genres=("G",)))

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.GENRES]) == ("New", ("G",))


def test_a_redirected_edit_is_an_error_and_not_a_get() -> None:
    """Followed, it would look like a success and change nothing."""
    fault = Fault("plex.put", 1, Redirect("/elsewhere"), times=None)
    with plex_bench(None, fault) as bench:
        plan = plan_for(detail_of(bench), title="New")

        with pytest.raises(BadResponseError, match="redirect"):
            bench.client.edit(plan)


# ---- Addresses -----------------------------------------------------------------------------------


def test_the_address_of_an_item_opens_in_the_servers_web_app() -> None:
    """Known once the server has said who it is."""
    with plex_bench() as bench:
        assert bench.client.item_url(KEY) == ""
        bench.client.connect()

        assert bench.client.item_url(KEY) == (
            f"{bench.transport.base_url}/web/index.html#!/server/"
            f"{bench.simulator.identity.machine}/details?key=%2Flibrary%2Fmetadata%2F1001"
        )


def test_headers_without_a_token_hold_none() -> None:
    """A server that trusts the network needs none."""
    assert "X-Plex-Token" not in request_headers(CLIENT_ID)


def test_optimised_versions_and_stacks_are_told_apart() -> None:
    """What is listed is what a file on disk is."""
    parts = tuple(PlexPart(70 + n, f"/media/scenes/cd{n}.avi", 10, 1000) for n in (1, 2))
    small = PlexPart(80, "/media/scenes/Plex Versions/small.mp4", 5, 2000)
    video = make_video(1, media=(PlexMedia(7, parts, 2000), PlexMedia(8, (small,), optimized=True)))
    with plex_bench(make_library(0, 0, video)) as bench:
        (item,) = bench.client.listing(bench.section()).items

        assert [(file.path, file.stacked) for file in item.files] == [
            ("/media/scenes/cd1.avi", True),
            ("/media/scenes/cd2.avi", True),
        ]
