"""What plexsync remembers, and its other files: the one door to `plexsync.storage`.

`load_state` reads what is remembered, `open_session` takes the lock and adds to it, `read_history`
and `read_status` say what runs did, `read_plan` and `write_plan` keep a plan.
"""

from __future__ import annotations

from plexsync.storage.checkpoint import STATE_NAME, RunRecord
from plexsync.storage.filesystem import (
    DISK,
    Filesystem,
    read_if_there,
    read_pieces,
    state_errors,
    write_atomically,
    write_pieces,
)
from plexsync.storage.history import RunLog, Written, find_run, read_history
from plexsync.storage.journal import Lineage, RunKind, Settlement, is_run_id, journal_runs
from plexsync.storage.loading import load_state
from plexsync.storage.locations import (
    UNREGISTERED_CLIENT_ID,
    cache_directory,
    check_private,
    load_client_id,
    state_directory,
)
from plexsync.storage.memory import ENDED_WELL, State, Unsettled
from plexsync.storage.plan_file import (
    SavedItem,
    SavedPicture,
    SavedPlan,
    item_line,
    read_plan,
    write_plan,
)
from plexsync.storage.review_queue import (
    ReviewQueueWriter,
    Waiting,
    load_all,
    load_trial,
    load_waiting,
    review_queue_path,
    trial_queue_path,
    waiting_ids,
)
from plexsync.storage.scenes.views import LinkPlace, Placed
from plexsync.storage.session import Session, open_session
from plexsync.storage.status import (
    PROPOSED,
    Coverage,
    KeptStatus,
    KeptTrouble,
    Proposed,
    Status,
    Trouble,
    age_s,
    at_work,
    coverage_part,
    kept_status,
    read_status,
    status_of,
)

__all__ = [
    "DISK",
    "ENDED_WELL",
    "PROPOSED",
    "STATE_NAME",
    "UNREGISTERED_CLIENT_ID",
    "Coverage",
    "Filesystem",
    "KeptStatus",
    "KeptTrouble",
    "Lineage",
    "LinkPlace",
    "Placed",
    "Proposed",
    "ReviewQueueWriter",
    "RunKind",
    "RunLog",
    "RunRecord",
    "SavedItem",
    "SavedPicture",
    "SavedPlan",
    "Session",
    "Settlement",
    "State",
    "Status",
    "Trouble",
    "Unsettled",
    "Waiting",
    "Written",
    "age_s",
    "at_work",
    "cache_directory",
    "check_private",
    "coverage_part",
    "find_run",
    "is_run_id",
    "item_line",
    "journal_runs",
    "kept_status",
    "load_all",
    "load_client_id",
    "load_state",
    "load_trial",
    "load_waiting",
    "open_session",
    "read_history",
    "read_if_there",
    "read_pieces",
    "read_plan",
    "read_status",
    "review_queue_path",
    "state_directory",
    "state_errors",
    "status_of",
    "trial_queue_path",
    "waiting_ids",
    "write_atomically",
    "write_pieces",
    "write_plan",
]
