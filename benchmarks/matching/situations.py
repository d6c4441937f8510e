"""The named situations: each puts a few scenes and items into a world and says what is true.

`certain` marks scenes with identity-grade evidence (docs/matching.md): those must become HIGH.
Whatever truly is no item must never become HIGH; everything else may wait for a person.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.matching.habits import HABITS
from benchmarks.matching.homes import HOMES
from plexsync.models import ItemKind, SceneId

if TYPE_CHECKING:
    from benchmarks.matching.world import Video, World
    from plexsync.models import SceneFile

Situation = Callable[["World"], None]

replace = dataclasses.replace


# ---- The same file, seen from two sides ----------------------------------------------------------


def plain(world: World) -> None:
    """Another mount, everything else equal."""
    video = world.video()
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True, title=world.title())


def same_path(world: World) -> None:
    """Both servers see the file under one path."""
    video = world.video()
    key = world.add_item(world.plex_file(video, root="/shared"))
    world.add_scene(world.stash_file(video, root="/shared"), truth=(key,), certain=True)


def flat_roots(world: World) -> None:
    """All files right in the root, which is called differently."""
    video = world.video(folder="")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def deeper_mount(world: World) -> None:
    """Plex mounts a folder further down."""
    video = world.video(folder="Anna/Summer")
    key = world.add_item(world.plex_file(replace(video, folder="Summer"), root="/media/x"))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def windows_stash(world: World) -> None:
    """Stash runs on Windows."""
    video = world.video()
    path = "D:\\Videos\\" + f"{video.folder}/{video.name}".replace("/", "\\")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video, path=path), truth=(key,), certain=True)


def windows_plex(world: World) -> None:
    """Plex runs on Windows."""
    video = world.video()
    path = "P:\\Films\\" + f"{video.folder}/{video.name}".replace("/", "\\")
    key = world.add_item(world.plex_file(video, path=path))
    world.add_scene(world.stash_file(video, root="/windows"), truth=(key,), certain=True)


def network_share(world: World) -> None:
    """Stash sees a UNC path, with the prefix of long paths."""
    video = world.video()
    path = "\\\\?\\UNC\\nas\\share\\" + f"{video.folder}/{video.name}".replace("/", "\\")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video, path=path), truth=(key,), certain=True)


def decomposed_name(world: World) -> None:
    """One server reports NFC, the other NFD."""
    video = world.video(name=f"Café {world.title()} Zoë.mp4")
    other = replace(video, name=unicodedata.normalize("NFD", video.name))
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def other_case(world: World) -> None:
    """A server that does not keep case."""
    video = world.video()
    key = world.add_item(world.plex_file(replace(video, name=video.name.upper())))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def foreign_script(world: World) -> None:
    """Names without a Latin letter, with emoji and brackets."""
    video = world.video(name=f"夏の海辺で遊ぶ {world.number()} 😀 [完全版] 100%_.mp4")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def no_extension(world: World) -> None:
    """A name without an ending, dots inside."""
    video = world.video(name=f"{world.title()} vol.2 no.{world.number()}")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def container_rounding(world: World) -> None:
    """Plex rounds the duration to whole seconds."""
    video = world.video()
    file = world.plex_file(video, duration_s=float(int(video.duration_s)))
    world.add_scene(world.stash_file(video), truth=(world.add_item(file),), certain=True)


def stream_duration(world: World) -> None:
    """A transport stream: the servers' durations are up to two seconds apart."""
    video = world.video()
    file = world.plex_file(video, duration_s=video.duration_s + world.random.uniform(1, 2))
    world.add_scene(world.stash_file(video), truth=(world.add_item(file),), certain=True)


def coded_frame(world: World) -> None:
    """Plex reports coded height, or the frame before it is turned."""
    video = world.video(frame=(1920, 1080))
    wide, high = world.random.choice(((1920, 1088), (1080, 1920)))
    key = world.add_item(world.plex_file(video, width=wide, height=high))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def not_analysed(world: World) -> None:
    """Plex knows path and size only."""
    video = world.video()
    key = world.add_item(world.plex_file(video, duration_s=None, width=None, height=None))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def unset_in_stash(world: World) -> None:
    """A row Stash never scanned again: everything -1."""
    video = world.video()
    key = world.add_item(world.plex_file(video))
    world.add_scene(_unset(world, video), truth=(key,), certain=True)


