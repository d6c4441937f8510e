"""The JSON of a run: one document at its end, or one event a line as it goes. Returns bytes.

Every key of the contract is always there: unknown is null, none is 0 or []. Texts of servers are
cleaned like everywhere else, except that line feeds and tabs stay: JSON escapes them.
Source: docs/contract.md, "plexsync run --json"; docs/output.md, "JSON lines".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict

from plexsync.models import Candidate, Change
from plexsync.planning.credits import spelled
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from plexsync.models import (
        Credit,
        MatchRow,
        Preview,
        Problem,
        RunHeader,
        RunSummary,
        Value,
    )
    from plexsync.state import RunRecord

_DECIMALS = 6
_HARMLESS_BREAK = re.compile(r"([\n\t])")

_Json = dict[str, object]


# ---- One document --------------------------------------------------------------------------------


def run_document(summary: RunSummary, matches: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the document in pieces, so that `matches` need not be in memory."""
    head, tail = _head(summary), {"error": _plain(summary.error)}
    yield msgspec.json.encode(head)[:-1] + b', "matches": ['
    separator = b""
    for match in matches:
        yield separator + match
        separator = b",\n"
    yield b"], " + msgspec.json.encode(tail)[1:] + b"\n"


def match_json(row: MatchRow) -> bytes:
    """One entry of `matches`."""
    return msgspec.json.encode(noun_json(row))


def error_document(problem: Problem, *, exit_code: int) -> bytes:
    """Return what a command that is no run says in place of its own document."""
    body = {"schema": "plexsync/error/1", "exit_code": exit_code, "error": noun_json(problem)}
    return msgspec.json.encode(body) + b"\n"


# ---- One event a line ----------------------------------------------------------------------------


def started_event(header: RunHeader) -> bytes:
    """Both servers answered."""
    schema = f"plexsync/{header.command}-events/1"
    return _event("started", _beginning(header, schema) | {"servers": _servers(header)})


def progress_event(phase: str, done: int, total: int | None) -> bytes:
    """Show that a step of a phase is done."""
    return _event("progress", {"phase": phase, "done": done, "total": total})


def preview_event(preview: Preview) -> bytes:
    """Everything is matched; nothing is written yet. Totals only: the rows come as they end."""
    high, low = preview.high_total, preview.low_total
    return _event("matched", {"high": high, "low": low, "unmatched": preview.unmatched_total})


def match_event(row: MatchRow) -> bytes:
    """Return the event of a row that has its outcome."""
    return _event("match", noun_json(row))


def warning_event(message: str) -> bytes:
    """Something a person should know."""
    return _event("warning", {"message": _clean(message)})


def error_event(problem: Problem, *, exit_code: int) -> bytes:
    """No run could begin, or it could not report."""
    return _event("error", {"exit_code": exit_code, "error": noun_json(problem)})


def finished_event(summary: RunSummary) -> bytes:
    """Return the event that the run is over; the same keys as the document, without `matches`."""
    return _event("finished", _head(summary) | {"error": _plain(summary.error)})


def noun_json(noun: msgspec.Struct) -> _Json:
    """Return a noun with all of its fields, whether set or not, and with its texts cleaned."""
    match noun:
        case Change():
            return change_json(noun) | {"locked": noun.locked_before}
        case Candidate():
            return _candidate(noun)
        case _:
            return {name: _plain(getattr(noun, name)) for name in noun.__struct_fields__}


def change_json(change: Change) -> _Json:
    """Return a change; how it credits actors otherwise is a member of its own, if it does."""
    credits_ = [
        {"name": _clean(name), "before": _credit(before), "after": _credit(after)}
        for name, before, after in spelled(change)
    ]
    found: _Json = {
        "field": change.field,
        "before": clean_value(change.before),
        "after": clean_value(change.after),
        "policy": change.policy,
    }
    return found | {"credits": credits_} if credits_ else found


def record_json(run: RunRecord) -> _Json:
    """Return a run of the past."""
    found = noun_json(run) | {"finished_at": run.finished_at or None}
    del found["by_library"]
    return found


def clean_value(value: Value) -> str | list[str]:
    """Return a text or a list of names, cleaned like everywhere else."""
    return _clean(value) if isinstance(value, str) else [_clean(name) for name in value]


def one_line(document: _Json) -> _Json:
    """Return a document with each of its texts as a terminal shows it, on one line."""
    return {key: _plain(value, clean_for_terminal) for key, value in document.items()}


# ---- Private -------------------------------------------------------------------------------------


def _event(name: str, body: _Json) -> bytes:
    return msgspec.json.encode({"event": name, **body}) + b"\n"


def _beginning(header: RunHeader, schema: str) -> _Json:
    return {
        "schema": schema,
        "run_id": header.run_id,
        "dry_run": header.dry_run,
        "full": header.full,
        "started_at": header.started_at,
    }


def _head(summary: RunSummary) -> _Json:
    header = summary.header
    return _beginning(header, f"plexsync/{header.command}/1") | {
        "finished_at": summary.finished_at,
        "exit_code": summary.exit_code,
        "servers": _servers(header),
        "emptied": summary.emptied,
        "parked": summary.parked,
        "counts": noun_json(summary.counts),
        "requests": noun_json(summary.requests),
        # Exact, since they are copied.
        "proposed_rules": [asdict(rule) for rule in summary.proposed_rules],
        "learned_rules": [asdict(rule) for rule in summary.learned_rules],
    }


def _servers(header: RunHeader) -> _Json:
    stash, plex = (noun_json(one) if one else None for one in (header.stash, header.plex))
    if stash:
        del stash["identity"]  # a path of its machine
    if plex:
        plex["machine_identifier"] = plex.pop("identity")
    return {"stash": stash, "plex": plex}


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        part if part in "\n\t" else clean_for_terminal(part)
        for part in _HARMLESS_BREAK.split(text.replace("\r\n", "\n"))
    )


def _plain(value: object, clean: Callable[[str], str] = _clean) -> object:
    """Return a value as JSON has it, with its texts cleaned."""
    match value:
        case str():
            return clean(value)
        case float():
            return round(value, _DECIMALS)
        case list() | tuple():
            return [_plain(one, clean) for one in value]
        case dict():
            return {key: _plain(one, clean) for key, one in value.items()}
        case msgspec.Struct():
            return noun_json(value)
        case _:
            return value


def _candidate(candidate: Candidate) -> _Json:
    return {
        "rating_key": candidate.rating_key,
        "title": _clean(candidate.title),
        "library": _clean(candidate.library),
        "path": _clean(candidate.item_path),
        "facts": _clean(candidate.facts),
        "score": round(candidate.score, _DECIMALS),
    }


def _credit(credit: Credit) -> _Json:
    return {"role": _clean(credit.role or ""), "photo": _clean(credit.photo or "")}
