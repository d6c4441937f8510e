"""Every scene's files as earlier runs saw them, and what was learned from all of them together.

Which scenes are due is chance. A decision about a few of them has to know the others: which of them
have the same name or size, which could claim the same item, and where certain pairs show that Plex
keeps a folder. So all of that is kept in the cache; where it is lost, Stash is asked for all scenes
once. Source: docs/design.md, invariant 3.
"""

from __future__ import annotations

import hashlib
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

import msgspec

from plexsync.matcher import Layout
from plexsync.models import Scene, SceneFile, SceneId
from plexsync.state import read_pieces, write_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from plexsync.config.configuration import Config

    Sweep = Callable[[], Iterator[tuple[Scene, ...]]]

_SCHEMA = ",".join(
    (
        "2",
        *Scene.__struct_fields__,
        *SceneFile.__struct_fields__,
        *Layout.__struct_fields__,
    )
)
"""Another set of fields is another schema: an old catalogue must not be read as a new one."""
_SCENES = msgspec.msgpack.Decoder(tuple[Scene, ...])
_PIECE = 1_000
"""Scenes written at once."""


class _Head(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What comes before the scenes on disk.

    `learned_with` is what the layout depends on beside the scenes, `learned_from` the list of items
    it was learned from.
    """

    schema: str
    layout: Layout | None
    learned_with: str
    learned_from: str


class Catalogue:
    """The scenes of one Stash, as far as they take part.

    Args:
        path: see `open_catalogue`.
        sweep: asks Stash for pages of all scenes, where the catalogue is lost.
        learned_with: names what a layout depends on beside the scenes: rules and libraries.
        listed: names the list of Plex's items.

    Attributes:
        problem: why it could not be kept; "" while it was.
    """

    def __init__(
        self, path: Path, sweep: Sweep, *, learned_with: str, listed: Callable[[], str]
    ) -> None:
        self.problem = ""
        self._path = path
        self._sweep = sweep
        self._learned_with = learned_with
        self._listed = listed
        self._scenes: Collection[Scene] | None = None
        self._layout: Layout | None = None
        self._learned_from = ""
        self._seen: dict[SceneId, Scene] = {}
        self._gone: set[SceneId] = set()
        self._is_whole = False
        self._is_changed = False

    @property
    def layout(self) -> Layout | None:
        """What was learned from all scenes; None when nothing was, or under other rules.

        A run that looks at all scenes believes only what was learned from just these, and from
        just the items Plex has.
        """
        self._load()
        stale = self._is_whole and self._learned_from != self._listed()
        return None if stale else self._layout

    def note(self, scenes: Collection[Scene], gone: Collection[SceneId], *, whole: bool) -> None:
        """Take in what a run saw.

        Args:
            scenes: scenes as they are now.
            gone: scenes that are no more, or take no part any more.
            whole: `scenes` are all that take part.
        """
        self._gone.update(gone)
        if whole:
            self._is_whole = True
            self._scenes = scenes
            self._layout = self._learned_before(_pieces_of(scenes))
            self._is_changed = self._layout is None
            return
        self._seen.update((scene.scene_id, _slim(scene)) for scene in scenes)
        if self._gone and self._read():
            # What is gone must not compete with what comes in its place, in this run or later.
            self.keep()

    def is_all(self, scenes: Sequence[Scene]) -> bool:
        """Whether these are the scenes this run saw, and all that take part."""
        return scenes is self._scenes

    def others(self, due: Collection[SceneId]) -> list[Scene]:
        """Every scene but those that are due.

        Raises:
            ServerError: the catalogue is lost, and Stash cannot tell.
        """
        return [scene for scene in self._load() if scene.scene_id not in due]

    def learn(self, layout: Layout) -> None:
        """Keep what was learned from all scenes."""
        if layout != self.layout:
            self._is_changed = True
            self._layout, self._learned_from = layout, self._listed()

    def keep(self) -> None:
        """Write the catalogue, if something changed. A run does not need its cache."""
        if self._scenes is None or not self._is_changed:
            return
        head = _Head(
            schema=_SCHEMA,
            layout=self._layout,
            learned_with=self._learned_with,
            learned_from=self._learned_from,
        )
        pieces = _pieces_of(self._scenes)
        try:
            write_pieces(self._path, chain((msgspec.msgpack.encode(head),), pieces))
        except OSError as error:
            folder = self._path.parent
            self.problem = f"what Stash holds cannot be kept in {folder}: {error.strerror}"
        self._is_changed = False

    # ---- Private

    def _load(self) -> Collection[Scene]:
        if self._scenes is None and not self._read():
            swept = (scene for page in self._sweep() for scene in page)
            self._take({scene.scene_id: _slim(scene) for scene in swept})
            self._is_changed = True
        return self._scenes or ()

    def _read(self) -> bool:
        """Have what lies on the disk; False where that is damaged, missing or of another schema."""
        try:
            pieces = read_pieces(self._path)
            layout = self._layout_in(next(pieces, b""))
            known = {one.scene_id: one for piece in pieces for one in _SCENES.decode(piece)}
        except (OSError, msgspec.DecodeError, ValueError):
            return False
        self._take(known)
        self._layout = layout
        return True

    def _learned_before(self, scenes: Iterable[bytes]) -> Layout | None:
        """Return what an earlier run learned from just these scenes."""
        try:
            pieces = read_pieces(self._path)
            layout = self._layout_in(next(pieces, b""))
            same = all(one == other for one, other in zip_longest(pieces, scenes))
        except (OSError, msgspec.DecodeError, ValueError):
            return None
        return layout if same else None

    def _layout_in(self, piece: bytes) -> Layout | None:
        """Return the layout in a head, unless it was learned under other rules.

        Raises:
            ValueError: the head is of another schema.
        """
        head = msgspec.msgpack.decode(piece, type=_Head)
        if head.schema != _SCHEMA:
            raise ValueError(head.schema)
        self._learned_from = head.learned_from
        return head.layout if head.learned_with == self._learned_with else None

    def _take(self, known: dict[SceneId, Scene]) -> None:
        """Have these scenes, brought up to date by what this run saw."""
        fresh = {one: scene for one, scene in self._seen.items() if known.get(one) != scene}
        gone = self._gone & known.keys() - self._seen.keys()
        if fresh or gone:
            self._is_changed, self._learned_from = True, ""  # the layout is of other scenes now
        known.update(fresh)
        for one in gone:
            del known[one]
        self._scenes = known.values()


def _slim(scene: Scene) -> Scene:
    """Return what matching needs of a scene that is not due; its version may move without it."""
    return Scene(
        scene_id=scene.scene_id,
        updated_at="",
        title=scene.title,
        date=scene.date,
        files=scene.files,
    )


def _pieces_of(scenes: Iterable[Scene]) -> Iterator[bytes]:
    left = map(_slim, scenes)
    while piece := tuple(islice(left, _PIECE)):
        yield msgspec.msgpack.encode(piece)


def open_catalogue(
    config: Config,
    sweep: Sweep,
    directories: tuple[Path, Path],
    stash_identity: str,
    *,
    sections: AbstractSet[str],
    listed: Callable[[], str] = str,
) -> Catalogue:
    """Open the catalogue of this Stash and state; what was learned under other rules is left aside.

    Args:
        config: has the path rules.
        sweep: asks Stash for pages of all scenes, where the catalogue is lost.
        directories: those of cache and state.
        stash_identity: what Stash calls itself.
        sections: ids of the libraries.
        listed: names the list of Plex's items.
    """
    cache_dir, state_dir = directories
    owner = f"{state_dir}\x1f{stash_identity}"  # several may share a cache
    digest = hashlib.sha256(owner.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    depends = [f"{rule.stash}\x1f{rule.plex}" for rule in config.paths]
    return Catalogue(
        cache_dir / f"scenes-{digest}.catalogue",
        sweep,
        learned_with="\x1e".join([*depends, *sorted(sections)]),
        listed=listed,
    )
