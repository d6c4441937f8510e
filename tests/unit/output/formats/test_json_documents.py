"""The JSON document and its events: exactly the contract, whatever the texts hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from plexsync.models import Credit, Outcome, PathRule, PlexField, Requests
from plexsync.output.formats import json_documents as json_report
from tests.support.factories import (
    make_change,
    make_counts,
    make_header,
    make_preview,
    make_problem,
    make_row,
    make_scene_ref,
    make_summary,
)

CONTRACT = Path(__file__).parents[4] / "docs" / "contract.md"


def document(*rows: bytes, **fields: object) -> Any:  # noqa: ANN401 - JSON
    """The parsed document of a run."""
    return json.loads(b"".join(json_report.run_document(make_summary(**fields), rows)))


def keys(value: object) -> object:
    """The shape of a document: its keys in order, all the way down; scalars by name of type."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [keys(value[0])] if value else []
    return None


def contract_example() -> Any:  # noqa: ANN401 - JSON
    """The example of the contract."""
    text = CONTRACT.read_text(encoding="utf-8")
    section = text.partition("### `plexsync run --json`")[2]
    found = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_document_has_exactly_the_keys_of_the_contract() -> None:
    """Same keys, same order, same nesting as the example in docs/contract.md."""
    rule = PathRule(stash="/data/", plex="/media/", explains=41, certain=43)
    ours = document(json_report.match_json(make_row()), proposed_rules=(rule,))

    assert json.dumps(keys(ours)) == json.dumps(keys(contract_example()))


def test_defaults_are_written_out() -> None:
    """Zero, null and empty lists are there, so that readers need no defaults of their own."""
    row = make_row(
        item=None,
        confidence=None,
        score=0.0,
        margin=0.0,
        evidence=(),
        candidates=(),
        changes=(),
        outcome=Outcome.UNMATCHED,
    )

    ours = document(json_report.match_json(row))

    assert ours["counts"] == dict.fromkeys(contract_example()["counts"], 0)
    assert ours["error"] is None
    assert ours["matches"][0] | {"scene": None, "reason": ""} == {
        "scene": None,
        "item": None,
        "confidence": None,
        "score": 0.0,
        "margin": 0.0,
        "reason": "",
        "evidence": [],
        "candidates": [],
        "changes": [],
        "by_hand": [],
        "is_collection": False,
        "is_show": False,
        "outcome": "unmatched",
        "error": None,
    }


def test_servers_that_never_answered_are_null() -> None:
    """The keys stay."""
    ours = document(header=make_header(stash=None, plex=None), error=make_problem(), exit_code=4)

    assert ours["servers"] == {"stash": None, "plex": None}
    assert ours["error"] == {
        "kind": "transient",
        "message": "Plex answered 503 three times",
        "hint": "is Plex starting?",
    }
    assert ours["exit_code"] == 4


def test_counts_and_requests_are_those_of_the_run() -> None:
    """Numbers arrive under their own names."""
    ours = document(
        counts=make_counts(scenes_read=7, applied=2), requests=Requests(stash=3, plex_writes=2)
    )

    assert ours["counts"]["scenes_read"] == 7
    assert ours["counts"]["applied"] == 2
    assert ours["requests"] == {"stash": 3, "plex_reads": 0, "plex_writes": 2}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_matches_are_a_list_of_any_length(count: int) -> None:
    """Pieces are joined into valid JSON."""
    ours = document(*[json_report.match_json(make_row())] * count)

    assert len(ours["matches"]) == count


def test_lists_stay_lists() -> None:
    """A change of tags has arrays before and after."""
    row = make_row(changes=(make_change(field="tags", before=(), after=("a", "b")),))

    (change,) = document(json_report.match_json(row))["matches"][0]["changes"]

    assert change == {
        "field": "tags",
        "before": [],
        "after": ["a", "b"],
        "policy": "overwrite",
        "locked": False,
    }


def test_credits_are_reported_where_they_move_and_nowhere_else() -> None:
    """A member of its own, so that the names stay names."""
    names = {"field": "performers", "target": PlexField.ACTORS, "before": ("Ann", "Bo")}
    change = make_change(
        **names,
        after=("Ann", "Bo"),
        credits_before={"ann": Credit(role="", photo="http://p"), "bo": Credit(role="Two")},
        credits_after={"ann": Credit(role="One"), "bo": Credit(role="Two")},
    )
    (entry,) = document(json_report.match_json(make_row(changes=(change,))))["matches"][0][
        "changes"
    ]
    assert entry["after"] == ["Ann", "Bo"]
    assert entry["credits"] == [
        {
            "name": "Ann",
            "before": {"role": "", "photo": "http://p"},
            "after": {"role": "One", "photo": "http://p"},
        }
    ]
    plain = json_report.match_json(make_row(changes=(make_change(**names, after=("Ann",)),)))
    assert "credits" not in document(plain)["matches"][0]["changes"][0]


def test_texts_are_cleaned_but_keep_their_lines() -> None:
    """Escapes and direction controls go; line feeds and tabs are content."""
    row = make_row(
        scene=make_scene_ref(title="a\x1b[2Jb\u202e", path="/data/\ud800"),
        changes=(make_change(before="", after="one\r\ntwo\n\tthree\x9b"),),
    )

    match = document(json_report.match_json(row))["matches"][0]

    assert match["scene"]["title"] == "a\ufffd[2Jb"
    assert match["scene"]["path"] == "/data/\ufffd"
    assert match["changes"][0]["after"] == "one\ntwo\n\tthree\ufffd"


def test_each_match_is_one_line() -> None:
    """A spooled match holds no line feed of its own."""
    row = make_row(changes=(make_change(after="one\ntwo"),))

    assert b"\n" not in json_report.match_json(row)


def test_every_event_is_one_line_that_names_itself() -> None:
    """JSON lines: parse each line on its own, look at `event`."""
    row = make_row(changes=(make_change(after="one\ntwo"),))
    events = [
        json_report.started_event(make_header()),
        json_report.progress_event("Reading", 1, None),
        json_report.preview_event(make_preview()),
        json_report.match_event(row),
        json_report.warning_event("careful\x1b"),
        json_report.finished_event(make_summary()),
    ]

    assert all(event.endswith(b"\n") and event.count(b"\n") == 1 for event in events)
    assert [json.loads(event)["event"] for event in events] == [
        "started",
        "progress",
        "matched",
        "match",
        "warning",
        "finished",
    ]
    assert json.loads(events[4])["message"] == "careful\ufffd"


def test_finished_event_is_the_document_without_matches() -> None:
    """Who reads events misses nothing of the document."""
    finished = json.loads(json_report.finished_event(make_summary()))
    whole = document()

    assert {k: v for k, v in whole.items() if k != "matches"} == {
        k: v for k, v in finished.items() if k != "event"
    }
