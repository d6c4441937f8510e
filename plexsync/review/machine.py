"""A review as a state machine: keys in, a state to draw out. Knows no terminal, disk or server.

What reaches the disk goes through `AnswersPort`, what needs a server, a browser or the
configuration through `ActionsPort`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.errors import PlexsyncError, StateLockedError
from plexsync.matcher import Verb
from plexsync.review.interfaces import (
    BACKSPACE,
    DOWN,
    ENTER,
    ESCAPE,
    LEFT,
    PASTE,
    RIGHT,
    UP,
    Ending,
    Mode,
    Prompt,
)
from plexsync.review.questions import group_question, rule_question, take_question
from plexsync.review.selection import (
    absence,
    acceptance,
    candidate_of,
    fitted_by,
    group_of,
    ignoring,
    owner_note,
    rejection,
    rule_for,
    with_candidate,
)
from plexsync.review.ties import Ties

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.matcher import Answer
    from plexsync.models import Candidate, PathRule, RatingKey, SceneId
    from plexsync.review.interfaces import ActionsPort, AnswersPort, Hit, Question
    from plexsync.state import Waiting

_AHEAD = 3
_COMPARED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """An answer that can be undone."""

    words: str
    given: object = None
    scenes: frozenset[SceneId] = frozenset()
    at: int = 0
    focus: int = 0
    rule: PathRule | None = None
    verb: Verb | None = None


@dataclass(slots=True)
class Review:
    """One review, from its first screen to its end.

    Args:
        queue: what waits; found items are added to its entries.
        answers: where answers are kept.
        actions: searches, finds, opens and configures.

    Attributes:
        at: place of the scene on the screen.
        focus: place of the candidate keys are about; -1 when there is none.
        mode: what is on the screen.
        page: which part of a screen that is too long, counted on by `v`; a screen starts again
            after its last.
        message: what the last key did.
        prompt: what is being asked for; `typed` is what was typed so far.
        hits: what a search found, `hit_count` in all.
        question: what is asked before something bigger.
        ending: how it ended; None while it goes on.
        answered: the scenes that are settled in this review.
        later: those a person put off.
    """

    queue: list[Waiting]
    answers: AnswersPort
    actions: ActionsPort
    at: int = 0
    focus: int = 0
    mode: Mode = Mode.SCENE
    page: int = 0
    message: str = ""
    prompt: Prompt = Prompt.REASON
    typed: str = ""
    hits: tuple[Hit, ...] = ()
    hit_count: int = 0
    question: Question | None = None
    ending: Ending | None = None
    answered: set[SceneId] = field(default_factory=set)
    later: set[SceneId] = field(default_factory=set)
    _steps: list[_Step] = field(default_factory=list)
    _ties: Ties = field(init=False)
    _on_yes: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        """Begin at the first scene, or at the end when there is none."""
        self._ties = Ties(self.queue)
        if self.queue:
            self._show(0)
        else:
            self.mode = Mode.END

    # ---- What a screen shows ---------------------------------------------------------------------

    @property
    def waiting(self) -> Waiting:
        """The scene on the screen."""
        return self.queue[self.at]

    @property
    def candidate(self) -> Candidate | None:
        """The candidate in focus."""
        return self.waiting.candidates[self.focus] if self.focus >= 0 else None

    @property
    def accepted(self) -> tuple[SceneId, ...]:
        """The scenes the end may write: accepted ones, and those a new path rule is about."""
        verbs = (Verb.ACCEPT, None)
        scenes = [scene_id for scene_id, verb in self._last_verbs().items() if verb in verbs]
        return tuple(sorted(scenes, key=lambda one: (len(one), one)))

    @property
    def can_undo(self) -> bool:
        """Whether there is an answer to take back."""
        return bool(self._steps)

    @property
    def has_alike(self) -> bool:
        """Whether another open scene looks like the one on the screen; see `group_of`."""
        return self._ties.has_alike(self.waiting, self.answered)

    @property
    def has_rule(self) -> bool:
        """Whether a path rule would make the paths of the candidate in focus one."""
        candidate = self.candidate
        return candidate is not None and rule_for(candidate, self.actions.rules()) is not None

    def notes(self, candidate: Candidate) -> list[str]:
        """What a person should know of an item before taking it."""
        ours = self.waiting.scene_id
        if owned := owner_note(self.answers.owner(candidate.rating_key, ours)):
            return owned
        return self._ties.rivals_note(candidate.rating_key, ours, self.answered)

    def counts(self) -> dict[Verb | None, int]:
        """How many scenes were answered in each way; None stands for path rules."""
        return dict(Counter(self._last_verbs().values()))

    def _last_verbs(self) -> dict[SceneId, Verb | None]:
        """How each scene was answered last: a later answer replaces an earlier one."""
        return {scene_id: step.verb for step in self._steps for scene_id in step.scenes}

    def wanted(self) -> list[tuple[SceneId, tuple[RatingKey, ...]]]:
        """What is worth comparing ahead, the most urgent first."""
        if not self.queue:
            return []
        following = self.queue[self.at + 1 : self.at + 1 + _AHEAD]
        pairs = [(one, one.candidates[:_COMPARED]) for one in (self.waiting, *following)]
        if self.candidate is not None:
            pairs.insert(0, (self.waiting, (self.candidate,)))
        return [(one.scene_id, tuple(c.rating_key for c in some)) for one, some in pairs if some]

    # ---- Keys ------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """Take one key. A key that means nothing says so and changes nothing."""
        self.message = ""
        if key.startswith(PASTE):
            self._paste(key.removeprefix(PASTE))
            return
        if key == "v" and self.mode is not Mode.PROMPT:
            self.page += 1
            return
        self.page = 0
        try:
            match self.mode:
                case Mode.SCENE:
                    self._press_scene(key)
                case Mode.PROMPT:
                    self._press_prompt(key)
                case Mode.HITS:
                    self._press_hits(key)
                case Mode.CONFIRM:
                    self._press_confirm(key)
                case Mode.HELP:
                    self._to_scene()
                case Mode.END:
                    self._press_end(key)
        except StateLockedError:
            self._to_scene()
            self.message = "A run is under way. Nothing was answered; try again when it has ended."

    def _press_scene(self, key: str) -> None:
        if key.isdecimal() and key.isascii():
            self._pick(int(key))
            return
        deed = {
            "a": self._accept,
            "n": self._refuse,
            "m": self._absent,
            "l": self._put_off,
            "i": lambda: self._ask_for(Prompt.REASON),
            "s": lambda: self._ask_for(Prompt.SEARCH),
            "k": lambda: self._ask_for(Prompt.ITEM),
            "o": self._browse,
            "g": self._group,
            "r": self._rule,
            "u": self._undo,
            "b": self._back,
            LEFT: self._back,
            "f": self._forth,
            RIGHT: self._forth,
            UP: lambda: self._pick(self.focus),
            DOWN: lambda: self._pick(self.focus + 2),
            "?": self._help,
            "q": self._finish,
        }.get(key)
        if deed is None:
            self._mean_nothing(key)
        else:
            deed()

    def _press_prompt(self, key: str) -> None:
        if key == ESCAPE:
            self._to_scene()
        elif key == BACKSPACE:
            self.typed = self.typed[:-1]
        elif key == ENTER:
            self._take_text(self.typed.strip())
        elif len(key) == 1 and key.isprintable():
            self.typed += key

    def _paste(self, text: str) -> None:
        """A pasted text is typed where one is asked for; its letters are no keys."""
        if self.mode is Mode.PROMPT:
            self.typed += "".join(char for char in text if char.isprintable())
        else:
            self.message = "A pasted text means nothing here; k takes an address, s a search."

    def _press_hits(self, key: str) -> None:
        if key.isdecimal() and key.isascii() and 1 <= int(key) <= len(self.hits):
            self._add(self.hits[int(key) - 1], "found by a search")
        elif key == "s":
            self._ask_for(Prompt.SEARCH)
        else:
            self._to_scene()

    def _press_confirm(self, key: str) -> None:
        deed, self._on_yes = self._on_yes, lambda: None
        self._to_scene()
        if key in {"y", "Y"}:
            deed()
        else:
            self.message = "Nothing was answered."

    def _press_end(self, key: str) -> None:
        if key in {"k", "q"}:
            self.ending = Ending.KEEP
        elif key in {"w", "p"} and self.accepted:
            self.ending = Ending.WRITE if key == "w" else Ending.PLAN
        elif key == "u":
            self._undo()
        elif key in {"b", LEFT} and self.queue:
            self._show(len(self.queue) - 1 if self.at >= len(self.queue) else self.at)
        else:
            self._mean_nothing(key)

    def _mean_nothing(self, key: str) -> None:
        shown = key if len(key) > 1 or key.isprintable() else "That key"
        self.message = f"{shown} means nothing here; ? explains the keys."

    # ---- Answers ---------------------------------------------------------------------------------

    def _pick(self, number: int) -> None:
        if 1 <= number <= len(self.waiting.candidates):
            self.focus = number - 1
        else:
            self.message = "There is no other candidate."

    def _accept(self) -> None:
        candidate = self.candidate
        if candidate is None:
            self.message = "There is no candidate to accept; s searches Plex."
            return
        if not candidate.item_path:
            self.message = "This item shows no file, so it cannot be accepted."
            return
        answer = acceptance(self.waiting, [candidate])
        self.answers.take_lock()
        owner = self.answers.owner(candidate.rating_key, self.waiting.scene_id)
        if owner is None:
            self._give([answer], f"accepted {candidate.title or candidate.rating_key}")
            return
        self._confirm(take_question(owner), lambda: self._give([answer], "accepted"))

    def _refuse(self) -> None:
        candidate = self.candidate
        if candidate is None:
            self.message = "There is no candidate to refuse."
            return
        refused = self._refused()
        left = [
            place
            for place, one in enumerate(self.waiting.candidates)
            if one.rating_key not in refused | {candidate.rating_key}
        ]
        answer = rejection(self.waiting, [candidate], refused)
        self._give([answer], "not this one", stay=bool(left))
        if left and self.mode is Mode.SCENE:
            self.focus = left[0]

    def _absent(self) -> None:
        self._give([absence(self.waiting)], "not in Plex")

    def _put_off(self) -> None:
        self.later.add(self.waiting.scene_id)
        self._advance()

    def _group(self) -> None:
        self.answers.take_lock()
        group = [one for one in group_of(self.waiting, self._open()) if self._is_free(one)]
        if not group or group[0] is not self.waiting:
            self.message = "Only a scene with just one free candidate has others like it."
            return
        if len(group) == 1:
            self.message = "No other scene is like this one."
            return
        answers = [acceptance(one, one.candidates) for one in group]
        words = f"accepted {len(group):,} alike"
        self._confirm(group_question(group), lambda: self._give(answers, words))

    def _rule(self) -> None:
        candidate = self.candidate
        rule = rule_for(candidate, self.actions.rules()) if candidate else None
        if rule is None:
            self.message = "No path rule would make the two paths one."
            return
        open_ = self._open()
        fits = fitted_by(rule, open_)
        settled = self.actions.settled(rule, open_)
        covered = [one for one in fits if one.scene_id in settled]
        question = rule_question(rule, covered, fits=len(fits))
        self._confirm(question, lambda: self._add_rule(rule, covered))

    def _add_rule(self, rule: PathRule, covered: Sequence[Waiting]) -> None:
        try:
            said = self.actions.add_rule(rule)
        except PlexsyncError as error:
            self.message = f"{error.message}. {error.hint}".strip()
            return
        scenes = frozenset(one.scene_id for one in covered)
        step = _Step(words="path rule", rule=rule, scenes=scenes, at=self.at, focus=self.focus)
        self._steps.append(step)
        self.answered |= scenes
        if self.waiting.scene_id in scenes:
            self._advance()
        self.message = said

    def _give(self, answers: Sequence[Answer], words: str, *, stay: bool = False) -> None:
        """Make answers durable, and go on to the next scene unless there is more to say."""
        given = self.answers.give(answers)
        scenes = frozenset(answer.scene.scene_id for answer in answers)
        self._steps.append(
            _Step(
                words=words,
                given=given,
                scenes=frozenset() if stay else scenes,
                at=self.at,
                focus=self.focus,
                verb=answers[0].verb,
            )
        )
        if stay:
            self._to_scene()
        else:
            self.answered |= scenes
            self.later -= scenes
            self._advance()
        self.message = f"Scene {answers[0].scene.scene_id}: {words}. u takes it back."

    def _undo(self) -> None:
        if not self._steps:
            self.message = "There is nothing to take back."
            return
        step = self._steps[-1]
        try:
            if step.rule is not None:
                self.actions.remove_rule(step.rule)
            else:
                self.answers.take_back(step.given)
        except StateLockedError:
            raise
        except PlexsyncError as error:
            self.message = error.message
            return
        self._steps.pop()
        self.answered -= step.scenes
        self._show(step.at)
        self.focus = step.focus
        self.message = f"Taken back: {step.words}."

    # ---- Searching -------------------------------------------------------------------------------

    def _ask_for(self, prompt: Prompt) -> None:
        self.mode, self.prompt, self.typed = Mode.PROMPT, prompt, ""

    def _take_text(self, text: str) -> None:
        prompt = self.prompt
        self._to_scene()
        if prompt is Prompt.REASON:
            self._give([ignoring(self.waiting, text)], "ignored")
        elif not text:
            self.message = "Nothing was typed."
        elif prompt is Prompt.SEARCH:
            self._search(text)
        else:
            self._find(text)

    def _search(self, text: str) -> None:
        self.hits, self.hit_count = self.actions.search(text)
        if self.hits:
            self.mode = Mode.HITS
        else:
            self.message = f"Nothing in Plex holds {text!r} in its title or path."

    def _find(self, text: str) -> None:
        try:
            hit = self.actions.find(text)
        except StateLockedError:
            raise
        except PlexsyncError as error:
            self.message = error.message
            return
        self._add(hit, "named by you")

    def _add(self, hit: Hit, found: str) -> None:
        """Put an item among the candidates and into focus; accepting it is another key."""
        self._to_scene()
        for place, one in enumerate(self.waiting.candidates):
            if one.rating_key == hit.item.rating_key:
                self.focus = place
                return
        candidate = candidate_of(hit.item, self.waiting.scene, found=found)
        self.queue[self.at] = with_candidate(self.waiting, candidate, hit.library)
        self.focus = len(self.waiting.candidates) - 1
        self.message = "Added to the candidates; a accepts it."

    def _browse(self) -> None:
        key = self.candidate.rating_key if self.candidate else None
        self.message = self.actions.browse(self.waiting.scene_id, key)

    # ---- Going about -----------------------------------------------------------------------------

    def _advance(self) -> None:
        """To the next open scene, then to those skipped on the way, then to the end."""
        order = [*range(self.at + 1, len(self.queue)), *range(self.at)]
        for place in order:
            scene_id = self.queue[place].scene_id
            if scene_id not in self.answered and scene_id not in self.later:
                self._show(place)
                return
        self.mode = Mode.END

    def _back(self) -> None:
        if self.at:
            self._show(self.at - 1)
        else:
            self.message = "This is the first."

    def _forth(self) -> None:
        if self.at + 1 < len(self.queue):
            self._show(self.at + 1)
        else:
            self.mode = Mode.END

    def _show(self, place: int) -> None:
        self.at, self.mode = place, Mode.SCENE
        refused = self._refused()
        open_ = (
            at for at, one in enumerate(self.waiting.candidates) if one.rating_key not in refused
        )
        self.focus = next(open_, -1 if not self.waiting.candidates else 0)

    def _to_scene(self) -> None:
        self.mode, self.question = Mode.SCENE, None

    def _help(self) -> None:
        self.mode = Mode.HELP

    def _finish(self) -> None:
        if self._steps:
            self.mode = Mode.END
        else:
            self.ending = Ending.KEEP

    def _confirm(self, question: Question, deed: Callable[[], None]) -> None:
        self.mode, self.question, self._on_yes = Mode.CONFIRM, question, deed

    def _refused(self) -> set[RatingKey]:
        return {said.rating_key for said in self.answers.recorded(self.waiting.scene_id).refusals}

    def _open(self) -> list[Waiting]:
        """What is not settled, the scene on the screen first."""
        rest = (one for one in self.queue if one.scene_id not in self.answered)
        return [self.waiting, *(one for one in rest if one is not self.waiting)]

    def _is_free(self, waiting: Waiting) -> bool:
        """Whether the only candidate is neither another scene's nor refused."""
        key = waiting.candidates[0].rating_key
        refused = {said.rating_key for said in self.answers.recorded(waiting.scene_id).refusals}
        return key not in refused and self.answers.owner(key, waiting.scene_id) is None
