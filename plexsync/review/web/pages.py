"""What the templates of the page show: values of a review, made ready for reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.matcher import reason_kind
from plexsync.review.facts import evidence_of, facts_of, is_unscored, marked_words
from plexsync.review.queue import item_name, pattern_lines, scene_name
from plexsync.review.shown import alike_count, has_path_rule, notes_of, rival_names
from plexsync.text.differences import text_pieces
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.matcher import SceneAnswers
    from plexsync.models import Candidate, Change, Evidence, RatingKey, SceneId, Value
    from plexsync.review.facts import Fact
    from plexsync.review.interfaces import LinkPreview
    from plexsync.review.machine import Review
    from plexsync.review.selection import Group
    from plexsync.state import Waiting

Pieces = list[tuple[str, bool]]

_BAR_UNITS = 100
_LEAST_BITS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One piece of evidence as a bar: from `start`, `width` units wide, for or against."""

    name: str
    value: str
    bits: str
    side: str
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCandidate:
    """A candidate in the list."""

    number: int
    rating_key: RatingKey
    name: str
    where: str
    notes: tuple[str, ...]
    mark: str
    focused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFact:
    """A fact of both files, in pieces, each with whether the other side lacks it."""

    name: str
    ours: Pieces
    theirs: Pieces
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """One field that would be written, as pieces with marks: stays, goes, comes."""

    field: str
    pieces: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownScene:
    """One scene.

    Attributes:
        seen: what was answered when the page was made; an answer given elsewhere meanwhile is
            not overwritten without a look.
        both: how many items `b` would accept; 0 where it means nothing.
        total: all evidence together, in bits.
    """

    scene_id: SceneId
    name: str
    reason: str
    position: int
    shown: int
    answered: int
    left: int
    filter: str
    sort: str
    answer: str
    seen: str
    candidates: tuple[ShownCandidate, ...]
    focus: RatingKey | None
    facts: tuple[ShownFact, ...]
    bars: tuple[Bar, ...]
    total: str
    both: int
    alike: int
    has_rule: bool
    has_frames: bool
    before: SceneId | None
    after: SceneId | None
    message: str


def scene_page(
    review: Review, preview: LinkPreview | None, *, answer: str, seen: str
) -> ShownScene:
    """Make the page of the scene the review shows."""
    waiting, candidate = review.waiting, review.candidate
    recorded = review.answers.recorded(waiting.scene_id)
    bars: tuple[Bar, ...] = ()
    facts: list[Fact] = []
    evidence: list[Evidence] = []
    if candidate is not None:
        facts = facts_of(waiting, candidate, preview.item if preview else None)
        if not is_unscored(candidate):
            evidence = evidence_of(candidate, rival_names(review, candidate))
            bars = evidence_bars(evidence)
    return ShownScene(
        scene_id=waiting.scene_id,
        name=_clean(scene_name(waiting)),
        reason=_clean(waiting.match.reason),
        position=review.at + 1,
        shown=len(review.queue),
        answered=len(review.given.answered),
        left=review.left,
        filter=review.queue.filter,
        sort=review.queue.sort.value,
        answer=_clean(answer),
        seen=seen,
        candidates=tuple(_candidates(review, waiting, recorded)),
        focus=candidate.rating_key if candidate else None,
        facts=tuple(map(_fact, facts)),
        bars=bars,
        total=f"{sum(one.weight for one in evidence):+.1f}",
        both=len(review.both),
        alike=alike_count(review),
        has_rule=has_path_rule(review),
        has_frames=any(file.oshash is not None for file in waiting.scene.files),
        before=_neighbour(review, -1),
        after=_neighbour(review, 1),
        message=_clean(review.message),
    )


def evidence_bars(evidence: Sequence[Evidence]) -> tuple[Bar, ...]:
    """Return evidence as a waterfall: each bar begins where the one before ended."""
    sums = [0.0]
    for one in evidence:
        sums.append(sums[-1] + one.weight)
    least, most = min(sums), max(sums)
    unit = _BAR_UNITS / max(most - least, _LEAST_BITS)
    bars = []
    for one, before, after in zip(evidence, sums, sums[1:], strict=False):
        bars.append(
            Bar(
                name=_clean(one.name),
                value=_clean(one.value),
                bits=f"{one.weight:+.1f}",
                side="for" if one.weight >= 0 else "against",
                start=round((min(before, after) - least) * unit, 2),
                width=round(max(abs(after - before) * unit, 0.5), 2),
            )
        )
    return tuple(bars)


