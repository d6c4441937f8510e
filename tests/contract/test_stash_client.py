"""The Stash client on the simulated Stash: what it reads, what it refuses, what it survives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import enumerate as enumerate_threads
from typing import TYPE_CHECKING

import pytest

from plexsync.config.values import stash_url
from plexsync.errors import (
    AuthError,
    BadResponseError,
    ParseError,
    ServerError,
    TransientError,
)
from plexsync.models import Scene, SceneFile, SceneId
from plexsync.simulators.http.wire import Cut, ErrorStatus, Hang, Reset, garbage, html
from plexsync.simulators.stash.simulator import resolver_failure
from plexsync.stash_client import Version
from plexsync.transport.client import AHEAD
from tests.support.stash_bench import KEY, make_file, make_library, make_scene, stash_bench

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.simulators.http.wire import Effect, SimRequest

VERSIONS = ["v0.27.0", "v0.28.1", "v0.29.0", "v0.30.1"]


def numbers(pages: Iterable[tuple[Scene, ...]]) -> list[int]:
    """The ids of all pages."""
    return [int(scene.scene_id) for page in pages for scene in page]


def ids(*values: int) -> tuple[SceneId, ...]:
    """Ids as the client takes them."""
    return tuple(SceneId(str(value)) for value in values)


# ---- connecting ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [*VERSIONS, "v0.30.1-19-gcf3489efd", ""])
def test_a_ready_stash_is_greeted(version: str) -> None:
    """One request tells version and identity, before anything needs the database."""
    with stash_bench(version=version) as bench:
        server = bench.client.connect()
        assert server.version.startswith(version[:5])
        assert server.url == bench.server.url
        assert server.identity
        assert bench.asked == 1


@pytest.mark.parametrize("version", ["v0.24.3", "v0.25.1", "v0.26.2"])
def test_an_old_stash_is_refused(version: str) -> None:
    """Below v0.27.0 the queries would not be understood; the hint says what to do."""
    with stash_bench(version=version) as bench:
        with pytest.raises(ServerError, match="too old") as caught:
            bench.client.connect()
        assert "v0.27.0" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "words"), [("SETUP", "not set up"), ("NEEDS_MIGRATION", "migrated")]
)
def test_a_stash_that_is_not_ready_is_refused(status: str, words: str) -> None:
    """The person is sent to the page where Stash can be made ready; nothing is retried."""
    with stash_bench() as bench:
        bench.simulator.facts.status = status
        with pytest.raises(ServerError, match=words) as caught:
            bench.client.connect()
        assert bench.server.url in caught.value.hint
        assert caught.value.exit_code == 4
        assert bench.asked == 1


def test_a_migration_in_the_middle_is_no_empty_library() -> None:
    """Without its database Stash answers 200 with an error; that is tried again, then reported."""
    with stash_bench(sockets=False) as bench:  # where no page is asked for ahead
        pages = bench.client.sweep()
        next(pages)
        bench.simulator.facts.status = "NEEDS_MIGRATION"
        with pytest.raises(TransientError, match="not ready"):
            next(pages)
        assert bench.asked == 1 + 3


@pytest.mark.parametrize(
    ("server_key", "key", "words"),
    [
        ("right", "wrong", "copy the key"),
        ("", "any", "remove [stash] api_key"),
        ("right", "", "put it into [stash] api_key"),
    ],
    ids=["wrong key", "key for a keyless server", "no key"],
)
def test_a_refused_key_says_what_to_do(server_key: str, key: str, words: str) -> None:
    """401 has three reasons; the hint covers the one at hand."""
    with stash_bench(server_key=server_key, key=key) as bench:
        with pytest.raises(AuthError) as caught:
            bench.client.connect()
        assert words in caught.value.hint
        assert key == "" or key not in f"{caught.value}{caught.value.hint}"


def test_a_keyless_stash_needs_no_key() -> None:
    """No header is sent at all, because any would be refused."""
    with stash_bench(server_key="", key="") as bench:
        assert bench.client.connect().version == "v0.30.1"


def test_the_tripwire_has_its_own_message() -> None:
    """A Stash that locked itself says so with a 403."""
    with stash_bench() as bench:
        bench.simulator.tripwire = True
        with pytest.raises(AuthError, match="exposed to the internet"):
            bench.client.connect()


@pytest.mark.parametrize("suffix", ["", "/", "/graphql", "/graphql/"])
def test_the_address_may_be_written_several_ways(suffix: str) -> None:
    """With or without /graphql and slashes it is one address, also for people."""
    with stash_bench(suffix=suffix) as bench:
        assert bench.client.count() == 12
        assert bench.client.scene_url(SceneId("7")) == f"{bench.server.url}/scenes/7"


def test_a_sub_path_is_kept() -> None:
    """A Stash behind a proxy may live below a path."""
    with stash_bench(suffix="/stash/graphql") as bench:
        bench.simulator.prefix = "/stash"
        assert bench.client.count() == 12
        detail = bench.client.details(ids(1)).found[0]
        assert detail.cover_path.startswith("/scene/1/screenshot")


@pytest.mark.parametrize("url", ["localhost:9999", "", "//host", "stash.example/graphql"])
def test_an_address_without_a_scheme_is_a_configuration_error(url: str) -> None:
    """The usual slip is named, with an example."""
    with pytest.raises(ParseError) as caught:
        stash_url(url)
    assert "http://" in caught.value.hint


def test_a_web_page_is_no_answer() -> None:
    """A wrong sub-path answers 200 with Stash's own page, also to POST."""
    with stash_bench(suffix="/typo") as bench, pytest.raises(BadResponseError, match="web page"):
        bench.client.connect()


