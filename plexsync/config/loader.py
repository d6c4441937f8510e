"""Configuration: flags, environment, a TOML file and defaults become one frozen `Config`.

A value comes from the first that has it, in the order environment, file, default; what the
command line says for one run is in its options.
Everything that is wrong is collected and reported at once.
Source: docs/contract.md, "Configuration".
"""

from __future__ import annotations

import tomllib
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from plexsync.config import values
from plexsync.config.configuration import Config, LibraryFields
from plexsync.config.fields import compose_rules
from plexsync.config.keys import ENV_CONFIG, Setting
from plexsync.config.problems import InvalidConfigError
from plexsync.config.schema import BY_NAME, KEYS, LIBRARIES, PATHS, SECTIONS, section_keys
from plexsync.config.secrets import HIDDEN, Secret, SecretReader
from plexsync.config.sections.running import NotifyConfig
from plexsync.config.sources import Raw, Sources
from plexsync.errors import ConfigError, ParseError
from plexsync.models import PlexField, Policy
from plexsync.text.normalize import normalize_path
from plexsync.text.toml import shown_path, toml_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.config.keys import Key
    from plexsync.config.sections.layout import CollectionsConfig
    from plexsync.models import FieldRule, PathRule

__all__ = [
    "Config",
    "find_config",
    "home_directory",
    "load_config",
    "load_notify",
    "load_server_addresses",
]

T = TypeVar("T")

DEFAULT_ORIGIN = "default"
NO_RAWS: Mapping[str, Raw] = MappingProxyType({})


def home_directory() -> Path:
    """Return the home directory; the root for a user who has none, as containers give them."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


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


def load_config(path: Path | None, environ: Mapping[str, str], *, home: Path) -> Config:
    """Read and check the whole configuration.

    Args:
        path: `--config`; a file that must exist.
        environ: the environment.
        home: the home directory.

    Raises:
        InvalidConfigError: with every problem that was found.
        ConfigError: there is no configuration at all.
    """
    where = find_config(path, environ, home=home)
    sources = Sources()
    must_exist = path is not None or bool(environ.get(ENV_CONFIG))
    source = where if sources.take_file(where, must_exist=must_exist) else None
    sources.take_environment(environ)
    if source is None and not sources.problems:
        require_something(sources, where)
    config = _compose(_Reader(sources, where, environ, home), source)
    if sources.problems:
        raise InvalidConfigError(tuple(sources.problems))
    return config


def load_notify(
    path: Path | None, environ: Mapping[str, str], *, home: Path
) -> tuple[NotifyConfig | None, tuple[Secret, ...]]:
    """Return `[notify]` of a configuration in which something is wrong, and its secrets.

    None where `[notify]` itself cannot be read. For the report that nothing can run like this.
    """
    sources, reader = _tolerant_reader(path, environ, home)
    known = len(sources.problems)
    found = {name: reader.read(key) for name, key in section_keys("notify")}
    whole = NotifyConfig(**found) if len(sources.problems) == known else None
    return whole, tuple(reader.secrets)


def load_server_addresses(
    path: Path | None, environ: Mapping[str, str], *, home: Path
) -> tuple[str, str]:
    """Return the addresses of Stash and Plex; "" for one that is missing or wrong.

    For links only, where nothing is asked of a server: no secret is read, no problem reported.
    """
    _, reader = _tolerant_reader(path, environ, home)
    stash, plex = (reader.read(BY_NAME[name]) or "" for name in ("stash.url", "plex.url"))
    return stash, plex


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
    """Read every key. After a problem its value is None, and the whole is thrown away."""
    found = {key.name: reader.read(key) for key in KEYS}
    sections = {
        section: made(**{name: found[key.name] for name, key in section_keys(section)})
        for section, made in SECTIONS.items()
        if made
    }
    reader.warnings += _blind_trust(sections)
    fields = compose_rules(found, reader.add_problem)
    libraries = tuple(reader.read_libraries(found))
    if not reader.failed:
        _check_collections(sections["collections"], fields, libraries, reader)
    return Config(
        **sections,
        paths=reader.read_paths(),
        fields=fields,
        libraries=libraries,
        source=source,
        settings=tuple(reader.settings()),
        secrets=tuple(reader.secrets),
        warnings=tuple(reader.warnings),
    )


class _Reader:
    """Reads keys one by one; what cannot be read becomes a problem of `sources`.

    The keys after it are checked as well.
    """

    def __init__(
        self, sources: Sources, where: Path, environ: Mapping[str, str], home: Path
    ) -> None:
        self.warnings: list[str] = []
        self.secrets: list[Secret] = []
        self._sources = sources
        self._where = where
        self._secrets = SecretReader(
            environ,
            folder=where.parent,
            home=home,
            warn=self.warnings.append,
            learn=self.secrets.append,
        )

    @property
    def failed(self) -> bool:
        """Whether anything was wrong so far."""
        return bool(self._sources.problems)

    def read(self, key: Key) -> Any:  # noqa: ANN401 - of the type its declaration says
        """Return the value of `key`; None where there is none, and after a problem."""
        raw = self._raw(key)
        if raw is None:
            self._missing(key)
            return None
        if key.form.secret and raw.in_file and HIDDEN in key.form.show(raw.value):
            self._warn_of_public_file(raw)
        return self._value(key, raw)

    def read_paths(self) -> tuple[PathRule, ...]:
        """Return the path rules; two for one Stash folder are a problem."""
        rules: dict[str, PathRule] = {}
        for raw in self._sources.path_rules:
            rule = self._checked(raw, values.path_rule)
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

    def read_libraries(self, common: Mapping[str, Any]) -> Iterator[LibraryFields]:
        """Yield the fields of single libraries.

        Args:
            common: the value of every key by name, which counts where a library says nothing.
        """
        for title, raws in self._sources.libraries.items():
            found = dict(common)
            found |= {name: self._value(BY_NAME[name], raw) for name, raw in raws.items()}
            yield LibraryFields(title, compose_rules(found, partial(self.add_problem, own=raws)))

    def add_problem(
        self, name: str, message: str, remedy: str, *, own: Mapping[str, Raw] = NO_RAWS
    ) -> None:
        """Remember that the value of the key `name` does not go with another one.

        Args:
            name: the key.
            message: what is wrong.
            remedy: what to do.
            own: what a library says itself.
        """
        raw = own.get(name) or self._raw(BY_NAME[name])
        self._sources.add_problem(raw.place if raw else name, message, remedy)

    def _warn_of_public_file(self, raw: Raw) -> None:
        if self._sources.file_is_public:
            self.warnings.append(
                f"{raw.origin} holds a secret and everybody may read it: chmod 600 {self._where}"
            )

    def settings(self) -> Iterator[Setting]:
        """Every key's effective value and where it comes from, secrets hidden."""
        for key in KEYS:
            raw = self._raw(key)
            if raw is None:
                yield Setting(key.name, "", DEFAULT_ORIGIN)
            else:
                yield Setting(key.name, key.form.show(raw.value), raw.origin)
        for title, raws in self._sources.libraries.items():
            for name, raw in raws.items():
                place = f"{LIBRARIES}.{toml_value(title)}.{name}"
                yield Setting(place, BY_NAME[name].form.show(raw.value), raw.origin)
        for raw in self._sources.path_rules:
            yield Setting(PATHS, toml_value(raw.value), raw.origin)

    def _raw(self, key: Key) -> Raw | None:
        if key.name in self._sources.found:
            return self._sources.found[key.name]
        if not key.default:
            return None
        value = tomllib.loads(f"value = {key.default}")["value"]
        return Raw(value, key.name, DEFAULT_ORIGIN)

    def _value(self, key: Key, raw: Raw) -> Any:  # noqa: ANN401 - of the type its form reads to
        return self._checked(raw, lambda value: key.form.read(value, self._secrets))

    def _checked(self, raw: Raw, read_value: Callable[[object], T]) -> T | None:
        try:
            return read_value(raw.value)
        except ParseError as error:
            self._sources.add_problem(raw.place, error.message, error.hint)
            return None

    def _missing(self, key: Key) -> None:
        # Of a file that could not be read nobody knows what is missing.
        if key.required and not self._sources.file_failed:
            section, _, name = key.name.partition(".")
            self._sources.add_problem(
                f"[{section}] > {name}",
                "is missing",
                f"Set {key.variable}, or write it into {self._where}.",
            )


