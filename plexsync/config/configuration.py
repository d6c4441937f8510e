"""The whole configuration: every section with its values, and what follows from several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.planning.participation import Participants

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.keys import Setting
    from plexsync.config.schema import (
        ApplyConfig,
        MatchConfig,
        MetricsConfig,
        NotifyConfig,
        PlexConfig,
        RunConfig,
        StashConfig,
    )
    from plexsync.config.secrets import Secret
    from plexsync.models import FieldRule, PathRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a person configures.

    Args:
        stash: `[stash]`.
        plex: `[plex]`.
        paths: `[[paths]]`, as written.
        match: `[match]`.
        apply: `[apply]`.
        fields: one rule per field this version can write, those that are off included.
        run: `[run]`.
        notify: `[notify]`.
        metrics: `[metrics]`.
        source: the file that was read; None when there is none.
        settings: every key's effective value and origin.
        secrets: all that was read and must appear in no output.
        warnings: what works but is unsafe, as sentences.
    """

    stash: StashConfig
    plex: PlexConfig
    paths: tuple[PathRule, ...]
    match: MatchConfig
    apply: ApplyConfig
    fields: tuple[FieldRule, ...]
    run: RunConfig
    notify: NotifyConfig
    metrics: MetricsConfig
    source: Path | None
    settings: tuple[Setting, ...]
    secrets: tuple[Secret, ...]
    warnings: tuple[str, ...]

    @property
    def participants(self) -> Participants:
        """What decides which scenes take part."""
        stash = self.stash
        return Participants(
            include_tags=stash.include_tags,
            exclude_tags=stash.exclude_tags,
            include_studios=stash.include_studios,
            exclude_studios=stash.exclude_studios,
            include_paths=stash.include_paths,
            exclude_paths=stash.exclude_paths,
        )
