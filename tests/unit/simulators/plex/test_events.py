"""What happens to the simulated Plex server behind a client's back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.plex_factories import (
    ask,
    ask_json,
    make_episode,
    make_film,
    make_media,
    make_plex,
    make_video,
    put,
)

if TYPE_CHECKING:
    from plexsync.simulators.plex.simulator import PlexSimulator

LISTING = "/library/sections/1/all?type=1&X-Plex-Container-Start=0&X-Plex-Container-Size=100"


def listed(plex: PlexSimulator, target: str = LISTING) -> list[str]:
    """Rating keys of a listing, in its order."""
    container = ask_json(plex, target)
    return [entry["ratingKey"] for entry in container.get("Metadata", ())]


def test_an_edit_by_hand_sets_and_locks() -> None:
    """What Plex Web does: the value, the whole tag list, and the locks."""
    plex = make_plex(make_video(10, genres=("A", "B")))

    plex.edit_by_hand("10", {"title": "Mine", "genre": ["C"], "summary": ""})

    entry = plex.dump()["10"]
    assert entry["fields"] == {
        "originallyAvailableAt": "2024-05-01",
        "title": "Mine",
        "year": "2024",
    }
    assert entry["tags"] == {"genre": (("C", ""),)}
    assert entry["locks"] == ("genre", "summary", "title")


def test_an_agent_overwrites_what_is_not_locked() -> None:
    """Locks stop the agent, and nothing else does."""
    plex = make_plex(make_film(20))

    plex.agent_refresh("20", {"title": "Agent", "genre": ["Agent"], "summary": "Agent"})

    (entry,) = ask_json(plex, "/library/metadata/20")["Metadata"]
    assert (entry["title"], entry["summary"]) == ("Clip 20", "Agent")
    assert [genre["tag"] for genre in entry["Genre"]] == ["Drama", "Comedy", "Crime", "Noir"]


def test_a_moved_file_is_a_new_item_and_a_trashed_one() -> None:
    """The old rating key stays in listings until the trash is emptied."""
    plex = make_plex(make_video(10, labels=("Mine",)))

    new = plex.move_file("10", "/media/sub/moved.mp4")

    assert set(listed(plex)) == {"10", new}
    assert plex.key_of("/media/sub/moved.mp4") == new
    old_entry, new_entry = (plex.dump()[key] for key in ("10", new))
    assert (old_entry["trashed"], new_entry["trashed"]) == (True, False)
    marks = [entry.get("deletedAt", 0) > 0 for entry in ask_json(plex, LISTING)["Metadata"]]
    assert marks == [True, False]
    assert new_entry["tags"] == {}
    assert new_entry["fields"] == {"title": "moved"}

    plex.empty_trash()

    assert listed(plex) == [new]
    assert ask(plex, "/library/metadata/10").status == 404


def test_the_trash_of_one_library_can_be_emptied_by_request() -> None:
    """`emptyTrash` leaves other libraries alone."""
    plex = make_plex(make_video(10, deleted_at=7), make_film(20, deleted_at=7))

    put(plex, "/library/sections/1/emptyTrash")

    assert "10" not in plex.rating_keys()
    assert "20" in plex.rating_keys()


def test_a_file_can_change_under_its_rating_key() -> None:
    """Invariant 1 of the design needs such an item."""
    plex = make_plex(make_video(10))

    plex.replace_file("10", "/media/other.mp4")

    assert plex.dump()["10"]["files"] == ("/media/other.mp4",)


def test_a_staged_file_appears_with_a_scan_of_its_folder() -> None:
    """A scan of another folder, or of another library, does not find it."""
    plex = make_plex(make_video(10))
    plex.stage_item(make_video(0, media=(make_media(77, "/media/new/a.mp4"),)))

    ask(plex, "/library/sections/2/refresh")
    ask(plex, "/library/sections/1/refresh?path=%2Fmedia%2Fold")
    assert listed(plex) == ["10"]

    answer = ask(plex, "/library/sections/1/refresh?path=%2Fmedia%2Fnew")

    assert (answer.status, answer.body) == (200, b"")
    assert plex.key_of("/media/new/a.mp4") in listed(plex)
    assert plex.scans == (("2", ""), ("1", "/media/old"), ("1", "/media/new"))


def test_merged_items_are_versions_and_split_ones_items() -> None:
    """Rating keys vanish by a merge; a split makes new ones."""
    plex = make_plex(make_video(10), make_video(11))

    plex.merge("10", "11")
    assert listed(plex) == ["10"]
    assert plex.dump()["10"]["files"] == ("/media/clip10.mp4", "/media/clip11.mp4")

    (new,) = plex.split("10")

    assert set(listed(plex)) == {"10", new}
    assert new != "11"
    assert plex.dump()[new]["files"] == ("/media/clip11.mp4",)


def test_merge_and_split_by_request_do_the_same() -> None:
    """The two addresses plexapi uses."""
    plex = make_plex(make_video(10), make_video(11))

    put(plex, "/library/metadata/10/merge?ids=11")
    put(plex, "/library/metadata/10/split")

    assert len(listed(plex)) == 2


def test_new_items_get_keys_nobody_had() -> None:
    """A rating key is never used twice, not even that of a removed item."""
    plex = make_plex(make_video(10))
    plex.remove_item("10")

    assert int(plex.add_item(make_video(0))) > 2010


def test_an_episode_added_later_joins_its_show() -> None:
    """No second show of the same name is made."""
    plex = make_plex(make_episode(30))

    plex.add_item(make_episode(31))

    kinds = [entry["type"] for entry in plex.dump().values()]
    assert (kinds.count("show"), kinds.count("season"), kinds.count("episode")) == (1, 1, 2)


def test_updated_after_finds_exactly_what_changed() -> None:
    """The filter an index is kept fresh with is strict: newer, not as new."""
    plex = make_plex(make_video(10), make_video(11))
    newest = 1_740_000_011

    assert listed(plex, f"{LISTING}&updatedAt>>={newest}") == []
    plex.edit_by_hand("10", {"title": "New"})
    assert listed(plex, f"{LISTING}&updatedAt>>={newest}") == ["10"]


def test_the_clock_is_an_argument() -> None:
    """Times written are the clock's."""
    plex = make_plex(make_video(10), now=lambda: 1_800_000_000)

    plex.edit_by_hand("10", {"title": "New"})

    assert plex.dump(clocks=True)["10"]["updated_at"] == 1_800_000_000


