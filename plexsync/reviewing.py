"""`plexsync review` in a terminal: draws screens, hands over keys, and asks the servers ahead."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
import webbrowser
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import click
from rich.text import Text

from plexsync.compose import reconcile_once
from plexsync.compose_review import Room, open_room
from plexsync.config_edit import add_path_rule, remove_path_rule, rule_text
from plexsync.config_schema import ENV_PATHS
from plexsync.console import is_terminal, make_console
from plexsync.errors import ConfigError, ExitCode, InterruptedRunError, ServerError
from plexsync.keyboard import Keyboard, keys_of_line, single_keys
from plexsync.models import RatingKey
from plexsync.normalize import clean_for_terminal, fold
from plexsync.plex_index import cached_items
from plexsync.plex_server import item_address
from plexsync.ports import RunOptions
from plexsync.recalled import Comparison
from plexsync.review import MOST_HITS, Ending, Hit, Mode, Review
from plexsync.review_screen import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

    from rich.console import Console

    from plexsync.cli_options import Session
    from plexsync.console import Streams
    from plexsync.models import PathRule, PlexItem, SceneId

_REST_AFTER_S = 300.0
"""Seconds without a key after which the lock is let go, so that runs can work."""

_DOWN_FOR_S = 30.0
"""Seconds a server that failed is not asked again."""

_LINE_WAIT_S = 3.0
"""Seconds a line terminal, which cannot redraw, waits for what a candidate would change."""

_KEY = re.compile(r"(?:\A|metadata(?:/|%2F))([1-9][0-9]{0,18})(?:\D|\Z)", re.IGNORECASE)


def review_by_keys(session: Session, streams: Streams) -> int:
    """`plexsync review` without a subcommand.

    Returns:
        The exit code: that of the run if one was asked for.

    Raises:
        ConfigError: there is no terminal.
        StateError: what is remembered cannot be read or written.
    """
    if session.shape.json or session.shape.jsonl:
        raise click.UsageError("Keys have no JSON; plexsync review list --json has.")
    if not (is_terminal(streams.stdin) and is_terminal(streams.stdout)):
        raise ConfigError(
            "a review by keys needs a terminal",
            hint="plexsync review list shows what waits; review -h names the other commands",
        )
    console = make_console(streams.stdout, no_color=session.shape.no_color)
    with open_room(session, os.environ) as room:
        for note in room.notes:
            console.print(Text(clean_for_terminal(note), style="yellow"))
        if not room.waiting:
            console.print(Text("Nothing waits for review."))
            return ExitCode.OK
        office = Office(room)
        review = Review(room.waiting, room.desk, office)
        with _ends_well(console, review):
            _sit(review, room, office, console, streams=streams)
            while review.ending is Ending.PLAN:
                room.desk.rest()
                console.print()
                options = RunOptions(dry_run=True, scenes=review.accepted)
                reconcile_once(session, options, streams)
                review.ending, review.mode = None, Mode.END
                _sit(review, room, office, console, streams=streams, fresh=False)
    if review.ending is Ending.WRITE:
        console.print()
        return reconcile_once(session, RunOptions(scenes=review.accepted), streams)
    _say_kept(console, review)
    return ExitCode.OK


# ---- The world around ----------------------------------------------------------------------------


class Office:
    """Searches, finds, opens and configures; see `review.Outside`.

    Args:
        room: what there is.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._items: tuple[PlexItem, ...] | None = None
        self._added: list[PathRule] = []
        self.asking = threading.Lock()
        """Held while a server is asked: the clients are for one thread at a time."""

    def search(self, text: str) -> tuple[tuple[Hit, ...], int]:
        """Every word must be in title or path, case aside; short titles first."""
        wanted = fold(text).split()
        found = []
        for item in self._listing():
            path = item.files[0].path if item.files else ""
            where = fold(f"{item.title}\x00{path}")
            if item.files and not item.trashed and all(word in where for word in wanted):
                found.append(item)
        found.sort(key=lambda item: (len(item.title), item.title, item.rating_key))
        return tuple(Hit(item=item) for item in found[:MOST_HITS]), len(found)

    def find(self, text: str) -> Hit:
        """From the listing, else from Plex itself.

        Raises:
            ConfigError: it is neither a rating key nor an address with one.
            ServerError: Plex has no such item, or is away.
        """
        key = _KEY.search(text.strip())
        if key is None:
            raise ConfigError("That is neither a rating key nor a Plex address")
        for item in self._listing():
            if item.rating_key == key[1] and item.files and not item.trashed:
                return Hit(item=item)
        with self.asking:
            return Hit(item=self._room.recaller.item(RatingKey(key[1])))

    def browse(self, scene_id: SceneId, rating_key: RatingKey | None) -> str:
        """Open both where there is a screen; else say where they are."""
        addresses = [self._room.scene_url(scene_id)]
        if rating_key is not None:
            machine = self._room.desk.state.lineage.plex
            addresses.append(
                item_address(self._room.config.plex.url.rstrip("/"), machine, rating_key)
            )
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            for address in addresses:
                webbrowser.open(address)
        return "  ".join(addresses)

    def rules(self) -> Sequence[PathRule]:
        """Those of the configuration, and those added since."""
        return (*self._room.config.paths, *self._added)

    def add_rule(self, rule: PathRule) -> str:
        """Append it to the configuration file.

        Raises:
            ConfigError: there is no file, or rules do not come from it.
        """
        source = self._room.config.source
        if source is None or ENV_PATHS in os.environ:
            shown = "; ".join(rule_text(rule).splitlines())
            where = f"{ENV_PATHS} is set" if source else "there is no configuration file"
            raise ConfigError(f"{where}, so the rule has to be added by hand", hint=shown)
        add_path_rule(source, rule)
        self._added.append(rule)
        return f"Added to {source}. u takes it out again."

    def remove_rule(self, rule: PathRule) -> None:
        """Take it out of the file.

        Raises:
            ConfigError: the file was changed since.
        """
        if self._room.config.source is not None:
            remove_path_rule(self._room.config.source, rule)
        self._added.remove(rule)

    def _listing(self) -> tuple[PlexItem, ...]:
        if self._items is None:
            machine = self._room.desk.state.lineage.plex
            self._items = cached_items(self._room.cache_dir, machine)
        return self._items


