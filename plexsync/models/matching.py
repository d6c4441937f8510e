"""What matching says: evidence, candidates, and how sure it is."""

from __future__ import annotations

from enum import StrEnum

from plexsync.models.basis import Noun, RatingKey, SceneId


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
    `score`, 0 to 1, only ranks. `facts` are
    the values a person compares, side by side; `contradictions` what forbids HIGH.
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
    runner-up. `reason` says in one line why it is HIGH, or why it is not. `unread` are items whose
    content hash could change what was decided, and was not asked for yet.
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

    A proposal fits `explains` of the `certain` pairs whose file lies below `stash`.
    """

    stash: str
    plex: str
    explains: int = 0
    certain: int = 0