def moved(world: World) -> None:
    """Plex has seen the move to another folder, Stash has not."""
    video = world.video()
    key = world.add_item(world.plex_file(replace(video, folder=world.folder())))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def several_versions(world: World) -> None:
    """Two versions of one video: two files of the scene, two media of the item."""
    video = world.video()
    better = _better(world, video)
    key = world.add_item(world.plex_file(video), world.plex_file(better))
    files = world.stash_file(video), world.stash_file(better)
    world.add_scene(*files, truth=(key,), certain=True)


def one_of_two_versions(world: World) -> None:
    """The item has two media, the scene one file."""
    video = world.video()
    key = world.add_item(world.plex_file(video), world.plex_file(_better(world, video)))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def two_items(world: World) -> None:
    """Two files of one scene are two items."""
    video = world.video()
    better = _better(world, video)
    keys = world.add_item(world.plex_file(video)), world.add_item(world.plex_file(better))
    files = world.stash_file(video), world.stash_file(better)
    world.add_scene(*files, truth=keys, certain=True)


def stacked(world: World) -> None:
    """A video in two parts, all of them files of the scene."""
    first, second = _parts(world)
    key = world.add_item(
        world.plex_file(first, stacked=True), world.plex_file(second, stacked=True)
    )
    world.add_scene(world.stash_file(first), world.stash_file(second), truth=(key,), certain=True)


def rescanned(world: World) -> None:
    """The file moved: a new item, and the old one still in the trash."""
    video = world.video()
    world.add_item(world.plex_file(replace(video, folder=world.folder())), trashed=True)
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


# ---- Names that many files have ------------------------------------------------------------------


def generic_in_own_folder(world: World) -> None:
    """Every video is called video.mp4 and lies in a folder of its own."""
    video = world.video(name="video.mp4", folder=f"{world.word()}/{world.title()}")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def generic_by_month(world: World) -> None:
    """Generic names in a layout by year and month."""
    name = f"clip {world.random.randint(1, 30)}.mp4"
    day = f"{world.random.randint(2015, 2026)}/{world.random.randint(1, 12):02}/{world.number()}"
    video = world.video(name=name, folder=day)
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def numbered(world: World) -> None:
    """A camera's names, all in one folder that the servers call differently."""
    video = world.video(name=f"IMG_{world.number():06}.MOV", folder="")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def crowd(world: World) -> None:
    """A dozen files of one name in as many folders, one of them not in Plex."""
    name = f"{world.name()}.mp4"
    for number in range(12):
        video = world.video(name=name, folder=f"{world.word()}/{world.number()}")
        key = world.add_item(world.plex_file(video)) if number else None
        truth = (key,) if key else ()
        world.add_scene(world.stash_file(video), truth=truth, certain=bool(truth))


def same_name_twice(world: World) -> None:
    """Two videos of one name in two folders, both in Plex."""
    name = f"{world.name()}.mp4"
    for _ in range(2):
        video = world.video(name=name)
        key = world.add_item(world.plex_file(video))
        world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def same_name_one_absent(world: World) -> None:
    """Two videos of one name; Plex has scanned only one of them."""
    name = f"{world.name()}.mp4"
    here, gone = world.video(name=name), world.video(name=name)
    key = world.add_item(world.plex_file(here))
    world.add_scene(world.stash_file(here), truth=(key,), certain=True)
    world.add_scene(world.stash_file(gone))


def episodes(world: World) -> None:
    """Part 1 and part 2, both in Plex."""
    for video in _parts(world):
        key = world.add_item(world.plex_file(video))
        world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def episode_absent(world: World) -> None:
    """Plex has part 1 only; part 2 is as long and lies beside it."""
    first, second = _parts(world)
    key = world.add_item(world.plex_file(first))
    world.add_scene(world.stash_file(first), truth=(key,), certain=True)
    world.add_scene(world.stash_file(replace(second, duration_s=first.duration_s)))


