"""The Stash hook against an interpreter that does nothing.

    python -m benchmarks.hook

Stash waits for the hook on every save, so it must cost little more than starting Python. Printed is
its wall time as a ratio to `python -c pass`, the best of many each, taken in turns. Goal: 3. Where
others use the machine, the ratio of CPU times says more.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 40


def cost_s(arguments: list[str], content: bytes) -> tuple[float, float]:
    """How long one process takes, and how much CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *arguments], input=content, stdout=subprocess.DEVNULL, check=True
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    event = {"args": {"hookContext": {"id": 45, "type": "Scene.Update.Post", "input": None}}}
    content = json.dumps(event).encode()
    nothing, ours = [], []
    with tempfile.TemporaryDirectory() as place:
        for _ in range(ROUNDS):
            nothing.append(cost_s(["-c", "pass"], content))
            ours.append(cost_s(["-m", "plexsync", "hook", "--state-dir", place], content))
        assert len(list((Path(place) / "spool").iterdir())) == ROUNDS
    for at, kind in enumerate(("wall", "CPU")):
        one, other = (min(cost[at] for cost in costs) for costs in (ours, nothing))
        print(f"{kind}: plexsync hook {one * 1000:.0f} ms, python -c pass {other * 1000:.0f} ms")
        print(f"{kind} ratio {one / other:.2f}")


if __name__ == "__main__":
    main()
