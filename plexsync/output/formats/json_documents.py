"""The JSON of a run: one document at its end, or one event a line as it goes. Returns bytes.

Every key of the contract is always there: unknown is null, none is 0 or []. Texts of servers are
cleaned like everywhere else, except that line feeds and tabs stay: JSON escapes them.
Source: docs/contract.md, "plexsync run --json"; docs/output.md, "JSON lines".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from plexsync.planning.credits import spelled
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plexsync.models import (
        Candidate,
        Change,
        Credit,
        Evidence,
        ItemRef,
        MatchRow,
        PathRule,
        Preview,
        Problem,
        RunHeader,
        RunSummary,
        SceneRef,
        Server,
        Value,
    )
    from plexsync.state import RunRecord

_SCHEMA = "plexsync/{}/1"
_EVENT_SCHEMA = "plexsync/{}-events/1"

_DECIMALS = 6
_HARMLESS_BREAK = re.compile(r"([\n\t])")

_Json = dict[str, object]


# ---- One document --------------------------------------------------------------------------------


def run_document(summary: RunSummary, matches: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the document in pieces, so that `matches` need not be in memory."""
    head, tail = _head(summary), {"error": _problem(summary.error)}
    yield msgspec.json.encode(head)[:-1] + b', "matches": ['
    separator = b""
    for match in matches:
        yield separator + match
        separator = b",\n"
    yield b"], " + msgspec.json.encode(tail)[1:] + b"\n"


def match_json(row: MatchRow) -> bytes:
    """One entry of `matches`."""
    return msgspec.json.encode(_match(row))


def error_document(problem: Problem, *, exit_code: int) -> bytes:
    """Return what a command that is no run says in place of its own document."""
    body = {"schema": "plexsync/error/1", "exit_code": exit_code, "error": _problem(problem)}
    return msgspec.json.encode(body) + b"\n"


# ---- One event a line ----------------------------------------------------------------------------


def started_event(header: RunHeader) -> bytes:
    """Both servers answered."""
    return _event(
        "started",
        {
            "schema": _EVENT_SCHEMA.format(header.command),
            "run_id": header.run_id,
            "dry_run": header.dry_run,
            "full": header.full,
            "started_at": header.started_at,
            "servers": _servers(header),
        },
    )


def progress_event(phase: str, done: int, total: int | None) -> bytes:
    """Show that a step of a phase is done."""
    return _event("progress", {"phase": phase, "done": done, "total": total})


def preview_event(preview: Preview) -> bytes:
    """Everything is matched; nothing is written yet. Totals only: the rows come as they end."""
    totals = {
        "high": preview.high_total,
        "low": preview.low_total,
        "unmatched": preview.unmatched_total,
    }
    return _event("matched", dict(totals))


def match_event(row: MatchRow) -> bytes:
    """Return the event of a row that has its outcome."""
    return _event("match", _match(row))


def warning_event(message: str) -> bytes:
    """Something a person should know."""
    return _event("warning", {"message": _clean(message)})


def error_event(problem: Problem, *, exit_code: int) -> bytes:
    """No run could begin, or it could not report."""
    return _event("error", {"exit_code": exit_code, "error": _problem(problem)})


def finished_event(summary: RunSummary) -> bytes:
    """Return the event that the run is over; the same keys as the document, without `matches`."""
    return _event("finished", _head(summary) | {"error": _problem(summary.error)})


def rule_json(rule: PathRule) -> dict[str, object]:
    """Return a proposed rule, exact, since it is copied; it fits `explains` of `certain` files."""
    return {
        "stash": rule.stash,
        "plex": rule.plex,
        "explains": rule.explains,
        "certain": rule.certain,
    }


def credits_json(change: Change) -> dict[str, object]:
    """How a change credits actors otherwise, as a member of its own; nothing where it does not."""
    credits_ = [
        {"name": _clean(name), "before": _credit(before), "after": _credit(after)}
        for name, before, after in spelled(change)
    ]
    return {"credits": credits_} if credits_ else {}


def record_json(run: RunRecord) -> dict[str, object]:
    """Return a run of the past."""
    return {
        "run_id": run.run_id,
        "kind": run.kind,
        "started_at": run.started_at,
        "finished_at": run.finished_at or None,
        "exit_code": run.exit_code,
        "full": run.full,
        "written": run.written,
        "counts": run.counts,
        "requests": {name: getattr(run.requests, name) for name in _fields(run.requests)},
    }


