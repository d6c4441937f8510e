"""What starts plexsync by itself: a crontab, a systemd service and timer, a Stash plugin, as text.

Everything is written out in full, because what starts programs finds neither the shell's PATH nor
its variables. No secret is ever part of it.
Source: docs/contract.md, "Commands"; crontab(5); systemd.service(5), "Command lines";
docs/stash-api.md 6.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plexsync.config.keys import ENV_PREFIX
from plexsync.config.loader import find_config, require_something
from plexsync.config.problems import InvalidConfigError
from plexsync.config.schema import ENV_CONFIG, ENV_STATE_DIR, KEYS
from plexsync.config.sources import Raw, Sources
from plexsync.errors import ConfigError, ExitCode
from plexsync.state import cache_directory, state_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVERY_MINUTES = 15
_LOCK_WAIT = ("--lock-wait", "10m")
"""Less than the time between two runs, so that runs never queue up."""

_PLAIN_WORD = re.compile(r"[\w./-]+", re.ASCII)

_SECRETS = tuple(key for key in KEYS if key.form.secret)

_USER_SAFE = (
    "NoNewPrivileges=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "SystemCallArchitectures=native",
)
"""Hardening that works without privileges: file system namespaces fail for users on many systems.

Source: systemd.exec(5), "Sandboxing".
"""

_SYSTEM_SAFE = (
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "RestrictNamespaces=yes",
    "SystemCallFilter=@system-service",
)


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
    path: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The command line of a run."""
        config = ("--config", str(self.config)) if self.config else ()
        return (*self.program, "run", *_LOCK_WAIT, *config)

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
    """The installed plexsync beside this Python; else this Python with `-m plexsync`."""
    python = Path(executable).absolute()
    script = python.with_name("plexsync")
    return (str(script),) if script.is_file() else (str(python), "-m", "plexsync")


def find_setup(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    home: Path,
    program: tuple[str, ...],
    runs: bool = False,
) -> Setup:
    """What this configuration needs, read without its secrets and without asking a server.

    Args:
        path: `--config`.
        environ: the environment.
        home: the home directory.
        program: see `Setup`.
        runs: it is to start runs, which end at once where nothing is configured.

    Raises:
        InvalidConfigError: the file cannot be read, or something in it or in the variables is no
            setting.
        ConfigError: there is no configuration at all, or a variable cannot be written into a file
            of lines.
    """
    where = find_config(path, environ, home=home).absolute()
    sources = Sources()
    there = sources.take_file(where, must_exist=path is not None or ENV_CONFIG in environ)
    sources.take_environment(environ)
    if sources.problems:
        raise InvalidConfigError(tuple(sources.problems))
    if runs and not there:
        require_something(sources, where)
    held = [sources.found[key.name] for key in _SECRETS if key.name in sources.found]
    chosen = any(environ.get(name) for name in ("CACHE_DIRECTORY", "XDG_CACHE_HOME"))
    return Setup(
        program=program,
        config=where if there else None,
        folder=where.parent,
        state=state_directory(environ),
        cache=cache_directory(environ) if chosen else None,
        variables=tuple(_open_variables(environ, sources)),
        secrets=tuple(_secret_variables(environ, held)),
        credentials=tuple(name for raw in held if (name := _source(raw, "credential"))),
        path=environ.get("PATH", "") if any(_source(raw, "command") for raw in held) else "",
    )


# ---- cron ----------------------------------------------------------------------------------------


def crontab(setup: Setup) -> str:
    """Lines for `crontab -e`."""
    lines = ["# plexsync: silent unless something changed, waits for you, or failed."]
    lines += [f"# {line}" for line in _secret_words(setup, "cron")]
    lines += [f"{name}={_cron_value(value)}" for name, value in setup.all_variables()]
    # Cron makes a line break of a bare %, in quotes, too. Source: crontab(5).
    command = shlex.join(setup.command).replace("%", "\\%")
    lines.append(f"*/{_EVERY_MINUTES} * * * * {command}")
    return "\n".join(lines) + "\n"


def _cron_value(value: str) -> str:
    plain = value == value.strip() and not value.startswith(("'", '"'))
    return value if plain else f'"{value}"'


# ---- systemd -------------------------------------------------------------------------------------


def systemd_service(setup: Setup, *, user: str = "") -> str:
    """The service.

    Args:
        setup: what to start.
        user: the user it runs as when it is a service of the system; "" for one of the user's own.
    """
    lines = [
        f"# {_unit_folder(system=bool(user))}/plexsync.service",
        *(f"# {line}" for line in _secret_words(setup, "systemd")),
        "[Unit]",
        "Description=Make Plex say what Stash says",
        *(["Wants=network-online.target", "After=network-online.target"] if user else []),
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={_exec_line(setup.command)}",
        *([f"User={user}", "StateDirectory=plexsync", "StateDirectoryMode=0700"] if user else []),
        *(["CacheDirectory=plexsync", "CacheDirectoryMode=0700"] if user else []),
        f"EnvironmentFile=-{_setting(str(setup.folder / 'environment'))}",
        *(f"LoadCredential={_setting(f'{name}:{place}')}" for name, place in _credentials(setup)),
        *(
            f"Environment={_quoted(f'{name}={value}')}"
            for name, value in setup.all_variables(places=not user)
        ),
        "UMask=0077",
        "TimeoutStopSec=2min",
        # A run that is stopped ends in good order, and says so with a code of its own.
        f"SuccessExitStatus={ExitCode.TERMINATED:d}",
        *_USER_SAFE,
        *(_SYSTEM_SAFE if user else ()),
    ]
    return "\n".join(lines) + "\n"


