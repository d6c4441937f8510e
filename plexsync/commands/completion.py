"""`plexsync completion`, and what a shell is offered: scenes, runs, libraries.

From local files alone, and never an error: a shell that completes must not wait or be disturbed.
"""

from __future__ import annotations

import os
import shlex
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
      eval "$(plexsync completion zsh)"      in ~/.zshrc
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


# ---- Asked by click ------------------------------------------------------------------------------


def _completer(find: Callable[[], Iterable[tuple[str, str]]]) -> Completer:
    """Return what click asks for offers: those of what `find` finds, each with a word on it."""

    def complete(
        _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return _offer(find(), incomplete)

    return complete


def complete_libraries(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of the configured libraries, or else of those seen in Plex."""
    del param
    invocation: Invocation | None = ctx.find_root().obj
    return _offer(_libraries(invocation.config if invocation else None), incomplete)


# ---- Private -------------------------------------------------------------------------------------


def _offer(found: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """Return what begins as what was typed; nothing when it cannot be found out."""
    from click.shell_completion import CompletionItem

    offers: list[CompletionItem] = []
    # click's script for bash puts an offer on the line as it is; those for other shells quote it.
    spelled = shlex.quote if os.environ.get(VARIABLE) == "bash_complete" else str
    try:
        for value, words in found:
            if value.startswith(incomplete):
                offers.append(CompletionItem(spelled(value), help=words))
            if len(offers) >= _MOST:
                break
    except (PlexsyncError, OSError):
        return []
    return offers


def _waiting_scenes() -> Iterator[tuple[str, str]]:
    from plexsync.state import load_state, state_directory

    for scene_id, record in load_state(state_directory(os.environ)).waiting():
        yield scene_id, str(record.outcome)


def _scenes_in_review() -> Iterator[tuple[str, str]]:
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


def _answered_scenes() -> Iterator[tuple[str, str]]:
    from plexsync.matcher import ANSWER_PREFIX
    from plexsync.state import load_state, state_directory

    keys = load_state(state_directory(os.environ)).decision_keys()
    ids = [key.removeprefix(ANSWER_PREFIX) for key in keys if key.startswith(ANSWER_PREFIX)]
    for scene_id in sorted(ids, key=lambda one: (len(one), one)):
        yield scene_id, ""


def _runs() -> Iterator[tuple[str, str]]:
    from plexsync.state import is_run_id, journal_runs, state_directory

    for run_id in reversed(journal_runs(state_directory(os.environ))):
        if is_run_id(run_id):
            yield run_id, ""


def _libraries(path: Path | None) -> Iterator[tuple[str, str]]:
    """Read without the secrets of the configuration, and whatever else is wrong in it."""
    from plexsync.config.loader import find_config, home_directory
    from plexsync.config.sources import Sources
    from plexsync.plex.index import cached_libraries
    from plexsync.state import cache_directory

    sources = Sources()
    sources.take_file(find_config(path, os.environ, home=home_directory()), must_exist=False)
    sources.take_environment(os.environ)
    found = sources.found.get("plex.libraries")
    configured = found.value if found and isinstance(found.value, list) else []
    for name in configured or sorted(cached_libraries(cache_directory(os.environ)).values()):
        yield str(name), ""


# ---- What is offered -----------------------------------------------------------------------------

complete_scenes = _completer(_waiting_scenes)
"""The scenes that wait for something, each with what it waits for."""

complete_review = _completer(_scenes_in_review)
"""The scenes that wait for a person, each with its title."""

complete_answered = _completer(_answered_scenes)
"""The scenes that have a person's answer."""

complete_runs = _completer(_runs)
"""The runs that left a journal, newest first."""
