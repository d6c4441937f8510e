"""What the configured fields need to know of a scene, and what is left of them without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import FieldRule, Policy, StashField
from plexsync.text.templates import CUSTOM, PERFORMERS, SCENE_INDEX, needs_genders, parse_template

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ALWAYS = frozenset(
    {
        StashField.STUDIO,
        StashField.PARENT_STUDIO,
        StashField.GROUPS,
        StashField.PERFORMERS,
        StashField.ALL_GROUPS,
    }
)
"""What is asked for whatever is configured: what a scene shows of other objects, whose new names
a run finds by it."""

OWN: Mapping[str, StashField] = {
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

CREDITS = frozenset({StashField.DISAMBIGUATION, StashField.GENDER, StashField.ALIASES})
"""What is asked of performers where more than their names is written."""

PLAIN = frozenset(
    field
    for field in StashField
    if field.startswith(("Scene.", "Studio.", "Query.")) and field is not StashField.CUSTOM_FIELDS
)
"""What is asked for where no configuration says otherwise: all that every Stash has of scenes."""

LISTS = {
    StashField.COVER: "paths",
    StashField.GROUPS: "groups",
    StashField.PERFORMERS: "performers",
}
"""What is never null where it was asked for."""


def needs_of(rules: Iterable[FieldRule]) -> frozenset[StashField]:
    """Return what is asked of Stash for these rules."""
    wanted: set[StashField] = set(ALWAYS)
    for rule in rules:
        if rule.policy is Policy.OFF:
            continue
        wanted |= _core(rule).union(*_parts(rule).values())
        wanted |= {StashField.CUSTOM_FIELDS} if _has_custom(rule) else set()
    return frozenset(wanted)


def without(
    rules: Iterable[FieldRule], lacking: Collection[StashField]
) -> tuple[tuple[FieldRule, ...], tuple[tuple[str, StashField], ...]]:
    """Leave out what this Stash cannot say, so that Plex keeps what it has.

    Args:
        rules: as they are configured.
        lacking: what this Stash does not have.

    Returns:
        The rules that are left; and each part that is lost by its key, with what is missing.
    """
    left, lost = [], []
    for rule in rules:
        if rule.policy is Policy.OFF:
            left.append(rule)
        elif missing := sorted(_core(rule).intersection(lacking)):
            left.append(replace(rule, policy=Policy.OFF))
            lost.append((f"fields.{rule.name}", missing[0]))
        else:
            kept, parts = _reduced(rule, lacking)
            left.append(kept)
            lost += parts
    return tuple(left), tuple(lost)


def _core(rule: FieldRule) -> frozenset[StashField]:
    """Return what the rule says nothing without."""
    templates = [parse_template(text) for text in rule.templates]
    found: set[StashField] = set()
    for template in templates:
        for word in template.words:
            found |= _WORDS.get(word, frozenset())
        if any(needs_genders(text) for _, text in template.parts):
            found |= CREDITS
    own = OWN.get(rule.name)
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
        "display": CREDITS,
        "role": CREDITS,
        "photo": CREDITS | {StashField.IMAGE},
        "parents": frozenset({StashField.PARENT_TAGS}),
    }
    return {part: wanted for part, wanted in needs.items() if getattr(rule, part)}


def _reduced(
    rule: FieldRule, lacking: Collection[StashField]
) -> tuple[FieldRule, list[tuple[str, StashField]]]:
    """Leave out the parts of a rule that cannot be had."""
    lost: list[tuple[str, StashField]] = []
    if StashField.CUSTOM_FIELDS in lacking and _has_custom(rule):
        lost.append((f"{{custom}} of fields.{rule.name}", StashField.CUSTOM_FIELDS))
    for part, wanted in _parts(rule).items():
        if missing := sorted(wanted.intersection(lacking)):
            rule = replace(rule, **{part: False if part == "parents" else ""})
            key = "name" if part == "display" else part
            lost.append((f"fields.{rule.name}.{key}", missing[0]))
    return rule, lost
