"""Reading single configuration values: each function takes what TOML gave and returns it typed.

All raise `ParseError`: its message says what was expected, and its hint what to write. The
functions below guess what a person meant by a key, a value or a file that is wrong. No message and
no hint repeats a text that was given: it could be a secret in the wrong place.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from plexsync.errors import ParseError
from plexsync.models import PathRule, PlexField, Policy
from plexsync.text.normalize import is_windows_path, normalize_path
from plexsync.text.templates import NAME_PLACEHOLDERS, PHOTO_PLACEHOLDERS, parse_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)

TAG_TARGETS = {
    "genre": PlexField.GENRES,
    "label": PlexField.LABELS,
    "collection": PlexField.COLLECTIONS,
}
"""Where tags can go."""

_PHOTO_STARTS = ("http://", "https://", "{image}")
_USER = re.compile("[a-z]+://[^/]*@", re.IGNORECASE)
_KEY_WORDS = ("apikey=", "api_key=", "token=")
"""What comes before a secret in an address; a picture's must hold none."""

NEEDED_FIELDS = ("title", "summary", "date", "studio", "performers", "tags", "url")
"""The names, most of them under `[fields]`, of what a curator may be expected to fill in."""

_ESCAPED_BY_MISTAKE = re.compile(r"[A-Za-z]:[\x08\t\n\f\r]|[A-Za-z]:\\.*[\b\t\n\f\r]")
"""A Windows path in double quotes: its backslash and the letter behind became one character."""
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What Python makes of bytes in a variable that are no UTF-8."""
_DOTS = frozenset({".", ".."})


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


# ---- One value -----------------------------------------------------------------------------------


def flag(value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise ParseError("must be true or false", hint="Write true or false.")


def count(value: object) -> int:
    """Return a whole number of at least 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ParseError("must be a whole number of at least 1", hint="Write a number such as 500.")


def share(value: object) -> float:
    """Return a number above 0 and at most 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    raise ParseError("must be a number above 0 and at most 1", hint="Write 0.3 for three in ten.")


def names(value: object) -> tuple[str, ...]:
    """Return a list of texts that are not blank; a repeated one counts once."""
    hint = 'Write a list of texts: ["one", "two"].'
    if not isinstance(value, list | tuple):
        raise ParseError("must be a list of texts", hint=hint)
    if not all(isinstance(name, str) and name.strip() for name in value):
        raise ParseError("must be a list of texts that are not empty", hint=hint)
    return tuple(dict.fromkeys(value))


def folders(value: object) -> tuple[str, ...]:
    """Return a list of absolute folders."""
    hint = 'Write ["/data/films", "/data/clips"].'
    return tuple(_absolute(name, f"folder {at}", hint) for at, name in enumerate(names(value), 1))


def field_names(value: object) -> tuple[str, ...]:
    """Return a list of names of what a scene may have a value for."""
    found = names(value)
    for name in found:
        if name not in NEEDED_FIELDS:
            raise ParseError(
                f"must be a list of {quoted(NEEDED_FIELDS)}",
                hint=word_hint(name, NEEDED_FIELDS) or _example(list(NEEDED_FIELDS)),
            )
    return found


def word(words: type[Word]) -> Callable[[object], Word]:
    """Return a reader of one of `words`."""
    return choice({one.value: one for one in words})


def choice(meanings: Mapping[str, T]) -> Callable[[object], T]:
    """Return a reader of one of a few words, each with what it means."""
    known = list(meanings)

    def read(value: object) -> T:
        if isinstance(value, str) and value in meanings:
            return meanings[value]
        raise ParseError(
            f"must be one of {quoted(known)}", hint=word_hint(value, known) or _example(known)
        )

    return read


def scalar_policy(value: object) -> Policy:
    """Return a policy of a field that holds one text."""
    policy = word(Policy)(value)
    if policy is Policy.MERGE:
        raise ParseError(
            '"merge" is for lists of names', hint='Write "overwrite", "fill", "keep" or "off".'
        )
    return policy


def template(value: object) -> str:
    """Return a text with placeholders, all of them known."""
    if not isinstance(value, str) or not value.strip():
        raise ParseError("must be a text", hint='Write "{title}", for example.')
    parse_template(value)
    return value


def templates(value: object) -> tuple[str, ...]:
    """Return a list of texts with placeholders."""
    return tuple(template(name) for name in names(value))


def made_of(
    words: tuple[str, ...], example: str, *, optional: bool = False
) -> Callable[[object], str]:
    """Return a reader of a text with these placeholders; an `optional` one may be blank."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not (optional or value.strip()):
            raise ParseError("must be a text", hint=f'Write "{example}", for example.')
        parse_template(value, words)
        return value.strip()

    return read


