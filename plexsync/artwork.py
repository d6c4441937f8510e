"""From covers to posters and backgrounds: what is to be replaced, the upload, the proof.

A cover costs nothing while the scene's version stands, one conditional GET when it moved, and an
upload only when Plex does not hold the very bytes already. Planning learns what there is without
fetching it; the bytes are fetched where they are about to be sent.

An upload is never repeated blindly: whatever became of the request, a look at the item's pictures
chooses. Source: docs/stash-api.md 5, docs/plex-api.md 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.errors import AuthError, ServerError
from plexsync.journal import Settlement
from plexsync.models import (
    PICTURE_FIELDS,
    Change,
    FieldRule,
    ItemPlan,
    PictureBase,
    PlexField,
    Policy,
    Problem,
)
from plexsync.pictures import (
    LIMIT_BYTES,
    UPLOADED,
    Choice,
    choose,
    cover_text,
    picture_text,
    replaces_anything,
    upload_key,
)
from plexsync.plex_pictures import selected_key
from plexsync.stash_covers import Cover, NoCover
from plexsync.writing import UNSENT, as_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.models import ItemDetail, Picture, RatingKey, SceneDetail, SceneId
    from plexsync.rows import Pair
    from plexsync.writing import Notebook

_HELD_BYTES = 32 << 20
"""Covers held at once before they are sent; what they replace goes to disk in one piece."""


_NO_STAMP = "unknown"
"""The stamp of a cover whose scene has no version, or one that may hide an edit to come.

It is compared every time.
"""

_FEW = 20
"""Covers never seen before that are looked at one by one in a run."""


class Covers(Protocol):
    """What is asked of Stash."""

    def cover(self, cover_path: str, etag: str = "", *, whole: bool = True) -> Cover | NoCover:
        """A scene's cover; not `whole`: only what it is."""

    def without_cover(self) -> frozenset[SceneId]:
        """The scenes that have none."""

    def is_settled(self, version: str) -> bool:
        """Whether a version is old enough that no edit hides behind it."""


class Gallery(Protocol):
    """What is asked of Plex."""

    def available(self, rating_key: RatingKey, field: PlexField, /) -> Sequence[Picture]:
        """The pictures an item can choose from."""

    def upload(self, rating_key: RatingKey, field: PlexField, body: bytes, /) -> None:
        """A new one, which becomes the chosen one."""

    def select(self, rating_key: RatingKey, field: PlexField, key: str, /) -> None:
        """Choose one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One picture of one item that is to be replaced.

    Args:
        rule: of the field.
        cover_path: where the cover is.
        stamp: of that address.
        again: the key of a picture of ours that is just to be chosen again; else "".
        etag: of the cover `again` was made from.
        ask: write nothing if what Plex shows turns out not to be the cover.
        shown: the change as a person sees it.
    """

    rule: FieldRule
    cover_path: str
    stamp: str
    again: str
    etag: str
    ask: bool
    shown: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the pictures of one item need.

    Args:
        strokes: what to write.
        kept: the names of fields that stay although the cover differs.
        problem: why one of them could not be compared.
        first: nothing of ours is replaced.
    """

    strokes: tuple[Stroke, ...] = ()
    kept: tuple[str, ...] = ()
    problem: Problem | None = None
    first: bool = True

    @property
    def changes(self) -> tuple[Change, ...]:
        """What would change, as a person sees it."""
        return tuple(stroke.shown for stroke in self.strokes if not stroke.ask)


NOTHING = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The pictures of one pair. `plan` says which item and scene; its changes do not matter."""

    pair: Pair
    plan: ItemPlan
    wanted: Wanted


@dataclass(slots=True, kw_only=True)
class Painted:
    """What became of a job.

    Attributes:
        changes: what was written, as a person sees it.
        kept: the names of fields that stay.
        problem: why something could not be written.
        unfinished: something was not even tried.
    """

    changes: list[Change] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problem: Problem | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brush:
    """A stroke that is ready to be sent.

    Args:
        job: what it is part of.
        stroke: the stroke.
        painted: where to say what became of it.
        before: the key of what Plex shows.
        there: the keys of all it could show.
        key: the key of what it is to show.
        body: the bytes to upload, if `key` is not among those that are `there`.
        base: what is known when it is done.
    """

    job: Job
    stroke: Stroke
    painted: Painted
    before: str
    there: frozenset[str]
    key: str
    body: bytes
    base: PictureBase

    @property
    def place(self) -> tuple[RatingKey, PlexField]:
        """The item and its field."""
        return self.job.plan.rating_key, self.stroke.rule.to

    @property
    def plan(self) -> ItemPlan:
        """What the journal keeps: the keys before and after."""
        keys = {"before": self.before, "after": self.key}
        change = replace(self.stroke.shown, **keys, locked_after=True)
        return replace(self.job.plan, changes=(change,))


