"""What a run has to look at, and why: everything between the first question and the due scenes.

Each source knows another kind of news: versions in Stash (`detect`), names of related objects
(`dictionary`), scenes with several files (`uneven`), events (`spool`), changes of Plex's items
(`watching`), times that have come, another configuration. What each saw is remembered when the run
has come through, so that the next one can tell what moved. Source: docs/detection.md.
"""

from __future__ import annotations

from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.config.sections import CopyPolicy
from plexsync.integrations.hook_events import SpooledEvents, read_spool
from plexsync.models import VIDEO_KINDS, SceneId
from plexsync.planning.participation import strange_names
from plexsync.planning.relations import described
from plexsync.planning.retry_schedule import is_past
from plexsync.sync.detection.detector import Detector
from plexsync.sync.detection.plex_changes import Roused, broken, find_returned, roused_by
from plexsync.sync.detection.seen import (
    KEY,
    Seen,
    forget_rules,
    is_list_due,
    read_unread,
    seen_at_once,
)
from plexsync.sync.detection.unversioned import Dictionary, Uneven

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import Scene
    from plexsync.plex.index import Index
    from plexsync.stash_client import Names, Version
    from plexsync.state import Session
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.detected import Detected

_STEP_S = 0.5


class Reach(Enum):
    """Which scenes a run looks at. Source: docs/detection.md, "Five kinds of run"."""

    NAMED = auto()  # those a person named, moved or not
    EDITED = auto()  # those edited last; nothing else moved
    MOVED = auto()  # those that something that moved may concern
    FILES = auto()  # the files of all, beside those
    FULL = auto()  # all

    @property
    def is_few(self) -> bool:
        """Whether nothing but these scenes is asked for: neither names, nor files, nor items."""
        return self in {Reach.NAMED, Reach.EDITED}


