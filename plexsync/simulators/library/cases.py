"""The ways in which two servers come to see one video, and how each is made."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from plexsync.simulators.library import words
from plexsync.simulators.library.maker import DATA, DISK_D, NAS, NOW, SHOWS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from plexsync.simulators.library.maker import Made, Maker, Mount, SceneText


class Case(StrEnum):
    """A way in which Stash and Plex come to see one video."""

    SAME = "same path under the rule /data/ -> /media/"
    MOUNT = "another mount with another rule"
    WINDOWS = "Stash on Windows, Plex not"
    GENERIC = "a base name like video.mp4 in a folder of its own"
    NFD = "Plex's path in decomposed Unicode"
    FOLDER = "same base name, another folder in Plex"
    RENAMED = "another name and folder in Plex, the same bytes"
    REMUXED = "same stem, another container, other bytes"
    TWO_ITEMS = "a scene with two files, an item each"
    TWO_VERSIONS = "a scene with two files, two versions of one item"
    DUPLICATE = "two scenes and two items with the same bytes"
    MOVED = "the item of the file's former place is still in the trash"
    NO_DURATION = "not analysed by Plex yet"
    EPISODE = "an episode of a show"
    UNSCANNED = "not in Plex yet"
    DECOY = "not in Plex, but another video has its base name"


def draw_cases(source: random.Random, mix: Mapping[Case, float], count: int) -> list[Case]:
    """Draw cases by weight; every case with a weight is there once if the count allows."""
    kinds = [case for case, weight in mix.items() if weight > 0]
    drawn = source.choices(kinds, [mix[case] for case in kinds], k=count)
    drawn[: len(kinds)] = kinds[:count]
    drawn.reverse()
    return drawn


def add(maker: Maker, case: Case) -> None:
    """Make the scene, its files and the items of one case."""
    text = maker.text()
    made = _first_file(maker, case, text)
    recipe = _RECIPES.get(case, _add_plain)
    recipe(maker, text, made)


def _first_file(maker: Maker, case: Case, text: SceneText) -> Made:
    """Return the scene's primary file, where the case wants it."""
    mount = _MOUNTS.get(case, DATA)
    look = maker.look()
    if case is Case.GENERIC:
        stem = words.GENERIC_STEMS[int(maker.random.random() * len(words.GENERIC_STEMS))]
        tail = f"{text.studio.name}/{text.title} {maker.next_serial()}/"
        return maker.add_file(mount, tail, f"{stem}.mp4", look)
    if case is Case.EPISODE:
        number = maker.next_serial()
        show = f"{text.studio.name} Weekly"
        name = f"{show} - S01E{number:04} - {text.title}.mp4"
        return maker.add_file(mount, f"{show}/Season 01/", name, look)
    if case is Case.NFD:
        text = text._replace(title=f"Café {text.title} à Zürich")
    name = maker.basename(text, int(maker.random.random() * 4))
    return maker.add_file(mount, f"{text.studio.name}/{text.date[:4]}/", name, look)


# ---- one recipe a case ---------------------------------------------------------------------------


def _add_plain(maker: Maker, text: SceneText, made: Made) -> None:
    maker.add_scene(text, (made.file,), (maker.add_video(made.plex_path, made),))


def _add_nfd(maker: Maker, text: SceneText, made: Made) -> None:
    path = unicodedata.normalize("NFD", made.plex_path)
    maker.add_scene(text, (made.file,), (maker.add_video(path, made),))


def _add_in_other_folder(maker: Maker, text: SceneText, made: Made) -> None:
    path = f"/media/sorted/{text.date[:4]}/{text.title[0]}/{made.file.basename}"
    maker.add_scene(text, (made.file,), (maker.add_video(path, made),))


def _add_renamed(maker: Maker, text: SceneText, made: Made) -> None:
    path = f"/media/renamed/{made.look.oshash & 0xFFFFFF:06x}.mp4"
    maker.add_scene(text, (made.file,), (maker.add_video(path, made),))


