"""Ids as people give them: the number itself, or the web address a server or plexsync shows."""

from __future__ import annotations

import re

from plexsync.errors import ParseError

_ID = re.compile(r"[1-9][0-9]{0,18}")
_SCENE_PAGE = re.compile(r"/scenes/([1-9][0-9]{0,18})(?:[/?#]|\Z)")
_ITEM_PAGE = re.compile(
    r"/?library(?:/|%2F)metadata(?:/|%2F)([1-9][0-9]{0,18})(?!\d)", re.IGNORECASE
)


def named_scene_id(text: str) -> str:
    """Return the id of the scene that `text` is, or whose page in Stash it is the address of.

    Raises:
        ParseError: it is neither.
    """
    return _id_in(text, _SCENE_PAGE, "scene id", of="scene's address")


def named_rating_key(text: str) -> str:
    """Return the rating key that `text` is, or that is in the address of an item's page in Plex.

    Raises:
        ParseError: it is neither.
    """
    return _id_in(text, _ITEM_PAGE, "rating key", of="item's address")


def _id_in(text: str, page: re.Pattern[str], kind: str, *, of: str) -> str:
    word = text.strip()
    if _ID.fullmatch(word):
        return word
    if found := page.search(word):
        return found[1]
    raise ParseError(
        f"is no {kind}", hint=f"It is the number at the end of the {of}, or the whole address."
    )


_NUMBERED = re.compile(r"(/|scene |item )\d+(?:,\d+)*")


def without_ids(message: str) -> str:
    """Return what went wrong without which scene or item it was: the same for one cause."""
    return _NUMBERED.sub(r"\1N", message)
