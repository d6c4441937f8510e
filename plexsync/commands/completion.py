"""`plexsync completion`, and what a shell is offered: scenes, runs, libraries.

From local files alone, and never an error: a shell that completes must not wait or be disturbed.
"""

from __future__ import annotations

import os
import shlex
from itertools import islice
from typing import TYPE_CHECKING

import click

from plexsync.commands.options import new_command
from plexsync.errors import ExitCode, PlexsyncError
from plexsync.output import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from plexsync.output.console import Invocation

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

VARIABLE = "_PLEXSYNC_COMPLETE"
"""Through which the script of a shell asks; click's own name for a program called plexsync."""

_MOST = 200
"""Offers a person might still look through."""


@new_command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(invocation: Invocation, *, shell: str) -> int:
    """Print the script with which a shell completes commands, options, scenes, libraries and runs.

    What it offers comes from plexsync's own files; no server is asked.

    \b
    Examples:
      eval "$(plexsync completion bash)"     in ~/.bashrc
      eval "$(plexsync completion zsh)"      in ~/.zshrc, after compinit
      plexsync completion fish > ~/.config/fish/completions/plexsync.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the shells there is a choice of
    source = kind(
        click.get_current_context().find_root().command, {}, "plexsync", VARIABLE
    ).source()
    # click's script for fish cuts titles and names of libraries at their first comma.
    source = source.replace('(string split ","', '(string split --max 1 ","')
    console.print_text(invocation.streams, source.lstrip("\n"))
    return ExitCode.OK


# ---- What is offered -----------------------------------------------------------------------------


def _completer(find: Callable[[Path | None], Iterable[tuple[str, str]]]) -> Completer:
    """Return what click asks for offers: what begins as what was typed, each with a word on it.

    `find` gets the file named by `--config`; where it cannot find out, there is nothing to offer.
    """

    def complete(
        ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        invocation: Invocation | None = ctx.find_root().obj
        # click's script for bash puts an offer on the line as it is; those for others quote it.
        spelled = shlex.quote if os.environ.get(VARIABLE) == "bash_complete" else str
        try:
            found = find(invocation.config if invocation else None)
            likely = (one for one in found if one[0].startswith(incomplete))
            return [
                CompletionItem(spelled(value), help=words) for value, words in islice(likely, _MOST)
            ]
        except (PlexsyncError, OSError):
            return []

    return complete


@_completer
def complete_scenes(_config: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the scenes that wait for something, each with what it waits for."""
    from plexsync.state import load_state, state_directory

    for scene_id, record in load_state(state_directory(os.environ)).waiting():
        yield scene_id, str(record.outcome)


@_completer
def complete_review(_config: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the scenes that wait for a person, each with its title."""
    from plexsync.state import (
        cache_directory,
        load_state,
        load_waiting,
        review_queue_path,
        state_directory,
        waiting_ids,
    )
    from plexsync.text.normalize import clean_for_terminal

    directory = state_directory(os.environ)
    state = load_state(directory)
    shelf = review_queue_path(cache_directory(os.environ), directory, state.lineage)
    titles = {one.scene_id: one.scene.title for one in load_waiting(shelf, state)}
    for scene_id in waiting_ids(state):
        yield scene_id, clean_for_terminal(titles.get(scene_id, ""))


@_completer
def complete_answered(_config: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the scenes that have a person's answer."""
    from plexsync.matcher import ANSWER_PREFIX
    from plexsync.state import load_state, state_directory

    keys = load_state(state_directory(os.environ)).decision_keys()
    ids = [key.removeprefix(ANSWER_PREFIX) for key in keys if key.startswith(ANSWER_PREFIX)]
    for scene_id in sorted(ids, key=lambda one: (len(one), one)):
        yield scene_id, ""


@_completer
def complete_runs(_config: Path | None) -> Iterator[tuple[str, str]]:
    """Yield `last` and the runs that left a journal, newest first."""
    from plexsync.state import is_run_id, journal_runs, state_directory

    yield "last", "the newest that wrote something"
    for run_id in reversed(journal_runs(state_directory(os.environ))):
        if is_run_id(run_id):
            yield run_id, ""


@_completer
def complete_libraries(path: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the names of the configured libraries, or else of those seen in Plex.

    Read without the secrets of the configuration, and whatever else is wrong in it.
    """
    from plexsync.config.loader import find_config
    from plexsync.config.sources import Sources
    from plexsync.plex.index import cached_libraries
    from plexsync.state import cache_directory

    found = Sources(find_config(path, os.environ), os.environ).found.get("plex.libraries")
    configured = found.value if found and isinstance(found.value, list) else []
    for name in configured or sorted(cached_libraries(cache_directory(os.environ)).values()):
        yield str(name), ""
