"""Makes scenes, files and items one case at a time, and keeps count of what belongs together."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from plexsync.simulators import words
from plexsync.simulators.records import (
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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MASK = (1 << 64) - 1
_FIRST_RATING_KEY = 1000
_NOW = 1_793_491_200
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


class Case(StrEnum):
    """A way in which Stash and Plex come to see one video."""

    SAME = "same path under the rule /data/ -> /media/"
    MOUNT = "another mount with another rule"
    WINDOWS = "Stash on Windows, Plex not"
    GENERIC = "a base name like video.mp4 in a folder of its own"
    NFD = "Plex's path in decomposed Unicode"
    FOLDER = "same base name, another folder in Plex"
    RENAMED = "another name and folder in Plex, the same bytes"
    REMUXED = "same stem, another container, other bytes"
    TWO_ITEMS = "a scene with two files, an item each"
    TWO_VERSIONS = "a scene with two files, two versions of one item"
    DUPLICATE = "two scenes and two items with the same bytes"
    MOVED = "the item of the file's former place is still in the trash"
    NO_DURATION = "not analysed by Plex yet"
    EPISODE = "an episode of a show"
    UNSCANNED = "not in Plex yet"
    DECOY = "not in Plex, but another video has its base name"


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


class Text(NamedTuple):
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
        self.performers = _performers(self.random, min(3000, max(80, scenes // 3)))
        self.tags = _tags(min(500, max(310 if odd else 60, scenes // 10)))
        self.studios = _studios(self.random, min(300, max(12, scenes // 50)))
        self.groups = _groups(self.random, max(4, scenes // 100))

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

    def draw(self, mix: Mapping[Case, float], count: int) -> list[Case]:
        """Draw cases by weight; every case with a weight is there once if there is room."""
        kinds = [case for case, weight in mix.items() if weight > 0]
        drawn = self.random.choices(kinds, [mix[case] for case in kinds], k=count)
        drawn[: len(kinds)] = kinds[:count]
        drawn.reverse()
        return drawn

    def add(self, case: Case) -> None:
        """Make the scene, its files and the items of one case."""
        text = self.text()
        made = self._first_file(case, text)
        recipe = _RECIPES.get(case)
        if recipe is not None:
            recipe(self, text, made)
        else:
            self.add_scene(text, (made.file,), (self.add_video(made.plex_path, made),))

    def add_item_without_scene(self) -> None:
        """Something only Plex has."""
        name = self.basename(self.text(), self.random.randrange(4))
        path = f"/media/only in Plex/{self._next_serial()}/{name}"
        self.add_video_at(path, self.look(), DATA.section_id)

    # -- the parts of a case -----------------------------------------------------------------------

    def text(self) -> Text:
        """Draw title, studio and date."""
        pick = self.random.random
        studio = self.studios[int(pick() * len(self.studios))]
        year, month, day = 2005 + int(pick() * 21), 1 + int(pick() * 12), 1 + int(pick() * 28)
        return Text(_title(self.random), studio, f"{year}-{month:02}-{day:02}")

    def look(self) -> Look:
        """Draw what a file is: five minutes to two hours, one to fourteen Mbit/s."""
        pick = self.random.random
        duration_s = round(300 + 6900 * pick() ** 2, 2)
        width, height = _SIZES[int(pick() * len(_SIZES))]
        size = int(duration_s * (125_000 + 1_600_000 * pick()))
        return Look(size, duration_s, self._next_hash(), width, height)

    def basename(self, text: Text, style: int) -> str:
        """A file name in one of four usual styles."""
        title, studio = text.title, text.studio.name
        if style == 0:
            return f"{studio} - {text.date} - {title}.mp4"
        if style == 1:
            date = text.date[2:].replace("-", ".")
            return f"{studio}.{date}.{title}.1080p.mp4".replace(" ", ".").lower()
        number = self._next_serial()
        if style == 2:  # noqa: PLR2004 - the third of four styles
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
            basename = f"{stem}-{self._next_serial()}{dot}{suffix}"
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

    def add_scene(self, text: Text, files: Sequence[StashFile], keys: Sequence[int]) -> StashScene:
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
        added_at = _NOW - int(pick() * 6e7)
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
            video = replace(video, title=_title(self.random), genres=genres, locked=locked)
        self._videos.append(video)
        return key

    def amend_item(self, key: int, **changes: object) -> None:
        """Change the item made last, which must be `key`."""
        last = self._videos.pop()
        if last.rating_key != key:
            raise ValueError(f"item {key} is not the last one made")
        self._videos.append(replace(last, **changes))  # type: ignore[arg-type] # fields of PlexVideo

    def media(self, path: str, look: Look, *, measured: bool = True) -> PlexMedia:
        """A version with one file; Plex rounds its duration to what it measured itself."""
        pick = self.random.random
        number = self._next_serial()
        duration_ms = int(look.duration_s * 1000 + pick() * 8 - 4) if measured else None
        container = path.rpartition(".")[2]
        part = PlexPart(
            number,
            path,
            look.size,
            duration_ms,
            container,
            look.oshash if pick() < self._hashed else None,
            _NOW - int(pick() * 6e7),
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
        """A stored time: mostly Central Europe's two offsets, the oldest from before TZ was set."""
        pick = self.random.random
        year, month = 2022 + int(pick() * 5), 1 + int(pick() * 10)
        day, hour = 1 + int(pick() * 28), int(pick() * 24)
        minute, second = int(pick() * 60), int(pick() * 60)
        summer = 3 < month < 11  # noqa: PLR2004 - April to October
        zone = "Z" if year == 2022 else "+02:00" if summer else "+01:00"  # noqa: PLR2004
        return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}"

    # -- private -----------------------------------------------------------------------------------

    def _described(self, scene_id: int, text: Text, file_ids: tuple[int, ...]) -> StashScene:
        """A scene with performers, tags, details and the rest."""
        pick = self.random.random
        choices = self.random.choices
        people = choices(range(1, len(self.performers) + 1), k=1 + int(pick() * 4))
        tags = choices(range(1, len(self.tags) + 1), k=3 + int(pick() * 13))
        created_at = self.time_text()
        grouped = pick() < 0.05  # noqa: PLR2004 - few scenes belong to a group
        group_id = 1 + int(pick() * len(self.groups))
        return StashScene(
            scene_id,
            text.title,
            f"{text.studio.name[:3].upper()}-{scene_id:05}" if pick() < 0.3 else "",  # noqa: PLR2004
            " ".join(choices(words.SENTENCES, k=4 + int(pick() * 5))),
            _person(self.random) if pick() < 0.1 else "",  # noqa: PLR2004
            text.date,
            1 + int(pick() * 100) if pick() < 0.2 else None,  # noqa: PLR2004
            pick() < 0.7,  # noqa: PLR2004
            (f"https://example.com/watch/{scene_id}",),
            text.studio.id,
            tuple(dict.fromkeys(people)),
            tuple(dict.fromkeys(tags)),
            ((group_id, 1 + int(pick() * 9)),) if grouped else (),
            file_ids,
            (),
            scene_id if pick() < 0.95 else None,  # noqa: PLR2004
            created_at,
            max(created_at, self.time_text()),
        )

    def _first_file(self, case: Case, text: Text) -> Made:
        """The scene's primary file, where the case wants it."""
        mount = _MOUNTS.get(case, DATA)
        look = self.look()
        if case is Case.GENERIC:
            stem = words.GENERIC_STEMS[int(self.random.random() * len(words.GENERIC_STEMS))]
            tail = f"{text.studio.name}/{text.title} {self._next_serial()}/"
            return self.add_file(mount, tail, f"{stem}.mp4", look)
        if case is Case.EPISODE:
            number = self._next_serial()
            show = f"{text.studio.name} Weekly"
            name = f"{show} - S01E{number:04} - {text.title}.mp4"
            return self.add_file(mount, f"{show}/Season 01/", name, look)
        if case is Case.NFD:
            text = text._replace(title=f"Café {text.title} à Zürich")
        name = self.basename(text, int(self.random.random() * 4))
        return self.add_file(mount, f"{text.studio.name}/{text.date[:4]}/", name, look)

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _next_key(self) -> int:
        """A rating key; an odd multiplier scatters them, so that no order betrays a link."""
        return _FIRST_RATING_KEY + (len(self._videos) * 40_503 & self._key_mask)

    def _next_hash(self) -> int:
        """A hash no other file has: a bijection of a counter."""
        return _mixed((self._seed << 40) + self._next_serial())


