"""What Stash holds: scenes, as matching and as planning know them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import field

from plexsync.models.basis import Noun, RelatedId, SceneId


class StashField(StrEnum):
    """What plexsync can do without, by Stash's own names: some option needs it, or none does."""

    CODE = "Scene.code"
    DETAILS = "Scene.details"
    DIRECTOR = "Scene.director"
    RATING = "Scene.rating100"
    URLS = "Scene.urls"
    STASH_IDS = "Scene.stash_ids"
    COVER = "Scene.paths"
    STUDIO = "Scene.studio"
    GROUPS = "Scene.groups"
    SCENE_INDEX = "SceneGroup.scene_index"
    CUSTOM_FIELDS = "Scene.custom_fields"
    PERFORMERS = "Scene.performers"
    PARENT_STUDIO = "Studio.parent_studio"
    PARENT_TAGS = "Tag.parents"
    DISAMBIGUATION = "Performer.disambiguation"
    GENDER = "Performer.gender"
    ALIASES = "Performer.alias_list"
    IMAGE = "Performer.image_path"
    ALL_GROUPS = "Query.findGroups"


class SceneFile(Noun, frozen=True):
    """One video file of a scene, as Stash sees it.

    `oshash` is the 64-bit OpenSubtitles hash as an integer, because neither server promises zero
    padding.
    Source: docs/stash-api.md 3.1 (-1 and "unset" are decoded as None).
    """

    path: str
    size_bytes: int | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    oshash: int | None = None


class Scene(Noun, frozen=True):
    """What matching needs to know of a scene. `files` has the primary file first and may be empty.

    `shows`, its tags and its studio, and `filled`, the names of `stash.required` it has a value
    for, are there if asked for.
    `updated_at` is an opaque version text: compare it for inequality only (docs/stash-api.md 2.5).
    """

    scene_id: SceneId
    updated_at: str
    title: str = ""
    date: str = ""
    organized: bool = False
    files: tuple[SceneFile, ...] = ()
    shows: tuple[RelatedId, ...] = ()
    filled: tuple[str, ...] = ()


class Performer(Noun, frozen=True):
    """What Stash knows of a performer, as far as it may be shown.

    `gender` is Stash's word, such as `FEMALE`; `image_path` is path and query of the picture on the
    configured Stash, "" while there is none of their own.
    """

    performer_id: str
    name: str
    disambiguation: str = ""
    gender: str = ""
    aliases: tuple[str, ...] = ()
    image_path: str = ""


class RelatedDetail(Noun, frozen=True):
    """What a studio, group, performer or tag says of itself.

    `image_path` is path and query of its picture on the configured Stash; "" while there is none.
    """

    updated_at: str
    text: str = ""
    image_path: str = ""


class SceneDetail(Noun, frozen=True):
    """What a scene says about itself: the source of every desired field.

    `date` is `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or ""; `studios` runs from the scene's studio up to
    its parents; `scene_indexes` has its place in each of the `groups`; `parent_tags` are those
    above `tags`, as far as they were asked for; `cover_path` is path and query of the cover on the
    configured Stash; `related` holds what it shows of other objects, as the dictionary of
    `relations` has it; `cast` are the performers once more, with all that is known of them,
    `stash_ids` the address of each stash-box with its id for the scene, and `custom` the custom
    fields as texts, if these were asked for.
    """

    scene_id: SceneId
    updated_at: str
    title: str = ""
    code: str = ""
    details: str = ""
    director: str = ""
    date: str = ""
    rating100: int | None = None
    organized: bool = False
    urls: tuple[str, ...] = ()
    studios: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    scene_indexes: tuple[int | None, ...] = ()
    performers: tuple[str, ...] = ()
    cast: tuple[Performer, ...] = ()
    tags: tuple[str, ...] = ()
    parent_tags: tuple[str, ...] = ()
    files: tuple[SceneFile, ...] = ()
    cover_path: str = ""
    stash_ids: tuple[tuple[str, str], ...] = ()
    custom: dict[str, str] = field(default_factory=dict)
    related: dict[RelatedId, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Whether nobody has curated it yet, as after a scan: it says what its file says."""
        names = self.studios or self.groups or self.performers or self.tags or self.urls
        texts = self.title or self.code or self.details or self.director or self.date
        return not (names or texts or self.rating100 or self.organized)
