"""The Plex client edits items of a simulated server, and addresses them for people."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plexsync.errors import AuthError, BadResponseError, ServerError, UnsafeError
from plexsync.models import (
    LIST_FIELDS,
    ItemPlan,
    PlexField,
    RatingKey,
    Value,
)
from plexsync.plex.connection import plex_headers
from plexsync.plex.edit_query import PlanEdits
from plexsync.simulators.http.wire import ErrorStatus, Fault, Redirect, Reset
from plexsync.simulators.library.records import PlexMedia, PlexPart
from tests.support.plex_bench import (
    CLIENT_ID,
    KEY,
    detail_of,
    make_library,
    make_video,
    plan_for,
    plex_bench,
)

OTHER = RatingKey("1002")


@pytest.mark.parametrize("replace_tags", [False, True], ids=["append", "replace"])
def test_an_edit_ends_right_whether_tags_are_added_or_replaced(replace_tags: bool) -> None:
    """One PUT, and the item says what was wanted, with locks."""
    video = make_video(
        1,
        genres=("Old", "Kept", "C, d", "50% & more"),
        labels=("L",),
        collections=("All",),
        actors=(("Ann", ""),),
        tagline="t",
    )
    wanted: dict[str, Value] = {
        "title": "A [bold]new[/bold] <b>title</b> & more, 100%",
        "summary": "first\nsecond 😀",
        "date": "2021-06-05",
        "studio": "Example Films",
        "tagline": "",
        "genres": ("kept", "New, with comma", "Ünïcode / slash"),
        "actors": ("Bo", "Ann"),
        "labels": (),
        "collections": ("All", "More"),
        "directors": ("Dee",),
    }
    with plex_bench(make_library(0, 0, video, make_video(2))) as bench:
        bench.simulator.switches.replace_tags = replace_tags
        untouched = detail_of(bench, OTHER)
        plan = plan_for(detail_of(bench), wanted)
        bench.client.connect()
        bench.spent()

        bench.client.editor.edit(plan)

        assert bench.spent() == {"plex.put": 1}
        assert bench.transport.writes == 1
        after = detail_of(bench)
        for name, value in wanted.items():
            field = PlexField(name)
            if field in LIST_FIELDS:
                assert {one.casefold() for one in after.values[field]} == {
                    one.casefold() for one in value
                }
            else:
                assert after.values[field] == value
        assert after.locked == {PlexField(name) for name in wanted}
        assert detail_of(bench, OTHER) == untouched


def test_an_edit_survives_the_agent() -> None:
    """That is what locks are for."""
    with plex_bench() as bench:
        bench.client.editor.edit(plan_for(detail_of(bench), title="Ours"))
        bench.simulator.agent_refresh(KEY, {"title": "theirs", "studio": "theirs"})

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.STUDIO]) == ("Ours", "theirs")


def test_locks_can_be_put_back() -> None:
    """What an undo does: the old value and the old lock."""
    with plex_bench() as bench:
        before = detail_of(bench)
        bench.client.editor.edit(plan_for(before, title="Ours", studio="S"))
        now = detail_of(bench)

        plan = plan_for(now, title="scene 1", studio="", lock=False)
        unlocked = tuple(replace(change, locked_after=False) for change in plan.changes)
        bench.client.editor.edit(replace(plan, changes=unlocked))

        after = detail_of(bench)
        assert (after.values, after.locked) == (before.values, before.locked)


def test_episodes_are_edited_as_episodes() -> None:
    """The type must fit, or nothing happens and Plex says 200."""
    with plex_bench(make_library(0, 2)) as bench:
        key = RatingKey("9001")
        bench.client.editor.edit(plan_for(detail_of(bench, key), title="New"))

        assert detail_of(bench, key).values[PlexField.TITLE] == "New"


def test_control_characters_never_reach_plex() -> None:
    """They would make its listings unparsable for everybody."""
    with plex_bench() as bench:
        bench.client.editor.edit(
            plan_for(detail_of(bench), title="a\x00b\x1bc", genres=("x\x07y",))
        )

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.GENRES]) == ("abc", ("xy",))


def test_a_plan_of_nothing_writes_nothing() -> None:
    """Not even an empty PUT."""
    with plex_bench() as bench:
        bench.client.editor.edit(plan_for(detail_of(bench)))

        assert bench.transport.writes == 0


def test_an_edit_without_an_id_is_never_sent() -> None:
    """It would change the whole library."""
    with plex_bench() as bench:
        plan = plan_for(detail_of(bench), title="All of you")
        broken = ItemPlan(
            scene_id=plan.scene_id,
            rating_key=RatingKey(""),
            section_id=plan.section_id,
            kind=plan.kind,
            path=plan.path,
            lock=True,
            changes=plan.changes,
        )

        with pytest.raises(UnsafeError):
            bench.client.editor.edit(broken)

        assert bench.transport.writes == 0


def test_a_token_that_may_not_edit_is_reported_as_such() -> None:
    """Shared users can list and not write."""
    with plex_bench(token="guest-token") as bench:
        plan = plan_for(detail_of(bench), title="x")

        with pytest.raises(AuthError) as caught:
            bench.client.editor.edit(plan)

        assert "owns the server" in caught.value.hint
        assert bench.transport.writes == 1


@pytest.mark.parametrize("status", [400, 413, 414, 431])
def test_a_refused_long_edit_goes_out_field_by_field(status: int) -> None:
    """Proxies have other limits than ours."""
    fault = Fault("plex.put", 1, ErrorStatus(status))
    with plex_bench(None, fault) as bench:
        bench.client.editor.edit(plan_for(detail_of(bench), title="T", studio="S", genres=("G",)))

        values = detail_of(bench).values
        assert values[PlexField.TITLE] == "T"
        assert values[PlexField.STUDIO] == "S"
        assert values[PlexField.GENRES] == ("G",)
        assert bench.spent()["plex.put"] == 4


@pytest.mark.parametrize("status", [302, 404, 409, 418])
def test_an_edit_refused_for_another_reason_is_sent_once(status: int) -> None:
    """Its size has nothing to do with that, so shorter requests would end alike."""
    with plex_bench(None, Fault("plex.put", 1, ErrorStatus(status), times=None)) as bench:
        with pytest.raises(ServerError):
            bench.client.editor.edit(plan_for(detail_of(bench), title="T", studio="S"))

        assert bench.spent()["plex.put"] == 1


def test_a_field_the_server_refuses_keeps_no_other_from_being_written() -> None:
    """It is reported, and everything beside it is there."""
    fault = Fault(
        "plex.put", 1, ErrorStatus(400), None, lambda one: "originallyAvailable" in one.target
    )
    with plex_bench(None, fault) as bench:
        plan = plan_for(detail_of(bench), date="2021-06-05", title="T", genres=("G",))
        with pytest.raises(BadResponseError, match="400"):
            bench.client.editor.edit(plan)

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.GENRES]) == ("T", ("G",))


def test_several_items_are_edited_in_one_request() -> None:
    """What is new goes to all of them, what each has besides stays."""
    mine = make_video(1, genres=("a", "Old"))
    yours = make_video(2, genres=("Old", "b", "c, d"))
    with plex_bench(make_library(0, 0, mine, yours)) as bench:
        details = bench.client.details([KEY, OTHER])
        plans = [
            plan_for(details[0], genres=("a", "New"), title="One"),
            plan_for(details[1], genres=("New", "b", "c, d"), title="One"),
        ]

        bench.client.editor.edit_alike(list(map(PlanEdits, plans)), appended=LIST_FIELDS)

        assert bench.spent()["plex.put"] == 1
        genres = [detail.values[PlexField.GENRES] for detail in bench.client.details([KEY, OTHER])]
        assert genres == [("a", "New"), ("b", "c, d", "New")]
        assert detail_of(bench, OTHER).values[PlexField.TITLE] == "One"
        assert bench.simulator.misdeeds.total == 0


def test_items_that_need_different_edits_are_never_edited_together() -> None:
    """Whole lists differ; so do other items' titles, sections, and ratings."""
    mine, yours = make_video(1, genres=("a",)), make_video(2, genres=("b",))
    with plex_bench(make_library(0, 1, mine, yours)) as bench:
        details = bench.client.details([KEY, OTHER, RatingKey("9001")])
        lists = [
            plan_for(detail, genres=(f"{number}", "New"))
            for number, detail in enumerate(details[:2])
        ]
        titles = [plan_for(details[0], title="x"), plan_for(details[1], title="y")]
        kinds = [plan_for(details[0], title="x"), plan_for(details[2], title="x")]
        rated = [plan_for(detail, rating="8") for detail in details[:2]]

        for plans in (lists, titles, kinds, rated):
            with pytest.raises(UnsafeError):
                bench.client.editor.edit_alike(list(map(PlanEdits, plans)))

        assert bench.transport.writes == 0


