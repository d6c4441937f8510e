"""`plexsync init`: a configuration by asking, tried on both simulators."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.app.wizard import Interview
from plexsync.cli import run_command_line
from plexsync.config.files import Answers, config_text, require_absent, write_config, write_setup
from plexsync.config.loader import load_config
from plexsync.errors import ConfigError, ExitCode, StateError
from plexsync.models import PathRule
from plexsync.simulators.http.plex_tv import PlexTvSimulator, SimConnection, SimResource
from plexsync.simulators.http.wire import ErrorStatus, Fault, LoopbackServer, Wired
from plexsync.simulators.library.pairs import Case, LibrarySpec, demo_library, make_library
from plexsync.simulators.plex.parts import Identity
from tests.support.terminals import run_plexsync
from tests.support.typing_terminals import Person
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOWHERE = "http://127.0.0.1:9"


@dataclass
class Script:
    """Answers questions from a list of (beginning of the question, answer)."""

    lines: list[tuple[str, str]]
    shown: list[str] = field(default_factory=list)

    def tell(self, text: str) -> None:
        """Keep it."""
        self.shown.append(text)

    def ask(self, question: str, default: str = "") -> str:
        """The next answer; it must be for this question."""
        expected, answer = self.lines.pop(0)
        assert question.startswith(expected), question
        return answer or default

    def ask_secret(self, question: str) -> str:
        """The same."""
        return self.ask(question)

    def confirm(self, question: str, *, default: bool) -> bool:
        """The same, as yes or no."""
        return self.ask(question, "y" if default else "n") == "y"


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """Two well servers that see the same folder under different names."""
    spec = LibrarySpec(seed=3, scenes=30, mix={Case.SAME: 1.0}, extra_items=0.1, edited=0.0)
    with World(make_library(spec), tmp_path) as made:
        yield made


def interview(world: World, *lines: tuple[str, str]) -> tuple[Answers, Script, list[str]]:
    """Ask; every answer must be used."""
    script = Script(list(lines))
    secrets: list[str] = []
    answers = Interview(
        asker=script,
        cache=world.cache_dir,
        learn=secrets.append,
    ).ask_all()
    assert script.lines == []
    return answers, script, secrets


LAST_LINES = (("Which", "1"), ("Write", "y"), ("Keep", "y"))
"""What is asked once both servers are known."""


def stash_lines(world: World) -> list[tuple[str, str]]:
    """Stash's part, when all goes well."""
    return [("Address of Stash", world.stash_url), ("API key", "stash-key")]


def plex_lines(world: World) -> list[tuple[str, str]]:
    """Plex's part, when all goes well."""
    return [("Address of the Plex", world.plex_url), ("Token", world.plex.token)]


def test_good_answers_become_a_configuration_that_works(world: World) -> None:
    """The file is accepted as it is, holds what was answered, and nobody else can read it."""
    answers, script, secrets = interview(
        world,
        *stash_lines(world),
        *plex_lines(world),
        ("Which", "1"),
        ("Write", "y"),
        ("Keep", "y"),
    )
    file = world.directory / "new" / "config.toml"
    token = write_setup(file, answers)

    config = load_config(file, {}, home=world.directory)
    assert config.warnings == ()
    assert config.stash.url == world.stash_url
    assert config.plex.token.reveal() == world.plex.token
    assert len(config.plex.libraries) == 1
    assert [(rule.stash, rule.plex) for rule in config.paths] == [("/data/", "/media/")]
    assert config.apply.preserve_plex_edits
    assert world.plex.token not in file.read_text("utf-8")
    assert token.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert set(secrets) == {"stash-key", world.plex.token}
    assert not [line for line in script.shown if world.plex.token in line]
    assert world.plex_wire.counters.by_kind().get("plex.put", 0) == 0
    assert not world.cache_dir.exists()


