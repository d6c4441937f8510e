"""Screens of a review as lines of text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.matcher import reason_kind
from plexsync.review.given import ANSWER_WORDS
from plexsync.review.modes import NOTHING_WAITS, Mode, Question
from plexsync.review.queue import item_name, pattern_lines, scene_name
from plexsync.review.shown import item_place, rival_names
from plexsync.review.terminal.parts import (
    BesidePictures,
    LabelledText,
    Line,
    candidates_part,
    changes_part,
    evidence_part,
    facts_part,
    laid_out,
    page_of,
    scene_part,
    words,
)
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from plexsync.models import Candidate
    from plexsync.review.groups import Group
    from plexsync.review.machine import Review
    from plexsync.state import Waiting


def scene_rows(review: Review, console: Console) -> list[Text]:
    """Return all there is about one scene, each candidate with its evidence and changes."""
    marks = needs_marks(console)
    lines = [*scene_part(review), *candidates_part(review, -1)]
    for place, candidate in enumerate(review.waiting.candidates):
        lines += [Text(), words(f"Candidate {place + 1}, item {candidate.rating_key}", "bold")]
        lines += [*facts_part(review, candidate, marks=marks), *evidence_part(candidate)]
        lines += changes_part(review.preview(candidate), marks=marks)
    return laid_out(lines, console)


def needs_marks(console: Console) -> bool:
    """Return whether differences are shown by marks, too, since there is no colour."""
    return console.color_system is None or console.no_color


# ---- One screen of a review ----------------------------------------------------------------------


def screen_rows(
    review: Review,
    console: Console,
    *,
    marks: bool,
    height: int = 0,
    pictures: bool = False,
) -> list[Text]:
    """Return the screen as lines that fit the width of `console`.

    Args:
        review: what to show.
        console: measures; nothing is printed.
        marks: show differences by marks, too, for screens without colour.
        height: rows there are; evidence and changes are cut to fit. 0: cut nothing.
        pictures: leave columns free for pictures beside the facts.
    """
    foot = laid_out(_foot(review, console.width), console)
    rows = height - len(foot) - 1 if height else 0
    lines = partial(_lines, review, width=console.width, marks=marks, pictures=pictures)
    body = laid_out(lines(brief=False), console)
    if rows and len(body) > rows and review.mode in _SCENES:
        body = laid_out(lines(brief=True), console)
    if rows:
        body = page_of(body, review.page, most=rows)
    return [*body, Text(), *foot]


_GROUP_ROWS = 12
"""Scenes of a group that are shown at once."""

_SCENES = frozenset({Mode.SCENE, Mode.PROMPT})


def _lines(review: Review, *, width: int, marks: bool, pictures: bool, brief: bool) -> list[Line]:
    """Return what is above the keys; `brief` leaves out what another key brings to the screen."""
    if review.mode is Mode.END:
        return list(_end_lines(review))
    if review.mode is Mode.HELP:
        return [LabelledText(Text(f"  {keys:<8}", "bold cyan"), Text(does)) for keys, does in HELP]
    if review.mode is Mode.HITS:
        return _hit_lines(review)
    if review.mode is Mode.CONFIRM and review.question is not None:
        return _question_lines(review.question)
    if review.mode is Mode.GROUP and review.group is not None:
        return _group_lines(review.group, marks=marks)
    lines = [_heading(review, width), *scene_part(review)]
    lines += candidates_part(review, review.focus, brief=brief)
    candidate = review.candidate
    if candidate is not None:
        facts = facts_part(review, candidate, marks=marks, brief=brief)
        beside = [*facts, Text(), *evidence_part(candidate, rival_names(review, candidate))]
        lines += [Text(), *([BesidePictures(beside)] if pictures else beside), Text()]
        lines += changes_part(review.preview(candidate), marks=marks)
    return lines


def _heading(review: Review, width: int) -> Text:
    answered = len(review.given.answered)
    parts = [f"Review {review.at + 1:,} of {len(review.queue):,}"]
    parts += [f"{answered:,} answered"] if answered else []
    parts += [f"only {review.queue.filter!r}"] if review.queue.filter else []
    text = clean_for_terminal(", ".join(parts)) + " "
    return Text(text + "-" * max(0, width - len(text)), style="dim", overflow="crop")


def _foot(review: Review, width: int) -> list[Line]:
    """Return the last message, and the keys there are."""
    lines: list[Line] = [words(review.message, "bold yellow")] if review.message else []
    if review.mode is Mode.PROMPT:
        typed = Text.assemble((f"{review.prompt}: ", "bold"), words(review.typed), "_")
        typed.overflow = "fold"
        return [*lines, typed, *_key_lines([("Enter", "done"), ("Esc", "back")], width)]
    keys = {
        Mode.HELP: [("any other key", "goes back")],
        Mode.HITS: [("1-9", "choose"), ("f", "search again"), ("any other", "back")],
        Mode.CONFIRM: [("y", "yes"), ("any other", "no")],
        Mode.GROUP: _group_keys(review),
        Mode.END: _end_keys(review),
    }
    return [*lines, *_key_lines(keys.get(review.mode) or _scene_keys(review), width)]


def _scene_keys(review: Review) -> list[tuple[str, str]]:
    several = len(review.waiting.candidates) > 1
    count = min(len(review.waiting.candidates), 9)
    accept = [("a", f"accept {review.focus + 1}" if several else "accept")]
    pick = [(f"1-{count}", "pick")] if several else []
    both = [("b", "accept both" if len(review.both) == 2 else "accept all")] if review.both else []  # noqa: PLR2004 - a pair
    shown = [*accept, *pick, *both, ("r", "refuse")] if review.candidate is not None else []
    alike = len(review.alike(review.waiting))
    group = [("g", f"answer all {alike:,} alike")] if alike > 1 else []
    rule = [("p", "path rule")] if review.rule else []
    return [*shown, ("n", "not in Plex"), *group, ("l", "later"), ("i", "ignore"), *rule, *_COMMON]


_COMMON = [
    ("f", "find"),
    ("/", "filter"),
    ("s", "sort"),
    ("u", "undo"),
    ("?", "all keys"),
    ("q", "quit"),
]


def _group_keys(review: Review) -> list[tuple[str, str]]:
    """Return the answers for the whole group, each with how many scenes it would settle."""
    group = review.group
    if group is None:
        return []
    names = [("a", "accept"), ("b", "accept all items of"), ("r", "refuse"), ("n", "not in Plex")]
    counts = [(key, name, group.count(key)) for key, name in (*names, ("l", "later"))]
    keys = [(key, f"{name} {count:,}") for key, name, count in counts if count]
    return [*keys, ("x", "leave out"), ("up down", "move"), ("any other", "back")]


def _end_keys(review: Review) -> list[tuple[str, str]]:
    keys = [("w", "write now"), ("p", "show the plan")] if review.accepted else []
    keep = [("k", "keep for the next run")]
    undo = [("u", "undo")] if len(review.given) else []
    back = [("left", "back")] if len(review.queue) else []
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
        body = words(hit.title or "untitled")
        body.append_text(words(f"  {item_place(hit)}", "dim"))
        lines.append(LabelledText(Text(f"  {number}  ", "bold cyan"), body))
        lines.append(LabelledText(Text("     "), words(hit.item_path, "dim")))
    if review.hit_count > len(review.hits):
        rest = review.hit_count - len(review.hits)
        lines.append(Text(f"     … and {rest:,} more; more words find fewer", style="dim"))
    return lines


def _question_lines(question: Question) -> list[Line]:
    indent = Text("  ")
    lines: list[Line] = [words(question.headline, "bold")]
    lines += [LabelledText(indent, words(one)) for one in question.lines]
    if question.note:
        lines.append(words(question.note))
    if question.scenes:
        lines.append(Text())
    lines += [LabelledText(indent, _pair(one, one.candidates[0])) for one in question.scenes]
    return lines


def _pair(waiting: Waiting, candidate: Candidate | None) -> Text:
    """Return a scene and the item it would get, on one line."""
    body = words(scene_name(waiting))
    body.append(f"  scene {waiting.scene_id}", "dim")
    if candidate is not None:
        body.append(" -> ", "dim")
        body.append_text(words(item_name(candidate)))
        body.append(f"  {candidate.rating_key}", "dim")
    return body


def _group_lines(group: Group, *, marks: bool) -> list[Line]:
    """Return the scenes of a group around the marked one, and what all of them have in common."""
    first = group.scenes[0]
    out = f", {len(group.left_out):,} left out" if group.left_out else ""
    headline = f"{len(group.scenes):,} scenes are alike{out}. One key answers them:"
    lines: list[Line] = [
        Text(headline, style="bold"),
        words(reason_kind(first.match.reason), "yellow"),
    ]
    if first.candidates:
        lines += [words(one, "dim") for one in pattern_lines(first.candidates[0])]
    lines.append(Text())
    picks, pairs = group.picks(), group.pairs()
    start = min(max(group.row - _GROUP_ROWS // 2, 0), max(len(group.scenes) - _GROUP_ROWS, 0))
    if start:
        lines.append(Text(f"    … {start:,} above", style="dim"))
    for place, one in enumerate(group.scenes[start : start + _GROUP_ROWS], start):
        left_out = one.scene_id in group.left_out
        label = Text(f"{'>' if place == group.row else ' '}{'-' if left_out else ' '} ", "bold")
        body = _pair(one, pairs.get(one.scene_id))
        if left_out:
            body.stylize("dim" if marks else "dim strike")
        elif one.scene_id not in picks:
            body.append("  no free item", "yellow")
        lines.append(LabelledText(label, body))
    rest = len(group.scenes) - start - _GROUP_ROWS
    if rest > 0:
        lines.append(Text(f"    … {rest:,} below", style="dim"))
    return lines


def _end_lines(review: Review) -> list[Text]:
    if not review.queue.every:
        return [Text(NOTHING_WAITS)]
    left = review.left
    scenes = counted(left, "scene still waits.", "scenes still wait.")
    counts = review.given.counts()
    lines = [Text(scenes if left else "Nothing waits any more.", style="bold"), Text()]
    for verb, count in counts.items():
        lines.append(Text(f"  {count:>6,}  {ANSWER_WORDS[verb]}"))
    if counts:
        safe = "Every answer is kept. Nothing has been written to Plex."
        lines += [Text(), Text(safe, style="dim", overflow="fold")]
    return lines


HELP = (
    ("a", "accept: the scene is the candidate in focus; HIGH from now on"),
    ("b", "both: the same file is in two libraries, so the scene is both items"),
    ("1-9", "put a candidate into focus"),
    ("arrows", "up, down: the same; left, right: back and forth"),
    ("r", "refuse: not this one; the pair never comes back"),
    ("n", "none: not in Plex; none of them, and no other unless it is HIGH"),
    ("l", "later: leave it open, go on"),
    ("i", "ignore: the scene takes no part; asks why"),
    ("g", "group: answer all scenes like this one by one key; shows them first"),
    ("u", "undo the last answer, and the one before it, and so on"),
    ("/", "filter: show only what holds some words in title, path, reason or library"),
    ("s", "sort by pattern, score, title, path or scene id"),
    ("f", "find: search Plex by title or path, to add a candidate"),
    ("k", "key: name a candidate by its rating key or Plex address"),
    ("o", "open scene and item in the browser"),
    ("p", "path rule: add the one that makes both paths one; shows what it settles"),
    ("v", "view the next lines of a screen that is too long"),
    ("q", "quit; every answer is kept"),
    ("", ""),
    ("", "An answer holds until the scene's or the item's file changes."),
)
"""The keys and what they do."""
