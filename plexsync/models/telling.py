"""What matching says, and what a run tells people: its rows, its counts, how it went."""

from enum import StrEnum

import msgspec

from plexsync.models.servers import Noun, Outcome, Problem, RatingKey, SceneId, Server
from plexsync.models.wishes import Change


class Confidence(StrEnum):
    """HIGH is certain enough to write; LOW waits for a person."""

    HIGH = "HIGH"
    LOW = "LOW"


class Evidence(Noun, frozen=True):
    """One named comparison.

    `weight` is in bits: log2 of how much likelier the value is for one file than for two.
    """

    name: str
    value: str
    weight: float


class Candidate(Noun, frozen=True):
    """An item worth comparing with a scene.

    `scene_path` and `item_path` are the files compared, `library` is the title of the item's;
    `score`, 0 to 1, only ranks. `facts` are the values a person compares, side by side;
    `contradictions` what forbids HIGH.
    """

    rating_key: RatingKey
    title: str
    scene_path: str
    item_path: str
    score: float
    evidence: tuple[Evidence, ...] = ()
    library: str = ""
    facts: str = ""
    contradictions: tuple[str, ...] = ()


class Match(Noun, frozen=True):
    """What matching decided about one scene, or about one of its files that is an item of its own.

    `confidence` is None when there is no plausible candidate; else `candidates[0]` is the best
    one of `candidate_count` (at most 10 are kept). `margin` is the score's lead over the
    runner-up. `reason` says in one line why it is HIGH, or why it is not. `unread` are items with a
    content hash that could change what was decided, and was not asked for yet.
    """

    scene_id: SceneId
    confidence: Confidence | None
    reason: str
    score: float = 0.0
    margin: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    candidate_count: int = 0
    unread: tuple[RatingKey, ...] = ()


class PathRule(Noun, frozen=True):
    """How Stash sees a folder, and how Plex sees the same one.

    A proposal fits `explains` of the `certain` pairs with a file below `stash`.
    """

    stash: str
    plex: str
    explains: int = 0
    certain: int = 0


# ---- Runs ----------------------------------------------------------------------------------------


class SceneRef(Noun, frozen=True):
    """A scene as a report row names it."""

    id: SceneId
    title: str
    path: str
    updated_at: str
    url: str


class ItemRef(Noun, frozen=True):
    """An item as a report row names it."""

    rating_key: RatingKey
    title: str
    library: str
    path: str
    url: str


class MatchRow(Noun, frozen=True):
    """One (scene, item) pair of a run; or a collection, and what it is made from as the scene.

    Or a show or season, which is both.

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
    by_hand: tuple[str, ...] = ()
    is_collection: bool = False
    is_show: bool = False
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
    by_hand: int = 0


class Requests(Noun, frozen=True):
    """How many requests were sent, retries included."""

    stash: int = 0
    plex_reads: int = 0
    plex_writes: int = 0


class RunHeader(Noun, frozen=True):
    """What is known when a run starts talking. `stash` and `plex` are None until each answered.

    `command` is `run`, `apply` or `undo`; `again` is what to type to do what a dry run showed, and
    `named` what every command has to repeat: the option that names the configuration, or "".
    """

    run_id: str
    started_at: str
    command: str = "run"
    again: str = "plexsync run"
    named: str = ""
    dry_run: bool = False
    full: bool = False
    stash: Server | None = None
    plex: Server | None = None


class Preview(Noun, frozen=True):
    """What a person sees before the first write: the first rows, and how many there are.

    `high` holds rows with changes, planned but not written; `low` rows that wait for review.
    `high_total` counts HIGH matches, changed or not. `more_changes` says that rows beyond `high`
    were not compared yet, so that further changes may follow. `headline` stands over `high` where
    they are no matches but what an undo or a saved plan writes. `held` counts those of
    `high_total` that a safety limit holds back.
    """

    high: tuple[MatchRow, ...]
    high_total: int
    more_changes: bool
    low: tuple[MatchRow, ...] = ()
    low_total: int = 0
    unmatched_total: int = 0
    proposed_rules: tuple[PathRule, ...] = ()
    headline: str = ""
    held: int = 0


class RunSummary(Noun, frozen=True):
    """How a run ended: everything of `plexsync run --json` but its rows.

    `new_review` counts LOW matches no earlier run has announced; `waiting` the scenes with
    a next try in the future; `index` says how Plex's listing was had: "none", "cached", "updated"
    or "listed"; `subset` that Plex is meant to lack scenes, so that they are not reported.
    `emptied` counts the written items that lose all names of both or one of performers and tags,
    `failing` the waiting scenes that failed; `parked` those of them that no run tries again before
    the next full one, and `parked_why` why. `left_due` counts the due scenes that `--limit` left.
    `undone` counts the items that stay as an undo left them; `undone_scene` is that of the first.
    `by_library` counts the rows that were written, by the title of their library.
    `learned_rules` are those that nearly all certain pairs show, and that others were found by.
    """

    header: RunHeader
    finished_at: str
    exit_code: int
    counts: Counts
    requests: Requests
    new_review: int = 0
    waiting: int = 0
    failing: int = 0
    parked: int = 0
    parked_why: str = ""
    left_due: int = 0
    undone: int = 0
    undone_scene: str = ""
    index: str = "none"
    emptied: dict[str, int] = msgspec.field(default_factory=dict)
    by_library: dict[str, int] = msgspec.field(default_factory=dict)
    proposed_rules: tuple[PathRule, ...] = ()
    learned_rules: tuple[PathRule, ...] = ()
    subset: bool = False
    error: Problem | None = None
