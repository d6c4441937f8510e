"""What others learn of a run: every exit code reaches the health check once, quiet days are quiet.

Each run is a process of its own; health check and messages go over real HTTP to a local receiver.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plexsync.app.announcing import Announcement, announced
from plexsync.errors import ConfigError, ExitCode, PlexsyncError
from plexsync.output.console import with_option
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.demo import demo_library
from plexsync.storage.locations import hold_lock
from tests.support.factories import make_summary
from tests.support.receiver import Receiver
from tests.support.terminals import ProcessResult, run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plexsync.simulators.http.messages import SimRequest

CANARIES = ("canary", "stash-key")


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """Twelve scenes, most of them HIGH, one LOW, one without an item."""
    with World(demo_library(), tmp_path, PATHS="/data/=/media/") as made:
        yield made


@pytest.fixture(name="receiver")
def make_receiver() -> Iterator[Receiver]:
    """A health check and a target of messages."""
    with Receiver() as made:
        yield made


def command(world: World, receiver: Receiver, *arguments: str, **settings: str) -> ProcessResult:
    """`plexsync run` as cron starts it, with notifications configured."""
    environ = world.environ(**receiver.settings(**settings))
    return run_plexsync(["run", *arguments], environ)


# ---- Every exit code -----------------------------------------------------------------------------


def refuse_one(world: World) -> None:
    """Plex refuses the edits of one item for good."""
    world.refuse_edits(world.key_of("2"), 400)


def break_plex(world: World) -> None:
    """Plex sends web pages."""
    page = ErrorStatus(200, b"<html>", (("Content-Type", "text/html"),))
    world.plex_wire.faults.add(Fault(None, 1, page, None))


def change_much(world: World) -> None:
    """Everything was synced once, and then somebody takes all tags away."""
    assert world.run().summary.exit_code == ExitCode.OK
    world.wait(hours=1)
    world.stash.edit_scenes(range(1, 12), tag_ids=())
    world.wait(hours=1)


def damage_state(world: World) -> None:
    """What was remembered cannot be read any more."""
    world.run()
    for path in world.state_dir.glob("state.json*"):
        path.write_bytes(b"{")
    for path in (world.state_dir / "journal").glob("*"):
        path.write_bytes(b"{}\n{}\n")


def nothing(_world: World) -> None:
    """All is well."""


ENDS: tuple[tuple[int, Callable[[World], None], tuple[str, ...], dict[str, str]], ...] = (
    (0, nothing, (), {}),
    (2, nothing, (), {"MATCH__STRICT_MATCHING": "perhaps"}),
    (3, refuse_one, (), {}),
    (4, break_plex, (), {}),
    (5, nothing, (), {"PLEX__TOKEN": "canary-token"}),
    (6, change_much, ("--max-changes", "3"), {}),
    (9, damage_state, (), {}),
    (10, nothing, ("--detailed-exitcode",), {}),
)
"""What makes a run end with a code, by its arguments and settings."""

OTHER_ENDS = {1, 8, 11, 130, 143}
"""Those that have a test of their own."""

NO_ENDS_OF_RUNS = {ExitCode.STALE, ExitCode.TOO_OLD}
"""Those of `apply` and `undo`, and of `status --check`."""


def test_every_exit_code_of_a_run_has_a_test() -> None:
    """A new one is missed here."""
    assert {code for code, *_ in ENDS} | OTHER_ENDS == set(ExitCode) - NO_ENDS_OF_RUNS


@pytest.mark.parametrize(
    ("code", "arrange", "arguments", "settings"),
    ENDS,
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_an_exit_code_reaches_the_health_check_once(
    world: World,
    receiver: Receiver,
    *,
    code: int,
    arrange: Callable[[World], None],
    arguments: tuple[str, ...],
    settings: dict[str, str],
) -> None:
    """The start, then the end with the words of the run and without a secret."""
    arrange(world)
    done = command(world, receiver, *arguments, **settings)
    assert done.code == code, done.err
    assert receiver.pings() == ["/start", "" if code in {0, 10} else f"/{code}"]
    failed = [] if code in {0, 10} else [f"a run failed (exit code {code})"]
    assert receiver.titles() == failed
    for text in (done.out, done.err, *(one.body for one in receiver.requests)):
        assert not [canary for canary in CANARIES if canary in text]


def test_only_review_left_is_well(world: World, receiver: Receiver) -> None:
    """11 is no failure."""
    world.run()
    assert command(world, receiver, "--detailed-exitcode").code == ExitCode.ONLY_REVIEW
    assert receiver.pings() == ["/start", ""]


def test_another_run_at_work_is_no_outage(world: World, receiver: Receiver) -> None:
    """The health check learns of 8, nobody else."""
    world.run()
    with hold_lock(world.state_dir, since="2026-11-22T08:00:00Z"):
        assert command(world, receiver).code == ExitCode.LOCKED
    assert (receiver.pings(), receiver.messages()) == (["/start", "/8"], [])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["130", "143"]
)
def test_a_stopped_run_is_no_outage(
    world: World, receiver: Receiver, number: signal.Signals, code: int
) -> None:
    """The health check learns of 130 and 143, nobody else."""
    children: list[int] = []

    def interrupt(request: SimRequest) -> None:
        if world.plex.kind(request) == "plex.put" and len(world.plex.writes) == 1:
            os.kill(children[0], number)

    world.plex_wire.on_request = interrupt
    environ = {**os.environ, **world.environ(**receiver.settings())}
    words = [sys.executable, "-m", "plexsync", "run"]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
    ) as child:
        children.append(child.pid)
        child.communicate(timeout=120)
    assert child.returncode == code
    assert (receiver.pings(), receiver.messages()) == (["/start", f"/{code}"], [])


def test_a_bug_reaches_the_health_check(world: World, receiver: Receiver) -> None:
    """1, and a message: whatever a command raises."""
    config = world.config(**receiver.settings())

    def raise_a_bug() -> None:
        announcement = Announcement(
            environ=world.environ(), warn=pytest.fail, complain=pytest.fail, typed=str
        )
        with announced(announcement):
            announcement.begin(config.notify, None, ("canary",))
            raise ValueError("canary")

    with pytest.raises(ValueError, match="canary"):
        raise_a_bug()
    assert receiver.pings() == ["/start", "/1"]
    assert receiver.titles() == ["a run failed (exit code 1)"]
    assert "canary" not in receiver.log()


def test_what_others_get_names_the_configuration(world: World, receiver: Receiver) -> None:
    """As the commands a person is shown do: of what failed, and of what waits."""
    config = world.config(**receiver.settings(), NOTIFY__ON="failure, review")

    def announce(error: PlexsyncError | None) -> None:
        announcement = Announcement(
            environ=world.environ(),
            warn=pytest.fail,
            complain=pytest.fail,
            typed=lambda words: with_option(words, Path("other.toml")),
        )
        with announced(announcement):
            announcement.begin(config.notify, None, ())
            announcement.lines.append("scene 7: plexsync doctor looks at it")
            if error is not None:
                raise error
            announcement.keep_summary(make_summary(new_review=1))
            announcement.end(ExitCode.OK)

    announce(None)
    with suppress(ConfigError):
        announce(ConfigError("it cannot be read", hint="plexsync init writes one"))

    words = receiver.log() + "".join(one["message"] for one in receiver.messages())
    for name in ("doctor", "init", "review"):
        assert f"plexsync {name} --config other.toml" in words


# ---- Outages and quiet days ----------------------------------------------------------------------


def test_an_outage_is_reported_once_and_when_it_is_over(world: World, receiver: Receiver) -> None:
    """Three runs find Plex broken, two find it well; the days after are quiet."""
    break_plex(world)
    for _ in range(3):
        assert command(world, receiver).code == ExitCode.SERVER
    assert receiver.titles() == ["a run failed (exit code 4)"]
    world.plex_wire.faults.clear()
    for _ in range(3):
        assert command(world, receiver).code == ExitCode.OK
    assert receiver.titles() == ["a run failed (exit code 4)", "runs end well again"]
    assert receiver.messages()[1]["message"].startswith("3 runs failed since ")
    assert receiver.pings() == ["/start", "/4"] * 3 + ["/start", ""] * 3


def test_what_is_new_is_sent_on_wish_and_dry_runs_are_silent(
    world: World, receiver: Receiver
) -> None:
    """Changes and review of the first run; nothing of the second, and nothing of a dry run."""
    everything = {"NOTIFY__ON": "failure, recovery, review, changes"}
    assert command(world, receiver, "-n", **everything).code == ExitCode.OK
    assert receiver.requests == []
    for _ in range(2):
        assert command(world, receiver, **everything).code == ExitCode.OK
    (title,) = receiver.titles()
    assert title.endswith("items written, 1 new LOW match waits for review")


def test_a_receiver_that_is_away_changes_nothing(world: World, receiver: Receiver) -> None:
    """Neither the exit code nor what cron mails; the outage is reported by the run after."""
    receiver.status = 500
    break_plex(world)
    failed = command(world, receiver)
    assert failed.code == ExitCode.SERVER
    assert "notify" not in failed.err
    receiver.status, receiver.requests = 200, []
    assert command(world, receiver).code == ExitCode.SERVER
    assert receiver.titles() == ["a run failed (exit code 4)"]


def test_a_missing_extra_is_a_warning_and_no_failure(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    """Cron mails what to install until it is; the health check goes on."""
    for name in ("apprise", "prometheus_client"):
        (tmp_path / "none" / name).mkdir(parents=True)
        (tmp_path / "none" / name / "__init__.py").write_text("raise ImportError")
    settings = receiver.settings(METRICS__TEXTFILE=str(tmp_path / "plexsync.prom"))
    environ = world.environ(**settings, NOTIFY__ON="changes")
    done = run_plexsync(["run"], {**environ, "PYTHONPATH": str(tmp_path / "none")})
    assert done.code == ExitCode.OK
    assert "messages need apprise. Install it: pipx install --force '.[notify]'" in done.err
    assert (
        "metrics needs prometheus-client. Install it: pipx install --force '.[metrics]'" in done.err
    )
    assert receiver.pings() == ["/start", ""]


# ---- Metrics -------------------------------------------------------------------------------------


def test_the_textfile_and_status_hold_the_same_figures(world: World, tmp_path: Path) -> None:
    """By Prometheus' own parser: run, requests, scenes, and links by library."""
    path = tmp_path / "plexsync.prom"
    settings = {"METRICS__TEXTFILE": str(path)}
    done = run_plexsync(["run", "--json"], world.environ(**settings))
    document = json.loads(done.out)
    read = {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for one in family.samples
    }
    assert read["plexsync_last_run_exit_code", ()] == done.code == ExitCode.OK
    assert read["plexsync_last_run_written_items", ()] == document["counts"]["applied"]
    by_library = {
        dict(labels)["library"]: value
        for (name, labels), value in read.items()
        if name == "plexsync_last_run_library_written_items"
    }
    written = [row["item"]["library"] for row in document["matches"] if row["outcome"] == "applied"]
    assert by_library == Counter(written)
    requests = {
        key: value for (name, key), value in read.items() if name == "plexsync_last_run_requests"
    }
    assert requests == {
        (("kind", "read"), ("server", "stash")): document["requests"]["stash"],
        (("kind", "read"), ("server", "plex")): document["requests"]["plex_reads"],
        (("kind", "write"), ("server", "plex")): document["requests"]["plex_writes"],
    }
    linked = read["plexsync_scenes", (("state", "linked"),)]
    (library,) = [key for name, key in read if name == "plexsync_links"]
    assert library == (("library", world.library.plex.sections[0].title),)
    assert read["plexsync_links", library] >= linked > 0
    shown = json.loads(run_plexsync(["status", "--json"], world.environ()).out)["metrics"]
    assert {(one["name"], tuple(sorted(one["labels"].items()))): one["value"] for one in shown} == {
        key: pytest.approx(value) for key, value in read.items()
    }


