"""The parts of a review screen: what a scene is, its candidates, the evidence, what would change.

Values in, lines of styled text out. All texts of servers are cleaned and never read as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.normalize import clean_for_terminal
from plexsync.review_diff import change_lines
from plexsync.summary import score_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.models import Candidate, Evidence, RatingKey, SceneFile, SceneId
    from plexsync.recalled import Comparison
    from plexsync.review_queue import Waiting

_FIELD_COLUMNS = 12
_GIB = 1024**3
_MIB = 1024**2
_NO_WEIGHT = 0.05


def words(text: str, style: str = "") -> Text:
    """A text of a server, made harmless."""
    return Text(clean_for_terminal(text), style=style, overflow="fold")


def scene_part(waiting: Waiting) -> list[Text]:
    """What the scene is, and why it is not HIGH."""
    scene = waiting.scene
    path = scene.files[0].path if scene.files else ""
    name = scene.title or base_name(path) or "untitled"
    lines = [
        Text.assemble(words(name, "bold"), (f"  scene {scene.scene_id}", "dim"), overflow="fold")
    ]
    lines += [words(file.path, "dim") for file in scene.files[:3]]
    if len(scene.files) > 3:  # noqa: PLR2004 - the same three
        lines.append(Text(f"… and {len(scene.files) - 3} more files", style="dim"))
    facts = [file_facts(scene.files[0])] if scene.files else []
    facts += [scene.date] if scene.date else []
    if shown := " · ".join(fact for fact in facts if fact):
        lines.append(words(shown, "dim"))
    reason = Text.assemble(("Not HIGH: ", "yellow"), words(waiting.match.reason), overflow="fold")
    return [*lines, Text(), reason]


def candidates_part(
    waiting: Waiting,
    focus: int,
    *,
    owners: Mapping[RatingKey, SceneId],
    marks: Mapping[RatingKey, str],
) -> list[Text]:
    """The candidates, the best first.

    Args:
        waiting: the scene.
        focus: place of the candidate that keys are about; -1 for none.
        owners: items that belong to another scene.
        marks: what was answered about some of them.
    """
    lines: list[Text] = []
    several = len(waiting.candidates) > 1
    for place, one in enumerate(waiting.candidates):
        library = waiting.libraries[place] if place < len(waiting.libraries) else ""
        line = Text(overflow="fold")
        line.append(">" if place == focus else " ", "bold")
        line.append(f" {place + 1} " if several else " 1 ", "bold cyan")
        line.append(f" {score_text(one.score)}  ", "dim")
        line.append_text(words(one.title or base_name(one.item_path) or "untitled"))
        line.append_text(words(f"  {library} {one.rating_key}".replace("   ", "  "), "dim"))
        if one.rating_key in marks:
            line.append(f"  {marks[one.rating_key]}", "cyan")
        lines.append(line)
        lines.append(Text.assemble("          ", words(one.item_path, "dim"), overflow="fold"))
        if one.rating_key in owners:
            warning = f"          linked to scene {owners[one.rating_key]} already"
            lines.append(Text(warning, style="bold yellow"))
    hidden = waiting.match.candidate_count - len(waiting.candidates)
    if hidden > 0:
        lines.append(Text(f"    … and {hidden:,} more, less likely", style="dim"))
    if not waiting.candidates:
        lines.append(Text("  no candidate is left; s searches Plex", style="dim"))
    return lines


def evidence_part(candidate: Candidate, waiting: Waiting, place: int) -> list[Text]:
    """Score, lead and evidence of one candidate, what speaks for it first."""
    lead = _lead(waiting, place)
    headline = Text.assemble(
        (f"Score {score_text(candidate.score)}", "bold"), (lead, "dim"), overflow="fold"
    )
    ordered = sorted(candidate.evidence, key=lambda one: -one.weight)
    return [headline, *(_evidence_line(one) for one in ordered)]


def changes_part(comparison: Comparison | None, *, marks: bool) -> list[Text]:
    """What accepting would write; None while it is being found out."""
    if comparison is None:
        return [Text("What accepting would change is being looked up …", style="dim")]
    if comparison.problem:
        return [
            words(f"What accepting would change cannot be told: {comparison.problem}", "yellow")
        ]
    if not comparison.changes:
        lines = [Text("Accepting would change nothing in Plex.", style="dim")]
    else:
        lines = [Text("Accepting would change:", style="bold")]
    columns = max((len(change.field) + 2 for change in comparison.changes), default=0)
    for change in comparison.changes:
        line = Text(overflow="fold")
        line.append(f"  {change.field:<{max(columns, _FIELD_COLUMNS)}}", "cyan")
        line.append_text(change_lines(change, marks=marks))
        lines.append(line)
    if comparison.kept:
        lines.append(words(f"  Plex's own kept for {', '.join(comparison.kept)}", "dim"))
    return lines


def file_facts(file: SceneFile) -> str:
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


def base_name(path: str) -> str:
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


def _evidence_line(one: Evidence) -> Text:
    style = "green" if one.weight > _NO_WEIGHT else "red" if one.weight < -_NO_WEIGHT else "dim"
    sign = "for" if one.weight > _NO_WEIGHT else "against" if one.weight < -_NO_WEIGHT else ""
    line = Text(overflow="fold")
    line.append(f"  {sign:<8}{one.weight:+6.1f}  ", style)
    line.append_text(words(f"{one.name}: {one.value}"))
    return line
