"""What one run is about and works with: both servers are met, and the libraries are known.

Meeting them shows whether the state is about them, which libraries take part, and what is odd.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ConfigError, LibraryMissingError
from plexsync.planning.limits import Limits
from plexsync.planning.retry_schedule import next_try
from plexsync.plex.connection import named_library, other_writer
from plexsync.state import Lineage, Session, State, review_queue_path, trial_queue_path
from plexsync.sync.plex_items import Inventory
from plexsync.sync.rows import RowMaker
from plexsync.sync.stash_needs import for_this_stash
from plexsync.text.differences import nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import Outcome, SceneId, SceneRecord, Section
    from plexsync.output.console import Reporter
    from plexsync.planning.planner import Planner
    from plexsync.sync.ports import Ports, RunOptions
    from plexsync.sync.run_scope import Totals


def safety_limits(config: Config, options: RunOptions) -> Limits:
    """Return how much is too much; the command line may say so for one run."""
    most = options.max_changes
    return Limits(
        max_changes=config.apply.max_changes if most is None else most,
        max_clears=config.apply.max_clears,
        max_share=config.apply.max_share,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What every part of a run shares.

    Args:
        config: the configuration, as far as this Stash can follow it.
        options: what the command line asks.
        ports: the world.
        totals: knows whether the run is a full one; takes the rows.
        state: what earlier runs remember.
        session: where the run is written down; None for a dry run.
        lineage: the servers that answered.
        sections: the libraries that take part.
        inventory: what is in them.
        rows: makes the rows of its pairs.
        planned: what a dry run would remember of scenes, where collections, shows or seasons are
            made of that.
    """

    config: Config
    options: RunOptions
    ports: Ports
    totals: Totals
    state: State
    session: Session | None
    lineage: Lineage
    sections: tuple[Section, ...]
    inventory: Inventory
    rows: RowMaker
    planned: dict[SceneId, SceneRecord] = field(default_factory=dict)

    @property
    def queue(self) -> Path:
        """Where review finds the candidates of what waits."""
        return review_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    @property
    def trial_queue(self) -> Path:
        """Where review finds what a dry run found."""
        return trial_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    @property
    def compares_all(self) -> bool:
        """Whether every item is read, also where Stash's side did not move."""
        return self.totals.header.full or bool(self.options.scenes)

    @property
    def is_asked_for(self) -> bool:
        """Whether a person named these scenes, or asked for everything."""
        return self.options.full or bool(self.options.scenes)

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

    def retry_at(self, attempts: int, outcome: Outcome) -> str:
        """Return when a scene is due again after so many tries in a row that ended so, as ISO."""
        now, subset = self.ports.now(), self.config.plex.subset
        return next_try(attempts, now, outcome=outcome, subset=subset)

    def limits(self) -> Limits:
        """Return how much is too much."""
        return safety_limits(self.config, self.options)


# ---- Meeting the servers -------------------------------------------------------------------------


def meet_both(
    config: Config,
    options: RunOptions,
    ports: Ports,
    totals: Totals,
    *,
    memory: tuple[State, Session | None],
    sections: tuple[Section, ...] = (),
) -> RunContext:
    """Meet both servers, and return what the run is about.

    `sections` are the libraries that take part; where there are none, Plex is asked.

    Raises:
        StateMismatchError: the state is about another server.
        LibraryMissingError: a library that is named is not in Plex, or there is none at all.
        ServerError: a server does not answer.
    """
    state, session = memory
    lineage = _connect(ports, totals, state)
    config, lost = for_this_stash(config, ports.stash)
    for sentence in lost:
        totals.reporter.warn(sentence)
    sections = sections or _libraries(config, options, ports, totals.reporter)
    _name_strange_libraries(config, ports, sections, totals.reporter)
    _name_other_writers(state, sections, totals.reporter)
    limits = None if options.force else safety_limits(config, options)
    inventory = Inventory(ports, sections, totals, links=state.links, limits=limits)
    return RunContext(
        config=config,
        options=options,
        ports=ports,
        totals=totals,
        state=state,
        session=session,
        lineage=lineage,
        sections=sections,
        inventory=inventory,
        rows=RowMaker(ports.stash.scene_url, ports.plex.item_url, inventory.libraries),
    )


def _connect(ports: Ports, totals: Totals, state: State) -> Lineage:
    for note in state.notes:
        totals.reporter.warn(note)
    stash, plex = ports.stash.connect(), ports.plex.connect()
    totals.header = replace(totals.header, stash=stash, plex=plex)
    lineage = Lineage(plex=plex.identity, stash=stash.identity)
    if note := state.check_lineage(lineage):
        totals.reporter.warn(note)
    return lineage


def meet_plex(ports: Ports, totals: Totals, state: State) -> Lineage:
    """Meet Plex, and make sure that the state is about it. Stash is not needed.

    Raises:
        StateMismatchError: the state is about another server.
        ServerError: Plex does not answer.
    """
    for note in state.notes:
        totals.reporter.warn(note)
    plex = ports.plex.connect()
    totals.header = replace(totals.header, plex=plex)
    lineage = Lineage(plex=plex.identity, stash=state.lineage.stash)
    state.check_lineage(lineage)
    return lineage


# ---- libraries -----------------------------------------------------------------------------------


def _libraries(
    config: Config, options: RunOptions, ports: Ports, reporter: Reporter
) -> tuple[Section, ...]:
    """Return the libraries that take part, with a word on those that are changing."""
    sections = ports.plex.sections(options.libraries or config.plex.libraries)
    if not sections:
        raise LibraryMissingError(
            "Plex has no movie or show library",
            hint="add one in Plex; plexsync writes to what Plex has found there",
        )
    for section in sections:
        if section.refreshing:
            reporter.warn(
                f"Plex is scanning '{section.title}'; what it has not found yet comes next time"
            )
    return sections


def _name_strange_libraries(
    config: Config, ports: Ports, sections: Sequence[Section], reporter: Reporter
) -> None:
    """Say which libraries with fields of their own Plex does not have."""
    if not _unknown(config, sections):
        return
    everywhere = ports.plex.sections(())
    for name in _unknown(config, everywhere):
        near = nearest_name(name, [one.title for one in everywhere])
        hint = f"; did you mean {near!r}?" if near else ""
        reporter.warn(f"[libraries] Plex has no library {name!r}{hint}")


def _unknown(config: Config, sections: Sequence[Section]) -> list[str]:
    """Return which libraries with fields of their own are none of `sections`."""
    titles = {one.section_id: one.title for one in sections}
    return [o.library for o in config.libraries if not named_library(o.library, titles)]


def _name_other_writers(state: State, sections: Sequence[Section], reporter: Reporter) -> None:
    """Say on a first run which libraries another program writes to."""
    for section in () if state.scene_ids() else sections:
        if writer := other_writer(section):
            reporter.warn(
                f"'{section.title}' has {writer}, which writes there as well: plexsync adopt "
                "takes over what it matched"
            )
