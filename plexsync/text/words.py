"""Words between people and plexsync: numbers in sentences, spans of time, ids and addresses."""

from __future__ import annotations

import re
from shlex import quote
from textwrap import wrap

from plexsync.errors import ParseError


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number and what it counts: `1 scene`, `3,401 scenes`.

    Args:
        number: how many.
        one: the words for one.
        several: the words for more or none; `one` with an s unless given.
    """
    return f"1 {one}" if number == 1 else f"{number:,} {several or f'{one}s'}"


def file_name(path: str) -> str:
    """Return the last name of a path of either kind; for showing only."""
    return path.replace("\\", "/").rpartition("/")[2]


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters, the last one an ellipsis where it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shell_word(text: str) -> str:
    """Return a word as a person types it in a shell, in quotes where it needs some.

    What no keyboard types and no terminal shows, as the bytes of a name that is not UTF-8, is named
    byte by byte, as bash, zsh and ksh read it.
    """
    if text.isprintable():
        return quote(text)
    spelled = (
        char
        if char.isprintable() and char not in "\\'"
        else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
        for char in text
    )
    return f"$'{''.join(spelled)}'"


def to_install(extra: str = "") -> str:
    """Return what to type to install plexsync again with an extra; no package index has it."""
    what = f"'.[{extra}]'" if extra else "."
    return f"pipx install --force {what} in the folder of plexsync's source"


_SIZES = (("TiB", 2**40, 2), ("GiB", 2**30, 2), ("MiB", 2**20, 1), ("KiB", 2**10, 1))


def file_size(size_bytes: int) -> str:
    """Return a size as `2.56 GiB` or `651.4 MiB`: the digits that Stash and Plex show."""
    for unit, large, decimals in _SIZES:
        if size_bytes >= large:
            return f"{size_bytes / large:.{decimals}f} {unit}"
    return counted(size_bytes, "byte")


def folded(line: str, columns: int) -> list[str]:
    """Return a line in pieces of so many columns, all but the first set in; no word is torn."""
    indent = line[: len(line) - len(line.lstrip())]
    return wrap(
        line.lstrip(),
        columns,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


# ---- Spans of time -------------------------------------------------------------------------------


def play_time(seconds: int) -> str:
    """Return whole seconds as a player shows them: `53:10`, `1:02:03`."""
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


_UNITS_S = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:[0-9]{1,6}[wdhms])+")
_PART = re.compile(r"([0-9]+)([wdhms])")


def parse_duration(value: object) -> int:
    """Return a duration in seconds.

    Raises:
        ParseError: it is none.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not _DURATION.fullmatch(text):
        raise ParseError(
            "must be a duration: whole numbers, each with w, d, h, m or s",
            hint='Write "7d", "26h" or "1h30m".',
        )
    return sum(int(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))


# ---- Ids -----------------------------------------------------------------------------------------


_ID = re.compile(r"[1-9][0-9]{0,18}")
_SCENE_PAGE = re.compile(r"/scenes/([1-9][0-9]{0,18})(?:[/?#]|\Z)")
_ITEM_PAGE = re.compile(
    r"/?library(?:/|%2F)metadata(?:/|%2F)([1-9][0-9]{0,18})(?!\d)", re.IGNORECASE
)


def named_scene_id(text: str) -> str:
    """Return `text` as the id of a scene; it may be the address of the scene's page in Stash, too.

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