def test_every_wrong_answer_is_asked_again(world: World) -> None:
    """Wrong address, wrong key, wrong token, wrong numbers."""
    answers, script, _ = interview(
        world,
        ("Address of Stash", "ftp://nowhere"),
        ("Address of Stash", NOWHERE),
        ("Use it all the same", "n"),
        ("Address of Stash", world.stash_url),
        ("API key", "wrong"),
        ("API key", "stash-key"),
        ("Address of the Plex", world.plex_url),
        ("Token", ""),
        ("Address of the Plex", world.plex_url),
        ("Token", "wrong-token"),
        ("Token", world.plex.token),
        ("Which", "1, 99"),
        ("Which", "a"),
        ("Which", ""),
        ("Write", "n"),
        ("Keep text", "n"),
    )

    assert (answers.libraries, answers.rules) == ((), ())
    assert any("from 1 to" in line for line in script.shown)


def test_what_is_wrong_is_shown_for_the_answer(world: World) -> None:
    """No variable and no request is named: nobody set or sent one."""
    answers, script, _ = interview(
        world,
        ("Address of Stash", world.stash_url),
        ("API key", "n"),
        ("API key", "stash-key"),
        ("Address of the Plex", "ftp://nowhere"),
        ("Address of the Plex", world.plex_url),
        ("Token", world.plex.token),
        ("Which", "1"),
        ("Write", "n"),
        ("Keep text", "n"),
    )

    assert not answers.keeps_edits
    assert "It must start with http:// or https://" in script.shown
    assert "Stash refuses the API key" in script.shown
    assert not [line for line in script.shown if "PLEXSYNC_" in line or "POST" in line]
    assert "Settings > Security" in " ".join(script.shown), "a key of one letter hides none"


def test_addresses_are_repaired_as_they_are_typed(world: World) -> None:
    """No scheme, the wrong one, a page of the web app with a token behind it."""
    answers, script, secrets = interview(
        world,
        ("Address of Stash", f"{world.stash_url.removeprefix('http://')}/scenes/12?t=3"),
        ("API key", "stash-key"),
        ("Address of the Plex", "A-token-typed-here-by-mistake"),
        (
            "Address of the Plex",
            f"https{world.plex_url.removeprefix('http')}/web/index.html#!/?X-Plex-Token=canary-1",
        ),
        ("Token", world.plex.token),
        ("Which", "1"),
        ("Write", "n"),
        ("Keep text", "y"),
    )

    assert (answers.stash_url, answers.plex_url) == (world.stash_url, world.plex_url)
    assert {"canary-1", "A-token-typed-here-by-mistake"} <= set(secrets)
    assert not [line for line in script.shown if "canary" in line or "mistake" in line]


def test_one_of_a_kind_is_not_called_many(tmp_path: Path) -> None:
    """The demo's Plex has one library."""
    with World(demo_library(), tmp_path) as world:
        lines = [
            *stash_lines(world),
            *plex_lines(world),
            ("Which", "2"),
            ("Which", "1"),
            ("Write", "y"),
            ("Keep", "y"),
        ]
        _, script, _ = interview(world, *lines)

    assert any(line.endswith(" with 12 scenes.") for line in script.shown)
    assert any(line.endswith(" with 1 library.") for line in script.shown)
    assert "1 is the only one." in script.shown


def test_servers_that_are_down_may_be_used_all_the_same(world: World) -> None:
    """What cannot be tried is taken as it was typed."""
    answers, _, _ = interview(
        world,
        ("Address of Stash", NOWHERE),
        ("Use it all the same", "y"),
        ("Address of the Plex", NOWHERE),
        ("Use it all the same", "y"),
        ("Token", "some-token"),
        ("Plex libraries", "Films, Clips"),
        ("Keep text", "y"),
    )

    assert answers == Answers(
        stash_url=NOWHERE, plex_url=NOWHERE, token="some-token", libraries=("Films", "Clips")
    )


def test_a_place_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    """As a folder that may not be searched: whether a file is there cannot be known."""
    with pytest.raises(StateError, match="cannot read: file name too long"):
        require_absent(tmp_path / ("x" * 300))


