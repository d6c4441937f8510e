"""The pages as texts: templates, filled with a review. Every text of a server is cleaned there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from plexsync.matcher import reason_kind
from plexsync.review.queue import Sort, first_path, item_name, pattern_lines, scene_name
from plexsync.review.selection import ANSWER_WORDS
from plexsync.review.shown import (
    alike_count,
    answer_marks,
    answer_words,
    evidence_of,
    facts_of,
    has_path_rule,
    item_place,
    marked_words,
    moved_names,
    notes_of,
    rival_names,
)
from plexsync.text.differences import text_pieces
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import Change, Evidence
    from plexsync.review.interfaces import LinkPreview
    from plexsync.review.machine import Review
    from plexsync.review.selection import Group
    from plexsync.text.differences import Piece

_TEMPLATES = Path(__file__).parent / "templates"
_BAR_UNITS = 100
_LEAST_BITS = 1.0


class PageTemplates:
    """Fills templates with what a review shows."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_cleaned,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        named = (first_path, item_name, item_place, marked_words, pattern_lines, reason_kind)
        self._templates.globals.update((one.__name__, one) for one in (*named, scene_name))

    def page(self, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page."""
        text = self._templates.get_template(name).render(values)
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)

    def scene(
        self, name: str, review: Review, preview: LinkPreview | None, *, seen: str
    ) -> HTMLResponse:
        """Return the page of the scene the review shows, or the part of it that comes later.

        Args:
            name: the template.
            review: shows the scene.
            preview: what accepting the candidate in focus would write; None while it is unknown.
            seen: what was answered when the page was made; an answer given elsewhere meanwhile is
                not overwritten without a look.
        """
        waiting, candidate = review.waiting, review.candidate
        recorded = review.answers.recorded(waiting.scene_id)
        return self.page(
            name,
            review=review,
            waiting=waiting,
            candidate=candidate,
            preview=preview,
            changes=[(one.field, _pieces(one)) for one in preview.changes] if preview else [],
            facts=facts_of(waiting, candidate, preview) if candidate else [],
            bars=evidence_bars(evidence_of(candidate, rival_names(review, candidate)))
            if candidate
            else [],
            answer=answer_words(recorded),
            marks=answer_marks(recorded),
            notes={one.rating_key: notes_of(review, one) for one in waiting.candidates},
            seen=seen,
            alike=alike_count(review),
            has_rule=has_path_rule(review),
            has_frames=any(file.oshash is not None for file in waiting.scene.files),
            sorts=list(Sort),
        )

    def group(self, review: Review, group: Group, *, more: int) -> HTMLResponse:
        """Return the page of some scenes of one pattern; `more` of the pattern are not on it."""
        counts = {key: group.count(key) for key in "abrnl"}
        return self.page(
            "group.html", review=review, group=group, picks=group.picks(), counts=counts, more=more
        )

    def end(self, review: Review) -> HTMLResponse:
        """Return the last page."""
        counts = [(ANSWER_WORDS[verb], count) for verb, count in review.given.counts().items()]
        return self.page("end.html", review=review, counts=counts)


class Bar(NamedTuple):
    """One piece of evidence as a bar: from `start`, `width` units wide."""

    evidence: Evidence
    start: float
    width: float


def evidence_bars(evidence: Sequence[Evidence]) -> list[Bar]:
    """Return evidence as a waterfall: each bar begins where the one before ended."""
    sums = [0.0]
    for one in evidence:
        sums.append(sums[-1] + one.weight)
    least, most = min(sums), max(sums)
    unit = _BAR_UNITS / max(most - least, _LEAST_BITS)
    return [
        Bar(
            evidence=one,
            start=round((min(before, after) - least) * unit, 2),
            width=round(max(abs(after - before) * unit, 0.5), 2),
        )
        for one, before, after in zip(evidence, sums, sums[1:], strict=False)
    ]


# ---- Private -------------------------------------------------------------------------------------


def _cleaned(value: object) -> object:
    """Return what a template writes, made harmless; what macros made is so already."""
    return clean_for_terminal(value) if type(value) is str else value


def _pieces(change: Change) -> Sequence[Piece]:
    """One change as pieces: characters of texts, names of lists."""
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str):
        if before and after:
            return text_pieces(before, after)
        old = ("-", before) if before else (" ", "(empty) ")
        return [old, ("+", after) if after else (" ", " (empty)")]
    moved, stay = moved_names(change)
    pieces = [*moved, (" ", stay)] if stay else moved
    # Between two names stands a comma, which neither comes nor goes.
    return [part for one in pieces for part in ((" ", ", "), one)][1:]
