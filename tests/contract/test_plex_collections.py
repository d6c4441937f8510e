"""The Plex client makes, reads, fills, empties and deletes collections of a simulated server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import BadResponseError, ServerError, UnsafeError
from plexsync.models import MADE, Change, ItemKind, ItemPlan, PlexField, Policy, RatingKey, SceneId
from plexsync.simulators.http.wire import ErrorStatus, Fault
from tests.support.plex_bench import detail_of, make_library, plex_bench

if TYPE_CHECKING:
    from tests.support.plex_bench import Bench

KEYS = tuple(RatingKey(str(1001 + number)) for number in range(4))


def change(target: PlexField, before: object, after: object) -> Change:
    """A change of a collection."""
    values = {"before": before, "after": after}
    return Change(field=target.value, target=target, policy=Policy.MERGE, **values)  # type: ignore[arg-type] # any value


def plan_of(bench: Bench, key: str, *changes: Change) -> ItemPlan:
    """What is to be written to a collection."""
    return ItemPlan(
        scene_id=SceneId("1.studio:1"),
        rating_key=RatingKey(key),
        section_id=bench.section().section_id,
        kind=ItemKind.COLLECTION,
        path="",
        lock=True,
        changes=changes,
    )


def make(
    bench: Bench, title: str = "Lakes & Seas", members: tuple[RatingKey, ...] = KEYS[:2]
) -> str:
    """A new collection."""
    made = bench.client.collections.make(bench.section().section_id, ItemKind.MOVIE, title, members)
    assert made is not None
    return made.item.rating_key


def test_a_collection_is_made_listed_and_read() -> None:
    """One request makes it, members and all; it reads like an item, with what only it has."""
    with plex_bench(make_library(4)) as bench:
        key = make(bench)
        section_id = bench.section().section_id

        (entry,) = bench.client.collections.listing(section_id)
        (detail,) = bench.client.details([RatingKey(key)])

        assert entry == (key, "Lakes & Seas", 2, False)
        assert bench.client.collections.members(RatingKey(key)) == KEYS[:2]
        assert (detail.item.kind, detail.member_count) == (ItemKind.COLLECTION, 2)
        assert detail.values[PlexField.TITLE] == "Lakes & Seas"
        assert (detail.values[PlexField.EXISTENCE], detail.values[PlexField.MODE]) == (MADE, "")
        assert bench.simulator.misdeeds.total == 0


def test_an_edit_carries_members_mode_and_fields() -> None:
    """The fields go last; what left the collection before it was taken out is no error."""
    with plex_bench(make_library(4)) as bench:
        key = make(bench)
        bench.simulator.collections.take_out(key, KEYS[0])

        bench.client.editor.edit(
            plan_of(
                bench,
                key,
                change(PlexField.MEMBERS, KEYS[:2], (KEYS[1], *KEYS[2:])),
                change(PlexField.MODE, "", "hide_items"),
                change(PlexField.SUMMARY, "", "Wet"),
            ),
            by_item=True,
        )

        (held,) = bench.simulator.collections.dump().values()
        assert held["members"] == KEYS[1:]
        assert held["prefs"] == {"collectionMode": "1"}
        assert held["fields"]["summary"] == "Wet"


def test_many_members_go_out_in_pieces() -> None:
    """No address is longer than what proxies take, and none of the members is forgotten."""
    with plex_bench(make_library(900)) as bench:
        keys = tuple(RatingKey(str(1001 + number)) for number in range(900))
        first = bench.client.collections.first_piece(keys)
        key = make(bench, members=first)

        bench.client.editor.edit(plan_of(bench, key, change(PlexField.MEMBERS, first, keys)))

        writes = [one for one in bench.simulator.writes if one.method in {"POST", "PUT"}]
        assert bench.client.collections.members(RatingKey(key)) == keys
        assert len(writes) == 2
        assert len(first) > 500


@pytest.mark.parametrize("works", [True, False], ids=["by their tag", "one by one"])
def test_many_members_leave_together(works: bool) -> None:
    """Two requests and two looks for hundreds; a server that refuses that gets one for each."""
    title = "Lakes, Seas & more"
    with plex_bench(make_library(30)) as bench:
        keys = tuple(RatingKey(str(1001 + number)) for number in range(30))
        key = make(bench, title, keys)
        other = make(bench, "Others", keys)
        if not works:
            bench.wired.faults.add(Fault("plex.put", 1, ErrorStatus(400), times=None))
        bench.spent()

        bench.client.editor.edit(
            plan_of(bench, key, change(PlexField.MEMBERS, keys, keys[:2])), by_item=True
        )

        spent = bench.spent()
        assert spent.get("plex.take_out", 0) == (0 if works else 28)
        assert spent.get("plex.put", 0) == 1
        assert bench.client.collections.members(RatingKey(key)) == keys[:2]
        assert bench.client.collections.members(RatingKey(other)) == keys
        assert bench.simulator.misdeeds.total == 0


def test_members_leave_one_by_one_where_another_collection_has_the_title() -> None:
    """Both are of one tag: by that they would leave the other one, too."""
    with plex_bench(make_library(30)) as bench:
        keys = tuple(RatingKey(str(1001 + number)) for number in range(30))
        key = make(bench, "Lakes", keys)
        bench.simulator.collections.make_smart(int(bench.section().section_id), "LAKES")
        bench.spent()

        bench.client.editor.edit(
            plan_of(bench, key, change(PlexField.MEMBERS, keys, keys[:2])), by_item=True
        )

        spent = bench.spent()
        assert (spent.get("plex.put", 0), spent.get("plex.take_out", 0)) == (0, 28)
        assert bench.client.collections.members(RatingKey(key)) == keys[:2]


def test_a_collection_goes_with_one_request_and_its_members_stay() -> None:
    """Nothing else of the plan is sent then."""
    with plex_bench(make_library(4)) as bench:
        key = make(bench)
        plan = plan_of(
            bench,
            key,
            change(PlexField.EXISTENCE, MADE, ""),
            change(PlexField.TITLE, "Lakes & Seas", ""),
            change(PlexField.MEMBERS, KEYS[:2], ()),
        )
        bench.spent()

        bench.client.editor.edit(plan)

        assert bench.spent() == {"plex.delete": 1}
        assert bench.client.details([RatingKey(key)]) == ()
        assert detail_of(bench, KEYS[0]).values[PlexField.COLLECTIONS] == ()


def test_only_a_collection_has_members() -> None:
    """A plan for a video never reaches the address at which it would lose its files."""
    with plex_bench(make_library(4)) as bench:
        plan = plan_of(bench, KEYS[0], change(PlexField.EXISTENCE, MADE, ""))
        video = ItemPlan(
            scene_id=plan.scene_id,
            rating_key=plan.rating_key,
            section_id=plan.section_id,
            kind=ItemKind.MOVIE,
            path="",
            lock=True,
            changes=plan.changes,
        )

        with pytest.raises(UnsafeError):
            bench.client.editor.edit(video)
        assert bench.simulator.misdeeds.media_deletions == 0


def test_making_is_never_repeated() -> None:
    """After a 503 nobody knows whether it was made, so one look comes first."""
    with plex_bench(make_library(4)) as bench:
        bench.wired.faults.add(Fault("plex.make", 1, ErrorStatus(503), times=None))

        with pytest.raises(ServerError):
            make(bench)
        assert bench.spent()["plex.make"] == 1


def test_a_key_that_is_none_never_becomes_a_path() -> None:
    """It might lead to another address."""
    with plex_bench(make_library(4)) as bench, pytest.raises(BadResponseError):
        bench.client.collections.members(RatingKey("1/../2"))


def test_the_answer_to_a_making_is_a_fresh_read() -> None:
    """It holds what a read right after it holds, so none is needed before the next write."""
    with plex_bench(make_library(4)) as bench:
        section_id = bench.section().section_id
        made = bench.client.collections.make(section_id, ItemKind.MOVIE, "Lakes", KEYS[:2])
        assert made is not None

        assert bench.client.details([made.item.rating_key]) == (made,)


def test_one_request_sets_the_mode_of_several_collections() -> None:
    """All of them show it."""
    with plex_bench(make_library(4)) as bench:
        keys = [RatingKey(make(bench, title)) for title in ("Lakes", "Seas")]
        bench.client.collections.set_mode(keys, "hide_items")

        modes = [one.values[PlexField.MODE] for one in bench.client.details(keys)]
        assert modes == ["hide_items", "hide_items"]
        assert [one.path for one in bench.simulator.writes if "prefs" in one.path] == [
            f"/library/metadata/{','.join(keys)}/prefs"
        ]
