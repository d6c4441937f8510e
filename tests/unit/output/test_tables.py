"""Tables: true, harmless and within the terminal at every width."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from plexsync.models import Confidence, Credit, Outcome, PlexField, Policy
from plexsync.output import tables as report
from plexsync.output.tables import change_text
from tests.support.factories import (
    make_candidate,
    make_change,
    make_evidence,
    make_item_ref,
    make_low_row,
    make_preview,
    make_problem,
    make_row,
    make_scene_ref,
)

WIDTHS = (20, 40, 60, 89, 90, 100, 139, 140, 200)
LONG = "word " * 200
UNBROKEN = "x" * 300
WIDE = "日本語のタイトル" * 12


def shown(renderable: RenderableType, *, width: int = 100, colour: bool = False) -> str:
    """What a terminal of `width` columns is sent."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        markup=False,
        highlight=False,
        emoji=False,
        _environ={"TERM": "xterm-256color"},
    )
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def preview_text(*, width: int = 100, dry_run: bool = False, **fields: object) -> str:
    """A preview as shown."""
    preview = make_preview(**fields)
    return shown(report.preview_view(preview, width=width, dry_run=dry_run), width=width)


def flat(text: str) -> str:
    """Text with its line breaks and columns folded away."""
    return " ".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("title", [LONG, UNBROKEN, WIDE], ids=["words", "unbroken", "wide"])
