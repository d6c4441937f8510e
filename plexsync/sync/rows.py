"""Report rows: one (scene, item) pair of a run, as people and scripts are shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.models import (
    ItemRef,
    Link,
    Match,
    MatchRow,
    Outcome,
    RatingKey,
    SceneId,
    SceneRef,
    as_problem,
    is_kept,
    is_show_key,
    noun_of,
    source_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plexsync.errors import ServerError
    from plexsync.models import Change, Problem, Scene
    from plexsync.sync.ports import WorkKind

REMEMBERED = "linked in an earlier run, and the files are the same"

GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT})
"""How something ended that is as it is wanted."""

_NOWHERE = Link(rating_key=RatingKey(""), section_id="", path="")
"""Stands for the item of a scene that has none."""


class Pair(msgspec.Struct, kw_only=True, gc=False):
    """A scene on its way to one item.

    Args:
        scene: the scene, as matching knows it.
        link: the item and what we last applied to it.
        match: how they were found; None for a link remembered from an earlier run.
        title: the item's title, as far as it is known.
        known: the item was written in an earlier run, so safety limits count it.
        reason: why the item is written, where that is not how they were found.
        by_hand: the names of fields that stay because they were typed by hand in Plex.
        undone: some of its fields stay as an undo left them.
        resting: links of the scene to libraries that take no part in this run; kept as they are.
        origin: the scene with the record of what we last applied to the item, while that is not
            with the link yet; None once it is, and where nothing is known. See `pairs.recall`.
    """

    scene: Scene
    link: Link
    match: Match | None = None
    title: str = ""
    known: bool = False
    reason: str = ""
    by_hand: tuple[str, ...] = ()
    undone: bool = False
    resting: tuple[Link, ...] = ()
    origin: SceneId | None = None


def called(pair: Pair) -> str:
    """Return what a person calls the scene, collection, show or season of a pair."""
    key, title = pair.scene.scene_id, pair.scene.title
    if is_kept(key):
        return f"{noun_of(key)} '{pair.title}'"
    return f"'{title}' (scene {key})" if title else f"scene {key}"


class PairEnd(NamedTuple):
    """How a pair ended.

    Attributes:
        outcome: the outcome.
        changes: what was written, or would be.
        problem: why something could not be.
        note: a few words for the row.
        again: something was not even tried, so the next run looks again.
        failed: what the problem is about; parts a server's fault from an item's.
        gone: it is a collection that is not there any more, by this or as its last member went.
    """

    outcome: Outcome
    changes: tuple[Change, ...] = ()
    problem: Problem | None = None
    note: str = ""
    again: bool = False
    failed: WorkKind | None = None
    gone: bool = False


def failed_end(error: ServerError, failed: WorkKind) -> PairEnd:
    """Return how a pair ended that nothing could be written to."""
    return PairEnd(Outcome.FAILED, problem=as_problem(error), failed=failed)


class RowMaker(msgspec.Struct, frozen=True):
    """Makes rows.

    Args:
        scene_url: where a person opens a scene.
        item_url: where a person opens an item; "" for nowhere.
        libraries: library titles by section id.
    """

    scene_url: Callable[[SceneId], str]
    item_url: Callable[[RatingKey], str]
    libraries: Mapping[str, str]

    def pair(self, pair: Pair, ending: PairEnd) -> MatchRow:
        """Return the row of a linked pair that ended so; the note is added to the reason."""
        match, link, scene = pair.match, pair.link, pair.scene
        reason = pair.reason or (match.reason if match else REMEMBERED)
        is_show, source = is_show_key(scene.scene_id), source_in(scene.scene_id)
        return MatchRow(
            scene=SceneRef(
                id=SceneId(source.text) if source else scene.scene_id,
                title=scene.title,
                path=scene.files[0].path if scene.files else "",
                updated_at=scene.updated_at,
                url=self.scene_url(scene.scene_id),
            ),
            item=ItemRef(
                rating_key=link.rating_key,
                title=pair.title,
                library=self.libraries.get(link.section_id, ""),
                path=link.path,
                url=self.item_url(link.rating_key),
            ),
            confidence=match.confidence if match else link.confidence,
            score=match.score if match else 1.0,
            margin=match.margin if match else 1.0,
            reason=f"{reason}; {ending.note}" if ending.note else reason,
            evidence=match.candidates[0].evidence if match and match.candidates else (),
            candidates=match.candidates if match else (),
            changes=ending.changes,
            outcome=ending.outcome,
            error=ending.problem,
            by_hand=pair.by_hand,
            is_collection=source is not None,
            is_show=is_show,
        )

    def unlinked(
        self, scene: Scene, match: Match, outcome: Outcome, problem: Problem | None = None
    ) -> MatchRow:
        """Return the row of a scene that is written to no item in this run.

        A LOW match names its best candidate; without one there is no item.
        """
        ending = PairEnd(outcome, problem=problem)
        row = self.pair(Pair(scene=scene, link=_NOWHERE, match=match), ending)
        items = [
            ItemRef(
                rating_key=best.rating_key,
                title=best.title,
                library=best.library,
                path=best.item_path,
                url=self.item_url(best.rating_key),
            )
            for best in match.candidates[:1]
        ]
        return msgspec.structs.replace(row, item=next(iter(items), None))

    def refused(
        self, scene: Scene, outcome: Outcome, reason: str, problem: Problem | None = None
    ) -> MatchRow:
        """Return the row of a scene that was not even matched, and why."""
        match = Match(scene_id=scene.scene_id, confidence=None, reason=reason)
        return self.unlinked(scene, match, outcome, problem)
