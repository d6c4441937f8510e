"""What is in Plex, had once a run: from the cache where that can be trusted, else listed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import AuthError, ServerError
from plexsync.plex.index import Index, IndexLoader
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from plexsync.models import PlexItem, SceneId, Section
    from plexsync.planning.limits import Limits
    from plexsync.plex.hash_cache import HashCache
    from plexsync.state import LinkPlace
    from plexsync.sync.ports import Ports
    from plexsync.sync.run_scope import Totals


@dataclass(slots=True)
class Inventory:
    """The items of the libraries that take part.

    Args:
        ports: the world.
        sections: the libraries.
        totals: knows the server, counts the requests, and receives what is wrong with the cache.
        links: of each remembered scene that has any.
        limits: how many linked items may be gone at once; None lets all of them go.

    Attributes:
        had: the list, once somebody needed it.
        failure: why the list cannot be had, although Plex answers; None while it can.
    """

    ports: Ports
    sections: Sequence[Section]
    totals: Totals
    links: Callable[[], Iterable[tuple[SceneId, Sequence[LinkPlace]]]]
    limits: Limits | None
    had: Index | None = None
    failure: ServerError | None = None

    @property
    def section_ids(self) -> frozenset[str]:
        """The ids of the libraries."""
        return frozenset(section.section_id for section in self.sections)

    @property
    def libraries(self) -> dict[str, str]:
        """The titles of the libraries by id."""
        return {section.section_id: section.title for section in self.sections}

    @property
    def edition(self) -> str:
        """The name of the list, once somebody needed it."""
        return self.had.edition if self.had else ""

    def index(self, *, force: bool = False) -> Index | None:
        """Return the list, read again if `force`; None where a library cannot be listed.

        Raises:
            AuthError: Plex refuses us.
            ServerError: Plex is down.
            UnsafeError: so many linked items are gone that this cannot be all of Plex.
        """
        if self.failure is not None or (self.had is not None and not force):
            return None if self.failure else self.had
        reporter = self.totals.reporter
        try:
            had = IndexLoader(
                client=self.ports.plex,
                cache_dir=self.ports.cache_dir,
                machine=self._machine(),
                now=self.ports.now(),
                force=force,
                progress=lambda done, total: reporter.progress("listing Plex", done, total),
            ).load(self.sections, self._check_lost)
        except AuthError:
            raise
        except ServerError as error:
            if self.ports.plex_down() or len(self.sections) == 1:
                raise
            self.failure = error
            return None
        for note in (had.problem, *had.notes):
            if note:
                reporter.warn(note)
        self.had = had
        self.totals.index = had.how
        return had

    def _machine(self) -> str:
        plex = self.totals.header.plex
        return plex.identity if plex else ""

    def _check_lost(self, items: Sequence[PlexItem], sections: frozenset[str]) -> None:
        """Hold that most of what was linked is still there, under whatever key.

        Raises:
            UnsafeError: it is not.
        """
        if self.limits is None:
            return
        linked = [link for _, own in self.links() for link in own if link.section_id in sections]
        keys = {item.rating_key for item in (items if linked else ())}
        lost = [link for link in linked if link.rating_key not in keys]
        if lost:
            paths = {normalize_path(file.path) for item in items for file in item.files}
            lost = [link for link in lost if normalize_path(link.path) not in paths]
        self.limits.check_lost(len(lost), len(linked), empty=not items)

    def hashes(self) -> HashCache:
        """Return the content hashes of the items' files, read where they are not known.

        A run that links everything reads all that can decide, so that the next one like it has
        nothing left to do.
        """
        from plexsync.plex.hash_cache import (  # noqa: PLC0415 - few runs need a hash
            MOST_REQUESTS,
            HashCache,
        )

        header = self.totals.header
        whole = header.full and not header.dry_run
        return HashCache(
            ask=self.ports.plex.hashes,
            server=self._machine(),
            directory=self.ports.cache_dir,
            sent=lambda: self.ports.requests().plex_reads,
            left=math.inf if whole else MOST_REQUESTS,
        )
