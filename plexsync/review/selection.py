"""Groups of scenes, path rules, and the answers given in one review."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from plexsync.matcher import Answer, Verb, split_prefixes
from plexsync.models import (
    Candidate,
    Evidence,
    PathRule,
    PlexItem,
    RatingKey,
    Scene,
    SceneId,
    id_order,
)
from plexsync.review.queue import first_path, signs_of
from plexsync.text.normalize import apply_rules, fold, normalize_path
from plexsync.text.toml import toml_string
from plexsync.text.words import counted, file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.matcher import SceneAnswers
    from plexsync.models import PlexFile, SceneFile
    from plexsync.review.answer_store import AnswerStore
    from plexsync.state import Waiting


NAMED = "person"
"""The evidence of a candidate that a person brought, and that no matching has weighed."""

_SAME_LENGTH_S = 1.0
"""Seconds by which two servers may differ about the length of one file."""

_MOST_NAMED = 3

NOTHING_WAITS = "Nothing waits for review."


class Question(NamedTuple):
    """What a person is asked before something bigger happens: yes is `y`, all else is no.

    `lines` are those of the configuration file, `note` is a sentence.
    """

    headline: str
    on_yes: Callable[[], None]
    scenes: tuple[Waiting, ...] = ()
    lines: tuple[str, ...] = ()
    note: str = ""


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


# ---- Groups --------------------------------------------------------------------------------------

GROUP_WORDS = {
    "a": "accepted {count:,} alike",
    "b": "accepted all items of {count:,} alike",
    "r": "not these {count:,} items",
    "n": "{count:,} alike are not in Plex",
}
"""How a group was answered by a key, in words."""


class Group:
    """The open scenes like the one on the screen, answered together; odd ones are left out first.

    Args:
        scenes: which, the one on the screen first.
        answers: knows which scene has an item, and what was refused.

    Attributes:
        scenes: the same.
        row: the place of the scene that `toggle` is about.
        left_out: scenes an answer does not settle.
    """

    def __init__(self, scenes: Sequence[Waiting], answers: AnswerStore) -> None:
        self.scenes = tuple(scenes)
        self._answers = answers
        self.row = 0
        self.left_out: set[SceneId] = set()

    @property
    def chosen(self) -> list[Waiting]:
        """The scenes an answer settles."""
        return [one for one in self.scenes if one.scene_id not in self.left_out]

    def move(self, step: int) -> None:
        """Go to another scene of the list."""
        self.row = min(max(self.row + step, 0), len(self.scenes) - 1)

    def toggle(self) -> None:
        """Leave a scene out, or take it in again."""
        self.left_out ^= {self.scenes[self.row].scene_id}

    def picks(self) -> dict[SceneId, Candidate]:
        """Return the candidate each scene would get, left out or not.

        The best one, or one just as good; neither another scene's, nor refused, nor picked for a
        scene above. A scene without one is not among them.
        """
        taken: set[RatingKey] = set()
        picks: dict[SceneId, Candidate] = {}
        for one in self.scenes:
            for candidate in self._as_good(one):
                if candidate.rating_key not in taken and self._is_free(candidate, one):
                    picks[one.scene_id] = candidate
                    taken.add(candidate.rating_key)
                    break
        return picks

    def pairs(self) -> dict[SceneId, Candidate]:
        """Return the candidate each scene is shown with: its pick, or else the best not refused."""
        best = {one.scene_id: self._open_candidates(one)[:1] for one in self.scenes}
        return {key: found[0] for key, found in best.items() if found} | self.picks()

    def standing(self) -> dict[SceneId, tuple[RatingKey | None, SceneAnswers]]:
        """Return what a person sees of the chosen scenes: the item, and what was answered."""
        keys = {key: candidate.rating_key for key, candidate in self.pairs().items()}
        ids = [one.scene_id for one in self.chosen]
        return {one: (keys.get(one), self._answers.recorded(one)) for one in ids}

    def count(self, key: str) -> int:
        """Return how many scenes a key would settle."""
        return len(self.chosen) if key == "l" else len(self.answers(key))

    def answers(self, key: str) -> list[Answer]:
        """Return what a key says of the chosen scenes: `a`, `b`, `r` or `n`."""
        about, chosen = self._answers.answer_about, self.chosen
        if key == "n":
            return [about(one, Verb.ABSENT) for one in chosen]
        found = self.pairs() if key == "r" else self.picks()
        meant = [(one, found[one.scene_id]) for one in chosen if one.scene_id in found]
        if key == "b":
            return self._both(meant)
        verb = Verb.REJECT if key == "r" else Verb.ACCEPT
        return [about(one, verb, [candidate]) for one, candidate in meant]

    # ---- Private ---------------------------------------------------------------------------------

    def _both(self, meant: Sequence[tuple[Waiting, Candidate]]) -> list[Answer]:
        """Accept all items of one file, where there are several and all are free."""
        taken: set[RatingKey] = set()
        answers = []
        for one, pick in meant:
            found = same_file(one, pick, self._answers.refused(one.scene_id))
            keys = {candidate.rating_key for candidate in found}
            free = all(self._is_free(candidate, one) for candidate in found)
            if len(found) > 1 and free and not keys & taken:
                taken |= keys
                answers.append(self._answers.answer_about(one, Verb.ACCEPT, found))
        return answers

    def _as_good(self, waiting: Waiting) -> list[Candidate]:
        """Return the best candidate, and those with the same evidence and score."""
        found = self._open_candidates(waiting)
        return [
            one
            for one in found
            if one is found[0]
            or (signs_of(one) == signs_of(found[0]) and one.score >= found[0].score)
        ]

    def _open_candidates(self, waiting: Waiting) -> list[Candidate]:
        refused = self._answers.refused(waiting.scene_id)
        return [one for one in waiting.candidates if one.rating_key not in refused]

    def _is_free(self, candidate: Candidate, waiting: Waiting) -> bool:
        key = candidate.rating_key
        return bool(candidate.item_path) and self._answers.owner(key, waiting.scene_id) is None


# ---- Given answers -------------------------------------------------------------------------------


ANSWER_WORDS: dict[Verb | None, str] = {
    Verb.ACCEPT: "accepted",
    Verb.REJECT: "refused",
    Verb.ABSENT: "not in Plex",
    Verb.IGNORE: "ignored",
    Verb.RESET: "reset",
    None: "left to a new path rule",
}
"""How many scenes were answered in each way, in words; None stands for path rules."""


class GivenAnswer(NamedTuple):
    """One answer, about one scene or about many.

    Attributes:
        words: what was answered.
        scenes: the scenes it settled.
        shown: the scene that was on the screen.
        focus: and the place of its candidate.
        verb: how it was answered; None for a path rule.
        take_back: puts back what was before it; returns which of its scenes were answered elsewhere
            since, and stay so.
        opened: the scenes it left waiting, whatever was answered about them before.
    """

    words: str
    scenes: frozenset[SceneId]
    shown: SceneId
    focus: int
    verb: Verb | None
    take_back: Callable[[], Collection[SceneId] | None]
    opened: frozenset[SceneId] = frozenset()


@dataclass(slots=True)
class GivenAnswers:
    """The answers of one review.

    Attributes:
        verbs: how each settled scene was answered last; None for a path rule.
        later: the scenes a person put off.
    """

    verbs: dict[SceneId, Verb | None] = field(default_factory=dict)
    later: set[SceneId] = field(default_factory=set)
    _given: list[GivenAnswer] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._given)

    @property
    def answered(self) -> AbstractSet[SceneId]:
        """The scenes that are settled."""
        return self.verbs.keys()

    @property
    def passed(self) -> AbstractSet[SceneId]:
        """The scenes a person is through with for now: settled, or put off."""
        return self.answered | self.later

    def add(self, given: GivenAnswer) -> None:
        """Take note of an answer that is durable."""
        self._given.append(given)
        self._settle(given)
        self.later -= given.scenes

    def take_back(self) -> tuple[GivenAnswer, str] | None:
        """Take the last answer back; returns it with what became of it in words, None without one.

        Raises:
            PlexsyncError: it could not be taken back, and stands.
        """
        if not self._given:
            return None
        last = self._given[-1]
        stay = last.take_back() or ()
        self._given.pop()
        self.verbs = {}
        for earlier in self._given:
            self._settle(earlier)
        message = f"Taken back: {last.words}."
        if stay:
            named = ", ".join(sorted(stay, key=id_order)[:_MOST_NAMED])
            message += (
                f" Answered elsewhere since, so it stays: {counted(len(stay), 'scene')} ({named})."
            )
        return last, message

    def counts(self) -> dict[Verb | None, int]:
        """Return how many scenes were answered in each way; None stands for path rules."""
        return dict(Counter(self.verbs.values()))

    def _settle(self, given: GivenAnswer) -> None:
        """Let an answer replace what was answered earlier about the same scenes."""
        self.verbs.update(dict.fromkeys(given.scenes, given.verb))
        for scene_id in given.opened:
            self.verbs.pop(scene_id, None)
