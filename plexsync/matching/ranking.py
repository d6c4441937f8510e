"""What ranks the candidates of a LOW match, and never makes one HIGH.

Titles and dates are what people and agents edit, Plex's may even be our own earlier writing; and
how deep a copy's folders agree says how it was copied, not which of the copies is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.matching.attributes import Level, compare_date
from plexsync.matching.blocking import split_folders
from plexsync.matching.decision import Option, look_alike, make_option
from plexsync.matching.evidence import FolderLevel, Spelling
from plexsync.matching.title_similarity import compare_titles, texts_of_item, texts_of_scene
from plexsync.text.generic_names import COPY_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.matching.scoring import Scale
    from plexsync.matching.title_similarity import Text
    from plexsync.models import PlexItem, Scene

_MOST_RANKED = 64
"""A row of more options than this stays as it is: nobody would read it."""


def refine(
    options: Sequence[Option], scene: Scene, items: Sequence[PlexItem], scale: Scale
) -> list[Option]:
    """Weigh the options of one file again with all that may rank them."""
    if len(options) > _MOST_RANKED:
        return list(options)
    texts = texts_of_scene(scene)
    titled = [_add_title(option, scene, texts, items) for option in options]
    return [
        make_option(one.ours, one.theirs, one.made, scale.weigh(one.made))
        for one in _even_out(titled)
    ]


# ---- Private -------------------------------------------------------------------------------------


def _add_title(
    option: Option, scene: Scene, texts: tuple[Text, ...], items: Sequence[PlexItem]
) -> Option:
    """Add what title and date say, unless the name has said it already."""
    made = option.made
    named = made.spelling is not Spelling.DIFFERENT and not made.generic
    if named or made.title is not Level.UNKNOWN:
        return option
    item = items[option.item]
    title = compare_titles(texts, texts_of_item(item))
    date = compare_date(scene.date, item.date)
    return _change(option, title=title, date=date)


def _even_out(options: list[Option]) -> list[Option]:
    """Give copies of one file the same credit for equal folders, and less to kept copies."""
    alike = [one for one in options if look_alike(one) and one.made.place is FolderLevel.FOLDERS]
    if len(alike) <= 1:
        return options
    tail = max(one.made.tail_others for one in alike)
    depth = min(one.made.folders for one in alike)
    telling = min(one.made.telling_folders for one in alike)
    return [
        _change(
            one,
            tail_others=max(one.made.tail_others, tail),
            folders=min(one.made.folders, depth),
            telling_folders=min(one.made.telling_folders, telling),
            spare=_is_spare(one),
        )
        if one in alike
        else one
        for one in options
    ]


def _is_spare(option: Option) -> bool:
    """Whether the item, unlike our file, lies in a folder for copies."""
    theirs = COPY_FOLDERS.intersection(split_folders(option.theirs.path))
    return bool(theirs) and not COPY_FOLDERS.intersection(split_folders(option.ours.path))


def _change(option: Option, **fields: object) -> Option:
    """The same pair with a changed comparison; its weight is out of date."""
    made = option.made._replace(**fields)  # type: ignore[arg-type] # fields are a Comparison's own
    return make_option(option.ours, option.theirs, made, option.weighed)
