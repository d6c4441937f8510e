"""Where plexsync keeps its files, and the lock there: one process writes at a time.

The lock is the operating system's, on a file that is never deleted, so it is free the moment its
holder ends, however it ends. Who holds it stands in a file beside it (older filelocks empty the
lock file itself when they try to take it); that note is a courtesy and nothing is decided by it.
Source: docs/contract.md, "Files".
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from warnings import catch_warnings

import msgspec

from plexsync.errors import ConfigError, StateCorruptError, StateError, StateLockedError
from plexsync.storage.filesystem import (
    DISK,
    read_if_there,
    state_errors,
    write_atomically,
)
from plexsync.text.words import shell_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNREGISTERED_CLIENT_ID = "plexsync-dry-run"
"""What a dry run calls itself to Plex on a machine that has no client identifier yet."""

_APP = "plexsync"
_CLIENT_ID = "client-id"
_CLIENT_ID_FORM = re.compile(r"[!-~]{8,128}")
_LOCK = "lock"
_NOTE = "lock.holder"
_FILE_MODE = 0o600


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
        hint=f"chmod go-w {shell_word(str(directory))}, or set PLEXSYNC_STATE_DIR to a directory "
        "of your own on a disk that keeps modes",
    )


def load_client_id(directory: Path, *, create: bool) -> str:
    """Return the identifier Plex knows this installation by.

    Args:
        directory: the state directory.
        create: whether one may be made up and kept; False for a dry run, which writes nothing.

    Raises:
        StateCorruptError: the file is there but does not hold an identifier.
        StateError: the file cannot be read or written.
    """
    path = directory / _CLIENT_ID
    content = read_if_there(DISK, path)
    if content is None:
        return _keep_new_id(path) if create else UNREGISTERED_CLIENT_ID
    text = content.decode(errors="replace").strip()
    if not _CLIENT_ID_FORM.fullmatch(text):
        raise StateCorruptError(
            "the file does not hold a client identifier",
            context=str(path),
            hint=f"Delete {path}: plexsync run makes a new one, and Plex lists one more device.",
        )
    return text


def _keep_new_id(path: Path) -> str:
    import uuid  # noqa: PLC0415 - needed once in the life of an installation

    client_id = str(uuid.uuid4())
    with state_errors("create", path.parent):
        DISK.make_directory(path.parent)
    # Not under the lock, because Plex is greeted before it is taken: two first runs at once each
    # write a whole file, and one of them stays.
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write_atomically(DISK, path, [f"{client_id}\n".encode()], draft=draft)
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


# ---- The lock ------------------------------------------------------------------------------------


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock. `since` is an ISO time; `host` tells containers apart."""

    pid: int
    since: str
    host: str = ""


@contextmanager
def hold_lock(directory: Path, *, since: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of `directory`, which must exist, for the length of the block.

    Args:
        directory: the state directory.
        since: the time now, ISO, for the others to read.
        wait_s: how long to wait for another run to end, in seconds; 0 not at all.

    Raises:
        StateLockedError: another run still holds it after `wait_s`.
        StateError: the lock file cannot be used, or others can write to the directory.
    """
    import filelock  # noqa: PLC0415 - who only reads takes no lock, and it loads asyncio

    check_private(directory)
    path = directory / _LOCK
    lock = filelock.FileLock(path, timeout=max(wait_s, 0.0), mode=_FILE_MODE, thread_local=False)
    with state_errors("lock", path):
        try:
            with catch_warnings(action="ignore"):
                lock.acquire()
        except filelock.Timeout as timeout:  # an OSError itself
            raise _locked(directory, wait_s) from timeout
        except NotImplementedError as error:
            raise _without_locks(path) from error
        if isinstance(lock, filelock.SoftFileLock):
            # What newer filelocks make of it there: a file that a killed run would leave behind.
            lock.release()
            raise _without_locks(path)
    try:
        _leave_note(directory / _NOTE, Holder(pid=os.getpid(), since=since, host=_this_host()))
        yield
    finally:
        # The note goes first: after the release it may already be somebody else's.
        with suppress(OSError):
            (directory / _NOTE).unlink()
        lock.release()


def read_holder(directory: Path) -> Holder | None:
    """Return who last held the lock; None when nobody did. Takes no lock and writes nothing."""
    try:
        with DISK.read(directory / _NOTE) as note:
            return msgspec.json.decode(note.read(), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        # Absent, or read while it was being written: then we just cannot say who it is.
        return None


def at_work(directory: Path) -> Holder | None:
    """Who holds the lock, unless it is known to be gone: a killed run leaves its note."""
    holder = read_holder(directory)
    if holder is None or holder.host != _this_host():
        return holder
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return None
    except OSError:  # somebody else's process is one, too
        return holder
    return holder


def _leave_note(path: Path, holder: Holder) -> None:
    # Only a courtesy: a full disk will speak up where it matters, at the first durable write.
    with suppress(OSError):
        path.unlink(missing_ok=True)  # it may be another user's, or open to others
        with os.fdopen(DISK.create(path), "wb") as note:
            note.write(msgspec.json.encode(holder) + b"\n")


def _without_locks(path: Path) -> StateError:
    return StateError(
        "this file system cannot lock files, so two runs could write at once",
        context=str(path),
        hint="Set PLEXSYNC_STATE_DIR to a directory on a local disk.",
    )


def _locked(directory: Path, wait_s: float) -> StateLockedError:
    holder = read_holder(directory)
    waited = f" after {wait_s:g} s" if wait_s > 0 else ""
    if holder is None:
        who, end = "", ""
    else:
        who = f" (process {holder.pid} on {holder.host}, since {holder.since})"
        end = f", and end process {holder.pid} if it is stuck"
    return StateLockedError(
        f"another run still holds the lock{waited}{who}",
        context=str(directory / _LOCK),
        hint=f"Let it finish, or wait for it with --lock-wait{end}. Never delete the file.",
    )


def _this_host() -> str:
    """Return the name of this machine, or of the container."""
    return os.uname().nodename or "this host"
