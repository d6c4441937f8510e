"""The use cases: reconcile a Stash library onto a Plex library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from plexsync.models import Preview, Row, RunHeader, RunSummary


class Reporter(Protocol):
    """Whom a run tells what happens, as it happens. Implementations must not raise on odd text."""

    def started(self, header: RunHeader) -> None:
        """Both servers answered and the state is loaded."""

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown yet) steps of `phase` are behind us."""

    def preview(self, preview: Preview) -> None:
        """Everything is matched and the first changes are planned; nothing is written yet."""

    def row(self, row: Row) -> None:
        """One (scene, item) pair has its final outcome. Once per row, in any order."""

    def warn(self, message: str) -> None:
        """Something a person should know that is no failure."""

    def finished(self, summary: RunSummary) -> None:
        """The run is over, well or not. The last call, and always made."""
