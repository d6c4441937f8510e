"""`plexsync explain`: why a scene was matched as it was."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs
from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsync.commands.completion import complete_scenes
from plexsync.commands.options import CONTEXT, global_options, read_rating_keys, read_scene_ids
from plexsync.output import console

if TYPE_CHECKING:
    from plexsync.matcher import Explanation
    from plexsync.output.console import Invocation


def _one_id(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else read_scene_ids(ctx, param, (value,))[0]


def _one_key(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else read_rating_keys(ctx, param, (value,))[0]


@click.command(context_settings=CONTEXT, short_help="Why a scene was matched as it was.")
@click.argument("scene_id", required=False, callback=_one_id, shell_complete=complete_scenes)
@click.option(
    "--item",
    metavar="RATING_KEY",
    callback=_one_key,
    help="Tell it from Plex's side: which scenes could be this item.",
)
@global_options
@click.pass_obj
def explain_command(invocation: Invocation, *, scene_id: str | None, item: str | None) -> int:
    """Show everything that speaks for and against each candidate of a scene.

    Reads both servers. Each piece of evidence has a weight in bits: one bit makes it twice as
    likely that both files are one. They add up to the score. Nothing is written.

    \b
    Examples:
      plexsync explain 812
      plexsync explain --item 9120
      plexsync explain 812 --json | jq '.account.standings[0]'
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    if (scene_id is None) == (item is None):
        raise click.UsageError("Say which: a scene's id, or --item with a rating key.")
    from plexsync.app.runs import explained

    streams = console.standard_streams()
    found = explained(invocation, streams, scene_id=scene_id, rating_key=item)
    _print(invocation, streams, found)
    return 0


def _print(invocation: Invocation, streams: console.Streams, found: Explanation) -> None:
    if invocation.shape.json or invocation.shape.jsonl:
        console.print_document(streams, found)
        return
    from plexsync.output.explain import explanation_lines, explanation_view

    if not console.is_terminal(streams.stdout):
        console.print_text(streams, "".join(f"{line}\n" for line in explanation_lines(found)))
        return
    screen = console.make_console(streams.stdout, no_color=invocation.shape.no_color)
    screen.print(explanation_view(found, width=screen.width))
