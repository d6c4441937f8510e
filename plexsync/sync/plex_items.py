"""What is in Plex, had once a run: from the cache where that can be trusted, else listed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from plexsync.errors import ServerError
from plexsync.plex.index import Index, IndexLoader
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import PlexItem, Section
    from plexsync.plex.hash_cache import HashCache
    from plexsync.sync.run_scope import RunScope


@dataclass(slots=True)
class Inventory:
    """The items of the libraries that take part.

    Args:
        scope: the run; it knows the server, and receives what is wrong with the cache.
        sections: the libraries.

    Attributes:
        had: the list, once somebody needed it.
        failure: why the list cannot be had, although Plex answers; None while it can.
    """

    scope: RunScope
    sections: Sequence[Section]
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
        ports, totals = self.scope.ports, self.scope.totals
        reporter = totals.reporter
        try:
            had = IndexLoader(
                client=ports.plex,
                cache_dir=ports.cache_dir,
                machine=self._machine(),
                now=ports.now(),
                force=force,
                progress=lambda done, total: reporter.progress("listing Plex", done, total),
            ).load(self.sections, self._check_lost)
        except ServerError as error:
            if len(self.sections) == 1 or ports.ends_run(error):
                raise
            self.failure = error
            return None
        for note in (had.problem, *had.notes):
            if note:
                reporter.warn(note)
        self.had = had
        totals.index = had.how
        return had

    def _machine(self) -> str:
        plex = self.scope.totals.header.plex
        return plex.identity if plex else ""

    def _check_lost(self, items: Sequence[PlexItem], sections: frozenset[str]) -> None:
        """Hold that most of what was linked is still there, under whatever key.

        Raises:
            UnsafeError: it is not.
        """
        if self.scope.options.force:
            return
        known = chain.from_iterable(own for _, own in self.scope.state.links())
        linked = [link for link in known if link.section_id in sections]
        keys = {item.rating_key for item in (items if linked else ())}
        lost = [link for link in linked if link.rating_key not in keys]
        if lost:
            paths = {normalize_path(file.path) for item in items for file in item.files}
            lost = [link for link in lost if normalize_path(link.path) not in paths]
        self.scope.limits().check_lost(len(lost), len(linked), empty=not items)

    def hashes(self) -> HashCache:
        """Return the content hashes of the items' files, read where they are not known.

        A run that links everything reads all that can decide, so that the next one like it has
        nothing left to do.
        """
        from plexsync.plex.hash_cache import (  # noqa: PLC0415 - few runs need a hash
            MOST_REQUESTS,
            HashCache,
        )

        ports, header = self.scope.ports, self.scope.totals.header
        whole = header.full and not header.dry_run
        return HashCache(
            ask=ports.plex.hashes,
            server=self._machine(),
            directory=ports.cache_dir,
            left=math.inf if whole else MOST_REQUESTS,
        )