class ChangeDetection:
    """One run's look at what moved.

    Args:
        run: what the run works with.
        mark: of Stash as it looked from afar; "" where marks are not compared.
        edited: the scenes edited last where nothing else moved; none where that is not known.

    Attributes:
        full: whether every linked item is compared, as far as it is that of a scene looked at.
        dictionary: the names of related objects, once it looked.
        spool: the events, once it looked.
    """

    dictionary: Dictionary
    _uneven: Uneven
    _seen: Seen

    def __init__(self, run: RunContext, mark: str, edited: Sequence[Version]) -> None:
        self._mark = mark
        self._edited = edited
        self.spool = SpooledEvents()
        self._run = run
        self._before = run.state.decision(KEY, Seen) or Seen()
        self._now = seen_at_once(run.config, run.sections)
        self._reach = self._choose_reach()
        self.full = run.options.full or self._reach is Reach.FULL

    def look(self) -> Detected:
        """Ask every source.

        Raises:
            ServerError: one of them cannot tell.
            ConfigError: Stash has no scene of an id that was asked for.
        """
        run = self._run
        stash, state, config = run.ports.stash, run.state, run.config
        forget_rules(run.session, self._before, self._now)
        few = self._reach.is_few
        self.dictionary = dictionary = Dictionary(
            state,
            run.session,
            None if few else self._names(),
            namesakes=config.with_namesakes,
        )
        dictionary.begin()
        self._uneven = uneven = Uneven(state, None if few else stash.uneven())
        if not few:
            for sentence in strange_names(config.names_of_stash, dictionary.present):
                run.totals.reporter.warn(sentence)
            self.spool = read_spool(run.ports.state_dir, run.ports.disk, run.ports.now())
        self._seen, roused = self._watch()
        again = roused.linked | (frozenset() if few else read_unread(state) | self._overlooked())
        lost = roused.lost
        concerned = lost | again | dictionary.concerned(config.participants) | uneven.concerned()
        if not run.options.partial:
            lost |= self._with_copies()
            concerned |= lost | find_returned(state.links(), self._before, self._now)
        found = self._detect(self._detector(concerned, roused))
        found.broken, found.again = lost, again | read_unread(state)
        return found

    def remember(self, session: Session, found: Detected) -> None:
        """Note what was seen, now that every scene concerned was handled."""
        self.dictionary.end()
        self._uneven.end(session)
        files_at = self._before.files_at
        if found.with_files:
            files_at = self._run.totals.header.started_at
        few = self._reach.is_few
        # What waits to settle is due, and what was not asked is asked.
        mark = "" if found.being_edited or (few and found.with_files) else self._mark
        swept_at = self._before.swept_at if few else self._run.totals.header.started_at
        seen = replace(
            self._seen_through(),
            files_at=files_at,
            look=mark,
            swept_at=swept_at if mark else "",
            plex=self._run.totals.header.plex if mark else None,
            at_rest=found.at_rest,
        )
        if seen != self._before:
            session.decide(KEY, seen)

    def _names(self) -> Names:
        """Read the dictionary, and say what of it cannot be read."""
        names = self._run.ports.stash.names()
        for one, why in islice(names.unreadable.items(), 1):
            many = f" and {len(names.unreadable) - 1} more" if len(names.unreadable) > 1 else ""
            self._run.totals.reporter.warn(
                f"{described(one)} of Stash{many} cannot be read and counts as it was: {why}"
            )
        return names

    # ---- what moved

    def _choose_reach(self) -> Reach:
        """Return which scenes this run looks at."""
        options, before, every = self._run.options, self._before, self._run.config.run
        now = self._run.ports.now()
        if options.scenes:
            return Reach.NAMED
        if self._edited:
            return Reach.EDITED
        if options.full or (not options.partial and self._is_full_due()):
            return Reach.FULL
        if not options.partial and is_past(before.files_at, every.files_every_s, now):
            return Reach.FILES
        return Reach.MOVED

    def _is_full_due(self) -> bool:
        """Whether a full run is overdue, or needed.

        A changed configuration of fields needs it: what it asks for may differ anywhere.
        """
        run = self._run
        last_full_at, every_s = run.state.checkpoint.last_full_at, run.config.run.full_every_s
        return (
            run.state.is_new
            or not self._before.wants_as(self._now)
            or is_past(last_full_at, every_s, run.ports.now())
        )

    def _watch(self) -> tuple[Seen, Roused]:
        """Look whether files came to Plex, moved there or went.

        Asks only if Plex scanned, or changed at all and `is_list_due`; never in a run that goes by
        a glance, which does not know the scenes with several files. The first look finds no scene:
        it has nothing to be compared with.

        Returns:
            What there was to see, and the scenes it concerns.
        """
        run, before, now = self._run, self._before, self._now
        unseen = replace(
            now, items=before.items, counters=before.counters, listed_at=before.listed_at
        )
        if run.state.is_new or self._reach.is_few:
            return unseen, Roused()
        if not is_list_due(before, now, run.state.waiting(), run.ports.now()):
            return unseen, Roused()
        index = run.inventory.index()
        if index is None:  # the next run looks again
            return replace(unseen, scans=before.scans), Roused()
        roused = roused_by(run, index, before.items, self._uneven.several())
        lost = broken(run.state.links(), index.items, run.inventory.section_ids)
        return self._having_seen(now, index), roused._replace(lost=lost)

    def _overlooked(self) -> frozenset[SceneId]:
        """Return the linked scenes that may be items no run found, whatever was seen before.

        Asked by a full run, so that it makes good for whatever went wrong, and where the
        configuration may match otherwise: a link tells nothing of the items it has not.
        """
        asks = self._reach is Reach.FULL or not self._before.matches_as(self._now)
        if not (asks and self._run.state.has_links):
            return frozenset()
        index = self._run.inventory.index()
        several = self._uneven.several()
        return roused_by(self._run, index, "", several).linked if index else frozenset()

    def _with_copies(self) -> frozenset[SceneId]:
        """Return the scenes with items that may be copies, which are left alone from now on."""
        run = self._run
        if run.config.match.copies is CopyPolicy.WRITE or self._before.matches_as(self._now):
            return frozenset()
        return frozenset(scene_id for scene_id, own in run.state.links() if len(own) > 1)

    def _seen_through(self) -> Seen:
        """Return what has been seen, without changes that still concern a scene.

        A list that was read after the scenes concerned were found counts only if it concerns none.
        """
        index, seen = self._run.inventory.had, self._seen
        if index is None or index.edition == seen.items:
            return seen
        if self._reach.is_few:
            return seen  # which scenes have several files was not asked
        several = self._uneven.several()
        if seen.items and roused_by(self._run, index, seen.items, several) != Roused():
            return seen
        return self._having_seen(replace(seen, counters=self._now.counters), index)

    def _having_seen(self, seen: Seen, index: Index) -> Seen:
        """Return that a list was seen; one that items were left out of is looked at again."""
        counters = "" if index.notes else seen.counters
        at = self._run.totals.header.started_at
        return replace(seen, items=index.edition, counters=counters, listed_at=at)

    # ---- what is due

    def _detector(self, concerned: frozenset[SceneId], roused: Roused) -> Detector:
        """Return what finds the scenes that take part and are due."""
        run = self._run
        unsettled = (one.plan for one in run.state.unsettled)
        return Detector(
            stash=run.ports.stash,
            records=run.state,
            step=lambda done: run.totals.reporter.progress("reading Stash", done, None),
            wait=self._let_pass,
            participation=run.config.participation(self.dictionary.present),
            sync_unversioned=run.config.stash.missing_timestamp == "sync",
            every_scene=self._reach is Reach.FULL,
            woken=not self._before.matches_as(self._now),
            roused=roused.waiting,
            timed=run.config.plex.scan,
            now=run.ports.now(),
            forced=concerned | {one.scene_id for one in unsettled if one.kind in VIDEO_KINDS},
            first=self.spool.scene_ids,
            patient=not run.options.dry_run,
            at_rest=self._before.at_rest,
        )

    def _detect(self, detector: Detector) -> Detected:
        """Which scenes are due."""
        totals, options = self._run.totals, self._run.options
        match self._reach:
            case Reach.NAMED:
                detected = detector.named(options.scenes)
            case Reach.EDITED:
                detected = detector.among(self._edited)
            case Reach.MOVED:
                detected = detector.changes()
            case Reach.FILES | Reach.FULL:
                detected = detector.everything()
        if options.limit is not None and len(detected.due) > options.limit:
            totals.left_due = len(detected.due) - options.limit
            taken = self._ranked(detected.due)[: options.limit]
            detected.due, detected.of_some = detected.due.pick(taken), True
        totals.counts.scenes_read = detected.scenes_read
        totals.counts.scenes_due = len(detected.due) + len(detected.poisoned)
        totals.backlog = detected.backlog
        return detected

    def _ranked(self, due: Sequence[Scene]) -> list[int]:
        """Return the places of scenes in the order in which a run with a limit takes them.

        Those that an earlier run handled as they are come last, whatever else makes them due: until
        a whole run they are due in each, and else no other one would have its turn. They take turns
        themselves: each run begins where the one before it ended, if that took as many.
        """
        state, events = self._run.state, self.spool.scene_ids
        new, handled = list[int](), list[int]()
        for at, scene in enumerate(due):
            is_new = scene.updated_at != state.version(scene.scene_id) or scene.scene_id in events
            (new if is_new else handled).append(at)
        runs_before = state.checkpoint.serial - (not self._run.options.dry_run)
        count = max((self._run.options.limit or 0) - len(new), 0)
        turn = runs_before * count % max(len(handled), 1)
        return [*new, *handled[turn:], *handled[:turn]]

    def _let_pass(self, seconds: float) -> None:
        """Wait for an edit to settle, in steps short enough to be stopped in between."""
        self._run.totals.reporter.progress("waiting for an edit to settle", 0, None)
        while seconds > 0 and not self._run.ports.should_stop():
            self._run.ports.sleep(min(seconds, _STEP_S))
            seconds -= _STEP_S
