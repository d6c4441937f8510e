"""`plexsync init` and `doctor`: a configuration by asking, and a check of what a run needs."""

from __future__ import annotations

import os
import shutil
import textwrap
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsync.commands.options import file_option, new_command, read_rating_key
from plexsync.errors import ConfigError, ExitCode, InterruptedRunError, most_severe
from plexsync.output import console
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plexsync.app.checkup.doctor import Finding
    from plexsync.app.sign_in import Asker
    from plexsync.app.wizard import Interview
    from plexsync.config.files import Answers
    from plexsync.models import RatingKey
    from plexsync.output.console import Invocation

_COPIED_INDENT = 4  # what is indented as far as this is to be copied as it is

_LEAST_COLUMNS = 20

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_AREA_COLUMNS = 14


@new_command()
@click.option(
    "-y", "--yes", is_flag=True, help="Ask nothing: take servers and token from the variables."
)
def init_command(invocation: Invocation, *, yes: bool, plex_tv: str = "") -> int:
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


@new_command()
@click.option("--notify", is_flag=True, help="Try the health check and the addresses of messages.")
@file_option("--report", help="Also write FILE with what a bug report needs, without secrets.")
@file_option("--log", help="Put the end of this log, made by --log-file, into the report.")
@click.option(
    "--probe",
    metavar="RATING_KEY",
    multiple=True,
    type=read_rating_key,
    help="Try edits on this throw-away item of Plex, put it back, and say what Plex did.",
)
def doctor_command(
    invocation: Invocation,
    *,
    report: Path | None,
    log: Path | None,
    probe: tuple[RatingKey, ...],
    notify: bool,
) -> int:
    """Check everything a run needs: configuration, state, both servers, libraries, path rules.

    Reads only; --notify also calls the health check and sends a test message. Each line
    says ok, warn or fail, and what to do about it. Ends with the exit code a run would end with;
    a warning is no failure.

    \b
    Examples:
      plexsync doctor
      plexsync doctor --notify
      plexsync doctor --json | jq '.findings[] | select(.level != "ok")'
      plexsync doctor --report report.txt
    """
    if probe:
        return _probe(invocation, probe)
    from plexsync.app.checkup.examination import examine, write_report

    findings: list[Finding] = []
    for found in examine(invocation, notify=notify):
        finding = _cleaned(found, invocation)
        findings.append(finding)
        if not invocation.shape.as_document:
            _show_finding(invocation, finding)
    code = most_severe(one.exit_code for one in findings)
    if report is not None:
        write_report(invocation, findings, report, log=log)
        if not (invocation.shape.as_document or invocation.shape.quiet):
            console.write_lines(invocation.streams.stderr, [f"Written: {report}"])
    if invocation.shape.as_document:
        _print_findings(invocation, code, findings)
    return code


# ---- Private -------------------------------------------------------------------------------------


def _init(invocation: Invocation, *, yes: bool, plex_tv: str) -> int:
    from plexsync.config.files import UNKNOWN_TOKEN, require_absent, write_setup
    from plexsync.config.loader import find_config

    where = find_config(invocation.config, os.environ).absolute()
    if invocation.shape.as_document:
        raise click.UsageError("init talks to a person; it has no JSON.")
    require_absent(where)
    asker = _Terminal()
    interview = _interview(invocation, asker, plex_tv)
    if yes:
        answers = interview.take_all(_given(os.environ, invocation))
    else:
        _require_person(invocation, where)
        answers = interview.ask_all()
    token = write_setup(where, answers)
    asker.tell(f"Written: {where}")
    asker.tell(f"Written: {token}")
    if answers.token == UNKNOWN_TOKEN:
        asker.tell("The token is still missing: put it into that file, in place of its one word.")
    try:
        tried = not yes and _try_out(invocation, asker)
    except (KeyboardInterrupt, click.Abort) as left:
        after = f"the configuration is written: {where}"
        raise InterruptedRunError(ExitCode.INTERRUPTED, after=after) from left
    if tried:
        asker.tell("To have it run by itself later, from cron (or systemd, or compose):")
        asker.tell(f"    {invocation.typed('plexsync schedule cron')}")
    else:
        asker.tell("Next:")
        asker.tell(f"    {invocation.typed('plexsync doctor')}")
        asker.tell(f"    {invocation.typed('plexsync run -n')}")
    return ExitCode.OK


