"""The plexsync command line: options, the wording of errors, exit codes.

What a command needs is imported when it runs: `plexsync --help` answers without requests, plexapi,
rich or msgspec.
Source: docs/contract.md, "Commands" and "Exit codes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsync import __version__
from plexsync.commands.help import CommandTree, Listed
from plexsync.commands.options import CONTEXT, global_options
from plexsync.errors import (
    ConfigError,
    ExitCode,
    InterruptedRunError,
    PlexsyncError,
    local_failure,
)
from plexsync.output import console
from plexsync.output.console import Invocation
from plexsync.output.streams import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.output.console import Streams

_COMMANDS = {
    "demo": Listed("run", "demo_command", "Watch it work on a sample library."),
    "run": Listed("run", "run_command", "Write to Plex what changed in Stash, once."),
    "adopt": Listed("run", "adopt_command", "Take over what a Stash agent matched in Plex."),
    "apply": Listed("run", "apply_command", "Write a plan that a run saved."),
    "completion": Listed(
        "completion", "completion_command", "Print a completion script for your shell."
    ),
    "config": Listed("config", "config_group", "Show or check the configuration."),
    "doctor": Listed("doctor", "doctor_command", "Check servers, rights, libraries and paths."),
    "explain": Listed("history", "explain_command", "Why a scene was matched as it was."),
    "history": Listed("history", "history_command", "List past runs, or what one of them wrote."),
    "hook": Listed("hook", "hook_command", "Note a changed scene; for Stash to call.", hidden=True),
    "init": Listed("init", "init_command", "Write a configuration by asking."),
    "report": Listed("report", "report_command", "Write a report that can be sent."),
    "retry": Listed("status", "retry_command", "Try failed scenes again."),
    "review": Listed("review", "review_group", "Settle the LOW matches that wait for a person."),
    "schedule": Listed("hook", "schedule_group", "Print what starts plexsync by itself."),
    "schema": Listed(
        "config", "document_schema_command", "The JSON schema of what is printed as JSON."
    ),
    "status": Listed("status", "status_command", "Show how things stand."),
    "undo": Listed("history", "undo_command", "Put back what a run wrote to Plex."),
}
"""Every command, with what the help says of it."""

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
    command = command or cli
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
    finally:
        console.hush(streams.stdout)
        console.hush(streams.stderr)
    return result if isinstance(result, int) else ExitCode.OK


# ---- Commands ------------------------------------------------------------------------------------


@click.group(
    cls=CommandTree,
    listed=_COMMANDS,
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


# ---- Errors --------------------------------------------------------------------------------------


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
    """Show a limit of this machine as such, anything else with its traceback, without secrets."""
    if (limit := local_failure(error)) is not None:
        return _failure(limit, invocation, streams)
    import traceback

    from plexsync.transport.responses import redact

    trace = redact("".join(traceback.format_exception(error)), invocation.secrets)
    words = redact(f"{type(error).__name__}: {error}", invocation.secrets)
    console.write_errors(streams.stderr, trace.splitlines())
    bug = PlexsyncError(
        f"a bug in plexsync {__version__}: {words}",
        hint="please report it with the lines above, in which tokens are hidden; plexsync doctor "
        "--report FILE writes more",
    )
    return _failure(bug, invocation, streams)


def _shape_ahead(arguments: Sequence[str]) -> Shape:
    """Whether JSON is wanted, known before parsing so that usage errors can obey it."""
    given = set(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    return Shape(json="--json" in given, jsonl="--jsonl" in given)
