"""The Plex client lists libraries of a simulated server, whole or not at all."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import BadResponseError, ServerError
from plexsync.models import ItemKind, RatingKey
from plexsync.simulators.http.wire import Cut, ErrorStatus, Fault, Reset, garbage, html
from tests.support.plex_bench import KEY, make_library, make_video, plex_bench

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.plex_bench import Bench

OTHER = RatingKey("1002")


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


def test_progress_is_reported_after_each_page() -> None:
    """How many of how many."""
    reported = []
    with plex_bench(make_library(5), page_size=2) as bench:
        bench.client.listing(
            bench.section(), progress=lambda done, total: reported.append((done, total))
        )

    assert reported == [(2, 5), (4, 5), (5, 5)]


def _one_more(bench: Bench) -> None:
    bench.simulator.add_item(make_video(99))


def _an_early_one_more(bench: Bench) -> None:
    bench.simulator.add_item(make_video(0, added_at=1))


def _one_less(bench: Bench) -> None:
    bench.simulator.remove_item(KEY)


@pytest.mark.parametrize("happens", [_one_more, _an_early_one_more, _one_less])
def test_a_library_that_changes_while_it_is_listed_is_listed_again(
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
        ErrorStatus(503),
        ErrorStatus(500),
    ],
    ids=["cut", "reset", "503", "500"],
)
def test_a_page_that_fails_once_is_asked_for_again(effect: Cut | Reset | ErrorStatus) -> None:
    """The listing is whole in the end."""
    fault = Fault("plex.listing", 2, effect)
    with plex_bench(make_library(7), fault, page_size=3) as bench:
        assert len(bench.client.listing(bench.section()).items) == 7


@pytest.mark.parametrize(
    "effect",
    [
        ErrorStatus(503),
        Reset(),
        html(),
        garbage(),
        ErrorStatus(404),
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
def test_a_page_that_keeps_failing_is_an_error(effect: ErrorStatus | Reset) -> None:
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
    """It does not read as none, and the library is named."""
    uncounted = garbage(b'{"MediaContainer": {"size": 0}}')
    with plex_bench(None, Fault("plex.listing", 1, uncounted)) as bench:
        section = bench.section()
        wanted = f"does not say how many items {section.title!r}"

        with pytest.raises(BadResponseError, match=wanted):
            bench.client.count(section)


def test_the_items_made_last_come_with_the_count() -> None:
    """Whatever their times say; an empty library has none."""
    with plex_bench(make_library(5)) as bench:
        section, empty = bench.section(), bench.section("Empty")
        bench.simulator.add_item(make_video(90, added_at=1, updated_at=1))
        bench.spent()

        total, newest = bench.client.newest(section)

        assert total == 6
        keys = [int(item.rating_key) for item in newest]
        assert keys == [1090, 1005, 1004, 1003, 1002, 1001]
        assert bench.spent() == {"plex.listing": 1}
        assert bench.client.newest(empty) == (0, ())


def test_listings_leave_out_what_nobody_reads() -> None:
    """Tags, pictures and summaries are most of a listing."""
    video = make_video(1, summary="long " * 500, genres=("G1", "G2"), actors=(("A", ""),))
    with plex_bench(make_library(0, 0, video)) as bench:
        section = bench.section()
        bench.spent()
        bench.client.listing(section)

        assert bench.wired.counters.bytes_out("plex.listing") < 2000
