"""Puts a check-up together by hand: configuration, transports, clients, in the order of a run."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from plexsync.app.doctor import (
    Patient,
    check_config,
    check_libraries,
    check_paths,
    check_plex,
    check_stash,
    check_state,
    failed,
)
from plexsync.config.loader import load_config
from plexsync.errors import ConfigError, StateError
from plexsync.output.failures import utc_now
from plexsync.plex.client import PlexClient
from plexsync.stash_client import StashClient
from plexsync.state import (
    UNREGISTERED_CLIENT_ID,
    cache_directory,
    load_client_id,
    state_directory,
)
from plexsync.sync.connections import config_secrets, plex_transport, stash_transport
from plexsync.transport.client import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.app.doctor import Finding
    from plexsync.config.schema import Config
    from plexsync.output.console import Invocation

_IMPATIENT = RetryPolicy(attempts=2, seconds=6.0, first_wait_s=0.2, max_wait_s=1.0)
"""A person waits, and can simply call again."""


def examine(invocation: Invocation) -> Iterator[Finding]:
    """Every finding, as it is made. What went wrong is one of them, not an exception."""
    directory = state_directory(os.environ)
    try:
        config = load_config(invocation.config, os.environ, home=Path.home())
    except ConfigError as error:
        yield failed("configuration", error)
        yield from check_state(directory)
        return
    invocation.secrets += config_secrets(config)
    yield from check_config(config)
    yield from check_state(directory)
    yield from _examine_servers(config, _client_id(directory))


def _client_id(directory: Path) -> str:
    """Return the client identifier Plex knows; a damaged file is another check's finding."""
    try:
        return load_client_id(directory, create=False, new_id=lambda: str(uuid.uuid4()))
    except StateError:
        return UNREGISTERED_CLIENT_ID


def _examine_servers(config: Config, client_id: str) -> Iterator[Finding]:
    with (
        stash_transport(config, _hear_nothing, retry=_IMPATIENT) as stash,
        plex_transport(config, client_id, _hear_nothing, retry=_IMPATIENT) as plex,
    ):
        patient = Patient(
            config=config,
            stash=StashClient(stash, url=config.stash.url),
            plex=PlexClient(plex, url=config.plex.url, client_id=client_id),
            stash_line=stash,
            plex_line=plex,
            cache=cache_directory(os.environ),
            now=utc_now(),
        )
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
    """A request that is tried again; the finding will say how it ended."""
