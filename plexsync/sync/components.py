"""What one run works with, made of its configuration: rules, limits, the linker, the writer."""

# ruff: noqa: PLC0415 - matching, planning and writing are imported by a run that needs them

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from plexsync.config.schema import CopyPolicy
from plexsync.errors import ServerError
from plexsync.models import as_problem
from plexsync.planning.retry_schedule import next_try
from plexsync.state import item_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.matcher import AllAnswers, MatchSettings
    from plexsync.models import Outcome, RatingKey, Scene, SceneId
    from plexsync.output.streams import Spool
    from plexsync.state import SavedPicture
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.changes import DetectedChanges
    from plexsync.sync.execution.outcomes import SceneOutcomes
    from plexsync.sync.execution.run_writer import RunWriter
    from plexsync.sync.execution.unmatched import Unwritten
    from plexsync.sync.execution.work import Ready
    from plexsync.sync.linking.catalogue import Catalogue, SweepsScenes
    from plexsync.sync.linking.linker import Linked, Linker
    from plexsync.sync.rows import RowMaker


class RunComponents:
    """Makes what a run works with.

    Args:
        run: what it is about.
    """

    def __init__(self, run: RunContext) -> None:
        self._run = run

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every scene's files as earlier runs saw them."""
        stash = self._run.totals.header.stash
        return open_catalogue(
            self._run.config,
            self._run.ports.stash,
            (self._run.ports.cache_dir, self._run.ports.state_dir),
            stash.identity if stash else "",
            sections=self._run.inventory.section_ids,
        )

    def retry_at(self, attempts: int, outcome: Outcome) -> str:
        """ISO time at which a scene is due again after so many tries in a row that ended so."""
        return next_try(
            attempts, self._run.ports.now(), outcome=outcome, subset=self._run.config.plex.subset
        )

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

        match = self._run.config.match
        return Linker(
            records=self._run.state,
            sections=self._run.inventory.section_ids,
            decider=Decider(
                catalogue=self.catalogue,
                rules=self._run.config.paths,
                settings=match_settings(self._run.config),
                hashes=self._run.inventory.hashes() if match.use_content_hash else None,
                answers=answers,
                libraries=self._run.inventory.libraries,
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
        rows: RowMaker,
        found: DetectedChanges,
        unwritten: Unwritten,
        link_again: Callable[[Sequence[Scene]], Linked],
        plan: Spool | None,
        synced: frozenset[RatingKey],
    ) -> RunWriter:
        """Return what reads, compares and writes pairs.

        Args:
            rows: makes the rows.
            found: what changed since the last run.
            unwritten: takes the scenes that go nowhere.
            link_again: matches scenes against a fresh listing.
            plan: takes what a dry run would write; None where no plan is to be saved.
            synced: the items earlier runs wrote to.
        """
        from plexsync.planning.desired import FieldMaps
        from plexsync.sync.execution.executor import Executor
        from plexsync.sync.execution.outcomes import SceneOutcomes
        from plexsync.sync.execution.pictures.plan import Artwork
        from plexsync.sync.execution.run_items import RunItems
        from plexsync.sync.execution.run_writer import RunWriter

        planner = self._run.planner()
        stash, plex = self._run.ports.stash, self._run.ports.plex
        rules = self._run.config.field_rules(self._run.inventory.libraries)
        outcomes = SceneOutcomes(
            self._run.state,
            self._run.session,
            planner=planner,
            rows=rows,
            emit=self._run.totals.emit,
            retry_at=self.retry_at,
            faults=self._run.ports.faults,
        )
        return RunWriter(
            limits=self._run.limits(),
            options=self._run.options,
            synced=synced,
            equality=planner.equality,
            items=RunItems(
                stash,
                self._run.state,
                outcomes,
                fields=FieldMaps(rules, scene_url=stash.scene_url, file_url=stash.file_url),
                planner=planner,
                artwork=Artwork(
                    stash,
                    plex.pictures,
                    rules=rules,
                    preserve=self._run.config.apply.preserve_plex_edits,
                    taken=self._run.taken(),
                    compare_all=self._run.compares_all,
                    asked_for=self._run.is_asked_for,
                    servers_down=self._run.ports.health.servers_down,
                ),
                observe=found.dictionary.observe,
                health=self._run.ports.health,
                lock_fields=self._run.config.apply.lock_fields,
                compare_all=self._run.compares_all,
                asked_for=self._run.is_asked_for,
            ),
            executor=Executor(
                self._run.ports,
                self._run.state,
                self._run.session,
                planner=planner,
                outcomes=outcomes,
                totals=self._run.totals,
                spare=outcomes.spare,
                save=None if plan is None else self._saver(outcomes, plan),
            ),
            outcomes=outcomes,
            unwritten=unwritten,
            rows=rows,
            totals=self._run.totals,
            link_again=link_again,
            confirm=self._run.ports.confirm if self._run.options.ask else None,
        )

    def _saver(self, outcomes: SceneOutcomes, plan: Spool) -> Callable[[Ready], None]:
        """Return what puts a planned item into a plan."""
        from plexsync.sync.execution.pictures.saved import SavedPictures

        pictures = SavedPictures(self._run.ports.stash, self._run.ports.plex.pictures)

        def save(ready: Ready) -> None:
            saved: tuple[SavedPicture, ...] = ()
            try:
                saved = pictures.save(ready.plan.rating_key, ready.decision.pictures)
            except ServerError as error:
                if self._run.ports.health.ends_run(error):
                    raise
                problem = as_problem(error)
                ready.decision = replace(ready.decision, pictures=(), problem=problem)
            if saved or ready.plan.changes:
                plan.add(item_line(outcomes.saved(ready, saved)))

        return save


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
