"""What the simulated Plex server answers to reads: the awkwardness of docs/plex-api.md 8."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from plexsync.simulators.library.records import PlexPart
from tests.support.plex_factories import (
    ask,
    ask_json,
    ask_xml,
    every_page,
    make_episode,
    make_film,
    make_media,
    make_plex,
    make_video,
    put,
)

ALL = "/library/sections/1/all?type=1"
PAGED = "X-Plex-Container-Start=0&X-Plex-Container-Size=100"


def titles(container: dict[str, Any]) -> list[str]:
    """The titles of a listing."""
    return [entry["title"] for entry in container.get("Metadata", ())]


def test_a_page_by_query_says_how_many_there_are() -> None:
    """Start and size in the query cut a page; totalSize and offset place it."""
    plex = make_plex(*(make_video(key) for key in range(10, 15)))

    page = ask_json(plex, f"{ALL}&sort=id&X-Plex-Container-Start=3&X-Plex-Container-Size=10")

    assert (page["size"], page["totalSize"], page["offset"]) == (2, 5, 3)
    assert titles(page) == ["Clip 13", "Clip 14"]


def test_a_page_by_header_is_the_same() -> None:
    """The two paging words are taken from headers too, and repeated in the answer's."""
    plex = make_plex(*(make_video(key) for key in range(10, 15)))

    answer = ask(
        plex,
        f"{ALL}&sort=id",
        headers=(("X-Plex-Container-Start", "1"), ("X-Plex-Container-Size", "2")),
    )

    assert answer.body.count(b"<Video ") == 2
    assert ("X-Plex-Container-Start", "1") in answer.headers
    assert ("X-Plex-Container-Total-Size", "5") in answer.headers


def test_a_page_of_nothing_only_counts() -> None:
    """Size 0 gives totalSize and no items."""
    plex = make_plex(make_video(10), make_video(11))

    page = ask_json(plex, f"{ALL}&X-Plex-Container-Size=0")

    assert (page["size"], page["totalSize"], page.get("Metadata")) == (0, 2, None)


def test_an_unpaged_listing_has_no_total_and_is_noted() -> None:
    """Who asks for no page gets everything, without totalSize; careful clients do not."""
    plex = make_plex(make_video(10), make_video(11))

    page = ask_json(plex, ALL)

    assert "totalSize" not in page
    assert page["size"] == 2
    assert plex.misdeeds.unpaged_listings == 1


def test_an_unpaged_listing_can_be_refused() -> None:
    """Newer servers may answer 400 to a listing without a container size."""
    plex = make_plex(make_video(10))
    plex.switches.require_container_size = True

    assert ask(plex, ALL).status == 400
    assert ask(plex, f"{ALL}&X-Plex-Container-Size=1").status == 200


def test_a_page_may_hold_fewer_than_asked() -> None:
    """A capped server never fills the page; all items still come, page by page."""
    plex = make_plex(*(make_video(key) for key in range(10, 17)))
    plex.switches.page_cap = 3

    first = ask_json(plex, f"{ALL}&{PAGED}")
    items = every_page(
        lambda start: ask_json(
            plex, f"{ALL}&X-Plex-Container-Start={start}&X-Plex-Container-Size=100"
        )
    )

    assert (first["size"], first["totalSize"]) == (3, 7)
    assert len(items) == 7


def test_a_library_can_change_between_two_pages() -> None:
    """An item removed while the library is read shifts the rest, so that one is skipped."""
    plex = make_plex(*(make_video(key) for key in range(10, 16)))
    plex.before("plex.listing", 2, lambda: plex.remove_item("10"))

    items = every_page(
        lambda start: ask_json(
            plex, f"{ALL}&sort=id&X-Plex-Container-Start={start}&X-Plex-Container-Size=3"
        )
    )

    assert [item["ratingKey"] for item in items] == ["10", "11", "12", "14", "15"]


