"""Where plexsync keeps its files, and the client identifier it keeps there.

Source: docs/contract.md, "Files".
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Literal

from plexsync.errors import ConfigError, StateCorruptError, StateError
from plexsync.storage.filesystem import (
    DISK,
    Filesystem,
    read_if_there,
    state_errors,
    write_atomically,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UNREGISTERED_CLIENT_ID = "plexsync-dry-run"
"""What a dry run calls itself to Plex on a machine that has no client identifier yet."""

_APP = "plexsync"
_CLIENT_ID = "client-id"
_CLIENT_ID_FORM = re.compile(r"[!-~]{8,128}")


def state_directory(environ: Mapping[str, str]) -> Path:
    """Where the state lives: $PLEXSYNC_STATE_DIR, $STATE_DIRECTORY, or the XDG place.

    Raises:
        ConfigError: nothing names it, or only by a home directory this user does not have.
    """
    return (
        _named(environ, "PLEXSYNC_STATE_DIR")
        or _given_by_systemd(environ, "STATE_DIRECTORY")
        or _under_xdg(environ, "XDG_STATE_HOME")
        or _usual_place("state")
    )


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Where what may be deleted at any time lives: $CACHE_DIRECTORY, or the XDG place.

    Raises:
        ConfigError: nothing names it, and this user has no home directory.
    """
    return (
        _given_by_systemd(environ, "CACHE_DIRECTORY")
        or _under_xdg(environ, "XDG_CACHE_HOME")
        or _usual_place("cache")
    )


def check_private(directory: Path) -> None:
    """Hold that nobody else can write to `directory`, which need not exist.

    Whoever can, can exchange what is remembered, and so decide what is written to Plex. A group may
    write if it is its owner's own, as many systems give everybody one (umask 002).

    Raises:
        StateError: somebody can.
    """
    try:
        found = directory.stat()
    except OSError:
        return  # what uses it says so in words of its own
    others = found.st_mode & stat.S_IWOTH
    if not others and (not found.st_mode & stat.S_IWGRP or _is_own_group(found)):
        return
    who = "everybody" if others else f"the group {_group_name(found.st_gid)}"
    raise StateError(
        f"{who} can write to the state directory, and so decide what is written to Plex",
        context=str(directory),
        hint=f"chmod go-w {quote(str(directory))}, or set PLEXSYNC_STATE_DIR to a directory of "
        "your own on a disk that keeps modes",
    )


def _random_id() -> str:
    import uuid  # noqa: PLC0415 - needed once in the life of an installation

    return str(uuid.uuid4())


def load_client_id(
    directory: Path,
    *,
    create: bool,
    new_id: Callable[[], str] = _random_id,
    disk: Filesystem = DISK,
) -> str:
    """Return the identifier Plex knows this installation by.

    Args:
        directory: the state directory.
        create: whether one may be made up and kept; False for a dry run, which writes nothing.
        new_id: makes one up.
        disk: where to read and write.

    Raises:
        StateCorruptError: the file is there but does not hold an identifier.
        StateError: the file cannot be read or written.
    """
    path = directory / _CLIENT_ID
    content = read_if_there(disk, path)
    if content is None:
        return _keep_new_id(disk, path, new_id()) if create else UNREGISTERED_CLIENT_ID
    text = content.decode(errors="replace").strip()
    if not _CLIENT_ID_FORM.fullmatch(text):
        raise StateCorruptError(
            "the file does not hold a client identifier",
            context=str(path),
            hint=f"Delete {path}: plexsync run makes a new one, and Plex lists one more device.",
        )
    return text


def _keep_new_id(disk: Filesystem, path: Path, client_id: str) -> str:
    with state_errors("create", path.parent):
        disk.make_directory(path.parent)
    # Not under the lock, because Plex is greeted before it is taken: two first runs at once each
    # write a whole file, and one of them stays.
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write_atomically(disk, path, [f"{client_id}\n".encode()], draft=draft)
    return client_id


def _is_own_group(found: os.stat_result) -> bool:
    """Whether nobody but the owner is in the group of a directory, as far as is known."""
    try:
        owner = pwd.getpwuid(found.st_uid)
        members = set(grp.getgrgid(found.st_gid).gr_mem)
    except KeyError:  # as for the users of a container, which have numbers alone
        return found.st_gid == found.st_uid
    return (
        found.st_gid == owner.pw_gid
        and members <= {owner.pw_name}
        and (found.st_gid == found.st_uid or _group_name(found.st_gid) == owner.pw_name)
    )


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _named(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name, "")
    try:
        return Path(value).expanduser().absolute() if value else None
    except RuntimeError as error:
        raise ConfigError(
            f"no home directory is known that the ~ of {name} could stand for",
            context=f"{name}={value}",
            hint=f"Write the whole path: {name}=/a/directory/of/your/own",
        ) from error


def _given_by_systemd(environ: Mapping[str, str], name: str) -> Path | None:
    """Return the first of a colon-separated list. Source: systemd.exec(5), RuntimeDirectory=."""
    first = environ.get(name, "").partition(":")[0]
    return Path(first) if first else None


def _usual_place(kind: Literal["state", "cache"]) -> Path:
    """Where this system keeps such files when nobody says otherwise.

    Raises:
        ConfigError: it keeps them below the home directory, and this user has none.
    """
    import platformdirs  # noqa: PLC0415 - often a variable says it

    try:
        Path.home()
    except RuntimeError as error:
        raise ConfigError(
            f"this user has no home directory, below which plexsync would keep its {kind}",
            hint="Set PLEXSYNC_STATE_DIR and CACHE_DIRECTORY, or HOME, to directories of yours.",
        ) from error
    place = platformdirs.user_state_path if kind == "state" else platformdirs.user_cache_path
    return place(_APP, appauthor=False)


def _under_xdg(environ: Mapping[str, str], name: str) -> Path | None:
    """Return our directory below that of a variable; None without one.

    A relative value is to be ignored. Source: XDG Base Directory Specification, 2.
    """
    value = environ.get(name, "")
    return Path(value) / _APP if value.startswith("/") else None
