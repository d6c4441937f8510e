"""Path rules are proposed where certain pairs agree on them."""

from __future__ import annotations

import pytest

from plexsync.matching.layout import (
    PlaceNumbers,
    learn_layout,
    locate_pair,
    propose_rules,
    split_prefixes,
)
from plexsync.models import Confidence, Evidence, Match, PathRule
from plexsync.text.normalize import NormalizedPath, normalize_path
from tests.support.factories import make_candidate, make_match


def _match(ours: str, theirs: str, confidence: Confidence = Confidence.HIGH) -> Match:
    evidence = (
        Evidence(name="name", value="equal", weight=20.0),
        Evidence(name="size", value="equal to the byte", weight=24.0),
    )
    candidate = make_candidate(scene_path=ours, item_path=theirs, evidence=evidence)
    return make_match(confidence=confidence, candidates=(candidate,))


def _matches(stash: str, plex: str, count: int) -> list[Match]:
    return [_match(f"{stash}/a/{n}.mp4", f"{plex}/a/{n}.mp4") for n in range(count)]


@pytest.mark.parametrize(
    ("ours", "theirs", "prefixes"),
    [
        ("/data/a/x.mp4", "/media/a/x.mp4", ("/data/", "/media/")),
        ("/data/a/x.mp4", "/a/x.mp4", ("/data/", "/")),
        ("/data/a/x.mp4", "/data/a/x.mp4", ("/", "/")),
        ("D:\\Videos\\a\\x.mp4", "/media/a/x.mp4", ("D:/Videos/", "/media/")),
        ("/data/aa/x.mp4", "/media/a/x.mp4", ("/data/aa/", "/media/a/")),
    ],
)
def test_prefixes_are_what_the_equal_end_leaves(
    ours: str, theirs: str, prefixes: tuple[str, str]
) -> None:
    """Whole folder names only."""
    assert split_prefixes(normalize_path(ours), normalize_path(theirs)) == prefixes


_FOLDERS = ("/", "/a/", "/a/a/", "/b/", "/b/a/", "/ba/", "D:/a/")
_PATHS = [NormalizedPath(f"{folder}{name}") for folder in _FOLDERS for name in ("x", "y")]


def test_the_number_of_a_place_stands_for_what_splitting_the_pair_says() -> None:
    """Pairs in the same two folders are split once, whatever else lies there."""
    places = PlaceNumbers()
    for ours in _PATHS:
        for theirs in _PATHS:
            place = places.known[places.number(ours, theirs)]
            assert place == locate_pair(ours, theirs), (ours, theirs)
            assert place.root == split_prefixes(ours, theirs)


def test_rules_are_proposed_by_how_much_they_explain() -> None:
    """The most useful proposal comes first, with its count."""
    found = propose_rules(_matches("/one", "/1", 3) + _matches("/two", "/2", 5))
    assert found == (
        PathRule(stash="/two/a/", plex="/2/a/", explains=5, certain=5),
        PathRule(stash="/one/a/", plex="/1/a/", explains=3, certain=3),
    )


@pytest.mark.parametrize("rules", [(), (PathRule(stash="/two", plex="/2"),)])
def test_pairs_counted_by_place_propose_what_they_propose_one_by_one(
    rules: tuple[PathRule, ...],
) -> None:
    """One pair of each place stands for all that lie there."""
    places = (("/one", "/1", 3), ("/two", "/2", 50), ("/three", "/one", 4), ("/same", "/same", 9))
    matches = [one for place in places for one in _matches(*place)]
    lone = {
        (normalize_path(f"{stash}/a/0.mp4"), normalize_path(f"{plex}/a/0.mp4")): count
        for stash, plex, count in places
    }
    found = propose_rules([], lone=lone, rules=rules)
    assert found
    assert found == propose_rules(matches, rules=rules)


def test_a_folder_of_any_name_may_have_a_rule_of_its_own() -> None:
    """A rule for a folder in it says nothing about the files that lie beside that."""
    rules = (PathRule(stash="/one", plex="/1"), PathRule(stash="/one/a/x", plex="/2"))
    matches = _matches("/one", "/1", 9)
    assert propose_rules(matches, rules=rules) == ()
    assert learn_layout(
        [(normalize_path(f"/one/{at}.mp4"), normalize_path(f"/1/{at}.mp4")) for at in range(20)],
        rules=[PathRule(stash="/one/x", plex="/2")],
    ).rules == (PathRule(stash="/one/", plex="/1/", explains=20, certain=20),)


