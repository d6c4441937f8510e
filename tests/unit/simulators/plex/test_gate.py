"""Who gets into the simulated Plex server, and what the others get for an answer."""

from __future__ import annotations

import pytest

from plexsync.simulators.http.messages import Headers, SimRequest
from tests.support.plex_factories import ask, ask_json, make_plex, make_video, put

EDIT = "/library/sections/1/all?type=1&id=10&title.value=New"


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_the_token_everything_but_identity_is_a_401(token: str) -> None:
    """A missing token and a wrong one get the same answer."""
    plex = make_plex(make_video(10))

    refused = ask(plex, "/library/sections", token=token)

    assert refused.status == 401
    assert refused.body == (
        b"<html><head><title>Unauthorized</title></head>"
        b"<body><h1>401 Unauthorized</h1></body></html>"
    )
    assert ask(plex, "/identity", token=token).status == 200


def test_a_token_in_the_address_works_and_is_noted() -> None:
    """The server takes it; a client that keeps its secrets does not send it."""
    plex = make_plex(make_video(10))

    answer = ask(plex, f"/library/sections?X-Plex-Token={plex.token}", token="")

    assert answer.status == 200
    assert plex.misdeeds.tokens_in_query == 1


def test_tokens_can_be_revoked_while_a_run_is_under_way() -> None:
    """A 401 in mid-run."""
    plex = make_plex(make_video(10))
    plex.switches.accept_tokens = False

    assert ask(plex, "/library/sections").status == 401


def test_a_read_only_token_reads_and_does_not_write() -> None:
    """It lists, sees no allowSync on the server, and gets a 403 for an edit."""
    plex = make_plex(make_video(10), read_only_token="guest")
    before = plex.dump(clocks=True)

    assert ask(plex, "/library/sections", token="guest").status == 200
    assert b"allowSync" not in ask(plex, "/", token="guest").body
    assert b"allowSync" in ask(plex, "/").body
    assert ask(plex, EDIT, method="PUT", token="guest").status == 403
    assert plex.dump(clocks=True) == before


def test_a_starting_server_answers_every_path_with_503() -> None:
    """The first requests get the maintenance body, identity included."""
    plex = make_plex(make_video(10))
    plex.startup_503(2)

    answers = [ask(plex, "/identity"), ask(plex, "/nowhere"), ask(plex, "/identity")]

    assert [answer.status for answer in answers] == [503, 503, 200]
    assert answers[0].body.startswith(b'<Response code="503" title="Maintenance" status="')


def test_a_long_address_can_be_refused() -> None:
    """All edits travel in the address; the limit holds on both sides."""
    plex = make_plex(make_video(10))
    plex.switches.url_limit = len(EDIT)

    assert put(plex, EDIT).status == 200
    assert put(plex, EDIT + "x").status == 414


def test_an_edit_of_27_kilobytes_is_taken_by_default() -> None:
    """Plex's own limit is unknown, so there is none."""
    plex = make_plex(make_video(10))

    answer = put(plex, EDIT.replace("New", "%E6%97%A5" * 3000))

    assert answer.status == 200
    assert plex.dump()["10"]["fields"] == {
        "originallyAvailableAt": "2024-05-01",
        "title": "\u65e5" * 3000,
        "year": "2024",
    }


@pytest.mark.parametrize("target", ["/nowhere", "/library/sections/99/all", "/library/metadata/99"])
def test_what_is_not_there_is_a_404(target: str) -> None:
    """Unknown paths, libraries and items alike."""
    plex = make_plex(make_video(10))

    assert ask(plex, target).status == 404


def test_headers_are_as_recorded() -> None:
    """XML with its charset, the protocol version, and the length before compression."""
    plex = make_plex(make_video(10))

    answer = ask(plex, "/library/sections")
    headers = dict(answer.headers)

    assert headers["Content-Type"] == "text/xml;charset=utf-8"
    assert headers["X-Plex-Protocol"] == "1.0"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Plex-Content-Original-Length"] == str(len(answer.body))
    assert {"ETag", "Last-Modified"}.isdisjoint(headers)


def test_json_is_answered_to_those_who_ask() -> None:
    """XML is the default."""
    plex = make_plex(make_video(10))

    assert ask(plex, "/identity").body.startswith(b"<?xml")
    assert ask_json(plex, "/identity")["machineIdentifier"] == plex.identity.machine


@pytest.mark.parametrize(
    ("method", "target", "kind"),
    [
        ("GET", "/library/sections/1/all?type=1", "plex.listing"),
        ("PUT", "/library/sections/1/all?type=1&id=10", "plex.put"),
        ("PUT", "/library/metadata/10?title.value=x", "plex.put"),
        ("GET", "/library/metadata/10,11", "plex.detail"),
        ("GET", "/library/metadata/10/tree", "plex.tree"),
        ("POST", "/library/metadata/10/posters", "plex.upload"),
        ("PUT", "/:/rate?key=10&rating=5", "plex.rate"),
        ("GET", "/library/sections", "plex.sections"),
        ("GET", "/library/sections/1/refresh?path=/media", "plex.scan"),
        ("GET", "/", "plex.root"),
        ("POST", "/library/collections?title=x", "plex.make"),
        ("DELETE", "/library/metadata/10", "plex.delete"),
        ("DELETE", "/library/metadata/10/children", "plex.unknown"),
    ],
)
def test_requests_are_counted_by_kind(method: str, target: str, kind: str) -> None:
    """Faults and counters go by these names."""
    plex = make_plex(make_video(10))

    assert plex.kind(SimRequest.from_target(method, target, Headers(), b"")) == kind


def test_something_can_happen_just_before_a_request() -> None:
    """A person edits between our read and our write."""
    plex = make_plex(make_video(10))
    plex.before("plex.detail", 2, lambda: plex.edit_by_hand("10", {"title": "By hand"}))

    seen = [ask_json(plex, "/library/metadata/10")["Metadata"][0]["title"] for _ in range(3)]

    assert seen == ["Clip 10", "By hand", "By hand"]
