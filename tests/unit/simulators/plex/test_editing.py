"""What edits do to the simulated Plex server. docs/plex-api.md 5, and 8, items 4, 5, 9 and 10."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from plexsync.simulators.plex.store import picture_key
from tests.support.plex_factories import (
    ask,
    ask_json,
    make_episode,
    make_film,
    make_plex,
    make_video,
    put,
)

if TYPE_CHECKING:
    from plexsync.simulators.plex.simulator import PlexSimulator

EDIT = "/library/sections/1/all?type=1&id=10"


def fields(plex: PlexSimulator, key: str = "10") -> dict[str, str]:
    """An item's texts."""
    return plex.dump()[key]["fields"]


def tags(plex: PlexSimulator, kind: str = "genre", key: str = "10") -> list[str]:
    """An item's tags of one kind."""
    return [name for name, _ in plex.dump()[key]["tags"].get(kind, ())]


def removal(kind: str, *names: str) -> str:
    """The argument that takes tags away: each name encoded, joined, and encoded again."""
    joined = ",".join(quote(name, safe="") for name in names)
    return f"{kind}%5B%5D.tag.tag-={quote(joined, safe='')}"


def test_an_edit_answers_an_empty_200_and_changes_one_item() -> None:
    """The answer says nothing; only a read shows what happened."""
    plex = make_plex(make_video(10), make_video(11))

    answer = put(plex, f"{EDIT}&title.value=New%20title&title.locked=1")

    assert (answer.status, answer.body) == (200, b"")
    assert ("Content-Type", "text/html") in answer.headers
    assert fields(plex)["title"] == "New title"
    assert plex.dump()["10"]["locks"] == ("title",)
    assert fields(plex, "11")["title"] == "Clip 11"


def test_several_ids_get_the_same_values() -> None:
    """A comma list of ids; unknown ids are ignored."""
    plex = make_plex(make_video(10), make_video(11), make_video(12))

    put(plex, "/library/sections/1/all?type=1&id=10,12,99&studio.value=S")

    assert [fields(plex, key).get("studio") for key in ("10", "11", "12")] == ["S", None, "S"]
    assert plex.writes[0].rating_keys == ("10", "12")


@pytest.mark.parametrize("id_argument", ["", "&id="], ids=["no id", "empty id"])
def test_without_an_id_every_item_of_the_type_is_edited(id_argument: str) -> None:
    """The most dangerous request of all is done, and counted."""
    plex = make_plex(make_video(10), make_video(11))

    put(plex, f"/library/sections/1/all?type=1{id_argument}&studio.value=Oops")

    assert [fields(plex, key)["studio"] for key in ("10", "11")] == ["Oops", "Oops"]
    assert plex.misdeeds.unguarded_puts == 1


def test_the_wrong_type_changes_nothing_and_says_200() -> None:
    """An id of another type selects no item."""
    plex = make_plex(make_video(10))
    before = plex.dump(clocks=True)

    answer = put(plex, "/library/sections/1/all?type=4&id=10&title.value=New")

    assert answer.status == 200
    assert plex.dump(clocks=True) == before


def test_the_newer_door_does_the_same() -> None:
    """`PUT /library/metadata/ids` takes the same arguments."""
    plex = make_plex(make_video(10), make_video(11))

    put(plex, "/library/metadata/10,11?title.value=New&genre%5B0%5D.tag.tag=A")

    assert [fields(plex, key)["title"] for key in ("10", "11")] == ["New", "New"]
    assert tags(plex, key="11") == ["A"]


def test_an_empty_value_clears() -> None:
    """`summary.value=` takes the summary away; the lock is a matter of its own."""
    plex = make_plex(make_film(20))

    put(plex, "/library/sections/2/all?type=1&id=20&summary.value=&title.locked=0")

    assert "summary" not in fields(plex, "20")
    assert plex.dump()["20"]["locks"] == ("genre",)


@pytest.mark.parametrize("value", ["2024-13-01", "soon", "0"])
def test_a_date_that_is_none_is_ignored(value: str) -> None:
    """Nothing is stored and no error says so."""
    plex = make_plex(make_video(10))

    answer = put(plex, f"{EDIT}&originallyAvailableAt.value={value}")

    assert answer.status == 200
    assert fields(plex)["originallyAvailableAt"] == "2024-05-01"


def test_the_year_stays_until_a_refresh() -> None:
    """A new date leaves the old year."""
    plex = make_plex(make_video(10))

    put(plex, f"{EDIT}&originallyAvailableAt.value=2020-01-02")

    assert (fields(plex)["originallyAvailableAt"], fields(plex)["year"]) == ("2020-01-02", "2024")


