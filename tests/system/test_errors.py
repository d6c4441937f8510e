"""Every error a user can cause: what it says, where it points, what to do, and its exit code.

Each case is one command line in a small world that is wrong in one way. The words are those a
person reads; the exit code is that of docs/contract.md.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import filelock
import pytest

from plexsync.app.failures import utc_now
from plexsync.cli import run_command_line
from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import LoopbackServer, Wired
from plexsync.simulators.library.pairs import demo_library
from plexsync.simulators.plex.parts import Identity
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.simulators.stash.simulator import StashSimulator
from plexsync.storage.journal import DIRECTORY
from plexsync.storage.scenes.rows import STATE_NAME
from tests.support.terminals import run_plexsync
from tests.support.typing_terminals import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY, TOKEN = "canary-key-51b2", "canary-token-83e4"
STASH, PLEX = "PLEXSYNC_STASH__URL", "PLEXSYNC_PLEX__URL"
STASH_KEY, PLEX_TOKEN = "PLEXSYNC_STASH__API_KEY", "PLEXSYNC_PLEX__TOKEN"

LONG = "x" * 300
"""No name of a file: to look at it fails, as in a folder that may not be searched."""


class House:
    """Both servers, a user's files, and an environment to spoil."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        library = demo_library()
        self.directory = directory
        self.state = directory / "state"
        self.stash = StashSimulator(library, api_key=KEY)
        self.plex = PlexSimulator(library, token=TOKEN)
        self.stash_server = LoopbackServer(Wired(self.stash))
        self.plex_server = LoopbackServer(Wired(self.plex))
        self._environment = monkeypatch
        self.stack = ExitStack()

    def set(self, name: str, value: str | None) -> None:
        """An environment variable; None takes it away."""
        if value is None:
            self._environment.delenv(name, raising=False)
        else:
            self._environment.setenv(name, value)

    def set_up(self) -> None:
        """Everything right."""
        self.set(STASH, self.stash_server.url)
        self.set(PLEX, self.plex_server.url)
        self.set(STASH_KEY, KEY)
        self.set(PLEX_TOKEN, TOKEN)
        self.set("PLEXSYNC_PATHS", "/data/=/media/")
        self.set("PLEXSYNC_STATE_DIR", str(self.state))
        self.set("CACHE_DIRECTORY", str(self.directory / "cache"))
        self.set("PLEXSYNC_FIELDS__POSTER", "off")
        self.set("H", str(self.directory))
        self._environment.chdir(self.directory)

    def write(self, name: str, text: str) -> None:
        """A file of the user's."""
        (self.directory / name).write_text(text, encoding="utf-8")

    def configure(self, token: str) -> None:
        """A file `c.toml` instead of variables; its last line is the token."""
        for name in (STASH, PLEX, STASH_KEY, PLEX_TOKEN, "PLEXSYNC_PATHS"):
            self.set(name, None)
        stash = f'[stash]\nurl = "{self.stash_server.url}"\napi_key = "{KEY}"'
        plex = f'[plex]\nurl = "{self.plex_server.url}"\ntoken = {token}'
        self.write("c.toml", f"{stash}\n{plex}\n")

    def journal(self) -> Path:
        """The only journal there is."""
        (path,) = (self.state / DIRECTORY).iterdir()
        return path

    def damage(self, path: Path) -> None:
        """One letter changed, deep inside."""
        path.write_bytes(path.read_bytes().replace(b"Heron", b"Hern!", 1))

    def hold_lock(self) -> None:
        """Somebody else is at work."""
        self.state.mkdir(exist_ok=True)
        self.stack.enter_context(filelock.FileLock(str(self.state / "lock")))


def nothing(_: House) -> None:
    """All is well but for the command line."""


def ran(house: House) -> None:
    """One good run."""
    assert run_command_line(["run", "-q"]) == ExitCode.OK
    assert house.journal().exists()


def planned(house: House) -> None:
    """A plan was saved."""
    assert run_command_line(["run", "-q", "--save-plan", str(house.directory / "plan")]) == 0


def without_configuration(house: House) -> None:
    """A machine plexsync was just installed on."""
    for name in (STASH, PLEX, STASH_KEY, PLEX_TOKEN, "PLEXSYNC_PATHS", "PLEXSYNC_FIELDS__POSTER"):
        house.set(name, None)


def unused_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def variable(name: str, value: str | None) -> Callable[[House], None]:
    """One variable is wrong."""
    return lambda house: house.set(name, value)


