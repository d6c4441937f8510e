"""Texts made from what a scene says: `{studio} {date}`; what may stand in braces is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

from plexsync.errors import ParseError
from plexsync.text.nearest import nearest_name
from plexsync.text.placeholders import CUSTOM, PLACEHOLDERS, option_problem, split_word

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Template:
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
        ParseError: an unknown placeholder or option, or a brace without its other half.
    """
    hint = f"Placeholders are {', '.join(f'{{{name}}}' for name in words)}."
    try:
        parsed = list(Formatter().parse(text))
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
