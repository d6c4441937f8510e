"""What one run is about and works with, once both servers and the libraries are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ConfigError
from plexsync.planning.limits import Limits
from plexsync.planning.retry_schedule import next_try
from plexsync.state import review_queue_path, trial_queue_path

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import Outcome, SceneId, SceneRecord, Section
    from plexsync.planning.planner import Planner
    from plexsync.state import Lineage, Session, State
    from plexsync.sync.plex_items import Inventory
    from plexsync.sync.ports import Ports, RunOptions
    from plexsync.sync.rows import RowMaker
    from plexsync.sync.totals import Totals


def safety_limits(config: Config, options: RunOptions) -> Limits:
    """Return how much is too much; the command line may say so for one run."""
    most = options.max_changes
    return Limits(
        max_changes=config.apply.max_changes if most is None else most,
        max_clears=config.apply.max_clears,
        max_share=config.apply.max_share,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What every part of a run shares.

    Args:
        config: the configuration, as far as this Stash can follow it.
        options: what the command line asks.
        ports: the world.
        totals: knows whether the run is a full one; takes the rows.
        state: what earlier runs remember.
        session: where the run is written down; None for a dry run.
        lineage: the servers that answered.
        sections: the libraries that take part.
        inventory: what is in them.
        rows: makes the rows of its pairs.
        planned: what a dry run would remember of scenes, where collections, shows or seasons are
            made of that.
    """

    config: Config
    options: RunOptions
    ports: Ports
    totals: Totals
    state: State
    session: Session | None
    lineage: Lineage
    sections: tuple[Section, ...]
    inventory: Inventory
    rows: RowMaker
    planned: dict[SceneId, SceneRecord] = field(default_factory=dict)

    @property
    def queue(self) -> Path:
        """Where review finds the candidates of what waits."""
        return review_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    @property
    def trial_queue(self) -> Path:
        """Where review finds what a dry run found."""
        return trial_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    @property
    def compares_all(self) -> bool:
        """Whether every item is read, also where Stash's side did not move."""
        return self.totals.header.full or bool(self.options.scenes)

    @property
    def is_asked_for(self) -> bool:
        """Whether a person named these scenes, or asked for everything."""
        return self.options.full or bool(self.options.scenes)

    def planner(self) -> Planner:
        """Return what decides what is written."""
        from plexsync.planning.planner import Planner  # noqa: PLC0415 - by a run that has work

        # Of what a dry run finds in step nothing is remembered; only a plan says it.
        agrees = not self.options.dry_run or self.options.save_plan is not None
        return Planner(
            msgspec.structs.replace(self.config.apply.rules, taken=self.taken()), agrees=agrees
        )

    def taken(self) -> frozenset[str]:
        """Return the fields in which Stash has the last word for once.

        Raises:
            ConfigError: one of them is no field that is on.
        """
        if not self.options.take_over:
            return frozenset()
        on = list(dict.fromkeys(rule.name for rule in self.config.active_rules))
        if strange := [name for name in self.options.fields if name not in on]:
            raise ConfigError(
                f"no field {strange[0]!r} is written to Plex",
                context="--field",
                hint=f"choose of {', '.join(on)}",
            )
        return frozenset(self.options.fields or on)

    def retry_at(self, attempts: int, outcome: Outcome) -> str:
        """Return when a scene is due again after so many tries in a row that ended so, as ISO."""
        now, subset = self.ports.now(), self.config.plex.subset
        return next_try(attempts, now, outcome=outcome, subset=subset)

    def limits(self) -> Limits:
        """Return how much is too much."""
        return safety_limits(self.config, self.options)
