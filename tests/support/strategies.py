"""Shared hypothesis strategies: the awkward values both servers really send.

Source of the awkwardness: docs/stash-api.md 9, docs/plex-api.md 8.
"""

from __future__ import annotations

from hypothesis import strategies as st

from plexsync.models import (
    ItemKind,
    PathRule,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)

AWKWARD_PIECES = (
    "\ud83d",  # half an emoji
    "\udcff",  # a byte that was no UTF-8
    "\u202e",  # right-to-left override
    "\u2066",
    "\x1b[31m",
    "\x00",
    "\x85",
    "\r\n",
    "\t",
    "<b>",
    "[bold]",
    "[/]",
    "&amp;",
    '"',
    "\\",
    "e\u0301",
    "é",
    "ﬁ",
    "ß",
    "İ",
    "Σ",
    "\u212a",
    "漢字",
    "😀",
    "\u00a0",
    "  ",
)
"""Pieces of text that broke somebody's program once."""

NAME_CHARACTERS = st.characters(codec="utf-8", exclude_characters="/\\:\x00", max_codepoint=0x2FFFF)


def texts(*, surrogates: bool = True, max_size: int = 24) -> st.SearchStrategy[str]:
    """Any text, with the awkward pieces far more often than chance would have them."""
    pieces = [piece for piece in AWKWARD_PIECES if surrogates or piece.isprintable()]
    anything = st.text(max_size=6) if surrogates else st.text(NAME_CHARACTERS, max_size=6)
    words = st.text("abcXYZ 019-_.", max_size=6)
    piece = st.one_of(words, st.sampled_from(pieces), anything)
    return st.lists(piece, max_size=6).map(lambda found: "".join(found)[:max_size])


def names() -> st.SearchStrategy[str]:
    """One name along a path, awkward but possible on every file system."""
    plain = st.sampled_from(("data", "Data", "database", "media", "a", "b", "2021", "C"))
    odd = st.text(NAME_CHARACTERS, min_size=1, max_size=8).filter(lambda name: name.strip(". "))
    return st.one_of(plain, odd)


def folders() -> st.SearchStrategy[tuple[str, ...]]:
    """The names of a folder, outermost first; few enough words that prefixes collide."""
    return st.lists(names(), max_size=4).map(tuple)


def file_names() -> st.SearchStrategy[str]:
    """Base names of videos."""
    return st.builds(
        "{}{}".format, names(), st.sampled_from((".mp4", ".MKV", ".part1.avi", "", ".m4v"))
    )


def posix_paths() -> st.SearchStrategy[str]:
    """Absolute POSIX paths of files, as a server reports them."""
    return st.builds(lambda where, name: "/" + "/".join((*where, name)), folders(), file_names())


def windows_paths() -> st.SearchStrategy[str]:
    r"""Absolute Windows paths: drives, UNC shares, with and without `\\?\`."""
    drive = st.sampled_from("CdZ").map(lambda letter: letter + ":")
    share = st.just("\\\\nas\\Share")
    long_drive = drive.map(lambda root: "\\\\?\\" + root)
    long_share = st.just("\\\\?\\UNC\\nas\\Share")
    roots = st.one_of(drive, share, long_drive, long_share)
    return st.builds(
        lambda root, where, name: "\\".join((root, *where, name)), roots, folders(), file_names()
    )


def paths() -> st.SearchStrategy[str]:
    """Absolute paths of any system."""
    return st.one_of(posix_paths(), windows_paths())


def path_rules() -> st.SearchStrategy[PathRule]:
    """Rules between folders of any two systems."""
    folder = paths().map(lambda path: path.rpartition("/")[0] or "/")
    return st.builds(lambda stash, plex: PathRule(stash=stash, plex=plex), folder, folder)


def titles() -> st.SearchStrategy[str]:
    """Titles: empty, blank, over-long, with markup, controls, halves of characters."""
    usual = st.sampled_from(("", " ", "Beach Day", "beach day", "Beach-Day (2021)", "Part 1"))
    return st.one_of(usual, texts(), st.just("x" * 300))


def dates() -> st.SearchStrategy[str]:
    """Dates as Stash writes them: whole, partial, none."""
    whole = st.dates().map(lambda day: day.isoformat())
    return st.one_of(
        st.just(""), whole, whole.map(lambda d: d[:7]), whole.map(lambda d: d[:4])
    ).filter(lambda text: not text.startswith("0001"))


def _numbers(most: int) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.integers(1, most))


def _durations() -> st.SearchStrategy[float | None]:
    return st.one_of(st.none(), st.floats(0.5, 20_000, allow_nan=False, width=32))


def scene_files() -> st.SearchStrategy[SceneFile]:
    """Files as Stash sees them, often with facts unknown."""
    return st.builds(
        SceneFile,
        path=paths(),
        size_bytes=_numbers(10**12),
        duration_s=_durations(),
        width=_numbers(8192),
        height=_numbers(8192),
        oshash=_numbers(2**64 - 1),
    )


def plex_files() -> st.SearchStrategy[PlexFile]:
    """Parts as Plex sees them."""
    return st.builds(
        PlexFile,
        path=paths(),
        size_bytes=_numbers(10**12),
        duration_s=_durations(),
        width=_numbers(8192),
        height=_numbers(8192),
        part_id=st.integers(1, 10**6),
        stacked=st.booleans(),
    )


def scenes() -> st.SearchStrategy[Scene]:
    """Scenes with no, one or several files."""
    return st.builds(
        Scene,
        scene_id=st.integers(1, 10**6).map(lambda number: SceneId(str(number))),
        updated_at=st.just("2026-11-21T10:00:00Z"),
        title=titles(),
        date=dates(),
        organized=st.booleans(),
        files=st.lists(scene_files(), max_size=3).map(tuple),
    )


def items() -> st.SearchStrategy[PlexItem]:
    """Movies and episodes with no, one or several parts, some in the trash."""
    return st.builds(
        PlexItem,
        rating_key=st.integers(1, 10**6).map(lambda number: RatingKey(str(number))),
        section_id=st.sampled_from(("1", "2")),
        kind=st.sampled_from((ItemKind.MOVIE, ItemKind.EPISODE)),
        title=titles(),
        date=dates().map(lambda text: text if len(text) == 10 else ""),
        files=st.lists(plex_files(), max_size=3).map(tuple),
        trashed=st.booleans(),
    )
