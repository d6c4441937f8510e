"""What another page, another user or a hostile server can do through `review --web`: nothing."""

from __future__ import annotations

import http.client
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from plexsync.errors import ExitCode
from plexsync.matching.answers import ANSWER_PREFIX
from plexsync.simulators.library.pairs import Case
from tests.support.browser import ServedReview, chromium, served_review
from tests.support.review_world import low_world, review_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="owned"</script></svg>'
HTML = b"<html><script>document.title='owned'</script></html>"
PNG = b"\x89PNG\r\n\x1a\n"
HEBREW = "\u05e9\u05dc\u05d5\u05dd 2 \u05d7\u05dc\u05e7!"
EVIL = '"><script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """LOW scenes with one candidate each."""
    with low_world(tmp_path, {Case.SAME: 1, Case.REMUXED: 5}, scenes=12) as found:
        found.run()
        yield found


def ask(
    served: ServedReview,
    path: str,
    *,
    method: str = "GET",
    body: str = "",
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    """One request as it is given, whatever a browser would do."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        sent = {"host": f"127.0.0.1:{served.port}", "content-length": str(len(body))} | headers
        for name, value in sent.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


def entered(served: ServedReview) -> str:
    """The cookie the key in the address is good for, once."""
    status, headers, _ = ask(served, served.address.removeprefix(served.root))
    assert status == 303
    assert {"HttpOnly", "SameSite=Strict"} <= set(headers["set-cookie"].split("; "))
    return headers["set-cookie"].partition(";")[0]


def test_nobody_gets_in_without_the_key(world: World) -> None:
    """Nor with a wrong one, nor a second time with the right one; the page stays empty."""
    (first, *_) = review_order(world)
    with served_review(world.environ()) as served:
        for path in ("/", "/?key=", "/?key=wrong", f"/scene/{first.scene_id}", "/static/review.js"):
            status, _, body = ask(served, path)
            assert (status, b"<" in body) == (403, False)
        entered(served)
        assert ask(served, served.address.removeprefix(served.root))[0] == 403
        assert ask(served, "/", cookie="plexsync-review=wrong")[0] == 403


def test_other_hosts_and_origins_get_nothing(world: World) -> None:
    """With the right cookie, too: a browser sends it along for a page elsewhere."""
    (first, *_) = review_order(world)
    with served_review(world.environ()) as served:
        cookie = entered(served)
        own = f"http://127.0.0.1:{served.port}"
        form = f"scene={first.scene_id}&key=n&seen="
        for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1", ""):
            assert ask(served, "/", cookie=cookie, host=host)[0] == 421
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{served.port}"):
            assert ask(served, "/", cookie=cookie, origin=origin)[0] == 403
            status, _, _ = ask(
                served, "/press", method="POST", body=form, cookie=cookie, origin=origin
            )
            assert status == 403
        assert ask(served, "/press", method="POST", body=form, cookie=cookie)[0] == 403
        fetched = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}
        assert ask(served, "/static/review.js", cookie=cookie, **fetched)[0] == 403
        assert ask(served, f"/scene/{first.scene_id}", cookie=cookie, origin=own)[0] == 200
    keys = world.state().decision_keys()
    assert not [key for key in keys if key.startswith(ANSWER_PREFIX)]


def test_every_answer_carries_the_policy(world: World) -> None:
    """No inline script or style, no frame, no other origin; pages are not kept by the browser."""
    (first, *_) = review_order(world)
    with served_review(world.environ()) as served:
        cookie = entered(served)
        for path in ("/", f"/scene/{first.scene_id}", "/end", "/static/review.js", "/nothing"):
            _, headers, body = ask(served, path, cookie=cookie)
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert b"style=" not in body
            assert b"<script>" not in body


@pytest.mark.parametrize(
    "path",
    [
        "/static/../site.py",
        "/static/%2e%2e/site.py",
        "/static/..%2fguard.py",
        "/static//etc/passwd",
        "/static/....//....//etc/passwd",
        "/picture/cover/../../etc/passwd",
        "/picture/cover/1%2f..%2f..%2fgraphql",
        "/picture/poster/1%3furl=http:%2f%2fevil",
        "/picture/cover/999999",
        "/picture/poster/999999",
        "/picture/other/1",
        "/scene/999999",
        "/scene/%00",
        "/group/x",
        "/preview/1/../../x",
    ],
)
def test_no_path_leads_out(world: World, path: str) -> None:
    """Only what waits and belongs to the page; no server is asked for anything else."""
    with served_review(world.environ()) as served:
        cookie = entered(served)
        world.stash_wire.counters.clear()
        world.plex_wire.counters.clear()
        status, _, body = ask(served, path, cookie=cookie)
        assert status == 404
        assert b"root:" not in body
        assert b"import" not in body
        assert world.stash_wire.counters.by_kind().get("stash.cover", 0) == 0


@pytest.mark.parametrize(
    "picture",
    [SVG, HTML, b"", b"GIF8", PNG + b"\x00" * (20 << 20)],
    ids=["svg", "html", "empty", "torn", "20 MB"],
)
def test_what_is_no_picture_is_not_passed_on(world: World, picture: bytes) -> None:
    """Whatever Stash calls it."""
    (first, *_) = review_order(world)
    world.stash.covers[int(first.scene_id)] = picture
    with served_review(world.environ()) as served:
        cookie = entered(served)
        status, _, body = ask(served, f"/picture/cover/{first.scene_id}", cookie=cookie)
        assert (status, len(body)) == (404, 0)
        assert ask(served, "/end", cookie=cookie)[0] == 200


def test_texts_of_servers_stay_texts(tmp_path: Path) -> None:
    """A title that is a script is shown; nothing of it runs."""
    with low_world(tmp_path, {Case.SAME: 1, Case.REMUXED: 5}, scenes=6) as world:
        world.stash.edit_scenes(world.stash.scenes.ids, title=EVIL)
        world.run()
        (first, *_) = review_order(world)
        world.stash.covers[int(first.scene_id)] = SVG
        complaints: list[str] = []
        with chromium() as browser, served_review(world.environ()) as served:
            page = browser.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(served.address)
            for path in (f"/scene/{first.scene_id}", f"/group/{first.scene_id}", "/end"):
                page.goto(served.root + path)
                page.wait_for_load_state("networkidle")
                assert "owned" not in page.title().replace(EVIL, "")
                assert page.locator("img[src=x]").count() == 0
            page.goto(f"{served.root}/scene/{first.scene_id}")
            assert EVIL in page.inner_text("h1")
        assert not [one for one in complaints if "Content Security Policy" in one]


def test_texts_from_right_to_left_stay_by_themselves(tmp_path: Path) -> None:
    """Every one is an element of its own, but where a page can have none: in titles and fields."""
    with low_world(tmp_path, {Case.SAME: 1, Case.REMUXED: 5}, scenes=6) as world:
        world.stash.edit_scenes(world.stash.scenes.ids, title=HEBREW)
        world.run()
        (first, *_) = review_order(world)
        with served_review(world.environ()) as served:
            cookie = entered(served)
            own = {"cookie": cookie, "origin": f"http://127.0.0.1:{served.port}"}
            words = f"words={quote(HEBREW)}&sort="
            assert ask(served, "/arrange", method="POST", body=words, **own)[0] == 303
            scene, group = (
                ask(served, f"/{page}/{first.scene_id}", cookie=cookie)[2].decode()
                for page in ("scene", "group")
            )
    assert f"<h1><bdi>{HEBREW}</bdi></h1>" in scene
    assert f"<title>{HEBREW} " in scene
    assert f'type="search" value="{HEBREW}"' in scene
    assert f'<span class="name"><bdi>{HEBREW}</bdi></span>' in group


def test_what_changes_in_a_text_from_right_to_left_keeps_its_order(tmp_path: Path) -> None:
    """The pieces of one text run on in its direction, those of two stand apart."""
    with low_world(tmp_path, {Case.SAME: 1, Case.REMUXED: 5}, scenes=6) as world:
        world.stash.edit_scenes(world.stash.scenes.ids, title=HEBREW)
        world.run()
        (first, *_) = review_order(world)
        key = first.candidates[0].rating_key
        world.plex.edit_by_hand(key, {"title": HEBREW.replace("2", "7")})
        with served_review(world.environ(APPLY__PRESERVE_PLEX_EDITS="false")) as served:
            path = f"/preview/{first.scene_id}/{key}"
            page = ask(served, path, cookie=entered(served))[2].decode()
    before, after = HEBREW.split("2")
    pieces = f"<span>{before}</span><del>7</del><ins>2</ins><span>{after}</span>"
    assert f'<dt>title</dt>\n<dd dir="auto">{pieces}</dd>' in page


def test_five_hundred_requests_at_once_are_all_answered(world: World) -> None:
    """And the page works afterwards; so does an endless form."""
    (first, *_) = review_order(world)
    with served_review(world.environ()) as served:
        cookie = entered(served)
        paths = ["/end", f"/scene/{first.scene_id}", f"/picture/cover/{first.scene_id}"]

        def fetch(number: int) -> int:
            return ask(served, paths[number % 3], cookie=cookie)[0]

        with ThreadPoolExecutor(100) as pool:
            assert set(pool.map(fetch, range(500))) == {200}
        own = {"cookie": cookie, "origin": f"http://127.0.0.1:{served.port}"}
        long = "scene=1&key=n&text=" + "x" * (4 << 20)
        assert ask(served, "/press", method="POST", body=long, **own)[0] < 500
        assert ask(served, "/end", cookie=cookie)[0] == 200


def test_a_missing_package_is_named() -> None:
    """With the extra that brings it."""
    lines = ("import sys", "sys.modules['uvicorn'] = None", "from plexsync.__main__ import main")
    program = "; ".join([*lines, "main()"])
    ended = subprocess.run(
        [sys.executable, "-c", program, "review", "--web"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == ExitCode.USAGE
    assert "uvicorn" in ended.stderr
    assert "pipx install --force '.[web]'" in ended.stderr
