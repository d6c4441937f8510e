"""Proposing path rules: where the pairs that are certain lie on either server.

Two paths of one file end alike and begin unlike; what is left of each after the equal end is a
prefix pair. Pairs that many files agree on are worth proposing, with how many each would explain.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from plexsync.models import Confidence, PathRule
from plexsync.text.normalize import compile_rules, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.models import Candidate, Match
    from plexsync.text.normalize import NormalizedPath

_LEAST_FILES = 3
_LEAST_SHARE = 0.02
"""A rule for fewer files than this, or a smaller share of them, may as well be files that moved."""


def propose_rules(
    matches: Sequence[Match], *, rules: Sequence[PathRule] = ()
) -> tuple[PathRule, ...]:
    """Rules that would explain where Plex sees the files of certain pairs.

    Args:
        matches: what `matcher.match` decided; HIGH pairs count, and of LOW ones those whose name
            and size agree, because a rule may be what they lack.
        rules: what is configured already; pairs it explains need nothing.

    Returns:
        Proposals, the one that explains most files first. None of them repeats a rule of `rules`
        or says that a folder is itself.
    """
    known = compile_rules(rules)
    votes: Counter[tuple[str, str]] = Counter()
    explained: Counter[str] = Counter()
    for candidate in _certain(matches):
        ours, theirs = normalize_path(candidate.scene_path), normalize_path(candidate.item_path)
        stash, plex = split_prefixes(ours, theirs)
        if theirs in (ours, known.apply(ours)):
            explained[stash] += 1
        else:
            votes[stash, plex] += 1
    least = max(_LEAST_FILES, _LEAST_SHARE * sum(votes.values()))
    proposals = [
        PathRule(stash=stash, plex=plex, explains=count)
        for (stash, plex), count in votes.items()
        # A folder whose files are explained already has copies elsewhere, no other mount.
        if count >= least and count > explained[stash]
    ]
    return tuple(sorted(proposals, key=lambda rule: (-rule.explains, rule.stash, rule.plex)))


def split_prefixes(ours: NormalizedPath, theirs: NormalizedPath) -> tuple[str, str]:
    """What is left of two paths without their equal end, whole folders only, with a slash."""
    if ours == theirs:
        root = ours[: ours.find("/") + 1] or f"{ours}/"
        return root, root
    mine, others = ours.split("/"), theirs.split("/")
    while len(mine) > 1 and len(others) > 1 and mine[-1] == others[-1]:
        mine.pop()
        others.pop()
    return "/".join(mine) + "/", "/".join(others) + "/"


# ---- Private -------------------------------------------------------------------------------------


def _certain(matches: Iterable[Match]) -> Iterator[Candidate]:
    """Candidates whose files are the same beyond doubt, wherever they lie."""
    for match in matches:
        if match.confidence is Confidence.HIGH:
            yield match.candidates[0]
        else:
            yield from (one for one in match.candidates if _is_same_file(one))


def _is_same_file(candidate: Candidate) -> bool:
    weights = {one.name: one.weight for one in candidate.evidence}
    against = any(weights.get(name, 0.0) < 0 for name in ("size", "duration", "frame", "oshash"))
    return not against and weights.get("size", 0.0) > 0 and weights.get("name", 0.0) > 0
