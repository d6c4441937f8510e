"""What can be configured: each key once, with form, default and meaning.

To add a key, add an attribute to the dataclass of its section, in `sections/`:

    max_age_s: int = setting(DURATION, '"1d"', name="max_age", meaning="How long ... is kept.")

From that follow how it is read, its variable, `config show`, the JSON schema and the row in
docs/configuration.md (`python -m plexsync.config.reference docs/configuration.md` writes the
tables; a test compares). The form says how the value is written (`forms.py`), and perhaps what it
is by default: a flag is off, a list empty. The default is TOML, and none makes the key required or,
with `optional(FORM)`, None; `name` is the key where the attribute has another name.
To add a section, add such a dataclass, name it in `SECTIONS` and the `Config` of
`configuration.py`, and give the guide a heading with a table of one row. The keys of `[fields]`
stand in `fields.py`.
Source: docs/contract.md, "Configuration".
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from plexsync.config.fields import FIELD_KEYS
from plexsync.config.keys import Key, key_of
from plexsync.config.sections.layout import CollectionsConfig, ShowsConfig
from plexsync.config.sections.running import MetricsConfig, NotifyConfig, RunConfig
from plexsync.config.sections.servers import PlexConfig, StashConfig
from plexsync.config.sections.writing import ApplyConfig, MatchConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

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
