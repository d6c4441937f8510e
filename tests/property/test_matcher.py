"""Laws of matching that hold for any two libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from plexsync.matcher import AnsweredPair, Known, account, decide, match, survey, wanted_hashes
from plexsync.matching.assignment import assign
from plexsync.matching.resolution import resolve
from plexsync.matching.verdicts import prepare_matching
from plexsync.models import (
    Confidence,
    ItemKind,
    PathRule,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from plexsync.models import Match

RULES = (PathRule(stash="/data/", plex="/media/"), PathRule(stash="/old/", plex="/media/"))

# Few values of everything, so that the libraries are full of coincidences.
_NAMES = ("beach day", "Beach Day", "caf\u00e9 ole", "cafe\u0301 ole", "video", "part 2", "strand")
_FOLDERS = ("", "ann", "2024/01", "ann/summer", "bo/summer")
_SIZES = st.sampled_from((None, 1_155_219_457, 755_219_459, 2**30, 9_001))
_LENGTHS = st.sampled_from((None, 600.0, 600.4, 601.7, 604.0, 900.0))
_FRAMES = st.sampled_from((None, (1920, 1080), (1280, 720)))
_CONTENTS = st.sampled_from((None, 11, 12, 13))


@st.composite
def _paths(draw: st.DrawFn, roots: tuple[str, ...]) -> str:
    name = draw(st.sampled_from(_NAMES)) + draw(st.sampled_from((".mp4", ".mkv")))
    parts = draw(st.sampled_from(roots)), draw(st.sampled_from(_FOLDERS)), name
    return "/".join(part for part in parts if part)


@st.composite
def _scene_files(draw: st.DrawFn) -> SceneFile:
    wide, high = draw(_FRAMES) or (None, None)
    return SceneFile(
        path=draw(_paths(("/data", "/old", "/media"))),
        size_bytes=draw(_SIZES),
        duration_s=draw(_LENGTHS),
        width=wide,
        height=high,
        oshash=draw(_CONTENTS),
    )


@st.composite
def _plex_files(draw: st.DrawFn) -> PlexFile:
    wide, high = draw(_FRAMES) or (None, None)
    return PlexFile(
        path=draw(_paths(("/media", "/backup"))),
        size_bytes=draw(_SIZES),
        duration_s=draw(_LENGTHS),
        width=wide,
        height=high,
        part_id=draw(st.integers(0, 6)),
        stacked=draw(st.booleans()) and draw(st.booleans()),
    )


@st.composite
def _libraries(draw: st.DrawFn) -> tuple[list[Scene], list[PlexItem]]:
    titles = st.sampled_from(("", "Beach Day", "Strand", "Something Else"))
    files = draw(st.lists(st.lists(_scene_files(), max_size=2), min_size=1, max_size=5))
    scenes = [
        Scene(
            scene_id=SceneId(str(number)), updated_at="1", title=draw(titles), files=tuple(several)
        )
        for number, several in enumerate(files, start=1)
    ]
    parts = draw(st.lists(st.lists(_plex_files(), max_size=2), max_size=5))
    items = [
        PlexItem(
            rating_key=RatingKey(str(100 + number)),
            section_id="1",
            kind=ItemKind.MOVIE,
            title=draw(titles),
            files=tuple(several),
            trashed=draw(st.integers(0, 9)) == 0,
        )
        for number, several in enumerate(parts)
    ]
    return scenes, items


_RULES = st.sampled_from(((), RULES))
_HASHES = st.dictionaries(st.integers(1, 6), st.sampled_from((11, 12, 13)), max_size=4)
_THOROUGH = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_THOROUGH
@given(_libraries(), _RULES, _HASHES)
def test_score_is_a_probability(
    libraries: tuple[list[Scene], list[PlexItem]],
    rules: tuple[PathRule, ...],
    hashes: dict[int, int],
) -> None:
    """Scores and margins lie within 0 and 1, candidates are in order, and each is there once."""
    scenes, items = libraries
    for made in match(scenes, items, rules=rules, hashes=hashes):
        assert 0.0 <= made.margin <= 1.0
        assert all(0.0 <= one.score <= 1.0 for one in made.candidates)
        keys = [one.rating_key for one in made.candidates]
        assert len(keys) == len(set(keys))
        assert len(keys) <= max(made.candidate_count, 0)
        assert (made.confidence is None) == (not keys)
        assert made.reason


@_THOROUGH
@given(_libraries(), _RULES, _HASHES, st.randoms(use_true_random=False))
def test_order_of_input_never_matters(
    libraries: tuple[list[Scene], list[PlexItem]],
    rules: tuple[PathRule, ...],
    hashes: dict[int, int],
    rng: random.Random,
) -> None:
    """Shuffled libraries give the same matches, in the order of the scenes."""
    scenes, items = libraries
    mixed_scenes, mixed_items = list(scenes), list(items)
    rng.shuffle(mixed_scenes)
    rng.shuffle(mixed_items)
    straight = match(scenes, items, rules=rules, hashes=hashes)
    mixed = match(mixed_scenes, mixed_items, rules=tuple(reversed(rules)), hashes=hashes)
    assert sorted(straight, key=_first) == sorted(mixed, key=_first)
    assert [one.scene_id for one in mixed] == sorted(
        (one.scene_id for one in mixed), key=[one.scene_id for one in mixed_scenes].index
    )


def _first(made: Match) -> tuple[str, str]:
    return made.scene_id, made.candidates[0].rating_key if made.candidates else ""


@_THOROUGH
@given(_libraries(), _RULES, _HASHES)
def test_no_item_is_linked_twice(
    libraries: tuple[list[Scene], list[PlexItem]],
    rules: tuple[PathRule, ...],
    hashes: dict[int, int],
) -> None:
    """Two HIGH matches never name one item, and nothing in the trash is HIGH."""
    scenes, items = libraries
    found = match(scenes, items, rules=rules, hashes=hashes)
    linked = [m.candidates[0].rating_key for m in found if m.confidence is Confidence.HIGH]
    assert len(linked) == len(set(linked))
    assert not set(linked) & {one.rating_key for one in items if one.trashed}


@_THOROUGH
@given(_libraries(), _RULES)
def test_claimed_item_is_never_high_for_another(
    libraries: tuple[list[Scene], list[PlexItem]], rules: tuple[PathRule, ...]
) -> None:
    """What a scene that is not due is linked to is not taken from it."""
    scenes, items = libraries
    claims = {one.rating_key: SceneId("elsewhere") for one in items}
    found = match(scenes, items, rules=rules, claims=claims)
    assert all(one.confidence is not Confidence.HIGH for one in found)


@_THOROUGH
@given(_libraries(), _RULES, st.one_of(st.none(), _HASHES), st.integers(1, 31))
def test_a_part_of_the_scenes_is_never_bolder_than_all(
    libraries: tuple[list[Scene], list[PlexItem]],
    rules: tuple[PathRule, ...],
    hashes: dict[int, int] | None,
    chosen: int,
) -> None:
    """What is HIGH with any subset due is HIGH with all due, links of an earlier run or none."""
    scenes, items = libraries
    whole, layout = decide(scenes, items, rules=rules, hashes=hashes)
    due = [scene for at, scene in enumerate(scenes) if chosen >> at & 1]
    rest = [scene for scene in scenes if scene not in due]
    claims = {key: scene_id for scene_id, key in _high(whole)}
    for known in ({}, claims):
        part = match(
            due, items, others=rest, rules=rules, hashes=hashes, layout=layout, claims=known
        )
        assert _high(part) <= _high(whole)
        unknown = match(due, items, others=rest, rules=rules, hashes=hashes, claims=known)
        assert _high(unknown) <= _high(whole)


@_THOROUGH
@example(
    # The title of the first scene resembles an item that has the name of the other one's file.
    (
        [
            Scene(
                scene_id=SceneId(name),
                updated_at="1",
                title=title,
                files=(SceneFile(path=f"/data/{name}.mp4", duration_s=600.0),),
            )
            for name, title in (("qq17", "Sunset over Marlow"), ("evening walk", ""))
        ],
        [
            PlexItem(
                rating_key=RatingKey("100"),
                section_id="1",
                kind=ItemKind.MOVIE,
                title="Sunset over Marlow",
                files=(PlexFile(path="/media/evening walk.mp4", duration_s=600.0),),
            )
        ],
    ),
    (),
    None,
    1,
)
@given(_libraries(), _RULES, st.one_of(st.none(), _HASHES), st.integers(1, 31))
def test_no_candidate_is_likelier_among_a_part_of_the_scenes(
    libraries: tuple[list[Scene], list[PlexItem]],
    rules: tuple[PathRule, ...],
    hashes: dict[int, int] | None,
    chosen: int,
) -> None:
    """Whoever has a better claim counts though not due, also where only a title finds the item.

    By its score a LOW candidate is applied where a configuration asks for it.
    """
    scenes, items = libraries
    whole, layout = decide(scenes, items, rules=rules, hashes=hashes)
    among_all = {
        (made.scene_id, one.rating_key): one.score for made in whole for one in made.candidates
    }
    due = [scene for at, scene in enumerate(scenes) if chosen >> at & 1]
    rest = [scene for scene in scenes if scene not in due]
    for made in match(due, items, others=rest, rules=rules, hashes=hashes, layout=layout):
        for one in made.candidates:
            most = among_all.get((made.scene_id, one.rating_key), 0.5)
            assert one.score <= most + 1e-9


_LONE = (
    Scene(
        scene_id=SceneId("7"),
        updated_at="1",
        files=(SceneFile(path="/data/dee/lone dune.mp4", size_bytes=855_331, duration_s=60.0),),
    ),
    Scene(
        scene_id=SceneId("8"),
        updated_at="1",
        files=(SceneFile(path="/data/bo/sole survivor.mp4", size_bytes=855_333, oshash=15),),
    ),
)
"""Two scenes with files that share nothing with those of `_libraries`."""


def _mirror(scene: Scene) -> PlexItem:
    """The item that shows a scene's files."""
    files = tuple(
        PlexFile(
            path=file.path.replace("/data/", "/media/"),
            size_bytes=file.size_bytes,
            duration_s=file.duration_s,
            width=file.width,
            height=file.height,
            part_id=at,
        )
        for at, file in enumerate(scene.files, start=5)
    )
    key = RatingKey(f"20{scene.scene_id}")
    return PlexItem(rating_key=key, section_id="1", kind=ItemKind.MOVIE, files=files)


