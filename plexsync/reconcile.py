"""The use cases: reconcile a Stash library onto a Plex library.

One run goes one way: detect what is due, link it to items, read and plan in batches, show, write,
remember. Source: docs/design.md.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync import __version__, sinks
from plexsync.accounts import Memory
from plexsync.answers import Heard, hear
from plexsync.artwork import Artwork
from plexsync.delivery import Delivery
from plexsync.detect import Detected, Detector, Scope
from plexsync.dictionary import Dictionary
from plexsync.due import iso, next_try
from plexsync.errors import (
    AuthError,
    LibraryMissingError,
    PlexsyncError,
    ServerError,
    StateError,
    UnsafeError,
)
from plexsync.fieldmap import FieldMap, unsupported_fields
from plexsync.journal import Lineage, RunKind
from plexsync.journaled import remembered
from plexsync.limits import Limits
from plexsync.linking import Linked, Linker
from plexsync.models import Outcome, RunHeader, RunSummary
from plexsync.normalize import fold_tag, normalize_path
from plexsync.painting import Painter, Pictures
from plexsync.pipeline import Pipeline, Settings
from plexsync.plan_file import SavedItem, item_line, write_plan
from plexsync.planner import Planner, Rules, files_digest
from plexsync.plex_hashes import HashCache
from plexsync.plex_index import load_items
from plexsync.review_queue import Shelf, shelf_path
from plexsync.rivals import Rivals
from plexsync.rows import Pair, RowMaker
from plexsync.saved_pictures import SavedPictures
from plexsync.scanning import folders_to_scan
from plexsync.spool import Spool, clear_spool, read_spool
from plexsync.status import PROPOSED, Proposed
from plexsync.strays import settle_strays
from plexsync.tally import Tally
from plexsync.uneven import Uneven
from plexsync.unwritten import Unwritten
from plexsync.watching import KEY, Roused, Rousing, Seen, broken, digest, scans_digest
from plexsync.writing import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plexsync.config_schema import Config
    from plexsync.models import RatingKey, Scene, SceneId, Section
    from plexsync.plex_index import Index
    from plexsync.ports import Ports, Reporter, RunOptions
    from plexsync.session import Session
    from plexsync.state import State, Unsettled


_STEP_S = 0.5

_RECORDS = "2"
"""Moves when records hold more than they used to, so that a full run fills them in."""


def run(config: Config, options: RunOptions, ports: Ports, reporter: Reporter) -> RunSummary:
    """One reconcile pass.

    What goes wrong ends in the summary, not in an exception; the reporter's `finished` is always
    the last thing called.
    """
    header = RunHeader(
        run_id=ports.run_id, started_at=iso(ports.now()), dry_run=options.dry_run, full=options.full
    )
    header = replace(header, again=" ".join(map(quote, options.to_write)))
    tally = Tally(reporter, header)
    error: PlexsyncError | None = None
    try:
        with (
            remembered(config, ports, dry_run=options.dry_run, lock_wait_s=options.lock_wait_s) as (
                state,
                session,
            ),
            closing(_Run(config, options, ports, tally)) as once,
        ):
            once.go(state, session)
    except PlexsyncError as caught:
        error = caught
    summary = tally.summary(error, options, ports)
    reporter.finished(summary)
    return summary


class _Run:
    """One pass, from the first question to the last remembered scene."""

    def __init__(self, config: Config, options: RunOptions, ports: Ports, tally: Tally) -> None:
        self._config = config
        self._options = options
        self._ports = ports
        self._tally = tally
        self._reporter = tally.reporter
        tally.subset = config.plex.subset
        self._sections: tuple[Section, ...] = ()
        self._broken: frozenset[SceneId] = frozenset()
        self._roused = Roused()
        self._index: Index | None = None
        self._reconfigured = False
        self._plan = sinks.Spool()

    def go(self, state: State, session: Session | None) -> None:
        """Everything between the first question and the last answer."""
        lineage = self._connect(state)
        self._sections = self._ask_sections()
        seen, before = self._seen(), state.decision(KEY, Seen) or Seen()
        full = self._is_full(state, before, seen)
        # What failed for good under other rules gets its chance.
        self._reconfigured = before.fields != seen.fields
        self._tally.header = replace(self._tally.header, full=full)
        self._reporter.started(self._tally.header)
        if session is not None:
            session.begin(
                run_id=self._ports.run_id,
                kind=RunKind.RUN,
                started_at=self._tally.header.started_at,
                lineage=lineage,
                version=__version__,
            )
        detected = Detected()
        error: PlexsyncError | None = None
        dictionary, uneven, rousing, spool = None, None, None, Spool()
        try:
            named = bool(self._options.scenes)
            names = None if named else self._ports.stash.names()
            dictionary = Dictionary(state, session, names)
            dictionary.begin()
            uneven = Uneven(state, None if named else self._ports.stash.uneven())
            if not named:
                spool = read_spool(self._ports.state_dir, self._ports.disk, self._ports.now())
            rousing = Rousing(state, self._shelf_path(state), uneven.several(), self._config.paths)
            seen = self._watch(state, rousing, before, seen)
            woken = before.library != seen.library
            concerned = dictionary.concerned(self._exclude_tags) | uneven.concerned()
            detected = self._detect(state, self._scope(state, concerned, spool, woken=woken))
            unsafe = self._guard(state, detected)
            self._reconcile(state, session, dictionary, detected)
            error = unsafe
        except StateError:
            raise  # nothing more can be written down
        except PlexsyncError as caught:
            error = caught
        if session is not None:
            complete = error is None and detected.complete and not self._options.partial
            if complete and dictionary and uneven and rousing:
                dictionary.end()
                uneven.end(session)
                seen = self._seen_through(rousing, seen)
                self._remember_seen(session, before, seen, detected)
            self._end(session, detected, error, complete=complete)
            if complete:
                clear_spool(spool, self._ports.disk)
        if error is not None:
            raise error
        if self._options.save_plan is not None:
            self._write_plan(self._options.save_plan, lineage)

    def close(self) -> None:
        """Give back what was held for the run."""
        self._plan.close()

    def _save(self, item: SavedItem) -> None:
        self._plan.add(item_line(item))

    def _write_plan(self, path: Path, lineage: Lineage) -> None:
        """Save what was planned; a run that failed as a whole saves nothing."""
        write_plan(
            path,
            self._plan,
            run_id=self._ports.run_id,
            created_at=self._tally.header.started_at,
            lineage=lineage,
            disk=self._ports.disk,
        )

    # ---- asking

    def _connect(self, state: State) -> Lineage:
        """Meet both servers, and make sure that the state is about them."""
        for note in state.notes:
            self._reporter.warn(note)
        stash = self._ports.stash.connect()
        plex = self._ports.plex.connect()
        self._tally.header = replace(self._tally.header, stash=stash, plex=plex)
        lineage = Lineage(plex=plex.identity, stash=stash.identity)
        note = state.check_lineage(lineage)
        if note:
            self._reporter.warn(note)
        return lineage

    def _ask_sections(self) -> tuple[Section, ...]:
        """The libraries that take part, with a word on those that are changing."""
        sections = self._ports.plex.sections(self._options.libraries or self._config.plex.libraries)
        if not sections:
            raise LibraryMissingError(
                "Plex has no movie or show library",
                hint="add one in Plex; plexsync writes to what Plex has found there",
            )
        for section in sections:
            if section.refreshing:
                self._reporter.warn(
                    f"Plex is scanning '{section.title}'; what it has not found yet comes next time"
                )
        return sections

    def _seen(self) -> Seen:
        """What there is to see at once; the rest is as it was."""
        config = self._config
        library = [f"{rule.stash}\x1f{rule.plex}" for rule in config.paths]
        library.append(f"{config.match.strict_matching}{config.match.use_content_hash}")
        fields = [repr(rule) for rule in config.fields]
        fields += [repr(self._rules()), repr(sorted(config.stash.exclude_tags))]
        fields += [repr(sorted(config.stash.required)), _RECORDS]
        return Seen(
            library=digest(library), fields=digest(fields), scans=scans_digest(self._sections)
        )

    def _watch(self, state: State, rousing: Rousing, before: Seen, seen: Seen) -> Seen:
        """Look whether files came to Plex, moved there or went; asks only if it scanned.

        The first look wakes nobody: it has nothing to be compared with.
        """
        if state.is_new or self._options.scenes or before.scans == seen.scans:
            return replace(seen, items=before.items)
        index = self._load_index()
        sections = frozenset(section.section_id for section in self._sections)
        self._roused = rousing.by(index, before.items)
        self._broken = broken(state.links(), index.items, sections) | self._roused.several
        return replace(seen, items=index.edition)

    def _is_full(self, state: State, before: Seen, seen: Seen) -> bool:
        """Whether every scene and every linked item is compared: asked for, overdue, or needed.

        A changed configuration of fields needs it: what it asks for may differ anywhere.
        """
        if self._options.full:
            return True
        if self._options.partial:
            return False
        if state.is_new or before.fields != seen.fields:
            return True
        due = iso(self._ports.now() - timedelta(seconds=self._config.run.full_every_s))
        return state.last_full_at <= due

    @property
    def _exclude_tags(self) -> frozenset[str]:
        return frozenset(map(fold_tag, self._config.stash.exclude_tags))

    def _scope(self, state: State, concerned: set[SceneId], spool: Spool, *, woken: bool) -> Scope:
        """Which scenes take part, and what is known of their being due."""
        config = self._config.stash
        unsettled = {one.plan.scene_id for one in state.unsettled}
        return Scope(
            organized_only=config.organized_only,
            exclude_tags=self._exclude_tags,
            required=frozenset(config.required),
            sync_unversioned=config.missing_timestamp == "sync",
            everything=self._tally.header.full,
            parked=self._options.full or self._reconfigured,
            woken=woken,
            roused=self._roused.waiting,
            now=self._ports.now(),
            forced=self._broken.union(unsettled, concerned),
            first=spool.scene_ids,
            patient=not self._options.dry_run,
        )

    def _detect(self, state: State, scope: Scope) -> Detected:
        """Which scenes are due."""
        detector = Detector(
            self._ports.stash,
            state,
            scope,
            step=lambda done: self._reporter.progress("reading Stash", done, None),
            wait=self._let_pass,
        )
        if self._options.scenes:
            detected = detector.named(self._options.scenes)
        elif scope.everything or self._are_files_due(state):
            detected = detector.everything()
        else:
            detected = detector.changes()
        if self._options.limit is not None:
            del detected.due[self._options.limit :]
        self._tally.note_detected(detected)
        return detected

    def _let_pass(self, seconds: float) -> None:
        """Wait for an edit to settle, in steps short enough to be stopped in between."""
        self._reporter.progress("waiting for an edit to settle", 0, None)
        while seconds > 0 and not self._ports.should_stop():
            self._ports.sleep(min(seconds, _STEP_S))
            seconds -= _STEP_S

    def _are_files_due(self, state: State) -> bool:
        """Whether the files of all scenes were not looked at for too long."""
        if self._options.partial:
            return False
        before = state.decision(KEY, Seen) or Seen()
        due = self._ports.now() - timedelta(seconds=self._config.run.files_every_s)
        return before.files_at <= iso(due)

    # ---- doing

    def _guard(self, state: State, detected: Detected) -> UnsafeError | None:
        """Stop before anything is forgotten where Stash lost more scenes than can be meant.

        A scene that got another id is not lost: its files tell. A dry run forgets nothing: it goes
        on, and says at the end what would have stopped it.

        Raises:
            UnsafeError: that is so.
        """
        gone = set(detected.gone)
        if self._options.force or not gone:
            return None
        here = {files_digest(scene.files) for scene in detected.due if scene.files}
        records = map(state.get, gone)
        lost = sum(record is None or record.files not in here for record in records)
        try:
            self._limits().check_gone(lost, len(state.scene_ids()))
        except UnsafeError as unsafe:
            if not self._options.dry_run:
                raise
            return unsafe
        return None

    def _limits(self) -> Limits:
        apply, most = self._config.apply, self._options.max_changes
        return Limits(
            max_changes=apply.max_changes if most is None else most,
            max_clears=apply.max_clears,
            max_share=apply.max_share,
        )

    def _reconcile(
        self,
        state: State,
        session: Session | None,
        dictionary: Dictionary,
        detected: Detected,
    ) -> None:
        """Link, plan, show and write what was detected."""
        rows = RowMaker(
            scene_url=self._ports.stash.scene_url,
            item_url=self._ports.plex.item_url,
            libraries={section.section_id: section.title for section in self._sections},
        )
        shelf = None if session is None else Shelf(self._shelf_path(state))
        unwritten = Unwritten(
            state=state,
            session=session,
            rows=rows,
            tally=self._tally,
            retry_at=self._retry_at,
            believe_absence=not self._options.libraries,
            shelf=shelf,
        )
        unwritten.note_absent(detected)
        heard = hear(state)
        due = []
        for scene in detected.due:
            reason = heard.ignores(scene)
            if reason is None:
                due.append(scene)
            else:
                unwritten.note_ignored(scene, reason)
        linker = self._linker(state, heard, detected.strangers.union(detected.gone))
        pairs, rest = linker.remembered(due)
        linked = self._link(linker, rest, pairs)
        unwritten.keep_several(linked.pairs)
        self._tell_unsupported(linked)
        folders = self._folders_to_scan(state, linked)
        delivery = Delivery(
            limits=self._limits(),
            options=self._options,
            state=state,
            pipeline=self._pipeline(state, session, rows, dictionary),
            unwritten=unwritten,
            rows=rows,
            tally=self._tally,
            save=self._save if self._options.save_plan else None,
            confirm=self._ports.confirm if self._options.ask else None,
        )
        try:
            delivery.deliver(
                pairs + linked.pairs,
                linked,
                lambda scenes: self._link(linker, scenes, (), force=True),
            )
        finally:
            self._put_away(shelf)
        if session is not None and not self._options.partial:
            reader = Reader(self._ports.plex, plex_down=self._ports.plex_down)
            settle_strays(session, reader, Planner(self._rules()))
        self._scan(folders)

    def _shelf_path(self, state: State) -> Path:
        """Where review finds the candidates of what waits."""
        return shelf_path(self._ports.cache_dir, self._ports.state_dir, state.lineage)

    def _put_away(self, shelf: Shelf | None) -> None:
        if shelf is not None:
            shelf.close()
            if shelf.problem:
                self._reporter.warn(shelf.problem)

    def _folders_to_scan(self, state: State, linked: Linked) -> tuple[tuple[Section, str], ...]:
        """Where Plex should look for what it lacks, if it may be asked to.

        A scan wakes all that wait for Plex. So that they do not ask for the next one in turn, only
        a scene whose own time has come asks.
        """
        if not self._config.plex.scan or self._options.dry_run or self._options.libraries:
            return ()
        now = iso(self._ports.now())
        records = ((one.scene, state.get(one.scene.scene_id)) for one in linked.unmatched)
        asking = (
            scene
            for scene, record in records
            if record is None or record.outcome is not Outcome.UNMATCHED or record.due_at <= now
        )
        return folders_to_scan(asking, self._config.paths, self._sections)

    def _scan(self, folders: Sequence[tuple[Section, str]]) -> None:
        """Ask for the scans; one that is refused costs nothing but a word."""
        for section, folder in folders:
            try:
                self._ports.plex.scan(section, folder)
            except AuthError:
                raise
            except ServerError as error:
                self._reporter.warn(f"Plex does not scan '{folder}': {error.message}")
                if self._ports.plex_down():
                    raise

    def _linker(self, state: State, heard: Heard, void: set[SceneId]) -> Linker:
        return Linker(
            records=state,
            sections=frozenset(section.section_id for section in self._sections),
            rules=self._config.paths,
            strict=self._config.match.strict_matching,
            hashes=self._hashes().read if self._config.match.use_content_hash else None,
            heard=heard,
            broken=self._broken,
            void=frozenset(void),
            rivals=Rivals(state=state, shelf=self._shelf_path(state), stash=self._ports.stash),
        )

    def _hashes(self) -> HashCache:
        plex = self._tally.header.plex
        return HashCache(
            self._ports.plex.hashes,
            server=plex.identity if plex else "",
            directory=self._ports.cache_dir,
        )

    def _link(
        self,
        linker: Linker,
        scenes: Sequence[Scene],
        taken: Sequence[Pair],
        *,
        force: bool = False,
    ) -> Linked:
        """Match `scenes` against what is in Plex; costs nothing when there are none."""
        if not scenes or not self._sections:
            return Linked()
        items = self._load_index(force=force).items
        self._reporter.progress("matching", 0, len(scenes))
        linked = linker.matched(scenes, items, taken)
        self._tally.proposed = linked.proposed or self._tally.proposed
        return linked

    def _load_index(self, *, force: bool = False) -> Index:
        """What is in Plex, had once a run; `force` lists it anew."""
        if self._index is not None and not force:
            return self._index
        plex = self._tally.header.plex
        index = load_items(
            self._ports.plex,
            self._sections,
            cache_dir=self._ports.cache_dir,
            machine=plex.identity if plex else "",
            now=self._ports.now(),
            force=force,
            progress=lambda done, total: self._reporter.progress("listing Plex", done, total),
        )
        if index.problem:
            self._reporter.warn(index.problem)
        self._tally.index = index.how
        self._index = index
        return index

    def _tell_unsupported(self, linked: Linked) -> None:
        """Say what Plex does not keep, once: when an item of such a kind is linked first."""
        kinds = {section.section_id: section.kind for section in self._sections}
        for kind in sorted({kinds[pair.link.section_id] for pair in linked.pairs}):
            lost = unsupported_fields(self._config.fields, kind)
            if lost:
                self._reporter.warn(
                    f"Plex keeps no {', '.join(lost)} for {kind}s; not written there"
                )

    def _pipeline(
        self,
        state: State,
        notebook: Session | None,
        rows: RowMaker,
        dictionary: Dictionary,
    ) -> Pipeline:
        unsettled: defaultdict[tuple[SceneId, RatingKey], list[Unsettled]] = defaultdict(list)
        for one in state.unsettled:
            unsettled[one.plan.scene_id, one.plan.rating_key].append(one)
        return Pipeline(
            self._ports.stash,
            self._ports.plex,
            notebook,
            pictures=self._pictures(),
            settings=Settings(
                fields=FieldMap(
                    self._config.fields,
                    scene_url=self._ports.stash.scene_url,
                    file_url=self._ports.stash.file_url,
                ),
                planner=Planner(self._rules()),
                lock_fields=self._config.apply.lock_fields,
                compare_all=self._tally.header.full or bool(self._options.scenes),
                asked_for=self._options.full or bool(self._options.scenes),
                retry_at=self._retry_at,
                should_stop=self._ports.should_stop,
                plex_down=self._ports.plex_down,
                servers_down=self._servers_down,
            ),
            memory=Memory(record=state.get, unsettled=dict(unsettled), observe=dictionary.observe),
            rows=rows,
            emit=self._tally.emit,
        )

    def _pictures(self) -> Pictures:
        stash, gallery = self._ports.stash, self._ports.plex.pictures
        artwork = Artwork(
            stash,
            gallery,
            rules=self._config.fields,
            preserve=self._config.apply.preserve_plex_edits,
            compare_all=self._tally.header.full or bool(self._options.scenes),
            asked_for=self._options.full or bool(self._options.scenes),
            servers_down=self._servers_down,
        )
        painter = Painter(
            stash,
            gallery,
            Reader(self._ports.plex, plex_down=self._ports.plex_down).read,
            should_stop=self._ports.should_stop,
            servers_down=self._servers_down,
        )
        return Pictures(artwork, painter, SavedPictures(stash, gallery).save)

    def _servers_down(self) -> bool:
        return self._ports.plex_down() or self._ports.stash_down()

    # ---- ending

    def _seen_through(self, rousing: Rousing, seen: Seen) -> Seen:
        """What nobody has to be woken for any more.

        A list that was had, or had anew, after those concerned were woken counts only if it
        concerns nobody.
        """
        index = self._index
        if index is None or index.edition == seen.items:
            return seen
        if seen.items and rousing.by(index, seen.items) != Roused():
            return seen
        return replace(seen, items=index.edition)

    def _remember_seen(
        self, session: Session, before: Seen, seen: Seen, detected: Detected
    ) -> None:
        """Note what a complete run saw, so that the next one can tell what moved."""
        started_at = self._tally.header.started_at
        seen = replace(seen, files_at=started_at if detected.with_files else before.files_at)
        if before != seen:
            session.decide(KEY, seen)

    def _end(
        self,
        session: Session,
        detected: Detected,
        error: PlexsyncError | None,
        *,
        complete: bool,
    ) -> None:
        """Write down how the run ended; only a complete one moves the watermark."""
        self._note_proposed(session, all_matched=self._tally.header.full and complete)
        newest = max(detected.newest, session.state.newest_updated_at)
        session.end(
            finished_at=self._ports.now(),
            exit_code=self._tally.exit_code(error, self._options),
            counts=self._tally.counts,
            full=self._tally.header.full and complete,
            newest_updated_at=newest if complete else "",
        )

    def _note_proposed(self, session: Session, *, all_matched: bool) -> None:
        """Keep the path rules this run proposed for `status`, without those that were followed."""
        before = session.state.decision(PROPOSED, Proposed) or Proposed()
        rules = self._tally.proposed or (() if all_matched else before.rules)
        followed = {normalize_path(rule.stash) for rule in self._config.paths}
        now = Proposed(rules=tuple(r for r in rules if normalize_path(r.stash) not in followed))
        if now != before:
            session.decide(PROPOSED, now)

    def _rules(self) -> Rules:
        apply = self._config.apply
        return Rules(
            preserve_plex_edits=apply.preserve_plex_edits,
            lock_fields=apply.lock_fields,
            clear_empty=apply.empty == "clear",
        )

    def _retry_at(self, attempts: int, outcome: Outcome) -> str:
        return next_try(
            attempts, self._ports.now(), outcome=outcome, subset=self._config.plex.subset
        )
