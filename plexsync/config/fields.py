"""`[fields]`: every field that can be written, what can be set for each, and the rules they become.

To add a field, add a `_field`; to say more of one, add a `part` to it. A part becomes the
attribute of `FieldRule` with its name, or the one it `fills`, and needs nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from plexsync.config.forms import (
    BY_TAG,
    FLAG,
    NAMES,
    PHOTO,
    POLICY,
    ROLE,
    SHARED_NAME,
    TAG_TARGET,
    TEMPLATES,
    TEXT_POLICY,
    Key,
    template_unless,
)
from plexsync.errors import ConfigError
from plexsync.models import LIST_FIELDS, FieldRule, PlexField, Policy
from plexsync.planning.desired import STUDIO_COLLECTION
from plexsync.plex.poster_padding import require_pillow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plexsync.config.forms import Form


class FieldSetting(msgspec.Struct, frozen=True):
    """One field under `[fields]`.

    Args:
        name: what it is called.
        to: where it is written in Plex, unless a part says otherwise.
        keys: the key of its policy, and those of its other settings.
    """

    name: str
    to: PlexField
    keys: tuple[Key, ...]


def _field(
    to: PlexField, meaning: str, *more: Key, policy: str = "off", called: str = ""
) -> FieldSetting:
    """Declare a field.

    Args:
        to: where it is written in Plex, unless a part says otherwise.
        meaning: what it is.
        more: its other settings, each named below the field.
        policy: the one it has unless a person says otherwise.
        called: what the field is called, if not as in Plex.
    """
    name = called or to.value
    form = POLICY if to in LIST_FIELDS else TEXT_POLICY
    first = Key(f"fields.{name}", form, f'"{policy}"', meaning, fills="policy")
    below = (replace(key, name=f"{first.name}.{key.name}") for key in more)
    return FieldSetting(name, to, (first, *below))


def part(
    name: str, form: Form[Any], default: str = "", *, meaning: str, fills: str | None = None
) -> Key:
    """Declare a setting of a field beside its policy: see `Key`; it fills what it is named like."""
    return Key(name, form, default or form.default, meaning, fills=name if fills is None else fills)


def _template(
    default: str, own: str = "", *, name: str = "template", meaning: str = "What it is made of."
) -> Key:
    """Return the part that says what a text is made of; `own` is the field's own value."""
    return part(name, template_unless(own), default, fills="templates", meaning=meaning)


_AS_FOR_PERFORMERS = tuple(
    part(name, NAMES, meaning="As for performers.") for name in ("include", "exclude")
)
"""Which names of a list are left out."""

FIELD_SETTINGS = (
    _field(
        PlexField.TITLE,
        "The title.",
        _template(
            '"{title}"',
            "{title}",
            meaning="What the title is made of; see [templates](#templates).",
        ),
        policy="overwrite",
    ),
    _field(
        PlexField.SORT_TITLE,
        "The title Plex sorts by. While it is off, Plex makes it of the title; one an "
        "agent gave goes with the title it belonged to, is reported as `title+sort_title`, "
        "and comes back with an undo.",
        _template('"{date} {title}"'),
    ),
    _field(PlexField.ORIGINAL_TITLE, "The original title; movies only.", _template('"{file}"')),
    _field(
        PlexField.SUMMARY,
        "Stash's details.",
        _template(
            '"{details}"',
            "{details}",
            meaning='What the summary is made of: `"{details}\\n\\n{stash_url}"` adds a link '
            "to the scene.",
        ),
        policy="overwrite",
    ),
    _field(PlexField.TAGLINE, "The tagline; movies only.", _template('"{code}"')),
    _field(
        PlexField.DATE,
        "The date. `2021` becomes 2021-01-01 and `2021-06` becomes 2021-06-01, because "
        "Plex knows whole days only.",
        policy="overwrite",
    ),
    _field(
        PlexField.STUDIO,
        "The studio; movies only.",
        _template('"{studio}"', "{studio}"),
        part(
            "collection",
            FLAG,
            "true",
            fills="",
            meaning="Put the item into a collection named like its studio, unless the studio "
            "is off. Collections it is in already stay.",
        ),
        part(
            "collection_name",
            template_unless(),
            '"{studio}"',
            fills="",
            meaning="The name of that collection.",
        ),
        policy="overwrite",
    ),
    _field(
        PlexField.CONTENT_RATING,
        "The content rating.",
        _template('"XXX"', meaning="What it is where no line of `by_tag` says otherwise."),
        part(
            "by_tag",
            BY_TAG,
            meaning='Lines of `"tag = rating"`, the tag a pattern. The first that fits one of '
            "the scene's tags counts.",
        ),
    ),
    _field(
        PlexField.ACTORS,
        "Stash's performers become Plex's actors; movies only.",
        part(
            "include",
            NAMES,
            meaning="Only names that fit one of these patterns. None lets every name in.",
        ),
        part("exclude", NAMES, meaning="No names that fit one of these patterns."),
        part(
            "name",
            SHARED_NAME,
            '"{name}"',
            fills="display",
            meaning="What the name of a performer is made of that several in Stash have, such "
            'as `"{name} ({disambiguation})"`; see [namesakes](#namesakes).',
        ),
        part(
            "role",
            ROLE,
            meaning='What the part of each actor is made of, such as `"{disambiguation}"`; '
            "see [roles and photos](#roles-and-photos). Empty leaves it alone.",
        ),
        part(
            "photo",
            PHOTO,
            meaning="What the address of each actor's picture is made of, such as "
            '`"{image}"`. Empty leaves it alone.',
        ),
        policy="merge",
        called="performers",
    ),
    _field(
        PlexField.DIRECTORS, "Stash's director; several with commas or semicolons between them."
    ),
    _field(
        PlexField.GENRES,
        "Stash's tags.",
        part(
            "to",
            TAG_TARGET,
            '"genre"',
            meaning='What they become in Plex: `"genre"` (movies only), `"label"` or '
            '`"collection"`.',
        ),
        part(
            "parents",
            FLAG,
            meaning="Also the tags above them in Stash's hierarchy, up to three levels. A tag "
            "that gets another parent reaches its scenes in the next run.",
        ),
        *_AS_FOR_PERFORMERS,
        policy="merge",
        called="tags",
    ),
    _field(
        PlexField.COLLECTIONS,
        "Put the item into a collection for each of its groups.",
        _template('"{group}"', name="collection_name", meaning="The name of such a collection."),
        *_AS_FOR_PERFORMERS,
        called="groups",
    ),
    _field(
        PlexField.LABELS,
        "Labels that are the same or made alike for every scene.",
        part(
            "names",
            TEMPLATES,
            '["Stash {id}"]',
            fills="templates",
            meaning="What they are made of. One with a placeholder the scene has nothing for "
            "is left out.",
        ),
    ),
    _field(
        PlexField.RATING,
        "Stash's rating as that of the token's account: half stars, so 75 of 100 becomes 8 of 10.",
    ),
    _field(
        PlexField.POSTER,
        "The scene's cover as the item's poster. See [pictures](#pictures).",
        part(
            "pad",
            FLAG,
            meaning="Make the cover as tall as a poster, with nothing cut off. Needs "
            "`pipx install --force '.[pad]'`. See [pictures](#pictures).",
        ),
        policy="overwrite",
    ),
    _field(PlexField.BACKGROUND, "The scene's cover as the item's background."),
)
"""Every field, in the order of the file."""


