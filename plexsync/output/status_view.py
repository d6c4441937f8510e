"""What `status` shows on a terminal. Source: docs/output.md, "Status"."""

from __future__ import annotations

import math
from datetime import datetime
from textwrap import indent
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text

from plexsync.output.status import (
    ago,
    problem_words,
    run_end,
    shares,
    shares_words,
    span,
    until,
)
from plexsync.output.tables import plain_table
from plexsync.state import ENDED_WELL, KeptStatus, RunRecord, Status, Trouble, age_s
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.toml import rules_text
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plexsync.models import PathRule

RUNS_SHOWN = 5
TROUBLES_SHOWN = 20
NARROW_BELOW = 90
"""Columns below which a run's row is too narrow for what it took and read."""

_LABEL_COLUMNS = 12
_WIDEST_BAR = 50

_LEVELS = "▁▂▃▄▅▆▇█"
_PARTS = " ▏▎▍▌▋▊▉█"


def status_view(
    status: Status,
    *,
    width: int,
    begin: str = "plexsync run -n",
    named: str = "",
) -> Group:
    """Everything a person wants to know, most important first.

    Args:
        status: how things stand.
        width: columns of the terminal.
        begin: the command to begin with, where there was no run yet.
        named: the option that names the configuration, for commands to type.
    """
    parts: list[RenderableType] = [_verdict(status, f"{begin}{named}")]
    if status.running:
        parts.append(Text(f"A run is under way since {status.running.since}.", style="cyan"))
    if status.runs:
        parts += [Text(""), _runs(status, width=width)]
    if status.coverage.scenes:
        parts += [Text(""), _library(status, width=width)]
    parts += _troubles("Failing", "yellow", status.failing, status.now)
    parts += _pages(status.failing)
    parts += _troubles("Parked", "red", status.parked, None, named=named)
    parts += _pages(status.parked)
    for name, kept in (("Shows and seasons", status.shows), ("Collections", status.collections)):
        if kept.shares:
            parts += [Text(""), *_kept(name, kept, status.now)]
    if status.proposed:
        parts += [Text(""), _rules(status.proposed)]
    parts += [
        Text(""),
        *(Text(line, style="dim", overflow="fold") for line in _facts(status, named)),
    ]
    return Group(*parts)


def sparkline(counts: Sequence[int]) -> str:
    """One character a count; only 0 is lowest.

    Heights are logarithms, so that a first run of 100,000 leaves something to see of the others.
    """
    most = max(counts, default=0)
    if not most:
        return _LEVELS[0] * len(counts)
    steps = len(_LEVELS) - 1
    heights = (math.ceil(steps * math.log1p(count) / math.log1p(most)) for count in counts)
    # The highest may come out a trifle above the top.
    return "".join(_LEVELS[min(height, steps)] for height in heights)


def bar(share: float, columns: int) -> str:
    """Return a bar that is empty only for nothing, and full only for all."""
    fine = len(_PARTS) - 1
    filled = round(share * columns * fine)
    if 0 < share < 1:
        filled = min(max(filled, 1), columns * fine - 1)
    full, rest = divmod(filled, fine)
    return (_PARTS[-1] * full + (_PARTS[rest] if rest else "")).ljust(columns)


def percent(part: int, whole: int) -> str:
    """Return a share that is 0 % only for nothing, and 100 % only for all."""
    if part in {0, whole}:
        return "100 %" if part else "0 %"
    share = 100 * part / whole
    return "<1 %" if share < 1 else f"{min(int(share), 99)} %"


# ---- Private -------------------------------------------------------------------------


def _verdict(status: Status, begin: str) -> Text:
    """Return the one line to read."""
    runs = [run for run in status.runs if run.finished_at]
    if not status.last_success_at:
        return Text(
            "No run has ended well yet." if runs else f"No run yet. Begin with: {begin}",
            style="bold yellow",
        )
    good = f"The last run that ended well was {ago(status.last_success_at, status.now)}"
    if runs and runs[-1].exit_code not in ENDED_WELL:
        return Text(f"{good}, but not the last one: {run_end(runs[-1])}.", style="bold yellow")
    return Text(f"{good}.", style="bold green")


def _runs(status: Status, *, width: int) -> Group:
    shown = status.runs[-max(width - _LABEL_COLUMNS - 24, 10) :]
    which = f"the last {len(shown)}, oldest first" if len(shown) > 1 else "the first one"
    lines = [Text.assemble(("Runs", "bold"), (f"  {which}", "dim"))]
    for label, style, counts in (
        ("written", "green", [run.counts.applied for run in shown]),
        ("failed", "red", [run.counts.failed for run in shown]),
    ):
        line = sparkline(counts)
        most = f" in all, {max(counts):,} at most" if sum(counts) and len(counts) > 1 else ""
        total = f"  {sum(counts):,}{most}"
        some = style if sum(counts) else "dim"
        lines.append(Text.assemble(f"  {label:<10}", (line, some), (total, "dim")))
    wide = width >= NARROW_BELOW
    numbers = ("Took", "Read", "Written", "Failed") if wide else ("Written", "Failed")
    table = plain_table(
        *(Column(title, no_wrap=True) for title in ("Started", "What")),
        *(Column(title, justify="right", no_wrap=True) for title in numbers),
        Column("Ended", overflow="fold"),
    )
    for run in reversed(status.runs[-RUNS_SHOWN:]):
        table.add_row(*_run_cells(run, status, wide=wide))
    return Group(*lines, Text(""), table)


