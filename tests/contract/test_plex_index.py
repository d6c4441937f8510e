"""The cached list of Plex's items: what it costs, when it is believed, when it is thrown away."""

from __future__ import annotations

import stat
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ServerError
from plexsync.plex.index import MAX_AGE, How, Index, IndexLoader, cached_items, cached_libraries
from plexsync.simulators.http.wire import ErrorStatus, Fault
from tests.support.plex_bench import BASE_EPOCH, make_library, make_video, plex_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from plexsync.models import PlexItem
    from plexsync.simulators.http.wire import SimRequest, SimResponse
    from tests.support.plex_bench import Bench

NOW = datetime.fromtimestamp(BASE_EPOCH, UTC) + timedelta(days=1)
UNCHANGED: dict[str, int] = {}


def load(
    bench: Bench,
    cache_dir: Path | None,
    *,
    names: Sequence[str] = ("Scenes",),
    now: datetime = NOW,
    machine: str = "machine-1",
    write: bool = True,
    force: bool = False,
) -> Index:
    """Load the index; `bench.spent()` afterwards counts the requests beyond the sections."""
    sections = bench.client.sections(names)
    bench.spent()
    return IndexLoader(
        client=bench.client,
        cache_dir=cache_dir,
        machine=machine,
        now=now,
        write=write,
        force=force,
    ).load(sections)


def by_key(items: Sequence[PlexItem]) -> dict[str, PlexItem]:
    """The items; their order is no promise."""
    return {item.rating_key: item for item in items}


def assert_true(bench: Bench, index: Index) -> None:
    """The index says what a full listing would say."""
    listed = bench.client.listing(bench.section()).items
    assert by_key(index.items) == by_key(listed)
    assert len(index.items) == len(listed)


def the_file(cache_dir: Path) -> Path:
    """The one list that was kept."""
    (path,) = cache_dir.iterdir()
    return path


# ---- What it costs -------------------------------------------------------------------------------


def test_a_cold_cache_costs_a_listing(tmp_path: Path) -> None:
    """As many requests as pages."""
    with plex_bench(make_library(25), page_size=10) as bench:
        index = load(bench, tmp_path / "cache")

        assert bench.spent() == {"plex.listing": 3}
        assert (index.how, index.problem) == (How.LISTED, "")
        assert_true(bench, index)


def test_an_unchanged_library_costs_nothing(tmp_path: Path) -> None:
    """And is the same list, item by item."""
    with plex_bench(make_library(25, 4), page_size=10) as bench:
        cold = load(bench, tmp_path, names=())
        warm = load(bench, tmp_path, names=())

        assert bench.spent() == UNCHANGED
        assert (warm.how, warm.items, warm.edition) == (How.CACHED, tuple(cold.items), cold.edition)
        assert warm.before == (cold.edition, tuple(cold.items))


def test_few_changes_cost_two_requests(tmp_path: Path) -> None:
    """The changed items, and a count that tells of vanished ones."""
    with plex_bench(make_library(25), page_size=10) as bench:
        load(bench, tmp_path)
        bench.simulator.edit_by_hand("1003", {"title": "by hand"})
        bench.simulator.add_item(make_video(90, updated_at=BASE_EPOCH + 5000))
        index = load(bench, tmp_path)

        assert bench.spent() == {"plex.listing": 2}
        assert index.how is How.UPDATED
        assert_true(bench, index)


def test_after_an_update_the_library_is_unchanged_again(tmp_path: Path) -> None:
    """The update is kept too."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        bench.simulator.edit_by_hand("1003", {"title": "by hand"})
        updated = load(bench, tmp_path)
        again = load(bench, tmp_path)

        assert bench.spent() == UNCHANGED
        assert (again.how, again.items) == (How.CACHED, updated.items)


def test_a_list_tells_what_lay_in_the_cache_before(tmp_path: Path) -> None:
    """Whichever way it was had, so that nobody needs to remember it; nothing lay there at first."""
    with plex_bench() as bench:
        first = load(bench, tmp_path)
        assert first.before is None
        bench.simulator.edit_by_hand("1003", {"title": "by hand"})
        updated = load(bench, tmp_path)
        assert updated.before == (first.edition, tuple(first.items))
        assert updated.edition != first.edition
        listed = load(bench, tmp_path, force=True)
        assert listed.before == (updated.edition, updated.items)


def test_only_the_library_that_changed_is_asked(tmp_path: Path) -> None:
    """Each library has a list of its own."""
    with plex_bench(make_library(25, 25), page_size=10) as bench:
        load(bench, tmp_path, names=())
        bench.simulator.edit_by_hand("1003", {"title": "by hand"})
        index = load(bench, tmp_path, names=())

        assert bench.spent() == {"plex.listing": 2}
        assert index.how is How.UPDATED
        assert len(index.items) == 50


def test_two_changes_in_one_second_are_both_seen(tmp_path: Path) -> None:
    """The filter is "later than", so it starts one second early."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        bench.simulator.add_item(make_video(90, updated_at=BASE_EPOCH + 5))
        index = load(bench, tmp_path)

        assert index.how is How.UPDATED
        assert_true(bench, index)