def case_twins(world: World) -> None:
    """Two files with names that differ in case only, both in Plex."""
    video = world.video(name=f"{world.name().title()}.mp4")
    for twin in (video, world.video(folder=video.folder, name=video.name.lower())):
        key = world.add_item(world.plex_file(twin))
        world.add_scene(world.stash_file(twin), truth=(key,), certain=True)


def case_twin_absent(world: World) -> None:
    """Plex has only the twin in lower case."""
    video = world.video(name=f"{world.name().title()}.mp4")
    world.add_item(world.plex_file(world.video(folder=video.folder, name=video.name.lower())))
    world.add_scene(world.stash_file(video))


def form_twins(world: World) -> None:
    """NFC and NFD spellings are two files, as Linux allows; both are in Plex."""
    video = world.video(name=f"Zoë {world.title()}.mp4")
    name = unicodedata.normalize("NFD", video.name)
    for twin in (video, world.video(folder=video.folder, name=name)):
        key = world.add_item(world.plex_file(twin))
        world.add_scene(world.stash_file(twin), truth=(key,), certain=True)


def form_twin_absent(world: World) -> None:
    """Plex has only the NFD twin, and Stash knows no size of ours."""
    video = world.video(name=f"Zoë {world.title()}.mp4")
    name = unicodedata.normalize("NFD", video.name)
    world.add_item(world.plex_file(world.video(folder=video.folder, name=name)))
    world.add_scene(_unset(world, video))


# ---- Look-alikes while the true item is absent ---------------------------------------------------


def absent(world: World) -> None:
    """Plex has not scanned it yet."""
    world.add_scene(world.stash_file(world.video()), title=world.title())


def absent_in_bulk(world: World) -> None:
    """A whole studio Plex has not scanned, with a common title."""
    folder = world.folder()
    for number in range(3):
        video = world.video(folder=folder, name=f"{folder.replace('/', ' ')} {number}.mp4")
        world.add_scene(world.stash_file(video))


def absent_with_namesake(world: World) -> None:
    """Plex has another video of the same distinctive name."""
    video = world.video()
    world.add_item(world.plex_file(world.video(name=video.name)))
    world.add_scene(world.stash_file(video))


def absent_with_longlike(world: World) -> None:
    """Same name, same length, same frame, another size: another video or another encode."""
    video = world.video()
    # At one path there is one file, so the other one lies where ours cannot.
    folder = f"elsewhere/{world.folder()}"
    other = replace(video, folder=folder, size_bytes=world.size())
    world.add_item(world.plex_file(replace(other, oshash=other.oshash + 1)))
    world.add_scene(world.stash_file(video))


def absent_with_sizelike(world: World) -> None:
    """Same name and same size by chance, another length."""
    video = world.video(name=_generic(world))
    other = world.video(name=video.name, size_bytes=video.size_bytes)
    world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video))


def absent_generic_same_layout(world: World) -> None:
    """2024/01/video.mp4 in another root."""
    video = world.video(name=_generic(world), folder="2024/01")
    world.add_item(world.plex_file(world.video(name=video.name, folder="2024/01"), root="/media2"))
    world.add_scene(world.stash_file(video))


def absent_generic_unset(world: World) -> None:
    """A generic name in the standard layout, and nothing known of our file."""
    video = world.video(name=_generic(world), folder="2024/02")
    world.add_item(world.plex_file(world.video(name=video.name, folder="2024/02"), root="/media2"))
    world.add_scene(_unset(world, video))


def absent_namesake_unset(world: World) -> None:
    """Two scenes of one name, nothing known of either; Plex has one of them."""
    name = f"{world.name()}.mp4"
    here, gone = world.video(name=name), world.video(name=name)
    key = world.add_item(world.plex_file(here))
    world.add_scene(_unset(world, here), truth=(key,))
    world.add_scene(_unset(world, gone))


