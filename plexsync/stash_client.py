"""Stash: scenes by keyset pages and by ids, decoded into our nouns.

Lists are paged by id, never by offset, so that an edit, an insertion or a deletion between two
pages neither skips nor repeats a scene. One scene Stash cannot read does not hide the others: it
is found by halving and named. Source: docs/stash-api.md.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from plexsync.models import RELATED_KINDS, Scene, SceneDetail, SceneId, Server, StashField
from plexsync.planning.retry_schedule import unsettled_s
from plexsync.stash import queries
from plexsync.stash.answers import NotUnderstoodError, Rows, decoder_of, rows_decoder
from plexsync.stash.covers import Cover as Cover
from plexsync.stash.covers import NoCover as NoCover
from plexsync.stash.covers import checksum as checksum
from plexsync.stash.covers import fetch_cover
from plexsync.stash.covers import picture_type as picture_type
from plexsync.stash.decode import SceneAnswer as SceneAnswer
from plexsync.stash.decode import Version as Version
from plexsync.stash.decode import scene_of, version_of
from plexsync.stash.objects import (
    OBJECT_BATCH,
    names_decoder,
    objects_decoder,
    objects_query,
    stamps_query,
)
from plexsync.stash.objects import Names as Names
from plexsync.stash.paging import Batches, KeptDetails, Where, keyset_pages
from plexsync.stash.paging import Fetched as Fetched
from plexsync.stash.readiness import (
    GRAPHQL,
    check_ready,
    lacking_fields,
    look_of,
    not_understood,
    server_of,
)
from plexsync.stash.readiness import StashLook as StashLook
from plexsync.stash.readiness import scene_address as scene_address
from plexsync.stash.readiness import stash_headers as stash_headers
from plexsync.stash.wire import (
    Reference,
    SceneCount,
    WireDetail,
    WireFiles,
    WireLook,
    WireReadiness,
    WireScene,
    WireVersion,
)
from plexsync.transport.outgoing import DICTIONARY, PAGE, AnswerLimits
from plexsync.transport.responses import HttpResponse, http_date

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from plexsync.models import CollectionKind, RelatedDetail, RelatedId
    from plexsync.transport.client import Transport

_ANSWERS = frozenset({200, 400, 422})
"""A refused query is 400 or 422 and explains itself. Source: docs/stash-api.md 1.4."""

_JSON = (("Content-Type", "application/json"), ("Accept", "application/json"))
"""Both named, because with `Accept: */*` answers come uncompressed and errors differ.

