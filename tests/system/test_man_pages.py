"""The man pages of the wheel: one for each command, from the command's own help."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from plexsync.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of a wheel built from this tree, by name."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        check=True,
        cwd=ROOT,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {
            Path(name).name: archive.read(name).decode()
            for name in archive.namelist()
            if "/data/share/man/man1/" in name
        }


def commands(group: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that is not hidden, with the name of its page."""
    yield f"{name}.1", group
    for word, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            yield from commands(command, f"{name}-{word}")


def test_each_command_has_a_page_that_names_its_options(pages: dict[str, str]) -> None:
    """And no page is of anything else."""
    found = dict(commands(cli, "plexsync"))

    assert set(pages) == set(found)
    for name, command in found.items():
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[-1].replace("-", r"\-") in pages[name], (name, option.opts)


def test_examples_stand_as_they_are_typed(pages: dict[str, str]) -> None:
    """Unwrapped, and without click's mark for that."""
    run = pages["plexsync-run.1"]

    assert ".nf\nExamples:\n  plexsync run -n  " in run
    assert not [name for name, page in pages.items() if "\b" in page or r"\eb" in page]
    for page in map(str.splitlines, pages.values()):
        assert page.count(".nf") == page.count(".fi")
