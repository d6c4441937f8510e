"""Models: the nouns, immutable values that travel from the two servers to the report. Pure.

In: what the clients decode and what planning decides. Out: the same values, for everybody; all are
imported from here, and the modules only part them by subject.

`stash.py` has scenes, `plex.py` items, `matching.py` what matching finds, `wishes.py` what Plex
should hold, `changes.py` what is to be written, `memory.py` what is remembered, `collections.py`
collections, `shows.py` shows and seasons, `telling.py` rows and summaries; `basis.py` what they
share.

Durations are seconds, sizes bytes, times aware UTC datetimes unless a name says otherwise. An
unknown number is None, an unset text "", an unset list (): "absent" and "empty" look the same on
both servers, so they are the same here. Read first: `stash.py` and `plex.py`.
"""

from __future__ import annotations

from plexsync.models.basis import (
    Outcome,
    Problem,
    RatingKey,
    RelatedId,
    SceneId,
    Server,
    Value,
    as_problem,
    id_order,
)
from plexsync.models.changes import (
    Base,
    Change,
    ItemPlan,
    Trace,
)
from plexsync.models.collections import (
    MARKED_KINDS,
    RELATED_KINDS,
    CollectionKind,
    CollectionRecord,
    CollectionSource,
    CollectionWish,
    Withheld,
    collection_key,
    source_in,
)
from plexsync.models.matching import (
    Candidate,
    Confidence,
    Evidence,
    Match,
    PathRule,
)
from plexsync.models.memory import (
    KeptRecord,
    Link,
    PictureBase,
    SceneRecord,
)
from plexsync.models.plex import (
    COLLECTION_FIELDS,
    LIST_FIELDS,
    MADE,
    PICTURE_FIELDS,
    SHOW_KINDS,
    VIDEO_KINDS,
    Credit,
    ItemDetail,
    ItemKind,
    Picture,
    PlexField,
    PlexFile,
    PlexItem,
    Section,
)
from plexsync.models.shows import (
    ShowRecord,
    ShowWish,
    is_show_key,
    noun_of,
    show_key,
)
from plexsync.models.stash import (
    Performer,
    RelatedDetail,
    Scene,
    SceneDetail,
    SceneFile,
    StashField,
)
from plexsync.models.telling import (
    Counts,
    ItemRef,
    MatchRow,
    Preview,
    Requests,
    RunHeader,
    RunSummary,
    SceneRef,
)
from plexsync.models.wishes import (
    FIELD_SEPARATOR,
    Desired,
    EmptyPolicy,
    FieldRule,
    FieldRules,
    Policy,
)

__all__ = [
    "COLLECTION_FIELDS",
    "FIELD_SEPARATOR",
    "LIST_FIELDS",
    "MADE",
    "MARKED_KINDS",
    "PICTURE_FIELDS",
    "RELATED_KINDS",
    "SHOW_KINDS",
    "VIDEO_KINDS",
    "Base",
    "Candidate",
    "Change",
    "CollectionKind",
    "CollectionRecord",
    "CollectionSource",
    "CollectionWish",
    "Confidence",
    "Counts",
    "Credit",
    "Desired",
    "EmptyPolicy",
    "Evidence",
    "FieldRule",
    "FieldRules",
    "ItemDetail",
    "ItemKind",
    "ItemPlan",
    "ItemRef",
    "KeptRecord",
    "Link",
    "Match",
    "MatchRow",
    "Outcome",
    "PathRule",
    "Performer",
    "Picture",
    "PictureBase",
    "PlexField",
    "PlexFile",
    "PlexItem",
    "Policy",
    "Preview",
    "Problem",
    "RatingKey",
    "RelatedDetail",
    "RelatedId",
    "Requests",
    "RunHeader",
    "RunSummary",
    "Scene",
    "SceneDetail",
    "SceneFile",
    "SceneId",
    "SceneRecord",
    "SceneRef",
    "Section",
    "Server",
    "ShowRecord",
    "ShowWish",
    "StashField",
    "Trace",
    "Value",
    "Withheld",
    "as_problem",
    "collection_key",
    "id_order",
    "is_show_key",
    "noun_of",
    "show_key",
    "source_in",
]
