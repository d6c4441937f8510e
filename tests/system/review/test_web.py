"""`plexsync review --web` in a real browser, against both simulators."""

from __future__ import annotations

import csv
import io
import shutil
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from benchmarks.review import make_home
from plexsync.errors import ExitCode
from plexsync.matching.answers import ANSWER_PREFIX, SceneAnswers
from plexsync.models import SceneId
from plexsync.simulators.http.faults import Rewrite
from plexsync.simulators.http.wire import Fault, Hang
from plexsync.simulators.library.pairs import Case
from plexsync.storage.session import open_session
from plexsync.storage.status import read_status
from tests.support.browser import axe_violations, chromium, press, served_review
from tests.support.review_world import TWINS, low_world, review_order, waiting_in
from tests.support.terminals import run_plexsync
from tests.support.typing_terminals import Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.world import World

MIX = {Case.SAME: 1, Case.DUPLICATE: 3, Case.DECOY: 4, Case.REMUXED: 6}
"""Twins, strangers and copies in another container: LOW for three causes."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of a fresh profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """LOW scenes of three kinds, after a first run."""
    with low_world(tmp_path, MIX, scenes=40) as found:
        found.run()
        yield found


def meaning(world: World) -> dict[str, SceneAnswers | None]:
    """Every answer that stands."""
    state = world.state()
    keys = [key for key in state.decision_keys() if key.startswith(ANSWER_PREFIX)]
    return {key: state.decision(key, SceneAnswers) for key in keys}


def is_right(world: World, scene: str, item: str | None) -> bool:
    """Whether an item is the scene's, by the truth."""
    return item in world.library.truth.get(scene, ())


def settle(world: World, page: Page) -> int:
    """Settle all there is by keys alone, as somebody would who knows the truth; counts answers."""
    answers = 0
    while not page.url.endswith("/end"):
        if "/group/" in page.url:
            settle_grid(world, page)
        elif page.query_selector("[data-key=g]"):
            press(page, "g")
            continue
        else:
            scene, item = page.url.rpartition("/")[2], page.get_attribute("[name=item]", "value")
            press(page, "a" if is_right(world, scene, item) else "n")
        answers += 1
    return answers


def settle_grid(world: World, page: Page) -> None:
    """Take out what is not like most of the grid, then answer the rest."""
    boxes = page.query_selector_all(".grid input[type=checkbox]")
    items = page.query_selector_all(".grid li")
    right = []
    for box, row in zip(boxes, items, strict=True):
        poster = row.query_selector("img[src*=poster]")
        item = (poster.get_attribute("src") or "").rpartition("/")[2] if poster else None
        right.append(is_right(world, box.get_attribute("value") or "", item))
    most = sum(right) * 2 >= len(right)
    for odd in right:
        page.keyboard.press("ArrowRight")
        if odd is not most:
            page.keyboard.press("Space")
    press(page, "a" if most else "n")


def test_a_hundred_rows_are_settled_by_keys_alone(tmp_path: Path, page: Page) -> None:
    """In a few answers, every one of them right, and all of it is kept."""
    with low_world(tmp_path, MIX, scenes=170) as world:
        world.run()
        waiting = waiting_in(world)
        assert len(waiting) >= 100
        with served_review(world.environ()) as served:
            page.goto(served.address)
            answers = settle(world, page)
            assert "Nothing waits any more" in page.inner_text("h1")
            press(page, "k")
            assert f"{len(waiting)} answered" in served.ends()
        assert answers <= 12
        for one in waiting:
            found = world.state().decision(f"{ANSWER_PREFIX}{one.scene_id}", SceneAnswers)
            assert found is not None
            truth = world.library.truth.get(one.scene_id, ())
            assert {pin.rating_key for pin in found.pins} <= set(truth)
            assert bool(found.pins) is bool(truth)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(world: World, browser: Browser, scheme: str) -> None:
    """On any page, in both colour schemes, and narrow as at 400 %."""
    with served_review(world.environ()) as served:
        context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
        page = context.new_page()
        page.goto(served.address)
        found = {}
        page.click("summary")
        found["scene"] = axe_violations(page)
        page.fill("form[action='/find'] input[type=search]", "a")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        found["find"] = axe_violations(page)
        press(page, "Escape")
        press(page, "g")
        found["group"] = axe_violations(page)
        press(page, "q")
        found["end"] = axe_violations(page)
        page.set_viewport_size({"width": 320, "height": 700})
        press(page, "ArrowLeft")
        found["narrow"] = axe_violations(page)
        for _ in range(2):
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            press(page, "g")
        assert found == {name: [] for name in found}
        context.close()


