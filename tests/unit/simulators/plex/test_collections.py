"""Collections of the simulated Plex server: items of their own, in step with the items' tags."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from plexsync.simulators.plex.simulator import PlexSimulator, Switches
from tests.support.plex_factories import ask, ask_json, make_episode, make_plex, make_video


@pytest.fixture
def plex() -> PlexSimulator:
    """Three clips and an episode."""
    return make_plex(make_video(10), make_video(11), make_video(12), make_episode(30))


def uri(plex: PlexSimulator, *keys: int) -> str:
    """How members are named, fit for a query."""
    root = f"server://{plex.identity.machine}/com.plexapp.plugins.library/library/metadata/"
    return quote(root + ",".join(map(str, keys)), safe="")


def make(plex: PlexSimulator, title: str, *keys: int) -> int:
    """Ask for a new collection; the status."""
    place = f"/library/collections?type=1&title={quote(title)}&smart=0&sectionId=1"
    return ask(plex, f"{place}&uri={uri(plex, *keys)}", method="POST").status


def test_a_collection_is_an_item_with_members_that_wear_its_tag(plex: PlexSimulator) -> None:
    """It is listed as type 18, read in full, and seen on each member."""
    assert make(plex, "Lakes", 10, 11) == 200

    key = plex.collections.key_of("Lakes")
    (listed,) = ask_json(plex, "/library/sections/1/all?type=18")["Metadata"]
    (detail,) = ask_json(plex, f"/library/metadata/{key}")["Metadata"]
    members = ask_json(plex, f"/library/collections/{key}/children")["Metadata"]

    assert listed["ratingKey"] == detail["ratingKey"] == key
    assert (detail["type"], detail["subtype"], detail["childCount"]) == ("collection", "movie", "2")
    assert detail["thumb"].startswith(f"/library/collections/{key}/composite/")
    assert [one["ratingKey"] for one in members] == ["10", "11"]
    assert plex.dump()["10"]["tags"] == {"collection": (("Lakes", ""),)}
    assert key not in plex.rating_keys()


def test_a_tag_on_an_item_makes_a_collection_that_outlives_it(plex: PlexSimulator) -> None:
    """Taking the tag from the last item leaves an empty one behind."""
    ask(plex, "/library/metadata/10?collection%5B0%5D.tag.tag=Lakes", method="PUT")
    assert plex.collections.titles() == {"Lakes": ("10",)}

    ask(plex, "/library/metadata/10?collection%5B%5D.tag.tag-=Lakes", method="PUT")
    assert plex.collections.titles() == {"Lakes": ()}


def test_a_title_that_is_taken_fills_the_other_collection(plex: PlexSimulator) -> None:
    """Nothing warns a careless client."""
    plex.collections.make(1, "Lakes", "10")

    assert make(plex, "LAKES", 11) == 200
    assert plex.collections.titles() == {"Lakes": ("10", "11")}


def test_members_come_and_go(plex: PlexSimulator) -> None:
    """Several come in one request, each goes in its own; what is gone cannot go again."""
    make(plex, "Lakes", 10)
    key = plex.collections.key_of("Lakes")

    place = f"/library/collections/{key}/items"
    ask(plex, f"{place}?uri={uri(plex, 11, 12, 999)}", method="PUT")
    assert plex.collections.titles() == {"Lakes": ("10", "11", "12")}

    assert ask(plex, f"{place}/11", method="DELETE").status == 200
    assert ask(plex, f"{place}/11", method="DELETE").status == 404
    assert plex.collections.titles() == {"Lakes": ("10", "12")}


@pytest.mark.parametrize("drops", [False, True])
def test_a_collection_that_loses_its_last_member_may_go(drops: bool) -> None:
    """Nobody knows when Plex does which."""
    plex = make_plex(make_video(10), switches=Switches(drop_empty_collections=drops))
    make(plex, "Lakes", 10)
    key = plex.collections.key_of("Lakes")

    ask(plex, f"/library/collections/{key}/items/10", method="DELETE")

    assert plex.collections.titles() == ({} if drops else {"Lakes": ()})


def test_nothing_is_made_without_members_or_of_two_kinds(plex: PlexSimulator) -> None:
    """400 for no members, an address of another server, or an episode among clips."""
    other = quote("server://other/com.plexapp.plugins.library/library/metadata/10", safe="")
    place = "/library/collections?type=1&title=Lakes&smart=0&sectionId=1"

    assert ask(plex, place, method="POST").status == 400
    assert ask(plex, f"{place}&uri={other}", method="POST").status == 400
    assert make(plex, "Lakes", 999) == 400
    assert plex.collections.titles() == {}


def test_a_collection_is_edited_like_any_item(plex: PlexSimulator) -> None:
    """A new title shows on its members; one that is taken is refused; locks and texts stay."""
    make(plex, "Lakes", 10)
    make(plex, "Rivers", 11)
    key = plex.collections.key_of("Lakes")

    place = f"/library/metadata/{key}?summary.value=Wet&summary.locked=1&title.value="
    assert ask(plex, f"{place}Rivers", method="PUT").status == 409
    assert ask(plex, f"{place}Ponds", method="PUT").status == 200

    held = plex.collections.dump()[key]
    assert held["fields"] == {"summary": "Wet", "title": "Ponds"}
    assert held["locks"] == ("summary",)
    assert plex.dump()["10"]["tags"] == {"collection": (("Ponds", ""),)}


def test_preferences_and_pictures_belong_to_the_collection(plex: PlexSimulator) -> None:
    """A mode is set beside the fields; an uploaded poster is chosen and locked."""
    make(plex, "Lakes", 10)
    key = plex.collections.key_of("Lakes")

    ask(plex, f"/library/metadata/{key}/prefs?collectionMode=1", method="PUT")
    ask(plex, f"/library/metadata/{key}/posters", method="POST", body=b"jpeg")

    held = plex.collections.dump()[key]
    assert held["prefs"] == {"collectionMode": "1"}
    assert held["poster"].startswith("upload://posters/")
    assert held["locks"] == ("thumb",)


def test_a_deleted_collection_leaves_its_members(plex: PlexSimulator) -> None:
    """At the same address any other item would lose its files, which is refused and counted."""
    before = plex.dump()
    make(plex, "Lakes", 10)
    key = plex.collections.key_of("Lakes")

    assert ask(plex, f"/library/collections/{key}", method="DELETE").status == 200
    assert ask(plex, "/library/collections/10", method="DELETE").status == 403

    assert (plex.collections.titles(), plex.dump()) == ({}, before | {"10": plex.dump()["10"]})
    assert plex.dump()["10"]["tags"] == {}
    assert plex.misdeeds.media_deletions == 1
