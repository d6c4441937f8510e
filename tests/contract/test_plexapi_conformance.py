"""The simulated Plex server, driven by plexapi over a socket: it must not notice the difference.

What plexapi sends and expects is the best record of the protocol there is.
Source: docs/plex-api.md 5 and 6, whatever is marked [exp] or [src] there.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from plexapi.exceptions import BadRequest, NotFound, Unauthorized
from plexapi.server import PlexServer

from plexsync.simulators.http.wire import LoopbackServer, Wired
from plexsync.simulators.plex.store import picture_key
from tests.support.plex_factories import make_episode, make_film, make_plex, make_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.simulators.plex.simulator import PlexSimulator

PICTURE = b"\xff\xd8\xff\xe0 a picture"


@dataclass(frozen=True)
class Served:
    """A simulator on a socket, and a session to it."""

    plex: PlexSimulator
    wired: Wired
    url: str
    session: requests.Session

    def connect(self, token: str = "") -> Any:  # noqa: ANN401 - plexapi is untyped
        """The server as plexapi sees it."""
        server: Any = PlexServer
        return server(self.url, token or self.plex.token, session=self.session)

    def item(self, rating_key: int) -> Any:  # noqa: ANN401 - likewise
        """One item in full."""
        return self.connect().fetchItem(rating_key)

    def section(self, title: str = "Scenes") -> Any:  # noqa: ANN401 - likewise
        """One library."""
        return self.connect().library.section(title)


@pytest.fixture
def served() -> Iterator[Served]:
    """Three clips, one film and two episodes."""
    plex = make_plex(
        make_video(10),
        make_video(11, title="The Lake, a day", genres=("Outdoor", "Day")),
        make_video(12),
        make_film(20),
        make_episode(30),
        make_episode(31),
        read_only_token="guest",
    )
    wired = Wired(plex, gzip=True)
    with LoopbackServer(wired) as server, requests.Session() as session:
        session.trust_env = False
        yield Served(plex, wired, server.url, session)


def names(tags: list[Any]) -> list[str]:
    """The names of tags."""
    return [tag.tag for tag in tags]


def test_plexapi_connects_and_finds_the_libraries(served: Served) -> None:
    """Three requests: /, /library and /library/sections."""
    server = served.connect()

    sections = server.library.sections()

    assert server.machineIdentifier == served.plex.identity.machine
    assert server.allowSync is True
    assert [(section.title, section.TYPE) for section in sections] == [
        ("Scenes", "movie"),
        ("Movies", "movie"),
        ("Series", "show"),
    ]
    assert sections[0].locations == ["/media"]
    assert sections[0].refreshing is False
    assert served.wired.counters.by_kind() == {
        "plex.root": 1,
        "plex.library": 1,
        "plex.sections": 1,
    }


def test_plexapi_lists_a_library_page_by_page(served: Served) -> None:
    """Items carry what listings hold, and the library that stands on the container."""
    items = served.section().all(container_size=2)

    assert [item.title for item in items] == ["Clip 10", "Clip 12", "The Lake, a day"]
    assert items[0].locations == ["/media/clip10.mp4"]
    assert {item.librarySectionID for item in items} == {1}
    assert served.wired.counters.requests("plex.listing") == 2
    assert served.plex.misdeeds.unpaged_listings == 0


def test_plexapi_fetches_again_when_it_meets_something_empty(served: Served) -> None:
    """The autoreload trap: an unset attribute of a listed item costs a request, a set one none."""
    (film,) = served.section("Movies").all()

    assert film.summary == "A film about films."
    assert served.wired.counters.requests("plex.detail") == 0
    assert names(film.labels) == ["Seen"]
    assert served.wired.counters.requests("plex.detail") == 1
    assert served.plex.misdeeds.costly_details == 1


def test_plexapi_does_not_fetch_again_for_an_empty_text(served: Served) -> None:
    """The empty summary is there, so nothing is missing."""
    clip = served.section().all()[0]

    assert clip.summary == ""
    assert served.wired.counters.requests("plex.detail") == 0


def test_plexapi_sees_a_truncated_list_until_it_reloads(served: Served) -> None:
    """Two genres in the listing, four in the detail, and no request says so."""
    (film,) = served.section("Movies").all()

    assert names(film.genres) == ["Drama", "Comedy"]
    film.reload()

    assert names(film.genres) == ["Drama", "Comedy", "Crime", "Noir"]
    assert [(role.tag, role.role) for role in film.roles][:2] == [("Ann", "Herself"), ("Bo", None)]
    assert {field.name for field in film.fields if field.locked} == {"title", "genre"}
    assert film.userRating == 8.0
    assert film.media[0].parts[0].streams


def test_a_batch_of_edits_is_one_put(served: Served) -> None:
    """Fields and tags of several kinds travel together, spaces and commas intact."""
    item = served.item(11)

    item.batchEdits()
    item.editTitle("A & B, c/d? é").editSummary("one\ntwo").editOriginallyAvailable("2020-02-29")
    item.editStudio("S").addGenre(["Night, late"]).addLabel("seen").addCollection("Best")
    item.saveEdits()

    assert served.wired.counters.requests("plex.put") == 1
    entry = served.plex.dump()["11"]
    assert entry["fields"] == {
        "title": "A & B, c/d? é",
        "summary": "one\ntwo",
        "originallyAvailableAt": "2020-02-29",
        "studio": "S",
        "year": "2024",
    }
    assert entry["tags"] == {
        "genre": (("Outdoor", ""), ("Day", ""), ("Night, late", "")),
        "collection": (("Best", ""),),
        "label": (("Seen", ""),),
    }
    assert entry["locks"] == (
        "collection",
        "genre",
        "label",
        "originallyAvailableAt",
        "studio",
        "summary",
        "title",
    )


def test_the_put_is_what_plexapi_is_known_to_send(served: Served) -> None:
    """The wire form of docs/plex-api.md 5."""
    item = served.item(10)

    item.batchEdits()
    item.editTitle("New T").addGenre(["A"])
    item.saveEdits()

    assert served.wired.counters.targets[-1] == (
        "/library/sections/1/all?genre.locked=1&genre%5B0%5D.tag.tag=A&id=10"
        "&title.locked=1&title.value=New%20T&type=1"
    )


def test_tags_are_removed_by_name(served: Served) -> None:
    """A comma in a name is encoded twice on the way."""
    item = served.item(11)
    item.addGenre(["C, d", "100%"])

    item.reload().removeGenre(["C, d", "100%", "Day"])

    assert names(item.reload().genres) == ["Outdoor"]
    assert served.plex.misdeeds.contradictory_puts == 0


def test_a_field_can_be_unlocked_and_cleared(served: Served) -> None:
    """An empty value is sent and clears."""
    served.item(20).editSummary("", locked=False)

    entry = served.plex.dump()["20"]
    assert "summary" not in entry["fields"]
    assert entry["locks"] == ("genre", "title")


def test_many_items_get_one_put(served: Served) -> None:
    """MultiEdit names all ids; nothing else is touched."""
    section = served.section()
    first, _, third = section.all()

    section.batchMultiEdits([first, third]).addLabel("hello").saveMultiEdits()

    labels = [served.plex.dump()[key]["tags"].get("label") for key in ("10", "11", "12")]
    assert labels == [(("Hello", ""),), (("Hello", ""),), None]
    assert served.wired.counters.requests("plex.put") == 1
    assert served.plex.misdeeds.unguarded_puts == 0


def test_raw_edits_reach_actors(served: Served) -> None:
    """Plexapi has no words for actors, but its low door takes them."""
    item = served.item(10)

    item._edit(  # noqa: SLF001 - the documented low-level door
        **{"actor[0].tag.tag": "Ann", "actor[0].tagging.text": "Herself", "actor.locked": 1}
    )

    assert [(role.tag, role.role) for role in item.reload().roles] == [("Ann", "Herself")]


def test_posters_are_uploaded_listed_and_selected(served: Served) -> None:
    """An upload is selected and locked; another one can be chosen again."""
    item = served.item(10)

    item.uploadPoster(filepath=io.BytesIO(PICTURE))

    old, new = item.posters()
    assert new.ratingKey == picture_key("posters", PICTURE)
    assert (old.selected, new.selected) == (False, True)
    assert served.plex.picture(new.ratingKey) == PICTURE

    item.setPoster(old)

    assert [poster.selected for poster in item.posters()] == [True, False]


@pytest.mark.parametrize(("place", "folder"), [("thumb", "posters"), ("art", "arts")])
def test_no_picture_can_be_chosen_either(served: Served, place: str, folder: str) -> None:
    """What plexapi's `deletePoster` and `deleteArt` send: none is selected then, all stay."""
    item = served.item(10)
    item.uploadPoster(filepath=io.BytesIO(PICTURE))
    item.uploadArt(filepath=io.BytesIO(PICTURE))
    before = [picture.ratingKey for picture in getattr(item, folder)()]

    served.connect().query(f"{item.key}/{place}", method=served.session.delete)

    after = getattr(item, folder)()
    assert [picture.ratingKey for picture in after] == before
    assert not any(picture.selected for picture in after)