# ---- Doubt ---------------------------------------------------------------------------------------


def _remove(bench: Bench) -> None:
    bench.simulator.remove_item("1002")


def _move_and_empty_trash(bench: Bench) -> None:
    bench.simulator.move_file("1002", "/media/scenes/elsewhere.mp4")
    bench.simulator.empty_trash()


def _add_with_an_old_time(bench: Bench) -> None:
    bench.simulator.add_item(make_video(90, updated_at=5))


def _swap(bench: Bench) -> None:
    bench.simulator.remove_item("1002")
    bench.simulator.add_item(make_video(90, updated_at=BASE_EPOCH + 5000))


def _swap_under_others(bench: Bench) -> None:
    bench.simulator.remove_item("1002")
    bench.simulator.add_item(make_video(90, updated_at=5))
    for number in range(91, 100):
        bench.simulator.add_item(make_video(number, updated_at=BASE_EPOCH + 5000))


@pytest.mark.parametrize(
    "happens", [_remove, _move_and_empty_trash, _add_with_an_old_time, _swap, _swap_under_others]
)
def test_what_does_not_add_up_is_listed_again(
    tmp_path: Path, happens: Callable[[Bench], None]
) -> None:
    """Vanished items show in the count alone, some new ones in the last rating keys alone."""
    with plex_bench(make_library(5), page_size=10) as bench:
        load(bench, tmp_path)
        happens(bench)
        index = load(bench, tmp_path)

        assert index.how is How.LISTED
        assert bench.spent() == {"plex.listing": 2 + pages(index)}
        assert_true(bench, index)


