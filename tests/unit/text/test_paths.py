r"""Paths: one canonical form per file, whatever system reported it; rules between two servers."""

from __future__ import annotations

import pytest

from plexsync.models import ItemKind, PathRule, PlexFile, PlexItem, RatingKey
from plexsync.text.normalize import (
    NormalizedPath,
    apply_rules,
    base_name,
    compile_rules,
    holds_file,
    is_windows_path,
    normalize_path,
    stem,
)
from tests.support.effort import calls_of

DECOMPOSED = "/data/Cafe\u0301.mp4"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        pytest.param("/data/a.mp4", "/data/a.mp4", id="plain"),
        pytest.param("/data//sub///a.mp4", "/data/sub/a.mp4", id="repeated slashes"),
        pytest.param("/data/", "/data", id="trailing slash"),
        pytest.param("/", "/", id="root"),
        pytest.param("///data", "/data", id="three slashes are the root"),
        pytest.param("", "", id="empty"),
        pytest.param("/data/AC\\DC.mp4", "/data/AC\\DC.mp4", id="posix backslash is a letter"),
        pytest.param(DECOMPOSED, "/data/Caf\u00e9.mp4", id="decomposed name"),
        pytest.param("C:\\data\\a.mp4", "C:/data/a.mp4", id="drive"),
        pytest.param("c:/data\\sub/a.mp4", "C:/data/sub/a.mp4", id="drive, mixed separators"),
        pytest.param("d:", "D:/", id="bare drive"),
        pytest.param("d:\\", "D:/", id="drive root"),
        pytest.param("C:relative", "C:relative", id="no separator after the drive"),
        pytest.param("\u212a:\\a", "K:/a", id="Kelvin sign as a drive"),
        pytest.param("\\\\nas\\share\\a.mp4", "//nas/share/a.mp4", id="unc"),
        pytest.param("//nas/share/", "//nas/share", id="unc with slashes"),
        pytest.param("\\\\\\\\nas\\\\share", "//nas/share", id="unc escaped twice"),
        pytest.param("\\\\", "/", id="unc of nothing"),
        pytest.param("\\\\?\\C:\\a.mp4", "C:/a.mp4", id="long drive"),
        pytest.param("\\\\.\\C:\\a.mp4", "C:/a.mp4", id="device drive"),
        pytest.param("\\\\?\\UNC\\nas\\share\\a", "//nas/share/a", id="long unc"),
        pytest.param("\\\\?\\unc\\nas\\share\\a", "//nas/share/a", id="long unc, lower case"),
        pytest.param("\\\\?\\Volume{1}\\a", "//?/Volume{1}/a", id="volume"),
        pytest.param("relative/a.mp4", "relative/a.mp4", id="relative"),
        pytest.param("/a/\udcff.mp4", "/a/\udcff.mp4", id="undecodable byte"),
    ],
)
def test_each_spelling_has_one_canonical_form(written: str, canonical: str) -> None:
    """Separators, prefixes, drive case and composition are spelling."""
    assert normalize_path(written) == canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("/data/a.mp4", "/Data/a.mp4", id="case"),
        pytest.param("C:\\a.mp4", "C:\\A.mp4", id="case on Windows"),
        pytest.param("C:\\a.mp4", "D:\\a.mp4", id="drive"),
        pytest.param("/C:/a.mp4", "C:/a.mp4", id="folder named like a drive"),
        pytest.param("/nas/share/a", "\\\\nas\\share\\a", id="unc and posix"),
        pytest.param("/data/a\\b", "/data/a/b", id="backslash in a posix name"),
        pytest.param("/data/ﬁlm.mp4", "/data/film.mp4", id="ligature"),
        pytest.param("/data/a .mp4", "/data/a.mp4", id="space"),
        pytest.param("/data/../a", "/a", id="dots are not resolved"),
        pytest.param("/data/cafe.mp4", DECOMPOSED, id="accent"),
    ],
)
def test_different_files_stay_different(one: str, other: str) -> None:
    """What could be two files never gets one canonical path."""
    assert normalize_path(one) != normalize_path(other)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("C:\\", True), ("\\\\nas\\share", True), ("/data", False), ("/C:/data", False), ("", False)],
)
def test_windows_paths_differ_from_posix_ones(path: str, expected: bool) -> None:
    """A drive or a share makes a Windows path."""
    assert is_windows_path(normalize_path(path)) is expected


@pytest.mark.parametrize(
    ("name", "its_stem"),
    [
        ("a.mp4", "a"),
        ("a.b.MP4", "a.b"),
        ("a", "a"),
        (".hidden", ".hidden"),
        ("..mp4", "..mp4"),
        ("a.", "a."),
        ("", ""),
    ],
)
def test_a_stem_is_the_base_name_without_its_extension(name: str, its_stem: str) -> None:
    """Only a dot with a name before it and letters behind it starts an extension."""
    assert stem(NormalizedPath(f"/data/{name}")) == its_stem


def test_the_stem_of_a_dotted_folder_is_its_own() -> None:
    """A dot in a folder name is no extension of a file in it."""
    path = normalize_path("/data/v1.2/readme")
    assert (base_name(path), stem(path)) == ("readme", "readme")


def rule(stash: str, plex: str) -> PathRule:
    """A rule, written as in the configuration."""
    return PathRule(stash=stash, plex=plex)


