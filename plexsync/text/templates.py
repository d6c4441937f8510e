"""Texts made from what a scene says, such as `{studio} {date}`: what may stand in braces, and how.

`{performers:most=3,gender=female,joiner= & }`: options follow a colon, with commas between them;
`joiner` is the last one, and takes everything up to the brace.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

import msgspec

from plexsync.errors import ParseError
from plexsync.text.differences import nearest_name
from plexsync.text.normalize import fold_tag, normalize_path, stem, strip_control
from plexsync.text.words import play_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plexsync.models import Performer, SceneDetail, SceneId

    Options = Mapping[str, str]

GROUP = "group"
SCENE_INDEX = "scene_index"
SCENE_PAGE = "stash_url"
CUSTOM = "custom"
PERFORMERS = "performers"
_CUSTOM_START = f"{CUSTOM}."
_JOINER = "joiner"
_GENDERS = ("female", "male", "transgender_female", "transgender_male", "intersex", "non_binary")
_UNKNOWN = "unknown"
_ANY_GENDER = "|".join((*_GENDERS, _UNKNOWN))


# ---- Single values -------------------------------------------------------------------------------


def _file_stem(scene: SceneDetail) -> str:
    return stem(normalize_path(scene.files[0].path)) if scene.files else ""


_LINES = (
    (6144, "HUGE"),
    (3840, "8K"),
    (3584, "7K"),
    (3000, "6K"),
    (2560, "5K"),
    (1920, "4K"),
    (1440, "1440p"),
    (1080, "1080p"),
    (720, "720p"),
    (540, "540p"),
    (480, "480p"),
    (360, "360p"),
    (240, "240p"),
    (144, "144p"),
)
"""From how many pixels of its shorter side on a video is called what.

Source: Stash's ResolutionEnum (docs/stash-api.md 10); Stash's pages show these words.
"""


def _resolution(scene: SceneDetail) -> str:
    file = scene.files[0] if scene.files else None
    if file is None or not file.width or not file.height:
        return ""
    shorter = min(file.width, file.height)
    return next((word for least, word in _LINES if shorter >= least), "")


def _duration(scene: SceneDetail) -> str:
    seconds = round((scene.files[0].duration_s or 0) if scene.files else 0)
    return play_time(seconds) if seconds else ""


_PARENT = "parent_studio"


def _parent_studio(scene: SceneDetail) -> str:
    return scene.studios[1] if len(scene.studios) > 1 else ""


_WORDS: Mapping[str, Callable[[SceneDetail], str]] = {
    "title": lambda scene: scene.title,
    "code": lambda scene: scene.code,
    "details": lambda scene: scene.details,
    "date": lambda scene: scene.date,
    "year": lambda scene: scene.date[:4],
    "director": lambda scene: scene.director,
    "studio": lambda scene: scene.studios[0] if scene.studios else "",
    "studio.parent": _parent_studio,
    _PARENT: _parent_studio,
    "file": _file_stem,
    "url": lambda scene: scene.urls[0] if scene.urls else "",
    "id": lambda scene: scene.scene_id,
    "resolution": _resolution,
    "duration": _duration,
}
"""What takes no options."""


# ---- Values with options -------------------------------------------------------------------------


def _joined(names: Iterable[str], options: Options) -> str:
    """`names` in the order that is asked for, as many as are asked for."""
    found = [name for name in names if name.strip()]
    if options.get("order", "name") == "name":
        found.sort(key=lambda name: (fold_tag(name), name))
    most = int(options.get("most", 0)) or len(found)
    return options.get(_JOINER, ", ").join(found[:most])


def _performers(scene: SceneDetail, options: Options) -> str:
    genders = [one for one in options.get("gender", "").split("+") if one]
    order = options.get("order", "name")
    if not genders and order != "gender":
        return _joined(scene.performers, options)
    ranks = {one: rank for rank, one in enumerate(genders or (*_GENDERS, _UNKNOWN))}
    cast = [one for one in scene.cast if _gender(one) in ranks]
    if order == "gender":
        cast.sort(key=lambda one: (ranks[_gender(one)], fold_tag(one.name), one.name))
        options = {**options, "order": "stash"}
    return _joined([one.name for one in cast], options)


def _gender(one: Performer) -> str:
    word = one.gender.lower()
    return word if word in _GENDERS else _UNKNOWN


def _rating(scene: SceneDetail, options: Options) -> str:
    """Whole numbers, half a one counting as one: 75 of 100 is 8 of 10."""
    if not scene.rating100 or scene.rating100 < 0:
        return ""
    most = int(options.get("of", 10))
    return str((scene.rating100 * most + 50) // 100)


def address_parts(text: str) -> SplitResult:
    """Return the parts of an address; empty ones where it cannot be taken apart."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def _stash_id(scene: SceneDetail, options: Options) -> str:
    """Return the id of the first stash-box, or of the one at the host that is asked for."""
    host = options.get("from", "").lower()
    found = (
        number
        for address, number in scene.stash_ids
        if not host or (address_parts(address).hostname or "").removeprefix("www.") == host
    )
    return next(found, "")


