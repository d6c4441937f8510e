"""The two servers: `[stash]`, with the scenes that take part, and `[plex]`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from plexsync.config.forms import (
    ADDRESS,
    FIELD_NAMES,
    FLAG,
    FOLDERS,
    HEADERS,
    NAMES,
    SECRET,
    STASH_ADDRESS,
    VERIFY,
    word_of,
)
from plexsync.config.keys import optional, setting
from plexsync.planning.participation import STASH_ID

if TYPE_CHECKING:
    from plexsync.config.secrets import Secret


class MissingTimestamp(StrEnum):
    """What to do with a scene without a usable `updated_at`."""

    SYNC = "sync"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class StashConfig:
    """`[stash]`."""

    url: str = setting(
        STASH_ADDRESS,
        required=True,
        meaning="Address of Stash, with or without `/graphql`; a sub-path is fine. No user name, "
        "password or key in it.",
    )
    api_key: Secret | None = setting(
        optional(SECRET),
        meaning="A [secret](#secrets). Leave it out if Stash has no password: Stash refuses a key "
        "it did not give.",
    )
    verify: bool | str = setting(
        VERIFY,
        meaning="Check the certificate of an https address. The name of a PEM file trusts the "
        "certificates in it; `false` trusts any.",
    )
    headers: tuple[tuple[str, Secret], ...] = setting(
        HEADERS,
        meaning="Headers sent with every request to Stash, for a proxy before it that asks for "
        "credentials: each value a [secret](#secrets).",
    )
    proxy: bool = setting(
        FLAG,
        meaning="Reach Stash through the proxy the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, "
        "`NO_PROXY`).",
    )
    organized_only: bool = setting(FLAG, meaning="Only scenes marked as organized take part.")
    require_stash_id: bool = setting(
        FLAG, meaning="A scene waits, unmentioned, until a stash-box has identified it."
    )
    include_tags: tuple[str, ...] = setting(
        NAMES,
        meaning="Only scenes with one of these tags, or a tag below one, take part. None lets "
        "every scene in. See [which scenes take part](#which-scenes-take-part).",
    )
    exclude_tags: tuple[str, ...] = setting(
        NAMES, meaning="Scenes with one of these tags, or a tag below one, take no part."
    )
    include_studios: tuple[str, ...] = setting(
        NAMES, meaning="Only scenes of one of these studios, or of a studio below one, take part."
    )
    exclude_studios: tuple[str, ...] = setting(
        NAMES, meaning="Scenes of one of these studios, or of a studio below one, take no part."
    )
    include_paths: tuple[str, ...] = setting(
        FOLDERS,
        meaning="Only scenes with a file in one of these folders, as Stash sees them, take part.",
    )
    exclude_paths: tuple[str, ...] = setting(
        FOLDERS, meaning="Scenes with a file in one of these folders take no part."
    )
    required: tuple[str, ...] = setting(
        FIELD_NAMES,
        meaning='A scene waits, unmentioned, until it has a value for each of these: `"title"`, '
        '`"summary"`, `"date"`, `"studio"`, `"performers"`, `"tags"`, `"url"`.',
    )
    missing_timestamp: MissingTimestamp = setting(
        word_of(MissingTimestamp),
        '"sync"',
        meaning='What to do with a scene without a usable `updated_at`: `"sync"` compares it '
        'every time, `"skip"` leaves it out.',
    )

    @property
    def needed(self) -> frozenset[str]:
        """Everything a scene needs a value for."""
        return frozenset(self.required) | ({STASH_ID} if self.require_stash_id else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlexConfig:
    """`[plex]`."""

    url: str = setting(
        ADDRESS,
        required=True,
        meaning="Address of the Plex server: not of the web app, and without a token in it.",
    )
    token: Secret = setting(
        SECRET,
        required=True,
        meaning="The server owner's token, a [secret](#secrets). A shared user's token can read "
        "but not write.",
    )
    verify: bool | str = setting(VERIFY, meaning="As `stash.verify`.")
    headers: tuple[tuple[str, Secret], ...] = setting(
        HEADERS, meaning="As `stash.headers`, to Plex."
    )
    proxy: bool = setting(FLAG, meaning="As `stash.proxy`, to Plex.")
    libraries: tuple[str, ...] = setting(
        NAMES,
        meaning="Titles of the libraries to write to, or their ids. None means every movie and "
        "show library.",
    )
    scan: bool = setting(
        FLAG,
        meaning="Ask Plex to scan the folder of a scene it does not have yet. Each folder once a "
        "run, a few folders a run, and less often the longer nothing comes of it.",
    )
    subset: bool = setting(
        FLAG,
        meaning="Plex is meant to hold only a part of Stash: scenes without a candidate are not "
        "mentioned in the summary, and without news from Plex they are tried once a week.",
    )
