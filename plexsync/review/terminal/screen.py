"""Screens of a review as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.matcher import Verb
from plexsync.review.interfaces import Mode
from plexsync.review.terminal.layout import LabelledText, Line, laid_out, page_of
from plexsync.review.terminal.parts import (
    candidates_part,
    changes_part,
    evidence_part,
    scene_part,
    shown_file_name,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from plexsync.matcher import SceneAnswers
    from plexsync.models import RatingKey
    from plexsync.review.interfaces import LinkPreview, Question
    from plexsync.review.machine import Review
    from plexsync.state import Waiting


def scene_lines(
    waiting: Waiting,
    *,
    said: SceneAnswers,
    notes: Mapping[RatingKey, Sequence[str]],
    previews: Mapping[RatingKey, LinkPreview],
    marks: bool,
) -> list[Line]:
    """All there is about one scene, each candidate with its evidence and changes."""
    lines = [*scene_part(waiting), Text()]
    if answer := answer_words(said):
        lines += [words(answer, "cyan"), Text()]
    shown = answer_marks(said)
    lines += candidates_part(waiting, -1, notes=notes, marks=shown)
    for place, candidate in enumerate(waiting.candidates):
        lines += [Text(), words(f"Candidate {place + 1}, item {candidate.rating_key}", "bold")]
        lines += evidence_part(candidate, waiting, place)
        known = previews.get(candidate.rating_key)
        lines += changes_part(known, candidate, waiting.scene, marks=marks)
    return lines


def answer_marks(said: SceneAnswers) -> dict[RatingKey, str]:
    """What was answered about each item."""
    marks = {one.rating_key: "not this one" for one in said.refusals}
    return marks | {pin.rating_key: "accepted" for pin in said.pins}


def answer_words(said: SceneAnswers) -> str:
    """What was answered about the scene as a whole; "" for nothing."""
    if said.ignored is not None:
        why = f": {said.ignored.reason}" if said.ignored.reason else ""
        return f"You ignore this scene{why}."
    if said.pins:
        keys = ", ".join(pin.rating_key for pin in said.pins)
        return f"You accepted item {keys}."
    return "You said that it is not in Plex." if said.absent else ""


# ---- One screen of a review ----------------------------------------------------------------------


def screen_rows(
    review: Review,
    console: Console,
    *,
    previews: Mapping[RatingKey, LinkPreview],
    marks: bool,
    height: int = 0,
) -> list[Text]:
    """The screen as lines that fit the width of `console`.

    Args:
        review: what to show.
        console: measures; nothing is printed.
        previews: what accepting the candidates would write, as far as it is known.
        marks: show differences by marks, too, for screens without colour.
        height: rows there are; evidence and changes are cut to fit. 0: cut nothing.
    """
    foot = laid_out(_foot(review, console.width), console)
    rows = height - len(foot) - 1 if height else 0
    body = laid_out(_lines(review, previews, marks=marks, width=console.width), console)
    if rows and len(body) > rows and review.mode in _SCENES:
        brief = _lines(review, previews, marks=marks, width=console.width, brief=True)
        body = laid_out(brief, console)
    if rows:
        body = page_of(body, review.page, most=rows)
    return [*body, Text(), *foot]


_SCENES = frozenset({Mode.SCENE, Mode.PROMPT})


def _lines(
    review: Review,
    previews: Mapping[RatingKey, LinkPreview],
    *,
    marks: bool,
    width: int,
    brief: bool = False,
) -> list[Line]:
    """What is above the keys; `brief` leaves out what another key brings to the screen."""
    if review.mode is Mode.END:
        return list(_end_lines(review))
    if review.mode is Mode.HELP:
        return [LabelledText(Text(f"  {keys:<8}", "bold cyan"), Text(does)) for keys, does in HELP]
    if review.mode is Mode.HITS:
        return _hit_lines(review)
    if review.mode is Mode.CONFIRM and review.question is not None:
        return _question_lines(review.question)
    waiting = review.waiting
    said = review.answers.recorded(waiting.scene_id)
    lines = [_heading(review, width), *scene_part(waiting), Text()]
    if answer := answer_words(said):
        lines += [words(answer, "cyan"), Text()]
    lines += candidates_part(
        waiting,
        review.focus,
        notes={one.rating_key: review.notes(one) for one in waiting.candidates},
        marks=answer_marks(said),
        brief=brief,
    )
    candidate = review.candidate
    if candidate is not None:
        lines += [Text(), *evidence_part(candidate, waiting, review.focus), Text()]
        known = previews.get(candidate.rating_key)
        lines += changes_part(known, candidate, waiting.scene, marks=marks)
    return lines


def _heading(review: Review, width: int) -> Text:
    answered = f", {len(review.answered):,} answered" if review.answered else ""
    text = f"Review {review.at + 1:,} of {len(review.queue):,}{answered} "
    return Text(text + "-" * max(0, width - len(text)), style="dim", overflow="crop")


def _foot(review: Review, width: int) -> list[Line]:
    """The last message, and the keys there are."""
    lines: list[Line] = [words(review.message, "bold yellow")] if review.message else []
    if review.mode is Mode.PROMPT:
        typed = Text.assemble((f"{review.prompt}: ", "bold"), words(review.typed), "_")
        typed.overflow = "fold"
        return [*lines, typed, *_key_lines([("Enter", "done"), ("Esc", "back")], width)]
    keys = {
        Mode.HELP: [("any other key", "goes back")],
        Mode.HITS: [("1-9", "choose"), ("s", "search again"), ("any other", "back")],
        Mode.CONFIRM: [("y", "yes"), ("any other", "no")],
        Mode.END: _end_keys(review),
    }.get(review.mode, _scene_keys(review))
    return [*lines, *_key_lines(keys, width)]


def _scene_keys(review: Review) -> list[tuple[str, str]]:
    several = len(review.waiting.candidates) > 1
    count = min(len(review.waiting.candidates), 9)
    accept = [("a", f"accept {review.focus + 1}" if several else "accept")]
    pick = [(f"1-{count}", "pick")] if several else []
    refuse = [("n", "not this one")]
    shown = [*accept, *pick, *refuse] if review.candidate is not None else []
    alike = [("g", "accept all alike")] if review.has_alike else []
    rule = [("r", "path rule")] if review.has_rule else []
    return [*shown, *alike, ("m", "not in Plex"), ("l", "later"), ("i", "ignore"), *rule, *_COMMON]


_COMMON = [("s", "search"), ("u", "undo"), ("?", "all keys"), ("q", "quit")]


def _end_keys(review: Review) -> list[tuple[str, str]]:
    keys = [("w", "write now"), ("p", "show the plan")] if review.accepted else []
    keep = [("k", "keep for the next run")]
    undo = [("u", "undo")] if review.can_undo else []
    back = [("b", "back")] if review.queue else []
    return [*keys, *keep, *undo, *back]


def _key_lines(keys: list[tuple[str, str]], width: int) -> list[Line]:
    """Keys with what they do, as many a line as fit, none torn apart."""
    lines = [Text()]
    for key, does in keys:
        piece = Text.assemble((key, "bold cyan"), f" {does}")
        if lines[-1].cell_len and lines[-1].cell_len + 3 + piece.cell_len > width:
            lines.append(Text())
        if lines[-1].cell_len:
            lines[-1].append("   ")
        lines[-1].append_text(piece)
    return list(lines)


def _hit_lines(review: Review) -> list[Line]:
    lines: list[Line] = [Text("Which one?", style="bold"), Text()]
    for number, hit in enumerate(review.hits, 1):
        item = hit.item
        body = words(item.title or "untitled")
        where = " ".join(filter(None, (hit.library, item.rating_key)))
        body.append_text(words(f"  {where}", "dim"))
        lines.append(LabelledText(Text(f"  {number}  ", "bold cyan"), body))
        lines.append(
            LabelledText(Text("     "), words(item.files[0].path if item.files else "", "dim"))
        )
    if review.hit_count > len(review.hits):
        rest = review.hit_count - len(review.hits)
        lines.append(Text(f"     … and {rest:,} more; more words find fewer", style="dim"))
    return lines


def _question_lines(question: Question) -> list[Line]:
    indent = Text("  ")
    lines: list[Line] = [words(question.headline, "bold")]
    lines += [LabelledText(indent, words(one)) for one in question.lines]
    if question.scenes:
        lines.append(Text())
    for one in question.scenes:
        scene, best = one.scene, one.candidates[0]
        body = words(scene.title or shown_file_name(best.scene_path))
        body.append(f"  scene {scene.scene_id}", "dim")
        body.append(" -> ", "dim")
        body.append_text(words(best.title or shown_file_name(best.item_path)))
        body.append(f"  {best.rating_key}", "dim")
        lines.append(LabelledText(indent, body))
    return lines


def _end_lines(review: Review) -> list[Text]:
    if not review.queue:
        return [Text("Nothing waits for review.")]
    left = len(review.queue) - len(review.answered)
    scenes = "1 scene still waits." if left == 1 else f"{left:,} scenes still wait."
    lines = [Text(scenes if left else "Nothing waits any more.", style="bold"), Text()]
    for verb, count in review.counts().items():
        if count:
            lines.append(Text(f"  {count:>6,}  {_DONE[verb]}"))
    if review.counts():
        safe = "Every answer is kept. Nothing has been written to Plex."
        lines += [Text(), Text(safe, style="dim", overflow="fold")]
    return lines


_DONE = {
    Verb.ACCEPT: "accepted",
    Verb.REJECT: "refused",
    Verb.ABSENT: "not in Plex",
    Verb.IGNORE: "ignored",
    Verb.RESET: "reset",
    None: "left to a new path rule",
}

HELP = (
    ("a", "accept: the scene is the candidate in focus; HIGH from now on"),
    ("1-9", "put a candidate into focus, also with the arrows up and down"),
    ("n", "not this one: the pair never comes back"),
    ("m", "not in Plex: none of them, and no other unless it is HIGH"),
    ("l", "later: leave it open, go on"),
    ("i", "ignore: the scene takes no part; asks why"),
    ("s", "search Plex by title or path, to add a candidate"),
    ("k", "key: name a candidate by its rating key or Plex address"),
    ("o", "open scene and item in the browser"),
    ("g", "group: accept all scenes like this one; shows them first"),
    ("r", "rule: add the path rule that makes both paths one; shows what it settles"),
    ("u", "undo the last answer, and the one before it, and so on"),
    ("b f", "back and forth, also with the arrows left and right"),
    ("v", "view the next lines of a screen that is too long"),
    ("q", "quit; every answer is kept"),
    ("", ""),
    ("", "An answer holds until the scene's or the item's file changes."),
)
"""The keys and what they do."""
