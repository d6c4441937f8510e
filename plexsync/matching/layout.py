"""How the two libraries lie to each other: learned from certain pairs, and proposed as path rules.

Two paths of one file end alike and begin unlike; what is left of each after the equal end is a
prefix pair. Pairs that many files agree on say where Plex sees the files of a folder.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from plexsync.models import Confidence, PathRule
from plexsync.text.normalize import NormalizedPath, compile_rules, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.models import Candidate, Match

    Located = tuple[NormalizedPath, NormalizedPath]
    """Where one file lies in Stash and in Plex."""

_LEAST_FILES = 3
_LEAST_SHARE = 0.02
"""A rule for fewer files than this, or a smaller share of them, may as well be files that moved."""
_LEAST_ROOT_SHARE = 0.005
_OVERWHELMING_FILES = 20
_OVERWHELMING_SHARE = 0.98
"""From here on a proposal counts as a rule by itself: one file in fifty may lie elsewhere."""


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


def learn_layout(pairs: Iterable[Located], *, rules: Sequence[PathRule] = ()) -> Layout:
    """Learn where Plex keeps Stash's folders.

    Args:
        pairs: where certain pairs lie. A file that is several items comes several times.
        rules: what is configured; what it covers needs no rule.
    """
    tally = _Tally(pairs)
    least = max(_LEAST_FILES, _LEAST_ROOT_SHARE * sum(tally.votes.values()))
    roots = frozenset(root for root, count in tally.votes.items() if count >= least)
    known = compile_rules(rules)
    learned = tuple(
        rule
        for rule in tally.proposals(_OVERWHELMING_FILES)
        if known.apply(normalize_path(rule.stash + "x")) is None and tally.is_overwhelming(rule)
    )
    return Layout(roots=roots, rules=learned)


def propose_rules(
    matches: Sequence[Match], *, rules: Sequence[PathRule] = ()
) -> tuple[PathRule, ...]:
    """Rules that would explain where Plex sees the files of certain pairs.

    Args:
        matches: what `matcher.match` decided; HIGH pairs count, and of LOW ones those where name
            and size agree, because a rule may be what they lack.
        rules: what is configured already; pairs it explains need nothing.

    Returns:
        Proposals, the one that explains most files first, one for a folder of Stash, none for one
        that `rules` has already. Each reaches as far as the deepest folder its files share.
    """
    known = compile_rules(rules)
    taken = {normalize_path(rule.stash).rstrip("/") for rule in rules}
    tally = _Tally(
        (normalize_path(one.scene_path), normalize_path(one.item_path)) for one in _certain(matches)
    )
    explained = {ours for ours, theirs in tally.pairs if theirs in (ours, known.apply(ours))}
    least = max(_LEAST_FILES, _LEAST_SHARE * (len(tally.files) - len(explained)))
    return tuple(
        rule
        for rule in tally.proposals(least, without=explained)
        if normalize_path(rule.stash).rstrip("/") not in taken
    )


def used_rules(matches: Sequence[Match], layout: Layout) -> tuple[PathRule, ...]:
    """Those of a layout's rules that a HIGH match goes by."""
    located = [
        (normalize_path(one.candidates[0].scene_path), normalize_path(one.candidates[0].item_path))
        for one in matches
        if layout.rules and one.confidence is Confidence.HIGH
    ]
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


class Places:
    """The places certain pairs lead to, ready to be asked for many pairs."""

    def __init__(self, layout: Layout) -> None:
        self._roots: dict[str, list[str]] = {}
        for ours, theirs in sorted(layout.roots):
            ends = NormalizedPath(f"{ours}x"), NormalizedPath(f"{theirs}x")
            if split_prefixes(*ends) == (ours, theirs):
                self._roots.setdefault(ours, []).append(theirs)
        self._lengths = sorted({len(folder) for folder in self._roots})

    def leads(self, ours: NormalizedPath, theirs: NormalizedPath) -> bool:
        """Whether certain pairs lead from the folder of `ours` to just the place of `theirs`.

        That is whether what `split_prefixes` leaves of the two is one of the roots.
        """
        for length in self._lengths:
            for folder in self._roots.get(ours[:length], ()):
                if theirs.startswith(folder) and ours[length - 1 :] == theirs[len(folder) - 1 :]:
                    return True
        return False


