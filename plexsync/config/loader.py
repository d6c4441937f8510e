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
from plexsync.config.configuration import (
    BY_NAME,
    DEFAULT_ORIGIN,
    KEYS,
    LIBRARIES,
    PATHS,
    SECTIONS,
    Config,
    LibraryFields,
    Setting,
    section_keys,
)
from plexsync.config.fields import compose_rules
from plexsync.config.forms import ENV_CONFIG, Key
from plexsync.config.secrets import HIDDEN, Secret, SecretReader
from plexsync.config.sections import CollectionsConfig, NotifyConfig, NotifyOn
from plexsync.config.sources import InvalidConfigError, Raw, Sources
from plexsync.errors import ConfigError, ParseError
from plexsync.models import FieldRule, PathRule, PlexField, Policy
from plexsync.text.normalize import rule_folder
from plexsync.text.toml import shown_path, toml_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


T = TypeVar("T")

NO_RAWS: Mapping[str, Raw] = MappingProxyType({})


def home_directory() -> Path:
    """Return the home directory; the root for a user who has none, as containers give them."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def find_config(path: Path | None, environ: Mapping[str, str], *, home: Path | None = None) -> Path:
    """Where the configuration file is, or would be.

    Args:
        path: `--config`.
        environ: the environment.
        home: the home directory; that of this user unless given.
    """
    if path is not None:
        return path
    if named := environ.get(ENV_CONFIG, ""):
        return Path(named)
    base = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not base.is_absolute():  # the XDG Base Directory Specification wants relative paths ignored
        base = (home or home_directory()) / ".config"
    return base / "plexsync" / "config.toml"


def load_config(
    path: Path | None, environ: Mapping[str, str], *, home: Path | None = None
) -> Config:
    """Read and check the whole configuration.

    Args:
        path: `--config`; a file that must exist.
        environ: the environment.
        home: as for `find_config`.

    Raises:
        InvalidConfigError: with every problem that was found.
        ConfigError: there is no configuration at all.
    """
    must_exist = path is not None or bool(environ.get(ENV_CONFIG))
    reader = _Reader(path, environ, home, must_exist=must_exist)
    problems = reader.sources.problems
    if reader.source is None and not problems:
        require_something(reader.sources, reader.where)
    config = _compose(reader)
    if problems:
        raise InvalidConfigError(tuple(problems))
    return config


def load_notify(
    path: Path | None, environ: Mapping[str, str]
) -> tuple[NotifyConfig | None, tuple[Secret, ...]]:
    """Return `[notify]` of a configuration in which something is wrong, and its secrets.

    None where `[notify]` itself cannot be read. For the report that nothing can run like this.
    """
    reader = _Reader(path, environ)
    known = len(reader.sources.problems)
    found = {name: reader.read(key) for name, key in section_keys("notify")}
    whole = NotifyConfig(**found) if len(reader.sources.problems) == known else None
    return whole, tuple(reader.secrets)


def load_server_addresses(path: Path | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the addresses of Stash and Plex; "" for one that is missing or wrong.

    For links only, where nothing is asked of a server: no secret is read, no problem reported.
    """
    reader = _Reader(path, environ)
    stash, plex = (reader.read(BY_NAME[name]) or "" for name in ("stash.url", "plex.url"))
    return stash, plex


def is_configured(path: Path | None, environ: Mapping[str, str]) -> bool:
    """Return whether there is a configuration, right or wrong.

    Args:
        path: `--config`.
        environ: the environment.
    """
    sources = _Reader(path, environ).sources
    return sources.there or _names_something(sources)


def require_something(sources: Sources, where: Path) -> None:
    """Make sure that at least one of the settings that must be made is made, file or not.

    Args:
        sources: what was found.
        where: where the file would be.

    Raises:
        ConfigError: there is no configuration at all.
    """
    if not _names_something(sources):
        variables = " and ".join(key.variable for key in KEYS if key.required)
        raise ConfigError(
            "there is no configuration yet",
            hint=f"plexsync init makes one by asking. Or set {variables}, or write {where}.",
        )


def _names_something(sources: Sources) -> bool:
    """Return whether at least one of the settings that must be made is made."""
    return any(key.name in sources.found for key in KEYS if key.required)


# ---- From keys to values -------------------------------------------------------------------------