def _run_cells(run: RunRecord, status: Status, *, wide: bool) -> Iterator[RenderableType]:
    under_way = status.running is not None and not run.finished_at and run is status.runs[-1]
    yield ago(run.started_at, status.now)
    yield "full run" if run.full else run.kind
    if wide:
        yield _took(run)
        yield f"{run.counts.scenes_read:,}"
    yield f"{run.counts.applied:,}"
    yield Text(f"{run.counts.failed:,}", style="red" if run.counts.failed else "")
    good = run.exit_code in ENDED_WELL
    yield Text("under way" if under_way else run_end(run), style="green" if good else "yellow")


def _took(run: RunRecord) -> str:
    try:
        finished = datetime.fromisoformat(run.finished_at)
    except ValueError:
        return ""
    seconds = age_s(run.started_at, finished)
    return "" if seconds is None else span(seconds)


def _library(status: Status, *, width: int) -> Group:
    scenes = status.coverage.scenes
    columns = min(max(width - _LABEL_COLUMNS - 20, 10), _WIDEST_BAR)
    lines = [Text.assemble(("Library", "bold"), (f"  {counted(scenes, 'scene')}", "dim"))]
    styles = {"linked": "green", "low": "yellow", "unmatched": "cyan", "undecided": "red"}
    for name, count in shares(status):
        if name == "undecided" and not count:
            continue
        label = "LOW" if name == "low" else name
        drawn = bar(count / scenes, columns)
        numbers = f"  {count:>9,}  {percent(count, scenes):>5}"
        line = Text.assemble(f"  {label:<10}", (drawn, styles.get(name, "dim")), numbers)
        lines.append(line)
    return Group(*lines)


def _troubles(
    head: str, colour: str, troubles: Sequence[Trouble], now: datetime | None, *, named: str = ""
) -> Iterator[RenderableType]:
    """Yield the first ones; without `now` they have no next try."""
    if not troubles:
        return
    words = Text.assemble((head, f"bold {colour}"), f": {counted(len(troubles), 'scene')}")
    if not now:
        words.append(f"; plexsync retry{named} has the next run try them", style="dim")
    table = plain_table(
        *(Column(title, justify="right", no_wrap=True) for title in ("Scene", "Tries")),
        *([Column("Next try", no_wrap=True)] if now else ()),
        Column("What went wrong", overflow="fold"),
    )
    for one in troubles[:TROUBLES_SHOWN]:
        when = [until(one.due_at, now)] if now else []
        problem = Text(problem_words(one), overflow="fold")
        table.add_row(one.scene_id, str(one.attempts), *when, problem)
    yield from (Text(""), words, Text(""))
    yield table
    yield from _more(troubles)


def _more(troubles: Sequence[object]) -> list[Text]:
    hidden = len(troubles) - TROUBLES_SHOWN
    return [Text(f"  … and {hidden:,} more", style="dim")] if hidden > 0 else []


def _pages(troubles: Sequence[Trouble]) -> Iterator[Text]:
    """Yield the addresses of what the table names, whole, so that a terminal opens them."""
    for one in troubles[:TROUBLES_SHOWN]:
        for address in filter(None, (one.scene_url, *one.item_urls)):
            line = f"  {one.scene_id}  {clean_for_terminal(address)}"
            yield Text(line, no_wrap=True, overflow="ignore")


def _kept(name: str, found: KeptStatus, now: datetime) -> Iterator[RenderableType]:
    """Yield how the collections stand, or the shows, and what went wrong with the first ones."""
    yield Text.assemble((name, "bold"), f": {shares_words(found.shares)}")
    troubles = found.troubles
    for one in troubles[:TROUBLES_SHOWN]:
        when = "parked" if one.parked else until(one.due_at, now)
        words = f"  {clean_for_terminal(one.title)} ({when}): {problem_words(one)}"
        yield Text(words, style="red" if one.parked else "yellow", overflow="fold")
    yield from _more(troubles)


def _rules(rules: Sequence[PathRule]) -> Group:
    head = Text("Path rules that fit your libraries, for config.toml:")
    lines = indent(rules_text(rules).rstrip(), "    ")
    return Group(head, Text(lines, style="cyan", no_wrap=True, overflow="ignore"))


def _facts(status: Status, named: str) -> Iterator[str]:
    """Yield what is left to say, in sentences."""
    if status.coverage.linked and status.items > status.coverage.linked:
        yield (
            f"The {counted(status.coverage.linked, 'scene')} linked are {status.items:,} items in "
            "Plex: a scene with several files can be several items, and runs count what they wrote "
            "by item."
        )
    if status.review:
        waits = counted(len(status.review), "scene")
        yield f"{waits} to settle by a person: plexsync review{named}"
    if status.due or status.later:
        counts = ((status.due, "by the next run"), (status.later, "later"))
        when = ", ".join(f"{count:,} {words}" for count, words in counts if count)
        first = f", the first {until(status.next_at, status.now)}" if status.next_at else ""
        yield f"Scenes tried again: {when}{first}."
    if status.unsettled:
        yield f"Writes to be checked in Plex by the next run: {status.unsettled:,}."
    if status.last_full_at:
        yield f"The last full look at everything was {ago(status.last_full_at, status.now)}."
    yield f"State: {clean_for_terminal(str(status.directory))}"
