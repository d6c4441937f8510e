"""What a review asks of the world: both servers, the listing a run kept, browser and path rules.

Plex and Stash are only read.
"""

from __future__ import annotations

import os
import threading
import webbrowser
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.app.failures import utc_now
from plexsync.config.files import add_path_rule, remove_path_rule
from plexsync.config.forms import ENV_PATHS
from plexsync.errors import (
    AuthError,
    ConfigError,
    NotFoundError,
    ParseError,
    ServerError,
    StateMismatchError,
)
from plexsync.models import (
    Candidate,
    Confidence,
    Evidence,
    FieldRules,
    ItemDetail,
    Link,
    Match,
    PathRule,
    PlexField,
    PlexItem,
    RatingKey,
    Scene,
    SceneDetail,
    SceneId,
    Section,
)
from plexsync.planning.desired import FieldMaps
from plexsync.planning.planner import Planner
from plexsync.plex.connection import item_address, named_library
from plexsync.plex.index import IndexLoader, cached_items, cached_libraries
from plexsync.review.ahead import LinkPreview, PreviewLoader
from plexsync.review.candidates import candidate_of, likest_paths
from plexsync.review.queue import first_path
from plexsync.stash_client import Cover
from plexsync.state import Lineage, Waiting
from plexsync.sync.detection.unversioned import remembered_shared
from plexsync.sync.execution.pictures.plan import Artwork
from plexsync.sync.linking.pairs import find_origin, recall
from plexsync.sync.rows import Pair, RowMaker
from plexsync.sync.stash_needs import for_this_stash
from plexsync.text.normalize import fold
from plexsync.text.toml import rule_table
from plexsync.text.words import named_rating_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plexsync.app.opening import Servers
    from plexsync.review.answer_store import AnswerStore


MOST_HITS = 9
"""Items a search shows: those a single digit can choose."""


