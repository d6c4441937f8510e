"""The plexsync command line: options, the wording of errors, exit codes.

What a command needs is imported when it runs: `plexsync --help` answers without requests, plexapi,
rich or msgspec.
Source: docs/contract.md, "Commands" and "Exit codes".
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsync import __version__
from plexsync.commands.adopt import adopt_command
from plexsync.commands.completion import complete_libraries, complete_scenes, completion_command
from plexsync.commands.config import config_group, document_schema_command
from plexsync.commands.doctor import doctor_command
from plexsync.commands.explain import explain_command
from plexsync.commands.help import CommandTree, show_common_options_once
from plexsync.commands.history import apply_command, history_command, undo_command
from plexsync.commands.hook import hook_command, schedule_group
from plexsync.commands.init import make_init_command
from plexsync.commands.options import (
    CONTEXT,
    check_names,
    global_options,
    lock_wait_option,
    log_options,
    read_scene_ids,
)
from plexsync.commands.report import report_command
from plexsync.commands.review import review_group
from plexsync.commands.status import retry_command, status_command
from plexsync.errors import (
    DISK_FULL,
    ConfigError,
    ExitCode,
    InterruptedRunError,
    PlexsyncError,
    StateError,
)
from plexsync.output import console
from plexsync.output.console import Invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.output.console import Shape, Streams
    from plexsync.sync.ports import RunOptions

_KEPT = {
    "init": "no configuration was written",
    "review": "every answer given is kept",
    "demo": "the demo's servers and files are gone",
}
"""What is true after Ctrl-C in a command that does not report it itself."""


def run_command_line(arguments: Sequence[str], command: click.Command | None = None) -> int:
    """Run one command; whatever happens, it ends in words and an exit code.

    Args:
        arguments: without the program's name.
        command: what they are for; plexsync unless given.
    """
    streams = console.standard_streams()
    invocation = Invocation(_shape_ahead(arguments))
    try:
        code = _run(command or cli, arguments, invocation, streams)
    finally:
        console.hush(streams.stdout)
        console.hush(streams.stderr)
    return code


# ---- Commands ------------------------------------------------------------------------------------


@click.group(
    cls=CommandTree,
    context_settings=CONTEXT,
    epilog="Every command explains itself: plexsync run --help.",
)
@global_options
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Make a Plex library say what a Stash library says, and keep it so.

    Begin with `plexsync init`: it asks for both servers, writes the configuration and shows what
    a run would write. `plexsync demo` shows it all without any server of your own.
    """
    invocation: Invocation = ctx.obj
    invocation.command = ctx.invoked_subcommand or ""


@cli.command(context_settings=CONTEXT, short_help="Write to Plex what changed in Stash, once.")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would be written, and write none of it."
)
@click.option(
    "--full", is_flag=True, help="Look at every scene again, not just at what changed in Stash."
)
@click.option(
    "--scene",
    "scenes",
    metavar="ID",
    multiple=True,
    callback=read_scene_ids,
    shell_complete=complete_scenes,
    help="Only this scene, changed or not. May be given several times.",
)
@click.option(
    "--library",
    "libraries",
    metavar="NAME",
    multiple=True,
    callback=check_names,
    shell_complete=complete_libraries,
    help="Only this Plex library. May be given several times.",
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
@click.option(
    "--save-plan",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write nothing, but save what would be written for plexsync apply.",
)
@click.option(
    "--ask", is_flag=True, help="Show all changes and ask before the first one is written."
)
@click.option(
    "--take-over",
    is_flag=True,
    help="Replace for once what was typed by hand, or locked by another tool, in Plex.",
)
@click.option(
    "--field",
    "fields",
    metavar="NAME",
    multiple=True,
    callback=check_names,
    help="With --take-over: only this field. May be given several times.",
)
@click.option("--force", is_flag=True, help="Write even what a safety limit holds back.")
@lock_wait_option()
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="End with 10 if there are changes, with 11 if only LOW matches wait.",
)
@log_options
@global_options
@click.pass_obj
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
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    from plexsync.app import runs as compose
    from plexsync.sync.reconcile import run

    streams = console.standard_streams()
    if options["save_plan"] is not None and not options["save_plan"].absolute().parent.is_dir():
        raise click.UsageError(f"--save-plan: there is no folder {options['save_plan'].parent}.")
    if options["ask"]:
        writes = not options["dry_run"] and options["save_plan"] is None
        _check_ask(invocation.shape, streams, writes=writes)
    wanted = run_options(options)
    once = partial(run, options=wanted)
    return compose.perform(invocation, once, streams, dry_run=wanted.dry_run, announce=True)


