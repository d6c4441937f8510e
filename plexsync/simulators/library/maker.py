"""Makes scenes, files and items one case at a time, and keeps count of what belongs together."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from plexsync.simulators.library import names, words
from plexsync.simulators.library.records import (
    Library,
    PlexLibrarySection,
    PlexMedia,
    PlexPart,
    PlexSide,
    PlexVideo,
    StashFile,
    StashFolder,
    StashScene,
    StashSide,
    StashStudio,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_MASK = (1 << 64) - 1
_FIRST_RATING_KEY = 1000
NOW = 1_793_491_200
"""2026-11-01, the newest time in a generated library."""

SECTIONS = (
    PlexLibrarySection(1, "Scenes", ("/media",), uuid="0a1b2c3d-0001-4000-8000-000000000001"),
    PlexLibrarySection(
        2,
        "Archive",
        ("/volume3/video", "/volume1/films"),
        uuid="0a1b2c3d-0002-4000-8000-000000000002",
    ),
    PlexLibrarySection(
        3,
        "Series",
        ("/shows",),
        kind="show",
        agent="tv.plex.agents.none",
        scanner="Plex TV Series",
        uuid="0a1b2c3d-0003-4000-8000-000000000003",
    ),
)


class Mount(NamedTuple):
    """One tree of folders as both servers see it, and the section it belongs to."""

    stash: str
    plex: str
    section_id: int


DATA = Mount("/data/", "/media/", 1)
NAS = Mount("/mnt/nas2/clips/", "/volume3/video/clips2/", 2)
DISK_D = Mount("D:\\Films\\", "/volume1/films/", 2)
SHOWS = Mount("/data-series/", "/shows/", 3)


class Look(NamedTuple):
    """What a video file is, wherever it lies. `duration_s` as Stash says it."""

    size: int
    duration_s: float
    oshash: int
    width: int
    height: int


class Made(NamedTuple):
    """A file just made: its Stash row, its folder below the mount, and what it is."""

    file: StashFile
    mount: Mount
    tail: str
    look: Look

    @property
    def plex_path(self) -> str:
        """Where the mount's rule puts it."""
        return self.mount.plex + self.tail + self.file.basename


class SceneText(NamedTuple):
    """The words of a scene to be."""

    title: str
    studio: StashStudio
    date: str