def test_a_listing_cuts_tag_lists_short() -> None:
    """Two genres, three actors, no labels, no locks, and names alone. Section 8, item 2."""
    plex = make_plex(make_film(20))

    (entry,) = ask_json(plex, f"/library/sections/2/all?{PAGED}")["Metadata"]

    assert entry["Genre"] == [{"tag": "Drama"}, {"tag": "Comedy"}]
    assert [role["tag"] for role in entry["Role"]] == ["Ann", "Bo", "Cy"]
    assert [writer["tag"] for writer in entry["Writer"]] == ["Flo", "Gus"]
    assert {"Label", "Field", "Producer"}.isdisjoint(entry)
    assert "librarySectionID" not in entry


def test_a_detail_has_all_tags_with_ids_and_locks() -> None:
    """What a listing leaves out stands in the detail, and so does the library."""
    plex = make_plex(make_film(20))

    (entry,) = ask_json(plex, "/library/metadata/20")["Metadata"]

    assert [genre["tag"] for genre in entry["Genre"]] == ["Drama", "Comedy", "Crime", "Noir"]
    assert all(genre["filter"] == f"genre={genre['id']}" for genre in entry["Genre"])
    assert entry["Role"][0]["role"] == "Herself"
    assert entry["Label"][0]["tag"] == "Seen"
    assert entry["Field"] == [
        {"locked": True, "name": "genre"},
        {"locked": True, "name": "title"},
    ]
    assert (entry["librarySectionID"], entry["librarySectionTitle"]) == (2, "Movies")
    assert entry["Media"][0]["Part"][0]["Stream"][0]["streamType"] == 1


def test_what_is_empty_is_absent_but_the_summary() -> None:
    """An unset studio has no attribute; an unset summary is an empty one."""
    plex = make_plex(make_video(10))

    (entry,) = ask_json(plex, f"{ALL}&{PAGED}")["Metadata"]

    assert entry["summary"] == ""
    assert {"studio", "tagline", "userRating", "deletedAt", "Genre", "titleSort"}.isdisjoint(entry)


def test_a_leading_article_gives_a_sort_title() -> None:
    """Plex sorts without it and says so, as recorded for several films."""
    plex = make_plex(make_video(10, title="The Lake"))

    (entry,) = ask_json(plex, f"{ALL}&{PAGED}")["Metadata"]

    assert entry["titleSort"] == "Lake"


def test_a_personal_video_is_a_clip_and_a_film_is_not() -> None:
    """Items of an Other Videos library carry a subtype and a guid of no agent."""
    plex = make_plex(make_video(10), make_film(20))

    (clip,) = ask_json(plex, f"{ALL}&{PAGED}")["Metadata"]
    (film,) = ask_json(plex, f"/library/sections/2/all?{PAGED}")["Metadata"]

    assert (clip["type"], clip["subtype"]) == ("movie", "clip")
    assert clip["guid"].startswith("com.plexapp.agents.none://")
    assert "subtype" not in film


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("nonsense=1", [10, 11, 12]),
        ("updatedAt>>=1740000011", [12]),
        ("updatedAt>>==1740000011", [10, 11, 12]),
        ("addedAt<<=2000000000", [10, 11, 12]),
        ("id=10,12", [10, 12]),
        ("id!=10", [11, 12]),
        ("title=clip 11", [11]),
        ("title==clip", []),
        ("title==Clip 12", [12]),
        ("title=clip 11,clip 12", [11, 12]),
        ("title=clip 11,", [10, 11, 12]),
        ("title!=clip 11", [10, 12]),
        ("title<=clip", [10, 11, 12]),
        ("title>=2", [12]),
        ("mediaSize=1000011", [11]),
        ("genre=outdoor", [12]),
        ("file=clip11.mp4", [11]),
        ("file=clip11.mp4,clip12.mp4", [11, 12]),
        ("file=clip99.mp4", []),
        ("year>=2025", []),
        ("limit=1", [10]),
    ],
)
def test_filters_select_what_plex_would(query: str, found: list[int]) -> None:
    """Known filters select, a comma is "or", and everything else is ignored. Section 3."""
    plex = make_plex(make_video(10), make_video(11), make_video(12, genres=("Outdoor",)))

    page = ask_json(plex, f"{ALL}&sort=id&{PAGED}&{query}")

    assert [int(entry["ratingKey"]) for entry in page.get("Metadata", ())] == found


