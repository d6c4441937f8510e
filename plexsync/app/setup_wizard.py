"""The first configuration, made by asking a person and the servers. Nothing is asked twice in vain.

The file is written once, at the end, readable by its owner alone; a file that is there is never
touched. Whoever leaves in between has written nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from plexsync.app.doctor import Patient, find_rules, read_sample
from plexsync.config.loader import load_config
from plexsync.errors import AuthError, ConfigError, ServerError
from plexsync.plex.client import PlexClient
from plexsync.stash_client import StashClient
from plexsync.state import DISK, UNREGISTERED_CLIENT_ID, state_errors
from plexsync.sync.connections import plex_transport, stash_transport
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.toml import rules_text, toml_string, toml_value
from plexsync.transport.client import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from plexsync.config.schema import Config
    from plexsync.models import PathRule, Section

STASH_URL = "http://localhost:9999"
PLEX_URL = "http://localhost:32400"

_UNKNOWN_TOKEN = "unknown"  # noqa: S105 - stands for a token until there is one
_IMPATIENT = RetryPolicy(attempts=1, seconds=5.0, first_wait_s=0.2, max_wait_s=1.0)
"""A person waits, and is asked again."""


class Asker(Protocol):
    """A person at a terminal, or a stand-in for one."""

    def tell(self, text: str) -> None:
        """Show a line."""

    def ask(self, question: str, default: str = "") -> str:
        """A line of text; `default` when nothing is typed."""

    def ask_secret(self, question: str) -> str:
        """A line of text that is not shown; "" when nothing is typed."""

    def confirm(self, question: str, *, default: bool) -> bool:
        """Yes or no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """A person's answers."""

    stash_url: str = STASH_URL
    api_key: str = ""
    plex_url: str = PLEX_URL
    token: str = _UNKNOWN_TOKEN
    libraries: tuple[str, ...] = ()
    rules: tuple[PathRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """Asks for everything a configuration needs.

    Args:
        asker: what puts the questions to a person.
        home: the home directory.
        cache: where Plex's listing would lie; nothing is written there.
        now: tells the time, aware UTC.
        learn: receives every secret at once, so that no message ever shows it.
    """

    asker: Asker
    home: Path
    cache: Path
    now: Callable[[], datetime]
    learn: Callable[[str], None]

    def ask_all(self) -> Answers:
        """Ask one thing after the other; each answer is tried before the next question."""
        answers, stash_works = self._ask_stash(Answers())
        answers, sections = self._ask_plex(answers)
        if not sections:
            names = self.asker.ask("Plex libraries, separated by commas (empty: all)")
            return replace(answers, libraries=_split(names))
        answers, chosen = self._choose_libraries(answers, sections)
        if stash_works:
            answers = self._find_rules(answers, chosen)
        return answers

    # ---- Stash

    def _ask_stash(self, answers: Answers) -> tuple[Answers, bool]:
        while True:
            url = self.asker.ask("Address of Stash", answers.stash_url)
            answers = replace(answers, stash_url=url, api_key="")
            while True:
                try:
                    self.asker.tell(self._greet_stash(answers))
                except AuthError as error:
                    self._tell(error)
                    key = self._secret("API key (in Stash: Settings > Security)")
                    if not key:
                        break
                    answers = replace(answers, api_key=key)
                except (ServerError, ConfigError) as error:
                    self._tell(error)
                    if self._takes_it(error):
                        return answers, False
                    answers = replace(answers, stash_url=_next_guess(error, url, STASH_URL))
                    break
                else:
                    return answers, True

    def _greet_stash(self, answers: Answers) -> str:
        with self._patient(answers) as patient:
            server = patient.stash.connect()
            scenes = patient.stash.count()
            many = "1 scene" if scenes == 1 else f"{scenes:,} scenes"
            return f"Stash {server.version} with {many}."

    # ---- Plex

    def _ask_plex(self, answers: Answers) -> tuple[Answers, tuple[Section, ...]]:
        """Also the libraries Plex has; none when it could not be asked."""
        while True:
            url = self.asker.ask("Address of the Plex server", answers.plex_url)
            answers = replace(answers, plex_url=url)
            while True:
                token = self._secret("Token of the Plex server's owner (X-Plex-Token)")
                if not token:
                    break
                answers = replace(answers, token=token)
                try:
                    with self._patient(answers) as patient:
                        server = patient.plex.connect()
                        sections = patient.plex.sections()
                except AuthError as error:
                    self._tell(error)
                except (ServerError, ConfigError) as error:
                    self._tell(error)
                    if self._takes_it(error):
                        return answers, ()
                    answers = replace(answers, plex_url=_next_guess(error, url, PLEX_URL))
                    break
                else:
                    many = "1 library" if len(sections) == 1 else f"{len(sections)} libraries"
                    self.asker.tell(f"Plex {server.version} with {many}.")
                    return answers, sections

    def _choose_libraries(
        self, answers: Answers, sections: Sequence[Section]
    ) -> tuple[Answers, tuple[Section, ...]]:
        for number, section in enumerate(sections, start=1):
            self.asker.tell(f"  {number}  {clean_for_terminal(section.title)}")
        while True:
            typed = self.asker.ask("Which of them, by number, separated by commas (empty: all)")
            numbers = _split(typed)
            if not numbers:
                return answers, tuple(sections)
            known = {str(at): section for at, section in enumerate(sections, start=1)}
            if all(number in known for number in numbers):
                chosen = tuple(known[number] for number in dict.fromkeys(numbers))
                titles = tuple(section.title for section in chosen)
                return replace(answers, libraries=titles), chosen
            self.asker.tell(f"Numbers from 1 to {len(sections)}, please.")

    # ---- path rules

    def _find_rules(self, answers: Answers, sections: Sequence[Section]) -> Answers:
        """Compare where both have their files; whatever goes wrong here can wait."""
        self.asker.tell("Comparing where both servers have their files ...")
        try:
            with self._patient(answers) as patient:
                scenes, items = read_sample(patient, sections)
        except ServerError as error:
            self._tell(error)
            return answers
        rules = find_rules(scenes, items)
        if not rules:
            self.asker.tell("Both see their files under the same names, or have none in common.")
            return answers
        self.asker.tell("They see the same folders under different names:")
        for line in rules_text(rules).splitlines():
            self.asker.tell(f"    {line}")
        keep = self.asker.confirm("Write these rules?", default=True)
        return replace(answers, rules=rules) if keep else answers

    # ---- both

    @contextmanager
    def _patient(self, answers: Answers) -> Iterator[Patient]:
        config = self._config(answers)
        with (
            stash_transport(config, _hear_nothing, retry=_IMPATIENT) as stash,
            plex_transport(config, UNREGISTERED_CLIENT_ID, _hear_nothing, retry=_IMPATIENT) as plex,
        ):
            yield Patient(
                config=config,
                stash=StashClient(stash, url=config.stash.url),
                plex=PlexClient(plex, url=config.plex.url, client_id=UNREGISTERED_CLIENT_ID),
                stash_line=stash,
                plex_line=plex,
                cache=self.cache,
                now=self.now(),
            )

    def _config(self, answers: Answers) -> Config:
        """The answers so far, checked as the file's values will be."""
        variables = {
            "PLEXSYNC_STASH__URL": answers.stash_url,
            "PLEXSYNC_STASH__API_KEY": answers.api_key,
            "PLEXSYNC_PLEX__URL": answers.plex_url,
            "PLEXSYNC_PLEX__TOKEN": answers.token,
        }
        return load_config(None, variables, home=self.home / "nothing-is-read-here")

    def _secret(self, question: str) -> str:
        secret = self.asker.ask_secret(question).strip()
        if secret:
            self.learn(secret)
        return secret

    def _tell(self, error: ServerError | ConfigError) -> None:
        """What is wrong and what to do, without the place: the question just asked is the place."""
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


def require_absent(path: Path) -> None:
    """Make sure that there is no configuration yet.

    Raises:
        ConfigError: there is one.
    """
    if path.exists() or path.is_symlink():
        raise ConfigError(
            "there is a configuration already",
            context=str(path),
            hint="Edit it, or move it away; plexsync config validate checks it.",
        )


def config_text(answers: Answers) -> str:
    """The configuration file."""
    lines = ["# Every key: plexsync config show. What each means: docs/configuration.md.", ""]
    lines += ["[stash]", f"url = {toml_string(answers.stash_url)}"]
    if answers.api_key:
        lines.append(f"api_key = {toml_string(answers.api_key)}")
    lines += [
        "",
        "[plex]",
        f"url = {toml_string(answers.plex_url)}",
        f"token = {toml_string(answers.token)}",
    ]
    if answers.libraries:
        lines.append(f"libraries = {toml_value(answers.libraries)}")
    return "\n".join((*lines, "", rules_text(answers.rules))).rstrip() + "\n"


def write_config(path: Path, text: str) -> None:
    """Write the file, for its owner's eyes only, and never over another one.

    Raises:
        StateError: it cannot be written, or came into being meanwhile.
    """
    with state_errors("create", path):
        DISK.make_directory(path.parent)
        handle = DISK.create(path)
        try:
            DISK.write(handle, text.encode())
            DISK.sync(handle)
        except BaseException:
            DISK.remove(path)
            raise
        finally:
            DISK.close(handle)


# ---- Private -------------------------------------------------------------------------------------


def _next_guess(error: ServerError | ConfigError, typed: str, usual: str) -> str:
    """What to offer after an address that is none: what was meant, or what is usual."""
    if not isinstance(error, ConfigError):
        return typed
    return usual if "://" in typed else f"http://{typed}"


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for piece in text.split(",") if (part := piece.strip()))


def _hear_nothing(message: str) -> None:
    """Send a request, repeat it if need be, and show how it ended."""
