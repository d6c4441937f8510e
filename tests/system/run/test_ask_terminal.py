"""`plexsync run --ask` on a real terminal: what is typed, and what becomes of it."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.typing_terminals import Person
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROMPT = "Write 3 items to Plex? (yes/no) "
CTRL_C, CTRL_D = "\x03", "\x04"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=3, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        yield made


def asked(world: World, *, width: int = 100) -> Person:
    """Somebody at a terminal of their own, where Ctrl-C is a signal."""
    arguments = ["-m", "plexsync", "run", "--ask"]
    return Person(arguments, world.environ(), width=width, program=sys.executable)


def test_yes_writes_what_was_shown(world: World) -> None:
    """Exit 0, and nothing is left to do."""
    with asked(world, width=60) as person:
        shown = person.sees(PROMPT)
        assert "3 items" in shown
        assert world.plex.writes == ()
        person.types(" Yes \n")
        person.sees("3 written")
        assert person.ends() == ExitCode.OK
    assert world.run().puts == 0


@pytest.mark.parametrize("answer", ["no\n", CTRL_D], ids=["no", "ctrl-d"])
def test_anything_like_no_writes_nothing(world: World, answer: str) -> None:
    """Exit 0, as the wish was carried out; all of it stays due."""
    with asked(world) as person:
        person.sees(PROMPT)
        person.types(answer)
        person.sees("not written, as you wish")
        assert person.ends() == ExitCode.OK
        assert person.terminal_is_as_before()
    assert world.plex.writes == ()
    assert world.run().puts == 3


def test_what_is_neither_is_asked_again(world: World) -> None:
    """An empty line is no consent, and neither is a word of another language."""
    with asked(world) as person:
        for nothing in ("\n", "ja\n", "yess\n"):
            person.sees(PROMPT)
            person.types(nothing)
        person.sees(PROMPT)
        assert world.plex.writes == ()
        person.types("no\n")
        assert person.ends() == ExitCode.OK


def test_ctrl_c_at_the_prompt_ends_the_run(world: World) -> None:
    """Once is enough, also in the middle of a word: exit 130, nothing written, all of it due."""
    with asked(world) as person:
        person.sees(PROMPT)
        person.types("ye" + CTRL_C)
        assert person.ends() == ExitCode.INTERRUPTED
        assert person.terminal_is_as_before()
    assert world.plex.writes == ()
    assert world.run().puts == 3


def test_sigterm_at_the_prompt_ends_the_run(world: World) -> None:
    """Exit 143: whoever shuts the machine down need not answer."""
    with asked(world) as person:
        person.sees(PROMPT)
        person.process.send_signal(signal.SIGTERM)
        assert person.ends() == ExitCode.TERMINATED
    assert world.plex.writes == ()
    assert world.run().puts == 3
