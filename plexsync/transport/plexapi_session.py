"""What plexapi holds for a requests session, and for a response.

Source: plexapi 4.18.3, `PlexServer.query`.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import requests
import requests.utils

from plexsync.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.transport.responses import HttpResponse


class PlexapiSession(requests.Session):
    """A session that only prepares requests; `send` takes them from there."""

    def __init__(self, take: Callable[[requests.PreparedRequest], requests.Response]) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self.failure: ServerError | None = None
        """The last request's error: where plexapi catches everything, it is still to be had."""
        self._take = take

    def send(self, request: requests.PreparedRequest, **_kwargs: Any) -> requests.Response:  # noqa: ANN401 - the signature of requests
        """Send through the transport; requests' own rules (`_kwargs`) do not apply."""
        self.failure = None
        try:
            return self._take(request)
        except ServerError as error:
            self.failure = error
            raise


def as_response(answer: HttpResponse, prepared: requests.PreparedRequest) -> requests.Response:
    """Return a finished answer in the shape plexapi expects."""
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response.raw = io.BytesIO(answer.body)
    response.request = prepared
    response.url = prepared.url or ""
    # requests takes text without a charset for Latin-1; Plex writes UTF-8 (docs/plex-api.md 1).
    named = requests.utils.get_encoding_from_headers(response.headers)
    response.encoding = named if "charset" in answer.headers.get("Content-Type", "") else "utf-8"
    return response
