"""The first configuration, made by asking a person and the servers. Nothing is asked twice in vain.

Each answer is tried before the next question. Nothing is written here: see `setup_files.py`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from plexsync.app.checkup.doctor import find_rules, read_sample, rule_hits
from plexsync.app.opening import open_servers
from plexsync.app.setup.addresses import is_secret, likely_addresses, secrets_in
from plexsync.app.setup.sign_in import SignInSteps, machine_at
from plexsync.config.files import PLEX_URL, STASH_URL, UNKNOWN_TOKEN, Answers
from plexsync.config.forms import split_list
from plexsync.config.loader import load_config
from plexsync.errors import AuthError, ConfigError, ParseError, ServerError
from plexsync.state import UNREGISTERED_CLIENT_ID
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.toml import rule_arrow
from plexsync.transport.outgoing import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from plexsync.app.opening import Servers
    from plexsync.app.setup.sign_in import Asker
    from plexsync.config.configuration import Config
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """Asks for everything a configuration needs.

    Args:
        asker: what puts the questions to a person.
        cache: where Plex's listing would lie; nothing is written there.
        now: tells the time, aware UTC.
        learn: receives every secret at once, so that no message ever shows it.
        plex_tv: where plex.tv is; "" where signing in is not offered.
        client_id: returns our stable identifier; called when somebody signs in.
        sleep: waits so many seconds.
    """

    asker: Asker
    cache: Path
    now: Callable[[], datetime]
    learn: Callable[[str], None]
    plex_tv: str = ""
    client_id: Callable[[], str] = lambda: UNREGISTERED_CLIENT_ID
    sleep: Callable[[float], None] = time.sleep

    def ask_all(self) -> Answers:
        """Ask one thing after the other; each answer is tried before the next question."""
        answers, stash_works = self._ask_stash(Answers())
        answers, sections = self._ask_plex(self._sign_in(answers))
        if sections:
            answers, chosen = self._choose_libraries(answers, sections)
            if stash_works:
                answers = self._find_rules(answers, chosen)
        else:
            names = self.asker.ask("Plex libraries, separated by commas (empty: all)")
            answers = replace(answers, libraries=tuple(split_list(names)))
        question = "Keep text typed in Plex by hand? (n: Stash wins)"
        return replace(answers, keeps_edits=self.asker.confirm(question, default=True))

    def take_all(self, answers: Answers) -> Answers:
        """Try what is given, and find out the rest without a question.

        Args:
            answers: the addresses, the secrets and perhaps libraries.

        Raises:
            ServerError: a server does not take them.
        """
        self._greet_stash(answers, answers.stash_url)
        with self._open(answers) as servers:
            server = servers.plex.connect()
            sections = servers.plex.sections(answers.libraries)
        self.asker.tell(f"Plex {server.version} with {_libraries(sections)}.")
        return self._find_rules(answers, sections)

    # ---- Stash

    def _ask_stash(self, answers: Answers) -> tuple[Answers, bool]:
        """Also whether it answers."""
        while True:
            tried = self._ask_address("Address of Stash", answers.stash_url, STASH_PORT)
            keyless = replace(answers, api_key="")
            url, error = self._first(tried, partial(self._greet_stash, keyless), enough=AuthError)
            answers = replace(keyless, stash_url=url)
            if error is None:
                return answers, True
            self._tell(error)
            if isinstance(error, AuthError):
                if (with_key := self._ask_key(answers)) is not None:
                    return with_key, True
            elif self._takes_it(error):
                return answers, False
            else:
                answers = replace(answers, stash_url=STASH_URL)

    def _ask_key(self, answers: Answers) -> Answers | None:
        """Return the answers with a key that works; None to ask for the address again."""
        while key := self._secret("API key (in Stash: Settings > Security)"):
            answers = replace(answers, api_key=key)
            try:
                self._greet_stash(answers, answers.stash_url)
            except (ServerError, ConfigError) as error:
                self._tell(error)
            else:
                return answers
        return None

    def _greet_stash(self, answers: Answers, url: str) -> None:
        with self._open(replace(answers, stash_url=url)) as servers:
            server = servers.stash.connect()
            scenes = servers.stash.count()
            many = "1 scene" if scenes == 1 else f"{scenes:,} scenes"
        self.asker.tell(f"Stash {server.version} at {url} with {many}.")

    # ---- Plex

    def _sign_in(self, answers: Answers) -> Answers:
        if not self.plex_tv:
            return answers
        steps = SignInSteps(
            asker=self.asker,
            learn=self.learn,
            client_id=self.client_id,
            plex_tv=self.plex_tv,
            sleep=self.sleep,
        )
        if (found := steps.find_server()) is None:
            return answers
        address, token = found
        return replace(answers, plex_url=address, token=token)

    def _ask_plex(self, answers: Answers) -> tuple[Answers, tuple[Section, ...]]:
        """Also the libraries Plex has; none when it could not be asked."""
        if answers.token != UNKNOWN_TOKEN and answers.plex_url:
            sections = self._libraries_of(answers)
            if sections is not None:
                return answers, sections
        answers = replace(answers, plex_url=answers.plex_url or PLEX_URL)
        while True:
            answers, answering = self._ask_plex_address(answers)
            if not answering:
                return replace(answers, token=self._ask_token() or answers.token), ()
            if (found := self._with_token(answers)) is not None:
                return found

    def _with_token(self, answers: Answers) -> tuple[Answers, tuple[Section, ...]] | None:
        """Return answers with a token that opens the server; None to ask for the address again."""
        token = answers.token if answers.token != UNKNOWN_TOKEN else self._ask_token()
        while token:
            answers = replace(answers, token=token)
            sections = self._libraries_of(answers)
            if sections is not None:
                return answers, sections
            token = self._ask_token()
        return None

    def _ask_token(self) -> str:
        return self._secret("Token of the Plex server's owner (X-Plex-Token)")

    def _ask_plex_address(self, answers: Answers) -> tuple[Answers, bool]:
        """Return an address, and whether a Plex server answers there."""
        while True:
            tried = self._ask_address("Address of the Plex server", answers.plex_url, PLEX_PORT)
            url, error = self._first(tried, lambda url: machine_at(url, UNREGISTERED_CLIENT_ID))
            if error is None:
                return replace(answers, plex_url=url), True
            self._tell(error)
            if self._takes_it(error):
                return replace(answers, plex_url=url), False

    def _libraries_of(self, answers: Answers) -> tuple[Section, ...] | None:
        """Return the libraries; None, with the reason shown, where token or address are wrong."""
        try:
            with self._open(answers) as servers:
                server = servers.plex.connect()
                sections = servers.plex.sections()
        except (ServerError, ConfigError) as error:
            self._tell(error)
            return None
        place = f"Plex {server.version} at {answers.plex_url}"
        self.asker.tell(f"{place} with {_libraries(sections)}.")
        return sections

    def _choose_libraries(
        self, answers: Answers, sections: Sequence[Section]
    ) -> tuple[Answers, tuple[Section, ...]]:
        for line in self._library_lines(answers, sections):
            self.asker.tell(line)
        while True:
            typed = self.asker.ask("Which of them, by number, separated by commas (empty: all)")
            numbers = split_list(typed)
            if not numbers:
                return answers, tuple(sections)
            known = {str(at): section for at, section in enumerate(sections, start=1)}
            if all(number in known for number in numbers):
                chosen = tuple(known[number] for number in dict.fromkeys(numbers))
                titles = tuple(section.title for section in chosen)
                return replace(answers, libraries=titles), chosen
            self.asker.tell(f"Numbers from 1 to {len(sections)}, please.")

    def _library_lines(self, answers: Answers, sections: Sequence[Section]) -> Iterator[str]:
        """Yield number, title, size, kind and agent of each library, in columns."""
        titles = [clean_for_terminal(section.title) for section in sections]
        width = max(map(len, titles))
        with self._open(answers) as servers:
            for number, (title, section) in enumerate(zip(titles, sections, strict=True), start=1):
                try:
                    size = f"{servers.plex.count(section):,}"
                except ServerError:
                    size = "?"
                agent = clean_for_terminal(_AGENTS.get(section.agent, section.agent))
                about = f"{section.kind}s" + (f", {agent}" if agent else "")
                yield f"  {number}  {title:<{width}}  {size:>7} {about}"

    # ---- path rules

    def _find_rules(self, answers: Answers, sections: Sequence[Section]) -> Answers:
        """Compare where both have their files; whatever goes wrong here can wait."""
        self.asker.tell("Comparing where both servers have their files ...")
        try:
            with self._open(answers) as servers:
                scenes, items = read_sample(servers, sections, cache=self.cache, now=self.now())
        except ServerError as error:
            self._tell(error)
            return answers
        rules = find_rules(scenes, items)
        if not rules:
            self.asker.tell("Both see their files under the same names, or have none in common.")
            return answers
        self.asker.tell("They see the same folders under different names:")
        for rule in rules:
            hits, covered = rule_hits(rule, scenes, items)
            self.asker.tell(f"    {rule_arrow(rule)}  fits {hits:,} of {covered:,}")
        keep = self.asker.confirm("Write these rules?", default=True)
        return replace(answers, rules=rules) if keep else answers

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

    def _open(self, answers: Answers) -> AbstractContextManager[Servers]:
        return open_servers(self._config(answers), UNREGISTERED_CLIENT_ID, retry=_IMPATIENT)

    def _config(self, answers: Answers) -> Config:
        """Return the answers so far, checked as the file's values will be."""
        variables = {
            "PLEXSYNC_STASH__URL": answers.stash_url,
            "PLEXSYNC_STASH__API_KEY": answers.api_key,
            "PLEXSYNC_PLEX__URL": answers.plex_url,
            "PLEXSYNC_PLEX__TOKEN": answers.token,
        }
        return load_config(None, variables, home=Path("/nowhere"))

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


# ---- Private -------------------------------------------------------------------------------------


def _libraries(sections: Sequence[Section]) -> str:
    return "1 library" if len(sections) == 1 else f"{len(sections)} libraries"
