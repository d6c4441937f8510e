"""Texts made from what a scene says: `{studio} {date}` and the words that may stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING
from urllib.parse import quote

from plexsync.errors import ParseError
from plexsync.text.normalize import normalize_path, stem, strip_control

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plexsync.models import Performer, SceneDetail, SceneId

GROUP = "group"
SCENE_PAGE = "stash_url"


def _file_stem(scene: SceneDetail) -> str:
    return stem(normalize_path(scene.files[0].path)) if scene.files else ""


_WORDS: Mapping[str, Callable[[SceneDetail], str]] = {
    "title": lambda scene: scene.title,
    "code": lambda scene: scene.code,
    "details": lambda scene: scene.details,
    "date": lambda scene: scene.date,
    "year": lambda scene: scene.date[:4],
    "director": lambda scene: scene.director,
    "studio": lambda scene: scene.studios[0] if scene.studios else "",
    "parent_studio": lambda scene: scene.studios[1] if len(scene.studios) > 1 else "",
    GROUP: lambda scene: scene.groups[0] if scene.groups else "",
    "file": _file_stem,
    "url": lambda scene: scene.urls[0] if scene.urls else "",
    "id": lambda scene: scene.scene_id,
}

PLACEHOLDERS = (*_WORDS, SCENE_PAGE)
"""Every word that may stand in braces. `stash_url` is the scene's page in Stash."""


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

PHOTO_PLACEHOLDERS = (*PERFORMER_PLACEHOLDERS, IMAGE, IMAGE_PATH)
"""The same for the address of a performer's picture: `image` is where Stash has it."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders. Build it with `parse_template`.

    Args:
        parts: each a literal text and the placeholder that follows it; "" for none.
    """

    parts: tuple[tuple[str, str], ...]

    def fill(self, word: Callable[[str], str], *, whole: bool = False) -> str:
        """The text with every placeholder replaced by what `word` says for it.

        Args:
            word: the value of a placeholder, by its name.
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
        ParseError: an unknown placeholder, or a brace without its other half.
    """
    hint = f"Placeholders are {', '.join(f'{{{name}}}' for name in words)}."
    try:
        parsed = list(Formatter().parse(text))
    except ValueError:
        raise ParseError("has a brace without its other half", hint=hint) from None
    parts: list[tuple[str, str]] = []
    for literal, name, style, conversion in parsed:
        if name is not None and (name not in words or style or conversion):
            raise ParseError("has a placeholder that is none of plexsync's", hint=hint)
        parts.append((literal, name or ""))
    return Template(tuple(parts) or (("", ""),))


def scene_words(
    scene: SceneDetail, page: Callable[[SceneId], str], group: str | None = None
) -> Callable[[str], str]:
    """What the placeholders say of one scene.

    Args:
        scene: the scene.
        page: the address of a scene's page in Stash, by id.
        group: what `{group}` says; None: the scene's first.
    """

    def word(name: str) -> str:
        if name == GROUP and group is not None:
            return strip_control(group)
        if name == SCENE_PAGE:
            return page(scene.scene_id)
        return strip_control(_WORDS[name](scene))

    return word


def performer_words(one: Performer) -> Callable[[str], str]:
    """What the placeholders say of a performer."""
    return lambda name: strip_control(_PERFORMER_WORDS[name](one))


def photo_words(one: Performer, file_url: Callable[[str], str]) -> Callable[[str], str]:
    """What the placeholders say in the address of a performer's picture, fit for an address.

    Args:
        one: the performer.
        file_url: the address of something whose path on Stash is known.
    """
    words = performer_words(one)

    def word(name: str) -> str:
        if name == IMAGE_PATH:
            return one.image_path
        if name == IMAGE:
            return file_url(one.image_path) if one.image_path else ""
        return quote(words(name), safe="")

    return word
