"""Scenes x items: which Plex item shows which file of which scene, and how sure that is.

Blocking chooses the pairs worth comparing, each comparison becomes evidence in bits, and a
decision over all pairs at once makes them HIGH, LOW or nothing. Pure, and linear in the library.
Source: docs/design.md, "Matching"; docs/matching.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plexsync.matching.account import (
    Account,
    Explanation,
    Named,
    Standing,
    account,
    account_of_item,
)
from plexsync.matching.answers import (
    ANSWER_PREFIX,
    NO_ANSWERS,
    NOTHING,
    AllAnswers,
    Answer,
    Pin,
    Refusal,
    SceneAnswers,
    Target,
    Verb,
    accept,
    answer_key,
    collect_answers,
    ignore,
    refuse,
)
from plexsync.matching.comparing.blocking import prepare_files, split_name
from plexsync.matching.comparing.title_similarity import (
    Text,
    are_near,
    telling_words,
    texts_of_item,
    texts_of_scene,
)
from plexsync.matching.decision import DEFAULT_SETTINGS, MatchSettings
from plexsync.matching.layout import (
    UNKNOWN_LAYOUT,
    Layout,
    propose_rules,
    split_prefixes,
    used_rules,
)
from plexsync.matching.resolution import resolve
from plexsync.matching.scoring import survey
from plexsync.matching.verdicts import Known, prepare_matching
from plexsync.matching.wording import reason_kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from plexsync.models import Match, PlexItem, RatingKey, Scene

__all__ = [
    "ANSWER_PREFIX",
    "DEFAULT_SETTINGS",
    "NOTHING",
    "NO_ANSWERS",
    "UNKNOWN_LAYOUT",
    "Account",
    "AllAnswers",
    "Answer",
    "Decided",
    "Explanation",
    "Known",
    "Layout",
    "MatchSettings",
    "Named",
    "Pin",
    "Refusal",
    "SceneAnswers",
    "Standing",
    "Target",
    "Text",
    "Verb",
    "accept",
    "account",
    "account_of_item",
    "answer_key",
    "are_near",
    "collect_answers",
    "decide",
    "ignore",
    "match",
    "prepare_files",
    "propose_rules",
    "reason_kind",
    "refuse",
    "split_name",
    "split_prefixes",
    "survey",
    "telling_words",
    "texts_of_item",
    "texts_of_scene",
    "used_rules",
    "wanted_hashes",
]


class Decided(NamedTuple):
    """What `decide` found: the matches, and how the libraries lie to each other."""

    matches: list[Match]
    layout: Layout


def match(
    scenes: Sequence[Scene], items: Sequence[PlexItem], **known: Unpack[Known]
) -> list[Match]:
    """Decide which items the scenes are.

    What is HIGH for a few scenes is HIGH for them when all are decided about, as long as `others`
    are the rest of Stash and `layout` is what `decide` learned from all of them.

    Args:
        scenes: the scenes that are due; each gets one match, or one for each item its files are.
        items: every item of the chosen libraries, so that rarity is known.
        **known: see `Known`.

    Returns:
        Matches in the order of `scenes`; the order of `items` never matters.
    """
    return decide(scenes, items, **known).matches


def decide(scenes: Sequence[Scene], items: Sequence[PlexItem], **known: Unpack[Known]) -> Decided:
    """Do what `match` does, and return the layout as well."""
    matching = prepare_matching(scenes, items, staged=True, **known)
    return Decided(resolve(matching), matching.tabulated.layout)


def wanted_hashes(matches: Sequence[Match]) -> tuple[RatingKey, ...]:
    """Items whose content hash could change what `match` decided, each once.

    That is a candidate of a LOW match that neither size nor duration rules out already, the item
    of a HIGH match that rests on its name alone, and what looks like a copy of it. A second
    `match` with the hashes decides.
    """
    return tuple(dict.fromkeys(key for made in matches for key in made.unread))