def absent_equal_bytes(world: World) -> None:
    """Another video has the same number of bytes."""
    video = world.video()
    world.add_item(world.plex_file(world.video(size_bytes=video.size_bytes)))
    world.add_scene(world.stash_file(video))


def absent_recorder(world: World) -> None:
    """A recorder writes files of one size and one length; Plex has the neighbour."""
    folder = f"{world.word()}/{world.word()}"
    number = world.random.randint(1, 9998)
    size, length = 64 * 2**20 * world.random.randint(1, 40), 180.0
    ours = world.video(
        name=f"FILE{number:04}.MP4", folder=folder, size_bytes=size, duration_s=length
    )
    theirs = world.video(
        name=f"FILE{number + 1:04}.MP4", folder=folder, size_bytes=size, duration_s=length
    )
    world.add_item(world.plex_file(theirs))
    world.add_scene(world.stash_file(ours))


def absent_recorder_namesake(world: World) -> None:
    """Recorder files of one name, size and length in two folders."""
    number = world.random.randint(1, 9998)
    size, length = 64 * 2**20 * world.random.randint(1, 40), 180.0
    ours, theirs = (
        world.video(
            name=f"FILE{number:04}.MP4",
            folder=f"2024/{world.number()}",
            size_bytes=size,
            duration_s=length,
        )
        for _ in range(2)
    )
    world.add_item(world.plex_file(theirs))
    world.add_scene(world.stash_file(ours))


def absent_round_size(world: World) -> None:
    """Generic names cut to a round size, in one layout, another length."""
    size = 10**8 * world.random.randint(1, 9)
    ours = world.video(name=_generic(world), folder="2023/05", size_bytes=size)
    theirs = world.video(name=ours.name, folder="2023/05", size_bytes=size)
    world.add_item(world.plex_file(theirs, root="/media2"))
    world.add_scene(world.stash_file(ours))


def absent_numbered(world: World) -> None:
    """Another camera's file of that number, with the same number of bytes by chance."""
    name = f"IMG_{world.random.randint(1, 9999):04}.MOV"
    ours = world.video(name=name)
    world.add_item(world.plex_file(world.video(name=name, size_bytes=ours.size_bytes)))
    world.add_scene(world.stash_file(ours))


def absent_not_analysed(world: World) -> None:
    """A namesake Plex has not looked into yet: it knows its size and no more."""
    ours = world.video()
    theirs = world.video(name=ours.name)
    file = world.plex_file(theirs, duration_s=None, width=None, height=None)
    world.add_item(file)
    world.add_scene(world.stash_file(ours))


def absent_sample(world: World) -> None:
    """Every release has its sample.mkv; Plex has another one's."""
    ours, theirs = (
        world.video(
            name="sample.mkv",
            folder=f"{world.name()}/Sample",
            size_bytes=world.random.randint(10**7, 6 * 10**7),
            duration_s=60.0 + world.random.random(),
        )
        for _ in range(2)
    )
    world.add_item(world.plex_file(theirs))
    world.add_scene(world.stash_file(ours))


def absent_trailer(world: World) -> None:
    """Plex has the film; the trailer is a scene of its own."""
    video = world.video()
    trailer = replace(
        video,
        name=video.name.replace(".mp4", "-trailer.mp4"),
        size_bytes=world.size() // 20 + 200_000,
        duration_s=95.0,
        oshash=video.oshash + 1,
    )
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True, title="The Film")
    world.add_scene(world.stash_file(trailer), title="The Film")


def absent_similar_title(world: World) -> None:
    """Another video of the series has nearly the same title and name."""
    title = world.title()
    number = world.random.randint(1, 50)
    ours = world.video(name=f"{title} {number}.mp4")
    theirs = world.video(name=f"{title} {number + 1}.mp4")
    world.add_item(world.plex_file(theirs), title=f"{title} {number + 1}")
    world.add_scene(world.stash_file(ours), title=f"{title} {number}")


