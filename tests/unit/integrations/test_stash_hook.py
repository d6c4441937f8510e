"""The Stash hook: notes the scene, is quick, and never worries Stash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.integrations import stash_hook as hook
from plexsync.integrations.hook_events import clear_spool, read_spool
from plexsync.storage.filesystem import DISK
from plexsync.storage.locations import state_directory

if TYPE_CHECKING:
    from collections.abc import Mapping


def event(
    scene_id: object = 45, kind: object = "Scene.Update.Post", given: object = None
) -> dict[str, Any]:
    """What Stash sends. Source: docs/stash-api.md 6."""
    context = {"id": scene_id, "type": kind, "input": given, "inputFields": ["id", "title"]}
    connection = {"Scheme": "http", "Host": "0.0.0.0", "Port": 9999}  # noqa: S104 - as Stash says it
    return {"server_connection": connection, "args": {"hookContext": context}}


def call(
    content: bytes,
    directory: Path | None,
    *,
    module: str = "plexsync",
    environ: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Call the hook as Stash does."""
    words = ["hook"] if module == "plexsync" else []
    place = ["--state-dir", str(directory)] if directory else []
    return subprocess.run(
        [sys.executable, "-m", module, *words, *place],
        input=content,
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, **(environ or {})},
    )


def notes(directory: Path) -> list[dict[str, object]]:
    """What lies in the spool, oldest first."""
    files = sorted((directory / hook.SPOOL).glob("*.json"))
    return [json.loads(file.read_text("utf-8")) for file in files]


def encoded(document: object) -> bytes:
    """As JSON."""
    return json.dumps(document).encode()


@pytest.mark.parametrize("module", ["plexsync", "plexsync.integrations.stash_hook"])
@pytest.mark.parametrize("kind", sorted(hook.EVENTS))
def test_a_changed_scene_leaves_a_note(tmp_path: Path, module: str, kind: str) -> None:
    """One file with id and type, nothing half done beside it, an answer Stash can read."""
    done = call(encoded(event(45, kind)), tmp_path, module=module)

    assert (done.returncode, done.stderr) == (0, b"")
    assert "45" in json.loads(done.stdout)["output"]
    assert notes(tmp_path) == [{"id": 45, "type": kind}]
    (file,) = (tmp_path / hook.SPOOL).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_cover_within_the_input_is_survived(tmp_path: Path) -> None:
    """Twenty megabytes of base64 behind the id: noted, and taken to the end."""
    done = call(encoded(event(given={"cover_image": "A" * 20_000_000})), tmp_path)

    assert (done.returncode, done.stderr) == (0, b"")
    assert notes(tmp_path) == [{"id": 45, "type": "Scene.Update.Post"}]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"args": []}',
        b'{"args": {"hookContext": null}}',
        encoded(event(0)),
        encoded(event(-4)),
        encoded(event(2**63)),
        encoded(event(True)),  # noqa: FBT003 - a wrong id
        encoded(event("45")),
        encoded(event(4.5)),
        encoded(event(kind=None)),
        encoded(event(kind="../../etc/passwd")),
        encoded(event(kind="Tag.Update.Post")),
        encoded(event("9" * 500_000)),
    ],
    ids=lambda content: repr(content[:70]),
)
def test_nonsense_is_a_line_in_the_log(tmp_path: Path, content: bytes) -> None:
    """Exit 0, a plugin log line, an answer, and no note."""
    done = call(content, tmp_path)

    assert done.returncode == 0
    assert done.stderr.startswith((b"\x01e\x02plexsync: ", b"\x01d\x02plexsync: "))
    assert done.stderr.count(b"\n") == 1
    assert json.loads(done.stdout) == {"output": "nothing noted"}
    assert not (tmp_path / hook.SPOOL).exists()


def test_no_state_yet_makes_none(tmp_path: Path) -> None:
    """A directory made as Stash's user could shut plexsync out of its own state."""
    done = call(encoded(event()), tmp_path / "later")

    assert done.returncode == 0
    assert done.stderr.startswith(b"\x01w\x02plexsync: ")
    assert not (tmp_path / "later").exists()


def test_a_spool_that_is_a_file_is_a_line_in_the_log(tmp_path: Path) -> None:
    """An OSError nobody thought of is reported, not raised."""
    (tmp_path / hook.SPOOL).write_text("", "utf-8")

    done = call(encoded(event()), tmp_path)

    assert done.returncode == 0
    assert done.stderr.startswith(b"\x01e\x02plexsync: NotADirectoryError")


def test_a_run_finds_what_the_hook_noted(tmp_path: Path) -> None:
    """The writer imports nothing of the reader, so this holds the two together."""
    call(encoded(event(45)), tmp_path)
    call(encoded(event(7, "Scene.Destroy.Post")), tmp_path)

    found = read_spool(tmp_path, DISK, datetime.now(UTC))

    assert found.scene_ids == ("45", "7")
    clear_spool(found, DISK)
    assert list((tmp_path / hook.SPOOL).iterdir()) == []