def test_no_line_is_wider_than_the_terminal(width: int, title: str) -> None:
    """Whatever the texts are, nothing runs over the right edge."""
    row = make_row(
        scene=make_scene_ref(title=title, path=UNBROKEN),
        item=make_item_ref(title=title, library=title, path=UNBROKEN),
        reason=title,
        changes=(make_change(before=title, after=UNBROKEN),),
        outcome=Outcome.FAILED,
        error=make_problem(message=title, hint=UNBROKEN),
    )
    preview = make_preview(high=(row,), low=(row,))

    text = "".join(
        shown(view, width=width)
        for view in (
            report.preview_view(preview, width=width, dry_run=True, verbose=True),
            report.failed_table((row,), total=1, width=width),
            report.row_block(row, evidence=True),
        )
    )

    assert max(cell_len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_what_matters_is_shown_at_every_width(width: int) -> None:
    """Narrow terminals lose the columns, never the content."""
    text = flat(preview_text(width=width))

    for part in ("HIGH", "LOW", "title", "->", "42", "9120"):
        assert part in text


@pytest.mark.parametrize("width", [24, 30, 44])
def test_names_of_fields_are_whole_in_the_narrowest_terminal(width: int) -> None:
    """They stand above their values where both do not fit beside each other."""
    change = make_change(field="studio.collection", before="", after="Long Shore")
    row = make_row(changes=(change,))

    text = preview_text(width=width, high=(row,))

    assert "studio.collection" in text
    assert "Long Shore" in flat(text)


def test_changes_get_most_of_a_table() -> None:
    """At 100 columns the long name of a field and a short text stand on one line."""
    row = make_row(
        scene=make_scene_ref(title=LONG),
        item=make_item_ref(title=LONG),
        changes=(
            make_change(field="studio.collection", before="", after="Long Shore Nature"),
            make_change(field="title", before="", after="a title of twenty-nine letters"),
        ),
    )

    assert "(empty) -> a title of twenty" in preview_text(width=100, high=(row,))


@pytest.mark.parametrize("width", [60, 100, 200])
def test_names_and_changes_stand_whole_at_usual_widths(width: int) -> None:
    """At the widths people use, short texts are not broken."""
    text = preview_text(width=width)

    assert "Beach Day" in text
    assert "beach-day -> Beach Day" in text
    assert "two items are equally plausible" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_are_wrapped_not_cut(width: int) -> None:
    """Every letter of a name is on the screen, however narrow it is."""
    title = "ж" * 150
    row = make_row(scene=make_scene_ref(title=title), item=make_item_ref(title=title))

    text = preview_text(width=width, high=(row,), low=(row,))

    assert text.count("ж") == 4 * len(title)


def test_server_text_is_never_markup() -> None:
    """Square brackets are letters like any other."""
    row = make_row(
        scene=make_scene_ref(title="[bold]A[/bold] [/] :smile:"),
        item=make_item_ref(title="[link=x]b[/link]"),
        changes=(make_change(after="[red]c"),),
        reason="[d]",
    )

    text = preview_text(high=(row,), width=200)

    for part in ("[bold]A[/bold] [/] :smile:", "[link=x]b[/link]", "[red]c", "[d]"):
        assert part in text


def test_server_text_cannot_steer_the_terminal() -> None:
    """Escape sequences, line breaks and direction controls do not reach the screen."""
    evil = "a\x1b[2Jb\r\nc\u202ed\x9bm"
    row = make_row(
        scene=make_scene_ref(title=evil, path=evil),
        item=make_item_ref(title=evil, library=evil, path=evil),
        changes=(
            make_change(field=evil, before=evil, after=evil + "!"),
            make_change(target=PlexField.GENRES, before=(evil,), after=(evil + "!",)),
        ),
        reason=evil,
        evidence=(make_evidence(name=evil, value=evil),),
        outcome=Outcome.FAILED,
        error=make_problem(message=evil, hint=evil),
    )

    text = "".join(
        shown(view, width=width)
        for width in (60, 200)
        for view in (
            report.preview_view(
                make_preview(high=(row,), low=(row,)), width=width, dry_run=True, verbose=True
            ),
            report.failed_table((row,), total=1, width=width),
            report.row_block(row, evidence=True),
        )
    )

    assert not set(text) & set("\x1b\r\u202e\x9b")


def test_colours_are_sent_only_where_there_are_some() -> None:
    """The same view is plain on a console without colours and styled on one with."""
    view = report.preview_view(make_preview(), width=100, dry_run=False)

    assert "\x1b[" in shown(view, colour=True)
    assert "\x1b" not in shown(view)


# ---- What the headlines promise ------------------------------------------------------------------


def test_dry_run_promises_nothing() -> None:
    """A dry run says what would be, a real run what will be."""
    assert "would be written" in preview_text(dry_run=True)
    assert "will be written" in preview_text(dry_run=False)
    assert "would" not in preview_text(dry_run=False)


def test_headline_counts_changes_among_matches() -> None:
    """Unchanged matches are counted apart from those that change."""
    text = preview_text(high=(make_row(), make_row()), high_total=4000)

    assert "HIGH: 2 of 4,000 matches will be written" in text


def test_headline_is_careful_when_not_all_is_compared() -> None:
    """With more to compare, no number of changes is claimed."""
    text = preview_text(high_total=4000, more_changes=True)

    assert "HIGH: 4,000 matches, those that differ will be written" in text
    assert "… and up to 3,999 more, compared as they are written (-v shows all)" in text
    none = preview_text(high=(), high_total=10, more_changes=True)
    assert "… up to 10, compared as they are written (-v shows all)" in none


def test_no_changes_are_reported_to_be_none() -> None:
    """A library that is as it should be gets one line, not an empty table."""
    text = preview_text(high=(), low=(), high_total=12, low_total=0)

    assert text == "HIGH: 12 matches, nothing to change\n"


def test_no_high_match_is_reported() -> None:
    """Only LOW matches: the first table is a sentence."""
    assert "HIGH: no match is certain enough to write" in preview_text(high=(), high_total=0)


def test_long_tables_say_how_many_more() -> None:
    """The first rows are shown, the rest counted."""
    rows = (make_row(),) * (report.MOST_ROWS + 3)
    low = (make_low_row(),) * report.MOST_ROWS

    text = preview_text(high=rows, high_total=9999, low=low, low_total=4332)

    assert "… and 3 more (-v shows all)" in text
    assert "… and 4,312 more" in text
    assert text.count("two items are equally plausible") == report.MOST_ROWS


def test_full_tables_do_not_speak_of_more() -> None:
    """Exactly as many rows as are shown: no "more"."""
    rows = (make_row(),) * report.MOST_ROWS

    assert "more" not in preview_text(high=rows, high_total=len(rows), low=(), low_total=0)


@pytest.mark.parametrize("width", [60, 100])
def test_low_match_that_is_written_is_marked(width: int) -> None:
    """With strict_matching off a LOW row is among those to be written, and says so."""
    row = make_row(confidence=Confidence.LOW, score=0.62, reason="a resemblance; applied because")

    text = preview_text(high=(row,), low=(), low_total=0, width=width)
    assert "LOW, applied because" in flat(text)


# ---- LOW -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize(("count", "words"), [(1, "1"), (9, "9"), (10, "10+")])
def test_low_rows_count_their_candidates(width: int, count: int, words: str) -> None:
    """Ten candidates are as many as a row holds, so ten means ten or more."""
    row = make_low_row(candidates=(make_candidate(),) * count)

    text = flat(shown(report.low_table((row,), width=width), width=width))

    assert f" {words} two items" in text or f" {words} candidate" in text


@pytest.mark.parametrize("width", [60, 100])
def test_low_rows_show_what_a_person_compares_and_no_probability(width: int) -> None:
    """Sizes and lengths of both sides decide at a glance; a score of 0.99999 was often wrong."""
    candidate = make_candidate(facts="size 2.4 GB here, 1.1 GB there; 53:10 against 48:02")
    row = make_low_row(candidates=(candidate,), score=0.62)

    text = flat(shown(report.low_table((row,), width=width), width=width))

    assert "size 2.4 GB here, 1.1 GB there; 53:10 against 48:02" in text
    assert "0.62" not in text


# ---- Changes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("old", "new", "old -> new"),
        ("", "new", "(empty) -> new"),
        ("old", "", "old -> (empty)"),
        (("a", "b"), ("b", "c"), "+c, -a"),
        ((), ("a", "b"), "+a, +b"),
        (("a",), (), "-a"),
        (("a", "b"), ("b", "a"), "same names in another order"),
        ("", ("a",), "+a"),
    ],
    ids=["text", "filled", "cleared", "both", "added", "removed", "reordered", "mixed"],
)
def test_change_reads_as_before_and_after(
    before: str | tuple[str, ...], after: str | tuple[str, ...], expected: str
) -> None:
    """Texts are shown old -> new, lists as what comes and what goes."""
    change = make_change(before=before, after=after, policy=Policy.MERGE)

    assert change_text(change).plain == expected


