"""`python -m plexsync` is `plexsync`, and so is the installed program.

The Stash hook takes a way of its own: Stash waits for it at every save, so it must not wait for the
imports of a command line.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing itself costs the hook more than all of its work
if TYPE_CHECKING:
    from types import FrameType

_LOCAL_FILES, _INTERRUPTED = 9, 130
"""As in `ExitCode`, which may not be imported yet, or not at all."""

_YOUNGEST = 100_000
"""New values after which the youngest are looked through for cyclic garbage.

Imports make tens of thousands of values that stay: with the figures Python begins with, 700 or
2,000, looking through them takes a tenth of the CPU of every short command.
"""


def main() -> None:
    """Run the command line and end the process."""
    if sys.argv[1:2] == ["hook"]:
        from plexsync.integrations import stash_hook as hook

        if hook.is_plain_call(sys.argv[2:]):
            sys.exit(hook.run_hook(sys.argv[2:]))
    try:
        code = _run()
    except KeyboardInterrupt:  # before or after the command, which words it itself
        code = _INTERRUPTED
    except (MemoryError, OSError) as error:
        code = _local_limit(error)
    if code == _LOCAL_FILES:
        sys.unraisablehook = lambda _: None  # what libraries then cannot do at the end either
    _leave_at_ctrl_c()
    _keep_everything()
    sys.exit(code)


def _run() -> int:
    """Import the command line and run it."""
    _leave_at_ctrl_c()  # until everything is imported there is nothing to put in order
    import signal

    collect_seldom()
    from plexsync.cli import run_command_line

    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run_command_line(sys.argv[1:])


def collect_seldom() -> None:
    """Let many more values be made before the next look for cyclic garbage than Python does."""
    import gc

    gc.set_threshold(_YOUNGEST, *gc.get_threshold()[1:])


def _keep_everything() -> None:
    """Spare the looks for cyclic garbage that Python takes when it ends: it all goes anyway."""
    import gc

    gc.freeze()


def _leave_at_ctrl_c() -> None:
    """End on the spot at Ctrl-C, unless the process was started to ignore it."""
    import signal

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)


def _leave(_number: int, _frame: FrameType | None) -> None:
    import os

    os._exit(_INTERRUPTED)


def _local_limit(error: MemoryError | OSError) -> int:
    """Say that this machine has run out of something, where not even the words can be imported.

    Raises:
        OSError: it is something else.
    """
    import errno

    limits = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
    if isinstance(error, OSError) and error.errno not in limits:
        raise error
    sys.stderr.write(
        f"plexsync: this machine has no more memory or open files ({error})\n"
        "  hint: raise the limit (ulimit -n, LimitNOFILE and MemoryMax in a systemd unit)\n"
    )
    return _LOCAL_FILES


if __name__ == "__main__":
    main()