def pages(index: Index) -> int:
    """How many pages of ten a library fills."""
    return -(-len(index.items) // 10)


def test_a_moved_file_is_found_under_its_new_key(tmp_path: Path) -> None:
    """The old item stays, in the trash."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        new = bench.simulator.move_file("1002", "/media/scenes/elsewhere.mp4")
        index = load(bench, tmp_path)

        assert by_key(index.items)[new].files[0].path == "/media/scenes/elsewhere.mp4"
        assert by_key(index.items)["1002"].trashed
        assert_true(bench, index)


@pytest.mark.parametrize(
    ("moves", "filters", "how"),
    [(True, True, How.UPDATED), (False, True, How.UPDATED), (False, False, How.UPDATED)],
    ids=["trash is a change", "trash is none", "nor is there a filter"],
)
def test_a_moved_file_is_found_however_plex_treats_its_trash(
    tmp_path: Path,
    moves: bool,
    filters: bool,
    how: How,
) -> None:
    """Whether the update time of what went to the trash moves is not known of real servers."""
    with plex_bench(make_library(25), page_size=10) as bench:
        bench.simulator.switches.trash_moves_updated_at = moves
        bench.simulator.switches.trash_filter = filters
        load(bench, tmp_path)
        new = bench.simulator.move_file("1002", "/media/scenes/elsewhere.mp4")
        index = load(bench, tmp_path)

        assert index.how is how
        assert by_key(index.items)[new].files[0].path == "/media/scenes/elsewhere.mp4"
        assert by_key(index.items)["1002"].trashed
        assert_true(bench, index)


def test_an_ignored_filter_makes_a_full_list(tmp_path: Path) -> None:
    """What came is the whole library, so it is taken as that, at no further cost."""
    with plex_bench(make_library(25), page_size=10) as bench:
        load(bench, tmp_path)
        bench.simulator.edit_by_hand("1003", {"title": "by hand"})
        bench.wired.simulator = _Deaf(bench)
        index = load(bench, tmp_path)

        assert bench.spent() == {"plex.listing": 4}
        assert_true(bench, index)


class _Deaf:
    """The same server, which does not know the filter `updatedAt>>`."""

    def __init__(self, bench: Bench) -> None:
        self.simulator = bench.simulator

    def kind(self, request: SimRequest) -> str:
        """As always."""
        return self.simulator.kind(request)

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer as if the filter was not there."""
        query = tuple(pair for pair in request.query if ">>" not in pair[0])
        return self.simulator.handle(replace(request, query=query))


def test_a_time_in_the_future_does_not_hide_later_changes(tmp_path: Path) -> None:
    """One item with a broken clock must not become the newest for years."""
    broken = make_video(90, updated_at=4_000_000_000)
    with plex_bench(make_library(5, 0, broken)) as bench:
        bench.simulator.remove_item("1005")
        load(bench, tmp_path)
        bench.simulator.add_item(make_video(91, updated_at=BASE_EPOCH + 100))
        index = load(bench, tmp_path)

        assert index.how is How.UPDATED
        assert_true(bench, index)


def test_while_plex_scans_the_list_is_looked_over(tmp_path: Path) -> None:
    """Counters may move only when the scan ends."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        bench.simulator.set_refreshing(1, refreshing=True)

        assert load(bench, tmp_path).how is How.UPDATED


def test_changes_that_cancel_out_during_a_listing_are_found_next_time(tmp_path: Path) -> None:
    """One item vanishes from a page that was read, another appears there."""
    with plex_bench(make_library(7), page_size=3) as bench:

        def swap() -> None:
            bench.simulator.remove_item("1001")
            bench.simulator.add_item(make_video(0, added_at=1, updated_at=BASE_EPOCH + 500))

        bench.simulator.before("plex.listing", 2, swap)
        load(bench, tmp_path)
        index = load(bench, tmp_path)

        assert_true(bench, index)


@pytest.mark.parametrize(
    ("age", "how"),
    [
        (timedelta(0), How.CACHED),
        (MAX_AGE - timedelta(seconds=1), How.CACHED),
        (MAX_AGE, How.LISTED),
        (timedelta(hours=-1), How.LISTED),
    ],
    ids=["fresh", "nearly too old", "too old", "from the future"],
)
def test_counters_are_trusted_for_a_while_only(tmp_path: Path, age: timedelta, how: How) -> None:
    """What bumps them is not documented."""
    with plex_bench() as bench:
        load(bench, tmp_path)

        assert load(bench, tmp_path, now=NOW + age).how is how


def test_updates_do_not_make_a_list_younger(tmp_path: Path) -> None:
    """A list that is brought up to date every day is still read as a whole once a week."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        bench.simulator.edit_by_hand("1003", {"title": "by hand"})
        assert load(bench, tmp_path, now=NOW + timedelta(days=5)).how is How.UPDATED

        assert load(bench, tmp_path, now=NOW + timedelta(days=8)).how is How.LISTED


def test_a_forced_load_lists_everything(tmp_path: Path) -> None:
    """Whatever the cache says; and keeps the new list."""
    with plex_bench() as bench:
        load(bench, tmp_path)

        assert load(bench, tmp_path, force=True).how is How.LISTED
        assert load(bench, tmp_path).how is How.CACHED


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
def test_a_failing_server_is_an_error_and_keeps_the_old_list(tmp_path: Path, cold: bool) -> None:
    """No list is better than a wrong one."""
    with plex_bench() as bench:
        if not cold:
            load(bench, tmp_path)
        kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        bench.simulator.edit_by_hand("1003", {"title": "by hand"})
        bench.wired.faults.add(Fault("plex.listing", 1, ErrorStatus(503), times=None))

        with pytest.raises(ServerError):
            load(bench, tmp_path)

        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


# ---- On disk -------------------------------------------------------------------------------------


def test_without_a_cache_directory_everything_is_listed() -> None:
    """And nothing is kept."""
    with plex_bench() as bench:
        assert load(bench, None).how is How.LISTED
        assert load(bench, None).how is How.LISTED


def test_without_leave_to_write_nothing_is_kept(tmp_path: Path) -> None:
    """Reading is still allowed."""
    with plex_bench() as bench:
        load(bench, tmp_path / "cache", write=False)

        assert not (tmp_path / "cache").exists()


def test_a_list_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Titles and paths are nobody else's business; nothing temporary stays."""
    with plex_bench() as bench:
        load(bench, tmp_path / "deep" / "cache")

        path = the_file(tmp_path / "deep" / "cache")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def _cut(content: bytes) -> bytes:
    return content[:-10]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _flip,
        lambda _: b"",
        lambda _: b"plexsync-index\n",
        lambda _: b"{}",
        lambda content: b"\x00" * len(content),
        lambda content: content + b"\x00",
    ],
    ids=["cut", "flipped bit", "empty", "only a head", "another file", "zeros", "longer"],
)
def test_a_damaged_list_is_made_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Silently: the cache is never the only copy."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        path = the_file(tmp_path)
        path.write_bytes(damage(path.read_bytes()))

        assert load(bench, tmp_path).how is How.LISTED
        assert load(bench, tmp_path).how is How.CACHED


