"""The plan a dry run saves: what it would write, to be carried out by `plexsync apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ServerError, StateError
from plexsync.models import as_problem
from plexsync.output import streams as sinks
from plexsync.state import SavedPicture, item_line, write_plan
from plexsync.sync.execution.pictures.saved import saved_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Outcomes, Ready


class PlanSaver:
    """Keeps what one run would write until it is saved.

    Args:
        run: what the run is about.
    """

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._plan = sinks.Spool()

    def close(self) -> None:
        """Give back what was held."""
        self._plan.close()

    def add(self, ready: Ready, outcomes: Outcomes) -> None:
        """Put a planned item into the plan, in the words of `outcomes`."""
        saved: tuple[SavedPicture, ...] = ()
        try:
            saved = saved_pictures(self._run.ports, ready)
        except ServerError as error:
            self._run.ports.raise_if_over(error)
            ready.decision = replace(ready.decision, pictures=(), problem=as_problem(error))
        if saved or ready.plan.changes:
            self._plan.add(item_line(outcomes.saved(ready, saved)))

    def write(self, path: Path) -> None:
        """Save what was planned; a run that failed as a whole saves nothing.

        Raises:
            StateError: it could not be kept until now, or cannot be written; `path` holds what it
                held.
        """
        if failure := self._plan.failure:
            reason = failure.strerror or failure
            raise StateError(f"the plan could not be kept while the run went on: {reason}")
        write_plan(
            path,
            self._plan,
            run_id=self._run.ports.run_id,
            created_at=self._run.totals.header.started_at,
            lineage=self._run.lineage,
            disk=self._run.ports.disk,
        )
