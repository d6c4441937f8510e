"""The words of a decision: what stands in the way, and the facts a person compares."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from plexsync.matching.comparing.evidence import Level
from plexsync.matching.comparing.facts import compare_frame
from plexsync.text.words import file_size, play_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.matching.comparing.weighing import Option
    from plexsync.models import PlexFile, PlexItem, Scene, SceneFile, SceneId

_TOO_EQUAL = 0.01
"""Sizes nearer than this share look the same in words, so their bytes are shown."""


class Why(StrEnum):
    """What keeps a pair from HIGH, in the words of its reason."""

    CONTRADICTED = "{agreed}, but {against}: {facts}"
    PINNED = "a person gave this item to {scene}"
    REFUSED = "a person refused this pair, but a file or the item changed since"
    LINKED = "the item is already linked to {scene}"
    EPISODES = "Plex shows this file as {count} episodes; plexsync cannot tell which one is meant"
    TWO_VIDEOS = (
        "Plex holds two videos in this item, those of this scene and of {scene}; "
        "splitting the item in Plex settles it"
    )
    CLAIMED = "another scene has as good a claim to this item: {scene} ({agreed})"
    RIVAL = "{count} items fit about equally well ({agreed}); the other one is {item}"
    BETTER_PLACED = "{item} bears that name and lies in a better place"
    COPY = "a copy of the same file is another item: {item}"
    SKIPPED_COPY = "a copy that lies elsewhere; match.copies says to skip copies"
    TWIN_SCENE = "another scene holds a copy of the same file: {scene}"
    BETTER_WHOLE = "{item} suits this scene better when its rivals are considered"
    STACKED = "the file is one part of several that Plex plays as one video"
    OTHER_VERSION = "the item holds another video as well, of {length}: {path}"
    UNREAD = "{agreed}: not enough to be sure, and Plex's content hash was not read yet"
    STRANGE_PLACE = "{agreed}, but the item lies where no other file of that folder does"
    UNKNOWN_PLACE = (
        "{agreed}, but nothing else is known of the file, and too few certain pairs show where "
        "Plex keeps this folder"
    )
    GENERIC = "{agreed}, but anybody gives that name, and certain pairs do not lead to this place"
    WEAK = "{agreed}: not enough to be sure"


_FIELD = re.compile(r"\{(\w+)\}")
_GENERAL = frozenset({"agreed", "against"})
"""Fields of a reason that hold the names of evidence alone, the same for many pairs."""

_DIGITS = re.compile(r"\d+")


def reason_kind(reason: str) -> str:
    """Return a reason without what is of one pair alone: ids, paths, sizes, counts.

    Scenes with reasons of one kind wait for the same cause.
    """
    for pattern, why in _PATTERNS:
        found = pattern.fullmatch(reason)
        if found is not None:
            fields = {name[1]: "…" for name in _FIELD.finditer(why.value)}
            return why.value.format(**fields | found.groupdict())
    return _DIGITS.sub("#", reason)


def _pattern_of(why: Why) -> re.Pattern[str]:
    """Return a pattern that a reason of this kind matches as a whole."""
    pieces = _FIELD.split(why.value)
    named = [
        f"(?P<{piece}>[^()]*?)" if piece in _GENERAL else ".*" if at % 2 else re.escape(piece)
        for at, piece in enumerate(pieces)
    ]
    return re.compile("".join(named), re.DOTALL)


_PATTERNS = tuple((_pattern_of(why), why) for why in Why)


class Obstacle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a pair is not HIGH.

    `scene_id`, `item` and `file` are those it names: a scene, the position of an item, a file of
    the pair's own item; `count` is how many there are.
    """

    why: Why
    option: Option
    scene_id: SceneId | None = None
    item: int = -1
    file: PlexFile | None = None
    count: int = 0

    @property
    def is_contradiction(self) -> bool:
        """Whether the pair is never to be applied unasked, however likely it looks."""
        return self.why in _CONTRADICTIONS


