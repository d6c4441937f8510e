"""The first dry run of a library of any size, on servers that cost next to nothing.

    python -m benchmarks.replay [--scenes 100000] [--recorded 1000] [--against REVISION]

What the simulators say of a small library is recorded row by row as it is asked for, and replayed
in as many copies as make the size: each with ids, names and sizes of its own. Printed for this
version, and for REVISION on the same answers: CPU, memory and requests of `run -n`; then what
`http.client` with msgspec takes to download and decode the bytes this version asked for.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from bisect import bisect_right
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from benchmarks.against import check_out, compile_tree, run_in
from benchmarks.incremental import Bench, bench_of, in_step
from plexsync.simulators.http.messages import SimRequest, SimResponse
from plexsync.simulators.library.pairs import LibrarySpec, make_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.against import Cost
    from plexsync.simulators.http.wire import Simulator
    from plexsync.simulators.plex.simulator import PlexSimulator
    from plexsync.simulators.stash.simulator import StashSimulator

_STEP = 100_000
"""What ids grow by from one copy to the next; the recorded ones are smaller."""

_SIZE_STEP = 7919
_ALL = 1_000_000
_JSON = (("Content-Type", "application/json"),)
_MARK = re.compile(r'"\ue000n(\d+)\ue000"|\ue000s(\d+)\ue000|"\ue000z(\d+)\ue000"|\ue000t\ue000')
_DETAILS = re.compile(r"/library/metadata/([\d,]+)(/tree)?")
_PAGING = frozenset({"X-Plex-Container-Start", "X-Plex-Container-Size"})


class Template(NamedTuple):
    """A recorded row: its text with gaps, and for each gap a number and its step, or a name's."""

    text: bytes
    gaps: tuple[tuple[int, int] | None, ...]

    def copy(self, number: int) -> bytes:
        """Return the row of one copy."""
        name = f" r{number}".encode() if number else b""
        return self.text % tuple(
            name if gap is None else b"%d" % (gap[0] + gap[1] * number) for gap in self.gaps
        )


def make_template(row: object) -> Template:
    """Return the template of a row with marked gaps."""
    gaps: list[tuple[int, int] | None] = []

    def note(found: re.Match[str]) -> str:
        number, digits, size = found.groups()
        if size:
            gaps.append((int(size), _SIZE_STEP))
        else:
            gaps.append((int(number or digits), _STEP) if number or digits else None)
        return "\ue001"

    text = _MARK.sub(note, json.dumps(row, ensure_ascii=False, separators=(",", ":")))
    return Template(text.replace("%", "%%").replace("\ue001", "%s").encode(), tuple(gaps))


def _number(value: object) -> str:
    return f"\ue000n{value}\ue000"


def _digits(value: object) -> str:
    return f"\ue000s{value}\ue000"


def _renamed(path: str) -> str:
    """Mark the end of a file's stem."""
    head, dot, tail = path.rpartition(".")
    return f"{head}\ue000t\ue000{dot}{tail}" if dot else f"{path}\ue000t\ue000"


def _mark_file(file: dict[str, Any], path: str) -> None:
    if path in file:
        file[path] = _renamed(file[path])
    if "size" in file:
        file["size"] = f"\ue000z{file['size']}\ue000"


def mark_scene(row: dict[str, Any]) -> dict[str, Any]:
    """Mark what differs from copy to copy of a scene."""
    shot = row.get("paths", {}).get("screenshot")
    if shot:
        mark = f"/scene/{_digits(row['id'])}/"
        row["paths"]["screenshot"] = shot.replace(f"/scene/{row['id']}/", mark)
    row["id"] = _digits(row["id"])
    for file in row.get("files", ()):
        _mark_file(file, "path")
    if row.get("title"):
        row["title"] += "\ue000t\ue000"
    return row


def mark_item(row: dict[str, Any]) -> dict[str, Any]:
    """Mark what differs from copy to copy of an item, or of an item's tree."""
    if "ratingKey" in row:
        row["key"] = f"/library/metadata/{_digits(row['ratingKey'])}"
        row["ratingKey"] = _digits(row["ratingKey"])
    else:
        row["id"] = _number(row["id"])
    if "title" in row:
        row["title"] += "\ue000t\ue000"
    for media in row.get("Media") or row.get("MediaItem") or ():
        for part in media.get("Part") or media.get("MediaPart") or ():
            part["id"] = _number(part["id"])
            _mark_file(part, "file")
    return row


