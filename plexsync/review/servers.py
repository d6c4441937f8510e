"""What a review asks both servers: lost candidates, one item, and what a link would write.

Everything here only reads.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.errors import NotFoundError
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

    def find_again(self, ids: Sequence[SceneId], state: State) -> list[Waiting]:
        """Match scenes again; those that are gone or no longer LOW are left out.

        Raises:
            ServerError: a server is down or refuses us.
        """
        from plexsync.sync.linking.catalogue import open_catalogue  # noqa: PLC0415 - no screen waits for matching

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
        # The scenes that do not wait compete as in a run.
        catalogue = open_catalogue(
            self.config,
            self.stash,
            (self.cache_dir, state.path.parent),
            state.lineage.stash,
            sections={section.section_id for section in self._sections},
        )
        linker = self._linker(state, self.config.paths, catalogue)
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
        scene = next(iter(self.stash.scenes((scene_id,)).found), None)
        if scene is None:
            raise NotFoundError(
                f"Stash has no scene {scene_id}",
                hint="the id is the number in the scene's address on [stash] url",
            )
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
            self._meet()
            found = self.plex.details((rating_key,))
        chosen = {section.section_id for section in self._sections}
        for detail in found:
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

    def stash_picture(self, path: str) -> bytes | None:
        """Return a picture of a path of Stash; None where it has none.

        Raises:
            ServerError: Stash is down or refuses us.
        """
        with self.lock:
            found = self.stash.cover(path)
        return found.body if isinstance(found, Cover) else None

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

    def compare(
        self, scene_id: SceneId, keys: Sequence[RatingKey], state: State
    ) -> Mapping[RatingKey, LinkPreview]:
        """Return what linking a scene to each item would write.

        Raises:
            ServerError: a server is down or refuses us.
        """
        with self.lock:
            self._meet()
            found = self.stash.details((scene_id,)).found
            read = {one.item.rating_key: one for one in self.plex.details(keys)}
            self._shown.update((key, one.shown) for key, one in read.items())
            if not found:
                return {key: LinkPreview(problem="the scene is gone from Stash") for key in keys}
            record = state.get(scene_id)
            links = {link.rating_key: link for link in record.links} if record else {}
            fields = FieldMaps(
                self._rules,
                scene_url=self.stash.scene_url,
                file_url=self.stash.file_url,
                shared=remembered_shared(state) if self.config.with_namesakes else frozenset(),
            )
            gone = {key: LinkPreview(problem="the item is gone from Plex") for key in keys}
            return gone | {
                key: self._compare(found[0], detail, links.get(key), fields)
                for key, detail in read.items()
            }

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

    def _meet(self) -> None:
        """Connect to both, and make what compares."""
        if self._met:
            return
        self.stash.connect()
        self._machine = self.plex.connect().identity
        self._sections = self.plex.sections(self.config.plex.libraries)
        config = for_this_stash(self.config, self.stash)[0]
        self._rules = config.field_rules({one.section_id: one.title for one in self._sections})
        self._planner = Planner(config.apply.rules)
        self._artwork = Artwork(
            self.stash,
            self.plex.pictures,
            rules=self._rules,
            preserve=config.apply.preserve_plex_edits,
            compare_all=True,
            asked_for=True,
            servers_down=lambda: False,
        )
        self._met = True
