"""A labelled corpus: two libraries, what is true of them, and what a run would know."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.matching.situations import SITUATIONS, plain
from benchmarks.matching.world import Label, Mix, World, make_words
from plexsync.matcher import decide, propose_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.matcher import Layout
    from plexsync.models import PathRule, PlexItem, RatingKey, Scene, SceneId

MIXES = (
    Mix(name="ordinary", plain=0.9),
    Mix(name="ordinary, path rules", plain=0.9, rules=True),
    Mix(name="adversarial", plain=0.0),
    Mix(name="adversarial, path rules", plain=0.0, rules=True),
    Mix(name="adversarial, content hashes", plain=0.0, hashes=True),
    Mix(name="adversarial, rules and hashes", plain=0.0, rules=True, hashes=True),
    Mix(name="ordinary, proposed rules", plain=0.9, proposed=True),
    Mix(name="adversarial, proposed rules", plain=0.0, proposed=True),
    Mix(name="incremental", plain=0.3, due=0.1),
    Mix(name="incremental, rules and hashes", plain=0.3, rules=True, hashes=True, due=0.1),
)
"""The mixes every change is measured on."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is given to matching, and the truth."""

    mix: Mix
    scenes: tuple[Scene, ...]
    others: tuple[Scene, ...]
    layout: Layout | None
    items: tuple[PlexItem, ...]
    rules: tuple[PathRule, ...]
    claims: Mapping[RatingKey, SceneId]
    hashes: Mapping[int, int]
    parts: Mapping[RatingKey, list[int]]
    labels: Mapping[SceneId, Label]


def make_corpus(mix: Mix, seed: int, scenes: int) -> Corpus:
    """Make a corpus of about `scenes` scenes; the same arguments make the same corpus."""
    rng = random.Random(seed)
    world = World(random=rng, mix=mix, words=make_words(rng))
    while len(world.scenes) < scenes:
        situation = plain if rng.random() < mix.plain else rng.choice(SITUATIONS)
        world.situation = situation.__name__
        situation(world)
    due = [scene for scene in world.scenes if rng.random() < mix.due]
    rng.shuffle(due)
    rng.shuffle(world.items)
    waiting = {scene.scene_id for scene in due}
    claims = {
        key: scene.scene_id
        for scene in world.scenes
        if scene.scene_id not in waiting and world.labels[scene.scene_id].certain
        for key in world.labels[scene.scene_id].items
    }
    others = tuple(scene for scene in world.scenes if scene.scene_id not in waiting)
    items = tuple(world.items)
    rules = world.rules
    if mix.proposed:
        rules = propose_rules(decide(world.scenes, items).matches)
    # What a full run learned, for one that looks at a part of the scenes.
    learned = decide(world.scenes, items, rules=rules).layout if others else None
    return Corpus(
        mix=mix,
        scenes=tuple(due),
        others=others,
        layout=learned,
        items=items,
        rules=rules,
        claims=claims,
        hashes=world.hashes,
        parts=world.owners,
        labels=world.labels,
    )
