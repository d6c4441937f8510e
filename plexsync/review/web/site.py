"""The pages of a review and what their buttons do: each press goes to the machine as a key."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from plexsync.models import RatingKey, SceneId
from plexsync.review.given import ANSWER_WORDS
from plexsync.review.interfaces import PASTE, Ending, Mode, Prompt
from plexsync.review.keys import press
from plexsync.review.pictures import PictureCache, PictureKey, PictureKind, fetch_shown
from plexsync.review.queue import Sort
from plexsync.review.selection import Group
from plexsync.review.shown import answer_words, wanted_previews
from plexsync.review.web.pages import group_page, scene_page, shown_changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from plexsync.review.interfaces import LinkPreview
    from plexsync.review.machine import Review
    from plexsync.review.servers import PreviewLoader, ReviewServers
    from plexsync.state import Waiting

GRID_ROWS = 30
"""Pairs of one pattern on one page."""

_HERE = Path(__file__).parent
_FIRST_WAIT_S = 0.2
"""Seconds a page waits for what accepting would change; later it is filled in by itself."""

_LONGEST_WAIT_S = 15.0
_AHEAD = 4
_SCENE_KEYS = frozenset("arnblu")
_GROUP_KEYS = frozenset("arnbl")


class FormFields:
    """The fields of a form, or of the part of an address behind the question mark."""

    def __init__(self, text: str) -> None:
        self._fields = parse_qs(text, keep_blank_values=True, max_num_fields=500)

    def one(self, name: str) -> str:
        """Return the value of a field; "" for none."""
        return self._fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Return every value of a field."""
        return self._fields.get(name, [])