def _interview(invocation: Invocation, asker: Asker, plex_tv: str) -> Interview:
    from plexsync.app.sign_in import PLEX_TV
    from plexsync.app.wizard import Interview
    from plexsync.state import cache_directory, load_client_id, state_directory

    return Interview(
        asker=asker,
        cache=cache_directory(os.environ),
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
    from plexsync.app.opening import config_secrets
    from plexsync.config.files import Answers
    from plexsync.config.forms import ENV_CONFIG
    from plexsync.config.loader import is_configured, load_config

    nowhere = Path("/nowhere/config.toml")  # a file elsewhere has no say in what is asked for here
    if not is_configured(nowhere, environ):
        raise ConfigError(
            "init --yes takes servers and token from variables, and none of them is set",
            hint="Set PLEXSYNC_STASH__URL, PLEXSYNC_PLEX__URL and PLEXSYNC_PLEX__TOKEN.",
        )
    variables = {name: value for name, value in environ.items() if name != ENV_CONFIG}
    config = load_config(None, variables, home=nowhere.parent)
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
    from plexsync.config.configuration import MINIMAL

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
    perform(invocation, run, RunOptions(dry_run=True))
    return True


def _print_findings(invocation: Invocation, code: ExitCode, findings: Iterable[Finding]) -> None:
    entries = [
        {
            "area": one.area,
            "level": one.level,
            "message": one.message,
            "remedy": one.remedy or None,
        }
        for one in findings
    ]
    document = {"schema": "plexsync/doctor/1", "exit_code": int(code), "findings": entries}
    console.print_document(invocation.streams, document)


def _probe(invocation: Invocation, keys: tuple[RatingKey, ...]) -> int:
    """Ask, then try edits on each item and say what Plex did with them."""
    from plexsync.app.checkup.probe import Probe
    from plexsync.app.opening import command_config, known_client_id, open_servers
    from plexsync.state import state_directory

    if not console.can_ask(invocation.streams):
        raise click.UsageError("--probe writes to Plex, so it asks on a terminal first.")
    directory = state_directory(os.environ)
    with open_servers(command_config(invocation), known_client_id(directory)) as servers:
        for key in keys:
            probe = Probe(servers.plex_line, key, directory)
            title = clean_for_terminal(probe.item.title)
            question = f"Write to item {key} '{title}' and put it back?"
            if not _Terminal().confirm(question, default=False):
                continue
            for fact in probe.facts():
                click.echo(f"  {clean_for_terminal(fact)}")
            click.echo("It is as it was.")
    return ExitCode.OK


def _cleaned(one: Finding, invocation: Invocation) -> Finding:
    """Return a finding without what a terminal could act on, its commands as they are typed."""
    remedy = "\n".join(map(clean_for_terminal, invocation.typed(one.remedy).splitlines()))
    return replace(one, message=clean_for_terminal(one.message), remedy=remedy)


def _show_finding(invocation: Invocation, one: Finding) -> None:
    """Print a line at once, because a check may take its time; a pipe gets columns."""
    if invocation.shape.quiet and one.level != "fail":
        return
    remedy = one.remedy.splitlines()
    if not console.is_terminal(invocation.streams.stdout):
        line = "\t".join(
            (one.level, one.area, one.message, " ".join(part.strip() for part in remedy))
        )
        console.print_text(invocation.streams, f"{line}\n")
        return
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console.make_console(invocation.streams.stdout, no_color=invocation.shape.no_color)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=4)
    grid.add_column(width=_AREA_COLUMNS)
    grid.add_column(overflow="fold")
    grid.add_row(Text(one.level, style=_COLOURS[one.level]), one.area, Text(one.message))
    out.print(grid)
    for part in remedy:
        copyable = part.startswith(" ")
        text = Text(part, style="" if copyable else "dim", overflow="fold")
        out.print(Padding(text, (0, 0, 0, 4 + 1 + _AREA_COLUMNS + 1)), soft_wrap=copyable)


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
        with _own_line():
            typed = click.prompt(question, default=default, show_default=bool(default))
        return str(typed).strip()

    def ask_secret(self, question: str) -> str:
        """Return a line of text that is not shown."""
        return str(click.prompt(question, default="", show_default=False, hide_input=True))

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        with _own_line():
            return click.confirm(question, default=default)


@contextmanager
def _own_line() -> Iterator[None]:
    """End the line of a question that Ctrl-C or Ctrl-D leaves: an error follows."""
    try:
        yield
    except click.Abort:
        click.echo()
        raise
