"""`plexsync run` against both simulators over real HTTP."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.errors import ExitCode
from plexsync.models import Confidence, Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset, html
from plexsync.simulators.library.pairs import Case, LibrarySpec, demo_library, make_library
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run
from tests.support.world import World, edited_keys, scene_ids, stops_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import Ran

DRY = RunOptions(dry_run=True)
PLAIN = {Case.SAME: 1.0}
MOVIES_ONLY = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}


def plain_library(scenes: int = 30, seed: int = 3) -> LibrarySpec:
    """Scenes that all have their item under the one path rule, without edits in between."""
    return LibrarySpec(seed=seed, scenes=scenes, mix=PLAIN, extra_items=0.1, edited=0.0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Thirty plain scenes, nothing synced yet."""
    library = make_library(plain_library())
    with World(library, tmp_path, **MOVIES_ONLY) as made:
        yield made


@pytest.fixture
def synced(world: World) -> World:
    """The same after a first run."""
    first = world.run()
    assert first.summary.exit_code == ExitCode.OK
    assert first.count(Outcome.APPLIED) == 30
    return world


def other_requests(ran: Ran) -> int:
    """Requests to Plex that are not writes."""
    return sum(ran.plex.values()) - ran.puts


# ---- what a run does -----------------------------------------------------------------------------


def test_a_first_run_applies_every_high_match(world: World) -> None:
    """Each scene's title reaches the item that truly shows it."""
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == 30
    assert {row.confidence for row in ran.rows} == {Confidence.HIGH}
    for row in ran.rows:
        assert world.shown(world.key_of(row.scene.id), "title") == row.scene.title.strip()


def test_a_second_run_sends_no_writes_and_asks_little(synced: World) -> None:
    """Nothing changed: nothing is due, nothing is read but the libraries."""
    ran = synced.run()
    assert ran.puts == 0
    assert ran.rows == ()
    assert other_requests(ran) <= 3


def test_one_changed_scene_costs_one_put_and_at_most_ten_other_requests(synced: World) -> None:
    """Cost follows the change; the listing is not even looked at for a remembered link."""
    synced.stash.edit_scene(7, title="Another Title")
    ran = synced.run()
    assert ran.puts == 1
    assert other_requests(ran) <= 10
    assert ran.summary.index == "none"
    assert ran.outcomes() == {"7": "applied"}
    assert synced.shown(synced.key_of("7"), "title") == "Another Title"


def test_a_touched_scene_with_unchanged_values_costs_plex_nothing(synced: World) -> None:
    """A mass "generate covers" moves every version and no value: Stash is read, Plex is not."""
    synced.stash.generate_covers()
    ran = synced.run()
    assert ran.puts == 0
    assert other_requests(ran) <= 3
    assert ran.count(Outcome.UNCHANGED) == 30
    assert synced.run().rows == ()


def test_a_dry_run_leaves_everything_as_it_was(synced: World) -> None:
    """State, client files and Plex are byte for byte the same; only the cache may differ."""
    synced.stash.edit_scene(7, title="Another Title")
    files = {p: p.read_bytes() for p in sorted(synced.state_dir.rglob("*")) if p.is_file()}
    times = {p: p.stat().st_mtime_ns for p in sorted(synced.state_dir.rglob("*"))}
    before = synced.plex.dump(clocks=True)
    ran = synced.run(DRY)
    assert ran.outcomes() == {"7": "planned"}
    assert ran.summary.counts.planned == 1
    assert {p: p.read_bytes() for p in sorted(synced.state_dir.rglob("*")) if p.is_file()} == files
    assert {p: p.stat().st_mtime_ns for p in sorted(synced.state_dir.rglob("*"))} == times
    assert synced.plex.dump(clocks=True) == before


def test_a_first_dry_run_does_not_even_make_the_state_directory(world: World) -> None:
    """Nothing is there before, nothing is there after."""
    ran = world.run(DRY)
    assert ran.count(Outcome.PLANNED) == 30
    assert not world.state_dir.exists()


def test_the_preview_comes_before_the_first_write(world: World) -> None:
    """A person sees old and new values while Plex still has the old ones."""
    ran = world.run()
    assert ran.preview is not None
    assert ran.preview.high_total == 30
    assert {row.outcome for row in ran.preview.high} == {Outcome.PLANNED}
    titles = [c for row in ran.preview.high for c in row.changes if c.field == "title"]
    assert titles
    assert all(change.before != change.after for change in titles)


