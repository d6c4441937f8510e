"""What all commands share: the invocation of one invocation, the global options, checked values.

Source: docs/contract.md, "Commands".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from plexsync import __version__
from plexsync.errors import ParseError
from plexsync.output.console import LogOptions
from plexsync.text.durations import parse_duration
from plexsync.text.ids import named_rating_key, named_scene_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.output.console import Invocation

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""The context settings of every command."""

_F = TypeVar("_F", bound="Callable[..., object]")


def global_options(command: _F) -> _F:
    """Return the options every command takes."""
    for option in reversed(
        (
            _global("-c", "--config", metavar="FILE", help="Read this configuration file."),
            _global("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
            _global(
                "-v",
                "--verbose",
                "verbosity",
                count=True,
                help="Show every match as it is done; -vv shows the evidence, too.",
            ),
            _global("--json", is_flag=True, help="Print one JSON document, errors included."),
            _global("--jsonl", is_flag=True, help="Print one JSON event a line, as it happens."),
            _global("--no-color", is_flag=True, help="Use no colours."),
            click.version_option(__version__, message="plexsync %(version)s"),
        )
    ):
        command = option(command)
    return command


def read_scene_ids(
    _ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """Return ids of scenes that were given as numbers or as addresses; a click callback.

    Raises:
        BadParameter: one of them is neither.
    """
    return tuple(_read_id(text, named_scene_id) for text in value)


def read_rating_keys(
    _ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """Return rating keys that were given as numbers or as addresses; a click callback.

    Raises:
        BadParameter: one of them is neither.
    """
    return tuple(_read_id(text, named_rating_key) for text in value)


def check_names(
    _ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the names as they are; a click callback.

    Raises:
        BadParameter: one of them is empty, as when a shell's variable is not set.
    """
    if not all(text.strip() for text in value):
        raise click.BadParameter("the name is empty.")
    return value


def read_duration(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Return a span of time in seconds; a number alone is seconds, as for sleep(1).

    Raises:
        BadParameter: it is none.
    """
    text = f"{value}s" if value.isdecimal() else value
    try:
        return float(parse_duration(text))
    except ParseError as error:
        message = f"{value!r} is no span of time. Say 90s, 15m, 1h30m or 1d."
        raise click.BadParameter(message) from error


def lock_wait_option(holder: str = "another run") -> Callable[[_F], _F]:
    """How long a command that takes the lock waits for `holder` to end."""
    return click.option(
        "--lock-wait",
        metavar="DURATION",
        default="0s",
        callback=read_duration,
        help=f"Wait this long for {holder} to end (90s, 15m, 2h). Default: not at all.",
    )


def log_options(command: _F) -> _F:
    """Return the options of commands that write to Plex: a log beside their output."""
    from pathlib import Path

    for option in reversed(
        (
            click.option(
                "--log-file",
                metavar="FILE",
                type=click.Path(dir_okay=False, path_type=Path),
                callback=_keep_log,
                expose_value=False,
                is_eager=True,
                help="Also write a log to FILE; at 10 MB it is kept as FILE.1, up to FILE.5.",
            ),
            click.option(
                "--log-format",
                type=click.Choice(["text", "json"]),
                default="text",
                callback=_keep_log,
                expose_value=False,
                help="Write the log in words or in JSON lines.",
            ),
            click.option(
                "--log-level",
                type=click.Choice(["debug", "info", "warning", "error"]),
                default="info",
                callback=_keep_log,
                expose_value=False,
                help="Leave out of the log what is less than this. Default: info.",
            ),
        )
    ):
        command = option(command)
    return command


# ---- Private -------------------------------------------------------------------------------------


def _read_id(text: str, read: Callable[[str], str]) -> str:
    try:
        return read(text)
    except ParseError as error:
        raise click.BadParameter(f"{text!r} {error.message}. {error.hint}") from error


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Take a global option, whether it stands before the command or after it."""
    invocation: Invocation = ctx.find_root().obj
    if not value:
        return
    if param.name == "config":
        from pathlib import Path

        invocation.config = Path(str(value))
    elif param.name == "verbosity" and isinstance(value, int):
        invocation.shape = invocation.shape._replace(verbosity=invocation.shape.verbosity + value)
    elif param.name:
        invocation.shape = invocation.shape._replace(**{param.name: bool(value)})


def _keep_log(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 - click's
    """Take an option of the log; the file is the first of them."""
    invocation: Invocation = ctx.find_root().obj
    if param.name == "log_file":
        invocation.log = None if value is None else LogOptions(file=value)
    elif invocation.log is None:
        if ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{param.opts[0]} needs --log-file.")
    elif param.name == "log_format":
        invocation.log = invocation.log._replace(json=value == "json")
    else:
        invocation.log = invocation.log._replace(level=value)


def _global(*names: str, **attributes: Any) -> Callable[[_F], _F]:  # noqa: ANN401 - those of click
    return click.option(*names, callback=_keep, expose_value=False, **attributes)
