"""The use cases: reconcile a Stash library onto a Plex library.

One run goes one way: detect what is due, link it to items, read and plan in batches, show, write,
remember. Source: docs/design.md.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from plexsync import __version__
from plexsync.answers import Heard, hear
from plexsync.delivery import Delivery
from plexsync.detect import Detected, Detector, Scope
from plexsync.due import iso, narrowing_bound, next_try
from plexsync.errors import LibraryMissingError, PlexsyncError, StateError
from plexsync.fieldmap import FieldMap, unsupported_fields
from plexsync.journal import Lineage, RunKind
from plexsync.journaled import remembered
from plexsync.linking import Linked, Linker
from plexsync.models import RunHeader, RunSummary
from plexsync.normalize import fold_tag, normalize_path
from plexsync.pipeline import Memory, Pipeline, Settings
from plexsync.planner import Planner, Rules
from plexsync.plex_hashes import HashCache
from plexsync.plex_index import load_items
from plexsync.review_queue import Shelf, shelf_path
from plexsync.rows import Pair, RowMaker
from plexsync.status import PROPOSED, Proposed
from plexsync.tally import Tally
from plexsync.unwritten import Unwritten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.config_schema import Config
    from plexsync.models import RatingKey, Scene, SceneId, Section
    from plexsync.ports import Ports, Reporter, RunOptions
    from plexsync.session import Session
    from plexsync.state import State, Unsettled

_SEEN = "seen"


def run(config: Config, options: RunOptions, ports: Ports, reporter: Reporter) -> RunSummary:
    """One reconcile pass.

    What goes wrong ends in the summary, not in an exception; the reporter's `finished` is always
    the last thing called.
    """
    header = RunHeader(
        run_id=ports.run_id, started_at=iso(ports.now()), dry_run=options.dry_run, full=options.full
    )
    tally = Tally(reporter, header)
    error: PlexsyncError | None = None
    try:
        with remembered(
            config, ports, dry_run=options.dry_run, lock_wait_s=options.lock_wait_s
        ) as (state, session):
            _Run(config, options, ports, tally).go(state, session)
    except PlexsyncError as caught:
        error = caught
    summary = tally.summary(error, options, ports)
    reporter.finished(summary)
    return summary


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a run saw of the things that wake scenes: digests, compared for inequality.

    `library` moves when Plex scanned, or when the configuration may match otherwise; `fields`
    when the configuration wants other values in Plex.
    """

    library: str = ""
    fields: str = ""


