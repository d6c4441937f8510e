"""`plexsync history`, `undo`, `explain`, `report`: what runs wrote, and how matches came about."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from plexsync.commands.completion import complete_libraries, complete_runs, complete_scenes
from plexsync.commands.options import (
    dry_run_option,
    file_option,
    lock_wait_option,
    log_options,
    new_command,
    read_rating_key,
    read_scene_id,
    several,
    show_found,
)
from plexsync.errors import ExitCode
from plexsync.output import console

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from plexsync.models import RatingKey, SceneId
    from plexsync.output.console import Invocation
    from plexsync.output.report.values import Report


@new_command()
@click.argument("run", metavar="[RUN]", required=False, shell_complete=complete_runs)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help="Only the newest N runs, or N items of a run.",
)
def history_command(invocation: Invocation, *, run: str | None, limit: int | None) -> int:
    """List the runs with a kept journal, newest first, or what one RUN wrote.

    For each field it wrote a run has the value before and after, and whether Plex's lock was set.
    RUN is a run's id, or "last" for the newest one that wrote something and is no undo. How long
    runs are kept says keep_days under [run] in the configuration.

    \b
    Examples:
      plexsync history
      plexsync history last
      plexsync history 20261122T083254Z-3f9a --json
    """
    from plexsync.output import history
    from plexsync.state import find_run, read_history, state_directory

    directory = state_directory(os.environ)
    if run is None:
        runs = read_history(directory, limit=limit)
        show_found(
            invocation,
            document=partial(history.runs_document, runs),
            lines=partial(history.run_lines, runs),
            view=lambda screen: (
                history.runs_table(runs, width=screen.width)
                if runs
                else "No run has left a journal yet."
            ),
        )
        return ExitCode.OK
    log = find_run(directory, run)
    log = log if limit is None else history.first_items(log, limit)
    show_found(
        invocation,
        document=partial(history.history_document, log),
        lines=partial(history.written_lines, log),
        view=lambda _: history.run_view(log, verbose=invocation.shape.verbosity > 0),
    )
    return ExitCode.OK


@new_command()
@click.argument("target", metavar="RUN|last", shell_complete=complete_runs)
@dry_run_option("be put back")
@several("--scene", "scenes", "ID", read_scene_id, help="Only what was written for this scene.")
@several("--field", "fields", "NAME", str, help="Only this field, as [fields] calls it.")
@lock_wait_option()
@log_options
def undo_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Put values, lists and locks back as they were before RUN, where Plex still holds them.

    RUN is the id that history shows, or "last" for the newest run that wrote something and is no
    undo. What somebody changed in Plex since is kept and named. What was put back is not written
    again until Stash changes it, or you ask with run --full or --scene. An undo can be undone.

    \b
    Examples:
      plexsync undo last -n                show what would be put back
      plexsync undo last                   put it back
      plexsync undo last --scene 812       for one scene
      plexsync undo last --field tags      one field of every item

    \b
    Exit codes beside those of run:
      2  there is no such run              7  nothing of it can be put back
    """
    from plexsync.app import runs as compose
    from plexsync.sync.replay.undo import UndoOptions, undo

    return compose.perform(invocation, undo, UndoOptions(**options))


@new_command()
@click.argument("scene_id", required=False, type=read_scene_id, shell_complete=complete_scenes)
@click.option(
    "--item",
    metavar="RATING_KEY",
    type=read_rating_key,
    help="Tell it from Plex's side: which scenes could be this item.",
)
def explain_command(
    invocation: Invocation, *, scene_id: SceneId | None, item: RatingKey | None
) -> int:
    """Show everything that speaks for and against each candidate of a scene.

    Reads both servers. Each piece of evidence has a weight in bits: one bit makes it twice as
    likely that both files are one. They add up to the score. Nothing is written.

    \b
    Examples:
      plexsync explain 812
      plexsync explain --item 9120
      plexsync explain 812 --json | jq '.account.standings[0]'
    """
    if (scene_id is None) == (item is None):
        raise click.UsageError("Say which: a scene's id, or --item with a rating key.")
    from plexsync.app.explain import explain_item, explain_scene
    from plexsync.app.runs import ask_servers
    from plexsync.output.explain import explanation_lines, explanation_view

    if scene_id is not None:
        question = partial(explain_scene, scene_id=scene_id)
    elif item is not None:
        question = partial(explain_item, rating_key=item)
    found = ask_servers(invocation, question)
    show_found(
        invocation,
        document=lambda: found,
        lines=partial(explanation_lines, found),
        view=lambda screen: explanation_view(found, width=screen.width),
    )
    return 0


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

    file = options["html"]
    shapes = [name for name in ("html", "markdown", "csv") if options.pop(name)]
    if len(shapes) != 1:
        raise click.UsageError("Say one of --html FILE, --markdown or --csv.")
    if invocation.shape.as_document:
        raise click.UsageError("A report has no JSON; status --json and history --json have.")
    pictures = not options.pop("no_pictures") and not options["redact"] and file is not None
    scope = ReportScope(**options)
    report = make_report(invocation, os.environ, scope, pictures=pictures)
    _print_report(invocation, report, file, shapes[0])
    return ExitCode.OK


def _print_report(invocation: Invocation, report: Report, file: Path | None, shape: str) -> None:
    """Write a report in the shape that was asked for: a page to its file, the others to stdout."""
    if file is not None:
        from plexsync.output.report.html import report_html
        from plexsync.text.words import file_size

        size_bytes = _write_page(file, report_html(report))
        if not invocation.shape.quiet:
            words = f"Written: {file} ({file_size(size_bytes)})"
            console.write_lines(invocation.streams.stdout, [words])
    elif shape == "markdown":
        from plexsync.output.report.texts import report_markdown

        console.print_lines(invocation.streams, report_markdown(report))
    else:
        from plexsync.output.report.texts import report_csv

        console.print_text(invocation.streams, "".join(report_csv(report)))


def _write_page(file: Path, pieces: Iterable[str]) -> int:
    """Write a page that only its owner can read; returns its size in bytes."""
    from plexsync.state import OTHER_FILE, state_errors

    body = "".join(pieces).encode("utf-8", "replace")
    with state_errors("write", file, elsewhere=OTHER_FILE):
        file.unlink(missing_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(body)
    return len(body)
