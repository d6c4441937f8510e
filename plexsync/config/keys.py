"""One key of the configuration, declared once where its value lives: see `schema.py`.

A field of Plex is a key with others below it: see `fields.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from plexsync.config.forms import TEXT_POLICY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.config.forms import Form
    from plexsync.models import PlexField, Policy

T = TypeVar("T")

ENV_PREFIX = "PLEXSYNC_"
"""Every key is `PLEXSYNC_<SECTION>__<KEY>` in the environment. Source: docs/contract.md."""

ENV_CONFIG = "PLEXSYNC_CONFIG"
ENV_STATE_DIR = "PLEXSYNC_STATE_DIR"
ENV_PATHS = "PLEXSYNC_PATHS"

_METADATA = "plexsync"


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Args:
        name: `section.key`, or `fields.field.key`. The policy of a field is `fields.field`.
        form: how its value is written and read.
        default: as TOML; "" when there is none.
        meaning: what it means, in Markdown, for the guide and the JSON schema.
        required: whether plexsync cannot run without it.
    """

    name: str
    form: Form[Any]
    default: str
    meaning: str
    required: bool = False

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return ENV_PREFIX + self.name.upper().replace(".", "__")


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective value, ready to show.

    Args:
        key: as in `schema.KEYS`, `paths`, or `libraries."Title".fields...`.
        value: as TOML; a secret only as where it comes from.
        origin: `default`, `config.toml:12` or the environment variable's name.
    """

    key: str
    value: str
    origin: str


def setting(
    form: Form[T], default: str = "", *, meaning: str, name: str = "", required: bool = False
) -> T:
    """Declare the key an attribute of a section's dataclass holds the value of.

    Args:
        form: how it is written.
        default: as TOML.
        meaning: what it means.
        name: the key, where it is not the attribute's name.
        required: whether plexsync cannot run without it.
    """
    key = Key(name, form, default, meaning, required)
    # The attribute has the type its form reads to; that is all a type checker has to know.
    return cast("T", dataclasses.field(metadata={_METADATA: key}))


def optional(form: Form[T]) -> Form[T | None]:
    """Return the form of a key that may be missing: None then."""
    return cast("Form[T | None]", form)


def key_of(section: str, field: dataclasses.Field[Any]) -> Key:
    """Return the key an attribute was declared with by `setting`, under its full name."""
    key: Key = field.metadata[_METADATA]
    return dataclasses.replace(key, name=f"{section}.{key.name or field.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One setting of a field beside its policy.

    Args:
        key: its declaration, named below the field.
        fills: the attribute of `FieldRule` its value becomes; "" where `compose_rules` reads it.
    """

    key: Key
    fills: str


@dataclass(frozen=True, slots=True)
class FieldSetting:
    """One field under `[fields]`.

    Args:
        name: the field.
        to: where it is written in Plex, unless a part says otherwise.
        default: its policy, as TOML.
        meaning: what it is.
        policy: how its policy is written.
        more: its other settings.
    """

    name: str
    to: PlexField
    default: str
    meaning: str
    policy: Form[Policy] = TEXT_POLICY
    more: tuple[Part, ...] = ()

    @property
    def key(self) -> Key:
        """The key of its policy."""
        return Key(f"fields.{self.name}", self.policy, self.default, self.meaning)

    def parts(self) -> Iterator[tuple[Key, str]]:
        """Yield the key of each part, and the attribute it fills."""
        for one in self.more:
            yield dataclasses.replace(one.key, name=f"fields.{self.name}.{one.key.name}"), one.fills


def part(name: str, form: Form[Any], default: str, *, meaning: str, fills: str = "") -> Part:
    """Declare a part of a field; see `Key` and `Part`."""
    return Part(key=Key(name, form, default, meaning), fills=fills)
