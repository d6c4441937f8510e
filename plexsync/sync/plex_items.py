"""What is in Plex, had once a run: from the cache where that can be trusted, else listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.plex.hash_cache import HashCache
from plexsync.plex.index import load_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import Section
    from plexsync.plex.index import Index
    from plexsync.sync.ports import Ports
    from plexsync.sync.totals import Tally


class Inventory:
    """The items of the libraries that take part.

    Args:
        ports: the world.
        sections: the libraries.
        tally: knows the server, is told how the list was had, and what is wrong with the cache.

    Attributes:
        had: the list, once somebody needed it.
    """

    def __init__(self, ports: Ports, sections: Sequence[Section], tally: Tally) -> None:
        self.had: Index | None = None
        self._ports = ports
        self._sections = sections
        self._tally = tally
        plex = tally.header.plex
        self._machine = plex.identity if plex else ""

    @property
    def section_ids(self) -> frozenset[str]:
        """The ids of the libraries."""
        return frozenset(section.section_id for section in self._sections)

    def index(self, *, force: bool = False) -> Index:
        """The list; `force` has it anew.

        Raises:
            ServerError: it cannot be had as a whole.
        """
        if self.had is not None and not force:
            return self.had
        reporter = self._tally.reporter
        self.had = load_items(
            self._ports.plex,
            self._sections,
            cache_dir=self._ports.cache_dir,
            machine=self._machine,
            now=self._ports.now(),
            force=force,
            progress=lambda done, total: reporter.progress("listing Plex", done, total),
        )
        if self.had.problem:
            reporter.warn(self.had.problem)
        self._tally.index = self.had.how
        return self.had

    def hashes(self) -> HashCache:
        """The content hashes of the items' files, read where they are not known."""
        return HashCache(
            self._ports.plex.hashes, server=self._machine, directory=self._ports.cache_dir
        )
