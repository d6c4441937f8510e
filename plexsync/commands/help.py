"""How `plexsync --help` is laid out: commands by what they are for, common options once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUPS = {
    "Start": ("init", "doctor", "demo", "adopt"),
    "Every day": ("run", "review", "status"),
    "Look back": ("history", "undo", "explain"),
}
_REST = "Files and scripts"

_COMMON = "Options of every command (-c, -q, -v, --json, --no-color ...): plexsync --help."


class CommandTree(click.Group):
    """The top command, with the others in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self._format_groups(formatter)
        click.Command.format_options(self, ctx, formatter)

    def _format_groups(self, formatter: click.HelpFormatter) -> None:
        """Write each group with its commands; what is in none comes last."""
        shown = {name: one for name, one in self.commands.items() if not one.hidden}
        width = max(map(len, shown), default=0)
        limit = formatter.width - 6 - width
        for title, names in self._groups(shown):
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{name:<{width}}", shown[name].get_short_help_str(limit)) for name in names]
                )

    def _groups(self, shown: dict[str, click.Command]) -> Iterator[tuple[str, list[str]]]:
        for title, names in _GROUPS.items():
            yield title, [name for name in names if name in shown]
        placed = {name for names in _GROUPS.values() for name in names}
        yield _REST, sorted(set(shown) - placed)


def show_common_options_once(tree: click.Group) -> None:
    """Hide the top command's options in the help of all others, and say where they are."""
    common = {name for option in tree.params for name in option.opts}
    for command in _below(tree):
        for option in command.params:
            if isinstance(option, click.Option) and common.issuperset(option.opts):
                option.hidden = True
        command.epilog = command.epilog or _COMMON


def _below(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from _below(command)
