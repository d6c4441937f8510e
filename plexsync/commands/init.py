"""`plexsync init`: a configuration by asking."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs
from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

import click

from plexsync.commands.options import CONTEXT, global_options
from plexsync.errors import ConfigError, ExitCode
from plexsync.output import console

if TYPE_CHECKING:
    from plexsync.output.console import Invocation

_COPIED_INDENT = 4  # what is indented as far as this is to be copied as it is

_LEAST_COLUMNS = 20


@click.command(context_settings=CONTEXT, short_help="Write a configuration by asking.")
@global_options
@click.pass_obj
def init_command(invocation: Invocation) -> int:
    """Write the first configuration by asking, and try each answer on the servers.

    Asks for both addresses, the keys, and the libraries; finds the path rules between the two
    servers by itself. The file is made at the end, readable by you alone. A file that is there is
    never touched, and nothing is written to Stash or Plex.

    \b
    Examples:
      plexsync init
      plexsync init -c ~/plexsync.toml
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    import os
    from pathlib import Path

    from plexsync.config.loader import find_config
    from plexsync.config.schema import MINIMAL

    home = Path.home()
    where = find_config(invocation.config, os.environ, home=home).absolute()
    streams = console.standard_streams()
    if invocation.shape.json or invocation.shape.jsonl:
        raise click.UsageError("init talks to a person; it has no JSON.")
    from plexsync.app.setup_wizard import Interview, config_text, require_absent, write_config

    require_absent(where)
    if not (console.is_terminal(streams.stdin) and console.is_terminal(streams.stdout)):
        example = "".join(f"    {line}\n" for line in MINIMAL.splitlines())
        raise ConfigError(
            "init asks questions, and there is nobody at this terminal",
            hint=f"Write {where} with mode 0600:\n\n{example}",
        )
    from plexsync.output.failures import utc_now
    from plexsync.state import cache_directory

    asker = _Terminal()
    answers = Interview(
        asker=asker,
        home=home,
        cache=cache_directory(os.environ),
        now=utc_now,
        learn=invocation.secrets.append,
    ).ask_all()
    write_config(where, config_text(answers))
    asker.tell(f"Written: {where}")
    asker.tell("Next: plexsync doctor, then plexsync run -n")
    return ExitCode.OK


class _Terminal:
    """A person at a terminal. Leaving with Ctrl-C or Ctrl-D is always possible."""

    def tell(self, text: str) -> None:
        """Show a line, wrapped between words unless it is meant to be copied."""
        indent = text[: len(text) - len(text.lstrip())]
        if len(indent) >= _COPIED_INDENT:
            click.echo(text)
            return
        columns = max(shutil.get_terminal_size().columns - 1, _LEAST_COLUMNS)
        click.echo(
            textwrap.fill(
                text,
                columns,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )

    def ask(self, question: str, default: str = "") -> str:
        """A line of text."""
        typed = click.prompt(question, default=default, show_default=bool(default))
        return str(typed).strip()

    def ask_secret(self, question: str) -> str:
        """A line of text that is not shown."""
        return str(click.prompt(question, default="", show_default=False, hide_input=True))

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        return click.confirm(question, default=default)
