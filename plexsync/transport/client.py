"""The one way to a server: deadline, size cap, classification, retries, redaction, counting.

    transport = Transport(url, name="Stash", headers={"ApiKey": key}, secrets=(key,))
    answer = transport.request("GET", "/healthz")

Nothing but the requests adapter is called, so there are no redirects, cookies, netrc entries or
proxies from the environment. Every failure leaves here as one of our own errors without a secret
in its text; the words of whatever caused it are kept, redacted, as its cause.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future, wait
from functools import partial
from itertools import chain
from threading import Thread
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

import requests
import requests.adapters
import requests.utils

from plexsync import __version__
from plexsync.errors import (
    AuthError,
    BadResponseError,
    PlexsyncError,
    ServerError,
    TransientError,
)
from plexsync.transport.outgoing import (
    AnswerLimits,
    CircuitBreaker,
    OutgoingRequest,
    Repeat,
    RequestRules,
    RetryPolicy,
    Timing,
)
from plexsync.transport.responses import (
    WIRE_FAILURES,
    HttpResponse,
    classify,
    meaning_of,
    redact,
)
from plexsync.transport.sockets import TimedAdapter, read_body
from plexsync.transport.validation import (
    checked_headers,
    checked_proxies,
    checked_url,
    checked_verify,
    is_loopback,
    url_secrets,
)
from plexsync.transport.wording import ServerWords, origin_of, without_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import tenacity

T = TypeVar("T")

AHEAD = "asks for the next page"
"""The name of the thread."""

_END = object()

_GENERIC = frozenset({"", ServerError.remedy, AuthError.remedy})
"""Remedies that name either server: the transport knows which one it is."""

_RETRY = RetryPolicy()
_LIMITS = AnswerLimits(deadline_s=180.0, max_bytes=256 << 20)
_TIMING = Timing()
_WITHOUT_LENGTH = frozenset({"GET", "HEAD"})
"""Requests without a body that do not even say so."""

_ERROR_BODY_BYTES = 1 << 16

_IDLE_LIMIT_S = 15.0
"""Plex closes a connection that is idle for 20 s. Source: docs/plex-api.md 1."""
_LONE_LIMIT_S = 1.0
"""The same for a request that must not be repeated: what the server closes just then looks as if
it had been acted upon. Proxies wait for 5 s and longer; a connection closed before is seen."""


class Transport:
    """The requests to one server all go through one of these. Threads may share it.

    Args:
        base_url: scheme, host, port and sub-path; a user and password in it are sent as Basic
            authentication and treated as secrets.
        name: "Stash" or "Plex", the word for it in messages.
        headers: sent with every request, to this origin only.
        secrets: texts that must appear in no message.
        retry: how often and how long to repeat.
        timeout_s: longest silence: to connect, and from one byte to the next.
        limits: what any answer may take; a request's own limits may be tighter.
        verify: check the certificate; or the path of a CA file to check it with.
        proxy: go through the proxy the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
        breaker: see `CircuitBreaker`.
        on_retry: called before every repetition.
        timing: its clocks, and how it waits.
        adapter: sends instead of the built-in one, which is the one that can interrupt a slow
            drip within a body; others are checked between pieces, and never asked ahead.

    Raises:
        ConfigError: the address or a header cannot be used.
    """

    def __init__(  # noqa: PLR0913 - every edge of the outside world is an argument here
        self,
        base_url: str,
        *,
        name: str,
        headers: Mapping[str, str],
        secrets: tuple[str, ...],
        retry: RetryPolicy = _RETRY,
        timeout_s: float = 30.0,
        limits: AnswerLimits = _LIMITS,
        verify: bool | str = True,
        proxy: bool = False,
        breaker: int = 5,
        on_retry: Callable[[Repeat], None] | None = None,
        timing: Timing = _TIMING,
        adapter: requests.adapters.BaseAdapter | None = None,
    ) -> None:
        self.name = name
        self.base_url = checked_url(base_url, name)
        self.origin = origin_of(self.base_url)
        self._proxies = checked_proxies(self.base_url, name) if proxy else {}
        addresses = (self.base_url, *self._proxies.values())
        self._secrets = (*filter(None, secrets), *chain.from_iterable(map(url_secrets, addresses)))
        own_headers = {
            "User-Agent": f"plexsync/{__version__}",
            "Accept-Encoding": "identity" if is_loopback(self.base_url) else "gzip",
        }
        all_headers = checked_headers(headers, name) | own_headers
        self._template = requests.Request("GET", self.base_url, headers=all_headers).prepare()
        self._root = (self._template.url or "").rstrip("/")
        self._words = ServerWords(name, without_user(self.base_url), has_secret=any(secrets))
        self._timeout_s, self._limits = timeout_s, limits
        self._verify = checked_verify(verify, name)
        self._breaker = CircuitBreaker(breaker)
        self._policy, self._on_retry, self._timing = retry, on_retry, timing
        self._adapter = adapter or TimedAdapter(self._budget_s)
        self._local, self._lock = threading.local(), threading.Lock()
        self._sent: Counter[bool] = Counter()
        self._used_at = timing.monotonic()

    def __repr__(self) -> str:
        return f"Transport({self.name!r}, {self.origin!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections. The transport can be used again."""
        self._adapter.close()

    @property
    def reads(self) -> int:
        """Requests sent that only read, retries included."""
        return self._sent[False]

    @property
    def writes(self) -> int:
        """Requests sent that may have changed something, retries included."""
        return self._sent[True]

    @property
    def down(self) -> bool:
        """Whether the server was given up: every further request fails at once, unsent."""
        return self._breaker.is_open

    def request(
        self, method: str, path_and_query: str, **rules: Unpack[RequestRules]
    ) -> HttpResponse:
        """Send one request and return its complete answer.

        Arguments and errors are those of `ask`.
        """
        task = OutgoingRequest(method, "/" + path_and_query.lstrip("/"), **rules)
        return self._perform(task, lambda answer: answer)

    def ask(
        self,
        method: str,
        path_and_query: str,
        decode: Callable[[HttpResponse], T],
        **rules: Unpack[RequestRules],
    ) -> T:
        """Send one request and return what `decode` makes of its answer.

        A TransientError that `decode` raises is retried like one of the wire: this is for servers
        that say "try again" with a 200.

        Args:
            method: the HTTP method.
            path_and_query: what follows the base URL, percent-encoded.
            decode: reads the answer.
            rules: see `RequestRules`.

        Raises:
            TransientError: it may work later; retries, if allowed, are used up.
            AuthError: credentials are refused or lack a right.
            NotFoundError: status 404.
            WebPageError: a web page came, twice in a row where the request may be repeated.
            BadResponseError: a redirect, another status, too large, or no valid certificate.
            LocalLimitError: this machine has no open files or memory left.
        """
        task = OutgoingRequest(method, "/" + path_and_query.lstrip("/"), **rules)
        return self._perform(task, decode)

    def ahead(self, answers: Iterator[T]) -> Iterator[T]:
        """Return the same answers, the next one asked for while the last one is worked on."""
        return read_ahead(answers) if isinstance(self._adapter, TimedAdapter) else answers

    def _prepared(self, task: OutgoingRequest) -> requests.PreparedRequest:
        """Return a request that is ready to be sent.

        Its address is encoded already: what requests makes of a long edit takes a quarter of the
        time of the whole edit, and leaves it as it is.
        """
        prepared = self._template.copy()
        prepared.method, prepared.body = task.method, task.body
        prepared.url = self._root + task.path
        for header in task.headers:
            requests.utils.check_header_validity(header)
            prepared.headers[header[0]] = header[1]
        if task.body or task.method not in _WITHOUT_LENGTH:
            prepared.headers["Content-Length"] = str(len(task.body or b""))
        return prepared

    # ---- one request, with its retries ---------------------------------------------------------

    def _perform(self, task: OutgoingRequest, decode: Callable[[HttpResponse], T]) -> T:
        """Send, decode, repeat while that makes sense; keep book of failures."""
        self._breaker.check()
        begun = self._timing.monotonic()
        try:
            try:
                value = self._attempt(task, decode)
            except ServerError as error:
                value = self._repeated(task, decode, error, begun)
        except TransientError as error:
            if not task.leaves(error):
                self._breaker.failed(error, write=task.write)
            raise
        except ServerError:
            self._breaker.closed()
            raise
        self._breaker.closed()
        return value

    def _repeated(
        self,
        task: OutgoingRequest,
        decode: Callable[[HttpResponse], T],
        failed: ServerError,
        begun: float,
    ) -> T:
        """Go on after a first attempt that `failed`; raise what the last one raises."""
        import tenacity  # noqa: PLC0415 - on the way that works nothing is repeated

        policy, timing, failures = self._policy, self._timing, [failed]

        def attempt() -> T:
            if failures:
                raise failures.pop()
            return self._attempt(task, decode)

        def enough(state: tenacity.RetryCallState) -> bool:
            spent_s = timing.monotonic() - begun + state.upcoming_sleep
            return state.attempt_number >= policy.attempts or spent_s > policy.seconds

        def wait(seconds: float) -> None:
            timing.sleep(seconds)
            task.before_repeat()

        retrying = tenacity.Retrying(
            stop=enough,
            wait=lambda now: policy.wait_s(now.attempt_number, _error_of(now), timing.random()),
            retry=lambda now: task.bears_repeating(_error_of(now), now.attempt_number, policy),
            sleep=wait,
            before_sleep=partial(self._note_repeat, task),
            reraise=True,
        )
        return retrying(attempt)

    def _note_repeat(self, task: OutgoingRequest, state: tenacity.RetryCallState) -> None:
        error = _error_of(state)
        if self._on_retry is not None and error is not None:
            request = redact(task.where, self._secrets)
            attempt, wait_s = state.attempt_number, state.upcoming_sleep
            self._on_retry(Repeat(self.name, request, attempt, wait_s, error))

    # ---- one attempt ---------------------------------------------------------------------------

    def _attempt(self, task: OutgoingRequest, decode: Callable[[HttpResponse], T]) -> T:
        try:
            answer = self._exchange(task)
            if answer.status not in task.accept_status:
                error = classify(answer, self._words, self._timing.now())
                error.status = answer.status
                raise error
            if answer.body and answer.is_html and not task.takes_web_pages:
                raise self._words.web_page()
            return decode(answer)
        except ServerError as error:
            failure: PlexsyncError = self._clean(error, task)
            cause: BaseException | None = error.__cause__
        except WIRE_FAILURES as error:
            failure = self._clean(self._lost(error), task)
            cause = OSError(redact(f"{type(error).__name__}: {error}", self._secrets))
        # Raised out here, so that no original with an unredacted text hangs on as its context.
        raise failure from cause

    def _exchange(self, task: OutgoingRequest) -> HttpResponse:
        """Send once and read the answer to its end."""
        self._local.limit_s = min(self._limits.deadline_s, task.answer_limits.deadline_s)
        self._local.deadline = self._timing.monotonic() + self._local.limit_s
        self._make_way(task)
        response = self._adapter.send(
            self._prepared(task),
            stream=True,
            timeout=(self._timeout_s, self._timeout_s),
            verify=self._verify,
            proxies=self._proxies,
        )
        try:
            self._breaker.answered()
            body = self._read(response, task)
        finally:
            response.close()
            self._used_at = self._timing.monotonic()
        return HttpResponse(response.status_code, response.headers, body)

    def _read(self, response: requests.Response, task: OutgoingRequest) -> bytes:
        """Return the body; of an answer that is an error anyway, as much as explains it."""
        if response.status_code in task.accept_status:
            max_bytes = min(self._limits.max_bytes, task.answer_limits.max_bytes)
            return read_body(response, max_bytes=max_bytes, budget=self._budget_s)
        try:
            return read_body(response, max_bytes=_ERROR_BODY_BYTES, budget=self._budget_s)
        except (*WIRE_FAILURES, BadResponseError):
            return b""

    def _budget_s(self) -> float:
        """Seconds the next read of this thread's answer may take."""
        deadline: float = self._local.deadline
        return min(self._timeout_s, deadline - self._timing.monotonic())

    def _make_way(self, task: OutgoingRequest) -> None:
        """Count a request; open a new connection where the server may be closing the old one."""
        limit_s = _IDLE_LIMIT_S if task.repeatable else _LONE_LIMIT_S
        with self._lock:  # of several threads the first one closes, before the others begin
            self._sent[task.write] += 1
            now = self._timing.monotonic()
            if now - self._used_at > limit_s:
                self._adapter.close()
                self._used_at = now

    # ---- what went wrong -----------------------------------------------------------------------

    def _lost(self, error: Exception) -> PlexsyncError:
        expired = self._budget_s() <= 0
        limit_s: float = self._local.limit_s if expired else self._timeout_s
        return meaning_of(error, words=self._words, expired=expired, limit_s=limit_s)

    def _clean(self, error: PlexsyncError, task: OutgoingRequest) -> PlexsyncError:
        """Return the same error with a place and a remedy, and without a secret in its texts."""
        if isinstance(error, ServerError) and error.hint in _GENERIC:
            error.hint = self._words.remedy(error)
        error.message = redact(error.message, self._secrets)
        error.context = redact(error.context or task.where, self._secrets)
        error.hint = redact(error.hint, self._secrets)
        error.args = (error.message,)
        return error


def _error_of(state: tenacity.RetryCallState) -> ServerError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ServerError) else None  # a stop is no answer


# ---- One page on its way while the one before is worked on ---------------------------------------


def read_ahead(values: Iterator[T]) -> Iterator[T]:
    """Yield `values` in their order, the next of them worked out meanwhile.

    There is never more than one under way, and none when the walk has ended or is given up. What
    goes wrong is raised where the value is asked for.
    """
    coming = _next_of(values)
    try:
        while (value := coming.result()) is not _END:
            coming = _next_of(values)
            yield value
    except GeneratorExit:
        wait([coming])
        raise


def _next_of(values: Iterator[T]) -> Future[T]:
    """Return the next of some values, which a thread of its own works out; or `_END`.

    Nobody else may ask for any until it is there.
    """
    coming: Future[T] = Future()

    def work() -> None:
        try:
            coming.set_result(next(values, _END))  # type: ignore[arg-type] # read_ahead looks for it
        except BaseException as error:  # noqa: BLE001 - raised where the value is asked for
            coming.set_exception(error)

    try:
        # Whoever ends the program at once does not wait for a server that does not answer.
        Thread(target=work, name=AHEAD, daemon=True).start()
    except RuntimeError:  # this machine has no more threads
        work()
    return coming
