"""What a configuration needs of Stash, and what is left of it where a Stash cannot say that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError
from plexsync.models import StashField
from plexsync.stash_client import OWN, StashClient, needs_of, without

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.config.configuration import Config
    from plexsync.config.sections import StashConfig


def wanted_of(config: Config) -> frozenset[StashField]:
    """Return what is asked of Stash beyond what every run needs."""
    wanted = needs_of(config.active_rules).union(field for _, field in _chosen_by(config.stash))
    return wanted | {StashField.RATING} if config.collections.ratings else wanted


def _chosen_by(stash: StashConfig) -> Iterator[tuple[str, StashField]]:
    """Yield what decides which scenes take part, each with its key."""
    for name in stash.required:
        if name in OWN:
            yield "[stash] required", OWN[name]
    if stash.require_stash_id:
        yield "[stash] require_stash_id", StashField.STASH_IDS
    if stash.include_tags or stash.exclude_tags:
        yield "[stash] include_tags, exclude_tags", StashField.PARENT_TAGS
    if stash.include_studios or stash.exclude_studios:
        yield "[stash] include_studios, exclude_studios", StashField.STUDIO
        yield "[stash] include_studios, exclude_studios", StashField.PARENT_STUDIO


def for_this_stash(config: Config, stash: StashClient) -> tuple[Config, tuple[str, ...]]:
    """Leave out of a configuration what a Stash that was met cannot say.

    Returns:
        What is left, and a sentence for each part that is lost: what Plex has of it stays.

    Raises:
        ConfigError: scenes are chosen by what this Stash cannot say.
    """
    rules, lost = without(config.fields, stash.lacking)
    own = [(one, *without(one.rules, stash.lacking)) for one in config.libraries]
    libraries = tuple(replace(one, rules=left) for one, left, _ in own)
    lost = tuple(dict.fromkeys((*lost, *(each for _, _, less in own for each in less))))
    for key, field in _chosen_by(config.stash):
        if field in stash.lacking:
            raise ConfigError(
                f"which scenes take part depends on {field}, which this Stash does not have",
                context=key,
                hint=f"leave {key} empty, or look for a newer plexsync",
            )
    sentences = tuple(_lost_sentence(key, field) for key, field in lost)
    return replace(config, fields=rules, libraries=libraries), sentences


def _lost_sentence(key: str, field: StashField) -> str:
    if field is StashField.CUSTOM_FIELDS:
        return (
            f"{key} says nothing: this Stash has no custom fields of scenes, which came with "
            "v0.31; upgrade Stash, or take the word out"
        )
    return (
        f"{key} takes no part: this Stash has no {field} that plexsync can read; what Plex has "
        "stays, and a newer plexsync may know better"
    )
