"""Models: the nouns, immutable values that travel from the two servers to the report. Pure.

In: what the clients decode and what planning decides. Out: the same values, for everybody; all are
imported from here, and the modules only part them by subject.

`servers.py` has scenes and items, and what all nouns share; `wishes.py` what Plex should hold and
what is to be written, `telling.py` what matching finds, rows and summaries, `memory.py` what is
remembered of scenes, collections, shows and seasons.

Durations are seconds, sizes bytes, times aware UTC datetimes unless a name says otherwise. An
unknown number is None, an unset text "", an unset list (): "absent" and "empty" look the same on
both servers, so they are the same here. Read first: `servers.py`.
"""

from __future__ import annotations

from plexsync.models.memory import MARKED_KINDS as MARKED_KINDS
from plexsync.models.memory import RELATED_KINDS as RELATED_KINDS
from plexsync.models.memory import CollectionKind as CollectionKind
from plexsync.models.memory import CollectionRecord as CollectionRecord
from plexsync.models.memory import CollectionSource as CollectionSource
from plexsync.models.memory import CollectionWish as CollectionWish
from plexsync.models.memory import KeptRecord as KeptRecord
from plexsync.models.memory import Link as Link
from plexsync.models.memory import PictureBase as PictureBase
from plexsync.models.memory import SceneRecord as SceneRecord
from plexsync.models.memory import ShowRecord as ShowRecord
from plexsync.models.memory import ShowWish as ShowWish
from plexsync.models.memory import Withheld as Withheld
from plexsync.models.memory import is_kept as is_kept
from plexsync.models.memory import is_show_key as is_show_key
from plexsync.models.memory import noun_of as noun_of
from plexsync.models.memory import show_key as show_key
from plexsync.models.memory import source_in as source_in
from plexsync.models.servers import COLLECTION_FIELDS as COLLECTION_FIELDS
from plexsync.models.servers import LIST_FIELDS as LIST_FIELDS
from plexsync.models.servers import MADE as MADE
from plexsync.models.servers import PICTURE_FIELDS as PICTURE_FIELDS
from plexsync.models.servers import SHOW_KINDS as SHOW_KINDS
from plexsync.models.servers import VIDEO_KINDS as VIDEO_KINDS
from plexsync.models.servers import Credit as Credit
from plexsync.models.servers import ItemDetail as ItemDetail
from plexsync.models.servers import ItemKind as ItemKind
from plexsync.models.servers import Outcome as Outcome
from plexsync.models.servers import Performer as Performer
from plexsync.models.servers import Picture as Picture
from plexsync.models.servers import PlexField as PlexField
from plexsync.models.servers import PlexFile as PlexFile
from plexsync.models.servers import PlexItem as PlexItem
from plexsync.models.servers import Problem as Problem
from plexsync.models.servers import RatingKey as RatingKey
from plexsync.models.servers import RelatedDetail as RelatedDetail
from plexsync.models.servers import RelatedId as RelatedId
from plexsync.models.servers import Scene as Scene
from plexsync.models.servers import SceneDetail as SceneDetail
from plexsync.models.servers import SceneFile as SceneFile
from plexsync.models.servers import SceneId as SceneId
from plexsync.models.servers import Section as Section
from plexsync.models.servers import Server as Server
from plexsync.models.servers import StashField as StashField
from plexsync.models.servers import Value as Value
from plexsync.models.servers import as_problem as as_problem
from plexsync.models.servers import id_order as id_order
from plexsync.models.telling import Candidate as Candidate
from plexsync.models.telling import Confidence as Confidence
from plexsync.models.telling import Counts as Counts
from plexsync.models.telling import Evidence as Evidence
from plexsync.models.telling import ItemRef as ItemRef
from plexsync.models.telling import Match as Match
from plexsync.models.telling import MatchRow as MatchRow
from plexsync.models.telling import PathRule as PathRule
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
