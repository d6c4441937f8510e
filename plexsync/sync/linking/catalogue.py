"""Every scene's files as earlier runs saw them, and what was learned from all of them together.

Which scenes are due is chance. A decision about a few of them has to know the others: which of them
have the same name or size, which could claim the same item, and where certain pairs show that Plex
keeps a folder. So all of that is kept in the cache; where it is lost, Stash is asked for all scenes
once. Source: docs/design.md, invariant 3.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import TYPE_CHECKING, Protocol

import msgspec

from plexsync.matcher import Layout
from plexsync.models import Scene, SceneFile, SceneId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from plexsync.config.configuration import Config

_SCHEMA = ",".join(
    (
        "1",
        *Scene.__struct_fields__,
        *SceneFile.__struct_fields__,
        *Layout.__struct_fields__,
    )
)
"""Another set of fields is another schema: an old catalogue must not be read as a new one."""
_MAGIC = b"plexsync-scenes\n"
_CHECKSUM_BYTES = 4


class SweepsScenes(Protocol):
    """What is asked of Stash."""

    def sweep(self) -> Iterator[tuple[Scene, ...]]:
        """Pages of all scenes with what matching needs."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The catalogue as it lies on disk; `learned_with` is what the layout depends on."""

    schema: str
    scenes: tuple[Scene, ...]
    layout: Layout | None
    learned_with: str


class Catalogue:
    """The scenes of one Stash, as far as they take part.

    Args:
        path: see `catalogue_path`.
        stash: is asked for all scenes where the catalogue is lost.
        learned_with: names what a layout depends on beside the scenes: rules and libraries.

    Attributes:
        problem: why it could not be kept; "" while it was.
    """

    def __init__(self, path: Path, stash: SweepsScenes, *, learned_with: str) -> None:
        self.problem = ""
        self._path = path
        self._stash = stash
        self._learned_with = learned_with
        self._scenes: dict[SceneId, Scene] | None = None
        self._layout: Layout | None = None
        self._seen: dict[SceneId, Scene] = {}
        self._gone: set[SceneId] = set()
        self._is_changed = False

    @property
    def layout(self) -> Layout | None:
        """What was learned from all scenes; None when nothing was, or under other rules."""
        self._load()
        return self._layout

    def note(self, scenes: Iterable[Scene], gone: Collection[SceneId], *, whole: bool) -> None:
        """Take in what a run saw.

        Args:
            scenes: scenes as they are now.
            gone: scenes that are no more, or take no part any more.
            whole: `scenes` are all that take part.
        """
        self._seen.update((scene.scene_id, _slim(scene)) for scene in scenes)
        self._gone.update(gone)
        if whole:
            self._take(dict(self._seen), None)
            self._is_changed = True
        elif self._gone and (kept := _read(self._path)) is not None:
            # What is gone must not compete with what comes in its place, in this run or later.
            self._have(kept)
            self.keep()

    def others(self, due: Collection[SceneId]) -> list[Scene]:
        """Every scene but those that are due.

        Raises:
            ServerError: the catalogue is lost, and Stash cannot tell.
        """
        return [scene for one, scene in self._load().items() if one not in due]

    def learn(self, layout: Layout) -> None:
        """Keep what was learned from all scenes."""
        self._load()
        self._is_changed = self._is_changed or layout != self._layout
        self._layout = layout

    def keep(self) -> None:
        """Write the catalogue, if something changed. A run does not need its cache."""
        if self._scenes is None or not self._is_changed:
            return
        kept = _Kept(
            schema=_SCHEMA,
            scenes=tuple(self._scenes.values()),
            layout=self._layout,
            learned_with=self._learned_with,
        )
        try:
            _write(self._path, msgspec.msgpack.encode(kept))
        except OSError as error:
            folder = self._path.parent
            self.problem = f"what Stash holds cannot be kept in {folder}: {error.strerror}"
        self._is_changed = False

    # ---- Private

    def _load(self) -> dict[SceneId, Scene]:
        if self._scenes is None:
            kept = _read(self._path)
            if kept is None:
                swept = {
                    scene.scene_id: _slim(scene) for page in self._stash.sweep() for scene in page
                }
                self._take(swept, None)
                self._is_changed = True
            else:
                self._have(kept)
        return self._scenes or {}

    def _have(self, kept: _Kept) -> None:
        current = kept.learned_with == self._learned_with
        known = {scene.scene_id: scene for scene in kept.scenes}
        self._take(known, kept.layout if current else None)

    def _take(self, known: dict[SceneId, Scene], layout: Layout | None) -> None:
        """Have these scenes, brought up to date by what this run saw."""
        fresh = {one: scene for one, scene in self._seen.items() if known.get(one) != scene}
        gone = self._gone & known.keys() - self._seen.keys()
        self._is_changed = self._is_changed or bool(fresh or gone)
        known.update(fresh)
        for one in gone:
            del known[one]
        self._scenes, self._layout = known, layout


class NoOthers:
    """Stands for a catalogue where the scenes that are given are all that compete."""

    layout: Layout | None = None

    def others(self, _due: Collection[SceneId]) -> list[Scene]:
        """Nobody else."""
        return []

    def learn(self, layout: Layout) -> None:
        """Keep nothing: it was learned from some scenes only."""

    def keep(self) -> None:
        """Keep nothing."""


def catalogue_path(cache_dir: Path, state_dir: Path, stash_identity: str) -> Path:
    """Where the catalogue of one Stash and state lies: several may share a cache."""
    owner = f"{state_dir}\x1f{stash_identity}"
    digest = hashlib.sha256(owner.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return cache_dir / f"scenes-{digest}.catalogue"


def _slim(scene: Scene) -> Scene:
    """Return what matching needs of a scene that is not due; its version may move without it."""
    return Scene(
        scene_id=scene.scene_id,
        updated_at="",
        title=scene.title,
        date=scene.date,
        files=scene.files,
    )


def _read(path: Path) -> _Kept | None:
    """Return the catalogue; None where it is damaged, missing or of another schema."""
    try:
        content = path.read_bytes()
        start = len(_MAGIC) + _CHECKSUM_BYTES
        if content[:start] != _MAGIC + _checksum(content[start:]):
            return None
        kept = msgspec.msgpack.decode(content[start:], type=_Kept)
    except (OSError, msgspec.DecodeError, ValueError):
        return None
    return kept if kept.schema == _SCHEMA else None


def _write(path: Path, content: bytes) -> None:
    """Replace the file as a whole. Not synced: a torn one fails its checksum and is made again."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        file.write(_MAGIC + _checksum(content))
        file.write(content)
    draft.replace(path)


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECKSUM_BYTES, "big")


def open_catalogue(
    config: Config,
    stash: SweepsScenes,
    directories: tuple[Path, Path],
    stash_identity: str,
    *,
    sections: AbstractSet[str],
) -> Catalogue:
    """Open the catalogue of this Stash and state; what was learned under other rules is left aside.

    Args:
        config: has the path rules.
        stash: is asked for all scenes where the catalogue is lost.
        directories: those of cache and state.
        stash_identity: what Stash calls itself.
        sections: ids of the libraries.
    """
    cache_dir, state_dir = directories
    depends = [f"{rule.stash}\x1f{rule.plex}" for rule in config.paths]
    return Catalogue(
        catalogue_path(cache_dir, state_dir, stash_identity),
        stash,
        learned_with="\x1e".join([*depends, *sorted(sections)]),
    )