def test_a_new_title_takes_an_unlocked_sort_title_along() -> None:
    """A locked sort title stays; an unlocked one is made again from the title."""
    plex = make_plex(
        make_video(10, title_sort="Old"),
        make_video(11, title_sort="Old", locked=frozenset({"titleSort"})),
    )

    put(plex, "/library/sections/1/all?type=1&id=10,11&title.value=The%20End")

    shown = ask_json(plex, "/library/metadata/10,11")["Metadata"]
    assert [entry["titleSort"] for entry in shown] == ["End", "Old"]


def test_indexed_tags_are_added() -> None:
    """What is named is added to what is there; twice the same is once."""
    plex = make_plex(make_video(10, genres=("A", "B")))

    put(plex, f"{EDIT}&genre%5B0%5D.tag.tag=C&genre%5B1%5D.tag.tag=B&genre%5B2%5D.tag.tag=C")

    assert tags(plex) == ["A", "B", "C"]


def test_indexed_tags_can_replace() -> None:
    """The stress mode: whatever is not named is gone, of the kinds that are named."""
    plex = make_plex(make_video(10, genres=("A", "B"), labels=("L",)))
    plex.switches.replace_tags = True

    put(plex, f"{EDIT}&genre%5B0%5D.tag.tag=C")

    assert (tags(plex), tags(plex, "label")) == (["C"], ["L"])


def test_tags_are_taken_away_by_name() -> None:
    """Names are encoded one by one before they are joined, so commas in them survive."""
    plex = make_plex(make_video(10, genres=("A", "C, d", "100%", "E")))

    put(plex, f"{EDIT}&{removal('genre', 'a', 'C, d', '100%')}")

    assert tags(plex) == ["E"]


def test_a_name_encoded_only_once_is_cut_at_its_comma() -> None:
    """The double encoding is needed: without it "C, d" is two names nobody wears."""
    plex = make_plex(make_video(10, genres=("C, d",)))

    put(plex, f"{EDIT}&genre%5B%5D.tag.tag-=C%2C%20d")

    assert tags(plex) == ["C, d"]


def test_removal_and_addition_fit_in_one_edit() -> None:
    """Different tags of one kind, some going, some coming."""
    plex = make_plex(make_video(10, genres=("A", "B")))

    put(plex, f"{EDIT}&{removal('genre', 'A')}&genre%5B0%5D.tag.tag=C")

    assert tags(plex) == ["B", "C"]
    assert plex.misdeeds.total == 0


def test_adding_what_is_removed_is_noted() -> None:
    """Nobody knows what Plex makes of it, so nobody should send it."""
    plex = make_plex(make_video(10, genres=("A",)))

    put(plex, f"{EDIT}&{removal('genre', 'a')}&genre%5B0%5D.tag.tag=A")

    assert plex.misdeeds.contradictory_puts == 1


def test_all_tags_of_a_kind_can_be_cleared() -> None:
    """`genre[].tag=` drops them; additions in the same edit stay."""
    plex = make_plex(make_video(10, genres=("A", "B"), labels=("L",)))

    put(plex, f"{EDIT}&genre%5B%5D.tag=&genre%5B0%5D.tag.tag=C")

    assert (tags(plex), tags(plex, "label")) == (["C"], ["L"])


def test_the_first_spelling_of_a_tag_wins() -> None:
    """A tag is one for the whole server in upper and lower case; only ASCII letters are folded."""
    plex = make_plex(make_video(10), make_video(11, genres=("blonde", "été")))

    put(plex, f"{EDIT}&genre%5B0%5D.tag.tag=Blonde&genre%5B1%5D.tag.tag=%C3%89t%C3%A9")

    assert tags(plex) == ["blonde", "Été"]


def test_one_name_is_another_tag_in_another_kind() -> None:
    """A genre and a label of one name are two tags, with two ids."""
    plex = make_plex(make_video(10))

    put(plex, f"{EDIT}&genre%5B0%5D.tag.tag=Same&label%5B0%5D.tag.tag=Same")

    (entry,) = ask_json(plex, "/library/metadata/10")["Metadata"]
    assert entry["Genre"][0]["id"] != entry["Label"][0]["id"]


def test_a_new_label_gets_a_capital() -> None:
    """The rest of its letters stay."""
    plex = make_plex(make_video(10))

    put(plex, f"{EDIT}&label%5B0%5D.tag.tag=stash%20ID")

    assert tags(plex, "label") == ["Stash ID"]


