"""What one run works with, made of its configuration: rules, limits, the linker, the writer."""

# ruff: noqa: PLC0415 - matching, planning and writing are imported by a run that needs them

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from plexsync.config.schema import CopyPolicy
from plexsync.errors import ConfigError, ServerError
from plexsync.models import Policy, as_problem
from plexsync.planning.limits import Limits
from plexsync.planning.retry_schedule import next_try
from plexsync.state import item_line, review_queue_path, trial_queue_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.matcher import AllAnswers, MatchSettings
    from plexsync.models import Outcome, RatingKey, Scene, SceneId
    from plexsync.output.streams import Spool
    from plexsync.planning.planner import Planner
    from plexsync.state import SavedPicture, Session, State
    from plexsync.sync.detection.changes import DetectedChanges
    from plexsync.sync.execution.outcomes import SceneOutcomes
    from plexsync.sync.execution.run_writer import RunWriter
    from plexsync.sync.execution.unmatched import Unwritten
    from plexsync.sync.execution.work import Ready
    from plexsync.sync.linking.catalogue import Catalogue, SweepsScenes
    from plexsync.sync.linking.linker import Linked, Linker
    from plexsync.sync.plex_items import Inventory
    from plexsync.sync.ports import Ports, RunOptions
    from plexsync.sync.rows import RowMaker
    from plexsync.sync.totals import Totals


def safety_limits(config: Config, options: RunOptions) -> Limits:
    """How much is too much; the command line may say so for one run."""
    most = options.max_changes
    return Limits(
        max_changes=config.apply.max_changes if most is None else most,
        max_clears=config.apply.max_clears,
        max_share=config.apply.max_share,
    )