def test_a_place_no_file_can_be_made_in_is_named_before_any_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All answers, and a sign-in, would be lost at the end."""
    (tmp_path / "file").write_text("", "utf-8")
    file = tmp_path / "file" / "plexsync" / "config.toml"
    assert run_command_line(["init", "-c", str(file)]) == ExitCode.LOCAL_FILES
    assert f"{file}: cannot create: not a directory" in capsys.readouterr().err


def test_a_file_that_is_there_is_never_touched(tmp_path: Path) -> None:
    """Not at the start, and not at the end, when it came into being meanwhile."""
    file = tmp_path / "config.toml"
    file.write_text("# mine", "utf-8")

    with pytest.raises(ConfigError, match="already"):
        require_absent(file)
    with pytest.raises(StateError):
        write_config(file, "other")

    assert file.read_text("utf-8") == "# mine"


def test_what_init_says_to_type_names_the_configuration(tmp_path: Path) -> None:
    """As it stands it is about the same file: where one is there, and where nobody can be asked."""
    file, environ = tmp_path / "here.toml", {"PLEXSYNC_STATE_DIR": str(tmp_path / "state")}
    arguments = ["init", "-c", str(file)]
    assert f"plexsync init --config {file} --yes" in run_plexsync(arguments, environ).err
    file.write_text("# mine", "utf-8")
    assert f"plexsync config validate --config {file}" in run_plexsync(arguments, environ).err


@given(
    token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
    libraries=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
            lambda name: name.strip() == name
        ),
        max_size=3,
        unique_by=str.casefold,
    ),
    folder=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\")),
)
@settings(max_examples=60)
def test_whatever_was_answered_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, token: str, libraries: list[str], folder: str
) -> None:
    """Quotes, backslashes, emoji and control characters arrive as they are."""
    directory = tmp_path_factory.mktemp("config")
    rule = PathRule(stash=f"/data/{folder}x/", plex=f"/media/{folder}x/")
    answers = Answers(token=token, libraries=tuple(libraries), rules=(rule,))
    write_config(directory / "c.toml", config_text(answers))

    config = load_config(directory / "c.toml", {}, home=directory)

    assert config.plex.token.reveal() == token
    assert config.plex.libraries == tuple(libraries)
    assert [(one.stash, one.plex) for one in config.paths] == [(rule.stash, rule.plex)]


def test_without_a_terminal_it_says_what_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No question is put to nobody."""
    file = tmp_path / "c.toml"

    assert run_command_line(["init", "-c", str(file)]) == ExitCode.USAGE

    assert str(file) in capsys.readouterr().err
    assert not file.exists()


class Typist:
    """plexsync in a terminal of its own, with somebody at the keys."""

    def __init__(self, arguments: list[str], environ: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "plexsync", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "dumb", **environ},
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""
        self._read_to = 0

    def type(self, prompt: str, answer: str) -> None:
        """Wait for a question, then answer it."""
        until = time.monotonic() + 180
        while prompt not in self.shown[self._read_to :]:
            assert time.monotonic() < until, self.shown
            self._take()
        self._read_to = self.shown.index(prompt, self._read_to) + len(prompt)
        os.write(self._master, answer.encode())

    def end(self) -> int:
        """Wait for the end; the exit code."""
        until = time.monotonic() + 180
        while self._take():
            if time.monotonic() > until:
                self._process.kill()
                raise AssertionError(self.shown)
        os.close(self._master)
        return self._process.wait(timeout=180)

    def _take(self) -> bool:
        if not select.select([self._master], [], [], 0.5)[0]:
            return self._process.poll() is None
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # Linux says EIO once nobody has the other end open
            return False
        self.shown += piece.decode(errors="replace").replace("\r\n", "\n")
        return bool(piece)


