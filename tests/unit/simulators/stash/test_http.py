"""The Stash simulator over HTTP: keys, statuses, shapes of errors, versions, covers."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests
from graphql import assert_valid_schema

from plexsync.simulators.http.wire import (
    Fault,
    Faults,
    Headers,
    LoopbackServer,
    SimRequest,
    SimResponse,
    Wired,
)
from plexsync.simulators.library.pairs import LibrarySpec, make_library
from plexsync.simulators.stash.rows import PLACEHOLDER, generated_cover
from plexsync.simulators.stash.schema import SchemaKind, load_schemas
from plexsync.simulators.stash.simulator import Job, StashSimulator, resolver_failure

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
_LIBRARY = make_library(LibrarySpec(scenes=30))


def _stash(**options: Any) -> StashSimulator:  # noqa: ANN401 - options of the simulator
    return StashSimulator(_LIBRARY, clock=lambda: NOW, **options)


def _send(stash: StashSimulator, target: str, body: bytes = b"", **headers: str) -> SimResponse:
    """One request; keyword names become header names."""
    named = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    method = "POST" if body else "GET"
    return stash.handle(SimRequest.from_target(method, target, named, body))


def _ask(stash: StashSimulator, query: str, **headers: str) -> SimResponse:
    body = json.dumps({"query": query}).encode()
    return _send(stash, "/graphql", body, **{"Content_Type": "application/json", **headers})


def _header(response: SimResponse, name: str) -> str:
    return Headers(response.headers).get(name, "")


# ---- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configured", "sent", "status"),
    [("", "", 200), ("", "any", 401), ("k", "k", 200), ("k", "other", 401), ("k", "", 401)],
)
def test_key_must_be_the_configured_one(configured: str, sent: str, status: int) -> None:
    """A key sent to a server without one is refused as a wrong one is."""
    response = _ask(_stash(api_key=configured), "{ version { version } }", ApiKey=sent)

    assert response.status == status
    assert (response.body == b"") == (status == 401)
    assert _header(response, "WWW-Authenticate") == ("FormBased" if status == 401 else "")


def test_key_may_come_as_argument() -> None:
    """`apikey` in the query opens too."""
    assert _send(_stash(api_key="k"), "/scene/1/screenshot?apikey=k").status == 200


def test_other_paths_redirect_to_the_login_page() -> None:
    """Without a key a cover is a redirect, and a trailing slash makes GraphQL another path."""
    stash = _stash(api_key="k")

    for path in ("/scene/1/screenshot", "/graphql/"):
        response = _send(stash, path)
        assert response.status == 302
        assert _header(response, "Location").startswith("/login?returnURL=%2F")
    assert _send(stash, "/healthz").body == b"."


def test_old_servers_confuse_a_wrong_key_with_their_own_failure() -> None:
    """Up to v0.25 the answer to a wrong key is 500."""
    response = _ask(_stash(version="v0.25.1", api_key="k"), "{ version { version } }", ApiKey="x")

    assert (response.status, response.body) == (500, b"unauthorized\n")


def test_tripwire_locks_everybody_out() -> None:
    """A server exposed to the internet answers 403 to everything."""
    stash = _stash()
    stash.tripwire = True

    assert _ask(stash, "{ version { version } }").status == 403


def test_setup_needs_no_key() -> None:
    """Before the first configuration nothing is protected."""
    stash = _stash(api_key="k")
    stash.facts.status = "SETUP"

    assert _ask(stash, "{ systemStatus { status } }").status == 200


# ---- statuses and types --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "accept", "media_type", "refused"),
    [
        ("v0.30.1", "application/json", "application/json", 422),
        ("v0.30.1", "", "application/json", 422),
        ("v0.30.1", "*/*", "application/graphql-response+json", 400),
        (
            "v0.30.1",
            "application/*;q=0.1, application/json",
            "application/graphql-response+json",
            400,
        ),
        ("v0.30.1", "text/html", "application/graphql-response+json", 400),
        ("v0.28.0", "*/*", "application/json", 422),
    ],
)
def test_accept_decides_type_and_status(
    version: str, accept: str, media_type: str, refused: int
) -> None:
    """Since v0.29 a client that takes anything gets the new type, and 400 for a bad query."""
    stash = _stash(version=version)

    good = _ask(stash, "{ version { version } }", Accept=accept)
    bad = _ask(stash, "{ nonsense }", Accept=accept)

    assert (good.status, _header(good, "Content-Type")) == (200, media_type)
    assert (bad.status, _header(bad, "Content-Type")) == (refused, media_type)
    assert _header(good, "Cache-Control") == "no-store"
    assert _header(good, "Date") == "Sun, 22 Nov 2026 08:30:15 GMT"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ version {", "GRAPHQL_PARSE_FAILED"),
        ("{ findScenes { scenes { nonsense } } }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ findScenes(filter: {direction: "UP"}) { count } }', "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { version { version } } query B { version { version } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ],
)
def test_bad_queries_name_their_code(query: str, code: str) -> None:
    """Errors carry a code and a place, and data is null."""
    response = _ask(_stash(), query)
    answer = json.loads(response.body)

    assert response.status == 422
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"] == {"code": code}
    assert isinstance(answer["errors"][0]["message"], str)


def test_bad_variable_has_its_path() -> None:
    """A variable of the wrong type is named."""
    body = json.dumps(
        {"query": "query($n: Int!) { findScenes(filter: {per_page: $n}) { count } }"}
    ).encode()
    response = _send(_stash(), "/graphql", body, Content_Type="application/json")

    assert response.status == 422
    assert json.loads(response.body)["errors"][0]["path"] == ["variable", "n"]


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"{}", "text/plain", "transport not supported"),
        (b"not json", "application/json", "json request body could not be decoded"),
        (b"[{}]", "application/json; charset=utf-8", "json request body could not be decoded"),
    ],
)
def test_bodies_that_are_no_query(body: bytes, content_type: str, message: str) -> None:
    """Other types, no JSON and batches get 400."""
    response = _send(_stash(), "/graphql", body, Content_Type=content_type)

    assert response.status == 400
    assert json.loads(response.body)["errors"][0]["message"].startswith(message)


def test_resolver_errors_are_200_without_data() -> None:
    """A failing resolver says so in the body alone: message and path."""
    response = _ask(_stash(), '{ findScenes(filter: {sort: "nonsense"}) { count } }')

    assert response.status == 200
    assert json.loads(response.body) == {
        "errors": [{"message": "invalid sort: nonsense", "path": ["findScenes"]}],
        "data": None,
    }


def test_poisoned_scene_fails_every_page_that_holds_it() -> None:
    """One bad row nulls the whole answer; pages without it are fine."""
    stash = _stash()
    stash.poison(7)

    bad = stash.query('{ findScenes(ids: ["6", "7"]) { scenes { id } } }')
    alone = stash.query('{ findScene(id: "7") { id } }')
    good = stash.query('{ findScenes(ids: ["6", "8"]) { scenes { id } } }')
    stash.cure(7)
    cured = stash.query('{ findScenes(ids: ["7"]) { scenes { id } } }')

    message = "internal error: multiple rows returned for single scene id 7"
    assert bad == {"errors": [{"message": message, "path": ["findScenes"]}], "data": None}
    assert alone == {
        "errors": [{"message": message, "path": ["findScene"]}],
        "data": {"findScene": None},
    }
    assert [scene["id"] for scene in good["data"]["findScenes"]["scenes"]] == ["6", "8"]
    assert "errors" not in cured


def test_dangling_link_fails_its_page() -> None:
    """A tag deleted while a page is read makes the page fail."""
    stash = _stash()
    stash.write_silently(2, tag_ids=(9999,))

    answer = stash.query('{ findScenes(ids: ["2"]) { scenes { tags { name } } } }')

    assert answer["data"] is None
    assert answer["errors"][0]["message"] == "tag with id 9999 not found"


def test_planned_failure_looks_like_a_resolvers() -> None:
    """The shape of a locked database."""
    fault = Fault("stash.graphql", 1, resolver_failure())
    with LoopbackServer(Wired(_stash(), Faults(fault))) as server:
        answers = [
            requests.post(f"{server.url}/graphql", json={"query": "{version{hash}}"}, timeout=120)
            for _ in range(2)
        ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["errors"][0]["message"] == "database is locked"
    assert "errors" not in answers[1].json()


# ---- readiness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["SETUP", "NEEDS_MIGRATION"])
def test_without_a_database_only_the_status_answers(status: str) -> None:
    """Every query of the database panics; version and status do not."""
    stash = _stash()
    stash.facts.status = status

    ready = stash.query("{ version { version } systemStatus { status } jobQueue { id } }")
    panic = stash.query("{ findTags { count } }")

    assert ready["data"]["systemStatus"]["status"] == status
    assert ready["data"]["jobQueue"] is None
    assert panic["data"] is None
    assert "nil pointer dereference" in panic["errors"][0]["message"]


def test_behind_database_shows_in_the_schema_numbers() -> None:
    """An upgrade that waits for its migration has a lower database schema."""
    stash = _stash(version="v0.28.0")
    text = "{ systemStatus { databaseSchema appSchema } }"
    ready = stash.query(text)["data"]["systemStatus"]
    stash.facts.status = "NEEDS_MIGRATION"
    behind = stash.query(text)["data"]["systemStatus"]

    assert ready == {"databaseSchema": 72, "appSchema": 72}
    assert behind == {"databaseSchema": 71, "appSchema": 72}


def test_a_stash_that_is_not_set_up_knows_no_places() -> None:
    """Its database has schema 0; texts are empty, not null."""
    stash = _stash()
    stash.facts.status = "SETUP"

    status = stash.query("{ systemStatus { databaseSchema databasePath configPath } }")

    empty = {"databaseSchema": 0, "databasePath": "", "configPath": ""}
    assert status["data"]["systemStatus"] == empty


@pytest.mark.parametrize("path", ["/scene/1/screenshot", "/tag/1/image", "/group/1/frontimage"])
def test_without_a_database_no_picture_is_served(path: str) -> None:
    """The server panics, which is a 500 without a body."""
    stash = _stash()
    stash.facts.status = "NEEDS_MIGRATION"

    answer = _send(stash, path)

    assert (answer.status, answer.body) == (500, b"")


def test_jobs_are_listed_while_there_are_any() -> None:
    """The queue is null when idle."""
    stash = _stash()
    stash.facts.jobs.append(Job("Scanning...", progress=0.5))

    queue = stash.query("{ jobQueue { id status description progress } }")["data"]["jobQueue"]

    assert queue == [
        {"id": "1", "status": "RUNNING", "description": "Scanning...", "progress": 0.5}
    ]


# ---- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "query", "known"),
    [
        ("v0.24.0", '{ findScenes(ids: ["1"]) { count } }', False),
        ("v0.25.0", '{ findScenes(ids: ["1"]) { count } }', True),
        ("v0.26.2", "{ findScenes { scenes { groups { scene_index } } } }", False),
        ("v0.27.0", "{ findScenes { scenes { groups { scene_index } } } }", True),
        ("v0.26.2", "{ findScenes(scene_filter: {tags_filter: {}}) { count } }", False),
        ("v0.27.0", "{ findScenes(scene_filter: {tags_filter: {}}) { count } }", True),
        ("v0.27.1", "{ findTags { tags { sort_name } } }", False),
        ("v0.28.0", "{ findTags { tags { sort_name } } }", True),
        ("v0.29.3", "{ findTags { tags { stash_ids { endpoint } } } }", False),
        ("v0.30.1-19-gcf3489efd", "{ findTags { tags { stash_ids { endpoint } } } }", True),
    ],
)
def test_newer_fields_are_unknown_to_older_servers(
    version: str, query: str, *, known: bool
) -> None:
    """A field, argument or criterion that is too new fails the request as a whole."""
    assert _ask(_stash(version=version), query).status == (200 if known else 422)


@pytest.mark.parametrize("version", [(0, 24), (0, 26), (0, 27), (0, 28), (0, 30)])
def test_every_versions_schema_is_valid(version: tuple[int, int]) -> None:
    """What loading takes for granted."""
    schemas = load_schemas(SchemaKind(version))
    for schema in (schemas.whole, schemas.paged):
        # Checked again: loading marks both as valid.
        schema._validation_errors = None  # noqa: SLF001 - no public way to ask again
        assert_valid_schema(schema)


def test_introspection_shows_the_real_types() -> None:
    """Clients may look fields up; pages are lists there."""
    text = (
        '{ __type(name: "FindScenesResultType") { fields { name type { kind ofType { kind } } } } }'
    )
    fields = _stash().query(text)["data"]["__type"]["fields"]

    assert {"name": "scenes", "type": {"kind": "NON_NULL", "ofType": {"kind": "LIST"}}} in fields


# ---- URLs ----------------------------------------------------------------------------------------


def test_screenshot_urls_begin_as_configured_and_carry_the_time() -> None:
    """The host is the request's unless configured; `t` is the scene's own time."""
    stash = _stash()
    stash.write_silently(1, updated_at="2026-01-01T01:00:00+01:00")
    query = '{ findScenes(ids: ["1"]) { scenes { paths { screenshot } } } }'

    asked = json.loads(_ask(stash, query, Host="stash.lan:81").body)
    stash.external_host = "https://elsewhere.example"
    configured = json.loads(_ask(stash, query, Host="stash.lan:81").body)

    tail = "/scene/1/screenshot?t=1767225600"
    found = [
        a["data"]["findScenes"]["scenes"][0]["paths"]["screenshot"] for a in (asked, configured)
    ]
    assert found == [f"http://stash.lan:81{tail}", f"https://elsewhere.example{tail}"]


def test_stream_url_carries_the_key() -> None:
    """Whoever selects it has a secret in hand, as on the real server."""
    answer = _ask(
        _stash(api_key="geheim"), "{ findScenes { scenes { paths { stream } } } }", ApiKey="geheim"
    )

    assert b"apikey=geheim" in answer.body


def test_subpath_behind_a_proxy() -> None:
    """With a prefix everything lives below it; an unknown path is a web page with 200."""
    stash = _stash()
    stash.prefix = "/stash"
    body = b'{"query": "{ version { version } }"}'

    inside = _send(stash, "/stash/graphql", body, Content_Type="application/json")
    twice = _send(stash, "/stash/graphql/graphql", body, Content_Type="application/json")

    assert json.loads(inside.body)["data"]["version"]["version"] == "v0.30.1"
    assert (twice.status, _header(twice, "Content-Type")) == (200, "text/html; charset=utf-8")


# ---- covers --------------------------------------------------------------------------------------


def test_cover_has_the_md5_of_its_bytes_as_etag() -> None:
    """A conditional request for the same picture is 304."""
    stash = _stash()
    stash.set_cover(1, b"\xff\xd8\xff\xe0 jpeg")

    first = _send(stash, "/scene/1/screenshot?t=1")
    again = _send(stash, "/scene/1/screenshot", If_None_Match=_header(first, "ETag"))

    assert (first.status, first.body) == (200, b"\xff\xd8\xff\xe0 jpeg")
    assert _header(first, "ETag") == f'"{hashlib.md5(first.body).hexdigest()}"'  # noqa: S324 - the server's own choice
    assert _header(first, "Cache-Control") == "private, max-age=31536000, immutable"
    assert (again.status, again.body) == (304, b"")
    assert _header(again, "Cache-Control") == "no-cache"


@pytest.mark.parametrize(
    ("picture", "content_type"),
    [
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (generated_cover(3), "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x1cftypavif", "application/octet-stream"),
        (b"<!DOCTYPE html><p>login", "text/html; charset=utf-8"),
        (b"<svg/>", "image/svg+xml"),
    ],
)
def test_cover_type_is_sniffed(picture: bytes, content_type: str) -> None:
    """Nothing validates a cover; its type is what the bytes look like."""
    stash = _stash()
    stash.set_cover(1, picture)

    assert _header(_send(stash, "/scene/1/screenshot"), "Content-Type") == content_type


@pytest.mark.parametrize(
    ("kind", "place", "query"),
    [
        (
            "studio",
            "image",
            "findStudios(filter: ALL) { studios { id updated_at details image_path } }",
        ),
        (
            "performer",
            "image",
            "findPerformers(filter: ALL) { performers { id updated_at image_path } }",
        ),
        ("tag", "image", "findTags(filter: ALL) { tags { id updated_at description image_path } }"),
        (
            "group",
            "frontimage",
            "findGroups(filter: ALL) { groups { id updated_at synopsis front_image_path } }",
        ),
    ],
)
def test_a_picture_of_a_related_row_moves_only_its_own_time(
    kind: str, place: str, query: str
) -> None:
    """Its address says by itself whether there is one, and its stamp moves; no scene's does."""
    stash = _stash()
    before = [scene.updated_at for scene in stash.scenes]
    query = "{" + query.replace("ALL", "{per_page: -1}") + "}"
    none = _ask(stash, query).body.decode()

    stash.set_image(kind, 1, b"\xff\xd8\xff\xe0 new")
    served = _send(stash, f"/{kind}/1/{place}?t=1")

    stamp = int(NOW.timestamp())
    assert f'/{kind}/1/{place}?t={stamp}"' in _ask(stash, query).body.decode()
    assert f"/{kind}/1/{place}?t=1704067200\\u0026default=true" in none
    assert served.body == b"\xff\xd8\xff\xe0 new"
    assert _send(stash, f"/{kind}/2/{place}").body == PLACEHOLDER
    assert _send(stash, f"/{kind}/9999/{place}").status == 404
    assert [scene.updated_at for scene in stash.scenes] == before


