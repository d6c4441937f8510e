"""Search for words that plexsync's sentences and names do not use.

    python -m tests.support.words [FOLDER ...]

Prints every place and ends with 1 when there is one. Part of `make lint`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]

UNWANTED = (
    "anew",
    "brush",
    "deed",
    "desk",
    "errand",
    "heard",
    "nobody's",
    "occasion",
    "office",
    "outfit",
    "room",
    "said",
    "sitting",
    "sleeper",
    "stray",
    "stroke",
    "told",
    "whom",
    "whose",
)
"""Words that say less than a standard term or a plain verb; also as part of a name."""

_KEYS = ('"said"', "`said`", "said: AnswersForm")
"""A key of `plexsync review show --json`, which scripts read, as it is written there."""

_SEARCHED = (
    ".py",
    ".md",
    ".html",
    ".js",
    ".in",
    ".yml",
    ".service",
    "timer",
    "crontab",
    ".example",
    "Makefile",
    ".toml",
)
_PART = rf"(?:{'|'.join(UNWANTED)})(?:s|es)?"
# A name's parts count: `_told`, `StraySource`, `said_of`; "saideth" and "classroom" do not.
_WORD = re.compile(rf"(?<![a-z]){_PART}(?![a-z])|(?<![A-Z]){_PART.title()}(?![a-z])", re.ASCII)


def find_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and word of every unwanted word of a text."""
    for key in _KEYS:
        text = text.replace(key, "")
    for number, line in enumerate(text.splitlines(), 1):
        for found in _WORD.finditer(line):
            yield number, found.group()


def searched_files(folders: Sequence[str] = ()) -> list[Path]:
    """Return the files of the project that hold sentences, but for the one with the list."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *folders],  # noqa: S607 - whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    named = [ROOT / name for name in listed.stdout.split("\0") if name.endswith(_SEARCHED)]
    own = {Path(__file__).resolve(), ROOT / "tests" / "unit" / "test_words.py"}
    return [path for path in named if path.is_file() and path.resolve() not in own]


def run(folders: Sequence[str]) -> int:
    """Print every place; return 1 when there is one."""
    hits = 0
    for path in searched_files(folders):
        for number, word in find_words(path.read_text(encoding="utf-8")):
            hits += 1
            print(f"{path.relative_to(ROOT)}:{number}: {word}")  # noqa: T201 - this is its output
    return min(hits, 1)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
