"""What nearly every use case begins with: the configuration of a command, and both its servers."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.config.loader import load_config
from plexsync.errors import StateError
from plexsync.plex.client import PlexClient
from plexsync.state import UNREGISTERED_CLIENT_ID, load_client_id
from plexsync.sync.connections import config_secrets, plex_transport, stash_client, stash_transport
from plexsync.transport.outgoing import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.output.console import Invocation
    from plexsync.stash_client import StashClient
    from plexsync.transport.client import Transport

IMPATIENT = RetryPolicy(attempts=2, seconds=6.0, first_wait_s=0.2, max_wait_s=1.0)
"""A person waits, and can simply call again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Both servers of a configuration.

    Args:
        config: which they are.
        stash: a client of Stash.
        plex: a client of Plex.
        stash_line: below it.
        plex_line: below it.
    """

    config: Config
    stash: StashClient
    plex: PlexClient
    stash_line: Transport
    plex_line: Transport


def command_config(invocation: Invocation) -> Config:
    """Return the configuration a command works with; none of its secrets is shown from then on.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    config = load_config(invocation.config, os.environ)
    invocation.secrets += config_secrets(config)
    return config


def known_client_id(directory: Path) -> str:
    """Return the client identifier Plex knows; a damaged file is another check's finding."""
    try:
        return load_client_id(directory, create=False)
    except StateError:
        return UNREGISTERED_CLIENT_ID


@contextmanager
def open_servers(
    config: Config,
    client_id: str,
    *,
    warn: Callable[[str], None] = lambda _: None,
    retry: RetryPolicy = IMPATIENT,
) -> Iterator[Servers]:
    """Yield clients of both servers; nothing is asked yet.

    Args:
        config: which servers.
        client_id: what Plex knows us by.
        warn: takes a sentence about every request that is tried again.
        retry: how patient to be.
    """
    with (
        stash_transport(config, warn, retry=retry) as stash,
        plex_transport(config, client_id, warn, retry=retry) as plex,
    ):
        yield Servers(
            config=config,
            stash=stash_client(config, stash),
            plex=PlexClient(plex, url=config.plex.url),
            stash_line=stash,
            plex_line=plex,
        )
