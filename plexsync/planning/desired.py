"""What a scene says each Plex field should be."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ParseError
from plexsync.models import (
    FIELD_SEPARATOR,
    LIST_FIELDS,
    PICTURE_FIELDS,
    Credit,
    Desired,
    ItemKind,
    PlexField,
    Policy,
)
from plexsync.text.folding import MadeOnce
from plexsync.text.normalize import fold_tag, plex_date, strip_control, tag_key
from plexsync.text.templates import (
    NAME_PLACEHOLDERS,
    PERFORMER_PLACEHOLDERS,
    PHOTO_PLACEHOLDERS,
    Template,
    parse_template,
    performer_words,
    photo_words,
    scene_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plexsync.models import FieldRule, FieldRules, Performer, SceneDetail, SceneId

_ANYTHING = frozenset(PlexField)

# Source: docs/plex-api.md 5, "By type": what an episode stores of the other fields is unverified,
# so they are not sent.
_EPISODE = frozenset(
    {
        PlexField.POSTER,
        PlexField.BACKGROUND,
        PlexField.TITLE,
        PlexField.SORT_TITLE,
        PlexField.SUMMARY,
        PlexField.CONTENT_RATING,
        PlexField.RATING,
        PlexField.DATE,
        PlexField.COLLECTIONS,
        PlexField.DIRECTORS,
        PlexField.LABELS,
    }
)

SUPPORTED: Mapping[ItemKind, frozenset[PlexField]] = {
    ItemKind.MOVIE: _ANYTHING,
    ItemKind.EPISODE: _EPISODE,
    # No scene says what these are: see `collections` and `shows`.
    ItemKind.COLLECTION: frozenset(),
    ItemKind.SHOW: frozenset(),
    ItemKind.SEASON: frozenset(),
}
"""The fields each kind of item stores. Source: docs/plex-api.md 5."""

STUDIO_COLLECTION = "studio.collection"
"""The name of the rule that puts an item into a collection of its studio."""

COMMON = ""
"""Stands for every library that has no rules of its own."""

_REPEATED_WORDS = frozenset(
    {"studio", "parent_studio", "studio.parent", "group", "director", "year"}
)
"""The placeholders that say the same of many scenes."""

_UNWANTED = ("", "")
_MOST_STARS = 10


def _no_page(_scene_id: SceneId) -> str:
    return ""


class FieldMaps:
    """Turns scenes into the desired fields of all libraries.

    Args:
        rules: how each scene field reaches Plex; those that are off ask for nothing, and pictures
            are the business of `artwork`. Templates must be readable.
        scene_url: the address of a scene's page in Stash, by id.
        file_url: the address of something, by its path on Stash.
        shared: the names several performers in Stash have, as `tag_key` has them.
    """

    def __init__(
        self,
        rules: FieldRules,
        *,
        scene_url: Callable[[SceneId], str] = _no_page,
        file_url: Callable[[str], str] = str,
        shared: frozenset[str] = frozenset(),
    ) -> None:
        self._fields = {
            section_id: _by_target(own, shared)
            for section_id, own in {COMMON: rules.common, **rules.by_section}.items()
        }
        self._scene_url = scene_url
        self._file_url = file_url

    def desired(
        self, detail: SceneDetail, kind: ItemKind, section_id: str = COMMON
    ) -> tuple[Desired, ...]:
        """Return what `detail` wants of an item of `kind` in a library, one entry per Plex field.

        A value the scene does not have comes as "" or (); what an empty one means is the
        planner's business. Names that differ only in spacing or the case of ASCII letters are one
        name, the first spelling. Several rules for one list make one list.
        """
        page, supported = self._scene_url, SUPPORTED[kind]
        fields = self._fields.get(section_id, self._fields[COMMON])
        return tuple(
            [
                Desired(
                    field=one.name,
                    target=one.target,
                    value=_names(detail, one.sources, page)
                    if one.is_list
                    else _text(detail, one.sources[0], page),
                    policy=one.policy,
                    credits=_credits(detail, one.sources, self._file_url) if detail.cast else {},
                )
                for one in fields
                if one.target in supported
            ]
        )

    def everywhere(self, detail: SceneDetail) -> dict[str, tuple[Desired, ...]]:
        """Return what `detail` wants of a movie, by library; `COMMON`: without own rules."""
        return {one: self.desired(detail, ItemKind.MOVIE, one) for one in self._fields}


def unsupported_fields(rules: Sequence[FieldRule], kind: ItemKind) -> tuple[str, ...]:
    """Return the rules that are on, but an item of `kind` does not store their Plex field."""
    return tuple(
        rule.name
        for rule in rules
        if rule.policy is not Policy.OFF and rule.to not in SUPPORTED[kind]
    )


# ---- Rules, made ready ---------------------------------------------------------------------------


class _Source(msgspec.Struct):
    """One rule made ready.

    Args:
        rule: the rule.
        templates: its templates, read.
        role: what an actor plays.
        photo: where an actor's picture is.
        display: what a performer is called who shares the name.
        shared: the names that are shared.
        made_of: the key and the clean form of a name; both empty where it is left out.
    """

    rule: FieldRule
    templates: tuple[Template, ...]
    role: Template | None
    photo: Template | None
    display: Template | None
    shared: frozenset[str]
    made_of: Callable[[str], tuple[str, str]]


def _source(rule: FieldRule, shared: frozenset[str]) -> _Source:
    templates = tuple(map(parse_template, rule.templates))
    words = {text for template in templates for _, text in template.parts if text}
    # The names of performers are filtered before they are made longer.
    make = _cleaned if templates or rule.display else partial(_filtered, rule=rule)
    return _Source(
        rule=rule,
        templates=templates,
        role=parse_template(rule.role, PERFORMER_PLACEHOLDERS) if rule.role else None,
        photo=parse_template(rule.photo, PHOTO_PLACEHOLDERS) if rule.photo else None,
        display=parse_template(rule.display, NAME_PLACEHOLDERS) if rule.display else None,
        shared=shared,
        # Names repeat all over a library; what other words make may differ for every scene.
        made_of=MadeOnce(make).__getitem__ if words <= _REPEATED_WORDS else make,
    )


class _Target(msgspec.Struct, frozen=True):
    """One Plex field and the rules that fill it."""

    name: str
    target: PlexField
    policy: Policy
    sources: tuple[_Source, ...]
    is_list: bool


def _by_target(rules: Sequence[FieldRule], shared: frozenset[str]) -> tuple[_Target, ...]:
    """Return the Plex fields that rules write to, in the order of the rules."""
    grouped: dict[PlexField, list[_Source]] = {}
    for rule in rules:
        if rule.policy is not Policy.OFF and rule.to not in PICTURE_FIELDS:
            grouped.setdefault(rule.to, []).append(_source(rule, shared))
    return tuple(
        _Target(
            name=FIELD_SEPARATOR.join(source.rule.name for source in several),
            target=target,
            policy=_policy_of([source.rule for source in several]),
            sources=tuple(several),
            is_list=target in LIST_FIELDS,
        )
        for target, several in grouped.items()
    )


def _policy_of(rules: Sequence[FieldRule]) -> Policy:
    """Return the policy of a list that several rules fill; the configuration makes them agree."""
    return next((rule.policy for rule in rules if not rule.joins), rules[0].policy)


# ---- Texts ---------------------------------------------------------------------------------------


def _text(detail: SceneDetail, source: _Source, page: Callable[[SceneId], str]) -> str:
    rule = source.rule
    text = _by_tag(detail, rule) if rule.by_tag else None
    if text is None and source.templates:
        text = source.templates[0].fill(scene_words(detail, page))
    elif text is None:
        text = _OWN_TEXTS[rule.name](detail)
    return strip_control(text).strip()


def _by_tag(detail: SceneDetail, rule: FieldRule) -> str | None:
    """Return what the first pattern that fits one of the scene's tags says; None when none does."""
    tags = [fold_tag(name) for name in detail.tags]
    for pattern, text in rule.by_tag:
        if any(fnmatchcase(tag, fold_tag(pattern)) for tag in tags):
            return text
    return None


