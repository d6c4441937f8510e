"""Made-up nouns for tests: each `make_*` gives a plausible value; keywords replace its fields."""

from __future__ import annotations

import msgspec

from plexsync.models import (
    Candidate,
    Change,
    Confidence,
    Counts,
    Evidence,
    ItemKind,
    ItemPlan,
    ItemRef,
    Link,
    Match,
    MatchRow,
    Outcome,
    PathRule,
    PlexField,
    PlexFile,
    PlexItem,
    Policy,
    Preview,
    Problem,
    RatingKey,
    Requests,
    RunHeader,
    RunSummary,
    Scene,
    SceneFile,
    SceneId,
    SceneRecord,
    SceneRef,
    Server,
)


def make_scene_file(**fields: object) -> SceneFile:
    """One video of ten minutes."""
    made = SceneFile(
        path="/data/beach-day.mp4",
        size_bytes=700_000_000,
        duration_s=600.0,
        width=1920,
        height=1080,
        oshash=0x1F2E3D4C5B6A7988,
    )
    return msgspec.structs.replace(made, **fields)


def make_scene(**fields: object) -> Scene:
    """A scene with one file."""
    made = Scene(
        scene_id=SceneId("42"),
        updated_at="2026-11-21T10:00:00Z",
        title="Beach Day",
        date="2024-05-01",
        files=(make_scene_file(),),
    )
    return msgspec.structs.replace(made, **fields)


def make_plex_file(**fields: object) -> PlexFile:
    """The same video as Plex sees it."""
    made = PlexFile(
        path="/media/beach-day.mp4",
        size_bytes=700_000_000,
        duration_s=600.0,
        width=1920,
        height=1080,
        part_id=77,
        changed_at=1_700_000_000,
    )
    return msgspec.structs.replace(made, **fields)


def make_item(**fields: object) -> PlexItem:
    """A movie that holds the video."""
    made = PlexItem(
        rating_key=RatingKey("9120"),
        section_id="1",
        kind=ItemKind.MOVIE,
        title="beach-day",
        files=(make_plex_file(),),
        updated_at=1_700_000_000,
    )
    return msgspec.structs.replace(made, **fields)


def make_server(**fields: object) -> Server:
    """A Plex server."""
    made = Server(url="http://plex.test:32400", version="1.43.1", identity="abc123")
    return msgspec.structs.replace(made, **fields)


def make_evidence(**fields: object) -> Evidence:
    """A path that agrees."""
    made = Evidence(name="path", value="equal after rule /data/ -> /media/", weight=21.4)
    return msgspec.structs.replace(made, **fields)


def make_candidate(**fields: object) -> Candidate:
    """The movie as a candidate."""
    made = Candidate(
        rating_key=RatingKey("9120"),
        title="beach-day",
        scene_path="/data/beach-day.mp4",
        item_path="/media/beach-day.mp4",
        score=0.999,
        evidence=(make_evidence(),),
    )
    return msgspec.structs.replace(made, **fields)


def make_match(**fields: object) -> Match:
    """A HIGH match of scene and movie."""
    made = Match(
        scene_id=SceneId("42"),
        confidence=Confidence.HIGH,
        reason="mapped path equal, size equal, duration equal",
        score=0.999,
        margin=0.998,
        candidates=(make_candidate(),),
        candidate_count=1,
    )
    return msgspec.structs.replace(made, **fields)


def make_rule(**fields: object) -> PathRule:
    """A path rule."""
    return msgspec.structs.replace(PathRule(stash="/data/", plex="/media/"), **fields)


def make_change(**fields: object) -> Change:
    """A title that changes."""
    made = Change(
        field="title",
        target=PlexField.TITLE,
        before="beach-day",
        after="Beach Day",
        policy=Policy.OVERWRITE,
    )
    return msgspec.structs.replace(made, **fields)