def clean_value(value: Value) -> str | list[str]:
    """Return a text or a list of names, cleaned like everywhere else."""
    return _clean(value) if isinstance(value, str) else [_clean(name) for name in value]


# ---- Private -------------------------------------------------------------------------------------


def _event(name: str, body: _Json) -> bytes:
    return msgspec.json.encode({"event": name, **body}) + b"\n"


def _head(summary: RunSummary) -> _Json:
    header = summary.header
    return {
        "schema": _SCHEMA.format(header.command),
        "run_id": header.run_id,
        "dry_run": header.dry_run,
        "full": header.full,
        "started_at": header.started_at,
        "finished_at": summary.finished_at,
        "exit_code": summary.exit_code,
        "servers": _servers(header),
        "emptied": summary.emptied,
        "parked": summary.parked,
        "counts": {name: getattr(summary.counts, name) for name in _fields(summary.counts)},
        "requests": {name: getattr(summary.requests, name) for name in _fields(summary.requests)},
        "proposed_rules": [rule_json(rule) for rule in summary.proposed_rules],
        "learned_rules": [rule_json(rule) for rule in summary.learned_rules],
    }


def _fields(struct: msgspec.Struct) -> tuple[str, ...]:
    return struct.__struct_fields__


def _servers(header: RunHeader) -> _Json:
    stash, plex = _server(header.stash), _server(header.plex)
    if plex and header.plex:
        plex["machine_identifier"] = _clean(header.plex.identity)
    return {"stash": stash, "plex": plex}


def _server(server: Server | None) -> _Json | None:
    if server is None:
        return None
    return {"url": _clean(server.url), "version": _clean(server.version)}


def _match(row: MatchRow) -> _Json:
    return {
        "scene": _scene(row.scene),
        "item": _item(row.item) if row.item else None,
        "confidence": row.confidence,
        "score": round(row.score, _DECIMALS),
        "margin": round(row.margin, _DECIMALS),
        "reason": _clean(row.reason),
        "evidence": [_evidence(one) for one in row.evidence],
        "candidates": [_candidate(one) for one in row.candidates],
        "changes": [_change(one) for one in row.changes],
        "outcome": row.outcome,
        "by_hand": list(row.by_hand),
        "is_collection": row.is_collection,
        "is_show": row.is_show,
        "error": _problem(row.error),
    }


def _scene(scene: SceneRef) -> _Json:
    return {
        "id": scene.id,
        "title": _clean(scene.title),
        "path": _clean(scene.path),
        "updated_at": _clean(scene.updated_at),
        "url": _clean(scene.url),
    }


def _item(item: ItemRef) -> _Json:
    return {
        "rating_key": item.rating_key,
        "title": _clean(item.title),
        "library": _clean(item.library),
        "path": _clean(item.path),
        "url": _clean(item.url),
    }


def _evidence(evidence: Evidence) -> _Json:
    weight = round(evidence.weight, _DECIMALS)
    return {"name": evidence.name, "value": _clean(evidence.value), "weight": weight}


def _candidate(candidate: Candidate) -> _Json:
    return {
        "rating_key": candidate.rating_key,
        "title": _clean(candidate.title),
        "library": _clean(candidate.library),
        "path": _clean(candidate.item_path),
        "facts": _clean(candidate.facts),
        "score": round(candidate.score, _DECIMALS),
    }


def _change(change: Change) -> _Json:
    return {
        "field": change.field,
        "before": clean_value(change.before),
        "after": clean_value(change.after),
        "policy": change.policy,
        "locked": change.locked_before,
        **credits_json(change),
    }


def _credit(credit: Credit) -> _Json:
    return {"role": _clean(credit.role or ""), "photo": _clean(credit.photo or "")}


def _problem(problem: Problem | None) -> _Json | None:
    if problem is None:
        return None
    return {
        "kind": problem.kind,
        "message": _clean(problem.message),
        "hint": _clean(problem.hint),
    }


def _clean(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        part if part in "\n\t" else clean_for_terminal(part)
        for part in _HARMLESS_BREAK.split(text.replace("\r\n", "\n"))
    )