def test_notes_are_bounded(tmp_path: Path) -> None:
    """On both sides of the limit; the one too many is not even worth a warning."""
    spool = tmp_path / hook.SPOOL
    spool.mkdir()
    for number in range(hook.MOST_NOTES - 1):
        (spool / f"{number}.json").touch()

    hook.leave_note(str(tmp_path), 1, "Scene.Update.Post", name="last")
    with pytest.raises(hook.HookProblem) as refused:
        hook.leave_note(str(tmp_path), 2, "Scene.Update.Post", name="more")

    assert refused.value.level == "d"
    assert (spool / "last.json").exists()
    assert len(list(spool.iterdir())) == hook.MOST_NOTES


def test_whoever_sends_no_end_is_not_waited_for(tmp_path: Path) -> None:
    """The pipe stays open; the note is written all the same."""
    with subprocess.Popen(
        [sys.executable, "-m", "plexsync", "hook", "--state-dir", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        process.stdin.write(encoded(event()))
        process.stdin.flush()
        assert process.wait(timeout=120) == 0
        process.stdin.close()

    assert len(notes(tmp_path)) == 1


def test_closed_streams_are_survived(tmp_path: Path) -> None:
    """Without a stdout and stderr the note is written; without a stdin there is none."""
    script = (
        "import os, sys\n"
        "from plexsync.integrations.stash_hook import run_hook\n"
        f"os.close(1); os.close(2)\ncode = run_hook(['--state-dir', {str(tmp_path)!r}])\n"
        f"os.close(0)\nos._exit(code or run_hook(['--state-dir', {str(tmp_path)!r}]))"
    )

    done = subprocess.run([sys.executable, "-c", script], input=encoded(event()), check=False)

    assert done.returncode == 0
    assert len(notes(tmp_path)) == 1


def test_a_killed_hook_leaves_no_half_note(tmp_path: Path) -> None:
    """Stash kills hooks when its client hangs up."""
    with subprocess.Popen(
        [sys.executable, "-m", "plexsync.integrations.stash_hook", "--state-dir", str(tmp_path)],
        stdin=subprocess.PIPE,
    ) as process:
        process.send_signal(signal.SIGKILL)

    assert not (tmp_path / hook.SPOOL).exists() or notes(tmp_path) == []


def test_help_and_wrong_options_are_for_the_command_line() -> None:
    """Only the two plain forms take the short way."""
    assert hook.is_plain_call([])
    assert hook.is_plain_call(["--state-dir", "x"])
    assert not hook.is_plain_call(["--help"])
    assert not hook.is_plain_call(["--state-dir"])
    assert not hook.is_plain_call(["--json", "--state-dir"])


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"PLEXSYNC_STATE_DIR": "/a/b/../c"},
        {"PLEXSYNC_STATE_DIR": "relative"},
        {"PLEXSYNC_STATE_DIR": "~/x"},
        {"STATE_DIRECTORY": "/var/lib/plexsync:/var/lib/other"},
        {"XDG_STATE_HOME": "/xdg"},
        {"XDG_STATE_HOME": "relative"},
        {"PLEXSYNC_STATE_DIR": "/a", "STATE_DIRECTORY": "/b", "XDG_STATE_HOME": "/c"},
    ],
    ids=str,
)
def test_the_state_is_where_a_run_looks_for_it(environ: dict[str, str]) -> None:
    """Two pieces of code, one answer."""
    found = Path(hook.find_state_directory(environ, []))

    assert os.path.normpath(found) == os.path.normpath(state_directory(environ))


@pytest.mark.parametrize("environ", [{}, {"PLEXSYNC_STATE_DIR": "~/x"}], ids=str)
def test_no_note_goes_below_a_home_that_is_not_there(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would lie in whatever directory Stash was started in."""
    monkeypatch.setenv("HOME", "~")

    with pytest.raises(hook.HookProblem, match=r"no home directory: name .* by --state-dir"):
        hook.find_state_directory(environ, [])


@given(
    scene_id=st.integers(1, 2**63 - 1),
    kind=st.sampled_from(sorted(hook.EVENTS)),
    given_input=st.recursive(
        st.none() | st.text(max_size=20) | st.integers(),
        lambda inner: st.dictionaries(st.text(max_size=12), inner, max_size=3),
        max_leaves=5,
    ),
)
@settings(max_examples=100)
def test_the_beginning_of_an_input_is_as_good_as_all_of_it(
    scene_id: int, kind: str, given_input: object
) -> None:
    """An input cut off anywhere behind the type says the same."""
    whole = encoded(event(scene_id, kind, given_input))
    behind = whole.index(b'"input"')

    assert hook.read_event(whole) == (scene_id, kind)
    assert {hook.read_event(whole[:cut]) for cut in range(behind, len(whole))} == {(scene_id, kind)}


def test_the_way_of_the_hook_imports_nothing_heavy(tmp_path: Path) -> None:
    """Not even the parser of the command line."""
    script = (
        "import sys\n"
        f"sys.argv = ['plexsync', 'hook', '--state-dir', {str(tmp_path)!r}]\n"
        "from plexsync.__main__ import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sorted(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=encoded(event()),
        capture_output=True,
        check=True,
    )
    loaded = set(done.stdout.decode().splitlines()[-1].split())

    ours = {name for name in loaded if name.startswith("plexsync")}
    own = {"plexsync", "plexsync.__main__", "plexsync.integrations"}
    assert ours == own | {"plexsync.integrations.stash_hook"}
    assert not {name.partition(".")[0] for name in loaded} & {
        "click",
        "dataclasses",
        "logging",
        "msgspec",
        "subprocess",
    }
