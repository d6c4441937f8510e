"""`plexsync review list`, `accept` and their like, on a world with LOW matches."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.cli import run_command_line
from plexsync.errors import ExitCode
from plexsync.matching.answers import ANSWER_PREFIX
from plexsync.models import Outcome, RatingKey, SceneId
from plexsync.output.console import Invocation
from plexsync.output.streams import Shape
from plexsync.review.context import open_review
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.sync.ports import RunOptions
from tests.support.review_world import STRANGERS, TWINS, low_world, waiting_in
from tests.support.world import edited_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.world import World


class Shell:
    """Types commands into a world."""

    def __init__(
        self, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.world = world
        self._capsys = capsys
        for name, value in world.environ().items():
            monkeypatch.setenv(name, value)
        self.code = 0
        self.out = self.err = ""

    def type(self, *words: str) -> str:
        """Run `plexsync review` with `words`; returns stdout."""
        self._capsys.readouterr()
        self.code = int(run_command_line(["review", *words]))
        self.out, self.err = self._capsys.readouterr()
        return self.out

    def json(self, *words: str) -> Any:  # noqa: ANN401 - decoded JSON
        """The same with `--json`."""
        return json.loads(self.type(*words, "--json"))


@pytest.fixture
def twins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    """LOW scenes with two candidates each, after a first run."""
    with low_world(tmp_path, TWINS) as world:
        world.run()
        yield Shell(world, capsys, monkeypatch)


@pytest.fixture
def strangers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    """LOW scenes with one candidate each, after a first run."""
    with low_world(tmp_path, STRANGERS) as world:
        world.run()
        yield Shell(world, capsys, monkeypatch)


def ids(document: Any) -> list[str]:  # noqa: ANN401 - decoded JSON
    """The scenes of a document."""
    return [one["scene"]["id"] for one in document["scenes"]]


def answered(world: World) -> set[str]:
    """The scenes an answer stands for."""
    keys = world.state().decision_keys()
    return {key.removeprefix(ANSWER_PREFIX) for key in keys if key.startswith(ANSWER_PREFIX)}


# ---- Looking -------------------------------------------------------------------------------------


def test_list_tells_programs_everything(twins: Shell) -> None:
    """One document with every scene, candidate and piece of evidence."""
    document = twins.json("list")
    waiting = waiting_in(twins.world)
    assert document["schema"] == "plexsync/review/1"
    assert document["waiting"] == len(waiting) > 0
    assert [one["scene"]["id"] for one in document["scenes"]] == [one.scene_id for one in waiting]
    assert all(candidate["evidence"] for candidate in document["scenes"][0]["candidates"])


def test_list_writes_a_line_a_scene_into_a_pipe(twins: Shell) -> None:
    """Tab-separated, the id first, no probability, and last what a person compares."""
    rows = [line.split("\t") for line in twins.type("list").splitlines()]
    waiting = waiting_in(twins.world)
    assert [row[0] for row in rows] == [one.scene_id for one in waiting]
    assert {(row[1], row[2]) for row in rows} == {("", "")}
    assert [row[-1] for row in rows] == [one.candidates[0].facts for one in waiting]
    assert all("size" in row[-1] for row in rows)


def test_list_filters_by_score_lead_and_reason(twins: Shell) -> None:
    """Each filter leaves just what it says."""
    scenes = twins.json("list")["scenes"]
    score = scenes[0]["score"]
    for words, expected in (
        (("--score-min", str(score)), [s for s in scenes if s["score"] >= score]),
        (("--lead-min", "0.9"), [s for s in scenes if s["margin"] >= 0.9]),
        (("--reason", "ANOTHER SCENE"), [s for s in scenes if "another scene" in s["reason"]]),
    ):
        found = twins.json("list", *words)["scenes"]
        assert [one["scene"]["id"] for one in found] == [one["scene"]["id"] for one in expected]


def test_list_needs_no_server(twins: Shell) -> None:
    """What a run found is remembered; both servers may be away."""
    before = twins.json("list")
    twins.world.stash_wire.counters.clear()
    twins.world.plex_wire.counters.clear()
    assert twins.json("list") == before
    assert twins.world.stash_wire.counters.by_kind() == {}
    assert twins.world.plex_wire.counters.by_kind() == {}


def test_a_lost_cache_is_found_again(twins: Shell) -> None:
    """The cache may be deleted at any time: the servers are asked once, and all is there."""
    before = {one["scene"]["id"] for one in twins.json("list")["scenes"]}
    for path in twins.world.cache_dir.iterdir():
        path.unlink()
    assert {one["scene"]["id"] for one in twins.json("list")["scenes"]} == before
    assert {one.scene_id for one in waiting_in(twins.world)} == before


def test_a_damaged_line_of_the_cache_is_found_again(twins: Shell) -> None:
    """A torn line is as good as none; the others are kept."""
    before = twins.json("list")
    (path,) = twins.world.cache_dir.glob("review-*")
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(bytes(content[:-3]))
    after = twins.json("list")
    assert [s["scene"]["id"] for s in after["scenes"]] == [
        s["scene"]["id"] for s in before["scenes"]
    ]


def test_show_tells_evidence_and_changes(twins: Shell) -> None:
    """A page for a person; for programs the same as a document."""
    one = waiting_in(twins.world)[0]
    text = twins.type("show", one.scene_id)
    assert f"scene {one.scene_id}" in text
    assert one.match.reason[:30] in " ".join(text.split())
    assert "Accepting would change:" in text
    (shown,) = twins.json("show", one.scene_id)["scenes"]
    assert shown["candidates"][0]["changes"]


def test_show_tells_changes_though_those_of_another_scene_are_unknown(twins: Shell) -> None:
    """An item that cannot be read says nothing about the candidates of the next scene."""
    one, *rest = waiting_in(twins.world)
    bad = {candidate.rating_key for candidate in one.candidates}
    other = next(w for w in rest if bad.isdisjoint(c.rating_key for c in w.candidates))
    twins.world.plex_wire.faults.add(
        Fault(
            "plex.detail",
            1,
            ErrorStatus(400),
            None,
            lambda asked: not bad.isdisjoint(edited_keys(asked)),
        )
    )
    text = twins.type("show", one.scene_id, other.scene_id)
    assert "is unknown" in text
    assert "Accepting would change:" in text


def test_show_says_how_a_scene_stands_that_does_not_wait(twins: Shell) -> None:
    """One that is linked is not shown as not HIGH."""
    linked = next(iter(twins.world.state().claims().values()))
    text = twins.type("show", linked)
    assert "HIGH: linked in an earlier run" in text
    assert "Not HIGH" not in text


def test_what_accepting_would_change_is_what_the_next_run_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Field by field, pictures included: nobody agrees to something else than is written."""
    with low_world(tmp_path, TWINS, FIELDS__POSTER="overwrite") as world:
        world.run()
        one = waiting_in(world)[0]
        shell = Shell(world, capsys, monkeypatch)
        (shown,) = shell.json("show", one.scene_id)["scenes"]
        candidate = shown["candidates"][1]
        promised = {c["field"]: (c["before"], c["after"]) for c in candidate["changes"]}
        shell.type("accept", one.scene_id, "--item", candidate["rating_key"])
        row = world.run().row(one.scene_id)
    written = {c.field: (c.before, c.after) for c in row.changes}
    assert set(promised) == set(written) >= {"title", "poster"}
    assert promised["title"] == written["title"]
    assert promised["poster"] == written["poster"]


