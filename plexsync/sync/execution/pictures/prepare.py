"""What is to be sent of the pictures that need replacing: the bytes, fetched at the last moment.

Each item is looked at once more; `upload` does the rest.

Plex forgets a poster with its collection, and Stash may have forgotten what it was made from: so
it is kept by its checksum until no undo can want it back.
"""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ServerError
from plexsync.models import Picture, PictureBase, PlexField, as_problem
from plexsync.planning.picture_policy import UPLOADED, upload_key
from plexsync.plex.pictures import selected_key
from plexsync.plex.poster_padding import fitted, recipe
from plexsync.stash_client import Cover, NoCover, checksum
from plexsync.state import journal_runs, read_if_there, state_errors, write_atomically
from plexsync.sync.execution.pictures.plan import base_of, note, require_small
from plexsync.sync.execution.pictures.upload import PictureUpload, Uploader
from plexsync.sync.execution.work import PictureChange, PictureResult, Ready
from plexsync.sync.ports import WorkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from plexsync.state import Filesystem
    from plexsync.sync.execution.reader import Reader
    from plexsync.sync.run_scope import RunScope

_HELD_BYTES = 32 << 20
"""Covers held at once before they are sent; what they replace goes to disk in one piece."""

DIRECTORY = "pictures"
"""Below the state directory; each file is called `<run id>.<checksum>`."""

_DIGITS = 40


class PictureWriter:
    """Brings pictures to Plex.

    Args:
        scope: the work they are part of. In a dry run nothing is sent, so that what was seen of an
            item's pictures is enough.
        reader: reads items afresh.
    """

    def __init__(self, scope: RunScope, reader: Reader) -> None:
        self._is_dry = scope.options.dry_run
        self._ports = ports = scope.ports
        self._kept = KeptPictures(ports.state_dir, ports.run_id, ports.disk)
        self._fetched: tuple[str, Cover | NoCover] = ("", NoCover.NONE)
        self._end: ServerError | None = None
        self._uploader = Uploader(scope, reader)

    def keep(self, ready: Ready) -> None:
        """Keep the poster of a collection that is to go, so that an undo can bring it back.

        Raises:
            ServerError: Plex is down, or refuses us.
            StateError: it cannot be written.
        """
        for change in ready.plan.changes if ready.plan.deletes else ():
            if change.target is PlexField.POSTER and change.before:
                key = str(change.before)
                try:
                    body = self._ports.plex.pictures.original(ready.plan.rating_key, key)
                except ServerError as error:
                    self._ports.raise_if_over(error)
                    continue  # the collection is empty and ours: it goes all the same
                self._kept.keep(key, body)

    def write_ahead(self, ready: Ready) -> None:
        """Send the pictures of an item right behind its fields; `write` proves that they came."""
        ready.pictures.sent_ahead = True
        if self._end is None:  # else that of an earlier item
            try:
                self._end = self._uploader.hand_over(self._uploads(ready))
            except ServerError as error:
                self._end = error
        if self._end is not None:
            _mark_unfinished([ready])

    def write(self, work: Sequence[Ready]) -> Iterator[list[Ready]]:
        """Send the pictures of `work`, and prove by reading that they came.

        Each list yielded holds items with their pictures done, or as far as that goes; their links
        know what Plex was seen to show. Nothing but intents is noted.

        Raises:
            ServerError: nothing more can be sent. What became of all of `work` was yielded before.
        """
        new = [ready for ready in work if not ready.pictures.sent_ahead]
        waiting: list[PictureUpload] = []
        done = 0
        end, self._end = self._end, None
        try:
            self._uploader.prove()
        except ServerError as error:
            end = end or error
        if len(new) < len(work):
            yield [ready for ready in work if ready.pictures.sent_ahead]
        try:
            for at, ready in enumerate(new if end is None else (), 1):
                waiting += self._uploads(ready)
                if sum(len(upload.body) for upload in waiting) >= _HELD_BYTES:
                    self._uploader.send(waiting)
                    yield new[done:at]
                    done, waiting = at, []
            self._uploader.send(waiting)
        except ServerError as error:
            end = error
        finally:
            self._fetched = ("", NoCover.NONE)
        if end is not None:
            _mark_unfinished(new[done:])
        yield new[done:]
        if end is not None:
            raise end

    def compare(self, ready: Ready) -> None:
        """Take from what an item needs the pictures it shows already.

        After a lost state only the bytes of a cover say that Plex has it. A run finds that out
        right before it would send them; a dry run by this, so that both list the same changes.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        pictures = [one for one in ready.decision.pictures if self._differs(ready, one)]
        ready.decision = replace(ready.decision, pictures=tuple(pictures))
        seen = ready.pictures  # of which nothing was refused: nothing was to be sent
        ready.pictures = PictureResult(kept=seen.kept, problem=seen.problem)

    def _differs(self, ready: Ready, change: PictureChange) -> bool:
        """Whether a run would write a picture; what the item has is asked once at most."""
        if not change.ask and not ready.detail.locked:
            return True  # Plex locks what is uploaded: without any lock an item is new
        try:
            pictures = self._pictures_of(ready, change)
        except ServerError as error:
            self._ports.raise_if_over(error)
            ready.pictures.problem = as_problem(error)
            return False
        if not change.ask and not selected_key(pictures).startswith(UPLOADED):
            return True  # what was never uploaded is not the cover
        return self._prepare(ready, replace(change, seen=pictures)) is not None

    def _uploads(self, ready: Ready) -> list[PictureUpload]:
        """Return what is to be sent of an item's pictures."""
        prepared = (self._prepare(ready, one) for one in ready.decision.pictures)
        return [upload for upload in prepared if upload is not None]

    def _prepare(self, ready: Ready, change: PictureChange) -> PictureUpload | None:
        """Look at the item again, fetch what is to be sent; None when nothing is. See `compare`."""
        result = ready.pictures
        if self._ports.ends(WorkKind.PICTURE):
            result.unfinished = True
            return None
        try:
            cover = self._bytes_of(change)
            pictures = self._pictures_of(ready, change) if cover else ()
        except ServerError as error:
            self._ports.raise_if_over(error)
            result.problem = as_problem(error)
            result.refused.append(change.shown)
            return None
        if cover is None:  # taken away since it was compared
            before = base_of(ready.pair, change.rule)
            note(ready.pair, change.rule, replace(before, stamp=change.stamp, etag=""))
            return None
        base, selected = _base_after(ready, change, cover), selected_key(pictures)
        if base.key == selected:
            note(ready.pair, change.rule, base)
            return None
        if change.ask:
            result.kept.append(change.rule.name)
            note(ready.pair, change.rule, replace(base, key=""))
            return None
        return PictureUpload(
            ready=ready,
            change=change,
            before=selected,
            there=frozenset(picture.key for picture in pictures),
            body=cover.body,
            base=base,
            read_at=ready.read_at,
        )

    def _pictures_of(self, ready: Ready, change: PictureChange) -> tuple[Picture, ...]:
        """Return what an item can show; a collection that was just made has nothing.

        What a dry run saw is enough; so is it of a picture that was locked, which is compared with
        that right before it is replaced.
        """
        if ready.made:
            return ()
        if change.seen is not None and (self._is_dry or change.shown.locked_before):
            return change.seen
        return self._ports.plex.pictures.available(ready.plan.rating_key, change.rule.to)

    def _bytes_of(self, change: PictureChange) -> Cover | None:
        """Return what is to be sent: nothing for a picture that is only to be chosen again.

        Raises:
            ServerError: the cover cannot be had, is too large, or cannot be made to fit.
        """
        if change.kept:
            body = self._kept.get(change.kept)
            if body is None:
                return None
            return Cover(content_type="", etag="", size_bytes=len(body), body=body)
        if change.again:
            return Cover(content_type="", etag=change.etag, size_bytes=0, body=b"")
        cover = self._fetch(change.cover_path)
        if not isinstance(cover, Cover):
            return None
        if change.checksum not in {"", checksum(cover)}:
            raise ServerError(
                "the cover became another one while the plan was applied",
                hint="save the plan again (--save-plan), or have plexsync run bring the cover",
            )
        require_small(cover)
        return replace(cover, body=fitted(change.rule, cover.body))

    def _fetch(self, cover_path: str) -> Cover | NoCover:
        """Return the cover; asked for once for all the pictures in a row that want it."""
        if self._fetched[0] != cover_path:
            self._fetched = (cover_path, self._ports.stash.cover(cover_path))
        return self._fetched[1]


