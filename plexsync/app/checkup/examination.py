"""The check-up itself, in the order of a run: configuration, state directory, servers, messages.

Also what a bug report needs, as one text: nothing secret is in it, and everything else is. It
answers, as far as reading alone can tell, what is not known for sure about real Plex servers.
Source: docs/plex-api.md, what is marked [?].
"""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from contextlib import suppress
from functools import partial
from importlib import metadata
from shutil import disk_usage
from typing import TYPE_CHECKING

from plexsync import __version__
from plexsync.app.announcing import try_everything
from plexsync.app.checkup.doctor import (
    check_config,
    check_libraries,
    check_paths,
    check_plex,
    check_stash,
    failed,
    passed,
    tried,
    warned,
)
from plexsync.app.checkup.probe import ANY_ANSWER
from plexsync.app.failures import utc_now
from plexsync.app.opening import command_config, config_secrets, known_client_id, open_servers
from plexsync.errors import (
    ConfigError,
    PlexsyncError,
    ServerError,
    StateError,
    StateMismatchError,
)
from plexsync.plex.connection import JSON
from plexsync.plex.decode import TYPE_NUMBERS
from plexsync.state import (
    OTHER_FILE,
    STATE_NAME,
    Lineage,
    at_work,
    cache_directory,
    check_private,
    find_existing,
    load_state,
    may_write,
    mode_of,
    read_status,
    state_directory,
    state_errors,
    status_of,
)
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import without_ids
from plexsync.transport.responses import HttpResponse, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from plexsync.app.checkup.doctor import Finding
    from plexsync.config.configuration import Config
    from plexsync.models import Section
    from plexsync.output.console import Invocation
    from plexsync.state import Status

_ROOM_BYTES = 16 * 1024 * 1024
"""What a run may need beside two copies of the state: journals of some ten thousand changes."""

_PACKAGES = ("click", "msgspec", "plexapi", "requests", "rich", "tenacity")
_MOST_LOG_LINES = 200
_RATING_KEY = b'"ratingKey"'
_NOWHERE = "999999998,999999999"
"""Rating keys no server gets to."""


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
    yield from _examine_servers(config, directory)
    if notify:
        yield from _examine_notify(config)


def write_report(
    invocation: Invocation, findings: Sequence[Finding], file: Path, *, log: Path | None
) -> None:
    """Write what a bug report needs into a file that is not there yet.

    Raises:
        StateError: it cannot be written.
    """
    directory = state_directory(os.environ)
    try:
        config = command_config(invocation)
    except ConfigError:
        config = None
    parts = {
        "versions": _version_lines(),
        "configuration": _config_lines(config),
        "findings": (f"{one.level} {one.area}: {one.message}" for one in findings),
        "memory": _status_lines(directory),
        "log": _log_lines(log),
    }
    if config is not None and not any(one.exit_code for one in findings):
        parts["this Plex server"] = _plex_fact_lines(config, directory)
    blocks = []
    for title, lines in parts.items():
        clean = (clean_for_terminal(redact(line, invocation.secrets)) for line in lines)
        blocks.append("\n".join((f"== {title}", *clean)))
    with state_errors("create", file, elsewhere=OTHER_FILE):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write("\n\n".join(blocks) + "\n")


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
    if not may_write(directory):
        hint = (
            "Run plexsync as the user it belongs to, make the disk writable if it is mounted "
            "read-only, or set PLEXSYNC_STATE_DIR."
        )
        yield failed("state", StateError(f"{directory} cannot be written by this user", hint=hint))
        return
    known = f"{count:,} scenes remembered" if (count := len(state.scene_ids())) else "none yet"
    yield passed("state", f"{known} in {directory}")
    for note in state.notes:
        yield warned("state", note)
    yield from _parked(status_of(state, directory, now))
    yield from _space(directory, free_space(find_existing(directory)))
    if holder := at_work(directory):
        yield warned(
            "lock",
            f"process {holder.pid} on {holder.host} is at work since {holder.since}",
            "Wait for it with --lock-wait, or end it if it is stuck.",
        )
    else:
        yield passed("lock", "nobody is at work")


# ---- What is looked at ---------------------------------------------------------------------------


def _space(directory: Path, free_bytes: int) -> Iterator[Finding]:
    """Warn where a run may find no space left."""
    state = directory / STATE_NAME
    if free_bytes < 2 * (state.stat().st_size if mode_of(state) else 0) + _ROOM_BYTES:
        yield warned(
            "state",
            f"only {free_bytes // 1024:,} KiB are free on the disk of {directory}",
            "Free some space: a run that finds none left ends with 9 and loses nothing, "
            "but gets nowhere.",
        )


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
                f"{many} parked: {reason}",
                "The next full run tries again; plexsync retry makes the next run do so.",
            )


