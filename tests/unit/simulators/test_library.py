"""The generated pairs of libraries: same seed, same library, and the truth is true."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from plexsync.simulators.library.pairs import (
    DEFAULT_MIX,
    LATE_EDIT,
    PLEX_EDIT,
    Case,
    Library,
    LibrarySpec,
    PlexVideo,
    StashFile,
    StashScene,
    demo_library,
    make_library,
)


def _one_case(case: Case, scenes: int = 20) -> Library:
    return make_library(LibrarySpec(seed=7, scenes=scenes, mix={case: 1.0}, edited=0))


def _files(library: Library, scene: StashScene) -> list[StashFile]:
    by_id = {file.id: file for file in library.stash.files}
    return [by_id[file_id] for file_id in scene.file_ids]


def _path(library: Library, file: StashFile) -> str:
    folder = next(f for f in library.stash.folders if f.id == file.folder_id)
    return folder.path + folder.separator + file.basename


def _items(library: Library, scene: StashScene) -> list[PlexVideo]:
    keys = library.truth[str(scene.id)]
    by_key = {str(video.rating_key): video for video in library.plex.videos}
    return [by_key[key] for key in keys]


def _mapped(library: Library, path: str) -> str:
    stash, plex = next(rule for rule in library.path_rules if path.startswith(rule[0]))
    return plex + path.removeprefix(stash).replace("\\", "/")


def test_same_seed_same_library() -> None:
    """Two makings of one specification are equal, other seeds are not."""
    spec = LibrarySpec(seed=3, scenes=60, odd=True)

    assert make_library(spec) == make_library(spec)
    assert make_library(spec) != make_library(LibrarySpec(seed=4, scenes=60, odd=True))


@pytest.mark.parametrize("scenes", [0, 1, 10, 333])
def test_counts_are_exact(scenes: int) -> None:
    """As many scenes as asked for, each with a truth."""
    library = make_library(LibrarySpec(scenes=scenes))

    assert len(library.stash.scenes) == scenes
    assert list(library.truth) == [str(scene.id) for scene in library.stash.scenes]


def test_ids_paths_and_hashes_are_unique() -> None:
    """No two rows share an id, no two files a path; bytes differ but for duplicates."""
    library = make_library(LibrarySpec(scenes=800, mix={**DEFAULT_MIX, Case.DUPLICATE: 0}))
    parts = [p for v in library.plex.videos for m in v.media for p in m.parts]

    for ids in (
        [scene.id for scene in library.stash.scenes],
        [file.id for file in library.stash.files],
        [video.rating_key for video in library.plex.videos],
        [part.id for part in parts],
        [_path(library, file) for file in library.stash.files],
        [file.oshash for file in library.stash.files],
    ):
        assert len(set(ids)) == len(ids)


def test_truth_names_living_items_once() -> None:
    """Every linked item exists, is not in the trash, and belongs to one scene."""
    library = make_library(LibrarySpec(scenes=600))
    alive = {str(v.rating_key) for v in library.plex.videos if v.deleted_at is None}
    linked = Counter(key for keys in library.truth.values() for key in keys)

    assert set(linked) <= alive
    assert set(linked.values()) == {1}
    assert set(linked) < alive


@pytest.mark.parametrize(
    "case",
    [Case.SAME, Case.MOUNT, Case.WINDOWS, Case.GENERIC, Case.EPISODE, Case.TWO_ITEMS, Case.MOVED],
)
def test_rule_explains_the_path(case: Case) -> None:
    """Where a path rule holds, it leads from every file to its item's file."""
    library = _one_case(case)

    for scene in library.stash.scenes:
        paths = [_mapped(library, _path(library, file)) for file in _files(library, scene)]
        assert paths == [item.media[0].parts[0].file for item in _items(library, scene)]


def test_other_folder_keeps_only_the_name() -> None:
    """The base name agrees, the path under the rule does not."""
    library = _one_case(Case.FOLDER)

    for scene in library.stash.scenes:
        path = _path(library, _files(library, scene)[0])
        found = _items(library, scene)[0].media[0].parts[0].file
        assert found.rpartition("/")[2] == path.rpartition("/")[2]
        assert found != _mapped(library, path)


@pytest.mark.parametrize("case", [Case.RENAMED, Case.SAME, Case.DUPLICATE, Case.NFD])
def test_same_bytes_have_same_size_and_duration(case: Case) -> None:
    """Size is equal, Plex's duration within a few milliseconds, the hash equal where computed."""
    library = _one_case(case)

    for scene in library.stash.scenes:
        file, part = _files(library, scene)[0], _items(library, scene)[0].media[0].parts[0]
        assert part.size == file.size
        assert part.duration_ms == pytest.approx(file.duration * 1000, abs=6)
        assert part.oshash in (None, file.oshash)