def test_what_plex_does_not_keep_is_reported_once(tmp_path: Path) -> None:
    """When the first episode is linked, and not on every run of every day after."""
    spec = LibrarySpec(seed=6, scenes=8, mix={Case.SAME: 1, Case.EPISODE: 1}, edited=0.0)
    rules = "/data/=/media/,/data-series/=/shows/"
    with World(make_library(spec), tmp_path, PATHS=rules) as world:
        first = world.run()
        assert [w for w in first.warnings if "performers" in w and "episode" in w]
        world.stash.edit_scenes([scene.id for scene in world.library.stash.scenes], title="New")
        again = world.run()
        assert again.count(Outcome.APPLIED) == 8
        assert again.warnings == ()


# ---- budget --------------------------------------------------------------------------------------


def test_a_library_with_doubtful_matches_stays_within_its_budget_too(tmp_path: Path) -> None:
    """Content hashes are read for many items at once, and fit into the five requests to spare."""
    library = make_library(LibrarySpec(seed=1, scenes=400))
    with World(library, tmp_path, PATHS="/data/=/media/") as world:
        ran = world.run()
        batches = math.ceil(len(ran.rows) / 50)
        assert ran.plex["plex.tree"] >= 1
        assert other_requests(ran) <= ran.plex["plex.listing"] + 2 * batches + 5


def test_a_first_run_stays_within_its_request_budget(tmp_path: Path) -> None:
    """Listings ceil(L/P), details and read-backs ceil(N/50) each, one write an item, plus five.

    The first write of a run is read back by itself, which proves the address of edits.
    """
    spec = plain_library(scenes=1000)
    with World(make_library(spec), tmp_path, **MOVIES_ONLY) as world:
        ran = world.run(page_size=200)
        items = len(world.plex.rating_keys())
        assert ran.count(Outcome.APPLIED) == 1000
        assert ran.puts == 1000
        assert ran.plex["plex.listing"] <= math.ceil(items / 200) + 2
        assert ran.plex["plex.detail"] <= 2 * math.ceil(1000 / 50) + 1
        budget = math.ceil(items / 200) + 2 * math.ceil(1000 / 50) + 5
        assert other_requests(ran) <= budget
        again = world.run(page_size=200)
        assert again.puts == 0
        assert world.plex.misdeeds.unguarded_puts == 0
        assert world.plex.misdeeds.tokens_in_query == 0


# ---- late, moved, missing ------------------------------------------------------------------------


def test_a_scene_plex_does_not_have_yet_stays_due_until_it_does(tmp_path: Path) -> None:
    """Unmatched is a state, not an error; a scan of the library ends the wait."""
    spec = LibrarySpec(seed=5, scenes=12, mix={Case.SAME: 2, Case.UNSCANNED: 1}, edited=0.0)
    library = make_library(spec)
    with World(library, tmp_path, **MOVIES_ONLY) as world:
        first = world.run()
        unmatched = [row.scene for row in first.rows if row.outcome is Outcome.UNMATCHED]
        assert unmatched
        assert first.summary.exit_code == ExitCode.OK
        quiet = world.run()
        assert quiet.rows == ()
        assert quiet.summary.waiting == len(unmatched)
        late = unmatched[0]
        world.scan_in(late.id)
        ran = world.run()
        assert ran.outcomes()[late.id] == "applied"


def test_a_moved_item_is_matched_again_before_anything_is_written(synced: World) -> None:
    """The remembered rating key is gone: the file is found at its new item, the old one is left."""
    old = synced.key_of("7")
    path = str(synced.plex.dump()[old]["files"][0])
    new = synced.plex.move_file(old, path.replace("/media/", "/media/moved/"))
    synced.plex.move_file(new, path)
    synced.stash.edit_scene(7, title="Another Title")
    ran = synced.run()
    assert ran.outcomes() == {"7": "applied"}
    left, row = ran.rows
    assert (left.item.rating_key if left.item else None, left.outcome) == (old, Outcome.SKIPPED)
    assert f"its file is in item {row.item.rating_key if row.item else None} now" in left.reason
    assert row.item is not None
    assert row.item.rating_key != old
    assert synced.shown(row.item.rating_key, "title") == "Another Title"
    assert synced.shown(old, "title") != "Another Title"