def token(text: str) -> Callable[[House], None]:
    """The token of the file is this."""
    return lambda house: house.configure(text)


def file(name: str, text: str) -> Callable[[House], None]:
    """A file that should not be as it is."""
    return lambda house: house.write(name, text)


def after(*steps: Callable[[House], None]) -> Callable[[House], None]:
    """One thing after the other."""

    def all_of_them(house: House) -> None:
        for step in steps:
            step(house)

    return all_of_them


def in_plan(old: str, new: str) -> Callable[[House], None]:
    """A saved plan in which something was exchanged."""

    def change(house: House) -> None:
        planned(house)
        plan = house.directory / "plan"
        plan.write_text(re.sub(old, new, plan.read_text(encoding="utf-8"), count=1), "utf-8")

    return change


def in_state(old: bytes, new: bytes) -> Callable[[House], None]:
    """A state in which something was exchanged."""

    def change(house: House) -> None:
        ran(house)
        path = house.state / STATE_NAME
        path.write_bytes(path.read_bytes().replace(old, new))

    return change


def edited(house: House) -> None:
    """Two scenes lost their tags a minute ago: a run need not wait for the edit to settle."""
    clock, house.stash.clock = house.stash.clock, lambda: utc_now() - timedelta(minutes=1)
    house.stash.edit_scenes([2, 4], tag_ids=())
    house.stash.clock = clock


def lost_state(house: House) -> None:
    """Two runs, then the checkpoint and the first journal are gone."""
    ran(house)
    (house.state / STATE_NAME).unlink()
    path = house.journal()
    lines = path.read_bytes()
    run_command_line(["undo", "-q", "last"])
    (house.state / STATE_NAME).unlink()
    assert path.read_bytes() == lines
    path.unlink()


def another_plex(house: House) -> None:
    """Another server is asked."""
    identity = Identity(machine="another-machine")
    simulator = PlexSimulator(demo_library(), token=TOKEN, identity=identity)
    house.set(PLEX, house.stack.enter_context(LoopbackServer(Wired(simulator))).url)


def another_stash(house: House) -> None:
    """Stash has another database."""
    house.stash.facts.database_path = "/elsewhere/stash-go.sqlite"


def the_first_stash(house: House) -> None:
    """Stash has its first database again."""
    house.stash.facts.database_path = "/root/.stash/stash-go.sqlite"


@dataclass(frozen=True)
class Case:
    """A mistake.

    Attributes:
        name: of the mistake.
        words: the command line; `$H` is the user's directory, `$LONG` is `LONG`.
        code: the exit code.
        says: what stands in the message, then where, then what to do.
        wrong: makes the world wrong.
    """

    name: str
    words: str
    code: ExitCode
    says: tuple[str, ...]
    wrong: Callable[[House], None] = field(default=nothing)


USAGE, SERVER, ACCESS = ExitCode.USAGE, ExitCode.SERVER, ExitCode.ACCESS
UNSAFE, STALE, LOCKED, LOCAL = (
    ExitCode.UNSAFE,
    ExitCode.STALE,
    ExitCode.LOCKED,
    ExitCode.LOCAL_FILES,
)