def test_two_files_make_no_rule() -> None:
    """They may as well have moved."""
    assert propose_rules(_matches("/one", "/1", 2)) == ()


def test_small_share_makes_no_rule() -> None:
    """A handful among hundreds are files that moved."""
    found = propose_rules(_matches("/one", "/1", 3) + _matches("/two", "/2", 300))
    assert [rule.stash for rule in found] == ["/two/a/"]


def test_equal_paths_and_known_rules_need_none() -> None:
    """What is explained already is not proposed."""
    known = (PathRule(stash="/two", plex="/2"),)
    assert propose_rules(_matches("/same", "/same", 5)) == ()
    assert propose_rules(_matches("/two", "/2", 5), rules=known) == ()


def test_copies_beside_an_explained_folder_make_no_rule() -> None:
    """A folder a rule explains has a backup elsewhere, not a second mount."""
    known = (PathRule(stash="/two", plex="/2"),)
    copies = [_match(f"/two/b/{n}.mp4", f"/backup/b/{n}.mp4", Confidence.LOW) for n in range(4)]
    assert propose_rules(_matches("/two", "/2", 5) + copies, rules=known) == ()


def test_equal_files_of_a_low_match_count() -> None:
    """Copies keep a match LOW; a rule may be just what it lacks."""
    low = [_match(f"/two/b/{n}.mp4", f"/2/b/{n}.mp4", Confidence.LOW) for n in range(4)]
    assert propose_rules(low) == (PathRule(stash="/two/b/", plex="/2/b/", explains=4, certain=4),)


def test_a_rule_reaches_no_further_than_its_files() -> None:
    """Files of one archive say nothing of the folders beside it."""
    found = propose_rules(
        [_match(f"/data/archive/{n}/x.mp4", f"/media/archive/{n}/x.mp4") for n in range(4)]
    )
    assert found == (
        PathRule(stash="/data/archive/", plex="/media/archive/", explains=4, certain=4),
    )


def test_a_folder_of_stash_gets_one_rule_that_says_how_many_files_it_fits() -> None:
    """The configuration accepts no second one, and a person sees what the first leaves out."""
    there = [_match(f"/data/b/{n}.mp4", f"/media/b/{n}.mp4") for n in range(5)]
    here = [_match(f"/data/b/x{n}.mp4", f"/other/b/x{n}.mp4") for n in range(3)]
    assert propose_rules(there + here) == (
        PathRule(stash="/data/b/", plex="/media/b/", explains=5, certain=8),
    )


def _located(stash: str, plex: str, count: int) -> list[tuple[NormalizedPath, NormalizedPath]]:
    return [
        (normalize_path(f"{stash}/{n % 3}/{n}.mp4"), normalize_path(f"{plex}/{n % 3}/{n}.mp4"))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("pairs", "rules"),
    [
        (_located("/data", "/media", 20), ["/data/"]),
        (_located("/data", "/media", 19), []),
        (_located("/data", "/media", 20) + _located("/data", "/backup", 20), []),
        (_located("/data", "/media", 20) + _located("/old", "/media", 20), []),
        (_located("/data", "/media", 50) + _located("/data/x", "/else", 1), ["/data/"]),
        (_located("/data", "/data", 50), []),
    ],
    ids=["enough", "too few", "copies", "two folders in one", "one moved", "the same path"],
)
def test_only_an_unambiguous_layout_counts_as_a_rule(
    pairs: list[tuple[NormalizedPath, NormalizedPath]], rules: list[str]
) -> None:
    """Nearly all files of a folder lie where it says, and no others do."""
    assert [rule.stash for rule in learn_layout(pairs).rules] == rules


def test_a_root_is_known_from_three_files_on() -> None:
    """Two may as well have moved."""
    assert not learn_layout(_located("/data", "/media", 2)).roots
    assert learn_layout(_located("/data", "/media", 3)).roots == {("/data/", "/media/")}