_RICH_WORDS: Mapping[str, Callable[[SceneDetail, Options], str]] = {
    PERFORMERS: _performers,
    "tags": lambda scene, options: _joined(scene.tags, options),
    "rating": _rating,
    "stash_id": _stash_id,
}

_MOST = re.compile(r"[1-9][0-9]{0,2}")
_TEXT = re.compile(r".*", re.DOTALL)

OPTIONS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    PERFORMERS: {
        "most": _MOST,
        "gender": re.compile(rf"(?:{_ANY_GENDER})(?:\+(?:{_ANY_GENDER}))*"),
        "order": re.compile("name|stash|gender"),
        _JOINER: _TEXT,
    },
    "tags": {"most": _MOST, "order": re.compile("name|stash"), _JOINER: _TEXT},
    "rating": {"of": re.compile("5|10|100")},
    "stash_id": {"from": re.compile(r"[A-Za-z0-9.-]+")},
}
"""The options of each word, and how their values are written."""

PLACEHOLDERS = (
    *_WORDS,
    GROUP,
    SCENE_INDEX,
    *_RICH_WORDS,
    SCENE_PAGE,
    f"{_CUSTOM_START}NAME",
)
"""Every word that may stand in braces, as a person is shown them. `stash_url` is the scene's page
in Stash; `custom.NAME` a custom field of the scene."""


# ---- Performers ----------------------------------------------------------------------------------

_PERFORMER_WORDS: Mapping[str, Callable[[Performer], str]] = {
    "name": lambda one: one.name,
    "id": lambda one: one.performer_id,
    "disambiguation": lambda one: one.disambiguation,
    "gender": lambda one: one.gender.replace("_", " ").capitalize(),
    "aliases": lambda one: ", ".join(one.aliases),
}

IMAGE, IMAGE_PATH = "image", "image_path"

PERFORMER_PLACEHOLDERS = tuple(_PERFORMER_WORDS)
"""Every word that may stand in what is made of a performer."""

NAME_PLACEHOLDERS = ("name", "disambiguation", "gender", "id")
"""Those that may stand in a name; aliases are no names."""

PHOTO_PLACEHOLDERS = (*PERFORMER_PLACEHOLDERS, IMAGE, IMAGE_PATH)
"""The same for the address of a performer's picture: `image` is where Stash has it."""


# ---- Reading words -------------------------------------------------------------------------------


def split_word(text: str) -> tuple[str, dict[str, str]]:
    """Return the word of a placeholder and its options; `custom.NAME` is `custom` and a name."""
    name, colon, rest = text.partition(":")
    if name.startswith(_CUSTOM_START):
        return CUSTOM, {"name": text.removeprefix(_CUSTOM_START)}
    before, joins, joiner = rest.partition(f"{_JOINER}=")
    pairs = (one.partition("=") for one in before.split(",") if one.strip())
    options = {key.strip(): value.strip() for key, _, value in pairs}
    if joins:
        options[_JOINER] = joiner
    return name, options if colon else {}


def option_problem(name: str, options: Options) -> str:
    """Return what is wrong with the options of a known word, without values; "" for nothing."""
    if name == CUSTOM:
        named = options.get("name", "").strip()
        return "" if named else "Write {custom.NAME}, with the name of a custom field"
    known = OPTIONS.get(name, {})
    for option, value in options.items():
        if option not in known:
            kinds = ", ".join(known)
            return f"{{{name}}} takes {'the options ' + kinds if known else 'no options'}"
        if not known[option].fullmatch(value):
            return f"{{{name}}} has an option {option} that cannot be read"
    return ""