class Ahead:
    """Compares scenes with their candidates before they come to the screen.

    Args:
        office: whose lock is held while a server is asked.
        room: whom to ask.
        ring: called when something new is known.
    """

    def __init__(self, office: Office, room: Room, ring: Callable[[], None]) -> None:
        self._office, self._room, self._ring = office, room, ring
        self._wanted: list[tuple[SceneId, tuple[RatingKey, ...]]] = []
        self._known: dict[SceneId, dict[RatingKey, Comparison]] = {}
        self._changed = threading.Condition()
        self._down_until = 0.0
        self._problem = ""
        self._closed = False
        # A server that hangs must not keep the program from ending.
        threading.Thread(target=self._work, daemon=True).start()

    def want(self, wanted: Sequence[tuple[SceneId, tuple[RatingKey, ...]]]) -> None:
        """Say what is needed next, the most urgent first; what was wanted before is dropped."""
        with self._changed:
            self._wanted = list(wanted)
            self._changed.notify_all()

    def known(self, scene_id: SceneId) -> Mapping[RatingKey, Comparison]:
        """What is known of a scene's candidates by now."""
        with self._changed:
            return dict(self._known.get(scene_id, {}))

    def pause(self, seconds: float) -> None:
        """Wait until something new is known, at most so long."""
        with self._changed:
            self._changed.wait(max(seconds, 0.0))

    def close(self) -> None:
        """Ask nothing more."""
        with self._changed:
            self._closed = True
            self._wanted = []
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                job = self._next()
                while job is None and not self._closed:
                    self._changed.wait()
                    job = self._next()
                if job is None:
                    return
            scene_id, keys = job
            found = self._compare(scene_id, keys)
            with self._changed:
                self._known.setdefault(scene_id, {}).update(found)
                self._changed.notify_all()
            self._ring()

    def _next(self) -> tuple[SceneId, tuple[RatingKey, ...]] | None:
        for scene_id, keys in self._wanted:
            known = self._known.get(scene_id, {})
            lost = tuple(key for key in keys if key not in known)
            if lost:
                return scene_id, lost
        return None

    def _compare(
        self, scene_id: SceneId, keys: tuple[RatingKey, ...]
    ) -> Mapping[RatingKey, Comparison]:
        if time.monotonic() < self._down_until:
            return {key: Comparison(problem=self._problem) for key in keys}
        with self._office.asking:
            room = self._room
            try:
                return room.recaller.compare(scene_id, keys, room.desk.state)
            except ServerError as error:
                self._problem = error.message
                self._down_until = time.monotonic() + _DOWN_FOR_S
        return {key: Comparison(problem=self._problem) for key in keys}


# ---- Sitting -------------------------------------------------------------------------------------


