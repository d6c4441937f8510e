"""What two files have in common, level by level, and what proves or forbids that they are one.

Where the rules come from: docs/matching.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, NamedTuple, Self, TypeVar

DURATION_EQUAL_S = 0.1
DURATION_CLOSE_S = 1.0
DURATION_NEAR_S = 2.0
DURATION_OFF_S = 5.0
DURATION_OFF_SHARE = 0.01

TELLING_SIZE_BITS = 16
"""Cut, padded and recorded files have round sizes that many share; others differ by the byte."""


class _Ordered(int):
    """One of a few named values in order, made from the annotations of its class.

    An `IntEnum` in all but one thing: Python 3.11 finds a member of an enumeration ten times more
    slowly than an attribute of a class, and comparing two files asks for twenty.
    """

    name: str

    @classmethod
    def all(cls) -> list[Self]:
        """Return the values in order."""
        return [getattr(cls, name) for name in cls.__annotations__]


_Class = TypeVar("_Class", bound=_Ordered)


def _number(ordered: type[_Class]) -> type[_Class]:
    """Make the values of a class."""
    for value, name in enumerate(ordered.__annotations__):
        member = ordered(value)
        member.name = name
        setattr(ordered, name, member)
    return ordered


@_number
class Level(_Ordered):
    """How two values compare, from against to for, so that greater means nearer."""

    DIFFERENT: ClassVar[Level]
    OFF: ClassVar[Level]
    UNKNOWN: ClassVar[Level]
    NEAR: ClassVar[Level]
    CLOSE: ClassVar[Level]
    EQUAL: ClassVar[Level]


@_number
class Spelling(_Ordered):
    """How two base names compare."""

    DIFFERENT: ClassVar[Spelling]
    WORDS: ClassVar[Spelling]
    """Other names of the same site, date and title words."""
    STEM: ClassVar[Spelling]
    """Equal but for the extension, case and form aside."""
    FOLDED: ClassVar[Spelling]
    """Equal after folding case, width and composition."""
    FORM: ClassVar[Spelling]
    """The same characters in another Unicode form (NFC, NFD)."""
    EXACT: ClassVar[Spelling]


@_number
class FolderLevel(_Ordered):
    """How two folders compare, given what the path rules say."""

    APART: ClassVar[FolderLevel]
    """No trailing folder is equal."""
    UNKNOWN: ClassVar[FolderLevel]
    """One of the files lies in no folder below a root: nothing to compare."""
    FOLDERS: ClassVar[FolderLevel]
    """At least one trailing folder is equal."""
    PATH_FOLDED: ClassVar[FolderLevel]
    """The whole path is equal but for case or Unicode form."""
    PATH: ClassVar[FolderLevel]


class Grade(StrEnum):
    """What makes a pair identity-grade. Source: docs/matching.md, "Identity-grade evidence"."""

    CONTENT = "content hash"
    IDENTITY = "the scene's id in Plex's GUID"
    PATH = "whole path"
    NAME_AND_SIZE = "name and size"
    RENAMED = "folder, size and length under another name"
    NAME = "a name found nowhere else, where certain pairs lie"


class Comparison(NamedTuple):
    """Everything about a pair that its weight depends on; equal comparisons weigh the same.

    Attributes:
        spelling: how the base names compare.
        generic: the name is one anybody gives.
        others: other files of this name, on both sides.
        place: how the folders compare.
        ruled: a path rule leads our file to another path.
        merged: several roots of Stash lead to this root of Plex, so a path alone proves less.
        outside: a path rule covers our file, and theirs lies in no folder the rules lead to.
        folders: equal trailing folders.
        telling_folders: those of them with a telling name of their own.
        tail_others: other files that share name and equal folders.
        size: how the sizes compare.
        size_bits: what the equality of this size is worth.
        telling_size: the size is none that recorders write or people cut to.
        telling_length: beside an equal size that is not telling, the length is no round one.
        size_rival: another part has the size of our file, or another file of ours that of the part.
        duration: how the durations compare.
        frame: how width and height compare.
        content: how the content hashes compare.
        readable: the content hash is not known, and Plex may still be asked for it.
        identity: the item's GUID names our scene.
        led: certain pairs lead from our file's folder to just this place.
        learned: they do so in such numbers that this counts as a path rule.
        alone_in_length: of the files of that folder in Plex, only theirs is so long.
        title: how the titles compare; like the next two it only ranks what is LOW.
        date: how the dates compare.
        spare: the item, unlike our file, lies in a folder for copies.
    """

    spelling: Spelling
    generic: bool
    others: int
    place: FolderLevel
    ruled: bool
    merged: bool
    outside: bool
    folders: int
    telling_folders: int
    tail_others: int
    size: Level
    size_bits: int
    telling_size: bool
    telling_length: bool
    size_rival: bool
    duration: Level
    frame: Level
    content: Level
    readable: bool = False
    identity: bool = False
    led: bool = False
    learned: bool = False
    alone_in_length: bool = False
    title: Level = Level.UNKNOWN
    date: Level = Level.UNKNOWN
    spare: bool = False


def find_grade(made: Comparison) -> Grade | None:
    """Why a pair is identity-grade; None when it is not. One comment per rule."""
    # Equal hashes with different sizes cannot be: one server's record is stale.
    if made.content is Level.EQUAL and made.size is not Level.DIFFERENT:
        return Grade.CONTENT
    # Ids start again after a full import, so something of the file itself has to agree.
    if made.identity and _is_same_by_facts(made):
        return Grade.IDENTITY
    # Case and Unicode twins are two files on Linux, and a rule may lead to a folder of other files,
    # or two roots into one: there something else has to agree, or at least no other file has the
    # name.
    agreed = made.size is Level.EQUAL or made.duration >= Level.CLOSE
    if made.place is FolderLevel.PATH and (agreed or _is_place_trusted(made)):
        return Grade.PATH
    if made.place is FolderLevel.PATH_FOLDED and agreed:
        return Grade.PATH
    if made.spelling >= Spelling.FOLDED:
        return _grade_name(made)
    return Grade.RENAMED if _is_renamed(made) else None


def find_contradictions(made: Comparison) -> tuple[str, ...]:
    """Return what forbids HIGH whatever else agrees."""
    replaced = is_replaced(made)
    against = []
    if made.content is Level.DIFFERENT:
        against.append("the content hash differs")
    if made.size is Level.DIFFERENT and not replaced:
        against.append("the size differs")
    if made.duration is Level.DIFFERENT:
        against.append("the duration differs")
    if made.frame is Level.DIFFERENT and not is_confirmed(made) and not stands_in_place(made):
        against.append("the resolution differs")
    return tuple(against)


def is_confirmed(made: Comparison) -> bool:
    """Whether the bytes are equal as far as can be seen without the content hash, or by it.

    What is certain without that rests on a name, a place or a length, and the hash is asked.
    """
    by_size = made.size is Level.EQUAL and made.telling_size
    return by_size or (made.content is Level.EQUAL and made.size is not Level.DIFFERENT)


def is_replaced(made: Comparison) -> bool:
    """Whether a file was replaced in place, and only one server has scanned it again."""
    changed = made.size is not Level.EQUAL and Level.DIFFERENT in (made.size, made.frame)
    return changed and stands_in_place(made)


def stands_in_place(made: Comparison) -> bool:
    """Whether path, telling name and length say that it is the same video, whatever was scanned.

    No other part has our file's size, and no other file of ours the part's, so none moved away and
    left its place to another one.
    """
    return (
        made.place is FolderLevel.PATH
        and made.duration >= Level.CLOSE
        and not made.size_rival
        and not made.generic
        and (not made.merged or made.others == 0)
    )


def is_copy(made: Comparison) -> bool:
    """Whether a pair is the same content beyond doubt, wherever Plex's file lies.

    By the content hash; where that cannot be had, by a telling name, a telling size and the length.
    """
    if find_contradictions(made) or made.size is Level.DIFFERENT:
        return False
    if made.content is Level.EQUAL:
        return True
    return (
        not made.readable
        and not made.generic
        and made.spelling >= Spelling.FOLDED
        and made.size is Level.EQUAL
        and made.telling_size
        and made.duration >= Level.CLOSE
    )


def look_alike(made: Comparison) -> bool:
    """Whether only its place distinguishes a pair from a copy of the same file."""
    if Level.DIFFERENT in (made.size, made.duration, made.content):
        return False
    named = made.spelling >= Spelling.FOLDED and made.size is Level.EQUAL
    return named or made.content is Level.EQUAL


def teaches_layout(made: Comparison) -> bool:
    """Whether a pair is one file without a look at its place, so that it shows where files lie."""
    if made.size is not Level.EQUAL or made.spelling < Spelling.FORM:
        return False
    if Level.DIFFERENT in (made.duration, made.content):
        return False
    if made.generic:
        # Where each scene has a folder, and its file the name of all others, nothing else can.
        alike = made.duration >= Level.CLOSE and made.frame is Level.EQUAL
        return made.telling_size and alike and made.telling_folders > 0
    return made.telling_size or (made.others == 0 and made.duration >= Level.CLOSE)


def may_be_renamed(made: Comparison) -> bool:
    """Whether size and length say that two names of the same words are one file's."""
    alike = made.size is Level.EQUAL and made.duration is Level.EQUAL
    return alike and made.spelling is Spelling.WORDS