def shown_changes(preview: LinkPreview) -> tuple[ShownChange, ...]:
    """Return what accepting would write, field by field."""
    return tuple(
        ShownChange(field=one.field, pieces=tuple(_pieces(one))) for one in preview.changes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One pair of the grid."""

    scene_id: SceneId
    name: str
    rating_key: RatingKey | None
    item: str
    path: Pieces
    item_path: Pieces
    free: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGroup:
    """Scenes of one pattern, some at a time; `more` of the pattern are not on the page."""

    first: SceneId
    reason: str
    lines: tuple[str, ...]
    rows: tuple[GroupRow, ...]
    more: int
    left: int
    counts: Mapping[str, int]
    message: str


def group_page(review: Review, group: Group, *, more: int) -> ShownGroup:
    """Make the page of the scenes of a group."""
    first = group.scenes[0]
    picks = group.picks()
    lines = pattern_lines(first.candidates[0]) if first.candidates else ()
    return ShownGroup(
        first=first.scene_id,
        reason=_clean(reason_kind(first.match.reason)),
        lines=tuple(map(_clean, lines)),
        rows=tuple(_group_row(one, picks.get(one.scene_id)) for one in group.scenes),
        more=more,
        left=review.left,
        counts={key: group.count(key) for key in "abrnl"},
        message=_clean(review.message),
    )


# ---- Private -------------------------------------------------------------------------------------


def _neighbour(review: Review, step: int) -> SceneId | None:
    place = review.at + step
    return review.queue[place].scene_id if 0 <= place < len(review.queue) else None


def _candidates(review: Review, waiting: Waiting, recorded: SceneAnswers) -> list[ShownCandidate]:
    refused = {one.rating_key for one in recorded.refusals}
    accepted = {one.rating_key for one in recorded.pins}
    shown = []
    for place, one in enumerate(waiting.candidates):
        library = waiting.libraries[place] if place < len(waiting.libraries) else ""
        mark = "accepted" if one.rating_key in accepted else ""
        shown.append(
            ShownCandidate(
                number=place + 1,
                rating_key=one.rating_key,
                name=_clean(item_name(one)),
                where=_clean(" ".join(filter(None, (library, one.rating_key)))),
                notes=tuple(map(_clean, notes_of(review, one))),
                mark="not this one" if one.rating_key in refused else mark,
                focused=place == review.focus,
            )
        )
    return shown


def _fact(fact: Fact) -> ShownFact:
    ours, theirs = _clean(fact.ours), _clean(fact.theirs)
    if fact.name != "path":
        return ShownFact(
            name=fact.name,
            ours=[(ours, False)] if ours else [],
            theirs=[(theirs, fact.differs)] if theirs else [],
            differs=fact.differs,
        )
    return ShownFact(
        name=fact.name,
        ours=marked_words(ours, theirs),
        theirs=marked_words(theirs, ours),
        differs=fact.differs,
    )


def _group_row(waiting: Waiting, pick: Candidate | None) -> GroupRow:
    candidate = pick or next(iter(waiting.candidates), None)
    mine = _clean(waiting.scene.files[0].path if waiting.scene.files else "")
    theirs = _clean(candidate.item_path if candidate else "")
    return GroupRow(
        scene_id=waiting.scene_id,
        name=_clean(scene_name(waiting)),
        rating_key=candidate.rating_key if candidate else None,
        item=_clean(item_name(candidate)) if candidate else "no candidate",
        path=marked_words(mine, theirs),
        item_path=marked_words(theirs, mine),
        free=pick is not None,
    )


def _pieces(change: Change) -> list[tuple[str, str]]:
    """One change as pieces: characters of texts, names of lists."""
    if isinstance(change.before, str) and isinstance(change.after, str):
        before, after = _clean(change.before), _clean(change.after)
        return [*text_pieces(before, after)] if before and after else _whole(before, after)
    before_names, after_names = _names(change.before), _names(change.after)
    gone = [("-", name) for name in before_names if name not in after_names]
    new = [("+", name) for name in after_names if name not in before_names]
    stay = len([name for name in after_names if name in before_names])
    rest = [(" ", f"{stay} stay{'s' if stay == 1 else ''}")] if stay else []
    pieces = [*new, *gone, *rest]
    # Between two names stands a comma, which neither comes nor goes.
    return [part for one in pieces for part in ((" ", ", "), one)][1:]


def _whole(before: str, after: str) -> list[tuple[str, str]]:
    old = [("-", before)] if before else [(" ", "(empty) ")]
    return [*old, ("+", after)] if after else [*old, (" ", " (empty)")]


def _names(value: Value) -> tuple[str, ...]:
    names = value if isinstance(value, tuple) else (value,) if value else ()
    return tuple(map(_clean, names))


def _clean(text: str) -> str:
    return clean_for_terminal(text)
