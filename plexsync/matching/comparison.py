"""Comparing the pairs blocking chose: from two files to one comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.matching.attributes import (
    Level,
    compare_content,
    compare_duration,
    compare_frame,
    compare_size,
    measure_size,
)
from plexsync.matching.blocking import FileCandidates, Ours, Theirs, split_folders
from plexsync.matching.evidence import Comparison, FolderLevel, Spelling
from plexsync.text.generic_names import is_generic_folder, is_generic_name, is_numbered
from plexsync.text.normalize import fold, normalize_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import PathRule


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What comparing needs beside the two files.

    `mapped` are the folders the path rules lead to, each with a slash at its end; `merged` those
    that more than one folder of Stash leads to.
    """

    items: int
    hashes: Mapping[int, int]
    mapped: tuple[str, ...]
    merged: tuple[str, ...]


def mapped_folders(rules: Sequence[PathRule]) -> tuple[str, ...]:
    """The Plex side of the rules, as prefixes."""
    folders = [normalize_path(rule.plex) for rule in rules if rule.stash and rule.plex]
    return tuple(folder if folder.endswith("/") else f"{folder}/" for folder in folders)


def merged_folders(rules: Sequence[PathRule]) -> tuple[str, ...]:
    """The folders of Plex that more than one rule leads to, or into."""
    folders = mapped_folders(list(dict.fromkeys(rules)))
    return tuple(
        one
        for at, one in enumerate(folders)
        if any(
            at != other and (one.startswith(folder) or folder.startswith(one))
            for other, folder in enumerate(folders)
        )
    )


def compare_row(row: FileCandidates, context: Context) -> list[tuple[Comparison, Theirs]]:
    """Compare one of our files with everything blocking found for it."""
    ours = row.ours
    common = _Common(
        row=row,
        generic=is_generic_name(ours.stem),
        numbered=is_numbered(ours.stem),
        context=context,
    )
    elsewhere = any(ours.expected != their.path for their in row.parts)
    folders = split_folders(ours.expected) if elsewhere else []
    placed = [_place(ours, folders, their) for their in row.parts]
    tails = _count_tails(row, placed)
    return [
        (_compare(common, their, place, tails[place[1]]), their)
        for their, place in zip(row.parts, placed, strict=True)
    ]


def compare_resembling(
    ours: Ours, theirs: Theirs, context: Context, *, title: Level, date: Level
) -> Comparison:
    """Compare a pair that only its title brought together; either may lack a file."""
    row = FileCandidates(
        ours=ours, parts=[theirs], name_others=0, stem_others=0, size_others=0, whole=True
    )
    ((made, _),) = compare_row(row, context)
    if not (ours.path and theirs.path):
        return made._replace(
            title=title,
            date=date,
            place=FolderLevel.UNKNOWN,
            spelling=Spelling.DIFFERENT,
            ruled=False,
            merged=False,
            elsewhere=False,
        )
    # A telling name that is equal has said already what the title would say again.
    if made.spelling is not Spelling.DIFFERENT and not made.generic:
        return made
    return made._replace(title=title, date=date)


# ---- Private -------------------------------------------------------------------------------------

_Placed = tuple[FolderLevel, int, int]
"""How two folders compare, how many trailing ones are equal, and how many of those telling."""


_MANY_NAMESAKES = 8
"""A name that so many other files bear is generic, whatever it is made of."""


class _Common(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all pairs of one of our files share."""

    row: FileCandidates
    generic: bool
    numbered: bool
    context: Context


def _place(ours: Ours, folders: Sequence[str], theirs: Theirs) -> _Placed:
    if ours.expected == theirs.path:
        same = ours.file.path[-len(ours.name) :] == theirs.file.path[-len(theirs.name) :]
        return (FolderLevel.PATH if same else FolderLevel.PATH_FOLDED), 0, 0
    others = split_folders(theirs.path)
    equal = telling = 0
    for mine, other in zip(folders, others, strict=False):
        if mine != other:
            break
        equal += 1
        telling += not is_generic_folder(mine)
    if equal == len(folders) == len(others) and fold(ours.name) == fold(theirs.name):
        return FolderLevel.PATH_FOLDED, equal, telling
    if equal:
        return FolderLevel.FOLDERS, equal, telling
    # A file right in a root lies in no folder that both servers could see.
    rooted = min(len(folders), len(others)) <= 1
    return (FolderLevel.UNKNOWN if rooted else FolderLevel.APART), 0, 0


def _count_tails(row: FileCandidates, placed: Sequence[_Placed]) -> list[int]:
    """How many other items share at least so many trailing folders and the name, by that number.

    In a crowd only those in the longest tail were chosen: of shorter ones all may share it.
    """
    deepest = max((equal for _, equal, _ in placed), default=0)
    if len(placed) == 1:
        return [0] * (deepest + 1)
    bearers: list[set[int]] = [set() for _ in range(deepest + 1)]
    for theirs, (_, equal, _) in zip(row.parts, placed, strict=True):
        if theirs.stem == row.ours.stem:
            bearers[equal].add(theirs.item)
    counts = []
    seen: set[int] = set()
    for equal in range(deepest, -1, -1):
        seen |= bearers[equal]
        known = row.whole or equal == deepest
        counts.append(max(len(seen) - 1, 0) if known else row.stem_others)
    counts.reverse()
    return counts


def _compare(common: _Common, theirs: Theirs, placed: _Placed, tail: int) -> Comparison:
    row, context = common.row, common.context
    ours = row.ours
    file, other = ours.file, theirs.file
    spelling = _spell(ours, theirs)
    place, equal, telling = placed
    size = compare_size(file.size_bytes, other.size_bytes)
    ruled = ours.ruled
    named = row.name_others if spelling >= Spelling.FOLDED else row.stem_others
    bits = 0
    if size is Level.EQUAL and file.size_bytes:
        bits = measure_size(file.size_bytes, row.size_others, context.items)
    content = context.hashes.get(other.part_id) if other.part_id else None
    return Comparison(
        spelling=spelling,
        generic=common.generic or named >= _MANY_NAMESAKES,
        numbered=common.numbered,
        others=named if spelling else 0,
        place=place,
        ruled=ruled,
        merged=theirs.path.startswith(context.merged if ruled else context.mapped),
        elsewhere=ruled and not theirs.path.startswith(context.mapped),
        folders=equal,
        telling_folders=telling,
        tail_others=min(tail, named),
        size=size,
        size_bits=bits,
        duration=compare_duration(file.duration_s, other.duration_s),
        frame=compare_frame((file.width, file.height), (other.width, other.height)),
        content=compare_content(file.oshash, content, _smaller(file.size_bytes, other.size_bytes)),
    )


def _spell(ours: Ours, theirs: Theirs) -> Spelling:
    if ours.stem != theirs.stem:
        return Spelling.DIFFERENT
    if ours.name == theirs.name:
        same = ours.file.path[-len(ours.name) :] == theirs.file.path[-len(theirs.name) :]
        return Spelling.EXACT if same else Spelling.FORM
    return Spelling.FOLDED if fold(ours.name) == fold(theirs.name) else Spelling.STEM


def _smaller(one: int | None, other: int | None) -> int | None:
    """The smaller known size: a hash must be worth comparing on both sides, whatever is known."""
    return min(one, other) if one and other else one or other
