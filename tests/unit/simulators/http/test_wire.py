"""The wire under the simulators: what a client sees of answers and of faults."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from plexsync.simulators.http.wire import (
    Counters,
    Cut,
    Drip,
    ErrorStatus,
    Fault,
    Faults,
    Hang,
    Latency,
    LoopbackServer,
    Redirect,
    Reset,
    SimAdapter,
    SimRequest,
    SimResponse,
    Stale,
    Wired,
    garbage,
    html,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_JSON = (("Content-Type", "application/json"),)

PATIENT_S = 60.0
"""More than any machine needs, however busy."""


class Echo:
    """Answers with what was asked, and remembers what it did."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body
        self.done: list[str] = []

    def handle(self, request: SimRequest) -> SimResponse:
        """Say method, path, arguments and body size."""
        self.done.append(f"{request.method} {request.path}")
        text = f"{request.method} {request.path} {request.query} {len(request.body)}"
        return SimResponse(200, _JSON, self.body or text.encode())

    def kind(self, request: SimRequest) -> str:
        """One kind for reads, one for writes."""
        return "echo.read" if request.method == "GET" else "echo.write"


class Wire:
    """One echo, reachable by socket or without."""

    def __init__(self, over: str) -> None:
        self.echo = Echo()
        self.wired = Wired(self.echo)
        self.server = LoopbackServer(self.wired)
        self.session = requests.Session()
        self.session.trust_env = False
        self.url = self.server.url
        if over == "adapter":
            self.session.mount("http://", SimAdapter(self.wired))
        else:
            self.server.start()

    def fail(self, fault: Fault) -> None:
        """Plan one fault."""
        self.wired.faults.add(fault)

    def get(self, path: str = "/a", timeout_s: float = PATIENT_S) -> requests.Response:
        """One GET, no redirect followed."""
        return self.session.get(self.url + path, timeout=timeout_s, allow_redirects=False)

    def put(self) -> requests.Response:
        """One PUT with a body."""
        return self.session.put(self.url + "/a", data=b"xyz", timeout=PATIENT_S)

    def close(self) -> None:
        """Leave nothing open."""
        self.session.close()
        self.server.close()


@pytest.fixture(params=["loopback", "adapter"])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """The same claims hold with a socket and without."""
    made = Wire(request.param)
    yield made
    made.close()


def test_request_arrives_decoded(wire: Wire) -> None:
    """Path and query reach the simulator decoded, in order, with empty values."""
    answer = wire.session.post(
        wire.url + "/a%2Cb?x=1&y%3E%3E=&x=%C3%A9", data=b"12345", timeout=PATIENT_S
    )

    assert answer.text == "POST /a,b (('x', '1'), ('y>>', ''), ('x', 'é')) 5"


def test_large_body_arrives_whole(wire: Wire) -> None:
    """A body larger than any socket buffer is neither cut nor changed."""
    wire.echo.body = bytes(range(256)) * 20_000

    assert wire.get().content == wire.echo.body


def test_counters_count_requests_and_bytes(wire: Wire) -> None:
    """Every request is counted by kind, with the body bytes sent back and its target."""
    sizes = [len(wire.get("/a?k=v").content), len(wire.get().content)]
    wire.put()

    counters = wire.wired.counters
    assert counters.by_kind() == {"echo.read": 2, "echo.write": 1}
    assert counters.requests() == counters.requests("echo.") == 3
    assert counters.bytes_out("echo.read") == sum(sizes)
    assert counters.targets == ("/a?k=v", "/a", "/a")


@pytest.mark.parametrize("applied", [False, True])
def test_reset_tells_the_client_nothing(wire: Wire, *, applied: bool) -> None:
    """A reset looks the same to the client whether the work was done or not."""
    wire.fail(Fault("echo.write", 1, Reset(applied=applied)))

    with pytest.raises(requests.ConnectionError):
        wire.put()

    assert wire.echo.done == (["PUT /a"] if applied else [])


@pytest.mark.parametrize("applied", [False, True])
def test_hang_ends_in_a_timeout(wire: Wire, *, applied: bool) -> None:
    """A hanging request times out on the client's side, done or not."""
    wire.fail(Fault(None, 1, Hang(applied=applied)))

    with pytest.raises(requests.ReadTimeout):
        wire.get(timeout_s=0.05)
    wire.close()

    assert wire.echo.done == (["GET /a"] if applied else [])


@pytest.mark.parametrize("cut", [Cut(), Cut(0.0), Cut(0.9, chunked=True)], ids=str)
def test_cut_body_is_an_error_not_an_answer(wire: Wire, cut: Cut) -> None:
    """A body that ends early raises, with a length and without."""
    wire.fail(Fault(None, 1, cut))

    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        wire.get()

    assert wire.get().ok


