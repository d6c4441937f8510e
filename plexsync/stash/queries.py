"""What plexsync asks Stash: query texts, their variables, and what of a text is asked for.

Stash caches parsed queries by their text, so everything that varies within a run is a variable. All
fields are those of v0.27.0, the oldest supported version; nothing we need was added later. What no
option needs, or this Stash does not have, is left out of a text: a field that is unknown makes a
query none, even where it is not included.
Source: docs/stash-api.md 1.1, 7 and 10.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from plexsync.models import StashField

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

_OPTIONAL = re.compile(r"<([A-Za-z0-9_.]+)\|([^<>]*)>")
"""`<Scene.code|code>`: asked for only where it is wanted; may stand within another one."""

_FILES = """
fragment Files on Scene {
  files { path size duration width height oshash: fingerprint(type: "oshash") }
}"""

_FACTS = (
    """
fragment Facts on Scene {
  id updated_at title date organized
  ...Files
  tags @include(if: $more) { id }
  <Scene.urls|urls @include(if: $more)>
  <Scene.stash_ids|stash_ids @include(if: $more) { stash_id }>
  <Scene.details|details @include(if: $more)>
  <Scene.studio|studio @include(if: $more) { id }>
  <Scene.performers|performers @include(if: $more) { id }>
}"""
    + _FILES
)

_CAST = """{ id name
      <Performer.disambiguation|disambiguation> <Performer.gender|gender>
      <Performer.alias_list|alias_list> <Performer.image_path|image_path> }"""

_DETAILS = (
    """id updated_at title date organized
      <Scene.code|code> <Scene.details|details> <Scene.director|director>
      <Scene.rating100|rating100> <Scene.urls|urls>
      ...Files
      <Scene.paths|paths { screenshot }>
      <Scene.studio|studio { id name <Studio.parent_studio|parent_studio { id name
        parent_studio { id name parent_studio { id name parent_studio { id } } } }> }>
      <Scene.groups|groups { group { id name } <SceneGroup.scene_index|scene_index> }>
      <Scene.stash_ids|stash_ids { endpoint stash_id }> <Scene.custom_fields|custom_fields>
      <Scene.performers|performers """
    + _CAST
    + """>
      tags { id name <Tag.parents|parents { id name
        parents { id name parents { id name parents { id } } } }> }"""
)

_DICTIONARY = (
    """
  findTags(filter: {per_page: -1, sort: "id"}) <!> {
    count rows: tags { id name <Tag.parents|parents { id }> }
  }
  findPerformers(filter: {per_page: -1, sort: "id"}) <!> { count rows: performers """
    + _CAST
    + """ }
  findStudios(filter: {per_page: -1, sort: "id"}) <!> {
    count rows: studios { id name <Studio.parent_studio|parent_studio { id }> }
  }
  <Query.findGroups|findGroups(filter: {per_page: -1, sort: "id"}) <!> {
    count rows: groups { id name }
  }>"""
)

_SERVER = """
  version { version hash }
  systemStatus { status appSchema databasePath }
