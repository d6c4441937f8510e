"""`plexsync report`: gathers what is remembered into one report; only covers are asked of Plex."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING

from plexsync import __version__
from plexsync.app.opening import command_config, open_servers
from plexsync.app.web_addresses import WebAddresses, configured_addresses
from plexsync.errors import ConfigError, NotFoundError, ParseError, ServerError
from plexsync.matcher import reason_kind
from plexsync.models import PICTURE_FIELDS, Outcome, PlexField
from plexsync.output.history import by_item
from plexsync.output.report.values import (
    CoverageLine,
    FailingScene,
    ReasonCount,
    Redaction,
    Report,
    ReportedRun,
    ReportedScene,
    WrittenField,
    WrittenItem,
)
from plexsync.output.status import run_end
from plexsync.planning.relations import name_in, own_studio
from plexsync.planning.retry_schedule import PARKED, iso, iso_before
from plexsync.plex.index import cached_libraries
from plexsync.stash_client import picture_type
from plexsync.state import (
    RunKind,
    cache_directory,
    coverage_part,
    find_run,
    kept_status,
    load_client_id,
    load_state,
    load_waiting,
    read_history,
    review_queue_path,
    state_directory,
)
from plexsync.sync.detection.unversioned import remembered_texts
from plexsync.text.words import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from plexsync.models import Change, RatingKey, SceneId, SceneRecord
    from plexsync.output.console import Invocation
    from plexsync.plex.client import PlexClient
    from plexsync.state import State, Written

_STUDIOS, _SCENES, _REASONS = 40, 300, 40
_RUNS, _ITEMS = 10, 120
_COVERS, _MOST_COVER_BYTES, _MOST_COVERS_BYTES = 120, 60_000, 2_500_000
"""What a page can hold of covers: 5 MB is the most of a report, and base64 makes a third more."""

_SIDE = 160
_SMALL_BYTES = 12_000
"""What a cover is shown as, in pixels, and how large one may be as it is."""

_LOST = "what was found is lost; plexsync review finds it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportScope:
    """What a report is about.

    Args:
        since: a date, or a span of time before now; "" for all that is kept.
        run: only what this run wrote; "" for the last runs.
        library: only this Plex library; "" for all.
        redact: replace titles and paths by stand-ins.
    """

    since: str = ""
    run: str = ""
    library: str = ""
    redact: bool = False


_EVERYTHING = ReportScope()


def make_report(
    invocation: Invocation, environ: Mapping[str, str], scope: ReportScope, *, pictures: bool
) -> Report:
    """Gather a report.

    Args:
        invocation: the options of the command.
        environ: where the directories and the configuration are found.
        scope: what the report is about.
        pictures: ask Plex for covers.

    Raises:
        ConfigError: the configuration or the scope is wrong.
        StateError: what is remembered cannot be read.
    """
    state_dir = state_directory(environ)
    with ExitStack() as stack:
        plex = None
        if pictures:
            config = command_config(invocation)
            client_id = load_client_id(state_dir, create=False)
            plex = stack.enter_context(open_servers(config, client_id)).plex
        state = load_state(state_dir)
        return Gathering(
            state,
            cache_dir=cache_directory(environ),
            now=datetime.now(UTC),
            scope=scope,
            plex=plex,
            addresses=configured_addresses(invocation.config, environ, state.lineage.plex),
        ).report()


class Gathering:
    """Gathers one report.

    Args:
        state: what is remembered.
        cache_dir: what runs found for the scenes that wait.
        now: aware UTC time.
        scope: what the report is about.
        plex: is asked for covers; None to show none.
        addresses: the pages of scenes and items.
    """

    def __init__(
        self,
        state: State,
        *,
        cache_dir: Path,
        now: datetime,
        addresses: WebAddresses,
        scope: ReportScope = _EVERYTHING,
        plex: PlexClient | None = None,
    ) -> None:
        self._state, self._now, self._scope, self._addresses = state, now, scope, addresses
        self._covers = _Covers(plex)
        path = review_queue_path(cache_dir, state.path.parent, state.lineage)
        self._waiting = {one.scene_id: one for one in load_waiting(path, state)}
        self._libraries = cached_libraries(cache_dir, state.lineage.plex)
        self._by_library: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._by_studio: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._failing: list[FailingScene] = []
        self._low: list[SceneId] = []

    def report(self) -> Report:
        """Return the report.

        Raises:
            ConfigError: there is no such run or library, or `since` is neither a date nor a span.
            StateError: what is remembered cannot be read.
        """
        since = _moment(self._scope.since, self._now)
        self._check_library()
        self._count()
        report = self._gathered(since)
        if not self._scope.redact:
            return report
        identity = f"{self._state.lineage.plex}\x1f{self._state.lineage.stash}"
        key = sha256(identity.encode("utf-8", "surrogateescape")).digest()
        return Redaction(key).report(report)

    def _gathered(self, since: str) -> Report:
        runs, state = tuple(self._runs(since)), self._state
        total = sum(self._by_library.values(), Counter[str]())
        missing = self._covers.problem
        reasons = Counter(
            reason_kind(self._waiting[one].match.reason)
            if one in self._waiting
            else "not known any more"
            for one in self._low
        )
        studios = _lines(self._by_studio)
        return Report(
            made_at=iso(self._now),
            version=__version__,
            scope=self._scope_words(),
            coverage=CoverageLine(name="", scenes=total.total(), **total),
            libraries=tuple(_lines(self._by_library)),
            studios=tuple(studios[:_STUDIOS]),
            more_studios=max(len(studios) - _STUDIOS, 0),
            reasons=tuple(
                ReasonCount(reason=reason, count=count)
                for reason, count in reasons.most_common(_REASONS)
            ),
            waiting=tuple(map(self._reported, self._low[:_SCENES])),
            more_waiting=max(len(self._low) - _SCENES, 0),
            runs=runs,
            trend=tuple(
                run for run in state.runs if run.kind is RunKind.RUN and run.started_at >= since
            ),
            failing=tuple(self._failing[:_SCENES]),
            more_failing=max(len(self._failing) - _SCENES, 0),
            collections=() if self._scope.library else kept_status(state.collections()).shares,
            shows=() if self._scope.library else kept_status(state.shows()).shares,
            notes=(f"Some covers are left out: {missing}.",) if missing else (),
        )

    # ---- Scenes ----------------------------------------------------------------------------------

    def _count(self) -> None:
        texts = remembered_texts(self._state)
        for scene_id in self._state.scene_ids():
            record = self._state.get(scene_id)
            library = self._library_of(scene_id, record) if record else ""
            if record is None or not self._is_asked_for(library):
                continue
            part = coverage_part(record.outcome, linked=bool(record.links))
            self._by_library[library][part] += 1
            studio = own_studio(record.related, texts)
            self._by_studio[name_in(texts.get(studio, "")) if studio else ""][part] += 1
            if part == "low":
                self._low.append(scene_id)
            if record.outcome is Outcome.FAILED or record.due_at == PARKED:
                self._failing.append(_failing(scene_id, record, self._addresses))

    def _library_of(self, scene_id: SceneId, record: SceneRecord) -> str:
        for link in record.links:
            return self._libraries.get(link.section_id, f"library {link.section_id}")
        waiting = self._waiting.get(scene_id)
        return waiting.candidates[0].library if waiting and waiting.candidates else ""

    def _is_asked_for(self, library: str) -> bool:
        return not self._scope.library or library.casefold() == self._scope.library.casefold()

    def _check_library(self) -> None:
        known = sorted(set(self._libraries.values()))
        if self._scope.library and not any(map(self._is_asked_for, known)):
            shown = ", ".join(known) or "none; plexsync run reads them"
            raise ConfigError(
                f"no run has seen a library {self._scope.library!r}",
                hint=f"--library takes one of: {shown}",
            )

    def _reported(self, scene_id: SceneId) -> ReportedScene:
        waiting, scene_url = self._waiting.get(scene_id), self._addresses.of_scene(scene_id)
        if waiting is None:
            return ReportedScene(scene_id=scene_id, reason=_LOST, scene_url=scene_url)
        best = next(iter(waiting.candidates), None)
        return ReportedScene(
            scene_id=scene_id,
            title=waiting.scene.title,
            path=waiting.scene.files[0].path if waiting.scene.files else "",
            library=best.library if best else "",
            item=best.title if best else "",
            item_path=best.item_path if best else "",
            reason=waiting.match.reason,
            candidates=waiting.match.candidate_count,
            scene_url=scene_url,
            item_url=self._addresses.of_item(best.rating_key) if best else "",
        )

    # ---- Runs ------------------------------------------------------------------------------------

    def _runs(self, since: str) -> Iterator[ReportedRun]:
        directory = self._state.path.parent
        if self._scope.run:
            wanted = [self._scope.run]
        else:
            wrote = (run for run in read_history(directory) if run.written)
            wanted = [run.run_id for run in wrote if run.started_at >= since][:_RUNS]
        for run_id in wanted:
            log = find_run(directory, run_id)
            written = [
                one
                for one in log.written
                if self._is_asked_for(self._libraries.get(one.plan.section_id, ""))
            ]
            yield ReportedRun(
                run_id=log.run.run_id,
                kind=log.run.kind.value,
                started_at=log.run.started_at,
                end=run_end(log.run),
                items=tuple(self._items(written[:_ITEMS])),
                more=max(len(written) - _ITEMS, 0),
            )

    def _items(self, written: Iterable[Written]) -> Iterator[WrittenItem]:
        """Yield the items of a run; fields and pictures of one item stand together."""
        for parts in by_item(written):
            scene_id, rating_key = parts[0].plan.scene_id, parts[0].plan.rating_key
            changes = [change for part in parts for change in part.plan.changes]
            path = parts[0].plan.path
            outcomes = {part.status.value if part.status else "not known" for part in parts}
            yield WrittenItem(
                scene_id=scene_id,
                rating_key=rating_key,
                title=_title(changes) or path.replace("\\", "/").rpartition("/")[2],
                path=path,
                outcome=", ".join(sorted(outcomes)),
                fields=tuple(self._covers.written(rating_key, change) for change in changes),
                scene_url=self._addresses.of_scene(scene_id),
                item_url=self._addresses.of_item(rating_key),
            )

    def _scope_words(self) -> str:
        scope = self._scope
        words = {"since": scope.since, "run": scope.run}
        words["library"] = "" if scope.redact else scope.library
        return ", ".join(f"{name} {value}" for name, value in words.items() if value)


class _Covers:
    """Fetches the covers of a report, up to what a page can hold."""

    def __init__(self, plex: PlexClient | None) -> None:
        self._plex = plex
        self._left, self._left_bytes = _COVERS, _MOST_COVERS_BYTES
        self.problem = ""

    def written(self, rating_key: RatingKey, change: Change) -> WrittenField:
        """Return one written field, with its covers if it is a picture."""
        return WrittenField(
            field=change.field,
            target=change.target,
            before=change.before,
            after=change.after,
            cover_before=self._cover(rating_key, change.target, str(change.before)),
            cover_after=self._cover(rating_key, change.target, str(change.after)),
        )

    def _cover(self, rating_key: RatingKey, target: PlexField, key: str) -> bytes:
        if self._plex is None or target not in PICTURE_FIELDS or not key or self.problem:
            return b""
        if not self._left or self._left_bytes <= 0:
            self.problem = "a report holds no more"
            return b""
        try:
            body = _small(self._plex.pictures.original(rating_key, key))
        except NotFoundError:
            return b""  # a picture that was replaced long ago may be gone
        except ServerError as error:
            self.problem = error.message
            return b""
        if len(body) > _MOST_COVER_BYTES:
            return b""
        self._left -= 1
        self._left_bytes -= len(body)
        return body


# ---- Private -------------------------------------------------------------------------------------


def _moment(since: str, now: datetime) -> str:
    """Return the ISO time `since` means; "" for the beginning."""
    if not since:
        return ""
    try:
        return iso_before(now, parse_duration(since))
    except ParseError:
        pass
    try:
        moment = datetime.fromisoformat(since)
        return iso((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"--since {since!r} is neither a date nor a span of time",
            hint="Say --since 2026-11-01, 7d or 26h.",
        ) from error


def _lines(counts: dict[str, Counter[str]]) -> list[CoverageLine]:
    """Lines of coverage, the largest first."""
    ordered = sorted(counts.items(), key=lambda one: (-one[1].total(), one[0]))
    return [CoverageLine(name=name, scenes=parts.total(), **parts) for name, parts in ordered]


def _failing(scene_id: SceneId, record: SceneRecord, addresses: WebAddresses) -> FailingScene:
    problem = record.problem
    return FailingScene(
        scene_id=scene_id,
        path=record.links[0].path if record.links else "",
        problem=problem.message if problem else "",
        remedy=problem.hint if problem else "",
        attempts=record.attempts,
        due_at="" if record.due_at == PARKED else record.due_at or "the next run",
        scene_url=addresses.of_scene(scene_id),
        item_url=addresses.of_item(record.links[0].rating_key) if record.links else "",
    )


def _title(changes: Iterable[Change]) -> str:
    """Return the title an item has after a run; "" when the run did not write it."""
    titles = (str(one.after) for one in changes if one.target is PlexField.TITLE)
    return next(titles, "")


def _small(body: bytes) -> bytes:
    """Return a picture as small as a report shows it, where Pillow is installed."""
    if picture_type(body) not in {"image/jpeg", "image/png"}:
        return b""
    if len(body) <= _SMALL_BYTES:
        return body
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an extra
    except ImportError:
        return body
    try:
        with Image.open(BytesIO(body)) as picture:
            picture.thumbnail((_SIDE, _SIDE))
            out = BytesIO()
            picture.convert("RGB").save(out, "JPEG", quality=80)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return b""
    return out.getvalue()