CONFIGURATION = (
    Case("none", "run", USAGE, ("no configuration yet", "plexsync init"), without_configuration),
    Case("no file", "run -c nope.toml", USAGE, ("no such file", "nope.toml", "Check its name")),
    Case("a folder", "run -c $H", USAGE, ("cannot be read", "$H", "Check that it is a file")),
    Case(
        "no TOML",
        "run -c c.toml",
        USAGE,
        ("is not TOML", "c.toml", "line 1", "toml.io"),
        file("c.toml", "[stash\n"),
    ),
    Case(
        "no TOML for its depth",
        "run -c c.toml",
        USAGE,
        ("is not TOML", "c.toml", "toml.io"),
        file("c.toml", f"a = {'[' * 10_000}"),
    ),
    Case(
        "a number beyond belief",
        "run -c c.toml",
        USAGE,
        ("is not TOML", "c.toml", "toml.io"),
        file("c.toml", f"a = 1{'0' * 10_000}"),
    ),
    Case(
        "a variable that is no text",
        "run",
        USAGE,
        ("PLEXSYNC_FIELDS__PERFORMERS__PHOTO", "is no UTF-8", "into the configuration file"),
        variable("PLEXSYNC_FIELDS__PERFORMERS__PHOTO", "http://lan/\udcff"),
    ),
    Case(
        "a file nobody can look at",
        "run",
        USAGE,
        ("PLEXSYNC_STASH__VERIFY", "cannot be looked at (File name too long)", "may see it"),
        variable("PLEXSYNC_STASH__VERIFY", f"/{LONG}"),
    ),
    Case(
        "a name no folder can have",
        "run -c c.toml",
        USAGE,
        ("[metrics] > textfile", "there is no folder", "name another"),
        file("c.toml", '[metrics]\ntextfile = "/a\\u0000b/x.prom"\n'),
    ),
    Case(
        "a folder nobody can look into",
        "run",
        USAGE,
        ("PLEXSYNC_METRICS__TEXTFILE", "cannot be looked at (File name too long)", "may see it"),
        variable("PLEXSYNC_METRICS__TEXTFILE", f"/{LONG}/a.prom"),
    ),
    Case(
        "unknown key",
        "run -c c.toml",
        USAGE,
        ("c.toml:2 > [stash] > urll", "no setting", 'Did you mean "url"?'),
        file("c.toml", '[stash]\nurll = "http://s"\n'),
    ),
    Case(
        "unknown variable",
        "run",
        USAGE,
        ("PLEXSYNC_PLEX__TOKN", "PLEXSYNC_PLEX__TOKEN"),
        variable("PLEXSYNC_PLEX__TOKN", "x"),
    ),
    Case(
        "no scheme",
        "run",
        USAGE,
        (STASH, "must start with http", "http://host:port"),
        variable(STASH, "localhost:9999"),
    ),
    Case(
        "a token in the address",
        "run",
        USAGE,
        (PLEX, "must not hold ?", "setting"),
        variable(PLEX, f"http://p:32400?X-Plex-Token={TOKEN}"),
    ),
    Case(
        "a password in the address",
        "run",
        USAGE,
        (STASH, "user name or password", "Take them out"),
        variable(STASH, f"http://me:{KEY}@s:9999"),
    ),
    Case("no port", "run", USAGE, (PLEX, "no address"), variable(PLEX, "http://p:99999")),
    Case(
        "no CA file",
        "run",
        USAGE,
        ("PLEXSYNC_PLEX__VERIFY", "no file /nope.pem", "PEM"),
        variable("PLEXSYNC_PLEX__VERIFY", "/nope.pem"),
    ),
    Case(
        "no secret file",
        "run -c c.toml",
        USAGE,
        ("cannot be read", "c.toml:6 > [plex] > token", "may read it"),
        token('{ file = "nope" }'),
    ),
    Case(
        "empty secret file",
        "run -c c.toml",
        USAGE,
        ("the secret is empty", "[plex] > token", "Check where"),
        after(token('{ file = "secret" }'), file("secret", "\n")),
    ),
    Case(
        "two words in a secret file",
        "run -c c.toml",
        USAGE,
        ("holds spaces", "[plex] > token", "the token alone"),
        after(token('{ file = "secret" }'), file("secret", "my token")),
    ),
    Case(
        "no secret variable",
        "run -c c.toml",
        USAGE,
        ("NOPE is not set", "[plex] > token", "Set NOPE"),
        token('{ env = "NOPE" }'),
    ),
    Case(
        "no secret program",
        "run -c c.toml",
        USAGE,
        ("no-such-program cannot be started", "[plex] > token", "by hand"),
        token('{ command = ["no-such-program"] }'),
    ),
    Case(
        "a secret program that fails",
        "run -c c.toml",
        USAGE,
        ("the command false ended with 1", "[plex] > token", "by hand"),
        token('{ command = ["false"] }'),
    ),
    Case(
        "no credential",
        "run -c c.toml",
        USAGE,
        ("CREDENTIALS_DIRECTORY", "[plex] > token", "LoadCredential="),
        token('{ credential = "plex" }'),
    ),
    Case(
        "nothing to schedule", "schedule cron", USAGE, ("no configuration",), without_configuration
    ),
)