"""

WHO = "query PlexsyncWho {" + _SERVER + "}"

READY = (
    "query PlexsyncReady($more: Boolean! = false) {"
    + _SERVER
    + """  facts: findScenes @include(if: false) { scenes { ...Facts } }
  details: findScenes(ids: ["1"]) @include(if: false) { scenes { """
    + _DETAILS
    + " } }"
    + _DICTIONARY.replace("<!>", "@include(if: false)")
    + "\n}"
    + _FACTS
)
"""Whether Stash is ready. It looks at the whole text before it answers, so this one also tells
whether it understands all the others."""


def _newest(kind: str) -> str:
    """Return the part of a query that counts objects of a kind, and shows the one edited last."""
    which = 'filter: {sort: "updated_at", direction: DESC, per_page: 1}'
    return f"find{kind.title()}({which}) {{ count {kind} {{ id updated_at }} }}"


LOOK = (
    "query PlexsyncLook($uneven: SceneFilterType!, $n: Int!) {"
    + _SERVER
    + """  edited: findScenes(filter: {sort: "updated_at", direction: DESC, per_page: $n}) {
    count duration filesize scenes { id updated_at }
  }
  made: findScenes(filter: {sort: "id", direction: DESC, per_page: 1}) { scenes { id } }
  uneven: findScenes(scene_filter: $uneven, filter: {per_page: 0}) { count duration filesize }
"""
    + f"  {_newest('tags')}\n  {_newest('performers')}\n  {_newest('studios')}\n"
    + f"  <Query.findGroups|{_newest('groups')}>\n}}"
)
"""Counts, sums and what was edited last."""

NAMES = "query PlexsyncNames {" + _DICTIONARY.replace("<!> ", "") + "\n}"
"""The dictionary of names."""

COUNT = """query PlexsyncCount($where: SceneFilterType) {
  findScenes(scene_filter: $where, filter: {per_page: 0}) { count }
}"""

_MORE = ", $more: Boolean!"
"""A further variable of a query: whether to ask for what not every run needs."""


def _page_of(name: str, scene: str, more: str = "") -> str:
    """Return the query for a page of scenes in the order of their ids."""
    page = 'scene_filter: $where, filter: {sort: "id", direction: ASC, per_page: $n}'
    scenes = f"findScenes({page}) {{ scenes {{ {scene} }} }}"
    return f"query {name}($where: SceneFilterType!, $n: Int!{more}) {{\n  {scenes}\n}}"


def _by_ids(name: str, scene: str, more: str = "") -> str:
    """Return the query for scenes by their ids."""
    scenes = f"findScenes(ids: $ids) {{ scenes {{ {scene} }} }}"
    return f"query {name}($ids: [ID!]{more}) {{\n  {scenes}\n}}"


VERSIONS = _page_of("PlexsyncVersions", "id updated_at organized @include(if: $more)", _MORE)
UNEVEN = _page_of("PlexsyncUneven", "id files { id }")

SWEEP = _page_of("PlexsyncSweep", "...Facts", _MORE) + _FACTS
"""Pages of scenes for matching."""

WHOLE = _page_of("PlexsyncWhole", _DETAILS) + _FILES
"""Pages of scenes in full."""

SCENES = _by_ids("PlexsyncScenes", "...Facts", _MORE) + _FACTS
"""Scenes by their ids for matching."""

DETAILS = _by_ids("PlexsyncDetails", _DETAILS) + _FILES
"""Scenes by their ids in full."""


def asking(text: str, wanted: Collection[StashField]) -> str:
    """Return a query that asks for what every run needs, and for what of it is `wanted`."""
    while _OPTIONAL.search(text):
        text = _OPTIONAL.sub(lambda part: part[2] if StashField(part[1]) in wanted else "", text)
    return text


def request_body(query: str, variables: Mapping[str, Json]) -> bytes:
    """Return one GraphQL request as JSON."""
    return msgspec.json.encode({"query": query, "variables": variables})


LACKING_A_COVER: Mapping[str, Json] = {"is_missing": "cover"}
"""The scenes without a cover. Source: docs/stash-api.md 2.4."""

UNEVEN_IN_FILES: Mapping[str, Json] = {"file_count": {"value": 1, "modifier": "NOT_EQUALS"}}
"""The scenes that have several files, or none. Source: docs/stash-api.md 4.2."""


def where_after(last_id: int, more: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """Return the filter of a page: scenes with a higher id than `last_id`, and `more` filters."""
    return {"id": {"value": last_id, "modifier": "GREATER_THAN"}, **(more or {})}


def where_up_to(where: Mapping[str, Json], last_id: int, highest_id: int) -> dict[str, Json]:
    """Return the same filter for scenes with `last_id` < id <= `highest_id`."""
    ids: Json = {"value": last_id + 1, "value2": highest_id, "modifier": "BETWEEN"}
    return {**where, "id": ids}


PLAIN = frozenset(
    field
    for field in StashField
    if field.startswith(("Scene.", "Studio.", "Query.")) and field is not StashField.CUSTOM_FIELDS
)
"""What is asked for where no configuration says otherwise: all that every Stash has of scenes."""

LISTS = {
    StashField.COVER: "paths",
    StashField.GROUPS: "groups",
    StashField.PERFORMERS: "performers",
}
"""What is never null where it was asked for."""