def test_status_answers_for_the_simulator(wire: Wire) -> None:
    """A status fault brings its own code, body and headers; the simulator does nothing."""
    wire.fail(Fault(None, 1, ErrorStatus(503, b"busy", (("Retry-After", "3"),))))

    answer = wire.get()

    assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (
        503,
        b"busy",
        "3",
    )
    assert wire.echo.done == []


def test_status_may_follow_the_work(wire: Wire) -> None:
    """A gateway can time out after the server did what was asked."""
    wire.fail(Fault("echo.write", 1, ErrorStatus(504, applied=True)))

    assert wire.put().status_code == 504
    assert wire.echo.done == ["PUT /a"]


def test_garbage_and_pages_say_200(wire: Wire) -> None:
    """A wrong body can come with the right status."""
    wire.fail(Fault(None, 1, garbage()))
    wire.fail(Fault(None, 2, html()))

    first, second = wire.get(), wire.get()

    assert first.status_code == second.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        first.json()
    assert second.headers["Content-Type"].startswith("text/html")


def test_redirect_names_its_target(wire: Wire) -> None:
    """A redirect carries a Location and reaches no simulator."""
    wire.fail(Fault(None, 1, Redirect("https://elsewhere.invalid/", 301)))

    answer = wire.get()

    assert (answer.status_code, answer.headers["Location"]) == (301, "https://elsewhere.invalid/")
    assert wire.echo.done == []


def test_fault_strikes_at_its_turn_and_as_often_as_asked(wire: Wire) -> None:
    """`nth` counts matching requests only, `times` says how many in a row are struck."""
    wire.fail(Fault("echo.read", 2, ErrorStatus(500), times=2))
    wire.put()

    codes = [wire.get().status_code for _ in range(4)]

    assert codes == [200, 500, 500, 200]


def test_fault_without_end_lasts_until_cleared(wire: Wire) -> None:
    """`times=None` never ends by itself."""
    wire.fail(Fault(None, 1, ErrorStatus(500), times=None))
    struck = [wire.get().status_code for _ in range(3)]

    wire.wired.faults.clear()

    assert struck == [500, 500, 500]
    assert wire.get().status_code == 200


def test_fault_can_choose_its_request(wire: Wire) -> None:
    """`match` narrows a fault to the requests it is meant for."""
    wire.fail(Fault(None, 1, ErrorStatus(500), match=lambda request: request.path == "/b"))

    assert [wire.get(path).status_code for path in ("/a", "/b", "/b")] == [200, 500, 200]


def test_gzip_only_when_switched_on_and_accepted(wire: Wire) -> None:
    """Compression needs the switch and the client's word."""
    wire.echo.body = b"x" * 5000
    plain = wire.get()
    wire.wired.gzip = True

    packed = wire.get()
    refused = wire.session.get(wire.url, headers={"Accept-Encoding": "identity"}, timeout=PATIENT_S)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in refused.headers
    assert packed.content == refused.content == wire.echo.body
    assert len(gzip.compress(wire.echo.body)) < 5000


def test_on_request_runs_before_anything_happens(wire: Wire) -> None:
    """A test can act between the arrival of a request and its effect."""
    seen: list[tuple[str, int]] = []
    wire.wired.on_request = lambda request: seen.append((request.path, len(wire.echo.done)))
    wire.get("/a")
    wire.get("/b")

    assert seen == [("/a", 0), ("/b", 1)]


def test_server_keeps_the_connection() -> None:
    """Two requests of one client use one connection."""
    with LoopbackServer(Wired(Echo())) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENT_S)
        ports = []
        for _ in range(2):
            client.request("GET", "/")
            client.getresponse().read()
            ports.append(client.sock.getsockname() if client.sock else None)
        client.close()

    assert ports[0] is not None
    assert ports[0] == ports[1]


def test_stale_connection_dies_after_its_answer() -> None:
    """The answer promises keep-alive, the next request on the connection fails."""
    with LoopbackServer(Wired(Echo(), Faults(Fault(None, 1, Stale())))) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENT_S)
        client.request("GET", "/")
        first = client.getresponse()
        first.read()

        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            _ask_again(client)
        client.close()

    assert first.headers["Connection"] == "keep-alive"


def _ask_again(client: http.client.HTTPConnection) -> None:
    client.request("GET", "/")
    client.getresponse()


def test_pipelined_requests_are_answered_in_turn() -> None:
    """Bytes that arrive early belong to the next request."""
    with LoopbackServer(Wired(Echo())) as server, _connect(server) as talk:
        talk.sendall(b"POST /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\n\r\n")
        seen = b""
        while seen.count(b"HTTP/1.1 200") < 2 or b"/2" not in seen:
            seen += talk.recv(65536)

    assert seen.index(b"POST /1 () 2") < seen.index(b"GET /2 () 0")


