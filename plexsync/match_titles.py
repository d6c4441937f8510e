"""The last resort: items whose title or name resembles a scene's that nothing else found.

A resemblance is never identity-grade; it only gives a person something to look at. Rare words
choose the items worth comparing, so that the cost stays linear in the library.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from plexsync.evidence import Level
from plexsync.names import GENERIC_WORDS, is_extra, numbers
from plexsync.normalize import base_name, fold, normalize_path, normalize_title, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import PlexItem, Scene

_LEAST_LETTERS = 3
_MOST_BEARERS = 64
"""A word in more titles than this chooses nothing."""
_MOST_COMPARED = 24
_FEW_WORDS = 32
"""Up to so many words are looked for as they are before a title is normalised."""
_CLOSE = 93.0
_NEAR = 85.0
"""Similarities, 0 to 100. Source: docs/matching.md, "Titles"."""


def find_by_title(
    positions: Iterable[int], scenes: Sequence[Scene], items: Sequence[PlexItem]
) -> dict[int, list[tuple[int, Level]]]:
    """For each scene at one of `positions` the items it resembles, and how nearly.

    Numbers must agree, and a trailer resembles trailers only.
    """
    texts = {position: texts_of_scene(scenes[position]) for position in positions}
    bearers: dict[str, list[int]] = {
        word: [] for ours in texts.values() for text in ours for word in _words(text)
    }
    titles = _stream(items, bearers)
    found = {}
    for position, ours in texts.items():
        chosen = _choose(ours, bearers, items)
        levels = [(one, compare_titles(ours, titles[one])) for one in chosen]
        resembling = [(one, level) for one, level in levels if level >= Level.NEAR]
        if resembling:
            found[position] = resembling
    return found


def texts_of_scene(scene: Scene) -> tuple[str, ...]:
    """What a scene calls itself, normalised: its title and its files' stems."""
    stems = (stem(normalize_path(file.path)) for file in scene.files)
    texts = (normalize_title(text) for text in (scene.title, *stems))
    return tuple(dict.fromkeys(text for text in texts if text))


def texts_of_item(item: PlexItem) -> tuple[str, ...]:
    """What an item calls itself, normalised: its title and its files' stems."""
    texts = [item.title]
    for file in item.files:
        name = base_name(normalize_path(file.path))
        # Without an agent Plex takes the name for the title: compare it once.
        if not name.startswith(item.title) or len(name) > len(item.title) + 5:
            texts.append(name.rpartition(".")[0] or name)
    return tuple(dict.fromkeys(normalize_title(text) for text in texts if text))


def compare_titles(ours: Sequence[str], theirs: Sequence[str]) -> Level:
    """How near the nearest two of normalised texts are; DIFFERENT below similarity."""
    return max((_similarity(one, other) for one in ours for other in theirs), default=_NOTHING)


# ---- Private -------------------------------------------------------------------------------------

_NOTHING = Level.DIFFERENT


def _words(text: str) -> set[str]:
    return {
        word
        for word in text.split()
        if (len(word) >= _LEAST_LETTERS or not word.isascii())
        and not word.isdigit()
        and word not in GENERIC_WORDS
    }


def _stream(items: Sequence[PlexItem], bearers: dict[str, list[int]]) -> dict[int, tuple[str, ...]]:
    """Note the items that bear one of our words, and their texts."""
    titles: dict[int, tuple[str, ...]] = {}
    wanted = bearers.keys()
    few = tuple(wanted) if len(wanted) <= _FEW_WORDS else ()
    for position, item in enumerate(items):
        if item.trashed or not wanted or (few and not _mentions(item, few)):
            continue
        texts = texts_of_item(item)
        shared = wanted & set(" ".join(texts).split())
        for word in shared:
            if len(bearers[word]) <= _MOST_BEARERS:
                bearers[word].append(position)
        if shared:
            titles[position] = texts
    return titles


def _mentions(item: PlexItem, words: tuple[str, ...]) -> bool:
    """Whether an item has one of a few words anywhere: much cheaper than normalising it."""
    text = fold(" ".join([item.title, *(file.path for file in item.files)]))
    return any(word in text for word in words)


def _choose(
    ours: tuple[str, ...], bearers: dict[str, list[int]], items: Sequence[PlexItem]
) -> list[int]:
    """The items that share most of our rare words, in an order that is the items' own."""
    shared: Counter[int] = Counter()
    for word in {word for text in ours for word in _words(text)}:
        if len(bearers[word]) <= _MOST_BEARERS:
            shared.update(bearers[word])
    keys = {position: items[position].rating_key for position in shared}
    ranked = sorted(shared, key=lambda one: (-shared[one], len(keys[one]), keys[one]))
    return ranked[:_MOST_COMPARED]


def _similarity(one: str, other: str) -> Level:
    if numbers(one) != numbers(other) or is_extra(one) != is_extra(other):
        return _NOTHING
    if one == other:
        return Level.EQUAL
    similarity = fuzz.token_sort_ratio(one, other, score_cutoff=_NEAR)
    if similarity >= _CLOSE:
        return Level.CLOSE
    return Level.NEAR if similarity >= _NEAR else _NOTHING
