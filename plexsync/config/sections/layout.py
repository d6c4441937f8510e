"""What Plex shows above single items: `[collections]` and `[shows]`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plexsync.config.forms import (
    COLLECTION_SORT_TITLE,
    COLLECTION_TITLE,
    FLAG,
    NAMES,
    SEASON_TITLE,
    SHOW_TITLE,
    word_of,
)
from plexsync.config.keys import kept_policy, setting
from plexsync.models import CollectionKind, Policy
from plexsync.planning.layout import (
    SEASON_WORDS,
    SHOW_WORDS,
    TITLE_WORDS,
    CollectionRules,
    ShowRules,
)
from plexsync.text.normalize import fold_tag
from plexsync.text.templates import parse_template


class CollectionMode(StrEnum):
    """How a collection and its items are shown. Source: docs/plex-api.md 11."""

    LIBRARY = "library"
    HIDE = "hide"
    HIDE_ITEMS = "hide_items"
    SHOW_ITEMS = "show_items"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionsConfig:
    """`[collections]`."""

    studios: bool = setting(
        FLAG, meaning="A collection for each studio: its name, details and picture."
    )
    parent_studios: bool = setting(
        FLAG,
        "true",
        meaning="A scene is also in the collections of the studios above its own.",
    )
    groups: bool = setting(
        FLAG, meaning="A collection for each group: its name, synopsis and front cover."
    )
    performers: bool = setting(
        FLAG, meaning="A collection for each performer: name, details and photo."
    )
    tags: tuple[str, ...] = setting(
        NAMES,
        meaning="A collection for each of these tags: its name, description and picture. Whole "
        "names; case does not matter.",
    )
    ratings: bool = setting(
        FLAG, meaning="A collection for each rating, in whole stars: `4 stars`."
    )
    organized: bool = setting(FLAG, meaning="A collection of the scenes marked as organized.")
    title: str = setting(
        COLLECTION_TITLE,
        meaning="What a collection is called, made of `{name}` and `{kind}`, which is `studio`, "
        "`group`, `performer`, `tag`, `rating` or `organized`. Of two with one title in a library "
        "only the first kind of this list gets it.",
    )
    sort_title: str = setting(
        COLLECTION_SORT_TITLE,
        meaning="What it is sorted by, made of the same; empty: what Plex makes of the title.",
    )
    summary: Policy = kept_policy("the summary")
    poster: Policy = kept_policy("the poster")
    mode: CollectionMode = setting(
        word_of(CollectionMode),
        '"library"',
        meaning='How it is shown: `"hide"` hides it, `"hide_items"` its items, `"show_items"` '
        'shows both; `"library"` leaves that to the library, and to you.',
    )
    take_over: tuple[str, ...] = setting(
        NAMES,
        meaning="Titles of collections that were there before plexsync, and that it may fill and "
        "edit all the same. Whole titles; case does not matter.",
    )

    @property
    def rules(self) -> CollectionRules:
        """What decides which collections there should be."""
        return CollectionRules(
            kinds=self.kinds,
            parents=self.parent_studios,
            tags=frozenset(map(fold_tag, self.tags)),
            title=parse_template(self.title, TITLE_WORDS),
            sort_title=parse_template(self.sort_title, TITLE_WORDS) if self.sort_title else None,
        )

    @property
    def kinds(self) -> frozenset[CollectionKind]:
        """What collections are made from; nothing while that is off."""
        on = {
            CollectionKind.STUDIO: self.studios,
            CollectionKind.GROUP: self.groups,
            CollectionKind.PERFORMER: self.performers,
            CollectionKind.TAG: bool(self.tags),
            CollectionKind.RATING: self.ratings,
            CollectionKind.ORGANIZED: self.organized,
        }
        return frozenset(kind for kind, is_on in on.items() if is_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowsConfig:
    """`[shows]`."""

    studios: bool = setting(
        FLAG,
        meaning="A show whose linked episodes are all of one studio gets that studio's name, "
        "details and picture, and so do those of its seasons that are a year.",
    )
    title: Policy = kept_policy("the title of a show")
    season_title: Policy = kept_policy("the title of a season")
    summary: Policy = kept_policy("the summary of both: the studio's details")
    poster: Policy = kept_policy("the poster of both: the studio's picture")
    name: str = setting(SHOW_TITLE, meaning="What a show is called, made of `{studio}`.")
    season_name: str = setting(
        SEASON_TITLE, meaning="What a season is called, made of `{year}` and `{studio}`."
    )

    @property
    def rules(self) -> ShowRules:
        """What shows and seasons are called."""
        return ShowRules(
            show=parse_template(self.name, SHOW_WORDS),
            season=parse_template(self.season_name, SEASON_WORDS),
        )