def test_long_texts_are_shortened_around_the_difference() -> None:
    """Of two long texts, the place where they part is what a person needs to see."""
    start = "The same beginning, " * 20

    plain = change_text(make_change(before=start + "then old.", after=start + "then new.")).plain

    assert "then old." in plain
    assert "then new." in plain
    assert len(plain) < 100
    assert plain.startswith("…")


def test_long_text_that_differs_at_once_keeps_its_beginning() -> None:
    """No ellipsis in front where nothing was left out."""
    plain = change_text(make_change(before="", after="Once upon a time. " * 50)).plain

    assert plain.startswith("(empty) -> Once upon")
    assert plain.endswith("…")


def test_long_texts_are_whole_when_asked_for() -> None:
    """`-v` cuts nothing."""
    change = make_change(before=LONG, after=LONG + "end")

    assert change_text(change, verbose=True).plain == f"{LONG} -> {LONG}end"


def test_long_lists_are_counted() -> None:
    """Many names: the first ones, and how many more."""
    names = tuple(f"n{number}" for number in range(20))

    plain = change_text(make_change(before=(), after=names)).plain

    assert plain == "+n0, +n1, +n2, +n3, +n4, +n5, +n6, +n7 … and 12 more"


# ---- Rows as they happen -------------------------------------------------------------------------


def test_row_line_says_why_it_failed() -> None:
    """A failure shows message and hint under the row."""
    row = make_row(outcome=Outcome.FAILED, error=make_problem())

    text = shown(report.row_block(row))

    assert text.startswith("failed    Beach Day (scene 42) -> beach-day (Scenes 9120)")
    assert "Plex answered 503 three times" in text
    assert "is Plex starting?" in text


def test_row_line_without_candidate_says_so() -> None:
    """No item: no empty brackets."""
    row = make_row(item=None, confidence=None, outcome=Outcome.UNMATCHED, reason="nothing alike")

    assert "-> no candidate" in shown(report.row_block(row))


def test_row_line_shows_evidence_when_asked() -> None:
    """Every comparison with its weight in bits."""
    text = shown(report.row_block(make_row(), evidence=True))

    assert "+21.4 bits  path: equal after rule /data/ -> /media/" in text


def test_untitled_scene_goes_by_its_file() -> None:
    """A scene without a title is known by its file's name, of either kind of path."""
    row = make_row(scene=make_scene_ref(title="", path="C:\\v\\clip.mp4"))

    assert "clip.mp4 (scene 42)" in shown(report.row_block(row))


def test_an_actor_credited_otherwise_is_reported_with_the_credit() -> None:
    """Only the part of it that moves, and only of those it moves for."""
    change = make_change(
        field="performers",
        target=PlexField.ACTORS,
        before=("Ann", "Bo"),
        after=("Ann", "Bo", "Cy"),
        credits_before={"ann": Credit(role="One", photo="http://p"), "bo": Credit(role="Two")},
        credits_after={"ann": Credit(role="Uno"), "cy": Credit(role="Three", photo="http://c")},
    )
    text = change_text(change).plain
    assert text == "+Ann as Uno, +Cy as Three (photo http://c), -Ann as One"
