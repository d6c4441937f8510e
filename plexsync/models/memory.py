"""What is remembered of a scene from run to run."""

from __future__ import annotations

from msgspec import field

from plexsync.models.basis import Noun, Outcome, Problem, RatingKey
from plexsync.models.matching import Confidence
from plexsync.models.plex import PlexField
from plexsync.models.wishes import Base


class PictureBase(Noun, frozen=True):
    """What we know of one picture of one item.

    Attributes:
        stamp: the part of the cover's address that moves with the scene, when the cover was
            compared last; while it stands, so does the cover.
        etag: Stash's tag of the cover `key` was made from; without a key, of that compared last.
        key: Plex's key of the picture we chose last; "" while none is ours.
        shown: what Plex showed, and the policy, when they were compared last; "" when not known.
        former: Plex's key of the picture of ours that `key` replaced; "" when there was none. An
            undo brings that one back, and no person chose it.
        made: how `key` was made of the cover, see `padding.recipe`; "" for as it is.
    """

    stamp: str
    etag: str = ""
    key: str = ""
    shown: str = ""
    made: str = ""
    former: str = ""


class Link(Noun, frozen=True):
    """A remembered scene-item pair.

    Valid while the item still holds `path`; `base` and `pictures` are by target
    field. `held` has, by target field,
    the digest of what Stash wanted when a person took it back with an undo: while Stash wants just
    that, a run leaves the field alone unless asked to look at the scene or at everything.
    `inherited` says that an earlier scene gave the item what `base` knows of, and that nobody has
    curated this one yet. `above` names the season and the show of an episode, where these are
    written to.
    """

    rating_key: RatingKey
    section_id: str
    path: str
    confidence: Confidence = Confidence.HIGH
    base: dict[PlexField, Base] = field(default_factory=dict)
    held: dict[PlexField, str] = field(default_factory=dict)
    pictures: dict[PlexField, PictureBase] = field(default_factory=dict)
    inherited: bool = False
    above: tuple[RatingKey, ...] = ()


class KeptRecord(Noun, frozen=True):
    """What we remember of what is kept in step with the scenes: a collection, a show, a season.

    Attributes:
        link: it, and what we last applied to it; without a rating key there is none.
        title: the title it was to have last.
        wanted: digest of all that was wanted when it was handled last; "" while it is due.
        attempts: tries in a row that failed.
        due_at: ISO time before which it is not tried again, unless something else is wanted; ""
            while it does not wait.
        problem: why the last try failed.
    """

    link: Link
    title: str = ""
    wanted: str = ""
    attempts: int = 0
    due_at: str = ""
    problem: Problem | None = None

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing is written to it."""
        return False


class SceneRecord(Noun, frozen=True):
    """What we remember of one scene.

    Attributes:
        updated_at: the version text that was handled last; "" while none was.
        files: digest of the scene's files when `links` were decided; another digest means: match
        again.
        desired: digest of the desired fields that were handled last.
        outcome: how the last attempt ended.
        links: the items the scene is written to.
        attempts: tries in a row that did not end well (failed or unmatched).
        due_at: ISO time before which the scene is not tried again; "" when it is not waiting.
        problem: why the last attempt failed.
        related: the tags, performers, studios and groups it showed then; see `join_related`.
        marks: its rating and whether it was organized, as `marks_of` writes them; "" while no
        collection is made from those.
        year: of its date; "" where it has none, and while seasons are left alone.
    """

    updated_at: str
    outcome: Outcome
    files: str = ""
    desired: str = ""
    links: tuple[Link, ...] = ()
    attempts: int = 0
    due_at: str = ""
    problem: Problem | None = None
    related: str = ""
    marks: str = ""
    year: str = ""
