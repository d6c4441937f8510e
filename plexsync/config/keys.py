"""One key of the configuration, declared once where its value lives: see `schema.py`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from plexsync.config.forms import Form

T = TypeVar("T")

ENV_PREFIX = "PLEXSYNC_"
"""Every key is `PLEXSYNC_<SECTION>__<KEY>` in the environment. Source: docs/contract.md."""

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
