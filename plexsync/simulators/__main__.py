"""Run both simulated servers in a process of their own: `python -m plexsync.simulators`.

Prints one JSON line with the URLs and credentials, and serves until stdin closes or SIGTERM comes.
Meanwhile a line on stdin such as `["stash", "edit_scene", [7], {"title": "New"}]` calls a method of
`stash`, `plex`, or of their `stash.counters`, `plex.counters`; the answer is a line with `result`,
or with `error`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from plexsync.simulators.http.wire import Counters, Fault, Faults, Latency, LoopbackServer, Wired
from plexsync.simulators.library.pairs import Library, LibrarySpec, demo_library, make_library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.simulators.http.exchange import Simulator

API_KEY = "simulated-stash-key"
TOKEN = "simulated-plex-token"  # noqa: S105 - no secret: it opens a simulator


def run_simulators(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it."""
    options = _parser().parse_args(arguments)
    # Late, so that `--help` needs no GraphQL.
    from plexsync.simulators.plex.simulator import PlexSimulator  # noqa: PLC0415 - see above
    from plexsync.simulators.stash.simulator import StashSimulator  # noqa: PLC0415 - see above

    library = _library(options)
    stash = _wired(StashSimulator(library, api_key=API_KEY), options)
    plex = _wired(PlexSimulator(library, token=TOKEN), options)
    # The library stays for good: no collection needs to look through it again.
    gc.collect()
    gc.freeze()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    targets = {
        "stash": stash.simulator,
        "plex": plex.simulator,
        "stash.counters": stash.counters,
        "plex.counters": plex.counters,
    }
    with LoopbackServer(stash) as stash_server, LoopbackServer(plex) as plex_server:
        places = {"stash": stash_server.url, "plex": plex_server.url}
        _say({**places, "api_key": API_KEY, "token": TOKEN, "pid": os.getpid()})
        threading.Thread(target=_obey, args=(targets, ended), daemon=True).start()
        ended.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m plexsync.simulators", description=__doc__)
    parser.add_argument("--scenes", type=int, default=1000, help="size of the library")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another library")
    parser.add_argument("--odd", action="store_true", help="add scenes with edge cases")
    parser.add_argument("--demo", action="store_true", help="the small library of plexsync demo")
    parser.add_argument("--gzip", action="store_true", help="compress answers when asked to")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    return parser


def _library(options: argparse.Namespace) -> Library:
    if options.demo:
        return demo_library()
    return make_library(LibrarySpec(seed=options.seed, scenes=options.scenes, odd=options.odd))


def _wired(simulator: Simulator, options: argparse.Namespace) -> Wired:
    faults = Faults()
    if options.latency:
        faults.add(Fault(None, 1, Latency(options.latency), times=None))
    return Wired(simulator, faults, Counters(keep_targets=False), gzip=options.gzip)


def _obey(targets: Mapping[str, object], ended: threading.Event) -> None:
    """Call what stdin asks for; its end is ours, so that nothing outlives who started us."""
    for line in sys.stdin:
        try:
            _say({"result": _call(targets, json.loads(line))})
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            _say({"error": repr(error)})
    ended.set()


def _call(targets: Mapping[str, object], words: list[Any]) -> object:
    """One call: target, method, and where needed positional and named arguments."""
    target, method, *arguments = words
    positional = arguments[0] if arguments else []
    named = arguments[1] if len(arguments) > 1 else {}
    result: object = getattr(targets[target], method)(*positional, **named)
    return result


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(run_simulators())
