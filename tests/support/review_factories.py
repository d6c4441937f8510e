"""Queues and answer stores of a review without a disk, a server or a terminal."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import msgspec
from rich.console import Console

from plexsync.errors import ConfigError
from plexsync.matching.answers import NOTHING, Answer, SceneAnswers, answered
from plexsync.models import Confidence, Evidence, Match, RatingKey, SceneId
from plexsync.review.ahead import LinkPreview, PreviewLoader
from plexsync.review.answer_store import AnswerStore
from plexsync.review.keys import press
from plexsync.review.machine import Review
from plexsync.review.servers import ReviewServers
from plexsync.review.terminal.screen import screen_rows
from plexsync.storage.review_queue import Waiting
from tests.support.factories import make_candidate, make_scene, make_scene_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from plexsync.models import Candidate, PathRule, Scene
    from plexsync.storage.session import Session

FOR = Evidence(name="name", value="equal, a name 1 more file bears", weight=9.5)
AGAINST = Evidence(name="duration", value="differs by 20.1 s", weight=-8.0)


def make_waiting(number: int, keys: Sequence[int] = (), **fields: object) -> Waiting:
    """Scene `number` with candidates of these rating keys, by default its own one."""
    path = f"/data/clips/clip-{number}.mp4"
    candidates = tuple(
        make_candidate(
            rating_key=RatingKey(str(key)),
            title=f"clip {key}",
            scene_path=path,
            item_path=f"/media/films/clip-{number}.mp4",
            score=0.62 - place / 10,
            evidence=(FOR, AGAINST),
            library="Films",
        )
        for place, key in enumerate(keys or (9000 + number,))
    )
    waiting = Waiting(
        scene=make_scene(
            scene_id=SceneId(str(number)),
            title=f"Clip Number {number}",
            files=(make_scene_file(path=path, oshash=number),),
        ),
        match=Match(
            scene_id=SceneId(str(number)),
            confidence=Confidence.LOW,
            reason="name equal, but the duration differs",
            score=candidates[0].score,
            margin=0.1,
            candidates=candidates,
            candidate_count=len(candidates),
        ),
    )
    return msgspec.structs.replace(waiting, **fields)


@dataclass
class FakeAnswers(AnswerStore):
    """Answers in memory, by the same rules as the real one."""

    book: dict[SceneId, SceneAnswers] = field(default_factory=dict)
    held: dict[RatingKey, SceneId] = field(default_factory=dict)
    locked: Exception | None = None
    elsewhere: set[SceneId] = field(default_factory=set)

    def recorded(self, scene_id: SceneId) -> SceneAnswers:
        """What stands."""
        return self.book.get(scene_id, NOTHING)

    def owners(self, keys: Iterable[RatingKey], scene_id: SceneId) -> set[SceneId]:
        """Who else has them."""
        return {self.held[key] for key in keys if key in self.held} - {scene_id}

    def take_lock(self) -> Session:
        """Nothing happens to it meanwhile; a review has no use for the session."""
        if self.locked:
            raise self.locked
        return cast("Session", None)

    def release_lock(self) -> None:
        """It has none."""

    def give(self, answers: Sequence[Answer]) -> Callable[[], Collection[SceneId]]:
        """Keep answers; gives what puts back what stood before."""
        if self.locked:
            raise self.locked
        before = dict(self.book)
        for answer in answers:
            scene_id = answer.scene.scene_id
            self.book[scene_id] = answered(self.recorded(scene_id), answer)

        def take_back() -> Collection[SceneId]:
            self.book = before
            return ()

        return take_back


@dataclass
class FakeActions(ReviewServers):
    """Finds what its test put in."""

    hits: tuple[Candidate, ...] = ()
    known: list[PathRule] = field(default_factory=list)
    opened: list[tuple[str, str | None]] = field(default_factory=list)
    unsettled: frozenset[SceneId] = frozenset()
    previews: PreviewLoader = field(default_factory=lambda: PreviewLoader(lambda _id, _keys: {}))

    def search(self, _text: str, _scene: Scene) -> tuple[tuple[Candidate, ...], int]:
        """All of them."""
        return self.hits, len(self.hits)

    def find(self, text: str, _scene: Scene) -> Candidate:
        """The one with that key."""
        for hit in self.hits:
            if hit.rating_key == text:
                return hit
        raise ConfigError("That is neither a rating key nor a Plex address")

    def browse(self, scene_id: SceneId, rating_key: RatingKey | None) -> str:
        """Remember that it was asked."""
        self.opened.append((scene_id, rating_key))
        return "opened"

    def rules(self) -> list[PathRule]:
        """Those there are."""
        return self.known

    def settled(self, _rule: PathRule, waiting: Sequence[Waiting]) -> frozenset[SceneId]:
        """All but those its test left out."""
        return frozenset(one.scene_id for one in waiting) - self.unsettled

    def add_rule(self, rule: PathRule) -> str:
        """Add it."""
        self.known.append(rule)
        return "Added to config.toml."

    def remove_rule(self, rule: PathRule) -> None:
        """Take it out."""
        self.known.remove(rule)


def start_review(
    *waiting: Waiting, answers: FakeAnswers | None = None, actions: FakeActions | None = None
) -> Review:
    """A review of these scenes."""
    return Review(list(waiting), answers or FakeAnswers(), actions or FakeActions())


def type_keys(review: Review, *keys: str) -> Review:
    """Press keys; a text of several characters is pressed one by one unless it names a key."""
    named = {"enter", "escape", "backspace", "left", "right", "up", "down"}
    for key in keys:
        for one in [key] if key in named else key:
            press(review, one)
    return review


def shown(
    review: Review,
    width: int = 100,
    *,
    previews: Mapping[RatingKey, LinkPreview] | None = None,
    height: int = 0,
) -> str:
    """The screen as plain text."""
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False)
    if previews:
        review.servers.previews = PreviewLoader(lambda _id, _keys: previews)
        review.servers.previews.load((review.waiting.scene_id, tuple(previews)))
    lines = screen_rows(review, console, marks=True, height=height)
    return "\n".join(line.plain.rstrip() for line in lines) + "\n"