def _compose(reader: _Reader) -> Config:
    """Read every key. After a problem its value is None, and the whole is thrown away."""
    found = {key.name: reader.read(key) for key in KEYS}
    sections = {
        section: made(**{name: found[key.name] for name, key in section_keys(section)})
        for section, made in SECTIONS.items()
        if made
    }
    reader.warnings += (*_blind_trust(sections), *_empty_digest(sections["notify"]))
    fields = compose_rules(found, reader.add_problem)
    libraries = tuple(reader.read_libraries(found))
    if not reader.sources.problems:
        rules = (*fields, *(rule for one in libraries for rule in one.rules))
        _check_collections(sections["collections"], rules, reader)
    return Config(
        **sections,
        paths=reader.read_paths(),
        fields=fields,
        libraries=libraries,
        source=reader.source,
        settings=tuple(reader.settings()),
        secrets=tuple(reader.secrets),
        warnings=tuple(reader.warnings),
    )


class _Reader:
    """Reads keys one by one from file and environment, whatever is wrong with them.

    What cannot be read becomes a problem of `sources`; the keys after it are checked as well.
    """

    def __init__(
        self,
        path: Path | None,
        environ: Mapping[str, str],
        home: Path | None = None,
        *,
        must_exist: bool = False,
    ) -> None:
        self.where = find_config(path, environ, home=home)
        self.sources = Sources(self.where, environ, must_exist=must_exist)
        self.source = self.where if self.sources.there else None
        self.warnings: list[str] = []
        self.secrets: list[Secret] = []
        self._secrets = SecretReader(
            environ,
            folder=self.where.parent,
            home=home or home_directory(),
            warn=self.warnings.append,
            learn=self.secrets.append,
        )

    def read(self, key: Key) -> Any:  # noqa: ANN401 - of the type its declaration says
        """Return the value of `key`; None where there is none, and after a problem."""
        raw = self._raw(key)
        if raw is None:
            self._missing(key)
            return None
        public = raw.in_file and self.sources.file_is_public
        if public and key.form.secret and HIDDEN in key.form.show(raw.value):
            self.warnings.append(
                f"{raw.origin} holds a secret and everybody may read it: chmod 600 {self.where}"
            )
        return self._value(key, raw)

    def read_paths(self) -> tuple[PathRule, ...]:
        """Return the path rules; two for one Stash folder are a problem."""
        rules: dict[str, PathRule] = {}
        for raw in self.sources.path_rules:
            rule = self._checked(raw, values.path_rule)
            if rule is None:
                continue
            folder = rule_folder(rule.stash)
            if folder in rules:
                self.sources.add_problem(
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
        for title, raws in self.sources.libraries.items():
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
        self.sources.add_problem(raw.place if raw else name, message, remedy)

    def settings(self) -> Iterator[Setting]:
        """Every key's effective value and where it comes from, secrets hidden."""
        for key in KEYS:
            raw = self._raw(key)
            if raw is None:
                yield Setting(key.name, "", DEFAULT_ORIGIN)
            else:
                yield Setting(key.name, key.form.show(raw.value), raw.origin)
        for title, raws in self.sources.libraries.items():
            for name, raw in raws.items():
                place = f"{LIBRARIES}.{toml_value(title)}.{name}"
                yield Setting(place, BY_NAME[name].form.show(raw.value), raw.origin)
        for raw in self.sources.path_rules:
            yield Setting(PATHS, toml_value(raw.value), raw.origin)

    def _raw(self, key: Key) -> Raw | None:
        if key.name in self.sources.found:
            return self.sources.found[key.name]
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
            self.sources.add_problem(raw.place, error.message, error.hint)
            return None

    def _missing(self, key: Key) -> None:
        # Of a file that could not be read nobody knows what is missing.
        if key.required and not self.sources.file_failed:
            section, _, name = key.name.partition(".")
            self.sources.add_problem(
                f"[{section}] > {name}",
                "is missing",
                f"Set {key.variable}, or write it into {self.where}.",
            )


# ---- Private -------------------------------------------------------------------------------------


def _check_collections(
    collections: CollectionsConfig, rules: Iterable[FieldRule], reader: _Reader
) -> None:
    """Refuse fields that would take items out of collections again, or make the same ones."""
    if not collections.kinds:
        return
    for rule in rules:
        if rule.to is not PlexField.COLLECTIONS or rule.policy is Policy.OFF:
            continue
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
    """Yield a sentence for each server with a certificate that is not checked."""
    for name in ("stash", "plex"):
        section = sections[name]
        if section.verify is False and str(section.url).lower().startswith("https:"):
            yield (
                f"[{name}] verify = false trusts any certificate, so whoever stands between gets "
                "what opens the server: name a PEM file there instead"
            )


def _empty_digest(notify: NotifyConfig) -> Iterator[str]:
    """Yield a sentence where the daily message would never hold anything."""
    if notify.digest and not {NotifyOn.REVIEW, NotifyOn.CHANGES} & set(notify.on or ()):
        yield (
            "[notify] digest = true has nothing to tell: add review or changes to on, "
            "or leave digest out"
        )
