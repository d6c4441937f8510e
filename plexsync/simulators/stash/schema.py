"""Stash's GraphQL schema as each supported version has it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from graphql import (
    DocumentNode,
    FieldDefinitionNode,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    InputValueDefinitionNode,
    NamedTypeNode,
    NameNode,
    Node,
    NonNullTypeNode,
    build_ast_schema,
    parse,
    visit,
)
from graphql.language import REMOVE, Visitor

if TYPE_CHECKING:
    from collections.abc import Sequence

Version = tuple[int, int]

NEWEST = "v0.30.1"

APP_SCHEMA = {
    (0, 24): 54,
    (0, 25): 55,
    (0, 26): 58,
    (0, 27): 67,
    (0, 28): 72,
    (0, 29): 72,
    (0, 30): 75,
    (0, 31): 85,
}
"""Database schema numbers. Source: docs/stash-api.md 7."""

SINCE: dict[str, Version] = {
    "Query.findGroups": (0, 27),
    "Query.findScenes.ids": (0, 25),
    "Query.findPerformers.ids": (0, 25),
    "Query.findStudios.ids": (0, 25),
    "Query.findTags.ids": (0, 25),
    "Scene.groups": (0, 27),
    "Scene.custom_fields": (0, 31),
    "Scene.play_history": (0, 25),
    "Scene.o_history": (0, 25),
    "SceneFilterType.groups": (0, 27),
    "SceneFilterType.performers_filter": (0, 27),
    "SceneFilterType.studios_filter": (0, 27),
    "SceneFilterType.tags_filter": (0, 27),
    "SceneFilterType.groups_filter": (0, 27),
    "SceneFilterType.files_filter": (0, 30),
    "SceneMarker.end_seconds": (0, 28),
    "StashID.updated_at": (0, 28),
    "Tag.sort_name": (0, 28),
    "Tag.favorite": (0, 26),
    "Tag.stash_ids": (0, 30),
    "TagFilterType.sort_name": (0, 28),
    "TagFilterType.stash_id_endpoint": (0, 30),
    "Performer.custom_fields": (0, 28),
    "Studio.favorite": (0, 26),
    "Studio.tags": (0, 27),
    "Studio.urls": (0, 30),
}
"""When a field, an argument or a criterion appeared. Source: docs/stash-api.md 2, 3 and 7."""

_ARGUMENT = InputValueDefinitionNode(
    name=NameNode(value="form"),
    type=NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="String"))),
    directives=(),
)

PAGE_FIELDS = {
    "FindScenesResultType": "scenes",
    "FindPerformersResultType": "performers",
    "FindStudiosResultType": "studios",
    "FindGroupsResultType": "groups",
    "FindTagsResultType": "tags",
}
"""The fields that hold a page of rows, by result type."""


def parse_version(text: str) -> Version:
    """Major and minor number of `v0.30.1` or `v0.30.1-19-gcf3489efd`."""
    major, minor, *_ = text.removeprefix("v").split(".")
    return int(major), int(minor)


@dataclass(frozen=True, slots=True)
class Schemas:
    """One version's schema: as it is, and with each page of rows as one opaque value.

    A renderer supplies the opaque values. The schema is known to be valid, so that checking it is
    left out (a test checks it).
    """

    whole: GraphQLSchema
    paged: GraphQLSchema


@dataclass(frozen=True, slots=True)
class SchemaKind:
    """Which schema a server has.

    Attributes:
        version: what is newer is not there.
        removed: nor are these fields, such as `Scene.director`.
        asking: fields that need an argument.
    """

    version: Version
    removed: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()


@lru_cache(maxsize=32)
def load_schemas(kind: SchemaKind) -> Schemas:
    """Return the schema of a kind of server; all servers of a kind share one."""
    document = _document(kind)
    paged = build_ast_schema(document, assume_valid=True)
    page = GraphQLNonNull(GraphQLScalarType("RenderedPage"))
    for type_name, field_name in PAGE_FIELDS.items():
        result_type = paged.type_map.get(type_name)
        if isinstance(result_type, GraphQLObjectType):
            result_type.fields[field_name].type = page
    return Schemas(build_ast_schema(document, assume_valid=True), paged)


def _document(kind: SchemaKind) -> DocumentNode:
    """Return the SDL, pruned. `bit_rate` is a 64-bit number there, which GraphQL's Int is not."""
    text = files("plexsync.simulators.stash").joinpath("schema.graphql").read_text("utf-8")
    text = text.replace("  bit_rate: Int!", "  bit_rate: Int64!")
    document: DocumentNode = visit(parse(text, no_location=True), _Pruner(kind))
    return document


class _Pruner(Visitor):
    """Removes what a server does not have."""

    def __init__(self, kind: SchemaKind) -> None:
        super().__init__()
        self._kind = kind

    def enter(
        self, node: Node, _key: object, _parent: object, _path: object, ancestors: Sequence[object]
    ) -> object:
        """Decide about one definition."""
        if not isinstance(node, FieldDefinitionNode | InputValueDefinitionNode):
            return None
        names = [a.name.value for a in ancestors if hasattr(a, "name") and a.name is not None]
        name = ".".join([*names, node.name.value])
        if name in self._kind.removed or SINCE.get(name, (0, 0)) > self._kind.version:
            return REMOVE
        if name in self._kind.asking and isinstance(node, FieldDefinitionNode):
            return FieldDefinitionNode(
                name=node.name, type=node.type, directives=(), arguments=(_ARGUMENT,)
            )
        return None
