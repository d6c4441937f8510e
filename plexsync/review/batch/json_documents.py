"""The JSON of `plexsync review list`, `show` and the commands that answer.

Source: docs/output.md, "Review".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.output.formats.json_documents import credits_json
from plexsync.review.queue import first_path, library_of
from plexsync.text.normalize import clean_for_terminal as _clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.matcher import Answer
    from plexsync.models import Candidate, RatingKey, SceneId, Value
    from plexsync.review.context import ReviewContext
    from plexsync.review.interfaces import LinkPreview
    from plexsync.state import Waiting

SCHEMA = "plexsync/review/1"

_DECIMALS = 6

_Json = dict[str, object]


def review_document(**body: object) -> _Json:
    """Return a document of `plexsync review`."""
    return {"schema": SCHEMA, **body, "error": None}


def list_document(context: ReviewContext, waiting: Sequence[Waiting]) -> _Json:
    """Return what waits; `missing` counts scenes whose candidates could not be found again."""
    scenes = [_scene(context, one) for one in waiting]
    return review_document(
        waiting=len(scenes) + context.missing, missing=context.missing, scenes=scenes
    )


def show_document(
    context: ReviewContext, waiting: Waiting, previews: Mapping[RatingKey, LinkPreview]
) -> _Json:
    """Return one scene with what accepting each candidate would write."""
    scene = _scene(context, waiting, previews)
    return review_document(scenes=[scene | {"said": _answers(context, waiting.scene_id)}])


def answered_document(context: ReviewContext, given: Sequence[Answer]) -> _Json:
    """Return what was answered, and what now stands."""
    return review_document(
        answered=[
            {
                "scene": answer.scene.scene_id,
                "answer": answer.verb,
                "items": [target.rating_key for target in answer.targets],
                "said": _answers(context, answer.scene.scene_id),
            }
            for answer in given
        ]
    )


# ---- Private -------------------------------------------------------------------------------------


def _scene(
    context: ReviewContext,
    waiting: Waiting,
    previews: Mapping[RatingKey, LinkPreview] | None = None,
) -> _Json:
    scene, match = waiting.scene, waiting.match
    candidates: list[_Json] = []
    for place, one in enumerate(waiting.candidates):
        owner = context.answers.owner(one.rating_key, scene.scene_id)
        shown = _candidate(one, library_of(waiting, place), owner)
        if previews is not None:
            shown["changes"] = _changes(previews.get(one.rating_key))
        candidates.append(shown)
    return {
        "scene": {
            "id": scene.scene_id,
            "title": _clean(scene.title),
            "path": _clean(first_path(scene)),
            "updated_at": _clean(scene.updated_at),
            "url": _clean(context.servers.stash.scene_url(scene.scene_id)),
        },
        "reason": _clean(match.reason),
        "score": round(match.score, _DECIMALS),
        "margin": round(match.margin, _DECIMALS),
        "candidate_count": match.candidate_count,
        "candidates": candidates,
    }


def _candidate(one: Candidate, library: str, linked_to: SceneId | None) -> _Json:
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


def _answers(context: ReviewContext, scene_id: SceneId) -> _Json:
    answers = context.answers.recorded(scene_id)
    return {
        "accepted": [pin.rating_key for pin in answers.pins],
        "rejected": [one.rating_key for one in answers.refusals],
        "absent": bool(answers.absent),
        "ignored": answers.ignored is not None,
        "note": _clean(answers.ignored.reason) if answers.ignored else "",
    }


def _changes(comparison: LinkPreview | None) -> list[_Json] | None:
    if comparison is None or comparison.problem:
        return None
    return [
        {
            "field": change.field,
            "before": _value(change.before),
            "after": _value(change.after),
            "policy": change.policy,
            **credits_json(change),
        }
        for change in comparison.changes
    ]


def _value(value: Value) -> str | list[str]:
    return _clean(value) if isinstance(value, str) else list(map(_clean, value))