def _date(text: str) -> str:
    """Plex wants whole days: a year or a month becomes its first day, an odd legacy row nothing."""
    try:
        return plex_date(text)
    except ParseError:
        return ""


def _stars(rating100: int | None) -> str:
    """Half stars, 1 to 10, as Plex's own apps give them; "" for none.

    Finer ratings could be sent, but no Plex app shows or sets them.
    Source: docs/plex-api.md 5 ("User rating"), docs/stash-api.md 3 (1 to 100).
    """
    if not rating100 or rating100 < 0:
        return ""
    return str(min(max((rating100 + 5) // 10, 1), _MOST_STARS))


_OWN_TEXTS: Mapping[str, Callable[[SceneDetail], str]] = {
    "title": lambda scene: scene.title,
    "summary": lambda scene: scene.details,
    "date": lambda scene: _date(scene.date),
    "studio": lambda scene: scene.studios[0] if scene.studios else "",
    "rating": lambda scene: _stars(scene.rating100),
}
"""The value of the fields that have one without a template."""


# ---- Lists ---------------------------------------------------------------------------------------


def _names(
    detail: SceneDetail, sources: Sequence[_Source], page: Callable[[SceneId], str]
) -> tuple[str, ...]:
    """Return the names all rules of one list give, each once."""
    chosen: dict[str, str] = {}
    for source in sources:
        for key, clean in map(source.made_of, _own_names(detail, source, page)):
            chosen.setdefault(key, clean)
    chosen.pop("", None)
    if sources[0].rule.to is not PlexField.LABELS:
        return tuple(chosen.values())
    labels: dict[str, str] = {}
    for label in map(_as_label, chosen.values()):
        labels.setdefault(tag_key(label), label)
    return tuple(labels.values())


def _as_label(name: str) -> str:
    """Return a label as Plex will show it: with a capital. Source: docs/plex-api.md 5, "Tags"."""
    capital = name[:1].upper()
    return capital + name[1:] if len(capital) == 1 else name


def _credits(
    detail: SceneDetail, sources: Sequence[_Source], file_url: Callable[[str], str]
) -> dict[str, Credit]:
    """How the performers of a scene are to be credited, by `tag_key`, as far as that is asked.

    Plex knows one actor, with one photo, by a name. So of namesakes that are called the same in
    Plex the one without a disambiguation in Stash gives the photo, and no other.
    """
    (source,) = sources[:1]
    role, photo = source.role, source.photo
    found: dict[str, Credit] = {}
    for one in detail.cast if role or photo else ():
        own, _ = _filtered(one.name, source.rule)
        if not own:
            continue
        name, _ = _cleaned(_display(one, source))
        part = _cleaned(role.fill(performer_words(one)))[1] if role else None
        alone = own not in source.shared or name != own or not one.disambiguation
        picture = photo.fill(photo_words(one, file_url), whole=True) if photo and alone else ""
        first = found.get(name, Credit(role=part))
        found[name] = Credit(role=first.role, photo=first.photo or picture or None)
    return found


def _display(one: Performer, source: _Source) -> str:
    """Return what a performer is called in Plex: the name, and more only where it is shared."""
    if source.display is None or _cleaned(one.name)[0] not in source.shared:
        return one.name
    return source.display.fill(performer_words(one), whole=True) or one.name


def _own_names(
    detail: SceneDetail, source: _Source, page: Callable[[SceneId], str]
) -> Iterable[str]:
    match source.rule.name:
        case "performers":
            if source.display is None:
                return detail.performers
            wanted = (one for one in detail.cast if _filtered(one.name, source.rule)[0])
            return [_display(one, source) for one in wanted]
        case "tags":
            parents = detail.parent_tags if source.rule.parents else ()
            return (*detail.tags, *parents) if parents else detail.tags
        case "directors":
            return detail.director.replace(";", ",").split(",")
        case "groups":
            return [
                template.fill(scene_words(detail, page, at), whole=True)
                for at, group in enumerate(detail.groups)
                if _filtered(group, source.rule)[0]
                for template in source.templates
            ]
        case _:
            word = scene_words(detail, page)
            return [template.fill(word, whole=True) for template in source.templates]


def _filtered(name: str, rule: FieldRule) -> tuple[str, str]:
    """Return a name's key and clean form; both empty when the rule leaves it out."""
    key, clean = _cleaned(name)
    folded = fold_tag(clean)
    if any(fnmatchcase(folded, fold_tag(pattern)) for pattern in rule.exclude):
        return _UNWANTED
    if rule.include and not any(fnmatchcase(folded, fold_tag(p)) for p in rule.include):
        return _UNWANTED
    return key, clean


def _cleaned(name: str) -> tuple[str, str]:
    """Return what makes a name one tag to Plex, and its clean form."""
    clean = " ".join(strip_control(name).split())
    return tag_key(clean), clean
