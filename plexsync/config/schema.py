"""What can be configured: every key with its default and meaning, and the values they become.

Source: docs/contract.md, "Configuration". docs/configuration.md explains each key; a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError
from plexsync.planning.observed import Rules

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.secrets import Secret
    from plexsync.models import FieldRule, PathRule

ENV_PREFIX = "PLEXSYNC_"
"""Every key is `PLEXSYNC_<SECTION>__<KEY>` in the environment. Source: docs/contract.md."""

ENV_CONFIG = "PLEXSYNC_CONFIG"
ENV_STATE_DIR = "PLEXSYNC_STATE_DIR"
ENV_PATHS = "PLEXSYNC_PATHS"

MINIMAL = """\
[stash]
url = "http://localhost:9999"
[plex]
url = "http://localhost:32400"
token = { file = "plex-token" }
"""
"""The shortest useful configuration file."""


# ---- Errors --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong with the configuration.

    Args:
        place: `config.toml:3 > [plex] > url`, or the name of an environment variable.
        message: what is wrong; never a secret.
        remedy: what to do about it.
    """

    place: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.place}: {self.message}.{remedy}"


class InvalidConfigError(ConfigError):
    """The configuration has problems, all of them listed.

    Args:
        problems: at least one.
    """

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        self.problems = problems
        if len(problems) == 1:
            (only,) = problems
            super().__init__(only.message, context=only.place, hint=only.remedy)
        else:
            lines = "".join(f"\n  {problem}" for problem in problems)
            super().__init__(f"{len(problems)} problems in the configuration:{lines}")


# ---- Keys ----------------------------------------------------------------------------------------


class ValueKind(StrEnum):
    """How a key's value is written: decides how the text of an environment variable is read."""

    TEXT = "text"
    FLAG = "true or false"
    COUNT = "whole number"
    SHARE = "number"
    NAMES = "list of texts"
    SECRET = "secret"  # noqa: S105 - the word, not one
    VERIFY = "true, false or a file"


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Args:
        name: `section.key`, or `fields.field.key`. The policy of a field is `fields.field`.
        kind: how its value is written.
        default: as TOML; "" when there is none.
        required: whether plexsync cannot run without it.
    """

    name: str
    kind: ValueKind
    default: str = ""
    required: bool = False

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return ENV_PREFIX + self.name.upper().replace(".", "__")


KEYS: tuple[Key, ...] = (
    Key("stash.url", ValueKind.TEXT, required=True),
    Key("stash.api_key", ValueKind.SECRET),
    Key("stash.verify", ValueKind.VERIFY, "true"),
    Key("stash.organized_only", ValueKind.FLAG, "false"),
    Key("stash.exclude_tags", ValueKind.NAMES, "[]"),
    Key("stash.required", ValueKind.NAMES, "[]"),
    Key("stash.missing_timestamp", ValueKind.TEXT, '"sync"'),
    Key("plex.url", ValueKind.TEXT, required=True),
    Key("plex.token", ValueKind.SECRET, required=True),
    Key("plex.verify", ValueKind.VERIFY, "true"),
    Key("plex.libraries", ValueKind.NAMES, "[]"),
    Key("plex.scan", ValueKind.FLAG, "false"),
    Key("plex.subset", ValueKind.FLAG, "false"),
    Key("match.strict_matching", ValueKind.FLAG, "true"),
    Key("match.use_content_hash", ValueKind.FLAG, "true"),
    Key("apply.preserve_plex_edits", ValueKind.FLAG, "false"),
    Key("apply.lock_fields", ValueKind.FLAG, "true"),
    Key("apply.max_changes", ValueKind.COUNT, "500"),
    Key("apply.max_clears", ValueKind.COUNT, "150"),
    Key("apply.max_share", ValueKind.SHARE, "0.3"),
    Key("apply.empty", ValueKind.TEXT, '"keep"'),
    Key("fields.title", ValueKind.TEXT, '"overwrite"'),
    Key("fields.title.template", ValueKind.TEXT, '"{title}"'),
    Key("fields.sort_title", ValueKind.TEXT, '"off"'),
    Key("fields.sort_title.template", ValueKind.TEXT, '"{date} {title}"'),
    Key("fields.original_title", ValueKind.TEXT, '"off"'),
    Key("fields.original_title.template", ValueKind.TEXT, '"{file}"'),
    Key("fields.summary", ValueKind.TEXT, '"overwrite"'),
    Key("fields.summary.template", ValueKind.TEXT, '"{details}"'),
    Key("fields.tagline", ValueKind.TEXT, '"off"'),
    Key("fields.tagline.template", ValueKind.TEXT, '"{code}"'),
    Key("fields.date", ValueKind.TEXT, '"overwrite"'),
    Key("fields.studio", ValueKind.TEXT, '"overwrite"'),
    Key("fields.studio.template", ValueKind.TEXT, '"{studio}"'),
    Key("fields.studio.collection", ValueKind.FLAG, "true"),
    Key("fields.studio.collection_name", ValueKind.TEXT, '"{studio}"'),
    Key("fields.content_rating", ValueKind.TEXT, '"off"'),
    Key("fields.content_rating.template", ValueKind.TEXT, '"XXX"'),
    Key("fields.content_rating.by_tag", ValueKind.NAMES, "[]"),
    Key("fields.performers", ValueKind.TEXT, '"merge"'),
    Key("fields.performers.include", ValueKind.NAMES, "[]"),
    Key("fields.performers.exclude", ValueKind.NAMES, "[]"),
    Key("fields.performers.role", ValueKind.TEXT, '""'),
    Key("fields.performers.photo", ValueKind.TEXT, '""'),
    Key("fields.directors", ValueKind.TEXT, '"off"'),
    Key("fields.tags", ValueKind.TEXT, '"merge"'),
    Key("fields.tags.to", ValueKind.TEXT, '"genre"'),
    Key("fields.tags.parents", ValueKind.FLAG, "false"),
    Key("fields.tags.include", ValueKind.NAMES, "[]"),
    Key("fields.tags.exclude", ValueKind.NAMES, "[]"),
    Key("fields.groups", ValueKind.TEXT, '"off"'),
    Key("fields.groups.collection_name", ValueKind.TEXT, '"{group}"'),
    Key("fields.groups.include", ValueKind.NAMES, "[]"),
    Key("fields.groups.exclude", ValueKind.NAMES, "[]"),
    Key("fields.labels", ValueKind.TEXT, '"off"'),
    Key("fields.labels.names", ValueKind.NAMES, '["Stash {id}"]'),
    Key("fields.rating", ValueKind.TEXT, '"off"'),
    Key("fields.poster", ValueKind.TEXT, '"overwrite"'),
    Key("fields.poster.pad", ValueKind.FLAG, "false"),
    Key("fields.background", ValueKind.TEXT, '"off"'),
    Key("run.full_every", ValueKind.TEXT, '"7d"'),
    Key("run.files_every", ValueKind.TEXT, '"1d"'),
    Key("run.keep_days", ValueKind.COUNT, "90"),
)
"""Every key but `[[paths]]`, in the order of the file.