def trashed_only(world: World) -> None:
    """The item is in Plex's trash: its file is gone."""
    video = world.video()
    world.add_item(world.plex_file(video), trashed=True)
    world.add_scene(world.stash_file(video))


def twin_of_linked(world: World) -> None:
    """Two scenes hold copies of one file, Plex has one of the copies."""
    known = world.mix.rules or world.mix.proposed
    video = world.video(folder=f"{world.word()}/{world.word()}")
    copy = replace(video, folder=f"{world.word()}/{world.word()}")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.rules)
    # Alone, without a rule, a copy looks like a file that moved; its bytes are the same.
    world.add_scene(world.stash_file(copy), truth=() if known else (key,))


def backup_only(world: World) -> None:
    """Plex has the backup copy, not the original: it shows the same video."""
    video = world.video()
    key = world.add_item(world.plex_file(video, root="/backup"), section_id="2")
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


# ---- Several answers -----------------------------------------------------------------------------


def backup_tree(world: World) -> None:
    """A second library holds a copy of the whole tree."""
    video = world.video()
    keys = (
        world.add_item(world.plex_file(video)),
        world.add_item(world.plex_file(video, root="/backup"), section_id="2"),
    )
    world.add_scene(world.stash_file(video), truth=keys, certain=True)


def backup_keeps_folder(world: World) -> None:
    """The copy keeps a folder that Plex's mount of the original does not show."""
    video = world.video(folder=f"{world.word().title()}/{world.word()}")
    below = replace(video, folder=video.folder.partition("/")[2])
    keys = (
        world.add_item(world.plex_file(below, root="/films")),
        world.add_item(world.plex_file(video, root="/backup"), section_id="2"),
    )
    world.add_scene(world.stash_file(video), truth=keys, certain=True)


def two_libraries(world: World) -> None:
    """One file is an item of two libraries."""
    video = world.video()
    keys = (
        world.add_item(world.plex_file(video)),
        world.add_item(world.plex_file(video), section_id="2"),
    )
    world.add_scene(world.stash_file(video), truth=keys, certain=True)


def twins_on_both_sides(world: World) -> None:
    """Two copies in Stash, two in Plex, each in its folder."""
    video = world.video(folder=f"{world.word()}/{world.word()}a")
    for twin in (video, replace(video, folder=f"{world.word()}/{world.word()}b")):
        key = world.add_item(world.plex_file(twin))
        world.add_scene(world.stash_file(twin), truth=(key,), certain=True)


def copy_by_another_name(world: World) -> None:
    """Plex also has a copy of the file under another name."""
    video = world.video()
    key = world.add_item(world.plex_file(video))
    world.add_item(world.plex_file(replace(video, name=f"{world.name()}.mp4")))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def shared_file(world: World) -> None:
    """Two scenes hold the very same file."""
    video = world.video()
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,))
    world.add_scene(world.stash_file(video), truth=(key,))


def merged_by_plex(world: World) -> None:
    """Plex took two different videos for two versions of one."""
    one, two = world.video(), world.video()
    key = world.add_item(world.plex_file(one), world.plex_file(two))
    world.add_scene(world.stash_file(one), truth=(key,), low=True)
    world.add_scene(world.stash_file(two), truth=(key,), low=True)


def stacked_apart(world: World) -> None:
    """The parts of one item are two scenes."""
    first, second = _parts(world)
    key = world.add_item(
        world.plex_file(first, stacked=True), world.plex_file(second, stacked=True)
    )
    world.add_scene(world.stash_file(first), truth=(key,))
    world.add_scene(world.stash_file(second), truth=(key,))


def two_roots_one_rule(world: World) -> None:
    """Two Stash roots map to one Plex root; Plex has the file of one of them."""
    here = world.video()
    gone = world.video(folder=here.folder, name=here.name)
    key = world.add_item(world.plex_file(here, root="/media2"))
    world.add_scene(world.stash_file(here, root="/data2"), truth=(key,), certain=True)
    world.add_scene(world.stash_file(gone, root="/old"))


# ---- The right one, but not beyond doubt ---------------------------------------------------------


