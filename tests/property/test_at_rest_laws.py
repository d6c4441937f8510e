"""A look at all versions that compares one digest finds what one finds that compares each."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from plexsync.models import Outcome, SceneId, SceneRecord
from plexsync.planning.participation import Participation
from plexsync.stash_client import StashClient
from plexsync.sync.detection.detector import Detector
from tests.support.stash_bench import make_library, make_scene, stash_bench
from tests.support.state_factories import make_record, state_of

if TYPE_CHECKING:
    from plexsync.sync.detection.detected import Detected
    from tests.support.stash_bench import Bench

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SCENES = 5
IDS = tuple(SceneId(str(number)) for number in range(1, SCENES + 2))
OUTCOMES = (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.UNMATCHED, Outcome.REVIEW, Outcome.FAILED)
DUE = st.sampled_from(["", "2026-11-29T11:00:00Z", "2026-11-29T13:00:00Z"])

Records = dict[SceneId, SceneRecord]


def version_of(number: int) -> str:
    """The version of a scene of `make_library`."""
    return str(make_scene(number).updated_at)


@st.composite
def remembered(draw: st.DrawFn) -> Records:
    """Records of the scenes: most were handled as they are, some wait, one may be odd."""
    records = {}
    odd = draw(st.sampled_from(["new", "edited", "gone", "", "", ""]))
    for number in range(1, SCENES + 1):
        record = make_record(number, updated_at=version_of(number))
        records[IDS[number - 1]] = replace(
            record, outcome=draw(st.sampled_from(OUTCOMES)), due_at=draw(DUE)
        )
    if odd == "new":
        del records[IDS[1]]
    elif odd == "gone":
        records[IDS[-1]] = make_record(SCENES + 1)
    elif odd == "edited":
        records[IDS[1]] = replace(records[IDS[1]], updated_at="2024-01-01T00:00:00Z")
    return records


RULES = st.fixed_dictionaries(
    {
        "organized_only": st.booleans(),
        "sync_unversioned": st.booleans(),
        "woken": st.booleans(),
        "timed": st.booleans(),
    }
)
NEWS = st.fixed_dictionaries(
    {
        "forced": st.sampled_from([frozenset(), *map(frozenset, zip(IDS, strict=True))]),
        "first": st.sampled_from([(), *zip(IDS, strict=True)]),
    }
)


def look(bench: Bench, records: Records, rules: dict[str, Any], at_rest: str) -> Detected:
    """What a run would find."""
    others = {name: value for name, value in rules.items() if name != "organized_only"}
    detector = Detector(
        stash=StashClient(bench.transport, url=bench.server.url),
        records=state_of(records),
        step=lambda _done: None,
        wait=lambda _seconds: None,
        participation=Participation(organized_only=rules["organized_only"]),
        every_scene=False,
        now=NOW,
        at_rest=at_rest,
        **others,
    )
    return detector.changes()


def shown(found: Detected) -> tuple[object, ...]:
    """All that was found."""
    return (
        *(scene.scene_id for scene in found.due),
        found.left_out,
        found.gone,
        found.poisoned,
        found.backlog,
        found.newest,
        found.scenes_read,
        found.at_rest,
    )


@pytest.mark.parametrize(
    "move", ["", "rules", "edit", "unversion", "delete", "add", "record", "forget"]
)
@settings(max_examples=12, deadline=None, phases=(Phase.generate,))
@given(records=remembered(), rules=st.tuples(RULES, RULES, NEWS), of=st.integers(1, SCENES))
def test_what_was_at_rest_is_found_as_if_nothing_were_known_of_it(
    records: Records, rules: tuple[dict[str, Any], ...], of: int, move: str
) -> None:
    """Whatever moved since: a version, a scene, a record, the rules, or nothing."""
    before, other, news = rules
    after = (other if move == "rules" else before) | news
    with stash_bench(make_library(SCENES), sockets=False) as bench:
        for scene in range(1, SCENES + 1, 2):
            bench.simulator.write_silently(scene, organized=True)
        bench.simulator.write_silently(1, updated_at=None)
        at_rest = look(bench, records, before, "").at_rest
        if move == "edit":
            bench.simulator.write_silently(of, updated_at="2026-01-01T00:00:00Z")
        elif move == "unversion":
            bench.simulator.write_silently(of, updated_at=None)
        elif move == "delete":
            bench.simulator.delete_scene(of)
        elif move == "add":
            bench.simulator.create_scene(title="Another")
        elif move == "record":
            records = {**records, IDS[of - 1]: make_record(of, updated_at="")}
        elif move == "forget":
            records = {one: kept for one, kept in records.items() if one != IDS[of - 1]}

        quick = look(bench, records, after, at_rest)

        assert shown(quick) == shown(look(bench, records, after, ""))


@pytest.mark.parametrize(
    ("rule", "due"), [("sync_unversioned", ["1"]), ("organized_only", ["2"]), ("woken", [])]
)
def test_a_digest_counts_only_under_the_rules_it_was_made_by(rule: str, due: list[str]) -> None:
    """A scene without a version, and one that was not organized, are due once they are to be."""
    before = {"sync_unversioned": False, "organized_only": True, "woken": False}
    records = {one: make_record(at, updated_at=version_of(at)) for at, one in enumerate(IDS[:2], 1)}
    left_out = {"updated_at": "2024-01-01T00:00:00Z", "outcome": Outcome.IGNORED}
    records[IDS[1]] = replace(records[IDS[1]], **left_out)
    with stash_bench(make_library(2), sockets=False) as bench:
        bench.simulator.write_silently(1, organized=True, updated_at=None)
        at_rest = look(bench, records, before, "").at_rest

        found = look(bench, records, {**before, rule: not before[rule]}, at_rest)

        assert at_rest
        # Stash cannot tell about one without a version, so that it is named.
        assert [*(one.scene_id for one in found.due), *(one for one, _ in found.poisoned)] == due


def test_a_digest_of_an_earlier_version_does_not_count() -> None:
    """It may have judged otherwise: it left a scene linked that is not organized any more."""
    rules = {"sync_unversioned": False, "organized_only": True, "woken": False}
    records = {one: make_record(at, updated_at=version_of(at)) for at, one in enumerate(IDS[:2], 1)}
    with stash_bench(make_library(2), sockets=False) as bench:
        bench.simulator.write_silently(1, organized=True)
        stash = StashClient(bench.transport, url=bench.server.url)
        swept = [one for page in stash.versions(with_organized=True) for one in page]
        seen = (state_of(records).records_mark(), (True, False), swept)
        former = blake2b(msgspec.msgpack.encode(seen), digest_size=16).hexdigest()

        found = look(bench, records, rules, former)

        assert [one.scene_id for one, _ in found.left_out] == ["2"]
