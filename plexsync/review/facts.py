"""The facts of two files side by side, as a person compares them; and what rivals take away."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from plexsync.models import Evidence
from plexsync.review.selection import NAMED

if TYPE_CHECKING:
    from plexsync.models import Candidate, PlexFile, PlexItem, SceneFile
    from plexsync.state import Waiting

_WORDS = re.compile(r"\w+|\W")
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
    """Return what both servers say of the two files, but for their paths.

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
    ]


def marked_words(text: str, other: str) -> list[tuple[str, bool]]:
    """Return `text` in pieces, each with whether `other` lacks it; words are never torn apart."""
    if not other:
        return [(text, False)]
    mine, theirs = _WORDS.findall(text), _WORDS.findall(other)
    pieces: list[tuple[str, bool]] = []
    for tag, start, end, _, _ in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        if end > start:
            pieces.append(("".join(mine[start:end]), tag != "equal"))
    return pieces


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
