"""A part of a long list is ours; what a person made of one is not."""

from __future__ import annotations

import pytest

from plexsync.models import Change, ItemDetail, PlexField, Policy
from plexsync.planning.observed import Rules
from plexsync.planning.write_memory import ONE_REQUEST_BYTES, WriteMemory
from plexsync.plex.edit_query import SHORTEST_BYTES
from tests.support.factories import make_item

STAYS = tuple(f"a tag that stays {n}" for n in range(30))
GONE = tuple(f"a tag that goes {n}" for n in range(30))
NEW = tuple(f"a new tag {n}" for n in range(30))


def change(before: tuple[str, ...], after: tuple[str, ...]) -> Change:
    """Of a locked list."""
    return Change(
        field="tags",
        target=PlexField.GENRES,
        before=before,
        after=after,
        policy=Policy.OVERWRITE,
        locked_before=True,
    )


def on_the_way(one: Change, part: tuple[str, ...], *, locked: bool = True) -> bool:
    """Whether a write comes by `part`."""
    locks = frozenset({one.target} if locked else ())
    item = ItemDetail(item=make_item(), values={one.target: part}, locked=locks)
    return WriteMemory(Rules()).part_on_the_way(one, item) is not None


LONG = change((*GONE, *STAYS), (*STAYS, *NEW))


@pytest.mark.parametrize("count", [1, 17, 30])
def test_new_names_come_in_order_and_then_others_go(count: int) -> None:
    """In whatever order Plex shows them."""
    assert on_the_way(LONG, (*NEW[:count], *STAYS, *GONE))
    assert on_the_way(LONG, (*GONE[count:], *NEW, *STAYS))


@pytest.mark.parametrize(
    "part",
    [
        pytest.param((*GONE, *STAYS, *NEW[1:]), id="new-one-taken-out"),
        pytest.param((*GONE, *STAYS[1:], *NEW), id="old-one-taken-out"),
        pytest.param((*GONE[:-1], *STAYS, *NEW), id="surplus-one-taken-out"),
        pytest.param((*GONE[1:], *STAYS, *NEW[:5]), id="gone-before-all-is-in"),
        pytest.param(STAYS[:3], id="replaced"),
    ],
)
def test_what_no_piece_makes_is_somebody_elses(part: tuple[str, ...]) -> None:
    """So it stays, as every edit by hand."""
    assert not on_the_way(LONG, part)


def test_a_lock_comes_with_the_last_piece() -> None:
    """A list that is locked since was written whole, and changed by a person after that."""
    assert not on_the_way(LONG, (*GONE, *STAYS, *NEW[:5]), locked=False)


def test_a_short_list_is_never_cut() -> None:
    """One request carries it, so a part of it was made by a person."""
    assert ONE_REQUEST_BYTES == SHORTEST_BYTES
    assert not on_the_way(change(("a",), ("a", "b", "c")), ("a", "b"))
