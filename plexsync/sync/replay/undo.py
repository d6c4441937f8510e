"""The use case behind `plexsync undo`: put back what a run wrote, where Plex still holds it.

An undo is a journaled run of its own, so it can be undone in turn. What it takes back is held: the
next run does not write it again until Stash says something else, or a person asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ConfigError, MismatchError
from plexsync.models import (
    FIELD_SEPARATOR,
    VIDEO_KINDS,
    ItemKind,
    Link,
    Outcome,
    PlexField,
    Scene,
    is_show_key,
)
from plexsync.planning.planner import Planner
from plexsync.planning.reversal import Reverser, merge_plans
from plexsync.state import RunKind, Settlement, find_run
from plexsync.sync.context import meet_plex
from plexsync.sync.execution.pictures.kept import KeptPictures
from plexsync.sync.execution.reader import with_link
from plexsync.sync.execution.work import WorkItem, blank_link, deletes
from plexsync.sync.ports import RunOptions
from plexsync.sync.replay.collections import (
    CollectionReverser,
    put_back,
    remember_undone,
    with_keys,
)
from plexsync.sync.replay.engine import kept_with, known_link, replay
from plexsync.sync.rows import Pair
from plexsync.sync.run_scope import begun, concluded, remembered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.config.configuration import Config
    from plexsync.models import Change, ItemDetail, ItemPlan, RunSummary, SceneId
    from plexsync.output.console import Reporter
    from plexsync.state import RunLog, Session, State, Written
    from plexsync.sync.execution.work import Decision
    from plexsync.sync.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOptions(RunOptions):
    """What the command line asks of an undo: of a run's options `dry_run` and `lock_wait_s` count.

    Only what was written for `scenes`, and to `fields`, is taken back.

    Args:
        target: the id of a run, or `history.LAST`.
    """

    target: str

    @property
    def to_write(self) -> tuple[str, ...]:
        """The command that does what a dry run showed."""
        scenes = chain.from_iterable(("--scene", one) for one in self.scenes)
        fields = chain.from_iterable(("--field", one) for one in self.fields)
        return ("plexsync", "undo", self.target, *scenes, *fields)


def undo(config: Config, options: UndoOptions, ports: Ports, reporter: Reporter) -> RunSummary:
    """Take a run back; what goes wrong ends in the summary, not in an exception."""
    totals = begun(reporter, ports, options, RunKind.UNDO)
    planner = Planner(config.apply.rules)
    with (
        concluded(totals, ports),
        remembered(config, ports, options) as memory,
    ):
        state, _ = memory
        log = find_run(ports.state_dir, options.target, disk=ports.disk)
        chosen = _chosen(options, log)
        lineage = meet_plex(ports, totals, state)
        kept = KeptPictures(ports.state_dir, ports.run_id, ports.disk)
        plans = merge_plans(with_keys(chosen, ports.plex))
        run_id, verb = log.run.run_id, "would go" if options.dry_run else "will go"
        headline = f"UNDO of run {run_id}: {{}} {verb} back"
        work = _UndoWork(plans, state, planner, kept=kept, run_id=run_id, headline=headline)
        replay(work, ports, memory=memory, lineage=lineage, planner=planner, totals=totals)
    return totals.ended


# ---- which run -----------------------------------------------------------------------------------


def _chosen(options: UndoOptions, log: RunLog) -> list[ItemPlan]:
    """Return what of a run is to be taken back.

    Raises:
        ConfigError: it wrote nothing of what was named.
        MismatchError: it wrote nothing at all.
    """
    plans = [plan for one in log.written if (plan := _stored(one)) is not None]
    if not plans:
        raise MismatchError(
            f"run {log.run.run_id} wrote nothing", hint="plexsync history says what each run wrote"
        )
    scenes, fields = frozenset(options.scenes), frozenset(options.fields)
    chosen = []
    for plan in plans:
        changes = tuple(one for one in plan.changes if not fields or fields & _names(one))
        if changes and (not scenes or plan.scene_id in scenes):
            chosen.append(replace(plan, changes=changes))
    if not chosen:
        known = sorted(
            {name for plan in plans for change in plan.changes for name in _names(change)}
        )
        raise ConfigError(
            f"run {log.run.run_id} wrote nothing like that",
            hint=f"it wrote {', '.join(known)}; plexsync history {log.run.run_id} lists it all",
        )
    return chosen


def _names(change: Change) -> set[str]:
    """Return the configured fields a change is made of."""
    return set(change.field.split(FIELD_SEPARATOR))


def _stored(written: Written) -> ItemPlan | None:
    """As much of an intent as may have reached Plex; None for nothing."""
    if written.status is not Settlement.FAILED:
        return replace(written.plan, rating_key=written.made or written.plan.rating_key)
    # A failed one names what Plex did not show; where it names nothing, nothing was sent.
    missing = frozenset(written.missing)
    stored = [one for one in written.plan.changes if missing and one.target not in missing]
    # Of a list that goes out in pieces some may have arrived.
    stored += [
        replace(one, after=written.partly[one.target])
        for one in written.plan.changes
        if one.target in written.partly
    ]
    return replace(written.plan, changes=tuple(stored)) if stored else None


# ---- one item ------------------------------------------------------------------------------------


class _UndoWork:
    """The items of a run that is taken back.

    Args:
        plans: what was written.
        state: what is remembered.
        planner: says what Plex shows alike.
        kept: has the posters of collections that went.
        run_id: the run.
        headline: see `EarlierWork`.
    """

    def __init__(
        self,
        plans: Sequence[ItemPlan],
        state: State,
        planner: Planner,
        *,
        kept: KeptPictures,
        run_id: str,
        headline: str,
    ) -> None:
        self.plans = plans
        self.headline = headline
        self.stale = (
            f"nothing that run {run_id} wrote can be put back: Plex holds other values by now"
        )
        self._state = state
        self._reverser = Reverser(planner)
        self._collections = CollectionReverser(planner, self._reverser, kept)
        self._reason = f"undo of run {run_id}"
        self._by_collection: dict[SceneId, ItemPlan] = {}

    def items(self) -> list[WorkItem]:
        """Return an item each. Of its scene only the id is known; Stash is not asked."""
        return [self._item(plan) for plan in self.plans]

    def _item(self, plan: ItemPlan) -> WorkItem:
        link = known_link(self._state, plan) or Link(
            rating_key=plan.rating_key, section_id=plan.section_id, path=plan.path
        )
        if deletes(plan.changes):  # one that went has to be made again
            link = blank_link(plan.section_id)
        scene = Scene(scene_id=plan.scene_id, updated_at="")
        pair = Pair(scene=scene, link=link, title="", reason=self._reason)
        decide = self._decide
        if plan.kind is ItemKind.COLLECTION:
            self._by_collection[plan.scene_id] = plan
            titles = (one for one in plan.changes if one.target is PlexField.TITLE)
            pair.title = next((str(one.before or one.after) for one in titles), "")
            decide = self._collections.decide
        paths = (plan.path, link.path) if plan.kind in VIDEO_KINDS else ()
        return WorkItem(pair=pair, decide=partial(decide, plan, pair), paths=paths, kind=plan.kind)

    def _decide(self, plan: ItemPlan, pair: Pair, detail: ItemDetail) -> Decision:
        """Put back what Plex still holds."""
        found = self._reverser.plan(plan, detail, pair.link)
        plan = replace(plan, section_id=detail.item.section_id, kind=detail.item.kind)
        return put_back(plan, found.changes, found.kept)

    def remember(self, pair: Pair, outcome: Outcome, session: Session) -> None:
        """Remember what the item holds now, unless the scene has nothing to do with it any more."""
        if plan := self._by_collection.get(pair.scene.scene_id):
            remember_undone(self._state, session, plan, pair, outcome=outcome)
            return
        if is_show_key(pair.scene.scene_id):
            session.keep(pair.scene.scene_id, kept_with(self._state, pair))
            return
        record, link = self._state.get(pair.scene.scene_id), pair.link
        linked = record is not None and any(
            one.rating_key == link.rating_key for one in record.links
        )
        if linked or (record is None and (link.base or link.held)):
            session.remember(pair.scene.scene_id, with_link(record, link))