class ReviewServers:
    """What a review asks of the world around it: searches, comparisons, the browser, path rules.

    Connects to each server when it is first needed.

    Args:
        servers: both, and their configuration.
        store: has what is remembered, people's answers included.
        cache_dir: where Plex's listing lies.

    Attributes:
        cache_dir: the same.
        rows: makes rows of scenes that wait.
        previews: what linking scenes to their candidates would write, as far as it is known.
    """

    def __init__(self, servers: Servers, store: AnswerStore, cache_dir: Path) -> None:
        self._config, self._plex, self._stash = servers.config, servers.plex, servers.stash
        self._store, self.cache_dir = store, cache_dir
        self.previews = PreviewLoader(self.compare)
        self.rows = RowMaker(self._stash.scene_url, self._plex.item_url, {})
        # The clients are for one thread at a time.
        self._lock = threading.Lock()
        self._met: _Met | None = None
        self._shown: dict[RatingKey, dict[PlexField, str]] = {}
        self._added: list[PathRule] = []

    def find_again(self, ids: Sequence[SceneId]) -> list[Waiting]:
        """Match scenes again; those that are gone or no longer LOW are left out.

        Raises:
            ServerError: a server is down or refuses us.
        """
        from plexsync.sync.linking.catalogue import open_catalogue  # noqa: PLC0415 - no screen waits for matching
        from plexsync.sync.linking.linker import configured_linker  # noqa: PLC0415 - same

        if not ids:
            return []
        met = self._meet()
        scenes = self._stash.scenes(tuple(ids)).found
        loader = IndexLoader(
            client=self._plex, cache_dir=self.cache_dir, machine=met.machine, now=utc_now()
        )
        items = loader.load(met.sections).items
        state = self._store.state
        # The scenes that do not wait compete as in a run.
        catalogue = open_catalogue(
            self._config,
            self._stash.sweep,
            (self.cache_dir, state.path.parent),
            state.lineage.stash,
            sections=set(met.titles),
        )
        linker = configured_linker(self._config, state, libraries=met.titles, catalogue=catalogue)
        return linker.matched(scenes, items, ()).review

    def settled(self, rule: PathRule, waiting: Sequence[Waiting]) -> frozenset[SceneId]:
        """Match scenes again with one rule more, by the listing a run kept; ask nobody."""
        from plexsync.sync.linking.linker import configured_linker  # noqa: PLC0415 - no screen waits for matching

        config = replace(self._config, paths=(*self.rules(), rule))
        linker = configured_linker(config, self._store.state, libraries={}, catalogue=None)
        linked = linker.matched([one.scene for one in waiting], self._listing, ())
        return frozenset(pair.scene.scene_id for pair in linked.pairs)

    # ---- Items and rules a person names ----------------------------------------------------------

    def search(self, text: str, scene: Scene) -> tuple[tuple[Candidate, ...], int]:
        """Return the first items with all words in title or path, and how many there are.

        Case aside; short titles first.
        """
        wanted = fold(text).split()
        found = []
        for item in self._listing:
            where = fold(f"{item.title}\x00{first_path(item)}")
            if item.files and not item.trashed and all(word in where for word in wanted):
                found.append(item)
        found.sort(key=lambda item: (len(item.title), item.title, item.rating_key))
        hits = (self._named(one, scene, "found by a search") for one in found[:MOST_HITS])
        return tuple(hits), len(found)

    def find(self, text: str, scene: Scene) -> Candidate:
        """Return the item of a rating key or an address, from the listing or else from Plex.

        Raises:
            ConfigError: it is neither a rating key nor an address with one.
            ServerError: Plex has no such item, or is away.
        """
        try:
            key = named_rating_key(text)
        except ParseError as error:
            raise ConfigError("That is neither a rating key nor a Plex address") from error
        for item in self._listing:
            if item.rating_key == key and item.files and not item.trashed:
                return self._named(item, scene, "named by you")
        return self._named(self.item(RatingKey(key)), scene, "named by you")

    def browse(self, scene_id: SceneId, rating_key: RatingKey | None) -> str:
        """Open both in the browser where there is a screen; return where they are.

        Where no run has met Plex it is asked who it is; if it is away, that stands for its page.
        """
        away = ""
        if rating_key is not None and not self._machine_known():
            try:
                with self._lock:
                    self._meet()
            except (ServerError, StateMismatchError) as error:
                away = error.message
        addresses = tuple(filter(None, self.pages(scene_id, rating_key)))
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            for address in addresses:
                webbrowser.open(address)
        return "  ".join(filter(None, (*addresses, away)))

    def pages(self, scene_id: SceneId, rating_key: RatingKey | None) -> tuple[str, str]:
        """Return the addresses of both; "" for the item where it is not known who Plex is."""
        machine, item = self._machine_known(), ""
        if machine and rating_key is not None:
            item = item_address(self._config.plex.url.rstrip("/"), machine, rating_key)
        return self._stash.scene_url(scene_id), item

    def rules(self) -> Sequence[PathRule]:
        """Return the path rules of the configuration, and those added since."""
        return (*self._config.paths, *self._added)

    def add_rule(self, rule: PathRule) -> str:
        """Append a rule to the configuration file; return where, in words.

        Raises:
            ConfigError: there is no file, or rules do not come from it.
        """
        source = self._config.source
        if source is None or ENV_PATHS in os.environ:
            where = f"{ENV_PATHS} is set" if source else "there is no configuration file"
            raise ConfigError(
                f"{where}, so the rule has to be added by hand", hint=rule_table(rule)
            )
        add_path_rule(source, rule)
        self._added.append(rule)
        return f"Added to {source}. u takes it out again."

    def remove_rule(self, rule: PathRule) -> None:
        """Take a rule out of the file again.

        Raises:
            ConfigError: the file was changed since.
        """
        if self._config.source is not None:
            remove_path_rule(self._config.source, rule)
        self._added.remove(rule)

    def linked(self, scene_id: SceneId) -> Waiting:
        """Return a scene that does not wait, with the items it is linked to as candidates.

        Raises:
            NotFoundError: Stash has no such scene.
            ServerError: a server is down or refuses us.
        """
        self._meet()
        scene = next(iter(self._stash.scenes((scene_id,)).found), None)
        if scene is None:
            raise NotFoundError(
                f"Stash has no scene {scene_id}",
                hint="the id is the number in the scene's address on [stash] url",
            )
        record = self._store.state.get(scene_id)
        items = {item.rating_key: item for item in self._listing}
        candidates = tuple(
            Candidate(
                rating_key=link.rating_key,
                title="",
                scene_path=likest_paths(scene, items[link.rating_key])[0]
                if link.rating_key in items
                else first_path(scene),
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
        with self._lock:
            titles = self._meet().titles
            found = self._plex.details((rating_key,))
        for detail in found:
            if detail.item.section_id not in titles:
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
        with self._lock:
            found = self._stash.cover(path)
        return found.body if isinstance(found, Cover) else None

    def item_picture(self, rating_key: RatingKey, field: PlexField) -> bytes | None:
        """Return the poster or background an item shows; None for an item without one.

        Raises:
            ServerError: Plex is down or refuses us.
        """
        with self._lock:
            self._meet()
            if rating_key not in self._shown:
                for detail in self._plex.details((rating_key,)):
                    self._shown[rating_key] = detail.shown
            address = self._shown.get(rating_key, {}).get(field, "")
            return self._plex.pictures.fetch(address) if address else None

    def compare(
        self, scene_id: SceneId, keys: Sequence[RatingKey]
    ) -> Mapping[RatingKey, LinkPreview]:
        """Return what linking a scene to each item would write.

        Raises:
            ServerError: a server is down or refuses us.
        """
        with self._lock:
            met = self._meet()
            found = self._stash.details((scene_id,)).found
            read = {one.item.rating_key: one for one in self._plex.details(keys)}
            self._shown.update((key, one.shown) for key, one in read.items())
            if not found:
                return {key: LinkPreview(problem="the scene is gone from Stash") for key in keys}
            state = self._store.state
            names = remembered_shared(state) if self._config.with_namesakes else frozenset()
            fields = FieldMaps(
                met.rules,
                scene_url=self._stash.scene_url,
                file_url=self._stash.file_url,
                shared=names,
            )
            gone = {key: LinkPreview(problem="the item is gone from Plex") for key in keys}
            return gone | {
                key: met.compare(self._pair(found[0], detail.item), found[0], detail, fields)
                for key, detail in read.items()
            }

    @cached_property
    def _libraries(self) -> Mapping[str, str]:
        """The titles of the libraries that were listed, by id."""
        return cached_libraries(self.cache_dir, self._store.state.lineage.plex)

    @cached_property
    def _listing(self) -> tuple[PlexItem, ...]:
        """What is kept of the libraries that take part; others may have done so once."""
        names = self._config.plex.libraries
        ids = {one for name in names for one in named_library(name, self._libraries)}
        items = cached_items(self.cache_dir, self._store.state.lineage.plex)
        return tuple(item for item in items if not names or item.section_id in ids)

    def _named(self, item: PlexItem, scene: Scene, found: str) -> Candidate:
        library = self._libraries.get(item.section_id, "")
        return candidate_of(item, scene, found=found, library=library)

    def _pair(self, scene: SceneDetail, item: PlexItem) -> Pair:
        """Return a scene and an item with all that is remembered of the item, as a run would."""
        state, scene_id = self._store.state, scene.scene_id
        link = Link(rating_key=item.rating_key, section_id=item.section_id, path=first_path(item))
        pair = Pair(scene=Scene(scene_id=scene_id, updated_at=scene.updated_at), link=link)
        find_origin(pair, state, self._store.owner(item.rating_key, scene_id))
        recall(pair, state)
        return pair

    def _machine_known(self) -> str:
        """Return which Plex it is; "" where neither a run nor this review has met it."""
        return self._store.state.lineage.plex or (self._met.machine if self._met else "")

    def _meet(self) -> _Met:
        """Connect to both, unless that was done.

        Raises:
            ServerError: a server is down or refuses us.
            StateMismatchError: what is remembered is about another Plex.
        """
        if self._met is None:
            stash, machine = self._stash.connect().identity, self._plex.connect().identity
            self._store.state.check_lineage(Lineage(plex=machine, stash=stash))
            sections = self._plex.sections(self._config.plex.libraries)
            titles = {one.section_id: one.title for one in sections}
            config = for_this_stash(self._config, self._stash)[0]
            rules = config.field_rules(titles)
            artwork = Artwork(
                self._stash,
                self._plex.pictures,
                rules=rules,
                preserve=config.apply.preserve_plex_edits,
                compare_all=True,
                asked_for=False,
                ends_run=lambda error: isinstance(error, AuthError),
            )
            planner = Planner(config.apply.rules)
            self._met = _Met(machine, sections, titles, rules, planner, artwork)
        return self._met


class _Met(NamedTuple):
    """What is known of both servers once they were met, and what compares by it.

    Attributes:
        machine: which Plex it is.
        sections: the libraries that take part.
        titles: of these, by id.
        rules: the fields of each library.
        planner: compares them.
        artwork: compares pictures.
    """

    machine: str
    sections: tuple[Section, ...]
    titles: dict[str, str]
    rules: FieldRules
    planner: Planner
    artwork: Artwork

    def compare(
        self, pair: Pair, scene: SceneDetail, detail: ItemDetail, fields: FieldMaps
    ) -> LinkPreview:
        """Return what linking a pair would write, by what is remembered of it."""
        item, link = detail.item, pair.link
        desired = fields.desired(scene, item.kind, item.section_id)
        held = self.planner.still_held(desired, link.held)
        uncurated = link.inherited and scene.is_blank
        planned = self.planner.plan(desired, detail, link.base, held, uncurated=uncurated)
        pictures = self.artwork.plan(pair, scene, detail)
        return LinkPreview(
            changes=(*planned.changes, *pictures.changes),
            kept=(*planned.kept, *planned.held, *planned.waiting, *pictures.kept),
            item=item,
        )
