"""Which scenes take part: by their tags and studios, with all that lie below these, and by folder.

A name counts with everything below it in Stash's hierarchy, because a studio is most often named
for its sub-studios. What keeps a scene out wins over what lets it in.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.models import RELATED_KINDS, PathRule, RelatedId, Scene
from plexsync.planning.relations import UNKNOWN, above, name_in
from plexsync.text.differences import nearest_name
from plexsync.text.normalize import PathMap, compile_rules, fold_tag, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


STASH_ID = "stash_id"
"""What a scene may need beside the names under `[fields]`: the id a stash-box has for it."""


_KINDS = {
    "include_tags": "t",
    "exclude_tags": "t",
    "include_studios": "s",
    "exclude_studios": "s",
}
"""How the ids begin of what the keys name that choose by name; see `RELATED_KINDS`."""

_FOLDERS = ("include_paths", "exclude_paths")
"""The keys that choose by folder."""

_REFUSALS = {
    "exclude_tags": "has an excluded tag ({})",
    "exclude_studios": "is of an excluded studio ({})",
    "exclude_paths": "has a file in an excluded folder",
    "include_paths": "has no file in an included folder",
    "include_studios": "is of no included studio",
    "include_tags": "has no included tag",
}
"""Why a scene takes no part by a key of `[stash]`; what keeps it out comes first."""


class Refused(NamedTuple):
    """Why a scene takes no part: the key of `[stash]` that decides, and words for it."""

    key: str
    why: str

    @property
    def is_unready(self) -> bool:
        """Whether it takes part once it has the values it is to have."""
        return self.key in {"required", "require_stash_id"}


class Participation(msgspec.Struct, frozen=True):
    """What decides whether a scene takes part. Build it with `Participants.among`.

    Args:
        chosen: by key all tags or studios it stands for, each with the configured name it counts
            for.
        folders: those of a key. A key that names nothing is in neither, and decides nothing.
        organized_only: only scenes Stash calls organized take part.
        required: names of what a scene needs a value for.
    """

    chosen: Mapping[str, Mapping[RelatedId, str]] = {}
    folders: Mapping[str, PathMap] = {}
    organized_only: bool = False
    required: frozenset[str] = frozenset()

    @property
    def needs_relations(self) -> bool:
        """Whether tags, studios or other values of a scene decide."""
        return bool(self.chosen or self.required)

    def refusal(self, scene: Scene) -> Refused | None:
        """Return why a scene takes no part; None for one that does.

        What it still needs comes last.
        """
        if self.organized_only and not scene.organized:
            return Refused("organized_only", "is not organized")
        for key, why in _REFUSALS.items():
            found = self._found(key, scene)
            if found is not None and bool(found) == key.startswith("exclude"):
                return Refused(key, why.format(found))
        missing = sorted(self.required.difference(scene.filled))
        if missing == [STASH_ID]:
            return Refused("require_stash_id", "is identified by no stash-box")
        named = ", ".join(name for name in missing if name != STASH_ID)
        return Refused("required", f"waits for {named}") if named else None

    def _found(self, key: str, scene: Scene) -> str | None:
        """Return by what name or path a key finds a scene; "" for by none; None if it has none."""
        if key in self.chosen:
            ids = self.chosen[key]
            return next((ids[one] for one in scene.shows if one in ids), "")
        if key in self.folders:
            paths = (normalize_path(file.path) for file in scene.files)
            return next((path for path in paths if self.folders[key].apply(path) is not None), "")
        return None


class Participants(msgspec.Struct, frozen=True, kw_only=True):
    """The names and folders that decide which scenes take part, as configured; none by default.

    A scene has a folder if one of its files lies in it.
    """

    include_tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    include_studios: tuple[str, ...] = ()
    exclude_studios: tuple[str, ...] = ()
    include_paths: tuple[str, ...] = ()
    exclude_paths: tuple[str, ...] = ()

    @property
    def with_names(self) -> bool:
        """Whether tags or studios matter."""
        return any(self._wanted(key) for key in _KINDS)

    def _wanted(self, key: str) -> tuple[str, ...]:
        wanted: tuple[str, ...] = getattr(self, key)
        return wanted

    def among(
        self,
        names: Mapping[RelatedId, str],
        *,
        organized_only: bool = False,
        required: frozenset[str] = frozenset(),
    ) -> Participation:
        """Return what this means among the tags and studios of a Stash; see `Participation`."""
        below = _below(names) if self.with_names else {}
        return Participation(
            {
                key: _with_below(self._wanted(key), names, below, letter)
                for key, letter in _KINDS.items()
                if self._wanted(key)
            },
            {
                key: compile_rules([PathRule(stash=one, plex=one) for one in self._wanted(key)])
                for key in _FOLDERS
                if self._wanted(key)
            },
            organized_only,
            required,
        )

    def concerned(
        self, before: Mapping[RelatedId, str], now: Mapping[RelatedId, str]
    ) -> frozenset[RelatedId]:
        """Return the tags and studios that decide otherwise since Stash had the names of `before`.

        One that had no known name then may have decided anything.
        """
        if not self.with_names:
            return frozenset()
        kinds = frozenset(
            one for one, text in before.items() if text == UNKNOWN and one.startswith(("t", "s"))
        )
        then, by_now = self.among(before).chosen, self.among(now).chosen
        return kinds.union(*(then[key].keys() ^ by_now[key].keys() for key in by_now))


def strange_names(
    wanted: Mapping[str, Sequence[str]], names: Mapping[RelatedId, str]
) -> Iterator[str]:
    """Yield a sentence for each configured name that no tag or studio has.

    Args:
        wanted: the names by their key, which says of what they are: `[stash] include_tags`.
        names: the tags and studios of a Stash.
    """
    for key in filter(wanted.get, wanted):
        letter = "t" if key.endswith("tags") else "s"
        known = [name_in(text) for one, text in names.items() if one.startswith(letter)]
        folded = set(map(fold_tag, known))
        for name in wanted[key]:
            if fold_tag(name) not in folded:
                near = nearest_name(name, known)
                hint = f"; did you mean {near!r}?" if near else ""
                yield f"{key}: Stash has no {RELATED_KINDS[letter]} {name!r}{hint}"


# ---- Private -------------------------------------------------------------------------------------


def _below(names: Mapping[RelatedId, str]) -> dict[RelatedId, list[RelatedId]]:
    """Return the tags and studios right below each."""
    found: defaultdict[RelatedId, list[RelatedId]] = defaultdict(list)
    for one, text in names.items():
        for parent in above(one, text):
            found[parent].append(one)
    return found


def _with_below(
    wanted: tuple[str, ...],
    names: Mapping[RelatedId, str],
    below: Mapping[RelatedId, list[RelatedId]],
    letter: str,
) -> dict[RelatedId, str]:
    """Everything that has one of the names, and what lies below it; circles end."""
    spelled = {fold_tag(name): name for name in wanted}
    found: dict[RelatedId, str] = {}
    for one, text in names.items():
        name = spelled.get(fold_tag(name_in(text))) if one.startswith(letter) and text else None
        waiting = [one] if name else []
        while waiting:
            here = waiting.pop()
            if here not in found:
                found[here] = name or ""
                waiting += below.get(here, [])
    return found