@_THOROUGH
@given(_libraries(), _RULES, st.one_of(st.none(), _HASHES), st.integers(0, 2**7 - 1))
def test_a_pair_that_nothing_competes_with_is_judged_as_among_all(
    libraries: tuple[list[Scene], list[PlexItem]],
    rules: tuple[PathRule, ...],
    hashes: dict[int, int] | None,
    chosen: int,
) -> None:
    """Verdicts and layout are the same with and without the short way, whatever people answered."""
    scenes, items = [*_LONE, *libraries[0]], libraries[1]
    mirrored = [_mirror(one) for at, one in enumerate(scenes) if chosen >> at & 1 == 0]
    lone = scenes[chosen & 1]
    item = _mirror(lone)
    answer = {
        "scene_id": lone.scene_id,
        "rating_key": item.rating_key,
        "scene_path": lone.files[0].path,
        "item_path": item.files[0].path,
        "oshash": lone.files[0].oshash,
    }
    known = Known(
        rules=rules,
        hashes=hashes,
        claims={one.rating_key: SceneId("9") for one in mirrored[:1] if chosen >> 4 & 1},
        pins=[msgspec.convert(answer, AnsweredPair)] if chosen >> 5 & 1 else [],
        refusals=[msgspec.convert(answer, AnsweredPair)] if chosen >> 6 & 1 else [],
    )
    short, whole = (
        prepare_matching(scenes, [*mirrored, *items], staged=one, **known) for one in (True, False)
    )
    assert resolve(short) == resolve(whole)
    assert short.layout == whole.layout