def test_an_item_that_now_holds_another_file_is_never_written(synced: World) -> None:
    """Plex exchanged the file under a rating key: the scene has no item any more, and waits."""
    key = synced.key_of("7")
    synced.exchange_file(key, "/media/somebody/else.mp4")
    before = synced.plex.dump()
    synced.stash.edit_scene(7, title="Another Title")
    ran = synced.run()
    assert ran.puts == 0
    assert ran.outcomes()["7"] in {"unmatched", "review"}
    assert synced.plex.dump() == before


def test_a_scene_deleted_in_stash_never_clears_plex(synced: World) -> None:
    """Absent is not empty; the next full sweep only forgets it."""
    synced.stash.delete_scene(7)
    before = synced.plex.dump()
    ran = synced.run(RunOptions(full=True))
    assert ran.puts == 0
    assert synced.plex.dump() == before
    assert synced.state().get(scene_ids(7)[0]) is None


def test_a_full_import_never_writes_to_the_wrong_item(synced: World) -> None:
    """Ids start again, so every remembered id is about another scene: files decide, not ids."""
    wanted = {
        synced.key_of(str(scene.id)): scene.title.strip() for scene in synced.library.stash.scenes
    }
    synced.stash.full_import()
    ran = synced.run(RunOptions(full=True, force=True))
    assert ran.summary.exit_code == ExitCode.OK
    assert {key: synced.shown(key, "title") for key in wanted} == wanted


# ---- policies ------------------------------------------------------------------------------------


def test_a_hand_edit_in_plex_is_kept_when_edits_are_preserved(synced: World) -> None:
    """The locked edit stays, the row says kept, and nothing is sent."""
    key = synced.key_of("7")
    synced.plex.edit_by_hand(key, {"title": "By Hand"})
    synced.stash.edit_scene(7, title="Another Title")
    ran = synced.run(APPLY__PRESERVE_PLEX_EDITS="true")
    assert ran.outcomes() == dict.fromkeys(ran.outcomes(), "unchanged") | {"7": "kept"}
    assert ran.puts == 0
    assert synced.shown(key, "title") == "By Hand"


def test_a_hand_edit_in_plex_stays_by_default(synced: World) -> None:
    """Also when a full run looks, and when Stash changes the field."""
    key = synced.key_of("7")
    synced.plex.edit_by_hand(key, {"title": "By Hand"})
    assert synced.run().puts == 0
    ran = synced.run(RunOptions(full=True))
    assert (ran.puts, ran.outcomes()["7"]) == (0, "kept")
    synced.stash.edit_scene(7, title="Another Title")
    assert synced.run().puts == 0
    assert synced.shown(key, "title") == "By Hand"


def test_stash_has_the_last_word_if_configured(synced: World) -> None:
    """`overwrite` means what it says then, once Stash changes or a full run looks."""
    key = synced.key_of("7")
    synced.plex.edit_by_hand(key, {"title": "By Hand"})
    ran = synced.run(RunOptions(full=True), APPLY__PRESERVE_PLEX_EDITS="false")
    assert ran.puts == 1
    assert synced.shown(key, "title") == synced.stash.scene(7).title.strip()


def test_fill_writes_only_where_plex_is_empty(world: World) -> None:
    """A file name is a title, so titles stay; summaries are empty, so they come."""
    key = world.key_of("7")
    title = world.shown(key, "title")
    ran = world.run(FIELDS__TITLE="fill", FIELDS__SUMMARY="fill")
    assert ran.count(Outcome.APPLIED) == 30
    assert world.shown(key, "title") == title
    assert world.shown(key, "summary") == world.stash.scene(7).details.strip()


def test_off_sends_nothing_of_a_field(world: World) -> None:
    """A field that is off appears in no request."""
    world.run(FIELDS__TAGS="off", FIELDS__PERFORMERS="off")
    sent = {name for write in world.plex.writes for name, _ in write.arguments}
    assert not [name for name in sent if name.startswith(("genre", "actor"))]


def test_a_changed_policy_is_applied_without_being_asked_for(synced: World) -> None:
    """Other fields in the configuration make the next run a full one."""
    assert synced.run(FIELDS__TAGS="off").summary.header.full is True
    ran = synced.run(FIELDS__TAGS__TO="label")
    assert ran.summary.header.full is True
    key = synced.key_of("7")
    assert synced.tags(key, "label")


