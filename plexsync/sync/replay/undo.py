"""The use case behind `plexsync undo`: put back what a run wrote, where Plex still holds it.

An undo is a journaled run of its own, so it can be undone in turn. What it takes back is held: the
next run does not write it again until Stash says something else, or a person asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ConfigError, MismatchError
from plexsync.models import (
    FIELD_SEPARATOR,
    VIDEO_KINDS,
    CollectionRecord,
    FieldRule,
    ItemKind,
    Outcome,
    PlexField,
    Policy,
    Scene,
    Trace,
    Withheld,
    is_kept,
    is_show_key,
)
from plexsync.planning.planner import Planner
from plexsync.planning.reversal import Reverser, merge_plans
from plexsync.state import RunKind, RunLog, Settlement, Written, find_run
from plexsync.sync.context import meet_plex
from plexsync.sync.execution.making import going
from plexsync.sync.execution.pictures.prepare import KeptPictures
from plexsync.sync.execution.settling import with_link
from plexsync.sync.execution.work import (
    Decision,
    PictureChange,
    WorkItem,
    blank_link,
    members_after,
)
from plexsync.sync.ports import Ports, RunOptions
from plexsync.sync.replay.engine import EarlierWork, unmade
from plexsync.sync.rows import Pair
from plexsync.sync.run_scope import concluded, remembered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from plexsync.config.configuration import Config
    from plexsync.models import Change, ItemDetail, ItemPlan, RatingKey, RunSummary
    from plexsync.output.streams import Reporter


class UndoOptions(RunOptions, frozen=True, kw_only=True):
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
    with (
        concluded(reporter, ports, options, RunKind.UNDO) as totals,
        remembered(config, options, ports, totals) as scope,
    ):
        log = find_run(ports.state_dir, options.target, disk=ports.disk)
        chosen = _chosen(options, log)
        lineage = meet_plex(scope)
        run_id, verb = log.run.run_id, "would go" if options.dry_run else "will go"
        work = _UndoWork(
            scope=scope,
            planner=Planner(config.apply.rules),
            headline=f"UNDO of run {run_id}: {{}} {verb} back",
            done=f"UNDO of run {run_id}: nothing is left to take back",
            stale=f"nothing that run {run_id} wrote can be put back: Plex holds other values by "
            "now",
            kept=KeptPictures(ports.state_dir, ports.run_id, ports.disk),
            reason=f"undo of run {run_id}",
        )
        plans = merge_plans(work.by_now(chosen))
        work.carry_out([work.item(plan) for plan in plans], plans, lineage)
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


@dataclass(kw_only=True)
class _UndoWork(EarlierWork):
    """The items of a run that is taken back.

    Args:
        kept: has the posters of collections that went.
        reason: stands in every row.
        going: library and title of each collection that was made.
    """

    kept: KeptPictures
    reason: str
    going: set[tuple[str, str]] = field(default_factory=set)

    def by_now(self, plans: Sequence[ItemPlan]) -> Iterator[ItemPlan]:
        """Yield plans, those of collections with the keys these have by now.

        A making that was cut off is left out where it came to nothing.

        Raises:
            ServerError: Plex cannot say.
        """
        written = {plan.rating_key for plan in plans}
        for plan in plans:
            is_collection = plan.kind is ItemKind.COLLECTION
            key = self._key_by_now(plan, written) if is_collection else plan.rating_key
            if key:
                yield replace(plan, rating_key=key)

    def _key_by_now(self, plan: ItemPlan, written: Collection[RatingKey]) -> RatingKey | None:
        """Return the key of a collection; where it is gone, that of another one of its source.

        One that the run wrote to, too, was that of another source then.
        """
        maker = self._executor.maker
        if not plan.rating_key:
            return maker.find_made(plan, written)
        record = self.scope.state.kept(plan.scene_id)
        if record is None or plan.deletes or record.link.rating_key in {"", *written}:
            return plan.rating_key
        key = record.link.rating_key
        there = maker.listed(plan.section_id).by_key
        return key if key in there and plan.rating_key not in there else plan.rating_key

    def item(self, plan: ItemPlan) -> WorkItem:
        """Return an item to take back. Of its scene only the id is known; Stash is not asked."""
        plan = replace(plan, scene_id=self._owner(plan))
        link = self._link_of(plan)
        if plan.deletes:  # one that went has to be made again
            link = blank_link(plan.section_id)
        scene = Scene(scene_id=plan.scene_id, updated_at="")
        pair = Pair(scene=scene, link=link, reason=self.reason)
        decide = self._decide
        if plan.kind is ItemKind.COLLECTION:
            if plan.makes:
                self.going.add((plan.section_id, plan.title))
            if title := plan.change_of(PlexField.TITLE):
                pair.title = str(title.before or title.after)
            decide = self._make_again if plan.deletes else self._take_back
        paths = (plan.path, link.path) if plan.kind in VIDEO_KINDS else ()
        decide = partial(decide, plan, pair)
        return WorkItem(pair=pair, decide=decide, paths=paths, kind=plan.kind, files=plan.videos)

    def _decide(self, plan: ItemPlan, pair: Pair, detail: ItemDetail) -> Decision:
        """Put back what Plex still holds."""
        going = [title for library, title in self.going if library == detail.item.section_id]
        found = Reverser(self.planner).plan(plan, detail, pair.link, going)
        return _put_back(plan.seen_on(detail.item), found.changes, found.kept)

    def _remember(self, pair: Pair, outcome: Outcome) -> None:
        """Remember what the item holds now, unless the scene has nothing to do with it any more."""
        key, link, session = pair.scene.scene_id, pair.link, self.scope.session
        if is_show_key(key):
            session.keep(key, self._kept_with(pair))
            return
        if is_kept(key):
            self._remember_collection(pair, outcome)
            return
        record = self.scope.state.get(key)
        linked = record is not None and any(
            one.rating_key == link.rating_key for one in record.links
        )
        if linked or (record is None and (link.base or link.held)):
            session.remember(key, with_link(record, link))

    # ---- collections

    def _make_again(self, plan: ItemPlan, pair: Pair, detail: ItemDetail) -> Decision:
        """Bring a collection back that went."""
        plan = replace(plan, rating_key=pair.link.rating_key)
        members = plan.change_of(PlexField.MEMBERS)
        if members is None or not members.before:  # a person had taken them out
            note = "had no members, and is not made again"
            return Decision(plan=replace(plan, changes=()), outcome=Outcome.KEPT, note=note)
        if self._is_made(plan):
            return unmade(plan)
        poster = self._poster(plan, detail)
        return Decision(
            plan=replace(plan, changes=tuple(self._again(plan, detail))),
            pictures=(poster,) if poster and poster.kept else (),
            note="its poster is not kept any more" if poster and not poster.kept else "",
        )

    def _take_back(self, plan: ItemPlan, pair: Pair, detail: ItemDetail) -> Decision:
        """Put back what Plex still holds of a collection; one that was made goes.

        It goes only as it was left: whoever changed it since keeps it, without the members plexsync
        put in.
        """
        base = replace(plan, rating_key=pair.link.rating_key)
        found = Reverser(self.planner).plan(plan, detail, pair.link)
        changes, kept = found.changes, found.kept
        if plan.makes:
            if self._is_untouched(plan, detail, changes, kept):
                gone = tuple(going(self.planner, detail, pair.link))
                return Decision(plan=replace(base, changes=gone))
            stays = {PlexField.EXISTENCE, PlexField.TITLE}
            changes = tuple(one for one in changes if one.target not in stays)
            kept = (*kept, "collections.existence")
        unnamed = self._why_unnamed(detail, changes)
        if unnamed:
            changes = tuple(one for one in changes if one.target is not PlexField.TITLE)
        return _put_back(base, changes, kept, unnamed)

    def _is_untouched(
        self,
        plan: ItemPlan,
        detail: ItemDetail,
        changes: tuple[Change, ...],
        kept: tuple[str, ...],
    ) -> bool:
        """Whether a collection is just what the run made of it."""
        if kept or PlexField.MEMBERS not in detail.values or detail.smart:
            return False
        left = members_after(changes, detail)
        written = {change.target for change in plan.changes}
        others = detail.locked - written - {PlexField.MEMBERS}
        mode = detail.values.get(PlexField.MODE) if PlexField.MODE not in written else ""
        return not (left or others or mode or detail.values.get(PlexField.LABELS))

    def _poster(self, plan: ItemPlan, detail: ItemDetail) -> PictureChange | None:
        """Return what brings the poster of a collection back that went; None where there is none.

        Raises:
            StateError: what is kept cannot be read.
        """
        went = plan.change_of(PlexField.POSTER)
        if went is None or not went.before or PlexField.POSTER in detail.locked:
            return None
        key = str(went.before)
        return PictureChange(
            rule=FieldRule(name=went.field, policy=Policy.KEEP, to=PlexField.POSTER),
            shown=replace(went, before="", after="the poster it had", locked_before=False),
            kept=key if self.kept.get(key) else "",
        )

    def _again(self, plan: ItemPlan, detail: ItemDetail) -> Iterator[Change]:
        """Yield what brings a collection back that went, as far as it is not there yet."""
        blank = blank_link(plan.section_id)
        for change in plan.changes:
            if change.target is PlexField.POSTER:
                continue
            observed = self.planner.observe(detail, change.target)
            is_list, trace = isinstance(change.before, tuple), change.trace_before or Trace()
            same = self.planner.equality.equal(change.target, observed, change.before)
            # A making gives the title, and leaves it unlocked.
            same = same and (is_list or change.locked_before <= (change.target in detail.locked))
            if same or not change.before:
                continue
            if is_list:  # that nothing belongs to it is what is taken back
                trace = replace(trace, held=self.planner.last_wanted(change, blank))
            yield replace(
                change,
                before=observed,
                after=change.before,
                policy=Policy.MERGE if is_list else Policy.KEEP,
                locked_before=change.target in detail.locked,
                locked_after=change.locked_before,
                trace_before=None,
                trace_after=trace,
            )

    def _remember_collection(self, pair: Pair, outcome: Outcome) -> None:
        key, link, session = pair.scene.scene_id, pair.link, self.scope.session
        record = self.scope.state.kept(key)
        if not isinstance(record, CollectionRecord):
            record = CollectionRecord(link=link, title=pair.title)
        if outcome is Outcome.APPLIED and not link.rating_key:
            session.keep(key, replace(record, link=link, wanted="", withheld=Withheld.UNDONE))
        elif link.rating_key and (record.link.rating_key in {"", link.rating_key}):
            session.keep(key, replace(record, link=link, wanted="", withheld=None))


def _put_back(
    plan: ItemPlan, changes: tuple[Change, ...], kept: tuple[str, ...], unnamed: str = ""
) -> Decision:
    """Return the decision to write `changes`, and to leave what was changed since."""
    changed = f"changed since and kept: {', '.join(kept)}" if kept else ""
    note = "; ".join(filter(None, (changed, unnamed)))
    return Decision(
        plan=replace(plan, changes=changes),
        outcome=Outcome.KEPT if note else Outcome.UNCHANGED,
        note=note or ("" if changes else "is already as before"),
    )
