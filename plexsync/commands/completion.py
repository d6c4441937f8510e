"""`plexsync completion`: what a shell needs to complete plexsync's commands."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from plexsync.commands.completers import VARIABLE
from plexsync.commands.options import CONTEXT, global_options
from plexsync.errors import ExitCode
from plexsync.output import console

_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@click.command(context_settings=CONTEXT, short_help="Print a completion script for your shell.")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@global_options
@click.pass_context
def completion_command(ctx: click.Context, *, shell: str) -> int:
    """Print the script with which a shell completes commands, options, scenes, libraries and runs.

    What it offers comes from plexsync's own files; no server is asked.

    \b
    Examples:
      eval "$(plexsync completion bash)"     in ~/.bashrc
      eval "$(plexsync completion zsh)"      in ~/.zshrc
      plexsync completion fish > ~/.config/fish/completions/plexsync.fish
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    source = _SHELLS[shell](ctx.find_root().command, {}, "plexsync", VARIABLE).source()
    # click's script for fish cuts titles and names of libraries at their first comma.
    source = source.replace('(string split ","', '(string split --max 1 ","')
    console.print_text(console.standard_streams(), source.lstrip("\n"))
    return ExitCode.OK
