"""From covers to posters and backgrounds: which picture of an item is to be replaced.

A cover costs nothing while the scene's version stands, and one conditional GET when it moved.
Planning learns what there is without fetching it; `prepare.py` fetches what is about to be sent.
Source: docs/stash-api.md 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.errors import AuthError, PictureSizeError, ServerError
from plexsync.models import (
    PICTURE_FIELDS,
    Change,
    FieldRule,
    FieldRules,
    ItemDetail,
    Picture,
    PictureBase,
    Policy,
    Problem,
    SceneDetail,
    SceneId,
    as_problem,
)
from plexsync.planning.picture_policy import (
    LIMIT_BYTES,
    NO_PICTURE,
    PictureChoice,
    choose_picture,
    cover_text,
    picture_text,
    replaces_anything,
)
from plexsync.plex.pictures import PlexPictures, selected_key
from plexsync.plex.poster_padding import recipe
from plexsync.stash_client import Cover, NoCover, StashClient
from plexsync.sync.execution.work import PictureChange, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from plexsync.sync.context import RunContext
    from plexsync.sync.rows import Pair

_NO_STAMP = "unknown"
"""The stamp of a cover of a scene with no version, or one that may hide an edit to come.

It is compared every time.
"""

_FEW = 20
"""Covers never seen before that are looked at one by one in a run."""


_AT_ONCE = 4
"""Conditional requests for covers in flight at a time, as many as a transport keeps connections."""

_MANY = 8
"""Covers that seem to be new from which on they are asked for at the same time."""


class _Compared(NamedTuple):
    """One picture of an item beside the cover it is compared with.

    Attributes:
        rule: of the field.
        pair: the scene and the item.
        scene: has the cover.
        detail: the item as it was read just now.
        before: what is known of the picture.
        stamp: of the cover's address.
    """

    rule: FieldRule
    pair: Pair
    scene: SceneDetail
    detail: ItemDetail
    before: PictureBase
    stamp: str

    @property
    def locked(self) -> bool:
        """Whether Plex locks the picture."""
        return self.rule.to in self.detail.locked

    @property
    def is_held(self) -> bool:
        """Whether an undo took our picture back."""
        return self.rule.to in self.pair.link.held

    def note(self, base: PictureBase) -> None:
        """Know of the picture from now on."""
        note(self.pair, self.rule, base)


class Artwork:
    """Finds posters and backgrounds that are not in step with covers.

    Args:
        covers: where covers come from.
        gallery: where they go.
        rules: of all libraries; those that are no pictures, or off, do not matter here.
        preserve: what a person put into Plex stays, whatever the policy.
        taken: the names of fields in which Stash has the last word for once.
        compare_all: look at every picture that may have changed in Plex, too.
        asked_for: write also what an undo took back.
        ends_run: says whether nothing more can be done after an error.
        coverless: what has no cover, where that is known; None: Stash is asked when it matters.
    """

    def __init__(  # noqa: PLR0913 - everything that decides what a picture needs
        self,
        covers: StashClient,
        gallery: PlexPictures,
        *,
        rules: FieldRules,
        preserve: bool,
        taken: frozenset[str] = frozenset(),
        compare_all: bool,
        asked_for: bool,
        ends_run: Callable[[ServerError], bool],
        coverless: frozenset[SceneId] | None = None,
    ) -> None:
        self._covers = covers
        self._gallery = gallery
        own = {section_id: _pictures(some, taken) for section_id, some in rules.by_section.items()}
        self._rules = FieldRules(common=_pictures(rules.common, taken), by_section=own)
        self._preserved = frozenset(
            rule.to for rule in rules.common if preserve and rule.name not in taken
        )
        self._compare_all = compare_all
        self._asked_for = asked_for
        self._ends_run = ends_run
        self._glimpsed: dict[tuple[str, str], Cover | NoCover | ServerError] = {}
        self._news = 0
        self.looks = 0
        """How many pictures more had to be asked about than scene and item say."""
        self._coverless = coverless
        self.elsewhere: set[SceneId] = set()
        """Scenes with a cover's address that leads to no cover of the configured Stash."""

    @classmethod
    def of_run(
        cls,
        run: RunContext,
        rules: FieldRules,
        *,
        taken: frozenset[str],
        coverless: frozenset[SceneId] | None = None,
    ) -> Artwork:
        """Return what compares pictures in a run."""
        return cls(
            run.ports.stash,
            run.ports.plex.pictures,
            rules=rules,
            preserve=run.config.apply.preserve_plex_edits,
            taken=taken,
            compare_all=run.compares_all,
            asked_for=run.is_asked_for,
            ends_run=run.ports.ends_run,
            coverless=coverless,
        )

    def glimpse_many(self, scenes: Iterable[tuple[SceneDetail, Sequence[Pair]]]) -> None:
        """Ask for the covers that seem to be new, several at a time, where there are many.

        A task that makes all covers again moves the version of every scene; whether a cover is
        another one, a conditional request each tells.
        """
        wanted = {
            (scene.cover_path, known.etag): scene
            for scene, pairs in scenes
            for pair in pairs
            for rule in self._rules.of(pair.link.section_id)
            if (known := base_of(pair, rule)).etag
            and scene.cover_path
            and not _is_at(known, self._stamp(scene))
        }
        if len(wanted) < _MANY:
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few runs meet many

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(self._glimpse_or_error, wanted.values(), (etag for _, etag in wanted))
            self._glimpsed.update(zip(wanted, found, strict=True))

    def _glimpse_or_error(self, scene: SceneDetail, etag: str) -> Cover | NoCover | ServerError:
        try:
            return self._glimpse(scene, etag)
        except ServerError as error:
            return error

    def handled(self, pair: Pair, scene: SceneDetail) -> bool:
        """Whether an earlier run did all there is to do, so that Plex need not be asked.

        A cover that only seems to be new, because the scene's version moved, is found out here,
        and remembered with the pair's link.

        Raises:
            AuthError: Stash refuses us.
        """
        rules = self._rules.of(pair.link.section_id)
        stamp = self._stamp(scene) if rules else ""
        for rule in rules:
            known = base_of(pair, rule)
            if not known.stamp:
                return False
            if _is_at(known, stamp):
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
            note(pair, rule, replace(known, stamp=stamp, etag=etag))
        return True

    def plan(self, pair: Pair, scene: SceneDetail, detail: ItemDetail) -> Wanted:
        """Compare an item's pictures with the scene's cover.

        While a scene is blank and new those stay that an earlier one gave the item.

        Raises:
            AuthError: a server refuses us.
            ServerError: a server is down.
        """
        rules = self._rules.of(pair.link.section_id)
        if not rules or (pair.link.inherited and pair.link.pictures and scene.is_blank):
            return Wanted()
        pictures: list[PictureChange] = []
        kept: list[str] = []
        problem: Problem | None = None
        stamp = self._stamp(scene)
        for rule in rules:
            one = _Compared(rule, pair, scene, detail, base_of(pair, rule), stamp)
            try:
                found = self._compare(one)
            except ServerError as error:
                if self._ends_run(error):
                    raise
                problem = as_problem(error)
                continue
            if isinstance(found, PictureChange):
                pictures.append(found)
            elif found is PictureChoice.KEPT:
                kept.append(rule.name)
        return Wanted(pictures=tuple(pictures), kept=tuple(kept), problem=problem)

    def _compare(self, one: _Compared) -> PictureChange | PictureChoice:
        """Return what one picture needs; RIGHT also where there is nothing to show."""
        before, stamp = one.before, one.stamp
        shown = shown_as(self._judged(one.rule), one.rule, one.detail)
        moved_in_plex = self._compare_all and before.shown != shown
        if _is_at(before, stamp) and not moved_in_plex:
            return PictureChoice.RIGHT
        self.looks += 1
        cover = self._cover_now(one)
        if cover is NoCover.UNCHANGED and one.is_held and not self._asked_for:
            # An undo took our picture back, and Stash still wants just that. What is shown instead
            # is not noted: it is no reason to leave it so once a person asks.
            one.note(replace(before, stamp=stamp, shown=""))
            return PictureChoice.RIGHT
        if cover is NoCover.NONE:
            # Absent is not empty: what we once uploaded stays.
            one.note(replace(before, stamp=stamp, etag="", shown=shown))
            return PictureChoice.RIGHT
        if cover is NoCover.UNCHANGED and not moved_in_plex:
            one.note(replace(before, stamp=stamp))
            return PictureChoice.RIGHT
        found = self._judge(one, cover)
        if isinstance(found, PictureChange):
            if before.stamp:  # should it fail, it is compared again by whatever run comes next
                one.note(replace(before, stamp=_NO_STAMP, etag=""))
            return found
        let_go(one.pair, one.rule)
        if found is PictureChoice.RIGHT:
            one.note(replace(before, stamp=stamp, shown=shown))
        else:
            etag = cover.etag if isinstance(cover, Cover) else before.etag
            one.note(PictureBase(stamp=stamp, etag=etag, shown=shown, made=before.made))
        return found

    def _cover_now(self, one: _Compared) -> Cover | NoCover | None:
        """Return what the cover is, without its bytes; None where only fetching it would tell.

        Of a cover never seen before nothing but its being there decides anything, and where there
        are many such, that can be had for all scenes at once.
        """
        before, scene = one.before, one.scene
        if not scene.cover_path:
            self.elsewhere.add(scene.scene_id)
            return NoCover.NONE
        if _is_at(before, one.stamp) and before.etag:
            return NoCover.UNCHANGED
        if before.stamp or self._news < _FEW:
            self._news += not before.stamp
            return self._glimpse(scene, before.etag)
        if self._coverless is None:
            self._coverless = self._covers.without_cover()
        return NoCover.NONE if scene.scene_id in self._coverless else None

    def _judge(
        self, one: _Compared, cover: Cover | NoCover | None
    ) -> PictureChange | PictureChoice:
        """Choose, and say what is to be written where that is chosen."""
        size_bytes = 0
        if isinstance(cover, Cover):
            require_small(cover)
            size_bytes = cover.size_bytes
        rule, before = one.rule, one.before
        moved = cover is not NoCover.UNCHANGED or not before.key
        choice, selected, seen = self._choose(one, moved=moved)
        if choice in {PictureChoice.RIGHT, PictureChoice.KEPT}:
            return choice
        there = {picture.key for picture in seen or ()}
        return PictureChange(
            rule=rule,
            cover_path=one.scene.cover_path,
            stamp=one.stamp,
            again=before.key if not moved and before.key in there else "",
            etag=before.etag,
            ask=choice is PictureChoice.ASK,
            shown=Change(
                field=rule.name,
                target=rule.to,
                before=picture_text(selected, locked=one.locked, ours=before.key),
                after=cover_text(one.scene.scene_id, size_bytes, padded=rule.pad),
                policy=rule.policy,
                locked_before=one.locked,
            ),
            judged=self._judged(rule),
            seen=seen,
        )

    def _choose(
        self, one: _Compared, *, moved: bool
    ) -> tuple[PictureChoice, str, tuple[Picture, ...] | None]:
        """Look at what the item can show, if that matters.

        Returns:
            The choice, the key of what the item shows, and all it can; None if that was not asked.
        """
        rule, preserve = one.rule, one.rule.to in self._preserved
        free = replaces_anything(rule.policy, locked=one.locked, preserve=preserve)
        if free and not one.before.stamp:
            return PictureChoice.WRITE, one.detail.shown.get(rule.to, ""), None
        pictures = self._gallery.available(one.detail.item.rating_key, rule.to)
        selected = selected_key(pictures)
        choice = choose_picture(
            rule.policy,
            selected=selected,
            locked=one.locked,
            ours=one.before.key,
            moved=moved,
            preserve=preserve,
        )
        # What an undo put back was ours, or has the lock of that choice: nobody chose it.
        put_back = one.before.former if one.is_held else ""
        if put_back == (selected or NO_PICTURE) and rule.policy is not Policy.FILL:
            choice = PictureChoice.WRITE
        return choice, selected, pictures

    def _judged(self, rule: FieldRule) -> str:
        return f"{rule.policy}{'+preserve' * (rule.to in self._preserved)}"

    def _stamp(self, scene: SceneDetail) -> str:
        """Return what moves with the scene: the query of the cover's address, or its version."""
        if not self._covers.is_settled(scene.updated_at):
            return _NO_STAMP
        return scene.cover_path.partition("?")[2] or scene.updated_at or _NO_STAMP

    def _glimpse(self, scene: SceneDetail, etag: str) -> Cover | NoCover:
        """Return what the cover is, without its bytes."""
        noted = self._glimpsed.pop((scene.cover_path, etag), None)
        if isinstance(noted, ServerError):
            raise noted
        found = noted or self._covers.cover(scene.cover_path, etag, whole=False)
        return replace(found, body=b"") if isinstance(found, Cover) else found


