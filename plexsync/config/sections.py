"""Every section with single keys: a dataclass each, with an attribute for each key.

To add a key, add an attribute: see `configuration.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from plexsync.config.forms import (
    ADDRESS,
    COLLECTION_SORT_TITLE,
    COLLECTION_TITLE,
    COUNT,
    DURATION,
    FIELD_NAMES,
    FLAG,
    FOLDERS,
    HEADERS,
    NAMES,
    NEW_FILE,
    SEASON_TITLE,
    SECRET,
    SECRETS,
    SHARE,
    SHOW_TITLE,
    STASH_ADDRESS,
    VERIFY,
    kept_policy,
    optional,
    setting,
    word_of,
    words_of,
)
from plexsync.models import CollectionKind, EmptyPolicy, Policy
from plexsync.planning import layout
from plexsync.planning.observed import Rules
from plexsync.planning.participation import STASH_ID
from plexsync.text.normalize import fold_tag
from plexsync.text.templates import parse_template

if TYPE_CHECKING:
    from pathlib import Path

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


class CopyPolicy(StrEnum):
    """What to do with byte-identical copies of a scene's file that are items of their own."""

    WRITE = "write"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchConfig:
    """`[match]`."""

    strict_matching: bool = setting(
        FLAG,
        "true",
        meaning="Only HIGH matches are applied. `false` applies the best LOW candidate too, "
        "marked as LOW, unless something contradicts it or it is below `match.least_low`.",
    )
    least_low: float = setting(
        SHARE,
        "0.9",
        meaning="The lowest score, above 0 and at most 1, of a LOW candidate that is applied when "
        "`match.strict_matching` is off.",
    )
    copies: CopyPolicy = setting(
        word_of(CopyPolicy),
        '"write"',
        meaning="What to do with a byte-identical copy of a scene's file that is another item: "
        '`"write"` writes to it as well, `"skip"` leaves it alone.',
    )
    use_content_hash: bool = setting(
        FLAG,
        "true",
        meaning="Compare Stash's oshash with Plex's hash of a file where that can decide. Costs "
        "requests to Plex for those files only.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig:
    """`[apply]`."""

    preserve_plex_edits: bool = setting(
        FLAG,
        "true",
        meaning="What a person typed into Plex stays, whatever the policy of the field. `false` "
        "gives Stash the last word. See [what was typed by hand](#what-was-typed-by-hand).",
    )
    lock_fields: bool = setting(
        FLAG,
        "true",
        meaning="Lock written fields in Plex, so that a metadata refresh does not undo them.",
    )
    max_changes: int = setting(
        COUNT,
        "500",
        meaning="If more items synced before than this would lose something in one run, these are "
        "held back, the rest is written, and the run ends with exit code 6. At least 1.",
    )
    max_clears: int = setting(
        COUNT,
        "150",
        meaning="The same for items that would lose a value and get no other: all of their tags, "
        "say. At least 1.",
    )
    max_share: float = setting(
        SHARE,
        "0.3",
        meaning="`max_changes` as a share of the items synced before, once they are 50; above 0, "
        "at most 1. Also the share of the scenes known from earlier runs that may be gone "
        "from Stash: see [safety limits](#safety-limits).",
    )
    empty: EmptyPolicy = setting(
        word_of(EmptyPolicy),
        '"own"',
        meaning='What a value that is empty in Stash does: `"own"` clears what plexsync wrote and '
        'nobody touched since, `"keep"` leaves Plex alone, `"clear"` empties it as the policy of '
        "the field would replace it. See [empty values](#empty-values).",
    )

    @property
    def rules(self) -> Rules:
        """The rules of planning these keys ask for."""
        return Rules(
            preserve_plex_edits=self.preserve_plex_edits,
            lock_fields=self.lock_fields,
            empty=self.empty,
        )


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
        FLAG, "true", meaning="A scene is also in the collections of the studios above its own."
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
    def rules(self) -> layout.CollectionRules:
        """What decides which collections there should be."""
        return layout.CollectionRules(
            kinds=self.kinds,
            parents=self.parent_studios,
            tags=frozenset(map(fold_tag, self.tags)),
            title=parse_template(self.title, layout.TITLE_WORDS),
            sort_title=parse_template(self.sort_title, layout.TITLE_WORDS)
            if self.sort_title
            else None,
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
        meaning="A show with all linked episodes of one studio gets that studio's name, "
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
    def rules(self) -> layout.ShowRules:
        """What shows and seasons are called."""
        return layout.ShowRules(
            show=parse_template(self.name, layout.SHOW_WORDS),
            season=parse_template(self.season_name, layout.SEASON_WORDS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """`[run]`; durations in seconds."""

    full_every_s: int = setting(
        DURATION,
        '"7d"',
        name="full_every",
        meaning='After how long a run looks at every scene again, changed or not. `"0s"` makes '
        "every run a full one.",
    )
    files_every_s: int = setting(
        DURATION,
        '"1d"',
        name="files_every",
        meaning='After how long a run looks at the files of every scene again. `"0s"` does so in '
        "every run. See [what is found when](detection.md).",
    )
    sweep_every_s: int | None = setting(
        optional(DURATION),
        name="sweep_every",
        meaning="For how long a run that nobody watches may go by a look at Stash from afar, one "
        "request, instead of the version of every scene. Without it every run looks at all of up "
        "to 20,000 scenes; of more, once an hour or when that look, the hook or Plex shows a "
        'change. `"0s"` does so in every run. See [what is found when](detection.md).',
    )
    keep_days: int = setting(
        COUNT,
        "90",
        meaning="For how many days the journal of a run that wrote something is kept, and with it "
        "`plexsync history` and `plexsync undo` of that run. At least 1.",
    )


class NotifyOn(StrEnum):
    """What a message is sent about."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    REVIEW = "review"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyConfig:
    """`[notify]`."""

    ping: Secret | None = setting(
        optional(SECRET),
        meaning="Address of a health check, such as one of healthchecks.io, a [secret](#secrets): "
        "`/start` is added when a run begins, the exit code when it failed, nothing when it ended "
        "well.",
    )
    urls: tuple[Secret, ...] = setting(
        SECRETS,
        meaning="Where messages go, one address of "
        "[apprise](https://github.com/caronc/apprise/wiki) each, such as `ntfy://topic`; "
        "[secrets](#secrets) all. Needs `pip install 'plexsync[notify]'`.",
    )
    on: tuple[NotifyOn, ...] = setting(
        words_of(NotifyOn),
        '["failure", "recovery"]',
        meaning="What a message is sent about: `failure`, once for an outage, `recovery` when it "
        "is over, `review` of new LOW matches, `changes` written to Plex.",
    )
    digest: bool = setting(
        FLAG,
        meaning="One message a day about `review` and `changes`, by the first run of the next "
        "day, instead of one after each run.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """`[metrics]`."""

    textfile: Path | None = setting(
        optional(NEW_FILE),
        meaning="A file for the textfile collector of node_exporter, written after each run; its "
        "name ends with `.prom`. Needs `pip install 'plexsync[metrics]'`.",
    )