SERVERS = (
    Case(
        "wrong token",
        "run",
        ACCESS,
        ("Plex refuses the token", "[plex] token", "the account that owns the server"),
        variable(PLEX_TOKEN, "wrong"),
    ),
    Case(
        "wrong key",
        "run",
        ACCESS,
        ("Stash refuses the API key", "Settings > Security", "[stash] url leads to Stash"),
        variable(STASH_KEY, "wrong"),
    ),
    Case(
        "no key",
        "run",
        ACCESS,
        ("Stash asks for an API key", "[stash] api_key"),
        variable(STASH_KEY, None),
    ),
    Case(
        "Stash's address for Plex",
        "run",
        ACCESS,
        ("log-in page", "[plex] url leads to Plex"),
        lambda house: house.set(PLEX, house.stash_server.url),
    ),
    Case(
        "no such library",
        "run --library Nope",
        ACCESS,
        ("no Plex library called 'Nope'", "the server has 'Films'"),
    ),
    Case(
        "no such configured library",
        "run",
        ACCESS,
        ("no Plex library called 'Movies'", "the server has 'Films'"),
        variable("PLEXSYNC_PLEX__LIBRARIES", "Films,Movies"),
    ),
    Case(
        "Plex is away",
        "run",
        SERVER,
        ("Plex cannot be reached at http://127.0.0.1", "refused", "is Plex running"),
        lambda house: house.set(PLEX, f"http://127.0.0.1:{unused_port()}"),
    ),
    Case(
        "an old Stash",
        "run",
        SERVER,
        ("v0.26.2", "is too old", "upgrade Stash"),
        lambda house: setattr(house.stash.facts, "version", "v0.26.2"),
    ),
    Case(
        "a fresh Stash",
        "run",
        SERVER,
        ("not set up yet", "set it up"),
        lambda house: setattr(house.stash.facts, "status", "SETUP"),
    ),
    Case(
        "a Stash to be migrated",
        "run",
        SERVER,
        ("waits for its database to be migrated", "start the migration"),
        lambda house: setattr(house.stash.facts, "status", "NEEDS_MIGRATION"),
    ),
    Case(
        "Stash is away",
        "run",
        SERVER,
        ("Stash cannot be reached at http://127.0.0.1", "refused", "[stash] url right"),
        lambda house: house.set(STASH, f"http://127.0.0.1:{unused_port()}"),
    ),
)

LIMITS = (
    Case(
        "too many changes",
        "run --full --max-changes 1",
        UNSAFE,
        ("2 of 10", "the limit is 1", "max_changes", "--force"),
        after(ran, edited),
    ),
    Case(
        "too many changes, only looked at",
        "run -n --max-changes 1",
        UNSAFE,
        ("2 of 10", "--force"),
        after(ran, edited),
    ),
)

NAMES = (
    Case("scene", "run --scene 9999", USAGE, ("no scene 9999", "--scene", "address in Stash")),
    Case("scene to explain", "explain 9999", USAGE, ("no scene 9999", "address in Stash")),
    Case("item", "explain --item 9999", USAGE, ("rating key 9999", "--item", "address in Plex")),
    Case("no item", "explain --item abc", USAGE, ("'abc' is no rating key", "--item", "--help")),
    Case("who", "explain", USAGE, ("Say which", "--help")),
    Case("scene to retry", "retry 9999", USAGE, ("scene 9999", "plexsync run --scene 9999"), ran),
    Case("run", "history nope", USAGE, ("no run 'nope'", "plexsync history lists", "keep_days")),
    Case("run to undo", "undo nope", USAGE, ("no run 'nope'", "plexsync history lists")),
    Case("nothing to undo", "undo last", STALE, ("no run that wrote", "plexsync history")),
    Case(
        "a scene a run did not write",
        "undo last --scene 7",
        USAGE,
        ("wrote nothing like that", "it wrote date, ", "plexsync history"),
        ran,
    ),
    Case(
        "a field a run did not write",
        "undo last --field nope",
        USAGE,
        ("wrote nothing like that", "it wrote date, "),
        ran,
    ),
    Case("empty library", "run --library=", USAGE, ("name is empty", "--library", "--help")),
    Case("a span", "status --max-age soon", USAGE, ("'soon' is no span", "--max-age", "90s")),
    Case("nobody to ask", "run --ask", USAGE, ("--ask needs a terminal", "--help")),
    Case("nothing to ask", "run --ask -n", USAGE, ("nothing to ask", "--help")),
    Case("nobody to tell", "init -c new.toml", USAGE, ("nobody at this terminal", "new.toml")),
    Case(
        "a configuration that is there",
        "init -c c.toml",
        USAGE,
        ("there is a configuration already", "c.toml", "move it away"),
        file("c.toml", ""),
    ),
    Case("no keys", "review", USAGE, ("needs a terminal", "plexsync review list")),
    Case("no choice", "review ignore", USAGE, ("which scenes", "by their ids")),
    Case("no scene to show", "review show 9999", USAGE, ("no run has seen scene 9999",), ran),
)

