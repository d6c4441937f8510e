"""The last resort: items that nothing else found, by a title or name like the scene's.

A resemblance is never identity-grade; it only gives a person something to look at. Rare words
choose the items worth comparing, so that the cost stays linear in the library.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from plexsync.matching.comparing.evidence import Level
from plexsync.text.generic_names import GENERIC_WORDS, is_extra, numbers, split_quality
from plexsync.text.normalize import fold, normalize_path, normalize_title, stem

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from plexsync.models import PlexItem, Scene

_LEAST_LETTERS = 3
_MOST_BEARERS = 64
"""A word in more titles than this chooses nothing."""
_MOST_COMPARED = 24
_MOST_FOUND = 10
_SEVERAL = 3
_FEW_WORDS = 32
"""Up to so many words are looked for as they are before a title is normalised."""
_CLOSE = 93.0
_NEAR = 85.0
"""Similarities, 0 to 100. Source: docs/matching.md, "Titles"."""


class Text(NamedTuple):
    """A title or name ready to compare: its words in order of the alphabet, and its numbers.

    Tags of quality and a date are taken out; `date` is that date as `YY-MM-DD`, "" for none.
    """

    words: str
    numbers: tuple[int, ...]
    extra: bool
    date: str = ""


def find_by_title(
    positions: Iterable[int],
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    dismissed: Container[tuple[int, int]],
) -> dict[int, list[tuple[int, Level]]]:
    """For each scene at one of `positions` the items it resembles most, and how nearly.

    Numbers must agree, and a trailer resembles trailers only. `dismissed` are pairs of scene and
    item that were compared already and are implausible.
    """
    texts = {position: texts_of_scene(scenes[position]) for position in positions}
    bearers: dict[str, list[int]] = {
        word: [] for ours in texts.values() for text in ours for word in telling_words(text)
    }
    _stream(items, bearers)
    titles: dict[int, tuple[Text, ...]] = {}
    found = {}
    for position, ours in texts.items():
        chosen = [one for one in _choose(ours, bearers, items) if (position, one) not in dismissed]
        titles.update((one, texts_of_item(items[one])) for one in chosen if one not in titles)
        levels = [(one, compare_titles(ours, titles[one])) for one in chosen]
        resembling = [(one, level) for one, level in levels if level >= Level.NEAR]
        if resembling:
            resembling.sort(key=lambda one: -one[1])
            found[position] = resembling[:_MOST_FOUND]
    return found


def texts_of_scene(scene: Scene) -> tuple[Text, ...]:
    """Return what a scene calls itself: its title and its files' stems."""
    return _texts([scene.title, *(stem(normalize_path(file.path)) for file in scene.files)])


def texts_of_item(item: PlexItem) -> tuple[Text, ...]:
    """Return what an item calls itself: its title and its files' stems."""
    return _texts(_names(item))


def compare_titles(ours: Sequence[Text], theirs: Sequence[Text]) -> Level:
    """How near the nearest two texts are; DIFFERENT below similarity."""
    return max((_similarity(one, other) for one in ours for other in theirs), default=_NOTHING)


def are_near(one: Text, other: Text) -> bool:
    """Whether two texts resemble each other enough to be shown to a person."""
    return _similarity(one, other) >= Level.NEAR


def share_words(stem: str, other: str) -> bool:
    """Whether two names are made of the same site, date and title words, in whatever style.

    Torrents put performers and tags of quality in a name that tidy names leave out, so the words
    of one may be among those of the other.
    """
    one, two = _text(stem), _text(other)
    if one is None or two is None or not _are_comparable(one, two):
        return False
    return one.words == two.words or _holds(one, two)


def telling_words(text: Text) -> set[str]:
    """Return the words that say something: no article, no number, nothing any title has."""
    return {
        word
        for word in text.words.split()
        if (len(word) >= _LEAST_LETTERS or not word.isascii())
        and not word.isdigit()
        and word not in GENERIC_WORDS
    }


# ---- Private -------------------------------------------------------------------------------------

_NOTHING = Level.DIFFERENT