def test_a_file_filter_without_a_type_is_a_500() -> None:
    """`file=` needs `type=`."""
    plex = make_plex(make_video(10))

    assert ask(plex, f"/library/sections/1/all?file=clip&{PAGED}").status == 500


def test_a_full_path_finds_the_whole_folder_of_episodes() -> None:
    """In a show library the file filter takes a folder for a hit."""
    plex = make_plex(make_episode(30), make_episode(31))

    page = ask_json(plex, f"/library/sections/3/all?type=4&file=/tv/Show/S01/e30.mkv&{PAGED}")

    assert page["totalSize"] == 2


def test_a_type_the_library_has_not_is_an_empty_listing() -> None:
    """Asking a movie library for episodes, or for numbers of no type, finds nothing."""
    plex = make_plex(make_video(10))

    assert ask_json(plex, f"/library/sections/1/all?type=4&{PAGED}")["totalSize"] == 0
    assert ask_json(plex, f"/library/sections/1/all?type=99&{PAGED}")["totalSize"] == 0


def test_sorting_takes_several_keys_and_both_directions() -> None:
    """Unknown keys are ignored; ties go by rating key."""
    plex = make_plex(
        make_video(10, added_at=5), make_video(11, added_at=7), make_video(12, added_at=7)
    )

    page = ask_json(plex, f"{ALL}&sort=addedAt:desc,nonsense&{PAGED}")

    assert [entry["ratingKey"] for entry in page["Metadata"]] == ["11", "12", "10"]


def test_a_show_library_lists_shows_seasons_and_episodes() -> None:
    """The three types nest, and an episode names its parents."""
    plex = make_plex(make_episode(30), make_episode(31, season=2))

    shows = ask_json(plex, f"/library/sections/3/all?{PAGED}")["Metadata"]
    episodes = ask_json(plex, f"/library/sections/3/all?type=4&{PAGED}")["Metadata"]

    assert [(show["type"], show["leafCount"], show["childCount"]) for show in shows] == [
        ("show", 2, 2)
    ]
    assert [episode["parentTitle"] for episode in episodes] == ["Season 1", "Season 2"]
    assert episodes[0]["grandparentTitle"] == "Show"
    assert episodes[0]["grandparentRatingKey"] == shows[0]["ratingKey"]


def test_hints_leave_out_what_they_name() -> None:
    """ExcludeElements and excludeFields slim a listing; fields it does not know stay."""
    plex = make_plex(make_film(20))

    (entry,) = ask_json(
        plex,
        f"/library/sections/2/all?{PAGED}&excludeElements=Genre,Role,Image"
        "&excludeFields=summary,tagline,title",
    )["Metadata"]

    assert {"Genre", "Role", "Image", "summary", "tagline"}.isdisjoint(entry)
    assert {"title", "Media", "Director"} <= entry.keys()


def test_guids_come_when_asked_for() -> None:
    """External ids are children of matched items, with includeGuids=1 only."""
    plex = make_plex(make_film(20))
    listing = f"/library/sections/2/all?{PAGED}"

    assert "Guid" not in ask_json(plex, listing)["Metadata"][0]
    assert ask_json(plex, f"{listing}&includeGuids=1")["Metadata"][0]["Guid"]


def test_details_leave_out_what_is_gone() -> None:
    """Of several ids the vanished ones are missing; when all are, it is a 404."""
    plex = make_plex(make_video(10), make_video(11))

    found = ask_json(plex, "/library/metadata/11,99,10")

    assert [entry["ratingKey"] for entry in found["Metadata"]] == ["11", "10"]
    assert found["size"] == 2
    assert ask(plex, "/library/metadata/98,99").status == 404


