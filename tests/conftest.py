"""What holds for every test: no real home, no outside configuration, no network but loopback."""

from __future__ import annotations

import gc
import os
import random
import re
import signal
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples every time: a check that fails now and then is believed by nobody. Another seed
# is tried by hand: `pytest --hypothesis-profile=default --hypothesis-seed=random`. How long an
# example takes says how busy the machine is, nothing about the claim.
settings.register_profile(
    "fixed", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fixed")

# A job started in the background ignores Ctrl-C, and so would every process the tests start and
# then interrupt. Source: POSIX, Shell Command Language 2.11.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CRASH_SEED = "PLEXSYNC_CRASH_SEED"

# ---- What costs time and proves nothing ----------------------------------------------------------

MEMORY = Path("/dev/shm")  # noqa: S108 - not a name to guess: a file system
MEMORY_BYTES = 4 * 1024**3
YOUNGEST = 50_000
"""New values after which the collector looks for cycles; thousands of tests stay in memory."""


def keep_files_in_memory() -> None:
    """Have files of tests in memory, where there is space and programs may run.

    Every run forces what it remembers to the disk several times, and a test learns nothing from
    waiting for it.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    found = os.statvfs(MEMORY)
    if found.f_bavail * found.f_frsize >= MEMORY_BYTES and not found.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


keep_files_in_memory()
gc.set_threshold(YOUNGEST, *gc.get_threshold()[1:])


def pytest_collection_finish() -> None:
    """Leave out what was imported and collected when garbage is looked for."""
    # Hypothesis warns where its random generator has no holder, and from Python 3.14 on a frozen
    # holder is not found: the generator is made before.
    find(st.none(), lambda _: True)
    gc.collect()
    gc.freeze()


# ---- What every run of the suite has -------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many crash points were looked at, and how to look at the same ones again."""
    reports = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    kept = [(name, value) for one in reports for name, value in one.user_properties]
    points, killed, violations = (
        sum(value for name, value in kept if name == wanted)
        for wanted in ("crash points", "killed for real", "violations")
    )
    if points:
        terminalreporter.write_line(
            f"{points:,} crash points, {killed} by real SIGKILL besides, {violations} violations; "
            f"again with {CRASH_SEED}={os.environ[CRASH_SEED]}"
        )


FOREIGN_PREFIXES = ("PLEXSYNC_", "PLEXAPI_", "XDG_")
FOREIGN_NAMES = frozenset(
    {
        "ALL_PROXY",
        "CACHE_DIRECTORY",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "CREDENTIALS_DIRECTORY",
        "CURL_CA_BUNDLE",
        "FORCE_COLOR",
        "FTP_PROXY",
        "GHOSTTY_RESOURCES_DIR",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ITERM_SESSION_ID",
        "JOURNAL_STREAM",
        "KITTY_WINDOW_ID",
        "KONSOLE_VERSION",
        "LINES",
        "NETRC",
        "NO_COLOR",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "STATE_DIRECTORY",
        "STY",
        "TERM_PROGRAM",
        "TMUX",
        "WEZTERM_PANE",
        "XTERM_VERSION",
    }
)


def is_foreign(name: str) -> bool:
    """Whether the environment variable `name` could change what plexsync does."""
    return name.startswith(FOREIGN_PREFIXES) or name.upper() in FOREIGN_NAMES


def is_loopback(host: object) -> bool:
    """Whether a socket address's host stays on this machine."""
    text = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if text == "localhost":
        return True
    try:
        return ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def forbid_network(event: str, args: tuple[object, ...]) -> None:
    """Audit hook: connecting anywhere but to loopback is an error in the test that does it."""
    if event == "socket.connect":
        address = args[1]
        host = address[0] if isinstance(address, tuple) else "localhost"
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if not is_loopback(host):
        raise RuntimeError(f"a test reached for {host!r}: tests stay on loopback")


SET_IN_A_NAME = re.compile(r"\{'[^'{}]*', '")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names made of sets: each process orders them in its own way, and none finds them."""
    for item in items:
        if SET_IN_A_NAME.search(item.nodeid):
            raise pytest.UsageError(f"the name of a test may not hold a set: {item.nodeid}")


def pytest_configure() -> None:
    """Forbid the network for the whole session, and choose the crash points of this run.

    Every process of a run chooses the same ones.
    """
    os.environ.setdefault(CRASH_SEED, str(random.SystemRandom().randrange(1_000_000)))
    sys.addaudithook(forbid_network)


@pytest.fixture(autouse=True)
def isolated_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A home that does not exist, and must not exist afterwards; no foreign variables."""
    for name in [name for name in os.environ if is_foreign(name)]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.getbasetemp() / "no-home"
    monkeypatch.setenv("HOME", str(home))
    yield home
    assert not home.exists(), "the code under test wrote below the home directory"