@pytest.mark.parametrize("undone", [False, True], ids=["taken", "undone"])
def test_what_accepting_would_change_counts_what_the_item_went_through(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    undone: bool,
) -> None:
    """What another scene wrote to it is known, and what an undo took back is not written again."""
    with low_world(tmp_path, TWINS, FIELDS__POSTER="overwrite") as world:
        world.run()
        one, other = waiting_in(world)[:2]
        key = one.candidates[0].rating_key
        shell = Shell(world, capsys, monkeypatch)
        shell.type("accept", other.scene_id, "--item", key)
        world.run()
        if undone:
            world.undo()
            shell.type("reset", other.scene_id)
        with open_review(Invocation(shape=Shape())) as context:
            found = context.servers.compare(one.scene_id, (key,))[key]
        shell.type("accept", one.scene_id, "--item", key, "--take")
        row = world.run().row(one.scene_id)
    promised = {change.field: (change.before, change.after) for change in found.changes}
    assert promised == {change.field: (change.before, change.after) for change in row.changes} != {}
    assert ("title" in found.kept) is undone


def test_a_scene_scanned_again_takes_nothing_away_by_its_review(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is blank and new, so what its item was given before stays, by the run as by the review."""
    with low_world(tmp_path, TWINS, FIELDS__POSTER="overwrite") as world:
        world.run()
        one = waiting_in(world)[0]
        key = one.candidates[0].rating_key
        shell = Shell(world, capsys, monkeypatch)
        shell.type("accept", one.scene_id, "--item", key)
        world.run()
        files = world.stash.scene(one.scene_id).file_ids
        world.stash.delete_scene(one.scene_id)
        world.wait(hours=1)
        world.run(RunOptions(full=True))
        blank = SceneId(str(world.stash.create_scene(file_ids=files)))
        world.stash.set_cover(int(blank), b"\xff\xd8\xff another frame")
        world.wait(hours=1)
        world.run()
        assert blank in {waits.scene_id for waits in waiting_in(world)}
        with open_review(Invocation(shape=Shape())) as context:
            found = context.servers.compare(blank, (key,))[key]
        shell.type("accept", blank, "--item", key, "--take")
        row = world.run().row(blank)
    assert found.changes == row.changes
    assert "title" in found.kept


def test_servers_are_met_once_however_much_is_compared(twins: Shell) -> None:
    """Each further comparison costs what it reads."""
    one = waiting_in(twins.world)[0]
    keys = [candidate.rating_key for candidate in one.candidates]
    counters = twins.world.plex_wire.counters
    with open_review(Invocation(shape=Shape())) as context:
        context.servers.compare(one.scene_id, keys)
        before = counters.by_kind()
        context.servers.compare(one.scene_id, keys)
    assert sum(counters.by_kind().values()) - sum(before.values()) == 1


# ---- Answering -----------------------------------------------------------------------------------


def test_accepting_several_candidates_needs_a_word(twins: Shell) -> None:
    """There is no default: the item is named, or the best one is asked for."""
    one = waiting_in(twins.world)[0]
    twins.type("accept", one.scene_id)
    assert twins.code == ExitCode.USAGE
    assert "--best" in twins.err
    assert answered(twins.world) == set()
    twins.type("accept", one.scene_id, "--best")
    assert twins.code == ExitCode.OK
    assert answered(twins.world) == {one.scene_id}


@pytest.mark.parametrize("words", [(), ("--best",)], ids=["alone", "best"])
def test_accepting_passes_over_what_was_refused(twins: Shell, words: tuple[str, ...]) -> None:
    """A refused pair comes back by its name alone."""
    one = waiting_in(twins.world)[0]
    refused, left = (candidate.rating_key for candidate in one.candidates)
    twins.type("reject", one.scene_id, "--item", refused)
    document = twins.json("accept", one.scene_id, *words)
    assert left in json.dumps(document)
    (scene,) = twins.json("show", one.scene_id)["scenes"]
    assert left in json.dumps(scene["said"]["accepted"])
    assert refused not in json.dumps(scene["said"]["accepted"])


def test_an_accepted_scene_is_written_by_the_next_run(twins: Shell) -> None:
    """From the command to Plex."""
    one = waiting_in(twins.world)[0]
    key = one.candidates[1].rating_key
    document = twins.json("accept", one.scene_id, "--item", key)
    assert document["answered"][0]["items"] == [key]
    assert twins.world.run().outcomes()[one.scene_id] == "applied"
    assert twins.world.state().claims()[key] == one.scene_id


def test_an_item_nobody_proposed_can_be_named(strangers: Shell) -> None:
    """Plex is asked for it; what it shows is remembered with the answer."""
    one = waiting_in(strangers.world)[0]
    free = next(
        key
        for key in strangers.world.plex.rating_keys()
        if key != one.candidates[0].rating_key and key not in strangers.world.state().claims()
    )
    strangers.type("accept", one.scene_id, "--item", str(free))
    assert strangers.code == ExitCode.OK
    assert strangers.world.run().row(one.scene_id).outcome is Outcome.APPLIED


def test_an_item_of_a_library_that_takes_no_part_cannot_be_named(
    strangers: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run would never find it, and the answer would be doubted forever."""
    one = waiting_in(strangers.world)[0]
    library = strangers.world.library.plex
    video = library.videos[-1]
    others = [
        part.title
        for part in library.sections
        if part.id != video.section_id and part.kind in {"movie", "show"}
    ]
    monkeypatch.setenv("PLEXSYNC_PLEX__LIBRARIES", others[0])
    strangers.type("accept", one.scene_id, "--item", str(video.rating_key))
    assert strangers.code == ExitCode.SERVER
    assert "takes no part" in strangers.err
    assert answered(strangers.world) == set()


def test_an_item_of_another_scene_is_not_taken_by_accident(strangers: Shell) -> None:
    """It needs `--take`."""
    one = waiting_in(strangers.world)[0]
    key, owner = next(iter(strangers.world.state().claims().items()))
    strangers.type("accept", one.scene_id, "--item", key)
    assert strangers.code == ExitCode.USAGE
    assert f"linked to scene {owner}" in strangers.err
    strangers.type("accept", one.scene_id, "--item", key, "--take")
    assert strangers.code == ExitCode.OK


def test_reject_says_which_or_none(strangers: Shell) -> None:
    """Neither or both would be a guess."""
    one = waiting_in(strangers.world)[0]
    strangers.type("reject", one.scene_id)
    assert strangers.code == ExitCode.USAGE
    strangers.type("reject", one.scene_id, "--none")
    assert strangers.code == ExitCode.OK
    assert strangers.world.run().row(one.scene_id).outcome is Outcome.UNMATCHED


@pytest.mark.parametrize("runs", [0, 1], ids=["accepted", "linked"])
def test_refusing_another_item_leaves_a_scene_settled(twins: Shell, runs: int) -> None:
    """It has its item, so it does not wait; its next run writes as before."""
    first = waiting_in(twins.world)[0]
    item, spare = (one.rating_key for one in first.candidates[:2])
    twins.type("accept", first.scene_id, "--item", item)
    for _ in range(runs):
        twins.world.run()
    twins.type("reject", first.scene_id, "--item", spare)
    assert twins.code == ExitCode.OK
    found = twins.json("list")
    assert (first.scene_id in ids(found), found["missing"]) == (False, 0)
    twins.world.run()
    assert twins.world.state().claims()[item] == first.scene_id


def test_filters_choose_what_is_answered(strangers: Shell) -> None:
    """A whole group at once, without naming its scenes."""
    group = strangers.json("list", "--reason", "differs")["scenes"]
    strangers.type("ignore", "--reason", "differs", "--because", "wrong files")
    assert answered(strangers.world) == {one["scene"]["id"] for one in group}


def test_without_scenes_or_filters_nothing_is_answered(strangers: Shell) -> None:
    """Forgetting to say which must not mean all."""
    strangers.type("ignore")
    assert strangers.code == ExitCode.USAGE
    assert answered(strangers.world) == set()


def test_a_scene_nobody_knows_is_an_error(strangers: Shell) -> None:
    """A mistyped id answers nothing."""
    strangers.type("ignore", "987654")
    assert strangers.code == ExitCode.USAGE


def test_reset_takes_an_answer_back(strangers: Shell) -> None:
    """The scene waits again."""
    one = waiting_in(strangers.world)[0]
    strangers.type("ignore", one.scene_id)
    strangers.type("reset", one.scene_id)
    assert answered(strangers.world) == set()
    assert strangers.world.run().row(one.scene_id).outcome is Outcome.REVIEW


def test_a_run_under_way_is_waited_for_or_named(strangers: Shell) -> None:
    """An answer needs the lock; without it nothing is half done."""
    from plexsync.storage.session import open_session  # noqa: PLC0415 - only here somebody holds the lock

    one = waiting_in(strangers.world)[0]
    with open_session(strangers.world.state_dir, now=strangers.world.now):
        strangers.type("ignore", one.scene_id)
        assert strangers.code == ExitCode.LOCKED
        assert strangers.json("list")["waiting"] > 0
    assert answered(strangers.world) == set()


@pytest.mark.parametrize("words", [("ignore", "--score-min", "0"), ("import", "empty.csv")])
def test_what_is_answered_is_looked_up_under_the_lock(
    strangers: Shell, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """What a run settles while an answer waits for it waits no longer, and is not answered."""
    from plexsync.storage.session import open_session  # noqa: PLC0415 - only here somebody holds the lock

    world = strangers.world
    monkeypatch.chdir(world.directory)
    strangers.type("export", "empty.csv")
    shutil.rmtree(world.cache_dir)
    with open_session(world.state_dir, now=world.now):
        world.stash_wire.counters.clear()
        strangers.type(*words)
        assert strangers.code == ExitCode.LOCKED
        assert world.stash_wire.counters.by_kind() == {}


# ---- Spreadsheets --------------------------------------------------------------------------------


def fill(path: Path, answers: Mapping[tuple[SceneId, RatingKey], str]) -> None:
    """What a person does in a spreadsheet, which then writes semicolons."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=";")
    writer.writeheader()
    for row in rows:
        row["answer"] = answers.get((SceneId(row["scene_id"]), RatingKey(row["rating_key"])), "")
        writer.writerow(row)
    path.write_text(out.getvalue(), encoding="utf-8-sig")


def test_what_comes_next_can_be_typed_as_it_is_printed(twins: Shell, tmp_path: Path) -> None:
    """The file that was written, and the configuration that was named."""
    file, config = tmp_path / "my answers.csv", tmp_path / "own.toml"
    config.write_text("", encoding="utf-8")
    twins.type("export", str(file), "--config", str(config))
    assert f"    plexsync review import --config {config} '{file}'\n" in twins.out
    twins.type("accept", "--best", "--score-min", "0", "--config", str(config))
    assert twins.out.endswith(f"    plexsync run --config {config}\n")


def test_answers_come_back_from_a_spreadsheet(twins: Shell, tmp_path: Path) -> None:
    """Out, filled, in, written."""
    file = tmp_path / "waiting.csv"
    twins.type("export", str(file))
    first, second = waiting_in(twins.world)[:2]
    chosen = first.candidates[1].rating_key
    fill(
        file,
        {(first.scene_id, chosen): "accept"}
        | {(second.scene_id, one.rating_key): "Ignore" for one in second.candidates},
    )
    twins.type("import", str(file))
    assert (twins.code, twins.err) == (ExitCode.OK, "")
    assert answered(twins.world) == {first.scene_id, second.scene_id}
    assert twins.world.run().outcomes()[first.scene_id] == "applied"


def test_one_wrong_line_stops_the_whole_file(twins: Shell, tmp_path: Path) -> None:
    """Every problem is named with its line, and nothing is answered."""
    file = tmp_path / "waiting.csv"
    twins.type("export", str(file))
    first, second = waiting_in(twins.world)[:2]
    fill(
        file,
        {
            (first.scene_id, first.candidates[0].rating_key): "accept",
            (second.scene_id, second.candidates[0].rating_key): "maybe",
        },
    )
    twins.type("import", str(file))
    assert twins.code == ExitCode.USAGE
    assert "'maybe' is no answer" in twins.err
    assert answered(twins.world) == set()