def test_remuxed_file_differs_in_bytes_only_a_little() -> None:
    """Another container has another size and hash, and the same length."""
    library = _one_case(Case.REMUXED)

    for scene in library.stash.scenes:
        file, part = _files(library, scene)[0], _items(library, scene)[0].media[0].parts[0]
        assert part.oshash != file.oshash
        assert part.size != file.size
        assert part.duration_ms == pytest.approx(file.duration * 1000, abs=50)
        assert part.file.rpartition(".")[0].endswith(file.basename.rpartition(".")[0])


def test_decomposed_paths_differ_as_text_only() -> None:
    """NFD paths are other text that normalises to the rule's path."""
    library = _one_case(Case.NFD)

    for scene in library.stash.scenes:
        wanted = _mapped(library, _path(library, _files(library, scene)[0]))
        found = _items(library, scene)[0].media[0].parts[0].file
        assert found != wanted
        assert unicodedata.normalize("NFC", found) == wanted


@pytest.mark.parametrize("case", [Case.UNSCANNED, Case.DECOY])
def test_absent_videos_have_no_truth(case: Case) -> None:
    """A decoy has the base name of a scene's file but is another video."""
    library = _one_case(case)
    names = {v.media[0].parts[0].file.rpartition("/")[2]: v for v in library.plex.videos}

    assert set(library.truth.values()) == {()}
    for scene in library.stash.scenes:
        file = _files(library, scene)[0]
        assert (file.basename in names) == (case is Case.DECOY)
        if case is Case.DECOY:
            assert names[file.basename].media[0].parts[0].size != file.size


def test_versions_and_trash_and_unmeasured() -> None:
    """The remaining cases look as their names say."""
    versions = _one_case(Case.TWO_VERSIONS, 1)
    moved = _one_case(Case.MOVED, 1)
    unmeasured = _one_case(Case.NO_DURATION, 1)

    assert [len(v.media) for v in _items(versions, versions.stash.scenes[0])] == [2]
    assert sorted(v.deleted_at is None for v in moved.plex.videos) == [False, True]
    assert _items(unmeasured, unmeasured.stash.scenes[0])[0].media[0].duration_ms is None


def test_metadata_is_plausible() -> None:
    """Details, tags and performers have the sizes of a real library; time zones are mixed."""
    scenes = make_library(LibrarySpec(scenes=1000)).stash.scenes
    lengths = [len(scene.details) for scene in scenes]

    assert 400 <= sum(lengths) / len(lengths) <= 800
    assert all(1 <= len(scene.performer_ids) <= 4 for scene in scenes)
    assert all(1 <= len(scene.tag_ids) <= 15 for scene in scenes)
    assert {scene.updated_at[19:] for scene in scenes} == {"Z", "+01:00", "+02:00"}
    assert all(scene.created_at <= scene.updated_at for scene in scenes)


def test_odd_library_has_the_edge_cases() -> None:
    """Crowds, emptiness, missing numbers and hostile text are all there."""
    library = make_library(LibrarySpec(scenes=10, odd=True))
    scenes, files = library.stash.scenes, library.stash.files

    assert any(not scene.file_ids and scene.title for scene in scenes)
    assert any(len(scene.performer_ids) == 60 for scene in scenes)
    assert any(len(scene.tag_ids) == 300 for scene in scenes)
    assert any("\ud800" in scene.title for scene in scenes)
    assert any(file.size == -1 and file.duration == -1 for file in files)
    assert any("%" in file.basename and "_" in file.basename for file in files)
    assert {len(scene.file_ids) for scene in scenes} == {0, 1, 2, 3}
    assert all(0 < tag_id <= len(library.stash.tags) for s in scenes for tag_id in s.tag_ids)


def test_demo_shows_every_outcome() -> None:
    """One scene has two candidates, one has none, the planned edits meet what they name."""
    library = demo_library()
    counts = Counter(len(keys) for keys in library.truth.values())
    rival, other = _items(library, library.stash.scenes[6])

    assert counts == {0: 1, 1: 10, 2: 1}
    assert rival.media[0].parts[0].size == other.media[0].parts[0].size
    assert rival.media[0].parts[0].oshash is None
    assert library.truth[str(LATE_EDIT.scene_id)] != ()
    assert (str(PLEX_EDIT.rating_key),) == library.truth["10"]
