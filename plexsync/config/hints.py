"""What a person most likely meant by a key, a value or a file that is wrong.

A hint never repeats a value: it could be a secret in the wrong place.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPPOSITES = (
    ("include", "exclude"),
    ("allow", "deny"),
    ("enable", "disable"),
    ("only", "exclude"),
    ("with", "without"),
    ("min", "max"),
    ("add", "remove"),
)
"""Words that make a name that is near mean the contrary."""

_MEANINGS = {
    "only_tags": "Scenes with a tag: include_tags = [...].",
    "ignore_tags": "Scenes with a tag: exclude_tags = [...]; the tag itself: fields.tags.exclude.",
    "exclude_libraries": "Name those to write to instead: libraries = [...].",
    "dry_run": "That is an option: plexsync run -n.",
    "username": "plexsync takes a token: plexsync init gets one by signing in.",
    "password": "plexsync takes a token or an API key: plexsync init asks for it.",
    "interval": "plexsync is started from outside: plexsync schedule cron prints how.",
    "log_level": "That is an option: -v or -vv.",
}
"""What to do instead, for names people expect."""

_SAME = {
    "host": "url",
    "address": "url",
    "server": "url",
    "baseurl": "url",
    "base_url": "url",
    "apikey": "api_key",
    "key": "api_key",
    "section": "libraries",
    "sections": "libraries",
    "library": "libraries",
    "ssl": "verify",
    "verify_ssl": "verify",
}
"""Other words for a key, as other programs have them."""

_QUOTES = "\"'"
BACKSLASH_HINT = (
    "Write Windows paths in single quotes, where a backslash is one: 'D:\\films'. In double quotes "
    "it begins an escape."
)
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_BARE_VALUE = re.compile(r"\s*[\w.\"'-]+\s*=\s*[^\s\"'\[{#=].*")
_BACKSLASH = re.compile(r"=.*\"[^\"]*\\")


def key_hint(name: str, known: Iterable[str]) -> str:
    """Return what to do about an unknown key; "" when nothing comes to mind."""
    word, names = name.lower(), list(known)
    if word in _MEANINGS:
        return _MEANINGS[word]
    if _SAME.get(word) in names:
        return f'Did you mean "{_SAME[word]}"?'
    return word_hint(name, names)


def word_hint(value: object, known: Iterable[str]) -> str:
    """`Did you mean "x"?`, or "" when nothing known is near or only the contrary is."""
    if not isinstance(value, str):
        return ""
    likely = [word for word in known if not _are_opposites(value.lower(), word)]
    near = get_close_matches(value.lower(), likely, n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else ""


def toml_hint(text: str, message: str) -> str:
    """Return what to do about a file that is no TOML.

    Args:
        text: the file.
        message: what the parser says, with the line in it.
    """
    found = _AT_LINE.search(message)
    lines = text.splitlines()
    line = lines[int(found[1]) - 1] if found and int(found[1]) <= len(lines) else ""
    if _BACKSLASH.search(line):
        return BACKSLASH_HINT
    if _BARE_VALUE.fullmatch(line):
        return 'Write texts in quotes: url = "http://host:port".'
    if line.count('"') % 2 or line.count("'") % 2:
        return "A text has a quote at its beginning and at its end."
    return "See https://toml.io."


def quotes_hint(text: str) -> str:
    """Return what to do about quotes around a variable's value; "" where there are none."""
    word = text.strip()
    if len(word) > 1 and word[0] == word[-1] and word[0] in _QUOTES:
        return "Take the quotes off: env files of containers keep them as part of the value."
    return ""


def _are_opposites(one: str, other: str) -> bool:
    return any(
        (first in one and second in other and first not in other)
        or (second in one and first in other and second not in other)
        for first, second in _OPPOSITES
    )
