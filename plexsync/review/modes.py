"""What the screen of a review shows and asks for, and how a review ends."""

from __future__ import annotations

from enum import StrEnum

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
