"""`plexsync history`, `undo` and `explain`: what runs wrote, and why a scene was matched so."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from plexsync.commands.completion import complete_runs, complete_scenes
from plexsync.commands.options import (
    dry_run_option,
    lock_wait_option,
    log_options,
    new_command,
    read_rating_key,
    read_scene_id,
    several,
    show_found,
)
from plexsync.errors import ExitCode

if TYPE_CHECKING:
    from plexsync.models import RatingKey, SceneId
    from plexsync.output.console import Invocation


@new_command()
@click.argument("run", metavar="[RUN]", required=False, shell_complete=complete_runs)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help="Only the newest N runs, or N items of a run.",
)
def history_command(invocation: Invocation, *, run: str | None, limit: int | None) -> int:
    """List the runs whose journals are kept, newest first, or what one RUN wrote.

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

    wanted = UndoOptions(**options)
    return compose.perform(invocation, partial(undo, options=wanted), dry_run=wanted.dry_run)


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
