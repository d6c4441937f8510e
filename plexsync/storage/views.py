"""As much of a remembered scene's record as a question needs: decoding less of it costs less.

There is a record for every scene of the library, so what a run asks of all of them is asked by a
decoder that skips the rest.
"""

from __future__ import annotations

import msgspec

from plexsync.models import ItemPlan, Link, Outcome, RatingKey, SceneRecord


class _Waits(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says whether it waits."""

    outcome: Outcome


class _Version(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says what was handled."""

    updated_at: str


class _Related(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says what the scene showed of other objects."""

    related: str = ""


class _Files(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says which files were matched."""

    files: str = ""


class LinkPlace(msgspec.Struct, gc=False):
    """As much of a Link as says which file it is about."""

    rating_key: RatingKey
    section_id: str
    path: str


class _LinkAbove(msgspec.Struct, gc=False):
    """As much of a Link as says which item it is about, and what stands above that."""

    rating_key: RatingKey
    section_id: str
    above: tuple[RatingKey, ...] = ()


class _Links(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says where its items are, and whether that stands."""

    outcome: Outcome
    links: tuple[LinkPlace, ...] = ()


class LinkedItem(msgspec.Struct, gc=False):
    """As much of a Link as says which item it is about."""

    rating_key: RatingKey
    section_id: str


class SceneStanding(msgspec.Struct, gc=False):
    """As much of a SceneRecord as `status` counts."""

    outcome: Outcome
    links: tuple[LinkedItem, ...] = ()


class _LinkKey(msgspec.Struct, gc=False):
    rating_key: RatingKey


class _Claims(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says which items it is written to."""

    links: tuple[_LinkKey, ...] = ()


class _Place(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says where the scene stands."""

    outcome: Outcome
    links: tuple[msgspec.Raw, ...] = ()


class Placed(msgspec.Struct, gc=False):
    """As much of a SceneRecord as says what its items are members of, and what stands above."""

    outcome: Outcome
    related: str = ""
    marks: str = ""
    year: str = ""
    links: tuple[_LinkAbove, ...] = ()


PLACED = msgspec.json.Decoder(Placed)
PLACE = msgspec.json.Decoder(_Place)
WAITS = msgspec.json.Decoder(_Waits)
STANDING = msgspec.json.Decoder(SceneStanding)
VERSION = msgspec.json.Decoder(_Version)
RELATED = msgspec.json.Decoder(_Related)
FILES = msgspec.json.Decoder(_Files)
LINKS = msgspec.json.Decoder(_Links)
LINK = msgspec.json.Decoder(Link)
LINK_KEY = msgspec.json.Decoder(_LinkKey)
CLAIMS = msgspec.json.Decoder(_Claims)
RECORD = msgspec.json.Decoder(SceneRecord)
PLAN = msgspec.json.Decoder(ItemPlan)