def test_a_list_of_another_server_is_not_looked_at(tmp_path: Path) -> None:
    """Two servers may number their libraries alike; a copied file does not deceive."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        mine = the_file(tmp_path)
        assert load(bench, tmp_path, machine="machine-2").how is How.LISTED
        (other,) = set(tmp_path.iterdir()) - {mine}
        other.write_bytes(mine.read_bytes())

        assert load(bench, tmp_path, machine="machine-2").how is How.LISTED


def test_a_list_of_another_version_is_made_again(tmp_path: Path) -> None:
    """A record with other fields must not be read as one of ours."""
    with plex_bench() as bench:
        load(bench, tmp_path)
        path = the_file(tmp_path)
        head = len(b"plexsync-index\n")
        content = path.read_bytes()[head + 4 :].replace(b"rating_key,", b"rating_kex,")
        path.write_bytes(b"plexsync-index\n" + zlib.crc32(content).to_bytes(4, "big") + content)

        assert load(bench, tmp_path).how is How.LISTED


def test_a_cache_that_cannot_be_written_is_reported_and_not_fatal(tmp_path: Path) -> None:
    """A run does not need its cache."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with plex_bench() as bench:
        index = load(bench, blocked)

        assert len(index.items) == 5
        assert str(blocked) in index.problem


def test_no_libraries_make_an_empty_index(tmp_path: Path) -> None:
    """Without a request."""
    with plex_bench() as bench:
        bench.client.connect()
        bench.spent()
        index = IndexLoader(client=bench.client, cache_dir=tmp_path, machine="m", now=NOW).load(())

        assert (index.items, index.how, bench.spent()) == ((), How.CACHED, UNCHANGED)


def test_an_empty_library_is_remembered(tmp_path: Path) -> None:
    """Nothing is a list too, and its first item is found."""
    with plex_bench() as bench:
        load(bench, tmp_path, names=["Empty"])
        assert load(bench, tmp_path, names=["Empty"]).how is How.CACHED
        bench.simulator.add_item(make_video(90, section_id=4))
        index = load(bench, tmp_path, names=["Empty"])

        assert (index.how, len(index.items)) == (How.UPDATED, 1)


def test_names_of_libraries_come_from_the_cache(tmp_path: Path) -> None:
    """Without a server, and without those of another one."""
    with plex_bench(make_library(2)) as bench:
        load(bench, tmp_path)
    (named,) = cached_libraries(tmp_path, "machine-1").items()
    assert named[1] == "Scenes"
    assert cached_libraries(tmp_path) == dict([named])
    assert cached_libraries(tmp_path, "machine-2") == {}
    for path in tmp_path.glob("plex-*.index"):
        path.write_bytes(path.read_bytes()[:-1])
    assert cached_libraries(tmp_path) == {}


def test_items_of_an_unknown_server_come_from_the_cache_where_it_is_the_only_one(
    tmp_path: Path,
) -> None:
    """Before the first run has written; with two servers an id may mean either's item."""
    with plex_bench(make_library(2)) as bench:
        load(bench, tmp_path)
        assert len(cached_items(tmp_path, "")) == len(cached_items(tmp_path, "machine-1")) == 2
        load(bench, tmp_path, machine="machine-2")

    assert cached_items(tmp_path, "") == ()
    assert len(cached_items(tmp_path, "machine-2")) == 2
