r"""The Stash plugin's end of plexsync: notes which scene changed, and is gone.

Stash runs this once for each scene it saved, one after another, and waits for it. So it loads
nothing but a little of the standard library, waits for nobody, and never fails: whatever goes
wrong is a line in Stash's log, and the next run finds the change by itself. A hook is a hint.

This file needs nothing else of plexsync: copy it where Stash lives in a container of its own.
Source: docs/stash-api.md 6.
"""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import suppress

SPOOL = "spool"
"""The directory of notes below the state directory: `<time in ns>-<pid>.json`, oldest first.

Each holds `{"id": 45, "type": "Scene.Update.Post"}`. Notes are not synced to disk: after a power
cut one may be empty, and files that do not end in `.json` were cut off before they got their name.
"""

MOST_NOTES = 5000
"""Notes kept. A bulk edit of more scenes than that is found by the next run without them."""

EVENTS = frozenset({"Scene.Create.Post", "Scene.Update.Post", "Scene.Destroy.Post"})

_STATE_DIR = "--state-dir"
_MOST_BYTES = 256 * 1024
"""Bytes of the input that are kept: `id` and `type` come first, a cover may follow as base64."""

_LONGEST_S = 2.0
"""Stash sends everything at once and closes. Whoever else calls this is not waited for longer."""

_PIECE_BYTES = 1 << 20
_LONGEST_LINE = 2000
_MOST_ID = 2**63 - 1
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600

_BEFORE_ID, _BEFORE_TYPE = b':{"id":', b',"type":"'
_BLANKS = b" \t\r\n"
_LONGEST_CONTEXT = 200
_LONGEST_ID, _LONGEST_EVENT = 19, 64
"""Digits of an id, letters of an event, and more bytes than what stands before both of them."""


class HookProblem(Exception):  # noqa: N818 - not an error of the program: nothing stops for it
    """Why nothing was noted, in words for Stash's log. `level` is one of Stash's letters."""

    def __init__(self, message: str, level: str = "e") -> None:
        super().__init__(message)
        self.level = level


def run_hook(arguments: list[str]) -> int:
    """Read what Stash tells on stdin and note it. Always 0: the hook must not worry anybody.

    Args:
        arguments: nothing, or `--state-dir DIR`.
    """
    try:
        scene_id, event = read_event(_read_input(0, time.monotonic() + _LONGEST_S))
        directory = find_state_directory(dict(os.environ), arguments)
        leave_note(directory, scene_id, event, name=f"{time.time_ns()}-{os.getpid()}")
        _say(1, f'{{"output": "noted {event} of scene {scene_id} for plexsync"}}')
    except HookProblem as problem:
        log_line(problem.level, str(problem))
        _say(1, '{"output": "nothing noted"}')
    except Exception as error:  # noqa: BLE001 - Stash must not notice any failure of ours
        log_line("e", f"{type(error).__name__}: {error}")
        _say(1, '{"output": "nothing noted"}')
    return 0


def is_plain_call(arguments: list[str]) -> bool:
    """Whether these arguments of `plexsync hook` need no command line parser (and no help)."""
    return arguments == [] or (len(arguments) == 2 and arguments[0] == _STATE_DIR)  # noqa: PLR2004 - a pair


def find_state_directory(environ: dict[str, str], arguments: list[str]) -> str:
    """Where plexsync keeps its state: as `locations.state_directory`, without its imports.

    Raises:
        HookProblem: it would be below a home directory, and this user has none.
    """
    if is_plain_call(arguments) and arguments:
        return arguments[1]
    named = environ.get("PLEXSYNC_STATE_DIR", "")
    if named:
        return os.path.abspath(_below_home(named))  # noqa: PTH100 - pathlib costs 5 ms
    by_systemd = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if by_systemd:
        return by_systemd
    xdg = environ.get("XDG_STATE_HOME", "")
    if xdg.startswith("/"):
        return f"{xdg}/plexsync"
    below = "Library/Application Support" if sys.platform == "darwin" else ".local/state"
    return _below_home(f"~/{below}/plexsync")


def read_event(content: bytes) -> tuple[int, str]:
    """Return the scene's id and the event in what Stash sent, which may be cut off behind them.

    Raises:
        HookProblem: there are none.
    """
    found = _from_beginning(content) or _from_document(content)
    if found is None:
        raise HookProblem("this is not what a Stash hook sends: no hookContext with id and type")
    scene_id, event = found
    if event not in EVENTS:
        raise HookProblem(f"{event} says nothing about a scene", "d")
    return scene_id, event


