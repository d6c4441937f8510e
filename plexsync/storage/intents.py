"""An item's plan as an intent has it: its values in a fixed order, without names.

    [scene_id, rating_key, section_id, kind, path, lock, changes, member_kind, videos]
    a change [target, before, after, policy, field, locked_before, locked_after, wanted,
              trace_before, trace_after, credits_before, credits_after, risked]
    a video  [size_bytes, duration_s]

The last ones are left out where they are usual, and `field` where it has the name of its target. Of
a list `after` has a name that was there before as its place in `before`, counted from 0.
"""

from operator import attrgetter
from typing import TypeVar

import msgspec
from msgspec.structs import astuple

from plexsync.models import (
    Change,
    Credit,
    ItemKind,
    ItemPlan,
    PlexField,
    Policy,
    RatingKey,
    SceneId,
    Trace,
    Value,
    Video,
)

T = TypeVar("T", bound=msgspec.Struct)


class _Change(msgspec.Struct, array_like=True, gc=False):
    target: PlexField
    before: Value
    after: str | tuple[str | int, ...]
    policy: Policy
    field: str = ""
    locked_before: bool = False
    locked_after: bool | None = None
    wanted: str = ""
    trace_before: Trace | None = None
    trace_after: Trace | None = None
    credits_before: dict[str, Credit] = {}
    credits_after: dict[str, Credit] = {}
    risked: str = ""


class _Item(msgspec.Struct, array_like=True, gc=False):
    """As much of a plan as says which item it is for."""

    scene_id: SceneId
    rating_key: RatingKey
    section_id: str
    kind: ItemKind


class _Plan(_Item, array_like=True, gc=False):
    path: str
    lock: bool
    changes: tuple[_Change, ...]
    member_kind: ItemKind | None = None
    videos: tuple[Video, ...] = ()


_OBJECT = b"{"
"""How the plan of an earlier version begins."""

_LEAST = 4
_USUAL = astuple(_Change(PlexField.TITLE, "", "", Policy.OVERWRITE))
"""What a change says after its policy, the last of the least, where it says nothing."""

_PLAN_VALUES = attrgetter(*_Plan.__struct_fields__)
_CHANGE_VALUES = attrgetter(*_Change.__struct_fields__)

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(_Plan)


def pack_plan(plan: ItemPlan) -> msgspec.Raw:
    """Return a plan as an intent has it."""
    *values, changes, member_kind, videos = _PLAN_VALUES(plan)
    values.append([_pack_change(change) for change in changes])
    if member_kind or videos:
        values += [member_kind, videos]
    return msgspec.Raw(_ENCODER.encode(values))


def unpack_plan(packed: msgspec.Raw) -> ItemPlan:
    """Return what `pack_plan` was given, also of what an earlier version wrote.

    Raises:
        msgspec.DecodeError: it is none.
    """
    if bytes(packed).startswith(_OBJECT):
        return msgspec.json.decode(packed, type=ItemPlan)
    read = _DECODER.decode(packed)
    return _as(ItemPlan, read, changes=tuple([_unpack_change(one) for one in read.changes]))


def written_item(plan: ItemPlan | _Item) -> str:
    """Which item a plan is for; a collection has no key before it is made, but a source."""
    is_collection = plan.kind is ItemKind.COLLECTION
    return f"{plan.scene_id} in {plan.section_id}" if is_collection else plan.rating_key


def planned_item(packed: msgspec.Raw) -> str | bytes:
    """Which item an intent is for: its words and its pictures are intents of their own."""
    is_former = bytes(packed).startswith(_OBJECT)
    kind: type[ItemPlan | _Item] = ItemPlan if is_former else _Item
    try:
        return written_item(msgspec.json.decode(packed, type=kind))
    except msgspec.DecodeError:
        return bytes(packed)


def _pack_change(change: Change) -> list[object]:
    target, before, after, policy, field, *others = _CHANGE_VALUES(change)
    own_field = "" if field == target else field
    values = [target, before, _pack_after(before, after), policy, own_field, *others]
    while len(values) > _LEAST and values[-1] == _USUAL[len(values) - 1]:
        values.pop()
    return values


def _unpack_change(read: _Change) -> Change:
    after = _unpack_after(read.before, read.after)
    return _as(Change, read, field=read.field or read.target, after=after)


def _as(kind: type[T], one: msgspec.Struct, **otherwise: object) -> T:
    """Return the values of a struct as one of another kind, but for some."""
    return kind(**{**{name: getattr(one, name) for name in kind.__struct_fields__}, **otherwise})


def _pack_after(before: Value, after: Value) -> str | list[str | int]:
    if isinstance(after, str):
        return after
    places = {} if isinstance(before, str) else {name: at for at, name in enumerate(before)}
    return [places.get(name, name) for name in after]


def _unpack_after(before: Value, after: str | tuple[str | int, ...]) -> Value:
    if isinstance(after, str):
        return after
    try:
        return tuple([before[one] if isinstance(one, int) else one for one in after])
    except IndexError as error:
        raise msgspec.DecodeError(f"a name stands for nothing: {error}") from error