def test_merge_leaves_names_of_others_and_takes_back_only_its_own(synced: World) -> None:
    """A genre added by hand survives when Stash drops the tags we added."""
    key = synced.key_of("7")
    ours = synced.tags(key, "genre")
    synced.plex.edit_by_hand(key, {"genre": (*ours, "By Hand")})
    synced.stash.edit_scene(7, tag_ids=())
    synced.run()
    assert synced.tags(key, "genre") == ("By Hand",)


@pytest.mark.parametrize("replace_tags", [False, True])
def test_tags_end_right_whether_plex_appends_or_replaces(
    tmp_path: Path,
    replace_tags: bool,
) -> None:
    """Nobody knows for sure what an indexed tag does on every server; both end alike."""
    with World(make_library(plain_library(6)), tmp_path, **MOVIES_ONLY) as world:
        world.plex.switches.replace_tags = replace_tags
        world.run()
        world.stash.edit_scene(3, tag_ids=world.library.stash.scenes[4].tag_ids)
        ran = world.run()
        assert ran.outcomes() == {"3": "applied"}
        assert world.run().puts == 0
        names = {tag.id: tag.name.casefold() for tag in world.library.stash.tags}
        wanted = {names[one] for one in world.library.stash.scenes[4].tag_ids}
        assert {name.casefold() for name in world.tags(world.key_of("3"), "genre")} == wanted


# ---- limits and choices --------------------------------------------------------------------------


def test_too_many_changes_stop_before_the_first_write(synced: World) -> None:
    """Exit 6 with nothing written; the dry run shows what it would be; --force passes."""
    tagged = [scene.id for scene in synced.library.stash.scenes if scene.tag_ids][:20]
    synced.stash.edit_scenes(tagged, tag_ids=())
    ran = synced.run(APPLY__MAX_CHANGES="10")
    assert ran.summary.exit_code == ExitCode.UNSAFE
    assert ran.puts == 0
    assert ran.summary.error is not None
    assert "20 of 30" in ran.summary.error.message
    assert ran.count(Outcome.SKIPPED) == 20
    dry = synced.run(DRY, APPLY__MAX_CHANGES="10")
    assert dry.summary.exit_code == ExitCode.UNSAFE
    assert [row.changes for row in dry.rows] == [row.changes for row in ran.rows]
    assert all(row.changes for row in dry.rows)
    forced = synced.run(RunOptions(force=True), APPLY__MAX_CHANGES="10")
    assert forced.count(Outcome.APPLIED) == 20


def test_a_limit_counts_changes_and_not_touched_scenes(synced: World) -> None:
    """Thirty touched scenes of which two differ pass a limit of two."""
    synced.stash.generate_covers()
    synced.stash.edit_scenes((1, 2), title="New")
    ran = synced.run(RunOptions(max_changes=2))
    assert ran.summary.exit_code == ExitCode.OK
    assert ran.count(Outcome.APPLIED) == 2


def test_first_time_links_do_not_count_as_changes(world: World) -> None:
    """A library can be filled at once."""
    assert world.run(RunOptions(max_changes=1)).puts == 30


def test_a_limited_run_leaves_the_rest_due(world: World) -> None:
    """`--limit` takes a few; nothing is forgotten."""
    assert world.run(RunOptions(limit=10)).puts == 10
    assert world.run(RunOptions(limit=15)).puts == 15
    assert world.run().puts == 5


def test_a_named_scene_is_compared_whether_or_not_it_is_due(synced: World) -> None:
    """`--scene` repairs drift at once, and leaves all others alone."""
    key = synced.key_of("7")
    synced.plex.edit_by_hand(key, {"title": "By Hand"})
    ran = synced.run(RunOptions(scenes=scene_ids(7)), APPLY__PRESERVE_PLEX_EDITS="false")
    assert ran.outcomes() == {"7": "applied"}


def test_detailed_exit_codes_tell_changes_from_none(synced: World) -> None:
    """10 for changes pending or made, 0 for none."""
    synced.stash.edit_scene(7, title="Another Title")
    assert synced.run(RunOptions(dry_run=True, detailed_exitcode=True)).summary.exit_code == 10
    assert synced.run(RunOptions(detailed_exitcode=True)).summary.exit_code == 10
    assert synced.run(RunOptions(detailed_exitcode=True)).summary.exit_code == 0


