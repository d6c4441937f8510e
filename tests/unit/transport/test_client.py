"""The transport: what becomes of every answer and every failure, and what never leaves it."""

from __future__ import annotations

import base64
import gzip
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import (
    AuthError,
    BadResponseError,
    ConfigError,
    NotFoundError,
    ServerError,
    TransientError,
    WebPageError,
)
from plexsync.simulators.http.wire import (
    Cut,
    ErrorStatus,
    Hang,
    Redirect,
    Reset,
    SimResponse,
    Stale,
    html,
)
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import RetryPolicy
from plexsync.transport.responses import SlowError, http_date, redact
from plexsync.transport.sockets import TooLargeError
from tests.support.transport_bench import JSON, KEY, ONCE, transport_bench

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.simulators.http.wire import Effect

THRICE = RetryPolicy(attempts=3, first_wait_s=1.0)


# ---- what an answer means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, BadResponseError),
        (307, BadResponseError),
        (400, BadResponseError),
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (408, TransientError),
        (409, BadResponseError),
        (413, BadResponseError),
        (429, TransientError),
        (498, AuthError),
        (500, TransientError),
        (501, BadResponseError),
        (502, TransientError),
        (503, TransientError),
        (504, TransientError),
        (519, BadResponseError),
        (520, TransientError),
        (524, TransientError),
        (530, TransientError),
        (531, BadResponseError),
        (204, BadResponseError),
    ],
)
@pytest.mark.parametrize("name", ["Stash", "Plex"])
def test_a_status_is_one_of_our_errors(status: int, kind: type[ServerError], name: str) -> None:
    """Each status stands for one branch of the error tree, whichever server sends it."""
    with transport_bench(status=status, name=name) as bench:
        with pytest.raises(ServerError) as caught:
            bench.transport.request("GET", "/thing")
        assert type(caught.value) is kind
        assert caught.value.context == "GET /thing"
        assert name in caught.value.message


TARGETS = {
    "/a/%5B0%5D?x=%C3%A9&y=1,2": "/a/%5B0%5D?x=%C3%A9&y=1,2",
    "/%5B0%5D?x=" + "%C3%A9" * 900: "/%5B0%5D?x=" + "%C3%A9" * 900,
    "/?x=" + "%c3%a9" * 900: "/?x=" + "%C3%A9" * 900,
    "/a b?x=\u00e9": "/a%20b?x=%C3%A9",
    "/a?x=%2f": "/a?x=%2F",
    "/a?x=100%": "/a?x=100%25",
    "/a?x=[0]": "/a?x=%5B0%5D",
    "/" + "a" * 9000 + " ": "/" + "a" * 9000 + "%20",
}
"""What is asked for, and what a server may be sent of it."""


def test_a_target_is_encoded_once() -> None:
    """What is encoded stays as it is; what is not never reaches a server so."""
    with transport_bench() as bench:
        for target in (*TARGETS, *reversed(TARGETS)):
            bench.transport.request("GET", target)
        sent = [request.target for request in bench.simulator.asked]
    assert sent == [*TARGETS.values(), *reversed(TARGETS.values())]


