"""What is decided again once content hashes were read: as much as need be, and no more."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, cast

import pytest

from benchmarks.matching.corpus import MIXES, make_corpus
from plexsync.matcher import Known, decide, wanted_hashes
from plexsync.models import (
    Confidence,
    ItemKind,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)
from plexsync.sync.linking.linker import Linker, competing
from tests.support.state_factories import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.matching.corpus import Corpus
    from plexsync.models import Match

_MIXES = {mix.name: mix for mix in MIXES}
_SAID = 0.6
"""The chance that Plex says a hash."""


class _Hashes:
    """Plex's content hashes: `content` says that of a part, None while Plex does not."""

    def __init__(self, content: Callable[[int], int | None]) -> None:
        self._content = content
        self._read: dict[int, int] = {}

    def known(self, _items: Iterable[PlexItem]) -> dict[int, int]:
        return dict(self._read)

    def read(self, items: Iterable[PlexItem]) -> dict[int, int]:
        for file in (file for item in items for file in item.files):
            content = self._content(file.part_id)
            if file.part_id and content is not None:
                self._read.setdefault(file.part_id, content)
        return dict(self._read)


def _wild(corpus: Corpus, seed: int) -> _Hashes:
    """Return hashes of whatever scenes; some are known at the second try, some never."""
    rng = random.Random(seed)  # noqa: S311 - test values
    ours = [file.oshash or 0 for scene in corpus.scenes for file in scene.files]
    return _Hashes(
        lambda _part: rng.choice((rng.choice(ours), 7)) if rng.random() < _SAID else None
    )


def _decide_among_all(corpus: Corpus, hashes: _Hashes) -> list[Match]:
    """Decide in rounds, each among all scenes and with all links."""
    known = Known(rules=corpus.rules, claims=corpus.claims, hashes={}, libraries={})
    found, known["layout"] = decide(corpus.scenes, corpus.items, **known)
    made = list(found)
    while wanted := frozenset(wanted_hashes(made)):
        read = hashes.read([item for item in corpus.items if item.rating_key in wanted])
        if read.keys() <= (known["hashes"] or {}).keys():
            break
        known["hashes"] = read
        again = competing(made, wanted)
        rest = [one for one in made if one.scene_id not in again]
        second = Known(**known)
        second["others"] = corpus.scenes
        second["claims"] = {
            **known["claims"],
            **{
                one.candidates[0].rating_key: one.scene_id
                for one in rest
                if one.confidence is Confidence.HIGH
            },
        }
        due = [scene for scene in corpus.scenes if scene.scene_id in again]
        made = [*rest, *decide(due, corpus.items, **second).matches]
    return made


@pytest.mark.parametrize("mix", ["adversarial, rules and hashes", "ordinary"])
def test_what_hashes_cannot_change_need_not_be_looked_at_again(mix: str) -> None:
    """Without the sure pairs the same is decided as among all scenes, whatever hashes say."""
    for seed in range(2):
        corpus = make_corpus(_MIXES[mix], seed, 200)
        linker = Linker(
            records=state_of(),
            catalogue=None,
            rules=corpus.rules,
            hashes=cast("Any", _wild(corpus, seed)),
            libraries={},
        )
        made = linker.decide(corpus.scenes, corpus.items, corpus.claims).matches
        assert list(made) == _decide_among_all(corpus, _wild(corpus, seed))
        assert any(True for _ in made.numbers())


def test_a_title_that_is_looked_for_late_does_not_find_the_item_of_a_sure_pair() -> None:
    """A hash refutes all a scene had; the item with its title is another scene's all the same."""
    size, title = 8_191 * 2**17, "Summer Evening on the Northern Beach"
    scenes = [
        Scene(
            scene_id=SceneId(number),
            updated_at="1",
            title=title,
            files=(SceneFile(path=path, size_bytes=size_bytes, oshash=11),),
        )
        for number, path, size_bytes in (
            ("1", "/data/ann/evening.mp4", 1_155_219_457),
            ("2", "/data/other/raw 44.mp4", size),
        )
    ]
    items = [
        PlexItem(
            rating_key=RatingKey(f"10{part}"),
            section_id="1",
            kind=ItemKind.MOVIE,
            title=named,
            files=(PlexFile(path=path, size_bytes=size_bytes, part_id=part),),
        )
        for part, path, size_bytes, named in (
            (1, "/data/ann/evening.mp4", 1_155_219_457, title),
            (2, "/data/kept/zebra.mp4", size, "Zebra"),
        )
    ]
    hashes = cast("Any", _Hashes(lambda _part: 12))
    linker = Linker(records=state_of(), libraries={}, catalogue=None, rules=(), hashes=hashes)
    _, lost = linker.decide(scenes, items, {}).matches
    assert lost.confidence is None
    assert lost.reason == "the item it resembles is that of scene 1 (/data/ann/evening.mp4)"
