"""Scenes matched afresh, from both servers: the account of one, and what agents matched to others.

The GUIDs of those agents name the scenes, so no path rule is needed; the files confirm it, because
Stash's ids start again after a full import.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ConfigError
from plexsync.matcher import (
    Explanation,
    Known,
    Named,
    account,
    account_of_item,
)
from plexsync.models import Confidence, ItemKind, PlexField, SceneId, ShowRecord, show_key
from plexsync.plex.hash_cache import HashCache
from plexsync.plex.index import IndexLoader
from plexsync.state import Lineage, State, load_state
from plexsync.sync.linking.catalogue import open_catalogue
from plexsync.sync.linking.linker import configured_linker
from plexsync.sync.rows import REMEMBERED
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plexsync.config.configuration import Config
    from plexsync.matcher import Account
    from plexsync.models import ItemDetail, Match, PlexItem, RatingKey, Scene, SceneRecord
    from plexsync.sync.ports import Ports


_MOST_NAMED = 10


def explain_scene(config: Config, ports: Ports, scene_id: SceneId) -> Explanation:
    """Give the account of one scene. Writes nothing but the cache.

    Raises:
        ConfigError: Stash has no such scene.
        ServerError: a server did not answer.
        StateError: the state cannot be read.
    """
    world = MatchingInputs(config, ports)
    fetched = ports.stash.scenes([scene_id], with_relations=True).found
    if not fetched:
        raise ConfigError(
            f"Stash has no scene {scene_id}",
            context="SCENE_ID",
            hint="the id is the number in the scene's address in Stash",
        )
    scene = fetched[0]
    matches = world.matched([scene])
    found = account(scene, world.items, matches, **world.known([scene]))
    apart = (_refuser(config, ports)(scene), world.answers.ignores(scene))
    notes = (*filter(None, apart), *world.kept_links(scene))
    record = world.state.get(scene_id)
    return world.explanation(found, world.name_scene(scene), record, [scene], notes=notes)


def explain_item(config: Config, ports: Ports, rating_key: RatingKey) -> Explanation:
    """Give the account of one item: every scene that could be it.

    Raises:
        ConfigError: Plex has no such item in the chosen libraries.
        ServerError: a server did not answer.
        StateError: the state cannot be read.
    """
    world = MatchingInputs(config, ports)
    item = world.by_key.get(rating_key)
    if item is None:
        raise ConfigError(
            f"no movie or episode of the chosen libraries has the rating key {rating_key}",
            context="--item",
            hint="--item is the number at the end of the item's address in Plex",
        )
    owner = world.state.claims().get(rating_key)
    scenes = world.waiting()
    if owner is not None and all(one.scene_id != owner for one in scenes):
        scenes = [*scenes, *ports.stash.scenes([owner]).found]
    matches = world.matched(scenes)
    found = account_of_item(rating_key, scenes, world.items, matches, **world.known(scenes))
    record = world.state.get(owner) if owner is not None else None
    return world.explanation(found, world.name_item(item), record, scenes, is_item=True)


class MatchingInputs:
    """Both servers and the state, as far as an account needs them."""

    def __init__(self, config: Config, ports: Ports) -> None:
        self._config = config
        self._ports = ports
        stash = ports.stash.connect()
        plex = ports.plex.connect()
        self.state: State = load_state(ports.state_dir, ports.disk)
        self.state.check_lineage(Lineage(plex=plex.identity, stash=stash.identity))
        sections = ports.plex.sections(config.plex.libraries)
        self._libraries = {section.section_id: section.title for section in sections}
        loader = IndexLoader(
            client=ports.plex,
            cache_dir=ports.cache_dir,
            machine=plex.identity,
            now=ports.now(),
        )
        self.items: Sequence[PlexItem] = loader.load(sections).items
        self.by_key = {item.rating_key: item for item in self.items}
        hashes = HashCache(ask=ports.plex.hashes, server=plex.identity, directory=ports.cache_dir)
        self._catalogue = open_catalogue(
            config,
            ports.stash.sweep,
            (ports.cache_dir, ports.state_dir),
            stash.identity,
            sections=set(self._libraries),
        )
        linker = configured_linker(
            config, self.state, libraries=self._libraries, catalogue=self._catalogue
        )
        self._linker = replace(linker, hashes=hashes if config.match.use_content_hash else None)
        self.answers = linker.answers

    def known(self, scenes: Sequence[Scene]) -> Known:
        """Return what a run that has only these scenes to decide about knows beside them."""
        due = {scene.scene_id for scene in scenes}
        claims = {key: who for key, who in self.state.claims().items() if who not in due}
        return self._linker.known(scenes, self.items, claims)

    def matched(self, scenes: Sequence[Scene]) -> list[Match]:
        """Return what a run finds that matches these scenes, in their order; it reads hashes."""
        places = {scene.scene_id: at for at, scene in enumerate(scenes)}
        linked = self._linker.matched(scenes, self.items, ())
        return sorted(linked.matches(), key=lambda one: places[one.scene_id])

    def kept_links(self, scene: Scene) -> Iterator[str]:
        """Yield what keeps a run from matching a scene, for each item it is linked to."""
        for pair in self._linker.remembered([scene])[0]:
            again = "a run matches it again only if Plex shows another video there"
            yield f"item {pair.link.rating_key}: {REMEMBERED}; {again}"

    def waiting(self) -> list[Scene]:
        """Return the scenes that compete; before the first run all.

        Those that are not linked yet, and those with several files, which may be further items.
        """
        if self.state.is_new:
            return [scene for page in self._ports.stash.sweep() for scene in page]
        ids = [scene_id for scene_id, _ in self.state.waiting()]
        several = [one for one in self._catalogue.others(set(ids)) if len(one.files) > 1]
        return [*self._ports.stash.scenes(ids).found, *several]

    def explanation(
        self,
        found: Account,
        subject: Named,
        record: SceneRecord | None,
        scenes: Iterable[Scene],
        *,
        is_item: bool = False,
        notes: tuple[str, ...] = (),
    ) -> Explanation:
        """Put it together, with a name for everything the account speaks of."""
        items = (one.candidate.rating_key for one in found.standings)
        shown = {one.scene_id for one in found.standings}
        names = {
            f"item {key}": self.name_item(self.by_key[key])
            for key in (*items, *found.refused, *found.in_trash)
        }
        names |= {
            f"scene {one.scene_id}": self.name_scene(one) for one in scenes if one.scene_id in shown
        }
        return Explanation(
            subject=subject,
            is_item=is_item,
            account=found,
            record=record,
            names=names,
            items_compared=len(self.items),
            notes=(*notes, *_show_notes(self._config, self.state, record)),
        )

    def name_scene(self, scene: Scene) -> Named:
        """Return a scene."""
        return Named(
            id=scene.scene_id,
            title=scene.title,
            paths=tuple(file.path for file in scene.files),
            library="",
            url=self._ports.stash.scene_url(scene.scene_id),
        )

    def name_item(self, item: PlexItem) -> Named:
        """Return an item."""
        return Named(
            id=item.rating_key,
            title=item.title,
            paths=tuple(file.path for file in item.files),
            library=self._libraries.get(item.section_id, ""),
            url=self._ports.plex.item_url(item.rating_key),
        )


# ---- What agents matched -------------------------------------------------------------------------


class Adoptable(msgspec.Struct, frozen=True, kw_only=True):
    """One scene that a GUID names, and the item it is.

    Attributes:
        scene_id: the scene.
        rating_key: the item it would be linked to, or the best candidate; None without one.
        title: the item's title.
        library: the item's library.
        confidence: HIGH, LOW or None.
        reason: why.
        fields: Plex's fields that hold something, which the agent or a person left.
        locked: those of them, and others, that are locked.
        collections: the collections the item is in.
    """

    scene_id: SceneId
    rating_key: RatingKey | None = None
    title: str = ""
    library: str = ""
    confidence: Confidence | None = None
    reason: str = ""
    fields: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """All that would be taken over.

    Attributes:
        items: how many items have a GUID that names a scene.
        missing: scenes that GUIDs name and Stash does not have.
        scenes: a row for each scene and item.
    """

    schema: str = "plexsync/adopt/1"
    items: int
    missing: tuple[SceneId, ...]
    scenes: tuple[Adoptable, ...]

    @property
    def certain(self) -> tuple[SceneId, ...]:
        """The scenes that would be linked, each once."""
        sure = (one.scene_id for one in self.scenes if one.confidence is Confidence.HIGH)
        return tuple(dict.fromkeys(sure))


def find_adoptable(config: Config, ports: Ports) -> Adoption:
    """Look which items agents and providers matched to scenes. Writes nothing but the cache.

    Raises:
        ServerError: a server did not answer.
        StateError: the state cannot be read.
    """
    inputs = MatchingInputs(config, ports)
    tagged = [item for item in inputs.items if item.stash_id and not item.trashed]
    named = tuple(dict.fromkeys(SceneId(item.stash_id) for item in tagged))
    if not named:
        return Adoption(items=0, missing=(), scenes=())
    fetched = ports.stash.scenes(named, with_relations=True)
    refuse, ignores = _refuser(config, ports), inputs.answers.ignores
    apart = {one.scene_id: why for one in fetched.found if (why := ignores(one) or refuse(one))}
    scenes = [one for one in fetched.found if one.scene_id not in apart]
    found = inputs.matched(scenes)
    sure = [one.candidates[0].rating_key for one in found if one.confidence is Confidence.HIGH]
    details = {one.item.rating_key: one for one in ports.plex.details(sure)}
    return Adoption(
        items=len(tagged),
        missing=tuple(fetched.missing),
        scenes=(
            *(_adoptable(one, details.get) for one in found),
            *(Adoptable(scene_id=one, reason=why) for one, why in apart.items()),
        ),
    )


def survey_lines(adoption: Adoption) -> Sequence[str]:
    """Say what would be taken over, a line for each scene and item and one for all."""
    lines = [_line(one) for one in adoption.scenes]
    if not adoption.items:
        return [*lines, "No item names a scene in its GUID: there is nothing to take over."]
    name = counted(adoption.items, "item names a scene in its", "items name a scene in their")
    scenes = counted(len({one.scene_id for one in adoption.scenes}), "scene")
    lines.append(f"{name} GUID; {len(adoption.certain):,} of {scenes} certain")
    if adoption.missing:
        some = ", ".join(adoption.missing[:_MOST_NAMED])
        lines.append(f"Stash has no scene {some}; its ids start again after a full import")
    return lines


# ---- Private -------------------------------------------------------------------------------------


def _refuser(config: Config, ports: Ports) -> Callable[[Scene], str]:
    """Return what says why a scene takes no part, and by which key; "" of one that does."""
    names = ports.stash.names().texts if config.participants.with_names else {}
    participation = config.participation(names)

    def refuse(scene: Scene) -> str:
        refused = participation.refusal(scene)
        return f"takes no part: {refused.why} ([stash] {refused.key})" if refused else ""

    return refuse


def _show_notes(config: Config, state: State, record: SceneRecord | None) -> tuple[str, ...]:
    """Return why the season and the show of an episode are left alone."""
    if not config.shows.studios or record is None:
        return ()
    notes: dict[str, None] = {}
    for link in record.links:
        # Of a show that is left alone its seasons are, too.
        for kind, key in zip((ItemKind.SHOW, ItemKind.SEASON), reversed(link.above), strict=False):
            known = state.kept(show_key(kind, key))
            if isinstance(known, ShowRecord) and known.apart:
                notes[f"its {kind} (item {key}) is left alone: {known.apart}"] = None
                break
    return tuple(notes)


def _adoptable(found: Match, detail_of: Callable[[RatingKey], ItemDetail | None]) -> Adoptable:
    if not found.candidates:
        return Adoptable(scene_id=found.scene_id, reason=found.reason)
    best = found.candidates[0]
    detail = detail_of(best.rating_key) if found.confidence is Confidence.HIGH else None
    values = detail.values if detail else {}
    collections = values.get(PlexField.COLLECTIONS, ())
    return Adoptable(
        scene_id=found.scene_id,
        rating_key=best.rating_key,
        title=best.title,
        library=best.library,
        confidence=found.confidence,
        reason=found.reason,
        fields=tuple(sorted(field for field, value in values.items() if value)),
        locked=tuple(sorted(detail.locked)) if detail else (),
        collections=collections if isinstance(collections, tuple) else (),
    )


def _line(one: Adoptable) -> str:
    if one.rating_key is None:
        return f"scene {one.scene_id}: {one.reason}"
    where = f"item {one.rating_key} in {one.library}: {one.title}"
    if one.confidence is not Confidence.HIGH:
        return f"{one.confidence} scene {one.scene_id} -> {where}; {one.reason}"
    left = [field for field in one.fields if field != PlexField.COLLECTIONS]
    words = [f"fields {', '.join(left)}" if left else "no fields"]
    words += [f"locks {', '.join(one.locked)}"] if one.locked else []
    words += [f"collections {', '.join(one.collections)}"] if one.collections else []
    return f"{one.confidence} scene {one.scene_id} -> {where}; the agent left {'; '.join(words)}"
