"""Texts as rows have them, shortened: digests in base64, and what many rows have as a number.

Many rows have the same folders, and the same digests of names, of studios, of days. A row in the
journal stands for itself: what it holds is written out. In a checkpoint it has the number of such a
text instead; number 0 stands for none.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64, unhexlify
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Entries = str | tuple[int, ...]
"""Packed digests of names, run together: written out, or as the numbers of shared texts."""

ENTRY_CHARACTERS = 8
"""How long the packed digest of a name is; its hex digits are `text.folding.ENTRY_DIGITS`."""

_PADDING = ("", "===", "==", "=")
_LITERAL = "~"
"""What begins a text that is no hex digits, which base64 never has."""


def pack_digest(text: str) -> str:
    """Return hex digits in base64 without padding; any other text as it is, marked."""
    try:
        content = unhexlify(text)
    except ValueError:
        content = b""
    if content.hex() != text:
        return _LITERAL + text
    return b2a_base64(content, newline=False).rstrip(b"=").decode()


def unpack_digest(packed: str) -> str:
    """Return what `pack_digest` was given.

    Raises:
        ValueError: it did not make this.
    """
    if not packed:
        return ""
    if packed.startswith(_LITERAL):
        return packed[1:]
    return a2b_base64(packed + _PADDING[len(packed) % 4], strict_mode=True).hex()


class SharedTexts:
    """The shared texts of one checkpoint, by number.

    Args:
        texts: those of the numbers from 1 on.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = ["", *texts]
        self._crowded: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[str]:
        """Return the texts in the order of their numbers, from 1 on."""
        return iter(self._texts[1:])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self._texts)}

    def text(self, number: int) -> str:
        """Return the text of a number."""
        return self._texts[number]

    def number(self, text: str) -> int:
        """Return the number of a text, a new one if it has none."""
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return number

    def expect(self, paths: Iterable[str]) -> None:
        """Learn which folders are worth a number: those that several of `paths` are in."""
        counts = Counter(folder for path in paths for folder in _folders(path))
        self._crowded = frozenset(folder for folder, count in counts.items() if count > 1)

    def place(self, path: str) -> tuple[int, str]:
        """Return the number of a folder, and the rest of a path below it."""
        for folder in _folders(path):
            if folder in self._numbers or folder in self._crowded:
                return self.number(folder), path[len(folder) :]
        return 0, path

    def part(self, entries: Entries) -> Entries:
        """Return the numbers of digests that are written out, run together."""
        if not isinstance(entries, str) or entries.startswith(_LITERAL):
            return entries
        if len(entries) % ENTRY_CHARACTERS:
            return entries
        starts = range(0, len(entries), ENTRY_CHARACTERS)
        return tuple([self.number(entries[at : at + ENTRY_CHARACTERS]) for at in starts])

    def join(self, entries: Entries) -> str:
        """Return digests written out, run together, as `part` was given them."""
        return (
            entries if isinstance(entries, str) else "".join(map(self._texts.__getitem__, entries))
        )


def _folders(path: str) -> Iterator[str]:
    """Yield the folders a file is in, the nearest first, each with its last separator."""
    separator = "/" if "/" in path else "\\"
    end = path.rfind(separator)
    while end > 0:
        yield path[: end + 1]
        end = path.rfind(separator, 0, end)
