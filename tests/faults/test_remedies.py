"""What a person reads when an address, a proxy or this machine is at fault: a key to set."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from requests.adapters import HTTPAdapter

from plexsync.errors import (
    LOCAL_LIMITS,
    AuthError,
    BadResponseError,
    ConfigError,
    ExitCode,
    LocalLimitError,
    ServerError,
    TransientError,
)
from plexsync.simulators.http.wire import ErrorStatus, Redirect, html
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import AnswerLimits, Timing
from plexsync.transport.responses import SlowError
from tests.faults.test_sockets import WHOLE, raw_server
from tests.support.transport_bench import ONCE, Clock, transport_bench

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from plexsync.simulators.http.wire import Effect

NAMES = ["Stash", "Plex"]


def failure_at(url: str, name: str) -> ServerError:
    """What one request to an address ends with."""
    transport = Transport(url, name=name, headers={}, secrets=(), retry=ONCE, timeout_s=5.0)
    with transport, pytest.raises(ServerError) as caught:
        transport.request("GET", "/")
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_https_to_plain_http_names_the_address_to_set(name: str) -> None:
    """The usual slip, in the words of either server."""
    with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        hint = failure_at(url.replace("http:", "https:"), name).hint
        assert hint == f"set [{name.lower()}] url to {url}"


@pytest.mark.parametrize("name", NAMES)
def test_plain_http_to_tls_names_the_address_to_set(name: str) -> None:
    """A server that only speaks TLS breaks off; the hint says what it may expect."""
    with raw_server(WHOLE, tls=True) as url:
        plain = url.replace("https:", "http:")
        assert f"set [{name.lower()}] url to {url}" in failure_at(plain, name).hint


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_nobody_trusts_names_verify(name: str) -> None:
    """The CA file has a key of its own, in the section of the server."""
    with raw_server(WHOLE, tls=True) as url:
        assert f"[{name.lower()}] verify" in failure_at(url, name).hint


SAID_IN_PLAIN = [
    b"Client sent an HTTP request to an HTTPS server.\n",
    b"<html><h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port</html>",
]

BASIC = (("WWW-Authenticate", 'Basic realm="home"'),)

REMEDIES: Mapping[str, tuple[Effect, type[ServerError], str]] = {
    "go says TLS": (ErrorStatus(400, SAID_IN_PLAIN[0]), BadResponseError, "{section} url to https"),
    "nginx says TLS": (
        ErrorStatus(400, SAID_IN_PLAIN[1]),
        BadResponseError,
        "{section} url to https",
    ),
    "basic auth": (ErrorStatus(401, b"", BASIC), AuthError, "{section} headers"),
    "proxy auth": (ErrorStatus(407), AuthError, "{section} headers"),
    "413": (ErrorStatus(413), BadResponseError, "client_max_body_size"),
    "414": (ErrorStatus(414), BadResponseError, "large_client_header_buffers"),
    "404": (ErrorStatus(404), ServerError, "sub-path is missing in {section} url"),
    "418": (ErrorStatus(418), BadResponseError, "{section} url"),
    "503": (ErrorStatus(503), TransientError, "the next run tries again"),
    "redirect": (Redirect("https://elsewhere.example/x"), BadResponseError, "{section} url"),
    "login page": (html(), BadResponseError, "{section} headers"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", REMEDIES)
def test_every_answer_that_is_an_error_has_its_remedy(case: str, name: str) -> None:
    """Each names the configuration key, or the setting of the proxy, that helps."""
    effect, kind, words = REMEDIES[case]
    with transport_bench(effect, name=name) as bench:
        with pytest.raises(kind) as caught:
            bench.transport.request("GET", "/")
        section = f"[{name.lower()}]"
        assert words.format(section=section) in caught.value.hint
        assert section in caught.value.hint or name in caught.value.hint


def test_a_web_address_is_no_address_of_the_server() -> None:
    """What a browser shows for Plex is a page of it: the hint leaves the page away."""
    with transport_bench(html(), name="Plex") as bench:
        url = bench.server.url
        assert failure_at(f"{url}/web", "Plex").hint == f"leave /web away: set [plex] url to {url}"
    with pytest.raises(ConfigError) as caught:
        Transport(f"{url}/web/index.html#!/server/x", name="Plex", headers={}, secrets=())
    assert caught.value.hint == f"write {url}"


@pytest.mark.parametrize(
    "url", ["https://app.plex.tv/desktop", "https://plex.tv", "http://app.plex.tv"]
)
def test_the_web_app_of_plex_is_not_a_server(url: str) -> None:
    """It is known before anything is sent to it."""
    with pytest.raises(ConfigError, match="web app") as caught:
        Transport(url, name="Plex", headers={}, secrets=())
    assert caught.value.context == "[plex] url"
    assert "32400" in caught.value.hint


# ---- this machine --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", sorted(LOCAL_LIMITS), ids=errno.errorcode.get)
def test_what_this_machine_lacks_is_no_fault_of_a_server(number: int) -> None:
    """No open files or memory left: exit code 9, and not a word about the server."""

    class Exhausted(HTTPAdapter):
        """Nothing can be opened."""

        def send(self, *_: object, **__: object) -> requests.Response:
            """Fail as the operating system does."""
            raise OSError(number, "exhausted")

    transport = Transport(
        "http://localhost:1", name="Plex", headers={}, secrets=(), adapter=Exhausted()
    )
    with pytest.raises(LocalLimitError, match="this machine") as caught:
        transport.request("GET", "/")
    assert caught.value.exit_code is ExitCode.LOCAL_FILES
    assert "ulimit -n" in caught.value.hint
    assert not transport.down


# ---- proxies -------------------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_used_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `proxy` the request goes to the proxy, whole address and all."""
    with transport_bench(body=b'{"by": "proxy"}') as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.server.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        transport = Transport(
            "http://stash.invalid:9999", name="Stash", headers={}, secrets=(), proxy=True
        )
        with transport:
            assert transport.request("GET", "/x").body == b'{"by": "proxy"}'
        assert proxy.simulator.asked[0].target == "http://stash.invalid:9999/x"


