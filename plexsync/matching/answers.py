"""What people answered about scenes: the form in which it is remembered, and what it means.

One `SceneAnswers` per scene, kept in the state under a key of its own, so that taking an answer
back is putting the one before it back. Every part of it is about files, not ids: it holds
while the scene has the files it was about, and afterwards is a reason to ask again.
Source: docs/design.md, invariant 7.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from plexsync.matching.comparing.facts import show_other_video
from plexsync.models import (
    Confidence,
    Match,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)
from plexsync.text.folding import files_digest
from plexsync.text.normalize import holds_file, same_path

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence


ANSWER_PREFIX = "review."
"""What the key of an entry starts with; the scene's id follows."""

T = TypeVar("T")


class AnsweredPair(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A scene and an item that a person answered about: they are one (a pin), or they are not.

    `oshash` is the fingerprint of the scene's file then, None when Stash had none: then its path
    stands for it. `item_path` is the file the item showed.
    """

    scene_id: SceneId
    rating_key: RatingKey
    scene_path: str
    item_path: str
    oshash: int | None = None


class Ignored(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A person's answer: leave this scene alone. `files` is the digest of its files then."""

    files: str
    reason: str = ""


class SceneAnswers(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """All answers about one scene.

    Attributes:
        pins: items the scene is.
        refusals: items it is not.
        ignored: the scene takes no part.
        absent: digest of the files of a scene that is not in Plex: nothing short of HIGH is
            worth asking about it. "" without such an answer.
    """

    pins: tuple[AnsweredPair, ...] = ()
    refusals: tuple[AnsweredPair, ...] = ()
    ignored: Ignored | None = None
    absent: str = ""


NOTHING = SceneAnswers()


class Verb(StrEnum):
    """What a person can answer."""

    ACCEPT = "accept"
    REJECT = "reject"
    ABSENT = "absent"
    IGNORE = "ignore"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person says about one scene.

    Args:
        verb: accept `targets`; reject them; absent: reject them and whatever else is not HIGH;
            ignore the scene; reset: forget all answers.
        scene: the scene, with the files the answer is about.
        targets: the items.
        reason: why a scene is ignored.
        open: the scene has candidates beside rejected `targets`, so it goes on waiting.
    """

    verb: Verb
    scene: Scene
    targets: tuple[AnsweredPair, ...] = ()
    reason: str = ""
    open: bool = False


class Decisions(Protocol):
    """What is asked of memory."""

    def decision(self, key: str, type_: type[T]) -> T | None:
        """Return what stands under a key."""

    def decision_keys(self) -> Iterable[str]:
        """Return the keys something stands under."""


# ---- Answers -------------------------------------------------------------------------------------


def answered(known: SceneAnswers, answer: Answer) -> SceneAnswers:
    """Return what stands about a scene once `answer` is added to what was `known`.

    The items it is are those last accepted, and no refusal of them is left; an item that is
    refused is none of them any more.
    """
    keys = {one.rating_key for one in answer.targets}
    refusals = tuple(one for one in known.refusals if one.rating_key not in keys)
    match answer.verb:
        case Verb.ACCEPT:
            return SceneAnswers(pins=answer.targets, refusals=refusals)
        case Verb.REJECT | Verb.ABSENT:
            absent = files_digest(answer.scene.files) if answer.verb is Verb.ABSENT else ""
            return SceneAnswers(
                pins=tuple(one for one in known.pins if one.rating_key not in keys and not absent),
                refusals=(*refusals, *answer.targets),
                absent=absent or known.absent,
            )
        case Verb.IGNORE:
            ignored = Ignored(files=files_digest(answer.scene.files), reason=answer.reason)
            return msgspec.structs.replace(known, ignored=ignored)
        case Verb.RESET:
            return NOTHING


# ---- Remembering ---------------------------------------------------------------------------------


def answer_key(scene_id: SceneId) -> str:
    """Where a scene's entry stands."""
    return f"{ANSWER_PREFIX}{scene_id}"


class AllAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """All answers, as matching takes them."""

    pins: tuple[AnsweredPair, ...] = ()
    refusals: tuple[AnsweredPair, ...] = ()
    ignored: Mapping[SceneId, Ignored] = {}
    absent: Mapping[SceneId, str] = {}

    def ignores(self, scene: Scene) -> str | None:
        """Why a person wants `scene` left alone; None when nobody does, or it changed since."""
        ignored = self.ignored.get(scene.scene_id)
        if ignored is None or ignored.files != files_digest(scene.files):
            return None
        return f"ignored by a person: {ignored.reason}" if ignored.reason else "ignored by a person"

    def asks_again(self, scene: Scene) -> bool:
        """Whether a person ignored `scene` once, but its files changed since."""
        return scene.scene_id in self.ignored and self.ignores(scene) is None

    def review(self, match: Match, scene: Scene) -> Match:
        """Apply the answers about the scene as a whole to what matching found."""
        if match.confidence is None:
            return match
        if self.asks_again(scene):
            reason = "a person ignored this scene, but its files changed since"
            return msgspec.structs.replace(match, confidence=Confidence.LOW, reason=reason)
        if match.confidence is Confidence.LOW and self._is_absent(scene):
            reason = "a person answered that it is not in Plex"
            return msgspec.structs.replace(match, confidence=None, reason=reason, candidates=())
        return match

    def _is_absent(self, scene: Scene) -> bool:
        """Whether a person answered that Plex lacks `scene`, and its files are the same."""
        digest = self.absent.get(scene.scene_id)
        return digest is not None and digest == files_digest(scene.files)


NO_ANSWERS = AllAnswers()
"""Without a single answer."""


def collect_answers(memory: Decisions) -> AllAnswers:
    """Return all answers so far; costs what was answered, not the library."""
    pins: list[AnsweredPair] = []
    refusals: list[AnsweredPair] = []
    ignored: dict[SceneId, Ignored] = {}
    absent: dict[SceneId, str] = {}
    for key in memory.decision_keys():
        answers = memory.decision(key, SceneAnswers) if key.startswith(ANSWER_PREFIX) else None
        if answers is None:
            continue
        scene_id = SceneId(key.removeprefix(ANSWER_PREFIX))
        pins += answers.pins
        refusals += answers.refusals
        if answers.ignored is not None:
            ignored[scene_id] = answers.ignored
        if answers.absent:
            absent[scene_id] = answers.absent
    return AllAnswers(pins=tuple(pins), refusals=tuple(refusals), ignored=ignored, absent=absent)


def answered_since(before: Decisions, now: Decisions) -> set[SceneId]:
    """Return the scenes about which something else stands now; costs what was answered."""
    keys = {*before.decision_keys(), *now.decision_keys()}
    return {
        SceneId(key.removeprefix(ANSWER_PREFIX))
        for key in keys
        if key.startswith(ANSWER_PREFIX)
        and before.decision(key, SceneAnswers) != now.decision(key, SceneAnswers)
    }


# ---- What still holds ----------------------------------------------------------------------------


class People(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Pins and refusals, ready to look up; `pinned` holds every scene an item was given to."""

    pins: Mapping[SceneId, tuple[AnsweredPair, ...]]
    pinned: Mapping[RatingKey, frozenset[SceneId]]
    refusals: Mapping[SceneId, tuple[AnsweredPair, ...]]

    def pins_of(self, scene: Scene) -> tuple[AnsweredPair, ...]:
        """Return what was confirmed for a scene."""
        return self.pins.get(scene.scene_id, ())


def listen(pins: Sequence[AnsweredPair], refusals: Sequence[AnsweredPair]) -> People:
    """Index all answers."""
    pinned: dict[RatingKey, frozenset[SceneId]] = {}
    for pin in pins:
        pinned[pin.rating_key] = pinned.get(pin.rating_key, frozenset()) | {pin.scene_id}
    return People(pins=_by_scene(pins), pinned=pinned, refusals=_by_scene(refusals))


def follow_items(
    answers: AllAnswers, scenes: Iterable[Scene], items: Sequence[PlexItem]
) -> AllAnswers:
    """Return the answers, each about an item there is: by its file where its key is gone.

    A file that Plex scanned again, as in a library that was made again, is an item of another key.
    An answer stays as it is where no item or several show the file, or plainly another video, and
    where that item has an answer of its own.
    """
    every = (*answers.pins, *answers.refusals)
    there = {item.rating_key for item in items} if every else set()
    lost = {one.item_path for one in every if one.rating_key not in there}
    if not lost:
        return answers
    shown = _files_at(lost, items)
    given = {(one.scene_id, one.rating_key) for one in every}
    due = {scene.scene_id: scene for scene in scenes}

    def followed(one: AnsweredPair) -> AnsweredPair:
        found = shown.get(one.item_path, [])
        if one.rating_key in there or len(found) != 1:
            return one
        key, theirs = found[0]
        ours = find_file(due[one.scene_id], one) if one.scene_id in due else None
        is_other = ours is not None and show_other_video(ours, theirs)
        stays = is_other or (one.scene_id, key) in given
        return one if stays else msgspec.structs.replace(one, rating_key=key)

    return msgspec.structs.replace(
        answers,
        pins=tuple(map(followed, answers.pins)),
        refusals=tuple(map(followed, answers.refusals)),
    )


def find_file(scene: Scene, answer: AnsweredPair) -> SceneFile | None:
    """Return the file of `scene` a person spoke about; None when it changed or went."""
    for file in scene.files:
        if answer.oshash is not None and file.oshash == answer.oshash:
            return file
        if (
            answer.oshash is None
            and file.oshash is None
            and same_path(file.path, answer.scene_path)
        ):
            return file
    return None


def refuses(answer: AnsweredPair, scene: Scene, item: PlexItem) -> bool:
    """Whether a refusal still keeps this pair apart."""
    same = answer.rating_key == item.rating_key and holds_file(item, answer.item_path)
    return same and find_file(scene, answer) is not None


def remembers(answer: AnsweredPair, item: PlexItem) -> bool:
    """Whether a refusal, valid or not, was about this item or the file it shows."""
    return answer.rating_key == item.rating_key or holds_file(item, answer.item_path)


# ---- Private -------------------------------------------------------------------------------------


def _files_at(
    paths: Container[str], items: Iterable[PlexItem]
) -> Mapping[str, Sequence[tuple[RatingKey, PlexFile]]]:
    """Return the files at these paths, with the keys of their items."""
    found = defaultdict[str, list[tuple[RatingKey, PlexFile]]](list)
    for item in items:
        for file in () if item.trashed else item.files:
            if file.path in paths:
                found[file.path].append((item.rating_key, file))
    return found


def _by_scene(answers: Iterable[AnsweredPair]) -> dict[SceneId, tuple[AnsweredPair, ...]]:
    found: dict[SceneId, list[AnsweredPair]] = {}
    for one in answers:
        found.setdefault(one.scene_id, []).append(one)
    return {scene_id: tuple(several) for scene_id, several in found.items()}
