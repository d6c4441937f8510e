"""What all commands share: how one is made, the global options, checked values.

Source: docs/contract.md, "Commands".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.core import ParameterSource

from plexsync import __version__
from plexsync.errors import ParseError
from plexsync.output import console
from plexsync.output.console import Invocation, LogOptions
from plexsync.text.words import named_rating_key, named_scene_id, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import Console

    from plexsync.models import RatingKey, SceneId

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""The context settings of every command."""

_F = TypeVar("_F", bound="Callable[..., object]")


def new_command(
    group: click.Group | None = None,
    name: str | None = None,
    **attributes: Any,  # noqa: ANN401 - those of click
) -> Callable[[Callable[..., int]], click.Command]:
    """Return what makes a function a command, which also takes the options of every command.

    Args:
        group: what it is a part of, if it is.
        name: what it is called; as the function is, unless given.
        attributes: those of a `click.Command`.
    """
    make = click.command if group is None else group.command

    def made(function: Callable[..., int]) -> click.Command:
        command = make(name, context_settings=CONTEXT, **attributes)(click.pass_obj(function))
        # Options of its own: the help of a command hides them, that of the whole does not.
        command.params += click.command("")(global_options(lambda: None)).params
        return command

    return made


def with_options(*options: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Return what gives a function several options, in this order."""

    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def global_options(command: _F) -> _F:
    """Return the options every command takes."""
    return with_options(
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
    )(command)


def file_option(*names: str, help: str, **attributes: Any) -> Callable[[_F], _F]:  # noqa: A002, ANN401 - those of click
    """Return an option that takes a file."""
    from pathlib import Path

    kind = click.Path(dir_okay=False, path_type=Path)
    return click.option(*names, metavar="FILE", type=kind, help=help, **attributes)


def read_scene_id(text: str) -> SceneId:
    """Return the id of a scene, given as a number or as an address; a type of click."""
    return cast("SceneId", _read(named_scene_id, text))


def read_rating_key(text: str) -> RatingKey:
    """Return a rating key, given as a number or as an address; a type of click."""
    return cast("RatingKey", _read(named_rating_key, text))


def read_name(text: str) -> str:
    """Return a name as it is, unless it is empty, as when a shell's variable is not set."""
    if not text.strip():
        raise click.BadParameter("the name is empty.")
    return text


def read_duration(text: str) -> float:
    """Return a span of time in seconds; a number alone is seconds, as for sleep(1)."""
    try:
        return float(parse_duration(f"{text}s" if text.isdecimal() else text))
    except ParseError as error:
        message = f"{text!r} is no span of time. Say 90s, 15m, 1h30m or 1d."
        raise click.BadParameter(message) from error


def several(
    name: str,
    called: str,
    metavar: str,
    read: Callable[[str], object],
    *,
    help: str,  # noqa: A002 - as click calls it
    **attributes: Any,  # noqa: ANN401 - those of click
) -> Callable[[_F], _F]:
    """Return an option that may be given several times, each value read by `read`."""
    words = f"{help} May be given several times."
    return click.option(
        name, called, metavar=metavar, type=read, multiple=True, help=words, **attributes
    )


def dry_run_option(what: str) -> Callable[[_F], _F]:
    """Return the option to write nothing, and show what would `what` instead."""
    return click.option(
        "-n", "--dry-run", is_flag=True, help=f"Show what would {what}, and write none of it."
    )


def lock_wait_option(holder: str = "another run") -> Callable[[_F], _F]:
    """How long a command that takes the lock waits for `holder` to end."""
    return click.option(
        "--lock-wait",
        "lock_wait_s",
        metavar="DURATION",
        default="0s",
        type=read_duration,
        help=f"Wait this long for {holder} to end (90s, 15m, 2h). Default: not at all.",
    )


def log_options(command: _F) -> _F:
    """Return the options of commands that write to Plex: a log beside their output."""
    kept: dict[str, Any] = {"callback": _keep_log, "expose_value": False}
    return with_options(
        file_option(
            "--log-file",
            **kept,
            is_eager=True,
            help="Also write a log to FILE; at 10 MB it is kept as FILE.1, up to FILE.5.",
        ),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            **kept,
            help="Write the log in words or in JSON lines.",
        ),
        click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            default="info",
            **kept,
            help="Leave out of the log what is less than this. Default: info.",
        ),
    )(command)


def show_found(
    invocation: Invocation,
    *,
    document: Callable[[], object],
    lines: Callable[[], Iterable[str]],
    view: Callable[[Console], object],
    crop: bool = True,
) -> None:
    """Print what a command found: a document, lines for a pipe, or a view of it in a terminal.

    Args:
        invocation: says which.
        document: makes a JSON document.
        lines: makes the lines.
        view: makes what rich prints, for a screen.
        crop: cut what is wider than the screen; not what is to be copied.
    """
    if invocation.shape.as_document:
        console.print_document(invocation.streams, document())
    elif not console.is_terminal(invocation.streams.stdout):
        console.print_lines(invocation.streams, lines())
    else:
        screen = console.make_console(invocation.streams.stdout, no_color=invocation.shape.no_color)
        screen.print(view(screen), crop=crop)


# ---- Private -------------------------------------------------------------------------------------


def _read(read: Callable[[str], str], text: str) -> str:
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
