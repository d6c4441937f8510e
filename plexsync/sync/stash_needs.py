"""What a configuration needs of Stash, and what is left of it where a Stash cannot say that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ConfigError
from plexsync.models import FieldRule, Policy, StashField
from plexsync.text.templates import (
    CUSTOM,
    IMAGE,
    PERFORMERS,
    PHOTO_PLACEHOLDERS,
    SCENE_INDEX,
    SCENE_PAGE,
    needs_genders,
    parse_template,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from plexsync.config.configuration import Config
    from plexsync.config.sections import StashConfig
    from plexsync.stash_client import StashClient

_ALWAYS = frozenset(
    {
        StashField.STUDIO,
        StashField.PARENT_STUDIO,
        StashField.GROUPS,
        StashField.PERFORMERS,
        StashField.ALL_GROUPS,
    }
)
"""What is asked for whatever is configured: what a scene shows of other objects.

A run finds their new names by it.
"""

_OWN: Mapping[str, StashField] = {
    "summary": StashField.DETAILS,
    "studio": StashField.STUDIO,
    "performers": StashField.PERFORMERS,
    "directors": StashField.DIRECTOR,
    "groups": StashField.GROUPS,
    "rating": StashField.RATING,
    "poster": StashField.COVER,
    "background": StashField.COVER,
    "url": StashField.URLS,
}
"""What a rule is made of that has no template, and what else a scene may need a value for."""

_WORDS: Mapping[str, frozenset[StashField]] = {
    "code": frozenset({StashField.CODE}),
    "details": frozenset({StashField.DETAILS}),
    "director": frozenset({StashField.DIRECTOR}),
    "studio": frozenset({StashField.STUDIO}),
    "parent_studio": frozenset({StashField.STUDIO, StashField.PARENT_STUDIO}),
    "group": frozenset({StashField.GROUPS}),
    "url": frozenset({StashField.URLS}),
    "studio.parent": frozenset({StashField.STUDIO, StashField.PARENT_STUDIO}),
    SCENE_INDEX: frozenset({StashField.GROUPS, StashField.SCENE_INDEX}),
    PERFORMERS: frozenset({StashField.PERFORMERS}),
    "rating": frozenset({StashField.RATING}),
    "stash_id": frozenset({StashField.STASH_IDS}),
}
"""What the placeholders of a template are made of; the others every run needs."""

_CREDITS = frozenset({StashField.DISAMBIGUATION, StashField.GENDER, StashField.ALIASES})
"""What is asked of performers where more than their names is written."""


def wanted_of(config: Config) -> frozenset[StashField]:
    """Return what is asked of Stash beyond what every run needs."""
    wanted = _ALWAYS.union(field for _, field in _chosen_by(config.stash))
    for rule in config.active_rules:
        wanted |= _core(rule).union(*_parts(rule).values())
        wanted |= {StashField.CUSTOM_FIELDS} if _has_custom(rule) else set()
    return wanted | {StashField.RATING} if config.collections.ratings else wanted


def shows_address(config: Config) -> bool:
    """Whether the address of Stash reaches Plex: in a link to a scene, or as that of a photo."""
    rules = config.active_rules
    texts = [parse_template(text) for rule in rules for text in rule.templates]
    photos = [parse_template(rule.photo, PHOTO_PLACEHOLDERS) for rule in rules]
    return any(SCENE_PAGE in one.words for one in texts) or any(
        IMAGE in one.words for one in photos
    )


def for_this_stash(config: Config, stash: StashClient) -> tuple[Config, tuple[str, ...]]:
    """Leave out of a configuration what a Stash that was met cannot say.

    Returns:
        What is left, and a sentence for each part that is lost: what Plex has of it stays.

    Raises:
        ConfigError: scenes are chosen by what this Stash cannot say.
    """
    for key, field in _chosen_by(config.stash):
        if field in stash.lacking:
            raise ConfigError(
                f"which scenes take part depends on {field}, which this Stash does not have",
                context=key,
                hint=f"leave {key} empty, or look for a newer plexsync",
            )
    lost: list[str] = []

    def left(rules: Iterable[FieldRule]) -> tuple[FieldRule, ...]:
        return tuple([_reduced(rule, stash.lacking, lost) for rule in rules])

    config = replace(
        config,
        fields=left(config.fields),
        libraries=tuple([replace(one, rules=left(one.rules)) for one in config.libraries]),
    )
    return config, tuple(dict.fromkeys(lost))


# ---- Private -------------------------------------------------------------------------------------


def _chosen_by(stash: StashConfig) -> Iterator[tuple[str, StashField]]:
    """Yield what decides which scenes take part, each with its key."""
    for name in stash.required:
        if name in _OWN:
            yield "[stash] required", _OWN[name]
    if stash.require_stash_id:
        yield "[stash] require_stash_id", StashField.STASH_IDS
    if stash.include_tags or stash.exclude_tags:
        yield "[stash] include_tags, exclude_tags", StashField.PARENT_TAGS
    if stash.include_studios or stash.exclude_studios:
        yield "[stash] include_studios, exclude_studios", StashField.STUDIO
        yield "[stash] include_studios, exclude_studios", StashField.PARENT_STUDIO


def _reduced(rule: FieldRule, lacking: Collection[StashField], lost: list[str]) -> FieldRule:
    """Leave out of a rule what this Stash cannot say, so that Plex keeps what it has of it.

    A sentence for each part that is lost goes to `lost`.
    """
    if rule.policy is Policy.OFF:
        return rule
    name = f"fields.{rule.name}"
    if missing := sorted(_core(rule).intersection(lacking)):
        lost.append(_lost_sentence(name, missing[0]))
        return replace(rule, policy=Policy.OFF)
    if StashField.CUSTOM_FIELDS in lacking and _has_custom(rule):
        lost.append(
            f"{{custom}} of {name} says nothing: this Stash has no custom fields of scenes, which "
            "came with v0.31; upgrade Stash, or take the word out"
        )
    for part, wanted in _parts(rule).items():
        if missing := sorted(wanted.intersection(lacking)):
            rule = replace(rule, **{part: False if part == "parents" else ""})
            key = "name" if part == "display" else part
            lost.append(_lost_sentence(f"{name}.{key}", missing[0]))
    return rule


def _core(rule: FieldRule) -> frozenset[StashField]:
    """Return what the rule says nothing without."""
    templates = [parse_template(text) for text in rule.templates]
    found: set[StashField] = set()
    for template in templates:
        for word in template.words:
            found |= _WORDS.get(word, frozenset())
        if any(needs_genders(text) for _, text in template.parts):
            found |= _CREDITS
    own = _OWN.get(rule.name)
    if own is not None and (rule.name == "groups" or not rule.templates):
        found.add(own)
    return frozenset(found)


def _has_custom(rule: FieldRule) -> bool:
    """Whether a text is made of a custom field, which the oldest Stash does not have.

    That costs only the word: who shares templates among several Stashes writes it everywhere.
    """
    return any(CUSTOM in parse_template(text).words for text in rule.templates)


def _parts(rule: FieldRule) -> dict[str, frozenset[StashField]]:
    """Return what each part needs that a rule can do without."""
    needs = {
        "display": _CREDITS,
        "role": _CREDITS,
        "photo": _CREDITS | {StashField.IMAGE},
        "parents": frozenset({StashField.PARENT_TAGS}),
    }
    return {part: wanted for part, wanted in needs.items() if getattr(rule, part)}


def _lost_sentence(key: str, field: StashField) -> str:
    return (
        f"{key} takes no part: this Stash has no {field} that plexsync can read; what Plex has "
        "stays, and a newer plexsync may know better"
    )
