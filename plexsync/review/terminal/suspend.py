"""Ctrl-Z while a person is asked: the program stops at a moment when nothing is half done.

Before it stops it puts right what others would trip over, and afterwards takes it up again. Being
stopped by other means (SIGSTOP) cannot be seen coming; going on can, and does the same.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class Pauses:
    """Listens while it is open, unless the program was started to ignore Ctrl-Z.

    Args:
        before: called before the program stops.
        after: called when it goes on; may be called twice.
    """

    def __init__(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._before, self._after = before, after
        self._waiting = False
        self._wanted = False
        self._found: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Install the handlers."""
        if signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN:
            self._found = {
                signal.SIGTSTP: signal.signal(signal.SIGTSTP, self._asked),
                signal.SIGCONT: signal.signal(signal.SIGCONT, self._continued),
            }
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what was there."""
        for number, found in self._found.items():
            signal.signal(number, found)  # type: ignore[arg-type] # what signal.signal gave

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """A time in which nothing is half done; a pause that was wanted before begins now."""
        self._waiting = True
        try:
            if self._wanted:
                self._stop()
            yield
        finally:
            self._waiting = False

    # ---- Private ---------------------------------------------------------------------------------

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        if self._waiting:
            self._stop()
        else:
            self._wanted = True

    def _continued(self, _number: int, _frame: FrameType | None) -> None:
        self._after()

    def _stop(self) -> None:
        """Stop as if nobody had listened, which a shell with jobs notices."""
        self._wanted = False
        self._before()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._asked)
        # Where no shell could wake it, the system does not stop a program at all.
        self._after()
