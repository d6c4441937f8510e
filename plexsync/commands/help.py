"""The tree of commands: each imported when it is asked for, and what `plexsync --help` shows."""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
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
        self._listed = dict(listed)
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
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        self._loaded.pop(name, None)
        self._listed.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded.keys() | self._listed.keys())

    def __len__(self) -> int:
        return len(self._loaded.keys() | self._listed.keys())

    def summaries(self) -> dict[str, str]:
        """Return what the help says of each command it shows; imports none."""
        shown = {name: one.short_help or "" for name, one in self._loaded.items() if not one.hidden}
        return shown | {name: one.summary for name, one in self._listed.items() if not one.hidden}


class CommandTree(click.Group):
    """The top command, with the others in groups.

    Args:
        listed: commands that are imported when they are asked for.
        attributes: those of a `click.Group`.
    """

    def __init__(self, *, listed: Mapping[str, Listed], **attributes: Any) -> None:  # noqa: ANN401 - those of click
        self._late = LateCommands(listed)
        super().__init__(commands=self._late, **attributes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, with the options it shares with this one hidden from its help."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            _show_common_options_once(self, command)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self._format_groups(formatter)
        click.Command.format_options(self, ctx, formatter)

    def _format_groups(self, formatter: click.HelpFormatter) -> None:
        """Write each group with its commands; what is in none comes last."""
        shown = self._late.summaries()
        width = max(map(len, shown), default=0)
        for title, names in _groups(shown):
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", shown[name]) for name in names])


def _groups(shown: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    for title, names in _GROUPS.items():
        yield title, [name for name in names if name in shown]
    placed = {name for names in _GROUPS.values() for name in names}
    yield _REST, sorted(set(shown) - placed)


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