@cli.command(context_settings=CONTEXT, short_help="Watch it work on a sample library.")
@click.option("--keep", is_flag=True, help="Leave the servers up afterwards, until Ctrl-C.")
@global_options
@click.pass_obj
def demo_command(invocation: Invocation, *, keep: bool) -> int:
    """Watch a sample library being reconciled, with no server of your own.

    Starts a simulated Stash and a simulated Plex on this machine, reachable from nowhere else,
    and does real runs against them: a dry run, the first run, a run after someone edited both
    sides, and one that finds nothing to do. Touches none of your own files.

    \b
    Examples:
      plexsync demo
      plexsync demo --keep    then try commands against it from another terminal
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    if invocation.shape.json or invocation.shape.jsonl:
        raise click.UsageError("The demo talks to a person; it has no JSON.")
    from plexsync.app.demo import run_demo

    return run_demo(console.standard_streams(), shape=invocation.shape, keep=keep)


cli.add_command(doctor_command)
cli.add_command(explain_command)
cli.add_command(adopt_command)
cli.add_command(completion_command)
cli.add_command(config_group)
cli.add_command(document_schema_command)
cli.add_command(hook_command)
cli.add_command(make_init_command())
cli.add_command(report_command)
cli.add_command(retry_command)
cli.add_command(schedule_group)
cli.add_command(status_command)
cli.add_command(review_group)
cli.add_command(history_command)
cli.add_command(undo_command)
cli.add_command(apply_command)
show_common_options_once(cli)


def _check_ask(shape: Shape, streams: Streams, *, writes: bool) -> None:
    """Whoever is asked must be there, see what is asked about, and have something to say no to.

    Raises:
        UsageError: something of that is missing.
    """
    if not writes:
        raise click.UsageError(
            "--ask and --dry-run: nothing is written, so there is nothing to ask."
        )
    if shape.json or shape.jsonl or shape.quiet:
        raise click.UsageError("--ask shows tables and asks; without them it cannot be used.")
    if not (console.is_terminal(streams.stdin) and console.is_terminal(streams.stdout)):
        raise click.UsageError("--ask needs a terminal to ask on.")


def run_options(options: dict[str, Any]) -> RunOptions:
    """What click parsed, as what a run takes."""
    from plexsync.models import SceneId
    from plexsync.sync.ports import RunOptions

    scenes = tuple(SceneId(text) for text in options.pop("scenes"))
    libraries = tuple(options.pop("libraries"))
    fields = tuple(options.pop("fields"))
    if fields and not options["take_over"]:
        raise click.UsageError("--field says what --take-over replaces; alone it means nothing.")
    options["full"] = options["full"] or options["take_over"]
    wait_s = options.pop("lock_wait")
    # Who saves a plan wants to look at it first.
    options["dry_run"] = options["dry_run"] or options["save_plan"] is not None
    return RunOptions(
        scenes=scenes, libraries=libraries, fields=fields, lock_wait_s=wait_s, **options
    )


# ---- Errors --------------------------------------------------------------------------------------


def _run(
    command: click.Command, arguments: Sequence[str], invocation: Invocation, streams: Streams
) -> int:
    """Run a command; turn every way it can fail into words and an exit code."""
    try:
        result = command.main(
            args=list(arguments), prog_name="plexsync", standalone_mode=False, obj=invocation
        )
    except click.ClickException as error:
        return _usage_failure(error, arguments, invocation, streams)
    except PlexsyncError as error:
        return _failure(error, invocation, streams)
    except (KeyboardInterrupt, click.Abort):
        after = _KEPT.get(invocation.command, "nothing was written to Plex")
        ended = InterruptedRunError(ExitCode.INTERRUPTED, after=after)
        return _failure(ended, invocation, streams)
    except SystemExit:
        return ExitCode.OK  # click's way to say that the reader of its help left
    except Exception as error:  # noqa: BLE001 - the one place where a bug ends in words
        return _unexpected(error, invocation, streams)
    return result if isinstance(result, int) else ExitCode.OK


def _usage_failure(
    error: click.ClickException, arguments: Sequence[str], invocation: Invocation, streams: Streams
) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show(streams.stderr)
        return ExitCode.USAGE
    ctx = getattr(error, "ctx", None)
    # An option without its value comes without a context.
    named = [word for word in arguments if word in cli.commands][:1]
    command = ctx.command_path if ctx else " ".join(("plexsync", *named))
    return _failure(
        ConfigError(error.format_message(), hint=f"{command} --help lists what there is."),
        invocation,
        streams,
    )


def _failure(error: PlexsyncError, invocation: Invocation, streams: Streams) -> int:
    """Say what happened, where, and what to do; as a document if one was asked for."""
    from plexsync.app.failures import report_failure

    report_failure(error, invocation.shape, streams, command=invocation.command)
    return error.exit_code


def _unexpected(error: Exception, invocation: Invocation, streams: Streams) -> int:
    """Show a full disk as an error of files, anything else with its traceback, without secrets."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        full = StateError(f"nothing more can be written: {error.strerror}")
        return _failure(full, invocation, streams)
    import traceback

    from plexsync.transport.responses import redact

    trace = redact("".join(traceback.format_exception(error)), invocation.secrets)
    words = redact(f"{type(error).__name__}: {error}", invocation.secrets)
    console.write_errors(streams.stderr, trace.splitlines())
    bug = PlexsyncError(
        f"a bug in plexsync {__version__}: {words}",
        hint="please report it with the lines above; tokens in them are hidden",
    )
    return _failure(bug, invocation, streams)


def _shape_ahead(arguments: Sequence[str]) -> Shape:
    """Whether JSON is wanted, known before parsing so that usage errors can obey it."""
    given = set(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    return console.Shape(json="--json" in given, jsonl="--jsonl" in given)