def test_organized_only_waits_for_a_curator(world: World) -> None:
    """Scenes that are not organized take no part until they are."""
    ran = world.run(STASH__ORGANIZED_ONLY="true")
    organized = {str(scene.id) for scene in world.library.stash.scenes if scene.organized}
    assert set(ran.outcomes()) == organized
    waiting = next(s.id for s in world.library.stash.scenes if not s.organized)
    world.stash.edit_scene(waiting, organized=True)
    assert set(world.run(STASH__ORGANIZED_ONLY="true").outcomes()) == {str(waiting)}


def test_an_excluded_tag_keeps_a_scene_out(world: World) -> None:
    """Such a scene is shown once as ignored and written to nothing."""
    tag = world.library.stash.scenes[6].tag_ids[0]
    name = next(one.name for one in world.library.stash.tags if one.id == tag)
    tagged = {str(s.id) for s in world.library.stash.scenes if tag in s.tag_ids}
    ran = world.run(STASH__EXCLUDE_TAGS=name.upper())
    ignored = {row.scene.id for row in ran.rows if row.outcome is Outcome.IGNORED}
    assert ignored == tagged
    assert ran.puts == 30 - len(tagged)
    assert world.run(STASH__EXCLUDE_TAGS=name.upper()).rows == ()


# ---- LOW -----------------------------------------------------------------------------------------


@pytest.fixture
def doubtful(tmp_path: Path) -> Iterator[World]:
    """A library in which some scenes have no certain item."""
    spec = LibrarySpec(
        seed=11, scenes=40, mix={Case.SAME: 3, Case.DECOY: 1}, hashed=0.0, edited=0.0
    )
    with World(make_library(spec), tmp_path, **MOVIES_ONLY) as made:
        yield made


@pytest.mark.parametrize("stopped_by", ["limit", "no", "Plex"])
def test_who_waits_is_reported_and_remembered_although_the_writing_was_stopped(
    doubtful: World, stopped_by: str
) -> None:
    """A row for every scene that was due, whatever stops the run after matching."""
    first = doubtful.run()
    waiting = {"review", "unmatched"}
    waits = {scene for scene, outcome in first.outcomes().items() if outcome in waiting}
    written = [scene for scene in first.outcomes() if scene not in waits]
    doubtful.stash.edit_scenes([int(scene) for scene in waits], title="Another")
    tagged = [s.id for s in doubtful.library.stash.scenes if s.tag_ids and str(s.id) in written]
    doubtful.stash.edit_scenes(tagged[:4], tag_ids=())
    if stopped_by == "Plex":
        doubtful.plex_wire.faults.add(Fault("plex.detail", 1, ErrorStatus(503), times=None))
    options = RunOptions(max_changes=1 if stopped_by == "limit" else None, ask=stopped_by == "no")
    ran = doubtful.act(
        lambda config, ports, reporter: run(
            config, options, replace(ports, confirm=lambda _: False), reporter
        )
    )
    assert ran.puts == 0
    assert waits
    assert waits <= ran.outcomes().keys()
    assert {ran.outcomes()[scene] for scene in waits} <= waiting
    assert {doubtful.state().version(scene) for scene in scene_ids(*waits)} == {
        doubtful.stash.scene(scene).updated_at for scene in waits
    }


def test_low_matches_wait_for_a_person(doubtful: World) -> None:
    """They are shown with their reason, remembered as waiting, announced once, never written."""
    first = doubtful.run()
    low = [row for row in first.rows if row.confidence is Confidence.LOW]
    assert low
    assert {row.outcome for row in low} == {Outcome.REVIEW}
    assert all(row.reason for row in low)
    assert first.summary.new_review == len(low)
    assert first.summary.exit_code == ExitCode.OK
    doubtful.wait(hours=20)
    later = [row for row in doubtful.run().rows if row.outcome is Outcome.REVIEW]
    assert later == [], "nothing changed, so nothing is asked again"
    doubtful.wait(hours=48)
    again = doubtful.run(RunOptions(full=True))
    assert again.summary.counts.review == len(low)
    assert again.summary.new_review == 0
    assert doubtful.run(RunOptions(detailed_exitcode=True)).summary.exit_code == 11