def _sit(
    review: Review,
    room: Room,
    office: Office,
    console: Console,
    *,
    streams: Streams,
    fresh: bool = True,
) -> None:
    """One sitting, until a person ends it. `fresh`: begin with a clean screen."""
    assert streams.stdin is not None  # noqa: S101 - a terminal, which was checked
    hear, ring = os.pipe()
    os.set_blocking(ring, False)
    handle = streams.stdin.fileno()
    with ExitStack() as stack:
        stack.callback(os.close, hear)
        bell = _Bell(ring)
        stack.callback(bell.close)
        ahead = Ahead(office, room, bell.ring)
        stack.callback(ahead.close)
        stack.enter_context(_window_changes(bell.ring))
        dumb = os.environ.get("TERM", "dumb") == "dumb"
        if not dumb and stack.enter_context(single_keys(handle)):
            keyboard = Keyboard(handle, hear)
            _by_keys(review, room, ahead, console, keyboard=keyboard, fresh=fresh)
        else:
            _by_lines(review, ahead, console, streams)


class _Bell:
    """Wakes the one who waits for keys."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._open = True

    def ring(self) -> None:
        with self._lock:
            if self._open:
                try:
                    os.write(self._handle, b"!")
                except BlockingIOError:
                    return  # it rings already

    def close(self) -> None:
        with self._lock:
            self._open = False
            os.close(self._handle)


def _by_keys(
    review: Review,
    room: Room,
    ahead: Ahead,
    console: Console,
    *,
    keyboard: Keyboard,
    fresh: bool,
) -> None:
    """Draw, wait for a key, press it."""
    clear = fresh
    while review.ending is None:
        ahead.want(review.wanted())
        _paint(review, ahead, console, clear=clear)
        keys = keyboard.read(_REST_AFTER_S)
        clear = True
        if keys is None:
            review.ending = Ending.KEEP
            return
        if keyboard.idle:
            room.desk.rest()
        for key in keys:
            if review.ending is None:
                review.press(key)


def _by_lines(review: Review, ahead: Ahead, console: Console, streams: Streams) -> None:
    """The same a line at a time, for terminals that cannot be drawn on."""
    assert streams.stdin is not None  # noqa: S101 - a terminal, which was checked
    while review.ending is None:
        ahead.want(review.wanted())
        _wait_for(review, ahead)
        for line in draw(review, console, compared=_known(review, ahead), marks=True):
            console.print(line)
        console.print("> ", end="")
        console.file.flush()
        text = streams.stdin.readline()
        if not text:
            review.ending = Ending.KEEP
            return
        for key in keys_of_line(text, typing=review.mode is Mode.PROMPT):
            review.press(key)


def _wait_for(review: Review, ahead: Ahead) -> None:
    """Give the servers a moment: a line that was printed cannot be drawn again."""
    deadline = time.monotonic() + _LINE_WAIT_S
    while review.mode is Mode.SCENE and time.monotonic() < deadline:
        if review.candidate is None or review.candidate.rating_key in _known(review, ahead):
            return
        ahead.pause(deadline - time.monotonic())


def _paint(review: Review, ahead: Ahead, console: Console, *, clear: bool) -> None:
    width, height = console.size
    marks = console.color_system is None or console.no_color
    lines = draw(
        review, console, compared=_known(review, ahead), marks=marks, height=max(height, 10)
    )
    if clear:
        console.clear()
    for line in lines:
        line.truncate(width)
        console.print(line, no_wrap=True, crop=True)


def _known(review: Review, ahead: Ahead) -> Mapping[RatingKey, Comparison]:
    return ahead.known(review.waiting.scene_id) if review.queue else {}


# ---- Ending --------------------------------------------------------------------------------------


@contextmanager
def _ends_well(console: Console, review: Review) -> Iterator[None]:
    """However a sitting is cut off, say that nothing is lost, with the terminal as it was."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(ExitCode.TERMINATED)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        # A terminal that is gone took whoever would read this with it.
        with suppress(OSError):
            _say_kept(console, review)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _window_changes(ring: Callable[[], None]) -> Iterator[None]:
    """Draw again when the window changes, or the program comes back from a pause."""

    def redraw(_number: int, _frame: FrameType | None) -> None:
        ring()

    before = signal.signal(signal.SIGWINCH, redraw)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _say_kept(console: Console, review: Review) -> None:
    answered = len(review.answered)
    console.print()
    if answered:
        scenes = "1 scene is" if answered == 1 else f"{answered:,} scenes are"
        console.print(Text(f"{scenes} answered, and every answer is kept."))
    if review.accepted:
        console.print(Text("To write what was accepted:"))
        console.print(Text("    plexsync run"))
    left = len(review.queue) - answered
    if left:
        console.print(Text(f"{left:,} still wait."))
