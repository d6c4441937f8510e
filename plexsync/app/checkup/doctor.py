"""A check-up before the first run, or when something is odd: every part looked at, none skipped.

Reads only; nothing is written to Plex, Stash or the state. Each finding says what was seen and, if
that is not well, what to do about it. One part that fails does not stop the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from textwrap import indent
from typing import TYPE_CHECKING, NamedTuple

from plexsync.errors import (
    ConfigError,
    ExitCode,
    LibraryMissingError,
    PlexsyncError,
    ServerError,
)
from plexsync.matcher import match, propose_rules
from plexsync.models import PathRule
from plexsync.planning.participation import strange_names
from plexsync.plex.connection import other_writer, read_xml
from plexsync.plex.index import IndexLoader
from plexsync.sync.context import strange_libraries
from plexsync.sync.stash_needs import for_this_stash
from plexsync.text.normalize import NormalizedPath, compile_rules, normalize_path
from plexsync.text.toml import rule_arrow, rules_text, shown_path
from plexsync.text.words import to_install
from plexsync.transport.responses import http_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from plexsync.app.opening import Servers
    from plexsync.config.configuration import Config
    from plexsync.models import PlexItem, Scene, Section
    from plexsync.planning.participation import Participants
    from plexsync.stash_client import Names, StashClient

CLOCK_S = 60
"""Seconds two clocks may differ: more confuses whoever compares logs, and back-off a little."""

_SAMPLE = 4000
"""Scenes to look up in Plex by path: from all of Stash, as a folder may have come last."""

_ENOUGH = 0.5
"""Share of the sample that has to be found for the path rules to count as right: a Plex library may
well hold only part of Stash."""


class Severity(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
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


def passed(area: str, message: str) -> Finding:
    """Return what is as it should be."""
    return Finding(area, Severity.OK, message)


def warned(area: str, message: str, remedy: str = "") -> Finding:
    """Return what a person should know, and that stops no run."""
    return Finding(area, Severity.WARN, message, remedy)


def failed(area: str, error: PlexsyncError) -> Finding:
    """Return an error as a finding."""
    return Finding(area, Severity.FAIL, str(error), error.hint, error.exit_code)


def tried(area: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings; what a server or the configuration refuses ends them as one more."""
    try:
        yield from findings
    except (ConfigError, ServerError) as error:
        yield failed(area, error)


class PathSample(NamedTuple):
    """Scenes from all of Stash, and everything in the libraries of Plex."""

    scenes: Sequence[Scene]
    items: Sequence[PlexItem]

    def judge(self, rules: Sequence[PathRule]) -> Iterator[Finding]:
        """How well `rules` explain where Plex has the files; others, if they explain more."""
        ours, theirs = _paths(self.scenes), set(_paths(self.items))
        if not ours or not theirs:
            where = "Plex" if ours else "Stash"
            yield warned("paths", f"there is no file in {where} to compare")
            return
        for rule in rules:
            yield _rule_finding(rule, *self.hits(rule))
        known = compile_rules(rules)
        hits = sum((known.apply(path) or path) in theirs for path in ours)
        summary = f"{hits:,} of {len(ours):,} sampled files are in Plex where expected"
        if hits >= _ENOUGH * len(ours):
            yield passed("paths", summary)
            return
        remedy = (
            "If more of Stash should be in Plex, check [plex] libraries and add [[paths]] rules."
        )
        if proposals := self.proposals(rules):
            lines = indent(rules_text(proposals), "    ").rstrip()
            remedy = f"These rules fit; write them into the configuration:\n{lines}"
        yield warned("paths", summary, remedy)

    def judge_folders(self, wanted: Participants) -> Iterator[Finding]:
        """Which folders that decide what takes part hold no file of Stash."""
        ours = _paths(self.scenes)
        for key in ("include_paths", "exclude_paths"):
            for folder in getattr(wanted, key):
                if not any(map(compile_rules([PathRule(stash=folder, plex=folder)]).apply, ours)):
                    yield _no_file(f"[stash] {key}", folder)

    def proposals(self, rules: Sequence[PathRule] = ()) -> tuple[PathRule, ...]:
        """Return rules that explain more than `rules` do, the one that explains most first."""
        return propose_rules(match(self.scenes, self.items, rules=rules), rules=rules)

    def hits(self, rule: PathRule) -> tuple[int, int]:
        """Return how many files are in Plex where the rule says, and how many it speaks of."""
        alone, theirs = compile_rules((rule,)), set(_paths(self.items))
        mapped = [found for path in _paths(self.scenes) if (found := alone.apply(path))]
        return sum(path in theirs for path in mapped), len(mapped)


