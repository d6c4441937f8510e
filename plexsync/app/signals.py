"""SIGINT, SIGTERM, SIGHUP: the first asks a run to end in order, the second ends it at once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Self

from plexsync.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    # A terminal that is closed ends what runs in it, in good order too.
    signal.SIGHUP: ExitCode.TERMINATED,
}


class StopSignals:
    """Listens while it is open.

    A signal that the process was started to ignore (nohup, a shell's background job) stays
    ignored.

    Args:
        tell: called once, in the handler, when the first signal came.
    """

    def __init__(self, tell: Callable[[], None] = lambda: None) -> None:
        self._tell = tell
        self._code: ExitCode | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Install the handlers."""
        for number in _CODES:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what was there."""
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type] # what getsignal gave

    def should_stop(self) -> bool:
        """Whether a signal came. A run asks where it may safely end."""
        return self._code is not None

    def exit_code(self) -> ExitCode:
        """Return what the process ends with because of the first signal."""
        return self._code or ExitCode.INTERRUPTED

    def exit_at_next(self) -> None:
        """From now on a further signal ends the process on the spot, without another word.

        For somebody who keeps pressing Ctrl-C while the last words are being written.
        """
        code = self.exit_code()
        for number in self._before:
            signal.signal(number, lambda _number, _frame: os._exit(code))
        self._before.clear()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._code is not None:
            raise KeyboardInterrupt
        self._code = _CODES[signal.Signals(number)]
        self._tell()
