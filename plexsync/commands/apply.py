"""`plexsync apply`: write a plan that a run saved."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsync.commands.options import CONTEXT, global_options, lock_wait_option, log_options
from plexsync.output import console

if TYPE_CHECKING:
    from plexsync.output.console import Invocation


@click.command(context_settings=CONTEXT, short_help="Write a plan that a run saved.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would still be written, and write none of it."
)
@lock_wait_option()
@log_options
@global_options
@click.pass_obj
def apply_command(invocation: Invocation, *, file: Path, dry_run: bool, lock_wait: float) -> int:
    """Write the plan in FILE, as far as Plex is still as it was when it was saved.

    Each item is read first. One whose planned fields hold other values by now, or that no longer
    holds its file, is skipped and named; and so is one whose picture or cover is another one by
    now. What is written is remembered as after a run, and can be undone like one. Stash is asked
    for nothing but covers.

    \b
    Examples:
      plexsync run --save-plan plan.json    save it
      plexsync apply plan.json -n           look whether it still fits
      plexsync apply plan.json              write it

    \b
    Exit codes beside those of run:
      2  there is no such plan         7  it is stale as a whole, or was edited
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    from plexsync.app import runs as compose
    from plexsync.replay.apply import ApplyOptions
    from plexsync.replay.apply import apply as carry_out

    options = ApplyOptions(file=file, dry_run=dry_run, lock_wait_s=lock_wait)
    return compose.perform(
        invocation,
        partial(carry_out, options=options),
        console.standard_streams(),
        dry_run=dry_run,
    )