def test_scene_without_cover_shows_a_placeholder() -> None:
    """SVG, with 200."""
    stash = _stash()
    stash.write_silently(1, cover=None)

    response = _send(stash, "/scene/1/screenshot")

    assert (response.status, response.body) == (200, PLACEHOLDER)
    assert _header(response, "Content-Type") == "image/svg+xml"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/scene/9999/screenshot", 404),
        ("GET", "/scene/abc/screenshot", 400),
        ("HEAD", "/scene/1/screenshot", 405),
        ("HEAD", "/scene/9999/screenshot", 404),
    ],
)
def test_covers_are_for_get_alone(method: str, path: str, status: int) -> None:
    """Unknown scenes are 404, other ids 400, other methods 405."""
    response = _stash().handle(SimRequest.from_target(method, path, Headers(), b""))

    assert response.status == status


# ---- times, the server process -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "2026-11-22T08:30:15Z"),
        (1, "2026-11-22T09:30:15+01:00"),
        (-7, "2026-11-22T01:30:15-07:00"),
    ],
)
def test_times_are_stored_in_the_servers_zone(hours: int, text: str) -> None:
    """Whole seconds, local wall clock, `Z` for offset zero; the zone may change."""
    stash = _stash()
    stash.zone = timezone(timedelta(hours=hours))

    assert stash.edit_scene(1).updated_at == text