@_THOROUGH
@given(_libraries(), _HASHES)
def test_a_rule_never_makes_low_what_is_high_without_it(
    libraries: tuple[list[Scene], list[PlexItem]], hashes: dict[int, int]
) -> None:
    """A path rule adds knowledge of places, and takes none away."""
    scenes, items = libraries
    without = match(scenes, items, hashes=hashes)
    assert _high(without) <= _high(match(scenes, items, rules=RULES, hashes=hashes))


def _high(found: Iterable[Match]) -> set[tuple[SceneId, RatingKey]]:
    """The pairs that are certain."""
    return {
        (made.scene_id, made.candidates[0].rating_key)
        for made in found
        if made.confidence is Confidence.HIGH
    }


def _pair(file: SceneFile, part: PlexFile, rules: tuple[PathRule, ...]) -> Match:
    """The match of a scene and an item alone in the world."""
    scene = Scene(scene_id=SceneId("1"), updated_at="1", files=(file,))
    item = PlexItem(rating_key=RatingKey("9"), section_id="1", kind=ItemKind.MOVIE, files=(part,))
    (made,) = match([scene], [item], rules=rules, hashes={5: 11})
    return made


_RANK = {None: 0, Confidence.LOW: 1, Confidence.HIGH: 2}

_AGREEING: tuple[dict[str, object], ...] = (
    {"size_bytes": True},
    {"duration_s": True},
    {"width": True, "height": True},
)