def test_a_rating_is_given_and_taken_away() -> None:
    """Through its own door, after the other fields; it moves no lock."""
    with plex_bench() as bench:
        bench.client.editor.edit(plan_for(detail_of(bench), title="T", rating="7"))
        rated = detail_of(bench)
        assert rated.values[PlexField.RATING] == "7"
        assert rated.locked == frozenset({PlexField.TITLE})

        bench.client.editor.edit(plan_for(rated, rating=""))
        assert detail_of(bench).values[PlexField.RATING] == ""


def test_a_long_edit_is_spread_before_a_proxy_refuses_it() -> None:
    """A summary of 2,000 CJK characters is 18 KB of address."""
    with plex_bench() as bench:
        bench.simulator.switches.url_limit = 20_000
        summary = "漢" * 2000
        bench.client.editor.edit(plan_for(detail_of(bench), title="漢" * 300, summary=summary))

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.SUMMARY]) == ("漢" * 300, summary)
        assert bench.spent()["plex.put"] == 2


def test_a_field_too_long_for_the_server_is_an_error() -> None:
    """Cutting it would be wrong silently."""
    with plex_bench() as bench:
        bench.simulator.switches.url_limit = 8_000
        plan = plan_for(detail_of(bench), summary="漢" * 2000)

        with pytest.raises(BadResponseError, match="414"):
            bench.client.editor.edit(plan)

        assert detail_of(bench).values[PlexField.SUMMARY] == ""