def test_an_accepted_status_is_an_answer() -> None:
    """A caller that knows what 304 means gets it."""
    with transport_bench(status=304, body=b"") as bench:
        answer = bench.transport.request("GET", "/cover", accept_status=frozenset({200, 304}))
        assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize(
    ("name", "key", "effect", "words"),
    [
        ("Plex", KEY, ErrorStatus(401), "[plex] token"),
        ("Plex", KEY, ErrorStatus(403), "owns the server"),
        ("Stash", KEY, ErrorStatus(401), "remove [stash] api_key"),
        ("Stash", "", ErrorStatus(401), "put it into [stash] api_key"),
        ("Stash", "", ErrorStatus(403, b"You have been locked out"), "set a user and password"),
        ("Stash", KEY, Redirect("/login?returnURL=x"), "api_key"),
        ("Stash", KEY, Redirect("https://stash.example:8443/a?b"), "https://stash.example:8443"),
        ("Stash", KEY, Redirect("https://stash.example:99999/"), "answers directly into [stash]"),
        ("Plex", KEY, Redirect("http://[::1"), "answers directly into [plex]"),
    ],
    ids=[
        "plex401",
        "plex403",
        "wrong key",
        "no key",
        "tripwire",
        "login page",
        "redirect",
        "redirect to no port",
        "redirect to no address",
    ],
)
def test_a_refusal_says_what_to_do(name: str, key: str, effect: Effect, words: str) -> None:
    """The hint names the configuration key or the right that is missing."""
    with transport_bench(effect, name=name, key=key) as bench:
        with pytest.raises(ServerError) as caught:
            bench.transport.request("GET", "/")
        assert words in caught.value.hint


def test_an_old_stash_says_unauthorized_with_a_500() -> None:
    """Stash before v0.26 refuses a key that way; it is no passing failure."""
    with transport_bench(ErrorStatus(500, b"unauthorized\n")) as bench, pytest.raises(AuthError):
        bench.transport.request("GET", "/")


def test_the_tripwire_text_is_shown() -> None:
    """What Stash itself says about its lock reaches the person, on one line."""
    with (
        transport_bench(ErrorStatus(403, b"Stash is exposed\n to the internet")) as bench,
        pytest.raises(AuthError, match="Stash is exposed to the internet"),
    ):
        bench.transport.request("GET", "/")


def test_plex_maintenance_is_explained() -> None:
    """The start-up answer of Plex says why it is not ready."""
    body = b'<Response code="503" title="Maintenance" status="running database migrations."/>'
    with (
        transport_bench(ErrorStatus(503, body), name="Plex") as bench,
        pytest.raises(TransientError, match="running database migrations"),
    ):
        bench.transport.request("GET", "/identity")


def test_one_web_page_is_forgiven() -> None:
    """A proxy that restarts answers one request with a page of its own: the second try counts."""
    with transport_bench(html(), retry=THRICE) as bench:
        assert bench.transport.request("GET", "/").body == b"{}"
        assert bench.served == 2


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("name", ["Stash", "Plex"])
def test_a_second_web_page_is_an_error(method: str, name: str) -> None:
    """A wrong address, or a proxy that wants a person: no third try, and the keys to look at."""
    with transport_bench(html(), html(), retry=THRICE, name=name) as bench:
        with pytest.raises(WebPageError, match=name) as caught:
            bench.transport.request(method, "/", write=method == "PUT")
        assert f"[{name.lower()}] url" in caught.value.hint
        assert bench.served == 2


def test_a_page_is_recognised_by_its_type_too() -> None:
    """It need not begin with <html>."""
    page = ErrorStatus(200, b"Please log in", (("Content-Type", "text/html; charset=utf-8"),))
    with transport_bench(page) as bench, pytest.raises(WebPageError):
        bench.transport.request("GET", "/")


def test_an_empty_answer_called_html_is_an_answer() -> None:
    """Plex calls its empty answer to an edit text/html."""
    with transport_bench(body=b"", headers=(("Content-Type", "text/html"),)) as bench:
        assert bench.transport.request("PUT", "/", write=True).body == b""


def test_what_may_be_a_web_page_is_handed_over() -> None:
    """Somebody may have stored a page as a cover: the one who asks knows what to make of it."""
    with transport_bench(html()) as bench:
        assert bench.transport.ask("GET", "/", lambda a: a.is_html, takes_web_pages=True)


