"""Which pairs become HIGH, which LOW, which nothing: one situation a test."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from plexsync.matcher import AnsweredPair, MatchSettings, match, propose_rules, wanted_hashes
from plexsync.matching.assignment import assign
from plexsync.matching.verdicts import prepare_matching
from plexsync.models import (
    Confidence,
    ItemKind,
    Match,
    PathRule,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)
from tests.support.factories import make_item, make_plex_file, make_scene, make_scene_file

RULES = (PathRule(stash="/data/", plex="/media/"),)
SIZE = 1_155_219_457
LENGTH = 1805.12


def scene(path: str, **facts: object) -> Scene:
    """A scene with one file; its id is the path, so that tests read well."""
    known: dict[str, object] = {"size_bytes": SIZE, "duration_s": LENGTH, "oshash": 77} | facts
    return Scene(
        scene_id=SceneId(path),
        updated_at="1",
        files=(SceneFile(path=path, **known),),  # type: ignore[arg-type] # facts are typed by use
    )


def item(path: str, key: str = "", **facts: object) -> PlexItem:
    """An item with one file; its key is the path unless given."""
    known: dict[str, object] = {"size_bytes": SIZE, "duration_s": LENGTH, "part_id": 1} | facts
    trashed = bool(known.pop("trashed", False))
    return PlexItem(
        rating_key=RatingKey(key or path),
        section_id="1",
        kind=ItemKind.MOVIE,
        trashed=trashed,
        files=(PlexFile(path=path, **known),),  # type: ignore[arg-type] # facts are typed by use
    )


def only(matches: list[Match]) -> Match:
    """The one match there is."""
    (made,) = matches
    return made


CERTAIN = {
    "path after a rule": (scene("/data/a/x day.mp4"), item("/media/a/x day.mp4"), RULES),
    "path as it is": (scene("/data/a/x day.mp4"), item("/data/a/x day.mp4"), ()),
    "path as it is, nothing else known": (
        scene("/data/a/video.mp4", size_bytes=None, duration_s=None),
        item("/data/a/video.mp4", size_bytes=None, duration_s=None),
        (),
    ),
    "path as it is, nothing else known, and a rule that says so": (
        scene("/data/a/video.mp4", size_bytes=None, duration_s=None),
        item("/data/a/video.mp4", size_bytes=None, duration_s=None),
        (PathRule(stash="/data/", plex="/data/"),),
    ),
    "name and size": (scene("/data/a/beach day.mp4"), item("/media/b/beach day.mp4"), ()),
    "generic name at the mapped path": (
        scene("/data/a studio/video.mp4"),
        item("/media/a studio/video.mp4"),
        RULES,
    ),
    "replaced in place, of the same length": (
        scene("/data/a/beach day.mp4"),
        item("/media/a/beach day.mp4", size_bytes=SIZE - 1),
        RULES,
    ),
    "copy outside of every mapped folder": (
        scene("/data/a/beach day.mp4"),
        item("/backup/a/beach day.mp4"),
        RULES,
    ),
    "only the tag of quality is another one": (
        scene("/data/a/beach day 720p.mp4"),
        item("/media/a/beach day 1080p.mp4"),
        (),
    ),
    "Windows server": (
        scene("D:\\Videos\\Ann\\beach day.mp4"),
        item("/media/Ann/beach day.mp4"),
        (PathRule(stash="d:\\videos\\", plex="/media/"),),
    ),
    "decomposed name": (
        scene("/data/a/caf\u00e9 day.mp4"),
        item("/media/a/cafe\u0301 day.mp4"),
        RULES,
    ),
    "moved below a known folder": (
        scene("/data/in/beach day.mp4"),
        item("/media/sorted/beach day.mp4"),
        RULES,
    ),
}


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("2024/video.mp4", []),
        ("2024/Beach Day.mp4", ["/media/cy/Beach Day.mp4"]),
    ],
    ids=["a name of everybody's", "a namesake elsewhere"],
)
def test_a_rule_alone_is_believed_only_where_certain_pairs_lie_as_it_says(
    name: str, others: list[str]
) -> None:
    """Where nothing else is known of the files: one that leads to another folder's is not."""
    rules = (PathRule(stash="/data/ann/", plex="/media/bo/"),)
    ours = scene(f"/data/ann/{name}", size_bytes=None, duration_s=None)
    paths = [f"/media/bo/{name}", *others]
    items = [item(path, size_bytes=None, duration_s=None) for path in paths]

    (made,) = match([ours], items, rules=rules)
    assert made.confidence is Confidence.LOW
    certain = {f"strand no {number}.mp4": SIZE + number for number in range(3)}
    beside = [scene(f"/data/ann/{one}", size_bytes=size) for one, size in certain.items()]
    items += [item(f"/media/bo/{one}", size_bytes=size) for one, size in certain.items()]
    made, *rest = match([ours, *beside], items, rules=rules)
    assert {one.confidence for one in (made, *rest)} == {Confidence.HIGH}


@pytest.mark.parametrize(("ours", "theirs", "rules"), CERTAIN.values(), ids=CERTAIN)
def test_identity_grade_evidence_is_high(
    ours: Scene, theirs: PlexItem, rules: tuple[PathRule, ...]
) -> None:
    """Identity-grade evidence that nothing contradicts makes HIGH."""
    made = only(match([ours], [theirs], rules=rules))
    assert made.confidence is Confidence.HIGH, made.reason
    assert made.candidates[0].rating_key == theirs.rating_key


