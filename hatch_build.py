"""Builds the man pages into the wheel, from the commands themselves."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_MACROS = (".TH", ".SH", ".PP", ".B", ".TP")
"""What click-man begins lines with."""

_UNWRAPPED = "\b"
"""Click's mark, on a line of its own, for a paragraph that is not to be wrapped."""


class ManPages(BuildHookInterface):  # type: ignore[type-arg] # its configuration is not used
    """Writes a page for each command and puts it into `share/man/man1`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages, unless only a link to the source is installed."""
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        for page in write_man_pages(Path(self.root), Path(self._folder.name)):
            build_data["shared_data"][str(page)] = f"share/man/man1/{page.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files."""
        del build_data, artifact_path
        if version != "editable":
            self._folder.cleanup()


def write_man_pages(root: Path, folder: Path) -> list[Path]:
    """Write the pages of the package in `root` into `folder`."""
    sys.path.insert(0, str(root))
    try:
        from click_man import core  # noqa: PLC0415 - only where pages are built

        from plexsync import __version__  # noqa: PLC0415 - same
        from plexsync.cli import cli  # noqa: PLC0415 - same
    finally:
        sys.path.remove(str(root))
    core.write_man_pages("plexsync", cli, version=__version__, target_dir=str(folder))
    pages = sorted(folder.glob("*.1"))
    for page in pages:
        page.write_text(_mended(page.read_text("utf-8")), "utf-8")
    return pages


def _mended(page: str) -> str:
    """Return a page of click-man with its examples unwrapped, and no text taken for a macro."""
    lines: list[str] = []
    unwrapped = False
    for line in page.splitlines():
        macro = line.startswith(_MACROS)
        if line == _UNWRAPPED:
            unwrapped = True
            lines.append(".nf")
            continue
        if unwrapped and macro:
            unwrapped = False
            lines.append(".fi")
        lines.append(line if macro else _as_text(line))
    return "\n".join((*lines, *([".fi"] if unwrapped else ()))) + "\n"


def _as_text(line: str) -> str:
    """Return a line in which only what click-man writes is an instruction."""
    text = re.sub(r"\\(?![-f])", r"\\e", line)
    return rf"\&{text}" if text.startswith((".", "'")) else text
