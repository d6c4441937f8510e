"""The three standard streams: what is connected to them, and which reporter fits.

Imports nothing heavy by itself, so that the command line knows the streams before it is known
whether anything will be printed.
"""

# ruff: noqa: PLC0415 - each reporter brings its own imports, and most runs need only one
from __future__ import annotations

import codecs
import io
import os
import stat
import sys
import time
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from plexsync.errors import StateError
from plexsync.output.streams import Meter, Priority, Reporter, Shape, Sink

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console

    from plexsync.output.outages import Outages


_COMMAND = (
    r"\bplexsync (?>(?:adopt|apply|config (?:path|schema|show|validate)|doctor|explain|history|"
    r"init|report|retry|review (?:accept|export|ignore|import|list|reject|reset|show)|review|run|"
    r"schedule (?:compose|cron|stash-plugin|systemd)|status|undo)\b)(?! (?:-h|--help|--config)\b)"
)
"""A command that reads a configuration, as it is named in a sentence."""


_IN_ASCII = {
    "…": "...",
    **dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True)),
    **dict.fromkeys("▏▎▍▌▋▊▉", ":"),
}
"""What is drawn instead, where a terminal's encoding has no letter for it."""


class LogOptions(NamedTuple):
    """A log beside the output.

    Args:
        file: where it is written.
        json: in JSON lines, not in words.
        level: the least that is written: "debug", "info", "warning" or "error".
    """

    file: Path
    json: bool = False
    level: str = "info"


class Streams(Protocol):
    """What the process is connected to; `sys` is one. A closed stream is None."""

    stdin: IO[str] | None
    stdout: IO[str] | None
    stderr: IO[str] | None


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a person is at the other end."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def can_ask(streams: Streams) -> bool:
    """Whether a person can be asked, and answer."""
    return is_terminal(streams.stdin) and is_terminal(streams.stdout)


def is_unwatched(shape: Shape, streams: Streams) -> bool:
    """Whether words for a person go to no terminal at all, as under cron or systemd."""
    watched = any(map(is_terminal, (streams.stdin, streams.stdout, streams.stderr)))
    return not (watched or shape.as_document)


def make_reporter(
    shape: Shape,
    streams: Streams,
    *,
    named: bool = False,
    outages: Outages | None = None,
) -> Reporter:
    """Return a reporter of tables for a terminal on stdout, of lines for a pipe, of news for cron.

    Args:
        shape: what was asked for.
        streams: what there is.
        named: scenes are asked for by their ids, which is never left without an answer.
        outages: what was reported where nobody watches.
    """
    from plexsync.output.reporters import CronReporter, JsonlReporter, JsonReporter, PipeReporter

    if shape.jsonl:
        return JsonlReporter(Sink(byte_stream(streams.stdout)))
    meter = _meter(shape, streams)
    out, err = Sink(byte_stream(streams.stdout)), error_sink(streams.stderr)
    if shape.json:
        return JsonReporter(out, err, shape, meter=meter)
    if is_terminal(streams.stdout):
        from plexsync.output.terminal import TerminalReporter

        screen = make_console(streams.stdout, no_color=shape.no_color)
        errors = make_console(streams.stderr, no_color=shape.no_color)
        return TerminalReporter(screen, errors, shape, meter=meter)
    if named or not is_unwatched(shape, streams):
        found = _file_of(streams.stdout)
        # What is written into a file lands on no screen.
        polite = found is None or not stat.S_ISREG(found.st_mode)
        return PipeReporter(out, err, shape, meter=meter, polite=polite, named=named)
    return CronReporter(out, err, shape, outages=outages)


def make_console(stream: IO[str] | None, *, no_color: bool = False) -> Console:
    """Return a rich console that reads no markup, highlights nothing and shows no emoji codes."""
    from rich.console import Console

    if isinstance(stream, io.TextIOWrapper):
        codecs.register_error("plexsync", _drawn_otherwise)
        stream.reconfigure(errors="plexsync")
    # Rich takes a dumb terminal to have 80 columns and 25 rows, whatever it says.
    size = _size(stream) if os.environ.get("TERM") == "dumb" else (0, 0)
    return Console(
        file=stream or io.StringIO(),
        width=size[0] if all(size) else None,
        height=size[1] if all(size) else None,
        # Without a colour system rich sends no bold and no dim either.
        color_system=None if no_color else "auto",
        markup=False,
        highlight=False,
        emoji=False,
    )


def byte_stream(stream: IO[str] | None) -> IO[bytes] | None:
    """Return the bytes below a text stream; None for a closed one."""
    return getattr(stream, "buffer", None)