# ---- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scenes", [0, 1, 10, 12])
def test_every_scene_is_seen_once_in_order(version: str, scenes: int) -> None:
    """Whatever the number of scenes is to the page size, none is skipped or repeated."""
    with stash_bench(make_library(scenes), version=version) as bench:
        assert numbers(bench.client.sweep()) == list(range(1, scenes + 1))
        versions = [one for page in bench.client.versions() for one in page]
        expected = [
            Version(SceneId(str(s.id)), s.updated_at) for s in bench.simulator.dump().scenes
        ]
        assert versions == expected
        assert bench.client.count() == scenes
        assert bench.client.poisoned == ()


def test_a_walk_takes_a_request_a_page() -> None:
    """12 scenes in pages of 5 are three requests, the short one being the last."""
    with stash_bench() as bench:
        list(bench.client.versions())
        assert bench.asked == 3


def test_an_edit_is_judged_by_the_clock_of_the_page_it_came_with() -> None:
    """The next page, which is there before this one is done with, tells a later time."""
    asked: list[SimRequest] = []
    noon = datetime(2025, 3, 1, 12, tzinfo=UTC)
    with stash_bench() as bench:
        bench.server.wired.on_request = asked.append
        bench.simulator.clock = lambda: noon + timedelta(minutes=len(asked))
        pages = bench.client.sweep()
        next(pages)
        for thread in enumerate_threads():
            if thread.name == AHEAD:
                thread.join()
        assert len(asked) == 2
        edited = (noon + timedelta(seconds=58)).isoformat()
        assert not bench.client.is_settled(edited)
        assert numbers(pages) == [6, 7, 8, 9, 10, 11, 12]
        assert bench.client.is_settled(edited)


def test_changes_between_pages_neither_skip_nor_repeat() -> None:
    """Scenes deleted, edited and added during a walk leave the others in place."""
    with stash_bench(sockets=False) as bench:  # where no page is asked for ahead
        pages = bench.client.sweep()
        seen = [int(scene.scene_id) for scene in next(pages)]
        bench.simulator.delete_scene(2)
        bench.simulator.delete_scene(8)
        bench.simulator.edit_scene(1)
        added = bench.simulator.create_scene(title="new")
        assert seen + numbers(pages) == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, added]


def test_versions_tell_what_is_organized_when_asked() -> None:
    """Every scene comes either way, for who is not listed would be gone."""
    library = make_library(5, odd_scenes=(make_scene(6, organized=True, file_ids=()),))
    with stash_bench(library) as bench:
        plain = [one.organized for page in bench.client.versions() for one in page]
        asked = [one for page in bench.client.versions(with_organized=True) for one in page]
    assert plain == [True] * 6
    assert [one.scene_id for one in asked if one.organized] == ["6"]
    assert len(asked) == 6


