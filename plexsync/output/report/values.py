"""What a report holds; whatever is cut short says how much is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.output.status import shares_words
from plexsync.state import Coverage

if TYPE_CHECKING:
    from plexsync.models import PlexField, Value
    from plexsync.state import RunRecord


class CoverageLine(Coverage, frozen=True, kw_only=True):
    """How many scenes of one library or studio are what. `name` is "" for those of none."""

    name: str


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many scenes wait for one reason."""

    reason: str
    count: int


class ReportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A scene with the file it is about, and the pages of it and of its item; "" for unknown."""

    scene_id: str
    path: str = ""
    scene_url: str = ""
    item_url: str = ""


class ReportedScene(ReportedFile, frozen=True, kw_only=True):
    """A scene that waits for a person, with its best candidate."""

    reason: str
    title: str = ""
    library: str = ""
    item: str = ""
    item_path: str = ""
    candidates: int = 0


class FailingScene(ReportedFile, frozen=True, kw_only=True):
    """A scene that failed; `due_at` is "" for one that is parked."""

    problem: str
    remedy: str
    attempts: int
    due_at: str


class WrittenField(msgspec.Struct, frozen=True, kw_only=True):
    """One field a run wrote. Pictures have their covers, as far as these could be fetched."""

    field: str
    target: PlexField
    before: Value
    after: Value
    cover_before: bytes = b""
    cover_after: bytes = b""


class WrittenItem(ReportedFile, frozen=True, kw_only=True):
    """One item a run wrote, or meant to."""

    rating_key: str
    title: str
    outcome: str
    fields: tuple[WrittenField, ...]


class ReportedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run and what it wrote; `more` items are left out."""

    run_id: str
    kind: str
    started_at: str
    end: str
    items: tuple[WrittenItem, ...]
    more: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report shows.

    Attributes:
        made_at: ISO time.
        version: of plexsync.
        scope: what was asked for, in words; "" for everything.
        coverage: all scenes.
        libraries: by Plex library, the largest first.
        studios: by Stash's studio, the largest first; `more_studios` are left out.
        reasons: why scenes are LOW, the most frequent first.
        waiting: LOW scenes; `more_waiting` are left out.
        runs: the last ones, newest first.
        trend: the last runs, oldest first.
        failing: scenes that are tried again, and those that are parked.
        collections: how many collections are kept, wait, are parked or left alone; by name.
        shows: the same of shows and seasons.
        notes: what is unknown.
    """

    made_at: str
    version: str
    scope: str = ""
    coverage: CoverageLine
    libraries: tuple[CoverageLine, ...] = ()
    studios: tuple[CoverageLine, ...] = ()
    more_studios: int = 0
    reasons: tuple[ReasonCount, ...] = ()
    waiting: tuple[ReportedScene, ...] = ()
    more_waiting: int = 0
    runs: tuple[ReportedRun, ...] = ()
    trend: tuple[RunRecord, ...] = ()
    failing: tuple[FailingScene, ...] = ()
    more_failing: int = 0
    collections: tuple[tuple[str, int], ...] = ()
    shows: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kept_words(self) -> tuple[tuple[str, str], ...]:
        """How many collections, shows and seasons are what, in words."""
        found = (("Collections", self.collections), ("Shows and seasons", self.shows))
        return tuple((name, shares_words(shares)) for name, shares in found if shares)
