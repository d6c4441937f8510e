"""One key of the configuration, declared once where its value lives: see `schema.py`.

A field of Plex is a key with others below it: see `fields.py`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from plexsync.config.forms import POLICY, TEXT_POLICY
from plexsync.models import LIST_FIELDS

if TYPE_CHECKING:
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
        fills: the attribute of `FieldRule` its value becomes, if it is one.
    """

    name: str
    form: Form[Any]
    default: str
    meaning: str
    required: bool = False
    fills: str = ""

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
        default: as TOML; that of its form unless given.
        meaning: what it means.
        name: the key, where it is not the attribute's name.
        required: whether plexsync cannot run without it.
    """
    key = Key(name, form, default or form.default, meaning, required)
    # The attribute has the type its form reads to; that is all a type checker has to know.
    return cast("T", dataclasses.field(metadata={_METADATA: key}))


def kept_policy(what: str) -> Policy:
    """Declare the policy of something that is kept unless a person says otherwise."""
    return setting(TEXT_POLICY, '"keep"', meaning=f"[Policy](#fields) of {what}.")


def optional(form: Form[T]) -> Form[T | None]:
    """Return the form of a key that may be missing: None then."""
    return cast("Form[T | None]", form)


def key_of(section: str, field: dataclasses.Field[Any]) -> Key:
    """Return the key an attribute was declared with by `setting`, under its full name."""
    key: Key = field.metadata[_METADATA]
    return dataclasses.replace(key, name=f"{section}.{key.name or field.name}")


@dataclass(frozen=True, slots=True)
class FieldSetting:
    """One field under `[fields]`.

    Args:
        to: where it is written in Plex, unless a part says otherwise.
        default: its policy, as TOML.
        meaning: what it is.
        more: its other settings, each named below the field.
        called: what the field is called, if not as in Plex.
    """

    to: PlexField
    default: str
    meaning: str
    more: tuple[Key, ...] = ()
    called: str = ""

    @property
    def name(self) -> str:
        """What the field is called."""
        return self.called or self.to.value

    @property
    def keys(self) -> tuple[Key, ...]:
        """The key of its policy and those of its other settings, under their full names."""
        name = f"fields.{self.name}"
        policy = POLICY if self.to in LIST_FIELDS else TEXT_POLICY
        return (
            Key(name, policy, self.default, self.meaning, fills="policy"),
            *(dataclasses.replace(key, name=f"{name}.{key.name}") for key in self.more),
        )


def part(
    name: str, form: Form[Any], default: str = "", *, meaning: str, fills: str | None = None
) -> Key:
    """Declare a setting of a field beside its policy: see `Key`; it fills what it is named like."""
    return Key(name, form, default or form.default, meaning, fills=name if fills is None else fills)
