"""What plexsync remembers, and its other files: the one door to `plexsync.storage`.

`load_state` reads what is remembered, `open_session` takes the lock and adds to it, `read_history`
and `read_status` say what runs did, `read_plan` and `write_plan` keep a plan.
"""

from __future__ import annotations

from plexsync.storage.checkpoint import RunRecord as RunRecord
from plexsync.storage.filesystem import DISK as DISK
from plexsync.storage.filesystem import OTHER_FILE as OTHER_FILE
from plexsync.storage.filesystem import Filesystem as Filesystem
from plexsync.storage.filesystem import find_existing as find_existing
from plexsync.storage.filesystem import may_write as may_write
from plexsync.storage.filesystem import mode_of as mode_of
from plexsync.storage.filesystem import read_if_there as read_if_there
from plexsync.storage.filesystem import read_pieces as read_pieces
from plexsync.storage.filesystem import require_place as require_place
from plexsync.storage.filesystem import state_errors as state_errors
from plexsync.storage.filesystem import write_atomically as write_atomically
from plexsync.storage.filesystem import write_pieces as write_pieces
from plexsync.storage.history import RunLog as RunLog
from plexsync.storage.history import Written as Written
from plexsync.storage.history import find_run as find_run
from plexsync.storage.history import read_history as read_history
from plexsync.storage.journal import End as End
from plexsync.storage.journal import Lineage as Lineage
from plexsync.storage.journal import Result as Result
from plexsync.storage.journal import RunKind as RunKind
from plexsync.storage.journal import Settlement as Settlement
from plexsync.storage.journal import is_run_id as is_run_id
from plexsync.storage.journal import journal_runs as journal_runs
from plexsync.storage.loading import load_state as load_state
from plexsync.storage.locations import UNREGISTERED_CLIENT_ID as UNREGISTERED_CLIENT_ID
from plexsync.storage.locations import at_work as at_work
from plexsync.storage.locations import cache_directory as cache_directory
from plexsync.storage.locations import check_private as check_private
from plexsync.storage.locations import load_client_id as load_client_id
from plexsync.storage.locations import state_directory as state_directory
from plexsync.storage.memory import ENDED_WELL as ENDED_WELL
from plexsync.storage.memory import State as State
from plexsync.storage.memory import Unsettled as Unsettled
from plexsync.storage.plan_file import SavedItem as SavedItem
from plexsync.storage.plan_file import SavedPicture as SavedPicture
from plexsync.storage.plan_file import SavedPlan as SavedPlan
from plexsync.storage.plan_file import item_line as item_line
from plexsync.storage.plan_file import read_plan as read_plan
from plexsync.storage.plan_file import write_plan as write_plan
from plexsync.storage.review_queue import ReviewQueueWriter as ReviewQueueWriter
from plexsync.storage.review_queue import Waiting as Waiting
from plexsync.storage.review_queue import load_all as load_all
from plexsync.storage.review_queue import load_trial as load_trial
from plexsync.storage.review_queue import load_waiting as load_waiting
from plexsync.storage.review_queue import review_queue_path as review_queue_path
from plexsync.storage.review_queue import trial_queue_path as trial_queue_path
from plexsync.storage.review_queue import waiting_ids as waiting_ids
from plexsync.storage.scenes.row import LinkPlace as LinkPlace
from plexsync.storage.scenes.row import Placed as Placed
from plexsync.storage.scenes.rows import NAME_PREFIX as NAME_PREFIX
from plexsync.storage.scenes.rows import STATE_NAME as STATE_NAME
from plexsync.storage.session import DrySession as DrySession
from plexsync.storage.session import Session as Session
from plexsync.storage.session import open_session as open_session
from plexsync.storage.status import PROPOSED as PROPOSED
from plexsync.storage.status import Coverage as Coverage
from plexsync.storage.status import KeptStatus as KeptStatus
from plexsync.storage.status import KeptTrouble as KeptTrouble
from plexsync.storage.status import Proposed as Proposed
from plexsync.storage.status import Status as Status
from plexsync.storage.status import Trouble as Trouble
from plexsync.storage.status import age_s as age_s
from plexsync.storage.status import coverage_part as coverage_part
from plexsync.storage.status import kept_status as kept_status
from plexsync.storage.status import read_status as read_status
from plexsync.storage.status import status_of as status_of
