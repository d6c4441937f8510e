"""The kind of a reason: what it says of many pairs, without what it says of one."""

from __future__ import annotations

import pytest

from plexsync.matching.wording import Why, reason_kind


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (
            "name equal, but the size differs: size 5 bytes here, 6 there",
            "name equal, but the size differs: …",
        ),
        (
            "another scene has as good a claim to this item: scene 3 (/a (b): c.mp4) (size equal)",
            "another scene has as good a claim to this item: … (size equal)",
        ),
        (
            "2 items fit about equally well (name equal); the other one is item 9 in A (/x.mp4)",
            "… items fit about equally well (name equal); the other one is …",
        ),
        ("name equal: not enough to be sure", "name equal: not enough to be sure"),
        ("a person answered something about scene 12", "a person answered something about scene #"),
    ],
)
def test_a_kind_leaves_out_what_is_of_one_pair(reason: str, kind: str) -> None:
    """Evidence stays, ids, paths and numbers go; a path may look like anything."""
    assert reason_kind(reason) == kind


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_a_kind_of_its_own(why: Why) -> None:
    """Two pairs of one cause are alike, whatever they are called."""
    texts = {"agreed": "name equal", "against": "the size differs"}
    names = ("scene", "item", "facts", "count", "length", "path")
    one = why.value.format(**texts, **dict.fromkeys(names, "scene 1 (/a; b (c).mp4)"))
    other = why.value.format(**texts, **dict.fromkeys(names, "item 22: «x»"))
    assert reason_kind(one) == reason_kind(other)
    assert "/a" not in reason_kind(one)
