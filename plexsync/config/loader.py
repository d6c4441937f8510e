"""Configuration: flags, environment, a TOML file and defaults become one frozen `Config`.

A value comes from the first that has it, in the order command line, environment, file, default.
Everything that is wrong is collected and reported at once.
Source: docs/contract.md, "Configuration".
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from plexsync.config import values
from plexsync.config.schema import (
    ENV_CONFIG,
    KEYS,
    MINIMAL,
    PATHS,
    ApplyConfig,
    Config,
    EmptyPolicy,
    InvalidConfigError,
    Key,
    MatchConfig,
    MissingTimestamp,
    PlexConfig,
    RunConfig,
    Setting,
    StashConfig,
    ValueKind,
)
from plexsync.config.secrets import Secret, SecretReader, describe, resolve
from plexsync.config.sources import BY_NAME, Raw, Sources
from plexsync.errors import ConfigError, ParseError
from plexsync.models import LIST_FIELDS, FieldRule, PathRule, PlexField, Policy
from plexsync.planning.desired import STUDIO_COLLECTION
from plexsync.planning.poster_padding import require_pillow
from plexsync.text.durations import parse_duration
from plexsync.text.normalize import normalize_path
from plexsync.text.toml import shown_path, toml_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Config", "find_config", "load_config"]

T = TypeVar("T")

DEFAULT_ORIGIN = "default"

_SCALAR_FIELDS = {
    "title": PlexField.TITLE,
    "sort_title": PlexField.SORT_TITLE,
    "original_title": PlexField.ORIGINAL_TITLE,
    "summary": PlexField.SUMMARY,
    "tagline": PlexField.TAGLINE,
    "date": PlexField.DATE,
    "studio": PlexField.STUDIO,
    "content_rating": PlexField.CONTENT_RATING,
    "rating": PlexField.RATING,
}
_OWN = {"title": "{title}", "summary": "{details}", "studio": "{studio}"}
"""Templates that say no more than the field itself."""

_PICTURE_FIELDS = {"poster": PlexField.POSTER, "background": PlexField.BACKGROUND}


def find_config(path: Path | None, environ: Mapping[str, str], *, home: Path) -> Path:
    """Where the configuration file is, or would be.

    Args:
        path: `--config`.
        environ: the environment.
        home: the home directory.
    """
    if path is not None:
        return path
    if named := environ.get(ENV_CONFIG, ""):
        return Path(named)
    # The XDG Base Directory Specification wants relative paths ignored.
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else home / ".config") / "plexsync" / "config.toml"


def load_config(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    home: Path,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """Read and check the whole configuration.

    Args:
        path: `--config`; a file that must exist.
        environ: the environment.
        home: the home directory.
        overrides: what the command line says, by key (`plex.libraries`), as TOML would give it.

    Raises:
        InvalidConfigError: with every problem that was found.
        ConfigError: there is no configuration at all.
    """
    where = find_config(path, environ, home=home)
    sources = Sources()
    must_exist = path is not None or bool(environ.get(ENV_CONFIG))
    source = where if sources.take_file(where, must_exist=must_exist) else None
    sources.take_environment(environ)
    sources.take_overrides(overrides or {})
    if source is None and not sources.problems:
        require_something(sources, where)
    config = _compose(_Reader(sources, where, environ, home), source)
    if sources.problems:
        raise InvalidConfigError(tuple(sources.problems))
    return config


def require_something(sources: Sources, where: Path) -> None:
    """Make sure that at least one of the settings that must be made is made, file or not.

    Args:
        sources: what was found.
        where: where the file would be.

    Raises:
        ConfigError: there is no configuration at all.
    """
    if not any(key.name in sources.found for key in KEYS if key.required):
        raise _nothing_configured(where)


# ---- From keys to values -------------------------------------------------------------------------


def _compose(reader: _Reader, source: Path | None) -> Config:
    """Read every key. After a problem a value is a stand-in that nobody gets to see."""
    return Config(
        stash=_compose_stash(reader),
        plex=_compose_plex(reader),
        paths=reader.read_paths(),
        match=MatchConfig(
            strict_matching=reader.read_flag("match.strict_matching"),
            use_content_hash=reader.read_flag("match.use_content_hash"),
        ),
        apply=_compose_apply(reader),
        fields=_compose_fields(reader),
        run=RunConfig(
            full_every_s=reader.read("run.full_every", parse_duration, stand_in=0),
            files_every_s=reader.read("run.files_every", parse_duration, stand_in=0),
            keep_days=reader.read("run.keep_days", values.count, stand_in=1),
        ),
        source=source,
        settings=tuple(reader.settings()),
        warnings=tuple(reader.warnings),
    )


def _compose_stash(reader: _Reader) -> StashConfig:
    return StashConfig(
        url=reader.read("stash.url", values.stash_url, stand_in=""),
        api_key=reader.read_secret("stash.api_key"),
        verify=reader.read_verify("stash.verify"),
        organized_only=reader.read_flag("stash.organized_only"),
        exclude_tags=reader.read("stash.exclude_tags", values.names, stand_in=()),
        required=reader.read("stash.required", values.field_names, stand_in=()),
        missing_timestamp=reader.read(
            "stash.missing_timestamp", values.word(MissingTimestamp), stand_in=MissingTimestamp.SYNC
        ),
    )


def _compose_plex(reader: _Reader) -> PlexConfig:
    return PlexConfig(
        url=reader.read("plex.url", values.server_address, stand_in=""),
        token=reader.read_secret("plex.token") or Secret(""),
        verify=reader.read_verify("plex.verify"),
        libraries=reader.read("plex.libraries", values.names, stand_in=()),
        scan=reader.read_flag("plex.scan"),
        subset=reader.read_flag("plex.subset"),
    )


def _compose_apply(reader: _Reader) -> ApplyConfig:
    return ApplyConfig(
        preserve_plex_edits=reader.read_flag("apply.preserve_plex_edits"),
        lock_fields=reader.read_flag("apply.lock_fields"),
        max_changes=reader.read("apply.max_changes", values.count, stand_in=1),
        max_clears=reader.read("apply.max_clears", values.count, stand_in=1),
        max_share=reader.read("apply.max_share", values.share, stand_in=1.0),
        empty=reader.read("apply.empty", values.word(EmptyPolicy), stand_in=EmptyPolicy.KEEP),
    )


def _compose_fields(reader: _Reader) -> tuple[FieldRule, ...]:
    tags_to = reader.read("fields.tags.to", values.tag_target, stand_in=PlexField.GENRES)
    rules = (
        *(_compose_text_field(reader, name, to) for name, to in _SCALAR_FIELDS.items()),
        _compose_list_field(reader, "performers", PlexField.ACTORS),
        _compose_list_field(reader, "directors", PlexField.DIRECTORS),
        _compose_list_field(reader, "tags", tags_to),
        _compose_list_field(reader, "groups", PlexField.COLLECTIONS),
        _compose_list_field(reader, "labels", PlexField.LABELS),
        *(_compose_picture_field(reader, name, to) for name, to in _PICTURE_FIELDS.items()),
    )
    studio = next(rule for rule in rules if rule.name == "studio")
    _check_shared_lists(reader, rules)
    return (*rules, *_compose_studio_collection(reader, studio))


def _compose_text_field(reader: _Reader, name: str, target: PlexField) -> FieldRule:
    key = f"fields.{name}"
    template = ""
    if f"{key}.template" in BY_NAME:
        template = reader.read(f"{key}.template", values.template, stand_in="")
    by_tag: tuple[tuple[str, str], ...] = ()
    if f"{key}.by_tag" in BY_NAME:
        by_tag = reader.read(f"{key}.by_tag", values.by_tag, stand_in=())
    return FieldRule(
        name=name,
        policy=reader.read(key, values.scalar_policy, stand_in=Policy.OFF),
        to=target,
        templates=(template,) if template and template != _OWN.get(name) else (),
        by_tag=by_tag,
    )


def _compose_picture_field(reader: _Reader, name: str, target: PlexField) -> FieldRule:
    rule = _compose_text_field(reader, name, target)
    key = f"fields.{name}.pad"
    if key not in BY_NAME or not reader.read_flag(key) or rule.policy is Policy.OFF:
        return rule
    try:
        require_pillow()
    except ConfigError as error:
        reader.add_problem(key, error.message, f"Install it: {error.hint}, or switch pad off.")
    return replace(rule, pad=True)


def _compose_list_field(reader: _Reader, name: str, target: PlexField) -> FieldRule:
    key = f"fields.{name}"
    nothing: tuple[str, ...] = ()
    include, exclude = (
        reader.read(f"{key}.{which}", values.names, stand_in=nothing)
        if f"{key}.{which}" in BY_NAME
        else nothing
        for which in ("include", "exclude")
    )
    made: tuple[str, ...] = ()
    if name == "groups":
        made = (reader.read(f"{key}.collection_name", values.template, stand_in=""),)
    elif name == "labels":
        made = reader.read(f"{key}.names", values.templates, stand_in=())
    return FieldRule(
        name=name,
        policy=reader.read(key, values.word(Policy), stand_in=Policy.OFF),
        to=target,
        include=include,
        exclude=exclude,
        templates=tuple(filter(None, made)),
        parents=f"{key}.parents" in BY_NAME and reader.read_flag(f"{key}.parents"),
        role=_credit_template(reader, f"{key}.role", values.role_template),
        photo=_credit_template(reader, f"{key}.photo", values.photo_template),
    )


def _credit_template(reader: _Reader, key: str, read: Callable[[object], str]) -> str:
    return reader.read(key, read, stand_in="") if key in BY_NAME else ""


def _compose_studio_collection(reader: _Reader, studio: FieldRule) -> tuple[FieldRule, ...]:
    """The rule for the studio's collection: none where it is off, or the studio is."""
    name = reader.read(f"fields.{STUDIO_COLLECTION}_name", values.template, stand_in="")
    wanted = reader.read_flag(f"fields.{STUDIO_COLLECTION}")
    if not wanted or not name or studio.policy is Policy.OFF:
        return ()
    # Alone in its list it merges: collections made by hand are never its business.
    return (
        FieldRule(
            name=STUDIO_COLLECTION,
            policy=Policy.MERGE,
            to=PlexField.COLLECTIONS,
            templates=(name,),
            joins=True,
        ),
    )