def test_a_picture_comes_back_with_a_refresh_once_it_is_not_locked(served: Served) -> None:
    """To choose none locks that; only then a refresh shows the first one again."""
    item = served.item(10)
    item.uploadPoster(filepath=io.BytesIO(PICTURE))
    served.connect().query(f"{item.key}/thumb", method=served.session.delete)

    item.refresh()
    assert not any(one.selected for one in item.posters())
    item.unlockPoster()
    assert not any(one.selected for one in item.posters())
    item.refresh()

    assert [one.selected for one in item.posters()] == [True, False]


def test_backgrounds_are_uploaded_too(served: Served) -> None:
    """Art works as posters do."""
    item = served.item(10)

    item.uploadArt(filepath=io.BytesIO(PICTURE))

    assert [art.selected for art in item.arts()] == [True]
    assert served.plex.dump()["10"]["locks"] == ("art",)


def test_ratings_are_set_and_taken_away(served: Served) -> None:
    """By /:/rate, which moves no clock."""
    item = served.item(10)
    updated_at = item.updatedAt

    assert item.rate(7.5).reload().userRating == 7.5
    assert item.updatedAt == updated_at
    assert item.rate().reload().userRating is None


def test_a_scan_is_asked_for_by_path(served: Served) -> None:
    """section.update(path) sends one GET."""
    served.section().update("/media/new clips")

    assert served.plex.scans == (("1", "/media/new clips"),)


