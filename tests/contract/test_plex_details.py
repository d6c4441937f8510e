"""The Plex client reads items and content hashes of a simulated server in full."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from plexsync.errors import BadResponseError
from plexsync.models import PlexField, PlexItem, RatingKey
from plexsync.plex.hash_cache import HashCache
from plexsync.simulators.http.wire import ErrorStatus, Fault, garbage, html
from tests.support.plex_bench import (
    KEY,
    Bench,
    detail_of,
    make_library,
    make_video,
    plex_bench,
)

if TYPE_CHECKING:
    from plexsync.simulators.http.wire import SimRequest, SimResponse

OTHER = RatingKey("1002")


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
        "plex.detail",
        1,
        ErrorStatus(404),
        times=None,
        match=lambda request: "999999" in request.path,
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


def hash_cache(bench: Bench) -> HashCache:
    """What asks for hashes, with nothing known yet and nothing kept."""
    return HashCache(ask=bench.client.hashes, server="", directory=None)


def items_of(bench: Bench, *keys: RatingKey) -> list[PlexItem]:
    """Items as Plex has them."""
    return [detail.item for detail in bench.client.details(keys)]


def with_other_content(item: PlexItem) -> PlexItem:
    """The same item with files that changed."""
    files = (msgspec.structs.replace(one, changed_at=one.changed_at + 1) for one in item.files)
    return msgspec.structs.replace(item, files=tuple(files))


def test_hashes_come_by_part() -> None:
    """One request for all; what is not analysed is left out."""
    with plex_bench() as bench:
        bench.simulator.set_hash(OTHER, None)

        hashes = bench.client.hashes([KEY, OTHER])

        assert hashes == {KEY: {50_001: 0xABC0000000000001}, OTHER: {}}
        assert bench.spent() == {"plex.tree": 1}


def test_hashes_of_an_item_that_is_gone_are_none() -> None:
    """It is not among the items of the answer, and alone it is no error."""
    with plex_bench() as bench:
        hashes = bench.client.hashes([KEY, OTHER, RatingKey("999999")])

        assert set(hashes) == {KEY, OTHER}
        assert bench.client.hashes([RatingKey("999999")]) == {}


@pytest.mark.parametrize(
    "effect",
    [ErrorStatus(404), ErrorStatus(400), ErrorStatus(500), html()],
    ids=["404", "400", "500", "page"],
)
def test_hashes_come_one_by_one_where_many_are_refused(effect: ErrorStatus) -> None:
    """A server that knows no list of ids is asked for a list once."""
    listed = Fault("plex.tree", 1, effect, None, lambda request: "," in request.path)
    with plex_bench(None, listed) as bench:
        cache, items = hash_cache(bench), items_of(bench, KEY, OTHER)
        hashes = cache.read(items)
        bench.spent()
        again = cache.read([with_other_content(one) for one in items])

        assert hashes == again == {50_001: 0xABC0000000000001, 50_002: 0xABC0000000000002}
        assert bench.spent() == {"plex.tree": 2}


def test_hashes_of_items_a_tree_leaves_out_are_asked_for() -> None:
    """A server that answers for the first of many only does not make the others unanalysed."""
    with plex_bench() as bench:
        first = bench.simulator.handle

        def answer_first_only(request: SimRequest) -> SimResponse:
            return first(replace(request, path=re.sub(",[0-9,]+", "", request.path)))

        items = items_of(bench, KEY, OTHER)
        bench.simulator.handle = answer_first_only  # type: ignore[method-assign] # another server
        hashes = hash_cache(bench).read(items)

        assert set(hashes) == {50_001, 50_002}
