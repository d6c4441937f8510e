"""What an address, a certificate file and a header must be before anything is sent with them."""

from __future__ import annotations

import base64
import ipaddress
import ssl
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import requests
import requests.utils
import urllib3
import urllib3.exceptions

from plexsync.errors import ConfigError
from plexsync.text.templates import address_parts
from plexsync.transport.wording import origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLEX_WEB_APPS = frozenset({"app.plex.tv", "plex.tv", "www.plex.tv", "watch.plex.tv"})


def checked_url(url: str, name: str) -> str:
    """Return the base URL in normal form, without a trailing slash.

    Raises:
        ConfigError: it is no address of a server.
    """
    key = f"[{name.lower()}] url"
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url.strip(), None)
        parts = urlsplit(prepared.url or "")
        port_is_valid = parts.port is None or parts.port > 0
    except (requests.RequestException, ValueError):
        parts, port_is_valid = urlsplit(""), False
    if parts.hostname in _PLEX_WEB_APPS:
        raise ConfigError(
            f"{parts.hostname} is Plex's own web app, not your server",
            context=key,
            hint="write the address of the machine Plex runs on, like http://192.168.1.10:32400",
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_valid:
        raise ConfigError(
            "this is no address of a server",
            context=key,
            hint="write it like http://localhost:1234, with http:// or https:// in front",
        )
    if parts.query or parts.fragment:
        path = parts.path.partition("/web/")[0].rstrip("/")  # the web app's pages are no part of it
        raise ConfigError(
            "an address ends before ? and #",
            context=key,
            hint=f"write {origin_of(prepared.url or '')}{path}",
        )
    return parts.geturl().rstrip("/")


def checked_verify(verify: bool | str, name: str) -> bool | str:  # noqa: FBT001 - as requests has it
    """`verify`, if a CA file it names can be used.

    Raises:
        ConfigError: it cannot.
    """
    if verify is False:
        # Whoever switched it off knows; a warning a request helps nobody.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if isinstance(verify, str):
        try:
            ssl.create_default_context(cafile=verify)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the CA file {verify} cannot be used: {error}",
                context=f"[{name.lower()}] verify",
                hint="name a readable file of certificates in PEM, or write true for those of the "
                "system",
            ) from error
    return verify


def checked_headers(headers: Mapping[str, str], name: str) -> dict[str, str]:
    """`headers`, if each may hold its value.

    Raises:
        ConfigError: one may not; its value is not repeated.
    """
    for header, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise ConfigError(
                f"the value for the header {header} holds characters no header may hold",
                context=f"[{name.lower()}]",
                hint="was the key or token copied with something around it?",
            )
    return dict(headers)


def checked_proxies(base_url: str, name: str) -> dict[str, str]:
    """Return the proxies the environment names for an address, by scheme, as requests has them.

    Raises:
        ConfigError: one is no address of a proxy.
    """
    found = requests.utils.get_environ_proxies(base_url)
    scheme = urlsplit(base_url).scheme
    used = found.get(scheme) or found.get("all")
    if not used:
        return {}
    parts = address_parts(used if "://" in used else f"http://{used}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            f"the environment names a proxy plexsync cannot use: {parts.scheme}://",
            context=f"[{name.lower()}] proxy",
            hint="set HTTPS_PROXY or HTTP_PROXY to an address like http://proxy.example:3128, or "
            f"[{name.lower()}] proxy to false",
        )
    return {scheme: parts.geturl()}


def url_secrets(url: str) -> tuple[str, ...]:
    """Return the password in an address, and the header it is sent as."""
    parts = urlsplit(url)
    if not parts.password:
        return ()
    user, password = unquote(parts.username or ""), unquote(parts.password)
    return password, base64.b64encode(f"{user}:{password}".encode()).decode()


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine, where compressing costs more than it saves."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
