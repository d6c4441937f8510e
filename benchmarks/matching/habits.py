"""Situations of habits: how people, cameras, download programs and servers name and keep files.

Like `homes.py`; here each is one habit, with what must come of it on both sides of the limit.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import TYPE_CHECKING

from plexsync.models import SceneId

if TYPE_CHECKING:
    from benchmarks.matching.situations import Situation
    from benchmarks.matching.world import Video, World

replace = dataclasses.replace

_ROUND_BYTES = (700_000_000, 734_003_200, 1_000_000_000, 4_000_000_000)


def date_first(world: World) -> None:
    """Names begin with the day; two of one day, and Plex has one of them."""
    day, folder = _day(world), world.folder()
    here, gone = (world.video(name=f"{day} {world.title()}.mp4", folder=folder) for _ in range(2))
    _add_both(world, here)
    world.add_scene(world.stash_file(replace(gone, duration_s=here.duration_s)))


def symlinked_root(world: World) -> None:
    """Stash goes by a link, Plex shows where it leads."""
    video = world.video()
    key = world.add_item(world.plex_file(video, root="/mnt/pool/.real/films"))
    world.add_scene(world.stash_file(video, root="/links"), truth=(key,), certain=True)


def copy_with_a_number(world: World) -> None:
    """A browser kept a second copy as `name (1)`; both servers have both."""
    video = world.video()
    for name in (video.name, video.name.replace(".mp4", " (1).mp4")):
        _add_both(world, replace(video, name=name))


def download_with_a_number(world: World) -> None:
    """Another video came under a name that was taken, and became `name (1)`; Plex has it alone."""
    ours = world.video()
    other = world.video(name=ours.name.replace(".mp4", " (1).mp4"), folder=ours.folder)
    world.add_item(world.plex_file(replace(other, duration_s=ours.duration_s)))
    world.add_scene(world.stash_file(ours))


def discs_apart(world: World) -> None:
    """Two discs of one round size are two items and two scenes."""
    name, folder, size = world.name(), world.folder(), world.random.choice(_ROUND_BYTES)
    for number in (1, 2):
        disc = world.video(name=f"{name} cd{number}.avi", folder=folder, size_bytes=size)
        _add_both(world, disc)


def trailer_beside(world: World) -> None:
    """The film and its trailer lie side by side on both sides."""
    film = world.video()
    name = film.name.replace(".mp4", "-trailer.mp4")
    trailer = world.video(name=name, folder=film.folder, size_bytes=world.size() // 30 + 200_000)
    for video in (film, replace(trailer, duration_s=90.0)):
        _add_both(world, video)


def sample_of_each_release(world: World) -> None:
    """Each release has its sample; Plex has those of two releases, not that of ours."""
    for at in range(3):
        folder = f"{world.title()} {world.number()}/Sample"
        sample = world.video(name="sample.mkv", folder=folder, duration_s=60.0, frame=(1920, 1080))
        if at:
            _add_both(world, sample)
        else:
            world.add_scene(world.stash_file(sample))


def folder_of_each_scene(world: World) -> None:
    """Each scene has a folder, and the file in it one name and a round size; Plex lacks one."""
    size = world.random.choice(_ROUND_BYTES)
    for at in range(3):
        folder = f"{world.title()} {world.number()}"
        video = world.video(name="video.mp4", folder=folder, size_bytes=size, duration_s=1800.0)
        if at:
            _add_both(world, video)
        else:
            world.add_scene(world.stash_file(video))


def folder_renamed(world: World) -> None:
    """The folder of a constant name was renamed on one side; the content hash knows."""
    video = world.video(name="video.mp4", folder=f"{world.title()} {world.number()}")
    other = replace(video, folder=f"{world.title()} {world.number()}")
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.hashes)


def encoded_for_travel(world: World) -> None:
    """A smaller twin of the same name and length lies elsewhere, and Plex has only that."""
    video = world.video(frame=(1920, 1080))
    twin = _other_bytes(world, replace(video, folder=f"travel/{world.number()}"))
    _add_both(world, replace(twin, frame=(1280, 720)))
    world.add_scene(world.stash_file(video))


def linked_into_two_libraries(world: World) -> None:
    """Hard links put one file into two libraries; Stash sees it once."""
    video = world.video()
    keys = (
        world.add_item(world.plex_file(video)),
        world.add_item(world.plex_file(video, root="/media/family"), section_id="2"),
    )
    world.add_scene(world.stash_file(video), truth=keys, certain=True)


def folded_file_system(world: World) -> None:
    """A file system that does not keep case: folder and name differ in it."""
    video = world.video(folder=f"{world.word().title()}/{world.title()}")
    other = replace(video, folder=video.folder.upper(), name=video.name.title())
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def decomposed_folder(world: World) -> None:
    """A folder of a Mac is decomposed on one side only."""
    folder = f"Zoë {world.title()}/Ärger"
    video = world.video(folder=folder)
    other = replace(video, folder=unicodedata.normalize("NFD", folder))
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def half_scanned_series(world: World) -> None:
    """A series of one length; Plex has scanned the first half of it."""
    folder, series = world.folder(), world.title()
    for number in range(1, 7):
        video = world.video(
            name=f"{series} - {number:02}.mp4", folder=folder, duration_s=1800.0, frame=(1920, 1080)
        )
        if number < 4:
            _add_both(world, video)
        else:
            world.add_scene(world.stash_file(video))


def lengths_of_one_side(world: World) -> None:
    """Stash could read neither length nor frame."""
    video = world.video()
    key = world.add_item(world.plex_file(video))
    file = world.stash_file(video, duration_s=None, width=None, height=None)
    world.add_scene(file, truth=(key,), certain=True)


def fetched_again(world: World) -> None:
    """A better download lies beside the old file; Plex has the better one only."""
    old = world.video(frame=(1280, 720))
    better = _other_bytes(world, replace(old, name=old.name.replace(".mp4", " 1080p.mp4")))
    _add_both(world, replace(better, frame=(1920, 1080)))
    world.add_scene(world.stash_file(old))


def fetched_in_part(world: World) -> None:
    """Plex has looked at a file while it was being downloaded."""
    video = world.video()
    part = replace(
        video, size_bytes=video.size_bytes // 3 + 1, duration_s=video.duration_s / 3 - 2, oshash=1
    )
    key = world.add_item(world.plex_file(part))
    world.add_scene(world.stash_file(video), truth=(key,), low=True)


def ids_restarted_in_a_series(world: World) -> None:
    """Ids have started again, and each item of a series names the scene of its neighbour."""
    series, folder = world.title(), world.folder()
    ids = [SceneId(str(world.number())) for _ in range(4)]
    for at, mine in enumerate(ids):
        video = world.video(
            name=f"{series} {at + 1}.mp4", folder=folder, duration_s=1200.0, frame=(1920, 1080)
        )
        key = world.add_item(world.plex_file(video), stash_id=ids[at - 1])
        world.add_scene(world.stash_file(video), truth=(key,), certain=True, scene_id=mine)


def id_of_a_namesake(world: World) -> None:
    """Ids have started again, and the wrong item is a namesake of which no size is known."""
    mine, wrong = (SceneId(str(world.number())) for _ in range(2))
    ours = world.video()
    world.add_item(world.plex_file(world.video(name=ours.name), size_bytes=None), stash_id=mine)
    world.add_scene(world.stash_file(ours), scene_id=mine)
    world.add_scene(world.stash_file(world.video(name=ours.name)), scene_id=wrong)


def cameras_at_one_moment(world: World) -> None:
    """Two cameras cut by the hour, named by the moment; Plex lacks the one of ours."""
    name = f"{_day(world)} {world.random.randint(0, 23):02}-00-00.mp4"
    size = world.random.choice(_ROUND_BYTES)
    ours = world.video(
        name=name, folder=f"cam a{world.number()}", size_bytes=size, duration_s=3600.0
    )
    other = replace(ours, folder=f"cam b{world.number()}", oshash=ours.oshash + 1)
    world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(ours))


def cut_like_another(world: World) -> None:
    """The one file of a name elsewhere is cut at the round size and length of ours."""
    length = 60.0 * world.random.randint(5, 60)
    ours = world.video(
        name=f"{world.title()} {world.number()}.mp4",
        size_bytes=world.random.choice(_ROUND_BYTES),
        duration_s=length,
        frame=(1920, 1080),
    )
    other = replace(ours, folder=f"other/{world.number()}", oshash=ours.oshash + 1)
    world.add_item(world.plex_file(other, root="/foreign"))
    world.add_scene(world.stash_file(ours))


def round_and_in_place(world: World) -> None:
    """Round size and length, in the place where everything lies: the file itself."""
    video = world.video(size_bytes=world.random.choice(_ROUND_BYTES), duration_s=1800.0)
    _add_both(world, video)


def tongues(world: World) -> None:
    """One film in two tongues, as long and as large in the picture; Plex has the other one."""
    title, folder = world.title(), world.folder()
    ours, other = (world.video(name=f"{title} [{one}].mp4", folder=folder) for one in ("EN", "DE"))
    _add_both(world, replace(other, duration_s=ours.duration_s, frame=ours.frame))
    world.add_scene(world.stash_file(ours))


def name_cut_short(world: World) -> None:
    """One side cuts long names off; the content hash knows."""
    video = world.video(name=f"{world.title()} {world.title()} {world.title()}.mp4")
    other = replace(video, name=f"{video.name[: len(video.name) // 2].strip()}.mp4")
    key = world.add_item(world.plex_file(other))
    world.add_scene(world.stash_file(video), truth=(key,), certain=world.mix.hashes)


HABITS: tuple[Situation, ...] = (
    date_first,
    symlinked_root,
    copy_with_a_number,
    download_with_a_number,
    discs_apart,
    trailer_beside,
    sample_of_each_release,
    folder_of_each_scene,
    folder_renamed,
    encoded_for_travel,
    linked_into_two_libraries,
    folded_file_system,
    decomposed_folder,
    half_scanned_series,
    lengths_of_one_side,
    fetched_again,
    fetched_in_part,
    ids_restarted_in_a_series,
    id_of_a_namesake,
    cameras_at_one_moment,
    cut_like_another,
    round_and_in_place,
    tongues,
    name_cut_short,
)
"""Every situation of this module."""


# ---- Private -------------------------------------------------------------------------------------


def _add_both(world: World, video: Video) -> None:
    """Put a video into both libraries, each in its place, so that it has to be HIGH."""
    key = world.add_item(world.plex_file(video))
    world.add_scene(world.stash_file(video), truth=(key,), certain=True)


def _other_bytes(world: World, video: Video) -> Video:
    """Return another encode of a video."""
    size = video.size_bytes // 2 + world.random.randint(1, 10**5)
    return replace(video, size_bytes=size, oshash=world.random.getrandbits(63) + 1)


def _day(world: World) -> str:
    year, month, day = (world.random.randint(*one) for one in ((2010, 2025), (1, 12), (1, 28)))
    return f"{year}-{month:02}-{day:02}"
