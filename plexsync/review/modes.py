"""What the screen of a review shows, what it asks for, and how a review ends."""

from __future__ import annotations

from enum import StrEnum


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
