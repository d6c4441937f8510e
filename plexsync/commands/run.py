"""`plexsync run`, `apply`, `adopt` and `demo`: what writes to Plex, and from where."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsync.commands.completion import complete_libraries, complete_scenes
from plexsync.commands.options import (
    dry_run_option,
    file_option,
    lock_wait_option,
    log_options,
    new_command,
    read_name,
    read_scene_id,
    several,
)
from plexsync.output import console

if TYPE_CHECKING:
    from plexsync.output.console import Invocation
    from plexsync.sync.ports import RunOptions


@new_command()
@dry_run_option("be written")
@click.option(
    "--full", is_flag=True, help="Look at every scene again, not just at what changed in Stash."
)
@several(
    "--scene",
    "scenes",
    "ID",
    read_scene_id,
    shell_complete=complete_scenes,
    help="Only this scene, changed or not.",
)
@several(
    "--library",
    "libraries",
    "NAME",
    read_name,
    shell_complete=complete_libraries,
    help="Only this Plex library.",
)
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), help="Look at no more than N scenes."
)
@click.option(
    "--max-changes",
    metavar="N",
    type=click.IntRange(min=0),
    help="Hold back what more than N known items would lose.",
)
@file_option(
    "--save-plan", help="Write nothing, but save what would be written for plexsync apply."
)
@click.option(
    "--ask", is_flag=True, help="Show all changes and ask before the first one is written."
)
@click.option(
    "--take-over",
    is_flag=True,
    help="Replace for once what was typed by hand, or locked by another tool, in Plex.",
)
@several("--field", "fields", "NAME", read_name, help="With --take-over: only this field.")
@click.option("--force", is_flag=True, help="Write even what a safety limit holds back.")
@lock_wait_option()
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="End with 10 if there are changes, with 11 if only LOW matches wait.",
)
@log_options
def run_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over by name
    """Reconcile once: find what changed in Stash, match it, write it to Plex.

    Shows HIGH matches with what changes, and LOW matches with the reason each is not HIGH. Writes
    the HIGH ones; LOW ones wait for a person. Ctrl-C ends a run in good order: what was written
    is remembered, the rest waits for next time.

    \b
    Examples:
      plexsync run -n                    show what would be written
      plexsync run                       write it
      plexsync run -n --scene 812 -vv    one scene with all evidence
      plexsync run --json | jq .counts   for programs
      plexsync run --lock-wait 15m       for cron, see cron.example

    \b
    Exit codes:
      0  done, also when LOW matches wait     5  access refused, library missing
      1  a bug                                6  safety limit, some held back
      2  usage or configuration               8  another run holds the lock
      3  some scenes failed, kept for later   9  local files, disk full
      4  a server is failing                  130, 143  interrupted
    """
    from plexsync.app import runs as compose
    from plexsync.state import OTHER_FILE, mode_of, require_place, state_errors
    from plexsync.sync.reconcile import run

    if (plan := options["save_plan"]) is not None:
        with state_errors("create", plan, elsewhere=OTHER_FILE):
            has_folder = stat.S_ISDIR(mode_of(plan.absolute().parent))
        if not has_folder:
            raise click.UsageError(f"--save-plan: there is no folder {plan.parent}.")
        require_place(plan)
    if options["ask"]:
        writes = not options["dry_run"] and options["save_plan"] is None
        _check_ask(invocation, writes=writes)
    watched = any(map(console.is_terminal, (invocation.streams.stdout, invocation.streams.stderr)))
    wanted = run_options(options, watched=watched)
    return compose.perform(invocation, run, wanted, announce=True, named=bool(wanted.scenes))


@new_command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@dry_run_option("still be written")
@lock_wait_option()
@log_options
def apply_command(invocation: Invocation, /, **options: Any) -> int:  # noqa: ANN401 - click hands them over
    """Write the plan in FILE, as far as Plex is still as it was when it was saved.

    Each item is read first. One with other values in its planned fields by now, or that no
    longer holds its file, is skipped and named; and so is one with another picture or cover by
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
    """
    from plexsync.app import runs as compose
    from plexsync.sync.replay.apply import ApplyOptions
    from plexsync.sync.replay.apply import apply as carry_out

    return compose.perform(invocation, carry_out, ApplyOptions(**options))


@new_command()
@dry_run_option("be taken over")
@click.option("--force", is_flag=True, help="Write even what a safety limit holds back.")
def adopt_command(invocation: Invocation, *, dry_run: bool, force: bool) -> int:
    """Link the items with a GUID that names a scene, and keep them in step from then on.

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
    from plexsync.app.explain import find_adoptable, survey_lines
    from plexsync.sync.ports import RunOptions
    from plexsync.sync.reconcile import run

    adoption = compose.ask_servers(invocation, find_adoptable)
    as_json, ends = invocation.shape.as_document, dry_run or not adoption.certain
    if as_json and ends:
        console.print_document(invocation.streams, adoption)
    elif not as_json and not invocation.shape.quiet:
        console.print_lines(invocation.streams, survey_lines(adoption))
    if ends:
        return 0
    wanted = RunOptions(scenes=adoption.certain, force=force)
    return compose.perform(invocation, run, wanted, announce=True)


@new_command()
@click.option("--keep", is_flag=True, help="Leave the servers up afterwards, until Ctrl-C.")
def demo_command(invocation: Invocation, *, keep: bool) -> int:
    """Watch a sample library being reconciled, with no server of your own.

    Starts a simulated Stash and a simulated Plex on this machine, reachable from nowhere else,
    and does real runs against them: a dry run, the first run, a run after someone edited both
    sides, and one that finds nothing to do. Touches none of your own files.

    \b
    Examples:
      plexsync demo
      plexsync demo --keep    then try commands against it from another terminal
    """
    if invocation.shape.as_document:
        raise click.UsageError("The demo talks to a person; it has no JSON.")
    from plexsync.app.demo import run_demo

    return run_demo(invocation.streams, shape=invocation.shape, keep=keep)


# ---- Private -------------------------------------------------------------------------------------


def _check_ask(invocation: Invocation, *, writes: bool) -> None:
    """Whoever is asked must be there, see what is asked about, and have something to say no to.

    Raises:
        UsageError: something of that is missing.
    """
    if not writes:
        raise click.UsageError(
            "--ask and --dry-run: nothing is written, so there is nothing to ask."
        )
    if invocation.shape.as_document or invocation.shape.quiet:
        raise click.UsageError("--ask shows tables and asks; without them it cannot be used.")
    if not console.can_ask(invocation.streams):
        raise click.UsageError("--ask needs a terminal to ask on.")


def run_options(options: dict[str, Any], *, watched: bool) -> RunOptions:
    """Return what click parsed, as what a run takes."""
    from plexsync.sync.ports import RunOptions

    if options["fields"] and not options["take_over"]:
        raise click.UsageError("--field says what --take-over replaces; alone it means nothing.")
    options["full"] = options["full"] or options["take_over"]
    # Who saves a plan wants to look at it first.
    options["dry_run"] = options["dry_run"] or options["save_plan"] is not None
    return RunOptions(**options, watched=watched)
