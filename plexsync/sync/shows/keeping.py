"""The step of a run that keeps shows and seasons: which belong to a studio, and which need a look.

It comes after the scenes, of all that the records of linked episodes show by then. A show that is
as it was wanted before costs no request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    SHOW_KINDS,
    CollectionKind,
    ItemDetail,
    ItemKind,
    Link,
    Outcome,
    Scene,
    SceneDetail,
    ShowRecord,
)
from plexsync.planning.layout.shows import EpisodeScene, wished_shows
from plexsync.planning.planner import Planner
from plexsync.planning.relations import name_in
from plexsync.state import Settlement
from plexsync.sync.execution.executor import Executor
from plexsync.sync.execution.reader import settle
from plexsync.sync.limited_writes import LimitedWriter
from plexsync.sync.rows import Pair
from plexsync.sync.shows.outcomes import ShowOutcomes
from plexsync.sync.shows.work import FIELDS, POSTER, ShowDecider, ShowWork
from plexsync.sync.sources import ask_sources, poster_artwork, wanted_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from plexsync.errors import UnsafeError
    from plexsync.models import RatingKey, RelatedId, SceneId, ShowWish
    from plexsync.state import Unsettled
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Ready

_LEVELS = 2
"""What stands above an episode: its season and its show."""

_KNOWN = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT, Outcome.PLANNED})
"""How a scene ended of which all is known."""

_UNLINKED = frozenset({Outcome.IGNORED, Outcome.UNMATCHED, Outcome.REVIEW})
"""How a scene ended whose former items do not count."""


class ShowKeeper:
    """Keeps the shows and seasons of one run.

    Args:
        run: what the run is about.
        names: what Stash has; see `relations`.
        save: takes what a dry run would write; None for nobody.
    """

    def __init__(
        self,
        run: RunContext,
        names: Mapping[RelatedId, str],
        save: Callable[[Ready], None] | None,
    ) -> None:
        self._run = run
        self._names = names
        self._settings = run.config.shows
        self._records = run.state.shows()
        self._stamps: dict[RelatedId, str] = {}
        self._taken = frozenset(FIELDS if run.options.take_over and not run.options.fields else ())
        self._planner = Planner(replace(run.config.apply.rules, taken=self._taken))
        self._outcomes = ShowOutcomes(run)
        self._executor = Executor(
            run.ports,
            run.state,
            run.session,
            planner=self._planner,
            outcomes=self._outcomes,
            totals=run.totals,
            save=save,
        )

    def keep(self) -> UnsafeError | None:
        """Bring every show and season in step; return the limit that held some of it back.

        Raises:
            ServerError: a server is down, or refuses us.
            DeclinedError: a person was asked and declined.
            InterruptedRunError: asked to stop.
        """
        wishes: tuple[ShowWish, ...] = ()
        if self._settings.studios:
            wishes = wished_shows(self._settings.rules, self._names, self._scenes())
        if any(wish.studio for wish in wishes):
            self._stamps = self._run.ports.stash.stamps({CollectionKind.STUDIO})
        works = list(self._due(wishes))
        self._settle_others({work.key for work in works})
        ask_sources(self._run.ports.stash, works)
        held = self._write(works)
        if self._run.compares_all and self._settings.studios:
            self._forget_gone({wish.key for wish in wishes})
        if (fault := self._run.ports.health.faults.of()) is not None:
            raise fault
        return held

    # ---- what there should be

    def _scenes(self) -> Iterator[EpisodeScene]:
        """Yield the scenes of linked episodes, as this run leaves them."""
        sections = {one.section_id for one in self._run.sections if one.kind is not ItemKind.MOVIE}
        planned = self._run.planned
        by_now = {scene_id: one for scene_id, one in self._run.state.placings() if one.links}
        linked = [
            (scene_id, one, link)
            for scene_id, one in (by_now | planned).items()
            if one.outcome not in _UNLINKED
            for link in one.links
            if link.section_id in sections
        ]
        places = self._read_places([link.rating_key for *_, link in linked if not link.above])
        for scene_id, one, link in linked:
            above = link.above or places.get(link.rating_key, ())
            if len(above) == _LEVELS:
                season, show = above
                yield EpisodeScene(
                    scene_id=scene_id,
                    section_id=link.section_id,
                    season=season,
                    show=show,
                    related=one.related,
                    year=one.year,
                    known=bool(one.related) or one.outcome in _KNOWN,
                )

    def _read_places(self, keys: Sequence[RatingKey]) -> dict[RatingKey, tuple[RatingKey, ...]]:
        """Return which season and show episodes are in that were never read to the end.

        Raises:
            ServerError: Plex cannot say, so whose these shows are is not known.
        """
        places: dict[RatingKey, tuple[RatingKey, ...]] = {}
        for key, detail in self._executor.reader.read(keys).items():
            if not isinstance(detail, ItemDetail):
                raise detail
            places[key] = detail.above
        return places

    def _due(self, wishes: Sequence[ShowWish]) -> Iterator[ShowWork]:
        """Yield what needs a look; what is left alone is finished on the way."""
        unsettled = {one.plan.scene_id for one in self._run.state.unsettled}
        for wish in wishes:
            record = self._records.get(wish.key)
            work = self._work(wish, record)
            full = self._run.compares_all
            if wish.apart:
                if full or record is None or record.apart != wish.apart:
                    self._outcomes.leave_alone(work)
            elif work.may_differ(self._run, unsettled=wish.key in unsettled):
                yield work

    def _work(self, wish: ShowWish, record: ShowRecord | None) -> ShowWork:
        """Return a show or season on its way."""
        stamp = self._stamps.get(wish.studio, "") if wish.studio else ""
        link = Link(rating_key=wish.rating_key, section_id=wish.section_id, path="")
        link = record.link if record else link
        name = name_in(self._names[wish.studio]) if wish.studio else ""
        of = f" of studio {wish.studio[1:]}" if wish.studio else ""
        work = ShowWork(
            wish=wish,
            pair=Pair(
                scene=Scene(scene_id=wish.key, updated_at=stamp, title=name),
                link=link,
                title=wish.title,
                known=bool(link.base),
                reason=f"{wish.kind}{of}",
            ),
            wanted=self._wanted(wish, stamp),
            source=SceneDetail(scene_id=wish.key, updated_at=stamp),
            before=record,
            apart=wish.apart,
        )
        self._outcomes.open(work)
        return work

    def _wanted(self, wish: ShowWish, stamp: str) -> str:
        """Return one digest of all that is wanted; "" while the studio may hide another edit."""
        settings, rules = repr(self._settings), repr(self._run.config.apply.rules)
        parts = (wish.title, wish.year, wish.studio or "", settings, rules)
        return wanted_digest(self._run.ports.stash, stamp, *parts)

    # ---- writing

    def _write(self, works: Sequence[ShowWork]) -> UnsafeError | None:
        """Carry works out, past the limits; return the one that is passed."""
        decider = self._decider()
        writer = LimitedWriter(
            self._run, self._executor, self._outcomes, self._planner.equality, noun="show"
        )
        synced = sum(bool(one.link.base) for one in self._records.values())
        return writer.write([decider.item(work) for work in works], synced=synced)

    def _decider(self) -> ShowDecider:
        run, settings = self._run, self._settings
        return ShowDecider(
            self._planner,
            poster_artwork(run, POSTER, settings.poster, taken=self._taken),
            titles={ItemKind.SHOW: settings.title, ItemKind.SEASON: settings.season_title},
            summary=settings.summary,
            lock_fields=run.config.apply.lock_fields,
            asked_for=run.is_asked_for,
        )

    # ---- what is not worked on

    def _settle_others(self, works: Collection[SceneId]) -> None:
        """Note what became of writes of earlier runs to shows that are not looked at now.

        Raises:
            ServerError: Plex cannot say.
        """
        session = self._run.session
        if session is None:
            return
        for one in session.state.unsettled:
            if one.plan.kind in SHOW_KINDS and one.plan.scene_id not in works:
                self._settle_other(one)
        session.commit()

    def _settle_other(self, one: Unsettled) -> None:
        session, plan = self._run.session, one.plan
        assert session is not None  # noqa: S101 - see `_settle_others`
        detail = self._executor.reader.read((plan.rating_key,)).get(plan.rating_key)
        if detail is None:
            missing = tuple(change.target for change in plan.changes)
            session.settle(one, Settlement.FAILED, missing=missing)
        elif isinstance(detail, ItemDetail):
            record = self._records.get(plan.scene_id)
            link = Link(rating_key=plan.rating_key, section_id=plan.section_id, path="")
            record = record or ShowRecord(link=link)
            link = settle(record.link, [one], detail, planner=self._planner, session=session)
            wanted = record.wanted if record.due_at else ""
            session.keep_show(plan.scene_id, replace(record, link=link, wanted=wanted))

    def _forget_gone(self, wished: Collection[SceneId]) -> None:
        """Forget what is not in Plex any more, of that which no linked episode is in.

        Of the rest only that it failed is forgotten: nothing is wanted of it.

        Raises:
            ServerError: Plex cannot say.
        """
        session = self._run.session
        old = {key: one for key, one in self._records.items() if key not in wished}
        if session is None or not old:
            return
        found = self._executor.reader.read([one.link.rating_key for one in old.values()])
        for key, record in old.items():
            gone = record.link.rating_key not in found
            calm = replace(record, attempts=0, due_at="", problem=None)
            session.keep_show(key, None if gone else calm)