def systemd_timer(*, system: bool) -> str:
    """The timer that starts the service."""
    return "\n".join(
        (
            f"# {_unit_folder(system=system)}/plexsync.timer",
            "[Unit]",
            "Description=Start plexsync regularly",
            "",
            "[Timer]",
            f"OnCalendar=*:0/{_EVERY_MINUTES}",
            "RandomizedDelaySec=60",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        )
    )


def systemd_steps(*, system: bool) -> tuple[str, ...]:
    """What to type once both files are there."""
    own = "" if system else "--user "
    return (
        f"systemctl {own}daemon-reload",
        f"systemctl {own}enable --now plexsync.timer",
        *(() if system else ("loginctl enable-linger    # to run while nobody is logged in",)),
    )


def _unit_folder(*, system: bool) -> str:
    return "/etc/systemd/system" if system else "~/.config/systemd/user"


def _setting(text: str) -> str:
    """A value in which systemd would see specifiers."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    escaped = _setting(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _exec_line(words: tuple[str, ...]) -> str:
    """A command; $ would be a variable in its arguments, and is none in the program's own path.

    Source: systemd.service(5), "Command lines".
    """
    program, *arguments = words
    return " ".join(map(_exec_word, (program, *(word.replace("$", "$$") for word in arguments))))


def _exec_word(word: str) -> str:
    return word if _PLAIN_WORD.fullmatch(word) else _quoted(word)


# ---- Stash ---------------------------------------------------------------------------------------


def stash_manifest(setup: Setup, version: str) -> str:
    """The manifest of a Stash plugin that notes which scenes changed.

    Stash refuses a manifest with a key it does not know. Source: docs/stash-api.md 6.
    """
    command = (*setup.program, "hook", "--state-dir", str(setup.state))
    return "\n".join(
        (
            "# Save as plexsync.yml in Stash's plugins folder; then Settings > Plugins > Reload.",
            "# Stash must run on this machine, as a user who may write to the state directory.",
            "name: plexsync",
            "description: Notes which scenes changed, so that the next plexsync run begins there.",
            f"version: {_yaml(version)}",
            "exec:",
            *(f"  - {_yaml(word)}" for word in command),
            "interface: raw",
            "hooks:",
            "  - name: Note the scene",
            "    description: Ends at once and never fails; plexsync run finds changes without it.",
            "    triggeredBy:",
            "      - Scene.Create.Post",
            "      - Scene.Update.Post",
            "      - Scene.Destroy.Post",
            "",
        )
    )


def _yaml(text: str) -> str:
    """A double-quoted YAML text; JSON's escapes are among YAML's."""
    return json.dumps(text, ensure_ascii=False)


# ---- Private -------------------------------------------------------------------------------------


def _open_variables(environ: Mapping[str, str], sources: Sources) -> list[tuple[str, str]]:
    """The variables of ours that are no secrets, file names made absolute."""
    closed = {ENV_CONFIG, ENV_STATE_DIR, *(key.variable for key in _SECRETS)}
    files = {raw.origin: where for raw in sources.found.values() if (where := _source(raw, "file"))}
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


def _secret_variables(environ: Mapping[str, str], held: list[Raw]) -> list[str]:
    """The variables that hold secrets here and must hold them there."""
    names = [key.variable for key in _SECRETS if environ.get(key.variable, "").strip()]
    return names + [where for raw in held if (where := _source(raw, "env"))]


def _source(raw: Raw, kind: str) -> str:
    """Where a secret is read from, if it is from there."""
    where = raw.value.get(kind, "") if isinstance(raw.value, dict) else ""
    return str(where) if where else ""


def _secret_words(setup: Setup, starter: str) -> list[str]:
    """What to do about secrets that come from variables of this shell, or from systemd."""
    words = []
    names = " and ".join(setup.secrets)
    if setup.secrets and starter == "systemd":
        file = setup.folder / "environment"
        words.append(f"Write {names} into {file}, mode 0600: NAME=value, one a line.")
    elif setup.secrets:
        ours = [name for name in setup.secrets if name.startswith(ENV_PREFIX)]
        how = " and ".join(f"{name}_FILE" for name in ours) or "{ file = ... } in the configuration"
        words.append(f"cron does not see your shell's {names}: use {how}.")
    if setup.credentials and starter == "systemd":
        places = " and ".join(str(place) for _, place in _credentials(setup))
        words.append(f"Put each secret alone into {places}, mode 0600, or say where it is.")
    elif setup.credentials:
        words.append("cron hands over no credentials: use { file = ... } in the configuration.")
    return words


def _credentials(setup: Setup) -> list[tuple[str, Path]]:
    """Each credential, and where its secret may lie: beside the configuration."""
    return [(name, setup.folder / name) for name in setup.credentials]
