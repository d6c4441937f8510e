"""`plexsync report`: its options and help."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from plexsync.commands.completion import complete_libraries, complete_runs
from plexsync.commands.options import file_option, new_command
from plexsync.errors import ConfigError, ExitCode
from plexsync.output import console

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from plexsync.output.console import Invocation
    from plexsync.output.report.values import Report


@new_command()
@file_option(
    "--html", help="Write one HTML page to FILE, without scripts and with nothing from elsewhere."
)
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@click.option("--csv", is_flag=True, help="Print CSV: a line a scene that waits, a line a field.")
@click.option("--since", metavar="WHEN", default="", help="Only runs since a date, or for 7d.")
@click.option(
    "--run",
    metavar="RUN",
    default="",
    shell_complete=complete_runs,
    help="Only what this run wrote.",
)
@click.option(
    "--library",
    metavar="NAME",
    default="",
    shell_complete=complete_libraries,
    help="Only this Plex library.",
)
@click.option(
    "--redact", is_flag=True, help="Replace titles, names and paths by stand-ins, for posting."
)
@click.option("--no-pictures", is_flag=True, help="Ask Plex for no covers.")
def report_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Report coverage, what waits and why, what fails and what to do, and what runs changed.

    Everything comes from what plexsync remembers; only the covers in an HTML page are asked of
    Plex, and a page without them is written when it is away. Nothing is written to Plex.

    \b
    Examples:
      plexsync report --html report.html
      plexsync report --html report.html --since 7d --library Scenes
      plexsync report --markdown --redact          for an issue
      plexsync report --csv > report.csv
    """
    from plexsync.app.report import ReportScope, make_report

    shapes = [name for name in ("html", "markdown", "csv") if options[name]]
    if len(shapes) != 1:
        raise click.UsageError("Say one of --html FILE, --markdown or --csv.")
    if invocation.shape.as_document:
        raise click.UsageError("A report has no JSON; status --json and history --json have.")
    scope = ReportScope(
        since=options["since"],
        run=options["run"],
        library=options["library"],
        redact=options["redact"],
    )
    pictures = shapes == ["html"] and not options["no_pictures"] and not options["redact"]
    report = make_report(invocation, os.environ, scope, pictures=pictures)
    _print(invocation, report, options["html"], shapes[0])
    return ExitCode.OK


def _print(invocation: Invocation, report: Report, file: Path | None, shape: str) -> None:
    """Write a report in the shape that was asked for: a page to its file, the others to stdout."""
    if file is not None:
        from plexsync.output.report.html import report_html

        size_bytes = _write(file, report_html(report))
        if not invocation.shape.quiet:
            console.write_lines(invocation.streams.stdout, [f"{file}: {size_bytes / 1e6:.1f} MB"])
    elif shape == "markdown":
        from plexsync.output.report.markdown import report_markdown

        console.print_text(invocation.streams, "".join(report_markdown(report)))
    else:
        from plexsync.output.report.csv_lines import report_csv

        console.print_text(invocation.streams, "".join(report_csv(report)))


def _write(file: Path, pieces: Iterable[str]) -> int:
    """Write a page that only its owner can read; returns its size in bytes."""
    body = "".join(pieces).encode("utf-8", "replace")
    try:
        file.unlink(missing_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(body)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", context=str(file)) from error
    return len(body)
