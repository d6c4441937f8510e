r"""Canonical forms of paths, names, titles and dates, so that two servers' spellings compare.

Every function is pure and idempotent: normalising twice is normalising once. There are two
strengths, and the names say which one a function has:

- `normalize_*` keeps what tells two things apart and drops mere spelling: `C:\a` and `c:/a/` are
  one path, `/Data` and `/data` are two.
- `fold*` is weaker on purpose, for finding candidates and for asking "would a person call these
  different?". Equal folded names are a hint, never proof of one file.

Source: docs/plex-api.md 2 (paths, dates), docs/stash-api.md 3 and 9 (what really occurs).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, NewType

from plexsync.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.models import PathRule, PlexFile, PlexItem

NormalizedPath = NewType("NormalizedPath", str)
"""A path in canonical form: `/a/b.mp4`, `C:/a/b.mp4` or `//server/share/b.mp4`."""

_DRIVE = re.compile(r"[A-Za-z]:(?:[/\\]|\Z)")
_UNC = re.compile(r"\\\\|//(?!/)")
# `\\?\` and `\\.\` only switch off Windows's own parsing; NUARR saw Plex report the first on long
# paths. Other names behind them (`\\?\Volume{...}`) are roots of their own and stay.
_DEVICE = re.compile(r"/{2,}[?.]/+(?:(?P<unc>unc)/+|(?=[a-z]:(?:/|\Z)))", re.IGNORECASE)

_PARTIAL_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})(?:[T ].*)?)?)?", re.DOTALL
)
_NO_YEAR = 1  # 0001-01-01 is Go's zero time, which Stash shows for "no date" in legacy rows.

_LINE_BREAK = re.compile("\r\n|[\r\v\f\x85]")
_UNSENDABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NOT_XML = re.compile("[\ufffe\uffff]")
# All that `strip_control` changes.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SHOWN_AS_SPACE = re.compile("\r\n|[\t\n\v\f\r\x85\u2028\u2029]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FROM_RIGHT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_REPLACEMENT = "\ufffd"

_APOSTROPHE = re.compile("['\u2018\u2019\u02bc\u02b9`\u00b4]")
_ASCII_LOWER = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}
_ASCII_NOT_WORD = re.compile(r"[^0-9a-z]+")


class PathMap(NamedTuple):
    """Path rules made ready for many paths. Build it with `compile_rules`."""

    rules: tuple[_Rule, ...]

    def apply(self, path: NormalizedPath) -> NormalizedPath | None:
        """Where Plex sees the file Stash sees at `path`; None when no rule covers it.

        The rule with the longest Stash folder wins. Only whole folder names count: a rule for
        `/data` says nothing about `/database`.
        """
        if not path:
            return None
        windows = is_windows_path(path)
        folded = _fold_windows(path) if windows else path
        for rule in self.rules:
            if rule.windows == windows and (
                folded.startswith(rule.prefix) or folded == rule.prefix[:-1]
            ):
                rest = path[len(rule.prefix) :]
                return NormalizedPath(rule.target + rest) if rest else rule.bare_target
        return None


# ---- Paths ---------------------------------------------------------------------------------------


def normalize_path(text: str) -> NormalizedPath:
    r"""Bring a POSIX, Windows or UNC path into its one canonical form.

    Separators become `/` and single, a trailing one goes (roots keep theirs), Unicode becomes NFC,
    a drive letter upper case, `\\?\` prefixes go. Case is kept, and so are `.` and `..`, which
    neither server reports. In a POSIX path a backslash is a letter like any other. Two leading
    slashes mean UNC, three or more mean the POSIX root, as in POSIX itself. "" stays "".
    """
    if text.isascii() and text[:1] == "/" and text[-1] != "/" and "//" not in text:
        return NormalizedPath(text)
    # NFC comes first: it turns the Kelvin sign into a K, which can be a drive letter.
    text = unicodedata.normalize("NFC", text)
    if _DRIVE.match(text) or _UNC.match(text):
        return _normalize_windows(text.replace("\\", "/"))
    root = "/" if text.startswith("/") else ""
    return NormalizedPath(root + _join(text))


def same_path(one: str, other: str) -> bool:
    """Whether two spellings name one file: separators, composition and such do not matter."""
    return one == other or normalize_path(one) == normalize_path(other)


def holds_file(
    item: PlexItem, path: str, may_be: Callable[[PlexFile], bool] = lambda _: True
) -> bool:
    """Whether an item still holds the file at `path`, however either is spelled.

    An item in Plex's trash holds nothing: its files were not there when Plex looked last. `may_be`
    says of what lies there now whether it may be the file that is meant.
    """
    return not item.trashed and any(
        same_path(file.path, path) and may_be(file) for file in item.files
    )


def is_windows_path(path: NormalizedPath) -> bool:
    """Whether `path` names a drive or a UNC share, where case does not tell names apart."""
    return path[1:3] == ":/" or path[:2] == "//"


def base_name(path: NormalizedPath) -> str:
    """Return the last name of `path`; "" for a root."""
    return path.rpartition("/")[2]


def folder_of(path: str) -> str:
    """Return the folder of a file, with the slash at its end; "" for a bare name."""
    return path[: path.rfind("/") + 1]


def stem(path: NormalizedPath) -> str:
    """Return the base name without its extension: `a.b.mp4` is `a.b`, `.hidden` is itself."""
    name = base_name(path)
    head, _, ending = name.rpartition(".")
    return head if ending and head.strip(".") else name


def rule_folder(text: str) -> str:
    """Return the folder of Stash a rule is about: of two spellings of one the same.

    It ends in a slash. In a Windows path case does not tell names apart.
    """
    path = normalize_path(text)
    return _with_slash(_fold_windows(path) if is_windows_path(path) else path)


def compile_rules(rules: Sequence[PathRule]) -> PathMap:
    """Make `rules` ready for many paths; of two rules for one Stash folder the first counts.

    A rule with an empty side never applies.
    """
    compiled = [_compile_rule(rule) for rule in rules if rule.stash and rule.plex]
    return PathMap(tuple(sorted(compiled, key=lambda rule: -len(rule.prefix))))


def apply_rules(path: NormalizedPath, rules: Sequence[PathRule]) -> NormalizedPath | None:
    """`compile_rules(rules).apply(path)`, for one path."""
    return compile_rules(rules).apply(path)


# ---- Names, titles and text ----------------------------------------------------------------------


def fold(text: str) -> str:
    """Drop case, width and composition: Unicode's compatibility caseless form.

    Brings together full-width and ASCII letters, ligatures and their letters, `ß` and `ss`. Too
    weak to tell whether two paths are one.
    Source: The Unicode Standard 3.13, D146, ending in NFKC instead of NFKD.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", folded.casefold())


def fold_whitespace(text: str) -> str:
    """Trim, and make every run of whitespace, line breaks included, one space.

    Source: docs/plex-api.md 6 (Plex may trim and fold line breaks; XML makes them spaces).
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # the rule: a space is the only whitespace that prints
    return " ".join(text.split())


def fold_text(text: str) -> str:
    """Return what a person reads of a text: whitespace folded, letters composed, case kept.

    `é` is one letter, in whichever of its two spellings a file system left it in a title.
    """
    text = fold_whitespace(text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def tag_key(name: str) -> str:
    """Return what makes two names one tag to Plex: ASCII letters without case, all else kept.

    Source: docs/plex-api.md 5, "Tags" (names are stored with SQLite's NOCASE collation).
    """
    return name.lower() if name.isascii() else name.translate(_ASCII_LOWER)


def fold_tag(text: str) -> str:
    """Return what a person would call one tag: case and whitespace dropped, accents and width kept.

    For patterns a person wrote, and to rank candidates: Plex keeps such names apart, see `tag_key`.
    Source: The Unicode Standard 3.13, D145, ending in NFC instead of NFD.
    """
    text = fold_whitespace(text)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def normalize_title(text: str) -> str:
    """Letters, digits and marks of `text`, folded, in words: for similarity only.

    Apostrophes vanish, all else that is no letter, digit or mark parts words. A title of nothing
    but punctuation or emoji keeps it, so that two of those are not both "".
    """
    folded = fold(text)
    bare = _APOSTROPHE.sub("", folded)
    if bare.isascii():
        words = _ASCII_NOT_WORD.sub(" ", bare).strip()
    else:
        # The second fold joins a letter with a mark that followed a dropped apostrophe.
        words = fold(fold_whitespace("".join(c if _is_word(c) else " " for c in bare)))
    return words or fold_whitespace(folded)


def strip_control(text: str) -> str:
    r"""Make `text` fit to be sent: what XML cannot carry goes, line breaks become `\n`.

    C0 and C1 controls but `\n` and `\t` are dropped; they would make Plex's listings unparsable.
    Halves of one character are joined, lone surrogates become U+FFFD.
    Source: docs/plex-api.md 6.
    """
    if text.isprintable() or not _CONTROL.search(text):
        return text
    text = _UNSENDABLE.sub("", _LINE_BREAK.sub("\n", text))
    return _NOT_XML.sub(_REPLACEMENT, _join_surrogates(text))


def clean_for_terminal(text: str) -> str:
    """Make `text` harmless to show on one line.

    Line breaks and tabs become spaces, direction controls vanish, whatever else could steer a
    terminal (escapes, C0, C1) or cannot be printed at all (lone surrogates) becomes U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _BIDI.sub("", _SHOWN_AS_SPACE.sub(" ", text))
    return _HARMFUL.sub(_REPLACEMENT, _join_surrogates(text))


def runs_from_right(text: str) -> bool:
    """Whether a text has letters that run from right to left, as Arabic and Hebrew do.

    Beside others it needs to be isolated, or digits and signs around it change their places.
    Source: The Unicode Standard Annex 9, "Implicit Directional Marks" (blocks of R and AL).
    """
    return not text.isascii() and _FROM_RIGHT.search(text) is not None


# ---- Dates ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 14)
def plex_date(text: str) -> str:
    """Return the full date Plex needs for `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; a time part is cut.

    A missing month or day is the first. "" for "" and for year 1, which stands for "no date".

    Raises:
        ParseError: anything else, and dates the calendar does not have.
    """
    stripped = text.strip()
    if not stripped:
        return ""
    found = _PARTIAL_DATE.fullmatch(stripped)
    if found is None:
        raise _not_a_date(text)
    year, month, day = found["year"], found["month"] or "01", found["day"] or "01"
    try:
        date(int(year), int(month), int(day))
    except ValueError as error:
        raise _not_a_date(text) from error
    return "" if int(year) == _NO_YEAR else f"{year}-{month}-{day}"


# ---- Private -------------------------------------------------------------------------------------


class _Rule(NamedTuple):
    """A rule ready to compare: `prefix` and `target` end in `/`, `bare_target` is the folder."""

    prefix: str
    windows: bool
    target: str
    bare_target: NormalizedPath


def _compile_rule(rule: PathRule) -> _Rule:
    target = normalize_path(rule.plex)
    return _Rule(
        prefix=rule_folder(rule.stash),
        windows=is_windows_path(normalize_path(rule.stash)),
        target=_with_slash(target),
        bare_target=target,
    )


def _with_slash(path: str) -> str:
    return path if path.endswith("/") else path + "/"


def _fold_windows(path: str) -> str:
    """Case as NTFS sees it: each character on its own, length kept (so `ß` is not `SS`)."""
    if path.isascii():
        return path.upper()
    return "".join(upper if len(upper := char.upper()) == 1 else char for char in path)


def _normalize_windows(text: str) -> NormalizedPath:
    """`text` has slashes only."""
    while device := _DEVICE.match(text):
        text = ("//" if device["unc"] else "") + text[device.end() :]
    if _DRIVE.match(text):
        return NormalizedPath(text[0].upper() + ":/" + _join(text[2:]))
    share = _join(text)
    return NormalizedPath("//" + share if share else "/")


def _join(text: str) -> str:
    return "/".join(part for part in text.split("/") if part)


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"


def _join_surrogates(text: str) -> str:
    """Join halves that belong together; replace lone ones."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _not_a_date(text: str) -> ParseError:
    return ParseError(
        f"{text[:40]!r} is no date",
        hint="Dates are YYYY, YYYY-MM or YYYY-MM-DD.",
    )
