"""What a bug report needs, as one text: nothing secret is in it, and everything else is.

It also answers, as far as reading alone can tell, what is not known for sure about real Plex
servers. Source: docs/plex-api.md, what is marked [?].
"""

from __future__ import annotations

import os
import platform
import sys
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING

from plexsync import __version__
from plexsync.app.checkup.doctor import check_libraries
from plexsync.app.failures import utc_now
from plexsync.app.opening import command_config, known_client_id, open_servers
from plexsync.errors import ConfigError, PlexsyncError, ServerError
from plexsync.models import ItemKind
from plexsync.state import read_status, state_directory, state_errors
from plexsync.text.normalize import clean_for_terminal
from plexsync.transport.responses import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from plexsync.app.checkup.doctor import Finding
    from plexsync.config.configuration import Config
    from plexsync.models import Section
    from plexsync.output.console import Invocation
    from plexsync.transport.responses import HttpResponse

_PACKAGES = ("click", "msgspec", "plexapi", "requests", "rich", "tenacity")
_MOST_LOG_LINES = 200
_ANY = frozenset(range(200, 500)) - {401, 429}
_JSON = (("Accept", "application/json"),)
_RATING_KEY = b'"ratingKey"'
_NOWHERE = "999999998,999999999"
"""Rating keys no server gets to."""


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
    text = _report_text(parts, invocation.secrets)
    with state_errors("create", file):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)


# ---- Private -------------------------------------------------------------------------------------


def _report_text(parts: Mapping[str, Iterable[str]], secrets: Sequence[str]) -> str:
    """Return titled parts as one text, without secrets and control characters."""
    blocks = []
    for title, lines in parts.items():
        clean = (clean_for_terminal(redact(line, secrets)) for line in lines)
        blocks.append("\n".join((f"== {title}", *clean)))
    return "\n\n".join(blocks) + "\n"


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

    It is one whose answer no documentation says for sure.
    """
    with open_servers(config, known_client_id(directory)) as servers:
        sections, _ = check_libraries(servers)
        for question, path, judge in _questions(sections):
            try:
                answer = servers.plex_line.request("GET", path, headers=_JSON, accept_status=_ANY)
            except ServerError as error:
                yield f"{question} no answer ({error.kind})"
            else:
                yield f"{question} {judge(answer)}"


def _questions(
    sections: Sequence[Section],
) -> Iterator[tuple[str, str, Callable[[HttpResponse], str]]]:
    for section in sections[:1]:
        kind = 1 if section.kind is ItemKind.MOVIE else 4
        listing = f"/library/sections/{section.section_id}/all?type={kind}"
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