def make_plan(**fields: object) -> ItemPlan:
    """A plan that changes the title."""
    made = ItemPlan(
        scene_id=SceneId("42"),
        rating_key=RatingKey("9120"),
        section_id="1",
        kind=ItemKind.MOVIE,
        path="/media/beach-day.mp4",
        lock=True,
        changes=(make_change(),),
    )
    return msgspec.structs.replace(made, **fields)


def make_link(**fields: object) -> Link:
    """A remembered pair."""
    made = Link(rating_key=RatingKey("9120"), section_id="1", path="/media/beach-day.mp4")
    return msgspec.structs.replace(made, **fields)


def make_record(**fields: object) -> SceneRecord:
    """A scene that was applied."""
    made = SceneRecord(
        updated_at="2026-11-21T10:00:00Z", outcome=Outcome.APPLIED, links=(make_link(),)
    )
    return msgspec.structs.replace(made, **fields)


def make_scene_ref(**fields: object) -> SceneRef:
    """The scene as a row names it."""
    made = SceneRef(
        id=SceneId("42"),
        title="Beach Day",
        path="/data/beach-day.mp4",
        updated_at="2026-11-21T10:00:00Z",
        url="http://stash.test:9999/scenes/42",
    )
    return msgspec.structs.replace(made, **fields)


def make_item_ref(**fields: object) -> ItemRef:
    """The movie as a row names it."""
    made = ItemRef(
        rating_key=RatingKey("9120"),
        title="beach-day",
        library="Scenes",
        path="/media/beach-day.mp4",
        url="http://plex.test:32400/web/index.html#!/server/abc123/details?key=9120",
    )
    return msgspec.structs.replace(made, **fields)


def make_row(**fields: object) -> MatchRow:
    """A HIGH match with one planned change."""
    made = MatchRow(
        scene=make_scene_ref(),
        item=make_item_ref(),
        confidence=Confidence.HIGH,
        score=0.999,
        margin=0.998,
        reason="mapped path equal, size equal, duration equal",
        evidence=(make_evidence(),),
        candidates=(make_candidate(),),
        changes=(make_change(),),
        outcome=Outcome.PLANNED,
    )
    return msgspec.structs.replace(made, **fields)


def make_low_row(**fields: object) -> MatchRow:
    """A LOW match that waits for review."""
    made = make_row(
        confidence=Confidence.LOW,
        score=0.62,
        margin=0.11,
        reason="two items are equally plausible",
        candidates=(make_candidate(score=0.62), make_candidate(rating_key="9121", score=0.51)),
        changes=(),
        outcome=Outcome.REVIEW,
    )
    return msgspec.structs.replace(made, **fields)


def make_problem(**fields: object) -> Problem:
    """A server that failed once."""
    made = Problem(
        kind="transient", message="Plex answered 503 three times", hint="is Plex starting?"
    )
    return msgspec.structs.replace(made, **fields)


def make_header(**fields: object) -> RunHeader:
    """A run that talks to both servers."""
    made = RunHeader(
        run_id="20261122T083254Z-3f9a",
        started_at="2026-11-22T08:32:54Z",
        stash=make_server(url="http://stash.test:9999", version="v0.30.1", identity=""),
        plex=make_server(),
    )
    return msgspec.structs.replace(made, **fields)


def make_preview(**fields: object) -> Preview:
    """One HIGH and one LOW row."""
    made = Preview(
        high=(make_row(),),
        low=(make_low_row(),),
        high_total=1,
        low_total=1,
        unmatched_total=0,
        more_changes=False,
    )
    return msgspec.structs.replace(made, **fields)


def make_counts(**fields: int) -> Counts:
    """Nothing counted but what the keywords say."""
    return Counts(**fields)


def make_summary(**fields: object) -> RunSummary:
    """A run that found nothing to do."""
    made = RunSummary(
        header=make_header(),
        finished_at="2026-11-22T08:32:59Z",
        exit_code=0,
        counts=make_counts(),
        requests=Requests(),
    )
    return msgspec.structs.replace(made, **fields)