@_THOROUGH
# A size that tells little made a frame count that a file without a size was forgiven.
@example(
    SceneFile(path="/data/ann/beach day.mkv", duration_s=600.0, width=1280, height=720),
    PlexFile(
        path="/media/ann/beach day.mkv", size_bytes=9001, duration_s=600.0, width=1920, height=1080
    ),
    RULES,
    {"size_bytes": True},
)
@given(_scene_files(), _plex_files(), _RULES, st.sampled_from(_AGREEING))
def test_more_agreement_never_lowers(
    file: SceneFile, part: PlexFile, rules: tuple[PathRule, ...], fact: dict[str, object]
) -> None:
    """A fact both servers agree on is never worse than one of them not knowing it."""
    part = msgspec.structs.replace(part, stacked=False)
    assume(all(getattr(part, name) for name in fact))
    silent = msgspec.structs.replace(file, **dict.fromkeys(fact))
    agreed = msgspec.structs.replace(file, **{name: getattr(part, name) for name in fact})
    before, after = _pair(silent, part, rules), _pair(agreed, part, rules)
    assert after.score >= before.score
    assert _RANK[after.confidence] >= _RANK[before.confidence]


_DISAGREEING: tuple[dict[str, object], ...] = (
    {"size_bytes": 77_777_777},
    {"duration_s": 77.0},
    {"width": 640, "height": 360},
    {"oshash": 12},
)


@_THOROUGH
@given(_scene_files(), _plex_files(), _RULES, st.sampled_from(_DISAGREEING))
def test_more_disagreement_never_raises(
    file: SceneFile, part: PlexFile, rules: tuple[PathRule, ...], fact: dict[str, object]
) -> None:
    """A fact the servers disagree on is never better than one of them not knowing it."""
    part = msgspec.structs.replace(part, stacked=False, part_id=5)
    assume(all(getattr(part, name, 11) for name in fact))
    silent = msgspec.structs.replace(file, **dict.fromkeys(fact))
    contrary = msgspec.structs.replace(file, **fact)
    before, after = _pair(silent, part, rules), _pair(contrary, part, rules)
    assert after.score <= before.score
    assert _RANK[after.confidence] <= _RANK[before.confidence]


@_THOROUGH
@given(_scene_files(), _plex_files())
def test_better_place_never_lowers(file: SceneFile, part: PlexFile) -> None:
    """Another name, the name, the whole path: each is at least as good as the one before."""
    base = part.path.rpartition("/")[2]
    places = ("/data/else/where/strange thing.mp4", f"/data/else/where/{base}", part.path)
    stages = [_pair(msgspec.structs.replace(file, path=one), part, ()) for one in places]
    scores = [one.score for one in stages]
    assert scores == sorted(scores)


@_THOROUGH
@given(_libraries(), _RULES)
def test_hashes_are_never_wanted_twice(
    libraries: tuple[list[Scene], list[PlexItem]], rules: tuple[PathRule, ...]
) -> None:
    """Once known, a hash is not asked for again, and only live items are asked about."""
    scenes, items = libraries
    found = match(scenes, items, rules=rules, hashes={})
    wanted = wanted_hashes(found)
    known = {file.part_id: 11 for item in items for file in item.files}
    assert len(wanted) == len(set(wanted))
    assert not set(wanted) & {one.rating_key for one in items if one.trashed}
    again = match(scenes, items, rules=rules, hashes=known)
    assert wanted_hashes(again) == ()


@_THOROUGH
@given(_libraries(), _RULES, _HASHES)
def test_account_agrees_with_the_match(
    libraries: tuple[list[Scene], list[PlexItem]],
    rules: tuple[PathRule, ...],
    hashes: dict[int, int],
) -> None:
    """The account of a scene tells the match that was made, candidate by candidate."""
    scenes, items = libraries
    layout = survey(scenes, items, rules)
    known = Known(others=scenes[1:], rules=rules, hashes=hashes, layout=layout)
    made = match(scenes[:1], items, **known)
    explained = account(scenes[0], items, made, **known)
    high = {m.candidates[0].rating_key for m in explained.matches if m.confidence == "HIGH"}
    clear = {one.candidate.rating_key for one in explained.standings if not one.obstacle}
    assert high <= clear


@settings(max_examples=100, deadline=None)
@example([{0: 10.0, 1: 9.9}, {0: 9.9}])
@given(
    st.lists(
        st.dictionaries(st.integers(0, 4), st.sampled_from((0.5, 1.0, 2.5, 7.0)), max_size=4),
        max_size=5,
    )
)
def test_assignment_is_the_best_there_is(rows: list[dict[int, float]]) -> None:
    """No other one-to-one assignment weighs more."""
    found = assign(rows)
    taken = [column for column in found if column is not None]
    assert len(taken) == len(set(taken))
    weight = sum(row[column] for row, column in zip(rows, found, strict=True) if column is not None)
    assert weight == max(_weights(rows, frozenset()))


def _weights(rows: list[dict[int, float]], used: frozenset[int]) -> list[float]:
    """The weight of every one-to-one assignment of `rows`."""
    if not rows:
        return [0.0]
    found = _weights(rows[1:], used)
    for column, weight in rows[0].items():
        if column not in used:
            found += [weight + rest for rest in _weights(rows[1:], used | {column})]
    return found
