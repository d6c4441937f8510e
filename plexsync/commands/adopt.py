"""`plexsync adopt`: take over what an agent or provider matched."""

from __future__ import annotations

from functools import partial

import click

from plexsync.commands.options import CONTEXT, global_options
from plexsync.output import console
from plexsync.output.console import Invocation  # noqa: TC001 - click passes it


@click.command(context_settings=CONTEXT)
@click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would be taken over, and write none of it."
)
@click.option("--force", is_flag=True, help="Write even what a safety limit holds back.")
@global_options
@click.pass_obj
def adopt_command(invocation: Invocation, *, dry_run: bool, force: bool) -> int:
    """Link the items whose GUID names a scene, and keep them in step from then on.

    Agents, NFO files and custom providers leave the scene's id in Plex. Shows each scene with its
    item, and which fields, locks and collections the agent left there. Then links and writes the
    certain ones as `plexsync run` does; no path rule is needed. Ids start again after a full
    import of Stash, so the files have to confirm them.

    \b
    Examples:
      plexsync adopt -n           show what would be taken over
      plexsync adopt              take it over
      plexsync adopt -n --json    for programs
    """
    from plexsync.app import runs as compose
    from plexsync.app.adopt import find_adoptable, survey_lines
    from plexsync.sync.ports import RunOptions
    from plexsync.sync.reconcile import run

    streams = console.standard_streams()
    adoption = compose.ask_servers(invocation, streams, find_adoptable)
    as_json = invocation.shape.json or invocation.shape.jsonl
    if as_json and dry_run:
        console.print_document(streams, adoption)
    elif not as_json and not invocation.shape.quiet:
        console.print_text(streams, "".join(f"{line}\n" for line in survey_lines(adoption)))
    if dry_run or not adoption.certain:
        if as_json and not dry_run:
            console.print_document(streams, adoption)
        return 0
    wanted = RunOptions(scenes=adoption.certain, force=force)
    return compose.perform(
        invocation, partial(run, options=wanted), streams, dry_run=False, announce=True
    )
