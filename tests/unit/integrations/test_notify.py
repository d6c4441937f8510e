"""Which messages a run is worth: an outage once, its end, and on wish what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.config.secrets import Secret
from plexsync.config.sections import NotifyOn
from plexsync.errors import ConfigError, ExitCode, ServerError
from plexsync.integrations.notify import (
    HealthCheck,
    Notified,
    RunEnd,
    choose_messages,
    read_notified,
    send,
    undelivered,
    write_notified,
)
from tests.support.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ALL = frozenset(NotifyOn)
USUAL = frozenset({NotifyOn.FAILURE, NotifyOn.RECOVERY})


def end(code: int = 0, *, day: int = 1, written: int = 0, new_review: int = 0) -> RunEnd:
    """A run of a day in November."""
    return RunEnd(
        at=f"2026-11-{day:02}T08:00:00Z", code=code, written=written, new_review=new_review
    )


def titles(
    ends: Iterable[RunEnd], *, on: frozenset[NotifyOn] = USUAL, digest: bool = False
) -> list[list[str]]:
    """The titles of the messages each run is worth, all of which arrive."""
    notified, found = Notified(), []
    for one in ends:
        messages, notified = choose_messages(notified, one, on=on, digest=digest)
        found.append([message.title.removeprefix("plexsync: ") for message in messages])
    return found


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 9])
def test_an_outage_is_reported_once_and_when_it_is_over(code: int) -> None:
    """Three runs fail alike, two end well: two messages."""
    failed, well = [f"a run failed (exit code {code})"], ["runs end well again"]
    assert titles([end(code), end(code), end(code), end(), end()]) == [failed, [], [], well, []]


def test_an_outage_that_gets_worse_is_reported_again() -> None:
    """And one that gets better, or goes back and forth, is not."""
    codes = [3, 4, 3, 5, 4, 5, 9, 0]
    worse = {0: 3, 1: 4, 3: 5, 6: 9}
    expected = [[f"a run failed (exit code {worse[at]})"] if at in worse else [] for at in range(7)]
    assert titles(map(end, codes)) == [*expected, ["runs end well again"]]


@pytest.mark.parametrize("code", [8, 130, 143])
def test_a_run_that_was_not_its_own_master_is_neither(code: int) -> None:
    """Another run at work, or a person who stops it, begins no outage and ends none."""
    assert titles([end(code), end()]) == [[], []]
    assert titles([end(4), end(code), end(4), end()])[1:3] == [[], []]


@pytest.mark.parametrize("code", [0, 10, 11])
def test_quiet_days_have_no_message(code: int) -> None:
    """Whatever is switched on."""
    assert titles([end(code), end(code, day=2)], on=ALL) == [[], []]
    assert titles([end(code), end(code, day=2)], on=ALL, digest=True) == [[], []]


def test_what_is_new_is_reported_only_on_wish() -> None:
    """One message a run; each part by its own word."""
    run = end(written=3, new_review=1)
    both = "3 items written, 1 new LOW match waits for review"
    assert titles([run]) == [[]]
    assert titles([run], on=ALL) == [[both]]
    assert titles([run], on=frozenset({NotifyOn.REVIEW})) == [["1 new LOW match waits for review"]]
    assert titles([run], on=frozenset({NotifyOn.CHANGES})) == [["3 items written"]]


def test_failures_that_are_switched_off_are_not_reported() -> None:
    """The end of an outage still can be."""
    only = frozenset({NotifyOn.RECOVERY})
    assert titles([end(4), end()], on=only) == [[], ["runs end well again"]]
    assert titles([end(4), end()], on=frozenset()) == [[], []]


def test_a_digest_adds_up_a_day() -> None:
    """The first run of another day reports it; an outage is reported at once all the same."""
    runs = [
        end(written=2),
        end(written=1, new_review=4),
        end(4, day=2),
        end(day=3, written=7),
        end(day=5),
    ]
    assert titles(runs, on=ALL, digest=True) == [
        [],
        [],
        [
            "a run failed (exit code 4)",
            "3 items written, 4 new LOW matches wait for review on 2026-11-01",
        ],
        ["runs end well again"],
        ["7 items written on 2026-11-03"],
    ]


@pytest.mark.parametrize(
    ("before", "run"),
    [
        (Notified(), end(4)),
        (
            Notified(failing_since="2026-11-01T08:00:00Z", failed_runs=2, worst=ExitCode.SERVER),
            end(),
        ),
        (Notified(day="2026-11-01", written=3, new_review=2), end(day=2, written=1)),
    ],
    ids=["outage", "recovery", "digest"],
)
def test_what_reached_nobody_is_reported_by_the_next_run(before: Notified, run: RunEnd) -> None:
    """The same message again, with what came to it."""
    digest = bool(before.day)
    first, after = choose_messages(before, run, on=ALL, digest=digest)
    again, _ = choose_messages(undelivered(before, after), run, on=ALL, digest=digest)
    assert [one.title.partition(" ")[0] for one in first] == [
        one.title.partition(" ")[0] for one in again
    ]
    assert len(first) == len(again) == 1


def test_what_was_reported_survives_the_file(tmp_path: Path) -> None:
    """A damaged file costs one message too many, and no run."""
    notified = Notified(
        failing_since="2026-11-01T08:00:00Z", worst=ExitCode.SERVER, day="2026-11-01", written=2
    )
    assert read_notified(tmp_path) == Notified()
    write_notified(tmp_path, notified)
    assert read_notified(tmp_path) == notified
    for damaged in (b"\xff{", b'{"failing_since":"2026-11-01T08:00:00Z","worst":77}'):
        (tmp_path / "notified.json").write_bytes(damaged)
        assert read_notified(tmp_path) == Notified()


# ---- Sending -------------------------------------------------------------------------------------


def test_a_message_arrives_once_at_each_address() -> None:
    """Title, text and tone, over HTTP."""
    (message,), _ = choose_messages(Notified(), end(4), on=USUAL, digest=False)
    with Receiver() as receiver:
        urls = (Secret(f"json://{receiver.address}/canary-url"),) * 2
        assert send(urls, (message,)) == []
        assert [(one["title"], one["type"]) for one in receiver.messages()] == [
            ("plexsync: a run failed (exit code 4)", "failure")
        ] * 2


def test_an_address_that_fails_is_named_by_its_place(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither the sentence nor anything apprise prints holds the address."""
    (message,), _ = choose_messages(Notified(), end(4), on=USUAL, digest=False)
    with Receiver(status=500) as receiver:
        urls = (Secret("canary-nonsense"), Secret(f"json://{receiver.address}/canary-url"))
        found = send(urls, (message,))
    assert found == [
        "address 1 of notify.urls is none that apprise knows",
        "address 2 of notify.urls took no message",
    ]
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


