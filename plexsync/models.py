"""The nouns of plexsync: immutable values that travel from the two servers to the report.

Durations are seconds, sizes bytes, times aware UTC datetimes unless a name says otherwise. An
unknown number is None, an unset text "", an unset list (): "absent" and "empty" look the same on
both servers, so they are the same here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

import msgspec

SceneId = NewType("SceneId", str)
"""Stash's id of a scene: decimal text; a cache, not an identity (a full import restarts it)."""

RatingKey = NewType("RatingKey", str)
"""Plex's id of an item: decimal text; a cache, not an identity (a moved file gets a new one)."""

RelatedId = NewType("RelatedId", str)
"""What a scene shows of another object in Stash: `t12` is tag 12, `p7` a performer, `s3` a studio,
`g1` a group. See `relations`."""

Value = str | tuple[str, ...]
"""What a field holds: one text, or a list of names. Dates are `YYYY-MM-DD`."""


class _Value(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What all nouns share: frozen, made by keyword, not tracked by the cyclic collector."""


# ---- Stash ---------------------------------------------------------------------------------------


class SceneFile(_Value, frozen=True):
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


class Scene(_Value, frozen=True):
    """What matching needs to know of a scene. `files` has the primary file first and may be empty.

    `tags`, and `filled`, the names under `[fields]` it has a value for, are there if asked for.
    `updated_at` is an opaque version text: compare it for inequality only (docs/stash-api.md 2.5).
    """

    scene_id: SceneId
    updated_at: str
    title: str = ""
    date: str = ""
    organized: bool = False
    files: tuple[SceneFile, ...] = ()
    tags: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()


class SceneDetail(_Value, frozen=True):
    """What a scene says about itself: the source of every desired field.

    `date` is `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or ""; `studios` runs from the scene's studio up to
    its parents; `parent_tags` are those above `tags`, as far as they were asked for;
    `cover_path` is path and query of the cover on the configured Stash; `related` holds what it
    shows of other objects, as the dictionary of `relations` has it.
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
    performers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parent_tags: tuple[str, ...] = ()
    files: tuple[SceneFile, ...] = ()
    cover_path: str = ""
    related: dict[RelatedId, str] = {}


# ---- Plex ----------------------------------------------------------------------------------------


class ItemKind(StrEnum):
    """The kinds of item plexsync writes to. Source: docs/plex-api.md 4."""

    MOVIE = "movie"
    EPISODE = "episode"


class PlexFile(_Value, frozen=True):
    """One part of an item, as Plex sees it.

    `changed_at` is the change stamp in the part's key; `stacked` says that the part is one of
    several that make up one version, so its size and duration are not the whole video's.
    """

    path: str
    size_bytes: int | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    part_id: int = 0
    changed_at: int = 0
    stacked: bool = False


class PlexItem(_Value, frozen=True):
    """What matching needs to know of an item.

    Optimised versions are not among `files`; `updated_at` is an epoch.
    """

    rating_key: RatingKey
    section_id: str
    kind: ItemKind
    title: str = ""
    date: str = ""
    files: tuple[PlexFile, ...] = ()
    trashed: bool = False
    updated_at: int = 0


class PlexField(StrEnum):
    """The fields of an item plexsync can write; the client knows Plex's names for them."""

    TITLE = "title"
    SORT_TITLE = "sort_title"
    ORIGINAL_TITLE = "original_title"
    SUMMARY = "summary"
    TAGLINE = "tagline"
    DATE = "date"
    STUDIO = "studio"
    CONTENT_RATING = "content_rating"
    RATING = "rating"
    GENRES = "genres"
    ACTORS = "actors"
    DIRECTORS = "directors"
    LABELS = "labels"
    COLLECTIONS = "collections"
    POSTER = "poster"
    BACKGROUND = "background"


LIST_FIELDS = frozenset(
    {
        PlexField.GENRES,
        PlexField.ACTORS,
        PlexField.DIRECTORS,
        PlexField.LABELS,
        PlexField.COLLECTIONS,
    }
)
"""The fields whose value is a list of names; the others hold one text."""

PICTURE_FIELDS = frozenset({PlexField.POSTER, PlexField.BACKGROUND})
"""The fields that are pictures: chosen from those an item has, not written by an edit.

As a text, in a change, a picture is the key Plex knows it by.
"""


class ItemDetail(_Value, frozen=True):
    """A fresh, full read of one item.

    What planning compares and what a write is checked against. `shown` is the address of each
    picture: while it stands, so does the picture; but it moves for other reasons, too.
    """

    item: PlexItem
    values: dict[PlexField, Value]
    locked: frozenset[PlexField] = frozenset()
    shown: dict[PlexField, str] = {}


class Picture(_Value, frozen=True):
    """One of the posters or backgrounds an item can choose from, by Plex's key for it."""

    key: str
    selected: bool = False


class Section(_Value, frozen=True):
    """One Plex library.

    The three counters are hints that something changed (docs/plex-api.md 3).
    """

    section_id: str
    title: str
    kind: ItemKind
    uuid: str = ""
    locations: tuple[str, ...] = ()
    refreshing: bool = False
    content_changed_at: int = 0
    scanned_at: int = 0
    updated_at: int = 0


class Server(_Value, frozen=True):
    """Whom we talk to.

    `identity` is Plex's machine identifier, or for Stash the path of its database.
    """

    url: str
    version: str
    identity: str = ""


# ---- Matching ------------------------------------------------------------------------------------


class Confidence(StrEnum):
    """HIGH is certain enough to write; LOW waits for a person."""

    HIGH = "HIGH"
    LOW = "LOW"


class Evidence(_Value, frozen=True):
    """One named comparison.

    `weight` is in bits: log2 of how much likelier the value is for one file than for two.
    """

    name: str
    value: str
    weight: float


class Candidate(_Value, frozen=True):
    """An item worth comparing with a scene.

    `scene_path` and `item_path` are the files compared; `score` is 0 to 1.
    """

    rating_key: RatingKey
    title: str
    scene_path: str
    item_path: str
    score: float
    evidence: tuple[Evidence, ...] = ()


class Match(_Value, frozen=True):
    """What matching decided about one scene, or about one of its files that is an item of its own.

    `confidence` is None when there is no plausible candidate; else `candidates[0]` is the best
    one of `candidate_count` (at most 10 are kept). `margin` is the score's lead over the
    runner-up. `reason` says in one line why it is HIGH, or why it is not.
    """

    scene_id: SceneId
    confidence: Confidence | None
    reason: str
    score: float = 0.0
    margin: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    candidate_count: int = 0


class PathRule(_Value, frozen=True):
    """How Stash sees a folder, and how Plex sees the same one.

    `explains` counts the files a proposal would settle.
    """

    stash: str
    plex: str
    explains: int = 0


# ---- Planning and outcome ------------------------------------------------------------------------


class Policy(StrEnum):
    """Who wins. Source: docs/design.md, "Deciding what to write"."""

    OVERWRITE = "overwrite"
    FILL = "fill"
    MERGE = "merge"
    KEEP = "keep"
    OFF = "off"


class FieldRule(_Value, frozen=True):
    """How one scene field reaches Plex: one entry of `[fields]` in the configuration.

    `to` is the Plex field it is written to. `include` and `exclude` are shell patterns over the
    names of a list, compared case-folded; an empty `include` lets every name in. `templates` are
    what a text, or each name of a list, is made by; none means the field's own value as it is.
    `by_tag` holds pairs of a tag's pattern and the text a scene with such a tag gets instead.
    `joins` says that the rule has no policy of its own: where other rules write to the same list
    it follows theirs. `parents` adds the tags above a scene's tags.
    """

    name: str
    policy: Policy
    to: PlexField
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    by_tag: tuple[tuple[str, str], ...] = ()
    joins: bool = False
    parents: bool = False


FIELD_SEPARATOR = "+"
"""Joins the names of several configured fields that make one Plex field together."""


class Desired(_Value, frozen=True):
    """What a scene says one Plex field should be.

    `field` is the name under `[fields]` in the configuration; where several make one list it is
    all their names, joined by `FIELD_SEPARATOR`.
    """

    field: str
    target: PlexField
    value: Value
    policy: Policy


class Base(_Value, frozen=True):
    """What we last applied to one field of one item, as digests.

    `entries` holds, for a list, a digest of each name we added, run together: merge removes only
    those. `wanted` is the digest of what Stash wanted where merging made another list of it.
    """

    digest: str
    entries: str = ""
    wanted: str = ""


class Trace(_Value, frozen=True):
    """What is remembered of one field of a linked item beside its policy: see `Link`."""

    base: Base | None = None
    held: str = ""


class Change(_Value, frozen=True):
    """One field, before and after, with all that undo needs to put it back.

    Attributes:
        field: the name under `[fields]` in the configuration.
        target: the field in Plex.
        before: what Plex held.
        after: what it is to hold.
        policy: why.
        locked_before: Plex's lock before.
        locked_after: how the lock is to end; None for what the plan says of all its fields.
        wanted: digest of what Stash wants where `after` is not just that.
        trace_before: what was remembered of the field before; None for nothing.
        trace_after: what is to be remembered once Plex shows `after`; None where that follows from
            the change itself. An undo says it, because what it puts back is not ours.
    """

    field: str
    target: PlexField
    before: Value
    after: Value
    policy: Policy
    locked_before: bool = False
    locked_after: bool | None = None
    wanted: str = ""
    trace_before: Trace | None = None
    trace_after: Trace | None = None


class ItemPlan(_Value, frozen=True):
    """All changes of one item for one scene.

    One PUT. `path` is the file the item must still hold when it is written.
    """

    scene_id: SceneId
    rating_key: RatingKey
    section_id: str
    kind: ItemKind
    path: str
    lock: bool
    changes: tuple[Change, ...]


class Outcome(StrEnum):
    """What became of a row. Source: docs/contract.md."""

    PLANNED = "planned"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REVIEW = "review"
    UNMATCHED = "unmatched"
    IGNORED = "ignored"
    SKIPPED = "skipped"
    FAILED = "failed"


class Problem(_Value, frozen=True):
    """An error as data: what a row, a state record or a JSON document holds of it."""

    kind: str
    message: str
    hint: str = ""


# ---- Memory --------------------------------------------------------------------------------------


class PictureBase(_Value, frozen=True):
    """What we know of one picture of one item.

    Attributes:
        stamp: the part of the cover's address that moves with the scene, when the cover was
            compared last; while it stands, so does the cover.
        etag: Stash's tag of the cover `key` was made from; without a key, of that compared last.
        key: Plex's key of the picture we chose last; "" while none is ours.
        shown: what Plex showed, and the policy, when they were compared last; "" when not known.
    """

    stamp: str
    etag: str = ""
    key: str = ""
    shown: str = ""


class Link(_Value, frozen=True):
    """A remembered scene-item pair.

    Valid while the item still holds `path`; `base` and `pictures` are by target
    field. `held` has, by target field,
    the digest of what Stash wanted when a person took it back with an undo: while Stash wants just
    that, a run leaves the field alone unless told to look at the scene or at everything.
    """

    rating_key: RatingKey
    section_id: str
    path: str
    confidence: Confidence = Confidence.HIGH
    base: dict[PlexField, Base] = {}
    held: dict[PlexField, str] = {}
    pictures: dict[PlexField, PictureBase] = {}


class SceneRecord(_Value, frozen=True):
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
        related: the tags, performers, studios and groups it showed then; see `relations.joined`.
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


# ---- What the report shows -----------------------------------------------------------------------


class SceneRef(_Value, frozen=True):
    """A scene as a report row names it."""

    id: SceneId
    title: str
    path: str
    updated_at: str
    url: str


class ItemRef(_Value, frozen=True):
    """An item as a report row names it."""

    rating_key: RatingKey
    title: str
    library: str
    path: str
    url: str


class Row(_Value, frozen=True):
    """One (scene, item) pair of a run.

    `matches[]` of `plexsync run --json`. Source: docs/contract.md.
    """

    scene: SceneRef
    item: ItemRef | None
    confidence: Confidence | None
    score: float
    margin: float
    reason: str
    evidence: tuple[Evidence, ...]
    candidates: tuple[Candidate, ...]
    changes: tuple[Change, ...]
    outcome: Outcome
    error: Problem | None = None


class Counts(msgspec.Struct, kw_only=True):
    """How many of everything, `counts` of the JSON document.

    The one mutable noun: a run adds up in it.
    """

    scenes_read: int = 0
    scenes_due: int = 0
    high: int = 0
    low: int = 0
    unmatched: int = 0
    planned: int = 0
    applied: int = 0
    unchanged: int = 0
    kept: int = 0
    skipped: int = 0
    failed: int = 0
    review: int = 0


class Requests(_Value, frozen=True):
    """How many requests were sent, retries included."""

    stash: int = 0
    plex_reads: int = 0
    plex_writes: int = 0


class RunHeader(_Value, frozen=True):
    """What is known when a run starts talking. `stash` and `plex` are None until each answered.

    `command` is `run`, `apply` or `undo`; `again` is what to type to do what a dry run showed.
    """

    run_id: str
    started_at: str
    command: str = "run"
    again: str = "plexsync run"
    dry_run: bool = False
    full: bool = False
    stash: Server | None = None
    plex: Server | None = None


class Preview(_Value, frozen=True):
    """What a person sees before the first write: the first rows, and how many there are.

    `high` holds rows with changes, planned but not written; `low` rows that wait for review.
    `high_total` counts HIGH matches, changed or not. `more_changes` says that rows beyond `high`
    were not compared yet, so that further changes may follow. `headline` stands over `high` where
    they are no matches but what an undo or a saved plan writes.
    """

    high: tuple[Row, ...]
    low: tuple[Row, ...]
    high_total: int
    low_total: int
    unmatched_total: int
    more_changes: bool
    proposed_rules: tuple[PathRule, ...] = ()
    headline: str = ""


class RunSummary(_Value, frozen=True):
    """How a run ended: everything of `plexsync run --json` but its rows.

    `new_review` counts LOW matches no earlier run has announced; `waiting` the scenes whose next
    try lies in the future; `index` says how Plex's listing was had: "none", "cached", "updated"
    or "listed"; `subset` that Plex is meant to lack scenes, so that nobody is told of them.
    """

    header: RunHeader
    finished_at: str
    exit_code: int
    counts: Counts
    requests: Requests
    new_review: int = 0
    waiting: int = 0
    index: str = "none"
    proposed_rules: tuple[PathRule, ...] = ()
    subset: bool = False
    error: Problem | None = None
