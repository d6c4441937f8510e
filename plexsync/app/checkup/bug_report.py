"""What a bug report needs, as one text: nothing secret is in it, and everything else is.

It also answers, as far as reading alone can tell, what is not known for sure about real Plex
servers. Source: docs/plex-api.md, what is marked [?].
"""

from __future__ import annotations

import platform
import sys
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING

from plexsync import __version__
from plexsync.errors import PlexsyncError, ServerError
from plexsync.models import ItemKind
from plexsync.text.normalize import clean_for_terminal
from plexsync.transport.responses import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from plexsync.app.checkup.doctor import Finding, Patient
    from plexsync.config.configuration import Config
    from plexsync.models import Section
    from plexsync.state import Status
    from plexsync.transport.responses import HttpResponse

_PACKAGES = ("click", "msgspec", "plexapi", "requests", "rich", "tenacity")
_MOST_LOG_LINES = 200
_ANY = frozenset(range(200, 500)) - {401, 429}
_RATING_KEY = b'"ratingKey"'
_NOWHERE = "999999998,999999999"
"""Rating keys no server gets to."""


def report_text(parts: Iterable[tuple[str, Iterable[str]]], secrets: Sequence[str]) -> str:
    """Return titled parts as one text, without secrets and control characters."""
    blocks = []
    for title, lines in parts:
        clean = (clean_for_terminal(redact(line, secrets)) for line in lines)
        blocks.append("\n".join((f"== {title}", *clean)))
    return "\n\n".join(blocks) + "\n"


def version_lines() -> Iterator[str]:
    """Yield what runs here."""
    yield f"plexsync {__version__}"
    yield f"Python {platform.python_version()} on {platform.platform()} ({sys.implementation.name})"
    for name in _PACKAGES:
        yield f"{name} {metadata.version(name)}"


def config_lines(config: Config | None) -> Iterator[str]:
    """Yield what is configured and where each value comes from; secrets are hidden."""
    if config is None:
        yield "cannot be read; see the findings"
        return
    for one in config.settings:
        yield f"{one.key} = {one.value}  # {one.origin}"


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield what the check-up found."""
    for one in findings:
        yield f"{one.level} {one.area}: {one.message}"


def status_lines_of(status: Callable[[], Status]) -> Iterator[str]:
    """Yield counts, the last runs and what fails, as plexsync remembers them."""
    try:
        found = status()
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


def log_lines(log: Path | None) -> Iterator[str]:
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


# ---- What is not known for sure ------------------------------------------------------------------


def plex_fact_lines(patient: Patient, sections: Sequence[Section]) -> Iterator[str]:
    """Yield a question about this Plex server and what it answers, one a line. Reads only."""
    for question, path, judge in _questions(sections):
        try:
            headers = (("Accept", "application/json"),)
            answer = patient.plex_line.request("GET", path, headers=headers, accept_status=_ANY)
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
