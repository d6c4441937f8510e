"""The step of a run that keeps collections, after all of its scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    CollectionRecord,
    ItemKind,
    Link,
    PlexField,
)
from plexsync.planning.planner import Planner
from plexsync.state import Settlement
from plexsync.sync.collections.due import DueCollections
from plexsync.sync.collections.existing import ExistingCollections
from plexsync.sync.collections.outcomes import CollectionOutcomes
from plexsync.sync.collections.work import POSTER_RULE, CollectionDecider, CollectionWork
from plexsync.sync.execution.executor import Executor
from plexsync.sync.execution.making import FIELD_PREFIX, find_made
from plexsync.sync.execution.work import deletes
from plexsync.sync.limited_writes import LimitedWriter
from plexsync.sync.sources import ask_sources, poster_artwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plexsync.errors import UnsafeError
    from plexsync.models import RelatedId
    from plexsync.state import Unsettled
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Ready


class CollectionKeeper:
    """Keeps the collections of one run.

    Args:
        run: what the run is about.
        names: what Stash has; see `relations`.
        save: takes what a dry run would write; None for nobody.
    """

    def __init__(
        self,
        run: RunContext,
        names: Mapping[RelatedId, str],
        save: Callable[[Ready], None] | None,
    ) -> None:
        self._run = run
        self._names = names
        self._settings = run.config.collections
        self._rules = self._settings.rules
        self._records = run.state.collections()
        self._planner = Planner(run.config.apply.rules)
        self._outcomes = CollectionOutcomes(run)
        self._executor = Executor(
            run.ports,
            run.state,
            run.session,
            planner=self._planner,
            outcomes=self._outcomes,
            totals=run.totals,
            save=save,
        )

    def keep(self) -> UnsafeError | None:
        """Bring every collection in step; return the limit that held some of it back.

        Raises:
            ServerError: a server is down, or refuses us.
            DeclinedError: a person was asked and declined.
            InterruptedRunError: asked to stop.
        """
        self._settle()
        if not self._rules.kinds:
            return None
        works = self._due()
        ask_sources(self._run.ports.stash, works)
        held = self._write(works)
        if (fault := self._run.ports.health.faults.of()) is not None:
            raise fault
        return held

    def _due(self) -> list[CollectionWork]:
        """Return what needs a look, each with the collection of Plex it is about."""
        run, executor = self._run, self._executor
        open_plans = [one.plan for one in run.state.unsettled]
        unsettled = [plan for plan in open_plans if plan.kind is ItemKind.COLLECTION]
        existing = ExistingCollections(
            run,
            self._records,
            {plan.rating_key for plan in unsettled},
            maker=executor.maker,
            reader=executor.reader,
            outcomes=self._outcomes,
            planner=self._planner,
        )
        due = DueCollections(run, self._names, self._records, {plan.scene_id for plan in unsettled})
        return due.works(existing.attach)

    # ---- writing

    def _write(self, works: Sequence[CollectionWork]) -> UnsafeError | None:
        """Carry works out, past the limits; return the one that is passed."""
        decider = self._decider()
        items = [decider.item(work) for work in works]
        synced = sum(bool(one.link.rating_key) for one in self._records.values())
        writer = LimitedWriter(
            self._run, self._executor, self._outcomes, self._planner.equality, noun="collection"
        )
        return writer.write(items, synced=synced)

    # ---- writes of earlier runs

    def _settle(self) -> None:
        """Note what became of writes of earlier runs that the executor does not come across.

        Raises:
            ServerError: Plex cannot say.
        """
        session = self._run.session
        if session is None:
            return
        open_ones = [one for one in session.state.unsettled if one.plan.kind is ItemKind.COLLECTION]
        keys = tuple({one.plan.rating_key for one in open_ones if one.plan.rating_key})
        read = self._executor.reader.read(keys) if keys else {}
        for one in open_ones:
            if not one.plan.rating_key:
                self._settle_making(one)
            elif one.plan.rating_key not in read:
                gone = deletes(one.plan)
                missing = () if gone else tuple(change.target for change in one.plan.changes)
                status = Settlement.APPLIED if gone else Settlement.FAILED
                session.settle(one, status, missing=missing)
                if gone:
                    session.keep_collection(one.plan.scene_id, None)
            elif not self._rules.kinds:
                session.settle(one, Settlement.SETTLED)
        session.commit()
        self._records = session.state.collections()

    def _settle_making(self, one: Unsettled) -> None:
        """Find out whether a collection was made: its title was free right before."""
        session = self._run.session
        assert session is not None  # noqa: S101 - see `_settle`
        plan = one.plan
        known = {record.link.rating_key for record in self._records.values()}
        key = find_made(self._run.ports.plex, plan, known)
        if key is None:
            missing = tuple(change.target for change in plan.changes)
            session.settle(one, Settlement.FAILED, missing=missing)
            return
        link = Link(rating_key=key, section_id=plan.section_id, path="")
        link = self._planner.link_after(link, plan.changes)
        session.settle(one, Settlement.APPLIED, made=key)
        title = next(str(c.after) for c in plan.changes if c.target is PlexField.TITLE)
        session.keep_collection(plan.scene_id, CollectionRecord(link=link, title=title))

    # ---- deciding

    def _decider(self) -> CollectionDecider:
        """Return what decides what collections need."""
        run, apply = self._run, self._run.config.apply
        every = frozenset({f"{FIELD_PREFIX}{target}" for target in PlexField})
        # A person may have given Stash the last word for once, and not in single fields only.
        taken = every if run.options.take_over and not run.options.fields else frozenset()
        return CollectionDecider(
            Planner(replace(apply.rules, taken=taken)),
            Planner(replace(apply.rules, taken=every)),
            artwork=poster_artwork(run, POSTER_RULE, self._settings.poster, taken=taken),
            gallery=run.ports.plex.pictures,
            summary=self._settings.summary,
            mode="" if self._settings.mode == "library" else self._settings.mode.value,
            lock_fields=apply.lock_fields,
            asked_for=run.is_asked_for,
        )
