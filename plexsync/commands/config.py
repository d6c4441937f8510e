"""`plexsync config`: what is configured, where it comes from, and whether it is right."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from plexsync.commands.options import CONTEXT, global_options, new_command, show_found
from plexsync.errors import ConfigError, ExitCode
from plexsync.output import console
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from plexsync.config.configuration import Setting
    from plexsync.output.console import Invocation

_STACKED_BELOW = 80
"""Columns below which three of a table would break every key in two."""


@click.group(context_settings=CONTEXT)
@global_options
def config_command() -> None:
    """Show the configuration and where each value comes from, or check it. Asks no server.

    \b
    Examples:
      plexsync config show
      plexsync config validate
      plexsync config schema > plexsync.schema.json
    """


@new_command(config_command, "show", short_help="Every effective value and its origin.")
@click.option("--changed", is_flag=True, help="Leave out what is set nowhere.")
def show_config_command(invocation: Invocation, *, changed: bool) -> int:
    """Show every value that counts, and where it comes from. Secrets are hidden.

    \b
    Examples:
      plexsync config show
      plexsync config show --changed
      plexsync config show --json
    """
    from plexsync.app.opening import command_config

    found = command_config(invocation)
    settings = [one for one in found.settings if not (changed and one.is_default)]
    document = {
        "schema": "plexsync/config/1",
        "file": str(found.source) if found.source else None,
        "settings": [
            {"key": one.key, "value": one.value or None, "origin": one.origin} for one in settings
        ],
        "warnings": list(found.warnings),
    }
    show_found(
        invocation,
        document=lambda: document,
        lines=lambda: map(_line, settings),
        view=lambda screen: _view(settings, width=screen.width),
    )
    return ExitCode.OK


@new_command(config_command, short_help="The file that would be read.")
def path_command(invocation: Invocation) -> int:
    """Print the name of the configuration file, whether or not it is there.

    \b
    Examples:
      plexsync config path
      "$EDITOR" "$(plexsync config path)"
    """
    from plexsync.config.loader import find_config
    from plexsync.state import mode_of

    where, exists = find_config(invocation.config, os.environ), False
    with suppress(OSError):  # what may not be looked at is not there for plexsync
        exists = stat.S_ISREG(mode_of(where))
    if invocation.shape.as_document:
        document = {
            "schema": "plexsync/config-path/1",
            "path": str(where),
            "exists": exists,
        }
        console.print_document(invocation.streams, document)
    else:
        console.print_text(invocation.streams, f"{where}\n")
    return ExitCode.OK


@new_command(config_command, short_help="Every problem, and exit 2 if there is one.")
def validate_command(invocation: Invocation) -> int:
    """Check the whole configuration, secrets included, and tell every problem at once.

    \b
    Examples:
      plexsync config validate
      plexsync config validate --json | jq .problems
    """
    from plexsync.app.opening import command_config
    from plexsync.config.sources import ConfigProblem, InvalidConfigError
    from plexsync.output.summary import warning_line

    problems: tuple[ConfigProblem, ...] = ()
    warnings: tuple[str, ...] = ()
    try:
        found = command_config(invocation)
        warnings = found.warnings
    except ConfigError as error:
        if not invocation.shape.as_document:
            raise
        problems = (ConfigProblem(error.context, error.message, error.hint),)
        if isinstance(error, InvalidConfigError):
            problems = error.problems
    if invocation.shape.as_document:
        document = {
            "schema": "plexsync/config-validate/1",
            "valid": not problems,
            "problems": problems,
            "warnings": warnings,
        }
        console.print_document(invocation.streams, document)
    elif not invocation.shape.quiet:
        console.write_lines(invocation.streams.stderr, map(warning_line, warnings))
        console.print_text(invocation.streams, f"{found.source or 'The environment'} is right.\n")
    return ExitCode.USAGE if problems else ExitCode.OK


@new_command(config_command, "schema", short_help="The file's JSON schema, for editors.")
def config_schema_command(invocation: Invocation) -> int:
    """Print a JSON schema of the configuration file, with which editors check and complete.

    \b
    Examples:
      plexsync config schema > ~/.config/plexsync/schema.json
      and as first line of config.toml:  #:schema ./schema.json
    """
    import json

    from plexsync.config.reference import config_schema

    console.print_text(invocation.streams, json.dumps(config_schema(), indent=2) + "\n")
    return ExitCode.OK


@new_command()
@click.argument("name", metavar="NAME")
def schema_command(invocation: Invocation, *, name: str) -> int:
    """Print the JSON schema of a document, or of the events of --jsonl.

    NAME is the word in the middle of the document's key `schema`: of "plexsync/status/1" it is
    status. The events of a run are run-events.

    \b
    Examples:
      plexsync schema run
      plexsync schema run-events
      plexsync schema status > status.schema.json
    """
    from plexsync.output.formats.documents import FORMS, schema_text

    if name not in FORMS:
        raise click.UsageError(f"There is no document {name!r}; there are {', '.join(FORMS)}.")
    console.print_text(invocation.streams, schema_text(name))
    return ExitCode.OK


# ---- Private -------------------------------------------------------------------------------------


def _view(settings: Sequence[Setting], *, width: int) -> Group:
    """Return a table, or in a narrow terminal a line or two for each key."""
    from rich.console import Group
    from rich.text import Text

    if width < _STACKED_BELOW:
        return Group(*_stacked(settings))
    folders = {_folder_of(one) for one in settings} - {""}
    if len(folders) != 1:
        return Group(_table(settings, ""))
    # One file in one folder, nearly always: its name says which, and the folder stands once.
    folder = f"{folders.pop()}{os.sep}"
    where = Text(f"Files are in {clean_for_terminal(folder)}", style="dim")
    return Group(_table(settings, folder), where)


def _stacked(settings: Iterable[Setting]) -> Iterator[Text]:
    """Key and value on a line, and below it where the value comes from, if it is no default."""
    from rich.text import Text

    for one in settings:
        text = f"{one.key} = {clean_for_terminal(one.value)}"
        yield Text(text, style="dim" if one.is_default else "", overflow="fold")
        if not one.is_default:
            yield Text(f"  from {clean_for_terminal(one.origin)}", style="dim", overflow="fold")


def _folder_of(one: Setting) -> str:
    """Return the folder of the file a value comes from; "" for a value from elsewhere."""
    folder, name = os.path.split(one.origin)
    return folder if folder and name.rpartition(":")[2].isdigit() else ""


def _table(settings: Iterable[Setting], folder: str) -> Table:
    from rich.text import Text

    from plexsync.output.tables import plain_table

    table = plain_table()
    table.add_column("Key", no_wrap=True)
    for title in ("Value", "From"):
        table.add_column(title, overflow="fold")
    for one in settings:
        style = "dim" if one.is_default else ""
        origin = one.origin.removeprefix(folder)
        words = (one.key, clean_for_terminal(one.value), clean_for_terminal(origin))
        table.add_row(*(Text(word, style=style, overflow="fold") for word in words))
    return table


def _line(one: Setting) -> str:
    value, origin = map(clean_for_terminal, (one.value, one.origin))
    return f"{one.key}\t{value}\t{origin}"
