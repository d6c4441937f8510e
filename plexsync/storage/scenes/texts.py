"""Texts as rows have them: digests in base64, and what many rows have as a number.

Many rows have the same folders, the same tags, performers and studios, the same digests of days.
Each such text has one number in the whole state, and keeps it; number 0 stands for none. An object
that scenes show (`t12`) has a text with the digest of the name it had then: `t12 dJdG8vMo`.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64, unhexlify
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from plexsync.models import RelatedId
from plexsync.text.folding import MadeOnce, join_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_PADDING = ("", "===", "==", "=")

_PARTS = " "
"""Between an object and the digest of its name."""

LITERAL = "~"
"""What begins a text that is no hex digits, which base64 never has."""

News = tuple[tuple[int, str], ...]
"""Numbers and their texts."""


def pack_digest(text: str) -> str:
    """Return hex digits in base64 without padding; any other text as it is, marked."""
    if not text:
        return ""
    try:
        content = unhexlify(text)
    except ValueError:
        content = b""
    if content.hex() != text:
        return LITERAL + text
    return b2a_base64(content, newline=False).rstrip(b"=").decode()


def unpack_digest(packed: str) -> str:
    """Return what `pack_digest` was given.

    Raises:
        ValueError: it did not make this.
    """
    if not packed:
        return ""
    if packed.startswith(LITERAL):
        return packed[1:]
    return a2b_base64(packed + _PADDING[len(packed) % 4], strict_mode=True).hex()


class Meaning(NamedTuple):
    """What a number says of an object.

    Attributes:
        word: which object, `t12`.
        letter: of its kind; "" for an object without a name, and for a text that is no object.
        name: the digest of its name.
    """

    word: RelatedId
    letter: str
    name: str


def _nothing(_one: str) -> str:
    return ""


class SharedTexts:
    """The shared texts of one state, by number.

    Args:
        texts: those of the numbers from 1 on.

    Attributes:
        name_of: returns the digest of the name an object has, as a list has it; "" if not known.
        meanings: of numbers; looking one up raises ValueError where what stands for the name is no
            digest.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = ["", *texts]
        self._objects = MadeOnce(self._object)
        self._packed = MadeOnce(pack_digest)
        self._folders: dict[str, str] = {}
        self._noted = {"": 0}
        self._news: list[tuple[int, str]] = []
        self.meanings = MadeOnce(self._meaning)
        self.name_of: Callable[[str], str] = _nothing

    def __iter__(self) -> Iterator[str]:
        """Return the texts in the order of their numbers, from 1 on."""
        return iter(self._texts[1:])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._texts) - 1

    # ---- Numbers and texts -----------------------------------------------------------------------

    def text(self, number: int) -> str:
        """Return the text of a number."""
        return self._texts[number]

    def number(self, text: str) -> int:
        """Return the number of a text, a new one if it has none."""
        number = self._noted.get(text)
        if number is None:
            number = self._noted[text] = self._numbers.setdefault(text, len(self._texts))
            if number == len(self._texts):
                self._texts.append(text)
            self._news.append((number, text))
        return number

    def digest_number(self, digest: str) -> int:
        """Return the number of hex digits, which many rows have."""
        return self.number(self._packed[digest])

    def place(self, path: str) -> tuple[int, str]:
        """Return the number of a folder, and the rest of a path below it.

        That is the nearest one another file was met in; a folder of one file is not worth a number.
        """
        for folder in _folders(path):
            if folder in self._numbers or self._folders.setdefault(folder, path) != path:
                return self.number(folder), path[len(folder) :]
        return 0, path

    # ---- Objects ---------------------------------------------------------------------------------

    def objects(self, related: str) -> list[int]:
        """Return the numbers of the objects a record names, with the names they have now."""
        return [self.number(self._objects[one]) for one in related.split(_PARTS) if one]

    def names(self, numbers: Iterable[int]) -> dict[str, str]:
        """Return the names of objects as a list has them, run together, by the letter of a kind."""
        names: defaultdict[str, set[str]] = defaultdict(set)
        for _, letter, name in map(self.meanings.__getitem__, numbers):
            if letter:
                names[letter].add(name)
        return {letter: join_entries(one) for letter, one in names.items()}

    def numbers_of(self, objects: Collection[str]) -> set[int]:
        """Return the numbers of objects, with whatever name they had."""
        words = (text.partition(_PARTS)[0] for text in self._texts)
        return {number for number, word in enumerate(words) if word in objects}

    def rename(self, one: str) -> None:
        """Have the name of an object looked up again."""
        self._objects.pop(one, None)

    def entry(self, number: int) -> str:
        """Return the digest of the name that a number stands for, of an object or none.

        Raises:
            ValueError: it stands for no name.
        """
        return unpack_digest(self._texts[number].rpartition(_PARTS)[2])

    # ---- Journals --------------------------------------------------------------------------------

    def begin_journal(self) -> None:
        """Count every text as new from here on: a journal says for itself what a number means."""
        self._noted, self._news = {"": 0}, []

    def news(self) -> News:
        """Return the texts that were used for the first time since the journal began."""
        news, self._news = tuple(self._news), []
        return news

    def learn(self, news: News) -> None:
        """Have numbers mean what a journal says, and no other numbers anything."""
        for number, text in news:
            self._texts += [""] * (number + 1 - len(self._texts))
            self._texts[number] = text
            self.meanings.pop(number, None)

    def adopt(self, news: News) -> bool:
        """Take in the texts of a journal, unless their numbers mean something else here."""
        for number, text in news:
            if number == len(self._texts) and text not in self._numbers:
                self._numbers[text] = number
                self._texts.append(text)
        return all(self._texts[number : number + 1] == [text] for number, text in news)

    def _object(self, one: str) -> str:
        """Return the text of an object with the name it has now."""
        name = pack_digest(self.name_of(one))
        return f"{one}{_PARTS}{name}" if name else one

    def _meaning(self, number: int) -> Meaning:
        word, _, name = self._texts[number].partition(_PARTS)
        return Meaning(RelatedId(word), word[:1] if name else "", unpack_digest(name))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self._texts)}


def _folders(path: str) -> Iterator[str]:
    """Yield the folders a file is in, the nearest first, each with its last separator."""
    separator = "/" if "/" in path else "\\"
    end = path.rfind(separator)
    while end > 0:
        yield path[: end + 1]
        end = path.rfind(separator, 0, end)
