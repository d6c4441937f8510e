"""How the two libraries lie to each other: learned from certain pairs, and proposed as path rules.

Two paths of one file end alike and begin unlike; what is left of each after the equal end is a
prefix pair. Pairs that many files agree on say where Plex sees the files of a folder.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.models import Candidate, Confidence, Match, PathRule
from plexsync.text.normalize import (
    NormalizedPath,
    PathMap,
    compile_rules,
    folder_of,
    normalize_path,
    rule_folder,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    Located = tuple[NormalizedPath, NormalizedPath]
    """Where one file lies in Stash and in Plex."""

_LEAST_FILES = 3
_LEAST_SHARE = 0.02
"""A rule for fewer files than this, or a smaller share of them, may as well be files that moved."""
_LEAST_ROOT_SHARE = 0.005
_NO_NAME = "\0"
"""A name that nothing has: what rules say of it, they say of all files that lie beside it."""
_OVERWHELMING_FILES = 20
_OVERWHELMING_SHARE = 0.98
"""From here on a proposal counts as a rule by itself: one file in fifty may lie elsewhere."""


class Place(NamedTuple):
    """Where the two files of a pair lie.

    Attributes:
        root: what `split_prefixes` leaves of their paths.
        folder: the folder of the one in Stash.
        other: that of the one in Plex.
    """

    root: tuple[str, str]
    folder: str
    other: str


class Layout(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What certain pairs say of two whole libraries.

    Attributes:
        roots: pairs of folders, with a slash at their end, below which files lie alike.
        rules: those of them that are unambiguous and overwhelmingly supported.
    """

    roots: frozenset[tuple[str, str]] = frozenset()
    rules: tuple[PathRule, ...] = ()

    def maps(self, ours: NormalizedPath, theirs: NormalizedPath) -> bool:
        """Whether one of `rules` makes `theirs` of `ours`."""
        return any(
            ours.startswith(rule.stash) and theirs == rule.plex + ours[len(rule.stash) :]
            for rule in self.rules
        )


UNKNOWN_LAYOUT = Layout()
"""Nothing is known: then nothing follows from where a file lies."""


def learn_layout(
    pairs: Iterable[Located],
    *,
    lone: Mapping[Place, int] | None = None,
    rules: Sequence[PathRule] = (),
) -> Layout:
    """Learn where Plex keeps Stash's folders.

    Args:
        pairs: where certain pairs lie. A file that is several items comes several times.
        lone: where more of them lie, and how many, of files that each are in no other.
        rules: what is configured; what it covers needs no rule.
    """
    tally = _Tally(pairs, lone or {})
    least = max(_LEAST_FILES, _LEAST_ROOT_SHARE * sum(tally.votes.values()))
    roots = frozenset(root for root, count in tally.votes.items() if count >= least)
    known = compile_rules(rules)
    learned = tuple(
        rule
        for rule in tally.proposals(_OVERWHELMING_FILES)
        if known.apply(normalize_path(rule.stash + _NO_NAME)) is None
        and tally.is_overwhelming(rule)
    )
    return Layout(roots=roots, rules=learned)


def propose_rules(
    matches: Iterable[Match],
    *,
    lone: Mapping[Located, int] | None = None,
    rules: Sequence[PathRule] = (),
) -> tuple[PathRule, ...]:
    """Rules that would explain where Plex sees the files of certain pairs.

    Args:
        matches: what `matcher.match` decided; HIGH pairs count, and of LOW ones those where name
            and size agree, because a rule may be what they lack.
        lone: where more HIGH pairs lie, of files that each are in no other: of those at one place
            the first, and how many they are.
        rules: what is configured already; pairs it explains need nothing.

    Returns:
        Proposals, the one that explains most files first, one for a folder of Stash, none for one
        that `rules` has already. Each reaches as far as the deepest folder its files share.
    """
    taken = {rule_folder(rule.stash) for rule in rules}
    alone = {locate_pair(*pair): count for pair, count in (lone or {}).items()}
    tally = _Tally(map(_places_of, _certain(matches)), alone, known=compile_rules(rules))
    least = max(_LEAST_FILES, _LEAST_SHARE * tally.unexplained)
    return tuple(rule for rule in tally.proposals(least) if rule_folder(rule.stash) not in taken)


def used_rules(
    matches: Iterable[Match], layout: Layout, *, lone: Collection[Located] = ()
) -> tuple[PathRule, ...]:
    """Those of a layout's rules that a HIGH match goes by; `lone` is that of `propose_rules`."""
    sure = (one for one in matches if one.confidence is Confidence.HIGH)
    located = [*lone, *(_places_of(one.candidates[0]) for one in sure)] if layout.rules else []
    return tuple(
        rule
        for rule in layout.rules
        if any(Layout(rules=(rule,)).maps(ours, theirs) for ours, theirs in located)
    )


def split_prefixes(ours: NormalizedPath, theirs: NormalizedPath) -> tuple[str, str]:
    """Return what is left of two paths without their equal end, whole folders, with a slash."""
    if ours == theirs:
        root = ours[: ours.find("/") + 1] or f"{ours}/"
        return root, root
    mine, others = len(ours), len(theirs)
    while True:
        above, beyond = ours.rfind("/", 0, mine), theirs.rfind("/", 0, others)
        if min(above, beyond) < 0 or ours[above:mine] != theirs[beyond:others]:
            return f"{ours[:mine]}/", f"{theirs[:others]}/"
        mine, others = above, beyond


def locate_pair(ours: NormalizedPath, theirs: NormalizedPath) -> Place:
    """Return where the files of a pair lie."""
    return Place(split_prefixes(ours, theirs), folder_of(ours), folder_of(theirs))