# ---- one recipe a case ---------------------------------------------------------------------------


def _add_nfd(maker: Maker, text: Text, made: Made) -> None:
    path = unicodedata.normalize("NFD", made.plex_path)
    maker.add_scene(text, (made.file,), (maker.add_video(path, made),))


def _add_in_other_folder(maker: Maker, text: Text, made: Made) -> None:
    path = f"/media/sorted/{text.date[:4]}/{text.title[0]}/{made.file.basename}"
    maker.add_scene(text, (made.file,), (maker.add_video(path, made),))


def _add_renamed(maker: Maker, text: Text, made: Made) -> None:
    path = f"/media/renamed/{made.look.oshash & 0xFFFFFF:06x}.mp4"
    maker.add_scene(text, (made.file,), (maker.add_video(path, made),))


def _add_remuxed(maker: Maker, text: Text, made: Made) -> None:
    stem, _, suffix = made.plex_path.rpartition(".")
    path = f"{stem}.{'mp4' if suffix == 'mkv' else 'mkv'}"
    look = maker.look()._replace(
        size=int(made.look.size * 1.003),
        duration_s=made.look.duration_s + 0.04,
        width=made.look.width,
        height=made.look.height,
    )
    key = maker.add_video_at(path, look, made.mount.section_id)
    maker.add_scene(text, (made.file,), (key,))