def test_several_items_are_fetched_at_once(served: Served) -> None:
    """Ids that are gone are left out."""
    items = served.connect().fetchItems([10, 12, 99])

    assert [item.ratingKey for item in items] == [10, 12]


def test_items_are_found_by_file(served: Served) -> None:
    """The undocumented filter of docs/plex-api.md 3."""
    server = served.connect()

    found = server.fetchItems("/library/sections/1/all?type=1&file=clip11.mp4")

    assert [item.ratingKey for item in found] == [11]


def test_shows_open_into_seasons_and_episodes(served: Served) -> None:
    """Children carry their parents' names."""
    (show,) = served.section("Series").all()

    (season,) = show.seasons()
    episodes = season.episodes()

    assert (show.title, season.title, season.index) == ("Show", "Season 1", 1)
    assert [(episode.seasonEpisode, episode.grandparentTitle) for episode in episodes] == [
        ("s01e30", "Show"),
        ("s01e31", "Show"),
    ]
    assert len(show.episodes()) == 2


def test_an_episode_is_edited_by_its_own_type(served: Served) -> None:
    """Type 4 in the library of shows."""
    served.item(30).editTitle("Pilot")

    assert served.plex.dump()["30"]["fields"]["title"] == "Pilot"
    assert served.plex.writes[0].argument("type") == "4"


def test_a_control_character_is_stripped_by_plexapi(served: Served) -> None:
    """XML that cannot be parsed is cleaned and read again."""
    served.plex.edit_by_hand("10", {"title": "bad\x0btitle"})

    assert served.item(10).title == "badtitle"


def test_a_scan_shows_as_activity(served: Served) -> None:
    """Refreshing and /activities agree."""
    served.plex.set_refreshing(1, refreshing=True)
    server = served.connect()

    assert server.library.section("Scenes").refreshing is True
    assert [activity.type for activity in server.activities] == ["library.update.section"]


def test_merge_and_split_change_rating_keys(served: Served) -> None:
    """Merged keys vanish, split ones are new."""
    item = served.item(10)

    item.merge([11])
    assert len(item.reload().media) == 2
    with pytest.raises(NotFound):
        served.item(11)

    item.split()
    assert len(item.reload().media) == 1


@pytest.mark.parametrize(
    ("token", "error"), [("wrong", Unauthorized), ("guest", BadRequest)], ids=["wrong", "guest"]
)
def test_refusals_become_plexapis_errors(
    served: Served, token: str, error: type[Exception]
) -> None:
    """401 on connecting with a wrong token; 403 on writing with a read-only one."""
    with pytest.raises(error, match=r"\(401\)|\(403\)"):
        served.connect(token).fetchItem(10).editTitle("x")


def test_a_starting_server_is_a_bad_request_to_plexapi(served: Served) -> None:
    """503 has no error of its own there."""
    served.plex.startup_503(1)

    with pytest.raises(BadRequest, match=r"\(503\)"):
        served.connect()


def test_the_token_never_travels_in_an_address(served: Served) -> None:
    """Plexapi sends it as a header, and the simulator would have noticed."""
    served.section().all()
    served.item(10).editTitle("x")

    assert served.plex.misdeeds.tokens_in_query == 0
    assert not any(served.plex.token in target for target in served.wired.counters.targets)


def test_plexapi_makes_and_keeps_a_collection(served: Served) -> None:
    """Made, filled, emptied, renamed, shown otherwise and deleted, as plexapi does all that."""
    section = served.section()
    made = section.createCollection("Lakes", items=[served.item(10), served.item(11)])
    made.addItems(served.item(12)).removeItems([served.item(10)])
    made.reload()

    assert [item.ratingKey for item in made.items()] == [11, 12]
    assert (made.title, made.childCount, made.subtype, made.smart) == ("Lakes", 2, "movie", False)
    assert [one.title for one in section.collections()] == ["Lakes"]

    made.modeUpdate("hideItems")
    made.editTitle("Ponds").editSummary("Wet").editSortTitle("Wet ponds")
    made.uploadPoster(filepath=io.BytesIO(PICTURE))
    made.reload()

    assert (made.collectionMode, made.title, made.titleSort) == (1, "Ponds", "Wet ponds")
    assert (made.summary, sorted(lock.name for lock in made.fields)) == (
        "Wet",
        ["summary", "thumb", "title", "titleSort"],
    )
    with pytest.raises(BadRequest, match="409"):
        section.createCollection("Rivers", items=[served.item(10)]).editTitle("Ponds")

    made.delete()
    assert [one.title for one in section.collections()] == ["Rivers"]
    assert served.plex.misdeeds.media_deletions == 0
