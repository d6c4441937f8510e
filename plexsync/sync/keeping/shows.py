"""The step of a run that keeps shows and seasons: which belong to a studio, and which need a look.

It comes after the scenes, of all that the records of linked episodes show by then. A show that is
as it was wanted before costs no request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ServerError, UnsafeError
from plexsync.models import (
    SHOW_KINDS,
    WITHOUT_ITEM,
    CollectionKind,
    Desired,
    ItemDetail,
    ItemKind,
    Link,
    Outcome,
    PlexField,
    Policy,
    Scene,
    ShowRecord,
)
from plexsync.planning.layout import EpisodeScene, is_year_of, wished_shows
from plexsync.planning.relations import name_in
from plexsync.sync.execution.settling import reread, settle, settle_one
from plexsync.sync.execution.work import Decision, decision_of, plan_of
from plexsync.sync.keeping.keeper import SEEN, Keeper, KeptWork, wanted_digest
from plexsync.sync.rows import Pair

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from plexsync.models import RelatedId, SceneId, ShowWish
    from plexsync.sync.context import RunContext

_POSTER = "shows.poster"
_TITLES = {ItemKind.SHOW: "shows.title", ItemKind.SEASON: "shows.season_title"}
_SUMMARY = "shows.summary"
_LEVELS = 2
"""What stands above an episode: its season and its show."""


@dataclass(slots=True, kw_only=True)
class ShowWork(KeptWork):
    """One show or season on its way through a run.

    Args:
        wish: what the scenes say it should be.
        apart: why it is left alone; "" where it is not.
    """

    wish: ShowWish
    before: ShowRecord | None
    apart: str = ""

    def record(self, *, done: bool) -> ShowRecord:
        """Return what is remembered of it; unless it is `done` the next run looks again."""
        # What is left alone keeps the year something was last written for.
        before = self.before.year if self.before else ""
        return ShowRecord(
            link=self.pair.link,
            title=self.wish.title,
            wanted=self.wanted if done else "",
            attempts=0 if done else self.tries_before,
            year=before if self.apart else self.wish.year,
            apart=self.apart,
        )


class ShowKeeper(Keeper[ShowWork]):
    """Keeps the shows and seasons of one run.

    Args:
        run: what the run is about.
        names: what Stash has; see `relations`.
    """

    noun = "show"
    fields = frozenset({*_TITLES.values(), _SUMMARY, _POSTER})

    def __init__(self, run: RunContext, names: Mapping[RelatedId, str]) -> None:
        super().__init__(run, names)
        self._settings = run.config.shows
        self._artwork = self._posters(_POSTER, self._settings.poster)
        self._records = run.state.shows()
        self._stamps: dict[RelatedId, str] = {}

    def keep(self) -> UnsafeError | None:
        """Bring every show and season in step; see `Keeper.keep`."""
        wishes: tuple[ShowWish, ...] = ()
        if self._settings.studios:
            wishes = wished_shows(self._settings.rules, self._names, self._scenes())
        if any(wish.studio for wish in wishes):
            self._stamps = self._stash.stamps({CollectionKind.STUDIO})
        works = list(self._due(wishes))
        self._settle_others({work.key for work in works})
        synced = sum(bool(one.link.base) for one in self._records.values())
        held = self._write(works, synced=synced)
        if self._run.compares_all and self._settings.studios:
            self._forget_gone({wish.key for wish in wishes})
        return held

    # ---- what there should be

    def _scenes(self) -> Iterator[EpisodeScene]:
        """Yield the scenes of linked episodes, as this run leaves them.

        Raises:
            ServerError: Plex cannot say in which season and show one of them is.
        """
        sections = {one.section_id for one in self._run.sections if one.kind is not ItemKind.MOVIE}
        planned = self._run.session.planned
        by_now = {scene_id: one for scene_id, one in self._run.state.placings() if one.links}
        linked = [
            (scene_id, one, link)
            for scene_id, one in (by_now | planned).items()
            if one is not None and one.outcome not in WITHOUT_ITEM
            for link in one.links
            if link.section_id in sections
        ]
        # Some were never read to the end.
        new = [link.rating_key for *_, link in linked if not link.above]
        read = self._executor.reader.read(new)
        for scene_id, one, link in linked:
            detail = None if link.above else read.get(link.rating_key)
            if isinstance(detail, ServerError):
                raise detail
            above = link.above or (detail.above if detail else ())
            if len(above) == _LEVELS:
                season, show = above
                yield EpisodeScene(
                    scene_id=scene_id,
                    section_id=link.section_id,
                    season=season,
                    show=show,
                    related=one.related,
                    year=one.year,
                    known=bool(one.related) or one.outcome in SEEN,
                )

    def _due(self, wishes: Sequence[ShowWish]) -> Iterator[ShowWork]:
        """Yield what needs a look; what is left alone is finished on the way."""
        for wish in wishes:
            record = self._records.get(wish.key)
            work = self._work(wish, record)
            if wish.apart:
                if self._run.compares_all or record is None or record.apart != wish.apart:
                    self._leave_alone(work, done=False)
            elif self._may_differ(work):
                yield work

    def _work(self, wish: ShowWish, record: ShowRecord | None) -> ShowWork:
        """Return a show or season on its way."""
        studio = wish.studio
        stamp = self._stamps.get(studio, "") if studio else ""
        link = Link(rating_key=wish.rating_key, section_id=wish.section_id, path="")
        link = record.link if record else link
        settings, rules = repr(self._settings), repr(self._run.config.apply.rules)
        work = ShowWork(
            wish=wish,
            kind=wish.kind,
            pair=Pair(
                scene=Scene(
                    scene_id=wish.key,
                    updated_at=stamp,
                    title=name_in(self._names[studio]) if studio else "",
                ),
                link=link,
                title=wish.title,
                known=bool(link.base),
                reason=f"{wish.kind} of studio {studio[1:]}" if studio else wish.kind,
            ),
            wanted=wanted_digest(
                self._stash, stamp, wish.title, wish.year, studio or "", settings, rules
            ),
            related=studio,
            before=record,
            apart=wish.apart,
        )
        self._works[work.key] = work
        return work

    # ---- deciding

    def _decide(self, work: ShowWork, detail: ItemDetail) -> Decision:
        """Compare a show or season with what it should be.

        Raises:
            ServerError: a server refuses us, or is down.
        """
        plan = plan_of(work.pair, detail, lock=self._run.config.apply.lock_fields)
        work.apart = self._why_apart(work, detail)
        if work.apart:
            return Decision(plan=plan, note=f"left alone: {work.apart}")
        planned = self._planned(work, self._desired(work), detail, self._planner)
        wanted = self._artwork.plan(work.pair, work.source, detail)
        return decision_of(replace(plan, changes=planned.changes), planned, wanted, work.pair)

    def _why_apart(self, work: ShowWork, detail: ItemDetail) -> str:
        """Why an item is not to be written to, as Plex shows it; "" where it is."""
        wish = work.wish
        title = str(detail.values.get(PlexField.TITLE, ""))
        if wish.kind is ItemKind.SHOW or is_year_of(wish.year, title, detail.number):
            return ""
        base = work.pair.link.base.get(PlexField.TITLE)
        taken_for = work.before.year if work.before else ""
        if taken_for == wish.year and self._planner.equality.is_base(base, PlexField.TITLE, title):
            return ""  # plexsync gave it the title it has
        return f"it is not called {wish.year}, the year of its scenes"

    def _desired(self, work: ShowWork) -> Iterator[Desired]:
        """Yield what a show or season should hold."""
        kind, settings = work.wish.kind, self._settings
        policy = settings.title if kind is ItemKind.SHOW else settings.season_title
        if policy is not Policy.OFF and work.wish.title:
            yield Desired(
                field=_TITLES[kind], target=PlexField.TITLE, value=work.wish.title, policy=policy
            )
        if settings.summary is not Policy.OFF:
            yield Desired(
                field=_SUMMARY,
                target=PlexField.SUMMARY,
                value=work.says.text,
                policy=settings.summary,
            )

    # ---- how each ended

    def _leave_alone(self, work: ShowWork, *, done: bool) -> None:
        """Say why one is left alone, and remember that."""
        self._show(work.pair, Outcome.UNCHANGED, f"left alone: {work.apart}")
        self._run.session.keep(work.key, work.record(done=done))

    def lose(self, pair: Pair, note: str) -> None:
        """Leave one alone that is not in Plex any more, until a full run looks again.

        Its episodes are elsewhere, which is seen when they are read.
        """
        work = self._works[pair.scene.scene_id]
        work.apart = note
        self._leave_alone(work, done=True)

    # ---- what is not worked on

    def _settle_others(self, works: Collection[SceneId]) -> None:
        """Note what became of writes of earlier runs to shows that are not looked at now.

        Raises:
            ServerError: Plex cannot say.
        """
        session = self._run.session
        if self._run.options.dry_run:
            return
        others = [
            one
            for one in self._run.state.unsettled
            if one.plan.kind in SHOW_KINDS and one.plan.scene_id not in works
        ]
        for one, detail in reread(self._executor.reader, others):
            plan = one.plan
            if detail is None:
                settle_one(session, one, None, self._planner)
            else:
                link = Link(rating_key=plan.rating_key, section_id=plan.section_id, path="")
                record = self._records.get(plan.scene_id) or ShowRecord(link=link)
                link = settle(record.link, [one], detail, planner=self._planner, session=session)
                wanted = record.wanted if record.due_at else ""
                session.keep(plan.scene_id, replace(record, link=link, wanted=wanted))
        session.commit()

    def _forget_gone(self, wished: Collection[SceneId]) -> None:
        """Forget what is not in Plex any more, of that which no linked episode is in.

        Of the rest only that it failed is forgotten: nothing is wanted of it.

        Raises:
            ServerError: Plex cannot say.
        """
        session = self._run.session
        old = {key: one for key, one in self._records.items() if key not in wished}
        if self._run.options.dry_run or not old:
            return
        found = self._executor.reader.read([one.link.rating_key for one in old.values()])
        for key, record in old.items():
            gone = record.link.rating_key not in found
            calm = replace(record, attempts=0, due_at="", problem=None)
            session.keep(key, None if gone else calm)
