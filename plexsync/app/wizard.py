"""The first configuration, made by asking a person and the servers. Nothing is asked twice in vain.

Each answer is tried before the next question. Nothing is written here: see `config/files.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from plexsync.app.checkup.doctor import read_sample
from plexsync.app.failures import utc_now
from plexsync.app.opening import Servers, open_servers
from plexsync.app.sign_in import SignInSteps, machine_at
from plexsync.config.files import PLEX_URL, STASH_URL, UNKNOWN_TOKEN, Answers
from plexsync.config.forms import split_list
from plexsync.config.loader import load_config
from plexsync.errors import AuthError, ConfigError, ParseError, ServerError
from plexsync.state import UNREGISTERED_CLIENT_ID
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.toml import rule_arrow
from plexsync.text.words import counted
from plexsync.transport.outgoing import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from plexsync.models import Section

STASH_PORT = 9999
PLEX_PORT = 32400

_IMPATIENT = RetryPolicy(attempts=1, seconds=5.0, first_wait_s=0.2, max_wait_s=1.0)
"""A person waits, and is asked again."""

_AGENTS = {
    "tv.plex.agents.movie": "Plex Movie",
    "tv.plex.agents.series": "Plex Series",
    "com.plexapp.agents.none": "Personal Media",
    "tv.plex.agents.none": "Personal Media",
}
"""What Plex's settings call its agents."""

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


