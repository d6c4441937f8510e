"""Scenes with everything real servers have held. Source: docs/stash-api.md 9."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from plexsync.simulators.library.maker import DATA, DISK_D, NAS
from plexsync.simulators.library.records import StashScene

if TYPE_CHECKING:
    from plexsync.simulators.library.maker import Made, Maker

ODD_TITLES = (
    "",
    "   ",
    "The same title",
    "The same title",
    "x" * 300,
    "Sunset 🌅 over the fjord 👩‍👩‍👧‍👦",
    "שלום עולם - ערב",
    "evil \u202egnp.exe\u202c title",
    unicodedata.normalize("NFD", "Café à Zürich"),
    unicodedata.normalize("NFC", "Café à Zürich"),
    'Quotes " and \\ backslash',
    "Line\nbreak\r\nand\ttab",
    "<b>bold</b> [bold red]markup[/bold red] &amp; {{template}}",
    "\x1b[31mred\x1b[0m bell\x07 null\x00 delete\x7f",
    "lone \ud800 surrogate",
    "zero\u200bwidth\ufeff and soft\u00adhyphen",
    "100%_sure '; DROP TABLE scenes; --",
)
"""Titles that break naive code. A lone surrogate goes out as a JSON escape."""

ODD_DATES = ("2024", "2024-05", "0001-01-01", "1896-01-25")

ODD_NAMES = (
    "100% wet_and_wild [4K].mp4",
    "a" * 251 + ".mp4",
    "né à côté.mp4",
    "no extension",
    ".hidden.mp4",
    "trailing space .mp4",
    "percent%20encoded%2F.mp4",
    "it's #1 & best?.mp4",
    "日本語のファイル名.mkv",
    "bad\ufffdname.mp4",
)
"""Base names that break naive code; they lie in Plex where the path rule says."""


def add_odd_scenes(maker: Maker) -> None:
    """Add them all, after the regular ones."""
    for title in ODD_TITLES:
        _add(maker, "plain", title=title)
    for date in ODD_DATES:
        _add(maker, "dated", date=date)
    for number, name in enumerate(ODD_NAMES):
        _add(maker, name, title=f"Odd name {number}")
    for rating100 in (1, 100):
        _add(maker, "rated", rating100=rating100)
    _add(maker, "crowd", performer_ids=tuple(range(1, 61)))
    _add(maker, "namesakes", performer_ids=(2, 3))
    _add(maker, "tagged", tag_ids=tuple(range(1, 301)))
    _add(maker, "grouped", groups=((1, None), (2, 0), (3, 0)))
    _add(maker, "novel", details="Chapter one.\r\n\r\n" + "And then it rained. " * 1500)
    _add(maker, "boxed", stash_ids=(("https://a.invalid/g", "u1"), ("https://b.invalid/g", "u2")))
    _add(maker, "blank", details="", organized=False, cover=None, studio_id=None)
    _add_without_files(maker)
    _add_unmeasured(maker)
    _add_several_roots(maker)
    _add_shared_file(maker)


def _file(maker: Maker, name: str) -> Made:
    """Return a file in a folder of odd ones."""
    basename = name if "." in name or " " in name else f"{name}.mp4"
    return maker.add_file(DATA, "odd/50% off_/", basename, maker.look())


def _add(maker: Maker, name: str, **fields: object) -> None:
    """Add a scene with one file that Plex has too, and with odd fields."""
    made = _file(maker, name)
    key = maker.add_video(made.plex_path, made)
    plain = StashScene(
        0,
        "An odd one",
        details="Nothing else is odd here.",
        file_ids=(made.file.id,),
        cover=made.file.id,
        updated_at=maker.time_text(),
    )
    scene = replace(plain, **fields)  # type: ignore[arg-type] # fields of StashScene
    maker.add_bare_scene(scene, (key,))


def _add_without_files(maker: Maker) -> None:
    maker.add_bare_scene(StashScene(0, "No file at all", updated_at=maker.time_text()), ())


def _add_unmeasured(maker: Maker) -> None:
    """Add a row of an old database: -1 and "unset" everywhere."""
    look = maker.look()
    made = maker.add_file(DATA, "odd/", "unmeasured.mp4", look)
    maker.replace_file(
        replace(
            made.file,
            size=-1,
            duration=-1,
            width=-1,
            height=-1,
            frame_rate=-1,
            bit_rate=-1,
            oshash=None,
            phash=None,
            video_codec="unset",
            audio_codec="unset",
            format="unset",
        )
    )
    key = maker.add_video(made.plex_path, made)
    maker.add_bare_scene(StashScene(0, "Never measured", file_ids=(made.file.id,)), (key,))


def _add_several_roots(maker: Maker) -> None:
    """One scene, three files in three mounts, three items."""
    files = [
        maker.add_file(mount, "odd/", f"everywhere {number}.mp4", maker.look())
        for number, mount in enumerate((DATA, NAS, DISK_D))
    ]
    keys = [maker.add_video(made.plex_path, made) for made in files]
    ids = tuple(made.file.id for made in files)
    maker.add_bare_scene(StashScene(0, "In three places", file_ids=ids), keys)


def _add_shared_file(maker: Maker) -> None:
    """Two scenes that hold the same file; either may own the item."""
    made = _file(maker, "shared")
    key = maker.add_video(made.plex_path, made)
    for title in ("First owner", "Second owner"):
        maker.add_bare_scene(StashScene(0, title, file_ids=(made.file.id,)), (key,))
