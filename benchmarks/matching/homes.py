"""Situations of real homes: pools of disks, seasons, discs, renamers, recorders, twins of a name.

Like `situations.py`, which has the kinds; here they meet as people's habits make them.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import TYPE_CHECKING, Any

from plexsync.models import SceneId

if TYPE_CHECKING:
    from benchmarks.matching.situations import Situation
    from benchmarks.matching.world import World

replace = dataclasses.replace

_DISC_BYTES = 734_003_200
"""What people split for a disc: 700 MiB."""


def pool_of_disks(world: World) -> None:
    """Stash sees one pool, Plex each disk of it: no one rule fits."""
    for _ in range(4):
        video = world.video()
        disk = world.random.randint(1, 4)
        key = world.add_item(world.plex_file(video, root=f"/mnt/disk{disk}/videos"))
        file = world.stash_file(video, root="/mnt/user/videos")
        world.add_scene(file, truth=(key,), certain=True)


def pool_half_scanned(world: World) -> None:
    """Plex has not scanned the disk of ours, and another disk holds a namesake."""
    ours = world.video()
    other = replace(world.video(), name=ours.name, folder=ours.folder)
    world.add_item(world.plex_file(other, root="/mnt/disk2/videos"))
    world.add_scene(world.stash_file(ours, root="/mnt/user/videos"))


def season_folders(world: World) -> None:
    """Every studio numbers its episodes alike; Plex lacks those of one."""
    season = f"Season {world.random.randint(1, 3):02}"
    name = f"S01E{world.random.randint(1, 9):02}.mp4"
    size = 10**7 * world.random.randint(10, 90)
    ours = world.video(name=name, folder=f"{world.title()}/{season}", size_bytes=size)
    for _ in range(2):
        other = world.video(name=name, folder=f"{world.title()}/{season}", size_bytes=size)
        world.add_item(world.plex_file(replace(other, duration_s=ours.duration_s)))
    world.add_scene(world.stash_file(ours))


def discs_of_a_movie(world: World) -> None:
    """Stash holds the first disc, Plex the second, both cut at 700 MiB and not analysed yet."""
    name, folder = world.name(), world.folder()
    one, two = (
        world.video(name=f"{name} cd{number}.avi", folder=folder, size_bytes=_DISC_BYTES)
        for number in (1, 2)
    )
    world.add_item(world.plex_file(two, duration_s=None, width=None, height=None))
    world.add_scene(world.stash_file(one))


def discs_stacked(world: World) -> None:
    """Plex stacks both discs in one item, and Stash has one of them."""
    name, folder = world.name(), world.folder()
    discs = [world.video(name=f"{name} cd{number}.avi", folder=folder) for number in (1, 2)]
    key = world.add_item(*(world.plex_file(one, stacked=True) for one in discs))
    world.add_scene(world.stash_file(discs[0]), truth=(key,), low=True)


def optimized_version(world: World) -> None:
    """Plex shows only a smaller encode of ours, in a folder of its own."""
    video = world.video()
    smaller = replace(
        video,
        folder=f"Plex Versions/Optimized for TV/{video.folder}",
        size_bytes=video.size_bytes // 3 + 17,
        frame=(1280, 720),
        oshash=world.random.getrandbits(63) + 1,
    )
    key = world.add_item(world.plex_file(smaller))
    world.add_scene(world.stash_file(video), truth=(key,), low=True)


def trailer_of_the_name(world: World) -> None:
    """The trailer bears the name of the video and lies in a folder for trailers."""
    video = world.video()
    trailer = world.video(
        name=video.name,
        folder=f"{video.folder}/Trailers",
        size_bytes=video.size_bytes // 40,
        duration_s=video.duration_s / 20,
    )
    world.add_item(world.plex_file(trailer))
    world.add_scene(world.stash_file(video))


def sample_beside(world: World) -> None:
    """Plex took the sample for the movie; Stash has the movie."""
    video = world.video()
    name = video.name.replace(".mp4", "-sample.mp4")
    sample = world.video(name=name, folder=video.folder, size_bytes=video.size_bytes // 50)
    world.add_item(world.plex_file(sample))
    world.add_scene(world.stash_file(video))


def renamer_and_successor(world: World) -> None:
    """A renamer moved our file, and another took its old name, before Plex looked again."""
    old = world.video()
    renamed = replace(old, name=f"{world.title()} [{world.word()}].mp4")
    successor = world.video(name=old.name, folder=old.folder)
    key = world.add_item(world.plex_file(old))
    world.add_scene(world.stash_file(renamed), truth=(key,))
    world.add_scene(world.stash_file(successor))


def upgrade_kept_beside(world: World) -> None:
    """A better encode took the name and length; the old file stays under another name."""
    old = world.video()
    kept = replace(old, name=old.name.replace(".mp4", ".old.mp4"))
    better = replace(
        old, size_bytes=old.size_bytes * 2 + 3, oshash=world.random.getrandbits(63) + 1
    )
    key = world.add_item(world.plex_file(old))
    world.add_scene(world.stash_file(kept), truth=(key,))
    world.add_scene(world.stash_file(better))


def composed_twins(world: World) -> None:
    """Two files with names that differ by composition only; Plex has one of them."""
    name = f"caf\u00e9 {world.title()}"
    one = world.video(name=f"{name}.mp4")
    two = world.video(
        name=unicodedata.normalize("NFD", f"{name}.mp4"),
        folder=one.folder,
        duration_s=one.duration_s,
    )
    key = world.add_item(world.plex_file(two))
    world.add_scene(world.stash_file(two), truth=(key,))
    world.add_scene(world.stash_file(one))


def case_twins_unknown(world: World) -> None:
    """Two files with names that differ by case only; Plex has one of them and knows no size."""
    title = world.title()
    one = world.video(name=f"{title}.mp4")
    two = world.video(name=f"{title.upper()}.mp4", folder=one.folder)
    known: dict[str, Any] = dict.fromkeys(("size_bytes", "duration_s", "width", "height"))
    key = world.add_item(world.plex_file(two, **known))
    world.add_scene(world.stash_file(two), truth=(key,))
    world.add_scene(world.stash_file(one))


def two_scenes_one_file(world: World) -> None:
    """The file is in two scenes of Stash: which of them describes it, a person knows."""
    video = world.video()
    key = world.add_item(world.plex_file(video))
    for _ in range(2):
        world.add_scene(world.stash_file(video), truth=(key,), low=True)


def empty_files(world: World) -> None:
    """A broken download left empty files of one name in two homes."""
    name, number = world.name(), world.number()
    unknown: dict[str, Any] = {"size_bytes": 0, "duration_s": 0.0, "width": 0, "height": 0}
    ours = world.video(name=f"{name}.mp4", folder=f"{world.word()}/{number}")
    other = world.video(name=f"{name}.mp4", folder=f"{world.word()}/{number} x")
    world.add_item(world.plex_file(other, **unknown))
    world.add_scene(world.stash_file(ours, oshash=0, **unknown))


def sets_numbered_alike(world: World) -> None:
    """A set of videos called 01 to 06 in every folder; Plex lacks our folder, sizes coincide."""
    folder = f"{world.title()} set"
    size = 2**20 * world.random.randint(100, 900)
    length = float(60 * world.random.randint(5, 40))
    for number in range(1, 7):
        ours = world.video(
            name=f"{number:02}.mp4", folder=folder, size_bytes=size, duration_s=length
        )
        world.add_item(world.plex_file(replace(ours, folder=f"{world.title()} set")))
        world.add_scene(world.stash_file(replace(ours, oshash=world.random.getrandbits(63) + 1)))


def recorder_segments(world: World) -> None:
    """A recorder with a constant rate: all segments are equally long and large; ours is absent."""
    day = f"2024-{world.random.randint(1, 12):02}-{world.random.randint(1, 28):02}"
    folder, size = f"{world.word()} cam", world.size()
    names = [f"{day} {hour:02}-00-00.mp4" for hour in range(6)]
    for at, name in enumerate(names):
        segment = world.video(name=name, folder=folder, size_bytes=size, duration_s=3600.0)
        if at:
            key = world.add_item(world.plex_file(segment))
            world.add_scene(world.stash_file(segment), truth=(key,))
        else:
            world.add_scene(world.stash_file(segment))


def cut_at_a_round_size(world: World) -> None:
    """A name two videos have, each cut at the size and length of the other; ours is absent."""
    size, length = 10**8 * world.random.randint(2, 20), float(60 * world.random.randint(5, 60))
    known = {"size_bytes": size, "duration_s": length, "frame": (1920, 1080)}
    name = f"{world.title()}.mp4"
    ours, other, third = (world.video(name=name, **known) for _ in range(3))
    other = replace(other, folder=f"elsewhere/{other.folder}")  # at one path there is one file
    world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(ours))
    world.add_scene(world.stash_file(replace(third, size_bytes=size + 4096)))


def round_size_unmeasured(world: World) -> None:
    """The one file of a name is cut at a round size, and Plex knows no length; it is another."""
    size = 10**8 * world.random.randint(2, 20)
    name = f"{world.title()} {world.number()}.mp4"
    ours, other = (world.video(name=name, size_bytes=size) for _ in range(2))
    other = replace(other, folder=f"elsewhere/{other.folder}")  # at one path there is one file
    world.add_item(world.plex_file(other, duration_s=None, width=None, height=None))
    world.add_scene(world.stash_file(ours))


def linked_twice_on_disk(world: World) -> None:
    """A hard link: Stash has one file as two scenes, Plex shows one place of it."""
    video = world.video()
    sorted_ = replace(video, folder=f"sorted/{world.word()}")
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,))
    world.add_scene(world.stash_file(sorted_))


def better_library_only(world: World) -> None:
    """Plex has the video in 2160p, in a library of its own, under the same name."""
    video = world.video()
    better = replace(
        video,
        size_bytes=video.size_bytes * 4 + 5,
        frame=(3840, 2160),
        oshash=world.random.getrandbits(63) + 1,
    )
    key = world.add_item(world.plex_file(better, root="/media 4k"), section_id="4")
    world.add_scene(world.stash_file(video), truth=(key,), low=True)


def guid_restarted_round(world: World) -> None:
    """Ids have started again, and the wrong file has the round size and the length of ours."""
    scene_id = SceneId(str(world.number()))
    size = 10**8 * world.random.randint(1, 9)
    ours = world.video(size_bytes=size)
    other = replace(world.video(size_bytes=size), duration_s=ours.duration_s)
    world.add_item(world.plex_file(other), stash_id=scene_id)
    world.add_scene(world.stash_file(ours), scene_id=scene_id)


def guid_restarted_unsized(world: World) -> None:
    """Ids have started again; Plex knows no size, and the wrong file is as long as ours."""
    scene_id = SceneId(str(world.number()))
    ours = world.video()
    other = replace(world.video(), duration_s=ours.duration_s)
    world.add_item(world.plex_file(other, size_bytes=None), stash_id=scene_id)
    world.add_scene(world.stash_file(ours), scene_id=scene_id)


HOMES: tuple[Situation, ...] = (
    pool_of_disks,
    pool_half_scanned,
    season_folders,
    discs_of_a_movie,
    discs_stacked,
    optimized_version,
    trailer_of_the_name,
    sample_beside,
    renamer_and_successor,
    upgrade_kept_beside,
    composed_twins,
    case_twins_unknown,
    two_scenes_one_file,
    empty_files,
    sets_numbered_alike,
    recorder_segments,
    cut_at_a_round_size,
    round_size_unmeasured,
    linked_twice_on_disk,
    better_library_only,
    guid_restarted_round,
    guid_restarted_unsized,
)
"""Every situation of this module, in the order of the report."""
