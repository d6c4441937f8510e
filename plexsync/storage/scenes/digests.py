"""Digests as rows have them: in base64, a third shorter than in hex digits."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64, unhexlify

ENTRY_CHARACTERS = 8
"""How long the packed digest of a name is, whose hex digits are `text.folding.ENTRY_DIGITS`."""

_PADDING = ("", "===", "==", "=")
_LITERAL = "~"
"""What begins a text that is no hex digits, which base64 never has."""


def pack_digest(text: str) -> str:
    """Return hex digits in base64 without padding; any other text as it is, marked."""
    if not text:
        return ""
    try:
        content = unhexlify(text)
    except ValueError:
        return _LITERAL + text
    if content.hex() != text:
        return _LITERAL + text
    return b2a_base64(content, newline=False).rstrip(b"=").decode()


def unpack_digest(packed: str) -> str:
    """Return what `pack_digest` was given.

    Raises:
        ValueError: it did not make this.
    """
    if not packed:
        return ""
    if packed.startswith(_LITERAL):
        return packed[1:]
    return a2b_base64(packed + _PADDING[len(packed) % 4], strict_mode=True).hex()


def is_packed(packed: str) -> bool:
    """Whether a packed text was hex digits."""
    return not packed.startswith(_LITERAL)
