"""The whole configuration: every key and section, their values, and what follows from several.

To add a key, add an attribute to the dataclass of its section, in `sections.py`:

    max_age_s: int = setting("How long ... is kept.", DURATION, '"1d"', name="max_age")

From that follow how it is read, its variable, `config show`, the JSON schema and the row in
docs/configuration.md (`python -m plexsync.config.reference docs/configuration.md` writes the
tables; a test compares). The form says how the value is written (`forms.py`), and perhaps what it
is by default: a flag is off, a list empty; a type such as `bool` has one already. The default is
TOML, and none makes the key required or None; `name` is the key where the attribute has another.
To add a section, add such a dataclass, name it in `SECTIONS` and in `Config`, and give the guide a
heading with a table of one row. The keys of `[fields]` stand in `fields.py`.
Source: docs/contract.md, "Configuration".
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec

from plexsync.config.fields import FIELD_KEYS
from plexsync.config.forms import Key, key_of
from plexsync.config.sections import (
    ApplyConfig,
    CollectionsConfig,
    MatchConfig,
    MetricsConfig,
    NotifyConfig,
    PlexConfig,
    RunConfig,
    ShowsConfig,
    StashConfig,
)
from plexsync.models import FieldRule, FieldRules, PathRule, Policy
from plexsync.planning.participation import Participants, Participation
from plexsync.plex.connection import named_library

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plexsync.config.secrets import Secret
    from plexsync.models import RelatedId

MINIMAL = """\
[stash]
url = "http://localhost:9999"
[plex]
url = "http://localhost:32400"
token = { file = "plex-token" }
"""
"""The shortest useful configuration file."""


PATHS = "paths"
FIELDS = "fields"
LIBRARIES = "libraries"
SECTIONS: dict[str, type | None] = {
    "stash": StashConfig,
    "plex": PlexConfig,
    PATHS: None,
    "match": MatchConfig,
    "apply": ApplyConfig,
    FIELDS: None,
    LIBRARIES: None,
    "collections": CollectionsConfig,
    "shows": ShowsConfig,
    "run": RunConfig,
    "notify": NotifyConfig,
    "metrics": MetricsConfig,
}
"""Every section in the order of the file, with the class of those of single keys."""


def section_keys(section: str) -> Iterator[tuple[str, Key]]:
    """Yield the attribute and the key of each setting in a section; none unless it has a class."""
    made = SECTIONS[section]
    for field in dataclasses.fields(made) if made else ():
        yield field.name, key_of(section, field)


def _all_keys() -> Iterator[Key]:
    for section in SECTIONS:
        yield from FIELD_KEYS if section == FIELDS else (key for _, key in section_keys(section))


KEYS: tuple[Key, ...] = tuple(_all_keys())
"""Every key but `[[paths]]` and those of single libraries, in the order of the file."""

BY_NAME: dict[str, Key] = {key.name: key for key in KEYS}


DEFAULT_ORIGIN = "default"


class Setting(msgspec.Struct, frozen=True):
    """One effective value, ready to show.

    Args:
        key: as in `KEYS`, `paths`, or `libraries."Title".fields...`.
        value: as TOML; a secret only as where it comes from.
        origin: `default`, `config.toml:12` or the environment variable's name.
    """

    key: str
    value: str
    origin: str

    @property
    def is_default(self) -> bool:
        """Whether it stands nowhere."""
        return self.origin == DEFAULT_ORIGIN


class LibraryFields(msgspec.Struct, frozen=True):
    """The fields of one library, as `[libraries."Title".fields]` has them.

    Args:
        library: its title in Plex, or its id, as written.
        rules: one rule per field; what is not set for the library is as everywhere.
    """

    library: str
    rules: tuple[FieldRule, ...]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person configures.

    Args:
        stash: `[stash]`.
        plex: `[plex]`.
        paths: `[[paths]]`, as written.
        match: `[match]`.
        apply: `[apply]`.
        fields: one rule per field this version can write, those that are off included.
        libraries: `[libraries]`, what differs from `fields` in single libraries.
        collections: `[collections]`.
        shows: `[shows]`.
        run: `[run]`.
        notify: `[notify]`.
        metrics: `[metrics]`.
        source: the file that was read; None when there is none.
        settings: every key's effective value and origin.
        secrets: all that was read and must appear in no output.
        warnings: what works but is unsafe, as sentences.
    """

    stash: StashConfig
    plex: PlexConfig
    paths: tuple[PathRule, ...]
    match: MatchConfig
    apply: ApplyConfig
    fields: tuple[FieldRule, ...]
    libraries: tuple[LibraryFields, ...]
    collections: CollectionsConfig
    shows: ShowsConfig
    run: RunConfig
    notify: NotifyConfig
    metrics: MetricsConfig
    source: Path | None
    settings: tuple[Setting, ...]
    secrets: tuple[Secret, ...]
    warnings: tuple[str, ...]

    @property
    def active_rules(self) -> tuple[FieldRule, ...]:
        """The rules of every library that are not off."""
        several = (self.fields, *(one.rules for one in self.libraries))
        return tuple(r for rules in several for r in rules if r.policy is not Policy.OFF)

    @property
    def uses_records(self) -> bool:
        """Whether something in Plex is made of what the records of all scenes show."""
        return bool(self.collections.kinds) or self.shows.studios

    @property
    def with_namesakes(self) -> bool:
        """Whether it matters that several performers have one name."""
        return any(rule.photo or rule.display for rule in self.active_rules)

    def field_rules(self, titles: Mapping[str, str]) -> FieldRules:
        """Return the rules of all libraries.

        Args:
            titles: of the libraries that take part, by id.
        """
        own = {
            section_id: one.rules
            for one in self.libraries
            for section_id in named_library(one.library, titles)
        }
        return FieldRules(common=self.fields, by_section=own)

    @property
    def participants(self) -> Participants:
        """What decides which scenes take part."""
        return msgspec.convert(self.stash, Participants, from_attributes=True)

    @property
    def names_of_stash(self) -> Mapping[str, tuple[str, ...]]:
        """The names of tags and studios that must be as in Stash, by their key."""
        keys = ("include_tags", "exclude_tags", "include_studios", "exclude_studios")
        own = {f"[stash] {key}": getattr(self.stash, key) for key in keys}
        return {**own, "[collections] tags": self.collections.tags}

    def participation(self, names: Mapping[RelatedId, str]) -> Participation:
        """Return what decides which scenes take part, among the tags and studios of a Stash."""
        stash = self.stash
        return self.participants.among(
            names, organized_only=stash.organized_only, required=stash.needed
        )

    @property
    def chooses_scenes(self) -> bool:
        """Whether there may be scenes that take no part."""
        return self.participation({}) != Participation()