def test_details_of_nothing_can_be_an_empty_container() -> None:
    """Nobody knows whether real servers say 404 or nothing, so both can be had."""
    plex = make_plex(make_video(10))
    plex.switches.missing_is_empty = True

    found = ask_json(plex, "/library/metadata/98,99")

    assert (found["size"], found.get("Metadata")) == (0, None)


def test_details_of_several_libraries_name_none_on_the_container() -> None:
    """The container names the library all items share; each item names its own."""
    plex = make_plex(make_video(10), make_film(20))

    found = ask_json(plex, "/library/metadata/10,20")

    assert "librarySectionID" not in found
    assert [entry["librarySectionID"] for entry in found["Metadata"]] == [1, 2]


def test_a_missing_file_shows_only_when_files_are_checked() -> None:
    """An unmounted disk is invisible without checkFiles=1."""
    part = PlexPart(id=1, file="/media/a.mp4", size=5, duration_ms=5, exists=False)
    plex = make_plex(make_video(10, media=(make_media(10, "", parts=(part,)),)))

    (plain,) = ask_json(plex, "/library/metadata/10")["Metadata"]
    (checked,) = ask_json(plex, "/library/metadata/10?checkFiles=1")["Metadata"]

    assert "exists" not in plain["Media"][0]["Part"][0]
    assert checked["Media"][0]["Part"][0]["exists"] is False


def test_versions_stacks_and_optimised_copies_are_kept_apart() -> None:
    """Several Media are versions, several Part a stack, proxyType 42 an optimised copy."""
    stack = make_media(10, "/media/a1.mp4")
    stack = replace(
        stack, parts=(*stack.parts, replace(stack.parts[0], id=9, file="/media/a2.mp4"))
    )
    optimised = make_media(11, "/media/Plex Versions/a.mp4", optimized=True)
    plex = make_plex(make_video(10, media=(stack, optimised)), make_video(12, media=()))

    versions, none = ask_json(plex, f"{ALL}&sort=id&{PAGED}")["Metadata"]

    assert [len(media["Part"]) for media in versions["Media"]] == [2, 1]
    assert [media.get("proxyType") for media in versions["Media"]] == [None, 42]
    assert {"Media", "duration"}.isdisjoint(none)


def test_what_was_not_analysed_has_no_duration() -> None:
    """A new file lacks duration and size of the picture."""
    media = make_media(10, "/media/a.mp4", duration_ms=None, width=None, height=None, bitrate=None)
    media = replace(media, parts=(replace(media.parts[0], duration_ms=None, oshash=None),))
    plex = make_plex(make_video(10, media=(media,)))

    (entry,) = ask_json(plex, f"{ALL}&{PAGED}")["Metadata"]

    assert {"duration", "width", "aspectRatio", "bitrate"}.isdisjoint(entry["Media"][0])
    assert "duration" not in entry


@pytest.mark.parametrize(
    "path",
    [
        "C:\\Videos\\a.mp4",
        "\\\\nas\\share\\a.mp4",
        "\\\\?\\C:\\long\\a.mp4",
        '/media/A & B/"quoted" <it\'s>.mp4',
        "/media/e\u0301te\u0301.mp4",
        "/media/\U0001f3d6 beach.mp4",
    ],
)
def test_paths_survive_both_forms(path: str) -> None:
    """Windows, UNC, long, quoted, decomposed and emoji paths read back as they are."""
    plex = make_plex(make_video(10, media=(make_media(10, path),)))

    (entry,) = ask_json(plex, f"{ALL}&{PAGED}")["Metadata"]
    part = ask_xml(plex, f"{ALL}&{PAGED}").find("./Video/Media/Part")

    assert entry["Media"][0]["Part"][0]["file"] == path
    assert part is not None
    assert part.get("file") == path


