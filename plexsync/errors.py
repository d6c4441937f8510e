"""The error tree: every failure plexsync expects, and the exit code it ends with.

PlexsyncError                     1
├── ConfigError                   2   usage or configuration
├── StateError                    9   local files
│   ├── StateCorruptError         9   a state or journal file cannot be read as written
│   ├── StateVersionError         9   written by a newer plexsync
│   ├── StateMismatchError        9   the state belongs to other servers
│   ├── LocalLimitError           9   this machine has no memory or open files left
│   └── StateLockedError          8   another run holds the lock
├── ServerError                   4   a server did not do what was asked
│   ├── TransientError            4   worth trying again; may carry `retry_after_s`
│   ├── AuthError                 5   credentials refused, or the right is missing
│   ├── LibraryMissingError       5   a configured library is not on the server
│   ├── NotFoundError             4   one named thing is gone
│   ├── OvertakenError            4   somebody else changed an item while it was written
│   └── BadResponseError          4   an answer that cannot be what was asked for
│       ├── TooLongError          4   a request is longer than a server or a proxy takes
│       ├── PictureFormatError    4   a picture of a kind Plex does not show
│       ├── PictureSizeError      4   a picture larger than Plex takes
│       ├── WebPageError          4   a web page instead of an answer
│       └── MisdirectedEditError  4   an edit reached items that were not meant
├── PlanError                     7
│   ├── UnsafeError               6   a safety limit stopped the run, or held some of it back
│   ├── DeclinedError             0   a person declined before the first write
│   └── MismatchError             7   a saved plan or undo target no longer fits
├── ParseError                    1   a value that cannot be read; each edge re-raises it as its own
└── InterruptedRunError     130/143   a signal asked the run to end

Source: docs/contract.md, "Exit codes". `most_severe` settles which code a run with several ends in.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """What the process tells its caller. Source: docs/contract.md."""

    OK = 0
    BUG = 1
    USAGE = 2
    SOME_FAILED = 3
    SERVER = 4
    ACCESS = 5
    UNSAFE = 6
    STALE = 7
    LOCKED = 8
    LOCAL_FILES = 9
    CHANGES = 10
    ONLY_REVIEW = 11
    TOO_OLD = 12
    INTERRUPTED = 130
    TERMINATED = 143


DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system calls a disk or a quota that is full."""

LOCAL_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""What the system says when this machine, not a server, has run out of something."""

_FULL_HINT = (
    "free space on that disk, or raise the quota, or set PLEXSYNC_STATE_DIR to another disk; the "
    "next run goes on where this one stopped"
)

_SEVERITY = (
    ExitCode.BUG,
    ExitCode.LOCAL_FILES,
    ExitCode.ACCESS,
    ExitCode.SERVER,
    ExitCode.UNSAFE,
    ExitCode.LOCKED,
    ExitCode.STALE,
    # Who is interrupted has not finished, whatever failed until then.
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
    ExitCode.SOME_FAILED,
)


def most_severe(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code a run ends with when it met all of `codes`; OK for none.

    Codes outside the contract's order (usage) never meet others and come back as they are.
    """
    met = set(codes) - {ExitCode.OK}
    for code in _SEVERITY:
        if code in met:
            return code
    return min(met, default=ExitCode.OK)


_LOCAL_LIMIT_HINT = (
    "raise the limit (ulimit -n, LimitNOFILE and MemoryMax in a systemd unit, the memory of a "
    "container), or end what else runs here; the next run goes on where this one stopped"
)