def test_a_proxy_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent."""
    monkeypatch.setenv("HTTP_PROXY", "http://[no address")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(ConfigError, match="names a proxy"):
        Transport("http://stash.invalid", name="Stash", headers={}, secrets=(), proxy=True)


def test_a_proxy_that_hangs_ends_at_the_deadline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of an answer hold on the way through a proxy."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000
    clock = Clock()
    with raw_server(answer, drip_from=45, clock=clock) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        transport = Transport(
            "http://stash.invalid",
            name="Stash",
            headers={},
            secrets=(),
            retry=ONCE,
            proxy=True,
            limits=AnswerLimits(60, 1 << 20),
            timing=Timing(monotonic=clock.monotonic),
        )
        with transport, pytest.raises(SlowError):
            transport.request("GET", "/x")


def test_a_proxy_that_is_none_is_reported_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The key that asks for it is named."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://localhost:1080")
    with pytest.raises(ConfigError) as caught:
        Transport("https://plex.invalid", name="Plex", headers={}, secrets=(), proxy=True)
    assert caught.value.context == "[plex] proxy"


# ---- time and size by kind -----------------------------------------------------------------------


class Slow(HTTPAdapter):
    """An adapter on which every answer takes as long as it is given, and then fails."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.sent = clock, 0

    def send(self, *_: object, **__: object) -> requests.Response:
        """Say nothing for half a minute."""
        self.sent += 1
        self.clock.now_s += 30
        raise TimeoutError


def test_edits_without_an_answer_end_within_two_minutes() -> None:
    """Two edits, two tries each: then the server counts as down and no third edit is sent."""
    clock = Clock()
    adapter = Slow(clock)
    transport = Transport(
        "http://localhost:1",
        name="Plex",
        headers={},
        secrets=(),
        adapter=adapter,
        timing=Timing(clock.sleep, clock.monotonic, random=lambda: 1.0),
    )
    answered_once(transport)
    begun_s = clock.now_s
    for _ in range(3):
        with pytest.raises(TransientError):
            transport.request("PUT", "/", write=True)
    assert transport.down
    assert adapter.sent == 4
    assert clock.now_s - begun_s <= 125


def answered_once(transport: Transport) -> None:
    """Make it a server that is known to live."""
    transport._breaker.answered()  # noqa: SLF001 - no answer can come through this adapter


def test_the_answer_to_an_edit_is_small() -> None:
    """64 KB are more than any; a page may be larger."""
    with transport_bench(body=b"x" * 70_000) as bench:
        assert len(bench.transport.request("GET", "/").body) == 70_000
        with pytest.raises(BadResponseError, match="larger than 65536"):
            bench.transport.request("PUT", "/", write=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_at_most_32_mb(name: str) -> None:
    """What announces more is not read."""
    body = b"x" * ((32 << 20) + 1)
    with (
        transport_bench(body=body, name=name, max_bytes=256 << 20) as bench,
        pytest.raises(BadResponseError, match="larger than"),
    ):
        bench.transport.request("GET", "/")
