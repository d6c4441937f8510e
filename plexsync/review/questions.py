"""What a person is asked before something bigger happens: yes is `y`, all else is no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.review.interfaces import Question
from plexsync.review.selection import pattern_lines
from plexsync.text.toml import toml_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import PathRule, SceneId
    from plexsync.state import Waiting


def take_question(owner: SceneId) -> Question:
    """Whether an item is to be taken from the scene it belongs to."""
    headline = f"This item belongs to scene {owner} already. Take it from that scene?"
    return Question(headline=headline)


def group_question(group: Sequence[Waiting]) -> Question:
    """Whether scenes with the same evidence are to be accepted together."""
    return Question(
        headline=f"Accept these {len(group):,} scenes, each with its only candidate?",
        lines=pattern_lines(group[0].candidates[0]),
        scenes=tuple(group),
    )


def rule_question(rule: PathRule, covered: Sequence[Waiting], *, fits: int) -> Question:
    """Whether a path rule is to be added.

    Args:
        rule: which.
        covered: the scenes it should settle.
        fits: how many there are whose paths it explains.
    """
    does = f"should settle {len(covered):,}" if covered else "settles nothing"
    more = fits - len(covered)
    return Question(
        headline=f"Add this path rule? It {does} of what waits{':' if covered else '.'}",
        lines=(
            f"stash = {toml_string(rule.stash)}",
            f"plex  = {toml_string(rule.plex)}",
            *([f"It fits {more:,} more, for which it is not enough."] if more else ()),
        ),
        scenes=tuple(covered),
    )
