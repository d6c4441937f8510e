"""What one run works with, made of its configuration: rules, limits, the linker, the pipeline."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from plexsync.config.schema import rules_of
from plexsync.planning.desired import FieldMap
from plexsync.planning.limits import Limits
from plexsync.planning.planner import Planner
from plexsync.planning.retry_schedule import next_try
from plexsync.state import review_queue_path
from plexsync.sync.execution.outcomes import Memory
from plexsync.sync.execution.pipeline import Pipeline, Settings
from plexsync.sync.execution.writer import Reader
from plexsync.sync.linking.competitors import Rivals
from plexsync.sync.linking.linker import Linker
from plexsync.sync.pictures.fetch import Painter, Pictures
from plexsync.sync.pictures.plan import Artwork
from plexsync.sync.pictures.saved import SavedPictures

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from plexsync.config.schema import Config
    from plexsync.matcher import Heard
    from plexsync.models import Outcome, RatingKey, SceneId
    from plexsync.state import Session, State, Unsettled
    from plexsync.sync.detection.changes import Noticed
    from plexsync.sync.plex_items import Inventory
    from plexsync.sync.ports import Ports, RunOptions
    from plexsync.sync.rows import RowMaker
    from plexsync.sync.totals import Tally


def limits_of(config: Config, options: RunOptions) -> Limits:
    """How much is too much; the command line may say so for one run."""
    most = options.max_changes
    return Limits(
        max_changes=config.apply.max_changes if most is None else most,
        max_clears=config.apply.max_clears,
        max_share=config.apply.max_share,
    )


class Outfit:
    """Makes what a run works with.

    Attributes:
        config: the configuration.
        options: what the command line asks.
        ports: the world.
        tally: knows whether the run is a full one; takes the rows.
        state: what earlier runs remember.
        inventory: what is in Plex.
    """

    def __init__(
        self,
        config: Config,
        options: RunOptions,
        ports: Ports,
        tally: Tally,
        *,
        state: State,
        inventory: Inventory,
    ) -> None:
        self.config = config
        self.options = options
        self.ports = ports
        self.tally = tally
        self.state = state
        self.inventory = inventory

    @property
    def shelf(self) -> Path:
        """Where review finds the candidates of what waits."""
        return review_queue_path(self.ports.cache_dir, self.ports.state_dir, self.state.lineage)

    def planner(self) -> Planner:
        """Decides what is written."""
        return Planner(rules_of(self.config.apply))

    def limits(self) -> Limits:
        """How much is too much."""
        return limits_of(self.config, self.options)

    def retry_at(self, attempts: int, outcome: Outcome) -> str:
        """ISO time at which a scene is due again after so many tries in a row that ended so."""
        return next_try(attempts, self.ports.now(), outcome=outcome, subset=self.config.plex.subset)

    def reader(self) -> Reader:
        """Reads items afresh."""
        return Reader(self.ports.plex, plex_down=self.ports.plex_down)

    def linker(
        self,
        heard: Heard,
        *,
        broken: frozenset[SceneId],
        void: AbstractSet[SceneId],
    ) -> Linker:
        """Links scenes to items; see `Linker` for the arguments."""
        return Linker(
            records=self.state,
            sections=self.inventory.section_ids,
            rules=self.config.paths,
            strict=self.config.match.strict_matching,
            hashes=self.inventory.hashes().read if self.config.match.use_content_hash else None,
            heard=heard,
            broken=broken,
            void=frozenset(void),
            rivals=Rivals(state=self.state, shelf=self.shelf, stash=self.ports.stash),
        )

    def pipeline(self, notebook: Session | None, rows: RowMaker, noticed: Noticed) -> Pipeline:
        """Reads, compares and writes pairs."""
        unsettled: defaultdict[tuple[SceneId, RatingKey], list[Unsettled]] = defaultdict(list)
        for one in self.state.unsettled:
            unsettled[one.plan.scene_id, one.plan.rating_key].append(one)
        return Pipeline(
            self.ports.stash,
            self.ports.plex,
            notebook,
            pictures=self._pictures(),
            settings=Settings(
                fields=FieldMap(
                    self.config.fields,
                    scene_url=self.ports.stash.scene_url,
                    file_url=self.ports.stash.file_url,
                ),
                planner=self.planner(),
                lock_fields=self.config.apply.lock_fields,
                compare_all=self._compares_all,
                asked_for=self._is_asked_for,
                retry_at=self.retry_at,
                should_stop=self.ports.should_stop,
                plex_down=self.ports.plex_down,
                servers_down=self._servers_down,
            ),
            memory=Memory(
                record=self.state.get,
                unsettled=dict(unsettled),
                observe=noticed.dictionary.observe,
            ),
            rows=rows,
            emit=self.tally.emit,
        )

    def _pictures(self) -> Pictures:
        stash, gallery = self.ports.stash, self.ports.plex.pictures
        artwork = Artwork(
            stash,
            gallery,
            rules=self.config.fields,
            preserve=self.config.apply.preserve_plex_edits,
            compare_all=self._compares_all,
            asked_for=self._is_asked_for,
            servers_down=self._servers_down,
        )
        painter = Painter(
            stash,
            gallery,
            self.reader().read,
            should_stop=self.ports.should_stop,
            servers_down=self._servers_down,
        )
        return Pictures(artwork, painter, SavedPictures(stash, gallery).save)

    @property
    def _compares_all(self) -> bool:
        return self.tally.header.full or bool(self.options.scenes)

    @property
    def _is_asked_for(self) -> bool:
        return self.options.full or bool(self.options.scenes)

    def _servers_down(self) -> bool:
        return self.ports.plex_down() or self.ports.stash_down()
