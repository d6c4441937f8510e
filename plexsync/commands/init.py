"""`plexsync init`: a configuration by asking, a check of it, and the first dry run."""

from __future__ import annotations

import os
import shutil
import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsync.commands.doctor import doctor_command
from plexsync.commands.options import new_command
from plexsync.errors import ConfigError, ExitCode, InterruptedRunError
from plexsync.output import console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.app.setup.files import Answers
    from plexsync.app.setup.sign_in import Asker
    from plexsync.app.setup.wizard import Interview
    from plexsync.output.console import Invocation

_COPIED_INDENT = 4  # what is indented as far as this is to be copied as it is

_LEAST_COLUMNS = 20


def make_init_command(plex_tv: str = "") -> click.Command:
    """Return the command.

    Args:
        plex_tv: where plex.tv is, for tests; "" for where it is.
    """

    @new_command(name="init")
    @click.option(
        "-y", "--yes", is_flag=True, help="Ask nothing: take servers and token from the variables."
    )
    def init_command(invocation: Invocation, *, yes: bool) -> int:
        """Write the first configuration by asking, and try each answer on the servers.

        Finds the Plex server by signing in with a code, or takes an address and a token. Asks for
        Stash and the libraries, finds the path rules between both by itself, and offers a check
        and a first dry run. The files are made at the end, readable by you alone. A file that is
        there is never touched, and nothing is written to Stash or Plex.

        \b
        Examples:
          plexsync init
          plexsync init -c ~/plexsync.toml
          plexsync init --yes     with PLEXSYNC_STASH__URL, PLEXSYNC_PLEX__URL and
                                  PLEXSYNC_PLEX__TOKEN set: asks nothing
        """
        return _init(invocation, yes=yes, plex_tv=plex_tv)

    return init_command


init_command = make_init_command()


# ---- Private -------------------------------------------------------------------------------------


def _init(invocation: Invocation, *, yes: bool, plex_tv: str) -> int:
    from plexsync.app.setup.files import require_absent, write_setup
    from plexsync.config.loader import find_config, home_directory

    where = find_config(invocation.config, os.environ, home=home_directory()).absolute()
    if invocation.shape.as_document:
        raise click.UsageError("init talks to a person; it has no JSON.")
    require_absent(where)
    asker = _Unasked() if yes else _Terminal()
    interview = _interview(invocation, asker, plex_tv)
    if yes:
        answers = interview.take_all(_given(os.environ, invocation))
    else:
        _require_person(invocation, where)
        answers = interview.ask_all()
    token = write_setup(where, answers)
    asker.tell(f"Written: {where}")
    asker.tell(f"Written: {token}")
    try:
        tried = not yes and _try_out(invocation, asker)
    except (KeyboardInterrupt, click.Abort) as left:
        after = f"the configuration is written: {where}"
        raise InterruptedRunError(ExitCode.INTERRUPTED, after=after) from left
    if tried:
        asker.tell("To have it run by itself later: plexsync schedule cron, or systemd")
    else:
        asker.tell("Next: plexsync doctor, then plexsync run -n")
    return ExitCode.OK


def _interview(invocation: Invocation, asker: Asker, plex_tv: str) -> Interview:
    from plexsync.app.failures import utc_now
    from plexsync.app.setup.sign_in import PLEX_TV
    from plexsync.app.setup.wizard import Interview
    from plexsync.state import cache_directory, load_client_id, state_directory

    return Interview(
        asker=asker,
        cache=cache_directory(os.environ),
        now=utc_now,
        learn=invocation.secrets.append,
        plex_tv=plex_tv or PLEX_TV,
        # Made now if there is none: the account will list it.
        client_id=lambda: load_client_id(state_directory(os.environ), create=True),
    )


def _given(environ: Mapping[str, str], invocation: Invocation) -> Answers:
    """Return what the variables say, as answers.

    Raises:
        ConfigError: an address or the token is missing, or something of it is wrong.
    """
    from plexsync.app.setup.files import Answers
    from plexsync.config.keys import ENV_CONFIG
    from plexsync.config.loader import load_config
    from plexsync.sync.connections import config_secrets

    variables = {name: value for name, value in environ.items() if name != ENV_CONFIG}
    config = load_config(None, variables, home=Path("/nowhere"))
    invocation.secrets += config_secrets(config)
    return Answers(
        stash_url=config.stash.url,
        api_key=config.stash.api_key.reveal() if config.stash.api_key else "",
        plex_url=config.plex.url,
        token=config.plex.token.reveal(),
        libraries=config.plex.libraries,
    )


def _require_person(invocation: Invocation, where: Path) -> None:
    """Make sure that somebody can be asked.

    Raises:
        ConfigError: nobody can.
    """
    from plexsync.config.schema import MINIMAL

    if console.can_ask(invocation.streams):
        return
    example = "".join(f"    {line}\n" for line in MINIMAL.splitlines())
    raise ConfigError(
        "init asks questions, and there is nobody at this terminal",
        hint="Set PLEXSYNC_STASH__URL, PLEXSYNC_PLEX__URL and PLEXSYNC_PLEX__TOKEN and call "
        f"plexsync init --yes, or write {where} with mode 0600:\n\n{example}",
    )


def _try_out(invocation: Invocation, asker: Asker) -> bool:
    """Offer a check and a dry run; whether the dry run was made."""
    from plexsync.app.runs import perform
    from plexsync.sync.ports import RunOptions
    from plexsync.sync.reconcile import run

    well = True
    if asker.confirm("Check everything now?", default=True):
        well = click.get_current_context().invoke(doctor_command) == ExitCode.OK
    if not asker.confirm("Make a dry run now? It writes nothing.", default=well):
        return False
    once = partial(run, options=RunOptions(dry_run=True))
    perform(invocation, once, dry_run=True)
    return True


class _Terminal:
    """A person at a terminal. Leaving with Ctrl-C or Ctrl-D is always possible."""

    def tell(self, text: str) -> None:
        """Show a line, wrapped between words unless it is meant to be copied."""
        indent = text[: len(text) - len(text.lstrip())]
        if len(indent) >= _COPIED_INDENT:
            click.echo(text)
            return
        columns = max(shutil.get_terminal_size().columns - 1, _LEAST_COLUMNS)
        click.echo(
            textwrap.fill(
                text,
                columns,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )

    def ask(self, question: str, default: str = "") -> str:
        """Return a line of text."""
        typed = click.prompt(question, default=default, show_default=bool(default))
        return str(typed).strip()

    def ask_secret(self, question: str) -> str:
        """Return a line of text that is not shown."""
        return str(click.prompt(question, default="", show_default=False, hide_input=True))

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        return click.confirm(question, default=default)


class _Unasked(_Terminal):
    """Takes every default."""

    def confirm(self, question: str, *, default: bool) -> bool:  # noqa: ARG002 - of the protocol
        """Return the default."""
        return default