def leave_note(directory: str, scene_id: int, event: str, *, name: str) -> None:
    """Leave a note that a run finds whole or not at all.

    Args:
        directory: the state directory, which must exist: a run makes it, as its own user.
        scene_id: Stash's id.
        event: one of `EVENTS`.
        name: of the note; one that no other process uses.

    Raises:
        HookProblem: there is no state yet, or the disk is full.
        OSError: it cannot be written.
    """
    try:
        owner = os.stat(directory)  # noqa: PTH116 - pathlib costs 5 ms
    except FileNotFoundError:
        raise HookProblem(
            f"there is no {directory} yet: the first plexsync run makes it", "w"
        ) from None
    spool = f"{directory}/{SPOOL}"
    with suppress(FileExistsError):
        os.mkdir(spool, _DIRECTORY_MODE)  # noqa: PTH102 - see above
        _give(spool, owner)
    if len(os.listdir(spool)) >= MOST_NOTES:  # noqa: PTH208 - see above
        raise HookProblem("many scenes wait already; the next run finds this one by itself", "d")
    draft = f"{spool}/{name}.tmp"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    try:
        os.write(handle, f'{{"id": {scene_id}, "type": "{event}"}}\n'.encode())
    finally:
        os.close(handle)
    _give(draft, owner)
    os.rename(draft, f"{spool}/{name}.json")  # noqa: PTH104 - see above


def read_to_end() -> None:
    """Take all that Stash sends on stdin, which logs a broken pipe else."""
    with suppress(HookProblem):
        _read_input(0, time.monotonic() + _LONGEST_S)


def log_line(level: str, message: str) -> None:
    r"""Write one line as Stash reads it: `\x01<level>\x02<message>`."""
    clean = "".join(letter if letter.isprintable() else " " for letter in message)
    _say(2, f"\x01{level}\x02plexsync: {clean[:_LONGEST_LINE]}")


def log_progress(share: float) -> None:
    """Tell Stash how far a task is, from 0 to 1."""
    _say(2, f"\x01p\x02{share:.3f}")


# ---- Private -------------------------------------------------------------------------------------


def _below_home(path: str) -> str:
    """Return `path` with its `~` replaced."""
    found = os.path.expanduser(path)  # noqa: PTH111 - pathlib costs 5 ms
    if found.startswith("~"):
        raise HookProblem("this user has no home directory: name the one of a run by --state-dir")
    return found


def _read_input(descriptor: int, until: float) -> bytes:
    """Return the first bytes of what comes. The rest is taken, too, or Stash logs a broken pipe.

    Raises:
        HookProblem: a person is at the other end.
    """
    if os.isatty(descriptor):
        raise HookProblem("plexsync hook is for Stash: it reads what a hook sends on stdin", "w")
    kept = bytearray()
    while (left := until - time.monotonic()) > 0 and select.select([descriptor], [], [], left)[0]:
        piece = os.read(descriptor, _PIECE_BYTES)
        if not piece:
            break
        kept += piece[: _MOST_BYTES - len(kept)]
    return bytes(kept)


def _from_beginning(content: bytes) -> tuple[int, str] | None:
    """Of an input as every Stash writes it, which may be cut off behind the type.

    Quotes within a JSON text are escaped, so the name cannot be found inside one.
    """
    _, _, rest = content.partition(b'"hookContext"')
    context = rest[:_LONGEST_CONTEXT].translate(None, _BLANKS)
    number, _, rest = context.removeprefix(_BEFORE_ID).partition(_BEFORE_TYPE)
    event, quote, _ = rest.partition(b'"')
    is_id = number.isdigit() and not number.startswith(b"0") and len(number) <= _LONGEST_ID
    is_event = event.replace(b".", b"").isalpha() and len(event) <= _LONGEST_EVENT
    if not (context.startswith(_BEFORE_ID) and is_id and quote and is_event):
        return None
    return (int(number), event.decode()) if int(number) <= _MOST_ID else None


def _from_document(content: bytes) -> tuple[int, str] | None:
    """Of any other spelling of the same document."""
    import json  # noqa: PLC0415 - what needs it is rare, and it takes a tenth of the hook's time

    try:
        context = json.loads(content)["args"]["hookContext"]
        scene_id, event = context["id"], context["type"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    fits = type(scene_id) is int and 0 < scene_id <= _MOST_ID and isinstance(event, str)
    return (scene_id, event) if fits else None


def _give(path: str, owner: os.stat_result) -> None:
    """Stash often runs as root in a container; plexsync must be able to take the note away."""
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid)


def _say(descriptor: int, line: str) -> None:
    with suppress(OSError):
        os.write(descriptor, f"{line}\n".encode())


if __name__ == "__main__":
    sys.exit(run_hook(sys.argv[1:]))
