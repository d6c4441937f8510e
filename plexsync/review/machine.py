"""A review as a state machine: keys in, a state to draw out. Knows no terminal, disk or server.

What reaches the disk goes through the `AnswerStore`, what needs a server, a browser or the
configuration through `ReviewServers`. The terminal and the web page show the same machine.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from plexsync.errors import PlexsyncError, StateLockedError
from plexsync.matcher import Answer, Verb
from plexsync.models import Candidate, PathRule, RatingKey, SceneId, id_order
from plexsync.review.candidates import (
    fitted_by,
    rule_for,
    rule_question,
    same_file,
    taking_question,
)
from plexsync.review.given import GivenAnswer, GivenAnswers
from plexsync.review.groups import GROUP_WORDS, Group
from plexsync.review.modes import ANSWERED_ELSEWHERE, Ending, Mode, Prompt, Question
from plexsync.review.queue import Sort, WaitingQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from plexsync.matcher import SceneAnswers
    from plexsync.review.ahead import LinkPreview
    from plexsync.review.answer_store import AnswerStore
    from plexsync.review.servers import ReviewServers
    from plexsync.state import Waiting

_TWO = 2


class Review:
    """One review, from its first screen to its end.

    Args:
        waiting: what waits; found items are added to its entries.
        answers: where answers are kept.
        servers: search, find, open and configure.
        message: what a person should know first.

    Attributes:
        queue: the scenes in the order they are shown.
        given: the answers of this review.
        at: place of the scene on the screen.
        focus: place of the candidate keys are about; -1 when there is none.
        mode: what is on the screen.
        page: which part of a screen that is too long; after its last comes the first.
        message: what the last key did.
        prompt: what is being asked for; `typed` is what was typed so far.
        hits: what a search found, `hit_count` in all.
        question: what is asked before something bigger.
        group: the scenes that are about to be answered together.
        ending: how it ended; None while it goes on.
    """

    def __init__(
        self,
        waiting: Sequence[Waiting],
        answers: AnswerStore,
        servers: ReviewServers,
        *,
        message: str = "",
    ) -> None:
        self.queue = WaitingQueue(waiting)
        self.answers, self.servers = answers, servers
        self.given = GivenAnswers()
        self.at, self.focus, self.page = 0, -1, 0
        self.mode = Mode.END
        self.message = message
        self.prompt, self.typed = Prompt.REASON, ""
        self.hits: tuple[Candidate, ...] = ()
        self.hit_count = 0
        self.question: Question | None = None
        self.group: Group | None = None
        self.ending: Ending | None = None
        if len(self.queue):
            self._show(0)

    # ---- What a screen shows ---------------------------------------------------------------------

    @property
    def waiting(self) -> Waiting:
        """The scene on the screen."""
        return self.queue[self.at]

    @property
    def candidate(self) -> Candidate | None:
        """The candidate in focus."""
        return self.waiting.candidates[self.focus] if self.focus >= 0 else None

    def preview(self, candidate: Candidate) -> LinkPreview | None:
        """Return what accepting a candidate of the scene would write; None until it is known."""
        return self.servers.previews.known(self.waiting.scene_id).get(candidate.rating_key)

    @property
    def both(self) -> list[Candidate]:
        """The candidate in focus with the others that are the same file; empty for none."""
        candidate = self.candidate
        if candidate is None:
            return []
        found = same_file(self.waiting, candidate, self._refused())
        return found if len(found) > 1 else []

    @property
    def rule(self) -> PathRule | None:
        """The path rule that would make both paths of the candidate in focus one; None for none."""
        candidate = self.candidate
        return rule_for(candidate, self.servers.rules()) if candidate else None

    def alike(self, waiting: Waiting) -> list[Waiting]:
        """Return the scenes like one, itself first; not those answered here, or elsewhere since."""
        return self.queue.alike(waiting, self.given.answered | self.answers.elsewhere)

    @property
    def accepted(self) -> tuple[SceneId, ...]:
        """The scenes the end may write: accepted ones, and those a new path rule is about."""
        verbs = (Verb.ACCEPT, None)
        scenes = [scene_id for scene_id, verb in self.given.verbs.items() if verb in verbs]
        return tuple(sorted(scenes, key=id_order))

    @property
    def left(self) -> int:
        """How many scenes still wait, here and elsewhere."""
        return len(self.queue.every.keys() - self.given.answered - self.answers.elsewhere)

    # ---- Answers ---------------------------------------------------------------------------------

    def pick(self, number: int) -> None:
        """Put a candidate into focus."""
        if 1 <= number <= len(self.waiting.candidates):
            self.focus = number - 1
        else:
            self.message = "There is no other candidate."

    def focus_on(self, rating_key: RatingKey) -> bool:
        """Put the candidate of an item into focus; False where it is none of the scene's."""
        keys = [one.rating_key for one in self.waiting.candidates]
        if rating_key in keys:
            self.focus = keys.index(rating_key)
        return rating_key in keys

    def accept_candidate(self) -> None:
        """Accept the candidate in focus."""
        candidate = self.candidate
        if candidate is None:
            self.message = "There is no candidate to accept; f searches Plex."
        else:
            name = candidate.title or candidate.rating_key
            self._accept([candidate], f"accepted {name}")

    def accept_both(self) -> None:
        """Accept the candidate in focus and the others of the same file."""
        both = self.both
        if both:
            number = "both" if len(both) == _TWO else f"all {len(both)}"
            self._accept(both, f"accepted {number} items of the same file")
        else:
            self.message = "No other candidate is the same file; a accepts the one in focus."

    def _accept(
        self, candidates: Sequence[Candidate], words: str, *, agreed: Collection[SceneId] = ()
    ) -> None:
        """Accept candidates; taking one from a scene that was not agreed on is asked first."""
        if not all(one.item_path for one in candidates):
            self.message = "This item shows no file, so it cannot be accepted."
        elif self._is_as_shown(self._recorded):
            keys = [one.rating_key for one in candidates]
            owners = self.answers.owners(keys, self.waiting.scene_id)
            if owners <= {*agreed}:
                answer = self.answers.answer_about(self.waiting, Verb.ACCEPT, candidates)
                self._give([answer], words)
            else:
                names = map(self.queue.named, sorted(owners, key=id_order))
                accept = partial(self._accept, candidates, words, agreed=owners)
                self._ask(Question(taking_question(names), accept))

    def refuse_candidate(self) -> None:
        """Refuse the candidate in focus: the pair never comes back."""
        candidate = self.candidate
        if candidate is None:
            self.message = "There is no candidate to refuse."
        elif self._is_as_shown(self._recorded):
            answer = self.answers.answer_about(self.waiting, Verb.REJECT, [candidate])
            self._give([answer], "not this one")

    def deny(self) -> None:
        """Say that the scene is not in Plex."""
        if self._is_as_shown(self._recorded):
            self._give([self.answers.answer_about(self.waiting, Verb.ABSENT)], "not in Plex")

    def _is_as_shown(self, look: Callable[[], object]) -> bool:
        """Take the lock; return whether what a person looks at still is as it was shown."""
        shown = look()
        self.answers.take_lock()
        if look() == shown:
            return True
        self.message = ANSWERED_ELSEWHERE
        return False

    def _recorded(self) -> SceneAnswers:
        return self.answers.recorded(self.waiting.scene_id)

    def put_off(self) -> None:
        """Leave the scene open for later."""
        self.given.later.add(self.waiting.scene_id)
        self._advance()

    def open_group(self) -> None:
        """Show the scenes like this one; the next key answers them all."""
        self.answers.take_lock()
        scenes = self.alike(self.waiting)
        if len(scenes) == 1:
            self.message = "No other scene is like this one."
            return
        self.mode, self.group = Mode.GROUP, Group(scenes, self.answers)

    def answer_group(self, group: Group, key: str) -> None:
        """Answer the chosen scenes of a group: `a`, `b`, `r`, `n`, or `l` for later."""
        if key == "l":
            scenes = [one.scene_id for one in group.chosen]
            self.given.later.update(scenes)
            self._advance()
            self.message = f"{len(scenes):,} are left for later."
            return
        if not self._is_as_shown(group.standing):
            self.to_scene()
            return
        answers = group.answers(key)
        if not answers:
            self.message = "None of these scenes can be answered so."
            return
        self._give(answers, GROUP_WORDS[key].format(count=len(answers)))

    def offer_rule(self) -> None:
        """Ask whether the path rule is to be added that makes both paths one."""
        rule = self.rule
        if rule is None:
            self.message = "No path rule would make the two paths one."
            return
        closed = self.given.answered | {self.waiting.scene_id}
        others = (one for key, one in self.queue.every.items() if key not in closed)
        open_ = [self.waiting, *others]
        fits = fitted_by(rule, open_)
        settled = self.servers.settled(rule, open_)
        covered = [one for one in fits if one.scene_id in settled]
        add = partial(self._add_rule, rule, covered)
        self._ask(rule_question(rule, covered, add, fits=len(fits)))

    def _add_rule(self, rule: PathRule, covered: Sequence[Waiting]) -> None:
        try:
            where = self.servers.add_rule(rule)
        except PlexsyncError as error:
            self.message = f"{error.message}. {error.hint}".strip()
            return
        scenes = frozenset(one.scene_id for one in covered)
        shown, undo = self.waiting.scene_id, partial(self.servers.remove_rule, rule)
        self.given.add(GivenAnswer("path rule", scenes, shown, self.focus, None, undo))
        if shown in scenes:
            self._advance()
        self.message = where

    def _give(self, answers: Sequence[Answer], words: str) -> None:
        """Make answers durable, and go on to the next scene unless there is more to say."""
        take_back = self.answers.give(answers)
        scenes = frozenset(one.scene.scene_id for one in answers if not one.open)
        more = (one.scene.scene_id for one in answers if one.open)
        opened = frozenset(one for one in more if not self.answers.recorded(one).pins)
        shown, verb = self.waiting.scene_id, answers[0].verb
        self.given.add(GivenAnswer(words, scenes, shown, self.focus, verb, take_back, opened))
        if shown in self.given.answered:
            self._advance()
        else:
            self._show(self.at)
        about = f"Scene {answers[0].scene.scene_id}" if len(answers) == 1 else "Done"
        self.message = f"{about}: {words}. u takes it back."

    def undo(self) -> None:
        """Take the last answer back."""
        try:
            taken = self.given.take_back()
        except StateLockedError:
            raise
        except PlexsyncError as error:
            self.message = error.message
            return
        if taken is None:
            self.message = "There is nothing to take back."
            return
        last, words = taken
        self.open_scene(last.shown)
        self.focus, self.message = last.focus, words

    # ---- Searching, filtering, sorting -----------------------------------------------------------

    def ask_for(self, prompt: Prompt) -> None:
        """Ask for a text."""
        self.mode, self.prompt, self.typed = Mode.PROMPT, prompt, ""

    def take_text(self, text: str) -> None:
        """Take the text that was asked for."""
        prompt = self.prompt
        self.to_scene()
        if prompt is Prompt.REASON:
            ignored = self.answers.answer_about(self.waiting, Verb.IGNORE, reason=text)
            if self._is_as_shown(self._recorded):
                self._give([ignored], "ignored")
        elif prompt is Prompt.FILTER:
            self.arrange(self.queue.sort, text)
        elif not text:
            self.message = "Nothing was typed."
        elif prompt is Prompt.SEARCH:
            self.hits, self.hit_count = self.servers.search(text, self.waiting.scene)
            if self.hits:
                self.mode = Mode.HITS
            else:
                self.message = f"Nothing in Plex holds {text!r} in its title or path."
        else:
            try:
                candidate = self.servers.find(text, self.waiting.scene)
            except PlexsyncError as error:
                self.message = error.message
            else:
                self.add_item(candidate)

    def arrange(self, sort: Sort, words: str) -> None:
        """Show the scenes in another order, or only those that hold all words."""
        before = (self.queue.sort, self.queue.filter)
        shown = self.waiting.scene_id if len(self.queue) else SceneId("")
        self.queue.arrange(sort, words)
        if not len(self.queue):
            self.queue.arrange(*before)
            self.message = f"Nothing that waits holds {words!r}."
            place = self.queue.place_of(shown)
        else:
            count = f"{len(self.queue):,} of {len(self.queue.every):,} shown. " if words else ""
            self.message = f"{count}Sorted by {sort.value}."
            place = next(self._open_places(0), 0)
        if len(self.queue):
            self._show(place or 0)

    def sort_again(self) -> None:
        """Show the scenes in the next order."""
        sorts = [*Sort, *Sort]
        self.arrange(sorts[sorts.index(self.queue.sort) + 1], self.queue.filter)

    def add_item(self, candidate: Candidate) -> None:
        """Put an item among the candidates and into focus; accepting it is another key."""
        self.to_scene()
        if not self.focus_on(candidate.rating_key):
            self.queue.add_candidate(self.waiting, candidate)
            self.focus_on(candidate.rating_key)
            self.message = "Added to the candidates; a accepts it."

    def browse(self) -> None:
        """Open scene and item in the browser."""
        key = self.candidate.rating_key if self.candidate else None
        self.message = self.servers.browse(self.waiting.scene_id, key)

    # ---- Going about -----------------------------------------------------------------------------

    def open_scene(self, scene_id: SceneId) -> bool:
        """Show a scene; a filter that hides it goes. False for one that does not wait."""
        if self.queue.place_of(scene_id) is None:
            self.queue.arrange(self.queue.sort, "")
        place = self.queue.place_of(scene_id)
        if place is None:
            return False
        self._show(place)
        return True

    def _advance(self) -> None:
        """Go to the next open scene, then to those skipped on the way, then to the end."""
        place = next(self._open_places(self.at + 1), None)
        if place is None:
            self._to_end()
        else:
            self._show(place)

    def _open_places(self, start: int) -> Iterator[int]:
        """Return the places of open scenes not put off, from `start` on, then from the top."""
        passed = self.given.passed
        order = [*range(start, len(self.queue)), *range(min(start, len(self.queue)))]
        return (place for place in order if self.queue[place].scene_id not in passed)

    def backward(self) -> None:
        """Show the scene before."""
        if self.at:
            self._show(self.at - 1)
        else:
            self.message = "This is the first."

    def forward(self) -> None:
        """Show the scene after."""
        if self.at + 1 < len(self.queue):
            self._show(self.at + 1)
        else:
            self._to_end()

    def _show(self, place: int) -> None:
        self.at = place
        self.to_scene()
        keys, refused = [one.rating_key for one in self.waiting.candidates], self._refused()
        first = 0 if keys else -1
        self.focus = next((at for at, key in enumerate(keys) if key not in refused), first)

    def to_scene(self) -> None:
        """Show the scene again."""
        self.mode, self.question, self.group = Mode.SCENE, None, None

    def _to_end(self) -> None:
        self.mode, self.question, self.group = Mode.END, None, None

    def show_help(self) -> None:
        """Explain the keys."""
        self.mode = Mode.HELP

    def quit(self) -> None:
        """Go to the end page; with nothing answered, end."""
        if len(self.given):
            self._to_end()
        else:
            self.ending = Ending.KEEP

    def _ask(self, question: Question) -> None:
        self.mode, self.question = Mode.CONFIRM, question

    def confirm(self) -> None:
        """Say yes to the question on the screen."""
        question = self.question
        self.to_scene()
        if question is not None:
            question.on_yes()

    def _refused(self) -> set[RatingKey]:
        return self.answers.refused(self.waiting.scene_id)
