"""`plexsync review --web`: serves the page until the person is done, then does what they chose."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from plexsync.app.failures import StopSignals
from plexsync.errors import ConfigError, ExitCode, StateError
from plexsync.output.console import Invocation, write_lines
from plexsync.review.context import open_review, run_accepted
from plexsync.review.modes import NOTHING_WAITS, Ending
from plexsync.sync.ports import RunOptions
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import counted, to_install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.review.machine import Review


_LOOPBACK = "127.0.0.1"
_PACKAGES = ("jinja2", "starlette", "uvicorn")
_RELEASE_EVERY_S = 5.0
"""Seconds after which the lock is released when nothing was answered meanwhile."""


def review_in_browser(invocation: Invocation, *, port: int) -> int:
    """Serve the review on loopback until it ends.

    Args:
        invocation: options and configuration of the command.
        port: where to listen; 0 for any free port.

    Returns:
        The exit code: that of the run if one was asked for, else of the signal that ended it; of
        Ctrl-C, which ends it in order, there is none.

    Raises:
        ConfigError: the packages are missing, or the port is taken.
        StateError: what is remembered cannot be read or written.
    """
    require_web()
    streams = invocation.streams
    with open_review(invocation) as context:
        if not context.waiting:
            write_lines(streams.stdout, map(clean_for_terminal, context.notes or [NOTHING_WAITS]))
            return ExitCode.OK
        review = context.review(context.waiting)
        with closing(_listen(port)) as listening:
            code = _serve(review, listening, invocation)
    waits = counted(review.left, "scene still waits", "scenes still wait")
    left = f"{waits}." if review.left else "Nothing waits any more."
    lines = [f"{len(review.given.answered):,} answered. {left}"]
    writes = review.ending is Ending.WRITE and code is ExitCode.OK
    if review.accepted and not writes:
        lines += ["To write what was accepted:", f"    {invocation.typed('plexsync run')}"]
    write_lines(streams.stdout, lines)
    if writes:
        return run_accepted(invocation, RunOptions(scenes=review.accepted))
    return code


def require_web() -> None:
    """Check that the packages of the page are installed.

    Raises:
        ConfigError: they are not.
    """
    lost = next((name for name in _PACKAGES if find_spec(name) is None), "")
    if lost:
        raise ConfigError(
            f"review --web needs a package that is not installed: {lost}",
            hint=f"Install it: {to_install('web')}, or leave --web out.",
        )


# ---- Private -------------------------------------------------------------------------------------


def _listen(port: int) -> socket.socket:
    try:
        # A browser that is faster than the rest of the start waits instead of being refused.
        return socket.create_server((_LOOPBACK, port), backlog=128)
    except OSError as error:
        raise ConfigError(
            f"port {port} cannot be used: {os.strerror(error.errno or 0)}",
            hint="--port 0 takes any free port",
        ) from error


def _serve(review: Review, listening: socket.socket, invocation: Invocation) -> ExitCode:
    """Serve until the page's Done, Ctrl-C or a signal ends it; return what the last one means."""
    import uvicorn  # noqa: PLC0415 - an extra

    from plexsync.review.web.guard import Guard  # noqa: PLC0415 - same
    from plexsync.review.web.site import ReviewSite  # noqa: PLC0415 - same

    port = listening.getsockname()[1]

    def stop() -> None:
        server.should_exit = True

    site = ReviewSite(review, ended=stop, typed=invocation.typed)
    guard = Guard(site.application(), port)
    server = uvicorn.Server(
        uvicorn.Config(
            guard,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            lifespan="off",
        )
    )

    address = f"http://{_LOOPBACK}:{port}/?key={guard.key}"
    lines = ["Open this address in a browser on this machine; it works once:", f"    {address}"]
    write_lines(invocation.streams.stdout, [*lines, "Ctrl-C ends; every answer is kept."])
    with (
        _release_when_idle(review, site.lock),
        closing(site.pictures),
        StopSignals(stop) as signals,
        suppress(KeyboardInterrupt),
    ):
        # It listens to SIGINT and SIGTERM itself, and passes them on at its end.
        server.run(sockets=[listening])
    ended = signals.should_stop() and signals.exit_code() is ExitCode.TERMINATED
    return ExitCode.TERMINATED if ended else ExitCode.OK


@contextmanager
def _release_when_idle(review: Review, lock: threading.Lock) -> Iterator[None]:
    """Release the lock of the state while nothing is answered, so that runs can work."""
    ended = threading.Event()

    def watch() -> None:
        count = 0
        while not ended.wait(_RELEASE_EVERY_S):
            with lock:
                if len(review.given) == count:
                    with suppress(StateError):  # answers are safe and the lock is free all the same
                        review.answers.release_lock()
                count = len(review.given)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
