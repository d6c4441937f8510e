"""Two made-up libraries with known links: the ground the situations build on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import random

_SYLLABLES = [c + v for c in "bcdfghjklmnprstvwz" for v in "aeiou"]
FRAMES = ((1920, 1080), (1280, 720), (3840, 2160), (854, 480), (1920, 1080))
_QUALITY = ("1080p", "720p", "2160p", "WEB-DL", "x264", "HEVC")


@dataclass(frozen=True, slots=True)
class Mix:
    """How a corpus is composed.

    Attributes:
        name: what it is called in the report.
        plain: share of ordinary scenes; the rest is spread evenly over all situations.
        rules: whether the path rules are configured.
        proposed: whether those are configured that a run without rules proposes.
        hashes: whether Plex's content hashes may be asked for.
        due: share of scenes that are matched; the others are linked already, as far as they
            truly are items.
    """

    name: str
    plain: float
    rules: bool = False
    proposed: bool = False
    hashes: bool = False
    due: float = 1.0


@dataclass(frozen=True, slots=True)
class Label:
    """The truth about one scene.

    Attributes:
        situation: the name of the situation it was made by.
        items: the items it truly is; empty when Plex does not have it.
        certain: identity-grade evidence exists: it has to be HIGH, for each of the items.
        low: a person has to decide, so it must never be HIGH.
    """

    situation: str
    items: frozenset[RatingKey]
    certain: bool
    low: bool = False


@dataclass(frozen=True, slots=True)
class Video:
    """One video file as it lies on a disk: `folder` and `name` are relative to a root."""

    folder: str
    name: str
    size_bytes: int
    duration_s: float
    frame: tuple[int, int]
    oshash: int


@dataclass(slots=True)
class World:
    """Both libraries while they are being made."""

    random: random.Random
    mix: Mix
    words: list[str]
    scenes: list[Scene] = field(default_factory=list)
    items: list[PlexItem] = field(default_factory=list)
    labels: dict[SceneId, Label] = field(default_factory=dict)
    hashes: dict[int, int] = field(default_factory=dict)
    owners: dict[RatingKey, list[int]] = field(default_factory=dict)
    situation: str = ""
    serial: int = 0

    @property
    def rules(self) -> tuple[PathRule, ...]:
        """The configured path rules: two roots of which one holds two of Stash's."""
        if not self.mix.rules:
            return ()
        pairs = (("/data/", "/media/"), ("/data2/", "/media2/"), ("/old/", "/media2/"))
        windows = (("D:\\Videos\\", "/media/"), ("/windows/", "P:\\Films"))
        shares = ((r"\\nas\share", "/media/"),)
        return tuple(PathRule(stash=a, plex=b) for a, b in (*pairs, *windows, *shares))

    # ---- Making things up ------------------------------------------------------------------------

    def number(self) -> int:
        """A new number."""
        self.serial += 1
        return self.serial

    def word(self) -> str:
        """A word of two to four syllables."""
        return self.random.choice(self.words)

    def title(self) -> str:
        """Two to five words."""
        return " ".join(self.word() for _ in range(self.random.randint(2, 5))).title()

    def name(self) -> str:
        """A base name without extension in one of the styles people use."""
        pick = self.random
        style = pick.randrange(6)
        if style == 0:
            day = f"{pick.randint(10, 25)}.{pick.randint(1, 12):02}.{pick.randint(1, 28):02}"
            title = self.title().replace(" ", ".")
            return f"{self.word()}.{day}.{title}.{pick.choice(_QUALITY)}"
        if style == 1:
            return f"{self.word().title()} {self.word().title()} - {self.title()}"
        if style == 2:
            return f"{self.title()} ({pick.randint(1998, 2026)})"
        if style == 3:
            return self.title().lower().replace(" ", "-")
        if style == 4:
            return f"{self.word()}_{self.word()}_{pick.randint(1, 99)}"
        return self.title()

    def folder(self) -> str:
        """One to three folders."""
        kinds = self.random.randrange(4)
        if kinds == 0:
            return f"{self.random.randint(2015, 2026)}/{self.random.randint(1, 12):02}"
        if kinds == 1:
            return self.word().title()
        if kinds == 2:
            return f"{self.word().title()}/{self.title()}"
        return f"{self.word().title()}/{self.random.randint(2015, 2026)}"

    def size(self) -> int:
        """Bytes: a few MB to some GB, most around 800 MB."""
        return int(self.random.lognormvariate(20.5, 1.0)) + 200_000

    def duration(self) -> float:
        """Seconds, whole ones in every tenth file, so that lengths do coincide."""
        length = min(max(self.random.lognormvariate(7.1, 0.7), 20.0), 14_000.0)
        return float(round(length)) if self.random.random() < 0.1 else round(length, 2)

    def video(self, **known: object) -> Video:
        """A video; keywords replace what is made up."""
        made: dict[str, object] = {
            "folder": self.folder(),
            "name": f"{self.name()}.mp4",
            "size_bytes": self.size(),
            "duration_s": self.duration(),
            "frame": self.random.choice(FRAMES),
            "oshash": self.random.getrandbits(63) + 1,
        }
        return Video(**{**made, **known})  # type: ignore[arg-type] # keywords are a Video's own

    # ---- Putting things in -----------------------------------------------------------------------

    def stash_file(self, video: Video, root: str = "/data", **known: object) -> SceneFile:
        """How Stash sees a video."""
        made: dict[str, object] = {
            "path": "/".join(part for part in (root, video.folder, video.name) if part),
            "size_bytes": video.size_bytes,
            "duration_s": video.duration_s,
            "width": video.frame[0],
            "height": video.frame[1],
            "oshash": video.oshash,
        }
        return SceneFile(**{**made, **known})  # type: ignore[arg-type] # keywords are a SceneFile's own

    def plex_file(self, video: Video, root: str = "/media", **known: object) -> PlexFile:
        """How Plex sees a video: milliseconds, measured a little differently."""
        made: dict[str, object] = {
            "path": "/".join(part for part in (root, video.folder, video.name) if part),
            "size_bytes": video.size_bytes,
            "duration_s": round(video.duration_s + self.random.uniform(-0.04, 0.04), 3),
            "width": video.frame[0],
            "height": video.frame[1],
            "part_id": self.number(),
        }
        file = PlexFile(**{**made, **known})  # type: ignore[arg-type] # keywords are a PlexFile's own
        self.hashes[file.part_id] = video.oshash
        return file

    def add_item(self, *files: PlexFile, title: str = "", **known: object) -> RatingKey:
        """Put an item into Plex."""
        key = RatingKey(str(1_000_000 + self.number()))
        stem = (
            files[0].path.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] if files else ""
        )
        made: dict[str, object] = {
            "rating_key": key,
            "section_id": "1",
            "kind": ItemKind.MOVIE,
            "title": title or stem,
            "files": files,
        }
        self.items.append(PlexItem(**{**made, **known}))  # type: ignore[arg-type] # keywords are a PlexItem's own
        self.owners[key] = [file.part_id for file in files]
        return key

    def add_scene(
        self,
        *files: SceneFile,
        truth: tuple[RatingKey, ...] = (),
        certain: bool = False,
        low: bool = False,
        scene_id: SceneId | None = None,
        **known: object,
    ) -> SceneId:
        """Put a scene into Stash, and say what it is."""
        scene_id = scene_id or SceneId(str(self.number()))
        made: dict[str, object] = {"scene_id": scene_id, "updated_at": "1", "files": files}
        self.scenes.append(Scene(**{**made, **known}))  # type: ignore[arg-type] # keywords are a Scene's own
        self.labels[scene_id] = Label(self.situation, frozenset(truth), certain, low)
        return scene_id


def make_words(rng: random.Random, count: int = 2500) -> list[str]:
    """A vocabulary."""
    return ["".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 4))) for _ in range(count)]
