"""The pages of a review and what their buttons do: each press goes to the machine as a key.

Every text of a server is cleaned where a template writes it.
"""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from plexsync.app.failures import typed_problem
from plexsync.errors import PlexsyncError
from plexsync.matcher import reason_kind
from plexsync.models import Change, Evidence, RatingKey, SceneId, as_problem
from plexsync.review.given import ANSWER_WORDS
from plexsync.review.groups import Group
from plexsync.review.keys import PASTE, press
from plexsync.review.modes import ANSWERED_ELSEWHERE, Ending, Mode, Prompt
from plexsync.review.pictures import PictureCache, PictureKey, PictureKind, shown_picture
from plexsync.review.queue import Sort, first_path, item_name, pattern_lines, scene_name
from plexsync.review.shown import (
    answer_marks,
    answer_words,
    evidence_of,
    facts_of,
    item_place,
    marked_words,
    moved_names,
    notes_of,
    rival_names,
    wanted_previews,
)
from plexsync.stash_client import picture_type
from plexsync.text.differences import Piece, text_pieces
from plexsync.text.normalize import clean_for_terminal, runs_from_right

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from starlette.requests import Request

    from plexsync.review.machine import Review
    from plexsync.state import Waiting


GRID_ROWS = 30
"""Pairs of one pattern on one page."""

_STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"
_BAR_UNITS = 100
_LEAST_BITS = 1.0
_FIRST_WAIT_S = 0.2
"""Seconds a page waits for what accepting would change; later it is filled in by itself."""

_LONGEST_WAIT_S = 5.0
"""Seconds until a page asks once more what accepting would change."""

_AHEAD = 4
_SCENE_KEYS = frozenset("arnblup")
_GROUP_KEYS = frozenset("arnbl")


class _NotWaitingError(Exception):
    """A page or an answer is about a scene that does not wait."""