def error_sink(stream: IO[str] | None) -> Sink:
    """Return where lines for a person are written; in the journal of systemd with priorities.

    `$JOURNAL_STREAM` is device and inode of what systemd connected, with a colon between.
    Source: systemd.exec(5), "JOURNAL_STREAM".
    """
    there, named = _file_of(stream), os.environ.get("JOURNAL_STREAM", "")
    journal = there is not None and named == f"{there.st_dev}:{there.st_ino}"
    return Sink(byte_stream(stream), journal=journal)


def write_lines(stream: IO[str] | None, lines: Iterable[str]) -> None:
    """Lines for a person; a stream that is gone takes nothing."""
    sink = error_sink(stream)
    for line in lines:
        sink.write_line(line)


def write_errors(stream: IO[str] | None, lines: Iterable[str]) -> None:
    """Lines that say what failed; see `write_lines`. A terminal gets no word torn apart."""
    sink = error_sink(stream)
    for line in lines:
        for piece in _folded(line, stream):
            sink.write_line(piece, Priority.ERROR)


def _folded(line: str, stream: IO[str] | None) -> list[str]:
    """Return a line in pieces as wide as the terminal; whole where there is none."""
    if not 0 < _size(stream).columns < len(line):
        return [line]
    from plexsync.text.words import folded

    return folded(line, _size(stream).columns)


def print_text(streams: Streams, text: str) -> None:
    """All of `text` on stdout; a reader that left early is no failure.

    Raises:
        StateError: it cannot be written.
    """
    sink = Sink(byte_stream(streams.stdout))
    sink.write(text.encode("utf-8", "backslashreplace"))
    sink.flush()
    failure = sink.failure
    if failure and not isinstance(failure, BrokenPipeError):
        raise StateError(f"the output could not be written: {failure.strerror or failure}")


def print_lines(streams: Streams, lines: Iterable[str]) -> None:
    """All of `lines` on stdout; see `print_text`."""
    print_text(streams, "".join(f"{line}\n" for line in lines))


def print_document(streams: Streams, document: object) -> None:
    """One JSON document on stdout; see `print_text`.

    Raises:
        StateError: it cannot be written.
    """
    import msgspec

    text = msgspec.json.encode(document).decode()
    # JSON leaves direction marks and C1 controls as they are; escaped they are the same texts.
    shown = text if text.isprintable() else "".join(map(_escaped, text))
    print_text(streams, f"{shown}\n")


def hush(stream: IO[str] | None) -> None:
    """Flush for the last time; if the reader is gone, make sure that the interpreter stays calm.

    Source: the Python documentation, signal, "Note on SIGPIPE".
    """
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            return
        finally:
            os.close(nowhere)


# ---- Private -------------------------------------------------------------------------------------


def _drawn_otherwise(error: UnicodeError) -> tuple[str, int]:
    """Return what is shown for letters the encoding lacks, a "?" for most, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(letter, "?") for letter in lost), error.end


def _escaped(char: str) -> str:
    """Return a character of a JSON text; one that is not printable can only stand in a string."""
    import json

    return char if char.isprintable() else json.dumps(char)[1:-1]


def _size(stream: IO[str] | None) -> os.terminal_size:
    """Columns and rows of a terminal; none where there is no terminal, or none is known."""
    try:
        if stream is not None and is_terminal(stream):
            return os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):  # a stand-in without a descriptor
        pass
    return os.terminal_size((0, 0))


def _file_of(stream: IO[str] | None) -> os.stat_result | None:
    """Return what the system knows of the file of a stream; None for a closed one, or for none."""
    try:
        return os.fstat(stream.fileno()) if stream is not None else None
    except (OSError, ValueError):
        return None


def _meter(shape: Shape, streams: Streams) -> Meter:
    if shape.quiet or not is_terminal(streams.stderr):
        return Meter()
    from plexsync.output.terminal import Bars

    return Bars(make_console(streams.stderr, no_color=shape.no_color), time.monotonic)


def naming_option(config: Path | None) -> str:
    """Return the option that names a configuration file, as it is typed; "" for the usual file."""
    from plexsync.text.words import shell_word

    return f" --config {shell_word(str(config))}" if config is not None else ""


def with_option(words: str, config: Path | None) -> str:
    """Return words in which every command names the configuration file, too.

    What a command reads none for (its help) stays as it is, as does one that names a file already.
    """
    if config is None or "plexsync " not in words:
        return words
    import re

    option = naming_option(config)
    return re.sub(_COMMAND, lambda command: f"{command[0]}{option}", words)


class Invocation:
    """What one invocation knows: the global options, and what must never be shown.

    The one mutable object of a command: options arrive one by one, secrets when they are read.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.config: Path | None = None
        self.log: LogOptions | None = None
        self.secrets: list[str] = []
        self.command = ""

    def typed(self, words: str) -> str:
        """Return words with commands that read the configuration this one has read."""
        return with_option(words, self.config)

    @property
    def streams(self) -> Streams:
        """The standard streams of this process, as they are now."""
        return sys
