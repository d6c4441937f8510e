"""The use case behind `plexsync apply`: write a saved plan, as far as Plex is still as it was.

An item is skipped as a whole when one of its planned fields holds another value by now, when a
person locked one since, or when it no longer holds the file; likewise when it shows another
picture than it did, or when Stash has another cover. What is written is remembered like after a
run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.config.schema import rules_of
from plexsync.errors import MismatchError, PlexsyncError
from plexsync.models import Link, Outcome, PlexField, RunHeader, Scene, SceneFile, SceneRecord
from plexsync.planning.credits import unmoved
from plexsync.planning.planner import Planner
from plexsync.planning.retry_schedule import iso
from plexsync.plex.poster_padding import require_pillow
from plexsync.replay.engine import replay
from plexsync.replay.tasks import Decision, Occasion
from plexsync.state import RunKind, SavedItem, SavedPicture, SavedPlan, read_plan
from plexsync.sync.execution.writer import with_link
from plexsync.sync.pictures.saved import Fit, SavedPictures
from plexsync.sync.ports import RunOptions
from plexsync.sync.run_scope import meet_plex, remembered
from plexsync.sync.totals import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from plexsync.config.schema import Config
    from plexsync.models import Change, ItemDetail, ItemPlan, RunSummary, SceneId
    from plexsync.state import Lineage, Session, State
    from plexsync.sync.ports import Ports, Reporter

_GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """What the command line asks.

    Args:
        file: the saved plan.
        dry_run: write nothing, anywhere.
        lock_wait_s: how long to wait for another run, in seconds.
    """

    file: Path
    dry_run: bool = False
    lock_wait_s: float = 0.0


def apply(config: Config, options: ApplyOptions, ports: Ports, reporter: Reporter) -> RunSummary:
    """Write a saved plan.

    What goes wrong ends in the summary, not in an exception; the reporter's `finished` is always
    the last thing called.
    """
    header = RunHeader(
        run_id=ports.run_id,
        started_at=iso(ports.now()),
        dry_run=options.dry_run,
        command=RunKind.APPLY.value,
        again=f"plexsync apply {quote(str(options.file))}",
    )
    tally = Tally(reporter, header)
    error: PlexsyncError | None = None
    try:
        plan = read_plan(options.file, disk=ports.disk)
        with remembered(
            config, ports, dry_run=options.dry_run, lock_wait_s=options.lock_wait_s
        ) as memory:
            _apply(plan, config, options, ports, memory=memory, tally=tally)
    except PlexsyncError as caught:
        error = caught
    summary = tally.summary(error, RunOptions(dry_run=options.dry_run), ports)
    reporter.finished(summary)
    return summary


def _apply(
    plan: SavedPlan,
    config: Config,
    options: ApplyOptions,
    ports: Ports,
    *,
    memory: tuple[State, Session | None],
    tally: Tally,
) -> None:
    """Everything between the plan and its last item."""
    state, _ = memory
    lineage = meet_plex(ports, tally, state)
    _check_lineage(plan, lineage)
    planner = Planner(rules_of(config.apply))
    scenes = _Scenes(state, Counter(item.plan.scene_id for item in plan.items))
    if any(picture.rule.pad for item in plan.items for picture in item.pictures):
        require_pillow()
    pictures = SavedPictures(ports.stash, ports.plex.pictures)
    errands = [_Applying(item, planner, scenes, pictures.fit) for item in plan.items]
    verb = "would be" if options.dry_run else "will be"
    occasion = Occasion(
        kind=RunKind.APPLY,
        headline=f"PLAN of {plan.created_at}: {{}} {verb} written",
        stale="nothing of the plan can be applied: all of it changed since the plan was saved",
    )
    replay(errands, occasion, ports, memory=memory, lineage=lineage, planner=planner, tally=tally)


def _check_lineage(plan: SavedPlan, here: Lineage) -> None:
    """Make sure that the plan is for these servers.

    Raises:
        MismatchError: it is not.
    """
    hint = "save it anew with plexsync run --save-plan"
    if plan.lineage.plex != here.plex:
        raise MismatchError(
            f"the plan is for Plex server {plan.lineage.plex}, but {here.plex} answers", hint=hint
        )
    if here.stash and plan.lineage.stash != here.stash:
        raise MismatchError("the plan was made from another Stash database", hint=hint)


# ---- one item ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Scenes:
    """Which scenes are done with all their items, and how."""

    state: State
    left: Counter[SceneId]
    links: defaultdict[SceneId, list[Link]] = field(default_factory=lambda: defaultdict(list))

    def conclude(self, item: SavedItem, link: Link, outcome: Outcome, session: Session) -> None:
        """Remember one item; with the last one of its scene, the scene as a run would."""
        scene_id = item.plan.scene_id
        self.left[scene_id] -= 1
        if outcome in _GOOD:
            self.links[scene_id].append(link)
        if len(self.links[scene_id]) == item.items:
            # Without a version the next run asks Stash once more, and not Plex: the scene may have
            # changed meanwhile, and what it shows of tags and the like is remembered by runs only.
            record = SceneRecord(
                updated_at="",
                outcome=Outcome.APPLIED,
                files=item.files,
                desired=item.desired,
                links=tuple(self.links[scene_id]),
            )
            session.remember(scene_id, record)
        elif outcome is not Outcome.SKIPPED:
            # What is ours on this item is known; the scene is due, and is matched again.
            linked = with_link(self.state.get(scene_id), link)
            record = SceneRecord(updated_at="", outcome=Outcome.SKIPPED, links=linked.links)
            session.remember(scene_id, record)


@dataclass(frozen=True, slots=True)
class _Applying:
    """An errand: one item of the plan."""

    item: SavedItem
    planner: Planner
    scenes: _Scenes
    fit: Callable[[Sequence[SavedPicture], ItemDetail, Link], Fit]

    @property
    def plan(self) -> ItemPlan:
        """As it was saved."""
        return self.item.plan

    @property
    def reason(self) -> str:
        """Why the scene is that item."""
        return self.item.reason

    @property
    def scene(self) -> Scene:
        """As much as the plan knows; Stash is not asked."""
        path = self.item.scene_path
        return Scene(
            scene_id=self.item.plan.scene_id,
            updated_at=self.item.version,
            title=self.item.scene_title,
            files=(SceneFile(path=path),) if path else (),
        )

    def link(self, known: Link | None) -> Link:
        """The link the plan decided, with what is remembered of the item."""
        link = Link(
            rating_key=self.plan.rating_key,
            section_id=self.plan.section_id,
            path=self.plan.path,
            confidence=self.item.confidence,
        )
        if known is None:
            return link
        return replace(link, base=known.base, held=known.held, pictures=known.pictures)

    def decide(self, detail: ItemDetail, link: Link) -> Decision:
        """Write what still differs in the way the plan says.

        Raises:
            ServerError: a server cannot say what it has for a picture.
        """
        changes: list[Change] = []
        agreed = [one for one in self.item.agreed if self.planner.shows(detail, one)]
        stale: list[str] = []
        for change in self.plan.changes:
            target = change.target
            observed = self.planner.observe(detail, target)
            locked = target in detail.locked
            same = self.planner.equal(target, observed, change.before) and unmoved(detail, change)
            if same and (change.locked_before or not locked):
                fresh = replace(
                    change,
                    before=observed,
                    credits_before=detail.credits if target is PlexField.ACTORS else {},
                    locked_before=locked,
                    trace_before=self.planner.trace(link, target),
                )
                changes.append(fresh)
            elif self.planner.shows_just(detail, change):
                agreed.append(change)
            else:
                stale.append(change.field)
        # Of an item that is left alone as a whole it does not matter what its pictures are.
        pictures = Fit() if stale else self.fit(self.item.pictures, detail, link)
        notes = [
            f"changed in {where} since the plan was saved: {', '.join(names)}"
            for where, names in (
                ("Plex", stale + pictures.moved_in_plex),
                ("Stash", pictures.moved_in_stash),
            )
            if names
        ]
        if notes:
            return Decision(outcome=Outcome.SKIPPED, note="; ".join(notes))
        return Decision(
            changes=self.planner.with_sort_title(changes, detail, link),
            agreed=tuple(agreed),
            wanted=pictures.wanted,
            pictures=pictures.right,
        )

    def conclude(self, link: Link, outcome: Outcome, session: Session) -> None:
        """Remember it like a run does."""
        self.scenes.conclude(self.item, link, outcome, session)