def test_a_control_character_breaks_xml_but_not_json() -> None:
    """XML carries it raw, which no parser takes; JSON escapes it."""
    plex = make_plex(make_video(10, title="bad\x0btitle"))

    assert b"bad\x0btitle" in ask(plex, f"{ALL}&{PAGED}").body
    assert titles(ask_json(plex, f"{ALL}&{PAGED}")) == ["bad\x0btitle"]


def test_a_line_break_survives_xml() -> None:
    """A summary's line break is written as a character reference."""
    plex = make_plex(make_video(10, summary="one\ntwo"))

    video = ask_xml(plex, f"{ALL}&{PAGED}").find("./Video")

    assert video is not None
    assert video.get("summary") == "one\ntwo"


def test_the_tree_shows_hashes_of_analysed_files() -> None:
    """OpenSubtitleHash is sixteen hex digits; a file that was not analysed has none."""
    plex = make_plex(make_video(10), make_video(11))
    plex.set_hash("11", None)

    (known,) = ask_json(plex, "/library/metadata/10/tree")["MetadataItem"]
    (unknown,) = ask_json(plex, "/library/metadata/11/tree")["MetadataItem"]

    assert known["MediaItem"][0]["MediaPart"][0]["openSubtitleHash"] == "000000000000000a"
    assert len(known["MediaItem"][0]["MediaPart"][0]["hash"]) == 40
    assert {"openSubtitleHash", "hash"}.isdisjoint(unknown["MediaItem"][0]["MediaPart"][0])


def test_the_tree_of_a_show_holds_every_episode() -> None:
    """One call gives the hashes of a whole show."""
    plex = make_plex(make_episode(30), make_episode(31))
    show = next(key for key, entry in plex.dump().items() if entry["type"] == "show")

    tree = json.dumps(ask_json(plex, f"/library/metadata/{show}/tree"))

    assert tree.count("openSubtitleHash") == 2


def test_the_tree_of_several_items_can_be_refused() -> None:
    """Nobody has seen a tree of several ids; with the switch off it is a 404."""
    plex = make_plex(make_video(10), make_video(11))

    assert len(ask_json(plex, "/library/metadata/10,11/tree")["MetadataItem"]) == 2
    plex.switches.multi_id_tree = False
    assert ask(plex, "/library/metadata/10,11/tree").status == 404


def test_a_scan_shows_in_sections_and_activities() -> None:
    """A refreshing library says so in both places."""
    plex = make_plex(make_video(10))
    plex.set_refreshing(1, refreshing=True)

    sections = ask_json(plex, "/library/sections")["Directory"]
    (activity,) = ask_json(plex, "/activities")["Activity"]

    assert [section["refreshing"] for section in sections] == [True, False, False]
    assert activity["Context"] == [{"librarySectionID": 1}]


def test_kept_bytes_are_never_stale() -> None:
    """An item reads new after every way of changing it, in every form and view."""
    plex = make_plex(make_video(10), make_episode(30))
    plex_reads = [f"{ALL}&{PAGED}", "/library/metadata/10"]
    for target in plex_reads:
        assert titles(ask_json(plex, target)) == ["Clip 10"]

    put(plex, "/library/sections/1/all?type=1&id=10&title.value=New")

    assert [titles(ask_json(plex, target)) for target in plex_reads] == [["New"], ["New"]]


def test_a_renamed_show_is_renamed_on_its_episodes() -> None:
    """What an episode repeats of its parents is never stale."""
    plex = make_plex(make_episode(30))
    show = next(key for key, entry in plex.dump().items() if entry["type"] == "show")
    ask_json(plex, "/library/metadata/30")

    plex.edit_by_hand(show, {"title": "Other"})

    (entry,) = ask_json(plex, "/library/metadata/30")["Metadata"]
    assert entry["grandparentTitle"] == "Other"
