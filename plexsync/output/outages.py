"""What was reported of an outage where nobody watches: once when it begins, once when it is over.

Kept in `outage.json` beside the state; before there is a state nothing is kept, and each run
reports. The price of a lost file is one mail too many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.errors import ExitCode, PlexsyncError, StateError
from plexsync.state import DISK, ENDED_WELL, mode_of, read_if_there, write_atomically
from plexsync.text.words import counted

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.models import Problem, RunSummary

MEMORY_NAME = "outage.json"

_NEITHER = frozenset({ExitCode.USAGE, ExitCode.LOCKED, ExitCode.INTERRUPTED, ExitCode.TERMINATED})
"""Ends that are no outage: a mistake in the configuration, which is reported each time; another run
is at work; or a person stopped this."""


_SOME_FAILED = "some-failed"
"""The cause of runs that came to their end without some scenes."""


class Outage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was reported of runs that failed one after another.

    Attributes:
        since: ISO time of the first of them; "" while runs end well.
        runs: how many there were.
        causes: what they failed with, each reported once.
        failed: the most scenes that failed in one of them.
    """

    schema: int = 1
    since: str = ""
    runs: int = 0
    causes: tuple[str, ...] = ()
    failed: int = 0


class Notice(NamedTuple):
    """What is to be reported of a run.

    Attributes:
        news: its failure was not reported yet, or it did not fail.
        over: a sentence on the outage that it ended; "" for none.
    """

    news: bool = True
    over: str = ""


class Outages:
    """Tells news from what was reported.

    Args:
        directory: the state directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def end(self, summary: RunSummary) -> Notice:
        """Note how a run ended, and return what is to be reported of it."""
        if summary.exit_code in ENDED_WELL:
            return self._well(failing=summary.failing > 0)
        cause = _cause(summary.error) if summary.error else _SOME_FAILED
        code, failed = summary.exit_code, summary.counts.failed
        return self._note(code, cause, at=summary.finished_at, failed=failed)

    def fail(self, error: PlexsyncError, *, at: str) -> Notice:
        """Note that a run could not begin, and return what is to be reported of it."""
        return self._note(error.exit_code, _cause(error), at=at, failed=0)

    def _well(self, *, failing: bool) -> Notice:
        """Note a good end; scenes that failed and are tried again later are not over by it."""
        before = self._read()
        left = tuple(one for one in before.causes if one == _SOME_FAILED) if failing else ()
        if left == before.causes:
            return Notice()
        self._write(msgspec.structs.replace(before, causes=left) if left else Outage())
        runs = counted(before.runs, "run")
        return Notice(over=f"runs end well again; {runs} failed since {before.since}")

    def _note(self, code: int, cause: str, *, at: str, failed: int) -> Notice:
        before = self._read()
        if code in _NEITHER:
            return Notice()
        news = cause not in before.causes or failed > before.failed
        after = Outage(
            since=before.since or at,
            runs=before.runs + 1,
            causes=tuple(sorted({*before.causes, cause})),
            failed=max(failed, before.failed),
        )
        return Notice(news=not self._write(after) or news)

    def _read(self) -> Outage:
        try:
            content = read_if_there(DISK, self._directory / MEMORY_NAME)
            return msgspec.json.decode(content or b"{}", type=Outage)
        except (StateError, msgspec.DecodeError, UnicodeDecodeError):
            return Outage()

    def _write(self, outage: Outage) -> bool:
        """Remember it; return whether that went well: what is not remembered is reported again.

        Before the first run there is no state directory, and a run that fails makes none.
        """
        content = (msgspec.json.encode(outage), b"\n")
        try:
            if not mode_of(self._directory):
                return False
            write_atomically(DISK, self._directory / MEMORY_NAME, content)
        except (OSError, StateError):
            return False
        return True


def _cause(problem: Problem | PlexsyncError) -> str:
    return f"{problem.kind} {problem.message.partition(' ')[0]}"