`stash.verify`, `stash.required`, `plex.verify`, `plex.scan`, `plex.subset`, `apply.max_clears`,
`apply.empty`, `run.files_every` and the fields and templates the contract does not name are
additions to it; those fields are off unless asked for.
"""

PATHS = "paths"
SECTIONS = ("stash", "plex", PATHS, "match", "apply", "fields", "run")


# ---- Values --------------------------------------------------------------------------------------


class MissingTimestamp(StrEnum):
    """What to do with a scene without a usable `updated_at`."""

    SYNC = "sync"
    SKIP = "skip"


class EmptyPolicy(StrEnum):
    """What a field that is empty in Stash means for Plex."""

    KEEP = "keep"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class StashConfig:
    """`[stash]`.

    `url` has no trailing slash and no `/graphql`; `exclude_tags` are names of tags, `required`
    names under `[fields]`.
    """

    url: str
    api_key: Secret | None
    verify: bool | str
    organized_only: bool
    exclude_tags: tuple[str, ...]
    required: tuple[str, ...]
    missing_timestamp: MissingTimestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class PlexConfig:
    """`[plex]`.

    `url` has no trailing slash; no `libraries` means every movie and show library; `verify` is
    whether to check certificates, or the file of those to trust; `scan` asks Plex to look for
    files it lacks; `subset` says that it is meant to lack some.
    """

    url: str
    token: Secret
    verify: bool | str
    libraries: tuple[str, ...]
    scan: bool
    subset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchConfig:
    """`[match]`."""

    strict_matching: bool
    use_content_hash: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyConfig:
    """`[apply]`. `max_share` is above 0 and at most 1."""

    preserve_plex_edits: bool
    lock_fields: bool
    max_changes: int
    max_clears: int
    max_share: float
    empty: EmptyPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """`[run]`.

    `full_every_s` and `files_every_s` in seconds; 0 makes every run a full one, or one that looks
    at all files. `keep_days` in days.
    """

    full_every_s: int
    files_every_s: int
    keep_days: int


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective value, ready to show.

    Args:
        key: as in `KEYS`, or `paths`.
        value: as TOML; a secret only as where it comes from.
        origin: `default`, `command line`, `config.toml:12` or the environment variable's name.
    """

    key: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a person configures.

    Args:
        stash: `[stash]`.
        plex: `[plex]`.
        paths: `[[paths]]`, as written.
        match: `[match]`.
        apply: `[apply]`.
        fields: one rule per field this version can write, those that are off included.
        run: `[run]`.
        source: the file that was read; None when there is none.
        settings: every key's effective value and origin.
        warnings: what works but is unsafe, as sentences.
    """

    stash: StashConfig
    plex: PlexConfig
    paths: tuple[PathRule, ...]
    match: MatchConfig
    apply: ApplyConfig
    fields: tuple[FieldRule, ...]
    run: RunConfig
    source: Path | None
    settings: tuple[Setting, ...]
    warnings: tuple[str, ...]

    @property
    def with_parent_tags(self) -> bool:
        """Whether any field asks for the tags above a scene's tags."""
        return any(rule.parents and rule.policy != "off" for rule in self.fields)

    @property
    def with_cast(self) -> bool:
        """Whether any field asks for more of performers than their names."""
        return any((rule.role or rule.photo) and rule.policy != "off" for rule in self.fields)

    @property
    def with_photos(self) -> bool:
        """Whether any field asks for their pictures."""
        return any(rule.photo and rule.policy != "off" for rule in self.fields)


def rules_of(apply: ApplyConfig) -> Rules:
    """The rules of planning a configuration asks for."""
    return Rules(
        preserve_plex_edits=apply.preserve_plex_edits,
        lock_fields=apply.lock_fields,
        clear_empty=apply.empty == "clear",
    )