@pytest.mark.parametrize(("least", "written"), [("0.3", True), ("0.9", False)])
def test_without_strict_matching_a_likely_candidate_is_applied(
    tmp_path: Path,
    least: str,
    written: bool,
) -> None:
    """It is written from `match.least_low` on, still marked LOW, and its row says why."""
    settings = {"MATCH__STRICT_MATCHING": "false", "MATCH__LEAST_LOW": least}
    with World(demo_library(), tmp_path, PATHS="/data/=/media/", **settings) as world:
        (low,) = [row for row in world.run().rows if row.confidence is Confidence.LOW]
        assert (low.outcome is Outcome.APPLIED) is written
        assert ("applied because match.strict_matching is off" in low.reason) is written
        assert world.run().puts == 0
        strict = world.run(RunOptions(full=True), MATCH__STRICT_MATCHING="true")
        assert {r.outcome for r in strict.rows if r.confidence is Confidence.LOW} == {
            Outcome.REVIEW
        }


def test_what_is_contradicted_is_never_applied(doubtful: World) -> None:
    """However low the floor is: another size or length says that it is another file."""
    ran = doubtful.run(MATCH__STRICT_MATCHING="false", MATCH__LEAST_LOW="0.000001")
    low = [row for row in ran.rows if row.confidence is Confidence.LOW]
    assert low
    assert {row.outcome for row in low} == {Outcome.REVIEW}


def test_two_scenes_never_take_turns_at_one_item(tmp_path: Path) -> None:
    """Without strict matching too, an item goes to one scene; the other waits for a person."""
    spec = LibrarySpec(seed=9, scenes=2, mix={Case.DUPLICATE: 1}, extra_items=0.0, edited=0.0)
    settings = {"MATCH__STRICT_MATCHING": "false", "MATCH__LEAST_LOW": "0.3"}
    with World(make_library(spec), tmp_path, **MOVIES_ONLY, **settings) as world:
        first, second = world.plex.rating_keys()
        world.plex.remove_item(first)
        ran = world.run()
        assert {row.confidence for row in ran.rows} == {Confidence.LOW}
        assert sorted(ran.outcomes().values()) == ["applied", "review"]
        assert [row.item.rating_key for row in ran.rows if row.item] == [second, second]
        world.wait(hours=48)
        assert world.run(RunOptions(full=True)).puts == 0


# ---- faults --------------------------------------------------------------------------------------


def test_a_reply_that_was_lost_after_the_write_counts_as_written(synced: World) -> None:
    """The read back decides, not the reply; the edit is idempotent and may be repeated."""
    synced.stash.edit_scene(7, title="Another Title")
    synced.plex_wire.faults.add(Fault("plex.put", 1, Reset(applied=True)))
    ran = synced.run()
    assert ran.outcomes() == {"7": "applied"}
    assert synced.run().puts == 0


def test_one_item_plex_cannot_edit_does_not_stop_the_others(synced: World) -> None:
    """The bad one fails with its reason and waits; the other nine are written."""
    synced.stash.edit_scenes(range(1, 11), title="New")
    bad = synced.key_of("4")
    synced.plex_wire.faults.add(
        Fault("plex.put", 1, ErrorStatus(500), None, lambda r: bad in edited_keys(r))
    )
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert ran.count(Outcome.APPLIED) == 9
    row = ran.row("4")
    assert row.outcome is Outcome.FAILED
    assert row.error is not None
    synced.plex_wire.faults.clear()
    assert synced.run().puts == 0, "it waits its turn"
    synced.wait(hours=1)
    healed = synced.run()
    assert healed.outcomes() == {"4": "applied"}


def test_one_item_plex_cannot_read_does_not_stop_the_others(synced: World) -> None:
    """A detail read that always fails is narrowed down to the one item."""
    synced.stash.edit_scenes(range(1, 11), title="New")
    bad = synced.key_of("4")
    synced.plex_wire.faults.add(
        Fault(
            "plex.detail",
            1,
            ErrorStatus(500),
            None,
            lambda r: bad in r.path.rpartition("/")[2].split(","),
        )
    )
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert ran.count(Outcome.APPLIED) == 9
    assert ran.row("4").outcome is Outcome.FAILED


def test_a_scene_stash_cannot_tell_about_does_not_stop_the_others(synced: World) -> None:
    """A poisoned row costs its own scene only."""
    synced.stash.edit_scenes(range(1, 11), title="New")
    synced.stash.poison(4)
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert ran.count(Outcome.APPLIED) == 9
    assert ran.row("4").outcome is Outcome.FAILED


