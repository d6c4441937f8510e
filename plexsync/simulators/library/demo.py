"""The small library of `plexsync demo`: twelve scenes, every outcome once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from plexsync.simulators.library.records import (
    Library,
    PlexLibrarySection,
    PlexMedia,
    PlexPart,
    PlexSide,
    PlexVideo,
    StashFile,
    StashFolder,
    StashGroup,
    StashPerformer,
    StashScene,
    StashSide,
    StashStudio,
    StashTag,
)

_STUDIOS = (
    StashStudio(1, "Long Shore Films"),
    StashStudio(2, "Long Shore Nature", parent_id=1),
    StashStudio(3, "Old Mill Concerts"),
    StashStudio(4, "Open Lecture Hall"),
)

_PERFORMERS = (
    StashPerformer(1, "Ines Duarte", gender="FEMALE"),
    StashPerformer(2, "Anders Dahl", gender="MALE"),
    StashPerformer(3, "The Mill Quartet"),
    StashPerformer(4, "Prof. Selma Aalto", gender="FEMALE"),
    StashPerformer(5, "Yusuf Kaya", gender="MALE"),
)

_TAGS = (
    StashTag(1, "Nature"),
    StashTag(2, "Birds"),
    StashTag(3, "Sea"),
    StashTag(4, "Concert"),
    StashTag(5, "Chamber music"),
    StashTag(6, "Lecture"),
    StashTag(7, "Science"),
    StashTag(8, "Travel"),
)

_GROUPS = (StashGroup(1, "Evenings at the Old Mill", "2023-09-01"),)


class _Film(NamedTuple):
    """One scene, and where Plex has its file: "" for nowhere."""

    title: str
    date: str
    studio_id: int
    performer_ids: tuple[int, ...]
    tag_ids: tuple[int, ...]
    details: str
    folder: str
    basename: str
    size: int
    duration_s: float
    plex_paths: tuple[str, ...]
    hashed: bool = True


_FILMS = (
    _Film(
        "Tides of the Northern Shore",
        "2022-05-14",
        2,
        (1, 2),
        (1, 3),
        "Two tides, twelve hours and one lighthouse: the shore between Bodø and the open sea, "
        "filmed from a single place.",
        "Nature/2022",
        "tides.of.the.northern.shore.2160p.mp4",
        4_812_345_678,
        3127.48,
        ("/media/Nature/2022/tides.of.the.northern.shore.2160p.mp4",),
    ),
    _Film(
        "Heron at First Light",
        "2023-03-02",
        2,
        (1,),
        (1, 2),
        "A grey heron waits. So does the camera.",
        "Nature/2023",
        "heron_at_first_light.mkv",
        912_004_551,
        841.2,
        ("/media/Nature/2023/heron_at_first_light.mkv",),
    ),
    _Film(
        "String Quartet in the Old Mill",
        "2023-09-16",
        3,
        (3,),
        (4, 5),
        "Haydn, Ravel and a millwheel, recorded on a rainy evening before eighty listeners.",
        "Concerts",
        "2023-09-16 string quartet.mp4",
        2_204_118_090,
        5412.04,
        ("/media/Concerts/2023-09-16 string quartet.mp4",),
    ),
    _Film(
        "Why Glaciers Sing",
        "2024-01-30",
        4,
        (4,),
        (6, 7),
        "Ice moves, cracks and rings. An evening lecture with recordings from four winters.",
        "Lectures",
        "why-glaciers-sing.mp4",
        1_530_777_216,
        4020.0,
        ("/media/Lectures/why-glaciers-sing.mp4",),
    ),
    _Film(
        "The Last Ferry",
        "2021-11-06",
        1,
        (2, 5),
        (3, 8),
        "The ferryman's last week: three crossings a day, and a bridge growing behind him.",
        "Films",
        "the last ferry (2021).mp4",
        3_377_000_129,
        2755.92,
        ("/media/Unsorted/ferry - final cut 3.mp4",),
    ),
    _Film(
        "Market Day in Oaxaca",
        "2023-06-21",
        1,
        (1, 5),
        (8,),
        "From the first stall at four in the morning to the last broom.",
        "Films",
        "market.day.in.oaxaca.1080p.mp4",
        1_998_412_777,
        1863.36,
        ("/media/Travel/Mexico/market.day.in.oaxaca.1080p.mp4",),
    ),
    _Film(
        "Evening Concert in Kotor",
        "2024-07-12",
        3,
        (3,),
        (4,),
        "Open air, with swifts.",
        "Concerts/Kotor",
        "video.mp4",
        2_750_331_904,
        4511.6,
        ("/media/Import 1/video.mp4", "/media/Import 2/video.mp4"),
        hashed=False,
    ),
    _Film(
        "Rehearsal Before the Storm",
        "2026-10-30",
        3,
        (3,),
        (4, 5),
        "Recorded last week; the media server has not scanned it yet.",
        "Concerts",
        "2026-10-30 rehearsal.mp4",
        1_204_551_003,
        2210.5,
        (),
    ),
    _Film(
        "Otters of the Delta (working title)",
        "2024-04-18",
        2,
        (2,),
        (1,),
        "First cut.",
        "Nature/2024",
        "otters_delta.mp4",
        2_110_909_312,
        2641.28,
        ("/media/Nature/2024/otters_delta.mp4",),
    ),
    _Film(
        "A Year at the Observatory",
        "2020-12-21",
        4,
        (4,),
        (6, 7),
        "Four seasons on one roof.",
        "Lectures",
        "observatory-year.mp4",
        2_601_334_784,
        3600.72,
        ("/media/Lectures/observatory-year.mp4",),
    ),
    _Film(
        "Café Music: Zürich, Genève",
        "2022-10-08",
        3,
        (3, 5),
        (4, 8),
        "Six cafés, one violin 🎻.",
        "Concerts",
        "café music zürich genève.mp4",
        1_777_654_272,
        2987.12,
        ("/media/Concerts/café music zürich genève.mp4",),
    ),
    _Film(
        "How a Clock Learns to Walk",
        "2019-02-11",
        4,
        (4, 5),
        (6, 7),
        "Gears, escapements and patience; with questions from the audience.",
        "Lectures",
        "clock lecture.mkv",
        3_050_118_144,
        5033.4,
        ("/media/Lectures/clock lecture.mkv",),
    ),
)


@dataclass(frozen=True, slots=True)
class LateEdit:
    """What somebody changes in Stash after the first run."""

    scene_id: int
    title: str
    details: str


@dataclass(frozen=True, slots=True)
class PlexEdit:
    """What somebody changes in Plex after the first run, and wants to keep."""

    rating_key: int
    summary: str


LATE_EDIT = LateEdit(
    9, "Otters of the Delta", "Two families of otters, one winter, and the river between them."
)
PLEX_EDIT = PlexEdit(110, "Our favourite: watch the part about the comet with the children.")


def demo_library() -> Library:
    """Return the library of the demo.

    Scenes 1 to 4 and 9 to 12 lie where the rule /data/ -> /media/ says; 5 has another name in
    Plex and 6 another folder, but size, duration and hash agree; 7 has two candidates that nothing
    separates; 8 is not in Plex yet. `LATE_EDIT` and `PLEX_EDIT` are for after the first run.
    """
    folders = {film.folder: number for number, film in enumerate(_FILMS, 1)}
    videos = tuple(
        _video(101 + number, film, path)
        for number, (film, path) in enumerate((f, p) for f in _FILMS for p in f.plex_paths)
    )
    by_path = {video.media[0].parts[0].file: str(video.rating_key) for video in videos}
    return Library(
        stash=StashSide(
            scenes=tuple(_scene(number, film) for number, film in enumerate(_FILMS, 1)),
            files=tuple(
                _file(number, film, folders[film.folder]) for number, film in enumerate(_FILMS, 1)
            ),
            folders=tuple(StashFolder(number, f"/data/{path}") for path, number in folders.items()),
            performers=_PERFORMERS,
            tags=_TAGS,
            studios=_STUDIOS,
            groups=_GROUPS,
        ),
        plex=PlexSide(
            (
                PlexLibrarySection(
                    1, "Films", ("/media",), uuid="d3300000-0000-4000-8000-000000000001"
                ),
            ),
            videos,
        ),
        truth={
            str(number): tuple(by_path[path] for path in film.plex_paths)
            for number, film in enumerate(_FILMS, 1)
        },
        path_rules=(("/data/", "/media/"),),
    )


def _scene(number: int, film: _Film) -> StashScene:
    return StashScene(
        number,
        film.title,
        details=film.details,
        date=film.date,
        organized=True,
        urls=(f"https://example.com/films/{number}",),
        studio_id=film.studio_id,
        performer_ids=film.performer_ids,
        tag_ids=film.tag_ids,
        groups=((1, 1),) if film.basename.startswith("2023-09") else (),
        file_ids=(number,),
        cover=number,
        created_at="2026-10-01T09:00:00+02:00",
        updated_at=f"2026-10-{number:02}T20:15:00+02:00",
    )


def _hash(number: int) -> int:
    """Return a hash of its own for every file."""
    return 0x1F2E3D4C5B6A7988 + number * 0x0101_0101_0101


def _file(number: int, film: _Film, folder_id: int) -> StashFile:
    return StashFile(number, folder_id, film.basename, film.size, film.duration_s, _hash(number))


def _video(rating_key: int, film: _Film, path: str) -> PlexVideo:
    number = _FILMS.index(film) + 1
    duration_ms = int(film.duration_s * 1000)
    container = path.rpartition(".")[2]
    part = PlexPart(
        rating_key + 2000,
        path,
        film.size,
        duration_ms,
        container,
        oshash=_hash(number) if film.hashed else None,
    )
    return PlexVideo(
        rating_key,
        1,
        path.rpartition("/")[2].rpartition(".")[0],
        (PlexMedia(rating_key + 1000, (part,), duration_ms, container=container),),
        guid=f"com.plexapp.agents.none://{rating_key:040x}?lang=xn",
    )
