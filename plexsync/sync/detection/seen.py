"""What a run saw of the things that wake scenes, as the next one compares it; see `plex_changes`.

Source: docs/design.md, "Knowing what is in Plex"; docs/plex-api.md 3 (change signals).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.models import SceneId, Server, id_order
from plexsync.planning.retry_schedule import is_past, is_search_due
from plexsync.plex.connection import named_library
from plexsync.sync.stash_needs import shows_address
from plexsync.text.folding import short_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from plexsync.config.configuration import Config
    from plexsync.models import SceneRecord, Section
    from plexsync.state import Session, State

KEY = "seen"
"""Under which the state remembers it."""
UNREAD_KEY = "unread-hashes"
"""Under which the state remembers the scenes that are to be matched once more: see `Unread`."""

_DIGITS = 16

_LIST_EVERY_S = 3600.0
"""Seconds between two looks at items where Plex changed and nothing says that it scanned.

What moves which of its counters is not documented: a scan of a single folder may not count.
"""

_RECORDS = "2"
"""Moves when records hold more than they used to, so that a full run fills them in."""

_MATCHING = "2"
"""Moves when matching decides more than it used to, so that all that waits is tried again."""


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Digests, compared for inequality, and times.

    Attributes:
        library: moves when the configuration may match otherwise.
        fields: moves when the configuration wants other values in Plex.
        scans: moves when Plex scanned a library, or it is another one: a hint that its items may
            have changed.
        items: names the list of Plex's items all that wait were compared with; see
            `plex_index.Edition`.
        counters: when that list was had; moves when anything may have changed in a library.
        listed_at: ISO time of that.
        files_at: ISO time of the last complete look at the files of all scenes.
        sections: ids of the libraries that took part.
        own: those of them with fields of their own, with what the configuration calls each.
        look: the mark of Stash before all that it shows was handled, where marks are compared; see
            `glance`.
        swept_at: ISO time of the last complete look at all versions, where marks are compared.
        plex: the server Plex called itself then.
        at_rest: digest of all versions and records when no scene was due for its version.
    """

    library: str = ""
    fields: str = ""
    scans: str = ""
    items: str = ""
    counters: str = ""
    listed_at: str = ""
    files_at: str = ""
    sections: tuple[str, ...] = ()
    own: dict[str, str] = {}
    look: str = ""
    swept_at: str = ""
    plex: Server | None = None
    at_rest: str = ""

    @property
    def rules(self) -> tuple[object, ...]:
        """What the configuration asks for in the libraries there are."""
        return self.library, self.fields, self.own

    def matches_as(self, other: Seen) -> bool:
        """Whether scenes and items match by the same rules."""
        return self.library == other.library

    def wants_as(self, other: Seen) -> bool:
        """Whether the same values are wanted in every library that takes part in both."""
        both = set(self.sections).intersection(other.sections)
        return self.fields == other.fields and all(
            self.own.get(section) == other.own.get(section) for section in both
        )


def seen_at_once(config: Config, sections: Sequence[Section]) -> Seen:
    """Return what there is to see without asking for items."""
    library = [f"{rule.stash}\x1f{rule.plex}" for rule in config.paths]
    library.append(repr(config.match))
    library.append(_MATCHING)
    fields = [repr(rule) for rule in (*config.fields, *config.libraries)]
    fields += [repr(config.apply.rules), repr(config.participants)]
    fields += [repr(sorted(config.stash.needed)), _RECORDS]
    # Records have to tell what is collected, and what was left alone is looked at once more.
    fields += [repr(config.collections)] if config.collections.kinds else []
    fields += [repr(config.shows)] if config.shows.studios else []
    fields += ["organized"] if config.stash.organized_only else []
    fields += [config.stash.url] if shows_address(config) else []
    titles = {one.section_id: one.title for one in sections}
    return Seen(
        library=digest(library),
        fields=digest(fields),
        scans=digest(f"{one.uuid}{one.scanned_at}" for one in sections),
        counters=digest(
            f"{one.uuid}\x1f{one.content_changed_at}\x1f{one.scanned_at}\x1f{one.updated_at}"
            for one in sections
        ),
        sections=tuple(sorted(titles)),
        own={
            section: one.library
            for one in config.libraries
            for section in named_library(one.library, titles)
        },
    )


def is_list_due(
    before: Seen, now: Seen, waiting: Iterable[tuple[SceneId, SceneRecord]], moment: datetime
) -> bool:
    """Whether Plex's items have to be compared with those that were seen `before`.

    They have where Plex scanned, and where it changed at all if the time of a scene without
    candidate has come, or an hour has passed.
    """
    if before.scans != now.scans:
        return True
    moved = before.counters != now.counters
    late = is_past(before.listed_at, _LIST_EVERY_S, moment)
    return moved and (late or is_search_due(waiting, moment))


def forget_seen(session: Session) -> None:
    """Have the next whole run look at all items once more: some scenes saw a part of them only."""
    seen = session.state.decision(KEY, Seen)
    if seen is not None and (seen.items or seen.scans):
        session.decide(KEY, msgspec.structs.replace(seen, items="", scans=""))


def forget_rules(session: Session, before: Seen, now: Seen) -> None:
    """Have the next whole run look at everything if this one goes by other rules than `before`.

    No record tells what it wrote by them should it end early, or be of some scenes only, and the
    configuration be put back.
    """
    forgotten = msgspec.structs.replace(
        before,
        library=before.library if before.matches_as(now) else "",
        fields=before.fields if before.wants_as(now) else "",
    )
    if forgotten != before:
        session.decide(KEY, forgotten)


def digest(parts: Iterable[str]) -> str:
    """Return one digest of several texts, in their order."""
    return short_digest("\x1e".join(parts), _DIGITS)


# ---- scenes to be matched once more --------------------------------------------------------------


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Scenes that are to be matched once more beside their links.

    A content hash that no run had read yet could decide otherwise, or a scene that was due and not
    looked at.
    """

    scenes: tuple[SceneId, ...] = ()


def read_unread(state: State) -> frozenset[SceneId]:
    """Return the scenes that are to be matched once more: see `Unread`."""
    return frozenset((state.decision(UNREAD_KEY, Unread) or Unread()).scenes)


def note_unread(session: Session, scenes: AbstractSet[SceneId]) -> None:
    """Remember which scenes are to be matched once more, so that the next run goes on with them."""
    if scenes != read_unread(session.state):
        ranked = tuple(sorted(scenes, key=id_order))
        session.decide(UNREAD_KEY, Unread(scenes=ranked) if ranked else None)
