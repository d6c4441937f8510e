"""Secrets: values no message, repr or log shows, and the places they are read from."""

from __future__ import annotations

import stat
import subprocess
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING

from plexsync.errors import ParseError
from plexsync.text.toml import toml_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HIDDEN = "***"
SOURCES = ("file", "env", "command", "credential")
"""Where a secret can come from besides a plain string. Source: docs/contract.md."""

_LARGEST_BYTES = 64 * 1024
"""More than any token or key; a bound so that a wrong path (/dev/zero) ends."""

COMMAND_S = 30.0
"""Long enough for a password manager on the network, short enough for cron."""


class Secret:
    """A text that shows itself only through `reveal()`.

    No dataclass on purpose: what walks over fields (`asdict`, encoders) finds none.
    """

    __slots__ = ("_hidden",)

    def __init__(self, value: str) -> None:
        self._hidden = value

    def reveal(self) -> str:
        """Return the secret itself: for a request header, and nothing else."""
        return self._hidden

    def __repr__(self) -> str:
        return f"Secret({HIDDEN!r})"

    def __str__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._hidden.encode(), other._hidden.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._hidden))

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not to be pickled or copied into a file")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


@dataclass(frozen=True, slots=True)
class SecretReader:
    """Reads secrets from where the configuration says they are.

    Args:
        environ: the environment, for `{ env }`, `{ credential }` and as that of commands.
        folder: what a relative file name is relative to.
        home: what `~` stands for.
        warn: receives what is unsafe but works.
        learn: receives every secret that was read, so that no output shows it.
        command_s: how long a command may take, in seconds.
    """

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    home: Path
    warn: Callable[[str], None]
    learn: Callable[[Secret], object] = id
    command_s: float = COMMAND_S

    def read(self, source: object) -> Secret:
        """Return the secret `source` holds or points to.

        Raises:
            ParseError: it is not there, empty, or cannot be sent in a header. The message never
                holds any part of the value.
        """
        secret = _checked(source) if isinstance(source, str) else self._read_elsewhere(source)
        self.learn(secret)
        return secret

    def resolve(self, name: str) -> Path:
        """Return the path the configuration means by `name`."""
        return resolve_name(name, self.folder, self.home)

    def _read_elsewhere(self, source: object) -> Secret:
        readers = {
            "file": self.read_file,
            "env": self._from_variable,
            "command": self._from_command,
            "credential": self._from_credential,
        }
        hint = (
            'Write a text, or one of { file = "..." }, { env = "..." }, { command = ["..."] }, '
            '{ credential = "..." }.'
        )
        if not isinstance(source, dict):
            raise ParseError("a secret is a text or a table", hint=hint)
        if len(source) != 1:
            raise ParseError("a secret has one source", hint=hint)
        ((kind, where),) = source.items()
        if kind not in readers:
            raise ParseError("that is no source of a secret", hint=hint)
        return readers[kind](where)

    def read_file(self, where: object) -> Secret:
        """Read the secret in a file, spaces and line breaks around it cut.

        Raises:
            ParseError: see `read`.
        """
        path = self.resolve(_text(where, "file"))
        try:
            with path.open("rb") as stream:
                content = stream.read(_LARGEST_BYTES + 1)
                mode = path.stat().st_mode
        except OSError as error:
            raise ParseError(
                f"the file {path} cannot be read ({error.strerror or 'unknown reason'})",
                hint="Check its name, and that the user plexsync runs as may read it.",
            ) from error
        if len(content) > _LARGEST_BYTES:
            raise ParseError(f"the file {path} is too large for a secret", hint="Check its name.")
        if mode & stat.S_IROTH:
            self.warn(f"{path} holds a secret and everybody may read it: chmod 600 {path}")
        return _checked(_decoded(content))

    def _from_variable(self, where: object) -> Secret:
        name = _text(where, "env")
        value = self.environ.get(name, "")
        if not value.strip():
            raise ParseError(
                f"the environment variable {name} is not set", hint=f"Set {name} and try again."
            )
        return _checked(value)

    def _from_credential(self, where: object) -> Secret:
        name = _text(where, "credential")
        folder = self.environ.get("CREDENTIALS_DIRECTORY", "")
        if not folder:
            raise ParseError(
                "there is no $CREDENTIALS_DIRECTORY",
                hint="Run from a systemd unit with LoadCredential=, or use { file = ... }.",
            )
        if "/" in name or name in {".", ".."}:
            raise ParseError(
                "a credential is a name without /", hint="Use the name given to LoadCredential=."
            )
        return self.read_file(str(Path(folder) / name))

    def _from_command(self, where: object) -> Secret:
        hint = "Run the command by hand to see what is wrong."
        if not isinstance(where, list) or not where or not all(isinstance(a, str) for a in where):
            raise ParseError(
                "a command is a list of texts", hint='Write { command = ["pass", "show", "plex"] }.'
            )
        program = where[0]
        try:
            done = subprocess.run(  # noqa: S603 - the owner's own configuration names the program
                where,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self.command_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            # Not raised from the cause: it carries what the command printed so far.
            raise ParseError(
                f"the command {program} took longer than {self.command_s:g} s", hint=hint
            ) from None
        except (OSError, ValueError) as error:
            raise ParseError(f"the command {program} cannot be started", hint=hint) from error
        if done.returncode != 0:
            raise ParseError(f"the command {program} ended with {done.returncode}", hint=hint)
        return _checked(_decoded(done.stdout))


def resolve_name(name: str, folder: Path, home: Path) -> Path:
    """Return a path of the configuration in `folder`; `~` is the home directory."""
    return home / name[2:] if name == "~" or name.startswith("~/") else folder / name


def describe(source: object) -> str:
    """How a secret's source is shown: where it is, never what it is."""
    if isinstance(source, dict) and len(source) == 1:
        kind, where = next(iter(source.items()))
        if kind in {"file", "env", "credential"} and isinstance(where, str):
            return toml_value(source)
        if kind == "command" and isinstance(where, list) and where:
            return f"{{ command = [{toml_value(where[0])}, ...] }}"
    return HIDDEN


def _text(where: object, kind: str) -> str:
    if isinstance(where, str) and where.strip() and "\x00" not in where:
        return where
    raise ParseError(f"{kind} is a text that is not empty", hint=f'Write {{ {kind} = "..." }}.')


def _decoded(content: bytes) -> str:
    # What is no UTF-8 becomes U+FFFD, which no secret may hold: an exception would carry it all.
    return content.decode("utf-8-sig", "replace")


_SCHEMES = ("Basic ", "Bearer ", "Token ")
"""What may stand before the secret of an Authorization header."""


def _checked(text: str) -> Secret:
    value = text.strip()
    if not value:
        raise ParseError("the secret is empty", hint="Check where it is read from.")
    alone = value.partition(" ")[2] if value.startswith(_SCHEMES) else value
    if not value.isascii() or not value.isprintable() or not alone or " " in alone:
        raise ParseError(
            "the secret holds spaces, line breaks or letters no HTTP header can carry",
            hint="Check that it is the token alone.",
        )
    return Secret(value)