def test_the_page_asks_nobody_else_and_shows_no_secret(world: World, page: Page) -> None:
    """Pictures of both servers come through the page, without their credentials."""
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with served_review(world.environ()) as served:
        page.goto(served.address)
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        assert page.evaluate("document.querySelector('.pair img').naturalWidth") > 1
        press(page, "g")
        assert all(url.startswith(served.root) for url in asked)
        text = page.content()
    assert served.address.rpartition("=")[2] not in page.url
    for secret in ("stash-key", world.plex.token):
        assert secret not in text
        assert not any(secret in url for url in asked)
    assert complaints == []


def test_a_scene_leads_to_both_servers(world: World, page: Page) -> None:
    """Their own pages open in another tab, and do not learn where the person came from."""
    plex = world.state().lineage.plex
    environ = world.environ()
    with served_review(environ) as served:
        page.goto(served.address)
        scene, item = page.url.rpartition("/")[2], page.get_attribute("[name=item]", "value")
        links = page.query_selector_all("figcaption a")
        kinds = {(one.get_attribute("target"), one.get_attribute("rel")) for one in links}
        addresses = [one.get_attribute("href") for one in links]
    details = f"details?key=%2Flibrary%2Fmetadata%2F{item}"
    assert addresses == [
        f"{environ['PLEXSYNC_STASH__URL']}/scenes/{scene}",
        f"{environ['PLEXSYNC_PLEX__URL']}/web/index.html#!/server/{plex}/{details}",
    ]
    assert kinds == {("_blank", "noreferrer")}


def test_the_mouse_does_what_keys_do(world: World, page: Page) -> None:
    """Click odd ones out of a grid, click the answer, click it back."""
    before = len(waiting_in(world))
    with served_review(world.environ()) as served:
        page.goto(served.address)
        page.click("text=alike")
        rows = page.locator(".grid li").count()
        page.locator(".grid label").first.click()
        assert page.locator("[data-key=n] .count").inner_text() == str(rows - 1)
        page.click("[data-key=n]")
        page.wait_for_load_state()
        assert len(meaning(world)) == rows - 1
        page.click("[data-key=u]")
        page.wait_for_load_state()
        assert "Taken back" in page.inner_text("[role=status]")
    assert meaning(world) == {}
    assert len(waiting_in(world)) == before


def test_two_tabs_do_not_overwrite_each_other(world: World, page: Page) -> None:
    """The second tab shows what the first one answered, and asks for another look."""
    with served_review(world.environ()) as served:
        page.goto(served.address)
        other = page.context.new_page()
        other.goto(page.url)
        scene = page.url.rpartition("/")[2]
        press(page, "n")
        assert page.url.rpartition("/")[2] != scene
        press(other, "a")
        assert other.url.rpartition("/")[2] == scene
        assert "answered elsewhere" in other.inner_text("[role=status]")
        assert "not in Plex" in other.inner_text(".answer")
        page.go_back()
        assert page.url.rpartition("/")[2] == scene
        assert "not in Plex" in page.inner_text(".answer")
        press(page, "a")
    (found,) = meaning(world).values()
    assert found is not None
    assert found.pins


def test_a_run_and_the_page_take_turns(world: World, page: Page) -> None:
    """Nothing is answered while a run holds the lock; once it is free the same key works."""
    with served_review(world.environ()) as served:
        page.goto(served.address)
        scene = page.url
        with open_session(world.state_dir, now=world.now):
            press(page, "n")
            assert page.url == scene
            assert "A run is under way" in page.inner_text("[role=status]")
        press(page, "n")
        assert page.url != scene
        assert len(meaning(world)) == 1
        # The lock is released a few seconds after the last answer.
        waited = run_plexsync(
            ["retry", "--lock-wait", "60", scene.rpartition("/")[2]], world.environ()
        )
        assert waited.code == ExitCode.OK
        press(page, "n")
    assert len(meaning(world)) == 2