def needs_genders(text: str) -> bool:
    """Whether a placeholder asks more of performers than their names."""
    name, options = split_word(text)
    return name == PERFORMERS and ("gender" in options or options.get("order") == "gender")


# ---- What they say -------------------------------------------------------------------------------


def scene_words(
    scene: SceneDetail, page: Callable[[SceneId], str], at: int = 0
) -> Callable[[str], str]:
    """Return what the placeholders say of one scene.

    Args:
        scene: the scene.
        page: the address of a scene's page in Stash, by id.
        at: which of its groups `{group}` and `{scene_index}` speak of.
    """

    def word(text: str) -> str:
        if text == SCENE_PAGE:
            return page(scene.scene_id)
        if text == GROUP:
            return strip_control(scene.groups[at]) if at < len(scene.groups) else ""
        if text == SCENE_INDEX:
            number = scene.scene_indexes[at] if at < len(scene.scene_indexes) else None
            return "" if number is None else str(number)
        if text in _WORDS:
            return strip_control(_WORDS[text](scene))
        name, options = split_word(text)
        if name == CUSTOM:
            return strip_control(scene.custom.get(options["name"], ""))
        return strip_control(_RICH_WORDS[name](scene, options))

    return word


def performer_words(one: Performer) -> Callable[[str], str]:
    """Return what the placeholders say of a performer."""
    return lambda name: strip_control(_PERFORMER_WORDS[name](one))


def photo_words(one: Performer, file_url: Callable[[str], str]) -> Callable[[str], str]:
    """Return what the placeholders say in the address of a performer's picture, fit for an address.

    Args:
        one: the performer.
        file_url: the address of something, by its path on Stash.
    """
    words = performer_words(one)

    def word(name: str) -> str:
        if name == IMAGE_PATH:
            return one.image_path
        if name == IMAGE:
            return file_url(one.image_path) if one.image_path else ""
        return quote(words(name), safe="")

    return word


# ---- Templates -----------------------------------------------------------------------------------


class Template(msgspec.Struct, frozen=True):
    """A text with placeholders. Build it with `parse_template`.

    Args:
        parts: each a literal text and the placeholder that follows it, with its options; "" for
            none.
    """

    parts: tuple[tuple[str, str], ...]

    @property
    def words(self) -> frozenset[str]:
        """The words that stand in braces, without their options."""
        return frozenset(split_word(text)[0] for _, text in self.parts if text)

    def fill(self, word: Callable[[str], str], *, whole: bool = False) -> str:
        """Return the text with every placeholder replaced by what `word` says for it.

        Args:
            word: the value of a placeholder, by its name and options.
            whole: nothing unless every placeholder has a value; else one with a value will do.

        Returns:
            "" where too few placeholders have a value. A text without any is always itself.
        """
        made: list[str] = []
        filled: list[bool] = []
        for literal, name in self.parts:
            made.append(literal)
            if name:
                value = word(name)
                made.append(value)
                filled.append(bool(value.strip()))
        if filled and not (all(filled) if whole else any(filled)):
            return ""
        return "".join(made)


def parse_template(text: str, words: tuple[str, ...] = PLACEHOLDERS) -> Template:
    """Read a template; `{{` and `}}` stand for braces.

    Args:
        text: the template.
        words: what may stand in braces.

    Raises:
        ParseError: an unknown placeholder or option, a brace without its other half, or bytes of
            a variable that are no text.
    """
    hint = f"Placeholders are {', '.join(f'{{{name}}}' for name in words)}."
    try:
        text.encode()
        parsed = list(Formatter().parse(text))
    except UnicodeEncodeError:
        raise ParseError("is no UTF-8", hint="Write it into the configuration file.") from None
    except ValueError:
        raise ParseError("has a brace without its other half", hint=hint) from None
    parts: list[tuple[str, str]] = []
    for literal, name, style, conversion in parsed:
        written = f"{name}:{style}" if name is not None and style else name or ""
        if name is not None:
            word, options = split_word(written)
            if conversion or not (word in words or (word == CUSTOM and words is PLACEHOLDERS)):
                near = nearest_name(word, words)
                meant = f"Did you mean {{{near}}}? " if near else ""
                raise ParseError("has a placeholder that is none of plexsync's", hint=meant + hint)
            if problem := option_problem(word, options):
                raise ParseError("has a placeholder that cannot be read", hint=f"{problem}.")
        parts.append((literal, written))
    return Template(tuple(parts) or (("", ""),))
