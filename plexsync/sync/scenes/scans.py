"""Scans of folders, where scenes lack a candidate: Plex is asked to look for their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import AuthError, ServerError
from plexsync.models import Outcome, PathRule, Scene, Section
from plexsync.planning.retry_schedule import has_come
from plexsync.text.normalize import NormalizedPath, compile_rules, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.state import Waiting
    from plexsync.sync.context import RunContext

MOST_FOLDERS = 20
"""Folders scanned in one run: a scan is cheap, twenty thousand of them are not."""


def wanted_scans(run: RunContext, unmatched: Iterable[Waiting]) -> tuple[tuple[Section, str], ...]:
    """Return where Plex should look for what it lacks, if it may be asked to.

    A scan wakes all that wait for Plex. So that they do not ask for the next one in turn, a
    scene asks only when its own time has come.
    """
    if not run.config.plex.scan or run.options.dry_run or run.options.libraries:
        return ()
    now = run.ports.now()
    records = ((one.scene, run.state.get(one.scene_id)) for one in unmatched)
    asking = (
        scene
        for scene, record in records
        if record is None or record.outcome is not Outcome.UNMATCHED or has_come(record.due_at, now)
    )
    return folders_to_scan(asking, run.config.paths, run.sections)


def request_scans(run: RunContext, folders: Sequence[tuple[Section, str]]) -> None:
    """Ask for scans; one that is refused costs nothing but a word."""
    for section, folder in folders:
        try:
            run.ports.plex.scan(section, folder)
        except AuthError:
            raise
        except ServerError as error:
            run.totals.reporter.warn(f"Plex does not scan '{folder}': {error.message}")
            if run.ports.plex_down():
                raise


def folders_to_scan(
    scenes: Iterable[Scene], rules: Sequence[PathRule], sections: Sequence[Section]
) -> tuple[tuple[Section, str], ...]:
    """Return the folders the files of `scenes` should lie in, each once, at most `MOST_FOLDERS`.

    A folder that lies in no library, or in one that is being scanned already, is left out.

    Args:
        scenes: scenes Plex does not have.
        rules: how Stash's paths become Plex's; a path no rule covers is the same on both.
        sections: the libraries that take part.
    """
    found: dict[tuple[str, str], tuple[Section, str]] = {}
    mapped = compile_rules(rules)
    for scene in scenes:
        for file in scene.files:
            path = normalize_path(file.path)
            folder = (mapped.apply(path) or path).rpartition("/")[0]
            for section, place in _places(NormalizedPath(folder), sections):
                found.setdefault((section.section_id, place), (section, place))
                if len(found) == MOST_FOLDERS:
                    return tuple(found.values())
    return tuple(found.values())


def _places(folder: NormalizedPath, sections: Sequence[Section]) -> Iterator[tuple[Section, str]]:
    """Where `folder` lies in the libraries, spelled as they spell their own folders."""
    for section in sections:
        for location in () if section.refreshing else section.locations:
            root = normalize_path(location).rstrip("/")
            if folder == root or folder.startswith(f"{root}/"):
                separator = "\\" if "\\" in location else "/"
                rest = folder[len(root) :].replace("/", separator)
                yield section, location.rstrip("/\\") + rest
