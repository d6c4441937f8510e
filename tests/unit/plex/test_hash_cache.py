"""The cache of content hashes: asked once, and never believed for another content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.models import RatingKey
from plexsync.plex.hash_cache import HashCache
from tests.support.factories import make_item, make_plex_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plexsync.models import PlexItem


class Plex:
    """Answers with the hashes it has, for `most` items at once, and remembers what it was asked."""

    def __init__(self, hashes: Mapping[int, int], *, most: int = 100) -> None:
        self.hashes = hashes
        self.asked: list[tuple[str, ...]] = []
        self.most = most

    def ask(self, keys: Sequence[RatingKey]) -> Mapping[str, Mapping[int, int]]:
        """The hashes of everything, whichever items are asked for."""
        self.asked.append(tuple(keys))
        return dict.fromkeys(keys[: self.most], self.hashes)


def item(
    key: str = "9", *, part: int = 1, size: int = 100, changed: int = 5, updated: int = 0
) -> PlexItem:
    """An item with one file."""
    file = make_plex_file(part_id=part, size_bytes=size, changed_at=changed)
    return make_item(rating_key=RatingKey(key), files=(file,), updated_at=updated)


def cache(plex: Plex, directory: Path | None, server: str = "m1") -> HashCache:
    """A cache of what `plex` says."""
    return HashCache(ask=plex.ask, server=server, directory=directory, left=3)


def test_a_hash_is_asked_for_once(tmp_path: Path) -> None:
    """The next run knows it."""
    plex = Plex({1: 7})
    assert cache(plex, tmp_path).read([item()]) == {1: 7}
    assert cache(plex, tmp_path).read([item()]) == {1: 7}
    assert plex.asked == [("9",)]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(item(size=101), id="another size"),
        pytest.param(item(changed=6), id="another change stamp"),
    ],
)
def test_another_content_is_asked_for_again(tmp_path: Path, changed: PlexItem) -> None:
    """A hash is of one content; its part id alone proves nothing."""
    cache(Plex({1: 7}), tmp_path).read([item()])
    later = Plex({1: 8})
    assert cache(later, tmp_path).read([changed]) == {1: 8}


def test_another_server_is_asked_for_itself(tmp_path: Path) -> None:
    """Part ids of two servers have nothing to do with each other."""
    cache(Plex({1: 7}), tmp_path).read([item()])
    assert cache(Plex({1: 8}), tmp_path, server="m2").read([item()]) == {1: 8}


def test_only_unknown_items_are_asked_for(tmp_path: Path) -> None:
    """Cost follows what is new."""
    cache(Plex({1: 7}), tmp_path).read([item()])
    plex = Plex({2: 8})
    both = [item(), item("10", part=2)]
    assert cache(plex, tmp_path).read(both) == {1: 7, 2: 8}
    assert plex.asked == [("10",)]


def test_that_a_file_has_no_hash_is_known_until_plex_changes_the_item(tmp_path: Path) -> None:
    """It is asked for once, and again when Plex may have analysed it."""
    assert cache(Plex({}), tmp_path).read([item()]) == {1: 0}
    plex = Plex({1: 7})
    assert cache(plex, tmp_path).read([item()]) == {1: 0}
    assert plex.asked == []
    assert cache(plex, tmp_path).read([item(updated=1)]) == {1: 7}


def test_the_budget_is_of_requests_and_a_later_run_goes_on(tmp_path: Path) -> None:
    """Many items cost one request, or one each; what was asked for is not asked for again."""
    items = [item(str(n), part=n) for n in range(1, 451)]
    hashes = {n: n + 7 for n in range(1, 451)}
    plex = Plex(hashes)
    assert len(cache(plex, tmp_path).read(items)) == 300
    assert len(cache(plex, tmp_path).read(items)) == 450
    assert [len(keys) for keys in plex.asked] == [100, 100, 100, 100, 50]


def test_a_server_that_answers_for_one_at_a_time_is_asked_less(tmp_path: Path) -> None:
    """A batch that costs a request for each item uses the budget up."""
    plex = Plex(dict.fromkeys(range(1, 301), 7), most=1)
    items = [item(str(n), part=n) for n in range(1, 301)]
    assert len(cache(plex, tmp_path).read(items)) == 100
    assert [len(keys) for keys in plex.asked] == [100, *[1] * 99]


def test_what_an_earlier_run_read_is_known_without_a_request(tmp_path: Path) -> None:
    """Matching begins with all that is known."""
    cache(Plex({1: 7}), tmp_path).read([item()])
    plex = Plex({})
    assert cache(plex, tmp_path).known([item(), item("10", part=2)]) == {1: 7}
    assert plex.asked == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"server":"m1","parts":{"x":1}}'])
def test_a_damaged_cache_is_thrown_away(tmp_path: Path, content: bytes) -> None:
    """It may be deleted at any time, so it may be damaged, too."""
    (tmp_path / "hashes.json").write_bytes(content)
    assert cache(Plex({1: 7}), tmp_path).read([item()]) == {1: 7}


def test_a_cache_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """The hashes are there; only the next run has to ask again."""
    (tmp_path / "file").touch()
    assert cache(Plex({1: 7}), tmp_path / "file").read([item()]) == {1: 7}
    assert cache(Plex({1: 7}), None).read([item()]) == {1: 7}
