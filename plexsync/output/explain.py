"""An explanation for a person: each candidate as a waterfall of bits that adds up to its score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from plexsync.models import Confidence, Evidence
from plexsync.output.summary import score_text
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.matcher import Account, Explanation, Standing
    from plexsync.models import Match

MOST_SHOWN = 5
"""Candidates shown with their waterfall; a person asks about the first few."""

_BAR_COLUMNS = 12
_BAR_FROM = 80  # narrower, the words need the width

_VERDICTS = {
    None: ("no match", "red"),
    Confidence.LOW: ("LOW", "yellow"),
    Confidence.HIGH: ("HIGH", "green"),
}


def explanation_view(explained: Explanation, *, width: int) -> Group:
    """All of an explanation, for `width` columns."""
    parts: list[RenderableType] = [_headline(explained), _facts(explained)]
    standings = explained.account.standings
    if not standings:
        parts.append(Text(f"\n{_nobody_words(explained)}"))
    for place, standing in enumerate(standings[:MOST_SHOWN], start=1):
        parts += [Text(""), *_standing(explained, standing, place, width)]
    if len(standings) > MOST_SHOWN:
        parts.append(Text(f"\n… and {len(standings) - MOST_SHOWN} more that fit worse"))
    parts += _asides(explained.account)
    return Group(*parts)


def explanation_lines(explained: Explanation) -> Iterator[str]:
    """Return the same for a pipe: one tab-separated line a piece of evidence.

    Columns: scene id, rating key, score, confidence or "-", evidence, value, bits. Where nothing
    resembles the subject there is one line, which says that. A line each says what else decides.
    """
    own = explained.subject.id
    ids = ("", own) if explained.is_item else (own, "")
    standings, matches = explained.account.standings, explained.account.matches
    if not standings:
        yield _line(*ids, "", "-", "no candidate", _nobody_words(explained), "")
    sure = {
        (match.scene_id, match.candidates[0].rating_key): match.confidence
        for match in matches
        if match.candidates
    }
    for one in standings:
        best = one.candidate
        confidence = sure.get((one.scene_id, best.rating_key)) or "-"
        found = (one.scene_id, best.rating_key, f"{best.score:.6f}", confidence)
        for piece in best.evidence:
            yield _line(*found, piece.name, piece.value, f"{piece.weight:+.2f}")
    for note in explained.notes:
        yield _line(*ids, "", "-", "note", note, "")


def _line(*cells: str) -> str:
    return "\t".join(map(clean_for_terminal, cells))


# ---- Parts ---------------------------------------------------------------------------------------


def _headline(explained: Explanation) -> Text:
    subject = explained.subject
    what = "Item" if explained.is_item else "Scene"
    title = clean_for_terminal(subject.title) or "(no title)"
    text = Text.assemble((f"{what} {subject.id}  {title}", "bold"))
    if subject.library:
        text.append(f"  {clean_for_terminal(subject.library)}", style="dim")
    return text


def _facts(explained: Explanation) -> Padding:
    """Below the headline: its files, what matching decides, what earlier runs did."""
    lines = [
        Text(clean_for_terminal(path), style="dim")
        for path in explained.subject.paths or ("(no file)",)
    ]
    for match in explained.account.matches:
        about = f" for scene {match.scene_id}" if explained.is_item else ""
        confidence, reason = _verdict(explained, match)
        words = f"{about}: {clean_for_terminal(reason)}"
        lines.append(Text.assemble(_VERDICTS[confidence], words))
    lines += [Text(clean_for_terminal(note), "yellow") for note in explained.notes]
    return Padding(Group(*lines, *_last_outcome(explained)), (0, 0, 0, 2))


def _verdict(explained: Explanation, match: Match) -> tuple[Confidence | None, str]:
    """Return what is decided and why; of an item, about itself and not the scene's best one."""
    best = match.candidates[0].rating_key if match.candidates else ""
    own = next((one for one in explained.account.standings if one.scene_id == match.scene_id), None)
    if not explained.is_item or own is None or best == explained.subject.id:
        return match.confidence, match.reason
    if not own.obstacle:
        return Confidence.HIGH, own.grade
    return (None if match.confidence is Confidence.HIGH else match.confidence), own.obstacle


