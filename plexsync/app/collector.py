"""The collector of cyclic garbage: seldom at work, and off where nothing makes cycles.

Imports make tens of thousands of values that stay: with the figures Python begins with, looking
through them takes a tenth of the CPU of every short command.

A run makes millions of values that stay and hold no cycles; reading both servers, matching and
writing leave none behind. Looking through them again and again took a sixth of a run's CPU, and
found nothing.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_YOUNGEST = 100_000
"""New values after which the youngest are looked through; Python's own figure is 700 or 2,000."""


def collect_seldom() -> None:
    """Let many more values be made before the next look than Python does."""
    gc.set_threshold(_YOUNGEST, *gc.get_threshold()[1:])


@contextmanager
def uncollected() -> Iterator[None]:
    """Do not look for cyclic garbage meanwhile, and never again in what was imported before."""
    gc.freeze()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        gc.unfreeze()
