"""What starts plexsync by itself: for cron, systemd, compose and Stash, as text.

Everything is written out in full, because what starts programs finds neither the shell's PATH nor
its variables. No secret is ever part of it.
Source: docs/contract.md, "Commands"; crontab(5); systemd.service(5), "Command lines";
docs/stash-api.md 6.
"""

from __future__ import annotations

import json
import re
import shlex
import stat
import sys
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from plexsync.config.configuration import KEYS
from plexsync.config.forms import ENV_CONFIG, ENV_PREFIX, ENV_STATE_DIR, NEW_FILE, SECRET, VERIFY
from plexsync.config.loader import find_config, home_directory, require_something
from plexsync.config.secrets import resolve_name
from plexsync.config.sources import InvalidConfigError, Sources
from plexsync.errors import ConfigError, ExitCode
from plexsync.state import cache_directory, mode_of, state_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plexsync.config.forms import Key

_EVERY_MINUTES = 15
_LOCK_WAIT = ("--lock-wait", "10m")
"""Less than the time between two runs, so that runs never queue up."""

_PLAIN_WORD = re.compile(r"[\w./-]+", re.ASCII)

_SECRETS = tuple(key for key in KEYS if key.form.secret)

_CACHE_VARIABLES = ("CACHE_DIRECTORY", "XDG_CACHE_HOME")
_UNIT_FOLDERS = {True: "/etc/systemd/system", False: "~/.config/systemd/user"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a run needs to be started elsewhere just as here.

    Args:
        program: plexsync as a command line, absolute.
        config: the configuration file; None when there is none.
        folder: where the configuration file is or would be.
        state: the state directory.
        cache: the cache directory; None where plexsync finds it by itself.
        variables: `PLEXSYNC_*` variables that are set here, without secrets.
        secrets: variables that must hold a secret there, too.
        credentials: names of secrets that systemd hands over.
        reads: files of secrets and certificates that the configuration names.
        writes: folders of other files a run writes.
        path: this `$PATH`, if the configuration runs a program for a secret; else "".
    """

    program: tuple[str, ...]
    config: Path | None
    folder: Path
    state: Path
    cache: Path | None = None
    variables: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    path: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The command line of a run."""
        return (*self.program, "run", *_LOCK_WAIT, *self.named_config)

    @property
    def named_config(self) -> tuple[str, ...]:
        """The arguments that name the configuration; none where there is none."""
        return ("--config", str(self.config)) if self.config else ()

    def all_variables(self, *, places: bool = True) -> tuple[tuple[str, str], ...]:
        """Everything to set; without `places`, not where the files are."""
        found = [*self.variables]
        if places:
            found.append((ENV_STATE_DIR, str(self.state)))
        if places and self.cache:
            found.append(("CACHE_DIRECTORY", str(self.cache)))
        if self.path:
            found.append(("PATH", self.path))
        return tuple(found)


def find_program(executable: str = sys.executable) -> tuple[str, ...]:
    """Return the installed plexsync beside this Python; else this Python with `-m plexsync`."""
    python = Path(executable).absolute()
    script = python.with_name("plexsync")
    return (str(script),) if stat.S_ISREG(mode_of(script)) else (str(python), "-m", "plexsync")


def find_setup(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    home: Path | None = None,
    program: tuple[str, ...] = (),
    runs: bool = False,
) -> Setup:
    """Return what this configuration needs, without its secrets, and without asking a server.

    Args:
        path: `--config`.
        environ: the environment.
        home: as for `find_config`.
        program: see `Setup`; what runs here unless given.
        runs: it is to start runs, which end at once where nothing is configured.

    Raises:
        InvalidConfigError: a file or variable cannot be read, or is no setting.
        ConfigError: there is no configuration, or a variable does not fit into a file of lines.
    """
    where = find_config(path, environ, home=home).absolute()
    sources = Sources(where, environ, must_exist=path is not None or ENV_CONFIG in environ)
    if sources.problems:
        raise InvalidConfigError(tuple(sources.problems))
    if runs and not sources.there:
        require_something(sources, where)
    secrets = [one for key in _SECRETS for one in _secrets_in(key, sources)]
    return Setup(
        program=program or find_program(),
        config=where if sources.there else None,
        folder=where.parent,
        state=state_directory(environ),
        cache=cache_directory(environ) if any(map(environ.get, _CACHE_VARIABLES)) else None,
        variables=tuple(_open_variables(environ, sources)),
        secrets=tuple(_secret_variables(environ, secrets)),
        credentials=tuple(_read_from("credential", secrets)),
        path=environ.get("PATH", "") if _read_from("command", secrets) else "",
        **_places(sources, where.parent, home or home_directory()),
    )


# ---- The texts -----------------------------------------------------------------------------------


def crontab(setup: Setup) -> str:
    """Return lines for `crontab -e`."""
    return _filled(
        "crontab",
        notes=_notes(setup, "cron"),
        variables=[f"{name}={_cron_value(value)}" for name, value in setup.all_variables()],
        minutes=str(_EVERY_MINUTES),
        # Cron makes a line break of a bare %, in quotes, too. Source: crontab(5).
        command=shlex.join(setup.command).replace("%", "\\%"),
    )


def systemd_service(setup: Setup, *, user: str = "") -> str:
    """Return the service.

    Args:
        setup: what to start.
        user: the user a service of the system runs as; "" for one of the user's own.
    """
    return _filled(
        "system.service" if user else "user.service",
        notes=_notes(setup, "systemd"),
        command=_exec_line(setup.command),
        user=user,
        environment_file=_setting(str(setup.folder / "environment")),
        credentials=[
            f"LoadCredential={_setting(f'{name}:{place}')}" for name, place in _credentials(setup)
        ],
        variables=[
            f"Environment={_quoted(f'{name}={value}')}"
            for name, value in setup.all_variables(places=not user)
        ],
        written=[f"ReadWritePaths={_quoted(f'-{place}')}" for place in setup.writes],
        terminated=f"{ExitCode.TERMINATED:d}",
    )


def systemd_timer(*, system: bool) -> str:
    """Return the timer that starts the service."""
    return _filled("timer", folder=_UNIT_FOLDERS[system], minutes=str(_EVERY_MINUTES))


def systemd_steps(*, system: bool) -> tuple[str, ...]:
    """Return what to type once both files are there."""
    own = "" if system else "--user "
    return (
        f"systemctl {own}daemon-reload",
        f"systemctl {own}enable --now plexsync.timer",
        *(() if system else ("loginctl enable-linger    # to run while nobody is logged in",)),
    )


def compose_service(setup: Setup, *, user: str) -> str:
    """Return a service for `compose.yaml`, in which files and servers are where they are here.

    Args:
        setup: what to start.
        user: the user and group ids that may read the configuration, with a colon between.

    Source: the Compose specification, "services", "Interpolation".
    """
    kept = [setup.state, *([setup.cache] if setup.cache else [])]
    written = dict.fromkeys((*kept, *setup.writes))
    beside = [setup.folder] if setup.config else []
    elsewhere = [place for place in setup.reads if not beside or setup.folder not in place.parents]
    read = [place for place in dict.fromkeys((*elsewhere, *beside)) if place not in written]
    folders = " ".join(shlex.quote(str(place)) for place in kept)
    config = [(ENV_CONFIG, str(setup.config))] if setup.config else []
    file = _compose(str(setup.folder / "environment"))
    return _filled(
        "compose.yaml",
        notes=[f"# Make first: mkdir -m 700 -p {folders}", *_notes(setup, "compose")],
        user=_compose(user),
        environment_file=[f"    env_file: [{file}]"] if setup.secrets else [],
        variables=[
            f"      {name}: {_compose(value)}"
            for name, value in (*replace(setup, path="").all_variables(), *config)
        ],
        volumes=[
            *(line for place in written for line in _bind(place)),
            *(line for place in read for line in (*_bind(place), "        read_only: true")),
        ],
    )


def stash_manifest(setup: Setup, version: str) -> str:
    """Return the manifest of a Stash plugin that notes which scenes changed.

    Its task says where in Plex they are. Stash refuses a manifest with a key it does not know.
    Source: docs/stash-api.md 6.
    """
    command = (*setup.program, "hook", "--state-dir", str(setup.state))
    return _filled(
        "stash-plugin.yml",
        version=_yaml(version),
        command=[f"  - {_yaml(word)}" for word in command],
        where=[f"      - {_yaml(word)}" for word in ("--where", *setup.named_config)],
    )


# ---- How each kind of file writes a text ---------------------------------------------------------


def _filled(name: str, **words: str | list[str]) -> str:
    """Return a template with its places filled; a list becomes lines, each with its end."""
    texts = {
        place: word if isinstance(word, str) else "".join(f"{line}\n" for line in word)
        for place, word in words.items()
    }
    template = files("plexsync.integrations").joinpath("templates", name).read_text("utf-8")
    return Template(template).substitute(texts)


def _cron_value(value: str) -> str:
    plain = value == value.strip() and not value.startswith(("'", '"'))
    return value if plain else f'"{value}"'


def _setting(text: str) -> str:
    """Return a value in which systemd would see specifiers."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    escaped = _setting(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _exec_line(words: tuple[str, ...]) -> str:
    """Return a command; $ would be a variable in its arguments, but not in the program's path.

    Source: systemd.service(5), "Command lines".
    """
    program, *arguments = words
    plain = (program, *(word.replace("$", "$$") for word in arguments))
    return " ".join(word if _PLAIN_WORD.fullmatch(word) else _quoted(word) for word in plain)


def _bind(place: Path) -> list[str]:
    where = _compose(str(place))
    return ["      - type: bind", f"        source: {where}", f"        target: {where}"]


def _compose(text: str) -> str:
    """Return a text of a compose file, where $ would be a variable."""
    return _yaml(text.replace("$", "$$"))


def _yaml(text: str) -> str:
    """Return a double-quoted YAML text; JSON's escapes are among YAML's."""
    return json.dumps(text, ensure_ascii=False)


# ---- Private -------------------------------------------------------------------------------------


def _open_variables(environ: Mapping[str, str], sources: Sources) -> list[tuple[str, str]]:
    """Return the variables of ours that are no secrets, file names made absolute."""
    closed = {ENV_CONFIG, ENV_STATE_DIR, *(key.variable for key in _SECRETS)}
    files = {origin: name for _, origin, name in _file_names(sources)}
    found = []
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name in closed or "__" not in name[len(ENV_PREFIX) :]:
            continue
        value = files.get(name, environ[name])
        if "\n" in value or "\r" in value:
            raise ConfigError(
                "the value holds a line break, which no crontab or unit can",
                context=name,
                hint="Write it into the configuration file.",
            )
        found.append((name, value))
    return found


def _secret_variables(environ: Mapping[str, str], secrets: list[object]) -> list[str]:
    """Return the variables that hold secrets here and must hold them there."""
    names = [key.variable for key in _SECRETS if environ.get(key.variable, "").strip()]
    return names + _read_from("env", secrets)


def _secrets_in(key: Key, sources: Sources) -> list[object]:
    """Return the secrets of one key, each as a text or a table that says where it is."""
    if key.name not in sources.found:
        return []
    value = sources.found[key.name].value
    if key.form is not SECRET and isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def _read_from(kind: str, secrets: list[object]) -> list[str]:
    """Return where secrets are read from, of those that are from there."""
    return [str(one[kind]) for one in secrets if isinstance(one, dict) and one.get(kind)]


def _places(sources: Sources, folder: Path, home: Path) -> dict[str, tuple[Path, ...]]:
    """Return what the configuration in `folder` has a run read and write; see `Setup`."""
    named = [(key, resolve_name(name, folder, home)) for key, _, name in _file_names(sources)]
    return {
        "reads": tuple(path for key, path in named if key.form is not NEW_FILE),
        "writes": tuple(path.parent for key, path in named if key.form is NEW_FILE),
    }


def _file_names(sources: Sources) -> Iterator[tuple[Key, str, str]]:
    """Yield each file that the configuration names, with its key and the origin of the value."""
    for key in KEYS:
        raw = sources.found.get(key.name)
        if raw is None:
            continue
        names = _read_from("file", _secrets_in(key, sources)) if key.form.secret else []
        if (key.form is VERIFY or key.form is NEW_FILE) and isinstance(raw.value, str):
            names = [raw.value]
        yield from ((key, raw.origin, name) for name in names)


def _notes(setup: Setup, starter: str) -> list[str]:
    """Say what to do about secrets that come from variables of this shell, or from systemd."""
    words = []
    names = " and ".join(setup.secrets)
    if setup.secrets and starter != "cron":
        file = setup.folder / "environment"
        words.append(f"Write {names} into {file}, mode 0600: NAME=value, one a line.")
    elif setup.secrets:
        ours = {key.variable for key in _SECRETS if key.form is SECRET}
        how = [f"{name}_FILE" for name in setup.secrets if name in ours]
        if len(how) < len(setup.secrets):
            how.append("{ file = ... } in the configuration")
        words.append(f"cron does not see your shell's {names}: use {' and '.join(how)}.")
    if setup.credentials and starter == "systemd":
        places = " and ".join(str(place) for _, place in _credentials(setup))
        words.append(f"Put each secret alone into {places}, mode 0600, or say where it is.")
    elif setup.credentials:
        words.append(
            f"{starter} hands over no credentials: use {{ file = ... }} in the configuration."
        )
    if setup.path and starter == "compose":
        words.append("{ command = ... } finds no program in a container: use { file = ... }.")
    return [f"# {line}" for line in words]


def _credentials(setup: Setup) -> list[tuple[str, Path]]:
    """Each credential, and where its secret may lie: beside the configuration."""
    return [(name, setup.folder / name) for name in setup.credentials]
