"""How messages name a server, and the remedy for each failure with its configuration key."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from plexsync.errors import AuthError, NotFoundError, ServerError, TransientError, WebPageError

E = TypeVar("E", bound=ServerError)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, nothing else: no user, no path, no query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port else "")


def without_user(url: str) -> str:
    """Return an address fit to be shown: no user, no password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class Remedy(StrEnum):
    """What to do about a failure; what differs from server to server stands in braces."""

    UNREACHABLE = "is {name} running, and is {url} right?"
    EXPECTS_TLS = "set {url} to {tls}"
    SPEAKS_PLAIN = "set {url} to {plain}"
    UNTRUSTED = (
        "put the name the certificate is made for{plex_direct} into {url}, or the CA file to check "
        "it with into {verify}; {verify} = false checks nothing"
    )
    BROKEN_OFF = "it may have restarted, and the next run tries again; {or_else}"
    BUSY = (
        "the next run tries again; if it lasts, see the log of {name}, and of the proxy before it "
        "if {url} names one"
    )
    SLOW = "is it overloaded, or does {url} lead to something else?"
    WEB_PAGE = (
        "this may be the page of a proxy, or one to log in: {url} has to lead to {name} itself, "
        "with the sub-path if it has one; what a proxy asks for can go into {headers}"
    )
    PLEX_WEB_PAGE = "leave /web away: set {url} to {without_web}"
    NOTHING_THERE = (
        "it may have been deleted; if nothing else works either, a sub-path is missing in {url}, "
        "or one too many"
    )
    TOO_LARGE = (
        "{name} or a proxy before it refuses requests of this size (client_max_body_size in "
        "nginx), or one upload right after another; let it take more, or put the address of {name} "
        "itself into {url}"
    )
    TOO_LONG = (
        "let the proxy before {name} take longer requests (large_client_header_buffers in nginx), "
        "or put the address of {name} itself into {url}"
    )
    OTHER = (
        "check that {url} leads to {name} itself; if it does, see its log, and report what this "
        "message says"
    )


class ServerWords(msgspec.Struct, frozen=True):
    """One server in messages and hints.

    Args:
        name: "Stash" or "Plex".
        base_url: its address, in normal form, without a user.
        has_secret: whether a key or token is configured.
    """

    name: str
    base_url: str
    has_secret: bool

    @property
    def origin(self) -> str:
        """The address as messages show it."""
        return origin_of(self.base_url)

    def key(self, name: str) -> str:
        """Return a configuration key of this server."""
        return f"[{self.name.lower()}] {name}"

    def hint(self, remedy: Remedy) -> str:
        """Return what to do about a failure of this server."""
        url, tls = self.key("url"), self.origin.replace("http:", "https:", 1)
        speaks_plain = self.base_url.startswith("http:")
        return remedy.format(
            name=self.name,
            url=url,
            tls=tls,
            plain=self.origin.replace("https:", "http:", 1),
            plex_direct=" (for Plex its plex.direct address)" if self.name == "Plex" else "",
            verify=self.key("verify"),
            headers=self.key("headers"),
            or_else=f"if it expects TLS, set {url} to {tls}"
            if speaks_plain
            else f"else check {url}",
            without_web=self.base_url.removesuffix("/web"),
        )

    def error(self, kind: type[E], what: str, remedy: Remedy) -> E:
        """Return an error that says what this server does, and what to do about it."""
        return kind(f"{self.name} {what}", hint=self.hint(remedy))

    def remedy(self, error: ServerError) -> str:
        """Return what to do about `error` if it does not say so itself."""
        if isinstance(error, AuthError):
            return f"check {self.key('token' if self.name == 'Plex' else 'api_key')}"
        if isinstance(error, NotFoundError):
            return self.hint(Remedy.NOTHING_THERE)
        return self.hint(Remedy.BUSY if isinstance(error, TransientError) else Remedy.OTHER)

    def web_page(self) -> WebPageError:
        """Return the error for a web page that came instead of an answer."""
        path = urlsplit(self.base_url).path
        is_plex_web = self.name == "Plex" and path.endswith("/web")
        remedy = Remedy.PLEX_WEB_PAGE if is_plex_web else Remedy.WEB_PAGE
        message = f"a web page came instead of an answer of {self.name}"
        return WebPageError(message, hint=self.hint(remedy))

    def refused(self) -> AuthError:
        """401: the credentials are wrong, or there are none."""
        if self.name == "Plex":
            return AuthError(
                "Plex refuses the token",
                hint="take the token of the account that owns the server and put it into "
                "[plex] token; if it is that one, check that [plex] url leads to Plex",
            )
        if self.has_secret:
            return AuthError(
                f"{self.name} refuses the API key",
                hint="copy the key from Settings > Security again; a Stash without a login takes "
                "no key at all: remove [stash] api_key then; check that [stash] url leads to Stash",
            )
        return AuthError(
            f"{self.name} asks for an API key",
            hint="generate one under Settings > Security and put it into [stash] api_key",
        )

    def proxy_refused(self, status: int) -> AuthError:
        """401 or 407: a proxy wants credentials of its own."""
        return AuthError(
            f"a proxy before {self.name} asks for credentials ({status})",
            hint=f"put the header it asks for into {self.key('headers')}, like "
            '{ Authorization = "Basic ..." }, or an address that goes around it into '
            f"{self.key('url')}",
        )

    def forbidden(self, text: str) -> AuthError:
        """403: a right is missing, or Stash has locked itself."""
        if self.name == "Plex":
            return AuthError(
                "Plex says the token lacks the right to do this",
                hint="only the token of the account that owns the server may edit: put it into "
                "[plex] token",
            )
        return AuthError(
            f"{self.name} has shut itself off: {text or 'access is forbidden'}",
            hint="a Stash without a login locks itself when it is reached from a public address: "
            "set a user and password, see its log and config.yml; a key goes into [stash] api_key",
        )