# ---- retries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effect",
    [
        ErrorStatus(503),
        ErrorStatus(429),
        ErrorStatus(500),
        html(502),
        Reset(),
        Cut(0.5),
        Cut(0.0),
        Cut(0.5, chunked=True),
        Cut(1.0, chunked=True),
    ],
    ids=str,
)
def test_a_passing_failure_is_repeated(effect: Effect) -> None:
    """The second try's answer is the answer, and the watcher hears of the first."""
    with transport_bench(effect, body=b'{"a": 1}', retry=THRICE) as bench:
        answer = bench.transport.request("POST", "/graphql", body=b"{}")
        assert answer.body == b'{"a": 1}'
        assert bench.served == 2
        assert [(r.request, r.attempt) for r in bench.repeats] == [("POST /graphql", 1)]


@pytest.mark.parametrize("status", [400, 401, 404, 302])
def test_a_lasting_failure_is_not_repeated(status: int) -> None:
    """Asking again cannot help, so nobody is asked again."""
    with transport_bench(ErrorStatus(status), retry=THRICE) as bench:
        with pytest.raises(ServerError):
            bench.transport.request("GET", "/")
        assert bench.served == 1


@pytest.mark.parametrize("effect", [ErrorStatus(503), Reset(applied=True)], ids=str)
def test_what_is_not_repeatable_is_sent_once(effect: Effect) -> None:
    """A write that may have been done is never done twice."""
    with transport_bench(effect, retry=THRICE) as bench:
        with pytest.raises(TransientError):
            bench.transport.request("POST", "/", body=b"x", write=True, repeatable=False)
        assert bench.served == 1


def test_attempts_bound_the_retries() -> None:
    """Three attempts are three requests, with waits that double in between."""
    with transport_bench(status=503, retry=THRICE) as bench:
        with pytest.raises(TransientError):
            bench.transport.request("GET", "/")
        assert bench.served == 3
        assert bench.clock.slept == [1.0, 2.0]


@pytest.mark.parametrize(("seconds", "requests"), [(3.0, 3), (2.9, 2), (0.9, 1)])
def test_seconds_bound_the_retries(seconds: float, requests: int) -> None:
    """No wait begins that would end after the time is up: waits of 1 and 2 s need 3 s."""
    policy = RetryPolicy(attempts=3, seconds=seconds, first_wait_s=1.0)
    with transport_bench(status=503, retry=policy) as bench:
        with pytest.raises(TransientError):
            bench.transport.request("GET", "/")
        assert bench.served == requests


def test_jitter_is_full() -> None:
    """A wait lies anywhere between nothing and the doubled bound."""
    with transport_bench(status=503, retry=THRICE, random=lambda: 0.0) as bench:
        with pytest.raises(TransientError):
            bench.transport.request("GET", "/")
        assert bench.clock.slept == [0.0, 0.0]


@pytest.mark.parametrize(
    ("header", "waited"),
    [("7", 7.0), ("30", 30.0), ("31", 30.0), ("300", 30.0), ("0.25", 1.0), ("soon", 1.0)],
)
def test_retry_after_is_obeyed_up_to_a_cap(header: str, waited: float) -> None:
    """The server's wish is granted up to 30 s, and never shortens our own wait."""
    effect = ErrorStatus(429, headers=(("Retry-After", header),))
    with transport_bench(effect, retry=THRICE) as bench:
        bench.transport.request("GET", "/")
        assert bench.clock.slept == [waited]


def test_a_wait_of_an_hour_is_not_begun() -> None:
    """The error says how long the server wants to be left alone, and that the next run goes on."""
    effect = ErrorStatus(429, headers=(("Retry-After", "3600"),))
    with transport_bench(effect, retry=THRICE) as bench:
        with pytest.raises(TransientError, match=r"left alone for 3,600 s") as caught:
            bench.transport.request("GET", "/")
        assert "next run" in caught.value.hint
        assert (bench.served, bench.clock.slept) == (1, [])