class PlaceNumbers:
    """The places of many pairs, each once: most files lie in a folder with others.

    Attributes:
        known: the places, in the order of their numbers.
    """

    def __init__(self) -> None:
        self.known: list[Place] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, ours: NormalizedPath, theirs: NormalizedPath) -> int:
        """Return the number of the place of a pair."""
        here, there = ours.rfind("/") + 1, theirs.rfind("/") + 1
        folders = ours[:here], theirs[:there]
        # Where the names are equal, the folders alone say what is left.
        alike = here and there and ours[here:] == theirs[there:]
        key = folders if alike else (ours, theirs)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.known)
            self.known.append(locate_pair(ours, theirs))
        return number

    def count(self, numbers: Iterable[int]) -> dict[Place, int]:
        """Return the places of some numbers, and how often each of these is there."""
        return {self.known[number]: count for number, count in Counter(numbers).items()}


# ---- Private -------------------------------------------------------------------------------------


class _Tally:
    """What certain pairs vote for.

    Args:
        several: pairs of files that may be in more of them, in any number.
        lone: how many pairs of files that are in no other lie at each place.
        known: what explains pairs; None for nothing.

    Attributes:
        votes: by prefix pair, how many files say so.
        unexplained: how many files are in no pair that is explained.
    """

    def __init__(
        self,
        several: Iterable[Located],
        lone: Mapping[Place, int],
        known: PathMap | None = None,
    ) -> None:
        self._several = list(dict.fromkeys(several))
        self._lone = lone
        self._known = known
        self.votes: Counter[tuple[str, str]] = Counter()
        self._shared: dict[tuple[str, str], str] = {}
        self._explained: Counter[str] = Counter()
        self._files: Counter[str] = Counter()
        for place, count in lone.items():
            self._vote(place, count)
            self._files[place.folder] += count
            if self._is_explained(place):
                self._explained[place.folder] += count
        explained = set()
        for ours, theirs in self._several:
            place = locate_pair(ours, theirs)
            self._vote(place, 1)
            if self._is_explained(place):
                explained.add(ours)
        self._explained.update(map(folder_of, explained))
        self._files.update(map(folder_of, {ours for ours, _ in self._several}))
        self.unexplained = self._files.total() - self._explained.total()

    def proposals(self, least: float) -> list[PathRule]:
        """One rule for each folder of Stash that fits `least` files, the one for most first.

        Where its files are explained already, a folder has copies elsewhere, no other mount.
        """
        found: dict[str, PathRule] = {}
        roots = [root for root, count in self.votes.items() if count >= least]
        for root in sorted(roots, key=lambda root: (-self.votes[root], root)):
            stash, plex = root
            count = self.votes[root]
            deeper = self._shared[root][len(stash) :]
            if stash == plex or count <= _sum_below(stash, self._explained):
                continue
            rule = PathRule(
                stash=stash + deeper,
                plex=plex + deeper,
                explains=count,
                certain=_sum_below(stash + deeper, self._files),
            )
            found.setdefault(rule.stash, rule)
        return list(found.values())

    def is_overwhelming(self, rule: PathRule) -> bool:
        """Whether nearly all files below a folder lie where a rule says, and nowhere else too."""
        below = foreign = 0
        several = ((folder_of(ours), folder_of(theirs), 1) for ours, theirs in self._several)
        lone = ((one.folder, one.other, count) for one, count in self._lone.items())
        for ours, theirs, count in chain(lone, several):
            if ours.startswith(rule.stash):
                below += count
            elif theirs.startswith(rule.plex):
                foreign += count
        most = (1.0 - _OVERWHELMING_SHARE) * rule.certain
        fits = rule.explains >= _OVERWHELMING_SHARE * rule.certain
        # What is left of the pairs a rule explains is what it was proposed for, and of no others.
        return fits and below - rule.explains <= most and foreign <= most

    def _vote(self, place: Place, count: int) -> None:
        self.votes[place.root] += count
        shared = self._shared.get(place.root, place.folder)
        self._shared[place.root] = _common_folder(shared, place.folder)

    def _is_explained(self, place: Place) -> bool:
        """Whether the two files lie at the same place, as they are or by a rule."""
        if self._known is None or place.root[0] == place.root[1]:
            return self._known is not None
        ours, theirs = (NormalizedPath(one + _NO_NAME) for one in (place.folder, place.other))
        return place.folder.startswith(place.root[0]) and self._known.apply(ours) == theirs


def _sum_below(folder: str, counts: Mapping[str, int]) -> int:
    """Return the sum of the counts of a folder and those below it."""
    return sum(count for one, count in counts.items() if one.startswith(folder))


def _common_folder(one: str, other: str) -> str:
    """Return the deepest folder two folders share, with its slash."""
    if other.startswith(one):
        return one
    while not other.startswith(one):
        one = one[: one.rstrip("/").rfind("/") + 1]
    return one


def _certain(matches: Iterable[Match]) -> Iterator[Candidate]:
    """Candidates with the same file beyond doubt, wherever it lies."""
    for match in matches:
        if match.confidence is Confidence.HIGH:
            yield match.candidates[0]
        else:
            yield from (one for one in match.candidates if _is_same_file(one))


def _places_of(candidate: Candidate) -> Located:
    return normalize_path(candidate.scene_path), normalize_path(candidate.item_path)


def _is_same_file(candidate: Candidate) -> bool:
    weights = {one.name: one.weight for one in candidate.evidence}
    against = any(weights.get(name, 0.0) < 0 for name in ("size", "duration", "frame", "oshash"))
    return not against and weights.get("size", 0.0) > 0 and weights.get("name", 0.0) > 0