FIELD_KEYS: tuple[Key, ...] = tuple(key for field in FIELD_SETTINGS for key in field.keys)
"""Every key of `[fields]`, in the order of the file."""


# ---- The rules -----------------------------------------------------------------------------------


def compose_rules(
    found: Mapping[str, Any], add_problem: Callable[[str, str, str], None]
) -> tuple[FieldRule, ...]:
    """Return one rule per field.

    Args:
        found: the value of every key by name.
        add_problem: takes what is wrong: a key, a message and a remedy.
    """
    rules = tuple(_rule(field, found, add_problem) for field in FIELD_SETTINGS)
    _check_shared_lists(rules, add_problem)
    return (*rules, *_studio_collection(found))


def _rule(
    field: FieldSetting, found: Mapping[str, Any], add_problem: Callable[[str, str, str], None]
) -> FieldRule:
    filled = {key.fills: found[key.name] for key in field.keys if key.fills}
    rule = FieldRule(**{"name": field.name, "to": field.to, **filled})
    if not rule.pad or rule.policy is Policy.OFF:
        return replace(rule, pad=False)
    try:
        require_pillow()
    except ConfigError as error:
        remedy = f"Install it: {error.hint}, or switch pad off."
        add_problem(f"fields.{field.name}.pad", error.message, remedy)
    return rule


def _studio_collection(found: Mapping[str, Any]) -> tuple[FieldRule, ...]:
    """Return the rule for the studio's collection: none where it is off, or the studio is."""
    templates = found[f"fields.{STUDIO_COLLECTION}_name"]
    # A collection with picture and text takes the place of one that is just a name.
    wanted = found[f"fields.{STUDIO_COLLECTION}"] and not found["collections.studios"]
    if not wanted or not templates or found["fields.studio"] is Policy.OFF:
        return ()
    # Alone in its list it merges: collections made by hand stay as they are.
    return (
        FieldRule(
            name=STUDIO_COLLECTION,
            policy=Policy.MERGE,
            to=PlexField.COLLECTIONS,
            templates=templates,
            joins=True,
        ),
    )


def _check_shared_lists(
    rules: tuple[FieldRule, ...], add_problem: Callable[[str, str, str], None]
) -> None:
    """Fields that make one list in Plex together can only have one policy."""
    on = [rule for rule in rules if rule.policy is not Policy.OFF and rule.to in LIST_FIELDS]
    for index, rule in enumerate(on):
        other = next((one for one in on[:index] if one.to is rule.to), None)
        if other is not None and other.policy is not rule.policy:
            add_problem(
                f"fields.{rule.name}",
                f"writes to the same list in Plex as {other.name}, under another policy",
                "Give both the same policy, or write them to different lists.",
            )
