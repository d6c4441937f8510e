"""The check-up itself, in the order of a run: configuration, state directory, servers, messages."""

from __future__ import annotations

import os
from collections import Counter
from shutil import disk_usage
from typing import TYPE_CHECKING

from plexsync.app.announcing import try_everything
from plexsync.app.checkup.doctor import (
    Finding,
    Severity,
    check_config,
    check_libraries,
    check_paths,
    check_plex,
    check_stash,
    failed,
    passed,
    warned,
)
from plexsync.app.failures import utc_now
from plexsync.app.opening import command_config, known_client_id, open_servers
from plexsync.errors import ConfigError, ExitCode, PlexsyncError
from plexsync.state import (
    STATE_NAME,
    at_work,
    cache_directory,
    check_private,
    load_state,
    state_directory,
    status_of,
)
from plexsync.sync.connections import config_secrets
from plexsync.text.words import without_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.output.console import Invocation
    from plexsync.state import Status

_ROOM_BYTES = 16 * 1024 * 1024
"""What a run may need beside two copies of the state: journals of some ten thousand changes."""


def examine(invocation: Invocation, *, notify: bool = False) -> Iterator[Finding]:
    """Yield every finding, as it is made. What went wrong is one of them, not an exception.

    Args:
        invocation: the global options.
        notify: try the health check and the addresses of messages, too.
    """
    directory = state_directory(os.environ)
    try:
        config = command_config(invocation)
    except ConfigError as error:
        yield failed("configuration", error)
        yield from check_state(directory, utc_now())
        return
    yield from check_config(config)
    yield from check_state(directory, utc_now())
    yield from _examine_servers(config, known_client_id(directory))
    if notify:
        yield from _examine_notify(config)


def free_bytes(place: Path) -> int:
    """Return the free bytes on the disk of a directory, as far as an ordinary user may fill it."""
    return disk_usage(place).free


def check_state(
    directory: Path,
    now: datetime,
    free_space: Callable[[Path], int] = free_bytes,
) -> Iterator[Finding]:
    """Whether it can be read and written, has free space, and whether somebody is at work.

    Args:
        directory: the state directory, there or not.
        now: aware UTC time.
        free_space: how many bytes are free below a directory.
    """
    try:
        state = load_state(directory)
        check_private(directory)
    except PlexsyncError as error:
        yield failed("state", error)
        return
    if not _may_write(directory):
        yield Finding(
            "state",
            Severity.FAIL,
            f"{directory} cannot be written by this user",
            "Run plexsync as the user it belongs to, make the disk writable if it is "
            "mounted read-only, or set PLEXSYNC_STATE_DIR.",
            ExitCode.LOCAL_FILES,
        )
        return
    known = f"{count:,} scenes remembered" if (count := len(state.scene_ids())) else "none yet"
    yield passed("state", f"{known} in {directory}")
    for note in state.notes:
        yield warned("state", note)
    yield from _parked(status_of(state, directory, now))
    yield from _space(directory, free_space(_existing(directory)))
    yield _lock(directory)


def _space(directory: Path, free_bytes: int) -> Iterator[Finding]:
    """Warn where a run may find no space left."""
    state = directory / STATE_NAME
    if free_bytes < 2 * (state.stat().st_size if state.exists() else 0) + _ROOM_BYTES:
        yield warned(
            "state",
            f"only {free_bytes // 1024:,} KiB are free on the disk of {directory}",
            "Free some space: a run that finds none left ends with 9 and loses nothing, "
            "but gets nowhere.",
        )


def _lock(directory: Path) -> Finding:
    """Return whether somebody is at work."""
    holder = at_work(directory)
    if holder:
        return warned(
            "lock",
            f"process {holder.pid} on {holder.host} is at work since {holder.since}",
            "Wait for it with --lock-wait, or end it if it is stuck.",
        )
    return passed("lock", "nobody is at work")


def _parked(status: Status) -> Iterator[Finding]:
    """How much of what is parked, by what each failed with."""
    for noun, problems in status.failed_too_often.items():
        reasons: Counter[str] = Counter()
        words: dict[str, str] = {}
        for problem in problems:
            message = problem.message if problem else "unknown"
            reasons[words.setdefault(without_ids(message), message)] += 1
        for reason, count in reasons.most_common():
            many = f"1 {noun} is" if count == 1 else f"{count:,} {noun}s are"
            yield warned(
                "state",
                f"{many} parked after too many failed tries: {reason}",
                "The next full run tries again; plexsync retry makes the next run do so.",
            )


def _may_write(directory: Path) -> bool:
    """Whether files can be made in `directory`, or it itself where it has to be made."""
    place = _existing(directory)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def _existing(directory: Path) -> Path:
    """Return the directory, or the first above it that is there."""
    return next((one for one in (directory, *directory.parents) if one.exists()), directory)


def _examine_servers(config: Config, client_id: str) -> Iterator[Finding]:
    now = utc_now()
    with open_servers(config, client_id) as servers:
        about_stash = list(check_stash(servers, now))
        yield from about_stash
        about_plex = list(check_plex(servers, now))
        yield from about_plex
        if any(one.exit_code for one in about_plex):
            return
        sections, about_libraries = check_libraries(servers)
        yield from about_libraries
        if sections and not any(one.exit_code for one in about_stash):
            cache = cache_directory(os.environ)
            yield from check_paths(servers, sections, cache=cache, now=now)


def _examine_notify(config: Config) -> Iterator[Finding]:
    tried = list(try_everything(config.notify, config_secrets(config)))
    if not tried:
        remedy = "Set notify.ping or notify.urls; see docs/configuration.md."
        yield warned("notify", "nothing is configured", remedy)
    for what, problem in tried:
        if problem:
            yield Finding(
                "notify",
                Severity.FAIL,
                f"{what}: {problem}",
                "Check the address in [notify], and whether this machine reaches it.",
                ExitCode.SERVER,
            )
        else:
            yield passed("notify", f"{what} was reached")