def _texts(texts: Iterable[str]) -> tuple[Text, ...]:
    found = (_text(text) for text in dict.fromkeys(texts) if text)
    return tuple(dict.fromkeys(one for one in found if one is not None))


@lru_cache(maxsize=4096)
def _text(text: str) -> Text | None:
    rest, date = split_quality(fold(text))
    normal = normalize_title(rest) or normalize_title(text)
    if not normal:
        return None
    words = " ".join(sorted(normal.split()))
    return Text(words, tuple(sorted(numbers(normal))), is_extra(normal), date)


def _names(item: PlexItem) -> list[str]:
    names = [item.title]
    for file in item.files:
        name = stem(normalize_path(file.path))
        # Without an agent Plex takes the name for the title: normalise it once.
        if name != item.title:
            names.append(name)
    return names


def _stream(items: Sequence[PlexItem], bearers: dict[str, list[int]]) -> None:
    """Note the items that bear one of our words."""
    wanted = {_as_bytes(word): places for word, places in bearers.items()}
    few = tuple(bearers) if len(bearers) <= _FEW_WORDS else ()
    for position, item in enumerate(items if wanted else ()):
        if item.trashed or (few and not _mentions(item, few)):
            continue
        for word in wanted.keys() & _words_of(item):
            if len(wanted[word]) <= _MOST_BEARERS:
                wanted[word].append(position)


def _words_of(item: PlexItem) -> list[bytes]:
    """Return the words of an item's title and names."""
    text = " ".join(_names(item))
    # What `normalize_title` does to such a text, in a fifth of the time.
    words = _as_bytes(text).translate(_ASCII_WORDS, b"'`").split() if text.isascii() else []
    return words or _as_bytes(normalize_title(text)).split()


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_ASCII_WORDS = bytes(code if bytes((code,)).isalnum() else ord(" ") for code in range(256)).lower()
"""Letters and digits in small letters; all else parts words."""


def _mentions(item: PlexItem, words: tuple[str, ...]) -> bool:
    """Whether an item has one of a few words anywhere: much cheaper than normalising it."""
    text = fold(" ".join([item.title, *(file.path for file in item.files)]))
    return any(word in text for word in words)


def _choose(
    ours: tuple[Text, ...], bearers: dict[str, list[int]], items: Sequence[PlexItem]
) -> list[int]:
    """Return the items that share most of our rare words, in an order that is the items' own."""
    rare = [
        found
        for word in {word for text in ours for word in telling_words(text)}
        if 0 < len(found := bearers[word]) <= _MOST_BEARERS
    ]
    shared: Counter[int] = Counter()
    for found in rare:
        shared.update(found)
    # One rare word in common is chance where there are several to choose from.
    least = 1 if len(rare) < _SEVERAL else 2
    chosen = [one for one, count in shared.items() if count >= least]
    keys = {one: items[one].rating_key for one in chosen}
    chosen.sort(key=lambda one: (-shared[one], len(keys[one]), keys[one]))
    return chosen[:_MOST_COMPARED]


def _similarity(one: Text, other: Text) -> Level:
    if not _are_comparable(one, other):
        return _NOTHING
    if one.words == other.words:
        return Level.EQUAL
    from rapidfuzz.fuzz import ratio  # noqa: PLC0415 - of linked scenes no titles are compared

    similarity = ratio(one.words, other.words, score_cutoff=_NEAR)
    if similarity >= _CLOSE:
        return Level.CLOSE
    return Level.NEAR if similarity >= _NEAR or _holds(one, other) else _NOTHING


def _are_comparable(one: Text, other: Text) -> bool:
    """Whether numbers, date and kind let two texts be those of one video."""
    dated = not one.date or not other.date or one.date == other.date
    return dated and one.numbers == other.numbers and one.extra == other.extra


def _holds(one: Text, other: Text) -> bool:
    """Whether the telling words of one text are all among those of the other."""
    shorter, longer = sorted((telling_words(one), telling_words(other)), key=len)
    least = _SEVERAL - 1 if one.date and one.date == other.date else _SEVERAL
    return len(shorter) >= least and shorter <= longer
