"""The parts of a review screen: what a scene is, its candidates, the evidence, what would change.

Values in, lines of styled text out. All texts of servers are cleaned and never read as markup.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.models import Confidence
from plexsync.review.queue import item_name, scene_name
from plexsync.review.shown import evidence_of, facts_of, is_unscored, item_place, marked_words
from plexsync.review.terminal.change_diff import change_diff
from plexsync.review.terminal.layout import LabelledText, Line
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import Candidate, Evidence, PlexItem, RatingKey
    from plexsync.review.interfaces import LinkPreview
    from plexsync.state import Waiting

_FIELD_COLUMNS = 12
_CANDIDATE_COLUMNS = 5
_NO_WEIGHT = 0.05

_STANDINGS = {
    Confidence.HIGH: ("HIGH", "green"),
    Confidence.LOW: ("Not HIGH", "yellow"),
    None: ("No item", "yellow"),
}
"""How the reason of a match is introduced; `review show` is also about scenes that do not wait."""


def words(text: str, style: str = "") -> Text:
    """Return a text of a server, made harmless."""
    return Text(clean_for_terminal(text), style=style, overflow="fold")


def scene_part(waiting: Waiting) -> list[Line]:
    """Return what the scene is, and why it is not HIGH."""
    scene = waiting.scene
    lines: list[Line] = [
        Text.assemble(
            words(scene_name(waiting), "bold"),
            (f"  scene {scene.scene_id}", "dim"),
            overflow="fold",
        )
    ]
    lines += [words(file.path, "dim") for file in scene.files[1:3]]
    if len(scene.files) > 3:  # noqa: PLR2004 - the same three
        lines.append(Text(f"… and {len(scene.files) - 3} more files", style="dim"))
    label, style = _STANDINGS[waiting.match.confidence]
    return [*lines, LabelledText(Text(f"{label}: ", style), words(waiting.match.reason))]


def candidates_part(
    waiting: Waiting,
    focus: int,
    *,
    notes: Mapping[RatingKey, Sequence[str]],
    marks: Mapping[RatingKey, str],
    brief: bool = False,
) -> list[Line]:
    """Return the candidates, the best first.

    Args:
        waiting: the scene.
        focus: place of the candidate that keys are about; -1 for none.
        notes: what a person should know of some items before taking them.
        marks: what was answered about some of them.
        brief: leave out paths but where titles are the same.
    """
    lines: list[Line] = []
    titles = Counter(one.title for one in waiting.candidates)
    blank = Text(" " * _CANDIDATE_COLUMNS)
    for place, one in enumerate(waiting.candidates):
        label = Text.assemble(
            (">" if place == focus else " ", "bold"), (f" {place + 1:<2} ", "bold cyan")
        )
        body = words(item_name(one))
        body.append_text(words(f"  {item_place(waiting, place)}", "dim"))
        if one.rating_key in marks:
            body.append(f"  {marks[one.rating_key]}", "cyan")
        lines.append(LabelledText(label, body))
        # The path of the one in focus stands among the facts.
        if place != focus and (not brief or titles[one.title] > 1):
            lines.append(LabelledText(blank, words(one.item_path, "dim")))
        lines += [
            LabelledText(blank, words(note, "yellow")) for note in notes.get(one.rating_key, ())
        ]
    if (hidden := waiting.match.candidate_count - len(waiting.candidates)) > 0:
        lines.append(Text(f"    … and {hidden:,} more, less likely", style="dim"))
    none = Text("  no candidate is left; f searches Plex", style="dim")
    return lines if waiting.candidates else [*lines, none]


def facts_part(
    waiting: Waiting,
    candidate: Candidate,
    item: PlexItem | None,
    *,
    marks: bool,
    brief: bool = False,
) -> list[Line]:
    """Return the two files side by side; what differs is marked.

    Args:
        waiting: the scene.
        candidate: its candidate.
        item: the candidate's item; None while it is being read.
        marks: mark by characters, too, for screens without colour.
        brief: leave out what does not differ.
    """
    facts = facts_of(waiting, candidate, item)
    columns = max(len("Stash"), *(len(one.ours) for one in facts)) + 3
    lines: list[Line] = [Text(f"  {'':<10}{'Stash':<{columns}}Plex", style="dim")]
    for one in facts:
        if one.differs if brief else one.ours or one.theirs:
            theirs = one.theirs or ("…" if item is None else "unknown")
            mark = "  differs" if one.differs else ""
            style = "yellow" if one.differs else ""
            line = Text.assemble(
                (f"  {one.name:<10}", "cyan"), f"{one.ours or 'unknown':<{columns}}"
            )
            lines.append(line.append_text(words(theirs + mark, style)))
    ours, theirs = candidate.scene_path, candidate.item_path
    label = Text(f"  {'path':<10}", style="cyan")
    lines.append(LabelledText(label, _marked(ours, theirs, marks=marks)))
    if theirs:
        lines.append(LabelledText(Text(" " * 12), _marked(theirs, ours, marks=marks)))
    return lines


def _marked(path: str, other: str, *, marks: bool) -> Text:
    """Return a path with the words marked that the other one lacks."""
    line = Text(overflow="fold")
    for text, differs in marked_words(path, other):
        shown = f"[{text}]" if marks and differs else text
        line.append_text(words(shown, "yellow" if differs else "dim"))
    return line


def evidence_part(candidate: Candidate, rivals: str = "") -> list[Line]:
    """Return the evidence of one candidate, what is for it first, and what rivals take away."""
    if is_unscored(candidate):
        return [words(f"Not compared by a run: {candidate.evidence[0].value}.", "dim")]
    return [_evidence_line(one) for one in evidence_of(candidate, rivals)]


def changes_part(preview: LinkPreview | None, *, marks: bool) -> list[Line]:
    """Return what accepting would write; None while it is being found out."""
    if preview is None:
        return [Text("What accepting would change is being looked up …", style="dim")]
    if preview.problem:
        return [words(f"What accepting would change is unknown: {preview.problem}", "yellow")]
    lines: list[Line] = []
    if not preview.changes:
        lines.append(Text("Accepting would change nothing in Plex.", style="dim"))
    else:
        lines.append(Text("Accepting would change:", style="bold"))
    columns = max((len(change.field) + 2 for change in preview.changes), default=0)
    for change in preview.changes:
        label = Text(f"  {change.field:<{max(columns, _FIELD_COLUMNS)}}", style="cyan")
        lines.append(LabelledText(label, change_diff(change, marks=marks)))
    if preview.kept:
        lines.append(words(f"  Plex's own kept for {', '.join(preview.kept)}", "dim"))
    return lines


# ---- Private -------------------------------------------------------------------------------------


def _evidence_line(one: Evidence) -> LabelledText:
    style = "green" if one.weight > _NO_WEIGHT else "red" if one.weight < -_NO_WEIGHT else "dim"
    sign = "for" if one.weight > _NO_WEIGHT else "against" if one.weight < -_NO_WEIGHT else ""
    label = Text(f"  {sign:<8}{one.weight:+6.1f}  ", style)
    return LabelledText(label, words(f"{one.name}: {one.value}"))
