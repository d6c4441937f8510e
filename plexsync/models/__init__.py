"""Models: the nouns, immutable values that travel from the two servers to the report. Pure.

In: what the clients decode and what planning decides. Out: the same values, for everybody; all are
imported from here, and the modules only part them by subject.

`stash.py` has scenes, `plex.py` items, `matching.py` what matching finds, `wishes.py` what Plex
should hold and what is to be written, `memory.py` what is remembered, `kept.py` collections, shows
and seasons, `telling.py` rows and summaries; `basis.py` what they share.

Durations are seconds, sizes bytes, times aware UTC datetimes unless a name says otherwise. An
unknown number is None, an unset text "", an unset list (): "absent" and "empty" look the same on
both servers, so they are the same here. Read first: `stash.py` and `plex.py`.
"""

from __future__ import annotations

from plexsync.models.basis import Outcome as Outcome
from plexsync.models.basis import Problem as Problem
from plexsync.models.basis import RatingKey as RatingKey
from plexsync.models.basis import RelatedId as RelatedId
from plexsync.models.basis import SceneId as SceneId
from plexsync.models.basis import Server as Server
from plexsync.models.basis import Value as Value
from plexsync.models.basis import as_problem as as_problem
from plexsync.models.basis import id_order as id_order
from plexsync.models.kept import MARKED_KINDS as MARKED_KINDS
from plexsync.models.kept import RELATED_KINDS as RELATED_KINDS
from plexsync.models.kept import CollectionKind as CollectionKind
from plexsync.models.kept import CollectionRecord as CollectionRecord
from plexsync.models.kept import CollectionSource as CollectionSource
from plexsync.models.kept import CollectionWish as CollectionWish
from plexsync.models.kept import ShowRecord as ShowRecord
from plexsync.models.kept import ShowWish as ShowWish
from plexsync.models.kept import Withheld as Withheld
from plexsync.models.kept import collection_key as collection_key
from plexsync.models.kept import is_kept as is_kept
from plexsync.models.kept import is_show_key as is_show_key
from plexsync.models.kept import noun_of as noun_of
from plexsync.models.kept import show_key as show_key
from plexsync.models.kept import source_in as source_in
from plexsync.models.matching import Candidate as Candidate
from plexsync.models.matching import Confidence as Confidence
from plexsync.models.matching import Evidence as Evidence
from plexsync.models.matching import Match as Match
from plexsync.models.matching import PathRule as PathRule
from plexsync.models.memory import KeptRecord as KeptRecord
from plexsync.models.memory import Link as Link
from plexsync.models.memory import PictureBase as PictureBase
from plexsync.models.memory import SceneRecord as SceneRecord
from plexsync.models.plex import COLLECTION_FIELDS as COLLECTION_FIELDS
from plexsync.models.plex import LIST_FIELDS as LIST_FIELDS
from plexsync.models.plex import MADE as MADE
from plexsync.models.plex import PICTURE_FIELDS as PICTURE_FIELDS
from plexsync.models.plex import SHOW_KINDS as SHOW_KINDS
from plexsync.models.plex import VIDEO_KINDS as VIDEO_KINDS
from plexsync.models.plex import Credit as Credit
from plexsync.models.plex import ItemDetail as ItemDetail
from plexsync.models.plex import ItemKind as ItemKind
from plexsync.models.plex import Picture as Picture
from plexsync.models.plex import PlexField as PlexField
from plexsync.models.plex import PlexFile as PlexFile
from plexsync.models.plex import PlexItem as PlexItem
from plexsync.models.plex import Section as Section
from plexsync.models.stash import Performer as Performer
from plexsync.models.stash import RelatedDetail as RelatedDetail
from plexsync.models.stash import Scene as Scene
from plexsync.models.stash import SceneDetail as SceneDetail
from plexsync.models.stash import SceneFile as SceneFile
from plexsync.models.stash import StashField as StashField
from plexsync.models.telling import Counts as Counts
from plexsync.models.telling import ItemRef as ItemRef
from plexsync.models.telling import MatchRow as MatchRow
from plexsync.models.telling import Preview as Preview
from plexsync.models.telling import Requests as Requests
from plexsync.models.telling import RunHeader as RunHeader
from plexsync.models.telling import RunSummary as RunSummary
from plexsync.models.telling import SceneRef as SceneRef
from plexsync.models.wishes import FIELD_SEPARATOR as FIELD_SEPARATOR
from plexsync.models.wishes import Base as Base
from plexsync.models.wishes import Change as Change
from plexsync.models.wishes import Desired as Desired
from plexsync.models.wishes import EmptyPolicy as EmptyPolicy
from plexsync.models.wishes import FieldRule as FieldRule
from plexsync.models.wishes import FieldRules as FieldRules
from plexsync.models.wishes import ItemPlan as ItemPlan
from plexsync.models.wishes import Policy as Policy
from plexsync.models.wishes import Trace as Trace
