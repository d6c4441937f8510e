"""Meeting the servers: whether the state is about them, which libraries take part, what is odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.config.configuration import named_library
from plexsync.errors import LibraryMissingError
from plexsync.plex.connection import other_writer
from plexsync.state import Lineage
from plexsync.sync.connections import for_this_stash
from plexsync.sync.context import RunContext, safety_limits
from plexsync.sync.plex_items import Inventory
from plexsync.sync.rows import RowMaker
from plexsync.text.differences import nearest_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.config.configuration import Config
    from plexsync.models import Section
    from plexsync.output.console import Reporter
    from plexsync.state import Session, State
    from plexsync.sync.ports import Ports, RunOptions
    from plexsync.sync.totals import Totals


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
        rows=RowMaker(ports, inventory.libraries),
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
