"""A sweep that brings scenes in full along, so that they are not read a second time."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from plexsync.models import SceneId
from plexsync.planning.participation import Participation
from plexsync.stash.paging import BELIEVED_S
from plexsync.stash_client import StashClient
from plexsync.state import load_state
from plexsync.sync.detection.detector import Detector
from tests.support.stash_bench import make_library, make_scene, stash_bench

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stash_bench import Bench

IDS = tuple(SceneId(str(number)) for number in range(1, 13))


def client_of(bench: Bench) -> StashClient:
    """A client with small pages and a clock of its own."""
    return StashClient(
        bench.transport,
        url=bench.server.url,
        sweep_size=5,
        detail_batch=5,
        monotonic=bench.clock.monotonic,
    )


def test_what_a_whole_sweep_brought_is_not_asked_for_again() -> None:
    """The scenes and all they say are as of two reads; one that is unknown is asked for."""
    with stash_bench() as bench:
        client = client_of(bench)
        plain = [scene for page in client.sweep(with_relations=True) for scene in page]
        details = client.details(IDS)

        whole = [scene for page in client.sweep(with_relations=True, whole=True) for scene in page]
        asked = bench.asked

        assert whole == plain
        assert client.details(IDS[::-1]).found == details.found[::-1]
        assert bench.asked == asked
        assert client.details((SceneId("99"),)).missing == (SceneId("99"),)


def test_a_second_read_is_a_fresh_one() -> None:
    """What was given out, what was looked at once more, and what is old."""
    with stash_bench() as bench:
        client = client_of(bench)
        list(client.sweep(whole=True))
        client.details(IDS[:1])
        client.scenes(IDS[1:2])
        for number in (1, 2, 3):
            bench.simulator.edit_scene(number, title="Another")

        (first, second, third) = client.details(IDS[:3]).found

        assert (first.title, second.title) == ("Another", "Another")
        assert third.title == "Scene 3"
        bench.clock.sleep(BELIEVED_S + 1)
        bench.simulator.edit_scene(4, title="Another")
        assert client.details(IDS[3:4]).found[0].title == "Another"


def test_a_scene_that_is_being_edited_is_read_again() -> None:
    """Another edit may hide behind its version."""
    edited = make_scene(50, updated_at="2026-11-29T12:00:00Z", file_ids=(1,))
    with stash_bench(make_library(2, odd_scenes=(edited,))) as bench:
        bench.simulator.clock = lambda: datetime(2026, 11, 29, 12, 0, 3, tzinfo=UTC)
        client = client_of(bench)
        list(client.sweep(whole=True))
        asked = bench.asked

        client.details((SceneId("1"), SceneId("50"), SceneId("2")))

        assert bench.asked == asked + 1


def test_a_scene_that_cannot_be_read_is_named_and_left_out() -> None:
    """As in every sweep."""
    with stash_bench() as bench:
        bench.simulator.poison(7)
        client = client_of(bench)

        swept = [scene.scene_id for page in client.sweep(whole=True) for scene in page]

        assert swept == [one for one in IDS if one != "7"]
        assert [scene_id for scene_id, _ in client.poisoned] == ["7"]


def test_without_a_place_for_temporary_files_they_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost but time."""
    with stash_bench() as bench:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        client = client_of(bench)
        list(client.sweep(whole=True))

        assert len(client.details(IDS).found) == len(IDS)


@pytest.mark.parametrize(("scenes", "asked"), [(999, 1), (1000, 0)])
def test_a_large_library_is_read_in_one_pass_where_everything_is_due(
    scenes: int, asked: int, tmp_path: Path
) -> None:
    """In a small one, and where little is due, what is written is read by itself."""
    with stash_bench(make_library(scenes), sockets=False) as bench:
        client = StashClient(bench.transport, url=bench.server.url)
        detector = Detector(
            stash=client,
            records=load_state(tmp_path),
            step=lambda _done: None,
            wait=lambda _seconds: None,
            participation=Participation(),
            sync_unversioned=True,
            every_scene=True,
            woken=False,
            now=datetime.now(UTC),
        )
        due = detector.everything().due
        before = bench.asked

        client.details([scene.scene_id for scene in due[:100]])

        assert (len(due), bench.asked - before) == (scenes, asked)