def _check_shared_lists(reader: _Reader, rules: tuple[FieldRule, ...]) -> None:
    """Fields that make one list in Plex together can only have one policy."""
    on = [rule for rule in rules if rule.policy is not Policy.OFF and rule.to in LIST_FIELDS]
    for index, rule in enumerate(on):
        other = next((one for one in on[:index] if one.to is rule.to), None)
        if other is not None and other.policy is not rule.policy:
            reader.add_problem(
                f"fields.{rule.name}",
                f"writes to the same list in Plex as {other.name}, under another policy",
                "Give both the same policy, or write them to different lists.",
            )


class _Reader:
    """Reads keys one by one; what cannot be read becomes a problem of `sources`.

    Every `read*` returns a stand-in then, so that the keys after it are checked as well.
    """

    def __init__(
        self, sources: Sources, where: Path, environ: Mapping[str, str], home: Path
    ) -> None:
        self.warnings: list[str] = []
        self._sources = sources
        self._where = where
        self._home = home
        self._secrets = SecretReader(
            environ, folder=where.parent, home=home, warn=self.warnings.append
        )

    def read(self, name: str, read_value: Callable[[object], T], *, stand_in: T) -> T:
        """The value of the key `name` as `read_value` understands it."""
        key = BY_NAME[name]
        raw = self._raw(key)
        if raw is None:
            self._missing(key)
            return stand_in
        return self._checked(raw, read_value, stand_in)

    def read_flag(self, name: str) -> bool:
        """The value of a key that is true or false."""
        return self.read(name, values.flag, stand_in=False)

    def read_secret(self, name: str) -> Secret | None:
        """The secret the key `name` holds or points to; None when there is none."""
        key = BY_NAME[name]
        raw = self._raw(key)
        if raw is None:
            self._missing(key)
            return None
        if raw.in_file and isinstance(raw.value, str) and self._sources.file_is_public:
            self.warnings.append(
                f"{raw.origin} holds a secret and everybody may read it: chmod 600 {self._where}"
            )
        return self._checked(raw, self._secrets.read, None)

    def read_verify(self, name: str) -> bool | str:
        """Whether to check certificates, or the full name of a file that exists."""
        stand_in: bool | str = True
        return self.read(name, self._verify, stand_in=stand_in)

    def read_paths(self) -> tuple[PathRule, ...]:
        """The path rules; two for one Stash folder are a problem."""
        rules: dict[str, PathRule] = {}
        for raw in self._sources.path_rules:
            rule = self._checked(raw, values.path_rule, None)
            if rule is None:
                continue
            folder = normalize_path(rule.stash)
            if folder in rules:
                self._sources.add_problem(
                    raw.place,
                    f"there is another rule for {shown_path(rule.stash)}",
                    "Keep one of the two; a folder has one place in Plex.",
                )
            rules[folder] = rule
        return tuple(rules.values())

    def add_problem(self, name: str, message: str, remedy: str) -> None:
        """Remember that the value of the key `name` does not go with another one."""
        raw = self._raw(BY_NAME[name])
        self._sources.add_problem(raw.place if raw else name, message, remedy)

    def settings(self) -> Iterator[Setting]:
        """Every key's effective value and where it comes from, secrets hidden."""
        for key in KEYS:
            raw = self._raw(key)
            if raw is None:
                yield Setting(key.name, "", DEFAULT_ORIGIN)
            else:
                shown = (
                    describe(raw.value) if key.kind is ValueKind.SECRET else toml_value(raw.value)
                )
                yield Setting(key.name, shown, raw.origin)
        for raw in self._sources.path_rules:
            yield Setting(PATHS, toml_value(raw.value), raw.origin)

    def _raw(self, key: Key) -> Raw | None:
        if key.name in self._sources.found:
            return self._sources.found[key.name]
        if not key.default:
            return None
        value = tomllib.loads(f"value = {key.default}")["value"]
        return Raw(value, key.name, DEFAULT_ORIGIN)

    def _checked(self, raw: Raw, read_value: Callable[[object], T], stand_in: T) -> T:
        try:
            return read_value(raw.value)
        except ParseError as error:
            self._sources.add_problem(raw.place, error.message, error.hint)
            return stand_in

    def _missing(self, key: Key) -> None:
        # Of a file that could not be read nobody knows what is missing.
        if key.required and not self._sources.file_failed:
            section, _, name = key.name.partition(".")
            self._sources.add_problem(
                f"[{section}] > {name}",
                "is missing",
                f"Set {key.variable}, or write it into {self._where}.",
            )

    def _verify(self, value: object) -> bool | str:
        wanted = values.verify(value)
        if isinstance(wanted, bool):
            return wanted
        path = resolve(wanted, folder=self._where.parent, home=self._home)
        if not path.is_file():
            raise ParseError(f"there is no file {path}", hint="Name a PEM file of certificates.")
        return str(path)


# ---- Private -------------------------------------------------------------------------------------


def _nothing_configured(where: Path) -> ConfigError:
    variables = ", ".join(key.variable for key in KEYS if key.required)
    example = "".join(f"    {line}\n" for line in MINIMAL.splitlines())
    return ConfigError(
        "there is no configuration yet",
        hint=f"Set {variables}, or write {where}:\n\n{example}",
    )
