"""The work of a run: linked scenes, compared with what Stash says of them now.

A pair that is known to need nothing, or to be tried in vain, ends here without a request to Plex.
"""

from __future__ import annotations

from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import TooLongError
from plexsync.matcher import SceneAnswers, answer_key
from plexsync.models import LIST_FIELDS, ItemKind, Outcome, Problem
from plexsync.planning.desired import FieldMaps
from plexsync.planning.planner import AS_WANTED, Planner
from plexsync.planning.retry_schedule import PARKED
from plexsync.sync.execution.charging import GIVEN_UP, UNUSABLE_PICTURES
from plexsync.sync.execution.pictures.plan import Artwork
from plexsync.sync.execution.reader import READ_BATCH
from plexsync.sync.execution.work import Decision, WorkItem, decision_of, place_of, plan_of
from plexsync.sync.execution.writer import NOT_SHOWN
from plexsync.sync.linking.pairs import Pairs, recall
from plexsync.sync.rows import GOOD, Pair, PairEnd
from plexsync.sync.scenes.in_step import InStep
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plexsync.models import (
        Desired,
        ItemDetail,
        Scene,
        SceneDetail,
        SceneId,
    )
    from plexsync.stash_client import SceneAnswer
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.unversioned import Dictionary
    from plexsync.sync.scenes.outcomes import SceneOutcomes

_SHOWN = 3
"""So many names a sentence shows."""

_STASH_BATCH = 200
"""Scenes per detail request. Source: docs/stash-api.md 8 (pages of 100 to 250)."""


