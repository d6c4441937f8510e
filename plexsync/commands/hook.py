"""`plexsync hook` and `plexsync schedule`: what starts plexsync, or tells it where to begin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from plexsync import __version__
from plexsync.commands.options import CONTEXT, global_options, new_command
from plexsync.errors import ExitCode
from plexsync.output import console

if TYPE_CHECKING:
    from plexsync.integrations.schedule import Setup
    from plexsync.output.console import Invocation


@new_command()
@click.option(
    "--state-dir",
    metavar="DIR",
    default="",
    help="Where the state is, if the environment of Stash does not say.",
)
@click.option("--where", is_flag=True, help="Log where in Plex the scenes are; Stash's task.")
def hook_command(invocation: Invocation, *, state_dir: str, where: bool) -> int:
    """Note which scene Stash just saved, and end at once.

    Stash calls this through the plugin that `plexsync schedule stash-plugin` prints. The next run
    then begins with the scenes that were noted. Without it nothing is missed: a run finds every
    change by itself. Whatever goes wrong is a line in Stash's log; the exit code is always 0.

    With --where it is the task of that plugin instead: it writes the pages of scenes and their
    items into Stash's log, of all that wait for something and of the 50 edited last.

    \b
    Examples:
      plexsync hook < event.json
      plexsync schedule stash-plugin > ~/.stash/plugins/plexsync.yml
    """
    from plexsync.integrations.stash_hook import run_hook

    if where:
        return _log_pages(invocation, state_dir)
    return run_hook(["--state-dir", state_dir] if state_dir else [])


@click.group(context_settings=CONTEXT)
@global_options
def schedule_command() -> None:
    """Print what starts plexsync by itself, or a Stash plugin, for this configuration.

    All paths are written out in full. Secrets are not part of it: where one is only in a variable
    of this shell, a comment says what to do.

    \b
    Examples:
      plexsync schedule cron            a line for crontab -e
      plexsync schedule systemd         a service and a timer
      plexsync schedule compose         a service for compose.yaml
      plexsync schedule stash-plugin    have Stash tell what changed
    """


@new_command(schedule_command, short_help="A crontab.")
def cron_command(invocation: Invocation) -> int:
    """Print lines for `crontab -e`: a run every 15 minutes.

    \b
    Examples:
      plexsync schedule cron
      (crontab -l; plexsync schedule cron) | crontab -
    """
    from plexsync.integrations import schedule

    setup = schedule.find_setup(invocation.config, os.environ, runs=True)
    return _print(invocation, "cron", schedule.crontab(setup))


@new_command(schedule_command, short_help="A systemd service and timer.")
@click.option("--system", is_flag=True, help="For the whole system, not for your own user.")
@click.option(
    "--only",
    type=click.Choice(["service", "timer"]),
    help="Print just this one, to go into a file.",
)
def systemd_command(invocation: Invocation, *, system: bool, only: str | None) -> int:
    """Print a service and the timer that starts it every 15 minutes.

    A service of your own user shares its state with your shell. With --system it keeps its state
    in /var/lib/plexsync and runs as the owner of the configuration file.

    \b
    Examples:
      plexsync schedule systemd
      plexsync schedule systemd --only timer > ~/.config/systemd/user/plexsync.timer
    """
    from plexsync.integrations import schedule

    setup = schedule.find_setup(invocation.config, os.environ, runs=True)
    parts = {
        "service": schedule.systemd_service(setup, user=_owner(setup) if system else ""),
        "timer": schedule.systemd_timer(system=system),
    }
    if only:
        return _print(invocation, "systemd", parts[only])
    steps = "".join(f"#   {step}\n" for step in schedule.systemd_steps(system=system))
    return _print(invocation, "systemd", "\n".join((*parts.values(), f"# Then:\n{steps}")))


@new_command(schedule_command, short_help="A service for compose.yaml.")
def compose_command(invocation: Invocation) -> int:
    """Print a service for compose.yaml: a container with a run every 15 minutes.

    Files, folders and servers are inside where they are outside, so that the configuration holds
    in the container as it is. The image is built from the Containerfile of plexsync's source.

    \b
    Examples:
      plexsync schedule compose > compose.yaml && docker compose up -d
    """
    from dataclasses import replace

    from plexsync.integrations import schedule
    from plexsync.state import cache_directory

    setup = schedule.find_setup(invocation.config, os.environ, runs=True)
    setup = replace(setup, cache=setup.cache or cache_directory(os.environ))
    user = f"{os.getuid()}:{os.getgid()}"
    return _print(invocation, "compose", schedule.compose_service(setup, user=user))


@new_command(schedule_command, "stash-plugin", short_help="A Stash plugin.")
def stash_plugin_command(invocation: Invocation) -> int:
    """Print the manifest of a Stash plugin that notes each scene Stash saves.

    Put it into the plugins folder of Stash and reload the plugins there. The next run then begins
    with those scenes.

    \b
    Examples:
      plexsync schedule stash-plugin > ~/.stash/plugins/plexsync.yml
    """
    from plexsync.integrations import schedule

    setup = schedule.find_setup(invocation.config, os.environ)
    return _print(invocation, "stash-plugin", schedule.stash_manifest(setup, __version__))


# ---- Private -------------------------------------------------------------------------------------


def _log_pages(invocation: Invocation, state_dir: str) -> int:
    """Write where in Plex the scenes are into Stash's log; an error is one line of it, too."""
    import json
    from pathlib import Path

    from plexsync.app.web_addresses import configured_addresses, task_entries
    from plexsync.errors import PlexsyncError
    from plexsync.integrations.stash_hook import log_line, log_progress, read_to_end
    from plexsync.state import load_state, state_directory

    read_to_end()
    try:
        state = load_state(Path(state_dir) if state_dir else state_directory(os.environ))
        addresses = configured_addresses(invocation.config, os.environ, state.lineage.plex)
    except PlexsyncError as error:
        log_line("e", str(error))
        console.print_text(invocation.streams, f"{json.dumps({'error': str(error)})}\n")
        return error.exit_code
    entries = task_entries(state, addresses)
    for done, (level, text) in enumerate(entries, start=1):
        log_line(level, text)
        log_progress(done / len(entries))
    console.print_text(invocation.streams, f"{json.dumps({'output': entries[-1].text})}\n")
    return ExitCode.OK


def _owner(setup: Setup) -> str:
    """Return the user who may read the configuration."""
    import getpass

    try:
        return setup.config.owner() if setup.config else getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return str(os.getuid())


def _print(invocation: Invocation, kind: str, text: str) -> int:
    """Return the text itself, or as a document."""
    if invocation.shape.as_document:
        document = {"schema": "plexsync/schedule/1", "kind": kind, "text": text}
        console.print_document(invocation.streams, document)
    else:
        console.print_text(invocation.streams, text)
    return ExitCode.OK
