"""What undoes and saved plans hand over: an item each, with what was decided about it earlier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from plexsync.models import Outcome
from plexsync.sync.pictures.plan import NOTHING, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.models import (
        Change,
        ItemDetail,
        ItemPlan,
        Link,
        PictureBase,
        PlexField,
        Scene,
    )
    from plexsync.state import RunKind, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one item needs now.

    Args:
        changes: what to write.
        agreed: what needs no writing because Plex shows it; remembered like what was written.
        wanted: the pictures to write.
        pictures: what is known of those that need no writing.
        outcome: of the row when there is nothing to write.
        note: a few words for the row.
    """

    changes: tuple[Change, ...] = ()
    agreed: tuple[Change, ...] = ()
    wanted: Wanted = NOTHING
    pictures: Mapping[PlexField, PictureBase] = field(default_factory=dict)
    outcome: Outcome = Outcome.UNCHANGED
    note: str = ""


class Errand(Protocol):
    """One item that is to be written."""

    @property
    def plan(self) -> ItemPlan:
        """Which item, with which file, and what was decided about it."""

    @property
    def scene(self) -> Scene:
        """The scene, as far as it is known."""

    @property
    def reason(self) -> str:
        """Why the item is written, for its row."""

    def link(self, known: Link | None) -> Link:
        """The link to the item, given what is remembered of it."""

    def decide(self, detail: ItemDetail, link: Link) -> Decision:
        """Compare with a fresh read.

        Raises:
            ServerError: what else has to be known cannot be asked.
        """

    def conclude(self, link: Link, outcome: Outcome, session: Session, /) -> None:
        """Remember how it ended. `link` knows what Plex was seen to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What is replayed, in the words of its use case.

    Args:
        kind: of run.
        headline: stands over what is shown; `{}` becomes `12 items`.
        stale: what to say if not one item could be done because each is otherwise by now.
    """

    kind: RunKind
    headline: str
    stale: str