def _connect(server: LoopbackServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENT_S)


@pytest.mark.parametrize("size_bytes", [2047, 2048], ids=["below", "from"])
def test_long_answers_may_go_without_length(size_bytes: int) -> None:
    """From the threshold on an answer is chunked, and still whole."""
    wired = Wired(Echo(b"y" * size_bytes))
    with LoopbackServer(wired, chunked_from=2048) as server:
        answer = requests.get(server.url, timeout=PATIENT_S)

    assert ("Content-Length" in answer.headers) == (size_bytes < 2048)
    assert len(answer.content) == size_bytes


def test_drip_keeps_a_client_busy_until_its_own_deadline() -> None:
    """A body in small steps with pauses never trips a read timeout by itself."""
    waited: list[float] = []
    session = requests.Session()
    wired = Wired(Echo(b"z" * 100), Faults(Fault(None, 1, Drip(10, 2.0))))
    session.mount("http://", SimAdapter(wired, sleep=waited.append))

    answer = session.get("http://sim/", timeout=3)

    assert len(answer.content) == 100
    assert sum(waited) == pytest.approx(20.0)


def test_drip_over_a_socket_arrives_whole() -> None:
    """Steps add up to the body."""
    wired = Wired(Echo(b"z" * 100), Faults(Fault(None, 1, Drip(30, 0.001))))
    with LoopbackServer(wired) as server:
        assert len(requests.get(server.url, timeout=PATIENT_S).content) == 100


@pytest.mark.parametrize(("wait_s", "fails"), [(2.9, False), (3.1, True)])
def test_latency_beyond_the_timeout_fails(wait_s: float, *, fails: bool) -> None:
    """Without a socket, a latency is compared with the timeout given."""
    session = requests.Session()
    echo = Echo()
    session.mount("http://", SimAdapter(Wired(echo, Faults(Fault(None, 1, Latency(wait_s))))))

    try:
        failed = not session.get("http://sim/", timeout=(1, 3)).ok
    except requests.ReadTimeout:
        failed = True

    assert failed is fails
    assert echo.done == ["GET /"]


def test_release_lets_a_hanging_request_go() -> None:
    """A hang ends without an answer at `release`, before any timeout."""
    faults = Faults(Fault(None, 1, Hang()))
    arrived = threading.Event()
    wired = Wired(Echo(), faults, on_request=lambda _: arrived.set())
    errors: list[str] = []

    def ask() -> None:
        try:
            requests.get(server.url, timeout=PATIENT_S)
        except requests.ConnectionError as error:
            errors.append(str(error))

    with LoopbackServer(wired) as server:
        asking = threading.Thread(target=ask)
        asking.start()
        assert arrived.wait(PATIENT_S)
        while asking.is_alive():
            faults.release()
            asking.join(0.01)

    assert len(errors) == 1


def test_close_ends_idle_and_hanging_connections() -> None:
    """Closing waits for no client: neither an idle one nor one with a request that hangs."""
    arrived = threading.Event()
    wired = Wired(Echo(), Faults(Fault(None, 1, Hang())), on_request=lambda _: arrived.set())
    server = LoopbackServer(wired)
    server.start()
    with _connect(server), _connect(server) as hanging:
        hanging.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert arrived.wait(PATIENT_S)

        closing = threading.Thread(target=server.close)
        closing.start()
        closing.join(PATIENT_S)

        assert not closing.is_alive()


def test_crash_of_a_simulator_reaches_the_test() -> None:
    """A bug of the simulator is a 500 for the client and an error for the test."""

    class Broken(Echo):
        def handle(self, request: SimRequest) -> SimResponse:
            raise LookupError(request.path)

    with (
        pytest.raises(ExceptionGroup) as caught,
        LoopbackServer(Wired(Broken())) as server,
    ):
        code = requests.get(server.url + "/x", timeout=PATIENT_S).status_code

    assert code == 500
    assert caught.group_contains(LookupError, match="/x")


def test_counters_can_forget() -> None:
    """`clear` starts again from zero; targets are kept only on demand."""
    counters = Counters(keep_targets=False)
    counters.came("a", "/secret")
    counters.clear()
    counters.came("b", "/secret")

    assert counters.by_kind() == {"b": 1}
    assert counters.targets == ()


def test_many_clients_at_once() -> None:
    """Connections are served side by side and nothing is counted twice."""
    wired = Wired(Echo())

    def ask() -> None:
        with requests.Session() as session:
            for _ in range(20):
                session.get(server.url, timeout=PATIENT_S)

    with LoopbackServer(wired) as server:
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wired.counters.requests() == 160
    assert urlsplit(server.url).hostname == "127.0.0.1"
