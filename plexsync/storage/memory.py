"""What plexsync remembers: the last checkpoint plus every journal entry after it.

What a run remembers goes through `session.Session`, which hands each entry both to the journal and
to `State.apply`, so that memory and a later load cannot differ.

Which journals a checkpoint lacks follows from the number of each run, counted without a gap, never
by the clock. So a missing journal is noticed, and `state.json.previous` with the journals after it
holds as much as `state.json` did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from plexsync.errors import ExitCode, StateMismatchError
from plexsync.models import (
    WITHOUT_ITEM,
    CollectionRecord,
    ItemPlan,
    Link,
    Outcome,
    RatingKey,
    RelatedId,
    SceneId,
    SceneRecord,
    ShowRecord,
    id_order,
    is_show_key,
)
from plexsync.planning.retry_schedule import WAITING
from plexsync.storage.checkpoint import Checkpoint, OpenIntent, RunRecord
from plexsync.storage.intents import unpack_plan
from plexsync.storage.journal import (
    NULL,
    UNREADABLE,
    Begin,
    DecisionEntry,
    End,
    Entry,
    Intent,
    Lineage,
    Result,
    RunKind,
    SceneKept,
    Settlement,
)
from plexsync.storage.scenes.rows import (
    FILES,
    HEAD,
    LINKS,
    NAME_PREFIX,
    PLACED,
    RELATED,
    VERSION,
    WHOLE_LINKS,
    SceneRows,
    corrupt,
)
from plexsync.storage.scenes.texts import News, pack_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, KeysView
    from pathlib import Path

    from plexsync.storage.scenes.row import LinkPlace, Links, Placed

ENDED_WELL = frozenset({ExitCode.OK, ExitCode.CHANGES, ExitCode.ONLY_REVIEW})
"""The exit codes of a run after which nothing is wrong."""

UNLINKED = WAITING | {Outcome.IGNORED}
"""The outcomes after which a scene's links do not count."""

_RUNS_KEPT = 50

COLLECTION_PREFIX = "collection."
"""What the keys begin with under which collections are remembered."""

SHOW_PREFIX = "above."
"""What the keys begin with under which shows and seasons are remembered."""

_ENCODER = msgspec.json.Encoder(order="deterministic")
_LINK = msgspec.json.Decoder(Link)

T = TypeVar("T")


def kept_key(key: SceneId) -> str:
    """Return the key under which a collection, show or season is remembered."""
    return f"{SHOW_PREFIX if is_show_key(key) else COLLECTION_PREFIX}{key}"


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """A write of which nobody knows whether it reached Plex: line `seq` of run `run_id`."""

    run_id: str
    seq: int
    plan: ItemPlan