def test_a_label_is_looked_up_as_it_is_shown() -> None:
    """One row a name: with its capital it is the same label, though it is no ASCII letter."""
    plex = make_plex(make_video(10))

    put(plex, f"{EDIT}&label%5B0%5D.tag.tag=%C3%A9t%C3%A9")
    put(plex, f"{EDIT}&label%5B0%5D.tag.tag=%C3%89t%C3%A9")

    assert tags(plex, "label") == ["\u00c9t\u00e9"]


@pytest.mark.parametrize(("forget", "left"), [(False, "http://p"), (True, None)])
def test_a_picture_goes_with_its_name_only_if_that_is_switched_on(
    forget: bool,
    left: str | None,
) -> None:
    """What Plex does with names no item has any more is not known."""
    plex = make_plex(make_video(10))
    plex.switches.forget_unused_tags = forget
    ann = f"{EDIT}&actor%5B0%5D.tag.tag=Ann"

    put(plex, f"{ann}&actor%5B0%5D.tag.thumb=http%3A%2F%2Fp")
    put(plex, f"{EDIT}&actor%5B%5D.tag.tag-=Ann")
    put(plex, ann)

    (entry,) = ask_json(plex, "/library/metadata/10")["Metadata"]
    assert entry["Role"][0].get("thumb") == left


def test_actors_carry_a_role_and_a_picture() -> None:
    """The role is the item's; the picture is the tag's, and every item shows it."""
    plex = make_plex(make_video(10), make_video(11, actors=(("Ann", ""),)))
    ask_json(plex, "/library/metadata/11")

    put(
        plex,
        f"{EDIT}&actor%5B0%5D.tag.tag=Ann&actor%5B0%5D.tagging.text=Herself"
        "&actor%5B0%5D.tag.thumb=https%3A%2F%2Fexample.org%2Fann.jpg&actor.locked=1",
    )

    ten, eleven = ask_json(plex, "/library/metadata/10,11")["Metadata"]
    assert ten["Role"][0]["role"] == "Herself"
    assert "role" not in eleven["Role"][0]
    assert eleven["Role"][0]["thumb"] == "https://example.org/ann.jpg"
    assert ten["Field"] == [{"locked": True, "name": "actor"}]


def test_many_tags_are_taken() -> None:
    """1,500 of them in one edit."""
    plex = make_plex(make_video(10))

    put(plex, EDIT + "".join(f"&genre%5B{n}%5D.tag.tag=T{n}" for n in range(1500)))

    assert tags(plex) == [f"T{n}" for n in range(1500)]


def test_indexes_give_the_order() -> None:
    """Tags are worn in the order of their numbers, not of the arguments."""
    plex = make_plex(make_video(10))

    put(plex, f"{EDIT}&actor%5B10%5D.tag.tag=C&actor%5B2%5D.tag.tag=B&actor%5B0%5D.tag.tag=A")

    assert tags(plex, "actor") == ["A", "B", "C"]


def test_what_plex_does_not_know_is_ignored() -> None:
    """An unknown field, an unknown lock and the year leave no trace."""
    plex = make_plex(make_video(10))
    before = plex.dump()

    put(plex, f"{EDIT}&colour.value=red&colour.locked=1&year.value=1999&mood%5B0%5D.tag.tag=Sad")

    assert plex.dump() == before


def test_raw_edits_of_an_episode_are_stored() -> None:
    """Plexapi offers fewer fields for episodes; the server takes what it is sent."""
    plex = make_plex(make_episode(30))

    put(plex, "/library/sections/3/all?type=4&id=30&studio.value=S&genre%5B0%5D.tag.tag=A")

    assert (fields(plex, "30")["studio"], tags(plex, key="30")) == ("S", ["A"])


def test_an_edition_title_needs_plex_pass() -> None:
    """Without it the whole edit is refused."""
    plex = make_plex(make_video(10))
    plex.switches.plex_pass = False

    answer = put(plex, f"{EDIT}&editionTitle.value=Uncut&title.value=New")

    assert answer.status == 400
    assert fields(plex)["title"] == "Clip 10"


def test_line_breaks_can_be_folded() -> None:
    """A server may store other line breaks than it was sent."""
    plex = make_plex(make_video(10))
    plex.switches.fold_line_breaks = True

    put(plex, f"{EDIT}&summary.value=one%0D%0Atwo%0A")

    assert fields(plex)["summary"] == "one\ntwo"