def test_requests_are_counted_by_kind() -> None:
    """Queries, covers and the rest apart."""
    stash = _stash()
    kind: Callable[[str], str] = lambda target: stash.kind(  # noqa: E731 - a short name for a long call
        SimRequest.from_target("GET", target, Headers(), b"")
    )

    assert kind("/graphql?query=1") == "stash.graphql"
    assert kind("/scene/1/screenshot?t=1") == "stash.cover"
    assert kind("/healthz") == "stash.other"


def test_servers_run_in_a_process_of_their_own() -> None:
    """One line says where; methods can be called; the end of stdin ends both servers."""
    command = [sys.executable, "-m", "plexsync.simulators", "--scenes", "5", "--gzip"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        places = json.loads(process.stdout.readline())
        process.stdin.write('["stash", "edit_tag", [1], {"name": "Rain"}]\n')
        process.stdin.flush()
        called = json.loads(process.stdout.readline())
        answer = requests.post(
            f"{places['stash']}/graphql",
            json={"query": "{ findTags(ids: [1]) { tags { name } } }"},
            headers={"ApiKey": places["api_key"], "Accept": "application/json"},
            timeout=120,
        )
        identity = requests.get(f"{places['plex']}/identity", timeout=120)
        process.stdin.close()
        ended = process.wait(120)

    assert called == {"result": None}
    assert answer.json()["data"]["findTags"]["tags"] == [{"name": "Rain"}]
    assert identity.ok
    assert ended == 0
