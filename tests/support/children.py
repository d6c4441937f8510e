"""Processes forked from one that has imported plexsync: all but their start is their own."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import termios
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CHILDREN = multiprocessing.get_context("forkserver")
# A name that is not there is passed over in silence: a test holds that all are.
PRELOADED = [
    "plexsync.cli",
    "plexsync.app.runs",
    "plexsync.review.terminal.application",
    "plexsync.review.web.serve",
    "plexsync.review.web.site",
    "apprise",
    "prompt_toolkit.application",
    "uvicorn",
    "tests.support.crash_child",
]
CHILDREN.set_forkserver_preload(PRELOADED)
LONGEST_S = 180.0


class Started(Protocol):
    """What `subprocess.Popen` and `Child` have in common."""

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""

    def poll(self) -> int | None:
        """Look whether it ended, and give the exit code."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and give the exit code."""

    def kill(self) -> None:
        """End it by SIGKILL."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""


class Child:
    """A copy of the process that has everything imported; it does `target`, and ends."""

    def __init__(self, target: Callable[..., None], *arguments: object) -> None:
        self._process = CHILDREN.Process(target=target, args=arguments)
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """See `Started`."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """See `Started`."""
        return self._process.exitcode

    def wait(self, timeout: float | None = LONGEST_S) -> int:
        """See `Started`."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self._process.kill()
            raise TimeoutError(f"it ran for {timeout} s")
        return self._process.exitcode

    def kill(self) -> None:
        """See `Started`."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, sig: int) -> None:
        """See `Started`."""
        if self._process.pid and self._process.exitcode is None:
            os.kill(self._process.pid, sig)


def start_plexsync(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    streams: Sequence[int],
    *,
    own_terminal: bool = False,
) -> Started:
    """Start plexsync in a process of its own.

    Args:
        arguments: of the command line.
        environ: the whole environment. Another variable of Python's asks for a new interpreter.
        streams: for stdin, stdout and stderr.
        own_terminal: whether stdin is the terminal of a session of its own.
    """
    if any(name.startswith("PYTHON") for name, _ in environ.items() - os.environ.items()):
        stdin, stdout, stderr = streams
        return subprocess.Popen(
            [sys.executable, "-m", "plexsync", *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environ,
        )
    ends = [Connection(os.dup(stream)) for stream in streams]
    try:
        return Child(_be_plexsync, arguments, environ, ends, own_terminal)
    finally:
        for end in ends:
            end.close()


def take_terminal() -> None:
    """Make stdin the terminal of this session, so that its keys send signals to its jobs."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _be_plexsync(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    streams: Sequence[Connection],
    own_terminal: bool,
) -> None:
    for number, end in enumerate(streams):
        os.dup2(end.fileno(), number)
        end.close()
    if own_terminal:
        os.setsid()
        take_terminal()
    # `nohup` leaves it ignored, and whoever starts the tests may use that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # As an interpreter opens them when it starts: a terminal's by lines, errors always.
    for name, stream in (
        ("stdin", os.fdopen(0, encoding="utf-8", closefd=False)),
        ("stdout", os.fdopen(1, "w", encoding="utf-8", closefd=False)),
        ("stderr", os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)),
    ):
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = arguments
    runpy.run_module("plexsync", run_name="__main__", alter_sys=True)
