"""A Plex Media Server on loopback: its answers, its edits and its awkwardness.

    simulator = PlexSimulator(library)
    with LoopbackServer(Wired(simulator)) as server:
        plexapi.server.PlexServer(server.url, simulator.token)

It copies what real servers do rather than what they document: listings that cut tag lists short,
unknown filters that are ignored, tags that are added to, empty 200s, edits without an id that hit
everything. `switches` decides what is open, `misdeeds` counts what no careful client does, and the
methods are what happens behind a client's back: a person edits, an agent refreshes, a file moves.

Source: docs/plex-api.md, section 8 above all.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from plexsync.simulators.plex import answers, writing
from plexsync.simulators.plex.answers import FragmentCache
from plexsync.simulators.plex.build import (
    ItemSnapshot,
    Snapshot,
    file_title,
    fill,
    item_of,
    lies_in,
    take_snapshot,
)
from plexsync.simulators.plex.collections.by_hand import CollectionsByHand
from plexsync.simulators.plex.collections.membership import rename_collection
from plexsync.simulators.plex.parts import (
    Asked,
    Diary,
    Identity,
    Misdeeds,
    Parts,
    PlexWrite,
    RefusedError,
    Switches,
)
from plexsync.simulators.plex.routes import find_route
from plexsync.simulators.plex.store import TAG_KINDS, Item, LibrarySection, MediaType, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plexsync.simulators.http.messages import SimRequest, SimResponse
    from plexsync.simulators.library.records import Library, PlexPart, PlexVideo

__all__ = [
    "Identity",
    "ItemSnapshot",
    "Misdeeds",
    "PlexSimulator",
    "PlexWrite",
    "Snapshot",
    "Switches",
]


_TOKEN = "X-Plex-Token"  # noqa: S105 - the name of the header, no secret
_OPEN = "plex.identity"


class PlexSimulator:
    """A Plex server over one library; every method may be called from any thread.

    Args:
        library: the rows it starts with, its `plex` side.
        token: the owner's token.
        read_only_token: a token that may read but not write; "" for none.
        identity: who it says it is.
        switches: how it behaves where servers differ.
        now: its clock, whole epoch seconds; None for one that moves a second with every write.
        web: pictures on other hosts, by address.

    Attributes:
        token: see above.
        read_only_token: see above.
        identity: see above.
        switches: see above; may be changed at any time.
        collections: what a person does to collections, and what they hold.
    """

    def __init__(
        self,
        library: Library,
        *,
        token: str = "owner-token",  # noqa: S107 - a simulated server's token
        read_only_token: str = "",
        identity: Identity | None = None,
        switches: Switches | None = None,
        now: Callable[[], int] | None = None,
        web: Mapping[str, bytes] | None = None,
    ) -> None:
        self.token = token
        self.read_only_token = read_only_token
        self.identity = identity or Identity()
        self.switches = switches or Switches()
        self._diary = Diary()
        self._lock = threading.RLock()
        self._shelf = FragmentCache()
        latest = max((video.updated_at for video in library.plex.videos), default=0)
        clock = itertools.count(latest + 1).__next__ if now is None else now
        self._store = Store(now=clock, changed=self._shelf.forget)
        fill(self._store, library.plex)
        self._parts = Parts(
            identity=self.identity,
            store=self._store,
            shelf=self._shelf,
            web=web or {},
            on_scan=self._scanned,
            switches=self.switches,
            diary=self._diary,
        )
        self.collections = CollectionsByHand(self._parts, self._lock)
        self._maintenance_left = 0
        self._staged: list[PlexVideo] = []
        self._appointments: list[tuple[str, list[int], Callable[[], object]]] = []

    # ---- the wire --------------------------------------------------------------------------------

    def kind(self, request: SimRequest) -> str:
        """Return what a request counts as: `plex.listing`, `plex.detail`, `plex.put` and so on."""
        found = find_route(request.method, request.path)
        return found[0].kind if found else "plex.unknown"

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        with self._lock:
            self._keep_appointments(request)
            try:
                return self._answer(request)
            except RefusedError as refused:
                if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
                    return answers.maintenance()
                return answers.refusal(refused.status)

    # ---- switches with a count -------------------------------------------------------------------

    def startup_503(self, requests: int) -> None:
        """Answer the next `requests` requests, whatever they are, with "Maintenance"."""
        with self._lock:
            self._maintenance_left = requests

    def before(self, kind: str, nth: int, action: Callable[[], object]) -> None:
        """Call `action` just before the `nth` request of `kind` from now on is handled, once."""
        with self._lock:
            self._appointments.append((kind, [nth], action))

    # ---- what a test looks up --------------------------------------------------------------------

    @property
    def misdeeds(self) -> Misdeeds:
        """What a careful client never does, counted."""
        with self._lock:
            return replace(self._diary.misdeeds)

    @property
    def writes(self) -> tuple[PlexWrite, ...]:
        """Every request that meant to change something and was admitted."""
        with self._lock:
            return tuple(self._diary.writes)

    @property
    def scans(self) -> tuple[tuple[str, str], ...]:
        """Every scan asked for: library and path."""
        with self._lock:
            return tuple(self._diary.scans)

    def rating_keys(self, *, section: int | None = None) -> tuple[str, ...]:
        """Every item that is there, shows and seasons included, trashed ones too."""
        with self._lock:
            return tuple(
                str(item.rating_key)
                for item in self._store.items.values()
                if item.kind is not MediaType.COLLECTION
                and (section is None or item.section.key == section)
            )

    def key_of(self, file: str) -> str:
        """Return the rating key of the item that holds `file` and is not in the trash.

        Raises:
            KeyError: there is none.
        """
        with self._lock:
            for item in self._store.items.values():
                if not item.deleted_at and any(part.file == file for part in item.parts):
                    return str(item.rating_key)
        raise KeyError(file)

    def above(self, rating_key: str) -> tuple[str, ...]:
        """Return the season and the show of an episode, or the show of a season."""
        with self._lock:
            found, item = [], self._item(rating_key).parent
            while item is not None:
                found.append(str(item.rating_key))
                item = item.parent
            return tuple(found)

    def dump(self, *, clocks: bool = False) -> Snapshot:
        """Everything an edit can change, of every item, as plain comparable values.

        Collections have a dump of their own.

        Args:
            clocks: also updatedAt.
        """
        with self._lock:
            return {
                str(item.rating_key): take_snapshot(item, clocks=clocks)
                for item in self._store.items.values()
                if item.kind is not MediaType.COLLECTION
            }

    def picture(self, key: str) -> bytes:
        """Return an uploaded picture by its key.

        Raises:
            KeyError: nobody uploaded it.
        """
        with self._lock:
            return self._store.pictures[key]

    # ---- what happens behind a client's back -----------------------------------------------------

    def edit_by_hand(
        self, rating_key: str, values: Mapping[str, str | Iterable[str]], *, lock: bool = True
    ) -> None:
        """Set texts and whole tag lists, and lock them, as a person does in Plex Web.

        Args:
            rating_key: the item.
            values: by Plex's name: `title`, `summary`, `genre`, `actor`. A text, or all tags.
            lock: False leaves the locks as they are.
        """
        with self._lock:
            item = self._item(rating_key)
            for name, value in values.items():
                self._set(item, name, value)
                if lock:
                    item.locks.add(name)
            self._touch(item)

    def choose_picture(self, rating_key: str, kind: str, body: bytes) -> None:
        """Upload a picture, as a person does in Plex Web, which selects and locks it.

        Args:
            rating_key: the item.
            kind: `poster` or `art`.
            body: the picture.
        """
        with self._lock:
            item = self._item(rating_key)
            key = writing.add_picture(self._parts, item, kind, body)
            self._store.pictures[key] = body

    def agent_picture(self, rating_key: str, kind: str, key: str) -> None:
        """Select a picture a metadata refresh found, unless one is locked."""
        with self._lock:
            item = self._item(rating_key)
            writing.offer_picture(self._parts, item, kind, key)

    def agent_refresh(self, rating_key: str, values: Mapping[str, str | Iterable[str]]) -> None:
        """Overwrite every field that is not locked, as a metadata refresh does."""
        with self._lock:
            item = self._item(rating_key)
            for name, value in values.items():
                if name not in item.locks:
                    self._set(item, name, value)
            self._touch(item)

    def set_locks(self, rating_key: str, *, locked: Iterable[str]) -> None:
        """Lock exactly these fields."""
        with self._lock:
            item = self._item(rating_key)
            item.locks = set(locked)
            self._touch(item)

    def set_rating(self, rating_key: str, rating: float | None) -> None:
        """Rate an item from 0 to 10, or take the rating away. No clock moves."""
        with self._lock:
            item = self._item(rating_key)
            item.user_rating = rating
            self._store.redraw(item)

    def add_item(self, video: PlexVideo) -> str:
        """Return a new item. A rating key of 0 takes the next free one."""
        with self._lock:
            if not video.rating_key:
                video = replace(video, rating_key=self._store.next_id())
            item = item_of(self._store, video)
            self._store.add(item)
            return str(item.rating_key)

    def scan_in(self, video: PlexVideo) -> str:
        """Return a scan finds a new file and makes an item of it, of this moment."""
        with self._lock:
            now = self._store.now()
            return self.add_item(replace(video, added_at=now, updated_at=now))

    def stage_item(self, video: PlexVideo) -> None:
        """Add a file Plex has not seen: it becomes an item with the next scan of its folder."""
        with self._lock:
            self._staged.append(video)

    def move_file(self, rating_key: str, file: str) -> str:
        """Move a file and let Plex scan: there is a new item, and the old one is in the trash.

        The new item knows nothing of the old one's edits. Only single files can move.

        Source: docs/plex-api.md 4, "Moved/renamed file".
        """
        with self._lock:
            old = self._item(rating_key)
            (media,) = old.media
            (part,) = media.parts
            fresh = replace(part, id=self._store.next_id(), file=file)
            new = replace(
                old,
                rating_key=self._store.next_id(),
                fields={"title": file_title(file)},
                tags={},
                media=(replace(media, id=self._store.next_id(), parts=(fresh,)),),
                locks=set(),
                user_rating=None,
                added_at=self._store.now(),
                updated_at=self._store.now(),
                posters=replace(old.posters, keys=old.posters.keys[:1]),
                arts=replace(old.arts, keys=old.arts.keys[:1]),
            )
            self._store.add(new)
            self.trash(rating_key)
            return str(new.rating_key)

    def replace_file(self, rating_key: str, file: str) -> None:
        """Another file stands where the item's was, and the item kept its rating key."""
        with self._lock:
            item = self._item(rating_key)
            media = item.media[0]
            part = replace(media.parts[0], file=file)
            item.media = (replace(media, parts=(part, *media.parts[1:])), *item.media[1:])
            self._touch(item)

    def trash(self, rating_key: str) -> None:
        """Take the file away: the item stays in listings, marked, until the trash is emptied."""
        with self._lock:
            item = self._item(rating_key)
            item.deleted_at = self._store.now()
            self._store.touch(item, stamp=self.switches.trash_moves_updated_at)

    def empty_trash(self) -> None:
        """Forget every trashed item."""
        with self._lock:
            for item in [item for item in self._store.items.values() if item.deleted_at]:
                self._store.remove(item)

    def remove_item(self, rating_key: str) -> None:
        """Forget an item at once."""
        with self._lock:
            self._store.remove(self._item(rating_key))

    def merge(self, rating_key: str, *others: str) -> None:
        """Make `others` versions of an item; their rating keys vanish."""
        with self._lock:
            found = [self._item(other) for other in others]
            writing.merge_items(self._parts, self._item(rating_key), found)

    def split(self, rating_key: str) -> tuple[str, ...]:
        """Make every version but the first an item of its own; their rating keys are returned."""
        with self._lock:
            made = writing.split_item(self._parts, self._item(rating_key))
            return tuple(str(item.rating_key) for item in made)

    def set_hash(self, rating_key: str, oshash: int | None) -> None:
        """Set what the tree says of every file of an item; None: not analysed."""
        self._change_parts(rating_key, lambda part: replace(part, oshash=oshash))

    def rewrite_file(self, rating_key: str, size: int) -> None:
        """Give the item's file another content, and let Plex scan."""
        self._change_parts(rating_key, lambda part: replace(part, size=size))

    def set_refreshing(self, section: int, *, refreshing: bool) -> None:
        """Begin or end a scan of a library; its end moves scannedAt."""
        with self._lock:
            found = self._store.sections[section]
            found.refreshing = refreshing
            if not refreshing:
                found.scanned_at = self._store.now()

    # ---- private ---------------------------------------------------------------------------------

    def _answer(self, request: SimRequest) -> SimResponse:
        """Let a request through the gate to its handler.

        Raises:
            RefusedError: it is answered with an error page.
        """
        found = find_route(request.method, request.path)
        owner = self._admit(request, found[0].kind if found else "")
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND)
        route, captured = found
        if route.writes and not owner:
            raise RefusedError(HTTPStatus.FORBIDDEN)
        return route.handler(self._parts, Asked(request, captured, owner))

    def _admit(self, request: SimRequest, kind: str) -> bool:
        """Whether the token may write.

        Raises:
            RefusedError: the request goes no further.
        """
        if self._maintenance_left > 0:
            self._maintenance_left -= 1
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        in_query = request.argument(_TOKEN)
        if in_query:
            self._diary.misdeeds.tokens_in_query += 1
        if 0 < self.switches.url_limit < len(request.target):
            raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG)
        given = in_query or request.headers.get(_TOKEN, "")
        known = {self.token, self.read_only_token} - {""} if self.switches.accept_tokens else set()
        if given not in known and kind != _OPEN:
            raise RefusedError(HTTPStatus.UNAUTHORIZED)
        return given in known and given == self.token

    def _keep_appointments(self, request: SimRequest) -> None:
        """Do what was to happen before this request."""
        kind = self.kind(request)
        due = []
        for appointment in self._appointments:
            wanted, left, _ = appointment
            left[0] -= wanted == kind
            if left[0] == 0:
                due.append(appointment)
        for appointment in due:
            self._appointments.remove(appointment)
            appointment[2]()

    def _scanned(self, section: LibrarySection, path: str) -> None:
        """Turn staged files of the scanned folder into items."""
        found = [
            video
            for video in self._staged
            if video.section_id == section.key and lies_in(video, path)
        ]
        for video in found:
            self._staged.remove(video)
            self.scan_in(video)
        section.scanned_at = self._store.now()

    def _item(self, rating_key: str) -> Item:
        """Return the item of a key."""
        return self._store.items[int(rating_key)]

    def _set(self, item: Item, name: str, value: str | Iterable[str]) -> None:
        """Set a text, or all tags of a kind."""
        if name == "title" and item.kind is MediaType.COLLECTION:
            rename_collection(self._store, item, str(value))
        elif name in TAG_KINDS:
            names = [value] if isinstance(value, str) else value
            item.tags[name] = self._store.taggings(name, names, item.section)
        elif value:
            item.fields[name] = str(value)
        else:
            item.fields.pop(name, None)

    def _change_parts(self, rating_key: str, change: Callable[[PlexPart], PlexPart]) -> None:
        """Change every file of an item alike."""
        with self._lock:
            item = self._item(rating_key)
            item.media = tuple(
                replace(media, parts=tuple(map(change, media.parts))) for media in item.media
            )
            self._touch(item)

    def _touch(self, item: Item) -> None:
        """Note a change."""
        writing.touch(self._parts, item)