def test_dumps_compare_by_value() -> None:
    """A change and its reverse leave no trace but clocks."""
    plex = make_plex(make_film(20))
    before = plex.dump()

    put(plex, "/library/sections/2/all?type=1&id=20&title.value=New&title.locked=0")
    assert plex.dump() != before
    put(plex, "/library/sections/2/all?type=1&id=20&title.value=Clip%2020&title.locked=1")

    assert plex.dump() == before


def test_a_dump_does_not_change_with_the_server() -> None:
    """It is a copy."""
    plex = make_plex(make_film(20))
    before = plex.dump()

    plex.edit_by_hand("20", {"title": "New", "genre": ["X"]})

    assert before["20"]["fields"] != plex.dump()["20"]["fields"]


def test_many_threads_can_edit_at_once() -> None:
    """Nothing is lost: eight threads add their own tags to one item."""
    plex = make_plex(make_video(10))

    def add(thread: int) -> None:
        for number in range(20):
            put(plex, f"/library/metadata/10?genre%5B0%5D.tag.tag=T{thread}-{number}")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (entry,) = ask_json(plex, "/library/metadata/10")["Metadata"]
    assert len(entry["Genre"]) == 160
    assert len(plex.writes) == 160


def test_an_unknown_item_is_a_test_mistake() -> None:
    """Methods for tests do not forgive a wrong key."""
    plex = make_plex(make_video(10))

    with pytest.raises(KeyError):
        plex.edit_by_hand("99", {"title": "x"})
    with pytest.raises(KeyError):
        plex.key_of("/nowhere")