def test_a_sweep_reads_what_matching_needs() -> None:
    """Title, date, files in order, and tags only if they were asked for."""
    file = make_file(50, folder_id=2, basename="a b.mp4", width=1280, height=720)
    unset = make_file(51, size=-1, duration=-1.0, oshash=None, width=-1, height=-1)
    odd = make_scene(50, title="", date="2024-05", file_ids=(50, 51), tag_ids=(1, 2))
    library = make_library(0, odd_scenes=(odd,), odd_files=(file, unset))
    with stash_bench(library) as bench:
        (plain,) = next(bench.client.sweep())
        (tagged,) = next(bench.client.sweep(with_relations=True))
    assert plain == Scene(
        scene_id=SceneId("50"),
        updated_at=odd.updated_at,
        date="2024-05",
        files=(
            SceneFile(
                path="D:\\Videos\\a b.mp4",
                size_bytes=1_000_050,
                duration_s=650.5,
                width=1280,
                height=720,
                oshash=0xABC + 50,
            ),
            SceneFile(path="/data/scenes/scene 51.mp4"),
        ),
    )
    assert sorted(tagged.shows) == ["t1", "t2"]
    assert tagged.filled == ("date", "tags")


# ---- by ids --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("compiled", [True, False], ids=["fast", "reference"])
def test_details_are_everything_a_scene_says(version: str, compiled: bool) -> None:
    """Studio with parents, groups, people, tags, files and cover; two engines agree."""
    scene = make_scene(
        1,
        code="C-1",
        details="two\nlines",
        director="Dee",
        date="2024-05-01",
        rating100=80,
        urls=("https://example.com/1",),
        studio_id=2,
        performer_ids=(1, 2),
        tag_ids=(1, 2),
        groups=((1, None),),
    )
    library = make_library(0, odd_scenes=(scene,), odd_files=(make_file(1),))
    with stash_bench(library, version=version, compiled=compiled) as bench:
        detail = bench.client.details(ids(1)).found[0]
        assert (detail.code, detail.details, detail.director) == ("C-1", "two\nlines", "Dee")
        assert (detail.date, detail.rating100) == ("2024-05-01", 80)
        assert detail.urls == ("https://example.com/1",)
        assert detail.studios == ("Child", "Parent")
        assert detail.groups == ("Group One",)
        assert set(detail.performers) == {"Ann Example", "Bo Example"}
        assert set(detail.tags) == {"Outdoor", "Day"}
        assert detail.files[0].path == "/data/scenes/scene 1.mp4"
        assert detail.cover_path.startswith("/scene/1/screenshot?t=")
        assert KEY not in repr(detail)


def test_scenes_and_details_tell_of_the_same_scene() -> None:
    """The narrow and the wide read agree where they overlap."""
    with stash_bench() as bench:
        wanted = ids(*range(1, 13))
        narrow = bench.client.scenes(wanted, with_relations=True).found
        wide = bench.client.details(wanted).found
        assert [s.scene_id for s in narrow] == list(wanted)
        for scene, detail in zip(narrow, wide, strict=True):
            assert (scene.title, scene.updated_at) == (detail.title, detail.updated_at)
            assert scene.files == detail.files
            assert set(scene.shows) <= detail.related.keys()


def test_no_ids_ask_nothing() -> None:
    """An empty list would mean "no ids" to Stash, and the first 25 scenes to us."""
    with stash_bench() as bench:
        assert bench.client.details(()).found == ()
        assert bench.asked == 0


def test_ids_are_asked_for_once() -> None:
    """Stash refuses duplicates."""
    with stash_bench() as bench:
        assert len(bench.client.details(ids(3, 1, 3, 1)).found) == 2
        assert bench.asked == 1


def test_what_is_no_id_is_missing() -> None:
    """Text a person typed is not sent, for it would fail the scenes around it."""
    with stash_bench() as bench:
        fetched = bench.client.scenes((SceneId("abc"), SceneId("2"), SceneId("007")))
        assert [scene.scene_id for scene in fetched.found] == ["2"]
        assert fetched.missing == ("abc", "007")


