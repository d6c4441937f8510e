"""The tree of commands: each imported when it is asked for, and what `plexsync --help` shows."""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GROUPS = {
    "Start": ("init", "doctor", "demo", "adopt"),
    "Every day": ("run", "review", "status"),
    "Look back": ("history", "undo", "explain"),
}
_REST = "Files and scripts"

_COMMON = "Options of every command (-c, -q, -v, --json, --no-color ...): plexsync --help."


class Listed(NamedTuple):
    """A command that is not imported yet.

    Args:
        module: below `plexsync.commands`.
        name: of the command there.
        summary: what the help says of it in one line.
        hidden: whether the help leaves it out.
    """

    module: str
    name: str
    summary: str
    hidden: bool = False


class LateCommands(MutableMapping[str, click.Command]):
    """Commands by name, each imported when it is first asked for.

    Args:
        listed: those that exist.
    """

    def __init__(self, listed: Mapping[str, Listed]) -> None:
        self._listed = listed
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            listed = self._listed[name]
            module = import_module(f"plexsync.commands.{listed.module}")
            command: click.Command = getattr(module, listed.name)
            command.name, command.short_help = name, listed.summary
            command.hidden = listed.hidden
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise NotImplementedError

    def __delitem__(self, name: str) -> None:
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


class CommandTree(click.Group):
    """The top command, with the others in groups.

    Args:
        listed: commands that are imported when they are asked for.
        attributes: those of a `click.Group`.
    """

    def __init__(self, *, listed: Mapping[str, Listed], **attributes: Any) -> None:  # noqa: ANN401 - those of click
        self._shown = {name: one.summary for name, one in listed.items() if not one.hidden}
        super().__init__(commands=LateCommands(listed), **attributes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, with the options it shares with this one hidden from its help."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _show_common_options_once(self, command)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each group with its commands, those of none last; then the options."""
        width = max(map(len, self._shown))
        placed = chain.from_iterable(_GROUPS.values())
        rest = sorted(set(self._shown).difference(placed))
        for title, names in {**_GROUPS, _REST: rest}.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", self._shown[name]) for name in names])
        click.Command.format_options(self, ctx, formatter)


def _show_common_options_once(tree: click.Group, command: click.Command) -> None:
    """Hide the top command's options in the help of another one, and say where they are."""
    common = {name for option in tree.params for name in option.opts}
    for one in (command, *_below(command)):
        for option in one.params:
            if isinstance(option, click.Option) and common.issuperset(option.opts):
                option.hidden = True
        one.epilog = one.epilog or _COMMON


def _below(command: click.Command) -> Iterator[click.Command]:
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield one
        yield from _below(one)