def test_retry_after_may_be_a_date() -> None:
    """A date counts from the answer's own Date, whatever our clock says."""
    then = datetime(2031, 5, 1, 10, 0, 0, tzinfo=UTC)
    headers = (
        ("Date", format_datetime(then, usegmt=True)),
        ("Retry-After", format_datetime(then.replace(second=12), usegmt=True)),
    )
    with transport_bench(ErrorStatus(503, headers=headers), retry=THRICE) as bench:
        bench.transport.request("GET", "/")
        assert bench.clock.slept == [12.0]


@pytest.mark.parametrize(
    "odd",
    [
        "yesterday",
        "Mon, 01 Jan 99999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 99999999999999:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999",
        "Fri, 31 Dec 9999 23:59:59 -2300",
    ],
)
def test_a_date_beyond_the_calendar_is_none(odd: str) -> None:
    """Neither when to ask again nor the time of an answer can be had from it."""
    headers = (("Date", odd), ("Retry-After", odd))
    with transport_bench(ErrorStatus(503, headers=headers), retry=THRICE) as bench:
        bench.transport.request("GET", "/")
        assert bench.clock.slept == [THRICE.first_wait_s]
    assert http_date(odd) is None


def test_a_stop_while_a_request_is_sent_again_is_a_stop() -> None:
    """What is no answer of the server ends the repeating as itself."""

    def stopped(_answer: object) -> None:
        raise KeyboardInterrupt

    with (
        transport_bench(ErrorStatus(503), retry=RetryPolicy(attempts=3)) as bench,
        pytest.raises(KeyboardInterrupt),
    ):
        bench.transport.ask("GET", "/", stopped)


def test_a_decoder_may_ask_for_a_retry() -> None:
    """A server that says "try again" with a 200 is asked again."""
    verdicts = iter([TransientError("database is locked"), None])

    def decode(_answer: object) -> str:
        if (verdict := next(verdicts)) is not None:
            raise verdict
        return "decoded"

    with transport_bench(retry=THRICE) as bench:
        assert bench.transport.ask("POST", "/graphql", decode) == "decoded"
        assert bench.served == 2


def test_a_dead_kept_connection_costs_one_retry_at_most() -> None:
    """A server that closed an idle connection is simply called again."""
    with transport_bench(Stale(), retry=THRICE) as bench:
        bench.transport.request("GET", "/one")
        assert bench.transport.request("GET", "/two").status == 200


def test_a_connection_that_was_closed_is_seen_before_a_lone_write() -> None:
    """What is sent once must not fail because the server closed the connection before."""
    with transport_bench(Stale()) as bench:
        bench.transport.request("GET", "/one")
        bench.simulator.threads[0].join()  # until it has closed it
        answer = bench.transport.request("POST", "/two", body=b"x", repeatable=False)
        assert answer.status == 200


@pytest.mark.parametrize(
    ("idle_s", "repeatable", "connections"),
    [(15.0, True, 1), (15.1, True, 2), (1.0, False, 1), (1.1, False, 2)],
)
def test_connections_are_kept_but_not_for_long(
    idle_s: float, repeatable: bool, connections: int
) -> None:
    """Requests share a connection until the server may be closing it; a lone write is careful."""
    with transport_bench() as bench:
        bench.transport.request("GET", "/one")
        bench.clock.sleep(idle_s)
        bench.transport.request("POST", "/two", body=b"x", repeatable=repeatable)
        assert len(set(bench.simulator.threads)) == connections


# ---- a server that is down -----------------------------------------------------------------------


def test_a_server_that_never_answered_is_down_at_once() -> None:
    """The first request fails with its retries; the next fails unsent, with the same words."""
    with transport_bench() as bench:
        url = bench.server.url
    transport = Transport(url, name="Plex", headers={}, secrets=(), retry=ONCE)
    with pytest.raises(TransientError) as first:
        transport.request("GET", "/")
    with pytest.raises(TransientError) as second:
        transport.request("GET", "/")
    assert str(second.value) == str(first.value)
    assert "cannot be reached" in str(first.value)
    assert "[plex] url" in first.value.hint
    assert transport.down
    assert transport.reads == 1


