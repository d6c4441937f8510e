"""What every screen of a review shows: facts of both files, evidence, notes, what comes next."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from plexsync.models import Candidate, Change, Evidence, PlexFile, RatingKey, SceneFile, SceneId
from plexsync.planning.credits import shown_values
from plexsync.review.candidates import NAMED
from plexsync.review.queue import item_name
from plexsync.text.differences import Piece, name_pieces, names_of
from plexsync.text.words import counted, file_size, play_time

if TYPE_CHECKING:
    from plexsync.matcher import SceneAnswers
    from plexsync.review.machine import Review

_AHEAD = 3
_COMPARED = 3
_NAMED_RIVALS = 3
_WORDS = re.compile(r"\w+|\W")
_LEAST_BITS = 0.05
"""Below this the sum of the evidence is the score, but for rounding."""


def answer_words(answers: SceneAnswers) -> str:
    """Return what was answered about the scene as a whole; "" for nothing."""
    if answers.ignored is not None:
        why = f": {answers.ignored.reason}" if answers.ignored.reason else ""
        return f"You ignore this scene{why}."
    if answers.pins:
        keys = ", ".join(pin.rating_key for pin in answers.pins)
        return f"You accepted item {keys}."
    return "You answered that it is not in Plex." if answers.absent else ""


def answer_marks(answers: SceneAnswers) -> dict[RatingKey, str]:
    """Return what was answered about each item."""
    marks = {one.rating_key: "not this one" for one in answers.refusals}
    return marks | {pin.rating_key: "accepted" for pin in answers.pins}


def item_place(candidate: Candidate) -> str:
    """Return the library of a candidate, where it is known, and its rating key."""
    return " ".join(filter(None, (candidate.library, candidate.rating_key)))


def moved_names(change: Change) -> tuple[list[Piece], str]:
    """Return the names that come to a list or go from it, and how many stay, in words."""
    before, after = shown_values(change)
    moved = name_pieces(before, after)
    stay = len(names_of(after)) - sum(mark == "+" for mark, _ in moved)
    return moved, f"{stay} stay{'s' if stay == 1 else ''}" if stay else ""


def notes_of(review: Review) -> dict[RatingKey, str]:
    """Return what a person should know of some items of the scene before taking them."""
    notes, ours = {}, review.waiting.scene_id
    for key in (one.rating_key for one in review.waiting.candidates):
        if owner := review.answers.owner(key, ours):
            notes[key] = f"linked to {review.queue.named(owner)} already"
        elif rivals := review.queue.rival_scenes(key, ours, review.given.answered):
            notes[key] = f"also a candidate of {rivals}"
    return notes


def rival_names(review: Review, candidate: Candidate) -> str:
    """Return what competes with a candidate: other items of the scene, other scenes of the item."""
    others = [one for one in review.waiting.candidates if one.rating_key != candidate.rating_key]
    items = [f"item {one.rating_key} ({item_name(one)})" for one in others[:_NAMED_RIVALS]]
    scenes = review.queue.rival_scenes(candidate.rating_key, review.waiting.scene_id)
    return ", ".join([*items, scenes] if scenes else items)


def wanted_previews(review: Review) -> list[tuple[SceneId, tuple[RatingKey, ...]]]:
    """Return the pairs worth comparing ahead, the most urgent first."""
    if not len(review.queue):
        return []
    places = range(review.at, min(review.at + 1 + _AHEAD, len(review.queue)))
    ahead = [review.queue[place] for place in places]
    pairs = [(one, one.candidates[:_COMPARED]) for one in ahead]
    if review.candidate is not None:
        pairs.insert(0, (review.waiting, (review.candidate,)))
    return [(one.scene_id, tuple(c.rating_key for c in some)) for one, some in pairs if some]


# ---- Facts and evidence --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact of both files; "" where a server does not say.

    Attributes:
        name: of the fact.
        ours: as Stash has it.
        theirs: as Plex has it.
    """

    name: str
    ours: str
    theirs: str

    @property
    def differs(self) -> bool:
        """Whether both sides know it and do not agree."""
        return bool(self.ours and self.theirs) and self.ours != self.theirs


def facts_of(review: Review, candidate: Candidate) -> list[Fact]:
    """Return what both servers say of the two files, but for their paths."""
    preview = review.preview(candidate)
    scene, item = review.waiting.scene, preview.item if preview else None
    mine = next((one for one in scene.files if one.path == candidate.scene_path), None)
    files = item.files if item else ()
    theirs = next((one for one in files if one.path == candidate.item_path), None)
    size, other_size = _sizes(mine, theirs)
    return [
        Fact(name="length", ours=_length(mine), theirs=_length(theirs)),
        Fact(name="size", ours=size, theirs=other_size),
        Fact(name="frame", ours=_frame(mine), theirs=_frame(theirs)),
        Fact(name="date", ours=scene.date, theirs=item.date if item else ""),
    ]


def marked_words(text: str, other: str) -> list[tuple[str, bool]]:
    """Return `text` in pieces, each with whether `other` lacks it; words are never torn apart."""
    if not other:
        return [(text, False)]
    mine, theirs = _WORDS.findall(text), _WORDS.findall(other)
    pieces: list[tuple[str, bool]] = []
    for tag, start, end, _, _ in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        if end > start:
            pieces.append(("".join(mine[start:end]), tag != "equal"))
    return pieces


def _length(file: SceneFile | PlexFile | None) -> str:
    if file is None or file.duration_s is None:
        return ""
    return play_time(round(file.duration_s))


def _sizes(*files: SceneFile | PlexFile | None) -> list[str]:
    """Return both sizes; in bytes where they differ and look the same in the unit people use."""
    sizes = [file.size_bytes if file else None for file in files]
    texts = ["" if size is None else file_size(size) for size in sizes]
    if len(set(sizes)) > len(set(texts)):
        return [counted(size or 0, "byte") for size in sizes]
    return texts


def _frame(file: SceneFile | PlexFile | None) -> str:
    return f"{file.width}x{file.height}" if file and file.width and file.height else ""


def is_unscored(candidate: Candidate) -> bool:
    """Whether a person brought the candidate, so that no matching has weighed it."""
    return [one.name for one in candidate.evidence] == [NAMED]


def evidence_of(candidate: Candidate, rivals: str) -> list[Evidence]:
    """Return the evidence of a candidate, what speaks for it first; it adds up to its score.

    One that no matching has weighed has none.

    Args:
        candidate: the candidate.
        rivals: who the rivals are, in words; what they take away is evidence of its own.
    """
    if is_unscored(candidate):
        return []
    ordered = sorted(candidate.evidence, key=lambda one: -one.weight)
    if not 0 < candidate.score < 1:
        return ordered
    total = math.log2(candidate.score / (1 - candidate.score))
    taken = total - sum(one.weight for one in ordered)
    if not rivals or taken > -_LEAST_BITS:
        return ordered
    return [*ordered, Evidence(name="rivals", value=rivals, weight=taken)]