def _pictures(rules: Sequence[FieldRule], taken: frozenset[str]) -> tuple[FieldRule, ...]:
    """Return the rules of pictures that are on."""
    return tuple(
        _taken(rule) if rule.name in taken else rule
        for rule in rules
        if rule.to in PICTURE_FIELDS and rule.policy is not Policy.OFF
    )


def _taken(rule: FieldRule) -> FieldRule:
    """Return the rule of a picture that is replaced whoever chose it; one that only fills stays."""
    return replace(rule, policy=Policy.OVERWRITE) if rule.policy is Policy.KEEP else rule


def _is_at(known: PictureBase, stamp: str) -> bool:
    """Whether a picture was compared with the cover `stamp` stands for."""
    return known.stamp == stamp != _NO_STAMP


def base_of(pair: Pair, rule: FieldRule) -> PictureBase:
    """Return what is known of one picture; nothing yet is known without a stamp.

    One that was made of its cover otherwise than the rule says now is compared as if the cover
    were new.
    """
    known, made = pair.link.pictures.get(rule.to), recipe(rule)
    if known is None:
        return PictureBase(stamp="", made=made)
    if known.made == made:
        return known
    return replace(known, stamp=_NO_STAMP, etag="", made=made)


def shown_as(judged: str, rule: FieldRule, detail: ItemDetail) -> str:
    """Return what `PictureBase.shown` says of a picture that was judged by a rule."""
    return f"{judged} {detail.shown.get(rule.to, '')}"


def note(pair: Pair, rule: FieldRule, base: PictureBase) -> None:
    """Know of one picture from now on."""
    pair.link = replace(pair.link, pictures={**pair.link.pictures, rule.to: base})


def let_go(pair: Pair, rule: FieldRule) -> None:
    """Hold a picture back no more that an undo took back: ours is shown again, or a person's."""
    held = {target: one for target, one in pair.link.held.items() if target is not rule.to}
    pair.link = replace(pair.link, held=held)


def require_small(cover: Cover) -> None:
    """Refuse a cover that Plex would refuse.

    Raises:
        PictureSizeError: the cover is too large.
    """
    if cover.size_bytes > LIMIT_BYTES:
        size_mb, limit_mb = cover.size_bytes / 1e6, LIMIT_BYTES / 1e6
        raise PictureSizeError(
            f"the cover has {size_mb:.1f} MB, and Plex takes {limit_mb:.0f} MB at most"
        )
