"""`plexsync doctor`: a check-up of everything a run needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from plexsync.commands.options import file_option, new_command, read_rating_key
from plexsync.errors import ExitCode
from plexsync.output import console
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from plexsync.app.checkup.doctor import Finding
    from plexsync.models import RatingKey
    from plexsync.output.console import Invocation


@new_command()
@click.option("--notify", is_flag=True, help="Try the health check and the addresses of messages.")
@file_option("--report", help="Also write FILE with what a bug report needs, without secrets.")
@file_option("--log", help="Put the end of this log, made by --log-file, into the report.")
@click.option(
    "--probe",
    metavar="RATING_KEY",
    multiple=True,
    type=read_rating_key,
    help="Try edits on this throw-away item of Plex, put it back, and say what Plex did.",
)
def doctor_command(
    invocation: Invocation,
    *,
    report: Path | None,
    log: Path | None,
    probe: tuple[RatingKey, ...],
    notify: bool,
) -> int:
    """Check everything a run needs: configuration, state, both servers, libraries, path rules.

    Reads only; --notify also calls the health check and sends a test message. Each line
    says ok, warn or fail, and what to do about it. Ends with the exit code a run would end with;
    a warning is no failure.

    \b
    Examples:
      plexsync doctor
      plexsync doctor --notify
      plexsync doctor --json | jq '.findings[] | select(.level != "ok")'
      plexsync doctor --report report.txt
    """
    if probe:
        return _probe(invocation, probe)
    from plexsync.app.checkup.bug_report import write_report
    from plexsync.app.checkup.doctor import verdict
    from plexsync.app.checkup.examination import examine

    findings: list[Finding] = []
    for finding in map(_cleaned, examine(invocation, notify=notify)):
        findings.append(finding)
        if not invocation.shape.as_document:
            _tell(invocation, finding)
    code = verdict(findings)
    if report is not None:
        write_report(invocation, findings, report, log=log)
        if not (invocation.shape.as_document or invocation.shape.quiet):
            console.write_lines(invocation.streams.stderr, [f"Written: {report}"])
    if invocation.shape.as_document:
        _print_document(invocation, code, findings)
    return code


# ---- Private -------------------------------------------------------------------------------------


def _print_document(invocation: Invocation, code: ExitCode, findings: Iterable[Finding]) -> None:
    entries = [
        {
            "area": one.area,
            "level": one.level,
            "message": one.message,
            "remedy": one.remedy or None,
        }
        for one in findings
    ]
    document = {"schema": "plexsync/doctor/1", "exit_code": int(code), "findings": entries}
    console.print_document(invocation.streams, document)


def _probe(invocation: Invocation, keys: tuple[RatingKey, ...]) -> int:
    """Ask, then try edits on each item and say what Plex did with them."""
    from plexsync.app.checkup.probe import open_probe

    if not console.can_ask(invocation.streams):
        raise click.UsageError("--probe writes to Plex, so it asks on a terminal first.")
    for key in keys:
        with open_probe(invocation, key) as probe:
            title = clean_for_terminal(probe.item.title)
            if not click.confirm(f"Write to item {key} '{title}' and put it back?", default=False):
                continue
            for fact in probe.facts():
                click.echo(f"  {clean_for_terminal(fact)}")
            click.echo("It is as it was.")
    return ExitCode.OK


_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_AREA_COLUMNS = 14


def _cleaned(one: Finding) -> Finding:
    """Return a finding without what a terminal could act on."""
    remedy = "\n".join(map(clean_for_terminal, one.remedy.splitlines()))
    return replace(one, message=clean_for_terminal(one.message), remedy=remedy)


def _tell(invocation: Invocation, one: Finding) -> None:
    """Print a line at once, because a check may take its time; a pipe gets columns."""
    if invocation.shape.quiet and one.level != "fail":
        return
    remedy = one.remedy.splitlines()
    if not console.is_terminal(invocation.streams.stdout):
        line = "\t".join(
            (one.level, one.area, one.message, " ".join(part.strip() for part in remedy))
        )
        console.print_text(invocation.streams, f"{line}\n")
        return
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console.make_console(invocation.streams.stdout, no_color=invocation.shape.no_color)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=4)
    grid.add_column(width=_AREA_COLUMNS)
    grid.add_column(overflow="fold")
    grid.add_row(Text(one.level, style=_COLOURS[one.level]), one.area, Text(one.message))
    out.print(grid)
    for part in remedy:
        copyable = part.startswith(" ")
        text = Text(part, style="" if copyable else "dim", overflow="fold")
        out.print(Padding(text, (0, 0, 0, 4 + 1 + _AREA_COLUMNS + 1)), soft_wrap=copyable)
