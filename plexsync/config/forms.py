"""How a key is declared, and how its value is written: in TOML, in a variable, in the JSON schema.

A key takes one of the forms below. A new form is one more value here; most need only a reader of
`values.py` and a schema.
Source of the schemas: https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

import dataclasses
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast, get_args

import msgspec

from plexsync.config import values
from plexsync.config.secrets import SOURCES, Secret, SecretReader, describe
from plexsync.errors import ParseError
from plexsync.models import PlexField, Policy
from plexsync.planning.layout import SEASON_WORDS, SHOW_WORDS, TITLE_WORDS
from plexsync.text.templates import PERFORMER_PLACEHOLDERS
from plexsync.text.toml import toml_value
from plexsync.text.words import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import StrEnum


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Json: TypeAlias = dict[str, object]

ENV_PREFIX = "PLEXSYNC_"
"""Every key is `PLEXSYNC_<SECTION>__<KEY>` in the environment. Source: docs/contract.md."""

ENV_CONFIG = "PLEXSYNC_CONFIG"
ENV_STATE_DIR = "PLEXSYNC_STATE_DIR"
ENV_PATHS = "PLEXSYNC_PATHS"

TEXT_SCHEMA: Json = {"type": "string"}
_NAMES_SCHEMA: Json = {"type": "array", "items": TEXT_SCHEMA}
_FLAG_SCHEMA: Json = {"type": "boolean"}

_WORDS = {True: ("true", "yes", "on", "1"), False: ("false", "no", "off", "0")}
_FLAGS = {word: flag for flag, words in _WORDS.items() for word in words}
_COUNT = re.compile(r"[+-]?[0-9]{1,12}")
_SHARE = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,12})?")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_LIST_SOURCE = "command"
"""The source of a secret that is a list: a program and its arguments."""


class Form(msgspec.Struct, Generic[T_co], frozen=True):
    """One way to write a value.

    Args:
        read: turns what TOML gave into the value; raises `ParseError`.
        schema: the JSON schema of what TOML gives.
        from_text: turns the text of a variable into what TOML would have given; what does not fit
            stays a text, which `read` then refuses.
        empties: an empty variable is a value: it empties the list.
        show: writes what TOML gave as TOML, without anything secret.
        default: what a key of this form is, as TOML, unless its declaration says otherwise; "" for
            nothing.
    """

    read: Callable[[object, SecretReader], T_co]
    schema: Json
    from_text: Callable[[str], object] = str.strip
    empties: bool = False
    show: Callable[[object], str] = toml_value
    default: str = ""

    @property
    def secret(self) -> bool:
        """Whether the value is, or holds, something that is never shown."""
        return self.show is not toml_value


def plain(
    read: Callable[[object], T],
    schema: Json,
    from_text: Callable[[str], object] = str.strip,
    default: str = "",
) -> Form[T]:
    """Return the form of a value that needs nothing but what is written."""
    return Form(lambda value, _: read(value), schema, from_text, default=default)


def listed(read: Callable[[object], tuple[T, ...]], schema: Json) -> Form[tuple[T, ...]]:
    """Return the form of a list, which is empty unless something is written."""
    return Form(lambda value, _: read(value), schema, split_list, empties=True, default="[]")


def table_schema(properties: Json) -> Json:
    """Return the schema of a table that has these keys and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def one_of(words: Iterable[StrEnum]) -> Json:
    """Return the schema of one of a few words."""
    return {"enum": [word.value for word in words]}


# ---- From the text of a variable -----------------------------------------------------------------


def split_list(text: str) -> list[str]:
    """Return the comma-separated parts of `text`, trimmed; empty ones do not count."""
    return [part for piece in text.split(",") if (part := piece.strip())]


def _flag_from(text: str) -> object:
    return _FLAGS.get(text.strip().lower(), text)


def _number(written: re.Pattern[str], kind: Callable[[str], object]) -> Callable[[str], object]:
    return lambda text: kind(text) if written.fullmatch(text.strip()) else text.strip()


def _verify_from(text: str) -> object:
    word = text.strip()
    return _FLAGS[word.lower()] if word.lower() in _FLAGS else path_from_here(word)


def _pairs_from(text: str) -> object:
    """`name=value, name=value`, as a table; a name alone stays a text, which is refused."""
    pairs = [part.partition("=") for part in split_list(text)]
    if not all(equals for _, equals, _ in pairs):
        return text
    return {name.strip(): value.strip() for name, _, value in pairs}


def path_from_here(name: str) -> str:
    """Return a path that is relative to where plexsync runs: it stands in the environment."""
    return name if name.startswith("~") else str(Path(name).absolute())


