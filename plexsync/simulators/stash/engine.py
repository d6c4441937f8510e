"""Runs GraphQL queries over the tables, as gqlgen answers them. Source: docs/stash-api.md 1."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    VariableNode,
    execute_sync,
    parse,
    validate,
    visit,
)
from graphql.execution.values import get_variable_values
from graphql.language import Visitor

from plexsync.simulators.stash.render import (
    RenderContext,
    RenderedPage,
    Renderer,
    compile_renderer,
    encode_json,
)
from plexsync.simulators.stash.resolvers import resolver
from plexsync.simulators.stash.roots import Facts, FindPage, RequestView
from plexsync.simulators.stash.schema import (
    NEWEST,
    PAGE_FIELDS,
    SchemaKind,
    Schemas,
    load_schemas,
    parse_version,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from graphql import GraphQLResolveInfo, GraphQLSchema

    from plexsync.simulators.stash.store import StashStore

_KEPT_QUERIES = 100


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A body, and whether the query was one at all: otherwise the status says so too."""

    body: bytes
    understood: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks: text, variables and which operation of the text."""

    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None


@dataclass(slots=True)
class _Prepared:
    """A query text, parsed and validated; and the renderers of its pages."""

    document: DocumentNode
    problems: Sequence[GraphQLError]
    renderers: dict[object, Renderer] = field(default_factory=dict)


class Engine:
    """Answers queries.

    Args:
        store: the tables.
        facts: what the server says of itself.
        compiled: serve pages by compiled renderers; otherwise graphql-core executes everything.
    """

    def __init__(self, store: StashStore, facts: Facts, *, compiled: bool = True) -> None:
        self._store = store
        self._facts = facts
        self._compiled = compiled
        self._prepared: OrderedDict[tuple[SchemaKind, str], _Prepared] = OrderedDict()
        store.watch(self._forget)

    def run(self, query: Query, base: str) -> QueryResult:
        """Answer one query; `base` begins the URLs in it."""
        with self._store.lock:
            try:
                prepared = self._prepare(query.text)
            except GraphQLError as error:
                return _refused([error], "GRAPHQL_PARSE_FAILED")
            problems = prepared.problems or self._variable_problems(prepared.document, query)
            if problems:
                return _refused(problems, "GRAPHQL_VALIDATION_FAILED")
            return self._execute(prepared, query, base)

    # -- preparing ---------------------------------------------------------------------------------

    def _current(self) -> Schemas:
        """Return the schemas of the version the server claims at the moment."""
        return load_schemas(self._kind())

    def _kind(self) -> SchemaKind:
        """Which schema that is."""
        facts = self._facts
        version = parse_version(facts.version or NEWEST)
        return SchemaKind(version, removed=facts.removed, asking=facts.asking)

    def _prepare(self, text: str) -> _Prepared:
        """Parse and validate, or remember having done so."""
        key = (self._kind(), text)
        known = self._prepared.get(key)
        if known is None:
            known = self._prepared[key] = _Prepared(*_understand(*key))
            if len(self._prepared) > _KEPT_QUERIES:
                self._prepared.popitem(last=False)
        self._prepared.move_to_end(key)
        return known

    def _variable_problems(self, document: DocumentNode, query: Query) -> list[GraphQLError]:
        """Return what is wrong with the variables."""
        operation = _operation(document, query.operation)
        if operation is None:
            return [GraphQLError(f"operation {query.operation or ''} not found")]
        coerced = get_variable_values(
            self._current().whole,
            operation.variable_definitions or (),
            dict(query.variables),
        )
        return coerced if isinstance(coerced, list) else []

    # -- executing ---------------------------------------------------------------------------------

    def _execute(self, prepared: _Prepared, query: Query, base: str) -> QueryResult:
        """Resolve everything; a failing resolver is no failing request."""
        view = RequestView(self._store, self._facts, base)
        schemas = self._current()
        opaque = self._compiled and not _introspects(prepared.document)

        def resolve(row: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if opaque and PAGE_FIELDS.get(info.parent_type.name) == info.field_name:
                return self._page(prepared, query, view, (row, info))
            return resolver(view, info.parent_type.name, info.field_name)(row, arguments)

        result = execute_sync(
            schemas.paged if opaque else schemas.whole,
            prepared.document,
            variable_values=dict(query.variables),
            operation_name=query.operation,
            field_resolver=resolve,
        )
        parts: dict[str, Any] = {}
        if result.errors:
            parts["errors"] = [_resolver_error(error) for error in result.errors]
        parts["data"] = result.data
        return QueryResult(encode_json(parts), understood=True)

    def _page(
        self,
        prepared: _Prepared,
        query: Query,
        view: RequestView,
        asked: tuple[FindPage, GraphQLResolveInfo[Any]],
    ) -> RenderedPage:
        """Return the rows of a page, rendered."""
        page, info = asked
        variables = _variables_in(info.field_nodes, info.fragments)
        used = json.dumps([(name, query.variables.get(name)) for name in sorted(variables)])
        key = (tuple(id(node) for node in info.field_nodes), view.base, used)
        renderer = prepared.renderers.get(key)
        if renderer is None:
            renderer = prepared.renderers[key] = self._renderer(view, info)
        return RenderedPage([renderer.row(row) for row in page.rows()])

    def _renderer(self, view: RequestView, info: GraphQLResolveInfo[Any]) -> Renderer:
        """Compile one page's selection."""
        schema = self._current().whole
        row_type = _row_type(schema, info.parent_type.name)
        setting = RenderContext(
            schema,
            info.fragments,
            info.variable_values,
            lambda type_name, field_name: resolver(view, type_name, field_name),
        )
        selections = [n.selection_set for n in info.field_nodes if n.selection_set is not None]
        return compile_renderer(setting, row_type, selections)

    def _forget(self, scene_ids: Collection[int]) -> None:
        """Rows have changed."""
        for prepared in self._prepared.values():
            for renderer in prepared.renderers.values():
                renderer.forget(scene_ids)


