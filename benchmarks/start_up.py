"""What short commands cost against an interpreter that does nothing.

    python -m benchmarks.start_up [--rounds 20]

Stash waits for the hook on every save, monitors ask for the status, and people for help. Printed is
the CPU time of each as a ratio to `python -c pass`, the best of many each, taken in turns. Bytecode
is written first: an environment without it makes every start compile hundreds of modules.
Goals: hook 2.5, --help 5, status 8.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.against import compile_tree
from benchmarks.state import run

EVENT = {"args": {"hookContext": {"id": 45, "type": "Scene.Update.Post", "input": None}}}
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "plexsync hook": ["-m", "plexsync", "hook"],
    "plexsync --help": ["-m", "plexsync", "--help"],
    "plexsync status": ["-m", "plexsync", "status"],
}
SCENES = 1_000


def cost_s(arguments: list[str], environ: dict[str, str]) -> float:
    """CPU seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments],
        input=json.dumps(EVENT).encode(),
        stdout=subprocess.DEVNULL,
        env=environ,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    compile_tree(Path(__file__).parents[1])
    costs: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as place:
        environ = {"PLEXSYNC_STATE_DIR": place, "PYTHONPATH": str(Path(__file__).parents[1])}
        run(Path(place), 1, range(1, SCENES + 1))
        for _ in range(options.rounds):
            for name, arguments in COMMANDS.items():
                costs[name].append(cost_s(arguments, environ))
    floor = min(costs["python -c pass"])
    print(f"{datetime.now(UTC):%Y-%m-%d}, {SCENES:,} scenes remembered")
    for name, found in costs.items():
        print(f"{name:20}{min(found) * 1000:8.1f} ms{min(found) / floor:7.2f} x")


if __name__ == "__main__":
    main()
