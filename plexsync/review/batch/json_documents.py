"""The JSON of `plexsync review list`, `show` and the commands that answer. Returns bytes.

Source: docs/output.md, "Review".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.output.formats.json_documents import credits_json
from plexsync.review.queue import library_of
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plexsync.matcher import Answer, SceneAnswers
    from plexsync.models import Candidate, Change, RatingKey, SceneId, Value
    from plexsync.review.interfaces import LinkPreview
    from plexsync.state import Waiting

SCHEMA = "plexsync/review/1"

_DECIMALS = 6

_Json = dict[str, object]


def list_document(
    waiting: Iterable[Waiting],
    owner: Callable[[RatingKey, SceneId], SceneId | None],
    *,
    scene_url: Callable[[SceneId], str],
    missing: int,
) -> bytes:
    """Return what waits; `missing` counts scenes whose candidates could not be found again."""
    scenes = [scene_json(one, owner, scene_url) for one in waiting]
    return _document({"waiting": len(scenes) + missing, "missing": missing, "scenes": scenes})


def show_document(
    waiting: Waiting,
    owner: Callable[[RatingKey, SceneId], SceneId | None],
    *,
    scene_url: Callable[[SceneId], str],
    previews: Mapping[RatingKey, LinkPreview],
    answers: SceneAnswers,
) -> bytes:
    """One scene with what accepting each candidate would write."""
    scene = scene_json(waiting, owner, scene_url, previews)
    return _document({"scenes": [scene | {"said": _answers(answers)}]})


def answered_document(given: Sequence[Answer], answers: Callable[[SceneId], SceneAnswers]) -> bytes:
    """Return what was answered, and what now stands."""
    return _document(
        {
            "answered": [
                {
                    "scene": answer.scene.scene_id,
                    "answer": answer.verb.value,
                    "items": [target.rating_key for target in answer.targets],
                    "said": _answers(answers(answer.scene.scene_id)),
                }
                for answer in given
            ]
        }
    )


def _candidate_json(one: Candidate, library: str, linked_to: SceneId | None) -> _Json:
    return {
        "rating_key": one.rating_key,
        "title": _clean(one.title),
        "path": _clean(one.item_path),
        "library": _clean(library),
        "score": round(one.score, _DECIMALS),
        "linked_to_scene": linked_to,
        "evidence": [
            {
                "name": piece.name,
                "value": _clean(piece.value),
                "weight": round(piece.weight, _DECIMALS),
            }
            for piece in one.evidence
        ],
    }


def scene_json(
    waiting: Waiting,
    owner: Callable[[RatingKey, SceneId], SceneId | None],
    scene_url: Callable[[SceneId], str],
    previews: Mapping[RatingKey, LinkPreview] | None = None,
) -> _Json:
    """Return a waiting scene."""
    scene, match = waiting.scene, waiting.match
    candidates: list[_Json] = []
    for place, one in enumerate(waiting.candidates):
        held_by = owner(one.rating_key, scene.scene_id)
        shown = _candidate_json(one, library_of(waiting, place), held_by)
        if previews is not None:
            shown |= _comparison(previews.get(one.rating_key))
        candidates.append(shown)
    return {
        "scene": {
            "id": scene.scene_id,
            "title": _clean(scene.title),
            "path": _clean(scene.files[0].path if scene.files else ""),
            "updated_at": _clean(scene.updated_at),
            "url": _clean(scene_url(scene.scene_id)),
        },
        "reason": _clean(match.reason),
        "score": round(match.score, _DECIMALS),
        "margin": round(match.margin, _DECIMALS),
        "candidate_count": match.candidate_count,
        "candidates": candidates,
    }


# ---- Private -------------------------------------------------------------------------------------


def _document(body: _Json) -> bytes:
    return msgspec.json.encode({"schema": SCHEMA, **body, "error": None}) + b"\n"


def _answers(answers: SceneAnswers) -> _Json:
    return {
        "accepted": [pin.rating_key for pin in answers.pins],
        "rejected": [one.rating_key for one in answers.refusals],
        "absent": bool(answers.absent),
        "ignored": answers.ignored is not None,
        "note": _clean(answers.ignored.reason) if answers.ignored else "",
    }


def _comparison(comparison: LinkPreview | None) -> _Json:
    if comparison is None or comparison.problem:
        return {"changes": None}
    return {"changes": [_change(one) for one in comparison.changes]}


def _change(change: Change) -> _Json:
    return {
        "field": change.field,
        "before": _value(change.before),
        "after": _value(change.after),
        "policy": change.policy,
        **credits_json(change),
    }


def _value(value: Value) -> str | list[str]:
    return _clean(value) if isinstance(value, str) else [_clean(name) for name in value]


def _clean(text: str) -> str:
    return clean_for_terminal(text)