def test_a_person_at_a_terminal_gets_a_configuration(world: World) -> None:
    """The whole command; secrets are not shown while they are typed."""
    file = world.directory / "config.toml"
    typist = Typist(["init", "-c", str(file)], {"PLEXSYNC_STATE_DIR": str(world.state_dir)})
    typist.type("Address of Stash", f"{world.stash_url}\n")
    typist.type("another address): ", "stash-key\n")
    typist.type("Sign in at plex.tv", "n\n")
    typist.type("Address of the Plex server", f"{world.plex_url}\n")
    typist.type("(X-Plex-Token; empty: another address): ", f"{world.plex.token}\n")
    typist.type("Which of them", "\n")
    typist.type("Write these rules?", "\n")
    typist.type("Keep text", "\n")
    typist.type("Check everything now?", "n\n")
    typist.type("Make a dry run now?", "n\n")

    assert typist.end() == ExitCode.OK
    assert load_config(file, {}, home=world.directory).plex.token.reveal() == world.plex.token
    assert f"plexsync doctor --config {file}" in typist.shown
    assert f"plexsync run --config {file} -n" in typist.shown
    assert world.plex.token not in typist.shown
    assert "stash-key" not in typist.shown


def test_leaving_in_between_writes_nothing(world: World) -> None:
    """At any question, with the end of input."""
    file = world.directory / "config.toml"
    typist = Typist(["init", "-c", str(file)], {})
    typist.type("Address of Stash", f"{world.stash_url}\n")
    typist.type("another address): ", "\x04")

    assert typist.end() == ExitCode.INTERRUPTED
    assert not file.exists()


@pytest.mark.parametrize("answers", [0, 1], ids=["at an address", "at a key"])
def test_ctrl_c_leaves_no_file_and_a_terminal_that_echoes(world: World, answers: int) -> None:
    """Whatever was typed by then; a key is asked for without echo."""
    where = world.directory / "made" / "config.toml"
    environ = {"HOME": str(world.directory), "PLEXSYNC_CONFIG": str(where)}
    with Person(["init"], environ) as person:
        person.sees("Stash")
        if answers:
            person.types(f"{world.stash_url}\r")
            person.sees("key")
        assert person.insists("\x03") == ExitCode.INTERRUPTED
        assert person.terminal_is_as_before()
        assert "\nplexsync: interrupted: no configuration was written" in person.seen
        assert "Traceback" not in person.seen
    assert not where.exists()


# ---- Signing in ----------------------------------------------------------------------------------


@contextmanager
def plex_tv(
    world: World,
    *resources: SimResource,
    **fields: Any,  # noqa: ANN401 - those of the simulator
) -> Iterator[LoopbackServer]:
    """A plex.tv account with the world's Plex server, unless `resources` say otherwise."""
    own = SimResource(
        name="Home",
        machine=Identity().machine,
        connections=(
            SimConnection(uri="https://127.0.0.1:9", port=9),
            SimConnection(uri=world.plex_url, port=int(world.plex_url.rpartition(":")[2])),
        ),
    )
    simulator = PlexTvSimulator(world.plex.token, resources or (own,), **fields)
    with LoopbackServer(Wired(simulator)) as server:
        yield server


def signed_in(
    world: World, server: LoopbackServer, *lines: tuple[str, str]
) -> tuple[Answers, Script, list[str]]:
    """Ask, with sign-in offered; every answer must be used."""
    script = Script(list(lines))
    secrets: list[str] = []
    answers = Interview(
        asker=script,
        cache=world.cache_dir,
        learn=secrets.append,
        plex_tv=server.url,
        client_id=lambda: "stable-client",
        sleep=lambda _: None,
    ).ask_all()
    assert script.lines == []
    return answers, script, secrets


def test_signing_in_finds_server_and_token(world: World) -> None:
    """No address and no token is typed; the code is shown, the token never."""
    with plex_tv(world) as server:
        lines = (*stash_lines(world), ("Sign in", "y"), *LAST_LINES)
        answers, script, secrets = signed_in(world, server, *lines)
    assert (answers.plex_url, answers.token) == (world.plex_url, world.plex.token)
    assert "    K7PX" in script.shown
    assert any("plex.tv/link" in line for line in script.shown)
    assert world.plex.token in secrets
    assert not [line for line in script.shown if world.plex.token in line]


