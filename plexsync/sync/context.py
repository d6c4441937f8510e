"""What one run is about and works with: both servers are met, and the libraries are known.

Meeting them shows whether the state is about them, which libraries take part, and what is odd. What
is in Plex is had once a run: from the cache where that can be trusted, else listed.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from plexsync.errors import ConfigError, LibraryMissingError, ServerError
from plexsync.planning.retry_schedule import next_try
from plexsync.plex.connection import named_library, other_writer
from plexsync.plex.index import Index, IndexLoader
from plexsync.state import Lineage, review_queue_path, trial_queue_path
from plexsync.sync.rows import RowMaker
from plexsync.sync.run_scope import RunScope
from plexsync.sync.stash_needs import for_this_stash
from plexsync.text.differences import nearest_name
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import Outcome, PlexItem, Section
    from plexsync.planning.planner import Planner
    from plexsync.plex.client import PlexClient
    from plexsync.plex.hash_cache import HashCache


class Inventory(msgspec.Struct):
    """The items of the libraries that take part.

    Args:
        scope: the run; it knows the server, and receives what is wrong with the cache.
        sections: the libraries.
        machine: which Plex it is.

    Attributes:
        had: the list, once somebody needed it.
        failure: why the list cannot be had, although Plex answers; None while it can.
    """

    scope: RunScope
    sections: Sequence[Section]
    machine: str
    had: Index | None = None
    failure: ServerError | None = None

    @property
    def section_ids(self) -> frozenset[str]:
        """The ids of the libraries."""
        return frozenset(section.section_id for section in self.sections)

    @property
    def libraries(self) -> dict[str, str]:
        """The titles of the libraries by id."""
        return {section.section_id: section.title for section in self.sections}

    @property
    def edition(self) -> str:
        """The name of the list, once somebody needed it."""
        return self.had.edition if self.had else ""

    def index(self, *, force: bool = False) -> Index | None:
        """Return the list, read again if `force`; None where a library cannot be listed.

        Raises:
            AuthError: Plex refuses us.
            ServerError: Plex is down.
            UnsafeError: so many linked items are gone that this cannot be all of Plex.
        """
        if self.failure is not None or (self.had is not None and not force):
            return None if self.failure else self.had
        ports, totals = self.scope.ports, self.scope.totals
        reporter = totals.reporter
        try:
            had = IndexLoader(
                client=ports.plex,
                cache_dir=ports.cache_dir,
                machine=self.machine,
                now=ports.now(),
                force=force,
                progress=lambda done, total: reporter.progress("listing Plex", done, total),
            ).load(self.sections, self._check_lost)
        except ServerError as error:
            if len(self.sections) == 1 or ports.ends_run(error):
                raise
            self.failure = error
            return None
        for note in (had.problem, *had.notes):
            if note:
                reporter.warn(note)
        self.had = had
        totals.index = had.how
        return had

    def _check_lost(self, items: Sequence[PlexItem], sections: frozenset[str]) -> None:
        """Hold that most of what was linked is still there, under whatever key.

        Raises:
            UnsafeError: it is not.
        """
        if self.scope.options.force:
            return
        known = chain.from_iterable(own for _, own in self.scope.state.links())
        linked = [link for link in known if link.section_id in sections]
        keys = {item.rating_key for item in (items if linked else ())}
        lost = [link for link in linked if link.rating_key not in keys]
        if lost:
            paths = {normalize_path(file.path) for item in items for file in item.files}
            lost = [link for link in lost if normalize_path(link.path) not in paths]
        self.scope.limits().check_lost(len(lost), len(linked), empty=not items)


class RunContext(RunScope, frozen=True, kw_only=True):
    """What every part of a run shares; of the configuration as much as this Stash can follow.

    Args:
        lineage: the servers that answered.
        sections: the libraries that take part.
        inventory: what is in them.
        rows: makes the rows of its pairs.
    """

    lineage: Lineage
    sections: tuple[Section, ...]
    inventory: Inventory
    rows: RowMaker

    @property
    def queue(self) -> Path:
        """Where review finds the candidates of what waits."""
        return review_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    @property
    def trial_queue(self) -> Path:
        """Where review finds what a dry run found."""
        return trial_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    @property
    def is_full(self) -> bool:
        """Whether every linked item is compared, because a person asked for it or it is due."""
        return self.totals.header.full

    @property
    def compares_all(self) -> bool:
        """Whether every item is read, also where Stash's side did not move."""
        return self.is_full or bool(self.options.scenes)

    @property
    def is_asked_for(self) -> bool:
        """Whether a person named these scenes, or asked for everything."""
        return self.options.full or bool(self.options.scenes)

    @property
    def looks_past_scope(self) -> bool:
        """Whether scenes that take no part may be looked at: the next run leaves them out again."""
        return bool(self.options.scenes) and self.config.chooses_scenes

    def planner(self) -> Planner:
        """Return what decides what is written."""
        from plexsync.planning.planner import Planner  # noqa: PLC0415 - by a run that has work

        # Of what a dry run finds in step nothing is remembered; only a plan says it.
        agrees = not self.options.dry_run or self.options.save_plan is not None
        return Planner(replace(self.config.apply.rules, taken=self.taken()), agrees=agrees)

    def taken(self) -> frozenset[str]:
        """Return the fields in which Stash has the last word for once.

        Raises:
            ConfigError: one of them is no field that is on.
        """
        if not self.options.take_over:
            return frozenset()
        on = list(dict.fromkeys(rule.name for rule in self.config.active_rules))
        if strange := [name for name in self.options.fields if name not in on]:
            raise ConfigError(
                f"no field {strange[0]!r} is written to Plex",
                context="--field",
                hint=f"choose of {', '.join(on)}",
            )
        return frozenset(self.options.fields or on)

    def hashes(self) -> HashCache:
        """Return the content hashes of the items' files, read where they are not known.

        A run that links everything reads all that can decide, so that the next one like it has
        nothing left to do.
        """
        from plexsync.plex.hash_cache import (  # noqa: PLC0415 - few runs need a hash
            MOST_REQUESTS,
            HashCache,
        )

        return HashCache(
            ask=self.ports.plex.hashes,
            server=self.lineage.plex,
            directory=self.ports.cache_dir,
            left=math.inf if self.is_full and not self.options.dry_run else MOST_REQUESTS,
        )

    def retry_at(self, attempts: int, outcome: Outcome) -> str:
        """Return when a scene is due again after so many tries in a row that ended so, as ISO."""
        now, subset = self.ports.now(), self.config.plex.subset
        return next_try(attempts, now, outcome=outcome, subset=subset)


