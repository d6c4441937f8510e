"""What a review does beside answering: search, find, open and configure."""

from __future__ import annotations

import os
import webbrowser
from typing import TYPE_CHECKING

from plexsync.config.editing import add_path_rule, remove_path_rule
from plexsync.config.keys import ENV_PATHS
from plexsync.errors import ConfigError, ParseError
from plexsync.models import RatingKey
from plexsync.plex.connection import item_address
from plexsync.plex.index import cached_items, cached_libraries
from plexsync.review.interfaces import MOST_HITS, Hit
from plexsync.review.queue import first_path
from plexsync.text.normalize import fold
from plexsync.text.toml import rule_table
from plexsync.text.words import named_rating_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import PathRule, PlexItem, SceneId
    from plexsync.review.context import ReviewContext
    from plexsync.state import Waiting


class ReviewActions:
    """Searches, finds, opens and configures; see `review.ActionsPort`.

    Args:
        context: what there is.
    """

    def __init__(self, context: ReviewContext) -> None:
        self._context, self._config = context, context.servers.config
        self._items: tuple[PlexItem, ...] | None = None
        self._libraries: Mapping[str, str] = {}
        self._added: list[PathRule] = []

    def search(self, text: str) -> tuple[tuple[Hit, ...], int]:
        """Every word must be in title or path, case aside; short titles first."""
        wanted = fold(text).split()
        found = []
        for item in self._listing():
            where = fold(f"{item.title}\x00{first_path(item)}")
            if item.files and not item.trashed and all(word in where for word in wanted):
                found.append(item)
        found.sort(key=lambda item: (len(item.title), item.title, item.rating_key))
        return tuple(map(self._hit, found[:MOST_HITS])), len(found)

    def find(self, text: str) -> Hit:
        """From the listing, else from Plex itself.

        Raises:
            ConfigError: it is neither a rating key nor an address with one.
            ServerError: Plex has no such item, or is away.
        """
        try:
            key = named_rating_key(text)
        except ParseError as error:
            raise ConfigError("That is neither a rating key nor a Plex address") from error
        for item in self._listing():
            if item.rating_key == key and item.files and not item.trashed:
                return self._hit(item)
        return self._hit(self._context.servers.item(RatingKey(key)))

    def browse(self, scene_id: SceneId, rating_key: RatingKey | None) -> str:
        """Open both where there is a screen; else say where they are."""
        addresses = [self._context.scene_url(scene_id)]
        if rating_key is not None:
            machine = self._context.answers.state.lineage.plex
            addresses.append(item_address(self._config.plex.url.rstrip("/"), machine, rating_key))
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            for address in addresses:
                webbrowser.open(address)
        return "  ".join(addresses)

    def rules(self) -> Sequence[PathRule]:
        """Those of the configuration, and those added since."""
        return (*self._config.paths, *self._added)

    def settled(self, rule: PathRule, waiting: Sequence[Waiting]) -> frozenset[SceneId]:
        """Match them again with the rule, against the listing a run kept; asks nobody."""
        scenes = [one.scene for one in waiting]
        rules = (*self.rules(), rule)
        state = self._context.answers.state
        return self._context.servers.settled(scenes, self._listing(), state, rules=rules)

    def add_rule(self, rule: PathRule) -> str:
        """Append it to the configuration file.

        Raises:
            ConfigError: there is no file, or rules do not come from it.
        """
        source = self._config.source
        if source is None or ENV_PATHS in os.environ:
            where = f"{ENV_PATHS} is set" if source else "there is no configuration file"
            raise ConfigError(
                f"{where}, so the rule has to be added by hand", hint=rule_table(rule)
            )
        add_path_rule(source, rule)
        self._added.append(rule)
        return f"Added to {source}. u takes it out again."

    def remove_rule(self, rule: PathRule) -> None:
        """Take it out of the file.

        Raises:
            ConfigError: the file was changed since.
        """
        if self._config.source is not None:
            remove_path_rule(self._config.source, rule)
        self._added.remove(rule)

    def _listing(self) -> tuple[PlexItem, ...]:
        """Return what is kept of the libraries that take part; others may have done so once."""
        if self._items is None:
            machine = self._context.answers.state.lineage.plex
            cache_dir = self._context.servers.cache_dir
            self._libraries = cached_libraries(cache_dir, machine)
            names = {name.strip().casefold() for name in self._config.plex.libraries}
            items = cached_items(cache_dir, machine)
            self._items = tuple(
                item for item in items if not names or self._libraries.get(item.section_id) in names
            )
        return self._items

    def _hit(self, item: PlexItem) -> Hit:
        return Hit(item=item, library=self._libraries.get(item.section_id, ""))
