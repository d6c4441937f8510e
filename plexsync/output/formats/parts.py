"""Parts that several documents have in common, as types; see `documents.py`."""

from __future__ import annotations

import msgspec

from plexsync.models import (
    Confidence,
    Counts,
    Evidence,
    ItemRef,
    Outcome,
    Policy,
    Requests,
    SceneRef,
)
from plexsync.state import RunKind

Text = str | list[str]
"""The value of a field: a text, or a list of names."""


class DocumentForm(msgspec.Struct, forbid_unknown_fields=True):
    """A JSON object that holds nothing but what is declared."""


class ErrorForm(DocumentForm):
    """What went wrong: `kind` is a word for programs, `hint` what a person can do."""

    kind: str
    message: str
    hint: str


class StashServerForm(DocumentForm):
    """A Stash that answered."""

    url: str
    version: str


class PlexServerForm(StashServerForm):
    """A Plex that answered."""

    machine_identifier: str


class ServersForm(DocumentForm):
    """Both servers; null until each has answered."""

    stash: StashServerForm | None
    plex: PlexServerForm | None


class RuleForm(DocumentForm):
    """A path rule that was proposed; it fits `explains` of `certain` files."""

    stash: str
    plex: str
    explains: int
    certain: int


class SceneForm(SceneRef, frozen=True, forbid_unknown_fields=True):
    """A scene."""


class ItemForm(ItemRef, frozen=True, forbid_unknown_fields=True):
    """An item."""


class EvidenceForm(Evidence, frozen=True, forbid_unknown_fields=True):
    """A comparison, and its weight in bits."""


class CandidateForm(DocumentForm):
    """An item that may be the scene."""

    rating_key: str
    title: str
    library: str
    path: str
    facts: str
    score: float


class CreditForm(DocumentForm):
    """How an actor is credited."""

    role: str
    photo: str


class CreditChangeForm(DocumentForm):
    """An actor that is credited otherwise."""

    name: str
    before: CreditForm
    after: CreditForm


class ChangeForm(DocumentForm, kw_only=True):
    """One field, before and after."""

    field: str
    before: Text
    after: Text
    policy: Policy
    credits: list[CreditChangeForm] = []


class MatchChangeForm(ChangeForm, kw_only=True):
    """A field of a match; `locked` is its lock before."""

    locked: bool


class MatchForm(DocumentForm):
    """One (scene, item) pair of a run; or a collection, and as the scene what it is made from.

    Or a show or season: the id of the scene is then `show:` or `season:` and the rating key.
    """

    scene: SceneForm
    item: ItemForm | None
    confidence: Confidence | None
    score: float
    margin: float
    reason: str
    evidence: list[EvidenceForm]
    candidates: list[CandidateForm]
    changes: list[MatchChangeForm]
    outcome: Outcome
    by_hand: list[str]
    is_collection: bool
    is_show: bool
    error: ErrorForm | None


class PastRunForm(DocumentForm):
    """A run of the past; `finished_at` and `exit_code` are null if it was cut off."""

    run_id: str
    kind: RunKind
    started_at: str
    finished_at: str | None
    exit_code: int | None
    full: bool
    written: int
    counts: Counts
    requests: Requests


class KeptTroubleForm(DocumentForm):
    """A collection, show or season that failed; without `due_at` the next run tries it, or none."""

    key: str
    title: str
    attempts: int
    due_at: str | None
    parked: bool
    error: ErrorForm | None


class KeptForm(DocumentForm):
    """How many collections there are, or shows and seasons, and how they stand."""

    kept: int
    waiting: int
    parked: int
    left_alone: int
    failing: list[KeptTroubleForm]
