"""Who greets a Plex server, what it answers, and plexapi made ready where it signs in.

Source: docs/plex-api.md 1.
"""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from plexsync import __version__
from plexsync.errors import BadResponseError
from plexsync.models import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

    from plexsync.models import RatingKey
    from plexsync.transport.responses import HttpResponse

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


def introduction(answer: HttpResponse, url: str) -> Server:
    """Return the server that an answer to a greeting introduces.

    Args:
        answer: what came for `/`.
        url: the server's address.

    Raises:
        BadResponseError: what answers is no Plex Media Server.
    """
    container = read_xml(answer)
    machine, version = container.get("machineIdentifier"), container.get("version")
    if not machine or not version:  # any service may answer with some XML and status 200
        raise BadResponseError(
            "what answers does not introduce itself as a Plex Media Server",
            context="/",
            hint="check [plex] url",
        )
    return Server(url=url, version=version, identity=machine)


def read_xml(answer: HttpResponse) -> Element:
    """Return the container an answer holds.

    Raises:
        BadResponseError: it is no XML.
    """
    from xml.etree.ElementTree import ParseError, fromstring  # noqa: PLC0415 - late, as plexapi

    try:
        return fromstring(answer.body)  # noqa: S314 - expat limits what entities become
    except (ParseError, ValueError) as error:
        raise BadResponseError(
            "Plex sent something else than the XML asked for",
            hint="check that [plex] url leads to Plex itself, not to another service",
        ) from error


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
