"""`plexsync status` and `plexsync retry`: what is remembered, and what to try again."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import click

from plexsync.commands.completion import complete_scenes
from plexsync.commands.options import (
    lock_wait_option,
    new_command,
    read_duration,
    read_scene_id,
    show_found,
)
from plexsync.errors import ExitCode
from plexsync.output import console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType

    from plexsync.models import SceneId
    from plexsync.output.console import Invocation
    from plexsync.state import Status, Trouble


@new_command()
@click.option("--check", is_flag=True, help="One line, and exit 12 unless a run ended well lately.")
@click.option(
    "--max-age",
    metavar="DURATION",
    default="26h",
    type=read_duration,
    help="How long ago counts as lately (90m, 26h, 2d). Default: 26h.",
)
def status_command(invocation: Invocation, *, check: bool, max_age: float) -> int:
    """Show the last runs, how much of Stash is linked, what waits and what fails.

    Reads only what plexsync remembers: it asks no server, needs no configuration, and may be
    called while a run is under way.

    \b
    Examples:
      plexsync status
      plexsync status --check --max-age 26h    for a monitor
      plexsync status -v                       and the pages of what fails
      plexsync status --json | jq .failing
      plexsync status | grep ^failing          one line a scene

    \b
    Exit codes:
      0   shown                                9  the state cannot be read
      3   with --check: something is parked until the next full sweep
      12  with --check: no run ended well within --max-age
    """
    from datetime import UTC, datetime

    from plexsync.state import cache_directory, read_status, state_directory

    is_document = invocation.shape.as_document
    cache_dir = cache_directory(os.environ) if is_document else None
    found = read_status(state_directory(os.environ), datetime.now(UTC), cache_dir=cache_dir)
    code = ExitCode.OK
    if check and not found.is_fresh(max_age):
        code = ExitCode.TOO_OLD
    elif check and found.failed_too_often:
        code = ExitCode.SOME_FAILED
    if check and not is_document:
        _say_check(invocation, found, code, max_age_s=max_age)
    elif is_document or not invocation.shape.quiet:
        _show(invocation, found, code)
    return code


def _show(invocation: Invocation, found: Status, code: ExitCode) -> None:
    from plexsync.output.status import status_lines

    show_found(
        invocation,
        document=partial(_document, invocation, found, code),
        lines=partial(status_lines, found),
        view=partial(_status_view, invocation=invocation, found=found),
        crop=False,  # path rules are to be copied
    )


def _document(invocation: Invocation, found: Status, code: ExitCode) -> object:
    """Return how things stand as a document, with the figures a monitor gets."""
    from plexsync.integrations.metrics import last_run_in, metrics_json, samples
    from plexsync.output.status import status_document
    from plexsync.plex.index import cached_libraries
    from plexsync.state import cache_directory

    libraries = cached_libraries(cache_directory(os.environ), found.lineage.plex)
    metrics = metrics_json(samples(found, last_run_in(found.runs), libraries))
    return status_document(_with_pages(invocation, found), exit_code=code, metrics=metrics)


@new_command()
@click.argument(
    "scene_ids",
    metavar="[SCENE_ID]...",
    nargs=-1,
    type=read_scene_id,
    shell_complete=complete_scenes,
)
@lock_wait_option("a run")
def retry_command(
    invocation: Invocation, *, scene_ids: tuple[SceneId, ...], lock_wait_s: float
) -> int:
    """Have the next run try scenes again that failed, and forget how often they did.

    Without SCENE_ID all that failed, parked ones included. A scene named may also wait for a
    person or for Plex. Asks no server and writes nothing to Plex.

    \b
    Examples:
      plexsync retry        all that failed
      plexsync retry 812    just this one
    """
    from plexsync.app.failures import make_run_id, utc_now
    from plexsync.app.retry import retry
    from plexsync.state import state_directory

    now = utc_now()
    done = retry(
        state_directory(os.environ),
        scene_ids,
        now=now,
        run_id=make_run_id(now),
        lock_wait_s=lock_wait_s,
    )
    if invocation.shape.as_document:
        document = {"schema": "plexsync/retry/1", "due": done.due, "settled": done.settled}
        console.print_document(invocation.streams, document)
    elif not invocation.shape.quiet:
        console.print_lines(invocation.streams, _words(done.due, done.settled))
    return ExitCode.OK


# ---- Private -------------------------------------------------------------------------------------


def _say_check(invocation: Invocation, found: Status, code: ExitCode, *, max_age_s: float) -> None:
    from plexsync.output.status import check_sentence

    if code is ExitCode.OK and invocation.shape.quiet:
        return
    sentence = check_sentence(found, max_age_s=max_age_s)
    word = {ExitCode.OK: "OK", ExitCode.SOME_FAILED: "PARKED"}.get(code, "TOO OLD")
    console.print_text(invocation.streams, f"plexsync {word}: {invocation.typed(sentence)}\n")


def _status_view(screen: Console, invocation: Invocation, found: Status) -> RenderableType:
    from plexsync.config.loader import is_configured
    from plexsync.output.status_view import status_view

    shown = _with_pages(invocation, found) if invocation.shape.verbosity > 0 else found
    ready = bool(found.runs) or is_configured(invocation.config, os.environ)
    return status_view(
        shown,
        width=screen.width,
        begin="plexsync run -n" if ready else "plexsync init",
        named=console.naming_option(invocation.config),
    )


def _with_pages(invocation: Invocation, found: Status) -> Status:
    """Add where a person opens what failed, as far as a configuration says so."""
    if not (found.failing or found.parked):
        return found
    from msgspec.structs import replace

    from plexsync.app.web_addresses import configured_addresses

    addresses = configured_addresses(invocation.config, os.environ, found.lineage.plex)

    def opened(troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
        return tuple(
            replace(
                one,
                scene_url=addresses.of_scene(one.scene_id),
                item_urls=tuple(filter(None, map(addresses.of_item, one.rating_keys))),
            )
            for one in troubles
        )

    return replace(found, failing=opened(found.failing), parked=opened(found.parked))


def _words(due: tuple[str, ...], settled: tuple[str, ...]) -> list[str]:
    from plexsync.models import noun_of

    lines = [f"Scene {scene_id} waits for nothing." for scene_id in settled]
    several: dict[str, list[str]] = {}
    for one in due:
        several.setdefault(noun_of(one), []).append(one)
    found = [
        f"{what} {keys[0].removeprefix(f'{what}:')}" if len(keys) == 1 else f"{len(keys):,} {what}s"
        for what, keys in several.items()
    ]
    if found:
        lines.append(f"The next run tries {' and '.join(found)} again.")
    return lines or ["Nothing that failed waits for a later try."]
