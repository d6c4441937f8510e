"""Items an agent or provider matched to scenes: what would be linked, and what the agent left.

Their GUIDs name the scenes, so no path rule is needed; the files confirm it, because Stash's ids
start again after a full import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.app.explain import MatchingInputs
from plexsync.matcher import match
from plexsync.models import Confidence, PlexField, SceneId

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.config.configuration import Config
    from plexsync.models import ItemDetail, Match, RatingKey
    from plexsync.sync.ports import Ports

SCHEMA = "plexsync/adopt/1"
"""What a JSON survey calls itself."""

_MOST_NAMED = 10


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

    schema: str = SCHEMA
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
    fetched = ports.stash.scenes(named)
    found = match(fetched.found, inputs.items, **inputs.known(fetched.found))
    sure = [one.candidates[0].rating_key for one in found if one.confidence is Confidence.HIGH]
    details = {one.item.rating_key: one for one in ports.plex.details(sure)}
    return Adoption(
        items=len(tagged),
        missing=tuple(fetched.missing),
        scenes=tuple(_adoptable(one, details.get) for one in found),
    )


def survey_lines(adoption: Adoption) -> Sequence[str]:
    """Say what would be taken over, a line for each scene and item and one for all."""
    lines = [_line(one) for one in adoption.scenes]
    linked = len(adoption.certain)
    lines.append(
        f"{adoption.items:,} items name a scene in their GUID; "
        f"{linked:,} of {len({one.scene_id for one in adoption.scenes}):,} scenes are certain"
    )
    if adoption.missing:
        some = ", ".join(adoption.missing[:_MOST_NAMED])
        lines.append(f"Stash has no scene {some}; its ids start again after a full import")
    return lines


# ---- Private -------------------------------------------------------------------------------------


def _adoptable(found: Match, detail_of: Callable[[RatingKey], ItemDetail | None]) -> Adoptable:
    if not found.candidates:
        return Adoptable(scene_id=found.scene_id, reason=found.reason)
    best = found.candidates[0]
    made = Adoptable(
        scene_id=found.scene_id,
        rating_key=best.rating_key,
        title=best.title,
        library=best.library,
        confidence=found.confidence,
        reason=found.reason,
    )
    detail = detail_of(best.rating_key)
    if detail is None or found.confidence is not Confidence.HIGH:
        return made
    collections = detail.values.get(PlexField.COLLECTIONS, ())
    return msgspec.structs.replace(
        made,
        fields=tuple(sorted(field for field, value in detail.values.items() if value)),
        locked=tuple(sorted(detail.locked)),
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