@dataclass(slots=True, kw_only=True)
class Interview(SignInSteps):
    """Asks for everything a configuration needs, and keeps the answers.

    Args:
        asker: what puts the questions to a person.
        learn: receives every secret at once, so that no message ever shows it.
        client_id: returns our stable identifier; called when somebody signs in.
        plex_tv: where plex.tv is; "" where signing in is not offered.
        sleep: waits so many seconds.
        cache: where Plex's listing would lie; nothing is written there.
        answers: those so far.
    """

    cache: Path
    answers: Answers = field(default_factory=Answers)

    def ask_all(self) -> Answers:
        """Ask one thing after the other; each answer is tried before the next question."""
        stash_works = self._ask_stash()
        if self.plex_tv and (found := self.find_server()) is not None:
            self.answers.plex_url, self.answers.token = found
        if sections := self._ask_plex():
            chosen = self._choose_libraries(sections)
            if stash_works:
                self._find_rules(chosen, ask=True)
        else:
            names = self.asker.ask("Plex libraries, separated by commas (empty: all)")
            self.answers.libraries = tuple(split_list(names))
        question = "Keep text typed in Plex by hand? (n: Stash wins)"
        self.answers.keeps_edits = self.asker.confirm(question, default=True)
        return self.answers

    def take_all(self, answers: Answers) -> Answers:
        """Try what is given, and find out the rest without a question.

        Args:
            answers: the addresses, the secrets and perhaps libraries.

        Raises:
            ServerError: a server does not take them.
        """
        self.answers = answers
        self._greet_stash(answers.stash_url)
        with self._open() as servers:
            server = servers.plex.connect()
            sections = servers.plex.sections(answers.libraries)
        self.asker.tell(f"Plex {server.version} with {_libraries(sections)}.")
        self._find_rules(sections, ask=False)
        return answers

    # ---- Stash

    def _ask_stash(self) -> bool:
        """Ask where Stash is; return whether it answers."""
        while True:
            tried = self._ask_address("Address of Stash", self.answers.stash_url, STASH_PORT)
            self.answers.api_key = ""
            url, error = self._first(tried, self._greet_stash, enough=AuthError)
            self.answers.stash_url = url
            if error is None:
                return True
            self._tell(error)
            if isinstance(error, AuthError):
                if self._ask_key():
                    return True
            elif self._takes_it(error):
                return False
            else:
                self.answers.stash_url = STASH_URL

    def _ask_key(self) -> bool:
        """Ask for a key that works; False to ask for the address again."""
        where = "in Stash: Settings > Security"
        while key := self._secret(f"API key ({where}; empty: another address)"):
            self.answers.api_key = key
            try:
                self._greet_stash(self.answers.stash_url)
            except (ServerError, ConfigError) as error:
                self._tell(error)
            else:
                return True
        return False

    def _greet_stash(self, url: str) -> None:
        self.answers.stash_url = url
        with self._open() as servers:
            server = servers.stash.connect()
            scenes = counted(servers.stash.count(), "scene")
        self.asker.tell(f"Stash {server.version} at {url} with {scenes}.")

    # ---- Plex

    def _ask_plex(self) -> tuple[Section, ...]:
        """Ask where Plex is; return its libraries, none when it could not be asked."""
        answers = self.answers
        if answers.token != UNKNOWN_TOKEN and answers.plex_url:
            sections = self._read_libraries()
            if sections is not None:
                return sections
        answers.plex_url = answers.plex_url or PLEX_URL
        while True:
            if not self._ask_plex_address():
                answers.token = self._ask_token("later") or answers.token
                return ()
            if (sections := self._try_tokens()) is not None:
                return sections

    def _try_tokens(self) -> tuple[Section, ...] | None:
        """Return what a token opens; None to ask for the address again."""
        before = self.answers.token
        token = before if before != UNKNOWN_TOKEN else self._ask_token()
        while token:
            self.answers.token = token
            if (sections := self._read_libraries()) is not None:
                return sections
            token = self._ask_token()
        self.answers.token = before
        return None

    def _ask_token(self, empty: str = "another address") -> str:
        return self._secret(f"Token of the Plex server's owner (X-Plex-Token; empty: {empty})")

    def _ask_plex_address(self) -> bool:
        """Ask for an address; return whether a Plex server answers there."""
        ask = partial(machine_at, client_id=UNREGISTERED_CLIENT_ID)
        while True:
            tried = self._ask_address(
                "Address of the Plex server", self.answers.plex_url, PLEX_PORT
            )
            url, error = self._first(tried, ask)
            if error is not None:
                self._tell(error)
            if error is None or self._takes_it(error):
                self.answers.plex_url = url
                return error is None

    def _read_libraries(self) -> tuple[Section, ...] | None:
        """Return the libraries; None, with the reason shown, where token or address are wrong."""
        try:
            with self._open() as servers:
                server = servers.plex.connect()
                sections = servers.plex.sections()
        except (ServerError, ConfigError) as error:
            self._tell(error)
            return None
        place = f"Plex {server.version} at {self.answers.plex_url}"
        self.asker.tell(f"{place} with {_libraries(sections)}.")
        return sections

    def _choose_libraries(self, sections: tuple[Section, ...]) -> tuple[Section, ...]:
        for line in self._library_lines(sections):
            self.asker.tell(line)
        known = {str(at): section for at, section in enumerate(sections, start=1)}
        while True:
            typed = self.asker.ask("Which of them, by number, separated by commas (empty: all)")
            numbers = split_list(typed)
            if not numbers:
                return sections
            if all(number in known for number in numbers):
                chosen = tuple(known[number] for number in dict.fromkeys(numbers))
                self.answers.libraries = tuple(section.title for section in chosen)
                return chosen
            last = len(sections)
            wanted = f"Numbers from 1 to {last}, please." if last > 1 else "1 is the only one."
            self.asker.tell(wanted)

    def _library_lines(self, sections: Sequence[Section]) -> Iterator[str]:
        """Yield number, title, size, kind and agent of each library, in columns."""
        titles = [clean_for_terminal(section.title) for section in sections]
        width = max(map(len, titles))
        with self._open() as servers:
            for number, (title, section) in enumerate(zip(titles, sections, strict=True), start=1):
                try:
                    size = f"{servers.plex.count(section):,}"
                except ServerError:
                    size = "?"
                agent = clean_for_terminal(_AGENTS.get(section.agent, section.agent))
                about = f"{section.kind}s" + (f", {agent}" if agent else "")
                yield f"  {number}  {title:<{width}}  {size:>7} {about}"

    # ---- path rules

    def _find_rules(self, sections: Sequence[Section], *, ask: bool) -> None:
        """Compare where both have their files; whatever goes wrong here can wait."""
        self.asker.tell("Comparing where both servers have their files ...")
        try:
            with self._open() as servers:
                sample = read_sample(servers, sections, cache=self.cache, now=utc_now())
        except ServerError as error:
            self._tell(error)
            return
        rules = sample.proposals()
        if not rules:
            self.asker.tell("Both see their files under the same names, or have none in common.")
            return
        self.asker.tell("They see the same folders under different names:")
        for rule in rules:
            hits, covered = sample.hits(rule)
            self.asker.tell(f"    {rule_arrow(rule)}  fits {hits:,} of {covered:,}")
        if not ask or self.asker.confirm("Write these rules?", default=True):
            self.answers.rules = rules

    # ---- both

    def _ask_address(self, question: str, default: str, port: int) -> tuple[str, ...]:
        """Return what may be meant by the address a person types, likeliest first."""
        while True:
            typed = self.asker.ask(question, default)
            for secret in (*secrets_in(typed), *([typed.strip()] if is_secret(typed) else ())):
                self.learn(secret)
            try:
                return likely_addresses(typed, port)
            except ParseError as error:
                self._tell(error)

    def _first(
        self,
        tried: Sequence[str],
        ask: Callable[[str], object],
        enough: type[ServerError] | tuple[()] = (),
    ) -> tuple[str, ServerError | ConfigError | None]:
        """Return the first address that answers; else the likeliest, and what is wrong there.

        An answer that is an error of the kind `enough` is one, too.
        """
        first: ServerError | ConfigError | None = None
        for url in tried:
            try:
                ask(url)
            except (ServerError, ConfigError) as error:
                if isinstance(error, enough):
                    return url, error
                first = first or error
            else:
                return url, None
        return tried[0], first

    def _open(self) -> AbstractContextManager[Servers]:
        """Open both servers by the answers so far, checked as the file's values will be."""
        variables = {
            "PLEXSYNC_STASH__URL": self.answers.stash_url,
            "PLEXSYNC_STASH__API_KEY": self.answers.api_key,
            "PLEXSYNC_PLEX__URL": self.answers.plex_url,
            "PLEXSYNC_PLEX__TOKEN": self.answers.token,
        }
        config = load_config(None, variables, home=Path("/nowhere"))
        return open_servers(config, UNREGISTERED_CLIENT_ID, retry=_IMPATIENT)

    def _secret(self, question: str) -> str:
        secret = self.asker.ask_secret(question).strip()
        if secret:
            self.learn(secret)
        return secret

    def _tell(self, error: ServerError | ConfigError | ParseError) -> None:
        """Print what is wrong and what to do; the question just asked is the place."""
        words = error.message
        if words.startswith(("must ", "is ")):
            words = f"It {words}"
        self.asker.tell(clean_for_terminal(words))
        if error.hint:
            self.asker.tell(f"  {clean_for_terminal(error.hint)}")

    def _takes_it(self, error: ServerError | ConfigError) -> bool:
        """Whether to go on with what does not work now; what can never work is asked again."""
        if isinstance(error, ConfigError):
            return False
        return self.asker.confirm("Use it all the same?", default=False)


# ---- What an address was meant to be ------------------------------------------------------------


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
    if separator and scheme.lower() not in {"http", "https"}:
        raise ParseError("must start with http:// or https://", hint='Write "http://host:port".')
    if not rest:
        raise ParseError("is no address", hint='Write "http://host:port".')
    return tuple(dict.fromkeys(_candidates(scheme.lower(), rest, usual_port)))


# ---- Private -------------------------------------------------------------------------------------


def _libraries(sections: Sequence[Section]) -> str:
    return counted(len(sections), "library", "libraries")


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
