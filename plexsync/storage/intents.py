"""An item's plan as an intent has it: its values in a fixed order, without names.

    [scene_id, rating_key, section_id, kind, path, lock, changes, member_kind]
    a change [target, before, after, policy, field, locked_before, locked_after, wanted,
              trace_before, trace_after, credits_before, credits_after, risked]

The last ones are left out where they are usual, and `field` where it has the name of its target. Of
a list `after` has a name that was there before as its place in `before`, counted from 0.
"""

from __future__ import annotations

import msgspec

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
)


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


class _Plan(_Item, array_like=True, gc=False):
    section_id: str
    kind: ItemKind
    path: str
    lock: bool
    changes: tuple[_Change, ...]
    member_kind: ItemKind | None = None


_USUAL: tuple[object, ...] = ("", False, None, "", None, None, {}, {}, "")
"""What a change says after its policy where it says nothing."""

_LEAST = 4
_OBJECT = b"{"
"""How the plan of an earlier version begins."""

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(_Plan)
_FORMER_DECODER = msgspec.json.Decoder(ItemPlan)
_ITEM_DECODER = msgspec.json.Decoder(_Item)


def pack_plan(plan: ItemPlan) -> msgspec.Raw:
    """Return a plan as an intent has it."""
    values = [
        plan.scene_id,
        plan.rating_key,
        plan.section_id,
        plan.kind,
        plan.path,
        plan.lock,
        [*map(_pack_change, plan.changes)],
    ]
    if plan.member_kind:
        values.append(plan.member_kind)
    return msgspec.Raw(_ENCODER.encode(values))


def unpack_plan(packed: msgspec.Raw) -> ItemPlan:
    """Return what `pack_plan` was given, also of what an earlier version wrote.

    Raises:
        msgspec.DecodeError: it is none.
    """
    if bytes(packed).startswith(_OBJECT):
        return _FORMER_DECODER.decode(packed)
    read = _DECODER.decode(packed)
    return ItemPlan(
        scene_id=read.scene_id,
        rating_key=read.rating_key,
        section_id=read.section_id,
        kind=read.kind,
        path=read.path,
        lock=read.lock,
        changes=tuple([_unpack_change(one) for one in read.changes]),
        member_kind=read.member_kind,
    )


def planned_item(packed: msgspec.Raw) -> str | bytes:
    """Which item an intent is for: its words and its pictures are intents of their own."""
    try:
        if bytes(packed).startswith(_OBJECT):
            return _FORMER_DECODER.decode(packed).rating_key
        return _ITEM_DECODER.decode(packed).rating_key
    except msgspec.DecodeError:
        return bytes(packed)


def _pack_change(change: Change) -> list[object]:
    values: list[object] = [
        change.target,
        change.before,
        _pack_after(change.before, change.after),
        change.policy,
        "" if change.field == change.target else change.field,
        change.locked_before,
        change.locked_after,
        change.wanted,
        change.trace_before,
        change.trace_after,
        change.credits_before,
        change.credits_after,
        change.risked,
    ]
    while len(values) > _LEAST and values[-1] == _USUAL[len(values) - _LEAST - 1]:
        values.pop()
    return values


def _unpack_change(read: _Change) -> Change:
    return Change(
        field=read.field or read.target,
        target=read.target,
        before=read.before,
        after=_unpack_after(read.before, read.after),
        policy=read.policy,
        locked_before=read.locked_before,
        locked_after=read.locked_after,
        wanted=read.wanted,
        trace_before=read.trace_before,
        trace_after=read.trace_after,
        credits_before=read.credits_before,
        credits_after=read.credits_after,
        risked=read.risked,
    )


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