def remuxed(world: World) -> None:
    """Another container, nearly the same size."""
    video = world.video()
    other = replace(
        video,
        name=video.name.replace(".mp4", ".mkv"),
        size_bytes=video.size_bytes + world.random.randint(1000, 90_000),
        oshash=video.oshash + 1,
    )
    world.add_scene(world.stash_file(video), truth=(world.add_item(world.plex_file(other)),))


def encoded_again(world: World) -> None:
    """The same path, another encode."""
    video = world.video(frame=(1920, 1080))
    other = replace(video, size_bytes=world.size(), oshash=video.oshash + 1, frame=(1280, 720))
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.rules)


def renamed(world: World) -> None:
    """The same folder, another name; the content hash knows."""
    video = world.video()
    other = replace(video, name=f"{world.name()}.mp4")
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.hashes)


def renamed_and_moved(world: World) -> None:
    """Another folder and another name; the content hash knows."""
    video = world.video()
    other = replace(video, name=f"{world.name()}.mp4", folder=world.folder())
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.hashes)


def respelled(world: World) -> None:
    """Dots became blanks."""
    video = world.video(name=f"{world.title().replace(' ', '.')}.mp4")
    other = replace(video, name=f"{video.name[:-4].replace('.', ' ')}.mp4")
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.hashes)


def replaced_in_place(world: World) -> None:
    """Stash has seen the new file of that name, Plex still shows the old one."""
    video = world.video()
    old = world.video(name=video.name, folder=video.folder)
    world.add_scene(world.stash_file(video), truth=(world.add_item(world.plex_file(old)),))


def measured_wrong(world: World) -> None:
    """One server misreads the duration."""
    video = world.video()
    file = world.plex_file(video, duration_s=video.duration_s * 2 + 60)
    world.add_scene(world.stash_file(video), truth=(world.add_item(file),))


def no_media(world: World) -> None:
    """Plex is still reading the file: the item has a title and nothing else."""
    video = world.video()
    key = world.add_item(title=video.name[:-4])
    world.add_scene(world.stash_file(video), truth=(key,), title=video.name[:-4])


def no_file(world: World) -> None:
    """A scene without a file; Plex has an item of its title."""
    title = f"{world.title()} {world.word()}"
    key = world.add_item(world.plex_file(world.video(name=f"{world.name()}.mp4")), title=title)
    world.add_scene(truth=(key,), title=title)


def renamed_by_title(world: World) -> None:
    """Another file altogether, but title and date are the scene's."""
    title = f"{world.title()} {world.word()}"
    key = world.add_item(world.plex_file(world.video()), title=title, date="2021-03-04")
    world.add_scene(world.stash_file(world.video()), truth=(key,), title=title, date="2021-03-04")


def tiny(world: World) -> None:
    """Smaller than the hash's two blocks."""
    video = world.video(size_bytes=world.random.randint(3000, 100_000), duration_s=2.5)
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def generic_moved(world: World) -> None:
    """A generic name, moved; size and length agree, and the content hash knows."""
    video = world.video(name=_generic(world), folder=f"{world.word()}/{world.word()}")
    other = replace(video, folder=f"{world.word()}/{world.word()}")
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.hashes)


# ---- Names changed by programs, files replaced, ids of agents ------------------------------------


def quality_tag(world: World) -> None:
    """Only the tag of quality in the name is another one."""
    words = world.title()
    video = world.video(name=f"{words} 720p.mp4", folder=f"{world.word()}/{world.number()}")
    key = world.add_item(world.plex_file(replace(video, name=f"{words} 1080p.mp4")))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def quality_upgraded(world: World) -> None:
    """A program fetched a better file; Stash has not scanned it yet."""
    words = world.title()
    video = world.video(name=f"{words} 720p.mp4", folder=f"{world.word()}/{world.number()}")
    better = replace(
        video, name=f"{words} 2160p.mp4", size_bytes=video.size_bytes * 3 + 7, oshash=1
    )
    key = world.add_item(world.plex_file(better))
    world.add_scene(world.stash_file(video), truth=(key,))


