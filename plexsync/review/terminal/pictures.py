"""Covers beside the facts of a review, on terminals that show pictures.

The screen keeps columns free at the right of the facts and marks where they begin; what belongs
there is drawn over it once it was fetched. textual-image knows how terminals take pictures.
"""

from __future__ import annotations

import io
import logging
from importlib import import_module
from typing import TYPE_CHECKING

from PIL import Image
from rich.segment import Segment
from rich.style import Style

from plexsync.review.modes import Mode
from plexsync.review.pictures import PictureCache, PictureKey, PictureKind, shown_picture
from plexsync.review.terminal.parts import PICTURE_COLUMNS, PICTURE_ROWS, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console, RenderableType

    from plexsync.review.machine import Review

    MakesPicture = Callable[..., RenderableType]
    """What textual-image makes of a picture for one kind of terminal, given width and height."""

_LEAST_COLUMNS = 100
_GAP = 2
_EACH = (PICTURE_COLUMNS - _GAP) // 2
"""Columns of one of the two pictures."""

_CELL_RATIO = 2.0
"""Height of a character by its width, near enough to choose which side of a picture is full."""

_MOST_PIXELS = (640, 480)
"""A picture is made this small once, when it was fetched; a terminal shows fewer."""

_VARIABLES = (
    "GHOSTTY_RESOURCES_DIR",
    "ITERM_SESSION_ID",
    "KITTY_WINDOW_ID",
    "KONSOLE_VERSION",
    "WEZTERM_PANE",
    "XTERM_VERSION",
)
_TERMS = ("contour", "foot", "mlterm", "xterm-ghostty", "xterm-kitty")
_PROGRAMS = ("ghostty", "iTerm.app", "mintty", "rio", "WezTerm")
_MULTIPLEXERS = ("TMUX", "STY")


def picture_maker(environ: Mapping[str, str], console: Console) -> MakesPicture | None:
    """Return what makes pictures for this terminal; None when it shows none.

    The terminal itself is asked what it can do and how large its characters are, but only one that
    is known to answer: a question nobody answers would take the first key that is typed.
    """
    known = (
        any(environ.get(name) for name in _VARIABLES)
        or environ.get("TERM", "").startswith(_TERMS)
        or environ.get("TERM_PROGRAM") in _PROGRAMS
    )
    if not known or any(environ.get(name) for name in _MULTIPLEXERS):
        return None
    logging.getLogger("textual_image").addHandler(logging.NullHandler())  # not onto the screen
    found = import_module("textual_image.renderable")
    makers: tuple[MakesPicture, ...] = (found.SixelImage, found.TGPImage)
    make = next((one for one in makers if one is found.Image), None)
    if make is not None:
        console.measure(make(Image.new("RGB", (1, 1))))
    return make


class TerminalPictures(PictureCache):
    """Draws the cover of a scene and the poster of a candidate beside their facts.

    Args:
        make: see `picture_maker`.
        review: what waits, and who has the pictures; those of nothing else are fetched.
        console: measures; its file is the terminal.
    """

    def __init__(self, make: MakesPicture, review: Review, console: Console) -> None:
        super().__init__(review, make_small)
        self._make, self._console = make, console
        self._pair: list[PictureKey] = []
        self._shown: dict[Place, bytes] = {}

    @property
    def fit(self) -> bool:
        """Whether the terminal is wide enough for them now."""
        return self._console.width >= _LEAST_COLUMNS

    def want_pair(self) -> None:
        """Fetch the pictures of the pair on the screen, unless they were just asked for."""
        review = self._review
        keys: list[PictureKey] = []
        if review.mode in {Mode.SCENE, Mode.PROMPT} and review.candidate is not None:
            keys.append(PictureKey(PictureKind.COVER, review.waiting.scene_id))
            keys.append(PictureKey(PictureKind.POSTER, review.candidate.rating_key))
        if keys != self._pair:
            self._pair = keys
            self.want(keys)

    def forget(self) -> None:
        """Know that the terminal was cleared."""
        self._shown = {}

    def draw(self, place: Place | None) -> bool:
        """Draw what is known and not yet there; False when the terminal must be cleared first.

        Args:
            place: where pictures begin; None when the screen has none.
        """
        wanted: dict[Place, bytes] = {}
        for number, key in enumerate(self._pair if place else ()):
            found = self.known(key)
            if place and found is not None:
                wanted[place[0], place[1] + number * (_EACH + _GAP)] = found
        if any(wanted.get(where) != found for where, found in self._shown.items()):
            return False
        for where, found in wanted.items():
            if where not in self._shown:
                self._draw_one(where, found)
        self._shown = wanted
        return True

    # ---- Private ---------------------------------------------------------------------------------

    def _draw_one(self, place: Place, found: bytes) -> None:
        image = Image.open(io.BytesIO(found))
        if image.width > image.height * _EACH / PICTURE_ROWS / _CELL_RATIO:
            made = self._make(image, width=_EACH, height="auto")
        else:
            made = self._make(image, width="auto", height=PICTURE_ROWS)
        options = self._console.options.update(width=_EACH, height=PICTURE_ROWS)
        for row, text in enumerate(_written(list(self._console.render(made, options)))):
            at = f"\x1b[{place[0] + row + 1};{place[1] + 1}H"
            self._console.file.write(f"\x1b7{at}{text}\x1b8")
        self._console.file.flush()


def make_small(body: bytes | None) -> bytes | None:
    """Return a picture small enough to be drawn at once; None for what is none.

    Only what the page of a review would pass on is read: Pillow knows kinds that start programs.
    """
    found = shown_picture(body)
    if found is None:
        return None
    try:
        with Image.open(io.BytesIO(found)) as image:
            image.thumbnail(_MOST_PIXELS)
            out = io.BytesIO()
            image.convert("RGB").save(out, "PNG")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None  # Pillow's ways to say that it cannot read it
    return out.getvalue()


def _written(segments: list[Segment]) -> Iterator[str]:
    """Yield what to write for a picture, a text for each of its rows; sixels are one text."""
    sixels = next((one.text for one in segments if one.text.startswith("\x1bP")), None)
    if sixels is not None:
        yield sixels
        return
    for line in Segment.split_lines(segments):
        yield "".join((one.style or Style.null()).render(one.text) for one in line)