@pytest.mark.parametrize("victim", ["server", "browser"])
def test_no_answer_is_lost_to_a_kill(world: World, browser: Browser, victim: str) -> None:
    """What the page shows as answered is answered."""
    with served_review(world.environ()) as served:
        context = browser.new_context()
        page = context.new_page()
        page.goto(served.address)
        for _ in range(5):
            press(page, "n")
        if victim == "browser":
            context.close()
        else:
            served.process.send_signal(signal.SIGKILL)
            served.process.wait()
            context.close()
        assert len(meaning(world)) == 5
        if victim == "browser":
            served.process.send_signal(signal.SIGINT)
            assert "5 answered" in served.ends()
            assert served.process.returncode == ExitCode.OK


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_review_that_is_ended_from_outside_says_what_it_kept(
    world: World, page: Page, number: signal.Signals
) -> None:
    """As after Ctrl-C, by the exit code of the signal."""
    (first, *_) = review_order(world)
    with served_review(world.environ()) as served:
        page.goto(served.address)
        page.goto(f"{served.root}/scene/{first.scene_id}")
        press(page, "a")
        served.process.send_signal(number)
        printed = served.ends()
        assert served.process.returncode == ExitCode.TERMINATED
    assert "1 answered." in printed
    assert "    plexsync run" in printed
    ends = [run.exit_code for run in read_status(world.state_dir, world.now).runs]
    assert None not in ends


def test_done_can_write_at_once(world: World, page: Page) -> None:
    """The run follows in the terminal, and Plex shows it."""
    one = next(one for one in review_order(world) if world.library.truth[one.scene_id])
    with served_review(world.environ()) as served:
        page.goto(f"{served.address}")
        page.goto(f"{served.root}/scene/{one.scene_id}")
        press(page, "a")
        press(page, "q")
        press(page, "w")
        assert "run is under way" in page.inner_text("main")
        served.ends()
        assert served.process.returncode == ExitCode.OK
    assert world.shown(one.candidates[0].rating_key, "title") == one.scene.title.strip()


def test_an_item_is_found_and_a_scene_ignored(world: World, page: Page) -> None:
    """By keys alone: what is typed after `f`, `k` or `i` answers nothing, and a reason is kept."""
    wanted = world.library.plex.videos[-1]
    with served_review(world.environ()) as served:
        page.goto(served.address)
        page.keyboard.press("f")
        page.keyboard.type(wanted.title.split()[0])
        press(page, "Enter")
        press(page, "1")
        assert "item=" in page.url
        assert "candidates" in page.inner_text("[role=status]") or page.locator(".focused").count()
        page.keyboard.press("k")
        page.keyboard.type("later, or all or none")
        press(page, "Enter")
        assert "neither a rating key nor a Plex address" in page.inner_text("[role=status]")
        page.keyboard.press("i")
        page.keyboard.type("a trailer, not a scene")
        press(page, "Enter")
    (found,) = meaning(world).values()
    assert found is not None
    assert found.ignored is not None
    assert found.ignored.reason == "a trailer, not a scene"


def test_page_keys_and_file_leave_the_same_answers(tmp_path: Path, page: Page) -> None:
    """One state machine, one log: what stands afterwards is the same, pin for pin."""
    with low_world(tmp_path, TWINS, scenes=14) as world:
        world.run()
        queue = review_order(world)
        answers = {one.scene_id: ("a", "n")[place % 2] for place, one in enumerate(queue)}
        found = {}
        shutil.copytree(world.state_dir, tmp_path / "before")
        for way in ("keys", "page", "file"):
            shutil.rmtree(world.state_dir)
            shutil.copytree(tmp_path / "before", world.state_dir)
            if way == "keys":
                with Person(["review"], world.environ()) as person:
                    person.screen("q quit")
                    person.types("".join(answers[one.scene_id] for one in queue) + "yyyyqk")
                    assert person.ends() == ExitCode.OK
            elif way == "page":
                answer_on_page(world, page, answers)
            else:
                answer_in_file(world, tmp_path / "waiting.csv", answers)
            found[way] = meaning(world)
        assert len(found["keys"]) == len(queue)
        assert found["page"] == found["keys"]
        assert found["file"] == found["keys"]