# ---- Private -------------------------------------------------------------------------------------

_REMEMBERED_ROOTS = 6


class _Prefixes:
    """Splits many paths: most pairs are left with what one of the last few was left with."""

    def __init__(self) -> None:
        self._last: list[tuple[str, str]] = []

    def split(self, ours: NormalizedPath, theirs: NormalizedPath) -> tuple[str, str]:
        """Do what `split_prefixes` does."""
        for root in self._last:
            mine, other = root
            if (
                ours.startswith(mine)
                and theirs.startswith(other)
                and ours[len(mine) - 1 :] == theirs[len(other) - 1 :]
            ):
                return root
        root = split_prefixes(ours, theirs)
        self._last = [root, *self._last[: _REMEMBERED_ROOTS - 1]]
        return root


class _Tally:
    """What certain pairs vote for.

    Attributes:
        pairs: each pair once.
        files: the files of Stash they are of, in order.
        votes: by prefix pair, how many files say so.
    """

    def __init__(self, pairs: Iterable[Located]) -> None:
        self.pairs = list(dict.fromkeys(pairs))
        self.files = sorted({ours for ours, _ in self.pairs})
        self.votes: Counter[tuple[str, str]] = Counter()
        self._shared: dict[tuple[str, str], str] = {}
        prefixes = _Prefixes()
        for ours, theirs in self.pairs:
            root = prefixes.split(ours, theirs)
            self.votes[root] += 1
            folder = self._shared.get(root)
            if folder is None or not ours.startswith(folder):
                own = ours[: ours.rfind("/") + 1]
                self._shared[root] = own if folder is None else _common_folder(folder, own)

    def proposals(self, least: float, *, without: Iterable[str] = ()) -> list[PathRule]:
        """One rule for each folder of Stash that fits `least` files, the one for most first.

        Where its files are explained already, a folder has copies elsewhere, no other mount.
        """
        explained = sorted(without)
        found: dict[str, PathRule] = {}
        roots = [root for root, count in self.votes.items() if count >= least]
        for root in sorted(roots, key=lambda root: (-self.votes[root], root)):
            stash, plex = root
            count = self.votes[root]
            deeper = self._shared[root][len(stash) :]
            if stash == plex or count <= _below(explained, stash):
                continue
            rule = PathRule(
                stash=stash + deeper,
                plex=plex + deeper,
                explains=count,
                certain=_below(self.files, stash + deeper),
            )
            found.setdefault(rule.stash, rule)
        return list(found.values())

    def is_overwhelming(self, rule: PathRule) -> bool:
        """Whether nearly all files below a folder lie where a rule says, and nowhere else too."""
        length = len(rule.stash)
        elsewhere = foreign = 0
        for ours, theirs in self.pairs:
            if ours.startswith(rule.stash):
                elsewhere += theirs != rule.plex + ours[length:]
            elif theirs.startswith(rule.plex):
                foreign += 1
        most = (1.0 - _OVERWHELMING_SHARE) * rule.certain
        fits = rule.explains >= _OVERWHELMING_SHARE * rule.certain
        return fits and elsewhere <= most and foreign <= most


def _below(files: Sequence[str], folder: str) -> int:
    """Return how many of `files`, which are in order, lie below a folder, with its slash."""
    behind = folder[:-1] + chr(ord("/") + 1)
    return bisect_left(files, behind) - bisect_left(files, folder)


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


def _is_same_file(candidate: Candidate) -> bool:
    weights = {one.name: one.weight for one in candidate.evidence}
    against = any(weights.get(name, 0.0) < 0 for name in ("size", "duration", "frame", "oshash"))
    return not against and weights.get("size", 0.0) > 0 and weights.get("name", 0.0) > 0