def _second_file(maker: Maker, made: Made) -> Made:
    """A smaller version of a file, in a folder beside it."""
    look = maker.look()._replace(duration_s=made.look.duration_s, width=1280, height=720)
    name = made.file.basename.rpartition(".")[0] + ".720p.mp4"
    return maker.add_file(made.mount, f"{made.tail}small/", name, look)


def _add_two_items(maker: Maker, text: Text, made: Made) -> None:
    other = _second_file(maker, made)
    keys = [maker.add_video(each.plex_path, each) for each in (made, other)]
    maker.add_scene(text, (made.file, other.file), keys)


def _add_two_versions(maker: Maker, text: Text, made: Made) -> None:
    other = _second_file(maker, made)
    media = tuple(maker.media(each.plex_path, each.look) for each in (made, other))
    key = maker.add_item(made.plex_path, media, made.mount.section_id)
    maker.add_scene(text, (made.file, other.file), (key,))


def _add_duplicate(maker: Maker, text: Text, made: Made) -> None:
    copy = maker.add_file(made.mount, f"copies/{made.tail}", made.file.basename, made.look)
    for each in (made, copy):
        maker.add_scene(text, (each.file,), (maker.add_video(each.plex_path, each),))


def _add_moved(maker: Maker, text: Text, made: Made) -> None:
    former = maker.add_video(f"/media/inbox/{made.file.basename}", made)
    maker.amend_item(former, deleted_at=_NOW - 86_400)
    maker.add_scene(text, (made.file,), (maker.add_video(made.plex_path, made),))


def _add_unmeasured(maker: Maker, text: Text, made: Made) -> None:
    media = replace(maker.media(made.plex_path, made.look, measured=False), width=None, height=None)
    key = maker.add_item(made.plex_path, (media,), made.mount.section_id)
    maker.add_scene(text, (made.file,), (key,))


def _add_episode(maker: Maker, text: Text, made: Made) -> None:
    key = maker.add_video(made.plex_path, made)
    show, _, rest = made.file.basename.partition(" - S01E")
    maker.amend_item(
        key, kind="episode", subtype="", show=show, season=1, episode=int(rest.partition(" ")[0])
    )
    maker.add_scene(text, (made.file,), (key,))


def _add_unscanned(maker: Maker, text: Text, made: Made) -> None:
    maker.add_scene(text, (made.file,), ())


def _add_decoy(maker: Maker, text: Text, made: Made) -> None:
    path = f"/media/elsewhere/{made.look.oshash & 0xFFFF:04x}/{made.file.basename}"
    maker.add_video_at(path, maker.look(), DATA.section_id)
    maker.add_scene(text, (made.file,), ())


