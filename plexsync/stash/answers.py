"""What every answer of Stash is wrapped in: one typed decode, row by row where one is odd.

A GraphQL answer is judged by its `errors`, not by its status: resolver failures come with 200.
Source: docs/stash-api.md 1.4 (errors).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import msgspec

from plexsync.errors import BadResponseError, NotFoundError, ServerError, TransientError
from plexsync.models import SceneId
from plexsync.stash.wire import Reference, ScenePage, Wire
from plexsync.transport.responses import HttpResponse

T = TypeVar("T")

_MOST_UNREADABLE = 0.5
_FEW_ROWS = 10
"""More scenes than these of one page that cannot be read are no odd scenes, but another Stash."""

_LONGEST_WORDS = 300
_FIELD = re.compile(
    r"""field ["'](?P<field>\w+)["'](?: on type ["'](?P<type>\w+)["'])?""", re.IGNORECASE
)
"""How both gqlparser and others name a field in an error of validation."""

_TRANSIENT = ("database is locked", "beginning transaction", "context canceled")
_NOT_READY = "nil pointer dereference"
_MISSING_SCENE = re.compile(r"scene with id (\d{1,19}) not found")
_MISSING_OTHER = re.compile(r"with id \d+ not found")
_POISONED_SCENE = re.compile(r"single scene id (\d{1,19})\b")

# ---- errors --------------------------------------------------------------------------------------


class MissingSceneError(NotFoundError):
    """A query by ids named a scene that is gone."""

    def __init__(self, scene_id: SceneId) -> None:
        super().__init__(f"scene {scene_id} is gone from Stash")
        self.scene_id = scene_id


class ResolverError(BadResponseError):
    """Stash fails to answer again and again; `scene_id` when its answer names the scene."""

    def __init__(self, words: str) -> None:
        super().__init__(f"Stash answers with an error: {words}")
        self.words = words
        named = _POISONED_SCENE.search(words)
        self.scene_id = SceneId(named.group(1)) if named else None


class UnknownShapeError(BadResponseError):
    """An answer has another shape than every Stash we know gives it."""

    remedy = (
        "check that [stash] url leads to Stash itself; a Stash newer than this plexsync may need a "
        "newer plexsync"
    )


class NotUnderstoodError(BadResponseError):
    """Stash has not the schema a query is made for.

    Args:
        words: what it says about that.
    """

    remedy = (
        "a Stash newer than this plexsync may have taken something away: look for a newer "
        "plexsync; one older than v0.27.0 needs an upgrade; anything else is no Stash: check "
        "[stash] url"
    )

    def __init__(self, words: str) -> None:
        shown = words[:_LONGEST_WORDS]
        super().__init__(f"Stash does not understand the question: {shown}")
        self.words = words

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield each field it complains about: its type's name, "" where it has none, its own."""
        for found in _FIELD.finditer(self.words):
            yield found["type"] or "", found["field"]


class UnreadableRow(NamedTuple):
    """An object of which something has a type Stash never gave it.

    Attributes:
        id: of the object.
        why: what is wrong with it, without a value.
    """

    id: str
    why: str


Rows = tuple[T | UnreadableRow, ...]
"""The scenes of one answer."""


# ---- what every answer is wrapped in -------------------------------------------------------------


class _Extensions(Wire, frozen=True):
    code: str | None = None


class _GraphqlError(Wire, frozen=True):
    message: str = ""
    extensions: _Extensions | None = None


class _Errors(Wire, frozen=True):
    errors: tuple[_GraphqlError, ...] | None = None


class _Envelope(_Errors, Generic[T], frozen=True):
    data: T | None = None


# ---- decoding ------------------------------------------------------------------------------------


def decoder_of(kind: type[T]) -> Callable[[HttpResponse], T]:
    """Return a function that turns an answer into its `data`, of type `kind`.

    It raises what `of_errors` says for an answer with errors, TransientError for one that is not
    JSON, and BadResponseError for one of another shape.
    """
    decoder: msgspec.json.Decoder[_Envelope[T]] = msgspec.json.Decoder(_Envelope[kind])  # type: ignore[valid-type] # a type argument made at run time

    def decode(answer: HttpResponse) -> T:
        envelope = _envelope(decoder, answer.body)
        if envelope.errors:
            raise of_errors(envelope.errors)
        if envelope.data is None:
            raise UnknownShapeError("Stash answers without data and without an error")
        return envelope.data

    return decode


