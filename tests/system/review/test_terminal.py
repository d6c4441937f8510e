"""`plexsync review` on a real terminal, against both simulators."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.matching.answers import ANSWER_PREFIX
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case
from plexsync.sync.ports import RunOptions
from tests.support.review_world import STRANGERS, TWINS, low_world, review_order
from tests.support.terminals import run_plexsync
from tests.support.typing_terminals import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[World]:
    """LOW scenes with two candidates each, after a first run."""
    with low_world(tmp_path, TWINS) as world:
        world.run()
        yield world


SCREENS = Path(__file__).parent / "screens"


def answered(world: World) -> set[str]:
    """The scenes an answer stands for."""
    keys = world.state().decision_keys()
    return {key.removeprefix(ANSWER_PREFIX) for key in keys if key.startswith(ANSWER_PREFIX)}


def test_a_person_settles_a_match_and_has_it_written(twins: World) -> None:
    """From the first screen to Plex, with the plan looked at in between."""
    one = review_order(twins)[0]
    twins.plex_wire.counters.clear()
    with Person(["review"], twins.environ()) as person:
        person.screen("Accepting would change:")
        person.types("2")
        person.screen("accept 2")
        person.types("a")
        person.screen("u takes it back")
        person.types("q")
        person.screen("write now")
        person.types("p")
        person.screen("Dry run, nothing was written")
        person.screen("keep for the next run")
        assert twins.plex_wire.counters.by_kind().get("plex.put", 0) == 0
        person.types("w")
        person.screen("1 written")
        assert person.ends() == ExitCode.OK
        assert person.terminal_is_as_before()
    assert twins.shown(one.candidates[1].rating_key, "title") == one.scene.title.strip()


@pytest.mark.parametrize("answers", [1, 3])
def test_a_killed_terminal_loses_no_answer(twins: World, answers: int) -> None:
    """SIGKILL right after the last key: everything is there, and the rest comes first."""
    ids = [one.scene_id for one in review_order(twins)]
    with Person(["review"], twins.environ()) as person:
        for scene_id in ids[:answers]:
            person.screen(f"  scene {scene_id}\n")
            person.types("n")
        # Its headline: rivals of a candidate are named as scenes, too.
        person.screen(f"  scene {ids[answers]}\n")
        person.process.kill()
        person.process.wait()
    assert answered(twins) == set(ids[:answers])
    with Person(["review"], twins.environ()) as person:
        screen = person.screen("not in Plex")
        assert f"scene {ids[answers]}" in screen
        assert f"of {len(ids) - answers}" in screen
        person.types("q")
        assert person.ends() == ExitCode.OK


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
        (signal.SIGHUP, ExitCode.TERMINATED),
    ],
)
def test_signals_leave_the_terminal_as_it_was(
    twins: World, number: signal.Signals, code: ExitCode
) -> None:
    """The answers are kept, and it says so."""
    with Person(["review"], twins.environ()) as person:
        person.screen("not in Plex")
        person.types("n")
        person.screen("u takes it back")
        person.process.send_signal(number)
        assert person.ends() == code
        assert person.terminal_is_as_before()
        assert "every answer is kept" in person.seen
        assert person.seen.rindex("\x1b[?2004l") > person.seen.rindex("\x1b[?2004h")
    assert len(answered(twins)) == 1


def test_a_pause_gives_terminal_and_lock_back(twins: World) -> None:
    """Ctrl-Z in a shell with jobs: a run works meanwhile, and `fg` shows the scene again."""
    ids = [one.scene_id for one in review_order(twins)]
    review = f"{sys.executable} -m plexsync review"
    retry = f"{sys.executable} -m plexsync retry {ids[-1]}"
    script = f"{review}; stty -a; {retry}; fg; echo the end"
    with Person(["-m", "-c", script], twins.environ(), program="/bin/sh") as person:
        # Until the servers were asked, plexapi may be at work to find out about the machine.
        person.screen("Accepting would change:")
        person.types("n")
        person.screen("u takes it back")
        person.types("\x1a")
        # What came meanwhile, and not the screen: `fg` may have drawn over it already.
        assert " icanon" in person.sees("The next run tries")
        assert f"scene {ids[1]}" in person.screen("not in Plex")
        person.types("n")
        person.screen(f"scene {ids[2]}")
        person.types("qk")
        person.screen("the end")
        assert person.ends() == ExitCode.OK
    assert answered(twins) == {ids[0], ids[1]}


def test_a_window_that_changes_is_drawn_again(twins: World) -> None:
    """In its new width, with nothing pressed."""
    with Person(["review"], twins.environ(), width=60) as person:
        person.screen("Accepting would change:")
        person.resizes(120)
        person.screen(f"Review 1 of {len(review_order(twins))} ".ljust(120, "-"))
        person.types("q")
        assert person.ends() == ExitCode.OK


def test_the_first_line_stays_on_a_full_screen(twins: World) -> None:
    """A screen as high as the terminal does not end in a line feed, which would scroll it."""
    with Person(["review"], twins.environ(), width=60, height=14) as person:
        assert person.screen("Review 1 of", "q quit").startswith("Review 1 of")
        person.types("v")
        lines = person.screen("v shows them", "q quit").splitlines()
        assert (len(lines), lines[-1][-6:]) == (14, "q quit")
        person.types("q")
        assert person.ends() == ExitCode.OK


def test_a_dumb_terminal_takes_the_same_letters_a_line_at_a_time(twins: World) -> None:
    """No escape is written, an empty line answers nothing."""
    ids = [one.scene_id for one in review_order(twins)]
    with Person(["review"], twins.environ() | {"TERM": "dumb"}) as person:
        person.sees("> ")
        person.types("\n")
        person.sees("> ")
        person.types("i\n")
        person.sees("Why ignore it")
        person.types("a trailer\n")
        person.sees(f"Scene {ids[0]}: ignored")
        person.types("q\n")
        person.sees("keep for the next run")
        person.types("k\n")
        assert person.ends() == ExitCode.OK
        assert "\x1b" not in person.seen
    assert answered(twins) == {ids[0]}


LOOKS: dict[str, tuple[int, dict[str, str]]] = {
    "narrow": (60, {}),
    "usual": (100, {}),
    "wide": (200, {}),
    "no-colour": (100, {"NO_COLOR": "1"}),
    "dumb": (60, {"TERM": "dumb"}),
}


@pytest.mark.parametrize("look", LOOKS)
def test_terminals_show_what_was_kept(twins: World, look: str) -> None:
    """First screen, refusal, help and end, as a real terminal shows them in the end."""
    width, environ = LOOKS[look]
    enter = "\n" if environ.get("TERM") == "dumb" else ""
    with Person(["review"], twins.environ() | environ, width=width, height=60) as person:
        screens = [person.screen("Review 1 of", "accept 1", "studio.collection")]
        for key, texts in (
            ("2", ("Review 1 of", "accept 2", "studio.collection")),
            ("r", ("Review ", "not this one. u takes it back", "studio.collection")),
            ("?", ("goes back",)),
            ("x", ("Review ", "accept 1", "studio.collection")),
            ("q", ("keep for the next run",)),
        ):
            person.types(key + enter)
            screens.append(person.screen(*texts))
        person.types(f"k{enter}")
        assert person.ends() == ExitCode.OK
        assert ("\x1b" in person.seen) is not bool(enter)
    text = f"\n{'=' * 20}\n".join(screens) + "\n"
    kept = SCREENS / f"review-{look}.txt"
    assert text == kept.read_text(encoding="utf-8"), f"if it is better so, keep it as {kept.name}"


def test_the_next_scenes_are_compared_ahead(twins: World) -> None:
    """Plex fails behind the first screen, and the next three lack nothing."""
    ids = [one.scene_id for one in review_order(twins)]
    counters = twins.plex_wire.counters
    counters.clear()
    # The candidate in focus, the others of its scene, and those of three scenes more.
    twins.plex_wire.faults.add(Fault("plex.detail", 6, ErrorStatus(500), None))
    with Person(["review"], twins.environ()) as person:
        person.screen(f"scene {ids[0]}", "studio.collection")
        while counters.by_kind().get("plex.detail", 0) < 5:
            person.reads(0.05)
        for scene_id in ids[1:4]:
            person.types("\x1b[C")
            person.screen(f"scene {scene_id}", "Accepting would change:")
        person.types("\x1b[C")
        person.screen(f"scene {ids[4]}", "is unknown")
        person.types("q")
        assert person.ends() == ExitCode.OK


def test_no_colour_is_no_colour(twins: World) -> None:
    """NO_COLOR leaves only what moves the cursor; differences have marks."""
    with Person(["review"], twins.environ() | {"NO_COLOR": "1"}) as person:
        person.screen("Accepting would change:")
        person.types("q")
        person.ends()
        for colour in ("\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[1;36m"):
            assert colour not in person.seen


def test_review_works_while_both_servers_are_away(tmp_path: Path) -> None:
    """The screens come from the cache; what is unknown says so, and answers count."""
    with low_world(tmp_path, STRANGERS) as world:
        world.run()
        environ = world.environ()
        (first, *_) = review_order(world)
    with Person(["review"], environ) as person:
        person.screen("is unknown")
        person.types("n")
        person.screen("u takes it back")
        person.types("qk")
        assert person.ends() == ExitCode.OK
    assert answered(world) == {first.scene_id}


def test_finds_that_are_lost_are_reported_on_the_first_screen(twins: World) -> None:
    """With both servers away the rest can be answered, and nobody believes that it is all."""
    (shelf,) = twins.cache_dir.glob("review-*")
    *rest, _last = shelf.read_bytes().splitlines(keepends=True)
    shelf.write_bytes(b"".join(rest))
    environ = twins.environ() | {"PLEXSYNC_STASH__URL": "http://127.0.0.1:9"}
    with Person(["review"], environ) as person:
        person.screen("1 more wait, but their candidates are lost")
        person.types("q")
        assert person.ends() == ExitCode.OK
    shelf.unlink()
    with Person(["review"], environ) as person:
        assert person.ends() == ExitCode.OK
        assert "candidates are lost" in person.seen
        assert "Nothing waits" not in person.seen


def test_a_search_finds_an_item_by_its_title(twins: World) -> None:
    """From the cached listing of the libraries that are named, without asking anybody."""
    wanted, sections = twins.library.plex.videos[-1], twins.library.plex.sections
    library = next(one.title for one in sections if one.id == wanted.section_id)
    environ = twins.environ() | {"PLEXSYNC_PLEX__LIBRARIES": library}
    with Person(["review"], environ) as person:
        person.screen("not in Plex")
        person.types(f"k{wanted.rating_key}\r")
        person.screen("a accepts it")
        person.types("f" + wanted.title.split()[0].lower() + "\r")
        hits = person.screen("any other")
        assert "Which one?" in hits
        assert f"{library} {wanted.rating_key}" in " ".join(hits.split())
        person.types("\x1b")
        person.screen("not in Plex")
        person.types("q")
        assert person.ends() == ExitCode.OK
    assert answered(twins) == set()


def test_a_search_finds_nothing_where_nothing_takes_part(twins: World) -> None:
    """A library that was let go since is still in the cache; a run would never find its items."""
    wanted, sections = twins.library.plex.videos[-1], twins.library.plex.sections
    others = [
        one.title
        for one in sections
        if one.id != wanted.section_id and one.kind in {"movie", "show"}
    ]
    environ = twins.environ() | {"PLEXSYNC_PLEX__LIBRARIES": others[0]}
    with Person(["review"], environ) as person:
        person.screen("not in Plex")
        person.types("f" + wanted.title.split()[0].lower() + "\r")
        person.screen("Nothing in Plex holds")
        person.types(f"k{wanted.rating_key}\r")
        person.screen("takes no part")
        person.types("q")
        assert person.ends() == ExitCode.OK


def test_a_path_rule_is_added_to_the_configuration_and_settles_the_rest(tmp_path: Path) -> None:
    """Comments and the mode of the file stay; the run that follows makes the matches HIGH."""
    with low_world(tmp_path, STRANGERS) as world:
        world.run()
        config = tmp_path / "config.toml"
        before = (
            f'# mine\n[stash]\nurl = "{world.stash_url}"\napi_key = "stash-key"\n'
            f'[plex]\nurl = "{world.plex_url}"\ntoken = "{world.plex.token}"\n'
        )
        config.write_text(before)
        config.chmod(0o600)
        environ = {
            "PLEXSYNC_CONFIG": str(config),
            "PLEXSYNC_STATE_DIR": str(world.state_dir),
            "CACHE_DIRECTORY": str(world.cache_dir),
        }
        with Person(["review"], environ) as person:
            person.screen("not in Plex")
            person.types("p")
            person.screen("Add this path rule?")
            person.types("y")
            person.screen("Added to")
            person.types("u")
            person.screen("Taken back")
            assert config.read_text() == before
            person.types("py")
            person.screen("Added to")
            person.types("qk")
            person.ends()
        assert config.read_text().startswith(before)
        assert "[[paths]]" in config.read_text()
        assert config.stat().st_mode & 0o777 == 0o600


def test_what_a_path_rule_should_settle_is_settled_by_the_next_run(tmp_path: Path) -> None:
    """Just the scenes shown before the rule was added are HIGH after it: of twins, none."""
    with low_world(
        tmp_path, {Case.DUPLICATE: 1}, PATHS="", MATCH__USE_CONTENT_HASH="false"
    ) as world:
        world.run()
        before = {one.scene_id for one in review_order(world)}
        config = tmp_path / "config.toml"
        config.write_text(
            f'[stash]\nurl = "{world.stash_url}"\napi_key = "stash-key"\n'
            f'[plex]\nurl = "{world.plex_url}"\ntoken = "{world.plex.token}"\n'
            "[match]\nuse_content_hash = false\n"
        )
        config.chmod(0o600)
        environ = {
            "PLEXSYNC_CONFIG": str(config),
            "PLEXSYNC_STATE_DIR": str(world.state_dir),
            "CACHE_DIRECTORY": str(world.cache_dir),
        }
        with Person(["review"], environ) as person:
            person.screen("not in Plex")
            person.types("p")
            asked = " ".join(person.screen("any other").split())
            promised = set(re.findall(r"scene (\d+) ->", asked))
            does = f"should settle {len(promised)}" if promised else "settles nothing"
            assert f"It {does} of what waits" in asked
            person.types("y")
            person.screen("Added to")
            person.types("qk")
            person.ends()
        world.run(RunOptions(full=True), PATHS="/data/=/media/")
        still = {one.scene_id for one in review_order(world)}
    assert before - still == promised


def test_without_a_terminal_it_says_what_to_use_instead(twins: World) -> None:
    """No prompt goes into a pipe."""
    done = run_plexsync(["review"], twins.environ())
    assert done.code == ExitCode.USAGE
    assert "plexsync review list" in done.err
