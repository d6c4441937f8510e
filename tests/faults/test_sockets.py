"""The transport on sockets no well-behaved server has: drips, half answers, and TLS."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import BadResponseError, ConfigError, TransientError
from plexsync.simulators.http.wire import Drip, Fault, Faults, SimAdapter, SimResponse, Wired
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import AnswerLimits, Timing
from plexsync.transport.responses import SlowError
from tests.support.transport_bench import JSON, ONCE, Clock, Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Key and self-signed certificate for localhost, made for these tests and trusted by nobody."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\n{}"

PATIENT_S = 60.0
"""More than any machine needs, however busy: no test ends by it but those that move the clock."""

DRIP_S = 10.0
"""What a byte of a drip takes on the clock of a test."""


@contextmanager
def raw_server(
    answer: bytes,
    *,
    drip_from: int | None = None,
    clock: Clock | None = None,
    then_hang: bool = False,
    tls: bool = False,
) -> Iterator[str]:
    """A server for one connection: it reads once and sends `answer`, byte by byte from an offset.

    Before each byte of a drip `clock` moves by `DRIP_S`. `then_hang` keeps the connection open and
    silent afterwards.

    Yields:
        Its base URL.
    """
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    at_once = answer if drip_from is None else answer[:drip_from]

    def converse() -> None:
        with suppress(OSError):
            talk, _ = listener.accept()
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(CERTIFICATE)
                talk = context.wrap_socket(talk, server_side=True)
            with talk:
                talk.recv(65536)
                talk.sendall(at_once)
                for byte in answer[len(at_once) :]:
                    if ended.wait(0.02):
                        return
                    if clock is not None:
                        clock.now_s += DRIP_S
                    talk.sendall(bytes([byte]))
                if then_hang:
                    ended.wait()

    thread = threading.Thread(target=converse, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.close()
        thread.join()


def make_transport(
    url: str,
    *,
    clock: Clock | None = None,
    deadline_s: float = PATIENT_S,
    verify: bool | str = True,
) -> Transport:
    """A transport without retries."""
    return Transport(
        url,
        name="Plex",
        headers={},
        secrets=(),
        retry=ONCE,
        timeout_s=PATIENT_S,
        limits=AnswerLimits(deadline_s, 1 << 20),
        verify=verify,
        timing=Timing(monotonic=time.monotonic if clock is None else clock.monotonic),
    )


@pytest.mark.parametrize(
    ("answer", "drip_from"),
    [
        (WHOLE + b"x" * 2000, 0),
        (HEAD + b"X-Long: " + b"x" * 2000 + b"\r\n\r\n", len(HEAD) + 8),
        (HEAD + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000, len(HEAD) + 30),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 2000, len(HEAD) + 30),
        (HEAD + b"\r\n" + b"x" * 2000, len(HEAD) + 2),
    ],
    ids=["status line", "header", "body", "chunk size", "body without length"],
)
def test_a_drip_ends_at_the_deadline(answer: bytes, drip_from: int) -> None:
    """However long each byte keeps the line alive, the answer as a whole has its time."""
    clock = Clock()
    with (
        raw_server(answer, drip_from=drip_from, clock=clock) as url,
        make_transport(url, clock=clock) as transport,
        pytest.raises(SlowError, match=r"took longer than 60 s"),
    ):
        transport.request("GET", "/")
    assert clock.now_s < 2000 * DRIP_S, "it was read to its end"


def test_silence_after_a_start_ends_at_the_deadline() -> None:
    """The last wait is only as long as what is left, whatever the timeout allows."""
    answer = HEAD + b"Content-Length: 2000\r\n\r\n" + b"x" * 30
    began = time.monotonic()
    with (
        raw_server(answer, then_hang=True) as url,
        make_transport(url, deadline_s=0.25) as transport,
        pytest.raises(SlowError),
    ):
        transport.request("GET", "/")
    assert time.monotonic() - began < PATIENT_S


def test_a_drip_that_ends_in_time_is_an_answer() -> None:
    """Slow is not wrong: only the deadline decides."""
    clock = Clock()
    with (
        raw_server(WHOLE, drip_from=len(WHOLE) - 3, clock=clock) as url,
        make_transport(url, clock=clock) as transport,
    ):
        assert transport.request("GET", "/").body == b"{}"


def test_the_deadline_holds_on_the_simulated_wire_too() -> None:
    """The simulators' drip is cut off as well."""
    clock = Clock()
    body = SimResponse(200, JSON, b"x" * 500)
    wired = Wired(Scripted(body), Faults(Fault(None, 1, Drip(1, DRIP_S))))
    transport = Transport(
        "http://sim",
        name="Plex",
        headers={},
        secrets=(),
        retry=ONCE,
        limits=AnswerLimits(PATIENT_S, 1 << 20),
        timing=Timing(monotonic=clock.monotonic),
        adapter=SimAdapter(wired, sleep=clock.sleep),
    )
    with transport, pytest.raises(SlowError, match="took longer than 60 s"):
        transport.request("GET", "/")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        HEAD,
        HEAD + b"Content-Length: 10\r\n\r\n12345",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n123",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n12345\r\n0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=[
        "nothing",
        "half a status line",
        "half a head",
        "half a body",
        "no last chunk",
        "half a chunk",
        "bad chunk size",
        "chunk of less than nothing",
        "no http",
    ],
)
def test_half_an_answer_is_no_answer(answer: bytes) -> None:
    """Whatever is cut, and wherever, nothing of it is taken for the whole."""
    with (
        raw_server(answer) as url,
        make_transport(url) as transport,
        pytest.raises(TransientError) as caught,
    ):
        transport.request("GET", "/")
    assert not isinstance(caught.value, SlowError)