def _last_outcome(explained: Explanation) -> list[Text]:
    record = explained.record
    if record is None:
        never = "no scene is linked to it" if explained.is_item else "no run has looked at it yet"
        return [Text(never, style="dim")]
    words = f"last outcome: {record.outcome}"
    if record.attempts:
        words += f", {counted(record.attempts, 'try', 'tries')}"
    if record.due_at:
        words += f", next try {record.due_at}"
    if record.links:
        words += f", linked to {', '.join(link.rating_key for link in record.links)}"
    problem = [Text(clean_for_terminal(record.problem.message), "red")] if record.problem else []
    return [Text(words, style="dim"), *problem]


def _nobody_words(explained: Explanation) -> str:
    if explained.is_item:
        return "No scene that waits resembles this item."
    count = f"{explained.items_compared:,}"
    return (
        f"None of {count} items resembles it: none has a file of that name, size, length or hash."
        " If Plex has not scanned the file yet, the next run after the scan finds it."
    )


def _standing(
    explained: Explanation, one: Standing, place: int, width: int
) -> Iterator[RenderableType]:
    key = f"scene {one.scene_id}" if explained.is_item else f"item {one.candidate.rating_key}"
    name = explained.names.get(key)
    head = Text(f"{place}  ", style="bold")
    head.append(f"{key}  ", style="bold")
    head.append(clean_for_terminal(name.title if name else one.candidate.title))
    if name and name.library:
        head.append(f"  {clean_for_terminal(name.library)}", style="dim")
    path = one.candidate.scene_path if explained.is_item else one.candidate.item_path
    head.append(f"\n   {clean_for_terminal(path)}", style="dim")
    yield head
    yield Padding(_waterfall(one, explained.account, width), (0, 0, 0, 3))
    yield Padding(_judgement(one, explained.account), (0, 0, 0, 3))


def _waterfall(one: Standing, account: Account, width: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    bars = width >= _BAR_FROM
    if bars:
        table.add_column(no_wrap=True, width=_BAR_COLUMNS)
    largest = max((abs(piece.weight) for piece in one.candidate.evidence), default=1.0)
    for piece in one.candidate.evidence:
        style = "green" if piece.weight > 0 else "red"
        value, weight = clean_for_terminal(piece.value), f"{piece.weight:+.1f}"
        bar = [Text(_bar(piece, largest), style=style)] if bars else []
        table.add_row(Text(piece.name), Text(value), Text(weight, style=style), *bar)
    # Never -0.0.
    total = round(sum(piece.weight for piece in one.candidate.evidence), 1) + 0.0
    needed = math.log2(account.least_score / (1 - account.least_score))
    words = f"score {score_text(one.candidate.score, 4)}; HIGH needs {needed:+.1f} bits"
    table.add_row(Text("sum", style="bold"), Text(words), Text(f"{total:+.1f}", style="bold"))
    return table


def _bar(piece: Evidence, largest: float) -> str:
    return "█" * max(1, round(abs(piece.weight) / largest * _BAR_COLUMNS))


def _judgement(one: Standing, account: Account) -> Text:
    if not one.obstacle:
        return Text(f"HIGH: {one.grade}" if one.grade else "HIGH", style="green")
    text = Text("not HIGH: ", style="yellow")
    text.append(clean_for_terminal(one.obstacle))
    lead = f"{account.lead_bits:.0f} bits ahead of any rival"
    text.append(f"\n(HIGH also takes identity-grade evidence and to be {lead})", style="dim")
    for advice in one.would_raise:
        text.append(f"\nwould make it HIGH: {clean_for_terminal(advice)}")
    return text


def _asides(account: Account) -> list[Text]:
    asides = (
        ("refused by a person", account.refused),
        ("in Plex's trash, not considered", account.in_trash),
    )
    return [Text(f"\n{words}: item {', '.join(keys)}") for words, keys in asides if keys]
