"""Where a Stash is, and what it says of itself: whether it is ready, and what it lacks."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from plexsync.errors import BadResponseError, ServerError
from plexsync.models import SceneId, Server, StashField, is_show_key, source_in
from plexsync.stash.decode import Version, version_of
from plexsync.text.folding import short_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from plexsync.stash.answers import NotUnderstoodError
    from plexsync.stash.wire import WireLook, WireReadiness

GRAPHQL = "/graphql"

OLDEST_VERSION = (0, 27)
NEWEST_VERSION = (0, 30)
"""The newest Stash with a schema known here. Source: docs/stash-api.md."""

OLDEST_SCHEMA = 67
"""The database schema of v0.27.0. Source: docs/stash-api.md 7."""

_NOT_READY = {
    "SETUP": ("Stash is not set up yet", "set it up"),
    "NEEDS_MIGRATION": (
        "Stash was upgraded and waits for its database to be migrated",
        "start the migration",
    ),
}
_SHOWN = 300
_DIGITS = 16
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})")
_INNER = {"ScenePathsType.screenshot": StashField.COVER, "SceneGroup.group": StashField.GROUPS}
"""What lies within a field, and is of no use without it."""


def scene_address(url: str, scene_id: SceneId) -> str:
    """Where a person finds a scene in Stash, or what a collection is made from; "" for neither."""
    if is_show_key(scene_id):
        return ""
    if source := source_in(scene_id):
        return f"{url}/{source.kind}s/{source.number}" if source.related else url
    return f"{url}/scenes/{scene_id}"


def stash_headers(api_key: str) -> dict[str, str]:
    """Return the headers a Stash transport sends with every request.

    A Stash without a login refuses every key, so none is sent when none is configured.
    Source: docs/stash-api.md 1.3.
    """
    return {"ApiKey": api_key} if api_key else {}


def check_ready(ready: WireReadiness, url: str) -> None:
    """Refuse to go on unless Stash is ready and new enough.

    Args:
        ready: what it says of itself.
        url: where a person finds it.

    Raises:
        ServerError: it is not. Source: docs/stash-api.md 1.5.
    """
    status = ready.systemStatus.status
    if status in _NOT_READY:
        problem, remedy = _NOT_READY[status]
        raise ServerError(problem, hint=f"open {url} ([stash] url) in a browser and {remedy}")
    if status != "OK":
        raise BadResponseError(f"Stash is in a state plexsync does not know: {status[:40]}")
    version = ready.version.version or ""
    if ready.systemStatus.appSchema < OLDEST_SCHEMA and _number(version) < OLDEST_VERSION:
        raise ServerError(
            f"Stash {version or 'of an unknown version'} is too old for plexsync",
            hint="upgrade Stash to v0.27.0 or newer, or let [stash] url lead to another one",
        )


def _number(version: str) -> tuple[int, int]:
    """Return the numbers a version text begins with. Own builds may say nothing, or anything."""
    found = _VERSION.match(version)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def lacking_fields(
    error: NotUnderstoodError, wanted: Collection[StashField]
) -> Iterator[StashField]:
    """Yield what an error says this Stash does not have, or not as it was."""
    for kind, name in error.fields():
        whole = f"{kind}.{name}"
        if whole in _INNER:
            yield _INNER[whole]
        yield from (
            one for one in wanted if one == whole or (not kind and one.endswith(f".{name}"))
        )


def not_understood(ready: WireReadiness, error: NotUnderstoodError) -> ServerError:
    """Return the error where Stash lacks something that every run needs."""
    version = ready.version.version or ""
    if _number(version) > NEWEST_VERSION:
        return BadResponseError(
            f"Stash {version} has another schema than plexsync knows: {error.words[:_SHOWN]}",
            hint="the Stash at [stash] url is newer than this plexsync: upgrade plexsync, or go "
            "back to the Stash before; nothing was written, and the next run tries again",
        )
    return error


class StashLook(NamedTuple):
    """What a look from afar shows.

    Attributes:
        server: what Stash says of itself.
        library: moves with nearly every change but an edit of a scene; see docs/detection.md for
            those it does not show.
        edited: the scenes edited last, the last one first.
    """

    server: Server
    library: str
    edited: tuple[Version, ...]

    @property
    def mark(self) -> str:
        """What moves with an edit, too."""
        return " ".join((self.library, *map(_entry, self.edited)))

    def is_of(self, mark: str) -> bool:
        """Whether nothing but edits of scenes came since an earlier look had `mark`."""
        return mark.partition(" ")[0] == self.library

    def lists_all_since(self, mark: str) -> bool:
        """Whether all edits since an earlier look had `mark` are listed.

        They come in the order of their edits, so none is missing where the last was listed so then.
        """
        return bool(self.edited) and _entry(self.edited[-1]) in mark.split(" ")[1:]


def _entry(one: Version) -> str:
    return short_digest(f"{one.scene_id} {one.updated_at}", _DIGITS)


def server_of(ready: WireReadiness, url: str) -> Server:
    """Return what is known of Stash by what it says of itself."""
    version = ready.version.version or ready.version.hash or ""
    return Server(url=url, version=version, identity=ready.systemStatus.databasePath or "")


def look_of(seen: WireLook, url: str) -> StashLook:
    """Return what a look from afar shows."""
    edited = (seen.edited.count, seen.edited.duration, seen.edited.filesize)
    lists = (seen.findTags, seen.findPerformers, seen.findStudios, seen.findGroups)
    parts = map(bytes, (*edited, seen.made, seen.uneven, *lists))
    library = blake2b(b"\x1e".join(parts), digest_size=8).hexdigest()
    latest = tuple([version_of(row) for row in seen.edited.scenes])
    return StashLook(server_of(seen, url), library, latest)
