"""The form of every document and event plexsync prints as JSON, as types.

Nothing is made with them: they say what programs can rely on. A test reads real output with them,
refusing what they do not name. Run `python -m plexsync.output.formats.documents FOLDER` to write
their JSON schemas, as docs/schemas has them; `plexsync schema` prints one.
Source: docs/contract.md, "Output"; docs/output.md; JSON Schema 2020-12; msgspec, "JSON Schema".
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import msgspec

from plexsync.matcher import Explanation
from plexsync.models import Confidence, Counts, Requests
from plexsync.output.formats.parts import (
    ChangeForm,
    DocumentForm,
    ErrorForm,
    EvidenceForm,
    KeptForm,
    MatchForm,
    PastRunForm,
    RuleForm,
    SceneForm,
    ServersForm,
)
from plexsync.state import Lineage, SavedItem


class NamedForm(DocumentForm):
    """A document with its name and version."""

    schema: str


class HeaderForm(NamedForm):
    """How a run began."""

    run_id: str
    dry_run: bool
    full: bool
    started_at: str


class SummaryForm(HeaderForm):
    """How a run ended."""

    finished_at: str
    exit_code: int
    servers: ServersForm
    emptied: dict[str, int]
    parked: int
    counts: Counts
    requests: Requests
    proposed_rules: list[RuleForm]
    learned_rules: list[RuleForm]
    error: ErrorForm | None


class RunForm(SummaryForm):
    """`plexsync run --json`; likewise `apply` and `undo`."""

    matches: list[MatchForm]


class ErrorDocumentForm(NamedForm):
    """What a command that is no run prints in place of its own document."""

    exit_code: int
    error: ErrorForm


class HistoryForm(NamedForm):
    """`plexsync history --json`, newest first."""

    runs: list[PastRunForm]


class WrittenFieldForm(ChangeForm, kw_only=True):
    """A field a run wrote, and its lock before and after."""

    status: str
    locked_before: bool
    locked_after: bool | None


class WrittenItemForm(DocumentForm):
    """An item a run wrote."""

    scene_id: str
    rating_key: str
    path: str
    status: str
    changes: list[WrittenFieldForm]
    error: ErrorForm | None


class HistoryRunForm(NamedForm):
    """`plexsync history RUN --json`."""

    run: PastRunForm
    items: list[WrittenItemForm]


class TroubleForm(DocumentForm):
    """A scene that failed."""

    scene_id: str
    attempts: int
    due_at: str | None
    paths: list[str]
    scene_url: str | None
    item_urls: list[str]
    error: ErrorForm | None


class StatePlaceForm(DocumentForm):
    """Where the state is, and of which servers."""

    directory: str
    plex: str | None
    stash: str | None


class RunningForm(DocumentForm):
    """Who holds the lock."""

    pid: int
    host: str
    since: str


class ScenesForm(DocumentForm):
    """How many scenes there are, and how they stand."""

    all: int
    linked: int
    low: int
    unmatched: int
    ignored: int
    undecided: int


class WaitingForm(DocumentForm):
    """How many scenes the next run tries again, how many a later one."""

    due: int
    later: int
    next_at: str | None


class MetricForm(DocumentForm):
    """A number for a monitor."""

    name: str
    labels: dict[str, str]
    value: float


class StatusForm(NamedForm):
    """`plexsync status --json`."""

    now: str
    exit_code: int
    state: StatePlaceForm
    running: RunningForm | None
    last_success_at: str | None
    last_success_age_s: int | None
    last_full_at: str | None
    runs: list[PastRunForm]
    scenes: ScenesForm
    waiting: WaitingForm
    review: list[str]
    failing: list[TroubleForm]
    parked: list[TroubleForm]
    shows: KeptForm
    collections: KeptForm
    unsettled: int
    proposed_rules: list[RuleForm]
    metrics: list[MetricForm]
    error: ErrorForm | None


class PlanForm(NamedForm):
    """The file of `plexsync run --save-plan`."""

    run_id: str
    created_at: str
    lineage: Lineage
    items: list[SavedItem]
    digest: str


class ReviewCandidateForm(DocumentForm, kw_only=True):
    """A candidate of a scene that waits; `changes` only of one scene, null if they are unknown."""

    rating_key: str
    title: str
    path: str
    library: str
    score: float
    linked_to_scene: str | None
    evidence: list[EvidenceForm]
    changes: list[ChangeForm] | None = None


class AnswersForm(DocumentForm):
    """What a person answered about a scene."""

    accepted: list[str]
    rejected: list[str]
    absent: bool
    ignored: bool
    note: str


class ReviewSceneForm(DocumentForm, kw_only=True):
    """A scene that waits."""

    scene: SceneForm
    reason: str
    score: float
    margin: float
    candidate_count: int
    candidates: list[ReviewCandidateForm]
    said: AnswersForm | None = None


class AnsweredForm(DocumentForm):
    """An answer that was given."""

    scene: str
    answer: str
    items: list[str]
    said: AnswersForm


class ReviewForm(NamedForm, kw_only=True):
    """`plexsync review list`, `show`, `accept` and the others with `--json`: each its own keys."""

    waiting: int | msgspec.UnsetType = msgspec.UNSET
    missing: int | msgspec.UnsetType = msgspec.UNSET
    scenes: list[ReviewSceneForm] | msgspec.UnsetType = msgspec.UNSET
    answered: list[AnsweredForm] | msgspec.UnsetType = msgspec.UNSET
    exported: int | msgspec.UnsetType = msgspec.UNSET
    error: ErrorForm | None


class FindingForm(DocumentForm):
    """What a check found."""

    area: str
    level: str
    message: str
    remedy: str | None


class DoctorForm(NamedForm):
    """`plexsync doctor --json`."""

    exit_code: int
    findings: list[FindingForm]


class SettingForm(DocumentForm):
    """A key, its value as TOML, null without one, and where it was set."""

    key: str
    value: str | None
    origin: str


class ConfigForm(NamedForm):
    """`plexsync config show --json`."""

    file: str | None
    settings: list[SettingForm]
    warnings: list[str]


class ConfigProblemForm(DocumentForm):
    """What is wrong with the configuration, where, and what to do."""

    place: str
    message: str
    remedy: str


class ConfigValidateForm(NamedForm):
    """`plexsync config validate --json`."""

    valid: bool
    problems: list[ConfigProblemForm]
    warnings: list[str]


class ConfigPathForm(NamedForm):
    """`plexsync config path --json`."""

    path: str
    exists: bool


class ScheduleForm(NamedForm):
    """`plexsync schedule ... --json`."""

    kind: str
    text: str


class RetryForm(NamedForm):
    """`plexsync retry --json`: the scenes that are due now, and those that wait for nothing."""

    due: list[str]
    settled: list[str]


class AdoptedForm(DocumentForm):
    """A scene that a GUID names, and the item it would be linked to."""

    scene_id: str
    rating_key: str | None
    title: str
    library: str
    confidence: Confidence | None
    reason: str
    fields: list[str]
    locked: list[str]
    collections: list[str]


class AdoptForm(NamedForm):
    """`plexsync adopt -n --json`: what would be taken over; `missing` are scenes Stash lacks."""

    items: int
    missing: list[str]
    scenes: list[AdoptedForm]


# ---- Events --------------------------------------------------------------------------------------


class StartedEvent(HeaderForm, tag_field="event", tag="started"):
    """Both servers answered."""

    servers: ServersForm


class ProgressEvent(DocumentForm, tag_field="event", tag="progress"):
    """A step of a phase is done."""

    phase: str
    done: int
    total: int | None


class MatchedEvent(DocumentForm, tag_field="event", tag="matched"):
    """Everything is matched, nothing is written yet."""

    high: int
    low: int
    unmatched: int


class MatchEvent(MatchForm, tag_field="event", tag="match"):
    """A row has its outcome."""


class WarningEvent(DocumentForm, tag_field="event", tag="warning"):
    """Something a person should know."""

    message: str


class ErrorEvent(DocumentForm, tag_field="event", tag="error"):
    """No run could begin; only in a log file."""

    exit_code: int
    error: ErrorForm


class FinishedEvent(SummaryForm, tag_field="event", tag="finished"):
    """The run is over."""


RunEvent = (
    StartedEvent
    | ProgressEvent
    | MatchedEvent
    | MatchEvent
    | WarningEvent
    | ErrorEvent
    | FinishedEvent
)

FORMS: dict[str, object] = {
    "run": RunForm,
    "apply": RunForm,
    "undo": RunForm,
    "run-events": RunEvent,
    "apply-events": RunEvent,
    "undo-events": RunEvent,
    "plan": PlanForm,
    "review": ReviewForm,
    "adopt": AdoptForm,
    "explain": Explanation,
    "status": StatusForm,
    "history": HistoryForm,
    "history-run": HistoryRunForm,
    "retry": RetryForm,
    "doctor": DoctorForm,
    "config": ConfigForm,
    "config-path": ConfigPathForm,
    "config-validate": ConfigValidateForm,
    "schedule": ScheduleForm,
    "error": ErrorDocumentForm,
}
"""The type of each document, by the word between the slashes of its `schema`."""


def schema_text(name: str) -> str:
    """Return the JSON schema of the document called `name`, one of `FORMS`."""
    found = msgspec.json.schema(FORMS[name])
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"plexsync/{name}/1",
    }
    # Python 3.13 takes the indentation off docstrings, which describe the types.
    return re.sub(r"(?<=\\n) +", "", json.dumps(head | found, indent=1)) + "\n"


def write_schemas(folder: Path) -> None:
    """Write every schema into `folder`, which must exist."""
    for name in FORMS:
        (folder / f"{name}.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
