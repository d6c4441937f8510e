"""Every section with single keys: a dataclass each, with an attribute for each key.

To add a key, add an attribute: see `configuration.py`.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from plexsync.config.forms import (
    ADDRESS,
    COLLECTION_SORT_TITLE,
    COLLECTION_TITLE,
    DURATION,
    FIELD_NAMES,
    FOLDERS,
    NEW_FILE,
    SEASON_TITLE,
    SHOW_TITLE,
    STASH_ADDRESS,
    kept_policy,
    setting,
)
from plexsync.config.secrets import Secret
from plexsync.models import CollectionKind, EmptyPolicy, Policy
from plexsync.planning import layout
from plexsync.planning.observed import Rules
from plexsync.planning.participation import STASH_ID
from plexsync.text.normalize import fold_tag
from plexsync.text.templates import parse_template


class MissingTimestamp(StrEnum):
    """What to do with a scene without a usable `updated_at`."""

    SYNC = "sync"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class StashConfig:
    """`[stash]`."""

    url: str = setting(
        "Address of Stash, with or without `/graphql`; a sub-path is fine. No user name, "
        "password or key in it.",
        STASH_ADDRESS,
        required=True,
    )
    api_key: Secret | None = setting(
        "A [secret](#secrets). Leave it out if Stash has no password: Stash refuses a key "
        "it did not give."
    )
    verify: bool | str = setting(
        "Check the certificate of an https address. The name of a PEM file trusts the "
        "certificates in it; `false` trusts any."
    )
    headers: tuple[tuple[str, Secret], ...] = setting(
        "Headers sent with every request to Stash, for a proxy before it that asks for "
        "credentials: each value a [secret](#secrets)."
    )
    proxy: bool = setting(
        "Reach Stash through the proxy the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, "
        "`NO_PROXY`)."
    )
    organized_only: bool = setting("Only scenes marked as organized take part.")
    require_stash_id: bool = setting(
        "A scene waits, unmentioned, until a stash-box has identified it."
    )
    include_tags: tuple[str, ...] = setting(
        "Only scenes with one of these tags, or a tag below one, take part. None lets "
        "every scene in. See [which scenes take part](#which-scenes-take-part)."
    )
    exclude_tags: tuple[str, ...] = setting(
        "Scenes with one of these tags, or a tag below one, take no part."
    )
    include_studios: tuple[str, ...] = setting(
        "Only scenes of one of these studios, or of a studio below one, take part."
    )
    exclude_studios: tuple[str, ...] = setting(
        "Scenes of one of these studios, or of a studio below one, take no part."
    )
    include_paths: tuple[str, ...] = setting(
        "Only scenes with a file in one of these folders, as Stash sees them, take part.", FOLDERS
    )
    exclude_paths: tuple[str, ...] = setting(
        "Scenes with a file in one of these folders take no part.", FOLDERS
    )
    required: tuple[str, ...] = setting(
        'A scene waits, unmentioned, until it has a value for each of these: `"title"`, '
        '`"summary"`, `"date"`, `"studio"`, `"performers"`, `"tags"`, `"url"`.',
        FIELD_NAMES,
    )
    missing_timestamp: MissingTimestamp = setting(
        'What to do with a scene without a usable `updated_at`: `"sync"` compares it '
        'every time, `"skip"` leaves it out.',
        default='"sync"',
    )

    @property
    def needed(self) -> frozenset[str]:
        """Everything a scene needs a value for."""
        return frozenset(self.required) | ({STASH_ID} if self.require_stash_id else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlexConfig:
    """`[plex]`."""

    url: str = setting(
        "Address of the Plex server: not of the web app, and without a token in it.",
        ADDRESS,
        required=True,
    )
    token: Secret = setting(
        "The server owner's token, a [secret](#secrets). A shared user's token can read "
        "but not write.",
        required=True,
    )
    verify: bool | str = setting("As `stash.verify`.")
    headers: tuple[tuple[str, Secret], ...] = setting("As `stash.headers`, to Plex.")
    proxy: bool = setting("As `stash.proxy`, to Plex.")
    libraries: tuple[str, ...] = setting(
        "Titles of the libraries to write to, or their ids. None means every movie and "
        "show library."
    )
    scan: bool = setting(
        "Ask Plex to scan the folder of a scene it does not have yet. Each folder once a "
        "run, a few folders a run, and less often the longer nothing comes of it."
    )
    subset: bool = setting(
        "Plex is meant to hold only a part of Stash: scenes without a candidate are not "
        "mentioned in the summary, and without news from Plex they are tried once a week."
    )


class CopyPolicy(StrEnum):
    """What to do with byte-identical copies of a scene's file that are items of their own."""

    WRITE = "write"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchConfig:
    """`[match]`."""

    strict_matching: bool = setting(
        "Only HIGH matches are applied. `false` applies the best LOW candidate too, "
        "marked as LOW, unless something contradicts it or it is below `match.least_low`.",
        default="true",
    )
    least_low: float = setting(
        "The lowest score, above 0 and at most 1, of a LOW candidate that is applied when "
        "`match.strict_matching` is off. Below 0.5 two scenes may claim one item, and which gets "
        "it depends on which of them is looked at.",
        default="0.9",
    )
    copies: CopyPolicy = setting(
        "What to do with a byte-identical copy of a scene's file that is another item: "
        '`"write"` writes to it as well, `"skip"` leaves it alone.',
        default='"write"',
    )
    use_content_hash: bool = setting(
        "Compare Stash's oshash with Plex's hash of a file where that can decide. Costs "
        "requests to Plex for those files only.",
        default="true",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig:
    """`[apply]`."""

    preserve_plex_edits: bool = setting(
        "What a person typed into Plex stays, whatever the policy of the field. `false` "
        "gives Stash the last word. See [what was typed by hand](#what-was-typed-by-hand).",
        default="true",
    )
    lock_fields: bool = setting(
        "Lock written fields in Plex, so that a metadata refresh does not undo them.",
        default="true",
    )
    max_changes: int = setting(
        "If more items synced before than this would lose something in one run, these are "
        "held back, the rest is written, and the run ends with exit code 6. At least 1.",
        default="500",
    )
    max_clears: int = setting(
        "The same for items that would lose a value and get no other: all of their tags, "
        "say. At least 1.",
        default="150",
    )
    max_share: float = setting(
        "`max_changes` as a share of the items synced before, once they are 50; above 0, "
        "at most 1. Also the share of the scenes known from earlier runs that may be gone "
        "from Stash: see [safety limits](#safety-limits).",
        default="0.3",
    )
    empty: EmptyPolicy = setting(
        'What a value that is empty in Stash does: `"own"` clears what plexsync wrote and '
        'nobody touched since, `"keep"` leaves Plex alone, `"clear"` empties it as the policy of '
        "the field would replace it. See [empty values](#empty-values).",
        default='"own"',
    )

    @property
    def rules(self) -> Rules:
        """The rules of planning these keys ask for."""
        return msgspec.convert(self, Rules, from_attributes=True)


class CollectionMode(StrEnum):
    """How a collection and its items are shown. Source: docs/plex-api.md 11."""

    LIBRARY = "library"
    HIDE = "hide"
    HIDE_ITEMS = "hide_items"
    SHOW_ITEMS = "show_items"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionsConfig:
    """`[collections]`."""

    studios: bool = setting("A collection for each studio: its name, details and picture.")
    parent_studios: bool = setting(
        "A scene is also in the collections of the studios above its own.", default="true"
    )
    groups: bool = setting("A collection for each group: its name, synopsis and front cover.")
    performers: bool = setting("A collection for each performer: name, details and photo.")
    tags: tuple[str, ...] = setting(
        "A collection for each of these tags: its name, description and picture. Whole "
        "names; case does not matter. Scenes with a tag below one are in it if "
        "`fields.tags.parents` is on."
    )
    ratings: bool = setting("A collection for each rating, in whole stars: `4 stars`.")
    organized: bool = setting("A collection of the scenes marked as organized.")
    title: str = setting(
        "What a collection is called, made of `{name}` and `{kind}`, which is `studio`, "
        "`group`, `performer`, `tag`, `rating` or `organized`. Of two with one title in a library "
        "only the first kind of this list gets it.",
        COLLECTION_TITLE,
    )
    sort_title: str = setting(
        "What it is sorted by, made of the same; empty: what Plex makes of the title.",
        COLLECTION_SORT_TITLE,
    )
    summary: Policy = kept_policy("the summary")
    poster: Policy = kept_policy("the poster")
    mode: CollectionMode = setting(
        'How it is shown: `"hide"` hides it, `"hide_items"` its items, `"show_items"` '
        'shows both; `"library"` leaves that to the library, and to you.',
        default='"library"',
    )
    take_over: tuple[str, ...] = setting(
        "Titles of collections that were there before plexsync, and that it may fill and "
        "edit all the same. Whole titles; case does not matter."
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
        "A show with all linked episodes of one studio gets that studio's name, "
        "details and picture, and so do those of its seasons that are a year."
    )
    title: Policy = kept_policy("the title of a show")
    season_title: Policy = kept_policy("the title of a season")
    summary: Policy = kept_policy("the summary of both: the studio's details")
    poster: Policy = kept_policy("the poster of both: the studio's picture")
    name: str = setting("What a show is called, made of `{studio}`.", SHOW_TITLE)
    season_name: str = setting(
        "What a season is called, made of `{year}` and `{studio}`.", SEASON_TITLE
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
        'After how long a run looks at every scene again, changed or not. `"0s"` makes '
        "every run a full one.",
        DURATION,
        '"7d"',
        name="full_every",
    )
    files_every_s: int = setting(
        'After how long a run looks at the files of every scene again. `"0s"` does so in '
        "every run. See [what is found when](detection.md).",
        DURATION,
        '"1d"',
        name="files_every",
    )
    sweep_every_s: int | None = setting(
        "For how long a run that nobody watches may go by a look at Stash from afar, one "
        "request, instead of the version of every scene. Without it every run looks at all of up "
        "to 20,000 scenes; of more, once an hour or when that look, the hook or Plex shows a "
        'change. `"0s"` does so in every run. See [what is found when](detection.md).',
        DURATION,
        name="sweep_every",
    )
    keep_days: int = setting(
        "For how many days the journal of a run that wrote something is kept, and with it "
        "`plexsync history` and `plexsync undo` of that run. At least 1.",
        default="90",
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
        "Address of a health check, such as one of healthchecks.io, a [secret](#secrets): "
        "`/start` is added when a run begins, the exit code when it failed, nothing when it ended "
        "well."
    )
    urls: tuple[Secret, ...] = setting(
        "Where messages go, one address of "
        "[apprise](https://github.com/caronc/apprise/wiki) each, such as `ntfy://topic`; "
        "[secrets](#secrets) all. Needs `pipx install --force '.[notify]'`."
    )
    on: tuple[NotifyOn, ...] = setting(
        "What a message is sent about: `failure`, once for an outage, `recovery` when it "
        "is over, `review` of new LOW matches, `changes` written to Plex.",
        default='["failure", "recovery"]',
    )
    digest: bool = setting(
        "One message a day about `review` and `changes`, by the first run of the next "
        "day, instead of one after each run."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """`[metrics]`."""

    textfile: Path | None = setting(
        "A file for the textfile collector of node_exporter, written after each run; its "
        "name ends with `.prom`. Needs `pipx install --force '.[metrics]'`.",
        NEW_FILE,
    )
