"""Compiled pages of the Stash simulator: equal to graphql-core's own, before and after changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from graphql import GraphQLObjectType, get_named_type
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.simulators.http.wire import Headers, SimRequest
from plexsync.simulators.library.pairs import LibrarySpec, make_library
from plexsync.simulators.stash.render import encode_json, go_float
from plexsync.simulators.stash.schema import SchemaKind, load_schemas
from plexsync.simulators.stash.simulator import StashSimulator

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_LIBRARY = make_library(LibrarySpec(scenes=12, odd=True))
_SCHEMA = load_schemas(SchemaKind((0, 30))).whole

_EVERYTHING = """
query Everything($ids: [ID!], $kind: String!, $no: Boolean!) {
  one: findScenes(ids: $ids) {
    count duration filesize
    scenes {
      ...Known
      sid: id __typename url urls organized rating100 created_at o_counter play_history
      captions { language_code }
      files {
        ... on BaseFile { id basename size fingerprint(type: $kind) }
        ... on VideoFile { path duration frame_rate bit_rate fingerprints { type value } }
        parent_folder { id path } zip_file { id }
      }
      paths { screenshot stream webp sprite }
      groups { scene_index group { id name date } }
      performers { id name disambiguation gender custom_fields image_path }
      stash_ids { endpoint stash_id updated_at }
      tags @skip(if: $no) { id name sort_name favorite }
      studio { name } studio { id parent_studio { name } }
      scene_markers { title } galleries { id }
    }
  }
  two: findScenes(filter: {per_page: 3, sort: "title"}) { scenes { id title tags { name } } }
  findTags(filter: {per_page: -1, sort: "id"}) { count tags { id name scene_count updated_at } }
  findPerformers { performers { name scene_count } }
  findStudios(filter: {per_page: -1}) { studios { name parent_studio { id } child_studios { id } } }
  findGroups { groups { name date } }
  version { version }
}
fragment Known on Scene { title details @include(if: $no) code director date updated_at }
"""


def _post(stash: StashSimulator, text: str, variables: dict[str, object]) -> bytes:
    body = json.dumps({"query": text, "variables": variables}).encode()
    headers = Headers([("Content-Type", "application/json"), ("Host", "stash:9999")])
    return stash.handle(SimRequest.from_target("POST", "/graphql", headers, body)).body


def _pair() -> tuple[StashSimulator, StashSimulator]:
    """The same Stash with compiled pages, and executed by graphql-core alone."""
    fast = StashSimulator(_LIBRARY, clock=lambda: NOW)
    slow = StashSimulator(_LIBRARY, clock=lambda: NOW, compiled=False)
    return fast, slow


@pytest.mark.parametrize("no", [False, True])
def test_compiled_pages_equal_executed_ones(*, no: bool) -> None:
    """Aliases, fragments, directives, arguments, interfaces and odd text come out the same."""
    fast, slow = _pair()
    ids = [str(scene.id) for scene in _LIBRARY.stash.scenes]
    variables: dict[str, object] = {"ids": ids, "kind": "oshash", "no": no}

    first = _post(fast, _EVERYTHING, variables)

    assert first == _post(slow, _EVERYTHING, variables)
    assert first == _post(fast, _EVERYTHING, variables)
    assert len(json.loads(first)["data"]["one"]["scenes"]) == len(ids)


def _selections(type_: GraphQLObjectType, depth: int) -> st.SearchStrategy[str]:
    """Any selection of a type, at most `depth` objects deep."""
    choices = []
    for name, field in type_.fields.items():
        if field.args and name != "scene_count":
            continue
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            choices.append(st.just(name))
        elif depth > 0:
            choices.append(st.tuples(st.just(name), _selections(inner, depth - 1)).map(" ".join))
    return st.lists(st.one_of(choices), min_size=1, max_size=6).map(lambda s: f"{{{' '.join(s)}}}")


_SCENE_TYPE = _SCHEMA.type_map["Scene"]
assert isinstance(_SCENE_TYPE, GraphQLObjectType)
_SCENE_SELECTIONS = _selections(_SCENE_TYPE, 2)


@pytest.fixture(scope="module")
def pair() -> tuple[StashSimulator, StashSimulator]:
    """A pair that is only read."""
    return _pair()


@settings(max_examples=40, deadline=None)
@given(selection=_SCENE_SELECTIONS)
def test_any_selection_compiles_to_what_it_means(
    pair: tuple[StashSimulator, StashSimulator], selection: str
) -> None:
    """Whatever may be selected from a scene renders as graphql-core executes it."""
    fast, slow = pair
    text = f'{{ findScenes(filter: {{sort: "id", per_page: 5}}) {{ scenes {selection} }} }}'

    body = _post(fast, text, {})

    assert body == _post(slow, text, {})
    assert "errors" not in json.loads(body)


_CHANGES: dict[str, Callable[[StashSimulator], object]] = {
    "edit scene": lambda stash: stash.edit_scene(2, title="<New> & shiny"),
    "rename tag": lambda stash: stash.edit_tag(stash.scene(2).tag_ids[0], name="Renamed"),
    "merge tags": lambda stash: stash.merge_tags([stash.scene(2).tag_ids[0]], 1),
    "delete tag": lambda stash: stash.delete_tag(stash.scene(2).tag_ids[0]),
    "rename performer": lambda stash: stash.edit_performer(
        stash.scene(2).performer_ids[0], name="Renamed"
    ),
    "delete performer": lambda stash: stash.delete_performer(stash.scene(2).performer_ids[0]),
    "rename studio": lambda stash: stash.edit_studio(stash.scene(2).studio_id or 0, name="Renamed"),
    "rename parent studio": lambda stash: stash.edit_studio(4, name="Renamed"),
    "delete parent studio": lambda stash: stash.delete_studio(4),
    "rename group": lambda stash: stash.edit_group(1, name="Renamed"),
    "delete group": lambda stash: stash.delete_group(1),
    "move file": lambda stash: stash.move_file(2, "/data/elsewhere/new.mp4"),
    "rename folder": lambda stash: stash.rename_folder("/data", "/data2"),
    "rewrite file": lambda stash: stash.rewrite_file(2, size=5, oshash=7),
    "generate covers": lambda stash: stash.generate_covers(),
    "delete scene": lambda stash: stash.delete_scene(3),
    "merge scenes": lambda stash: stash.merge_scenes([3], 2),
    "full import": lambda stash: stash.full_import(),
    "new scene": lambda stash: stash.scan_in("/data/n.mp4", size=1, duration=2.5, oshash=3),
}


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES.keys())
def test_kept_rows_follow_every_change(change: Callable[[StashSimulator], object]) -> None:
    """No change leaves a kept row behind that a fresh execution would not give."""
    fast, slow = _pair()
    text = """{ findScenes(filter: {per_page: -1, sort: "id"}) { scenes {
        id title updated_at files { path size fingerprint(type: "oshash") } tags { name }
        performers { name } studio { name parent_studio { name } }
        groups { group { name } } } } }"""
    before = _post(fast, text, {})

    change(fast)
    change(slow)

    after = _post(fast, text, {})
    assert after == _post(slow, text, {})
    assert after != before


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (-1.0, "-1"),
        (3127.48, "3127.48"),
        (999_999.5, "999999.5"),
        (1_000_000.0, "1e+06"),
        (1.2e12, "1.2e+12"),
        (1_234_567.0, "1.234567e+06"),
        (0.00001, "1e-05"),
        (0.0001, "0.0001"),
    ],
)
def test_floats_are_written_as_go_does(value: float, written: str) -> None:
    """`%g`: an exponent from a million on, no trailing zeros."""
    assert go_float(value) == written
    assert float(written) == value


@given(st.text())
def test_any_text_survives_json(text: str) -> None:
    """Escapes change the bytes, never the text."""
    assert json.loads(encode_json(text)) == text


def test_half_a_surrogate_pair_goes_out_as_an_escape() -> None:
    """UTF-8 has no such character, JSON has."""
    assert encode_json("a\ud800b<") == b'"a\\ud800b<"'