class RunComponents:
    """Makes what a run works with.

    Attributes:
        config: the configuration.
        options: what the command line asks.
        ports: the world.
        totals: knows whether the run is a full one; takes the rows.
        state: what earlier runs remember.
        inventory: what is in Plex.
    """

    def __init__(
        self,
        config: Config,
        options: RunOptions,
        ports: Ports,
        totals: Totals,
        *,
        state: State,
        inventory: Inventory,
    ) -> None:
        self.config = config
        self.options = options
        self.ports = ports
        self.totals = totals
        self.state = state
        self.inventory = inventory

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every scene's files as earlier runs saw them."""
        stash = self.totals.header.stash
        return open_catalogue(
            self.config,
            self.ports.stash,
            (self.ports.cache_dir, self.ports.state_dir),
            stash.identity if stash else "",
            sections=self.inventory.section_ids,
        )

    @property
    def queue(self) -> Path:
        """Where review finds the candidates of what waits."""
        return review_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    @property
    def trial_queue(self) -> Path:
        """Where review finds what a dry run found."""
        return trial_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    def planner(self) -> Planner:
        """Decides what is written."""
        from plexsync.planning.planner import Planner

        return Planner(replace(self.config.apply.rules, taken=self.taken()))

    def taken(self) -> frozenset[str]:
        """Return the fields in which Stash has the last word for once.

        Raises:
            ConfigError: one of them is no field that is on.
        """
        if not self.options.take_over:
            return frozenset()
        on = [rule.name for rule in self.config.fields if rule.policy is not Policy.OFF]
        if strange := [name for name in self.options.fields if name not in on]:
            raise ConfigError(
                f"no field {strange[0]!r} is written to Plex",
                context="--field",
                hint=f"choose of {', '.join(on)}",
            )
        return frozenset(self.options.fields or on)

    def limits(self) -> Limits:
        """How much is too much."""
        return safety_limits(self.config, self.options)

    def retry_at(self, attempts: int, outcome: Outcome) -> str:
        """ISO time at which a scene is due again after so many tries in a row that ended so."""
        return next_try(attempts, self.ports.now(), outcome=outcome, subset=self.config.plex.subset)

    def linker(
        self,
        answers: AllAnswers,
        *,
        broken: frozenset[SceneId],
        again: frozenset[SceneId],
        void: AbstractSet[SceneId],
    ) -> Linker:
        """Links scenes to items; see `Linker` for the arguments."""
        from plexsync.sync.linking.decider import Decider
        from plexsync.sync.linking.linker import Linker

        match = self.config.match
        return Linker(
            records=self.state,
            sections=self.inventory.section_ids,
            decider=Decider(
                catalogue=self.catalogue,
                rules=self.config.paths,
                settings=match_settings(self.config),
                hashes=self.inventory.hashes() if match.use_content_hash else None,
                answers=answers,
                libraries=self.inventory.libraries,
            ),
            strict=match.strict_matching,
            least_low=match.least_low,
            answers=answers,
            broken=broken,
            again=again,
            void=frozenset(void),
        )

    def writer(  # noqa: PLR0917 - everything that differs from run to run
        self,
        session: Session | None,
        rows: RowMaker,
        found: DetectedChanges,
        unwritten: Unwritten,
        link_again: Callable[[Sequence[Scene]], Linked],
        plan: Spool | None,
        synced: frozenset[RatingKey],
    ) -> RunWriter:
        """Return what reads, compares and writes pairs.

        Args:
            session: where the run is written down; None for a dry run.
            rows: makes the rows.
            found: what changed since the last run.
            unwritten: takes the scenes that go nowhere.
            link_again: matches scenes against a fresh listing.
            plan: takes what a dry run would write; None where no plan is to be saved.
            synced: the items earlier runs wrote to.
        """
        from plexsync.planning.desired import FieldMap
        from plexsync.sync.execution.executor import Executor
        from plexsync.sync.execution.outcomes import SceneOutcomes
        from plexsync.sync.execution.pictures.plan import Artwork
        from plexsync.sync.execution.run_items import RunItems
        from plexsync.sync.execution.run_writer import RunWriter

        planner = self.planner()
        stash, plex = self.ports.stash, self.ports.plex
        outcomes = SceneOutcomes(
            self.state,
            session,
            planner=planner,
            rows=rows,
            emit=self.totals.emit,
            retry_at=self.retry_at,
            faults=self.ports.faults,
        )
        return RunWriter(
            limits=self.limits(),
            options=self.options,
            synced=synced,
            equality=planner.equality,
            items=RunItems(
                stash,
                self.state,
                outcomes,
                fields=FieldMap(
                    self.config.fields, scene_url=stash.scene_url, file_url=stash.file_url
                ),
                planner=planner,
                artwork=Artwork(
                    stash,
                    plex.pictures,
                    rules=self.config.fields,
                    preserve=self.config.apply.preserve_plex_edits,
                    taken=self.taken(),
                    compare_all=self._compares_all,
                    asked_for=self._is_asked_for,
                    servers_down=self.ports.health.servers_down,
                ),
                observe=found.dictionary.observe,
                health=self.ports.health,
                lock_fields=self.config.apply.lock_fields,
                compare_all=self._compares_all,
                asked_for=self._is_asked_for,
            ),
            executor=Executor(
                self.ports,
                self.state,
                session,
                planner=planner,
                outcomes=outcomes,
                totals=self.totals,
                spare=outcomes.spare,
                save=None if plan is None else self._saver(outcomes, plan),
            ),
            outcomes=outcomes,
            unwritten=unwritten,
            rows=rows,
            totals=self.totals,
            link_again=link_again,
            confirm=self.ports.confirm if self.options.ask else None,
        )

    def _saver(self, outcomes: SceneOutcomes, plan: Spool) -> Callable[[Ready], None]:
        """Return what puts a planned item into a plan."""
        from plexsync.sync.execution.pictures.saved import SavedPictures

        pictures = SavedPictures(self.ports.stash, self.ports.plex.pictures)

        def save(ready: Ready) -> None:
            saved: tuple[SavedPicture, ...] = ()
            try:
                saved = pictures.save(ready.plan.rating_key, ready.decision.pictures)
            except ServerError as error:
                if self.ports.health.ends_run(error):
                    raise
                problem = as_problem(error)
                ready.decision = replace(ready.decision, pictures=(), problem=problem)
            if saved or ready.plan.changes:
                plan.add(item_line(outcomes.saved(ready, saved)))

        return save

    @property
    def _compares_all(self) -> bool:
        return self.totals.header.full or bool(self.options.scenes)

    @property
    def _is_asked_for(self) -> bool:
        return self.options.full or bool(self.options.scenes)


def match_settings(config: Config) -> MatchSettings:
    """Where HIGH begins, as it is configured."""
    from plexsync.matcher import MatchSettings

    return MatchSettings(write_copies=config.match.copies is CopyPolicy.WRITE)


def open_catalogue(
    config: Config,
    stash: SweepsScenes,
    directories: tuple[Path, Path],
    stash_identity: str,
    *,
    sections: AbstractSet[str],
) -> Catalogue:
    """The catalogue of this Stash and state; what was learned under other rules is left aside.

    Args:
        config: has the path rules.
        stash: is asked for all scenes where the catalogue is lost.
        directories: those of cache and state.
        stash_identity: what Stash calls itself.
        sections: ids of the libraries.
    """
    from plexsync.sync.linking.catalogue import Catalogue, catalogue_path

    cache_dir, state_dir = directories
    depends = [f"{rule.stash}\x1f{rule.plex}" for rule in config.paths]
    return Catalogue(
        catalogue_path(cache_dir, state_dir, stash_identity),
        stash,
        learned_with="\x1e".join([*depends, *sorted(sections)]),
    )
