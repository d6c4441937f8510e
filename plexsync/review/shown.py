"""What every screen of a review shows beside its state: notes, rivals, and what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.planning.credits import shown_values
from plexsync.review.queue import item_name, library_of
from plexsync.review.selection import owner_note, rule_for
from plexsync.text.differences import name_pieces, names_of

if TYPE_CHECKING:
    from plexsync.matcher import SceneAnswers
    from plexsync.models import Candidate, Change, RatingKey, SceneId
    from plexsync.review.machine import Review
    from plexsync.state import Waiting
    from plexsync.text.differences import Piece

_AHEAD = 3
_COMPARED = 3
_NAMED_RIVALS = 3


def alike_count(review: Review) -> int:
    """Return how many open scenes look like the one on the screen, itself included."""
    return len(review.queue.alike(review.waiting, review.given.answered))


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


def item_place(waiting: Waiting, place: int) -> str:
    """Return the library of a candidate, where it is known, and its rating key."""
    key = waiting.candidates[place].rating_key
    return " ".join(filter(None, (library_of(waiting, place), key)))


def moved_names(change: Change) -> tuple[list[Piece], str]:
    """Return the names that come to a list or go from it, and how many stay, in words."""
    before, after = shown_values(change)
    moved = name_pieces(before, after)
    stay = len(names_of(after)) - sum(mark == "+" for mark, _ in moved)
    return moved, f"{stay} stay{'s' if stay == 1 else ''}" if stay else ""


def has_path_rule(review: Review) -> bool:
    """Return whether a path rule would make the paths of the candidate in focus one."""
    candidate = review.candidate
    return candidate is not None and rule_for(candidate, review.actions.rules()) is not None


def notes_of(review: Review, candidate: Candidate) -> list[str]:
    """Return what a person should know of an item before taking it."""
    ours = review.waiting.scene_id
    owner = review.answers.owner(candidate.rating_key, ours)
    if owner is not None:
        return owner_note(owner, review.queue.name_of(owner))
    rivals = review.queue.rival_scenes(candidate.rating_key, ours, review.given.answered)
    return [f"also a candidate of {rivals}"] if rivals else []


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
