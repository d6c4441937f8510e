"""Candidates a person names, path rules they show, and what is asked before something bigger."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from plexsync.matcher import split_prefixes
from plexsync.models import Candidate, Evidence, PathRule, PlexItem, RatingKey, Scene
from plexsync.review.modes import Question
from plexsync.review.queue import first_path, signs_of
from plexsync.text.normalize import apply_rules, fold, normalize_path
from plexsync.text.toml import toml_string
from plexsync.text.words import file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from plexsync.models import PlexFile, SceneFile
    from plexsync.state import Waiting


NAMED = "person"
"""The evidence of a candidate that a person brought, and that no matching has weighed."""

_SAME_LENGTH_S = 1.0
"""Seconds by which two servers may differ about the length of one file."""


# ---- Items a person names ------------------------------------------------------------------------


def candidate_of(item: PlexItem, scene: Scene, *, found: str, library: str = "") -> Candidate:
    """Return an item a person named, as a candidate about the files that are likest.

    What a person answers is about that file of the scene, and its others go where they belong.
    """
    scene_path, item_path = likest_paths(scene, item)
    return Candidate(
        rating_key=item.rating_key,
        title=item.title,
        scene_path=scene_path,
        item_path=item_path,
        score=0.0,
        evidence=(Evidence(name=NAMED, value=found, weight=0.0),),
        library=library,
    )


def likest_paths(scene: Scene, item: PlexItem) -> tuple[str, str]:
    """Return the paths of the two files of a scene and an item that have most in common."""
    pairs = list(product(scene.files, item.files))
    if not pairs:
        return first_path(scene), first_path(item)
    ours, theirs = max(pairs, key=_likeness)
    return ours.path, theirs.path


def _likeness(pair: tuple[SceneFile, PlexFile]) -> int:
    """Return how much two files have in common, of size, length and name."""
    ours, theirs = pair
    lengths = ours.duration_s, theirs.duration_s
    return (
        (ours.size_bytes == theirs.size_bytes is not None)
        + (None not in lengths and abs((lengths[0] or 0) - (lengths[1] or 0)) < _SAME_LENGTH_S)
        + (fold(file_name(ours.path)) == fold(file_name(theirs.path)))
    )


# ---- Notes and path rules ------------------------------------------------------------------------


def same_file(
    waiting: Waiting, candidate: Candidate, refused: Collection[RatingKey] = ()
) -> list[Candidate]:
    """Return `candidate` and the others of its scene that speak for the same file just as well.

    A file that is in two Plex libraries is two items; each has the evidence of the other.
    """
    signs = signs_of(candidate)
    others = (
        one
        for one in waiting.candidates
        if one.rating_key != candidate.rating_key
        and one.rating_key not in refused
        and one.item_path
        and signs_of(one) == signs
    )
    return [candidate, *others]


def rule_for(candidate: Candidate, known: Sequence[PathRule]) -> PathRule | None:
    """Return the path rule under which both files of a candidate are one path; None for none."""
    ours, theirs = normalize_path(candidate.scene_path), normalize_path(candidate.item_path)
    if not ours or not theirs or theirs in (ours, apply_rules(ours, known)):
        return None
    stash, plex = split_prefixes(ours, theirs)
    same_name = ours.rpartition("/")[2] == theirs.rpartition("/")[2]
    if not same_name or not stash or not plex or stash == plex:
        return None
    return PathRule(stash=stash, plex=plex)


def fitted_by(rule: PathRule, others: Iterable[Waiting]) -> list[Waiting]:
    """Those of `others` that have just one candidate with a path that `rule` explains."""
    found = []
    for one in others:
        fits = (
            apply_rules(normalize_path(candidate.scene_path), [rule])
            == normalize_path(candidate.item_path)
            for candidate in one.candidates
        )
        if sum(fits) == 1:
            found.append(one)
    return found


def rule_question(
    rule: PathRule, covered: Sequence[Waiting], on_yes: Callable[[], None], *, fits: int
) -> Question:
    """Ask whether a path rule is to be added that explains the paths of `fits` scenes."""
    does = f"should settle {len(covered):,}" if covered else "settles nothing"
    more = fits - len(covered)
    return Question(
        headline=f"Add this path rule? It {does} of what waits{':' if covered else '.'}",
        on_yes=on_yes,
        lines=(
            f"stash = {toml_string(rule.stash)}",
            f"plex  = {toml_string(rule.plex)}",
        ),
        note=f"It fits {more:,} more, for which it is not enough." if more else "",
        scenes=tuple(covered),
    )


def taking_question(owners: Iterable[str]) -> str:
    """Return the question whether items are to be taken from the scenes they belong to."""
    names = list(owners)
    if len(names) == 1:
        return f"This item belongs to {names[0]} already. Take it from that scene?"
    return f"These items belong to {' and '.join(names)} already. Take them from those scenes?"
