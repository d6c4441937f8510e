"""The facts of two files side by side, as a person compares them; and what rivals take away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.models import Evidence
from plexsync.review.selection import NAMED

if TYPE_CHECKING:
    from plexsync.models import Candidate, PlexFile, PlexItem, SceneFile
    from plexsync.state import Waiting

_GIB = 1024**3
_MIB = 1024**2
_LEAST_BITS = 0.05
"""Below this the sum of the evidence is the score, but for rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact of both files; "" where a server does not say.

    Attributes:
        name: of the fact.
        ours: as Stash has it.
        theirs: as Plex has it.
    """

    name: str
    ours: str
    theirs: str

    @property
    def differs(self) -> bool:
        """Whether both sides know it and do not agree."""
        return bool(self.ours and self.theirs) and self.ours != self.theirs


def facts_of(waiting: Waiting, candidate: Candidate, item: PlexItem | None) -> list[Fact]:
    """Return what both servers say of the two files, the path last.

    Args:
        waiting: the scene.
        candidate: its candidate.
        item: the candidate's item; None while it is not read.
    """
    scene = waiting.scene
    mine = next((one for one in scene.files if one.path == candidate.scene_path), None)
    files = item.files if item else ()
    theirs = next((one for one in files if one.path == candidate.item_path), None)
    return [
        Fact(name="length", ours=length_text(mine), theirs=length_text(theirs)),
        Fact(name="size", ours=size_text(mine), theirs=size_text(theirs)),
        Fact(name="frame", ours=frame_text(mine), theirs=frame_text(theirs)),
        Fact(name="date", ours=scene.date, theirs=item.date if item else ""),
        Fact(name="path", ours=candidate.scene_path, theirs=candidate.item_path),
    ]


def differing_part(text: str, other: str) -> tuple[str, str, str]:
    """Return `text` as what begins like `other`, the words that differ, and what ends like it."""
    most = min(len(text), len(other))
    start = next((at for at in range(most) if text[at] != other[at]), most)
    ends = (at for at in range(most - start) if text[-1 - at] != other[-1 - at])
    end = next(ends, most - start)
    while start and text[start - 1].isalnum():
        start -= 1
    while end and text[-end].isalnum():
        end -= 1
    return text[:start], text[start : len(text) - end], text[len(text) - end :]


def length_text(file: SceneFile | PlexFile | None) -> str:
    """Return the length of a video as H:MM:SS; "" when it is not known."""
    if file is None or file.duration_s is None:
        return ""
    minutes, seconds = divmod(round(file.duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def size_text(file: SceneFile | PlexFile | None) -> str:
    """Return the size of a file; "" when it is not known."""
    if file is None or file.size_bytes is None:
        return ""
    big = file.size_bytes >= _GIB
    return f"{file.size_bytes / _GIB:.2f} GiB" if big else f"{file.size_bytes / _MIB:.1f} MiB"


def frame_text(file: SceneFile | PlexFile | None) -> str:
    """Return the frame of a video as width x height; "" when it is not known."""
    return f"{file.width}x{file.height}" if file and file.width and file.height else ""


def is_unscored(candidate: Candidate) -> bool:
    """Whether a person brought the candidate, so that no matching has weighed it."""
    return [one.name for one in candidate.evidence] == [NAMED]


def evidence_of(candidate: Candidate, rivals: str) -> list[Evidence]:
    """Return the evidence of a candidate, what speaks for it first; it adds up to its score.

    Args:
        candidate: the candidate.
        rivals: who the rivals are, in words; what they take away is evidence of its own.
    """
    ordered = sorted(candidate.evidence, key=lambda one: -one.weight)
    if not 0 < candidate.score < 1:
        return ordered
    total = math.log2(candidate.score / (1 - candidate.score))
    taken = total - sum(one.weight for one in ordered)
    if not rivals or taken > -_LEAST_BITS:
        return ordered
    return [*ordered, Evidence(name="rivals", value=rivals, weight=taken)]