@pytest.mark.parametrize(
    ("path", "rules", "mapped"),
    [
        pytest.param("/data/a", [rule("/data/", "/media/")], "/media/a", id="slashes at the end"),
        pytest.param("/data/a", [rule("/data", "/media")], "/media/a", id="no slashes"),
        pytest.param("/data", [rule("/data/", "/media/")], "/media", id="the folder itself"),
        pytest.param("/data/a", [rule("/", "/mnt")], "/mnt/data/a", id="from the root"),
        pytest.param("/data/a", [rule("/data", "/")], "/a", id="to the root"),
        pytest.param(
            "/data/new/a",
            [rule("/data", "/one"), rule("/data/new", "/two")],
            "/two/a",
            id="longest wins",
        ),
        pytest.param(
            "/data/a", [rule("/data", "/one"), rule("/data/", "/two")], "/one/a", id="first wins"
        ),
        pytest.param(
            "D:\\Films\\A.mp4", [rule("d:\\films", "/media")], "/media/A.mp4", id="windows case"
        ),
        pytest.param(
            "\\\\NAS\\Share\\ÄRA\\a",
            [rule("//nas/share/ära", "/m")],
            "/m/a",
            id="unc case beyond ascii",
        ),
        pytest.param("/data/a\\b", [rule("/data", "C:\\m")], "C:/m/a\\b", id="posix to windows"),
        pytest.param("D:\\a", [rule("D:\\", "E:\\x")], "E:/x/a", id="drive root"),
        pytest.param(DECOMPOSED, [rule("/data", "/m")], "/m/Caf\u00e9.mp4", id="decomposed path"),
        pytest.param("/Caf\u00e9/a", [rule("/Cafe\u0301", "/m")], "/m/a", id="decomposed rule"),
    ],
)
def test_a_rule_carries_a_path_to_the_other_server(
    path: str, rules: list[PathRule], mapped: str
) -> None:
    """The longest covering rule decides; the rest of the path is kept as it is."""
    assert apply_rules(normalize_path(path), rules) == mapped


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        pytest.param("/database/a", [rule("/data", "/media")], id="name that starts alike"),
        pytest.param("/database/a", [rule("/data/", "/media/")], id="the same with slashes"),
        pytest.param("/Data/a", [rule("/data", "/media")], id="posix case"),
        pytest.param("/x/data/a", [rule("/data", "/media")], id="folder in the middle"),
        pytest.param("\\\\nas\\share\\a", [rule("/", "/mnt")], id="posix root and unc"),
        pytest.param("\\\\nas\\share\\a", [rule("/nas", "/mnt")], id="posix folder and unc"),
        pytest.param("C:\\a", [rule("/", "/mnt")], id="posix root and drive"),
        pytest.param("D:\\straße\\a", [rule("D:\\strasse", "/m")], id="ss is not sharp s"),
        pytest.param("", [rule("/", "/mnt")], id="no path"),
        pytest.param("/data/a", [rule("", "/media")], id="empty stash side"),
        pytest.param("/data/a", [rule("/data", "")], id="empty plex side"),
        pytest.param("/data/a", [], id="no rules"),
    ],
)
def test_a_rule_says_nothing_about_other_folders(path: str, rules: list[PathRule]) -> None:
    """What no rule covers has no place on the other server."""
    assert apply_rules(normalize_path(path), rules) is None


def test_a_path_takes_a_few_calls() -> None:
    """Normalising and mapping a large library costs little: seven calls a path."""
    written = [f"/data/studio/2021/some scene {number}.mp4" for number in range(100)]
    ready = compile_rules([rule("/data/", "/media/"), rule("/other/", "/elsewhere/")])
    assert ready.apply(normalize_path(written[-1])) == "/media/studio/2021/some scene 99.mp4"
    assert calls_of(lambda: [ready.apply(normalize_path(path)) for path in written]) <= 800


# ---- what an item holds --------------------------------------------------------------------------

SPELLINGS = [
    pytest.param("/m/Cafe\u0301.mp4", "/m/Caf\u00e9.mp4", id="decomposed"),
    pytest.param("/m//a.mp4", "/m/a.mp4", id="repeated slashes"),
    pytest.param("C:\\m\\a.mp4", "C:/m/a.mp4", id="separators"),
    pytest.param("c:/m/a.mp4", "C:/m/a.mp4", id="drive letter"),
    pytest.param("\\\\?\\C:\\m\\a.mp4", "C:\\m\\a.mp4", id="long path"),
]


def holder(*paths: str, trashed: bool = False) -> PlexItem:
    """An item with these files."""
    return PlexItem(
        rating_key=RatingKey("9"),
        section_id="1",
        kind=ItemKind.MOVIE,
        files=tuple(PlexFile(path=path) for path in paths),
        trashed=trashed,
    )


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_an_item_holds_a_file_in_every_spelling(one: str, other: str) -> None:
    """Whichever side is spelled how, and among other files."""
    assert holds_file(holder("/other.mp4", one), other)
    assert holds_file(holder(other), one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("/m/a.mp4", "/m/A.mp4", id="case"),
        pytest.param("/m/a.mp4", "/n/a.mp4", id="folder"),
        pytest.param("/m/a\\b.mp4", "/m/a/b.mp4", id="posix backslash"),
        pytest.param("/m/cafe.mp4", "/m/caf\u00e9.mp4", id="accent"),
    ],
)
def test_an_item_does_not_hold_another_file(one: str, other: str) -> None:
    """What a file system tells apart are two files."""
    assert not holds_file(holder(one), other)


def test_a_trashed_item_holds_nothing() -> None:
    """Nor does one without files."""
    assert not holds_file(holder("/m/a.mp4", trashed=True), "/m/a.mp4")
    assert not holds_file(holder(), "/m/a.mp4")