class ReviewSite:
    """The pages of one review.

    Args:
        review: the machine; one request works on it at a time.
        servers: have the pictures.
        loader: knows what accepting would change.
        ended: called when the person is done.
    """

    def __init__(
        self,
        review: Review,
        servers: ReviewServers,
        loader: PreviewLoader,
        *,
        ended: Callable[[], None],
    ) -> None:
        self._review, self._loader = review, loader
        self._ended = ended
        self.lock = threading.Lock()
        self.pictures = PictureCache(partial(fetch_shown, servers, review.queue))
        self._left_out: set[SceneId] = set()
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def application(self) -> Starlette:
        """Return the application; `Guard` must stand before it."""
        pages = {
            "/": self._start,
            "/scene/{scene}": self._scene,
            "/group/{scene}": self._grid,
            "/preview/{scene}/{item}": self._preview,
            "/picture/{kind}/{owner}": self._picture,
            "/end": self._end,
        }
        actions = {
            "/press": self._press,
            "/group": self._answer_group,
            "/arrange": self._arrange,
            "/find": self._find,
            "/add": self._add,
            "/done": self._done,
        }
        return Starlette(
            routes=[
                *(Route(path, _page(handler), methods=["GET"]) for path, handler in pages.items()),
                *(Route(path, _action(one), methods=["POST"]) for path, one in actions.items()),
                Mount("/static", StaticFiles(directory=_HERE / "static")),
            ]
        )

    # ---- Pages -----------------------------------------------------------------------------------

    def _start(self, _request: Request) -> Response:
        with self.lock:
            return self._to_shown()

    def _scene(self, request: Request) -> Response:
        query = FormFields(request.url.query)
        with self.lock:
            waiting = self._open(request.path_params["scene"], query.one("item"))
            if waiting is None:
                return self._unknown()
            self._ask_ahead()
            candidate = self._review.candidate
            scene_id = waiting.scene_id
        if candidate is not None:
            self._wait_for(scene_id, candidate.rating_key, _FIRST_WAIT_S)
        with self.lock:
            if self._open(scene_id, query.one("item")) is None:
                return self._unknown()
            preview = self._known()
            answer, seen = self._answer(), self._seen()
            page = scene_page(self._review, preview, answer=answer, seen=seen)
            self._review.message = ""
        changes = shown_changes(preview) if preview else ()
        return self._render("scene.html", page=page, preview=preview, changes=changes)

    def _preview(self, request: Request) -> Response:
        """Return what accepting would change, as a piece of a page: asked for once it is known."""
        scene_id = SceneId(request.path_params["scene"])
        key = RatingKey(request.path_params["item"])
        with self.lock:
            if self._open(scene_id, key) is None:
                return self._unknown()
            self._ask_ahead()
        self._wait_for(scene_id, key, _LONGEST_WAIT_S)
        with self.lock:
            if self._open(scene_id, key) is None:
                return self._unknown()
            preview = self._known()
            page = scene_page(self._review, preview, answer="", seen="")
        changes = shown_changes(preview) if preview else ()
        return self._render("preview.html", page=page, preview=preview, changes=changes)

    def _grid(self, request: Request) -> Response:
        with self.lock:
            waiting = self._open(request.path_params["scene"])
            if waiting is None:
                return self._unknown()
            alike = self._alike(waiting)
            group = Group(alike[:GRID_ROWS], self._review.answers)
            page = group_page(self._review, group, more=len(alike) - len(group.scenes))
            self._review.message = ""
            following = [key for one in alike[: 2 * GRID_ROWS] for key in _keys_of(one)]
            self.pictures.want(following)
        return self._render("group.html", page=page)

    def _end(self, _request: Request) -> Response:
        with self.lock:
            review = self._review
            counts = [(ANSWER_WORDS[verb], count) for verb, count in review.given.counts().items()]
            values: dict[str, Any] = {
                "left": review.left,
                "counts": counts,
                "writes": len(review.accepted),
                "can_undo": bool(len(review.given)),
                "message": review.message,
                "shown": review.waiting.scene_id if len(review.queue) else "",
            }
            review.message = ""
        return self._render("end.html", **values)

    def _picture(self, request: Request) -> Response:
        try:
            kind = PictureKind(request.path_params["kind"])
        except ValueError:
            return Response(status_code=404)
        found = self.pictures.picture(PictureKey(kind, request.path_params["owner"]))
        if found is None:
            return Response(status_code=404)
        headers = {"Cache-Control": "private, max-age=600"}
        return Response(found.body, media_type=found.content_type, headers=headers)

    # ---- What buttons do -------------------------------------------------------------------------

    def _press(self, form: FormFields) -> Response:
        """Press a key about a scene, as in the terminal."""
        key = form.one("key")
        with self.lock:
            waiting = self._open(form.one("scene"), form.one("item"))
            if waiting is None:
                return self._unknown()
            review = self._review
            if key != "u" and form.one("seen") != self._seen():
                review.message = "It was answered elsewhere meanwhile; look again. Nothing changed."
                return self._to(waiting.scene_id)
            if key == "i":
                press(review, "i")
                press(review, PASTE + form.one("text"))
                press(review, "enter")
            elif key in _SCENE_KEYS or key == "p":
                press(review, key)
            if review.mode is Mode.CONFIRM:
                return self._confirm(key, form)
            return self._to_shown()

    def _confirm(self, key: str, form: FormFields) -> Response:
        """Ask before something bigger; the yes comes as the same press with `yes`."""
        review = self._review
        if form.one("yes"):
            press(review, "y")
            return self._to_shown()
        question = review.question
        scene_id, item = review.waiting.scene_id, form.one("item")
        press(review, "escape")
        review.message = ""
        seen = self._seen()
        return self._render(
            "confirm.html", question=question, key=key, scene_id=scene_id, item=item, seen=seen
        )

    def _answer_group(self, form: FormFields) -> Response:
        """Answer the scenes of a grid, but those that were clicked out."""
        key, chosen = form.one("key"), form.all("in")
        with self.lock:
            review = self._review
            first = self._open(form.one("scene"))
            if first is None or key not in _GROUP_KEYS:
                return self._unknown()
            alike = {one.scene_id: one for one in self._alike(first)}
            scenes = [alike[SceneId(one)] for one in chosen if one in alike]
            self._left_out |= {SceneId(one) for one in form.all("shown")} - set(
                map(SceneId, chosen)
            )
            if scenes:
                self._open(scenes[0].scene_id)
                review.mode, review.group = Mode.GROUP, Group(scenes, review.answers)
                press(review, key)
            return self._after_group(first, form.all("shown"))

    def _after_group(self, first: Waiting, shown: list[str]) -> Response:
        """Go to the rest of the pattern, then to what was left out of it, then on."""
        closed = self._review.given.answered | self._review.given.later
        rest = [one for one in self._alike(first) if one.scene_id not in closed]
        odd = [one for one in map(SceneId, shown) if one not in closed]
        if len(rest) > 1:
            return RedirectResponse(f"/group/{rest[0].scene_id}", status_code=303)
        if odd:
            return self._to(odd[0])
        return self._to_shown()

    def _arrange(self, form: FormFields) -> Response:
        with self.lock:
            sorts = {one.value: one for one in Sort}
            sort = sorts.get(form.one("sort"), self._review.queue.sort)
            self._review.arrange(sort, form.one("words").strip())
            return self._to_shown()

    def _find(self, form: FormFields) -> Response:
        with self.lock:
            waiting = self._open(form.one("scene"))
            if waiting is None:
                return self._unknown()
            text = form.one("text").strip()
            hits, count = self._review.actions.search(text) if text else ((), 0)
            seen = self._seen()
        scene_id = waiting.scene_id
        return self._render(
            "find.html", hits=hits, count=count, text=text, scene_id=scene_id, seen=seen
        )

    def _add(self, form: FormFields) -> Response:
        """Add an item to the candidates, named by its rating key or its address."""
        with self.lock:
            waiting = self._open(form.one("scene"))
            if waiting is None:
                return self._unknown()
            self._review.ask_for(Prompt.ITEM)
            self._review.take_text(form.one("text").strip())
            candidate = self._review.candidate
            item = f"?item={candidate.rating_key}" if candidate else ""
            return RedirectResponse(f"/scene/{waiting.scene_id}{item}", status_code=303)

    def _done(self, form: FormFields) -> Response:
        with self.lock:
            writes = form.one("write") and self._review.accepted
            self._review.ending = Ending.WRITE if writes else Ending.KEEP
        self._ended()
        return self._render("done.html", writes=bool(writes))

    # ---- Private ---------------------------------------------------------------------------------

    def _open(self, scene: str, item: str = "") -> Waiting | None:
        """Show a scene and put a candidate into focus; None for a scene that does not wait."""
        review = self._review
        message = review.message
        if not review.open_scene(SceneId(scene)):
            return None
        review.message = message
        for place, one in enumerate(review.waiting.candidates):
            if one.rating_key == item:
                review.focus = place
        return review.waiting

    def _to_shown(self) -> Response:
        if self._review.mode is Mode.END or not len(self._review.queue):
            return RedirectResponse("/end", status_code=303)
        return self._to(self._review.waiting.scene_id)

    def _to(self, scene_id: SceneId) -> Response:
        return RedirectResponse(f"/scene/{scene_id}", status_code=303)

    def _unknown(self) -> Response:
        return self._render("unknown.html", status=404)

    def _render(self, name: str, *, status: int = 200, **values: object) -> Response:
        text = self._templates.get_template(name).render(values)
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status)

    def _alike(self, waiting: Waiting) -> list[Waiting]:
        """Return the open scenes like one, but those that were left out of a grid before."""
        alike = self._review.queue.alike(waiting, self._review.given.answered)
        return [one for one in alike if one is waiting or one.scene_id not in self._left_out]

    def _known(self) -> LinkPreview | None:
        candidate = self._review.candidate
        known = self._loader.known(self._review.waiting.scene_id)
        return known.get(candidate.rating_key) if candidate else None

    def _wait_for(self, scene_id: SceneId, key: RatingKey, seconds: float) -> None:
        self._loader.wait_for(scene_id, key, seconds)

    def _ask_ahead(self) -> None:
        """Fetch what this page and the next ones show."""
        review = self._review
        self._loader.want(wanted_previews(review))
        last = min(review.at + 1 + _AHEAD, len(review.queue))
        scenes = [review.queue[place] for place in range(review.at, last)]
        self.pictures.want(key for one in scenes for key in _keys_of(one))

    def _answer(self) -> str:
        """Return what was answered about the scene as a whole, in words; "" for nothing."""
        return answer_words(self._review.answers.recorded(self._review.waiting.scene_id))

    def _seen(self) -> str:
        """Return a digest of what stands about the scene on the page."""
        recorded = self._review.answers.recorded(self._review.waiting.scene_id)
        return hashlib.sha256(msgspec.json.encode(recorded)).hexdigest()[:16]


def _keys_of(waiting: Waiting) -> list[PictureKey]:
    """Return the pictures of a scene and its best candidate, the most telling first."""
    best = waiting.candidates[:1]
    posters = [PictureKey(PictureKind.POSTER, one.rating_key) for one in best]
    return [PictureKey(PictureKind.COVER, waiting.scene_id), *posters]


def _page(handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def page(request: Request) -> Response:
        return handler(request)

    return page


def _action(handler: Callable[[FormFields], Response]) -> Callable[[Request], object]:
    async def action(request: Request) -> Response:
        body = await request.body()
        form = FormFields(body.decode("utf-8", "replace"))
        return await run_in_threadpool(handler, form)

    return action
