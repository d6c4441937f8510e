"""Scenes x items: which Plex item shows which file of which scene, and how sure that is.

Blocking chooses the pairs worth comparing, each comparison becomes evidence in bits, and a
decision over all pairs at once makes them HIGH, LOW or nothing. Pure, and linear in the library.
Source: docs/design.md, "Matching"; docs/matching.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Unpack

from plexsync.matching.account import Account as Account
from plexsync.matching.account import Explanation as Explanation
from plexsync.matching.account import Named as Named
from plexsync.matching.account import Standing as Standing
from plexsync.matching.account import account as account
from plexsync.matching.account import account_of_item as account_of_item
from plexsync.matching.answers import ANSWER_PREFIX as ANSWER_PREFIX
from plexsync.matching.answers import NO_ANSWERS as NO_ANSWERS
from plexsync.matching.answers import NOTHING as NOTHING
from plexsync.matching.answers import AllAnswers as AllAnswers
from plexsync.matching.answers import Answer as Answer
from plexsync.matching.answers import AnsweredPair as AnsweredPair
from plexsync.matching.answers import SceneAnswers as SceneAnswers
from plexsync.matching.answers import Verb as Verb
from plexsync.matching.answers import answer_key as answer_key
from plexsync.matching.answers import answered as answered
from plexsync.matching.answers import answered_since as answered_since
from plexsync.matching.answers import collect_answers as collect_answers
from plexsync.matching.answers import find_file as find_file
from plexsync.matching.answers import follow_items as follow_items
from plexsync.matching.comparing.blocking import FileKeys as FileKeys
from plexsync.matching.comparing.blocking import prepare_files as prepare_files
from plexsync.matching.comparing.blocking import split_name as split_name
from plexsync.matching.comparing.facts import show_other_video as show_other_video
from plexsync.matching.comparing.title_similarity import Text as Text
from plexsync.matching.comparing.title_similarity import are_near as are_near
from plexsync.matching.comparing.title_similarity import telling_words as telling_words
from plexsync.matching.comparing.title_similarity import texts_of_item as texts_of_item
from plexsync.matching.comparing.title_similarity import texts_of_scene as texts_of_scene
from plexsync.matching.decision import DEFAULT_SETTINGS as DEFAULT_SETTINGS
from plexsync.matching.decision import MatchSettings as MatchSettings
from plexsync.matching.layout import Layout as Layout
from plexsync.matching.layout import propose_rules as propose_rules
from plexsync.matching.layout import split_prefixes as split_prefixes
from plexsync.matching.layout import used_rules as used_rules
from plexsync.matching.matches import Matches as Matches
from plexsync.matching.matches import SurePairs as SurePairs
from plexsync.matching.resolution import resolve
from plexsync.matching.scoring import survey as survey
from plexsync.matching.verdicts import Known as Known
from plexsync.matching.verdicts import prepare_matching
from plexsync.matching.wording import reason_kind as reason_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Match, PlexItem, RatingKey, Scene


class Decided(NamedTuple):
    """What `decide` found: the matches, and how the libraries lie to each other."""

    matches: Matches
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
    return list(decide(scenes, items, **known).matches)


def decide(scenes: Sequence[Scene], items: Sequence[PlexItem], **known: Unpack[Known]) -> Decided:
    """Do what `match` does, and return the layout as well."""
    matching = prepare_matching(scenes, items, staged=True, **known)
    return Decided(resolve(matching), matching.layout)


def wanted_hashes(matches: Iterable[Match]) -> tuple[RatingKey, ...]:
    """Items with a content hash that could change what `match` decided, each once.

    That is a candidate of a LOW match that neither size nor duration rules out already, the item
    of a HIGH match that rests on its name alone, and what looks like a copy of it. A second
    `match` with the hashes decides.
    """
    return tuple(dict.fromkeys(key for made in matches for key in made.unread))