class Artwork:
    """Keeps posters and backgrounds in step with covers.

    Args:
        covers: where covers come from.
        gallery: where they go.
        rules: of all fields; those that are no pictures, or off, do not matter here.
        preserve: what a person put into Plex stays, whatever the policy.
        compare_all: look at every picture that may have changed in Plex, too.
        asked_for: write also what an undo took back.
        should_stop: asked between requests.
        servers_down: True once a server failed so often that no further request is worth sending.
    """

    def __init__(
        self,
        covers: Covers,
        gallery: Gallery,
        *,
        rules: Sequence[FieldRule],
        preserve: bool,
        compare_all: bool,
        asked_for: bool,
        should_stop: Callable[[], bool],
        servers_down: Callable[[], bool],
    ) -> None:
        self._covers = covers
        self._gallery = gallery
        self._rules = tuple(
            rule for rule in rules if rule.to in PICTURE_FIELDS and rule.policy is not Policy.OFF
        )
        self._preserve = preserve
        self._compare_all = compare_all
        self._asked_for = asked_for
        self._should_stop = should_stop
        self._servers_down = servers_down
        self._glimpsed: dict[tuple[str, str], Cover] = {}
        self._news = 0
        self._coverless: frozenset[SceneId] | None = None
        self._fetched: tuple[str, Cover | NoCover] = ("", NoCover.NONE)

    # ---- comparing

    def handled(self, pair: Pair, scene: SceneDetail) -> bool:
        """Whether an earlier run did all there is to do, so that Plex need not be asked.

        A cover that only seems to be new, because the scene's version moved, is found out here,
        and remembered with the pair's link.

        Raises:
            AuthError: Stash refuses us.
        """
        for rule in self._rules:
            known = pair.link.pictures.get(rule.to)
            if known is None:
                return False
            if self._same_stamp(known, scene):
                continue
            try:
                found = self._glimpse(scene, known.etag)
            except AuthError:
                raise
            except ServerError:
                return False  # planning meets it again, and says so
            if isinstance(found, Cover):
                self._glimpsed[scene.cover_path, known.etag] = found
                return False
            etag = known.etag if found is NoCover.UNCHANGED else ""
            _note(pair, rule, replace(known, stamp=self._stamp(scene), etag=etag))
        return True

    def plan(self, pair: Pair, scene: SceneDetail, detail: ItemDetail) -> Wanted:
        """Compare an item's pictures with the scene's cover.

        Raises:
            AuthError: a server refuses us.
            ServerError: a server is down.
        """
        strokes: list[Stroke] = []
        kept: list[str] = []
        problem: Problem | None = None
        first = True
        for rule in self._rules:
            known = _known(pair, rule)
            try:
                found = self._compare(rule, pair, scene, detail)
            except AuthError:
                raise
            except ServerError as error:
                if self._servers_down():
                    raise
                problem = as_problem(error)
                continue
            if isinstance(found, Stroke):
                strokes.append(found)
                first = first and not known.key
            elif found is Choice.KEPT:
                kept.append(rule.name)
        return Wanted(strokes=tuple(strokes), kept=tuple(kept), problem=problem, first=first)

    def _compare(
        self, rule: FieldRule, pair: Pair, scene: SceneDetail, detail: ItemDetail
    ) -> Stroke | Choice:
        """What one picture needs; RIGHT also where there is nothing to show."""
        before = _known(pair, rule)
        stamp, shown = self._stamp(scene), self._shown(rule, detail)
        moved_in_plex = self._compare_all and before.shown != shown
        if self._same_stamp(before, scene) and not moved_in_plex:
            return Choice.RIGHT
        cover = self._cover_now(before, scene)
        if cover is NoCover.UNCHANGED and self._is_held(pair, rule):
            # An undo took our picture back, and Stash still wants just that.
            _note(pair, rule, replace(before, stamp=stamp, shown=shown))
            return Choice.RIGHT
        if cover is NoCover.NONE:
            # Absent is not empty: what we once uploaded stays.
            _note(pair, rule, replace(before, stamp=stamp, etag="", shown=shown))
            return Choice.RIGHT
        if cover is NoCover.UNCHANGED and not moved_in_plex:
            _note(pair, rule, replace(before, stamp=stamp))
            return Choice.RIGHT
        found = self._judge(rule, before, cover, scene=scene, detail=detail)
        if found is Choice.RIGHT:
            _note(pair, rule, replace(before, stamp=stamp, shown=shown))
        elif found is Choice.KEPT:
            etag = cover.etag if isinstance(cover, Cover) else before.etag
            _note(pair, rule, PictureBase(stamp=stamp, etag=etag, shown=shown))
        return found

    def _is_held(self, pair: Pair, rule: FieldRule) -> bool:
        return rule.to in pair.link.held and not self._asked_for

    def _cover_now(self, before: PictureBase, scene: SceneDetail) -> Cover | NoCover | None:
        """What the cover is, without its bytes; None where only fetching it would tell.

        Of a cover never seen before nothing but its being there decides anything, and where there
        are many such, that can be had for all scenes at once.
        """
        if not scene.cover_path:
            return NoCover.NONE
        if self._same_stamp(before, scene) and before.etag:
            return NoCover.UNCHANGED
        if before.stamp or self._news < _FEW:
            self._news += not before.stamp
            return self._glimpse(scene, before.etag)
        if self._coverless is None:
            self._coverless = self._covers.without_cover()
        return NoCover.NONE if scene.scene_id in self._coverless else None

    def _judge(
        self,
        rule: FieldRule,
        before: PictureBase,
        cover: Cover | NoCover | None,
        *,
        scene: SceneDetail,
        detail: ItemDetail,
    ) -> Stroke | Choice:
        """Look at what the item shows, if that matters, and choose."""
        size_bytes = 0
        if isinstance(cover, Cover):
            _require_small(cover)
            size_bytes = cover.size_bytes
        locked = rule.to in detail.locked
        moved = cover is not NoCover.UNCHANGED or not before.key
        selected = detail.shown.get(rule.to, "")
        there: frozenset[str] = frozenset()
        choice = Choice.WRITE
        free = replaces_anything(rule.policy, locked=locked, preserve=self._preserve)
        if before.stamp or not free:
            pictures = self._gallery.available(detail.item.rating_key, rule.to)
            there = frozenset(picture.key for picture in pictures)
            selected = selected_key(pictures)
            choice = choose(
                rule.policy,
                selected=selected,
                locked=locked,
                ours=before.key,
                moved=moved,
                preserve=self._preserve,
            )
        if choice in {Choice.RIGHT, Choice.KEPT}:
            return choice
        return Stroke(
            rule=rule,
            cover_path=scene.cover_path,
            stamp=self._stamp(scene),
            again=before.key if not moved and before.key in there else "",
            etag=before.etag,
            ask=choice is Choice.ASK,
            shown=Change(
                field=rule.name,
                target=rule.to,
                before=picture_text(selected, locked=locked, ours=before.key),
                after=cover_text(scene.scene_id, size_bytes),
                policy=rule.policy,
                locked_before=locked,
            ),
        )

    def _shown(self, rule: FieldRule, detail: ItemDetail) -> str:
        """What Plex shows, and under which rule it is judged."""
        preserve = "+preserve" if self._preserve else ""
        return f"{rule.policy}{preserve} {detail.shown.get(rule.to, '')}"

    def _stamp(self, scene: SceneDetail) -> str:
        """What moves with the scene: the query of the cover's address, or the scene's version."""
        if not self._covers.is_settled(scene.updated_at):
            return _NO_STAMP
        return scene.cover_path.partition("?")[2] or scene.updated_at or _NO_STAMP

    def _same_stamp(self, known: PictureBase, scene: SceneDetail) -> bool:
        return known.stamp == self._stamp(scene) != _NO_STAMP

    def _glimpse(self, scene: SceneDetail, etag: str) -> Cover | NoCover:
        """What the cover is, without its bytes."""
        noted = self._glimpsed.pop((scene.cover_path, etag), None)
        found = noted or self._covers.cover(scene.cover_path, etag, whole=False)
        return replace(found, body=b"") if isinstance(found, Cover) else found

    # ---- writing

    def seen(self, detail: ItemDetail, plan: ItemPlan) -> ItemDetail:
        """`detail` with the keys of what the item shows where `plan` would change pictures.

        Raises:
            ServerError: they cannot be read.
        """
        keys = {
            change.target: selected_key(self._gallery.available(plan.rating_key, change.target))
            for change in plan.changes
            if change.target in PICTURE_FIELDS
        }
        return replace(detail, values={**detail.values, **keys}) if keys else detail

    def paint(
        self, jobs: Sequence[Job], notebook: Notebook
    ) -> tuple[list[Painted], ServerError | None]:
        """Send what `jobs` want, and prove by reading that it came.

        The pairs' links hold what Plex was seen to show.

        Returns:
            What became of each job, and the error after which nothing more was tried.
        """
        done = [Painted() for _ in jobs]
        waiting: list[_Brush] = []
        fatal: ServerError | None = None
        try:
            for job, painted in zip(jobs, done, strict=True):
                for stroke in job.wanted.strokes:
                    brush = self._prepare(job, stroke, painted)
                    waiting += [brush] if brush else []
                if sum(len(brush.body) for brush in waiting) >= _HELD_BYTES:
                    self._send(waiting, notebook)
                    waiting = []
            self._send(waiting, notebook)
        except ServerError as error:
            fatal = error
        finally:
            self._fetched = ("", NoCover.NONE)
        if fatal is not None:
            _mark_unfinished(jobs, done)
        return done, fatal

    def _prepare(self, job: Job, stroke: Stroke, painted: Painted) -> _Brush | None:
        """Look at the item once more and fetch what is to be sent; None when nothing is.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        if self._should_stop():
            painted.unfinished = True
            return None
        place = job.plan.rating_key, stroke.rule.to
        try:
            cover = self._bytes_of(stroke)
            pictures = self._gallery.available(*place) if cover else ()
        except ServerError as error:
            self._give_up_if_down(error)
            painted.problem = as_problem(error)
            return None
        if cover is None:  # taken away since it was compared
            before = _known(job.pair, stroke.rule)
            _note(job.pair, stroke.rule, replace(before, stamp=stroke.stamp, etag=""))
            return None
        key = stroke.again or upload_key(stroke.rule.to, cover.body)
        base = PictureBase(stamp=stroke.stamp, etag=cover.etag, key=key)
        selected = selected_key(pictures)
        if key == selected:
            _note(job.pair, stroke.rule, base)
            return None
        if stroke.ask:
            painted.kept.append(stroke.rule.name)
            _note(job.pair, stroke.rule, replace(base, key=""))
            return None
        return _Brush(
            job=job,
            stroke=stroke,
            painted=painted,
            before=selected,
            there=frozenset(picture.key for picture in pictures),
            key=key,
            body=cover.body,
            base=base,
        )

    def _bytes_of(self, stroke: Stroke) -> Cover | None:
        """What is to be sent: nothing for a picture that is only to be chosen again.

        Raises:
            ServerError: the cover cannot be had, or is too large.
        """
        if stroke.again:
            return Cover(content_type="", etag=stroke.etag, size_bytes=0, body=b"")
        cover = self._fetch(stroke.cover_path)
        if not isinstance(cover, Cover):
            return None
        _require_small(cover)
        return cover

    def _fetch(self, cover_path: str) -> Cover | NoCover:
        """The cover; asked for once for all the pictures in a row that want it."""
        if self._fetched[0] != cover_path:
            self._fetched = (cover_path, self._covers.cover(cover_path))
        return self._fetched[1]

    def _send(self, brushes: Sequence[_Brush], notebook: Notebook) -> None:
        """Write down what is replaced, then replace it.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        seqs = notebook.intend([brush.plan for brush in brushes]) if brushes else ()
        for at, (seq, brush) in enumerate(zip(seqs, brushes, strict=True)):
            if self._should_stop():
                notebook.result(seq, Settlement.FAILED, UNSENT, missing=(brush.stroke.rule.to,))
                brush.painted.unfinished = True
                continue
            try:
                self._send_one(seq, brush, notebook)
            except ServerError:
                for later, left in zip(seqs[at + 1 :], brushes[at + 1 :], strict=True):
                    missing = (left.stroke.rule.to,)
                    notebook.result(later, Settlement.FAILED, UNSENT, missing=missing)
                raise

    def _send_one(self, seq: int, brush: _Brush, notebook: Notebook) -> None:
        missing = (brush.stroke.rule.to,)
        refusal = self._hand_over(brush)
        if isinstance(refusal, AuthError):
            notebook.result(seq, Settlement.FAILED, as_problem(refusal), missing=missing)
            raise refusal
        try:
            selected = self._settle(brush)
        except AuthError:
            raise
        except ServerError as error:
            # Without a result the intent stays unsettled, and the next run looks again.
            self._give_up_if_down(error)
            brush.painted.problem = as_problem(error)
            return
        if not selected:
            problem = as_problem(refusal) if refusal else _not_shown(brush.stroke.rule.name)
            notebook.result(seq, Settlement.FAILED, problem, missing=missing)
            brush.painted.problem = problem
            return
        notebook.result(seq, Settlement.APPLIED)
        brush.painted.changes.append(brush.stroke.shown)
        _note(brush.job.pair, brush.stroke.rule, replace(brush.base, key=selected))
        _release(brush.job.pair, brush.stroke.rule)

    def _hand_over(self, brush: _Brush) -> ServerError | None:
        """Choose the picture if the item has it, else upload it; the error if that failed."""
        try:
            if brush.key in brush.there:
                self._gallery.select(*brush.place, brush.key)
            else:
                self._gallery.upload(*brush.place, brush.body)
        except ServerError as error:
            return error
        return None

    def _settle(self, brush: _Brush) -> str:
        """The key under which the item shows the picture now; "" when it does not.

        A picture that came and was not chosen is chosen now.

        Raises:
            ServerError: nobody knows.
        """
        shown = self._shown_as(brush)
        if shown:
            return shown
        if brush.key in {picture.key for picture in self._gallery.available(*brush.place)}:
            self._gallery.select(*brush.place, brush.key)
            return self._shown_as(brush)
        return ""

    def _shown_as(self, brush: _Brush) -> str:
        selected = selected_key(self._gallery.available(*brush.place))
        # The name of an upload is Plex's affair: a new one that is shown can only be ours.
        new = selected.startswith(UPLOADED) and selected not in brush.there
        return selected if new or selected == brush.key else ""

    def _give_up_if_down(self, error: ServerError) -> None:
        """Pass on an error after which asking on is of no use.

        Raises:
            ServerError: it.
        """
        if isinstance(error, AuthError) or self._servers_down():
            raise error