def answer_on_page(world: World, page: Page, answers: dict[SceneId, str]) -> None:
    """Answer each scene the page shows."""
    with served_review(world.environ()) as served:
        page.goto(served.address)
        while not page.url.endswith("/end"):
            scene = SceneId(page.url.rpartition("/")[2].partition("?")[0])
            press(page, answers[scene])
        press(page, "k")
        served.ends()


def answer_in_file(world: World, path: Path, answers: dict[SceneId, str]) -> None:
    """Write each answer beside the best candidate of its scene."""
    assert run_plexsync(["review", "export", str(path)], world.environ()).code == ExitCode.OK
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    left = {scene: {"a": "accept", "n": "not in plex"}[key] for scene, key in answers.items()}
    for row in rows:
        row["answer"] = left.pop(SceneId(row["scene_id"]), "")
        writer.writerow(row)
    path.write_text(out.getvalue(), encoding="utf-8")
    done = run_plexsync(["review", "import", str(path)], world.environ())
    assert done.code == ExitCode.OK, done.err


def test_thousands_wait_and_the_first_page_comes_at_once(tmp_path: Path, page: Page) -> None:
    """With 5,000 waiting and both servers away, in less than a second; so does the next scene."""
    with served_review(make_home(tmp_path, 5_000, 5_000)) as served:
        page.goto(served.address)
        assert "of 5,000" in page.inner_text(".place")
        for key in ("g", "g", "ArrowRight"):
            press(page, key)
            spent_ms = page.evaluate(
                "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
            )
            assert spent_ms < 1000


def test_a_page_asks_until_it_is_known_what_accepting_would_change(
    world: World, page: Page
) -> None:
    """However long Plex takes for it."""
    asked_again = threading.Event()

    def hold_back(body: bytes) -> bytes:
        asked_again.wait()
        return body

    with served_review(world.environ()) as served:
        world.plex_wire.faults.add(Fault(None, 1, Rewrite(hold_back)))
        with page.expect_response(lambda one: "/preview/" in one.url and one.status == 204):
            page.goto(served.address, wait_until="domcontentloaded")
        assert "Being looked up" in page.inner_text("#preview")
        asked_again.set()
        page.wait_for_selector("#preview .changes dl")


def test_a_page_says_that_its_review_has_ended(world: World, page: Page) -> None:
    """Nothing is being looked up any more then."""
    with served_review(world.environ()) as served:
        world.plex_wire.faults.add(Fault(None, 1, Hang(), times=None))
        with page.expect_request(lambda one: "/preview/" in one.url):
            page.goto(served.address, wait_until="domcontentloaded")
        served.process.kill()
        page.wait_for_selector("text=the review does not answer any more")
        world.plex_wire.faults.clear()


def test_a_page_says_what_to_type_with_the_configuration_it_has(
    world: World, page: Page, tmp_path: Path
) -> None:
    """As every message of a command does."""
    config = tmp_path / "config.toml"
    config.write_text("")
    (journal,) = (world.state_dir / "journal").iterdir()
    with served_review(world.environ(), "--config", str(config)) as served:
        page.goto(served.address)
        shutil.copy(journal, journal.with_name(f"9{journal.name}"))
        press(page, "n")
        assert f"then ask plexsync status --config {config}" in page.inner_text("main")


def test_a_page_says_why_an_answer_could_not_be_kept(world: World, page: Page) -> None:
    """And takes it once it can be."""
    journal = world.state_dir / "journal"
    with served_review(world.environ()) as served:
        page.goto(served.address)
        journal.rename(world.state_dir / "away")
        journal.touch()
        press(page, "n")
        assert page.inner_text("h1") == "That did not work"
        assert str(journal) in page.inner_text("main")
        journal.unlink()
        (world.state_dir / "away").rename(journal)
        press(page, "Escape")
        press(page, "n")
        press(page, "q")
        press(page, "k")
        assert "1 answered." in served.ends()