@pytest.mark.parametrize(("failures", "down"), [(2, False), (3, True)])
def test_failures_in_a_row_open_the_breaker(failures: int, down: bool) -> None:
    """The third request in a row that fails for good is the last one sent."""
    effects = (ErrorStatus(200), *[ErrorStatus(503)] * failures)
    with transport_bench(*effects, breaker=3) as bench:
        bench.transport.request("GET", "/")
        for _ in range(failures):
            with pytest.raises(TransientError):
                bench.transport.request("GET", "/")
        assert bench.transport.down is down
        if down:
            with pytest.raises(TransientError):
                bench.transport.request("GET", "/")
        assert bench.served == failures + 1


@pytest.mark.parametrize("between", [ErrorStatus(200), ErrorStatus(404)], ids=["answer", "404"])
def test_any_answer_closes_the_count_of_failures(between: ErrorStatus) -> None:
    """Only an unbroken row of failures means that the server is down."""
    effects = (ErrorStatus(503), ErrorStatus(503), between, ErrorStatus(503), ErrorStatus(503))
    with transport_bench(*effects, breaker=3) as bench:
        for _ in effects:
            with suppress(ServerError):
                bench.transport.request("GET", "/")
        assert not bench.transport.down


# ---- time ----------------------------------------------------------------------------------------


def test_silence_ends_after_the_timeout() -> None:
    """A server that accepts and never answers costs the timeout, no more."""
    with (
        transport_bench(Hang(), timeout_s=0.2, real_time=True) as bench,
        pytest.raises(SlowError, match=r"sent nothing for 0\.2 s"),
    ):
        bench.transport.request("GET", "/")


def test_a_divisible_question_is_not_repeated_when_slow() -> None:
    """Who can ask for less learns it at once, and the server does not count as down."""
    with transport_bench(Hang(), timeout_s=0.2, real_time=True, retry=THRICE) as bench:
        with pytest.raises(SlowError):
            bench.transport.ask("GET", "/", lambda answer: answer, divisible=True)
        assert bench.served == 1
        assert not bench.transport.down


# ---- size ----------------------------------------------------------------------------------------


def _zipped(body: bytes) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    return gzip.compress(body), (*JSON, ("Content-Encoding", "gzip"))