# ---- Private -------------------------------------------------------------------------------------


def _known(pair: Pair, rule: FieldRule) -> PictureBase:
    return pair.link.pictures.get(rule.to) or PictureBase(stamp="")


def _note(pair: Pair, rule: FieldRule, base: PictureBase) -> None:
    pair.link = replace(pair.link, pictures={**pair.link.pictures, rule.to: base})


def _release(pair: Pair, rule: FieldRule) -> None:
    """What an undo held back is ours to write again."""
    held = {target: digest for target, digest in pair.link.held.items() if target is not rule.to}
    pair.link = replace(pair.link, held=held)


def _require_small(cover: Cover) -> None:
    """Refuse what Plex would refuse.

    Raises:
        ServerError: the cover is too large.
    """
    if cover.size_bytes > LIMIT_BYTES:
        size_mb, limit_mb = cover.size_bytes / 1e6, LIMIT_BYTES / 1e6
        raise ServerError(
            f"the cover has {size_mb:.1f} MB, and Plex takes {limit_mb:.0f} MB at most",
            hint="set a smaller cover in Stash",
        )


def _mark_unfinished(jobs: Sequence[Job], done: Sequence[Painted]) -> None:
    """Say of jobs that lack something that they are to be tried again."""
    for job, painted in zip(jobs, done, strict=True):
        told = len(painted.changes) + len(painted.kept) + (painted.problem is not None)
        painted.unfinished |= told < len(job.wanted.strokes)


def _not_shown(name: str) -> Problem:
    return Problem(
        kind="not-shown",
        message=f"Plex took the {name} but does not show it",
        hint="look at the item in Plex; another program may be writing to it",
    )