# ---- Private -------------------------------------------------------------------------------------


def _base_after(ready: Ready, change: PictureChange, cover: Cover) -> PictureBase:
    """Return what is known of a picture once Plex shows this cover."""
    former = base_of(ready.pair, change.rule)
    key = change.again or upload_key(change.rule.to, cover.body)
    return PictureBase(
        stamp=change.stamp,
        etag=cover.etag,
        key=key,
        made=recipe(change.rule),
        former=former.former if former.key == key else former.key,
    )


def _mark_unfinished(work: Iterable[Ready]) -> None:
    """Say of items that lack a picture that they are to be tried again."""
    for ready in work:
        result = ready.pictures
        accounted = len(result.changes) + len(result.kept) + (result.problem is not None)
        result.unfinished |= accounted < len(ready.decision.pictures)


# ---- what an undo may want back ------------------------------------------------------------------


class KeptPictures:
    """Keeps pictures as long as the journal of the run that took them away.

    Args:
        directory: the state directory.
        run_id: this run's.
        disk: where to read and write.
    """

    def __init__(self, directory: Path, run_id: str, disk: Filesystem) -> None:
        self._directory = directory
        self._place = directory / DIRECTORY
        self._run_id = run_id
        self._disk = disk

    def keep(self, key: str, body: bytes) -> None:
        """Keep an uploaded picture, and let go of those no journal names any more.

        Bytes that are not what the key says are not kept.

        Raises:
            StateError: they cannot be written.
        """
        digest = _digest_in(key)
        if not digest or _digest_of(body) != digest:
            return
        with state_errors("create", self._place):
            self._disk.make_directory(self._place)
        write_atomically(self._disk, self._place / f"{self._run_id}.{digest}", (body,))
        self._let_go()

    def get(self, key: str) -> bytes | None:
        """Return the bytes of an uploaded picture; None where they are not kept.

        Raises:
            StateError: they cannot be read.
        """
        digest = _digest_in(key)
        for name in self._names() if digest else ():
            if name.endswith(f".{digest}"):
                body = read_if_there(self._disk, self._place / name)
                if body is not None and _digest_of(body) == digest:
                    return body
        return None

    def _let_go(self) -> None:
        known = {*journal_runs(self._directory, self._disk), self._run_id}
        for name in self._names():
            if name.partition(".")[0] not in known:
                with state_errors("remove", self._place):
                    self._disk.remove(self._place / name)

    def _names(self) -> tuple[str, ...]:
        with state_errors("read", self._place):
            return self._disk.names(self._place)


def _digest_of(body: bytes) -> str:
    return sha1(body, usedforsecurity=False).hexdigest()


def _digest_in(key: str) -> str:
    """Return the checksum in the key of an uploaded picture; "" for none."""
    digest = key.rpartition("/")[2]
    is_one = key.startswith(UPLOADED) and len(digest) == _DIGITS and digest.isalnum()
    return digest if is_one else ""
