"""How messages name a server, and the remedy for each failure with its configuration key."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from plexsync.errors import AuthError, NotFoundError, ServerError, TransientError


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, nothing else: no user, no path, no query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port else "")


class ServerWords(msgspec.Struct, frozen=True):
    """One server in messages and hints.

    Args:
        name: "Stash" or "Plex".
        base_url: its address, in normal form.
        has_secret: whether a key or token is configured.
    """

    name: str
    base_url: str
    has_secret: bool

    @property
    def origin(self) -> str:
        """The address as messages show it."""
        return origin_of(self.base_url)

    @property
    def url_key(self) -> str:
        """The configuration key that holds the address."""
        return self.key("url")

    def key(self, name: str) -> str:
        """Return a configuration key of this server."""
        return f"[{self.name.lower()}] {name}"

    @property
    def reachable_hint(self) -> str:
        """What to look at when no connection comes about."""
        return f"is {self.name} running, and is {self.url_key} right?"

    @property
    def tls_hint(self) -> str:
        """What to do when plain HTTP meets TLS."""
        return f"set {self.url_key} to {self.origin.replace('http:', 'https:', 1)}"

    @property
    def plain_hint(self) -> str:
        """What to do when TLS meets plain HTTP."""
        return f"set {self.url_key} to {self.origin.replace('https:', 'http:', 1)}"

    @property
    def certificate_hint(self) -> str:
        """What to do about a certificate that cannot be trusted."""
        made_for = " (for Plex its plex.direct address)" if self.name == "Plex" else ""
        return (
            f"put the name the certificate is made for{made_for} into {self.url_key}, or the CA "
            f"file to check it with into {self.key('verify')}; {self.key('verify')} = false checks "
            "nothing"
        )

    @property
    def broken_off_hint(self) -> str:
        """What to do when connections end without an answer."""
        if self.base_url.startswith("http:"):
            return (
                f"it may have restarted, and the next run tries again; if it expects TLS, "
                f"{self.tls_hint}"
            )
        return f"it may have restarted, and the next run tries again; else check {self.url_key}"

    @property
    def busy_hint(self) -> str:
        """What to do about a server that fails for the moment."""
        return (
            f"the next run tries again; if it lasts, see the log of {self.name}, and of the proxy "
            f"before it if {self.url_key} names one"
        )

    @property
    def slow_hint(self) -> str:
        """What to do about a server that does not answer in time."""
        return f"is it overloaded, or does {self.url_key} lead to something else?"

    @property
    def web_page_hint(self) -> str:
        """What to do when a web page comes instead of an answer."""
        path = urlsplit(self.base_url).path
        if self.name == "Plex" and path.rstrip("/").endswith("/web"):
            return f"leave /web away: set {self.url_key} to {self.base_url.removesuffix('/web')}"
        return (
            f"this may be the page of a proxy, or one to log in: {self.url_key} has to lead to "
            f"{self.name} itself, with the sub-path if it has one; what a proxy asks for can go "
            f"into {self.key('headers')}"
        )

    @property
    def sub_path_hint(self) -> str:
        """What to do when nothing is there."""
        return (
            f"it may have been deleted; if nothing else works either, a sub-path is missing in "
            f"{self.url_key}, or one too many"
        )

    @property
    def upload_hint(self) -> str:
        """What to do when a request is too large."""
        return (
            f"{self.name} or a proxy before it refuses requests of this size "
            "(client_max_body_size in nginx), or one upload right after another; let it take more, "
            f"or put the address of {self.name} itself into {self.url_key}"
        )

    @property
    def long_address_hint(self) -> str:
        """What to do when an address is too long."""
        return (
            f"let the proxy before {self.name} take longer requests (large_client_header_buffers "
            f"in nginx), or put the address of {self.name} itself into {self.url_key}"
        )

    def remedy(self, error: ServerError) -> str:
        """Return what to do about `error` if it does not say so itself."""
        if isinstance(error, AuthError):
            return f"check {self.key('token' if self.name == 'Plex' else 'api_key')}"
        if isinstance(error, NotFoundError):
            return self.sub_path_hint
        if isinstance(error, TransientError):
            return self.busy_hint
        return (
            f"check that {self.url_key} leads to {self.name} itself; if it does, see its log, and "
            "report what this message says"
        )

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
            f"{self.url_key}",
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