def torrent_and_tidy(world: World) -> None:
    """A torrent's name on one side, a tidy one on the other."""
    site, title, actor = world.word(), world.title(), world.word()
    name = f"{site}.23.04.05.{actor}.{title.replace(' ', '.')}.1080p.WEB-DL.x264.mp4"
    video = world.video(name=name.lower(), folder=f"{world.word()}/{world.number()}")
    tidy = replace(video, name=f"{site.title()} - 2023-04-05 - {title}.mp4")
    key = world.add_item(world.plex_file(tidy))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def remote_mount(world: World) -> None:
    """A file on a remote mount: Plex never looked into it, and knows path and size only."""
    video = world.video(name=_generic(world), folder=f"{world.word()}/{world.number()}")
    key = world.add_item(world.plex_file(video, duration_s=None, width=None, height=None))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def replaced_by_another_length(world: World) -> None:
    """Another video lies under the path now: its length says so."""
    video = world.video()
    other = replace(
        video, size_bytes=world.size(), duration_s=video.duration_s * 1.5 + 60, oshash=1
    )
    world.add_scene(
        world.stash_file(video), truth=(world.add_item(world.plex_file(other)),), low=True
    )


def every_file_twice(world: World) -> None:
    """Plex has the file in two folders."""
    video = world.video(folder=f"{world.word()}/{world.word()}")
    keys = (
        world.add_item(world.plex_file(video, root="/mnt/user")),
        world.add_item(world.plex_file(video, root="/mnt/disk1")),
    )
    world.add_scene(world.stash_file(video, root="/pool"), truth=keys, certain=True)


def several_episodes(world: World) -> None:
    """Plex shows a file of two episodes as both of them."""
    video = world.video(name=f"{world.title()} S01E01-E02.mp4")
    file = world.plex_file(video)
    keys = [
        world.add_item(file, kind=ItemKind.EPISODE, section_id="3", title=world.title())
        for _ in range(2)
    ]
    world.add_scene(world.stash_file(video), truth=tuple(keys), low=True)


def merged_one_hash(world: World) -> None:
    """Plex took two videos for one, and knows the content hash of one of them only."""
    one, two = world.video(), world.video()
    files = world.plex_file(one), world.plex_file(two)
    world.hashes[files[1].part_id] = 0
    key = world.add_item(*files)
    world.add_scene(world.stash_file(one), truth=(key,), low=True)
    world.add_scene(world.stash_file(two), truth=(key,), low=True)


def merged_qualities(world: World) -> None:
    """Two scenes are the 1080p and the 2160p of one item."""
    video = world.video()
    better = _better(world, video)
    key = world.add_item(world.plex_file(video), world.plex_file(better))
    world.add_scene(world.stash_file(video), truth=(key,), low=True)
    world.add_scene(world.stash_file(better), truth=(key,), low=True)


def guid_of_an_agent(world: World) -> None:
    """An agent left the scene's id; name and place are others."""
    video = world.video()
    scene_id = SceneId(str(world.number()))
    other = replace(video, name=f"{world.name()}.mp4", folder=world.folder())
    key = world.add_item(world.plex_file(other, root="/agent"), stash_id=scene_id)
    world.add_scene(world.stash_file(video), truth=(key,), certain=True, scene_id=scene_id)


def guids_restarted(world: World) -> None:
    """A full import gave other ids: the GUIDs name the wrong scenes."""
    one, two = world.video(), world.video()
    ids = [SceneId(str(world.number())) for _ in range(2)]
    for video, mine, wrong in ((one, ids[0], ids[1]), (two, ids[1], ids[0])):
        key = world.add_item(world.plex_file(video), stash_id=wrong)
        world.add_scene(world.stash_file(video), truth=(key,), certain=True, scene_id=mine)


def guid_of_another_absent(world: World) -> None:
    """The item of a restarted id, while the true one is not in Plex."""
    scene_id = SceneId(str(world.number()))
    world.add_item(world.plex_file(world.video()), stash_id=scene_id)
    world.add_scene(world.stash_file(world.video()), scene_id=scene_id)