_RECIPES: Mapping[Case, Callable[[Maker, Text, Made], None]] = {
    Case.NFD: _add_nfd,
    Case.FOLDER: _add_in_other_folder,
    Case.RENAMED: _add_renamed,
    Case.REMUXED: _add_remuxed,
    Case.TWO_ITEMS: _add_two_items,
    Case.TWO_VERSIONS: _add_two_versions,
    Case.DUPLICATE: _add_duplicate,
    Case.MOVED: _add_moved,
    Case.NO_DURATION: _add_unmeasured,
    Case.EPISODE: _add_episode,
    Case.UNSCANNED: _add_unscanned,
    Case.DECOY: _add_decoy,
}

_MOUNTS: Mapping[Case, Mount] = {
    Case.MOUNT: NAS,
    Case.WINDOWS: DISK_D,
    Case.EPISODE: SHOWS,
}

_SIZES = ((1920, 1080), (1920, 1080), (1280, 720), (3840, 2160), (720, 576))


# ---- names ---------------------------------------------------------------------------------------


def _mixed(number: int) -> int:
    """Scatter a 64-bit number; different numbers stay different (splitmix64)."""
    mixed = (number + 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)


def _title(source: random.Random) -> str:
    """Two to six words."""
    pick = source.random
    adjective = words.ADJECTIVES[int(pick() * len(words.ADJECTIVES))]
    noun = words.NOUNS[int(pick() * len(words.NOUNS))]
    other = words.NOUNS[int(pick() * len(words.NOUNS))]
    place = words.PLACES[int(pick() * len(words.PLACES))]
    shape = int(pick() * 5)
    if shape == 0:
        return f"The {adjective} {noun} of {place}"
    if shape == 1:
        return f"{place}, {adjective} {noun}"
    if shape == 2:  # noqa: PLR2004 - the third of five shapes
        return f"{adjective} {noun} and {other}"
    if shape == 3:  # noqa: PLR2004 - the fourth of five shapes
        return f"{noun} & {other} in {place}"
    return f"{adjective} {other}"


def _person(source: random.Random) -> str:
    return f"{source.choice(words.GIVEN_NAMES)} {source.choice(words.FAMILY_NAMES)}"


def _performers(source: random.Random, count: int) -> tuple[StashPerformer, ...]:
    """Distinct names, but the second and third share one and differ by disambiguation."""
    pairs = [(given, family) for given in words.GIVEN_NAMES for family in words.FAMILY_NAMES]
    names = [f"{given} {family}" for given, family in source.sample(pairs, count)]
    genders = (None, "FEMALE", "MALE", "NON_BINARY")
    rows = [StashPerformer(i, n, "", genders[i % 4], i % 3 == 0) for i, n in enumerate(names, 1)]
    rows[1] = replace(rows[1], disambiguation="cellist")
    rows[2] = replace(rows[2], name=rows[1].name, disambiguation="biologist")
    return tuple(rows)


def _tags(count: int) -> tuple[StashTag, ...]:
    """The single words first, then pairs of them."""
    pairs = (f"{first} {second}" for second in words.TAG_SECOND for first in words.TAG_FIRST)
    names = [*words.TAG_FIRST, *words.TAG_SECOND, *pairs][:count]
    return tuple(
        StashTag(number, name, sort_name=f"zz {name}" if number % 50 == 0 else "")
        for number, name in enumerate(names, 1)
    )


def _studios(source: random.Random, count: int) -> tuple[StashStudio, ...]:
    """A fifth of them have a parent, the last of those a grandparent."""
    pairs = [(place, second) for place in words.PLACES for second in words.STUDIO_SECOND]
    names = [f"{place} {second}" for place, second in source.sample(pairs, count)]
    parents = {number: number - 1 for number in range(5, count + 1, 5)}
    parents[4] = 3
    return tuple(
        StashStudio(number, name, parents.get(number)) for number, name in enumerate(names, 1)
    )


def _groups(source: random.Random, count: int) -> tuple[StashGroup, ...]:
    """Every third one has no date."""
    return tuple(
        StashGroup(
            number, _title(source), None if number % 3 == 0 else f"{2000 + number % 26}-01-01"
        )
        for number in range(1, count + 1)
    )