PLANS = (
    Case("no plan", "apply nope", USAGE, ("no such file", "nope", "--save-plan")),
    Case("a folder", "apply $H", USAGE, ("a directory, not a plan", "$H", "--save-plan")),
    Case("no place", "run --save-plan no/plan", USAGE, ("there is no folder no", "--help")),
    Case("no name", "apply $LONG", LOCAL, ("cannot read: file name too long",)),
    Case("no folder", "run --save-plan $LONG/p", LOCAL, ("cannot create: file name too long",)),
    Case(
        "something else",
        "apply plan",
        USAGE,
        ("holds no saved plan", "plan", "--save-plan"),
        file("plan", "hello"),
    ),
    Case(
        "another document",
        "apply plan",
        USAGE,
        ("holds no saved plan", "plan", "--save-plan"),
        file("plan", '{"schema": "plexsync/run/1"}'),
    ),
    Case(
        "edited",
        "apply plan",
        STALE,
        ("not as it was saved", "plan", "save it again"),
        in_plan("Heron", "Hern!"),
    ),
    Case(
        "for another Plex",
        "apply plan",
        STALE,
        ("the plan is for Plex server", "another-machine", "save it again"),
        after(planned, another_plex),
    ),
    Case(
        "of another Stash",
        "apply plan",
        STALE,
        ("made from another Stash", "save it again"),
        after(ran, another_stash, planned, the_first_stash),
    ),
    Case(
        "newer",
        "apply plan",
        LOCAL,
        ("newer plexsync", "plexsync/plan/9", "update plexsync"),
        in_plan("plexsync/plan/1", "plexsync/plan/9"),
    ),
)

FILES = (
    Case(
        "no place for a state",
        "run -q",
        LOCAL,
        ("cannot read: file name too long", "PLEXSYNC_STATE_DIR"),
        variable("PLEXSYNC_STATE_DIR", f"/{LONG}"),
    ),
    Case(
        "damaged state",
        "run",
        LOCAL,
        ("its checksum does not fit", STATE_NAME, "Restore a backup"),
        in_state(b"Films", b"Filme"),
    ),
    Case(
        "damaged state, looked at",
        "status",
        LOCAL,
        ("its checksum does not fit", STATE_NAME, "Restore a backup"),
        in_state(b'"9"', b'"8"'),
    ),
    Case(
        "state of a newer plexsync",
        "run",
        LOCAL,
        ("newer plexsync", STATE_NAME, "Update plexsync"),
        in_state(b"plexsync/state/3", b"plexsync/state/9"),
    ),
    Case(
        "a lost state",
        "run",
        LOCAL,
        ("is missing, though the journal", STATE_NAME, "Restore the files from a backup"),
        lost_state,
    ),
    Case(
        "damaged journal",
        "undo last",
        LOCAL,
        ("line ", DIRECTORY, "Restore the file from a backup"),
        after(ran, lambda house: house.damage(house.journal())),
    ),
    Case(
        "a file where the state should be",
        "run",
        LOCAL,
        ("not a directory", "state", "may write to the directory"),
        file("state", ""),
    ),
    Case(
        "no client identifier",
        "run",
        LOCAL,
        ("does not hold a client identifier", "client-id", "Delete"),
        after(ran, lambda house: house.write("state/client-id", "")),
    ),
    Case(
        "the state of another Plex",
        "run",
        LOCAL,
        ("the state belongs to Plex server", "another-machine", STATE_NAME, "Check [plex] url"),
        after(ran, another_plex),
    ),
    *(
        Case(
            "no folder for a file that is named",
            words,
            LOCAL,
            ("no such file or directory", "$H/none/x", "or name another file"),
        )
        for words in ("review export $H/none/x", "doctor --report $H/none/x")
    ),
    Case(
        "a report that is there already",
        "doctor --report page",
        LOCAL,
        ("file exists", "page", "Move what is there away, or name another file"),
        file("page", ""),
    ),
    Case(
        "no file to import",
        "review import $H/none/x",
        USAGE,
        ("No such file or directory", "$H/none/x", "check its name"),
    ),
    Case(
        "locked",
        "run",
        LOCKED,
        ("another run", "lock", "--lock-wait"),
        lambda house: house.hold_lock(),
    ),
    Case(
        "locked for too long",
        "run --lock-wait 1s",
        LOCKED,
        ("after 1 s", "lock", "Let it finish"),
        lambda house: house.hold_lock(),
    ),
    Case(
        "locked for an undo",
        "undo last",
        LOCKED,
        ("another run", "lock", "--lock-wait"),
        after(ran, lambda house: house.hold_lock()),
    ),
)