# ---- Meeting the servers -------------------------------------------------------------------------


def meet_both(scope: RunScope, sections: tuple[Section, ...] = ()) -> RunContext:
    """Meet both servers, and return what the run is about.

    `sections` are the libraries that take part; where there are none, Plex is asked.

    Raises:
        StateMismatchError: the state is about another server.
        LibraryMissingError: a library that is named is not in Plex, or there is none at all.
        ServerError: a server does not answer.
    """
    ports, totals = scope.ports, scope.totals
    lineage = meet_plex(scope, with_stash=True)
    config, lost = for_this_stash(scope.config, ports.stash)
    for sentence in lost:
        totals.reporter.warn(sentence)
    sections = sections or _libraries(scope)
    for sentence in strange_libraries(scope.config, ports.plex, sections):
        totals.reporter.warn(sentence)
    _name_other_writers(scope, sections)
    inventory = Inventory(scope, sections, lineage.plex)
    return RunContext(
        config=config,
        options=scope.options,
        ports=ports,
        totals=totals,
        session=scope.session,
        lineage=lineage,
        sections=sections,
        inventory=inventory,
        rows=RowMaker(ports.stash.scene_url, ports.plex.item_url, inventory.libraries),
    )


def meet_plex(scope: RunScope, *, with_stash: bool = False) -> Lineage:
    """Meet Plex, and make sure that the state is about it. Stash is met only where it is needed.

    Raises:
        StateMismatchError: the state is about another server.
        ServerError: a server does not answer.
    """
    ports, totals, state = scope.ports, scope.totals, scope.state
    for note in state.notes:
        totals.reporter.warn(note)
    stash = ports.stash.connect() if with_stash else None
    plex = ports.plex.connect()
    totals.header = replace(totals.header, stash=stash, plex=plex)
    known = stash.identity if stash else state.lineage.stash
    lineage = Lineage(plex=plex.identity, stash=known)
    if note := state.check_lineage(lineage):
        totals.reporter.warn(note)
    return lineage


def strange_libraries(
    config: Config, plex: PlexClient, sections: Sequence[Section]
) -> Iterator[str]:
    """Yield a sentence for each library with fields of its own that Plex does not have.

    Raises:
        ServerError: Plex does not tell which ones it has.
    """
    if not _unknown(config, sections):
        return
    everywhere = plex.sections(())
    for name in _unknown(config, everywhere):
        near = nearest_name(name, [one.title for one in everywhere])
        hint = f"; did you mean {near!r}?" if near else ""
        yield f"[libraries] Plex has no library {name!r}{hint}"


# ---- libraries -----------------------------------------------------------------------------------


def _libraries(scope: RunScope) -> tuple[Section, ...]:
    """Return the libraries that take part, with a word on those that are changing."""
    named = scope.options.libraries or scope.config.plex.libraries
    sections = scope.ports.plex.sections(named)
    if not sections:
        raise LibraryMissingError(
            "Plex has no movie or show library",
            hint="add one in Plex; plexsync writes to what Plex has found there",
        )
    for section in sections:
        if section.refreshing:
            scope.totals.reporter.warn(
                f"Plex is scanning '{section.title}'; what it has not found yet comes next time"
            )
    return sections


def _unknown(config: Config, sections: Sequence[Section]) -> list[str]:
    """Return which libraries with fields of their own are none of `sections`."""
    titles = {one.section_id: one.title for one in sections}
    return [o.library for o in config.libraries if not named_library(o.library, titles)]


def _name_other_writers(scope: RunScope, sections: Sequence[Section]) -> None:
    """Say on a first run which libraries another program writes to."""
    for section in () if scope.state.scene_ids() else sections:
        if writer := other_writer(section):
            scope.totals.reporter.warn(
                f"'{section.title}' has {writer}, which writes there as well: plexsync adopt "
                "takes over what it matched"
            )