class State:
    """Everything remembered. Changes only through `apply`.

    Args:
        path: where `state.json` is or will be; errors name it.
        base: the checkpoint to start from.
        notes: what a person should know about how it was loaded, whole sentences.

    Attributes:
        checkpoint: what `state.json` would hold by now, but for `unsettled`; see `complete`.
        covered: the runs with journals that `state.json` holds: those in which something happened,
            and the others.
    """

    def __init__(
        self, path: Path, base: Checkpoint | None = None, *, notes: tuple[str, ...] = ()
    ) -> None:
        base = base or Checkpoint(rows=SceneRows(path))
        self.path = path
        self.notes = notes
        self.checkpoint = base
        self.changes_since_checkpoint = base.rows.unfolded
        self.runs_since_checkpoint = 0
        self.covered = tuple(base.folded), tuple(base.idle)
        self._rows = base.rows
        self._rows.know_names(base.decisions)
        self._decisions = base.decisions
        self._former = base.former
        self._waiting = base.waiting
        self._waiting_now: tuple[tuple[SceneId, SceneRecord], ...] | None = None
        self._runs = base.runs
        self._open = {(intent.run_id, intent.seq): intent.plan for intent in base.unsettled}

    # ---- Asking ----------------------------------------------------------------------------------

    @property
    def is_new(self) -> bool:
        """Whether no scene was ever remembered: there is nothing to compare a first run with."""
        return not self._rows

    @property
    def has_links(self) -> bool:
        """Whether a scene or an item may have been linked before."""
        return bool(self._rows or self._former)

    def scene_ids(self) -> KeysView[SceneId]:
        """Return the remembered scenes, as a set that follows the state."""
        return self._rows.keys()

    def get(self, scene_id: SceneId, *, bare: bool = False) -> SceneRecord | None:
        """Return the record of a scene; a bare one lacks the fields of its items. None for nothing.

        Raises:
            StateCorruptError: the record is none; so do all that ask for records.
        """
        return self._rows.record(scene_id, bare=bare)

    def row(self, scene_id: SceneId) -> bytes:
        """Return the record of a scene as it is kept; b"" when nothing is remembered.

        While `texts_mark` stays, the same row is the same record.
        """
        return self._rows.get(scene_id, b"")

    def records_mark(self) -> str:
        """Return what moves whenever a record does."""
        return self._rows.mark()

    def texts_mark(self, most: int | None = None) -> tuple[int, str]:
        """Return how many texts rows share, and a digest of them; of the first ones up to `most`.

        Texts are only added until all are gathered once more, so the mark of as many as there were
        at an earlier time says whether numbers still stand for what they did.
        """
        return self._rows.texts_mark(most)

    def related(self, scene_id: SceneId) -> list[RelatedId]:
        """Return what the scene showed when it was handled last."""
        return self._rows.view(RELATED, scene_id) or []

    def files(self, scene_id: SceneId) -> str:
        """Return the digest of the files a scene's links were decided by; "" for none."""
        return self._rows.view(FILES, scene_id) or ""

    def version(self, scene_id: SceneId) -> str:
        """Return the version text of the scene that was handled last; "" when none was."""
        return self._rows.view(VERSION, scene_id) or ""

    def versions(self) -> dict[SceneId, str]:
        """Return the version text of each scene that was handled last."""
        return dict(self._rows.views(VERSION))

    def showing(self, objects: Collection[RelatedId]) -> set[SceneId]:
        """Return the scenes with a record that names any of `objects`."""
        return set(self._rows.showing(objects))

    def ignored(self) -> set[SceneId]:
        """Return the scenes that are left out."""
        heads = self._rows.views(HEAD)
        return {scene_id for scene_id, head in heads if head.outcome is Outcome.IGNORED}

    def with_files(self, files: Collection[str]) -> set[SceneId]:
        """Return the scenes that are remembered with any of these digests of files."""
        packed = set(map(pack_digest, files))
        return {scene_id for scene_id, head in self._rows.views(HEAD) if head.files in packed}

    def waiting(self) -> Iterator[tuple[SceneId, SceneRecord]]:
        """Yield the scenes with one of `WAITING` as last outcome, by id. Costs only those."""
        if self._waiting_now is None:
            ids = sorted(self._waiting, key=id_order)
            records = ((scene_id, self.get(scene_id)) for scene_id in ids)
            self._waiting_now = tuple((one, record) for one, record in records if record)
        yield from self._waiting_now

    def pack(self, record: SceneRecord) -> tuple[bytes, News]:
        """Return a record as a journal has it, and the texts that come with it."""
        return self._rows.pack(record)

    def claims(self) -> dict[RatingKey, SceneId]:
        """Return the scene each item is linked with: one that goes to it, then the lowest id.

        A scene that waits keeps its link, though another one may have got the item.
        """
        standing: dict[RatingKey, SceneId] = {}
        waiting: dict[RatingKey, SceneId] = {}
        for scene_id, record in self._rows.views(LINKS):
            claims = waiting if record.outcome in WITHOUT_ITEM else standing
            for link in record.links:
                other = claims.setdefault(link.rating_key, scene_id)
                if other != scene_id and id_order(scene_id) < id_order(other):
                    claims[link.rating_key] = scene_id
        return waiting | standing

    def former(self, rating_key: RatingKey) -> Link | None:
        """Return the link of an item that no scene is linked to any more; None when there was none.

        What plexsync wrote to an item is known of the item, whichever scene it came from: the
        scene may have been merged into another, deleted and scanned again, or given another id
        by a full import.
        """
        raw = self._former.get(rating_key)
        return None if raw is None else self._decoded(_LINK.decode, raw, f"former.{rating_key}")

    def standings(self) -> Iterator[Links]:
        """How each scene's last attempt ended, and which items it is linked to."""
        for _, standing in self._rows.views(LINKS):
            yield standing

    def links(self) -> Iterator[tuple[SceneId, tuple[LinkPlace, ...]]]:
        """Yield the links of each scene that has any and neither waits nor is left out."""
        for scene_id, record in self._rows.views(WHOLE_LINKS):
            if record.links and record.outcome not in UNLINKED:
                yield scene_id, record.links

    @property
    def lineage(self) -> Lineage:
        """The servers this state belongs to."""
        return self.checkpoint.lineage

    @property
    def unsettled(self) -> tuple[Unsettled, ...]:
        """The writes nobody knows the end of, oldest first. Plex has to be read to settle them."""
        return tuple(
            Unsettled(
                run_id=run_id,
                seq=seq,
                plan=self._decoded(unpack_plan, plan, f"unsettled.{run_id}.{seq}"),
            )
            for (run_id, seq), plan in self._open.items()
        )

    @property
    def runs(self) -> tuple[RunRecord, ...]:
        """The last runs, oldest first, at most 50; the last one may be under way."""
        return tuple(self._runs)

    def decision(self, key: str, type_: type[T]) -> T | None:
        """Return what a person decided under `key`; None when nothing stands.

        Raises:
            StateCorruptError: it is not a `type_`.
        """
        raw = self._decisions.get(key)
        if raw is None:
            return None
        return self._decoded(msgspec.json.Decoder(type_).decode, raw, f"decisions.{key}")

    def decisions(self, prefix: str, type_: type[T]) -> dict[str, T]:
        """Return every decision with a key that begins with `prefix`, by the rest of its key.

        Raises:
            StateCorruptError: one is not a `type_`.
        """
        decode, start = msgspec.json.Decoder(type_).decode, len(prefix)
        return {
            key[start:]: self._decoded(decode, raw, f"decisions.{key}")
            for key, raw in self._decisions.items()
            if key.startswith(prefix)
        }

    def collections(self) -> dict[SceneId, CollectionRecord]:
        """Return what is remembered of every collection, by `models.collection_key`."""
        found = self.decisions(COLLECTION_PREFIX, CollectionRecord)
        return {SceneId(key): record for key, record in found.items()}

    def kept(self, key: SceneId) -> CollectionRecord | ShowRecord | None:
        """Return what is remembered of a collection, show or season; None when nothing is."""
        if is_show_key(key):
            return self.decision(kept_key(key), ShowRecord)
        return self.decision(kept_key(key), CollectionRecord)

    def shows(self) -> dict[SceneId, ShowRecord]:
        """Return what is remembered of every show and season, by `models.show_key`."""
        found = self.decisions(SHOW_PREFIX, ShowRecord)
        return {SceneId(key): record for key, record in found.items()}

    def placings(self) -> Iterator[tuple[SceneId, Placed]]:
        """As much of every record as says what its items are members of, and what is above."""
        return self._rows.views(PLACED)

    def decision_keys(self) -> KeysView[str]:
        """Return the keys decisions stand under, as a set that follows the state."""
        return self._decisions.keys()

    def check_lineage(self, lineage: Lineage) -> str:
        """Whether this state belongs to the servers that answer.

        Another Stash database is only reported: scenes are recognised by their files, and whatever
        does not fit is matched again.

        Returns:
            A sentence to tell, or "".

        Raises:
            StateMismatchError: the state remembers another Plex server.
        """
        if self.lineage.plex and lineage.plex != self.lineage.plex:
            directory = self.path.parent
            raise StateMismatchError(
                f"the state belongs to Plex server {self.lineage.plex}, but {lineage.plex} answers",
                context=str(self.path),
                hint=(
                    "Check [plex] url. For two servers give each a directory of its own with "
                    f"PLEXSYNC_STATE_DIR; to start afresh with this one, move '{directory}' away."
                ),
            )
        if self.lineage.stash and lineage.stash != self.lineage.stash:
            return (
                f"Stash now uses {lineage.stash or 'an unnamed database'} instead of "
                f"{self.lineage.stash}; scenes are recognised by their files."
            )
        return ""

    # ---- Changing --------------------------------------------------------------------------------

    def apply(self, run_id: str, entry: Entry) -> None:
        """Take in one entry of the journal of `run_id`, old or just written."""
        match entry:
            case Begin():
                self._begin(entry)
            case Intent():
                self._open[run_id, entry.seq] = entry.plan
                last = self._runs[-1]
                self._runs[-1] = msgspec.structs.replace(last, written=last.written + 1)
            case Result():
                if entry.status is not Settlement.UNKNOWN:
                    self._open.pop((entry.run_id or run_id, entry.intent), None)
            case SceneKept():
                self._keep(entry.scene_id, entry.record, entry.texts)
            case DecisionEntry():
                self._decide(entry.key, entry.value)
            case End():
                self._end(entry)
        idle = self.checkpoint.idle
        if not isinstance(entry, Begin | End) and idle[-1:] == [run_id]:
            self.checkpoint.folded.append(idle.pop())

    def _begin(self, entry: Begin) -> None:
        self._rows.begin_journal()
        self.checkpoint.serial = entry.serial
        self.checkpoint.lineage = entry.lineage
        self.runs_since_checkpoint += 1
        self.checkpoint.idle.append(entry.run_id)
        self._runs.append(RunRecord.begun(entry))
        del self._runs[:-_RUNS_KEPT]

    def _keep(self, scene_id: SceneId, record: msgspec.Raw, texts: News) -> None:
        self.changes_since_checkpoint += 1
        row = None if record == NULL else self._rows.as_row(scene_id, bytes(record), texts)
        now = None if row is None else self._rows.part(LINKS, scene_id, row)
        self._follow_links(scene_id, now)
        self._rows.keep(scene_id, row)
        self._waiting.discard(scene_id)
        self._waiting_now = None
        if now and now.outcome in WAITING:
            self._waiting.add(scene_id)

    def _follow_links(self, scene_id: SceneId, now: Links | None) -> None:
        """Keep the links a scene loses, and let go of those it has now."""
        before = self._rows.view(LINKS, scene_id)
        kept = {link.rating_key for link in now.links} if now else set()
        if before and not kept.issuperset(link.rating_key for link in before.links):
            record = self.get(scene_id)
            for link in record.links if record else ():
                self._former[link.rating_key] = msgspec.Raw(_ENCODER.encode(link))
        if self._former:
            for rating_key in kept:
                self._former.pop(rating_key, None)

    def _decide(self, key: str, value: msgspec.Raw) -> None:
        self.changes_since_checkpoint += 1
        if value == NULL:
            self._decisions.pop(key, None)
        else:
            self._decisions[key] = value
        if key.startswith(NAME_PREFIX):
            self._rows.rename(key.removeprefix(NAME_PREFIX))

    def _end(self, entry: End) -> None:
        last = self._runs[-1] = self._runs[-1].ended(entry)
        if entry.full:
            self.checkpoint.last_full_at = last.started_at
        if last.kind is RunKind.RUN and entry.exit_code in ENDED_WELL:
            self.checkpoint.last_success_at = entry.finished_at
        if entry.newest_updated_at:
            self.checkpoint.newest_updated_at = entry.newest_updated_at

    def complete(self, journals: frozenset[str]) -> Checkpoint:
        """Return all of this as a checkpoint, without journals that are not among `journals`."""
        whole = self.checkpoint
        whole.folded[:] = (run_id for run_id in whole.folded if run_id in journals)
        whole.idle[:] = (run_id for run_id in whole.idle if run_id in journals)
        whole.unsettled = [
            OpenIntent(run_id=run_id, seq=seq, plan=plan)
            for (run_id, seq), plan in self._open.items()
        ]
        return whole

    def checkpointed(self) -> None:
        """Everything up to here is in `state.json`."""
        self.covered = tuple(self.checkpoint.folded), tuple(self.checkpoint.idle)
        self.changes_since_checkpoint = 0
        self.runs_since_checkpoint = 0

    def _decoded(self, decode: Callable[[msgspec.Raw], T], raw: msgspec.Raw, below: str) -> T:
        try:
            return decode(raw)
        except UNREADABLE as error:
            raise corrupt(f"not what plexsync writes: {error}", self.path, below=below) from error
