"""Where files live, and the client identifier that lives there."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import pytest

from plexsync.errors import ConfigError, StateCorruptError
from plexsync.storage.locations import (
    UNREGISTERED_CLIENT_ID,
    cache_directory,
    load_client_id,
    state_directory,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PLEXSYNC_STATE_DIR": "/a", "STATE_DIRECTORY": "/b", "XDG_STATE_HOME": "/c"}, "/a"),
        ({"STATE_DIRECTORY": "/b", "XDG_STATE_HOME": "/c"}, "/b"),
        ({"STATE_DIRECTORY": "/b:/other"}, "/b"),
        ({"XDG_STATE_HOME": "/c"}, "/c/plexsync"),
        ({"PLEXSYNC_STATE_DIR": "", "STATE_DIRECTORY": "", "XDG_STATE_HOME": "/c"}, "/c/plexsync"),
    ],
    ids=["ours first", "systemd", "systemd list", "xdg", "empty is unset"],
)
def test_state_directory_follows_the_contract(environ: dict[str, str], expected: str) -> None:
    """The first variable that is set wins."""
    assert state_directory(environ) == Path(expected)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CACHE_DIRECTORY": "/b:/other", "XDG_CACHE_HOME": "/c"}, "/b"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/plexsync"),
    ],
    ids=["systemd", "xdg"],
)
def test_cache_directory_follows_the_contract(environ: dict[str, str], expected: str) -> None:
    """The first variable that is set wins."""
    assert cache_directory(environ) == Path(expected)


def test_relative_xdg_value_is_ignored() -> None:
    """As the XDG specification demands."""
    environ = {"XDG_STATE_HOME": "here", "XDG_CACHE_HOME": "here"}

    assert state_directory(environ) == platformdirs.user_state_path("plexsync", appauthor=False)
    assert cache_directory(environ) == platformdirs.user_cache_path("plexsync", appauthor=False)


def test_own_variable_may_be_relative_or_start_at_home() -> None:
    """What a person types means what it means in a shell."""
    assert state_directory({"PLEXSYNC_STATE_DIR": "here"}) == Path.cwd() / "here"
    assert state_directory({"PLEXSYNC_STATE_DIR": "~/here"}) == Path.home() / "here"


@pytest.mark.parametrize(
    ("place", "environ", "remedy"),
    [
        (state_directory, {}, "Set PLEXSYNC_STATE_DIR and"),
        (state_directory, {"PLEXSYNC_STATE_DIR": "~/x"}, "whole path: PLEXSYNC_STATE_DIR=/"),
        (cache_directory, {}, "CACHE_DIRECTORY, or HOME"),
    ],
    ids=["state", "state named by ~", "cache"],
)
def test_a_user_without_a_home_learns_what_to_set(
    place: Callable[[Mapping[str, str]], Path],
    environ: dict[str, str],
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a number for a user in a container. For this HOME Python finds no directory either."""
    monkeypatch.setenv("HOME", "~")

    with pytest.raises(ConfigError) as caught:
        place(environ)

    assert remedy in (caught.value.hint or "")


def test_client_id_is_made_once(tmp_path: Path) -> None:
    """The first identifier stays, in a private file in a private directory."""
    directory = tmp_path / "state"
    first = load_client_id(directory, create=True)

    second = load_client_id(directory, create=True)

    assert first == second
    assert first != load_client_id(tmp_path / "another", create=True)
    assert stat.S_IMODE((directory / "client-id").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_two_first_runs_at_once_do_not_meet_in_one_draft(tmp_path: Path) -> None:
    """A draft another process is just writing is neither taken over nor taken away."""
    foreign = tmp_path / "client-id.tmp"
    foreign.write_text("half an ident")

    client_id = load_client_id(tmp_path, create=True)

    assert foreign.read_text() == "half an ident"
    assert (tmp_path / "client-id").read_text() == f"{client_id}\n"


def test_dry_run_makes_no_client_id(tmp_path: Path) -> None:
    """Without one it goes by a fixed name, and writes nothing."""
    directory = tmp_path / "state"

    client_id = load_client_id(directory, create=False)

    assert client_id == UNREGISTERED_CLIENT_ID
    assert not directory.exists()


def test_dry_run_uses_the_client_id_that_is_there(tmp_path: Path) -> None:
    """So that Plex does not list another device."""
    (tmp_path / "client-id").write_text("0d6c1d2e-known\n")

    assert load_client_id(tmp_path, create=False) == "0d6c1d2e-known"


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe12345678", b"x" * 200])
def test_damaged_client_id_is_reported(tmp_path: Path, content: bytes) -> None:
    """It is neither sent to Plex as it is nor silently replaced."""
    (tmp_path / "client-id").write_bytes(content)

    with pytest.raises(StateCorruptError, match="does not hold a client identifier") as caught:
        load_client_id(tmp_path, create=True)

    assert "Delete" in caught.value.hint
    assert (tmp_path / "client-id").read_bytes() == content