class Replicated:
    """A simulator that answers for many copies of what the one below it holds.

    Args:
        simulator: is asked once for each kind of row.
        copies: how many.
    """

    def __init__(self, simulator: Simulator, copies: int) -> None:
        self._simulator = simulator
        self._copies = copies
        self._kept: dict[str, dict[int, Template]] = {}

    def kind(self, request: SimRequest) -> str:
        """Return what the simulator counts it as."""
        return self._simulator.kind(request)

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer from what was recorded; what is in no copy is answered by the simulator."""
        return self._simulator.handle(request)

    def _templates(
        self, kind: str, record: Callable[[], dict[int, Template]]
    ) -> dict[int, Template]:
        if kind not in self._kept:
            self._kept[kind] = record()
        return self._kept[kind]

    def _named(self, templates: dict[int, Template], ids: Sequence[str]) -> list[bytes]:
        """Return the rows of these ids, as far as they are recorded."""
        wanted = [divmod(int(one), _STEP) for one in ids]
        return [templates[base].copy(number) for number, base in wanted if base in templates]

    def _run(self, templates: dict[int, Template], start: int, size: int) -> list[bytes]:
        """Return `size` rows from `start` on, of all copies one after the other."""
        rows = list(templates.values())
        end = min(start + size, len(rows) * self._copies)
        return [rows[at % len(rows)].copy(at // len(rows)) for at in range(start, end)]


class ReplicatedStash(Replicated):
    """Stash with many copies of its scenes."""

    def handle(self, request: SimRequest) -> SimResponse:
        """See `Replicated`."""
        asked = msgspec.json.decode(request.body) if request.body else {}
        given = asked.get("variables") or {}
        if "ids" in given:
            rows = self._named(
                self._scenes(request, asked, {"ids": self._ids(request)}), given["ids"]
            )
        elif "n" in given and "where" in given:
            start = given["where"]["id"]["value"]
            where = {**given["where"], "id": {"value": 0, "modifier": "GREATER_THAN"}}
            found = self._scenes(request, asked, {"where": where, "n": _ALL})
            number, base = divmod(start, _STEP)
            after = number * len(found) + bisect_right(list(found), base)
            rows = self._run(found, after, given["n"])
        else:
            return self._other(request)
        body = b'{"data":{"findScenes":{"scenes":[' + b",".join(rows) + b"]}}}"
        return SimResponse(200, _JSON, body)

    def _other(self, request: SimRequest) -> SimResponse:
        """Let the simulator answer; of scenes it counts only its own."""
        path = re.sub(r"/scene/(\d+)", lambda m: f"/scene/{int(m[1]) % _STEP}", request.path)
        answer = self._simulator.handle(_at(request, path))
        count = re.fullmatch(rb'\{"data":\{"findScenes":\{"count":(\d+)\}\}\}', answer.body)
        if count is None:
            return answer
        body = b'{"data":{"findScenes":{"count":%d}}}' % (int(count[1]) * self._copies)
        return SimResponse(answer.status, answer.headers, body)

    def _scenes(
        self, request: SimRequest, asked: dict[str, Any], given: dict[str, Any]
    ) -> dict[int, Template]:
        variables = {**asked["variables"], **given}
        body = json.dumps({**asked, "variables": variables}).encode()

        def record() -> dict[int, Template]:
            answer = json.loads(self._simulator.handle(_with_body(request, body)).body)
            rows = answer["data"]["findScenes"]["scenes"]
            return {int(row["id"]): make_template(mark_scene(row)) for row in rows}

        return self._templates(body.decode(), record)

    def _ids(self, request: SimRequest) -> list[str]:
        """Every recorded scene."""
        query = (
            "query All($where: SceneFilterType, $n: Int!) {\n  findScenes(scene_filter: $where, "
        )
        query += 'filter: {sort: "id", direction: ASC, per_page: $n}) { scenes { id } }\n}'
        asked = {"query": query, "variables": {}}
        return [str(one) for one in self._scenes(request, asked, {"where": {}, "n": _ALL})]


class ReplicatedPlex(Replicated):
    """Plex with many copies of its movies and episodes."""

    def handle(self, request: SimRequest) -> SimResponse:
        """See `Replicated`."""
        named = _DETAILS.fullmatch(request.path)
        if named is not None:
            member = "MetadataItem" if named[2] else "Metadata"
            keys = named[1].split(",")
            bases = sorted({str(int(key) % _STEP) for key in keys})
            found: dict[int, Template] = {}
            for base in bases:
                path = f"/library/metadata/{base}{named[2] or ''}"
                found |= self._items(_at(request, path), member)
            return _container(member, self._named(found, keys), {})
        if not request.path.endswith("/all"):
            return self._simulator.handle(request)
        paging = {name: int(value) for name, value in request.query if name in _PAGING}
        query = tuple(pair for pair in request.query if pair[0] not in _PAGING)
        rows = self._items(_at(request, request.path, query), "Metadata")
        start = paging.get("X-Plex-Container-Start", 0)
        page = self._run(rows, start, paging.get("X-Plex-Container-Size", _ALL))
        total = len(rows) * self._copies
        return _container("Metadata", page, {"totalSize": total, "offset": start})

    def _items(self, request: SimRequest, member: str) -> dict[int, Template]:
        def record() -> dict[int, Template]:
            answer = self._simulator.handle(request)
            rows = (
                json.loads(answer.body)["MediaContainer"].get(member, ())
                if answer.status == HTTPStatus.OK
                else ()
            )
            return {
                int(row.get("ratingKey") or row["id"]): make_template(mark_item(row))
                for row in rows
            }

        return self._templates(f"{request.path}?{request.query}", record)


def _container(member: str, rows: Sequence[bytes], more: dict[str, int]) -> SimResponse:
    head = json.dumps({"size": len(rows), **more})[1:-1].encode()
    body = b'{"MediaContainer":{%s,"%s":[%s]}}' % (head, member.encode(), b",".join(rows))
    return SimResponse(200, _JSON, body)


def _at(
    request: SimRequest, path: str, query: tuple[tuple[str, str], ...] | None = None
) -> SimRequest:
    given = request.query if query is None else query
    return SimRequest(request.method, path, given, request.headers, request.body, path)


def _with_body(request: SimRequest, body: bytes) -> SimRequest:
    return SimRequest(
        request.method, request.path, request.query, request.headers, body, request.target
    )


@contextmanager
def replaying(recorded: int, copies: int, seed: int) -> Iterator[Bench]:
    """Both servers with `copies` of a library of `recorded` scenes, and a state directory."""
    library = in_step(make_library(LibrarySpec(seed=seed, scenes=recorded, edited=0.0)))

    def served(stash: StashSimulator, plex: PlexSimulator) -> tuple[Simulator, Simulator]:
        return ReplicatedStash(stash, copies), ReplicatedPlex(plex, copies)

    with bench_of(library, served=served) as bench:
        yield bench


# ---- The yardstick -------------------------------------------------------------------------------


def download(notes: Path) -> None:
    """Ask the noted requests again by http.client, decode the answers; print what it took."""
    size = 0
    connections: dict[str, HTTPConnection] = {}
    asked = [json.loads(line) for line in notes.read_text().splitlines()]
    before = resource.getrusage(resource.RUSAGE_SELF)
    for address, method, target, headers, body in asked:
        connection = connections.setdefault(address, HTTPConnection(urlsplit(address).netloc))
        connection.request(method, target, body.encode() or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        size += len(content)
        if answer.getheader("Content-Type", "").startswith("application/json"):
            msgspec.json.decode(content)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu_s": spent, "requests": len(asked), "bytes": size}))


_KEPT = ("Accept", "Content-Type", "ApiKey", "X-Plex-Token", "Accept-Encoding")


def note_requests(bench: Bench, notes: Path) -> Callable[[], None]:
    """Write down what is asked from now on; returns what ends it."""
    file = notes.open("w")
    places = (
        (bench.stash_wire, bench.environ["PLEXSYNC_STASH__URL"]),
        (bench.plex_wire, bench.environ["PLEXSYNC_PLEX__URL"]),
    )

    def noting(address: str) -> Callable[[SimRequest], None]:
        def note(request: SimRequest) -> None:
            headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
            line = [address, request.method, request.target, headers, request.body.decode()]
            file.write(json.dumps(line) + "\n")

        return note

    for wire, address in places:
        wire.on_request = noting(address)

    def end() -> None:
        for wire, _ in places:
            wire.on_request = None
        file.close()

    return end


# ---- The comparison ------------------------------------------------------------------------------


def show(name: str, cost: Cost, floor_s: float) -> None:
    """Print one line."""
    print(
        f"{name:24}{cost.cpu_s:9.2f}{cost.cpu_s / floor_s:9.1f}{cost.peak_bytes / 1e6:9.0f}"
        f"{cost.stash:9,}{cost.plex:9,}",
        flush=True,
    )


def compare(recorded: int, copies: int, seed: int, revision: str) -> None:
    """Run, download the same, and print."""
    here = Path(__file__).parents[1]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        versions = {"this version": here}
        if revision:
            versions = {revision: check_out(revision, folder), **versions}
        costs = {}
        notes = folder / "asked"
        bench = stack.enter_context(replaying(recorded, copies, seed))
        for name, checkout in versions.items():
            compile_tree(checkout)
            # What one version keeps of a listing would spare the next one its requests.
            bench.environ["CACHE_DIRECTORY"] = mkdtemp(dir=folder)
            end = note_requests(bench, notes)
            costs[name] = run_in(checkout, bench, ("run", "-n", "-q"))
            end()
        command = [sys.executable, "-m", "benchmarks.replay", "--download", str(notes)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        floor = json.loads(done.stdout)
    print(f"first dry run, {recorded * copies:,} scenes ({copies} x {recorded:,})")
    print(f"{'':24}{'CPU s':>9}{'x floor':>9}{'MB':>9}{'Stash':>9}{'Plex':>9}")
    for name, cost in costs.items():
        show(name, cost, floor["cpu_s"])
    print(
        f"{'http.client + msgspec':24}{floor['cpu_s']:9.2f}{1:9.1f}"
        f"    {floor['requests']:,} requests, {floor['bytes'] / 1e6:,.0f} MB"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100_000)
    parser.add_argument("--recorded", type=int, default=1_000, help="scenes of one copy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--against", default="", help="a version to run on the same answers")
    parser.add_argument("--download", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.download:
        download(Path(options.download))
        return
    copies = max(1, options.scenes // options.recorded)
    compare(options.recorded, copies, options.seed, options.against)


if __name__ == "__main__":
    main()
