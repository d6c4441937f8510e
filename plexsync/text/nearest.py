"""The name a person most likely meant by one that does not exist."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CUTOFF = 0.75
"""How alike two names must be, of 1: a letter exchanged or left out is, another word is not."""


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the one of `known` that is most like `name`, whatever its case; "" for none."""
    spelled = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), spelled, n=1, cutoff=_CUTOFF)
    return spelled[near[0]] if near else ""
