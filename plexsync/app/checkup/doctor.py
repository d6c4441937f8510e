"""A check-up before the first run, or when something is odd: every part looked at, none skipped.

Reads only; nothing is written to Plex, Stash or the state. Each finding says what was seen and, if
that is not well, what to do about it. One part that fails does not stop the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import chain
from textwrap import indent
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ConfigError, ExitCode, PlexsyncError, ServerError, most_severe
from plexsync.matcher import match, propose_rules
from plexsync.plex.connection import other_writer
from plexsync.plex.index import IndexLoader
from plexsync.sync.connections import for_this_stash
from plexsync.text.normalize import compile_rules, normalize_path
from plexsync.text.toml import rule_arrow, rules_text, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import PathRule, PlexItem, Scene, Section
    from plexsync.plex.client import PlexClient
    from plexsync.stash_client import StashClient
    from plexsync.transport.client import Transport

CLOCK_S = 60
"""Seconds two clocks may differ: more confuses whoever compares logs, and back-off a little."""

_SAMPLE = 4000
"""Scenes whose paths are looked up in Plex: from all of Stash, as a folder may have come last."""

_ENOUGH = 0.5
"""Share of the sample that has to be found for the path rules to count as right: a Plex library may
well hold only part of Stash."""

_ROOT_HEADERS = (("Accept", "application/json"),)
_STASH_PING = b'{"query": "{ systemStatus { status } }"}'
_STASH_HEADERS = (("Content-Type", "application/json"), ("Accept", "application/json"))


class Severity(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Args:
        area: which part: `Stash`, `paths`.
        level: how it is to be taken.
        message: what was seen.
        remedy: what to do about it; lines to copy are indented.
        exit_code: what the process ends with because of it.
    """

    area: str
    level: Severity
    message: str
    remedy: str = ""
    exit_code: ExitCode = ExitCode.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is looked at.

    Args:
        config: as for a run.
        stash: a client of Stash.
        plex: a client of Plex.
        stash_line: below it.
        plex_line: below it.
        cache: where Plex's listing lies; it is used, not written.
        now: aware UTC time.
    """

    config: Config
    stash: StashClient
    plex: PlexClient
    stash_line: Transport
    plex_line: Transport
    cache: Path
    now: datetime


class _Root(msgspec.Struct):
    allow_sync: bool | int | str = msgspec.field(name="allowSync", default=False)


class _Document(msgspec.Struct):
    root: _Root = msgspec.field(name="MediaContainer")


def verdict(findings: Iterable[Finding]) -> ExitCode:
    """Return what the process ends with: the worst."""
    return most_severe(one.exit_code for one in findings)


def failed(area: str, error: PlexsyncError) -> Finding:
    """Return an error as a finding."""
    return Finding(
        area=area,
        level=Severity.FAIL,
        message=str(error),
        remedy=error.hint,
        exit_code=error.exit_code,
    )


def check_config(config: Config) -> Iterator[Finding]:
    """Where it is, and what is unsafe in it."""
    where = config.source or "environment variables"
    yield Finding(area="configuration", level=Severity.OK, message=f"read from {where}")
    for warning in config.warnings:
        yield Finding(area="configuration", level=Severity.WARN, message=warning)
    from_stash = any("{image}" in rule.photo for rule in config.active_rules)
    if from_stash and config.stash.api_key:
        yield Finding(
            area="configuration",
            level=Severity.WARN,
            message="photos of performers are addresses on a Stash that wants a key, which is "
            "never in them: Plex's apps will show nothing there",
            remedy="have something else serve the pictures, and name it in fields.performers.photo",
        )


def check_stash(patient: Patient) -> Iterator[Finding]:
    """Whether it answers all that a run asks, and how far its clock is off."""
    try:
        server = patient.stash.connect()
        _, lost = for_this_stash(patient.config, patient.stash)
        count = patient.stash.count()
        _ask_as_a_run(patient.stash)
        answer = patient.stash_line.request(
            "POST", "/graphql", body=_STASH_PING, headers=_STASH_HEADERS
        )
    except (ConfigError, ServerError) as error:
        yield failed("Stash", error)
        return
    summary = f"{server.version} at {server.url}, {count:,} scenes"
    yield Finding(area="Stash", level=Severity.OK, message=summary)
    for sentence in lost:
        yield Finding(
            area="Stash", level=Severity.WARN, message=sentence, remedy="pip install -U plexsync"
        )
    yield from check_clock("Stash", answer.headers, patient.now)


def check_plex(patient: Patient) -> Iterator[Finding]:
    """Whether it answers, whether the token may write, and how far its clock is off."""
    try:
        server = patient.plex.connect()
        answer = patient.plex_line.request("GET", "/", headers=_ROOT_HEADERS)
    except ServerError as error:
        yield failed("Plex", error)
        return
    summary = f"{server.version} at {server.url}"
    yield Finding(area="Plex", level=Severity.OK, message=summary)
    yield _rights(answer.body)
    yield from check_clock("Plex", answer.headers, patient.now)


def check_libraries(patient: Patient) -> tuple[tuple[Section, ...], list[Finding]]:
    """Return the libraries that take part, and what is to be reported of each."""
    try:
        sections = patient.plex.sections(patient.config.plex.libraries)
        found = [_library(patient, section) for section in sections]
        found += [_other_writer(one) for one in sections if other_writer(one)]
    except ServerError as error:
        return (), [failed("library", error)]
    if not found:
        found = [
            Finding(
                area="library",
                level=Severity.FAIL,
                message="Plex shows this token no movie or show library",
                remedy="Make one in Plex, or use the token of the server's owner.",
                exit_code=ExitCode.ACCESS,
            )
        ]
    return sections, found


def check_paths(patient: Patient, sections: Sequence[Section]) -> Iterator[Finding]:
    """Whether scenes lie in Plex where the path rules say, by a sample of real paths."""
    try:
        scenes, items = read_sample(patient, sections)
    except ServerError as error:
        yield failed("paths", error)
        return
    yield from judge_paths(scenes, items, patient.config.paths)


def read_sample(
    patient: Patient, sections: Sequence[Section], *, most: int = _SAMPLE
) -> tuple[tuple[Scene, ...], tuple[PlexItem, ...]]:
    """Scenes from all of Stash, about `most` of them, and everything in the libraries.

    Raises:
        ServerError: one of the servers does not tell.
    """
    scenes = _sampled(patient.stash, most)
    loader = IndexLoader(
        client=patient.plex,
        cache_dir=patient.cache,
        machine=patient.plex.connect().identity,
        now=patient.now,
        write=False,
    )
    return scenes, loader.load(sections).items


def judge_paths(
    scenes: Sequence[Scene], items: Sequence[PlexItem], rules: Sequence[PathRule]
) -> Iterator[Finding]:
    """How well `rules` explain where Plex has the files of `scenes`; others, if they explain more.

    Args:
        scenes: a sample.
        items: everything in the libraries.
        rules: as configured.
    """
    ours = [normalize_path(file.path) for scene in scenes for file in scene.files]
    theirs = {normalize_path(file.path) for item in items for file in item.files}
    if not ours or not theirs:
        where = "Plex" if ours else "Stash"
        yield Finding(
            area="paths", level=Severity.WARN, message=f"there is no file in {where} to compare"
        )
        return
    for rule in rules:
        alone = compile_rules((rule,))
        mapped = [found for path in ours if (found := alone.apply(path))]
        hits = sum(path in theirs for path in mapped)
        yield _rule_finding(rule, covered=len(mapped), hits=hits)
    known = compile_rules(rules)
    hits = sum((known.apply(path) or path) in theirs for path in ours)
    summary = f"{hits:,} of {len(ours):,} sampled files are in Plex where expected"
    if hits >= _ENOUGH * len(ours):
        yield Finding(area="paths", level=Severity.OK, message=summary)
        return
    proposals = find_rules(scenes, items, rules)
    if proposals:
        lines = indent(rules_text(proposals), "    ").rstrip()
        remedy = f"These rules fit; write them into the configuration:\n{lines}"
    else:
        remedy = (
            "If more of Stash should be in Plex, check [plex] libraries and add [[paths]] rules."
        )
    yield Finding(area="paths", level=Severity.WARN, message=summary, remedy=remedy)


def find_rules(
    scenes: Sequence[Scene], items: Sequence[PlexItem], rules: Sequence[PathRule] = ()
) -> tuple[PathRule, ...]:
    """Rules that explain more than `rules` do, the one that explains most first."""
    return propose_rules(match(scenes, items, rules=rules), rules=rules)


def check_clock(area: str, headers: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """How far a server's clock is off, if its answer tells."""
    try:
        theirs = parsedate_to_datetime(headers.get("Date", ""))
        off_s = round((theirs - now).total_seconds())
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return
    if abs(off_s) <= CLOCK_S:
        yield Finding(area=area, level=Severity.OK, message="its clock agrees with this one")
        return
    way = "ahead of" if off_s > 0 else "behind"
    yield Finding(
        area=area,
        level=Severity.WARN,
        message=f"its clock is {abs(off_s):,} s {way} this one",
        remedy="Nothing depends on it, but logs are easier to read when both machines use NTP.",
    )


