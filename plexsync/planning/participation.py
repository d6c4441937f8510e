"""Which scenes take part: by their tags and studios, with all that lie below these, and by folder.

A name counts with everything below it in Stash's hierarchy, because a studio is most often named
for its sub-studios. What keeps a scene out wins over what lets it in.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.models import PathRule
from plexsync.planning.relations import UNKNOWN, above, is_studio, is_tag, name_in
from plexsync.text.differences import nearest_name
from plexsync.text.normalize import compile_rules, fold_tag, normalize_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plexsync.models import RelatedId, Scene
    from plexsync.text.normalize import PathMap

STASH_ID = "stash_id"
"""What a scene may need beside the names under `[fields]`: the id a stash-box has for it."""


class Chosen(msgspec.Struct, frozen=True):
    """What one key picks out of the tags or the studios.

    Args:
        ids: all it stands for, each with the configured name it counts for; None where the key
            names nothing, so that it does not matter.
    """

    ids: Mapping[RelatedId, str] | None = None

    def name_of(self, shown: Iterable[RelatedId]) -> str:
        """Return the configured name one of `shown` counts for; "" for none."""
        return next((self.ids[one] for one in shown if one in self.ids), "") if self.ids else ""


class Refused(NamedTuple):
    """Why a scene takes no part: the key of `[stash]` that decides, and words for it."""

    key: str
    why: str


class Participation(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether a scene takes part. Build it with `Participants.among`."""

    include_tags: Chosen = Chosen()
    exclude_tags: Chosen = Chosen()
    include_studios: Chosen = Chosen()
    exclude_studios: Chosen = Chosen()
    include_paths: PathMap | None = None
    exclude_paths: PathMap | None = None

    @property
    def with_relations(self) -> bool:
        """Whether a scene's tags or studio matter."""
        return any(one.ids is not None for one in self._chosen())

    def refusal(self, scene: Scene) -> Refused | None:
        """Return why a scene takes no part; None for one that does."""
        return self._kept_out(scene) or self._not_let_in(scene)

    def _kept_out(self, scene: Scene) -> Refused | None:
        if name := self.exclude_tags.name_of(scene.shows):
            return Refused("exclude_tags", f"has an excluded tag ({name})")
        if name := self.exclude_studios.name_of(scene.shows):
            return Refused("exclude_studios", f"is of an excluded studio ({name})")
        if self.exclude_paths and _lies_in(self.exclude_paths, scene):
            return Refused("exclude_paths", "has a file in an excluded folder")
        return None

    def _not_let_in(self, scene: Scene) -> Refused | None:
        if self.include_paths and not _lies_in(self.include_paths, scene):
            return Refused("include_paths", "has no file in an included folder")
        if self.include_studios.ids is not None and not self.include_studios.name_of(scene.shows):
            return Refused("include_studios", "is of no included studio")
        if self.include_tags.ids is not None and not self.include_tags.name_of(scene.shows):
            return Refused("include_tags", "has no included tag")
        return None

    def moved_since(self, before: Participation) -> frozenset[RelatedId]:
        """Return the tags and studios that decide otherwise than they did before."""
        pairs = zip(self._chosen(), before._chosen(), strict=True)
        return frozenset(
            one for now, then in pairs for one in (now.ids or {}).keys() ^ (then.ids or {}).keys()
        )

    def _chosen(self) -> tuple[Chosen, ...]:
        return self.include_tags, self.exclude_tags, self.include_studios, self.exclude_studios


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
    def with_tags(self) -> bool:
        """Whether tags matter, and so which lies above which."""
        return bool(self.include_tags or self.exclude_tags)

    @property
    def with_names(self) -> bool:
        """Whether tags or studios matter."""
        return bool(self.with_tags or self.include_studios or self.exclude_studios)

    def among(self, names: Mapping[RelatedId, str]) -> Participation:
        """Return what this means among the tags and studios of a Stash."""
        below = _below(names) if self.with_names else {}

        def choose(wanted: tuple[str, ...], is_kind: Callable[[RelatedId], bool]) -> Chosen:
            return Chosen(_with_below(wanted, names, below, is_kind) if wanted else None)

        return Participation(
            include_tags=choose(self.include_tags, is_tag),
            exclude_tags=choose(self.exclude_tags, is_tag),
            include_studios=choose(self.include_studios, is_studio),
            exclude_studios=choose(self.exclude_studios, is_studio),
            include_paths=_folders(self.include_paths),
            exclude_paths=_folders(self.exclude_paths),
        )

    def concerned(
        self, before: Mapping[RelatedId, str], now: Mapping[RelatedId, str]
    ) -> frozenset[RelatedId]:
        """Return the tags and studios that decide otherwise since Stash had the names of `before`.

        One whose name then is not known may have decided anything.
        """
        if not self.with_names:
            return frozenset()
        doubtful = (one for one, text in before.items() if text == UNKNOWN)
        kinds = frozenset(one for one in doubtful if is_tag(one) or is_studio(one))
        return kinds | self.among(now).moved_since(self.among(before))

    def strange_names(self, names: Mapping[RelatedId, str]) -> tuple[str, ...]:
        """Return a sentence for each configured name that no tag or studio has."""
        return (
            *_strange("include_tags", self.include_tags, names, is_tag),
            *_strange("exclude_tags", self.exclude_tags, names, is_tag),
            *_strange("include_studios", self.include_studios, names, is_studio),
            *_strange("exclude_studios", self.exclude_studios, names, is_studio),
        )


def refusal_of(
    scene: Scene, participation: Participation, *, organized_only: bool, required: frozenset[str]
) -> Refused | None:
    """Return why a scene takes no part by all that is configured; None for one that does.

    Args:
        scene: as it is read with its relations.
        participation: what its tags, studio and folders decide.
        organized_only: only scenes Stash calls organized take part.
        required: names of what a scene needs a value for.
    """
    if organized_only and not scene.organized:
        return Refused("organized_only", "is not organized")
    refused = participation.refusal(scene)
    missing = sorted(required.difference(scene.filled))
    if refused or not missing:
        return refused
    if missing == [STASH_ID]:
        return Refused("require_stash_id", "is identified by no stash-box")
    named = ", ".join(name for name in missing if name != STASH_ID)
    return Refused("required", f"waits for {named}")


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
    is_kind: Callable[[RelatedId], bool],
) -> dict[RelatedId, str]:
    """Everything that has one of the names, and what lies below it; circles end."""
    spelled = {fold_tag(name): name for name in wanted}
    found: dict[RelatedId, str] = {}
    for one, text in names.items():
        name = spelled.get(fold_tag(name_in(text))) if is_kind(one) and text else None
        waiting = [one] if name else []
        while waiting:
            here = waiting.pop()
            if here not in found:
                found[here] = name or ""
                waiting += below.get(here, [])
    return found


def _folders(paths: tuple[str, ...]) -> PathMap | None:
    return compile_rules([PathRule(stash=path, plex=path) for path in paths]) if paths else None


def _lies_in(folders: PathMap, scene: Scene) -> bool:
    return any(folders.apply(normalize_path(file.path)) is not None for file in scene.files)


def _strange(
    key: str,
    wanted: tuple[str, ...],
    names: Mapping[RelatedId, str],
    is_kind: Callable[[RelatedId], bool],
) -> Iterable[str]:
    known = [name_in(text) for one, text in names.items() if is_kind(one)]
    folded = set(map(fold_tag, known))
    for name in wanted:
        if fold_tag(name) not in folded:
            near = nearest_name(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            kind = "tag" if key.endswith("tags") else "studio"
            yield f"[stash] {key}: Stash has no {kind} {name!r}{hint}"
