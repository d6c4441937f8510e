"""The use case behind `plexsync apply`: write a saved plan, as far as Plex is still as it was.

An item is skipped as a whole when one of its planned fields holds another value by now, when a
person locked one since, or when it no longer holds the file, or shows another video under its path;
likewise when it shows another picture than it did, or when Stash has another cover. What is written
is remembered like after a run.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import MismatchError
from plexsync.models import (
    VIDEO_KINDS,
    ItemKind,
    Link,
    Outcome,
    PlexField,
    Scene,
    SceneFile,
    SceneRecord,
    is_kept,
)
from plexsync.planning.credits import unmoved
from plexsync.planning.planner import Planner
from plexsync.plex.poster_padding import require_pillow
from plexsync.state import Lineage, RunKind, SavedItem, SavedPlan, read_plan
from plexsync.sync.context import meet_plex
from plexsync.sync.detection.seen import forget_seen
from plexsync.sync.execution.settling import with_link
from plexsync.sync.execution.work import Decision, Place, WorkItem, place_of
from plexsync.sync.ports import Ports, RunOptions
from plexsync.sync.replay.engine import EarlierWork, unmade
from plexsync.sync.rows import Pair
from plexsync.sync.run_scope import concluded, remembered
from plexsync.sync.saved_plan import Fit, fit_of

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import Change, ItemDetail, ItemPlan, RunSummary, SceneId
    from plexsync.output.streams import Reporter

_GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED})


class ApplyOptions(RunOptions, frozen=True, kw_only=True):
    """What the command line asks: of a run's options `dry_run` and `lock_wait_s` count.

    Args:
        file: the saved plan.
    """

    file: Path

    @property
    def to_write(self) -> tuple[str, ...]:
        """The command that does what a dry run showed."""
        return ("plexsync", "apply", str(self.file))


def apply(config: Config, options: ApplyOptions, ports: Ports, reporter: Reporter) -> RunSummary:
    """Write a saved plan; what goes wrong ends in the summary, not in an exception."""
    verb = "would be" if options.dry_run else "will be"
    with concluded(reporter, ports, options, RunKind.APPLY) as totals:
        plan = read_plan(options.file, disk=ports.disk)
        with remembered(config, options, ports, totals) as scope:
            lineage = meet_plex(scope)
            _check_lineage(plan, lineage)
            if any(picture.rule.pad for item in plan.items for picture in item.pictures):
                require_pillow()
            work = _PlanWork(
                scope=scope,
                planner=Planner(config.apply.rules),
                headline=f"PLAN of {plan.created_at}: {{}} {verb} written",
                done=f"PLAN of {plan.created_at}: nothing of it is left to write",
                stale="nothing of the plan can be applied: all of it changed since the plan was "
                "saved",
                items={place_of(item.plan): item for item in plan.items},
            )
            items = [work.item(one) for one in work.items.values()]
            work.carry_out(items, [one.plan for one in work.items.values()], lineage)
    return totals.ended


def _check_lineage(plan: SavedPlan, here: Lineage) -> None:
    """Make sure that the plan is for these servers.

    Raises:
        MismatchError: it is not.
    """
    hint = "save it again with plexsync run --save-plan"
    if plan.lineage.plex != here.plex:
        raise MismatchError(
            f"the plan is for Plex server {plan.lineage.plex}, but {here.plex} answers", hint=hint
        )
    if here.stash and plan.lineage.stash != here.stash:
        raise MismatchError("the plan was made from another Stash database", hint=hint)


# ---- one item ------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _PlanWork(EarlierWork):
    """The items of a saved plan.

    Args:
        items: what it says of each.
        links: what is right by now, of each scene.
        matched: the scenes with files, or an item, they were not linked by before.
        elsewhere: links they had then to other libraries than that of an item of theirs.
    """

    items: dict[Place, SavedItem]
    links: defaultdict[SceneId, list[Link]] = field(default_factory=lambda: defaultdict(list))
    matched: set[SceneId] = field(default_factory=set)
    elsewhere: dict[SceneId, tuple[Link, ...]] = field(default_factory=dict)

    def item(self, item: SavedItem) -> WorkItem:
        """Return an item to write, as much as the plan knows of it; Stash is not asked."""
        plan = item.plan
        record = self.scope.state.get(plan.scene_id)
        links = record.links if record is not None and record.files == item.files else ()
        if all(one.rating_key != plan.rating_key for one in links):
            self.matched.add(plan.scene_id)
        if others := tuple(one for one in links if one.section_id != plan.section_id):
            self.elsewhere[plan.scene_id] = others
        link = replace(
            self._link_of(plan),
            section_id=plan.section_id,
            path=plan.path,
            confidence=item.confidence,
            inherited=False,
        )
        files = (SceneFile(path=item.scene_path),) if item.scene_path else ()
        scene = Scene(
            scene_id=plan.scene_id, updated_at=item.version, title=item.scene_title, files=files
        )
        pair = Pair(scene=scene, link=link, reason=item.reason)
        if plan.kind is ItemKind.COLLECTION:
            pair.title = plan.title
        decide = partial(self._decide, item, pair)
        if (owner := self._owner(plan)) != plan.scene_id:
            decide = partial(_leave_to, owner, plan)
        paths = (plan.path,) if plan.kind in VIDEO_KINDS else ()
        return WorkItem(pair=pair, decide=decide, paths=paths, kind=plan.kind, files=plan.videos)

    def _decide(self, item: SavedItem, pair: Pair, detail: ItemDetail) -> Decision:
        """Write what still differs in the way the plan says.

        Raises:
            ServerError: a server cannot say what it has for a picture.
        """
        if not pair.link.rating_key and self._is_made(item.plan):
            return unmade(item.plan)
        changes: list[Change] = []
        agreed = [one for one in item.agreed if self.planner.shows(detail, one)]
        stale: list[str] = []
        for change in item.plan.changes:
            if self.planner.shows_just(detail, change):
                agreed.append(change)  # a run was faster
            elif fresh := self._refreshed(change, detail, pair.link):
                changes.append(fresh)
            else:
                stale.append(change.field)
        # Of an item that is left alone as a whole it does not matter what its pictures are.
        pictures = Fit() if stale else fit_of(self.scope.ports, item.pictures, detail, pair.link)
        moved = (("Plex", stale + pictures.moved_in_plex), ("Stash", pictures.moved_in_stash))
        notes = [
            f"changed in {where} since the plan was saved: {', '.join(names)}"
            for where, names in moved
            if names
        ]
        notes += filter(None, [self._why_unnamed(detail, changes)])
        plan = replace(item.plan.seen_on(detail.item), rating_key=pair.link.rating_key)
        if notes:
            unchanged = replace(plan, changes=())
            return Decision(plan=unchanged, outcome=Outcome.SKIPPED, note="; ".join(notes))
        pair.link = replace(pair.link, pictures={**pair.link.pictures, **pictures.right})
        return Decision(
            plan=replace(plan, changes=self.planner.with_sort_title(changes, detail, pair.link)),
            agreed=tuple(agreed),
            pictures=tuple(pictures.pictures),
        )

    def _refreshed(self, change: Change, detail: ItemDetail, link: Link) -> Change | None:
        """Return the change as of now; None if Plex does not hold what it held."""
        target = change.target
        observed, locked = self.planner.observe(detail, target), target in detail.locked
        same = self.planner.equality.equal(target, observed, change.before)
        same = same or self.planner.is_half_written(change, observed, link)
        if not (same and unmoved(detail, change)) or (locked and not change.locked_before):
            return None
        return replace(
            change,
            before=observed,
            credits_before=detail.credits if target is PlexField.ACTORS else {},
            locked_before=locked,
            trace_before=self.planner.trace(link, target),
        )

    def _remember(self, pair: Pair, outcome: Outcome) -> None:
        """Remember one item; with the last one of its scene, the scene as a run would."""
        scene_id, session = pair.scene.scene_id, self.scope.session
        if is_kept(scene_id):
            self._remember_kept(pair, outcome)
            return
        links, item = self.links[scene_id], self.items[scene_id, pair.link.rating_key]
        if outcome in _GOOD:
            links.append(pair.link)
        if len(links) == item.items:
            # Links to libraries the plan has no item of stay.
            here = {link.section_id for link in links}
            known = self.elsewhere.get(scene_id, ())
            others = tuple(link for link in known if link.section_id not in here)
            if scene_id in self.matched:
                forget_seen(session)  # the plan may be of some libraries only
            # Without a version the next run asks Stash once more, and not Plex: the scene may have
            # changed meanwhile, and what it shows of tags and the like is remembered by runs only.
            record = SceneRecord(
                updated_at="",
                outcome=Outcome.APPLIED,
                files=item.files,
                desired="" if others else item.desired,
                links=(*links, *others),
            )
            session.remember(scene_id, record)
        elif outcome is not Outcome.SKIPPED:
            # What is ours on this item is known; the scene is due, and is matched again.
            linked = with_link(self.scope.state.get(scene_id), pair.link)
            record = SceneRecord(updated_at="", outcome=Outcome.SKIPPED, links=linked.links)
            session.remember(scene_id, record)

    def _remember_kept(self, pair: Pair, outcome: Outcome) -> None:
        """Remember a collection, show or season, unless it was left to another source."""
        key, session = pair.scene.scene_id, self.scope.session
        if self._sources.get(pair.link.rating_key, key) != key:
            return
        if pair.link.rating_key:
            session.keep(key, self._kept_with(pair))
        elif outcome is Outcome.APPLIED:  # it went
            session.keep(key, None)


def _leave_to(owner: SceneId, plan: ItemPlan, _: ItemDetail) -> Decision:
    """Leave an item alone that is linked to another scene by now, or a collection of another."""
    is_scene = plan.kind in VIDEO_KINDS
    taken = f"linked to scene {owner}" if is_scene else "the collection of something else in Stash"
    return Decision(
        plan=replace(plan, changes=()),
        outcome=Outcome.SKIPPED,
        note=f"{taken} since the plan was saved",
    )
