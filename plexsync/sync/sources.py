"""What an object of Stash gives to something in Plex that is no scene's item.

A collection, a show and a season get their texts and pictures from a studio, a group and so on,
which has a version of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.models import FieldRule, FieldRules, PlexField, Policy
from plexsync.sync.execution.pictures.plan import Artwork
from plexsync.text.folding import short_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import RelatedId, SceneDetail
    from plexsync.stash_client import StashClient
    from plexsync.sync.context import RunContext

_DIGITS = 16


class SourcedWork(Protocol):
    """Work on something that an object of Stash gives its texts and its picture."""

    summary: str
    """What its summary is to be."""
    source: SceneDetail
    """The object, as its picture is compared."""

    @property
    def related(self) -> RelatedId | None:
        """The object; None for none."""


def ask_sources(stash: StashClient, works: Sequence[SourcedWork]) -> None:
    """Have the objects of works say their texts and pictures.

    Raises:
        ServerError: Stash cannot say.
    """
    wanted = dict.fromkeys(work.related for work in works if work.related)
    known = stash.objects(tuple(wanted)) if wanted else {}
    for work in works:
        if work.related in known:
            seen = known[work.related]
            work.summary = seen.text
            work.source = replace(work.source, cover_path=seen.image_path)


def wanted_digest(stash: StashClient, stamp: str, *parts: str) -> str:
    """Return one digest of all that is wanted; "" while the object may hide another edit.

    Args:
        stash: knows its own time.
        stamp: the version of the object; "" for none.
        parts: everything else that decides.
    """
    if stamp and not stash.is_settled(stamp):
        return ""
    return short_digest("\x1d".join((*parts, stamp)), _DIGITS)


def poster_artwork(run: RunContext, name: str, policy: Policy, *, taken: frozenset[str]) -> Artwork:
    """Return what compares posters with the pictures of objects.

    Args:
        run: what the run is about.
        name: what the poster is called in rows.
        policy: of it.
        taken: the names of fields in which Stash has the last word for once.
    """
    rule = FieldRule(name=name, policy=policy, to=PlexField.POSTER)
    return Artwork(
        run.ports.stash,
        run.ports.plex.pictures,
        rules=FieldRules(common=() if policy is Policy.OFF else (rule,), by_section={}),
        preserve=run.config.apply.preserve_plex_edits,
        taken=taken,
        compare_all=run.compares_all,
        asked_for=run.is_asked_for,
        servers_down=run.ports.health.servers_down,
        coverless=frozenset(),
    )