class RunItems:
    """Makes work items of pairs.

    Args:
        run: what the run is about.
        outcomes: takes the pairs, and those that end here.
        planner: decides what is written.
        dictionary: takes what a scene shows of other objects, before it is remembered.

    Attributes:
        in_step: knows the scenes that need not be compared.
    """

    def __init__(
        self,
        run: RunContext,
        outcomes: SceneOutcomes,
        *,
        planner: Planner,
        dictionary: Dictionary,
    ) -> None:
        stash, rules = run.ports.stash, run.config.field_rules(run.inventory.libraries)
        self._run = run
        self._stash = stash
        self._outcomes = outcomes
        self._fields = FieldMaps(
            rules, scene_url=stash.scene_url, file_url=stash.file_url, shared=dictionary.shared
        )
        self._planner = planner
        self._artwork = Artwork.of_run(run, rules, taken=run.taken())
        self._dictionary = dictionary
        self.in_step = InStep(run, dictionary)
        self._spellings: dict[str, str] = {}
        """Names Plex keeps in another spelling, by that of Stash."""
        self._unsettled = frozenset(place_of(one.plan) for one in run.state.unsettled)

    def of(self, pairs: Pairs) -> Iterator[WorkItem]:
        """Return the pairs with an item that has to be read; the others are finished on the way.

        Raises:
            ServerError: Stash is down, or refuses us.
            InterruptedRunError: asked to stop.
        """
        waiting, total = pairs.by_scene(), self._run.totals.done + len(pairs)
        size = READ_BATCH if self._run.compares_all else _STASH_BATCH
        while chunk := tuple(islice(waiting, size)):
            self._run.ports.check()
            opened = (list(filter(self._outcomes.open, some)) for some in chunk)
            by_scene = {some[0].scene.scene_id: some for some in opened if some}
            fetched = self._stash.answers(tuple(by_scene))
            for scene_id in self.in_step.among(fetched.found, by_scene):
                self._outcomes.stay(by_scene.pop(scene_id))
            self._run.totals.reporter.progress("comparing", self._run.totals.done, total)
            yield from self._of_scenes(
                [one for one in fetched.found if one.scene_id in by_scene], by_scene
            )
            # A scene deleted since it was listed says nothing; the next sweep forgets it.
            for scene_id in fetched.missing:
                for pair in by_scene[scene_id]:
                    self._outcomes.skip(pair, "deleted in Stash meanwhile")
            for scene_id, message in fetched.poisoned:
                problem = Problem(kind="bad-response", message=message)
                for pair in by_scene[scene_id]:
                    self._outcomes.finish(pair, PairEnd(Outcome.FAILED, problem=problem))

    def warn(self) -> None:
        """Say which covers were not fetched, and which names Plex spells otherwise."""
        reporter = self._run.totals.reporter
        if count := len(self._artwork.elsewhere):
            what = "1 cover leads" if count == 1 else f"{count:,} covers lead"
            reporter.warn(
                f"the address of {what} to another place than its scene on [stash] url, and is "
                "not followed: nothing goes to a server that is not configured"
            )
        # It keeps the first spelling it was given.
        if spellings := sorted(self._spellings.items()):
            shown = ", ".join(f"{there!r} for {name!r}" for name, there in spellings[:_SHOWN])
            more = f" and {len(spellings) - _SHOWN:,} more" if len(spellings) > _SHOWN else ""
            reporter.warn(
                f"Plex keeps the spelling it was given first: {shown}{more}; to correct one, "
                "rename it in Plex, or remove it from all items and run again"
            )

    # ---- what Stash says

    def _of_scenes(
        self, answers: Sequence[SceneAnswer], pairs: Mapping[SceneId, Sequence[Pair]]
    ) -> Iterator[WorkItem]:
        """Return the work items of several scenes."""
        for pair in chain.from_iterable(pairs.values()):
            recall(pair, self._run.state)
        details = [one.detail() for one in answers]
        if not self._run.compares_all:
            self._artwork.glimpse_many((one, pairs[one.scene_id]) for one in details)
        for answer, detail in zip(answers, details, strict=True):
            yield from self._items(answer, detail, pairs[answer.scene_id])

    def _items(
        self, answer: SceneAnswer, scene: SceneDetail, pairs: Sequence[Pair]
    ) -> Iterator[WorkItem]:
        """Return the work items of one scene."""
        settled = self._stash.is_settled(scene.updated_at)
        if self._dictionary.observe(scene.related) and settled:
            self.in_step.compare(answer, pairs)
        wanted = self._fields.everywhere(scene)
        settled = settled and not self._run.looks_past_scope
        self._outcomes.note_compared(scene, wanted, settled=settled)
        for pair in pairs:
            # It was linked by files it has no more; one deleted just now has none at all.
            if _other_files(pair.scene, scene):
                self._outcomes.skip(pair, "changed in Stash while it was read")
            elif self._is_handled(pair, scene):
                note = "nothing to write has changed"
                self._outcomes.finish(pair, PairEnd(Outcome.UNCHANGED, note=note))
            elif problem := self._parked(pair):
                self._outcomes.finish(pair, PairEnd(Outcome.FAILED, problem=problem))
            else:
                decide = partial(self._decide, pair, scene)
                files = () if self._is_sure(pair) else pair.scene.files
                yield WorkItem(pair=pair, decide=decide, paths=(pair.link.path,), files=files)

    def _is_handled(self, pair: Pair, scene: SceneDetail) -> bool:
        """Whether an earlier run wrote just this, so that Plex need not be asked."""
        if pair.match is not None or self._run.compares_all:
            return False
        scene_id = pair.scene.scene_id
        record = self._run.state.get(scene_id)
        return (
            record is not None
            and record.outcome in GOOD
            and (scene_id, pair.link.rating_key) not in self._unsettled
            and record.desired == self._outcomes.desired_digest(scene_id)
            and self._artwork.handled(pair, scene)
        )

    def _is_sure(self, pair: Pair) -> bool:
        """Whether this run compared the files of a pair, or a person gave the item to the scene."""
        if pair.match is not None:
            return True
        answers = self._run.state.decision(answer_key(pair.scene.scene_id), SceneAnswers)
        pins = answers.pins if answers else ()
        return pair.link.rating_key in {one.rating_key for one in pins}

    def _parked(self, pair: Pair) -> Problem | None:
        """Why this is not tried again: just this would end in the same way."""
        record = None if pair.match else self._run.state.get(pair.scene.scene_id)
        parked = (
            record is not None
            and record.due_at == PARKED
            and record.problem is not None
            and record.problem.kind in GIVEN_UP
            # Of a cover the digest of the fields does not say whether it is the one that was tried.
            and record.problem.kind not in {NOT_SHOWN, *UNUSABLE_PICTURES}
            and not self._run.is_asked_for
            # A full sweep tries again what may have changed in Plex; a long text stays long.
            and not (self._run.compares_all and record.problem.kind != TooLongError.kind)
            and record.desired == self._outcomes.desired_digest(pair.scene.scene_id)
        )
        return record.problem if parked and record else None

    # ---- what Plex needs

    def _decide(self, pair: Pair, scene: SceneDetail, detail: ItemDetail) -> Decision:
        """Return what one item needs.

        Raises:
            ServerError: a server refuses us, or is down.
        """
        kind, section_id = detail.item.kind, detail.item.section_id
        if kind is ItemKind.MOVIE:
            desired = self._outcomes.desired(scene.scene_id, section_id)
        else:
            desired = self._fields.desired(scene, kind, section_id)
        asked_for, known = self._run.is_asked_for, pair.link.held
        held = self._planner.still_held(desired, known, asked_for=asked_for)
        uncurated = pair.link.inherited and scene.is_blank
        if (uncurated, held) != (pair.link.inherited, known):
            pair.link = replace(pair.link, inherited=uncurated, held=held)
        planned = self._planner.plan(desired, detail, pair.link.base, held, uncurated=uncurated)
        respelled = planned is not AS_WANTED and self._note_spellings(desired, detail)
        looks = self._artwork.looks
        wanted = self._artwork.plan(pair, scene, detail)
        stands = planned.is_in_step and not respelled and self._artwork.looks == looks
        self.in_step.decided(pair, needs_nothing=stands)
        lock = self._run.config.apply.lock_fields
        plan = plan_of(pair, detail, planned.changes, lock=lock)
        return decision_of(plan, planned, wanted, pair)

    def _note_spellings(self, desired: Sequence[Desired], detail: ItemDetail) -> bool:
        """Note which names the item spells in another way, and return whether it does any."""
        found: dict[str, str] = {}
        for want in desired:
            if want.target in LIST_FIELDS:
                shown = detail.values.get(want.target, ())
                found.update(self._planner.equality.respelled(want.value, shown))
        self._spellings.update(found)
        return bool(found)


def _other_files(scene: Scene, detail: SceneDetail) -> bool:
    """Whether a scene's files changed since it was listed."""
    if scene.files == detail.files:
        return False
    return files_digest(scene.files) != files_digest(detail.files)