def test_scenes_deleted_after_the_list_are_missing() -> None:
    """Each one fails its query by name; the rest is asked for again without it."""
    with stash_bench() as bench:
        wanted = [one.scene_id for page in bench.client.versions() for one in page]
        bench.simulator.delete_scene(3)
        bench.simulator.delete_scene(4)
        bench.simulator.delete_scene(12)
        fetched = bench.client.details(wanted)
        assert set(fetched.missing) == set(ids(3, 4, 12))
        assert [int(d.scene_id) for d in fetched.found] == [1, 2, 5, 6, 7, 8, 9, 10, 11]
        assert fetched.poisoned == ()


# ---- poison --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [1, 5, 6, 12])
def test_a_poisoned_scene_is_named_and_the_rest_is_read(bad: int) -> None:
    """Halving finds the bad row, wherever it lies in its page."""
    with stash_bench() as bench:
        bench.simulator.poison(bad)
        fetched = bench.client.details(ids(*range(1, 13)))
        assert [int(d.scene_id) for d in fetched.found] == [n for n in range(1, 13) if n != bad]
        assert [scene_id for scene_id, _ in fetched.poisoned] == [str(bad)]
        assert f"scene id {bad}" in fetched.poisoned[0][1]
        assert bench.client.poisoned == fetched.poisoned


def test_a_poisoned_scene_does_not_end_a_walk() -> None:
    """A sweep goes on behind it, and the client remembers it; versions still list it."""
    with stash_bench() as bench:
        bench.simulator.poison(7)
        bench.simulator.poison(12)
        assert numbers(bench.client.sweep()) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
        assert [scene_id for scene_id, _ in bench.client.poisoned] == ["7", "12"]
        versions = {v.scene_id: v.updated_at for page in bench.client.versions() for v in page}
        assert sorted(map(int, versions)) == list(range(1, 13))
        assert [scene_id for scene_id, text in versions.items() if not text] == ["7", "12"]


def test_a_question_stash_does_not_understand_is_reported_as_such() -> None:
    """A refused query is a 422 that explains itself, and no reason to ask again."""
    with stash_bench(version="v0.26.2") as bench:
        with pytest.raises(BadResponseError, match="does not understand") as caught:
            bench.client.details(ids(1))
        assert "v0.27.0" in caught.value.hint
        assert bench.asked == 1


# ---- faults in the middle ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effect",
    [
        Reset(),
        Cut(),
        Cut(chunked=True),
        ErrorStatus(502),
        html(503),
        garbage(),
        resolver_failure("database is locked"),
        resolver_failure("beginning transaction: context canceled"),
        resolver_failure("tag with id 3 not found"),
    ],
    ids=lambda effect: str(effect)[:60],
)
def test_a_passing_fault_in_the_middle_is_survived(effect: Effect) -> None:
    """One failure at the second page costs one retry and no scene."""
    with stash_bench() as bench:
        bench.strike(effect, nth=2)
        assert numbers(bench.client.sweep()) == list(range(1, 13))
        assert bench.asked == 4


@pytest.mark.parametrize(
    "effect", [ErrorStatus(503), html(200), garbage(), ErrorStatus(401)], ids=str
)
def test_a_lasting_fault_in_the_middle_is_an_error(effect: Effect) -> None:
    """What was read before is not taken for the whole."""
    with stash_bench() as bench:
        bench.strike(*[effect] * 3, nth=2)
        pages = bench.client.sweep()
        next(pages)
        with pytest.raises(ServerError):
            list(pages)


def test_a_slow_batch_becomes_two() -> None:
    """What does not come in time is asked for in halves, and stays halved."""
    with stash_bench(sockets=False) as bench:
        bench.strike(Hang())
        fetched = bench.client.details(ids(1, 2, 3, 4))
        assert [int(d.scene_id) for d in fetched.found] == [1, 2, 3, 4]
        assert bench.asked == 3
        bench.client.details(ids(1, 2, 3, 4))
        assert bench.asked == 3 + 2


def test_nothing_is_written() -> None:
    """Every request is a query and counts as a read."""
    with stash_bench() as bench:
        bench.client.connect()
        list(bench.client.sweep())
        assert bench.transport.writes == 0
        assert bench.transport.reads == bench.asked == 4


def test_the_key_stays_out_of_every_request_line() -> None:
    """It travels as a header and nowhere else."""
    with stash_bench() as bench:
        bench.client.connect()
        bench.client.details(ids(1, 2))
        assert all(KEY not in target for target in bench.server.wired.counters.targets)
