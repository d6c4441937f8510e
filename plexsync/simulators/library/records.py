"""The rows of both simulated servers: immutable, so that a simulator replaces what it changes.

Ids are numbers here and text on the wire. Times of Stash are text as stored, times of Plex epochs
in seconds; durations of Stash are seconds, of Plex milliseconds, as each server has them.
Source: docs/stash-api.md 2.5 and 3, docs/plex-api.md 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH_TEXT = "2024-01-01T00:00:00Z"

# ---- Stash ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StashFolder:
    """A folder. A file's path is folder path, separator, base name."""

    id: int
    path: str

    @property
    def separator(self) -> str:
        """What stands between this folder and a base name: a backslash if the path holds one."""
        return "\\" if "\\" in self.path else "/"


@dataclass(frozen=True, slots=True)
class StashFile:
    """A video file.

    Sizes and lengths of -1 and codecs of "unset" come from old databases (docs/stash-api.md 3.1).
    Fingerprints are numbers; None leaves one out.
    """

    id: int
    folder_id: int
    basename: str
    size: int
    duration: float
    oshash: int | None
    phash: int | None = None
    md5: str = ""
    width: int = 1920
    height: int = 1080
    video_codec: str = "h264"
    audio_codec: str = "aac"
    format: str = "mp4"
    frame_rate: float = 25.0
    bit_rate: int = 5_000_000
    mod_time: str = EPOCH_TEXT
    created_at: str = EPOCH_TEXT
    updated_at: str = EPOCH_TEXT


@dataclass(frozen=True, slots=True)
class StashPerformer:
    """A performer; name and disambiguation together are unique."""

    id: int
    name: str
    disambiguation: str = ""
    gender: str | None = None
    has_image: bool = False
    details: str = ""
    alias_list: tuple[str, ...] = ()
    created_at: str = EPOCH_TEXT
    updated_at: str = EPOCH_TEXT


@dataclass(frozen=True, slots=True)
class StashTag:
    """A tag; the name is unique."""

    id: int
    name: str
    sort_name: str = ""
    description: str = ""
    has_image: bool = False
    aliases: tuple[str, ...] = ()
    parent_ids: tuple[int, ...] = ()
    favorite: bool = False
    created_at: str = EPOCH_TEXT
    updated_at: str = EPOCH_TEXT


@dataclass(frozen=True, slots=True)
class StashStudio:
    """A studio; the name is unique."""

    id: int
    name: str
    parent_id: int | None = None
    details: str = ""
    has_image: bool = False
    created_at: str = EPOCH_TEXT
    updated_at: str = EPOCH_TEXT


@dataclass(frozen=True, slots=True)
class StashGroup:
    """A group of scenes, a film for instance; the name is not unique."""

    id: int
    name: str
    date: str | None = None
    synopsis: str = ""
    has_image: bool = False
    created_at: str = EPOCH_TEXT
    updated_at: str = EPOCH_TEXT


@dataclass(frozen=True, slots=True)
class StashScene:
    """A scene. `file_ids` has the primary file first.

    `groups` pairs a group's id with the scene's place in it. `cover` seeds a generated picture; a
    simulator can be given other bytes.
    """

    id: int
    title: str = ""
    code: str = ""
    details: str = ""
    director: str = ""
    date: str | None = None
    rating100: int | None = None
    organized: bool = False
    urls: tuple[str, ...] = ()
    studio_id: int | None = None
    performer_ids: tuple[int, ...] = ()
    tag_ids: tuple[int, ...] = ()
    groups: tuple[tuple[int, int | None], ...] = ()
    file_ids: tuple[int, ...] = ()
    stash_ids: tuple[tuple[str, str], ...] = ()
    cover: int | None = None
    created_at: str = EPOCH_TEXT
    updated_at: str = EPOCH_TEXT
    custom_fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StashSide:
    """All of a Stash."""

    scenes: tuple[StashScene, ...] = ()
    files: tuple[StashFile, ...] = ()
    folders: tuple[StashFolder, ...] = ()
    performers: tuple[StashPerformer, ...] = ()
    tags: tuple[StashTag, ...] = ()
    studios: tuple[StashStudio, ...] = ()
    groups: tuple[StashGroup, ...] = ()


# ---- Plex ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlexPart:
    """One file of a version.

    `oshash` shows in the tree as `openSubtitleHash`, None while the file is not analysed.
    `changed_at` is the change stamp in the part's key.
    """

    id: int
    file: str
    size: int | None
    duration_ms: int | None
    container: str = "mp4"
    oshash: int | None = None
    changed_at: int = 1_740_000_000
    deleted_at: int | None = None
    exists: bool = True


@dataclass(frozen=True, slots=True)
class PlexMedia:
    """One version of an item; several parts are a stack. `optimized` shows as `proxyType="42"`."""

    id: int
    parts: tuple[PlexPart, ...]
    duration_ms: int | None = None
    width: int | None = 1920
    height: int | None = 1080
    bitrate: int | None = 5000
    container: str = "mp4"
    video_codec: str = "h264"
    audio_codec: str = "aac"
    optimized: bool = False
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class PlexVideo:
    """A movie, an "other video" (`subtype` clip) or an episode.

    `genres`, `actors` and so on are complete; what a listing shows of them is the simulator's
    business. `actors` pairs a name with a part played. `locked` holds Plex's names: title, genre,
    actor. An episode says which `show`, `season` and `episode` it is.
    """

    rating_key: int
    section_id: int
    title: str
    media: tuple[PlexMedia, ...]
    kind: str = "movie"
    subtype: str = "clip"
    guid: str = ""
    title_sort: str = ""
    original_title: str = ""
    summary: str = ""
    tagline: str = ""
    studio: str = ""
    content_rating: str = ""
    originally_available_at: str = ""
    genres: tuple[str, ...] = ()
    actors: tuple[tuple[str, str], ...] = ()
    directors: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    producers: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    locked: frozenset[str] = frozenset()
    added_at: int = 1_740_000_000
    updated_at: int = 1_740_000_000
    deleted_at: int | None = None
    user_rating: float | None = None
    view_count: int = 0
    show: str = ""
    season: int | None = None
    episode: int | None = None


@dataclass(frozen=True, slots=True)
class PlexLibrarySection:
    """A Plex library; `kind` is movie, show, artist or photo."""

    id: int
    title: str
    locations: tuple[str, ...]
    kind: str = "movie"
    uuid: str = ""
    agent: str = "com.plexapp.agents.none"
    scanner: str = "Plex Video Files Scanner"
    language: str = "xn"


@dataclass(frozen=True, slots=True)
class PlexSide:
    """All of a Plex server."""

    sections: tuple[PlexLibrarySection, ...] = ()
    videos: tuple[PlexVideo, ...] = ()


# ---- Both ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Library:
    """Both servers' view of one collection of files.

    Attributes:
        stash: what Stash holds.
        plex: what Plex holds.
        truth: for every scene id the rating keys of the items that are the same video, both as
            text; () for a scene Plex does not have.
        path_rules: folders as Stash and as Plex see them, which a user would configure.
    """

    stash: StashSide = field(default_factory=StashSide)
    plex: PlexSide = field(default_factory=PlexSide)
    truth: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path_rules: tuple[tuple[str, str], ...] = ()