@pytest.mark.parametrize("chunked_from", [None, 1], ids=["with length", "chunked"])
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("size", [0, 1, 99_999, 100_000])
def test_a_body_up_to_the_cap_arrives_whole(
    chunked_from: int | None,
    zipped: bool,
    size: int,
) -> None:
    """Whatever its framing and encoding, the decoded body is what was sent."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    sent, headers = _zipped(body) if zipped else (body, JSON)
    with transport_bench(
        body=sent, headers=headers, chunked_from=chunked_from, max_bytes=100_000
    ) as bench:
        assert bench.transport.request("GET", "/").body == body


@pytest.mark.parametrize("chunked_from", [None, 1], ids=["with length", "chunked"])
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_a_body_over_the_cap_is_refused(chunked_from: int | None, zipped: bool) -> None:
    """One decoded byte too many ends the reading; asking again would bring the same."""
    sent, headers = _zipped(b"x" * 100_001) if zipped else (b"x" * 100_001, JSON)
    with transport_bench(
        body=sent, headers=headers, chunked_from=chunked_from, max_bytes=100_000, retry=THRICE
    ) as bench:
        with pytest.raises(TooLargeError):
            bench.transport.request("GET", "/")
        assert bench.served == 1


def test_a_gzip_body_of_two_streams_is_one_body() -> None:
    """RFC 1952 allows streams one after the other."""
    body = gzip.compress(b"first ") + gzip.compress(b"second")
    with transport_bench(body=body, headers=(("Content-Encoding", "gzip"),)) as bench:
        assert bench.transport.request("GET", "/").body == b"first second"


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"x" * 5000)[:-9],
        gzip.compress(b"x" * 5000)[:-1],
        b"no gzip at all",
        b"\x1f\x8b\x08" + b"\xff" * 30,
    ],
    ids=["cut stream", "cut checksum", "plain text", "garbage"],
)
def test_a_damaged_gzip_body_is_a_passing_failure(body: bytes) -> None:
    """A compressed body that does not end as it must is never taken for a short answer."""
    with (
        transport_bench(body=body, headers=(("Content-Encoding", "gzip"),)) as bench,
        pytest.raises(TransientError),
    ):
        bench.transport.request("GET", "/")


def test_an_encoding_nobody_offered_is_refused() -> None:
    """We can read gzip; what else a server sends cannot be an answer."""
    with (
        transport_bench(body=b"x", headers=(("Content-Encoding", "br"),)) as bench,
        pytest.raises(BadResponseError, match="br"),
    ):
        bench.transport.request("GET", "/")


# ---- what never leaves ---------------------------------------------------------------------------

LEAKY: dict[str, Effect] = {
    "401": ErrorStatus(401, KEY.encode()),
    "403": ErrorStatus(403, KEY.encode()),
    "404": ErrorStatus(404, KEY.encode()),
    "400": ErrorStatus(400, f"you sent {KEY}".encode(), JSON),
    "503": ErrorStatus(503, f'<Response status="{KEY}"/>'.encode()),
    "reset": Reset(),
    "cut": Cut(),
    "redirect": Redirect("http://user:canary-key%2Bof%2Fthe%3Dtest@host.example/?k=" + KEY),
    "redirect to a secret": Redirect("http://canary-key+of.example/"),
}


@pytest.mark.parametrize("effect", LEAKY.values(), ids=LEAKY.keys())
def test_no_secret_in_any_text(effect: Effect) -> None:
    """Message, context, hint, cause, traceback and watcher's view are free of the key."""
    with (
        transport_bench(effect, Reset(), retry=RetryPolicy(attempts=2)) as bench,
        pytest.raises(ServerError) as caught,
    ):
        bench.transport.request("GET", f"/{KEY}/thing?token={KEY}", headers=[("X-Key", KEY)])
    error = caught.value
    texts = [repr(error), error.message, error.context, error.hint, repr(bench.transport)]
    texts += traceback.format_exception(error)
    texts += [repr(repeat) for repeat in bench.repeats]
    texts += [repr(error.__cause__), repr(error.__context__)]
    for text in texts:
        assert KEY not in text
        assert "canary-key%2Bof" not in text


def test_no_secret_in_the_cause() -> None:
    """What requests says of a refused connection holds the whole address; ours does not."""
    with transport_bench() as bench:
        url = bench.server.url
    transport = Transport(url, name="Plex", headers={}, secrets=(KEY,), retry=ONCE)
    with pytest.raises(TransientError) as caught:
        transport.request("GET", f"/{KEY}")
    assert "Max retries exceeded with url: /[hidden]" in repr(caught.value.__cause__)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_a_password_in_the_address_is_a_secret() -> None:
    """Basic authentication works and shows nowhere, neither plain nor as it is sent."""
    with transport_bench(status=404) as bench:
        url = bench.server.url.replace("http://", "http://ann:hunter%402@")
        transport = Transport(url, name="Stash", headers={}, secrets=(), retry=ONCE)
        with transport, pytest.raises(NotFoundError) as caught:
            transport.request("GET", "/hunter@2")
        expected = "Basic " + base64.b64encode(b"ann:hunter@2").decode()
        assert bench.simulator.asked[0].headers["Authorization"] == expected
        for text in (str(caught.value), repr(transport), transport.origin):
            assert "hunter" not in text


def test_a_redirect_is_not_followed() -> None:
    """The second server is never asked, so it never sees the key."""
    with transport_bench() as other, transport_bench() as bench:
        bench.simulator.response = SimResponse(302, (("Location", other.server.url + "/x"),))
        with pytest.raises(BadResponseError) as caught:
            bench.transport.request("GET", "/")
        assert other.served == 0
        assert caught.value.hint == f"set [stash] url to {other.server.url}"


