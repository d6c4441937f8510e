"""Which scenes take part, by what is configured and by what Stash's hierarchy says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plexsync.models import RelatedId, Scene
from plexsync.planning.participation import Participants, strange_names
from plexsync.planning.relations import UNKNOWN, nested_text
from tests.support.factories import make_scene, make_scene_file

NAMES = {
    RelatedId("t1"): nested_text("Place"),
    RelatedId("t2"): nested_text("Lake", "1"),
    RelatedId("t3"): nested_text("Pond", "2", "9"),
    RelatedId("t9"): nested_text("Circle", "3"),
    RelatedId("s1"): nested_text("Network"),
    RelatedId("s2"): nested_text("Site", "1"),
    RelatedId("s3"): nested_text("Lake"),
    RelatedId("p1"): "Place\x1fpart",
}

SCENES = {
    "plain": make_scene(),
    "lake": make_scene(shows=(RelatedId("t2"),)),
    "pond": make_scene(shows=(RelatedId("t3"),)),
    "site": make_scene(shows=(RelatedId("s2"),)),
    "other": make_scene(shows=(RelatedId("s3"),)),
    "private": make_scene(files=(make_scene_file(path="/data/private/a.mp4"),)),
    "both": make_scene(
        files=(make_scene_file(), make_scene_file(path="/data/private/b.mp4")),
    ),
}


@pytest.mark.parametrize(
    ("wanted", "taking_part"),
    [
        (Participants(), {*SCENES}),
        (Participants(include_tags=("PLACE",)), {"lake", "pond"}),
        (Participants(exclude_tags=("lake",)), {"plain", "site", "other", "private", "both"}),
        (Participants(include_studios=("network",)), {"site"}),
        (Participants(include_studios=("Lake",)), {"other"}),
        (Participants(exclude_studios=("Network",)), {*SCENES} - {"site"}),
        (Participants(include_paths=("/data/private/",)), {"private", "both"}),
        (Participants(exclude_paths=("/data/private",)), {*SCENES} - {"private", "both"}),
        (Participants(exclude_paths=("/data/priv",)), {*SCENES}),
        (Participants(include_tags=("Place",), exclude_tags=("Pond",)), {"lake"}),
        (Participants(include_tags=("unknown",)), set()),
        (Participants(exclude_tags=("unknown",)), {*SCENES}),
    ],
)
def test_names_count_with_all_below_them(wanted: Participants, taking_part: set[str]) -> None:
    """What keeps out wins; a circle in the hierarchy ends; folders are whole names."""
    found = wanted.among(NAMES)
    assert {name for name, scene in SCENES.items() if found.refusal(scene) is None} == taking_part


@pytest.mark.parametrize("path", [r"D:\Films\a.mp4", "d:/films/a.mp4", "D:\\FILMS\\sub\\b.mp4"])
def test_the_case_of_a_windows_folder_does_not_matter(path: str) -> None:
    """As for path rules."""
    found = Participants(exclude_paths=(r"d:\films",)).among({})
    assert found.refusal(make_scene(files=(make_scene_file(path=path),)))


def test_a_wrong_spelling_is_answered_with_what_was_meant() -> None:
    """Of the same kind; a performer of the name is no tag."""
    wanted = {
        "[stash] include_tags": ("Plaec", "Lake"),
        "[collections] tags": ("pond", "Lkae"),
        "[stash] exclude_studios": ("Netwrok", "xyzzy", "Place"),
    }
    found = tuple(strange_names(wanted, NAMES))
    assert found == (
        "[stash] include_tags: Stash has no tag 'Plaec'; did you mean 'Place'?",
        "[collections] tags: Stash has no tag 'Lkae'; did you mean 'Lake'?",
        "[stash] exclude_studios: Stash has no studio 'Netwrok'; did you mean 'Network'?",
        "[stash] exclude_studios: Stash has no studio 'xyzzy'",
        "[stash] exclude_studios: Stash has no studio 'Place'" + found[-1].partition("'Place'")[2],
    )


@pytest.mark.parametrize(
    ("before", "concerned"),
    [
        ({}, set()),
        ({"t1": "Spot"}, {"t1", "t2", "t3", "t9"}),
        ({"t2": nested_text("Lake")}, {"t2", "t3", "t9"}),
        ({"s2": nested_text("Site")}, {"s2"}),
        ({"s3": nested_text("Sea")}, set()),
        ({"t2": UNKNOWN}, {"t2", "t3", "t9"}),
        ({"t7": UNKNOWN, "p1": UNKNOWN}, {"t7"}),
    ],
)
def test_what_decides_otherwise_is_found(before: dict[str, str], concerned: set[str]) -> None:
    """A rename, another parent, and what was not known when the last run ended."""
    wanted = Participants(include_tags=("Place",), exclude_studios=("Network",))
    then = {**NAMES, **{RelatedId(one): text for one, text in before.items()}}
    assert wanted.concerned(then, NAMES) == concerned
    assert not Participants(include_paths=("/data",)).concerned(then, NAMES)


@pytest.mark.parametrize(
    ("scene", "required", "refused"),
    [
        (make_scene(), ("stash_id",), ("require_stash_id", "is identified by no stash-box", True)),
        (make_scene(), ("date", "stash_id"), ("required", "waits for date", True)),
        (make_scene(), (), ("organized_only", "is not organized", False)),
        (
            make_scene(shows=(RelatedId("t9"),)),
            ("date",),
            ("exclude_tags", "has an excluded tag (Circle)", False),
        ),
    ],
    ids=["stash-box", "fields", "organized", "left out for good"],
)
def test_what_a_scene_still_needs_comes_last(
    scene: Scene, required: tuple[str, ...], refused: tuple[str, str, bool]
) -> None:
    """One that waits for its curator is not taken for one that takes no part at all."""
    rules = Participants(exclude_tags=("Circle",))
    found = rules.among(NAMES, organized_only=not required, required=frozenset(required))
    why = found.refusal(scene)
    assert why is not None
    assert (*why, why.is_unready) == refused
    assert found.needs_relations
    assert (
        found.refusal(replace(scene, shows=(), organized=True, filled=frozenset(required))) is None
    )
    assert Participants().among({}, required=frozenset({"date"})).needs_relations
    assert not Participants(include_paths=("/data",)).among({}).needs_relations