def check_config(config: Config) -> Iterator[Finding]:
    """Where it is, and what is unsafe in it."""
    where = config.source or "environment variables"
    yield passed("configuration", f"read from {where}")
    for warning in config.warnings:
        yield warned("configuration", warning)
    from_stash = any("{image}" in rule.photo for rule in config.active_rules)
    if from_stash and config.stash.api_key:
        yield warned(
            "configuration",
            "photos of performers are addresses on a Stash that wants a key, which is "
            "never in them: Plex's apps will show nothing there",
            "have something else serve the pictures, and name it in fields.performers.photo",
        )


def check_stash(servers: Servers, now: datetime) -> Iterator[Finding]:
    """Whether it answers all that a run asks, and how far its clock is off."""
    server = servers.stash.connect()
    _, lost = for_this_stash(servers.config, servers.stash)
    count = servers.stash.count()
    names = _ask_as_a_run(servers.stash)
    yield passed("Stash", f"{server.version} at {server.url}, {count:,} scenes")
    for sentence in lost:
        yield warned("Stash", sentence, f"upgrade plexsync: {to_install()}, the newest one")
    for sentence in strange_names(servers.config.names_of_stash, names.texts):
        yield warned("Stash", sentence, "Write the name as Stash shows it, or take it out.")
    yield from check_clock("Stash", servers.stash.clock, now)


def check_plex(servers: Servers, now: datetime) -> Iterator[Finding]:
    """Whether it answers, whether the token may write, and how far its clock is off."""
    server = servers.plex.connect()
    answer = servers.plex_line.request("GET", "/")
    root = read_xml(answer)
    yield passed("Plex", f"{server.version} at {server.url}")
    # Plex shows it to owners only. Source: docs/plex-api.md 1.
    if root.get("allowSync", "") in {"1", "true"}:
        yield passed("Plex", "the token is the owner's: it may write")
    else:
        yield warned(
            "Plex",
            "the token does not look like the owner's: it may not be allowed to write",
            "Use the token of the account the server belongs to.",
        )
    yield from check_clock("Plex", http_date(answer.headers.get("Date", "")), now)


def check_libraries(servers: Servers) -> tuple[tuple[Section, ...], list[Finding]]:
    """Return the libraries that take part, and what is to be reported of each."""
    try:
        sections = servers.plex.sections(servers.config.plex.libraries)
        found = [_library(section, servers.plex.count(section)) for section in sections]
        strange = list(strange_libraries(servers.config, servers.plex, sections))
    except ServerError as error:
        return (), [failed("library", error)]
    found += [
        warned(
            "library",
            f"'{one.title}' has {writer}, which writes there as well",
            "Take over what it matched and wrote: plexsync adopt shows it first. Then give the "
            "library another agent, such as Personal Media, or let it write alone.",
        )
        for one in sections
        if (writer := other_writer(one))
    ]
    remedy = "Write its title as Plex shows it, or its id."
    found += [warned("library", sentence, remedy) for sentence in strange]
    if not found:
        missing = LibraryMissingError(
            "Plex shows this token no movie or show library",
            hint="Make one in Plex, or put the token of the server's owner into [plex] token.",
        )
        found = [failed("library", missing)]
    return sections, found