UNCERTAIN = {
    "replaced under the same path by another length": (
        scene("/data/a/beach day.mp4"),
        item("/media/a/beach day.mp4", size_bytes=SIZE - 1, duration_s=LENGTH + 60),
        RULES,
        "size differs and the duration differs: size 1,155,219,457 bytes here, 1,155,219,456 there",
    ),
    "name alone, the layout unknown": (
        scene("/data/a/beach day.mp4", size_bytes=None, duration_s=None),
        item("/media/b/beach day.mp4"),
        (),
        "too few certain pairs show",
    ),
    "generic name in the same folder, the layout unknown": (
        scene("/data/a studio/video.mp4"),
        item("/media/a studio/video.mp4"),
        (),
        "anybody gives that name",
    ),
    "same name and size, another length": (
        scene("/data/a/beach day.mp4"),
        item("/media/a/beach day.mp4", duration_s=LENGTH + 60),
        RULES,
        "duration differs",
    ),
    "generic name and size in another folder": (
        scene("/data/a/video.mp4"),
        item("/media/b/video.mp4"),
        (),
        "anybody gives that name",
    ),
    "generic name alone": (
        scene("/data/ann/video.mp4", size_bytes=None, duration_s=None),
        item("/media/ann/video.mp4", size_bytes=None, duration_s=None),
        (),
        "not enough",
    ),
    "remuxed": (
        scene("/data/a/beach day.mp4"),
        item("/media/a/beach day.mkv", size_bytes=SIZE + 4711),
        RULES,
        "size differs",
    ),
    "renamed": (
        scene("/data/a/beach day.mp4"),
        item("/media/a/strand.mp4"),
        RULES,
        "not enough",
    ),
    "case twin of unknown size": (
        scene("/data/a/Beach Day.mp4", size_bytes=None, duration_s=None),
        item("/media/a/beach day.mp4"),
        RULES,
        "not enough",
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "rules", "why"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_doubtful_pair_is_low_and_says_why(
    ours: Scene, theirs: PlexItem, rules: tuple[PathRule, ...], why: str
) -> None:
    """A plausible pair that is not certain waits for a person, with its reason."""
    made = only(match([ours], [theirs], rules=rules))
    assert made.confidence is Confidence.LOW
    assert why in made.reason
    assert made.candidates[0].rating_key == theirs.rating_key


NOTHING = {
    "no resemblance": item("/media/a/other thing.mp4", size_bytes=5, duration_s=9.0),
    "in the trash": item("/media/a/beach day.mp4", trashed=True),
    "generic look-alike": item("/media/c/b/video.mp4", size_bytes=5, duration_s=9.0),
}


@pytest.mark.parametrize("theirs", NOTHING.values(), ids=NOTHING)
def test_implausible_item_is_no_candidate(theirs: PlexItem) -> None:
    """What a person would only be bothered with is not shown."""
    name = "video" if theirs.files[0].path.endswith("video.mp4") else "beach day"
    made = only(match([scene(f"/data/d/a/{name}.mp4")], [theirs]))
    assert made.confidence is None
    assert made.candidates == ()


SKIP = MatchSettings(write_copies=False)


def test_copies_of_one_file_are_high_for_each() -> None:
    """Nothing has to separate two copies: what is written to both is the scene's."""
    copies = [item("/media/a/beach day.mp4"), item("/backup/a/beach day.mp4")]
    made = match([scene("/data/a/beach day.mp4")], copies)
    assert [one.confidence for one in made] == [Confidence.HIGH, Confidence.HIGH]


def test_copies_to_be_skipped_are_rivals() -> None:
    """Which of two copies is the original is then for a person, or for a path rule, to say."""
    copies = [item("/media/a/beach day.mp4"), item("/backup/a/beach day.mp4")]
    made = only(match([scene("/data/a/beach day.mp4")], copies, settings=SKIP))
    assert made.confidence is Confidence.LOW
    assert made.reason.startswith("2 items")
    assert "item /backup/a/beach day.mp4" in made.reason


def test_a_lone_copy_is_skipped_where_a_rule_expects_the_file_elsewhere() -> None:
    """With copies skipped, what lies outside of the mapped folders is none of the scene's."""
    ours, theirs = [scene("/data/a/beach day.mp4")], [item("/backup/a/beach day.mp4")]
    made = only(match(ours, theirs, rules=RULES, settings=SKIP))
    assert made.confidence is Confidence.LOW
    assert "skip copies" in made.reason


def test_a_copy_waits_for_a_hash_that_may_still_be_read() -> None:
    """The original at the mapped path does not; the copy is asked for and found."""
    ours = [scene("/data/a/beach day.mp4")]
    copies = [
        item("/media/a/beach day.mp4", "1", part_id=1),
        item("/backup/a/beach day.mp4", "2", part_id=2),
    ]
    first = only(match(ours, copies, rules=RULES, hashes={}))
    assert first.candidates[0].rating_key == "1"
    assert first.unread == ("1", "2")
    both = match(ours, copies, rules=RULES, hashes={1: 77, 2: 77})
    assert [one.candidates[0].rating_key for one in both] == ["1", "2"]
    other = only(match(ours, copies, rules=RULES, hashes={1: 77, 2: 78}))
    assert other.candidates[0].rating_key == "1"
    none = match(ours, copies, rules=RULES, hashes={1: 0, 2: 0})
    assert [one.candidates[0].rating_key for one in none] == ["1", "2"]


def test_one_file_in_two_libraries_is_high_for_each() -> None:
    """Equal paths on Plex's side are one file, whatever else is known of it."""
    both = [
        msgspec.structs.replace(item("/media/a/beach day.mp4", key), section_id=key)
        for key in ("1", "2")
    ]
    made = match([scene("/data/a/beach day.mp4", size_bytes=None)], both, rules=RULES)
    assert [one.candidates[0].rating_key for one in made] == ["1", "2"]
    assert {one.confidence for one in made} == {Confidence.HIGH}


def test_episodes_of_one_file_are_low() -> None:
    """Plex shows a file of two episodes twice, and which of them is meant is not known."""
    both = [
        msgspec.structs.replace(item("/media/a/beach day.mp4", key), kind=ItemKind.EPISODE)
        for key in ("1", "2")
    ]
    made = only(match([scene("/data/a/beach day.mp4")], both, rules=RULES))
    assert made.confidence is Confidence.LOW
    assert "2 episodes" in made.reason


def test_two_scenes_in_one_item_are_both_low_and_say_so() -> None:
    """Also where the content hash of only one of the two files is known."""
    ours = [scene("/data/a/beach day.mp4"), scene("/data/a/strand.mp4", size_bytes=SIZE + 5)]
    merged = msgspec.structs.replace(
        item("/media/a/beach day.mp4", "9"),
        files=(
            *item("/media/a/beach day.mp4", part_id=1).files,
            *item("/media/a/strand.mp4", part_id=2, size_bytes=SIZE + 5).files,
        ),
    )
    for hashes in ({}, {1: 77}, {1: 77, 2: 77}):
        one, other = match(ours, [merged], rules=RULES, hashes=hashes)
        assert (one.confidence, other.confidence) == (Confidence.LOW, Confidence.LOW)
        assert "two videos" in one.reason
        assert "scene /data/a/strand.mp4" in one.reason
        assert "splitting" in one.reason
        assert one.candidates[0].contradictions


def test_what_is_known_of_one_rival_only_does_not_tip_the_scale() -> None:
    """An equal hash of one of two look-alikes says nothing while the other's is not known."""
    ours = [scene("/data/a/video.mp4")]
    theirs = [
        item("/media/b/video.mp4", "1", part_id=1),
        item("/media/c/video.mp4", "2", part_id=2),
    ]
    made = only(match(ours, theirs, hashes={1: 77}))
    assert made.confidence is Confidence.LOW
    assert made.unread == ("2",)
    made = only(match(ours, theirs, hashes={1: 77, 2: 78}))
    assert (made.confidence, made.candidates[0].rating_key) == (Confidence.HIGH, "1")


def test_an_id_in_the_guid_is_identity_grade_and_can_be_contradicted() -> None:
    """Ids start again after a full import of Stash, so the file has the last word."""
    named = scene("/data/a/beach day.mp4")
    tagged = msgspec.structs.replace(
        item("/elsewhere/b/whatever.mp4"), stash_id="/data/a/beach day.mp4"
    )
    assert only(match([named], [tagged])).confidence is Confidence.HIGH
    other = msgspec.structs.replace(
        item("/elsewhere/b/whatever.mp4", size_bytes=SIZE + 7, duration_s=77.0),
        stash_id="/data/a/beach day.mp4",
    )
    assert only(match([named], [other])).confidence is not Confidence.HIGH


def test_a_round_size_takes_the_place_or_a_unique_name_with_a_telling_length() -> None:
    """People cut at round sizes and lengths, and two videos may be cut at the same ones."""
    ours, far = _at_a_round_size(None)
    assert only(match([ours], [far])).confidence is Confidence.LOW
    ours, far = _at_a_round_size(1800.0)
    assert only(match([ours], [far])).confidence is Confidence.LOW
    ours, far = _at_a_round_size(1804.2)
    assert only(match([ours], [far])).confidence is Confidence.HIGH
    namesake = scene("/data/c/beach day.mp4", size_bytes=10**9 + 4096, duration_s=60.0)
    assert match([ours, namesake], [far])[0].confidence is not Confidence.HIGH


def _at_a_round_size(length: float | None) -> tuple[Scene, PlexItem]:
    return (
        scene("/data/a/beach day.mp4", size_bytes=10**9, duration_s=length),
        item("/media/b/beach day.mp4", size_bytes=10**9, duration_s=length),
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "rules"),
    [
        (*_at_a_round_size(1804.2), ()),
        (scene("/m/a/x day.mp4", size_bytes=None), item("/m/a/x day.mp4", size_bytes=None), ()),
        (
            scene("/data/a/video.mp4", size_bytes=10**9),
            item("/media/a/video.mp4", size_bytes=10**9),
            RULES,
        ),
    ],
    ids=["round size elsewhere", "path and length", "mapped path, round size"],
)
def test_a_hash_is_asked_for_what_the_bytes_do_not_confirm(
    ours: Scene, theirs: PlexItem, rules: tuple[PathRule, ...]
) -> None:
    """Another hash makes it LOW, an equal one confirms it, and where there is none it stays."""
    for known, confidence in (({}, "HIGH"), ({1: 77}, "HIGH"), ({1: 78}, "LOW"), ({1: 0}, "HIGH")):
        made = only(match([ours], [theirs], rules=rules, hashes=known))
        assert made.confidence is Confidence(confidence)
        assert made.unread == (() if known else (theirs.rating_key,))


def test_no_hash_is_asked_for_a_telling_size_or_a_replaced_file() -> None:
    """The first is certain, and the hash of the second differs by its nature."""
    ours = scene("/m/a/beach day.mp4")
    for size in (SIZE, SIZE - 2):
        made = only(match([ours], [item("/m/a/beach day.mp4", size_bytes=size)], hashes={}))
        assert (made.confidence, made.unread) == (Confidence.HIGH, ())


def test_a_folder_for_each_scene_teaches_the_layout_though_all_have_one_name() -> None:
    """Telling sizes, lengths, frames and folders do; a folder anybody has does not."""
    for folder, confidence in (("beach {} day", Confidence.HIGH), ("2024/0{}", Confidence.LOW)):
        known = [(f"{folder.format(at)}/video.mp4", SIZE + at) for at in range(1, 4)]
        ours = [scene(f"/data/{path}", size_bytes=n, width=1920, height=1080) for path, n in known]
        theirs = [
            item(f"/media/{path}", "", size_bytes=n, width=1920, height=1080) for path, n in known
        ]
        assert {one.confidence for one in match(ours, theirs)} == {confidence}
    assert match(ours[:2], theirs[:2])[0].confidence is not Confidence.HIGH


def test_a_scene_elsewhere_is_no_twin_of_the_file_in_its_place() -> None:
    """A folder for each scene, one name, round sizes and lengths: the place tells them apart."""
    wide: dict[str, float] = {"size_bytes": 10**9, "duration_s": 1800.0, "width": 1920}
    known = [f"ann/beach {chr(97 + n) * 3} day.mp4" for n in range(3)]
    ours = [scene(f"/data/{name}", size_bytes=SIZE + n) for n, name in enumerate(known)]
    theirs = [item(f"/media/{name}", size_bytes=SIZE + n) for n, name in enumerate(known)]
    names = [f"beach {letter} day/video.mp4" for letter in "abcd"]
    ours += [scene(f"/data/{one}", **wide, height=1080) for one in names]
    theirs += [item(f"/media/{one}", "", **wide, height=1080) for one in names[1:]]
    found = [one.confidence for one in match(ours, theirs)][3:]
    assert found == [None, *[Confidence.HIGH] * 3]


def test_a_size_of_many_files_is_no_telling_one() -> None:
    """A recorder may write files of one size that is no round one."""
    ours, *others = (scene(f"/data/{n}/{n} beach day.mp4", duration_s=3600.0) for n in "abcdefghi")
    found = [item("/elsewhere/x/a beach day.mp4", duration_s=3600.0)]
    assert only(match([ours], found)).confidence is Confidence.HIGH
    assert match([ours, *others], found)[0].confidence is Confidence.LOW


def test_files_of_round_sizes_teach_the_layout_by_unique_names_and_lengths() -> None:
    """Where all sizes are round, a place is learned all the same."""
    size, length = 7 * 10**8, 600.0
    names = [f"ann/beach {chr(97 + n) * 3} day.mp4" for n in range(3)]
    ours = [scene(f"/data/{name}", size_bytes=size, duration_s=length) for name in names]
    theirs = [item(f"/media/{name}", size_bytes=size, duration_s=length) for name in names]
    assert {one.confidence for one in match(ours, theirs)} == {Confidence.HIGH}
    assert {one.confidence for one in match(ours[1:], theirs[1:])} == {Confidence.LOW}


def test_a_file_is_not_replaced_in_place_if_another_scene_has_its_former_content() -> None:
    """The old file went aside and a new one took its name: Plex may still show the old one."""
    better = scene("/m/a/beach day.mp4", size_bytes=SIZE * 2 + 3)
    kept = scene("/m/a/beach day.old.mp4", size_bytes=SIZE)
    shown = item("/m/a/beach day.mp4", size_bytes=SIZE)
    assert only(match([better], [shown])).confidence is Confidence.HIGH
    assert match([better, kept], [shown])[0].confidence is not Confidence.HIGH


def test_an_overwhelming_layout_counts_as_a_rule_and_a_doubtful_one_does_not() -> None:
    """Twenty certain pairs make a whole path of what would be a namesake's."""
    names = [f"ann/beach {chr(97 + n) * 3} day.mp4" for n in range(20)]
    known = [scene(f"/data/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    theirs = [item(f"/media/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    unset = scene("/data/ann/video.mp4", size_bytes=None, duration_s=None)
    target = item("/media/ann/video.mp4", size_bytes=9_001)
    assert match([*known, unset], [*theirs, target])[-1].confidence is Confidence.HIGH
    assert match([*known[1:], unset], [*theirs[1:], target])[-1].confidence is Confidence.LOW


def test_an_item_linked_for_good_reasons_is_no_candidate() -> None:
    """Nobody is asked about the item of another scene that merely resembles."""
    made = only(
        match(
            [scene("/data/a/beach day.mp4", size_bytes=5, duration_s=9.0)],
            [item("/media/a/beach day.mp4", "9")],
            others=[scene("/data/b/beach day.mp4")],
            claims={RatingKey("9"): SceneId("/data/b/beach day.mp4")},
        )
    )
    assert made.confidence is None
    assert "is that of scene /data/b/beach day.mp4" in made.reason


def test_path_rule_tells_original_from_copy() -> None:
    """The item at the mapped path is the scene's file; the backup, to be skipped, is not."""
    copies = [item("/media/a/beach day.mp4"), item("/backup/a/beach day.mp4")]
    made = only(match([scene("/data/a/beach day.mp4")], copies, rules=RULES, settings=SKIP))
    assert made.confidence is Confidence.HIGH
    assert made.candidates[0].rating_key == "/media/a/beach day.mp4"


def test_longer_tail_does_not_tell_original_from_copy() -> None:
    """A mount may begin below the folder that the copy kept."""
    copies = [item("/scenes-mount/beach day.mp4"), item("/backup/Scenes/beach day.mp4")]
    made = only(match([scene("/data/Scenes/beach day.mp4")], copies, settings=SKIP))
    assert made.confidence is Confidence.LOW


def test_two_scenes_with_one_item_are_both_low() -> None:
    """Two scenes with the same file have an equal claim."""
    ours = [scene("/data/a/beach day.mp4"), scene("/data/b/beach day.mp4")]
    made = match(ours, [item("/media/c/beach day.mp4")])
    assert [one.confidence for one in made] == [Confidence.LOW, Confidence.LOW]
    assert all("another scene" in one.reason for one in made)


def test_item_linked_to_a_scene_that_is_not_due_is_low() -> None:
    """A claim of a scene that is not looked at now still holds."""
    made = only(
        match(
            [scene("/data/a/beach day.mp4")],
            [item("/media/a/beach day.mp4", "9")],
            claims={RatingKey("9"): SceneId("other")},
        )
    )
    assert made.confidence is Confidence.LOW
    assert "already linked to scene other" in made.reason


def test_copies_in_both_libraries_find_their_own_folder() -> None:
    """Two copies on each side pair up by folder, because each has its own."""
    ours = [scene("/data/ann/beach day.mp4"), scene("/data/bo/beach day.mp4")]
    theirs = [item("/media/bo/beach day.mp4"), item("/media/ann/beach day.mp4")]
    made = match(ours, theirs)
    assert [one.confidence for one in made] == [Confidence.HIGH, Confidence.HIGH]
    assert [one.candidates[0].rating_key for one in made] == [
        "/media/ann/beach day.mp4",
        "/media/bo/beach day.mp4",
    ]


def test_every_file_of_a_scene_finds_its_item() -> None:
    """A scene with files in two items has two matches."""
    ours = Scene(
        scene_id=SceneId("1"),
        updated_at="1",
        files=(
            SceneFile(path="/data/a/beach day 1080p.mp4", size_bytes=SIZE),
            SceneFile(path="/data/a/beach day 2160p.mp4", size_bytes=SIZE * 4 + 1),
        ),
    )
    theirs = [
        item("/media/a/beach day 1080p.mp4"),
        item("/media/a/beach day 2160p.mp4", size_bytes=SIZE * 4 + 1),
    ]
    made = match([ours], theirs)
    assert [one.confidence for one in made] == [Confidence.HIGH, Confidence.HIGH]
    assert {one.candidates[0].rating_key for one in made} == {one.rating_key for one in theirs}


def test_content_hash_finds_renamed_file() -> None:
    """An equal content hash is identity-grade under any name."""
    made = only(match([scene("/data/a/beach day.mp4")], [item("/media/x/1.mp4")], hashes={1: 77}))
    assert made.confidence is Confidence.HIGH
    assert "content hash equal" in made.reason


def test_content_hash_refutes_equal_path() -> None:
    """A different content hash forbids HIGH whatever else agrees."""
    made = only(
        match(
            [scene("/data/a/beach day.mp4")],
            [item("/media/a/beach day.mp4")],
            rules=RULES,
            hashes={1: 78},
        )
    )
    assert made.confidence is Confidence.LOW
    assert "content hash differs" in made.reason


@pytest.mark.parametrize(
    ("name", "size", "wanted"),
    [("strand.mp4", SIZE, ("9",)), ("beach day.mkv", SIZE + 1, ()), ("beach day.mp4", SIZE, ())],
    ids=["renamed", "size rules it out", "certain already"],
)
def test_hashes_are_wanted_only_where_they_can_decide(
    name: str, size: int, wanted: tuple[str, ...]
) -> None:
    """Each hash costs a request."""
    ours, theirs = [scene("/data/a/beach day.mp4")], [item(f"/m/a/{name}", "9", size_bytes=size)]
    assert wanted_hashes(match(ours, theirs, hashes={})) == wanted


PIN = AnsweredPair(
    scene_id=SceneId("/data/a/beach day.mp4"),
    rating_key=RatingKey("9"),
    scene_path="/data/a/beach day.mp4",
    item_path="/media/x/1.mp4",
    oshash=77,
)
REFUSAL = AnsweredPair(
    scene_id=PIN.scene_id,
    rating_key=PIN.rating_key,
    scene_path=PIN.scene_path,
    item_path="/media/a/beach day.mp4",
    oshash=77,
)


def test_pinned_pair_is_high() -> None:
    """A person's word needs no evidence."""
    made = only(
        match([scene(PIN.scene_path)], [item("/media/x/1.mp4", "9", size_bytes=3)], pins=[PIN])
    )
    assert made.confidence is Confidence.HIGH
    assert made.reason == "confirmed by a person"


@pytest.mark.parametrize(
    ("oshash", "item_path"), [(78, "/media/x/1.mp4"), (77, "/media/x/2.mp4")], ids=["file", "item"]
)
def test_pin_ends_when_either_file_changes(oshash: int, item_path: str) -> None:
    """A pin is about two files; when one changes, the person is asked again."""
    made = only(match([scene(PIN.scene_path, oshash=oshash)], [item(item_path, "9")], pins=[PIN]))
    assert made.confidence is not Confidence.HIGH
    assert "a person confirmed" in made.reason


SPELLINGS = [
    pytest.param("/x/Cafe\u0301.mp4", "/x/Caf\u00e9.mp4", id="decomposed"),
    pytest.param("/x//1.mp4", "/x/1.mp4", id="repeated slashes"),
    pytest.param("C:\\x\\1.mp4", "C:/x/1.mp4", id="separators"),
]


@pytest.mark.parametrize(("answered", "shown"), SPELLINGS)
@pytest.mark.parametrize("side", ["Stash", "Plex"])
def test_a_persons_answer_survives_another_spelling(side: str, answered: str, shown: str) -> None:
    """A pin and a refusal are about files, and the files are the same."""
    stash, plex = (answered, PIN.item_path) if side == "Stash" else (PIN.scene_path, answered)
    pin = msgspec.structs.replace(PIN, oshash=None, scene_path=stash, item_path=plex)
    refusal = msgspec.structs.replace(REFUSAL, oshash=None, scene_path=stash, item_path=plex)
    stash, plex = (shown, pin.item_path) if side == "Stash" else (pin.scene_path, shown)
    ours = msgspec.structs.replace(scene(stash, oshash=None), scene_id=pin.scene_id)
    theirs = item(plex, "9", size_bytes=3)
    assert only(match([ours], [theirs], pins=[pin])).reason == "confirmed by a person"
    assert only(match([ours], [theirs], refusals=[refusal])).confidence is None


def test_a_pinned_file_goes_to_no_other_item() -> None:
    """Not even to one that would be HIGH; another file of the scene still does."""
    other = "/data/b/second part of it.mp4"
    ours = msgspec.structs.replace(
        scene(PIN.scene_path),
        files=(*scene(PIN.scene_path).files, *scene(other, oshash=78).files),
    )
    theirs = [
        item("/media/x/1.mp4", "9", size_bytes=3),
        item(PIN.scene_path, "10"),
        item(other, "11"),
    ]
    assert [m.candidates[0].rating_key for m in match([ours], theirs)] == ["10", "11"]
    assert [m.candidates[0].rating_key for m in match([ours], theirs, pins=[PIN])] == ["9", "11"]


def test_pinned_item_is_nobody_elses() -> None:
    """An item given to one scene is not matched to another."""
    other = scene("/data/x/1 beach.mp4")
    theirs = item("/media/x/1 beach.mp4", "9")
    pin = AnsweredPair(
        scene_id=SceneId("elsewhere"), rating_key=RatingKey("9"), scene_path="", item_path="/m"
    )
    made = only(match([other], [theirs], pins=[pin]))
    assert made.confidence is Confidence.LOW
    assert "gave this item to scene elsewhere" in made.reason


def test_refused_pair_never_comes_back() -> None:
    """What a person refused is not even shown."""
    made = only(
        match(
            [scene(REFUSAL.scene_path)],
            [item(REFUSAL.item_path, "9")],
            rules=RULES,
            refusals=[REFUSAL],
        )
    )
    assert made.confidence is None


def test_refusal_of_changed_file_is_low() -> None:
    """After the file changed the pair may come back, but never by itself."""
    made = only(
        match(
            [scene(REFUSAL.scene_path, oshash=78)],
            [item(REFUSAL.item_path, "9")],
            rules=RULES,
            refusals=[REFUSAL],
        )
    )
    assert made.confidence is Confidence.LOW
    assert "refused" in made.reason


def test_stacked_part_alone_is_low() -> None:
    """Plex plays the parts as one video; one of them is not the whole."""
    stacked = PlexItem(
        rating_key=RatingKey("9"),
        section_id="1",
        kind=ItemKind.MOVIE,
        files=tuple(
            PlexFile(path=f"/media/a/beach cd{n}.avi", size_bytes=SIZE + n, stacked=True)
            for n in (1, 2)
        ),
    )
    first = SceneFile(path="/data/a/beach cd1.avi", size_bytes=SIZE + 1)
    second = SceneFile(path="/data/a/beach cd2.avi", size_bytes=SIZE + 2)
    half = Scene(scene_id=SceneId("1"), updated_at="1", files=(first,))
    whole = Scene(scene_id=SceneId("2"), updated_at="1", files=(first, second))
    assert only(match([half], [stacked], rules=RULES)).confidence is Confidence.LOW
    assert only(match([whole], [stacked], rules=RULES)).confidence is Confidence.HIGH


def test_item_holding_another_video_as_well_is_low() -> None:
    """Versions of different length are not one video; Plex merged too much."""
    merged = PlexItem(
        rating_key=RatingKey("9"),
        section_id="1",
        kind=ItemKind.MOVIE,
        files=(
            PlexFile(path="/media/a/beach day.mp4", size_bytes=SIZE, duration_s=LENGTH),
            PlexFile(path="/media/a/else.mp4", size_bytes=7, duration_s=LENGTH * 2),
        ),
    )
    made = only(match([scene("/data/a/beach day.mp4")], [merged], rules=RULES))
    assert made.confidence is Confidence.LOW
    assert "another video" in made.reason


def test_path_rules_are_proposed_from_certain_pairs() -> None:
    """The prefix pair most certain files share is worth a rule."""
    names = [f"ann/beach {word} day.mp4" for word in ("red", "blue", "green", "gold")]
    ours = [scene(f"/data/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    theirs = [item(f"/media/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    assert propose_rules(match(ours, theirs)) == (
        PathRule(stash="/data/ann/", plex="/media/ann/", explains=4, certain=4),
    )
    assert propose_rules(match(ours, theirs, rules=RULES), rules=RULES) == ()


def test_shared_file_is_low_for_both_scenes() -> None:
    """Even the whole path decides nothing between two scenes that hold one file."""
    ours = [scene("/data/a/beach day.mp4"), scene("/data/a/beach day.mp4")]
    twin = msgspec.structs.replace(ours[1], scene_id=SceneId("2"))
    made = match([ours[0], twin], [item("/media/a/beach day.mp4")], rules=RULES)
    assert [one.confidence for one in made] == [Confidence.LOW, Confidence.LOW]
    assert all("as good a claim" in one.reason for one in made)


def test_item_that_is_surely_another_scenes_is_no_candidate() -> None:
    """The copy's scene has nothing to review: its look-alike has found its own."""
    ours = [scene("/data/a/beach day.mp4"), scene("/other/b/beach day.mp4")]
    first, second = match(ours, [item("/media/a/beach day.mp4")], rules=RULES)
    assert first.confidence is Confidence.HIGH
    assert second.confidence is None
    assert "is that of scene /data/a/beach day.mp4" in second.reason


def test_item_listed_twice_counts_once() -> None:
    """A listing that moved while it was read repeats items; the newest state counts."""
    stale = item("/media/a/beach day.mp4", "9", size_bytes=5)
    fresh = msgspec.structs.replace(item("/media/a/beach day.mp4", "9"), updated_at=2)
    made = only(match([scene("/data/a/beach day.mp4")], [fresh, stale, fresh], rules=RULES))
    assert made.confidence is Confidence.HIGH
    assert made.candidate_count == 1


@pytest.mark.parametrize(("namesakes", "confidence"), [(6, "HIGH"), (7, "LOW")])
def test_name_of_many_is_generic_whatever_it_says(namesakes: int, confidence: str) -> None:
    """Eight other bearers make a name generic: then size and length need the folder, too."""
    ours = [scene("/data/a/beach day.mp4"), scene("/data/q/beach day.mp4", size_bytes=SIZE + 99)]
    theirs = [item("/media/z/beach day.mp4")] + [
        item(f"/media/{n}/beach day.mp4", size_bytes=SIZE + 1 + n, duration_s=LENGTH * (n + 2))
        for n in range(namesakes)
    ]
    assert match(ours, theirs)[0].confidence == confidence


@pytest.mark.parametrize(
    ("folder", "confidence"), [("ann", "HIGH"), ("elsewhere", "LOW")], ids=["known", "strange"]
)
def test_name_alone_needs_the_place_where_certain_pairs_lie(folder: str, confidence: str) -> None:
    """Twenty certain pairs show where Plex keeps the files of a folder."""
    names = [f"ann/beach {chr(97 + n) * 3} day.mp4" for n in range(20)]
    known = [scene(f"/data/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    theirs = [item(f"/media/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    unset = scene("/data/ann/strand.mp4", size_bytes=None, duration_s=None)
    found = match([*known, unset], [*theirs, item(f"/media/{folder}/strand.mp4", size_bytes=9_001)])
    assert found[-1].confidence == confidence


@pytest.mark.parametrize(
    ("title", "found"),
    [("Beach Day 1", True), ("Beach Day 2", False), ("Beach Day 1 Trailer", False)],
)
def test_titles_resemble_only_with_the_same_numbers(title: str, *, found: bool) -> None:
    """Part 2 and a trailer are other videos, however alike their titles."""
    ours = msgspec.structs.replace(scene("/data/a/xyz.mp4"), title="Beach Day 1")
    theirs = msgspec.structs.replace(
        item("/media/b/uvw.mp4", size_bytes=9_001, duration_s=9.0), title=title
    )
    made = only(match([ours], [theirs]))
    assert made.confidence is (Confidence.LOW if found else None)


def test_kept_copy_comes_after_the_original() -> None:
    """How deep a backup's folders agree does not bring it to the front."""
    copies = [
        item("/films/summer/beach day.mp4", "200"),
        item("/backup/Ann/summer/beach day.mp4", "100"),
    ]
    made = only(match([scene("/data/Ann/summer/beach day.mp4")], copies, settings=SKIP))
    assert made.confidence is Confidence.LOW
    assert [one.rating_key for one in made.candidates] == ["200", "100"]


def test_equal_month_of_another_year_is_a_strange_place() -> None:
    """A folder that is equal by the layout does not vouch for a name alone."""
    names = [f"2021/07/beach {chr(97 + n) * 3} day.mp4" for n in range(20)]
    known = [scene(f"/data/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    theirs = [item(f"/media/{name}", size_bytes=SIZE + n) for n, name in enumerate(names)]
    unset = scene("/data/2022/07/strand.mp4", size_bytes=None, duration_s=None)
    found = match([*known, unset], [*theirs, item("/media/2020/07/strand.mp4", size_bytes=9_001)])
    assert found[-1].confidence is Confidence.LOW
    assert "no other file of that folder" in found[-1].reason


def test_path_is_not_enough_when_the_group_is_better_served_otherwise() -> None:
    """The path says one thing, two facts of both scenes together another: a person decides."""
    ours = [
        scene("/data/a/beach day.mp4", size_bytes=None),
        scene("/data/b/beach day.mp4", size_bytes=1_234_000_000, duration_s=None),
    ]
    theirs = [
        item("/data/a/beach day.mp4", size_bytes=1_234_000_000, duration_s=None),
        item("/media/c/beach day.mp4"),
    ]
    made = match(ours, theirs)
    assert made[0].confidence is Confidence.LOW
    assert made[0].candidates[0].rating_key == "/media/c/beach day.mp4"


def test_a_copy_of_the_file_takes_its_own_item_from_no_scene() -> None:
    """A scene far behind would be served by it; but a copy is one item more, not another one."""
    ours = [
        scene("/media/a/beach day.mp4", oshash=77),
        scene("/data/z/strand.mp4", oshash=78),
    ]
    theirs = [item("/media/a/beach day.mp4"), item("/backup/sand.mp4", part_id=2)]
    made = match(ours, theirs, hashes={1: 0, 2: 77})
    certain = [one for one in made if one.confidence is Confidence.HIGH]
    assert [(one.scene_id, one.candidates[0].rating_key) for one in certain] == [
        (ours[0].scene_id, "/backup/sand.mp4"),
        (ours[0].scene_id, "/media/a/beach day.mp4"),
    ]


def test_group_is_served_as_a_whole() -> None:
    """The first scene's second choice is the only one the second scene has."""
    rows = [{0: 20.0, 1: 18.0}, {0: 19.0}]
    assert assign(rows) == [1, 0]


def test_equal_rivals_are_served_by_their_ids_in_every_order_of_input() -> None:
    """As numbers, the lowest first: of three scenes that claim two items alike, the last has none.

    Who is explained, shown first and asked first must not move with an answer's order.
    """
    file = make_scene_file(path="/data/a/beach day.mp4", oshash=None)
    rivals = [make_scene(scene_id=SceneId(one), files=(file,)) for one in ("9", "10", "11")]
    theirs = [
        make_item(
            rating_key=RatingKey(key), files=(make_plex_file(path=f"/{top}/a/beach day.mp4"),)
        )
        for key, top in (("99", "x"), ("100", "y"))
    ]
    for scenes in permutations(rivals):
        for items in permutations(theirs):
            table = prepare_matching(scenes, items, staged=False).table
            served = {
                scenes[at].scene_id: items[to].rating_key for at, to in table.assigned.items()
            }
            assert served == {"9": "99", "10": "100"}
            ranked = [one.ours.scene_id for one in table.claims(0).ranked]
            assert ranked == ["11", "10", "9"]


def test_a_tiny_file_has_no_hash_whatever_the_other_side_says_of_its_size() -> None:
    """Contradicting sizes must not make a hash count that an unknown size left out."""
    part = make_plex_file(path="/media/beach day.mp4", size_bytes=9001, duration_s=None, part_id=5)
    found = []
    for size_bytes in (None, 77_777_777):
        file = make_scene_file(
            path="/data/beach day.mp4", size_bytes=size_bytes, duration_s=None, oshash=11
        )
        (made,) = match([make_scene(files=(file,))], [make_item(files=(part,))], hashes={5: 11})
        found.append(made.score)
    assert found[1] <= found[0]


def test_a_scene_without_a_file_meets_the_rivals_of_the_item_that_names_it() -> None:
    """However few are due: the item's own keys lead from its id to the scenes that compete."""
    lost = make_scene(scene_id=SceneId("1"), title="Long Lost Summer", files=())
    rival = make_scene(
        scene_id=SceneId("2"),
        title="Long Lost Summer",
        files=(make_scene_file(path="/data/a/clip.mkv", size_bytes=5, oshash=None),),
    )
    named = make_item(
        title="Long Lost Summer",
        stash_id="1",
        files=(make_plex_file(path="/media/b/clip.mp4", size_bytes=700_000_001),),
    )
    alone = only(match([lost], [named], others=[rival]))

    assert alone == match([lost, rival], [named])[0]
    assert "scene 2" in alone.reason
