"""The whole configuration: every section with its values, and what follows from several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.models import FieldRules, Policy
from plexsync.planning.participation import Participants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plexsync.config.keys import Setting
    from plexsync.config.secrets import Secret
    from plexsync.config.sections.layout import CollectionsConfig, ShowsConfig
    from plexsync.config.sections.running import MetricsConfig, NotifyConfig, RunConfig
    from plexsync.config.sections.servers import PlexConfig, StashConfig
    from plexsync.config.sections.writing import ApplyConfig, MatchConfig
    from plexsync.models import FieldRule, PathRule


@dataclass(frozen=True, slots=True)
class LibraryFields:
    """The fields of one library, as `[libraries."Title".fields]` has them.

    Args:
        library: its title in Plex, or its id, as written.
        rules: one rule per field; what is not set for the library is as everywhere.
    """

    library: str
    rules: tuple[FieldRule, ...]


def named_library(name: str, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return the ids of the libraries a name means: by title, else by id, else but for case.

    Args:
        name: a title or an id.
        titles: of all libraries that count, by id.
    """
    exact = tuple(one for one, title in titles.items() if title == name)
    by_id = (name.strip(),) if name.strip() in titles else ()
    folded = name.strip().casefold()
    alike = (one for one, title in titles.items() if title.strip().casefold() == folded)
    return exact or by_id or tuple(alike)


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
        libraries: `[libraries]`, what differs from `fields` in single libraries.
        collections: `[collections]`.
        shows: `[shows]`.
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
    libraries: tuple[LibraryFields, ...]
    collections: CollectionsConfig
    shows: ShowsConfig
    run: RunConfig
    notify: NotifyConfig
    metrics: MetricsConfig
    source: Path | None
    settings: tuple[Setting, ...]
    secrets: tuple[Secret, ...]
    warnings: tuple[str, ...]

    @property
    def active_rules(self) -> tuple[FieldRule, ...]:
        """The rules of every library that are not off."""
        several = (self.fields, *(one.rules for one in self.libraries))
        return tuple(r for rules in several for r in rules if r.policy is not Policy.OFF)

    @property
    def uses_records(self) -> bool:
        """Whether something in Plex is made of what the records of all scenes show."""
        return bool(self.collections.kinds) or self.shows.studios

    @property
    def with_namesakes(self) -> bool:
        """Whether it matters that several performers have one name."""
        return any(rule.photo or rule.display for rule in self.active_rules)

    def field_rules(self, titles: Mapping[str, str]) -> FieldRules:
        """Return the rules of all libraries.

        Args:
            titles: of the libraries that take part, by id.
        """
        own = {
            section_id: one.rules
            for one in self.libraries
            for section_id in named_library(one.library, titles)
        }
        return FieldRules(common=self.fields, by_section=own)

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