@pytest.mark.parametrize("size", [b"-1", b"-5"])
def test_a_chunk_of_less_than_nothing_is_not_read(size: bytes) -> None:
    """Its size says that the answer is none: what comes after it is not waited for."""
    answer = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\n12345"
    with (
        raw_server(answer, then_hang=True) as url,
        make_transport(url) as transport,
        pytest.raises(TransientError) as caught,
    ):
        transport.request("GET", "/")
    assert not isinstance(caught.value, SlowError)


@pytest.mark.parametrize("length", [b"", b"Content-Length: 3\r\n"], ids=["alone", "and a length"])
@pytest.mark.parametrize("codings", [b"Chunked", b"chunked ", b"identity, chunked"], ids=repr)
def test_chunks_are_read_however_they_are_announced(codings: bytes, length: bytes) -> None:
    """In any case, with a space behind, last in a list: `http.client` knows only the first."""
    head = HEAD + length + b"Transfer-Encoding: " + codings + b"\r\n\r\n"
    with raw_server(head + b"2\r\n{}\r\n0\r\n\r\n") as url, make_transport(url) as transport:
        assert transport.request("GET", "/").body == b"{}"


def test_an_answer_without_a_body_has_none_whatever_it_announces() -> None:
    """A 304 says how the body would be sent. Source: RFC 9112, 6.1."""
    answer = b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_server(answer) as url, make_transport(url) as transport:
        assert transport.request("GET", "/", accept_status=frozenset({304})).body == b""


@pytest.mark.parametrize("length", ["1" + "0" * 18, "9" * 5000], ids=["an exabyte", "nonsense"])
def test_a_boasted_length_reserves_no_memory(length: str) -> None:
    """A Content-Length beyond the cap, or beyond belief, is refused, not believed."""
    with (
        raw_server(HEAD + f"Content-Length: {length}\r\n\r\n{{}}".encode()) as url,
        make_transport(url) as transport,
        pytest.raises((BadResponseError, TransientError)),
    ):
        transport.request("GET", "/")


# ---- TLS -----------------------------------------------------------------------------------------


def test_a_given_ca_file_is_trusted() -> None:
    """Behind the right CA file TLS works like plain http."""
    with (
        raw_server(WHOLE, tls=True) as url,
        make_transport(url, verify=str(CERTIFICATE)) as transport,
    ):
        assert transport.request("GET", "/").body == b"{}"


def test_a_drip_over_tls_ends_too() -> None:
    """The deadline does not depend on what carries the bytes."""
    answer = HEAD + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000
    clock = Clock()
    with (
        raw_server(answer, drip_from=len(HEAD), clock=clock, tls=True) as url,
        make_transport(url, clock=clock, verify=str(CERTIFICATE)) as transport,
        pytest.raises(SlowError),
    ):
        transport.request("GET", "/")
    assert clock.now_s < 2000 * DRIP_S, "it was read to its end"


def test_an_untrusted_certificate_is_no_passing_failure() -> None:
    """Asking again would meet the same certificate; the hint says what helps."""
    with raw_server(WHOLE, tls=True) as url, make_transport(url) as transport:
        with pytest.raises(BadResponseError, match="certificate") as caught:
            transport.request("GET", "/")
        assert "plex.direct" in caught.value.hint


def test_verification_can_be_switched_off() -> None:
    """An explicit switch trusts any certificate, without a warning for each request."""
    with raw_server(WHOLE, tls=True) as url, make_transport(url, verify=False) as transport:
        assert transport.request("GET", "/").body == b"{}"


@pytest.mark.parametrize("content", [None, "", "no certificate"], ids=["absent", "empty", "text"])
def test_a_useless_ca_file_is_a_configuration_error(tmp_path: Path, content: str | None) -> None:
    """A slip in the path must not look like a failing server."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        make_transport("https://localhost", verify=str(path))
    assert caught.value.context == "[plex] verify"


def test_the_environment_cannot_replace_the_ca_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`REQUESTS_CA_BUNDLE` is for other programs, even where it would help."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    with (
        raw_server(WHOLE, tls=True) as url,
        make_transport(url) as transport,
        pytest.raises(BadResponseError, match="certificate"),
    ):
        transport.request("GET", "/")


def test_https_to_a_plain_port_says_so() -> None:
    """The usual slip has its own words."""
    with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        secure = url.replace("http:", "https:")
        with make_transport(secure) as transport, pytest.raises(BadResponseError) as caught:
            transport.request("GET", "/")
        assert caught.value.hint == f"set [plex] url to {url}"