def test_cookies_are_not_kept() -> None:
    """A session cookie would be a second, unwatched credential."""
    with transport_bench(headers=(("Set-Cookie", "session=abc; Path=/"),)) as bench:
        bench.transport.request("GET", "/one")
        bench.transport.request("GET", "/two")
        assert "Cookie" not in bench.simulator.asked[1].headers


def test_the_environment_sends_nothing_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Proxies and netrc of the environment are for other programs."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ann password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with transport_bench() as proxy, transport_bench() as bench:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.server.url)
        bench.transport.request("GET", "/")
        assert proxy.served == 0
        assert all("Authorization" not in request.headers for request in bench.simulator.asked)


# ---- counting and asking -------------------------------------------------------------------------


def test_every_send_is_counted() -> None:
    """Retries are requests too."""
    with transport_bench(
        ErrorStatus(503), ErrorStatus(200), ErrorStatus(503), retry=THRICE
    ) as bench:
        bench.transport.request("GET", "/")
        bench.transport.request("PUT", "/", write=True)
        assert (bench.transport.reads, bench.transport.writes) == (2, 2)


def test_paths_stand_below_the_sub_path() -> None:
    """An address with a sub-path keeps it, however its slashes are written."""
    with transport_bench() as bench:
        for base in ("/stash", "/stash/"):
            transport = Transport(bench.server.url + base, name="Stash", headers={}, secrets=())
            with transport:
                transport.request("GET", "/graphql?x=1%2C2")
        assert {r.target for r in bench.simulator.asked} == {"/stash/graphql?x=1%2C2"}


def test_answers_from_this_machine_are_not_compressed() -> None:
    """On loopback, compressing costs ten times what it saves."""
    with transport_bench() as bench:
        bench.transport.request("GET", "/")
        asked = bench.simulator.asked[0].headers
        assert asked["Accept-Encoding"] == "identity"
        assert asked["User-Agent"].startswith("plexsync/")
        assert asked["ApiKey"] == KEY


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:9999",
        "ftp://host",
        "http://",
        "http://host:99999",
        "http://host:x",
        "http://h/?q",
    ],
)
def test_an_address_that_is_none_is_a_configuration_error(url: str) -> None:
    """Nothing is sent anywhere, and the configuration key is named."""
    with pytest.raises(ConfigError) as caught:
        Transport(url, name="Stash", headers={}, secrets=())
    assert caught.value.context == "[stash] url"


def test_an_address_is_normalised() -> None:
    """Case and spaces of the host do not make another origin for plexapi's requests."""
    transport = Transport(" HTTP://LocalHost:80/Sub/ ", name="Plex", headers={}, secrets=())
    assert (transport.base_url, transport.origin) == (
        "http://localhost:80/Sub",
        "http://localhost:80",
    )


@pytest.mark.parametrize("key", ["line\nbreak", "schlüssel", "tab\there"])
def test_a_key_no_header_can_hold_is_a_configuration_error(key: str) -> None:
    """A key copied with something around it is named as such, not shown."""
    with pytest.raises(ConfigError) as caught:
        Transport("http://localhost", name="Stash", headers={"ApiKey": key}, secrets=(key,))
    assert key not in str(caught.value)


def test_redact_hides_encoded_spellings() -> None:
    """Percent-encoded in either case, plus-encoded and in base64, a secret stays hidden."""
    text = " ".join(
        [
            KEY,
            "canary-key%2Bof%2Fthe%3Dtest",
            "canary-key%2bof%2fthe%3dtest",
            base64.b64encode(KEY.encode()).decode(),
        ]
    )
    assert redact(text, (KEY,)) == " ".join(["[hidden]"] * 4)
    assert redact("nothing to hide", ("", KEY)) == "nothing to hide"
