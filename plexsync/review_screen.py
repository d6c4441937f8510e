"""Screens of a review as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.review_parts import (
    candidates_part,
    changes_part,
    evidence_part,
    scene_part,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.answers import Said
    from plexsync.models import RatingKey, SceneId
    from plexsync.recalled import Comparison
    from plexsync.review_queue import Waiting


def scene_lines(
    waiting: Waiting,
    *,
    said: Said,
    owners: Mapping[RatingKey, SceneId],
    compared: Mapping[RatingKey, Comparison],
    marks: bool,
) -> list[Text]:
    """All there is about one scene, each candidate with its evidence and changes."""
    lines = [*scene_part(waiting), Text()]
    if answer := answer_words(said):
        lines += [words(answer, "cyan"), Text()]
    shown = answer_marks(said)
    lines += candidates_part(waiting, -1, owners=owners, marks=shown)
    for place, candidate in enumerate(waiting.candidates):
        lines += [Text(), words(f"Candidate {place + 1}, item {candidate.rating_key}", "bold")]
        lines += evidence_part(candidate, waiting, place)
        lines += changes_part(compared.get(candidate.rating_key), marks=marks)
    return lines


def answer_marks(said: Said) -> dict[RatingKey, str]:
    """What was answered about each item."""
    marks = {one.rating_key: "not this one" for one in said.refusals}
    return marks | {pin.rating_key: "accepted" for pin in said.pins}


def answer_words(said: Said) -> str:
    """What was answered about the scene as a whole; "" for nothing."""
    if said.ignored is not None:
        why = f": {said.ignored.reason}" if said.ignored.reason else ""
        return f"You ignore this scene{why}."
    if said.pins:
        keys = ", ".join(pin.rating_key for pin in said.pins)
        return f"You accepted item {keys}."
    return "You said that it is not in Plex." if said.absent else ""
