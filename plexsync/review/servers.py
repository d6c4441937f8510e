"""What a review asks both servers: lost candidates, one item, and what a link would write.

Everything here only reads.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.errors import NotFoundError, ServerError
from plexsync.matcher import collect_answers
from plexsync.models import Candidate, Confidence, Evidence, Link, Match, PlexField, Scene
from plexsync.planning.desired import FieldMaps
from plexsync.planning.planner import Planner
from plexsync.plex.index import IndexLoader
from plexsync.review.interfaces import LinkPreview
from plexsync.review.queue import first_path
from plexsync.stash_client import Cover
from plexsync.state import Waiting
from plexsync.sync.connections import for_this_stash
from plexsync.sync.detection.renames import remembered_shared
from plexsync.sync.execution.pictures.plan import Artwork
from plexsync.sync.rows import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import (
        FieldRules,
        ItemDetail,
        PathRule,
        PlexItem,
        RatingKey,
        SceneDetail,
        SceneId,
        Section,
    )
    from plexsync.plex.client import PlexClient
    from plexsync.stash_client import StashClient
    from plexsync.state import State
    from plexsync.sync.linking.decider import KnowsScenes
    from plexsync.sync.linking.linker import Linker


_DOWN_FOR_S = 30.0
"""Seconds a server that failed is not asked again."""


@dataclass(slots=True, kw_only=True)
class ReviewServers:
    """Both servers, as a review asks them. Connects to each when it is first needed.

    Args:
        config: which libraries, rules and fields.
        stash: where scenes are.
        plex: where items are.
        cache_dir: where Plex's listing lies.
        now: the clock; aware UTC.
        lock: held while a server is asked: the clients are for one thread at a time.
    """

    config: Config
    stash: StashClient
    plex: PlexClient
    cache_dir: Path
    now: Callable[[], datetime]
    lock: threading.Lock = field(default_factory=threading.Lock)
    _met: bool = False
    _shown: dict[RatingKey, dict[PlexField, str]] = field(default_factory=dict)
    _sections: tuple[Section, ...] = ()
    _machine: str = ""
    _planner: Planner = field(init=False)
    _rules: FieldRules = field(init=False)
    _artwork: Artwork = field(init=False)

    def _compare_by(self, config: Config) -> None:
        """Make what compares."""
        apply = config.apply
        self._rules = config.field_rules({one.section_id: one.title for one in self._sections})
        self._planner = Planner(apply.rules)
        self._artwork = Artwork(
            self.stash,
            self.plex.pictures,
            rules=self._rules,
            preserve=apply.preserve_plex_edits,
            compare_all=True,
            asked_for=True,
            servers_down=lambda: False,
        )

    def find_again(self, ids: Sequence[SceneId], state: State) -> list[Waiting]:
        """Match scenes again; those that are gone or no longer LOW are left out.

        Raises:
            ServerError: a server is down or refuses us.
        """
        if not ids:
            return []
        self._meet()
        scenes = self.stash.scenes(tuple(ids)).found
        loader = IndexLoader(
            client=self.plex,
            cache_dir=self.cache_dir,
            machine=self._machine,
            now=self.now(),
        )
        items = loader.load(self._sections).items
        linker = self._linker(state, self.config.paths, self._catalogue(state))
        titles = {section.section_id: section.title for section in self._sections}
        return [
            Waiting(
                scene=one.scene,
                match=one.match,
                libraries=tuple(titles.get(item.section_id, "") for item in one.items),
            )
            for one in linker.matched(scenes, items, ()).review
        ]

    def settled(
        self,
        scenes: Sequence[Scene],
        items: Sequence[PlexItem],
        state: State,
        *,
        rules: Sequence[PathRule],
    ) -> frozenset[SceneId]:
        """Which scenes would be HIGH under these path rules; asks nobody, not for hashes either.

        Args:
            scenes: all that compete.
            items: everything in the libraries.
            state: what is remembered, people's answers included.
            rules: all of them, the tried ones included.
        """
        from plexsync.sync.linking.catalogue import NoOthers  # noqa: PLC0415 - no screen waits for matching

        linked = self._linker(state, rules, NoOthers()).matched(scenes, items, ())
        return frozenset(pair.scene.scene_id for pair in linked.pairs)

    def _catalogue(self, state: State) -> KnowsScenes:
        """Return the scenes that do not wait: they compete as in a run."""
        from plexsync.sync.linking.catalogue import open_catalogue  # noqa: PLC0415 - no screen waits for matching

        return open_catalogue(
            self.config,
            self.stash,
            (self.cache_dir, state.path.parent),
            state.lineage.stash,
            sections={section.section_id for section in self._sections},
        )

    def _linker(self, state: State, rules: Sequence[PathRule], catalogue: KnowsScenes) -> Linker:
        from plexsync.sync.linking.decider import Decider, match_settings  # noqa: PLC0415 - no screen waits for matching
        from plexsync.sync.linking.linker import Linker  # noqa: PLC0415 - see above

        answers = collect_answers(state)
        return Linker(
            records=state,
            sections=frozenset(section.section_id for section in self._sections),
            decider=Decider(
                catalogue=catalogue,
                rules=rules,
                settings=match_settings(self.config),
                answers=answers,
                libraries={section.section_id: section.title for section in self._sections},
            ),
            strict=True,
            least_low=1.0,
            answers=answers,
        )

    def linked(self, scene_id: SceneId, state: State) -> Waiting:
        """Return a scene that does not wait, with the items it is linked to as candidates.

        Raises:
            NotFoundError: Stash has no such scene.
            ServerError: a server is down or refuses us.
        """
        self._meet()
        scene = self._scene(scene_id)
        record = state.get(scene_id)
        candidates = tuple(
            Candidate(
                rating_key=link.rating_key,
                title="",
                scene_path=first_path(scene),
                item_path=link.path,
                score=1.0,
                evidence=(Evidence(name="link", value="linked in an earlier run", weight=0.0),),
            )
            for link in (record.links if record else ())
        )
        match = Match(
            scene_id=scene_id,
            confidence=Confidence.HIGH if candidates else None,
            reason="linked in an earlier run" if candidates else "not linked",
            candidates=candidates,
            candidate_count=len(candidates),
        )
        return Waiting(scene=scene, match=match)

    def item(self, rating_key: RatingKey) -> PlexItem:
        """One item that a scene can be.

        Raises:
            NotFoundError: Plex has no such movie or episode, or it takes no part.
            ServerError: Plex is down or refuses us.
        """
        with self.lock:
            return self._read_item(rating_key)

    def _read_item(self, rating_key: RatingKey) -> PlexItem:
        self._meet()
        chosen = {section.section_id for section in self._sections}
        for detail in self.plex.details((rating_key,)):
            if detail.item.section_id not in chosen:
                raise NotFoundError(
                    f"item {rating_key} is in a Plex library that takes no part",
                    hint="add the library to [plex] libraries",
                )
            if detail.item.trashed or not detail.item.files:
                raise NotFoundError(f"item {rating_key} shows no file")
            return detail.item
        raise NotFoundError(
            f"Plex has no movie or episode {rating_key}",
            hint="the rating key is the number at the end of the item's address on [plex] url",
        )

    def cover(self, scene_id: SceneId) -> bytes | None:
        """Return the cover of a scene; None for a scene without one.

        Raises:
            ServerError: Stash is down or refuses us.
        """
        return self._stash_picture(f"/scene/{scene_id}/screenshot")

    def frames(self, oshash: int) -> bytes | None:
        """Return the sheet of small frames Stash has made of a file; None while it has made none.

        Raises:
            ServerError: Stash is down or refuses us.
        """
        return self._stash_picture(f"/scene/{oshash:016x}_sprite.jpg")

    def item_picture(self, rating_key: RatingKey, field: PlexField) -> bytes | None:
        """Return the poster or background an item shows; None for an item without one.

        Raises:
            ServerError: Plex is down or refuses us.
        """
        with self.lock:
            self._meet()
            if rating_key not in self._shown:
                for detail in self.plex.details((rating_key,)):
                    self._shown[rating_key] = detail.shown
            address = self._shown.get(rating_key, {}).get(field, "")
            return self.plex.pictures.fetch(address) if address else None

    def _stash_picture(self, path: str) -> bytes | None:
        with self.lock:
            found = self.stash.cover(path)
        return found.body if isinstance(found, Cover) else None

    def compare(
        self, scene_id: SceneId, keys: Sequence[RatingKey], state: State
    ) -> Mapping[RatingKey, LinkPreview]:
        """Return what linking a scene to each item would write.

        Raises:
            ServerError: a server is down or refuses us.
        """
        with self.lock:
            return self._compare_all(scene_id, keys, state)

    def _compare_all(
        self, scene_id: SceneId, keys: Sequence[RatingKey], state: State
    ) -> Mapping[RatingKey, LinkPreview]:
        self._meet()
        found = self.stash.details((scene_id,)).found
        read = {one.item.rating_key: one for one in self.plex.details(keys)}
        self._shown.update((key, one.shown) for key, one in read.items())
        if not found:
            return {key: LinkPreview(problem="the scene is gone from Stash") for key in keys}
        record = state.get(scene_id)
        links = {link.rating_key: link for link in record.links} if record else {}
        fields = self._field_maps(state)
        previews = {}
        for key in keys:
            if key not in read:
                previews[key] = LinkPreview(problem="the item is gone from Plex")
            else:
                previews[key] = self._compare(found[0], read[key], links.get(key), fields)
        return previews

    def _field_maps(self, state: State) -> FieldMaps:
        shared = remembered_shared(state) if self.config.with_namesakes else frozenset()
        stash = self.stash
        return FieldMaps(
            self._rules, scene_url=stash.scene_url, file_url=stash.file_url, shared=shared
        )

    def _compare(
        self, scene: SceneDetail, detail: ItemDetail, known: Link | None, fields: FieldMaps
    ) -> LinkPreview:
        item = detail.item
        link = known or Link(rating_key=item.rating_key, section_id=item.section_id, path="")
        desired = fields.of(item.section_id).desired(scene, item.kind)
        planned = self._planner.plan(desired, detail, link.base)
        pair = Pair(scene=Scene(scene_id=scene.scene_id, updated_at=scene.updated_at), link=link)
        pictures = self._artwork.plan(pair, scene, detail)
        return LinkPreview(
            changes=(*planned.changes, *pictures.changes),
            kept=(*planned.kept, *pictures.kept),
            item=item,
        )

    def _scene(self, scene_id: SceneId) -> Scene:
        for scene in self.stash.scenes((scene_id,)).found:
            return scene
        raise NotFoundError(
            f"Stash has no scene {scene_id}",
            hint="the id is the number in the scene's address on [stash] url",
        )

    def _meet(self) -> None:
        if self._met:
            return
        self.stash.connect()
        self._machine = self.plex.connect().identity
        self._sections = self.plex.sections(self.config.plex.libraries)
        self._compare_by(for_this_stash(self.config, self.stash)[0])
        self._met = True


class PreviewLoader:
    """Compares scenes with their candidates before they come to the screen.

    Args:
        servers: which are asked.
        state: gives what is remembered now.
    """

    def __init__(self, servers: ReviewServers, state: Callable[[], State]) -> None:
        self._servers, self._state = servers, state
        self._tell: Callable[[], object] = lambda: None
        self._wanted: list[tuple[SceneId, tuple[RatingKey, ...]]] = []
        self._known: dict[SceneId, dict[RatingKey, LinkPreview]] = {}
        self._changed = threading.Condition()
        self._down_until = 0.0
        self._problem = ""
        self._closed = False
        # A server that hangs must not keep the program from ending.
        threading.Thread(target=self._work, daemon=True).start()

    def on_news(self, tell: Callable[[], object]) -> None:
        """Call `tell` from now on, in another thread, whenever something new is known."""
        self._tell = tell

    def want(self, wanted: Sequence[tuple[SceneId, tuple[RatingKey, ...]]]) -> None:
        """Say what is needed next, the most urgent first; what was wanted before is dropped."""
        with self._changed:
            self._wanted = list(wanted)
            self._changed.notify_all()

    def known(self, scene_id: SceneId) -> Mapping[RatingKey, LinkPreview]:
        """Return what is known of a scene's candidates by now."""
        with self._changed:
            return dict(self._known.get(scene_id, {}))

    def wait_for(self, scene_id: SceneId, key: RatingKey, seconds: float) -> None:
        """Wait until a pair is known, at most so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or key in self._known.get(scene_id, {}), seconds
            )

    def pause(self, seconds: float) -> None:
        """Wait until something new is known, at most so long."""
        with self._changed:
            self._changed.wait(max(seconds, 0.0))

    def close(self) -> None:
        """Ask nothing more."""
        with self._changed:
            self._closed = True
            self._wanted = []
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                job = self._next()
                while job is None and not self._closed:
                    self._changed.wait()
                    job = self._next()
                if job is None:
                    return
            scene_id, keys = job
            found = self._compare(scene_id, keys)
            with self._changed:
                self._known.setdefault(scene_id, {}).update(found)
                self._changed.notify_all()
            self._tell()

    def _next(self) -> tuple[SceneId, tuple[RatingKey, ...]] | None:
        for scene_id, keys in self._wanted:
            known = self._known.get(scene_id, {})
            lost = tuple(key for key in keys if key not in known)
            if lost:
                return scene_id, lost
        return None

    def _compare(
        self, scene_id: SceneId, keys: tuple[RatingKey, ...]
    ) -> Mapping[RatingKey, LinkPreview]:
        if time.monotonic() < self._down_until:
            return {key: LinkPreview(problem=self._problem) for key in keys}
        try:
            return self._servers.compare(scene_id, keys, self._state())
        except ServerError as error:
            self._problem = error.message
            self._down_until = time.monotonic() + _DOWN_FOR_S
        return {key: LinkPreview(problem=self._problem) for key in keys}