# ---- Private -------------------------------------------------------------------------------------


def _tolerant_reader(
    path: Path | None, environ: Mapping[str, str], home: Path
) -> tuple[Sources, _Reader]:
    """Return a reader of file and environment, whatever is wrong with them."""
    where = find_config(path, environ, home=home)
    sources = Sources()
    sources.take_file(where, must_exist=False)
    sources.take_environment(environ)
    return sources, _Reader(sources, where, environ, home)


def _check_collections(
    collections: CollectionsConfig,
    fields: Sequence[FieldRule],
    libraries: Sequence[LibraryFields],
    reader: _Reader,
) -> None:
    """Refuse fields that would take items out of collections again, or make the same ones."""
    if not collections.kinds:
        return
    several = (fields, *(one.rules for one in libraries))
    tagged = [
        rule
        for rules in several
        for rule in rules
        if rule.to is PlexField.COLLECTIONS and rule.policy is not Policy.OFF
    ]
    for rule in tagged:
        if rule.policy is not Policy.MERGE:
            reader.add_problem(
                f"fields.{rule.name}",
                "would take items out of the collections of [collections]",
                'Give it the policy "merge", or switch it off.',
            )
        elif rule.name == "groups" and collections.groups:
            reader.add_problem(
                f"fields.{rule.name}",
                "makes the same collections as collections.groups",
                "Switch one of the two off.",
            )


def _blind_trust(sections: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each server whose certificate is not checked."""
    for name in ("stash", "plex"):
        section = sections[name]
        if section.verify is False and str(section.url).lower().startswith("https:"):
            yield (
                f"[{name}] verify = false trusts any certificate, so whoever stands between gets "
                "what opens the server: name a PEM file there instead"
            )


def _nothing_configured(where: Path) -> ConfigError:
    variables = " and ".join(key.variable for key in KEYS if key.required)
    return ConfigError(
        "there is no configuration yet",
        hint=f"plexsync init makes one by asking. Or set {variables}, or write {where}.",
    )