# ---- Readers that need more than the value -------------------------------------------------------


def _read_verify(value: object, secrets: SecretReader) -> bool | str:
    """Return whether to check certificates, or the full name of a file of those to trust."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value.strip():
        raise ParseError(
            "must be true, false or the name of a file",
            hint="Leave it out unless the server's certificate is your own.",
        )
    path = secrets.resolve(value)
    if not _looked_at(path, stat.S_ISREG):
        raise ParseError(f"there is no file {path}", hint="Name a PEM file of certificates.")
    return str(path)


def _read_headers(value: object, secrets: SecretReader) -> tuple[tuple[str, Secret], ...]:
    """Return request headers. Source of their names: RFC 9110 5.6.2, "Tokens"."""
    hint = 'Write { "Name" = "value" }, or { "Name" = { file = "..." } }.'
    if not isinstance(value, dict):
        raise ParseError("must be a table of headers", hint=hint)
    if not all(map(_HEADER_NAME.fullmatch, value)):
        raise ParseError("holds a name no HTTP header can have", hint=hint)
    return tuple((name, secrets.read(one)) for name, one in value.items())


def _show_headers(value: object) -> str:
    if not isinstance(value, dict):
        return describe(value)
    inside = ", ".join(f"{toml_value(name)} = {describe(one)}" for name, one in value.items())
    return f"{{ {inside} }}" if inside else "{}"


def _read_secrets(value: object, secrets: SecretReader) -> tuple[Secret, ...]:
    if not isinstance(value, list):
        raise ParseError("must be a list of secrets", hint='Write ["ntfy://topic"].')
    return tuple(secrets.read(one) for one in value)


def _show_secrets(value: object) -> str:
    if not isinstance(value, list):
        return describe(value)
    return f"[{', '.join(map(describe, value))}]"


def _read_new_file(value: object, secrets: SecretReader) -> Path:
    """Return the full name of a file that will be written into a folder that exists."""
    path = secrets.resolve(values.text(value))
    if path.suffix != ".prom":
        raise ParseError("must end with .prom", hint="node_exporter reads no other files.")
    if not _looked_at(path.parent, stat.S_ISDIR):
        raise ParseError(f"there is no folder {path.parent}", hint="Make it, or name another.")
    return path


def _looked_at(path: Path, is_it: Callable[[int], bool]) -> bool:
    """Return whether what is at a path has the mode it should have.

    Raises:
        ParseError: that cannot be seen.
    """
    from plexsync.state import mode_of  # noqa: PLC0415 - few configurations name a file

    try:
        return is_it(mode_of(path))
    except OSError as error:
        raise ParseError(
            f"{path} cannot be looked at ({error.strerror or 'unknown reason'})",
            hint="Check its name, and that the user plexsync runs as may see it.",
        ) from error


def _secret_source(name: str) -> Json:
    value = {**_NAMES_SCHEMA, "minItems": 1} if name == _LIST_SOURCE else TEXT_SCHEMA
    return {**table_schema({name: value}), "required": [name]}


_SECRET_SCHEMA: Json = {"anyOf": [TEXT_SCHEMA, *map(_secret_source, SOURCES)]}


def _made_of(words: tuple[str, ...], example: str, *, optional: bool = False) -> Form[str]:
    made = values.made_of(words, example, optional=optional)
    return plain(made, TEXT_SCHEMA, default=toml_value("" if optional else example))


# ---- The forms -----------------------------------------------------------------------------------

FLAG: Form[bool] = plain(values.flag, _FLAG_SCHEMA, _flag_from, "false")
COUNT: Form[int] = plain(values.count, {"type": "integer", "minimum": 0}, _number(_COUNT, int))
SHARE: Form[float] = plain(values.share, {"type": "number", "minimum": 0}, _number(_SHARE, float))
NAMES: Form[tuple[str, ...]] = listed(values.names, _NAMES_SCHEMA)
FOLDERS: Form[tuple[str, ...]] = listed(values.folders, _NAMES_SCHEMA)
FIELD_NAMES: Form[tuple[str, ...]] = listed(values.field_names, _NAMES_SCHEMA)
DURATION: Form[int] = plain(parse_duration, TEXT_SCHEMA)
"""In seconds."""
ADDRESS: Form[str] = plain(values.server_address, TEXT_SCHEMA)
STASH_ADDRESS: Form[str] = plain(values.stash_url, TEXT_SCHEMA)
VERIFY: Form[bool | str] = Form(
    _read_verify,
    {"anyOf": [_FLAG_SCHEMA, TEXT_SCHEMA]},
    from_text=_verify_from,
    default="true",
)
SECRET: Form[Secret] = Form(
    lambda value, secrets: secrets.read(value), _SECRET_SCHEMA, show=describe
)
SECRETS: Form[tuple[Secret, ...]] = Form(
    _read_secrets,
    {"type": "array", "items": _SECRET_SCHEMA},
    from_text=split_list,
    empties=True,
    show=_show_secrets,
    default="[]",
)
NEW_FILE: Form[Path] = Form(
    _read_new_file, TEXT_SCHEMA, from_text=lambda text: path_from_here(text.strip())
)
HEADERS: Form[tuple[tuple[str, Secret], ...]] = Form(
    _read_headers,
    {"type": "object", "additionalProperties": _SECRET_SCHEMA},
    from_text=_pairs_from,
    show=_show_headers,
    default="{}",
)
"""Request headers by name, each value a secret. In a variable: `Name=value, Name=value`."""

POLICY: Form[Policy] = plain(values.word(Policy), one_of(Policy))
TEXT_POLICY: Form[Policy] = plain(values.scalar_policy, one_of(Policy))
TAG_TARGET: Form[PlexField] = plain(values.choice(values.TAG_TARGETS), TEXT_SCHEMA)
BY_TAG: Form[tuple[tuple[str, str], ...]] = listed(values.by_tag, _NAMES_SCHEMA)
ROLE: Form[str] = _made_of(PERFORMER_PLACEHOLDERS, "{disambiguation}", optional=True)
SHARED_NAME: Form[str] = plain(values.shared_name_template, TEXT_SCHEMA)
PHOTO: Form[str] = plain(values.photo_template, TEXT_SCHEMA, default='""')
COLLECTION_TITLE: Form[str] = _made_of(TITLE_WORDS, "{name}")
COLLECTION_SORT_TITLE: Form[str] = _made_of(TITLE_WORDS, "{name}", optional=True)
SHOW_TITLE: Form[str] = _made_of(SHOW_WORDS, "{studio}")
SEASON_TITLE: Form[str] = _made_of(SEASON_WORDS, "{year}")
TEMPLATES: Form[tuple[str, ...]] = listed(values.templates, _NAMES_SCHEMA)


_BY_TYPE: Mapping[object, Form[Any]] = {
    bool: FLAG,
    int: COUNT,
    float: SHARE,
    tuple[str, ...]: NAMES,
    bool | str: VERIFY,
    Secret: SECRET,
    Secret | None: SECRET,
    tuple[Secret, ...]: SECRETS,
    tuple[tuple[str, Secret], ...]: HEADERS,
}


def form_for_type(declared: Any) -> Form[Any]:  # noqa: ANN401 - a type as it is written down
    """Return the form of a key of a type that says it all: these, an enumeration, a list of one."""
    if declared in _BY_TYPE:
        return _BY_TYPE[declared]
    several = get_args(declared)
    words = several[0] if several else declared
    one = values.word(words)
    if not several:
        return plain(one, one_of(words))
    schema: Json = {"type": "array", "items": one_of(words)}
    return listed(lambda value: tuple(map(one, values.names(value))), schema)


def template_unless(own: str = "") -> Form[tuple[str, ...]]:
    """Return the form of one template; one that says no more than `own` becomes ()."""

    def read(value: object) -> tuple[str, ...]:
        made = values.template(value)
        return () if made == own else (made,)

    return plain(read, TEXT_SCHEMA)


# ---- The keys -----------------------------------------------------------------------------------

_DECLARED = "declared"


class Key(msgspec.Struct, frozen=True):
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


def setting(
    meaning: str,
    form: Form[T] | None = None,
    default: str = "",
    *,
    name: str = "",
    required: bool = False,
) -> T:
    """Declare the key an attribute of a section's dataclass holds the value of.

    Args:
        meaning: what it means.
        form: how it is written; as its type unless given, see `form_for_type`.
        default: as TOML; that of its form unless given.
        name: the key, where it is not the attribute's name.
        required: whether plexsync cannot run without it.
    """
    # The attribute has the type its form reads to; that is all a type checker has to know.
    declared = (name, form, default, meaning, required)
    return cast("T", dataclasses.field(metadata={_DECLARED: declared}))


def kept_policy(what: str) -> Policy:
    """Declare the policy of something that is kept unless a person says otherwise."""
    return setting(f"[Policy](#fields) of {what}.", TEXT_POLICY, '"keep"')


def key_of(section: str, field: dataclasses.Field[Any]) -> Key:
    """Return the key an attribute was declared with by `setting`, under its full name."""
    name, form, default, meaning, required = field.metadata[_DECLARED]
    form = form or form_for_type(field.type)
    return Key(f"{section}.{name or field.name}", form, default or form.default, meaning, required)
