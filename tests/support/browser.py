"""A real browser, without a screen, at a page that plexsync serves."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TextIO

from playwright.sync_api import sync_playwright

from tests.support.children import Started, start_plexsync

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser, Page

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?key=\S+")
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str:
    """Where the browser is: `$CHROMIUM`, else on the path; Debian calls its package chromium."""
    found = [os.environ.get("CHROMIUM", ""), *(shutil.which(name) or "" for name in _NAMES)]
    path = next(filter(None, found), "")
    assert path, "no Chromium: apt-get install chromium, or name it in $CHROMIUM"
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium, without the sandbox, which root cannot have."""
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(),
            args=["--no-sandbox", "--disable-gpu"],
            env={**os.environ, "HOME": home},
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class ServedReview:
    """`plexsync review --web` in a process of its own."""

    process: Started
    printed: TextIO
    address: str
    port: int

    @property
    def root(self) -> str:
        """The page without the key."""
        return f"http://127.0.0.1:{self.port}"

    def ends(self) -> str:
        """Wait for the end; gives what it printed since the address."""
        text = self.printed.read()
        self.process.wait(60)
        return text


@contextmanager
def served_review(environ: Mapping[str, str], *options: str) -> Iterator[ServedReview]:
    """Start it, and wait for the address it prints."""
    reading, writing = os.pipe()
    whole = {**os.environ, **environ}
    with Path(os.devnull).open("rb") as nothing, os.fdopen(reading, encoding="utf-8") as printed:
        ends = (nothing.fileno(), writing, writing)
        process = start_plexsync(["review", "--web", *options], whole, ends)
        os.close(writing)
        try:
            seen = ""
            while (found := _ADDRESS.search(seen)) is None:
                line = printed.readline()
                assert line, f"no address: {seen}"
                seen += line
            yield ServedReview(process, printed, found[0], int(found[1]))
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def press(page: Page, key: str) -> None:
    """Press a key that leads to another page, and wait for that page."""
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press(key)


def axe_violations(page: Page) -> list[str]:
    """What axe finds that is serious or worse: rule, and the elements."""
    script = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    # Evaluated by the debugger, so the policy of the page does not stand in the way.
    page.evaluate(script)
    result: dict[str, Any] = page.evaluate("axe.run(document)")
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']]}"
        for one in result["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
