"""What nearly every use case begins with: the configuration of a command, and both its servers."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from plexsync.config.loader import load_config
from plexsync.errors import StateError
from plexsync.plex.client import PlexClient
from plexsync.plex.connection import plex_headers
from plexsync.stash_client import StashClient, stash_headers
from plexsync.state import UNREGISTERED_CLIENT_ID, load_client_id
from plexsync.sync.stash_needs import wanted_of
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import Repeat, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.config.sections import PlexConfig, StashConfig
    from plexsync.output.console import Invocation

IMPATIENT = RetryPolicy(attempts=2, seconds=6.0, first_wait_s=0.2, max_wait_s=1.0)
"""A person waits, and can simply call again."""


class Servers(msgspec.Struct, frozen=True, kw_only=True):
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


def config_secrets(config: Config) -> list[str]:
    """Return what must appear in no output."""
    return [secret.reveal() for secret in config.secrets]


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
    key = config.stash.api_key.reveal() if config.stash.api_key else ""
    token = config.plex.token.reveal()

    line = partial(_line, retry=retry, on_retry=lambda repeat: warn(_repeat_sentence(repeat)))
    with (
        line(config.stash, "Stash", stash_headers(key), key) as stash,
        line(config.plex, "Plex", plex_headers(client_id, token), token) as plex,
    ):
        yield Servers(
            config=config,
            stash=StashClient(stash, url=config.stash.url, wanted=wanted_of(config)),
            plex=PlexClient(plex, url=config.plex.url),
            stash_line=stash,
            plex_line=plex,
        )


# ---- Private -------------------------------------------------------------------------------------


def _line(
    section: StashConfig | PlexConfig,
    name: str,
    headers: dict[str, str],
    secret: str,
    *,
    retry: RetryPolicy,
    on_retry: Callable[[Repeat], None],
) -> Transport:
    """Return the way to one server, with its key or token in a header."""
    own = {header: value.reveal() for header, value in section.headers}
    return Transport(
        section.url,
        name=name,
        headers=own | headers,
        secrets=(secret, *own.values()),
        verify=section.verify,
        proxy=section.proxy,
        retry=retry,
        on_retry=on_retry,
    )


def _repeat_sentence(repeat: Repeat) -> str:
    """Return that a request is about to be sent again, and why."""
    soon = "" if repeat.wait_s < 1 else f" in {repeat.wait_s:.0f} s"
    return f"{repeat.error.message}; trying again{soon}"
