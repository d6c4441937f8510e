"""Review screens, kept as text: at 60, 100 and 200 columns, whatever the texts hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from plexsync.models import PathRule, PlexField, RatingKey, SceneId
from plexsync.review.ahead import LinkPreview
from tests.support.factories import (
    make_change,
    make_item,
    make_plex_file,
    make_scene,
    make_scene_file,
)
from tests.support.review_factories import FakeActions, make_waiting, shown, start_review, type_keys

if TYPE_CHECKING:
    from plexsync.review.machine import Review

SCREENS = Path(__file__).parent / "screens"
WIDTHS = (60, 100, 200)

CHANGES = {
    RatingKey("9001"): LinkPreview(
        changes=(
            make_change(before="clip_number_1", after="Clip Number 1"),
            make_change(
                field="tags",
                target=PlexField.GENRES,
                before=("Beach", "Boats"),
                after=("Beach", "Sea"),
            ),
        ),
        kept=("summary",),
        item=make_item(
            rating_key=RatingKey("9001"),
            date="2024-05-02",
            files=(
                make_plex_file(
                    path="/media/films/clip-1.mp4", duration_s=620.1, size_bytes=700_000_000
                ),
            ),
        ),
    )
}

SAME_FACTS = ("  length", "  size", "  frame", "  date")
"""What a screen without space leaves out while it does not differ."""

EVIL = "\x1b[2J[bold]x[/bold]\u202e\u0007 日本語のタイトル 👩\u200d👩\u200d👧 " + "w" * 90


def scene() -> Review:
    """Three scenes, the first with two candidates."""
    review = start_review(make_waiting(1, (9001, 9002)), make_waiting(2), make_waiting(3))
    review.open_scene(SceneId("1"))
    return review


STATES = {
    "scene": (),
    "refused": ("r",),
    "help": ("?",),
    "group": ("left", "g"),
    "typing": ("i", "a trailer"),
    "left-out": ("left", "g", "x"),
    "end": ("a", "n", "l"),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", STATES)
def test_screens_look_as_they_were_kept(name: str, width: int) -> None:
    """Any change of a screen is seen in the diff of its text."""
    text = shown(type_keys(scene(), *STATES[name]), width, previews=CHANGES)
    kept = SCREENS / f"{name}-{width}.txt"
    assert text == kept.read_text(encoding="utf-8"), f"if it is better so, keep it as {kept.name}"


def test_a_path_rule_is_offered_where_it_makes_both_paths_one() -> None:
    """With that rule known already there is nothing to add."""
    actions = FakeActions()
    review = start_review(make_waiting(1), actions=actions)
    assert "p path rule" in shown(review)
    actions.known.append(PathRule(stash="/data/clips/", plex="/media/films/"))
    assert "path rule" not in shown(review)


def test_sizes_that_differ_never_look_the_same() -> None:
    """A replaced file of nearly the same size: in the unit people use nobody sees it."""
    review = scene()
    (path,) = (one.item_path for one in review.waiting.candidates[:1])
    file = make_plex_file(path=path, size_bytes=700_000_001)
    previews = {RatingKey("9001"): LinkPreview(item=make_item(files=(file,)))}
    text = shown(review, 100, previews=previews)
    assert "700,000,000 bytes" in text
    assert "700,000,001 bytes  differs" in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("keys", [(), ("g",), ("i", EVIL), ("p",), ("a",)], ids=str)
def test_texts_of_servers_keep_the_layout(keys: tuple[str, ...], width: int) -> None:
    """No escape, no markup, no line wider than the screen."""
    waiting = make_waiting(1)
    candidate = waiting.candidates[0]
    made = {"title": EVIL, "item_path": f"/media/{EVIL}.mp4", "library": EVIL}
    evil = make_waiting(
        1,
        scene=make_scene(scene_id="1", title=EVIL, files=(make_scene_file(path=f"/{EVIL}.mp4"),)),
        match=replace(waiting.match, candidates=(replace(candidate, **made),), reason=EVIL),
    )
    previews = {candidate.rating_key: LinkPreview(changes=(make_change(before=EVIL, after="y"),))}
    text = shown(type_keys(start_review(evil, make_waiting(2)), *keys), width, previews=previews)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    if not keys:
        assert "[bold]x[/bold]" in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("height", [12, 24, 50])
@pytest.mark.parametrize("keys", [(), ("g",), ("?",)], ids=["scene", "group", "help"])
def test_a_screen_too_long_comes_in_pages(keys: tuple[str, ...], height: int, width: int) -> None:
    """None is higher than the terminal, each has the keys, and together they hold every line."""
    scenes = [make_waiting(number) for number in range(1, 41)]
    scenes[0] = scenes[0] if keys else make_waiting(1, range(9001, 9011))
    review = type_keys(start_review(*scenes), *keys)
    mode = review.mode
    whole = shown(review, width).splitlines()
    pages = []
    for _ in range(40):
        pages.append(shown(review, width, height=height).splitlines())
        type_keys(review, "v")
        assert review.mode is mode
    assert max(map(len, pages)) <= height
    assert all(page[-1] == whole[-1] for page in pages)
    seen = {line for page in pages for line in page}
    brief = {line for line in whole if line.startswith(("     /media", *SAME_FACTS))}
    assert set(whole) - brief <= seen


def test_a_short_screen_leaves_out_the_paths_of_other_candidates() -> None:
    """What matters of the one in focus stays on the first page."""
    review = start_review(make_waiting(1, range(9001, 9009)))
    text = shown(review, 80, height=24)
    assert "against" in text
    assert text.count("/media/films/") + text.count("/[media]/[films]/") == 1
    assert shown(review, 80, height=60).count("/media/films/") == 7
    twin = replace(review.waiting.candidates[1], title="clip 9001")
    two = (review.waiting.candidates[0], twin, *review.waiting.candidates[2:])
    match = replace(review.waiting.match, candidates=two)
    review = start_review(replace(review.waiting, match=match))
    assert shown(review, 80, height=24).count("/media/films/") == 1, "only paths tell them apart"


def test_any_other_key_goes_back_to_the_first_page() -> None:
    """The next scene does not begin in its middle."""
    review = start_review(make_waiting(1, range(9001, 9011)), make_waiting(2, range(9001, 9011)))
    type_keys(review, "v", "right")
    assert shown(review, 80, height=12).startswith("Review 2 of 2")