EVERYTHING = (*CONFIGURATION, *SERVERS, *LIMITS, *NAMES, *PLANS, *FILES)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Servers that are up, and nothing synced yet."""
    built = House(tmp_path, monkeypatch)
    with built.stash_server, built.plex_server, built.stack:
        built.set_up()
        yield built


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.words}: {case.name}") for case in EVERYTHING]
)
def test_a_mistake_is_reported_with_its_place_and_its_way_out(
    case: Case, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, in a document, with the exit code of the contract, without a secret."""
    case.wrong(house)
    words = case.words.replace("$H", str(house.directory)).replace("$LONG", LONG)
    arguments = words.split()
    capsys.readouterr()

    code = run_command_line(arguments)
    out, err = capsys.readouterr()
    again = run_command_line([*arguments, "--json"])
    document = capsys.readouterr().out

    assert code == case.code, err
    assert err.startswith("plexsync: ")
    for part in case.says:
        assert part.replace("$H", str(house.directory)) in err
    assert KEY not in out + err + document
    assert TOKEN not in out + err + document
    assert "Traceback" not in err
    error = json.loads(document)["error"]
    assert again == json.loads(document)["exit_code"] == case.code
    assert error["kind"]
    assert error["message"]


def test_a_disk_that_takes_no_more_ends_in_9_and_loses_nothing(house: House) -> None:
    """A real limit of the system on a real run; without it the next run does the rest."""
    words = ["sh", "-c", 'ulimit -f 4; exec "$0" -m plexsync run --json', sys.executable]
    stopped = subprocess.run(words, check=False, capture_output=True, text=True)

    error = json.loads(stopped.stdout)["error"]
    assert stopped.returncode == json.loads(stopped.stdout)["exit_code"] == LOCAL
    assert "file too large" in error["message"]
    assert str(house.state) in error["message"]
    assert "ulimit -f" in error["hint"]
    assert run_command_line(["run", "-q"]) == ExitCode.OK
    assert run_command_line(["run", "-q", "--full", "-n", "--detailed-exitcode"]) == (
        ExitCode.ONLY_REVIEW
    )


def test_each_way_to_end_that_a_user_can_cause_has_a_case() -> None:
    """A new exit code is a new line here. 1 is a bug, 3, 10 and 11 are no mistakes."""
    covered = {case.code for case in EVERYTHING}

    assert covered == {USAGE, SERVER, ACCESS, UNSAFE, STALE, LOCKED, LOCAL}


@pytest.mark.parametrize(
    "line",
    [
        *("status --json", "report --html page.html", "run", "run -n", "doctor", "history"),
        *("undo last", "explain 7", "review list", "adopt", "retry", "init --yes"),
        *("schedule cron", "schedule systemd", "schedule compose", "schedule stash-plugin"),
    ],
)
def test_a_user_without_a_home_learns_which_variable_to_set(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a number for a user in a container. For this HOME Python finds no directory either."""
    for name, value in {
        "HOME": "~",
        STASH: "http://127.0.0.1:9",
        PLEX: "http://127.0.0.1:9",
        PLEX_TOKEN: TOKEN,
    }.items():
        monkeypatch.setenv(name, value)
    assert run_command_line(line.split()) == USAGE
    printed = "".join(capsys.readouterr())
    assert "this user has no home directory" in printed
    assert "Set PLEXSYNC_STATE_DIR and CACHE_DIRECTORY, or HOME, to directories" in printed


@pytest.mark.parametrize("columns", [60, 100])
def test_a_terminal_gets_no_word_of_an_error_torn_apart(tmp_path: Path, columns: int) -> None:
    """Names of variables and files can be copied; a pipe gets each line whole."""
    environ = {"HOME": str(tmp_path), "PATH": ""}
    with Person(["run"], environ, width=columns) as person:
        assert person.ends() == ExitCode.USAGE
        shown = person.screen("more: docs/troubleshooting.md#config")
    assert any("PLEXSYNC_PLEX__TOKEN" in line for line in shown.splitlines())
    piped = run_plexsync(["run"], environ)
    assert piped.err.count("\n") == 2
    assert " ".join(piped.err.split()) in " ".join(shown.split())
