"""Puts a check-up together by hand: configuration, transports, clients, in the order of a run."""

from __future__ import annotations

import os
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from plexsync.app.announcing import try_everything
from plexsync.app.checkup.bug_report import (
    config_lines,
    finding_lines,
    log_lines,
    plex_fact_lines,
    report_text,
    status_lines_of,
    version_lines,
)
from plexsync.app.checkup.doctor import (
    Finding,
    Patient,
    Severity,
    check_config,
    check_libraries,
    check_paths,
    check_plex,
    check_stash,
    failed,
)
from plexsync.app.checkup.probe import Probe
from plexsync.app.checkup.state_checks import check_state
from plexsync.app.failures import utc_now
from plexsync.config.loader import home_directory, load_config
from plexsync.errors import ConfigError, ExitCode, StateError
from plexsync.plex.client import PlexClient
from plexsync.state import (
    UNREGISTERED_CLIENT_ID,
    cache_directory,
    load_client_id,
    read_status,
    state_directory,
    state_errors,
)
from plexsync.sync.connections import config_secrets, plex_transport, stash_client, stash_transport
from plexsync.transport.client import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import RatingKey
    from plexsync.output.console import Invocation

_IMPATIENT = RetryPolicy(attempts=2, seconds=6.0, first_wait_s=0.2, max_wait_s=1.0)
"""A person waits, and can simply call again."""


def examine(invocation: Invocation, *, notify: bool = False) -> Iterator[Finding]:
    """Yield every finding, as it is made. What went wrong is one of them, not an exception.

    Args:
        invocation: the global options.
        notify: try the health check and the addresses of messages, too.
    """
    directory = state_directory(os.environ)
    try:
        config = load_config(invocation.config, os.environ, home=home_directory())
    except ConfigError as error:
        yield failed("configuration", error)
        yield from check_state(directory, utc_now())
        return
    invocation.secrets += config_secrets(config)
    yield from check_config(config)
    yield from check_state(directory, utc_now())
    yield from _examine_servers(config, _client_id(directory))
    if notify:
        yield from _examine_notify(config)


def _examine_notify(config: Config) -> Iterator[Finding]:
    tried = list(try_everything(config.notify, config_secrets(config)))
    if not tried:
        remedy = "Set notify.ping or notify.urls; see docs/configuration.md."
        yield Finding(
            area="notify", level=Severity.WARN, message="nothing is configured", remedy=remedy
        )
    for what, problem in tried:
        if problem:
            yield Finding(
                area="notify",
                level=Severity.FAIL,
                message=f"{what}: {problem}",
                remedy="Check the address in [notify], and whether this machine reaches it.",
                exit_code=ExitCode.SERVER,
            )
        else:
            yield Finding(area="notify", level=Severity.OK, message=f"{what} was reached")


def _client_id(directory: Path) -> str:
    """Return the client identifier Plex knows; a damaged file is another check's finding."""
    try:
        return load_client_id(directory, create=False, new_id=lambda: str(uuid.uuid4()))
    except StateError:
        return UNREGISTERED_CLIENT_ID


def write_report(
    invocation: Invocation, findings: Sequence[Finding], file: Path, *, log: Path | None
) -> None:
    """Write what a bug report needs into a file that is not there yet.

    Raises:
        StateError: it cannot be written.
    """
    directory = state_directory(os.environ)
    try:
        config = load_config(invocation.config, os.environ, home=home_directory())
    except ConfigError:
        config = None
    parts: list[tuple[str, Iterable[str]]] = [
        ("versions", version_lines()),
        ("configuration", config_lines(config)),
        ("findings", finding_lines(findings)),
        ("memory", status_lines_of(lambda: read_status(directory, utc_now()))),
        ("log", log_lines(log)),
    ]
    with ExitStack() as stack:
        if config is not None and not any(one.exit_code for one in findings):
            patient = stack.enter_context(_patient(config, _client_id(directory)))
            sections, _ = check_libraries(patient)
            parts.append(("this Plex server", plex_fact_lines(patient, sections)))
        text = report_text(parts, invocation.secrets)
    with state_errors("create", file):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)


@contextmanager
def open_probe(invocation: Invocation, rating_key: RatingKey) -> Iterator[Probe]:
    """Yield a probe of one item of the configured Plex.

    Raises:
        ConfigError: the configuration is wrong.
        ServerError: Plex has no such item, or is away.
    """
    config = load_config(invocation.config, os.environ, home=home_directory())
    invocation.secrets += config_secrets(config)
    directory = state_directory(os.environ)
    with plex_transport(config, _client_id(directory), _hear_nothing, retry=_IMPATIENT) as plex:
        yield Probe(plex, rating_key, directory)


@contextmanager
def _patient(config: Config, client_id: str) -> Iterator[Patient]:
    with (
        stash_transport(config, _hear_nothing, retry=_IMPATIENT) as stash,
        plex_transport(config, client_id, _hear_nothing, retry=_IMPATIENT) as plex,
    ):
        yield Patient(
            config=config,
            stash=stash_client(config, stash),
            plex=PlexClient(plex, url=config.plex.url, client_id=client_id),
            stash_line=stash,
            plex_line=plex,
            cache=cache_directory(os.environ),
            now=utc_now(),
        )


def _examine_servers(config: Config, client_id: str) -> Iterator[Finding]:
    with _patient(config, client_id) as patient:
        about_stash = list(check_stash(patient))
        yield from about_stash
        about_plex = list(check_plex(patient))
        yield from about_plex
        if any(one.exit_code for one in about_plex):
            return
        sections, about_libraries = check_libraries(patient)
        yield from about_libraries
        if sections and not any(one.exit_code for one in about_stash):
            yield from check_paths(patient, sections)


def _hear_nothing(message: str) -> None:
    """Ignore a request that is tried again; the finding will say how it ended."""