def _examine_servers(config: Config, directory: Path) -> Iterator[Finding]:
    now = utc_now()
    with open_servers(config, known_client_id(directory)) as servers:
        about_stash = list(tried("Stash", check_stash(servers, now)))
        yield from about_stash
        about_plex = list(tried("Plex", check_plex(servers, now)))
        yield from about_plex
        if any(one.exit_code for one in about_plex):
            return
        yield from _check_owner(directory, servers.plex.connect().identity)
        sections, about_libraries = check_libraries(servers)
        yield from about_libraries
        if sections and not any(one.exit_code for one in about_stash):
            cache = cache_directory(os.environ)
            about_paths = check_paths(servers, sections, cache=cache, now=now)
            yield from tried("paths", about_paths)


def _check_owner(directory: Path, machine: str) -> Iterator[Finding]:
    """Whether what is remembered is about the Plex that answers."""
    with suppress(StateError):  # what cannot be read was a finding before any server was asked
        state = load_state(directory)
        try:
            state.check_lineage(Lineage(plex=machine, stash=state.lineage.stash))
        except StateMismatchError as error:
            yield failed("state", error)


def _examine_notify(config: Config) -> Iterator[Finding]:
    attempts = list(try_everything(config.notify, config_secrets(config)))
    if not attempts:
        remedy = "Set notify.ping or notify.urls; see docs/configuration.md."
        yield warned("notify", "nothing is configured", remedy)
    for what, problem in attempts:
        if problem:
            hint = "Check the address in [notify], and whether this machine reaches it."
            yield failed("notify", ServerError(f"{what}: {problem}", hint=hint))
        else:
            yield passed("notify", f"{what} was reached")


# ---- A bug report --------------------------------------------------------------------------------


def _version_lines() -> Iterator[str]:
    """Yield what runs here."""
    yield f"plexsync {__version__}"
    yield f"Python {platform.python_version()} on {platform.platform()} ({sys.implementation.name})"
    for name in _PACKAGES:
        yield f"{name} {metadata.version(name)}"


def _config_lines(config: Config | None) -> Iterator[str]:
    """Yield what is configured and where each value comes from; secrets are hidden."""
    if config is None:
        yield "cannot be read; see the findings"
        return
    for one in config.settings:
        yield f"{one.key} = {one.value}  # {one.origin}"


def _status_lines(directory: Path) -> Iterator[str]:
    """Yield counts, the last runs and what fails, as plexsync remembers them."""
    try:
        found = read_status(directory, utc_now())
    except PlexsyncError as error:
        yield str(error)
        return
    coverage = found.coverage
    yield (
        f"{coverage.scenes} scenes: {coverage.linked} linked, {coverage.low} LOW, "
        f"{coverage.unmatched} unmatched, {coverage.ignored} ignored, "
        f"{coverage.undecided} undecided; {found.items} items"
    )
    for run in found.runs:
        yield f"{run.kind} {run.run_id} ended {run.finished_at or 'never'} with {run.exit_code}"
    for one in (*found.failing, *found.parked):
        problem = f"{one.problem.kind}: {one.problem.message}" if one.problem else "unknown"
        yield f"scene {one.scene_id} after {one.attempts} tries: {problem}"


def _log_lines(log: Path | None) -> Iterator[str]:
    """Yield the end of the log."""
    if log is None:
        yield "none named; add --log-file FILE to show the end of it"
        return
    try:
        text = log.read_text("utf-8", "replace")
    except OSError as error:
        yield f"{log}: {error.strerror}"
        return
    yield from text.splitlines()[-_MOST_LOG_LINES:]


def _plex_fact_lines(config: Config, directory: Path) -> Iterator[str]:
    """Yield a question about this Plex server and what it answers, one a line. Reads only.

    It is one that no documentation answers for sure.
    """
    with open_servers(config, known_client_id(directory)) as servers:
        sections, _ = check_libraries(servers)
        for question, path, judge in _questions(sections):
            try:
                answer = servers.plex_line.request(
                    "GET", path, headers=JSON, accept_status=ANY_ANSWER
                )
            except ServerError as error:
                yield f"{question} no answer ({error.kind})"
            else:
                yield f"{question} {judge(answer)}"


def _questions(
    sections: Sequence[Section],
) -> Iterator[tuple[str, str, Callable[[HttpResponse], str]]]:
    for section in sections[:1]:
        number = TYPE_NUMBERS[section.kind]
        listing = f"/library/sections/{section.section_id}/all?type={number}"
        page = f"{listing}&X-Plex-Container-Start=0&X-Plex-Container-Size"
        yield "Does a listing show which fields are locked?", f"{page}=50", partial(_has, "Field")
        yield "Does a listing show labels?", f"{page}=50", partial(_has, "Label")
        yield "How many of 2,000 asked for does one page hold?", f"{page}=2000", _items
        yield "Does an exact size find by itself?", f"{listing}&mediaSize=1", _status
    missing = f"/library/metadata/{_NOWHERE}"
    yield "What does it answer for items that are not there?", missing, _status
    yield "And for their trees?", f"{missing}/tree", _status


def _status(answer: HttpResponse) -> str:
    return f"{answer.status}, {len(answer.body)} bytes"


def _has(word: str, answer: HttpResponse) -> str:
    return "yes" if f'"{word}"'.encode() in answer.body else "not in the first 50"


def _items(answer: HttpResponse) -> str:
    return f"{answer.status}, {answer.body.count(_RATING_KEY)} items"
