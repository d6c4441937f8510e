"""Pictures of every kind somebody may have for a cover."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

WIDE = (160, 90)
ORANGE = (230, 140, 30)


def plain(size: tuple[int, int] = WIDE, colour: tuple[int, int, int] = ORANGE) -> Image.Image:
    """One colour, with a white stripe at the left that tells which way is up."""
    picture = Image.new("RGB", size, colour)
    picture.paste((255, 255, 255), (0, 0, max(1, size[0] // 10), size[1]))
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def cover(number: int, size: tuple[int, int] = WIDE) -> bytes:
    """A landscape cover, another one for every number."""
    return encoded(plain(size, (number * 30 % 256, 120, 200)))


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few bytes that would unpack to gigabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            chunk(b"IDAT", zlib.compress(b"\x00" * 1000)),
            chunk(b"IEND", b""),
        )
    )


def sixteen_bits() -> bytes:
    """A grey PNG of 16 bits a pixel, half bright."""
    return encoded(Image.new("I;16", WIDE, 0x8000))


def animated(kind: str) -> bytes:
    """Two frames; the first one is a cover, the second is black."""
    later = Image.new("RGB", WIDE, "black")
    return encoded(plain(), kind, save_all=True, append_images=[later], duration=100)


def on_its_side() -> bytes:
    """A landscape photograph stored upright, as cameras do: EXIF says to turn it."""
    exif = Image.Exif()
    exif[0x0112] = 8
    return encoded(plain((90, 160)), "JPEG", exif=exif, quality=95)