@lru_cache(maxsize=_KEPT_QUERIES)
def _understand(kind: SchemaKind, text: str) -> tuple[DocumentNode, Sequence[GraphQLError]]:
    """Parse and validate a query, once for all servers of a kind."""
    document = parse(text)
    return document, validate(load_schemas(kind).whole, document)


def _row_type(schema: GraphQLSchema, page_type: str) -> GraphQLObjectType:
    """Return what a page holds."""
    name = page_type.removeprefix("Find").removesuffix("sResultType")
    row_type = schema.type_map[name]
    if not isinstance(row_type, GraphQLObjectType):
        raise TypeError(f"{name} is no object type")
    return row_type


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """Return the operation to run: the named one, or the only one."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name:
        return next((o for o in operations if o.name and o.name.value == name), None)
    return operations[0] if len(operations) == 1 else None


def _introspects(document: DocumentNode) -> bool:
    """Whether a root field asks about the schema itself."""
    return any(
        isinstance(node, FieldNode) and node.name.value in ("__schema", "__type")
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
        for node in definition.selection_set.selections
    )


class _VariableFinder(Visitor):
    """Collects the variables and fragments a selection names."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.fragments: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Note a variable."""
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        """Note a fragment."""
        self.fragments.add(node.name.value)


def _variables_in(
    nodes: Iterable[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> set[str]:
    """Return the variables a selection depends on, fragments included."""
    finder = _VariableFinder()
    for node in nodes:
        visit(node, finder)
    seen: set[str] = set()
    while unseen := finder.fragments - seen:
        for name in unseen:
            visit(fragments[name], finder)
        seen |= unseen
    return finder.variables


# ---- errors --------------------------------------------------------------------------------------


def _refused(problems: Iterable[GraphQLError], code: str) -> QueryResult:
    """Return the answer to a query that is none: parse, validation and variable errors."""
    errors = [_request_error(problem, code) for problem in problems]
    return QueryResult(encode_json({"errors": errors, "data": None}), understood=False)


def _request_error(problem: GraphQLError, code: str) -> dict[str, Any]:
    """Message, places and code; a wrong variable also has a path."""
    shown: dict[str, Any] = {"message": problem.message}
    if problem.nodes and isinstance(problem.nodes[0], VariableNode):
        shown["path"] = ["variable", problem.nodes[0].name.value]
    variable = _variable_name(problem.message)
    if variable:
        shown["path"] = ["variable", variable]
    places = problem.locations or []
    shown["locations"] = [{"line": place.line, "column": place.column} for place in places]
    shown["extensions"] = {"code": code}
    return shown


def _variable_name(message: str) -> str:
    """Return the variable an error is about, as graphql-core words it."""
    start, _, rest = message.partition("'$")
    return rest.partition("'")[0].partition(".")[0] if start == "Variable " else ""


def _resolver_error(error: GraphQLError) -> dict[str, Any]:
    """Message and path, nothing else."""
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        raise error.original_error
    return {"message": error.message, "path": list(error.path or ())}
