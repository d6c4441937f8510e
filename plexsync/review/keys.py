"""Which key does what on each screen of a review; the same in the terminal and in the browser."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from plexsync.errors import StateLockedError
from plexsync.review.modes import Ending, Mode, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.review.machine import Review


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


def press(review: Review, key: str) -> None:
    """Take one key. A key that means nothing says so and changes nothing."""
    review.message = ""
    if key.startswith(PASTE):
        _paste(review, key.removeprefix(PASTE))
        return
    if key == "v" and review.mode is not Mode.PROMPT:
        review.page += 1
        return
    review.page = 0
    try:
        _PRESSES[review.mode](review, key)
    except StateLockedError:
        review.to_scene()
        review.message = "A run is under way. Nothing was answered; try again when it has ended."


# ---- Private -------------------------------------------------------------------------------------


def _press_scene(review: Review, key: str) -> None:
    if key.isdecimal() and key.isascii():
        review.pick(int(key))
        return
    action: Callable[[], None] | None = {
        "a": review.accept_candidate,
        "r": review.refuse_candidate,
        "n": review.deny,
        "b": review.accept_both,
        "l": review.put_off,
        "i": lambda: review.ask_for(Prompt.REASON),
        "f": lambda: review.ask_for(Prompt.SEARCH),
        "k": lambda: review.ask_for(Prompt.ITEM),
        "/": lambda: review.ask_for(Prompt.FILTER),
        "s": review.sort_again,
        "o": review.browse,
        "g": review.open_group,
        "p": review.offer_rule,
        "u": review.undo,
        KeyName.LEFT: review.backward,
        KeyName.RIGHT: review.forward,
        KeyName.UP: lambda: review.pick(review.focus),
        KeyName.DOWN: lambda: review.pick(review.focus + 2),
        "?": review.show_help,
        "q": review.quit,
    }.get(key)
    if action is None:
        _mean_nothing(review, key, "? explains the keys")
    else:
        action()


def _press_prompt(review: Review, key: str) -> None:
    if key == KeyName.ESCAPE:
        review.to_scene()
    elif key == KeyName.BACKSPACE:
        review.typed = review.typed[:-1]
    elif key == KeyName.ENTER:
        review.take_text(review.typed.strip())
    elif len(key) == 1 and key.isprintable():
        review.typed += key


def _paste(review: Review, text: str) -> None:
    """Type a pasted text where one is asked for; its letters are no keys."""
    if review.mode is Mode.PROMPT:
        review.typed += "".join(char for char in text if char.isprintable())
    else:
        review.message = "A pasted text means nothing here; k takes an address, f a search."


def _press_hits(review: Review, key: str) -> None:
    if key.isdecimal() and key.isascii() and 1 <= int(key) <= len(review.hits):
        review.add_item(review.hits[int(key) - 1])
    elif key == "f":
        review.ask_for(Prompt.SEARCH)
    else:
        review.to_scene()


def _press_confirm(review: Review, key: str) -> None:
    if key in {"y", "Y"}:
        review.confirm()
    else:
        review.to_scene()
        review.message = "Nothing was answered."


def _press_group(review: Review, key: str) -> None:
    group = review.group
    if group is None:
        review.to_scene()
    elif key in {KeyName.UP, KeyName.DOWN}:
        group.move(-1 if key == KeyName.UP else 1)
    elif key in {" ", "x"}:
        group.toggle()
    elif key in {"a", "r", "n", "b", "l"}:
        review.answer_group(group, key)
    else:
        review.to_scene()
        review.message = "Nothing was answered."


def _press_end(review: Review, key: str) -> None:
    if key in {"k", "q"}:
        review.ending = Ending.KEEP
    elif key in {"w", "p"} and review.accepted:
        review.ending = Ending.WRITE if key == "w" else Ending.PLAN
    elif key == "u":
        review.undo()
    elif key == KeyName.LEFT and len(review.queue):
        review.open_scene(review.waiting.scene_id)
    else:
        _mean_nothing(review, key, "the keys of this page stand below")


def _mean_nothing(review: Review, key: str, hint: str) -> None:
    shown = key if len(key) > 1 or key.isprintable() else "That key"
    review.message = f"{shown} means nothing here; {hint}."


_PRESSES: dict[Mode, Callable[[Review, str], None]] = {
    Mode.SCENE: _press_scene,
    Mode.PROMPT: _press_prompt,
    Mode.HITS: _press_hits,
    Mode.CONFIRM: _press_confirm,
    Mode.GROUP: _press_group,
    Mode.HELP: lambda review, _: review.to_scene(),
    Mode.END: _press_end,
}
