"""The parts of a review screen: what a scene is, its candidates, the evidence, what would change.

Values in, lines of styled text out. All texts of servers are cleaned and never read as markup.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.models import Confidence
from plexsync.output.summary import score_text
from plexsync.review.selection import NAMED
from plexsync.review.terminal.diff import change_diff
from plexsync.review.terminal.layout import LabelledText, Line
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import (
        Candidate,
        Evidence,
        PlexFile,
        PlexItem,
        RatingKey,
        Scene,
        SceneFile,
    )
    from plexsync.review.interfaces import LinkPreview
    from plexsync.state import Waiting

_FIELD_COLUMNS = 12
_CANDIDATE_COLUMNS = 11
_GIB = 1024**3
_MIB = 1024**2
_NO_WEIGHT = 0.05

_STANDINGS = {
    Confidence.HIGH: ("HIGH", "green"),
    Confidence.LOW: ("Not HIGH", "yellow"),
    None: ("No item", "yellow"),
}
"""How the reason of a match is introduced; `review show` is also about scenes that do not wait."""


def words(text: str, style: str = "") -> Text:
    """A text of a server, made harmless."""
    return Text(clean_for_terminal(text), style=style, overflow="fold")


def scene_part(waiting: Waiting) -> list[Line]:
    """What the scene is, and why it is not HIGH."""
    scene = waiting.scene
    path = scene.files[0].path if scene.files else ""
    name = scene.title or shown_file_name(path) or "untitled"
    lines: list[Line] = [
        Text.assemble(words(name, "bold"), (f"  scene {scene.scene_id}", "dim"), overflow="fold")
    ]
    lines += [words(file.path, "dim") for file in scene.files[:3]]
    if len(scene.files) > 3:  # noqa: PLR2004 - the same three
        lines.append(Text(f"… and {len(scene.files) - 3} more files", style="dim"))
    facts = [file_facts(scene.files[0])] if scene.files else []
    facts += [scene.date] if scene.date else []
    if shown := " · ".join(fact for fact in facts if fact):
        lines.append(words(shown, "dim"))
    label, style = _STANDINGS[waiting.match.confidence]
    reason = LabelledText(Text(f"{label}: ", style), words(waiting.match.reason))
    return [*lines, Text(), reason]


def candidates_part(
    waiting: Waiting,
    focus: int,
    *,
    notes: Mapping[RatingKey, Sequence[str]],
    marks: Mapping[RatingKey, str],
    brief: bool = False,
) -> list[Line]:
    """The candidates, the best first.

    Args:
        waiting: the scene.
        focus: place of the candidate that keys are about; -1 for none.
        notes: what a person should know of some items before taking them.
        marks: what was answered about some of them.
        brief: leave out paths but that of the candidate in focus, and where titles are the same.
    """
    lines: list[Line] = []
    titles = Counter(one.title for one in waiting.candidates)
    blank = Text(" " * _CANDIDATE_COLUMNS)
    for place, one in enumerate(waiting.candidates):
        label = Text.assemble(
            (">" if place == focus else " ", "bold"),
            (f" {place + 1:<2}", "bold cyan"),
            (f" {'    ' if is_unscored(one) else score_text(one.score)}  ", "dim"),
        )
        body = words(one.title or shown_file_name(one.item_path) or "untitled")
        where = " ".join(filter(None, (library_of(waiting, place), one.rating_key)))
        body.append_text(words(f"  {where}", "dim"))
        if one.rating_key in marks:
            body.append(f"  {marks[one.rating_key]}", "cyan")
        lines.append(LabelledText(label, body))
        if place == focus or not brief or titles[one.title] > 1:
            lines.append(LabelledText(blank, words(one.item_path, "dim")))
        lines += [
            LabelledText(blank, words(note, "yellow")) for note in notes.get(one.rating_key, ())
        ]
    hidden = waiting.match.candidate_count - len(waiting.candidates)
    if hidden > 0:
        lines.append(Text(f"    … and {hidden:,} more, less likely", style="dim"))
    if not waiting.candidates:
        lines.append(Text("  no candidate is left; s searches Plex", style="dim"))
    return lines


def evidence_part(candidate: Candidate, waiting: Waiting, place: int) -> list[Line]:
    """Score, lead and evidence of one candidate, what speaks for it first."""
    if is_unscored(candidate):
        return [words(f"Not scored: {candidate.evidence[0].value}.", "dim")]
    lead = _lead(waiting, place)
    headline = Text.assemble(
        (f"Score {score_text(candidate.score)}", "bold"), (lead, "dim"), overflow="fold"
    )
    ordered = sorted(candidate.evidence, key=lambda one: -one.weight)
    return [headline, *(_evidence_line(one) for one in ordered)]


def changes_part(
    comparison: LinkPreview | None, candidate: Candidate, scene: Scene, *, marks: bool
) -> list[Line]:
    """What accepting would write; None while it is being found out."""
    if comparison is None:
        return [Text("What accepting would change is being looked up …", style="dim")]
    if comparison.problem:
        return [
            words(f"What accepting would change cannot be told: {comparison.problem}", "yellow")
        ]
    lines = _plex_file(comparison.item, candidate, scene) if comparison.item else []
    if not comparison.changes:
        lines.append(Text("Accepting would change nothing in Plex.", style="dim"))
    else:
        lines.append(Text("Accepting would change:", style="bold"))
    columns = max((len(change.field) + 2 for change in comparison.changes), default=0)
    for change in comparison.changes:
        label = Text(f"  {change.field:<{max(columns, _FIELD_COLUMNS)}}", style="cyan")
        lines.append(LabelledText(label, change_diff(change, marks=marks)))
    if comparison.kept:
        lines.append(words(f"  Plex's own kept for {', '.join(comparison.kept)}", "dim"))
    return lines


def library_of(waiting: Waiting, place: int) -> str:
    """The library of a candidate; "" where it is not known."""
    return waiting.libraries[place] if place < len(waiting.libraries) else ""


def is_unscored(candidate: Candidate) -> bool:
    """Whether a person brought the candidate, so that no matching has weighed it."""
    return [one.name for one in candidate.evidence] == [NAMED]


def file_facts(file: SceneFile | PlexFile) -> str:
    """Length, size and frame of a video, as far as they are known."""
    facts = []
    if file.duration_s is not None:
        minutes, seconds = divmod(round(file.duration_s), 60)
        hours, minutes = divmod(minutes, 60)
        facts.append(f"{hours}:{minutes:02}:{seconds:02}")
    if file.size_bytes is not None:
        big = file.size_bytes >= _GIB
        unit = f"{file.size_bytes / _GIB:.1f} GiB" if big else f"{file.size_bytes / _MIB:.1f} MiB"
        facts.append(unit)
    if file.width and file.height:
        facts.append(f"{file.width}x{file.height}")
    return " · ".join(facts)


def shown_file_name(path: str) -> str:
    """The last name of a path of either kind; for showing only."""
    return path.replace("\\", "/").rpartition("/")[2]


# ---- Private -------------------------------------------------------------------------------------


def _lead(waiting: Waiting, place: int) -> str:
    others = [one.score for at, one in enumerate(waiting.candidates) if at != place]
    if not others:
        return ", the only candidate"
    lead = waiting.candidates[place].score - max(others)
    best = "ahead of the next" if lead >= 0 else "behind the best"
    return f", {abs(lead):.2f} {best}"


def _plex_file(item: PlexItem, candidate: Candidate, scene: Scene) -> list[Line]:
    """The video Plex has, to be held against the scene's; the same facts need no second look."""
    theirs = [file_facts(one) for one in item.files if one.path == candidate.item_path]
    ours = [file_facts(one) for one in scene.files if one.path == candidate.scene_path]
    if not any(theirs):
        return []
    style = "dim" if theirs == ours else "yellow"
    return [Text(f"Plex's file: {theirs[0]}", style=style, overflow="fold"), Text()]


def _evidence_line(one: Evidence) -> LabelledText:
    style = "green" if one.weight > _NO_WEIGHT else "red" if one.weight < -_NO_WEIGHT else "dim"
    sign = "for" if one.weight > _NO_WEIGHT else "against" if one.weight < -_NO_WEIGHT else ""
    label = Text(f"  {sign:<8}{one.weight:+6.1f}  ", style)
    return LabelledText(label, words(f"{one.name}: {one.value}"))