# ---- Private -------------------------------------------------------------------------------------


def _is_place_trusted(made: Comparison) -> bool:
    """Whether a path alone says that two files are one, where nothing else is known of them."""
    if made.others == 0 and not made.generic:
        return True
    return not made.merged and (made.led or not made.ruled)


def _is_same_by_facts(made: Comparison) -> bool:
    """Whether the file's own facts confirm an id; a fact that differs is a contradiction."""
    # Of 100,000 files that got each other's ids, ten have the length of the wrong one by chance.
    if made.size is Level.EQUAL and made.telling_size:
        return True
    # In a small library the wrong id may well be that of a namesake.
    single = made.others == 0 or made.duration >= Level.CLOSE
    named = made.spelling >= Spelling.STEM and not made.generic and single
    return made.place is FolderLevel.PATH or named


def _is_renamed(made: Comparison) -> bool:
    """Whether only the quality tag or the style of the name is another one."""
    return (
        made.spelling is Spelling.WORDS
        and (made.led or made.place is FolderLevel.FOLDERS)
        and made.size is Level.EQUAL
        and made.telling_size
        and made.duration is Level.EQUAL
        and made.alone_in_length
    )


def _grade_name(made: Comparison) -> Grade | None:
    """Return what an equal name is worth, with what else agrees."""
    if made.size is Level.EQUAL and made.generic:
        return Grade.NAME_AND_SIZE if _is_backed(made) else None
    if made.size is Level.EQUAL:
        unique = made.others == 0
        if made.telling_size:
            # Where other files have the name, length or folder has to agree too.
            placed = made.telling_folders > 0 or made.led
            backed = unique or placed or made.duration >= Level.NEAR
        else:
            # A round size says little: the place has to be right, or the name found once and the
            # length none that people cut to as well.
            backed = made.led or (unique and made.telling_length)
        return Grade.NAME_AND_SIZE if backed else None
    # The classic rule: the one file of that name, in the place where certain pairs lie, when
    # nothing else is known that could speak.
    alone = made.others == 0 and not made.generic and made.spelling is Spelling.EXACT
    return Grade.NAME if alone and made.led and made.duration is not Level.OFF else None


def _is_backed(made: Comparison) -> bool:
    """Whether a generic name and an equal size are enough together with the rest.

    Everybody has a video.mp4, and people cut at round sizes and lengths: it has to lie just where
    certain pairs lead, with an equal length and frame. Where one side knows neither, the place and
    the size have to do.
    """
    if not made.led:
        return False
    if made.duration is Level.UNKNOWN:
        return made.frame is not Level.DIFFERENT and made.telling_size
    return made.duration >= Level.CLOSE and made.frame is Level.EQUAL