@pytest.mark.parametrize(
    ("path", "start", "well", "failed"),
    [
        ("/uuid", "/uuid/start", "/uuid", "/uuid/4"),
        ("/uuid/", "/uuid/start", "/uuid", "/uuid/4"),
        ("/a/b?c=d", "/a/b/start?c=d", "/a/b?c=d", "/a/b/4?c=d"),
        ("", "/start", "/", "/4"),
    ],
)
def test_a_health_check_gets_start_success_and_exit_code(
    path: str, start: str, well: str, failed: str
) -> None:
    """The address may have a query; the log is the body."""
    with Receiver() as receiver:
        check = HealthCheck(Secret(f"http://{receiver.address}{path}"))
        check.start()
        check.end(10, "two\nlines")
        check.end(4, "x" * 20_000)
        assert [one.path for one in receiver.requests] == [start, well, failed]
        assert receiver.requests[1].body == "two\nlines"
        assert len(receiver.requests[2].body) == 10_000


def test_a_health_check_that_is_away_raises_without_its_address() -> None:
    """The last part of the address is the secret."""
    with Receiver(status=404) as receiver:
        check = HealthCheck(Secret(f"http://{receiver.address}/canary-ping"))
        with pytest.raises(ServerError) as caught:
            check.start()
    assert "canary" not in f"{caught.value.message} {caught.value.context} {caught.value.hint}"


@pytest.mark.parametrize("address", ["canary without a scheme", "http://[canary"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigError):
        HealthCheck(Secret(address))