def rows_decoder(kind: type[T], *, lists: Sequence[str] = ()) -> Callable[[HttpResponse], Rows[T]]:
    """Return a function that turns an answer into its scenes, of type `kind`.

    A scene of another shape is left out; when most of a page is, the page is at fault.
    It raises what `decoder_of` says.

    Args:
        kind: of the rows.
        lists: attributes that were asked for, so that a row without one has another shape.
    """
    whole = decoder_of(ScenePage[kind])  # type: ignore[valid-type] # a type argument made at run time
    by_row = decoder_of(ScenePage[msgspec.Raw])
    read = row_reader(kind)

    def decode(answer: HttpResponse) -> Rows[T]:
        rows: Rows[T]
        try:
            rows = whole(answer).findScenes.scenes
        except UnknownShapeError:
            rows = tuple(map(read, by_row(answer).findScenes.scenes))
        if lists:
            rows = tuple([_with_lists(row, lists) for row in rows])
        check_readable(rows)
        return rows

    return decode


def row_reader(kind: type[T]) -> Callable[[msgspec.Raw], T | UnreadableRow]:
    """Return a function that reads one row; or says what is wrong with it.

    It raises UnknownShapeError where not even its id can be read.
    """
    return partial(_row, msgspec.json.Decoder(kind))


def check_readable(rows: Sequence[object]) -> None:
    """Hold that most rows can be read.

    Raises:
        UnknownShapeError: they cannot, so this is no odd row but another Stash.
    """
    unreadable = [row for row in rows if isinstance(row, UnreadableRow)]
    if len(unreadable) > max(len(rows) * _MOST_UNREADABLE, _FEW_ROWS):
        raise UnknownShapeError(f"Stash answers in another shape: {unreadable[0].why}")


def _with_lists(row: T | UnreadableRow, lists: Sequence[str]) -> T | UnreadableRow:
    """Return a row; what is wrong with it where something is missing that was asked for."""
    if not isinstance(row, UnreadableRow):
        for name in lists:
            if getattr(row, name) is None:
                return UnreadableRow(str(getattr(row, "id", "")), f"it has no {name}")
    return row


def _row(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T | UnreadableRow:
    """One row; what is wrong with it where it cannot be read.

    Raises:
        UnknownShapeError: not even its id can.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        why = str(error)
    try:
        return UnreadableRow(msgspec.json.decode(raw, type=Reference).id, why)
    except msgspec.ValidationError:
        raise UnknownShapeError(f"Stash sends something without an id: {why}") from None


_ONLY_ERRORS = msgspec.json.Decoder(_Errors)


def _envelope(decoder: msgspec.json.Decoder[_Envelope[T]], body: bytes) -> _Envelope[T]:
    """Decode; a wrong shape is excused when errors explain it."""
    try:
        return _lenient(decoder, body)
    except msgspec.ValidationError as error:
        # msgspec names types and the place, never a value.
        problem = UnknownShapeError(f"Stash answers in another shape: {error}")
        try:
            errors = _lenient(_ONLY_ERRORS, body).errors
        except msgspec.ValidationError:
            raise problem from error
        if not errors:
            raise problem from error
        raise of_errors(errors) from error


def _lenient(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode; text that is no Unicode costs the odd character, never the answer."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decoder.decode(_repaired(body))


def _repaired(body: bytes) -> bytes:
    """Return the same JSON without lone surrogates, invalid UTF-8, bare control characters and NaN.

    Raises:
        TransientError: it is no JSON at all: cut short, or somebody else's answer.
    """
    try:
        value = json.loads(
            body.decode("utf-8-sig", "replace"), strict=False, parse_constant=lambda _: None
        )
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise TransientError("Stash answers with something that is no JSON") from error
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def of_errors(errors: tuple[_GraphqlError, ...]) -> ServerError:
    """Return the error a GraphQL `errors` list stands for."""
    words = errors[0].message[:_LONGEST_WORDS]
    code = errors[0].extensions.code if errors[0].extensions else None
    if any(one in words for one in _TRANSIENT):
        return TransientError(f"Stash is busy: {words}")
    if _NOT_READY in words:
        return TransientError("Stash's database is not ready: it is being migrated or imported")
    if (gone := _MISSING_SCENE.search(words)) is not None:
        return MissingSceneError(SceneId(gone.group(1)))
    if _MISSING_OTHER.search(words):
        # A tag or performer was deleted between two reads of one page.
        return TransientError(f"Stash changed while it answered: {words}")
    if code is not None and code.startswith("GRAPHQL_"):
        return NotUnderstoodError(" ".join(one.message[:_LONGEST_WORDS] for one in errors))
    return ResolverError(words)