def test_an_expired_code_is_followed_by_another(world: World) -> None:
    """As long as the person wants one."""
    with plex_tv(world, typed_after=None, expires_after=1) as server:
        lines = (("Sign in", "y"), ("The code expired", "y"), ("The code expired", "n"))
        _, script, _ = signed_in(
            world, server, *stash_lines(world), *lines, *plex_lines(world), *LAST_LINES
        )
    assert {"    K7PX", "    M2QD"} <= set(script.shown)


def test_of_several_servers_one_is_chosen_and_a_dead_one_asks_for_its_address(world: World) -> None:
    """The token is known then; a server of somebody else is marked."""
    dead = SimConnection(uri="https://127.0.0.1:9", port=9)
    mine = SimResource(name="Home", machine=Identity().machine, connections=(dead,))
    friend = SimResource(name="Friend", machine="m2", owned=False, connections=(), token="other")
    with plex_tv(world, friend, mine) as server:
        answers, script, _ = signed_in(
            world,
            server,
            *stash_lines(world),
            ("Sign in", "y"),
            ("Which of them, by number", "9"),
            ("Which of them, by number", "1"),
            ("Address of the Plex", world.plex_url),
            *LAST_LINES,
        )
    assert answers.token == world.plex.token
    assert any("Friend (shared with you" in line for line in script.shown)
    assert "It answers at none of them from here." in script.shown


@pytest.mark.parametrize("way", ["refused", "away", "not wanted"])
def test_without_a_way_to_plex_tv_the_place_of_a_token_is_shown(world: World, way: str) -> None:
    """In two lines; then address and token are asked for."""
    refused = frozenset({"stable-client"}) if way == "refused" else frozenset()
    with plex_tv(world, refused=refused) as server:
        if way == "away":
            server.wired.faults.add(Fault(None, 1, ErrorStatus(503), times=None))
        answer = "n" if way == "not wanted" else "y"
        answers, script, _ = signed_in(
            world,
            server,
            *stash_lines(world),
            ("Sign in", answer),
            *plex_lines(world),
            *LAST_LINES,
        )
    assert answers.token == world.plex.token
    assert len([line for line in script.shown if line.startswith("  In Plex Web:")]) == 1
    assert len([line for line in script.shown if "Preferences.xml" in line]) == 1


def test_init_yes_asks_nothing(world: World) -> None:
    """With the variables set; both servers are tried, and the rules between them found."""
    where = world.directory / "made" / "config.toml"
    environ = {
        "PLEXSYNC_STASH__URL": world.stash_url,
        "PLEXSYNC_STASH__API_KEY": "stash-key",
        "PLEXSYNC_PLEX__URL": world.plex_url,
        "PLEXSYNC_PLEX__TOKEN": world.plex.token,
        "PLEXSYNC_CONFIG": str(where),
        "PLEXSYNC_STATE_DIR": str(world.state_dir),
    }
    done = run_plexsync(["init", "--yes"], environ)
    assert (done.code, done.err) == (ExitCode.OK, "")
    assert world.plex.token not in done.out
    config = load_config(where, {}, home=world.directory)
    assert [(rule.stash, rule.plex) for rule in config.paths] == [("/data/", "/media/")]
    again = run_plexsync(["init", "--yes"], environ)
    assert again.code == ExitCode.USAGE
    del environ["PLEXSYNC_PLEX__TOKEN"]
    missing = run_plexsync(["init", "--yes", "-c", str(world.directory / "b.toml")], environ)
    assert missing.code == ExitCode.USAGE
    assert "PLEXSYNC_PLEX__TOKEN" in missing.err
    bare = {"HOME": str(world.directory), "PLEXSYNC_STATE_DIR": str(world.state_dir)}
    none = run_plexsync(["init", "--yes"], bare)
    assert none.code == ExitCode.USAGE
    assert "Set PLEXSYNC_STASH__URL, PLEXSYNC_PLEX__URL and PLEXSYNC_PLEX__TOKEN." in none.err
