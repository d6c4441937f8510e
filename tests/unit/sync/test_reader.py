"""Fresh reads of items: how many at once, and what becomes of a read that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import ItemDetail, RatingKey
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.sync.execution.reader import DETAIL_BATCH, Reader
from tests.support.plex_bench import make_library, plex_bench, ports_on

if TYPE_CHECKING:
    from plexsync.simulators.http.wire import SimRequest


def crowded(request: SimRequest) -> bool:
    """Whether a request names more items than a small read does."""
    return request.path.count(",") >= DETAIL_BATCH


def test_a_read_of_many_items_that_is_refused_is_made_in_smaller_ones() -> None:
    """A proxy that takes no long address costs a few requests and no item."""
    keys = [RatingKey(str(1001 + number)) for number in range(120)]
    refusal = Fault("plex.detail", 1, ErrorStatus(414), None, crowded)
    with plex_bench(make_library(120), refusal, detail_batch=250) as bench:
        read = Reader(ports_on(bench.client, bench.transport)).read(keys)

        assert list(read) == keys
        assert all(isinstance(one, ItemDetail) for one in read.values())
        assert bench.spent()["plex.detail"] == 1 + 3


def test_a_read_of_very_many_items_keeps_its_address_short() -> None:
    """What takes addresses at all takes those below 4,096 bytes."""
    keys = [RatingKey(str(10**17 + number)) for number in range(300)]
    with plex_bench(make_library(1), detail_batch=500) as bench:
        assert bench.client.details(keys) == ()
        asked = bench.wired.counters.targets

    assert max(map(len, asked)) < 4096