def test_the_textfile_of_a_failed_run_says_so(world: World, tmp_path: Path) -> None:
    """The last success stays, the exit code does not."""
    path = tmp_path / "plexsync.prom"
    settings = {"METRICS__TEXTFILE": str(path)}
    run_plexsync(["run"], world.environ(**settings))
    break_plex(world)
    assert run_plexsync(["run"], world.environ(**settings)).code == ExitCode.SERVER
    text = path.read_text(encoding="utf-8")
    assert "plexsync_last_run_exit_code 4.0" in text
    assert "plexsync_last_success_timestamp_seconds 0.0" not in text


# ---- doctor --notify -----------------------------------------------------------------------------


def test_doctor_tries_all_of_it_only_when_asked(world: World, receiver: Receiver) -> None:
    """One call of the health check, one message; 4 when somebody does not take it."""
    environ = world.environ(**receiver.settings())
    run_plexsync(["doctor"], environ)
    assert receiver.requests == []
    done = run_plexsync(["doctor", "--notify"], environ)
    assert (receiver.pings(), receiver.titles()) == (["/start", ""], ["a test"])
    assert "ok\tnotify\tthe health check was reached" in done.out
    receiver.status = 500
    failed = run_plexsync(["doctor", "--notify"], environ)
    assert failed.code == ExitCode.SERVER
    assert "fail\tnotify\taddress 1 of notify.urls: it took no message" in failed.out
    assert not [canary for canary in CANARIES if canary in failed.out + failed.err]