Source: docs/stash-api.md 1.2.
"""

_LATEST = 20
"""Scenes edited last that a look compares: one that is edited comes in among them."""

W = TypeVar("W", bound=Reference)
T = TypeVar("T")


class StashClient:
    """One Stash.

    Attributes:
        lacking: what was wanted of this Stash that it does not have; known once it was met.
        clock: the `Date` of its last answer; None where there is none.

    Args:
        transport: to the server, made with `stash_headers`.
        url: its address, for links a person follows.
        page_size: scenes in one page of ids and versions.
        sweep_size: scenes in one page of what matching needs.
        detail_batch: scenes in one query by ids.
        wanted: what is asked for beyond what every run needs. What this Stash turns out not to
            have is left out; see `lacking`.
        monotonic: seconds on a clock that is never set.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        url: str,
        page_size: int = 5000,
        sweep_size: int = 1500,
        detail_batch: int = 200,
        wanted: Collection[StashField] = queries.PLAIN,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept = KeptDetails(monotonic)
        self._transport = transport
        self._url = url
        self._page_size = page_size
        self._sweep_size = sweep_size
        self._poisoned: dict[SceneId, str] = {}
        self.clock: datetime | None = None
        self._decode_ready = decoder_of(WireReadiness)
        self._decode_look = decoder_of(WireLook)
        self._decode_count = decoder_of(SceneCount)
        self._decode_versions = rows_decoder(WireVersion)
        self._decode_uneven = rows_decoder(WireFiles)
        self._decode_scenes = rows_decoder(WireScene)
        self._decode_objects = objects_decoder()
        self._detail_batch = detail_batch
        self._plain = self._batches(queries.SCENES, self._decode_scenes, more=False)
        self._related = self._batches(queries.SCENES, self._decode_scenes, more=True)
        self.lacking: frozenset[StashField] = frozenset()
        self._want(frozenset(wanted))

    @property
    def poisoned(self) -> tuple[tuple[SceneId, str], ...]:
        """Every scene Stash failed to answer for since this client was made, with its words."""
        return tuple(self._poisoned.items())

    def connect(self) -> Server:
        """Ask whether Stash is ready, new enough, and understands all that a run asks.

        One request, which needs no database; a few where Stash lacks something, which is then not
        asked for again.

        Raises:
            ServerError: Stash is not set up, waits for a migration, is too old, or lacks something
                that every run needs.
            AuthError: it refuses the key, or wants one.
        """
        ready = self._ask_ready()
        check_ready(ready, self._url)
        return server_of(ready, self._url)

    def look(self) -> StashLook:
        """Ask for counts, sums and the newest entries alone. One request, whatever the library.

        Raises:
            ServerError: Stash is not ready, or does not answer this.
        """
        newest: Where = {"uneven": queries.UNEVEN_IN_FILES, "n": _LATEST}
        seen = self._ask(queries.LOOK, newest, self._decode_look)
        check_ready(seen, self._url)
        return look_of(seen, self._url)

    def count(self, where: Where | None = None, note: Callable[[str], None] | None = None) -> int:
        """How many scenes there are; `where` and `note` are for pages, see `_ask`."""
        return self._ask(
            queries.COUNT, {"where": where or {}}, self._decode_count, note=note
        ).findScenes.count

    def versions(self, *, with_organized: bool = False) -> Iterator[tuple[Version, ...]]:
        """Id and version text of every scene, in pages, in the order of the ids.

        A scene Stash cannot read comes with the version "", for it is there all the same; asking
        for it by its id says why.

        Args:
            with_organized: also tell which scenes Stash calls organized.

        Raises:
            ServerError: the walk did not come to its end; what came before is incomplete.
        """
        decode, size = self._decode_versions, self._page_size
        for page in self._walk(queries.VERSIONS, decode, size, more=with_organized):
            unknown = [Version(scene_id, "") for scene_id, _ in page.poisoned]
            yield (*map(version_of, page.found), *unknown)

    def sweep(
        self, *, with_relations: bool = False, whole: bool = False
    ) -> Iterator[tuple[Scene, ...]]:
        """Every scene with what matching needs, in pages, in the order of the ids.

        A scene Stash cannot read is left out and added to `poisoned`. Errors are those of
        `versions`; `with_relations` is that of `scenes`. With `whole` the pages also bring what
        `details` will be asked for, so that it is not read a second time.
        """
        if whole:
            self._kept.begin()
        pages: Iterator[Fetched[WireDetail] | Fetched[WireScene]] = (
            self._walk(queries.WHOLE, self._decode_details, self._sweep_size)
            if whole
            else self._walk(
                queries.SWEEP, self._decode_scenes, self._sweep_size, more=with_relations
            )
        )
        for page in pages:
            yield tuple([self._scene(row, related=with_relations) for row in page.found])

    def uneven(self) -> Mapping[SceneId, str]:
        """Return the ids of the files, as one text, of each scene that has several or none.

        A file goes from one scene to another, or from one for good, without any time moving; then
        one of these texts moves. Source: docs/stash-api.md 4.2.

        Raises:
            ServerError: as `versions`.
        """
        pages = self._walk(
            queries.UNEVEN, self._decode_uneven, self._sweep_size, only=queries.UNEVEN_IN_FILES
        )
        return {
            SceneId(row.id): " ".join(sorted(file.id for file in row.files))
            for page in pages
            for row in page.found
        }

    def names(self) -> Names:
        """Return what a scene may show of each tag, performer, studio and group. One request.

        Raises:
            ServerError: the dictionary could not be had as a whole.
        """
        return self._ask(queries.NAMES, {}, self._decode_names, limits=DICTIONARY)

    def stamps(self, kinds: Collection[CollectionKind]) -> dict[RelatedId, str]:
        """When each object of these kinds was edited, as an opaque text. One request.

        Raises:
            ServerError: as `names`.
        """
        asked = [kind for kind in kinds if kind in RELATED_KINDS.values()]
        if not asked:
            return {}
        found = self._ask(stamps_query(asked), {}, self._decode_objects, limits=DICTIONARY)
        return {key: one.updated_at for key, one in found.items()}

    def objects(self, wanted: Collection[RelatedId]) -> dict[RelatedId, RelatedDetail]:
        """Return what studios, groups, performers and tags say; asks for each once, as it must.

        Raises:
            ServerError: as `names`.
        """
        found: dict[RelatedId, RelatedDetail] = {}
        for letter, kind in RELATED_KINDS.items():
            ids = list(dict.fromkeys(one[1:] for one in wanted if one.startswith(letter)))
            for start in range(0, len(ids), OBJECT_BATCH):
                some = {"ids": ids[start : start + OBJECT_BATCH]}
                found |= self._ask(objects_query(kind), some, self._decode_objects)
        return found

    def is_settled(self, version: str) -> bool:
        """Whether a version is old enough by Stash's clock that no edit hides behind it."""
        return self.unsettled_s(version) == 0

    def unsettled_s(self, version: str) -> float:
        """For how many seconds more an edit may hide behind it, by Stash's clock."""
        return unsettled_s(version, self.clock)

    def scenes(
        self, ids: Sequence[SceneId], *, with_relations: bool = False, whole: bool = False
    ) -> Fetched[Scene]:
        """Return the named scenes with what matching needs.

        Args:
            ids: which.
            with_relations: fill in the tags, and which fields have a value.
            whole: also keep what `details` will be asked for, as `sweep` does.

        Raises:
            ServerError: Stash fails as a whole. One bad scene is left out and reported.
        """
        self._kept.forget(ids)
        convert = partial(self._scene, related=with_relations)
        if whole:
            self._kept.begin()
            return self._fetch(self._details, ids, convert)
        return self._fetch(self._related if with_relations else self._plain, ids, convert)

    def details(self, ids: Sequence[SceneId]) -> Fetched[SceneDetail]:
        """Return the named scenes with everything they say about themselves.

        Raises:
            ServerError: as `scenes`.
        """
        fetched = self.answers(ids)
        found = tuple([one.detail() for one in fetched.found])
        return Fetched(found, fetched.missing, fetched.poisoned)

    def answers(self, ids: Sequence[SceneId]) -> Fetched[SceneAnswer]:
        """Return what `details` is made of. Raises as that does."""
        kept = self._kept.take(ids)
        fetched = self._fetch(
            self._details,
            [one for one in ids if one not in kept],
            lambda row: SceneAnswer(SceneId(row.id), row),
        )
        if not kept:
            return fetched
        found = kept | {one.scene_id: one for one in fetched.found}
        in_order = tuple([found[one] for one in dict.fromkeys(ids) if one in found])
        return Fetched(in_order, fetched.missing, fetched.poisoned)

    def cover(self, cover_path: str, etag: str = "", *, whole: bool = True) -> Cover | NoCover:
        """Return the cover at `SceneDetail.cover_path`; see `covers.fetch_cover`.

        The address is made of the configured one, whatever host Stash puts into its answers.
        """
        return fetch_cover(self._transport, cover_path, etag, whole=whole)

    def without_cover(self) -> frozenset[SceneId]:
        """Return the scenes that have no cover, as far as Stash's database says.

        Raises:
            ServerError: the list is incomplete.
        """
        decode, only = self._decode_versions, queries.LACKING_A_COVER
        pages = self._walk(queries.VERSIONS, decode, self._page_size, only=only)
        return frozenset(SceneId(row.id) for page in pages for row in page.found)

    def scene_url(self, scene_id: SceneId) -> str:
        """Where a person finds the scene, or what a collection is made from."""
        return scene_address(self._url, scene_id)

    def file_url(self, path: str) -> str:
        """Return the address of something by its path and query on Stash, without any key."""
        return f"{self._url}{path}"

    def _want(self, wanted: frozenset[StashField]) -> None:
        """Ask for this from now on."""
        self._wanted = wanted
        lists = [name for field, name in queries.LISTS.items() if field in wanted]
        self._decode_details = rows_decoder(WireDetail, lists=lists)
        self._details = self._batches(queries.DETAILS, self._decode_details)
        self._decode_names = names_decoder(with_groups=StashField.ALL_GROUPS in wanted)

    def _ask_ready(self) -> WireReadiness:
        """Meet Stash, leaving out what it does not have."""
        while True:
            try:
                return self._ask(queries.READY, {}, self._decode_ready)
            except NotUnderstoodError as error:
                lacking = self._wanted.intersection(lacking_fields(error, self._wanted))
                if not lacking:
                    ready = self._ask(queries.WHO, {}, self._decode_ready)
                    check_ready(ready, self._url)
                    raise not_understood(ready, error) from error
                self.lacking |= lacking
                self._want(self._wanted - lacking)

    def _ask(
        self,
        query: str,
        variables: Where,
        decode: Callable[[HttpResponse], T],
        *,
        limits: AnswerLimits = PAGE,
        divisible: bool = False,
        note: Callable[[str], None] | None = None,
    ) -> T:
        """One query, repeatable whatever HTTP calls a POST; `note` takes Stash's clock."""

        def noted(answer: HttpResponse) -> T:
            (note or self._note)(answer.headers.get("Date", ""))
            return decode(answer)

        return self._transport.ask(
            "POST",
            GRAPHQL,
            noted,
            body=queries.request_body(queries.asking(query, self._wanted), variables),
            headers=_JSON,
            accept_status=_ANSWERS,
            limits=limits,
            divisible=divisible,
        )

    def _note(self, date: str) -> None:
        """Take the `Date` header of an answer for Stash's clock."""
        self.clock = http_date(date)

    def _scene(self, row: WireScene | WireDetail, *, related: bool) -> Scene:
        """Return a scene, and keep what came along."""
        # Behind a version that is not settled another edit may hide: that one is read again.
        if isinstance(row, WireDetail) and self.is_settled(row.updated_at or ""):
            self._kept.add(row)
        return scene_of(row, with_relations=related)

    def _batches(
        self, query: str, decode: Callable[[HttpResponse], Rows[W]], **more: bool
    ) -> Batches[W]:
        """Return what reads scenes by their ids with a query."""

        def ask(ids: Sequence[SceneId], divisible: bool) -> Rows[W]:  # noqa: FBT001 - a callback of Batches
            # An empty list means "no ids": the first 25 scenes would come back.
            assert ids  # noqa: S101 - Batches never asks for nothing
            return self._ask(query, {"ids": ids, **more}, decode, divisible=divisible)

        return Batches(ask, self._detail_batch)

    def _walk(
        self,
        query: str,
        decode: Callable[[HttpResponse], Rows[W]],
        size: int,
        *,
        more: bool = False,
        only: Where | None = None,
    ) -> Iterator[Fetched[W]]:
        """Yield the pages of a keyset walk; poisoned scenes are also kept."""
        dates, where = [""], partial(queries.where_after, more=only)
        note = partial(dates.__setitem__, 0)  # our clock is that of the page which is worked on

        def ask(where: Where, n: int, divisible: bool) -> Rows[W]:  # noqa: FBT001 - a callback of keyset_pages
            asked: Where = {"where": where, "n": n, "more": more}
            return self._ask(query, asked, decode, divisible=divisible, note=note)

        pages = keyset_pages(ask, partial(self.count, note=note), where, size)
        for page, date in self._transport.ahead((page, dates[0]) for page in pages):
            self._note(date)
            self._poisoned.update(page.poisoned)
            yield page

    def _fetch(
        self, batches: Batches[W], ids: Sequence[SceneId], convert: Callable[[W], T]
    ) -> Fetched[T]:
        fetched = batches.fetch(ids)
        self._poisoned.update(fetched.poisoned)
        found = tuple([convert(row) for row in fetched.found])
        return Fetched(found, fetched.missing, fetched.poisoned)
