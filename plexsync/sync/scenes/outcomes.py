"""The scenes of a run: how each of their items ended, and what is remembered in the end.

A scene may be written to several items. It is remembered once, when the last of its pairs is done,
and by the one that most needs another look; what is ours on an item is noted before that.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from plexsync.models import MARKED_KINDS, Outcome, SceneRecord
from plexsync.planning.desired import COMMON
from plexsync.planning.layout import marks_of
from plexsync.planning.relations import join_related
from plexsync.sync.execution.charging import GIVEN_UP, charge, next_try_of
from plexsync.sync.execution.settling import with_link
from plexsync.sync.execution.work import Outcomes, Ready
from plexsync.sync.linking.pairs import Pairs, bare
from plexsync.sync.rows import GOOD, REMEMBERED, Pair, PairEnd
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import (
        Change,
        Desired,
        ItemPlan,
        Link,
        Problem,
        RatingKey,
        Scene,
        SceneDetail,
        SceneId,
    )
    from plexsync.planning.planner import Planner
    from plexsync.state import SavedItem, SavedPicture
    from plexsync.sync.context import RunContext
    from plexsync.sync.ports import WorkKind

_YEAR_DIGITS = 4


class _Progress(msgspec.Struct, gc=False):
    """How far a scene is while its pairs are under way."""

    scene: Scene
    open_pairs: int = 0
    version: str | None = None
    marks: str = ""
    year: str | None = None
    related: str | None = None
    wanted: Mapping[str, tuple[Desired, ...]] = {}
    desired: str = ""
    links: dict[RatingKey, Link] = msgspec.field(default_factory=dict)
    outcomes: list[Outcome] = msgspec.field(default_factory=list)
    problem: Problem | None = None
    failed: WorkKind | None = None
    has_resting: bool = False


class SceneOutcomes(Outcomes):
    """Keeps the outcomes of a run, scene by scene.

    Args:
        run: what the run is about.
        planner: says what is ours once something was written.

    Attributes:
        orphans: pairs with an item that is gone or holds another file by now, and which of it: to
            be matched again.
    """

    def __init__(self, run: RunContext, planner: Planner) -> None:
        self.orphans: list[tuple[Pair, str]] = []
        self._run = run
        self._kinds = run.config.collections.kinds
        self._uses_records = run.config.uses_records
        self._uncharged: dict[SceneId, tuple[WorkKind, SceneRecord]] = {}
        self._planner = planner
        self._scenes: dict[SceneId, _Progress] = {}
        self._finished: set[SceneId] = set()
        self._reopened: set[SceneId] = set()
        self._given_up: set[tuple[SceneId, RatingKey]] = set()

    # ---- under way

    def open(self, pair: Pair) -> bool:
        """Take a pair into account.

        Returns:
            Whether it is still to be done.
        """
        progress = self._scenes.setdefault(pair.scene.scene_id, _Progress(pair.scene))
        progress.links.update((link.rating_key, link) for link in pair.resting)
        progress.has_resting |= bool(pair.resting)  # one matched again may not say so
        if pair.link.rating_key in progress.links:
            return False
        progress.open_pairs += 1
        return True

    def note_compared(
        self, detail: SceneDetail, wanted: Mapping[str, tuple[Desired, ...]], *, settled: bool
    ) -> None:
        """Remember which version and which values of a scene are being compared.

        Args:
            detail: what the scene says.
            wanted: what it wants, by library; see `FieldMaps.everywhere`.
            settled: the scene need not be looked at again while it has this version.
        """
        progress = self._scenes[detail.scene_id]
        # Without a version the scene stays due.
        progress.version = detail.updated_at if settled else ""
        progress.related = join_related(detail.related.keys() - detail.over, detail.over)
        if self._kinds & MARKED_KINDS:
            progress.marks = marks_of(detail.rating100, organized=detail.organized)
        if self._run.config.shows.studios:
            progress.year = detail.date[:_YEAR_DIGITS]
        progress.wanted = wanted
        progress.desired = ""

    def desired(self, scene_id: SceneId, section_id: str) -> tuple[Desired, ...]:
        """Return what a scene that is being compared wants in a library."""
        wanted = self._scenes[scene_id].wanted
        return wanted.get(section_id, wanted.get(COMMON, ()))

    def desired_digest(self, scene_id: SceneId) -> str:
        """Return the digest of what it wants, in all libraries."""
        progress = self._scenes[scene_id]
        if not progress.desired:
            wanted = tuple(chain.from_iterable(progress.wanted.values()))
            progress.desired = self._planner.desired_digest(wanted)
        return progress.desired

    def spare(self, plan: ItemPlan, change: Change) -> tuple[str, ...]:
        """See `Planner.spare`; what a list is to hold is the same for every kind of item."""
        return self._planner.spare(self.desired(plan.scene_id, plan.section_id), change)

    def saved(self, ready: Ready, pictures: tuple[SavedPicture, ...]) -> SavedItem:
        """Return a planned pair as a plan file holds it; to be asked before it is finished."""
        pair = ready.pair
        progress, files = self._scenes[pair.scene.scene_id], pair.scene.files
        return replace(
            super().saved(ready, pictures),
            scene_path=files[0].path if files else "",
            version=progress.version or pair.scene.updated_at,
            files=files_digest(files),
            desired=self.desired_digest(pair.scene.scene_id),
            confidence=pair.link.confidence,
            reason=pair.match.reason if pair.match else REMEMBERED,
            items=progress.open_pairs + len(progress.outcomes),
        )

    def note_written(self, pair: Pair) -> None:
        """Remember what is ours on an item while its pair is not done."""
        self._note_unfinished(self._scenes[pair.scene.scene_id], pair.link)

    def lose(self, pair: Pair, note: str) -> None:
        """Keep a pair: its scene is to be matched again."""
        self.orphans.append((pair, note))

    def take_orphans(self) -> list[tuple[Pair, str]]:
        """Return the orphaned pairs, which are dropped."""
        taken, self.orphans = self.orphans, []
        for pair, _ in taken:
            self.drop(pair)
            self._reopened.add(pair.scene.scene_id)
        return taken

    def give_up(self, pair: Pair, note: str) -> None:
        """Show a pair that is no more; nothing is remembered of it."""
        self._given_up.add((pair.scene.scene_id, pair.link.rating_key))
        self._show(pair, PairEnd(Outcome.SKIPPED, note=note))

    def close(self) -> None:
        """Remember the scenes that lost a pair after all their others were done."""
        for scene_id in self._reopened:
            progress = self._scenes.get(scene_id)
            if progress is not None and progress.outcomes and not progress.open_pairs:
                self._remember(progress)

    def drop(self, pair: Pair) -> None:
        """Take a pair out of account, as if it had never been opened."""
        self._scenes[pair.scene.scene_id].open_pairs -= 1

    def note_settled(self, pair: Pair) -> None:
        """Remember what is ours on an item by writes of earlier runs."""
        scene_id = pair.scene.scene_id
        record = with_link(self._run.state.get(scene_id), pair.link)
        self._run.session.remember(scene_id, record)

    # ---- done

    def show_unfinished(self, pairs: Pairs) -> None:
        """Show those of `pairs` that have no outcome yet."""
        for pair in pairs.of_scenes(lambda scene_id: scene_id not in self._finished):
            scene_id, key = pair.scene.scene_id, pair.link.rating_key
            progress = self._scenes.get(scene_id)
            done = progress is not None and key in progress.links
            if not (done or (scene_id, key) in self._given_up):
                self._show(pair, PairEnd(Outcome.SKIPPED, note="the run ended before its turn"))

    def skip(self, pair: Pair, note: str) -> None:
        """Finish a pair this run can do nothing for; it is due again next time."""
        self.finish(pair, PairEnd(Outcome.SKIPPED, note=note))

    def forgo(self, scene_id: SceneId) -> None:
        """Nothing more comes for the lost pairs of a scene; its last one may be finished."""
        progress = self._scenes[scene_id]
        if progress.open_pairs:
            return
        if progress.outcomes:
            self._remember(progress)
        else:
            self._drop_scene(scene_id)

    def finish(self, pair: Pair, ending: PairEnd) -> None:
        """Show how a pair ended, and remember the scene when all of its pairs are done."""
        progress = self._scenes[pair.scene.scene_id]
        progress.open_pairs -= 1
        progress.links[pair.link.rating_key] = pair.link
        outcome = ending.outcome
        progress.outcomes += [outcome, Outcome.SKIPPED] if ending.again else [outcome]
        if ending.problem:
            progress.problem, progress.failed = ending.problem, ending.failed
        self._show(pair, ending)
        if not progress.open_pairs:
            self._remember(progress)
        else:
            # What is ours on this item must be known even if the scene's others are never reached.
            self._note_unfinished(progress, pair.link)
        pair.link = bare(pair.link)

    def stay(self, pairs: Sequence[Pair]) -> None:
        """Show the pairs of a scene that is in step, all that were opened; its record stays."""
        for pair in pairs:
            self._show(pair, PairEnd(Outcome.UNCHANGED))
        self._drop_scene(pairs[0].scene.scene_id)

    def _show(self, pair: Pair, ending: PairEnd) -> None:
        totals = self._run.totals
        totals.emit(self._run.rows.pair(pair, ending))
        if pair.undone:
            totals.undone += 1
            totals.undone_scene = totals.undone_scene or pair.scene.scene_id

    # ---- remembering

    def _remember(self, progress: _Progress) -> None:
        scene_id = progress.scene.scene_id
        if self._uses_records or not self._run.options.dry_run:
            record, failed = self._record(progress), progress.failed
            if record.outcome is Outcome.FAILED and failed is not None:
                self._uncharged[scene_id] = failed, record
                # As if it had not been tried: due at once.
                previous = self._run.state.get(scene_id)
                attempts = previous.attempts if previous else 0
                record = replace(record, attempts=attempts, due_at="")
            self._run.session.remember(scene_id, record)
        self._drop_scene(scene_id)

    def _drop_scene(self, scene_id: SceneId) -> None:
        self._finished.add(scene_id)
        del self._scenes[scene_id]

    def _record(self, progress: _Progress) -> SceneRecord:
        previous = self._run.state.get(progress.scene.scene_id)
        outcome = next(one for one in _WORST_FIRST if one in progress.outcomes)
        if outcome is Outcome.UNCHANGED and previous and previous.outcome is Outcome.APPLIED:
            outcome = Outcome.APPLIED  # what was applied still stands; no record moves for that
        version, desired = self._handled(progress, previous)
        record = SceneRecord(
            updated_at=version,
            outcome=outcome,
            files=files_digest(progress.scene.files),
            desired=desired,
            links=tuple(progress.links.values()),
            related=_known(progress.related, previous.related if previous else ""),
            marks=progress.marks or (previous.marks if previous else ""),
            year=_known(progress.year, previous.year if previous else ""),
        )
        if outcome is not Outcome.FAILED:
            return record
        attempts = _tries_before(previous, progress.problem, desired) + 1
        return replace(
            record,
            attempts=attempts,
            due_at=next_try_of(self._run, attempts, progress.problem),
            problem=progress.problem,
        )

    def _handled(self, progress: _Progress, previous: SceneRecord | None) -> tuple[str, str]:
        """Return the version and the digest of values that all items of a scene have by now."""
        version = progress.scene.updated_at if progress.version is None else progress.version
        desired = self.desired_digest(progress.scene.scene_id) if progress.wanted else ""
        if not progress.has_resting:
            return version, desired
        # An item of a library that takes no part now does not have what moved. Where the library
        # is left out for this run only, nothing but the version makes the scene due again.
        if previous is None or previous.desired != desired:
            desired = ""
        elif previous.updated_at == version and previous.outcome in GOOD:
            return version, desired
        return "" if self._run.options.libraries else version, desired

    def charge(self) -> None:
        """Charge the scenes that failed by their own fault with a try, now that all is known."""
        run = self._run
        parked = charge(run, self._uncharged, run.session.remember, "scene {}".format)
        run.totals.backlog.parked |= {one: problem.message for one, problem in parked.items()}

    def _note_unfinished(self, progress: _Progress, link: Link) -> None:
        """Remember a scene with items still to come: due, and to be matched again."""
        previous = self._run.state.get(progress.scene.scene_id)
        if previous is not None and link in previous.links:
            return
        links = {**progress.links, link.rating_key: link}
        record = SceneRecord(updated_at="", outcome=Outcome.SKIPPED, links=tuple(links.values()))
        self._run.session.remember(progress.scene.scene_id, record)


# A scene with several items is remembered by the one that most needs another look.
_WORST_FIRST = (
    Outcome.FAILED,
    Outcome.SKIPPED,
    Outcome.PLANNED,
    Outcome.APPLIED,
    Outcome.KEPT,
    Outcome.UNCHANGED,
)


def _known(now: str | None, before: str) -> str:
    return before if now is None else now


def _tries_before(previous: SceneRecord | None, problem: Problem | None, desired: str) -> int:
    """How many tries in a row went wrong before; for what is given up soon, in just this way."""
    if previous is None:
        return 0
    if problem and problem.kind in GIVEN_UP:
        before = previous.problem.kind if previous.problem else ""
        return previous.attempts if before == problem.kind and previous.desired == desired else 0
    return previous.attempts
