"""Signals: the first asks, the second ends, and nothing stays behind."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from plexsync.app.failures import StopSignals
from plexsync.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = [
    (signal.SIGINT, ExitCode.INTERRUPTED),
    (signal.SIGTERM, ExitCode.TERMINATED),
    (signal.SIGHUP, ExitCode.TERMINATED),
]


@pytest.fixture(autouse=True)
def _signals_of_a_terminal() -> Iterator[None]:
    """Ignore no signal, whatever started the tests ignores (`nohup` leaves SIGHUP ignored)."""
    before = {number: signal.getsignal(number) for number, _ in BOTH}
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """A run under `nohup` goes on when its terminal closes."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not signals.should_stop()


def test_without_signals_a_run_goes_on() -> None:
    """Nothing came, nothing stops."""
    with StopSignals() as signals:
        assert not signals.should_stop()


@pytest.mark.parametrize(("number", "code"), BOTH, ids=["SIGINT", "SIGTERM", "SIGHUP"])
def test_first_signal_only_asks(number: signal.Signals, code: ExitCode) -> None:
    """The run receives it, and decides itself where it is safe to end."""
    received = []
    with StopSignals(lambda: received.append(number)) as signals:
        os.kill(os.getpid(), number)

        assert signals.should_stop()
        assert signals.exit_code() is code
        assert received == [number]


@pytest.mark.parametrize(("number", "code"), BOTH, ids=["SIGINT", "SIGTERM", "SIGHUP"])
def test_second_signal_ends_at_once(number: signal.Signals, code: ExitCode) -> None:
    """Who insists is obeyed; the code is that of the first."""
    with StopSignals() as signals:
        os.kill(os.getpid(), number)

        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert signals.exit_code() is code


def test_handlers_are_put_back() -> None:
    """After a run the signals mean what they meant before."""
    before = [signal.getsignal(number) for number, _ in BOTH]

    with StopSignals():
        during = [signal.getsignal(number) for number, _ in BOTH]

    assert [signal.getsignal(number) for number, _ in BOTH] == before
    assert during != before


def test_ignored_signals_stay_ignored() -> None:
    """`nohup plexsync run &` survives the Ctrl-C meant for somebody else."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopSignals() as signals:
            os.kill(os.getpid(), signal.SIGINT)

            assert not signals.should_stop()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