@pytest.mark.parametrize(
    "effect",
    [Reset(applied=True), ErrorStatus(503), ErrorStatus(502, applied=True), Reset()],
    ids=["reply lost", "busy", "proxy failed after the write", "not arrived"],
)
def test_a_lost_edit_is_repeated(effect: Reset | ErrorStatus) -> None:
    """The same PUT twice leaves the item as once."""
    video = make_video(1, genres=("Old",))
    with plex_bench(make_library(0, 0, video), Fault("plex.put", 1, effect)) as bench:
        bench.client.editor.edit(plan_for(detail_of(bench), title="New", genres=("G",)))

        values = detail_of(bench).values
        assert (values[PlexField.TITLE], values[PlexField.GENRES]) == ("New", ("G",))


def test_a_redirected_edit_is_an_error_and_not_a_get() -> None:
    """Followed, it would look like a success and change nothing."""
    fault = Fault("plex.put", 1, Redirect("/elsewhere"), times=None)
    with plex_bench(None, fault) as bench:
        plan = plan_for(detail_of(bench), title="New")

        with pytest.raises(BadResponseError, match="redirect"):
            bench.client.editor.edit(plan)


# ---- Addresses -----------------------------------------------------------------------------------


def test_the_address_of_an_item_opens_in_the_servers_web_app() -> None:
    """Known once the server has identified itself."""
    with plex_bench() as bench:
        assert bench.client.item_url(KEY) == ""
        bench.client.connect()

        assert bench.client.item_url(KEY) == (
            f"{bench.transport.base_url}/web/index.html#!/server/"
            f"{bench.simulator.identity.machine}/details?key=%2Flibrary%2Fmetadata%2F1001"
        )


def test_headers_without_a_token_hold_none() -> None:
    """A server that trusts the network needs none."""
    assert "X-Plex-Token" not in plex_headers(CLIENT_ID)


def test_optimised_versions_and_stacks_are_kept_apart() -> None:
    """What is listed is what a file on disk is."""
    parts = tuple(PlexPart(70 + n, f"/media/scenes/cd{n}.avi", 10, 1000) for n in (1, 2))
    small = PlexPart(80, "/media/scenes/Plex Versions/small.mp4", 5, 2000)
    video = make_video(1, media=(PlexMedia(7, parts, 2000), PlexMedia(8, (small,), optimized=True)))
    with plex_bench(make_library(0, 0, video)) as bench:
        (item,) = bench.client.listing(bench.section()).items

        assert [(file.path, file.stacked) for file in item.files] == [
            ("/media/scenes/cd1.avi", True),
            ("/media/scenes/cd2.avi", True),
        ]
