"""Names of everything in a generated library, and the small tables of related rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plexsync.simulators.library import words
from plexsync.simulators.library.records import StashGroup, StashPerformer, StashStudio, StashTag

if TYPE_CHECKING:
    import random


def title(source: random.Random) -> str:
    """Two to six words."""
    pick = source.random
    adjective = words.ADJECTIVES[int(pick() * len(words.ADJECTIVES))]
    noun = words.NOUNS[int(pick() * len(words.NOUNS))]
    other = words.NOUNS[int(pick() * len(words.NOUNS))]
    place = words.PLACES[int(pick() * len(words.PLACES))]
    shape = int(pick() * 5)
    if shape == 0:
        return f"The {adjective} {noun} of {place}"
    if shape == 1:
        return f"{place}, {adjective} {noun}"
    if shape == 2:
        return f"{adjective} {noun} and {other}"
    if shape == 3:
        return f"{noun} & {other} in {place}"
    return f"{adjective} {other}"


def person(source: random.Random) -> str:
    """Given and family name."""
    return f"{source.choice(words.GIVEN_NAMES)} {source.choice(words.FAMILY_NAMES)}"


def performers(source: random.Random, count: int) -> tuple[StashPerformer, ...]:
    """Distinct names, but the second and third share one and differ by disambiguation."""
    pairs = [(given, family) for given in words.GIVEN_NAMES for family in words.FAMILY_NAMES]
    names = [f"{given} {family}" for given, family in source.sample(pairs, count)]
    genders = (None, "FEMALE", "MALE", "NON_BINARY")
    rows = [StashPerformer(i, n, "", genders[i % 4], i % 3 == 0) for i, n in enumerate(names, 1)]
    rows[1] = replace(rows[1], disambiguation="cellist")
    rows[2] = replace(rows[2], name=rows[1].name, disambiguation="biologist")
    return tuple(rows)


def tags(count: int) -> tuple[StashTag, ...]:
    """Return the single words first, then pairs of them."""
    pairs = (f"{first} {second}" for second in words.TAG_SECOND for first in words.TAG_FIRST)
    names = [*words.TAG_FIRST, *words.TAG_SECOND, *pairs][:count]
    return tuple(
        StashTag(number, name, sort_name=f"zz {name}" if number % 50 == 0 else "")
        for number, name in enumerate(names, 1)
    )


def studios(source: random.Random, count: int) -> tuple[StashStudio, ...]:
    """Return studios; a fifth of them have a parent, the last of those a grandparent."""
    pairs = [(place, second) for place in words.PLACES for second in words.STUDIO_SECOND]
    names = [f"{place} {second}" for place, second in source.sample(pairs, count)]
    parents = {number: number - 1 for number in range(5, count + 1, 5)}
    parents[4] = 3
    return tuple(
        StashStudio(number, name, parents.get(number)) for number, name in enumerate(names, 1)
    )


def groups(source: random.Random, count: int) -> tuple[StashGroup, ...]:
    """Every third one has no date."""
    return tuple(
        StashGroup(
            number, title(source), None if number % 3 == 0 else f"{2000 + number % 26}-01-01"
        )
        for number in range(1, count + 1)
    )