def test_a_plex_that_dies_mid_run_ends_it_early_and_truthfully(world: World) -> None:
    """Exit 4 after few requests; what was written is remembered, the rest is due."""
    world.plex_wire.faults.add(Fault(None, 20, ErrorStatus(503), None))
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    assert len(ran.rows) == 30
    assert ran.count(Outcome.SKIPPED) > 0
    assert sum(ran.plex.values()) < 60
    world.plex_wire.faults.clear()
    world.wait(hours=2)
    after = world.run()
    assert after.summary.exit_code == ExitCode.OK
    world.run()
    for scene in world.library.stash.scenes:
        assert world.shown(world.key_of(str(scene.id)), "title") == scene.title.strip()
    assert world.run().puts == 0


def test_a_token_refused_mid_run_ends_it(synced: World) -> None:
    """401 while writing: exit 5, the rest waits."""
    for number in range(1, 11):
        synced.stash.edit_scene(number, title=f"New {number}")
    synced.plex_wire.faults.add(Fault("plex.put", 3, ErrorStatus(401), None))
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.ACCESS
    synced.plex_wire.faults.clear()
    after = synced.run()
    assert after.summary.exit_code == ExitCode.OK
    assert ran.puts + after.puts >= 10
    assert synced.run().puts == 0


def test_a_web_page_instead_of_an_answer_is_an_error_and_not_an_empty_library(
    world: World,
) -> None:
    """HTML with status 200 from either server is never read as absence."""
    world.plex_wire.faults.add(Fault("plex.listing", 1, html(), None))
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    assert ran.count(Outcome.UNMATCHED) == 0
    world.plex_wire.faults.clear()
    world.stash_wire.faults.add(Fault("stash.graphql", 1, html(), None))
    assert world.run().summary.exit_code == ExitCode.SERVER


def test_a_run_asked_to_stop_ends_in_good_order(world: World) -> None:
    """What was sent is read back and remembered; the next run does the rest, and nothing twice."""
    ran = world.run(should_stop=stops_after(12))
    assert ran.summary.exit_code == ExitCode.INTERRUPTED
    assert 0 < ran.puts < 30
    assert ran.count(Outcome.APPLIED) == ran.puts
    rest = world.run()
    assert ran.puts + rest.puts == 30


def test_a_stop_between_the_items_of_a_scene_loses_nothing_of_what_is_ours(tmp_path: Path) -> None:
    """Its first item was written, its second was not: the first is still known to be ours."""
    spec = LibrarySpec(seed=4, scenes=60, mix={Case.SAME: 1, Case.TWO_ITEMS: 6}, edited=0.0)
    for stop_after in (30, 44, 46, 48, 60):
        directory = tmp_path / str(stop_after)
        directory.mkdir()
        with World(make_library(spec), directory, **MOVIES_ONLY) as world:
            stopped = world.run(should_stop=stops_after(stop_after))
            assert stopped.summary.exit_code == ExitCode.INTERRUPTED
            world.stash.edit_scenes([scene.id for scene in world.library.stash.scenes], title="New")
            ran = world.run(RunOptions(force=True), APPLY__PRESERVE_PLEX_EDITS="true")
            assert ran.count(Outcome.KEPT) == 0
            written = {row.scene.id for row in stopped.rows if row.outcome is Outcome.APPLIED}
            assert written


def test_plex_starting_up_is_waited_for(synced: World) -> None:
    """A few 503s at the start cost retries and nothing else."""
    synced.stash.edit_scene(7, title="Another Title")
    synced.plex.startup_503(2)
    assert synced.run().outcomes() == {"7": "applied"}


def test_a_content_hash_is_read_once_and_remembered(tmp_path: Path) -> None:
    """Looking at the same doubtful items again asks Plex for no hash it gave before."""
    spec = LibrarySpec(seed=9, scenes=8, mix={Case.SAME: 1, Case.RENAMED: 1}, hashed=1.0, edited=0)
    with World(make_library(spec), tmp_path, **MOVIES_ONLY) as world:
        first = world.run()
        assert first.plex["plex.tree"] > 0
        assert first.count(Outcome.APPLIED) == 8, "a hash settles what a name cannot"
        (world.state_dir / "state.json").unlink()
        for journal in (world.state_dir / "journal").iterdir():
            journal.unlink()
        again = world.run()
        assert again.count(Outcome.UNCHANGED) == 8
        assert again.plex.get("plex.tree", 0) == 0