class ReviewSite:
    """The pages of one review.

    Args:
        review: the machine; one request works on it at a time.
        ended: called when the person is done.
        typed: see `Invocation.typed`.
    """

    def __init__(
        self, review: Review, *, ended: Callable[[], None], typed: Callable[[str], str]
    ) -> None:
        self._review, self._ended, self._typed = review, ended, typed
        self.lock = threading.Lock()
        self.pictures = PictureCache(review, shown_picture)
        self._left_out: set[SceneId] = set()
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_cleaned,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["plain"] = _plain
        named = (first_path, item_name, item_place, marked_words, pattern_lines, reason_kind)
        self._templates.globals.update((one.__name__, one) for one in (*named, scene_name))

    def application(self) -> Starlette:
        """Return the application; `Guard` must stand before it."""
        post = partial(Route, methods=["POST"])
        return Starlette(
            routes=[
                Route("/", self._start),
                Route("/scene/{scene}", self._scene),
                Route("/group/{scene}", self._grid),
                Route("/preview/{scene}/{item}", self._preview),
                Route("/picture/{kind}/{owner}", self._picture),
                Route("/end", self._end),
                post("/press", self._action(self._press)),
                post("/group", self._action(self._answer_group)),
                post("/arrange", self._action(self._arrange)),
                post("/find", self._action(self._find)),
                post("/add", self._action(self._add)),
                post("/done", self._action(self._done)),
                Mount("/static", StaticFiles(directory=_STATIC)),
            ],
            exception_handlers={_NotWaitingError: self._unknown, PlexsyncError: self._failed},
        )

    # ---- Pages -----------------------------------------------------------------------------------

    def _start(self, _request: Request) -> Response:
        with self.lock:
            return self._to_shown()

    def _scene(self, request: Request) -> Response:
        scene, item = request.path_params["scene"], request.query_params.get("item", "")
        self._wait_for_preview(scene, item, _FIRST_WAIT_S)
        with self.lock:
            return self._shown_once(self._page_of("scene.html", scene, item))

    def _preview(self, request: Request) -> Response:
        """Return what accepting would change, as a piece of a page: once it is known, or empty."""
        scene, item = request.path_params["scene"], request.path_params["item"]
        self._wait_for_preview(scene, item, _LONGEST_WAIT_S)
        with self.lock:
            page = self._page_of("preview.html", scene, item)
            candidate = self._review.candidate
            known = candidate is None or self._review.preview(candidate) is not None
            return page if known else Response(status_code=204)

    def _grid(self, request: Request) -> Response:
        with self.lock:
            alike = self._alike(self._open(request.path_params["scene"]))
            group = Group(alike[:GRID_ROWS], self._review.answers)
            self._want_pictures(alike[: 2 * GRID_ROWS])
            page = self._page(
                "group.html",
                review=self._review,
                group=group,
                picks=group.picks(),
                pairs=group.pairs(),
                seen=_marks(group),
                counts={key: group.count(key) for key in "abrnl"},
                more=len(alike) - len(group.scenes),
            )
            return self._shown_once(page)

    def _end(self, _request: Request) -> Response:
        with self.lock:
            given = self._review.given.counts().items()
            counts = [(ANSWER_WORDS[verb], count) for verb, count in given]
            return self._shown_once(self._page("end.html", review=self._review, counts=counts))

    def _picture(self, request: Request) -> Response:
        try:
            kind = PictureKind(request.path_params["kind"])
        except ValueError:
            return Response(status_code=404)
        found = self.pictures.picture(PictureKey(kind, request.path_params["owner"]))
        if found is None:
            return Response(status_code=404)
        headers = {"Cache-Control": "private, max-age=600"}
        return Response(found, media_type=picture_type(found), headers=headers)

    # ---- What buttons do -------------------------------------------------------------------------

    def _press(self, form: QueryParams) -> Response:
        """Press a key about a scene, as in the terminal."""
        review, key = self._review, form.get("key", "")
        waiting = self._open(form.get("scene", ""), form.get("item", ""))
        if key != "u" and form.get("seen") != self._seen():
            review.message = ANSWERED_ELSEWHERE
            return self._to(waiting.scene_id)
        if key == "i":
            press(review, "i")
            press(review, PASTE + form.get("text", ""))
            press(review, "enter")
        elif key in _SCENE_KEYS:
            press(review, key)
        if review.mode is not Mode.CONFIRM:
            return self._to_shown()
        # The yes comes as the same press with `yes`, and counts for the question it was given to.
        question = review.question
        if question is not None and form.get("yes") == _digest(question.headline):
            press(review, "y")
            return self._to_shown()
        press(review, "escape")
        review.message = ""
        return self._page(
            "confirm.html",
            question=question,
            key=key,
            scene_id=review.waiting.scene_id,
            item=form.get("item", ""),
            seen=self._seen(),
            yes=_digest(question.headline) if question else "",
        )

    def _answer_group(self, form: QueryParams) -> Response:
        """Answer the scenes of a grid, but those that were clicked out."""
        review, key = self._review, form.get("key", "")
        first = self._open(form.get("scene", ""))
        if key not in _GROUP_KEYS:
            raise _NotWaitingError
        alike = {one.scene_id: one for one in self._alike(first)}
        marks = (one.partition(" ") for one in form.getlist("seen"))
        seen = {SceneId(scene): mark for scene, _, mark in marks}
        group = Group([alike[one] for one in seen if one in alike], review.answers)
        group.left_out = seen.keys() - {*form.getlist("in")}
        self._left_out |= group.left_out
        if {one: seen[one] for one in seen if one not in group.left_out} != _marks(group):
            review.message = ANSWERED_ELSEWHERE
        elif group.chosen:
            self._open(group.chosen[0].scene_id)
            review.mode, review.group = Mode.GROUP, group
            press(review, key)
        # Go to the rest of the pattern, then to what was left out of it, then on.
        passed = review.given.passed
        rest = [one for one in self._alike(first) if one.scene_id not in passed]
        odd = [one for one in seen if one not in passed]
        if len(rest) > 1:
            return RedirectResponse(f"/group/{rest[0].scene_id}", status_code=303)
        return self._to(odd[0]) if odd else self._to_shown()

    def _arrange(self, form: QueryParams) -> Response:
        sorts = {one.value: one for one in Sort}
        sort = sorts.get(form.get("sort", ""), self._review.queue.sort)
        self._review.arrange(sort, form.get("words", "").strip())
        return self._to_shown()

    def _find(self, form: QueryParams) -> Response:
        waiting = self._open(form.get("scene", ""))
        text = form.get("text", "").strip()
        hits, count = self._review.servers.search(text, waiting.scene) if text else ((), 0)
        return self._page("find.html", hits=hits, count=count, text=text, scene_id=waiting.scene_id)

    def _add(self, form: QueryParams) -> Response:
        """Add an item to the candidates, named by its rating key or its address."""
        waiting = self._open(form.get("scene", ""))
        self._review.ask_for(Prompt.ITEM)
        self._review.take_text(form.get("text", "").strip())
        candidate = self._review.candidate
        item = f"?item={candidate.rating_key}" if candidate else ""
        return self._to(waiting.scene_id, item)

    def _done(self, form: QueryParams) -> Response:
        writes = bool(form.get("write") and self._review.accepted)
        self._review.ending = Ending.WRITE if writes else Ending.KEEP
        self._ended()
        return self._page("done.html", writes=writes)

    # ---- Private ---------------------------------------------------------------------------------

    def _action(
        self, handler: Callable[[QueryParams], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return what does the work of a button with the fields of its form, one at a time."""

        def answer(form: QueryParams) -> Response:
            with self.lock:
                return handler(form)

        async def action(request: Request) -> Response:
            form = QueryParams((await request.body()).decode("utf-8", "replace"))
            return await run_in_threadpool(answer, form)

        return action

    def _open(self, scene: str, item: str = "") -> Waiting:
        """Show a scene and put a candidate into focus.

        Raises:
            _NotWaitingError: the scene does not wait.
        """
        if not self._review.open_scene(SceneId(scene)):
            raise _NotWaitingError
        self._review.focus_on(RatingKey(item))
        return self._review.waiting

    def _unknown(self, _request: Request, _error: Exception) -> Response:
        return self._page("unknown.html", status=404)

    def _failed(self, _request: Request, error: Exception) -> Response:
        """Say what went wrong, as on a full disk; what was not kept can be answered again."""
        problem = typed_problem(as_problem(cast("PlexsyncError", error)), self._typed)
        return self._page("failed.html", status=500, problem=problem)

    def _to_shown(self) -> Response:
        if self._review.mode is Mode.END or not len(self._review.queue):
            return RedirectResponse("/end", status_code=303)
        return self._to(self._review.waiting.scene_id)

    def _to(self, scene_id: SceneId, query: str = "") -> Response:
        return RedirectResponse(f"/scene/{scene_id}{query}", status_code=303)

    def _alike(self, waiting: Waiting) -> list[Waiting]:
        """Return the open scenes like one, but those that were left out of a grid before."""
        alike = self._review.alike(waiting)
        return [one for one in alike if one is waiting or one.scene_id not in self._left_out]

    def _wait_for_preview(self, scene: str, item: str, seconds: float) -> None:
        """Fetch what this page and the next ones show, and wait a while for its comparison."""
        review = self._review
        with self.lock:
            scene_id = self._open(scene, item).scene_id
            candidate = review.candidate
            review.servers.previews.want(wanted_previews(review))
            last = min(review.at + 1 + _AHEAD, len(review.queue))
            self._want_pictures([review.queue[place] for place in range(review.at, last)])
        if candidate is not None:
            review.servers.previews.wait_for(scene_id, candidate.rating_key, seconds)

    def _shown_once(self, page: Response) -> Response:
        """Return a page, and forget the message that stands on it."""
        self._review.message = ""
        return page

    def _page(self, name: str, *, status: int = 200, **values: object) -> Response:
        text = self._templates.get_template(name).render(values)
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)

    def _page_of(self, template: str, scene: str, item: str) -> Response:
        """Return the page of a scene with a candidate in focus, or the part that comes later."""
        review, waiting = self._review, self._open(scene, item)
        candidate, recorded = review.candidate, review.answers.recorded(waiting.scene_id)
        preview = review.preview(candidate) if candidate else None
        evidence = evidence_of(candidate, rival_names(review, candidate)) if candidate else []
        item_key = candidate.rating_key if candidate else None
        return self._page(
            template,
            review=review,
            waiting=waiting,
            candidate=candidate,
            pages=review.servers.pages(waiting.scene_id, item_key),
            preview=preview,
            changes=[(one.field, *_pieces(one)) for one in preview.changes] if preview else [],
            facts=facts_of(review, candidate) if candidate else [],
            bars=evidence_bars(evidence),
            answer=answer_words(recorded),
            marks=answer_marks(recorded),
            notes=notes_of(review),
            # An answer given elsewhere meanwhile is not overwritten without a look.
            seen=self._seen(),
            alike=len(review.alike(waiting)),
            has_frames=any(file.oshash is not None for file in waiting.scene.files),
            sorts=list(Sort),
        )

    def _want_pictures(self, scenes: Iterable[Waiting]) -> None:
        """Fetch the pictures of scenes and their best candidates, the most telling first."""
        keys = []
        for one in scenes:
            keys.append(PictureKey(PictureKind.COVER, one.scene_id))
            keys += [PictureKey(PictureKind.POSTER, best.rating_key) for best in one.candidates[:1]]
        self.pictures.want(keys)

    def _seen(self) -> str:
        """Return a digest of what stands about the scene on the page."""
        return _digest(self._review.answers.recorded(self._review.waiting.scene_id))


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]


def _marks(group: Group) -> dict[SceneId, str]:
    """Return a digest of what a person sees of each chosen scene of a grid."""
    return {key: _digest(seen) for key, seen in group.standing().items()}


# ---- What templates are given --------------------------------------------------------------------


class Bar(NamedTuple):
    """One piece of evidence as a bar: from `start`, `width` units wide."""

    evidence: Evidence
    start: float
    width: float


def evidence_bars(evidence: Sequence[Evidence]) -> list[Bar]:
    """Return evidence as a waterfall: each bar begins where the one before ended."""
    sums = [0.0]
    for one in evidence:
        sums.append(sums[-1] + one.weight)
    least, most = min(sums), max(sums)
    unit = _BAR_UNITS / max(most - least, _LEAST_BITS)
    return [
        Bar(
            evidence=one,
            start=round((min(before, after) - least) * unit, 2),
            width=round(max(abs(after - before) * unit, 0.5), 2),
        )
        for one, before, after in zip(evidence, sums, sums[1:], strict=False)
    ]


def _cleaned(value: object) -> object:
    """Return what a template writes, made harmless; what macros made is so already.

    A text that runs from right to left is an element of its own, so that ours beside it stays.
    """
    if type(value) is not str:
        return value
    text = clean_for_terminal(value)
    return Markup("<bdi>{}</bdi>").format(text) if runs_from_right(text) else text


def _plain(text: str) -> Markup:
    """Return a text made harmless where no element can be: in an attribute, a title, a part."""
    return escape(clean_for_terminal(text))


def _pieces(change: Change) -> tuple[Sequence[Piece], bool]:
    """One change as pieces: characters of texts, names of lists; whether they make up one text."""
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str):
        if before and after:
            found = text_pieces(before, after)
            return found, [mark for mark, _ in found] != ["-", "+"]
        old = ("-", before) if before else (" ", "(empty) ")
        return [old, ("+", after) if after else (" ", " (empty)")], False
    moved, stay = moved_names(change)
    pieces = [*moved, (" ", stay)] if stay else moved
    # Between two names stands a comma, which neither comes nor goes.
    return [part for one in pieces for part in ((" ", ", "), one)][1:], False