def _add_remuxed(maker: Maker, text: SceneText, made: Made) -> None:
    stem, _, suffix = made.plex_path.rpartition(".")
    path = f"{stem}.{'mp4' if suffix == 'mkv' else 'mkv'}"
    look = maker.look()._replace(
        size=int(made.look.size * 1.003),
        duration_s=made.look.duration_s + 0.04,
        width=made.look.width,
        height=made.look.height,
    )
    key = maker.add_video_at(path, look, made.mount.section_id)
    maker.add_scene(text, (made.file,), (key,))


def _second_file(maker: Maker, made: Made) -> Made:
    """Return a smaller version of a file, in a folder beside it."""
    look = maker.look()._replace(duration_s=made.look.duration_s, width=1280, height=720)
    name = made.file.basename.rpartition(".")[0] + ".720p.mp4"
    return maker.add_file(made.mount, f"{made.tail}small/", name, look)


def _add_two_items(maker: Maker, text: SceneText, made: Made) -> None:
    other = _second_file(maker, made)
    keys = [maker.add_video(each.plex_path, each) for each in (made, other)]
    maker.add_scene(text, (made.file, other.file), keys)


def _add_two_versions(maker: Maker, text: SceneText, made: Made) -> None:
    other = _second_file(maker, made)
    media = tuple(maker.media(each.plex_path, each.look) for each in (made, other))
    key = maker.add_item(made.plex_path, media, made.mount.section_id)
    maker.add_scene(text, (made.file, other.file), (key,))


def _add_duplicate(maker: Maker, text: SceneText, made: Made) -> None:
    copy = maker.add_file(made.mount, f"copies/{made.tail}", made.file.basename, made.look)
    for each in (made, copy):
        maker.add_scene(text, (each.file,), (maker.add_video(each.plex_path, each),))


def _add_moved(maker: Maker, text: SceneText, made: Made) -> None:
    former = maker.add_video(f"/media/inbox/{made.file.basename}", made)
    maker.amend_item(former, deleted_at=NOW - 86_400)
    maker.add_scene(text, (made.file,), (maker.add_video(made.plex_path, made),))


def _add_unmeasured(maker: Maker, text: SceneText, made: Made) -> None:
    media = replace(maker.media(made.plex_path, made.look, measured=False), width=None, height=None)
    key = maker.add_item(made.plex_path, (media,), made.mount.section_id)
    maker.add_scene(text, (made.file,), (key,))


def _add_episode(maker: Maker, text: SceneText, made: Made) -> None:
    key = maker.add_video(made.plex_path, made)
    show, _, rest = made.file.basename.partition(" - S01E")
    maker.amend_item(
        key, kind="episode", subtype="", show=show, season=1, episode=int(rest.partition(" ")[0])
    )
    maker.add_scene(text, (made.file,), (key,))


def _add_unscanned(maker: Maker, text: SceneText, made: Made) -> None:
    maker.add_scene(text, (made.file,), ())


def _add_decoy(maker: Maker, text: SceneText, made: Made) -> None:
    path = f"/media/elsewhere/{made.look.oshash & 0xFFFF:04x}/{made.file.basename}"
    maker.add_video_at(path, maker.look(), DATA.section_id)
    maker.add_scene(text, (made.file,), ())


_RECIPES: Mapping[Case, Callable[[Maker, SceneText, Made], None]] = {
    Case.NFD: _add_nfd,
    Case.FOLDER: _add_in_other_folder,
    Case.RENAMED: _add_renamed,
    Case.REMUXED: _add_remuxed,
    Case.TWO_ITEMS: _add_two_items,
    Case.TWO_VERSIONS: _add_two_versions,
    Case.DUPLICATE: _add_duplicate,
    Case.MOVED: _add_moved,
    Case.NO_DURATION: _add_unmeasured,
    Case.EPISODE: _add_episode,
    Case.UNSCANNED: _add_unscanned,
    Case.DECOY: _add_decoy,
}

_MOUNTS: Mapping[Case, Mount] = {
    Case.MOUNT: NAS,
    Case.WINDOWS: DISK_D,
    Case.EPISODE: SHOWS,
}