_CONTRADICTIONS = frozenset(
    {
        Why.CONTRADICTED,
        Why.PINNED,
        Why.REFUSED,
        Why.LINKED,
        Why.EPISODES,
        Why.TWO_VIDEOS,
        Why.OTHER_VERSION,
        Why.STACKED,
        Why.SKIPPED_COPY,
    }
)


class ReasonNames(msgspec.Struct, frozen=True, gc=False):
    """How scenes and items are named: an item by library, rating key and path.

    `paths` are those of the scenes that a reason may name.
    """

    paths: dict[SceneId, str]
    items: Sequence[PlexItem]
    libraries: Mapping[str, str]

    def scene(self, scene_id: SceneId) -> str:
        """Return a scene with its path, as far as it is known."""
        path = self.paths.get(scene_id, "")
        return f"scene {scene_id} ({path})" if path else f"scene {scene_id}"

    def library(self, item: PlexItem) -> str:
        """Return the title of an item's library; "" where it is not known."""
        return self.libraries.get(item.section_id, "")

    def item(self, position: int) -> str:
        """Return an item."""
        item = self.items[position]
        library = self.library(item)
        where = f" in {library}" if library else ""
        path = f" ({item.files[0].path})" if item.files else ""
        return f"item {item.rating_key}{where}{path}"

    def reason(self, obstacle: Obstacle) -> str:
        """Say in one line why a pair is not HIGH."""
        option = obstacle.option
        file = obstacle.file
        return obstacle.why.value.format(
            agreed=option.weighed.summary,
            against=" and ".join(option.weighed.contradictions),
            facts=compare_facts(option.ours.file, option.theirs.file),
            scene=self.scene(obstacle.scene_id) if obstacle.scene_id else "",
            item=self.item(obstacle.item) if obstacle.item >= 0 else "",
            count=obstacle.count,
            length=format_length(file.duration_s) if file else "",
            path=file.path if file else "",
        )


def scene_paths(scenes: Iterable[Scene]) -> dict[SceneId, str]:
    """Return the first path of each scene, for `ReasonNames`."""
    return {one.scene_id: one.files[0].path if one.files else "" for one in scenes}


def compare_facts(ours: SceneFile, theirs: PlexFile) -> str:
    """Put the facts of two files side by side: what is here, in Stash, and there, in Plex."""
    facts = [
        _compare_sizes(ours.size_bytes, theirs.size_bytes),
        _compare_lengths(ours.duration_s, theirs.duration_s),
    ]
    frame, other = (ours.width, ours.height), (theirs.width, theirs.height)
    if compare_frame(frame, other) is Level.DIFFERENT:
        facts.append("{}x{} against {}x{}".format(*frame, *other))
    return "; ".join(facts)


def format_size(size_bytes: int | None) -> str:
    """Bytes in the unit people use: `2.40 GiB`; "unknown" where nobody knows."""
    return file_size(size_bytes) if size_bytes and size_bytes > 0 else "unknown"


def format_length(duration_s: float | None) -> str:
    """Seconds as a player shows them: `53:10`, `1:02:03`; "unknown" where nobody knows."""
    if not duration_s or not 0 < duration_s < 1e9:  # noqa: PLR2004 - longer than any video, or nan
        return "unknown"
    return play_time(round(duration_s))


# ---- Private -------------------------------------------------------------------------------------


def _compare_sizes(ours: int | None, theirs: int | None) -> str:
    if ours and ours == theirs:
        return f"size equal ({format_size(ours)})"
    if ours and theirs and abs(ours - theirs) < _TOO_EQUAL * max(ours, theirs):
        return f"size {ours:,} bytes here, {theirs:,} there"
    return f"size {format_size(ours)} here, {format_size(theirs)} there"


def _compare_lengths(ours: float | None, theirs: float | None) -> str:
    mine, others = format_length(ours), format_length(theirs)
    if mine == others and mine != "unknown":
        return f"{mine} on both sides"
    return f"{mine} against {others}"
