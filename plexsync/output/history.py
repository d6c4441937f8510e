r"""What past runs did, as people and programs are shown it: tables, lines, JSON. Prints nothing.

Lines are those of `lines`: one record a line, columns separated by tabs, a tab, line feed, carriage
return or backslash within a text written `\t`, `\n`, `\r` or `\\`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from plexsync.models import VIDEO_KINDS, Change, ItemPlan
from plexsync.output.formats.json_documents import change_json, clean_value, noun_json, record_json
from plexsync.output.formats.tsv import escaped
from plexsync.output.tables import change_text, named_values, plain_table
from plexsync.planning.credits import shown_values
from plexsync.text.differences import names_of
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.state import RunLog, RunRecord, Written

_TIMES_FROM = 90  # columns: narrower, they would take the place of what each run did

_Json = dict[str, object]


# ---- All runs ------------------------------------------------------------------------------------


def runs_document(runs: Sequence[RunRecord]) -> _Json:
    """All runs, newest first, as one document."""
    return {"schema": "plexsync/history/1", "runs": [record_json(run) for run in runs]}


def run_lines(runs: Sequence[RunRecord]) -> Iterator[str]:
    """One line per run."""
    for run in runs:
        code = "" if run.exit_code is None else run.exit_code
        cells = (
            run.run_id,
            run.kind.value,
            run.started_at,
            run.finished_at,
            code,
            run.written,
            run.counts.failed,
        )
        yield "\t".join(map(str, cells))


def runs_table(runs: Sequence[RunRecord], *, width: int) -> Table:
    """All runs for a person; where `width` is short, the id alone says when a run started."""
    wide = width >= _TIMES_FROM
    texts = ("Run", "Kind", "Started (UTC)") if wide else ("Run", "Kind")
    numbers = ("Items written", "Failed", "Exit code") if wide else ("Items", "Failed", "Exit")
    table = plain_table(
        *(Column(name, no_wrap=True) for name in texts),
        *(Column(name, justify="right", overflow="fold") for name in numbers),
    )
    for run in runs:
        cut_off = run.exit_code is None
        started = run.started_at.replace("T", " ").replace("Z", "")
        table.add_row(
            run.run_id,
            run.kind.value,
            *([started] if wide else ()),
            f"{run.written:,}",
            f"{run.counts.failed:,}",
            Text("cut off", style="yellow") if cut_off else str(run.exit_code),
        )
    return table


# ---- One run -------------------------------------------------------------------------------------


def first_items(log: RunLog, limit: int) -> RunLog:
    """Return the same run with what it wrote to its first `limit` items only."""
    kept = [one for writes in list(by_item(log.written))[:limit] for one in writes]
    return replace(log, written=tuple(kept))


def history_document(log: RunLog) -> _Json:
    """Everything one run wrote, as one document."""
    return {
        "schema": "plexsync/history-run/1",
        "run": record_json(log.run),
        "items": [_item(one) for one in log.written],
    }


def written_lines(log: RunLog) -> Iterator[str]:
    """One line per field the run wrote."""
    for one in log.written:
        for change in one.plan.changes:
            before, after = (", ".join(names_of(value)) for value in shown_values(change))
            cells = (
                _status(one, change),
                one.plan.scene_id,
                one.plan.rating_key,
                change.field,
                before,
                after,
                str(change.locked_before).lower(),
                str(_locked_after(change, one.plan)).lower(),
                one.plan.path,
            )
            yield "\t".join(map(escaped, cells))


def run_view(log: RunLog, *, verbose: bool = False) -> Group:
    """Everything one run wrote, for a person; `verbose` cuts nothing."""
    run = log.run
    end = (
        f"ended {run.finished_at}, exit code {run.exit_code}" if run.finished_at else "was cut off"
    )
    parts: list[RenderableType] = [
        Text(f"{run.kind.value} {run.run_id}", style="bold"),
        Text(f"started {run.started_at}, {end}", style="dim"),
    ]
    if not log.written:
        parts.append(Text("It wrote nothing."))
    for writes in by_item(log.written):
        parts += [Text(""), *_item_parts(writes, verbose=verbose)]
    return Group(*parts)


def by_item(written: Iterable[Written]) -> Iterator[list[Written]]:
    """Yield what was written to each item: its fields in one request, each picture in another."""
    groups: dict[tuple[str, str], list[Written]] = {}
    for one in written:
        groups.setdefault((one.plan.scene_id, one.plan.rating_key), []).append(one)
    yield from groups.values()


# ---- Private -------------------------------------------------------------------------------------


def _item_parts(writes: Sequence[Written], *, verbose: bool) -> Iterator[RenderableType]:
    first = writes[0].plan
    of = f"scene {first.scene_id}" if first.kind in VIDEO_KINDS else first.kind.value
    where = f"{of} -> item {first.rating_key}"
    statuses = dict.fromkeys(one.status.value if one.status else "unknown" for one in writes)
    yield Text.assemble((where, "bold"), f"  {', '.join(statuses)}")
    yield Text(f"  {clean_for_terminal(first.path)}", style="dim", overflow="fold")
    grid = named_values()
    grid.add_column(style="dim", no_wrap=True)
    for one in writes:
        for change in one.plan.changes:
            grid.add_row(
                f"  {clean_for_terminal(change.field)}",
                change_text(change, verbose=verbose),
                _lock_words(change, one),
            )
    yield grid
    for problem in (one.problem for one in writes if one.problem):
        yield Text(f"  {clean_for_terminal(problem.message)}", style="red", overflow="fold")


def _lock_words(change: Change, one: Written) -> str:
    words = []
    after = _locked_after(change, one.plan)
    if after != change.locked_before:
        words.append("locked" if after else "unlocked")
    if change.target in one.missing:
        words.append("not stored")
    return ", ".join(words)


def _status(one: Written, change: Change) -> str:
    """Of one field: of an item that failed in part, the others were written."""
    if one.status is None:
        return "unknown"
    if one.missing and change.target not in one.missing:
        return "applied"
    return one.status.value


def _locked_after(change: Change, plan: ItemPlan) -> bool:
    if change.locked_after is not None:
        return change.locked_after
    return plan.lock or change.locked_before


def _item(one: Written) -> _Json:
    return {
        "scene_id": one.plan.scene_id,
        "rating_key": one.plan.rating_key,
        "path": clean_value(one.plan.path),
        "status": one.status or "unknown",
        "changes": [
            change_json(change)
            | {
                "status": _status(one, change),
                "locked_before": change.locked_before,
                "locked_after": _locked_after(change, one.plan),
            }
            for change in one.plan.changes
        ],
        "error": noun_json(one.problem) if one.problem else None,
    }
