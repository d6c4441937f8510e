"""What the screen of a review shows and asks for, and how a review ends."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.state import Waiting

NOTHING_WAITS = "Nothing waits for review."

ANSWERED_ELSEWHERE = "It was answered elsewhere meanwhile; look again. Nothing changed."
"""What a person reads where an answer would be about something else than was shown."""


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


class Question(NamedTuple):
    """What a person is asked before something bigger happens: yes is `y`, all else is no.

    `lines` are those of the configuration file, `note` is a sentence.
    """

    headline: str
    on_yes: Callable[[], None]
    scenes: tuple[Waiting, ...] = ()
    lines: tuple[str, ...] = ()
    note: str = ""
