"""A stranger's first hour: both servers, an account at plex.tv, an empty home, and a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.simulators.http.plex_tv import PlexTvSimulator, SimConnection, SimResource
from plexsync.simulators.http.wire import LoopbackServer, Wired
from plexsync.simulators.library.pairs import demo_library
from plexsync.simulators.plex.parts import Identity
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.simulators.stash.simulator import StashSimulator
from tests.support.stand_ins import ROOT, put_programs
from tests.support.typing_terminals import Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "the-owner-token-12345"

_NOT_CLONED = (".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "tests", "benchmarks")
"""What is not in a clone, and what no line of a document needs of it."""

_INIT = """
import sys
import click
from plexsync.cli import run_command_line
from plexsync.commands.init import init_command
init_command.params.append(click.Option(["--plex-tv"]))
sys.exit(run_command_line(["--plex-tv", sys.argv[1]], init_command))
"""
"""`plexsync init`, with the address of plex.tv that no user can name."""


@dataclass(slots=True)
class FirstHour:
    """Where a stranger works, and how many keys they have pressed.

    Attributes:
        home: an empty directory.
        programs: their PATH, but for what they install.
    """

    home: Path
    programs: Path
    stash_url: str
    plex_url: str
    plex_tv_url: str
    plex: PlexSimulator
    keys: int = 0
    seen: list[str] = field(default_factory=list)

    def environ(self, *, servers: bool = False) -> dict[str, str]:
        """Nothing of plexsync is set but for, where `servers`, what `init --yes` needs."""
        found = {
            "HOME": str(self.home),
            "PATH": f"{self.home / '.local/bin'}{os.pathsep}{self.programs}",
        }
        if servers:
            found |= {
                "PLEXSYNC_STASH__URL": self.stash_url,
                "PLEXSYNC_PLEX__URL": self.plex_url,
                "PLEXSYNC_PLEX__TOKEN": TOKEN,
            }
        return found

    def clone(self) -> Path:
        """Make a copy of what a clone has, in the home directory."""
        folder = self.home / "plexsync"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*_NOT_CLONED))
        return folder

    @property
    def python(self) -> Path:
        """The interpreter of the plexsync that a line calls."""
        installed = self.home / ".local/bin/plexsync"
        program = installed if installed.exists() else self.programs / "plexsync"
        return program.resolve().with_name("python")

    def type(
        self, line: str, *, where: Path | None = None, servers: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a line as a shell does, in the home directory or `where`; type a token if asked."""
        return subprocess.run(  # noqa: S602 - the line of our own documents
            line,
            shell=True,
            cwd=where or self.home,
            env=self.environ(servers=servers),
            capture_output=True,
            text=True,
            check=False,
            input=TOKEN,
        )

    def init_by_keys(self) -> int:
        """`plexsync init` with every suggestion taken; nothing but Stash's address is typed."""
        arguments = ["-c", _INIT, self.plex_tv_url]
        with Person(arguments, self.environ(), program=str(self.python)) as person:
            for question, answer in (
                ("Address of Stash", self.stash_url),
                ("Sign in at plex.tv", ""),
                ("Which of them", ""),
                ("Write these rules?", ""),
                ("Keep text", ""),
                ("Check everything now?", ""),
                ("Make a dry run now?", ""),
            ):
                person.sees(question)
                person.types(f"{answer}\r")
                self.keys += len(answer) + 1
            code = person.ends()
            self.seen.append(person.seen)
        return code

    def by_keys(self, line: str, *keys: tuple[str, str], where: Path | None = None) -> int:
        """Run a line on a terminal; each of `keys` is pressed once the text before it is seen."""
        shell = ["-c", f"cd {shlex.quote(str(where or self.home))} && {line}"]
        with Person(shell, self.environ(), program="/bin/sh") as person:
            for text, pressed in keys:
                person.sees(text)
                person.types(pressed)
                self.keys += len(pressed)
            code = person.ends()
            self.seen.append(person.seen)
        return code


@contextmanager
def first_hour(folder: Path) -> Iterator[FirstHour]:
    """Both servers and plex.tv, until the block ends; in `folder` a home and programs."""
    home, programs = folder / "home", folder / "programs"
    home.mkdir()
    put_programs(programs)
    library = demo_library()
    plex = PlexSimulator(library, token=TOKEN)
    with ExitStack() as stack:
        stash_server = stack.enter_context(LoopbackServer(Wired(StashSimulator(library))))
        plex_server = stack.enter_context(LoopbackServer(Wired(plex)))
        connections = (
            SimConnection(uri="https://127.0.0.1:9", port=9),
            SimConnection(uri=plex_server.url, port=plex_server.port),
        )
        account = PlexTvSimulator(
            TOKEN,
            (SimResource(name="Home", machine=Identity().machine, connections=connections),),
            typed_after=1,
        )
        plex_tv = stack.enter_context(LoopbackServer(Wired(account)))
        yield FirstHour(
            home=home,
            programs=programs,
            stash_url=stash_server.url,
            plex_url=plex_server.url,
            plex_tv_url=plex_tv.url,
            plex=plex,
        )
