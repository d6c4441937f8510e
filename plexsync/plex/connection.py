"""The connection to a Plex server, as plexapi makes it over our transport.

Source: docs/plex-api.md 1.
"""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree.ElementTree import ParseError as XMLParseError

from plexsync import __version__
from plexsync.errors import BadResponseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plexsync.models import RatingKey
    from plexsync.transport.client import Transport

PRODUCT = "plexsync"

_ITEM = quote("/library/metadata/", safe="")
"""What stands before a rating key in the address of an item's page."""

_PREFIX = "PLEXAPI_"
"""What the environment variables plexapi reads begin with."""


def plex_headers(client_id: str, token: str = "") -> dict[str, str]:
    """Return the headers a Plex transport sends with every request.

    Args:
        client_id: our stable identifier; a new one on every run would fill the owner's list of
            devices (docs/plex-api.md 1).
        token: left out when empty, as for a server that trusts the network.
    """
    headers = {
        "X-Plex-Client-Identifier": client_id,
        "X-Plex-Product": PRODUCT,
        "X-Plex-Version": __version__,
        "X-Plex-Device-Name": PRODUCT,
        "X-Plex-Platform": platform.system(),
    }
    return headers | ({"X-Plex-Token": token} if token else {})


def item_address(url: str, machine: str, rating_key: RatingKey) -> str:
    """Where a person sees an item in the server's own web app."""
    # A rating key is digits, which need no quoting.
    key = rating_key if rating_key.isdecimal() else quote(rating_key, safe="")
    return f"{url}/web/index.html#!/server/{machine}/details?key={_ITEM}{key}"


def connected(transport: Transport, client_id: str) -> Any:  # noqa: ANN401 - plexapi is untyped
    """Return a `PlexServer` over our transport. The token is added there; plexapi never sees it."""
    with plexapi_imported(plex_headers(client_id)), plexapi_errors("/"):
        from plexapi.server import PlexServer  # noqa: PLC0415 - late, see `plexapi_imported`

        session = transport.plexapi_session()
        server = PlexServer(transport.base_url, session=session)  # type: ignore[no-untyped-call]  # plexapi has no types
    if not getattr(server, "machineIdentifier", None):
        # Any XML with status 200 makes a "valid" server in plexapi (docs/plex-api.md 1).
        raise BadResponseError(
            "what answers does not introduce itself as a Plex Media Server",
            context="/",
            hint="check [plex] url",
        )
    return server


@contextmanager
def plexapi_imported(headers: Mapping[str, str]) -> Iterator[None]:
    """Make plexapi ready for this block: imported late, with these headers, without settings.

    Args:
        headers: those it sends by itself.
    """
    with _plain_environment():
        import plexapi  # noqa: PLC0415 - 0.2 s, and it must be read inside a plain environment

        # If somebody imported plexapi before us, it has read a configuration file.
        plexapi.CONFIG.data.clear()
        plexapi.BASE_HEADERS.clear()
        plexapi.BASE_HEADERS.update(headers)
        yield


@contextmanager
def _plain_environment() -> Iterator[None]:
    """Hide every setting plexapi would take from the environment or the home directory.

    It reads `PLEXAPI_*` and a configuration file when it is imported and again when a server is
    made: a leftover file could open a log file, put the token into addresses, or name another
    token. The variables are back when the block ends.
    """
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_PREFIX)}
    os.environ[f"{_PREFIX}CONFIG_PATH"] = os.devnull
    try:
        yield
    finally:
        del os.environ[f"{_PREFIX}CONFIG_PATH"]
        os.environ.update(hidden)


@contextmanager
def plexapi_errors(place: str) -> Iterator[None]:
    """Turn what plexapi makes of an unreadable answer into our words.

    Failed requests do not come by here: the transport raises for them below plexapi.
    """
    from plexapi.exceptions import PlexApiException  # noqa: PLC0415 - late, as plexapi itself

    try:
        yield
    except (PlexApiException, XMLParseError, ValueError) as error:
        raise BadResponseError(
            "Plex sent something else than the XML asked for",
            context=place,
            hint="check that [plex] url leads to Plex itself, not to another service",
        ) from error