# ---- Private -------------------------------------------------------------------------------------


def _ask_as_a_run(stash: StashClient) -> None:
    """Ask each question of a run once; what cannot be answered is an error, as it would be there.

    Raises:
        ServerError: it is.
    """
    stash.names()
    stash.uneven()
    next(stash.sweep(with_relations=True), ())
    first = [version.scene_id for version in next(stash.versions(with_organized=True), ())[:1]]
    if first:
        stash.scenes(first, with_relations=True)
        stash.details(first)


def _sampled(stash: StashClient, most: int) -> tuple[Scene, ...]:
    """Scenes evenly spread over the ids, which are given in the order of their coming."""
    if stash.count() <= most:
        return tuple(chain.from_iterable(stash.sweep()))
    ids = [version.scene_id for page in stash.versions() for version in page]
    return stash.scenes(ids[:: -(-len(ids) // most)]).found


def _rights(body: bytes) -> Finding:
    """Plex shows `allowSync` to owners only. Source: docs/plex-api.md 1."""
    try:
        shown = msgspec.json.decode(body, type=_Document).root.allow_sync
    except (msgspec.DecodeError, UnicodeDecodeError):
        shown = False
    if shown in {True, "1", "true"}:
        return Finding(
            area="Plex", level=Severity.OK, message="the token is the owner's: it may write"
        )
    return Finding(
        area="Plex",
        level=Severity.WARN,
        message="the token does not look like the owner's: it may not be allowed to write",
        remedy="Use the token of the account the server belongs to.",
    )


def _library(patient: Patient, section: Section) -> Finding:
    count = patient.plex.count(section)
    summary = f"'{section.title}' holds {count:,} {section.kind}s"
    if section.refreshing:
        return Finding(
            area="library",
            level=Severity.WARN,
            message=f"{summary}, and Plex is scanning it",
            remedy="What it finds comes with a later run.",
        )
    return Finding(area="library", level=Severity.OK, message=summary)


def _other_writer(section: Section) -> Finding:
    return Finding(
        area="library",
        level=Severity.WARN,
        message=f"'{section.title}' has {other_writer(section)}, which writes there as well",
        remedy="Take over what it matched and wrote: plexsync adopt shows it first. Then give the "
        "library another agent, such as Personal Media, or let it write alone.",
    )


def _rule_finding(rule: PathRule, *, covered: int, hits: int) -> Finding:
    summary = rule_arrow(rule)
    if not covered:
        return Finding(
            area="paths",
            level=Severity.WARN,
            message=f"{summary}: no sampled file lies below {shown_path(rule.stash)}",
            remedy="Compare it with a path as Stash shows it; whole folder names count.",
        )
    if not hits:
        return Finding(
            area="paths",
            level=Severity.WARN,
            message=f"{summary}: none of {covered:,} sampled files is there in Plex",
            remedy="Compare it with a path as Plex shows it (Get Info > View XML).",
        )
    return Finding(
        area="paths", level=Severity.OK, message=f"{summary}: {hits:,} of {covered:,} sampled files"
    )
