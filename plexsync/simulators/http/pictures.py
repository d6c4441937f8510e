"""Pictures drawn from a name, so that no two names show the same and nothing has to be stored."""

from __future__ import annotations

import hashlib
import struct
import zlib

_BANDS = 9


def drawn_picture(name: str, width: int, height: int) -> bytes:
    """Return a PNG of that many pixels, in colours of its own; a small one has just one."""
    bands = _BANDS if height > _BANDS else 1
    rows = b"".join(
        (b"\x00" + _colour(f"{name}{place or ''}") * width)
        * (height * (place + 1) // bands - height * place // bands)
        for place in range(bands)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _colour(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:3]


def _chunk(name: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)
