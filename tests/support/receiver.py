"""A local HTTP server that keeps what it is sent: a health check and a target of messages."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    body: str


@dataclass
class Receiver:
    """Answers every POST with `status`, and keeps it."""

    status: int = 200
    requests: list[Received] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.requests.append(Received(self.path, body.decode()))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def settings(self, **more: str) -> dict[str, str]:
        """The configuration that has a run report here, with a secret in each address."""
        return {
            "NOTIFY__PING": f"http://{self.address}/canary-ping",
            "NOTIFY__URLS": f"json://{self.address}/canary-url",
            **more,
        }

    def pings(self) -> list[str]:
        """What came after the health check's address, in order: "/start", "", "/4"."""
        found = [one.path for one in self.requests if one.path.startswith("/canary-ping")]
        return [path.removeprefix("/canary-ping") for path in found]

    def log(self) -> str:
        """The body of the last call of the health check."""
        return [one.body for one in self.requests if one.path.startswith("/canary-ping")][-1]

    def messages(self) -> list[dict[str, str]]:
        """The messages, in order, as apprise writes them."""
        return [json.loads(one.body) for one in self.requests if one.path.startswith("/canary-url")]

    def titles(self) -> list[str]:
        """The titles of the messages, without the program's name."""
        return [one["title"].removeprefix("plexsync: ") for one in self.messages()]
