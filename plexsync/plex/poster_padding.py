"""Covers made to fit where a poster goes: wide as they are, they would be cut or shrunk there.

The whole cover stands in the middle, over a blurred and darkened enlargement of itself. Needs
Pillow, which comes with the extra `pad`; nothing here is imported where nobody asks for it.
"""

# ruff: noqa: PLC0415 - Pillow is optional, and takes its time to load
from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import TYPE_CHECKING

from plexsync.errors import BadResponseError, ConfigError
from plexsync.text.words import to_install

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from plexsync.models import FieldRule

INSTALL = to_install("pad")

_RECIPE = "pad1"
"""Moves when the same cover comes out otherwise than before: then posters are made again."""

_WIDTH = 1000
"""The widest poster made, in pixels; a smaller cover is not enlarged."""

_WIDE, _TALL = 2, 3
"""The shape of a poster. Source: Plex's own clients."""

_MOST_PIXELS = 64_000_000
"""A cover with more is not looked at: four times what a 4K frame has is no cover."""

_BACKDROP = (24, 36)
"""The size the backdrop is blurred at; enlarging it does most of the blurring."""

_BLUR = 2.0
_DARK = 0.45
_QUALITY = 90

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""What `stash.covers` takes for a picture. Pillow knows more formats than anybody has checked."""

_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    EOFError,
    struct.error,
    zlib.error,
    MemoryError,
)
"""What Pillow raises for damaged pictures. Source: its readers, and the fuzz test beside ours."""


def recipe(rule: FieldRule) -> str:
    """How covers are changed before they are sent; "" for not at all.

    What was made the same way of the same cover is the same picture, whatever version of Pillow
    made it and whatever bytes came out.
    """
    return _RECIPE if rule.pad else ""


def require_pillow() -> None:
    """Make sure that covers can be padded.

    Raises:
        ConfigError: they cannot, because Pillow is not there.
    """
    try:
        import PIL.Image  # noqa: F401 - whether it loads is the question
    except ImportError as error:
        raise ConfigError(
            "padding covers needs Pillow, which is not installed", hint=INSTALL
        ) from error


def fitted(rule: FieldRule, body: bytes) -> bytes:
    """Return what is sent for a cover.

    Raises:
        BadResponseError: it cannot be read as a picture.
        ConfigError: Pillow is needed and not there.
    """
    if not rule.pad:
        return body
    require_pillow()
    return _padded(body)


# ---- Private -------------------------------------------------------------------------------------


def _padded(body: bytes) -> bytes:
    """Return the cover as a JPEG of two by three; one that is as tall already stays as it is."""
    from PIL.Image import DecompressionBombError, DecompressionBombWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken EXIF and the like are no news
            warnings.simplefilter("error", DecompressionBombWarning)
            picture = _opened(body)
            if picture.width * _TALL <= picture.height * _WIDE:
                return body
            out = io.BytesIO()
            _composed(picture).save(out, "JPEG", quality=_QUALITY, subsampling="4:2:0")
            return out.getvalue()
    except (DecompressionBombWarning, DecompressionBombError, *_UNREADABLE) as error:
        raise BadResponseError(
            f"the cover cannot be padded, because it is no sound picture: {error}",
            hint="set another cover in Stash, or switch fields.poster.pad off",
        ) from error


def _opened(body: bytes) -> Picture:
    """Return the first frame, upright, in plain colours.

    Raises:
        ValueError: it has too many pixels to be unpacked.
    """
    from PIL import Image, ImageOps

    picture: Picture = Image.open(io.BytesIO(body), formats=_FORMATS)
    if picture.width * picture.height > _MOST_PIXELS:
        raise ValueError(f"{picture.width} by {picture.height} pixels")
    # A JPEG can be unpacked at a fraction of its size; twice what is needed loses nothing.
    picture.draft(picture.mode, (2 * _WIDTH, 2 * _WIDTH))
    return _plain(ImageOps.exif_transpose(picture))


def _plain(picture: Picture) -> Picture:
    """Return the picture in RGB; what shows through is black."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits of grey, which `convert` would cut off at 8
        picture = picture.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layers = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "black"), layers).convert("RGB")


def _composed(picture: Picture) -> Picture:
    """Return the picture in the middle of its backdrop."""
    from PIL.Image import Resampling

    width = min(picture.width, _WIDTH)
    height = -(-width * _TALL // _WIDE)
    canvas = _backdrop(picture, (width, height))
    inner = max(1, round(picture.height * width / picture.width))
    canvas.paste(picture.resize((width, inner), Resampling.LANCZOS), (0, (height - inner) // 2))
    return canvas


def _backdrop(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return the middle of the picture, as large as the poster, blurred and dark."""
    from PIL import ImageEnhance, ImageFilter
    from PIL.Image import Resampling

    width = max(1, picture.height * _WIDE // _TALL)
    left = (picture.width - width) // 2
    middle = picture.resize(
        _BACKDROP, Resampling.BOX, box=(left, 0, left + width, picture.height)
    ).filter(ImageFilter.GaussianBlur(_BLUR))
    return ImageEnhance.Brightness(middle.resize(size, Resampling.BICUBIC)).enhance(_DARK)
