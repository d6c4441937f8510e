"""The plexsync command line: the tree of commands, the wording of errors, exit codes.

What a command needs is imported when it runs: `plexsync --help` answers without requests, plexapi,
rich or msgspec.
Source: docs/contract.md, "Commands" and "Exit codes".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import click

from plexsync import __version__
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


class Listed(NamedTuple):
    """A command that is not imported yet.

    Args:
        module: below `plexsync.commands`; there it is `<name>_command`.
        summary: what the help says of it in one line.
    """

    module: str
    summary: str


_GROUPS = {
    "Start": {
        "init": Listed("init", "Write a configuration by asking."),
        "doctor": Listed("init", "Check servers, rights, libraries and paths."),
        "demo": Listed("run", "Watch it work on a sample library."),
        "adopt": Listed("run", "Take over what a Stash agent matched in Plex."),
    },
    "Every day": {
        "run": Listed("run", "Write to Plex what changed in Stash, once."),
        "review": Listed("review", "Settle the LOW matches that wait for a person."),
        "status": Listed("status", "Show how things stand."),
    },
    "Look back": {
        "history": Listed("history", "List past runs, or what one of them wrote."),
        "undo": Listed("history", "Put back what a run wrote to Plex."),
        "explain": Listed("history", "Why a scene was matched as it was."),
    },
    "Files and scripts": {
        "apply": Listed("run", "Write a plan that a run saved."),
        "completion": Listed("completion", "Print a completion script for your shell."),
        "config": Listed("config", "Show or check the configuration."),
        "report": Listed("history", "Write a report that can be sent."),
        "retry": Listed("status", "Try failed scenes again."),
        "schedule": Listed("hook", "Print what starts plexsync by itself."),
        "schema": Listed("config", "The JSON schema of what is printed as JSON."),
    },
    "": {"hook": Listed("hook", "Note a changed scene; for Stash to call.")},
}
"""Every command, in the groups of the help; it leaves out those of none."""

_COMMON = "Options of every command (-c, -q, -v, --json, --no-color ...): plexsync --help."

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
    invocation = Invocation(_shape_ahead(arguments))
    command = command or cli
    try:
        result = command.main(
            args=list(arguments), prog_name="plexsync", standalone_mode=False, obj=invocation
        )
    except click.ClickException as error:
        return _usage_failure(error, arguments, invocation)
    except PlexsyncError as error:
        return _failure(error, invocation)
    except (KeyboardInterrupt, click.Abort):
        after = _KEPT.get(invocation.command, "nothing was written to Plex")
        ended = InterruptedRunError(ExitCode.INTERRUPTED, after=after)
        return _failure(ended, invocation)
    except SystemExit:
        return ExitCode.OK  # click's way to say that the reader of its help left
    except Exception as error:  # noqa: BLE001 - the one place where a bug ends in words
        return _unexpected(error, invocation)
    finally:
        console.hush(invocation.streams.stdout)
        console.hush(invocation.streams.stderr)
    return result if isinstance(result, int) else ExitCode.OK


# ---- Commands ------------------------------------------------------------------------------------


class LateCommands(Mapping[str, click.Command]):
    """Commands by name, each imported when it is first asked for."""

    def __init__(self) -> None:
        self._listed = {name: one for group in _GROUPS.values() for name, one in group.items()}
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            listed = self._listed[name]
            module = import_module(f"plexsync.commands.{listed.module}")
            command: click.Command = getattr(module, f"{name}_command")
            command.name, command.short_help = name, listed.summary
            command.hidden = name in _GROUPS[""]
            self._loaded[name] = command
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


class CommandTree(click.Group):
    """The top command, with the others in groups."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, with the options it shares with this one hidden from its help."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _show_common_options_once(self, command)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group with its commands; then the options."""
        width = max(map(len, self.commands))
        for title, listed in _GROUPS.items():
            if title:
                with formatter.section(title):
                    formatter.write_dl(
                        [(f"{name:<{width}}", one.summary) for name, one in listed.items()]
                    )
        click.Command.format_options(self, ctx, formatter)


def _show_common_options_once(tree: click.Group, command: click.Command) -> None:
    """Hide the top command's options in the help of another one, and say where they are."""
    common = {name for option in tree.params for name in option.opts}
    for option in command.params:
        if isinstance(option, click.Option) and common.issuperset(option.opts):
            option.hidden = True
    command.epilog = command.epilog or _COMMON
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _show_common_options_once(tree, below)


@click.group(
    cls=CommandTree,
    commands=LateCommands(),
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
    error: click.ClickException, arguments: Sequence[str], invocation: Invocation
) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show(invocation.streams.stderr)
        return ExitCode.USAGE
    ctx = getattr(error, "ctx", None)
    # An option without its value comes without a context.
    named = [word for word in arguments if word in cli.commands][:1]
    command = ctx.command_path if ctx else " ".join(("plexsync", *named))
    wrong = ConfigError(error.format_message(), hint=f"{command} --help lists what there is.")
    return _failure(wrong, invocation)


def _failure(error: PlexsyncError, invocation: Invocation) -> int:
    """Say what happened, where, and what to do; as a document if one was asked for."""
    from plexsync.app.failures import report_failure

    report_failure(error, invocation)
    return error.exit_code


def _unexpected(error: Exception, invocation: Invocation) -> int:
    """Show a limit of this machine as such, anything else with its traceback, without secrets."""
    if (limit := local_failure(error)) is not None:
        return _failure(limit, invocation)
    import traceback

    from plexsync.transport.responses import redact

    trace = redact("".join(traceback.format_exception(error)), invocation.secrets)
    words = redact(f"{type(error).__name__}: {error}", invocation.secrets)
    console.write_errors(invocation.streams.stderr, trace.splitlines())
    bug = PlexsyncError(
        f"a bug in plexsync {__version__}: {words}",
        hint="please report it with the lines above, in which tokens are hidden; plexsync doctor "
        "--report FILE writes more",
    )
    return _failure(bug, invocation)


def _shape_ahead(arguments: Sequence[str]) -> Shape:
    """Whether JSON is wanted, known before parsing so that usage errors can obey it."""
    given = set(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    return Shape(json="--json" in given, jsonl="--jsonl" in given)
