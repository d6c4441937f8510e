"""The Stash hook against an interpreter that does nothing.

    python -m benchmarks.hook

Stash waits for the hook on every save, so it must cost little more than starting Python. Printed is
its wall time as a ratio to `python -c pass`, the best of several each, taken in turns. Goal: 3.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15


def wall_s(arguments: list[str], content: bytes) -> float:
    """How long one process takes."""
    begun = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *arguments], input=content, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    event = {"args": {"hookContext": {"id": 45, "type": "Scene.Update.Post", "input": None}}}
    content = json.dumps(event).encode()
    nothing, ours = [], []
    with tempfile.TemporaryDirectory() as place:
        for _ in range(ROUNDS):
            nothing.append(wall_s(["-c", "pass"], content))
            ours.append(wall_s(["-m", "plexsync", "hook", "--state-dir", place], content))
        assert len(list((Path(place) / "spool").iterdir())) == ROUNDS
    print(f"plexsync hook {min(ours) * 1000:.0f} ms, python -c pass {min(nothing) * 1000:.0f} ms")
    print(f"ratio {min(ours) / min(nothing):.2f}")


if __name__ == "__main__":
    main()
