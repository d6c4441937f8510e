"""What people decided about pairs, and whether it still holds.

A pin or a refusal is about two files, not two ids: it holds while the scene still has the file it
was about and the item still shows the other one. Afterwards it is a reason to ask again, never a
reason to guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from plexsync.models import RatingKey, SceneId  # noqa: TC001 - msgspec reads the fields' types
from plexsync.text.normalize import holds_file, same_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import PlexItem, Scene, SceneFile


class Pin(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A person said: this scene is this item.

    `oshash` is the fingerprint of the scene's file then, None when Stash had none: then its path
    stands for it. `item_path` is the file the item showed.
    """

    scene_id: SceneId
    rating_key: RatingKey
    scene_path: str
    item_path: str
    oshash: int | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A person said: this scene is not this item. The fields are those of `Pin`."""

    scene_id: SceneId
    rating_key: RatingKey
    scene_path: str
    item_path: str
    oshash: int | None = None


class People(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Pins and refusals, ready to look up; `pinned` holds every scene an item was given to."""

    pins: Mapping[SceneId, tuple[Pin, ...]]
    pinned: Mapping[RatingKey, frozenset[SceneId]]
    refusals: Mapping[SceneId, tuple[Refusal, ...]]


def listen(pins: Sequence[Pin], refusals: Sequence[Refusal]) -> People:
    """Index what people said."""
    pinned: dict[RatingKey, frozenset[SceneId]] = {}
    for pin in pins:
        pinned[pin.rating_key] = pinned.get(pin.rating_key, frozenset()) | {pin.scene_id}
    return People(pins=_by_scene(pins), pinned=pinned, refusals=_by_scene(refusals))


def find_file(scene: Scene, said: Pin | Refusal) -> SceneFile | None:
    """The file of `scene` a person spoke about; None when it changed or went."""
    for file in scene.files:
        if said.oshash is not None and file.oshash == said.oshash:
            return file
        if said.oshash is None and file.oshash is None and same_path(file.path, said.scene_path):
            return file
    return None


def refuses(said: Refusal, scene: Scene, item: PlexItem) -> bool:
    """Whether a refusal still keeps this pair apart."""
    same = said.rating_key == item.rating_key and holds_file(item, said.item_path)
    return same and find_file(scene, said) is not None


def remembers(said: Refusal, item: PlexItem) -> bool:
    """Whether a refusal, valid or not, was about this item or the file it shows."""
    return said.rating_key == item.rating_key or holds_file(item, said.item_path)


# ---- Private -------------------------------------------------------------------------------------

_Said = TypeVar("_Said", Pin, Refusal)


def _by_scene(said: Iterable[_Said]) -> dict[SceneId, tuple[_Said, ...]]:
    found: dict[SceneId, list[_Said]] = {}
    for one in said:
        found.setdefault(one.scene_id, []).append(one)
    return {scene_id: tuple(several) for scene_id, several in found.items()}