class Maker:
    """Collects both sides of a library."""

    def __init__(
        self, seed: int, *, scenes: int, hashed: float = 0.9, edited: float = 0.0, odd: bool = False
    ) -> None:
        self.random = random.Random(seed)
        self._seed = seed
        self._hashed = hashed
        self._edited = edited
        self._serial = 0
        self._key_mask = (1 << max(8, (4 * scenes + 400).bit_length())) - 1
        self._scenes: list[StashScene] = []
        self._files: list[StashFile] = []
        self._folders: dict[str, StashFolder] = {}
        self._paths: set[str] = set()
        self._videos: list[PlexVideo] = []
        self._truth: dict[str, tuple[str, ...]] = {}
        self.performers = names.performers(self.random, min(3000, max(80, scenes // 3)))
        self.tags = names.tags(min(500, max(310 if odd else 60, scenes // 10)))
        self.studios = names.studios(self.random, min(300, max(12, scenes // 50)))
        self.groups = names.groups(self.random, max(4, scenes // 100))

    @property
    def scene_count(self) -> int:
        """How many scenes there are so far."""
        return len(self._scenes)

    def library(self) -> Library:
        """Everything made so far."""
        return Library(
            stash=StashSide(
                scenes=tuple(self._scenes),
                files=tuple(self._files),
                folders=tuple(self._folders.values()),
                performers=self.performers,
                tags=self.tags,
                studios=self.studios,
                groups=self.groups,
            ),
            plex=PlexSide(SECTIONS, tuple(sorted(self._videos, key=lambda v: v.rating_key))),
            truth=self._truth,
            path_rules=tuple((m.stash, m.plex) for m in (DATA, NAS, DISK_D, SHOWS)),
        )

    def add_item_without_scene(self) -> None:
        """Something only Plex has."""
        name = self.basename(self.text(), self.random.randrange(4))
        path = f"/media/only in Plex/{self.next_serial()}/{name}"
        self.add_video_at(path, self.look(), DATA.section_id)

    # -- the parts of a case -----------------------------------------------------------------------

    def text(self) -> SceneText:
        """Draw title, studio and date."""
        pick = self.random.random
        studio = self.studios[int(pick() * len(self.studios))]
        year, month, day = 2005 + int(pick() * 21), 1 + int(pick() * 12), 1 + int(pick() * 28)
        return SceneText(names.title(self.random), studio, f"{year}-{month:02}-{day:02}")

    def look(self) -> Look:
        """Draw what a file is: five minutes to two hours, one to fourteen Mbit/s."""
        pick = self.random.random
        duration_s = round(300 + 6900 * pick() ** 2, 2)
        width, height = _SIZES[int(pick() * len(_SIZES))]
        size = int(duration_s * (125_000 + 1_600_000 * pick()))
        return Look(size, duration_s, self._next_hash(), width, height)

    def basename(self, text: SceneText, style: int) -> str:
        """Return a file name in one of four usual styles."""
        title, studio = text.title, text.studio.name
        if style == 0:
            return f"{studio} - {text.date} - {title}.mp4"
        if style == 1:
            date = text.date[2:].replace("-", ".")
            return f"{studio}.{date}.{title}.1080p.mp4".replace(" ", ".").lower()
        number = self.next_serial()
        if style == 2:
            return f"{title} ({text.date[:4]}) {number}.mkv"
        return f"{title.replace(' ', '_')}_{number}.mp4"

    def add_file(self, mount: Mount, tail: str, basename: str, look: Look) -> Made:
        """Put a file into Stash. A name that is taken in its folder gets a number."""
        path = mount.stash + tail.replace("/", "\\" if mount is DISK_D else "/")
        folder = self._folders.get(path)
        if folder is None:
            folder = StashFolder(len(self._folders) + 1, path.rstrip("/\\") or path)
            self._folders[path] = folder
        while path + basename in self._paths:
            stem, dot, suffix = basename.rpartition(".")
            basename = f"{stem}-{self.next_serial()}{dot}{suffix}"
        self._paths.add(path + basename)
        file = StashFile(
            len(self._files) + 1,
            folder.id,
            basename,
            look.size,
            look.duration_s,
            look.oshash,
            _mixed(look.oshash),
            "",
            look.width,
            look.height,
            format="matroska" if basename.endswith(".mkv") else "mp4",
            bit_rate=int(look.size * 8 / max(look.duration_s, 1)),
            mod_time=self.time_text(),
        )
        self._files.append(file)
        return Made(file, mount, tail, look)

    def replace_file(self, file: StashFile) -> None:
        """Put another row in the place of a file."""
        self._files[file.id - 1] = file

    def add_scene(
        self, text: SceneText, files: Sequence[StashFile], keys: Sequence[int]
    ) -> StashScene:
        """Put a scene into Stash and remember which items are the same video."""
        scene_id = len(self._scenes) + 1
        scene = self._described(scene_id, text, tuple(file.id for file in files))
        self._scenes.append(scene)
        self._truth[str(scene_id)] = tuple(str(key) for key in keys)
        return scene

    def add_bare_scene(self, scene: StashScene, keys: Sequence[int]) -> None:
        """Put a ready scene into Stash under the next id."""
        scene_id = len(self._scenes) + 1
        self._scenes.append(replace(scene, id=scene_id))
        self._truth[str(scene_id)] = tuple(str(key) for key in keys)

    def add_video(self, path: str, made: Made) -> int:
        """Put the item of a file into Plex, at `path`; its rating key."""
        return self.add_video_at(path, made.look, made.mount.section_id)

    def add_video_at(self, path: str, look: Look, section_id: int) -> int:
        """Put an item with one file into Plex; its rating key."""
        return self.add_item(path, (self.media(path, look),), section_id)

    def add_item(self, path: str, media: tuple[PlexMedia, ...], section_id: int) -> int:
        """Put an item into Plex that is called as its file; its rating key."""
        pick = self.random.random
        key = self._next_key()
        added_at = NOW - int(pick() * 6e7)
        video = PlexVideo(
            key,
            section_id,
            path.rpartition("/")[2].rpartition(".")[0],
            media,
            guid=f"com.plexapp.agents.none://{key * 0x9E3779B97F4A7C15 & _MASK:016x}?lang=xn",
            added_at=added_at,
            updated_at=added_at + int(pick() * 1e6),
        )
        if pick() < self._edited:
            genres = ("My favourites", "Seen")
            locked = frozenset({"title", "genre"})
            video = replace(video, title=names.title(self.random), genres=genres, locked=locked)
        self._videos.append(video)
        return key

    def amend_item(self, key: int, **changes: object) -> None:
        """Change the item made last, which must be `key`."""
        last = self._videos.pop()
        if last.rating_key != key:
            raise ValueError(f"item {key} is not the last one made")
        self._videos.append(replace(last, **changes))  # type: ignore[arg-type] # fields of PlexVideo

    def media(self, path: str, look: Look, *, measured: bool = True) -> PlexMedia:
        """Return a version with one file; Plex rounds its duration to what it measured itself."""
        pick = self.random.random
        number = self.next_serial()
        duration_ms = int(look.duration_s * 1000 + pick() * 8 - 4) if measured else None
        container = path.rpartition(".")[2]
        part = PlexPart(
            number,
            path,
            look.size,
            duration_ms,
            container,
            look.oshash if pick() < self._hashed else None,
            NOW - int(pick() * 6e7),
        )
        return PlexMedia(
            number,
            (part,),
            duration_ms,
            look.width,
            look.height,
            int(look.size / max(look.duration_s, 1) / 125),
            container,
        )

    def time_text(self) -> str:
        """Return a stored time: mostly of Central Europe, the oldest from before TZ was set."""
        pick = self.random.random
        year, month = 2022 + int(pick() * 5), 1 + int(pick() * 10)
        day, hour = 1 + int(pick() * 28), int(pick() * 24)
        minute, second = int(pick() * 60), int(pick() * 60)
        summer = 3 < month < 11
        zone = "Z" if year == 2022 else "+02:00" if summer else "+01:00"
        return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"

    # -- private -----------------------------------------------------------------------------------

    def _described(self, scene_id: int, text: SceneText, file_ids: tuple[int, ...]) -> StashScene:
        """Return a scene with performers, tags, details and the rest."""
        pick = self.random.random
        choices = self.random.choices
        people = choices(range(1, len(self.performers) + 1), k=1 + int(pick() * 4))
        tags = choices(range(1, len(self.tags) + 1), k=3 + int(pick() * 13))
        created_at = self.time_text()
        grouped = pick() < 0.05
        group_id = 1 + int(pick() * len(self.groups))
        return StashScene(
            scene_id,
            text.title,
            f"{text.studio.name[:3].upper()}-{scene_id:05}" if pick() < 0.3 else "",
            " ".join(choices(words.SENTENCES, k=4 + int(pick() * 5))),
            names.person(self.random) if pick() < 0.1 else "",
            text.date,
            1 + int(pick() * 100) if pick() < 0.2 else None,
            pick() < 0.7,
            (f"https://example.com/watch/{scene_id}",),
            text.studio.id,
            tuple(dict.fromkeys(people)),
            tuple(dict.fromkeys(tags)),
            ((group_id, 1 + int(pick() * 9)),) if grouped else (),
            file_ids,
            (),
            scene_id if pick() < 0.95 else None,
            created_at,
            max(created_at, self.time_text()),
        )

    def next_serial(self) -> int:
        """Return the next number nothing else has."""
        self._serial += 1
        return self._serial

    def _next_key(self) -> int:
        """Return a rating key; an odd multiplier scatters them, so that no order betrays a link."""
        return _FIRST_RATING_KEY + (len(self._videos) * 40_503 & self._key_mask)

    def _next_hash(self) -> int:
        """Return a hash no other file has: a bijection of a counter."""
        return _mixed((self._seed << 40) + self.next_serial())


_SIZES = ((1920, 1080), (1920, 1080), (1280, 720), (3840, 2160), (720, 576))


def _mixed(number: int) -> int:
    """Scatter a 64-bit number; different numbers stay different (splitmix64)."""
    mixed = (number + 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)