def check_paths(
    servers: Servers, sections: Sequence[Section], *, cache: Path, now: datetime
) -> Iterator[Finding]:
    """Whether scenes lie in Plex where the path rules say, by a sample of real paths."""
    sample = read_sample(servers, sections, cache=cache, now=now)
    yield from sample.judge(servers.config.paths)
    yield from sample.judge_folders(servers.config.participants)


def read_sample(
    servers: Servers,
    sections: Sequence[Section],
    *,
    cache: Path,
    now: datetime,
    most: int = _SAMPLE,
) -> PathSample:
    """Scenes from all of Stash, about `most` of them, and everything in the libraries.

    Args:
        servers: who is asked.
        sections: the libraries.
        cache: where Plex's listing lies; it is used, not written.
        now: aware UTC time.
        most: how many scenes.

    Raises:
        ServerError: one of the servers does not tell.
    """
    scenes = _sampled(servers.stash, most)
    loader = IndexLoader(
        client=servers.plex,
        cache_dir=cache,
        machine=servers.plex.connect().identity,
        now=now,
        write=False,
    )
    return PathSample(scenes, loader.load(sections).items)


def check_clock(area: str, theirs: datetime | None, now: datetime) -> Iterator[Finding]:
    """How far a server's clock is off, by the `Date` of an answer; nothing where it has none."""
    if theirs is None:
        return
    off_s = round((theirs - now).total_seconds())
    if abs(off_s) <= CLOCK_S:
        yield passed(area, "its clock agrees with this one")
        return
    way = "ahead of" if off_s > 0 else "behind"
    yield warned(
        area,
        f"its clock is {abs(off_s):,} s {way} this one",
        "Nothing depends on it, but logs are easier to read when both machines use NTP.",
    )


# ---- Private -------------------------------------------------------------------------------------


def _paths(holders: Iterable[Scene | PlexItem]) -> list[NormalizedPath]:
    return [normalize_path(file.path) for one in holders for file in one.files]


def _ask_as_a_run(stash: StashClient) -> Names:
    """Ask each question of a run once; what cannot be answered is an error, as it would be there.

    Returns:
        The names of tags and studios, among others.

    Raises:
        ServerError: it is.
    """
    names = stash.names()
    stash.uneven()
    next(stash.sweep(with_relations=True), ())
    first = [version.scene_id for version in next(stash.versions(with_organized=True), ())[:1]]
    if first:
        stash.scenes(first, with_relations=True)
        stash.details(first)
    return names


def _sampled(stash: StashClient, most: int) -> tuple[Scene, ...]:
    """Scenes evenly spread over the ids, which are given in the order of their coming."""
    if stash.count() <= most:
        return tuple(chain.from_iterable(stash.sweep()))
    ids = [version.scene_id for page in stash.versions() for version in page]
    return stash.scenes(ids[:: -(-len(ids) // most)]).found


def _library(section: Section, count: int) -> Finding:
    summary = f"'{section.title}' holds {count:,} {section.kind}s"
    if not section.refreshing:
        return passed("library", summary)
    remedy = "What it finds comes with a later run."
    return warned("library", f"{summary}, and Plex is scanning it", remedy)


def _rule_finding(rule: PathRule, hits: int, covered: int) -> Finding:
    summary = rule_arrow(rule)
    if not covered:
        return _no_file(summary, rule.stash)
    if not hits:
        return warned(
            "paths",
            f"{summary}: none of {covered:,} sampled files is there in Plex",
            "Compare it with a path as Plex shows it (Get Info > View XML).",
        )
    return passed("paths", f"{summary}: {hits:,} of {covered:,} sampled files")


def _no_file(what: str, folder: str) -> Finding:
    return warned(
        "paths",
        f"{what}: no sampled file lies below {shown_path(folder)}",
        "Compare it with a path as Stash shows it; whole folder names count.",
    )