class PlexsyncError(Exception):
    """A failure with words for the person who has to deal with it.

    Args:
        message: what happened, one sentence, no secret in it.
        context: where, outermost first: `scene 812 > files[0].path`, `config.toml > [plex] > url`.
        hint: what to do about it, one sentence; the class's `remedy` unless given.
    """

    exit_code = ExitCode.BUG
    kind = "bug"
    remedy = "please report it; plexsync doctor --report FILE writes what a report needs"

    def __init__(self, message: str, *, context: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.context = context
        self.hint = hint or self.remedy

    def __str__(self) -> str:
        where = f"{self.context}: " if self.context else ""
        return f"{where}{self.message}"


class ConfigError(PlexsyncError):
    """Usage or configuration is wrong; nothing was asked of any server."""

    exit_code = ExitCode.USAGE
    kind = "config"
    remedy = "plexsync config validate names every key that is wrong, and how it is written"


class StateError(PlexsyncError):
    """The files plexsync keeps cannot be read or written."""

    exit_code = ExitCode.LOCAL_FILES
    kind = "state"
    remedy = (
        "see that the state directory can be written and its disk has space, or set "
        "PLEXSYNC_STATE_DIR to another one; plexsync doctor looks at it"
    )


class StateCorruptError(StateError):
    """A file is damaged: what it holds is not what was written."""

    kind = "state-corrupt"


class StateVersionError(StateError):
    """A file was written by a newer plexsync."""

    kind = "state-version"
    remedy = (
        "upgrade plexsync (pipx install --force . in its newer source), or set PLEXSYNC_STATE_DIR"
    )


class StateMismatchError(StateError):
    """The state remembers other servers than the configured ones."""

    kind = "state-mismatch"


class LocalLimitError(StateError):
    """This machine has run out of open files or memory; no server is at fault, and no bug."""

    kind = "local-limit"
    remedy = _LOCAL_LIMIT_HINT


class StateLockedError(StateError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED
    kind = "locked"
    remedy = "let the other run finish, or wait for it with --lock-wait"


class ServerError(PlexsyncError):
    """A server did not do what was asked.

    Attributes:
        status: of the HTTP answer that says so; 0 when there was none, or it was 200.
    """

    exit_code = ExitCode.SERVER
    kind = "server"
    remedy = (
        "look into the server's own log, and whether [stash] url and [plex] url lead to the "
        "servers themselves (plexsync doctor); the next run tries again"
    )
    status = 0


class TransientError(ServerError):
    """The same request may well succeed later.

    Args:
        message: see `PlexsyncError`.
        context: see `PlexsyncError`.
        hint: see `PlexsyncError`.
        retry_after_s: what the server asked for, in seconds; None when it did not say.
    """

    kind = "transient"

    def __init__(
        self, message: str, *, context: str = "", hint: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, context=context, hint=hint)
        self.retry_after_s = retry_after_s


class AuthError(ServerError):
    """Credentials are refused, or lack a right."""

    exit_code = ExitCode.ACCESS
    kind = "auth"
    remedy = "put the key Stash shows into [stash] api_key, the owner's token into [plex] token"


class LibraryMissingError(ServerError):
    """A configured library is not on the server."""

    exit_code = ExitCode.ACCESS
    kind = "library-missing"
    remedy = "name a library the server has in [plex] libraries; plexsync doctor looks at them"


class NotFoundError(ServerError):
    """One named thing is not there (any more)."""

    kind = "not-found"


class OvertakenError(ServerError):
    """Somebody else changed an item while it was written; the rest of the write was not sent."""

    kind = "overtaken"
    remedy = "nothing to do: plexsync run looks again at what is in Plex now"


class BadResponseError(ServerError):
    """An answer that cannot be what was asked for: wrong shape, short, or somebody else's."""

    kind = "bad-response"


class TooLongError(BadResponseError):
    """A request is longer than a server, or a proxy before it, takes; no shorter one says it."""

    kind = "too-long"
    remedy = (
        "have the proxy before the server take longer addresses, let [plex] url go past it, or "
        "leave names out with the exclude of the field"
    )


class WebPageError(BadResponseError):
    """A web page came where an answer was expected: a proxy's, one to log in, another service."""

    kind = "web-page"


class PictureFormatError(BadResponseError):
    """A picture is of a kind Plex does not show."""

    kind = "picture-format"
    remedy = (
        "set another cover in Stash, a JPEG, PNG, WebP or GIF, or switch fields.poster off; "
        "plexsync tries again then"
    )


class PictureSizeError(BadResponseError):
    """A picture is larger than Plex takes."""

    kind = "picture-too-large"
    remedy = "set a smaller cover in Stash, or switch fields.poster off; plexsync tries again then"


class MisdirectedEditError(BadResponseError):
    """Plex, or a proxy before it, applied an edit to items it did not name."""

    kind = "misdirected-edit"
    remedy = (
        "put Plex's database back from the backup it makes every few days (Plex: Settings, "
        "Troubleshooting), let no proxy between plexsync and Plex drop parts of an address "
        "([plex] url may go past it), and then run again; plexsync undo takes back what is known"
    )


class PlanError(PlexsyncError):
    """A plan must not or cannot be applied."""

    exit_code = ExitCode.STALE
    kind = "plan"
    remedy = "make another one: plexsync run --save-plan FILE"


class UnsafeError(PlanError):
    """A safety limit stopped the run, or held some of it back."""

    exit_code = ExitCode.UNSAFE
    kind = "unsafe"
    remedy = "look with plexsync run -n --force; [apply] has the limits, --force passes them once"


class DeclinedError(PlanError):
    """A person was asked and declined; nothing was written, and nothing is wrong."""

    exit_code = ExitCode.OK
    kind = "declined"
    remedy = "plexsync run --ask shows it again"


class MismatchError(PlanError):
    """A saved plan or an undo target no longer fits what the servers hold."""

    kind = "stale"


def local_failure(error: BaseException) -> StateError | None:
    """Return what a full disk, and no memory, threads or open files left, stand for.

    None for anything else, which is a bug.
    """
    if isinstance(error, MemoryError):
        return LocalLimitError("this machine has no more memory")
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return LocalLimitError("this machine starts no more threads")
    if not isinstance(error, OSError):
        return None
    if error.errno in DISK_FULL:
        return StateError(f"nothing more can be written: {error.strerror}", hint=_FULL_HINT)
    if error.errno in LOCAL_LIMITS:
        return LocalLimitError(f"this machine has reached a limit: {error.strerror}")
    return None


class ParseError(PlexsyncError):
    """A value cannot be read. Raised by pure code; each edge re-raises it as its own."""

    kind = "parse"
    remedy = ConfigError.remedy


class InterruptedRunError(PlexsyncError):
    """A signal asked the run to end; state is consistent.

    Args:
        exit_code: 130 for SIGINT, 143 for SIGTERM.
        after: what had been done until then, and what becomes of the rest.
    """

    kind = "interrupted"
    remedy = ""  # whoever stopped it knows; the message says what becomes of the rest

    def __init__(
        self,
        exit_code: ExitCode,
        *,
        after: str = "what was written is remembered, and the next run settles the rest",
    ) -> None:
        super().__init__(f"interrupted: {after}")
        self.exit_code = exit_code
