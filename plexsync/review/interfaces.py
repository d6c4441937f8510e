"""What the parts of a review share: keys, screens, and what a review asks of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.matcher import Answer, SceneAnswers
    from plexsync.models import Change, PathRule, PlexItem, RatingKey, SceneId
    from plexsync.state import Waiting


class KeyName(StrEnum):
    """Keys that are no character; every other key is its character."""

    ENTER = "enter"
    ESCAPE = "escape"
    BACKSPACE = "backspace"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


PASTE = "paste:"
"""What the key of a pasted text begins with; the text follows."""

MOST_HITS = 9
"""Items a search shows: those a single digit can choose."""


class Mode(StrEnum):
    """What is on the screen."""

    SCENE = "scene"
    HELP = "help"
    PROMPT = "prompt"
    HITS = "hits"
    CONFIRM = "confirm"
    GROUP = "group"
    END = "end"


class Ending(StrEnum):
    """How a review ends."""

    WRITE = "write"
    PLAN = "plan"
    KEEP = "keep"


class Prompt(StrEnum):
    """What a person is typing."""

    REASON = "Why ignore it (Enter for no reason)"
    SEARCH = "Search Plex for"
    ITEM = "Rating key or Plex address"
    FILTER = "Show only what holds these words (Enter for everything)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An item a search found."""

    item: PlexItem
    library: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked before something bigger happens: yes is `y`, all else is no."""

    headline: str
    scenes: tuple[Waiting, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPreview:
    """What linking a scene to an item would write.

    Args:
        changes: field by field.
        kept: fields that differ but stay as Plex has them, by policy.
        problem: why it is unknown; "" when it is known.
        item: the item as Plex has it.
    """

    changes: tuple[Change, ...] = ()
    kept: tuple[str, ...] = ()
    problem: str = ""
    item: PlexItem | None = None


class AnswersPort(Protocol):
    """Where answers are kept; each is durable when `give` returns."""

    def recorded(self, scene_id: SceneId, /) -> SceneAnswers:
        """Return the answers about a scene so far."""

    def owner(self, rating_key: RatingKey, scene_id: SceneId, /) -> SceneId | None:
        """Which other scene an item belongs to."""

    def take_lock(self) -> object:
        """Know what happened since the last answer: owners and answers are those of now."""

    def give(self, answers: Sequence[Answer], /) -> Callable[[], None]:
        """Remember answers; gives what takes them back."""


class ActionsPort(Protocol):
    """What a review asks of the world around it."""

    def search(self, text: str, /) -> tuple[tuple[Hit, ...], int]:
        """Return the first items with all words in their title or path, and how many there are."""

    def find(self, text: str, /) -> Hit:
        """Return the item of a rating key or an address."""

    def browse(self, scene_id: SceneId, rating_key: RatingKey | None, /) -> str:
        """Open both in the browser; says what happened."""

    def rules(self) -> Sequence[PathRule]:
        """Return the path rules there are."""

    def settled(self, rule: PathRule, waiting: Sequence[Waiting], /) -> frozenset[SceneId]:
        """Which of these scenes would be HIGH with one rule more, by what is known here."""

    def add_rule(self, rule: PathRule, /) -> str:
        """Write a rule into the configuration; says where."""

    def remove_rule(self, rule: PathRule, /) -> None:
        """Take it out again."""
