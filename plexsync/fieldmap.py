"""What a scene says each Plex field should be."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from plexsync.errors import ParseError
from plexsync.models import LIST_FIELDS, Desired, ItemKind, PlexField, Policy
from plexsync.normalize import fold_tag, plex_date, strip_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import FieldRule, SceneDetail

_ANYTHING = frozenset(PlexField)

# Source: docs/plex-api.md 5, "By type": what an episode stores of the other fields is unverified,
# so they are not sent.
_EPISODE = frozenset(
    {
        PlexField.TITLE,
        PlexField.SORT_TITLE,
        PlexField.SUMMARY,
        PlexField.CONTENT_RATING,
        PlexField.DATE,
        PlexField.COLLECTIONS,
        PlexField.DIRECTORS,
        PlexField.LABELS,
    }
)

SUPPORTED = {ItemKind.MOVIE: _ANYTHING, ItemKind.EPISODE: _EPISODE}
"""The fields each kind of item stores. Source: docs/plex-api.md 5."""

_UNWANTED = ("", "")


class FieldMap:
    """Turns scenes into desired fields.

    Args:
        rules: how each scene field reaches Plex; those that are off ask for nothing.
    """

    def __init__(self, rules: Sequence[FieldRule]) -> None:
        wanted = [rule for rule in rules if rule.policy is not Policy.OFF]
        self._rules = {
            kind: tuple(rule for rule in wanted if rule.to in SUPPORTED[kind]) for kind in ItemKind
        }
        # What each rule makes of a name, worked out once: names repeat all over a library.
        self._names: dict[str, dict[str, tuple[str, str]]] = {rule.name: {} for rule in wanted}

    def desired(self, detail: SceneDetail, kind: ItemKind) -> tuple[Desired, ...]:
        """What `detail` wants of an item of `kind`, one entry per rule that is on and supported.

        A value the scene does not have comes as "" or (); what an empty one means is the
        planner's business. Names that differ only in case or spacing are one name, the first
        spelling.
        """
        return tuple(
            Desired(
                field=rule.name,
                target=rule.to,
                value=self._choose(_list_source(detail, rule.name), rule)
                if rule.to in LIST_FIELDS
                else _text_source(detail, rule.name),
                policy=rule.policy,
            )
            for rule in self._rules[kind]
        )

    def _choose(self, names: Iterable[str], rule: FieldRule) -> tuple[str, ...]:
        known = self._names[rule.name]
        chosen: dict[str, str] = {}
        for name in names:
            made = known.get(name)
            if made is None:
                made = known[name] = _filtered(name, rule)
            folded, clean = made
            if folded and folded not in chosen:
                chosen[folded] = clean
        return tuple(chosen.values())


def unsupported_fields(rules: Sequence[FieldRule], kind: ItemKind) -> tuple[str, ...]:
    """The names of rules that are on but whose Plex field an item of `kind` does not store."""
    return tuple(
        rule.name
        for rule in rules
        if rule.policy is not Policy.OFF and rule.to not in SUPPORTED[kind]
    )


def _text_source(detail: SceneDetail, name: str) -> str:
    match name:
        case "title":
            return strip_control(detail.title).strip()
        case "summary":
            return strip_control(detail.details).strip()
        case "date":
            return _date(detail.date)
        case "studio":
            return strip_control(detail.studios[0]).strip() if detail.studios else ""
    raise AssertionError(f"no text field is called {name}")


def _list_source(detail: SceneDetail, name: str) -> tuple[str, ...]:
    match name:
        case "performers":
            return detail.performers
        case "tags":
            return detail.tags
    raise AssertionError(f"no list field is called {name}")


def _date(text: str) -> str:
    """Plex wants whole days: a year or a month becomes its first day, an odd legacy row nothing."""
    try:
        return plex_date(text)
    except ParseError:
        return ""


def _filtered(name: str, rule: FieldRule) -> tuple[str, str]:
    """A name's folded and clean form; both empty when the rule leaves it out."""
    clean = " ".join(strip_control(name).split())
    folded = fold_tag(clean)
    if any(fnmatchcase(folded, fold_tag(pattern)) for pattern in rule.exclude):
        return _UNWANTED
    if rule.include and not any(fnmatchcase(folded, fold_tag(p)) for p in rule.include):
        return _UNWANTED
    return folded, clean
