"""What a person may have meant by an address they typed, likeliest first."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from plexsync.errors import ParseError

_TOKEN_ALONE = re.compile(r"[A-Za-z0-9_-]{16,}|[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]+")
"""A Plex token has 20 letters, Stash's key is a JWT; a name of a machine is rarely that long."""

_PAGES = re.compile(
    r"/(?:web|desktop|identity|library|graphql|playground|login|logout|setup|settings|stats|scenes"
    r"|images|groups|movies|galleries|performers|studios|tags)(?:[/?#].*)?$",
    re.IGNORECASE,
)
"""Pages of the two servers' own web apps: what stands before one is the server."""

_LEAST_SECRET = 8
_SECRETS_IN_ADDRESS = frozenset({"x-plex-token", "apikey", "api_key", "token"})


def is_secret(typed: str) -> bool:
    """Whether what was typed is a token or key rather than an address."""
    word = typed.strip()
    # Words joined by hyphens are the name of a machine; chance makes no such token.
    plain = word.isascii() and word.replace("-", "").isalpha() and word.islower()
    return bool(_TOKEN_ALONE.fullmatch(word)) and not plain


def secrets_in(typed: str) -> tuple[str, ...]:
    """Return tokens and keys that were copied along with an address."""
    try:
        pairs = parse_qsl(typed.partition("?")[2].replace("#", "&").replace("?", "&"))
    except ValueError:
        return ()
    found = (value for name, value in pairs if name.lower() in _SECRETS_IN_ADDRESS)
    # Hiding a few letters wherever they stand would make output unreadable, and hide nothing.
    return tuple(value for value in found if len(value) >= _LEAST_SECRET)


def likely_addresses(typed: str, usual_port: int) -> tuple[str, ...]:
    """Return the addresses that may be meant, in the order in which they are worth trying.

    Args:
        typed: with or without http://, with a page of the web app, a query or quotes around it.
        usual_port: the server's own, tried where none was typed.

    Raises:
        ParseError: nothing of it is an address.
    """
    text = typed.strip().strip("<>\"'").strip()
    if is_secret(text):
        raise ParseError(
            "that looks like a token or key, not like an address",
            hint="Write where the server is, as http://host:port; the token is asked for next.",
        )
    scheme, separator, rest = text.rpartition("://")
    rest = _PAGES.sub("", re.split(r"[?#]", rest, maxsplit=1)[0]).rstrip("/")
    if not rest or (separator and scheme.lower() not in {"http", "https"}):
        raise ParseError("must start with http:// or https://", hint='Write "http://host:port".')
    return tuple(dict.fromkeys(_candidates(scheme.lower(), rest, usual_port)))


def _candidates(scheme: str, rest: str, usual_port: int) -> list[str]:
    first = scheme or "http"
    other = {"http": "https", "https": "http"}[first]
    found = [f"{first}://{rest}"]
    if not _has_port(rest):
        host, slash, path = rest.partition("/")
        with_port = f"{first}://{host}:{usual_port}{slash}{path}"
        # A bare name is a machine at home; a scheme was copied from a browser that got there.
        found = [*found, with_port] if scheme else [with_port, *found]
    return [*found, f"{other}://{rest}"]


def _has_port(rest: str) -> bool:
    try:
        return urlsplit(f"//{rest}").port is not None
    except ValueError:
        return True  # an impossible one, which is for the person to see