def test_edits_move_updated_at_and_the_counter() -> None:
    """So does a picture; a rating moves neither."""
    plex = make_plex(make_video(10))

    def clocks() -> tuple[int, int]:
        section = ask_json(plex, "/library/sections")["Directory"][0]
        (entry,) = ask_json(plex, "/library/metadata/10")["Metadata"]
        return entry["updatedAt"], section["contentChangedAt"]

    start = clocks()
    put(plex, "/:/rate?key=10&identifier=com.plexapp.plugins.library&rating=7.5")
    rated = clocks()
    put(plex, f"{EDIT}&title.value=New")
    edited = clocks()
    ask(plex, "/library/metadata/10/posters", method="POST", body=b"picture")
    pictured = clocks()

    assert rated == start
    assert edited[0] > rated[0]
    assert edited[1] > rated[1]
    assert pictured > edited


def test_updated_at_can_stay_put() -> None:
    """Nobody has proven that edits move it."""
    plex = make_plex(make_video(10))
    plex.switches.bump_updated_at = False
    before = plex.dump(clocks=True)["10"]["updated_at"]

    put(plex, f"{EDIT}&title.value=New")

    assert plex.dump(clocks=True)["10"]["updated_at"] == before


def test_ratings_come_and_go() -> None:
    """-1 takes a rating away; what is no rating is refused."""
    plex = make_plex(make_video(10))

    put(plex, "/:/rate?key=10&rating=8")
    assert plex.dump()["10"]["rating"] == 8.0
    put(plex, "/:/rate?key=10&rating=-1")
    assert plex.dump()["10"]["rating"] is None
    assert put(plex, "/:/rate?key=10&rating=lots").status == 400
    assert put(plex, "/:/rate?key=99&rating=8").status == 404


def test_an_uploaded_poster_is_named_by_its_bytes_selected_and_locked() -> None:
    """Its key is the SHA-1 of the picture, so a second upload adds nothing."""
    plex = make_plex(make_video(10))
    key = picture_key("posters", b"picture")

    for _ in range(2):
        ask(plex, "/library/metadata/10/posters", method="POST", body=b"picture")

    photos = ask_json(plex, "/library/metadata/10/posters")["Metadata"]
    assert key == "upload://posters/0e66b49d04a43c19bcb2e13a53aff5d174f610fc"
    assert [photo["ratingKey"] for photo in photos if photo["selected"]] == [key]
    assert len(photos) == 2
    assert plex.dump()["10"]["locks"] == ("thumb",)
    assert plex.picture(key) == b"picture"


def test_another_poster_can_be_selected() -> None:
    """By its key; one the item does not have is a 404."""
    plex = make_plex(make_video(10))
    (first,) = ask_json(plex, "/library/metadata/10/posters")["Metadata"]
    ask(plex, "/library/metadata/10/posters", method="POST", body=b"picture")

    chosen = put(plex, f"/library/metadata/10/poster?url={quote(first['ratingKey'], safe='')}")
    unknown = put(plex, "/library/metadata/10/poster?url=upload%3A%2F%2Fposters%2F0")

    assert (chosen.status, unknown.status) == (200, 404)
    assert plex.dump()["10"]["poster"] == first["ratingKey"]


@pytest.mark.parametrize(("size", "status"), [(5, 200), (6, 413)])
def test_a_picture_may_be_too_large(size: int, status: int) -> None:
    """The limit itself is still taken."""
    plex = make_plex(make_video(10))
    plex.switches.picture_limit = 5

    answer = ask(plex, "/library/metadata/10/arts", method="POST", body=b"x" * size)

    assert answer.status == status


def test_a_picture_by_address_is_fetched_or_fails() -> None:
    """Plex fetches it itself, which fails where it cannot reach the address."""
    plex = make_plex(make_video(10), web={"http://stash/cover": b"cover"})
    posters = "/library/metadata/10/posters?url="

    reached = ask(plex, posters + "http%3A%2F%2Fstash%2Fcover", method="POST")
    missed = ask(plex, posters + "http%3A%2F%2Fstash%2Fother", method="POST")

    assert (reached.status, missed.status) == (200, 500)
    assert plex.dump()["10"]["poster"] == picture_key("posters", b"cover")


def test_the_diary_holds_every_write() -> None:
    """Method, path, arguments and what was hit; reads leave no entry, tokens none either."""
    plex = make_plex(make_video(10))
    ask_json(plex, "/library/metadata/10")

    put(plex, f"{EDIT}&title.value=New&X-Plex-Token={plex.token}")

    (write,) = plex.writes
    assert (write.method, write.path, write.rating_keys) == (
        "PUT",
        "/library/sections/1/all",
        ("10",),
    )
    assert write.argument("title.value") == "New"
    assert write.argument("X-Plex-Token") is None


def test_a_refused_write_is_no_write() -> None:
    """The diary holds what was admitted."""
    plex = make_plex(make_video(10))

    ask(plex, f"{EDIT}&title.value=New", method="PUT", token="wrong")

    assert plex.writes == ()