class _Run:
    """One pass, from the first question to the last remembered scene."""

    def __init__(self, config: Config, options: RunOptions, ports: Ports, tally: Tally) -> None:
        self._config = config
        self._options = options
        self._ports = ports
        self._tally = tally
        self._reporter = tally.reporter

    def go(self, state: State, session: Session | None) -> None:
        """Everything between the first question and the last answer."""
        lineage = self._connect(state)
        sections = self._sections()
        seen, before = self._seen(sections), state.decision(_SEEN, Seen) or Seen()
        full = self._is_full(state, before, seen)
        self._tally.header = msgspec.structs.replace(self._tally.header, full=full)
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
        try:
            detected = self._detect(state, full=full, woken=before.library != seen.library)
            self._reconcile(state, session, sections, detected)
        except StateError:
            raise  # nothing more can be written down
        except PlexsyncError as caught:
            error = caught
        if session is not None:
            self._end(session, detected, seen, error)
        if error is not None:
            raise error

    # ---- asking

    def _connect(self, state: State) -> Lineage:
        """Meet both servers, and make sure that the state is about them."""
        for note in state.notes:
            self._reporter.warn(note)
        stash = self._ports.stash.connect()
        plex = self._ports.plex.connect()
        self._tally.header = msgspec.structs.replace(self._tally.header, stash=stash, plex=plex)
        lineage = Lineage(plex=plex.identity, stash=stash.identity)
        note = state.check_lineage(lineage)
        if note:
            self._reporter.warn(note)
        return lineage

    def _sections(self) -> tuple[Section, ...]:
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

    def _seen(self, sections: Sequence[Section]) -> Seen:
        config = self._config
        library = [f"{section.uuid}{section.scanned_at}" for section in sections]
        library += [f"{rule.stash}\x1f{rule.plex}" for rule in config.paths]
        library.append(f"{config.match.strict_matching}{config.match.use_content_hash}")
        fields = [repr(rule) for rule in config.fields]
        fields += [repr(self._rules()), repr(sorted(config.stash.exclude_tags))]
        return Seen(library=_digest(library), fields=_digest(fields))

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

    def _detect(self, state: State, *, full: bool, woken: bool) -> Detected:
        """Which scenes are due."""
        config = self._config.stash
        detector = Detector(
            self._ports.stash,
            state,
            Scope(
                organized_only=config.organized_only,
                exclude_tags=frozenset(map(fold_tag, config.exclude_tags)),
                sync_unversioned=config.missing_timestamp == "sync",
                everything=full,
                woken=woken,
                now=self._ports.now(),
            ),
            frozenset(unsettled.plan.scene_id for unsettled in state.unsettled),
            lambda done: self._reporter.progress("reading Stash", done, None),
        )
        bound = narrowing_bound(state.newest_updated_at, self._ports.now())
        if self._options.scenes:
            detected = detector.named(self._options.scenes)
        elif full or not bound:
            detected = detector.everything()
        else:
            detected = detector.changes(bound)
        if self._options.limit is not None:
            del detected.due[self._options.limit :]
        self._tally.note_detected(detected)
        return detected

    # ---- doing

    def _reconcile(
        self,
        state: State,
        session: Session | None,
        sections: Sequence[Section],
        detected: Detected,
    ) -> None:
        """Link, plan, show and write what was detected."""
        rows = RowMaker(
            scene_url=self._ports.stash.scene_url,
            item_url=self._ports.plex.item_url,
            libraries={section.section_id: section.title for section in sections},
        )
        shelf = None if session is None else self._shelf(state)
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
        linker = self._linker(state, sections, heard)
        pairs, rest = linker.remembered(due)
        linked = self._link(linker, rest, pairs, sections)
        self._tell_unsupported(linked, sections)
        delivery = Delivery(
            config=self._config.apply,
            options=self._options,
            state=state,
            pipeline=self._pipeline(state, session, rows),
            unwritten=unwritten,
            rows=rows,
            tally=self._tally,
        )
        try:
            delivery.deliver(
                pairs + linked.pairs,
                linked,
                lambda scenes: self._link(linker, scenes, (), sections, force=True),
            )
        finally:
            self._put_away(shelf)

    def _shelf(self, state: State) -> Shelf:
        """Where review finds the candidates of what waits."""
        path = shelf_path(self._ports.cache_dir, self._ports.state_dir, state.lineage)
        return Shelf(path)

    def _put_away(self, shelf: Shelf | None) -> None:
        if shelf is not None:
            shelf.close()
            if shelf.problem:
                self._reporter.warn(shelf.problem)

    def _linker(self, state: State, sections: Sequence[Section], heard: Heard) -> Linker:
        return Linker(
            records=state,
            sections=frozenset(section.section_id for section in sections),
            rules=self._config.paths,
            strict=self._config.match.strict_matching,
            hashes=self._hashes().read if self._config.match.use_content_hash else None,
            heard=heard,
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
        sections: Sequence[Section],
        *,
        force: bool = False,
    ) -> Linked:
        """Match `scenes` against what is in Plex; costs nothing when there are none."""
        if not scenes or not sections:
            return Linked()
        plex = self._tally.header.plex
        index = load_items(
            self._ports.plex,
            sections,
            cache_dir=self._ports.cache_dir,
            machine=plex.identity if plex else "",
            now=self._ports.now(),
            force=force,
            progress=lambda done, total: self._reporter.progress("listing Plex", done, total),
        )
        if index.problem:
            self._reporter.warn(index.problem)
        self._tally.index = index.how
        self._reporter.progress("matching", 0, len(scenes))
        linked = linker.matched(scenes, index.items, taken)
        self._tally.proposed = linked.proposed or self._tally.proposed
        return linked

    def _tell_unsupported(self, linked: Linked, sections: Sequence[Section]) -> None:
        """Say what Plex does not keep, once: when an item of such a kind is linked first."""
        kinds = {section.section_id: section.kind for section in sections}
        for kind in sorted({kinds[pair.link.section_id] for pair in linked.pairs}):
            lost = unsupported_fields(self._config.fields, kind)
            if lost:
                self._reporter.warn(
                    f"Plex keeps no {', '.join(lost)} for {kind}s; not written there"
                )

    def _pipeline(self, state: State, notebook: Session | None, rows: RowMaker) -> Pipeline:
        unsettled: defaultdict[tuple[SceneId, RatingKey], list[Unsettled]] = defaultdict(list)
        for one in state.unsettled:
            unsettled[one.plan.scene_id, one.plan.rating_key].append(one)
        return Pipeline(
            self._ports.stash,
            self._ports.plex,
            notebook,
            settings=Settings(
                fields=FieldMap(self._config.fields, scene_url=self._ports.stash.scene_url),
                planner=Planner(self._rules()),
                lock_fields=self._config.apply.lock_fields,
                compare_all=self._tally.header.full or bool(self._options.scenes),
                asked_for=self._options.full or bool(self._options.scenes),
                retry_at=self._retry_at,
                should_stop=self._ports.should_stop,
                plex_down=self._ports.plex_down,
            ),
            memory=Memory(record=state.get, unsettled=dict(unsettled)),
            rows=rows,
            emit=self._tally.emit,
        )

    # ---- ending

    def _end(
        self, session: Session, detected: Detected, seen: Seen, error: PlexsyncError | None
    ) -> None:
        """Write down how the run ended; only a complete one moves the watermark."""
        complete = error is None and detected.complete and not self._options.partial
        if complete and session.state.decision(_SEEN, Seen) != seen:
            session.decide(_SEEN, seen)
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

    def _retry_at(self, attempts: int) -> str:
        return next_try(attempts, self._ports.now())


def _digest(parts: Iterable[str]) -> str:
    # A path from the environment may be bytes that are no text.
    text = "\x1e".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=8).hexdigest()