def absent_generic_round_equal(world: World) -> None:
    """A generic name, a round size and an equal length and frame in a foreign folder."""
    size = 10**8 * world.random.randint(1, 9)
    ours = world.video(
        name=_generic(world),
        folder=f"{world.word()}/{world.number()}",
        size_bytes=size,
        duration_s=600.0,
        frame=(1920, 1080),
    )
    theirs = replace(ours, folder=f"{world.word()}/{world.number()}", oshash=ours.oshash + 1)
    world.add_item(world.plex_file(theirs, root="/media2"))
    world.add_scene(world.stash_file(ours))


def absent_unset_foreign(world: World) -> None:
    """Nothing is known of our file, and its namesake lies in a foreign folder."""
    video = world.video()
    other = world.video(name=video.name)
    world.add_item(world.plex_file(other, root=f"/foreign/{world.word()}"))
    world.add_scene(_unset(world, video))


SITUATIONS: tuple[Situation, ...] = (
    plain,
    same_path,
    flat_roots,
    deeper_mount,
    windows_stash,
    windows_plex,
    network_share,
    decomposed_name,
    other_case,
    foreign_script,
    no_extension,
    container_rounding,
    stream_duration,
    coded_frame,
    not_analysed,
    unset_in_stash,
    moved,
    several_versions,
    one_of_two_versions,
    two_items,
    stacked,
    rescanned,
    generic_in_own_folder,
    generic_by_month,
    numbered,
    crowd,
    same_name_twice,
    same_name_one_absent,
    episodes,
    episode_absent,
    case_twins,
    case_twin_absent,
    form_twins,
    form_twin_absent,
    absent,
    absent_in_bulk,
    absent_with_namesake,
    absent_with_longlike,
    absent_with_sizelike,
    absent_generic_same_layout,
    absent_generic_unset,
    absent_namesake_unset,
    absent_equal_bytes,
    absent_recorder,
    absent_recorder_namesake,
    absent_round_size,
    absent_numbered,
    absent_not_analysed,
    absent_sample,
    absent_trailer,
    absent_similar_title,
    trashed_only,
    twin_of_linked,
    backup_only,
    backup_tree,
    backup_keeps_folder,
    two_libraries,
    twins_on_both_sides,
    copy_by_another_name,
    shared_file,
    merged_by_plex,
    stacked_apart,
    two_roots_one_rule,
    remuxed,
    encoded_again,
    renamed,
    renamed_and_moved,
    respelled,
    replaced_in_place,
    measured_wrong,
    no_media,
    no_file,
    renamed_by_title,
    tiny,
    generic_moved,
    quality_tag,
    quality_upgraded,
    torrent_and_tidy,
    remote_mount,
    replaced_by_another_length,
    every_file_twice,
    several_episodes,
    merged_one_hash,
    merged_qualities,
    guid_of_an_agent,
    guids_restarted,
    guid_of_another_absent,
    absent_generic_round_equal,
    absent_unset_foreign,
    *HOMES,
    *HABITS,
)
"""Every situation, in the order of the report."""


# ---- Private -------------------------------------------------------------------------------------


def _generic(world: World) -> str:
    return (
        world.random.choice(("video", "clip", "movie 1", "output", "IMG_0012", "part 2")) + ".mp4"
    )


def _unset(world: World, video: Video) -> SceneFile:
    return world.stash_file(
        video, size_bytes=None, duration_s=None, width=None, height=None, oshash=video.oshash
    )


def _better(world: World, video: Video) -> Video:
    name = video.name.replace(".mp4", " 2160p.mp4")
    return replace(
        video,
        name=name,
        size_bytes=video.size_bytes * 3 + world.random.randint(1, 10**6),
        frame=(3840, 2160),
        oshash=world.random.getrandbits(63) + 1,
    )


def _parts(world: World) -> tuple[Video, Video]:
    name, folder = world.name(), world.folder()
    first, second = (
        world.video(name=f"{name} part{number}.mp4", folder=folder) for number in (1, 2)
    )
    return first, second