def shared_name_template(value: object) -> str:
    """Return what the name of a performer is made of that several have; "" for just the name."""
    if not isinstance(value, str):
        raise ParseError("must be a text", hint='Write "{name} ({disambiguation})".')
    words = parse_template(value, NAME_PLACEHOLDERS).words
    if "name" not in words:
        raise ParseError("must hold {name}", hint='Write "{name} ({disambiguation})".')
    return "" if value.strip() == "{name}" else value.strip()


def photo_template(value: object) -> str:
    """Return what the address of a performer's picture is made of; "" for nothing.

    Plex keeps and shows the address, so a key in it is refused.
    """
    text = made_of(PHOTO_PLACEHOLDERS, "{image}", optional=True)(value)
    if text and not text.lower().startswith(_PHOTO_STARTS):
        raise ParseError("must be an address", hint='Write "{image}", or begin with https://.')
    if _USER.match(text) or any(word in text.lower() for word in _KEY_WORDS):
        raise ParseError(
            "must not hold a key: Plex keeps the address, logs it, and shows it to everybody",
            hint="Let whatever serves the pictures give them without one.",
        )
    return text


def by_tag(value: object) -> tuple[tuple[str, str], ...]:
    """Return pairs of the pattern of a tag and what a scene with such a tag gets."""
    pairs = [tuple(map(str.strip, line.rpartition("=")[::2])) for line in names(value)]
    if not all(pattern and text for pattern, text in pairs):
        raise ParseError(
            "must be a list of a tag and a text each", hint='Write ["soft* = R", "hard* = XXX"].'
        )
    return tuple((pattern, text) for pattern, text in pairs)


def text(value: object) -> str:
    """Return a text; "" is one."""
    if isinstance(value, str):
        return value.strip()
    raise ParseError("must be a text", hint='Write it in quotes: "like this".')


def stash_url(value: object) -> str:
    """Stash's address, with or without `/graphql`, without a trailing slash."""
    return server_address(value).removesuffix("/graphql").rstrip("/")


def server_address(value: object) -> str:
    """Return a server's address without a trailing slash. Nothing secret may be part of it."""
    hint = 'Write "http://host:port".'
    if not isinstance(value, str) or not value.strip():
        raise ParseError("must be a text", hint=hint)
    text = value.strip()
    if not text.isprintable() or " " in text or "\\" in text:
        raise ParseError("is no address", hint=hint)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        # Not raised from the cause: it repeats part of the address.
        raise ParseError("is no address: host or port cannot be read", hint=hint) from None
    if parts.scheme not in {"http", "https"}:
        raise ParseError("must start with http:// or https://", hint=hint)
    if "@" in parts.netloc:
        raise ParseError(
            "must not hold a user name or password",
            hint="Take them out; plexsync sends only the token or API key, in a header.",
        )
    if not host or port == 0:
        raise ParseError("has no host or an impossible port", hint=hint)
    if "?" in text or "#" in text:
        raise ParseError(
            "must not hold ? or #: a token or key has its own setting, and the address of a page "
            "is not that of the server",
            hint=hint,
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def path_rule(value: object) -> PathRule:
    """One `[[paths]]` table."""
    hint = 'Write stash = "/data/" and plex = "/media/".'
    if not isinstance(value, dict):
        raise ParseError("must be a table with stash and plex", hint=hint)
    unknown = sorted(set(value) - {"stash", "plex"})
    if unknown:
        raise ParseError(f"has no key {quoted(unknown)}", hint=hint)
    return PathRule(stash=_folder(value, "stash"), plex=_folder(value, "plex"))


# ---- Words for messages --------------------------------------------------------------------------


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


def quoted(words: Iterable[str]) -> str:
    """Return `"a", "b"`."""
    return ", ".join(f'"{one}"' for one in words)


# ---- Private -------------------------------------------------------------------------------------


def _example(known: list[str]) -> str:
    return f'Write "{known[0]}", for example.'


def _folder(table: dict[str, object], side: str) -> str:
    value = table.get(side)
    hint = f'Write {side} = "/folder/".'
    if not isinstance(value, str) or not value.strip():
        raise ParseError(f"{side} is missing or no text", hint=hint)
    return _absolute(value, side, hint)


def _absolute(value: str, side: str, hint: str) -> str:
    if not value.isprintable() and _SURROGATE.search(value):
        raise ParseError(f"{side} is no UTF-8", hint="Stash and Plex show such names otherwise.")
    if _ESCAPED_BY_MISTAKE.match(value):
        raise ParseError(f"{side} holds a control character", hint=BACKSLASH_HINT)
    path = normalize_path(value)
    if not path.startswith("/") and not is_windows_path(path):
        raise ParseError(f"{side} is not an absolute folder", hint=hint)
    if not _DOTS.isdisjoint(path.split("/")):
        raise ParseError(
            f"{side} holds a '.' or '..', which no path of Stash or Plex has",
            hint="Write the folder as its server shows it.",
        )
    return value


def _are_opposites(one: str, other: str) -> bool:
    return any(
        (first in one and second in other and first not in other)
        or (second in one and first in other and second not in other)
        for first, second in _OPPOSITES
    )
