"""The ways to both servers, as the configuration has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.plex.connection import plex_headers
from plexsync.stash_client import StashClient, stash_headers
from plexsync.transport.client import RetryPolicy, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.config.schema import Config
    from plexsync.config.secrets import Secret
    from plexsync.transport.client import Repeat

DEFAULT_RETRY = RetryPolicy()
"""Patient enough for a server that restarts."""


def stash_transport(
    config: Config, warn: Callable[[str], None], *, retry: RetryPolicy = DEFAULT_RETRY
) -> Transport:
    """To the configured Stash, with its key in a header."""
    key = config.stash.api_key.reveal() if config.stash.api_key else ""
    return Transport(
        config.stash.url,
        name="Stash",
        headers=_revealed(config.stash.headers) | stash_headers(key),
        secrets=(key, *_revealed(config.stash.headers).values()),
        verify=config.stash.verify,
        proxy=config.stash.proxy,
        retry=retry,
        on_retry=lambda repeat: warn(repeat_sentence(repeat)),
    )


def stash_client(config: Config, transport: Transport) -> StashClient:
    """A client that asks Stash for as much as the configured fields need."""
    return StashClient(
        transport,
        url=config.stash.url,
        with_parent_tags=config.with_parent_tags,
        with_cast=config.with_cast,
        with_photos=config.with_photos,
    )


def plex_transport(
    config: Config,
    client_id: str,
    warn: Callable[[str], None],
    *,
    retry: RetryPolicy = DEFAULT_RETRY,
) -> Transport:
    """To the configured Plex, with its token in a header."""
    token = config.plex.token.reveal()
    return Transport(
        config.plex.url,
        name="Plex",
        headers=_revealed(config.plex.headers) | plex_headers(client_id, token),
        secrets=(token, *_revealed(config.plex.headers).values()),
        verify=config.plex.verify,
        proxy=config.plex.proxy,
        retry=retry,
        on_retry=lambda repeat: warn(repeat_sentence(repeat)),
    )


def _revealed(headers: Sequence[tuple[str, Secret]]) -> dict[str, str]:
    return {name: value.reveal() for name, value in headers}


def config_secrets(config: Config) -> list[str]:
    """What must appear in no output."""
    return [secret.reveal() for secret in config.secrets]


def repeat_sentence(repeat: Repeat) -> str:
    """That a request is about to be sent again, and why."""
    soon = "" if repeat.wait_s < 1 else f" in {repeat.wait_s:.0f} s"
    return f"{repeat.error.message}; trying again{soon}"
