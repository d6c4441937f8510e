"""The use case: reconcile a Stash library onto a Plex library.

One run goes one way: detect what is due, link it to items, read and plan in batches, show, write,
remember. What only some runs need is imported by those: most have nothing to do.
Source: docs/design.md.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import UnsafeError
from plexsync.integrations.hook_events import clear_spool
from plexsync.models import SHOW_KINDS, ItemKind, RunSummary
from plexsync.state import ReviewQueueWriter, RunKind
from plexsync.sync.context import RunContext, meet_both
from plexsync.sync.detection.changes import ChangeDetection
from plexsync.sync.detection.glance import Glance, Unmoved
from plexsync.sync.run_scope import concluded, journaled, note_proposed, remembered
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.config.configuration import Config
    from plexsync.output.streams import Reporter
    from plexsync.sync.detection.detected import Detected
    from plexsync.sync.keeping.collections import CollectionKeeper
    from plexsync.sync.keeping.shows import ShowKeeper
    from plexsync.sync.ports import Ports, RunOptions
    from plexsync.sync.run_scope import JournalEnd, RunScope
    from plexsync.sync.saved_plan import PlanSaver


def run(config: Config, options: RunOptions, ports: Ports, reporter: Reporter) -> RunSummary:
    """Run one reconcile pass; what goes wrong ends in the summary, not in an exception."""
    with concluded(reporter, ports, options, RunKind.RUN) as totals:
        totals.subset = config.plex.subset
        with remembered(config, options, ports, totals) as scope:
            glance = Glance(scope)
            look = glance.take()
            near = glance.unmoved(look) if look else None
            if near is not None and not near.edited:
                _end_unmoved(scope, near)
            else:
                context = meet_both(scope, near.sections if near else ())
                mark, edited = look.mark if look else "", near.edited if near else ()
                _reconcile(context, ChangeDetection(context, mark, edited))
    return totals.ended


def _end_unmoved(scope: RunScope, unmoved: Unmoved) -> None:
    """Write down a run that found both servers as they were."""
    totals = scope.totals
    totals.header = replace(totals.header, stash=unmoved.stash, plex=unmoved.plex)
    totals.backlog = unmoved.backlog
    with journaled(scope, scope.state.lineage):
        pass


def _reconcile(run: RunContext, detection: ChangeDetection) -> None:
    """Find what is due, take it to Plex, remember it."""
    run.totals.header = replace(run.totals.header, full=detection.full)
    with _plan_saver(run) as saver:
        run = replace(run, save=saver.add if saver else None)
        with journaled(run, run.lineage) as end:
            found = detection.look()
            unsafe = _check_gone(run, found)
            if not run.options.partial:
                ReviewQueueWriter(run.trial_queue).clear()
            if _has_work(run, found):
                from plexsync.sync.scenes.due_work import DueWork  # noqa: PLC0415 - see above
                from plexsync.sync.scenes.run_writer import RunWriter  # noqa: PLC0415 - see above

                work = DueWork(run, found)
                end.limit = RunWriter(run, work, detection.dictionary).write(work.link())
            if error := unsafe or found.failure or run.inventory.failure:
                raise error
            for keeper in _keepers(run):
                end.limit = keeper(run, detection.dictionary.present).keep() or end.limit
            _complete(run, detection, found, end)
        if end.complete:
            clear_spool(detection.spool, run.ports.disk)
        if saver is not None and run.options.save_plan is not None:
            saver.write(run.options.save_plan)
    if end.limit is not None:
        raise end.limit


# ---- what is to be done --------------------------------------------------------------------------


def _check_gone(run: RunContext, detected: Detected) -> UnsafeError | None:
    """Stop before anything is forgotten where Stash lost more scenes than can be meant.

    A scene that got another id is not lost: its files tell. A dry run forgets nothing: it goes
    on, and says at the end what would have stopped it.

    Raises:
        UnsafeError: that is so.
    """
    gone = set(detected.gone)
    if run.options.force or not gone:
        return None
    here = {files_digest(scene.files) for scene in detected.due if scene.files}
    records = map(run.state.get, gone)
    lost = sum(record is None or record.files not in here for record in records)
    try:
        run.limits().check_gone(lost, len(run.state.scene_ids()))
    except UnsafeError as unsafe:
        if not run.options.dry_run:
            raise
        return unsafe
    return None


def _has_work(run: RunContext, detected: Detected) -> bool:
    """Whether there is anything to do about any scene."""
    wanted = run.is_full or run.options.save_plan is not None
    return wanted or detected.concerns_any or bool(run.state.unsettled)


def _keepers(run: RunContext) -> Iterator[type[CollectionKeeper | ShowKeeper]]:
    """Yield what keeps collections, then shows and seasons, as far as this run does."""
    if run.options.partial:
        return
    kinds = {one.plan.kind for one in run.state.unsettled}
    if run.config.collections.kinds or ItemKind.COLLECTION in kinds:
        from plexsync.sync.keeping.collections import CollectionKeeper  # noqa: PLC0415 - see above

        yield CollectionKeeper
    if run.config.shows.studios or kinds & SHOW_KINDS:
        from plexsync.sync.keeping.shows import ShowKeeper  # noqa: PLC0415 - see above

        yield ShowKeeper


def _plan_saver(run: RunContext) -> AbstractContextManager[PlanSaver | None]:
    if run.options.save_plan is None:
        return nullcontext()
    from plexsync.sync.saved_plan import PlanSaver  # noqa: PLC0415 - see above

    return closing(PlanSaver(run))


# ---- what is written down ------------------------------------------------------------------------


def _complete(
    run: RunContext, detection: ChangeDetection, found: Detected, end: JournalEnd
) -> None:
    """Say what a run came through with; only a complete one moves what was seen and handled.

    What a limit held back is remembered as due, and the run is complete without it.
    """
    if run.options.dry_run:
        return
    end.complete = found.failure is None and not run.options.partial
    end.full = run.is_full and end.complete
    if end.complete:
        detection.remember(run.session, found)
        end.newest = max(found.newest, run.state.checkpoint.newest_updated_at)
    had = run.inventory.had
    if end.full and had is not None and not (had.problem or had.notes):
        run.session.forget_items(run.inventory.section_ids, had.items)
    note_proposed(run, all_matched=end.full)
