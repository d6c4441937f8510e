"""Which scenes this run looks at, found with as few requests as the question allows.

Every run sweeps the versions of all scenes: a few requests whatever happened, and the only way to
see what a filter on times would hide (clocks, zones, imports of old times) and what is gone. What
moves no version comes from elsewhere and is `forced`: scenes that showed a renamed tag, lost
their item in Plex, or that an event named. Files are swept less often: they cost Stash more.
Source: docs/stash-api.md 2.5, 4 and 8; docs/design.md, "Knowing what changed in Stash".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from plexsync import __version__
from plexsync.errors import BadResponseError, ConfigError
from plexsync.models import Outcome, Packed, Scene, SceneId, SceneRecord
from plexsync.planning.retry_schedule import is_wait_over
from plexsync.sync.detection.detected import Detected
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from plexsync.planning.participation import Participation
    from plexsync.stash_client import StashClient, Version
    from plexsync.state import State

_REST_BYTES = 16

_WHOLE_SECOND = 1
"""Stash's versions and its clock are both cut to the second."""

_FEW, _WORTH_A_SWEEP = 200, 5
"""A query by ids holds `_FEW` scenes, a page of a sweep so many times more: if more than one scene
in so many is due, sweeping all of them asks less."""

_WORTH_READING_WHOLE = 1000
"""Scenes of a library that is read in one pass; in a smaller one a second read costs little."""


@dataclass(kw_only=True)
class Detector:
    """Finds the scenes a run looks at.

    Args:
        stash: the server that knows.
        records: what earlier runs remember.
        step: receives how many scenes were read so far.
        wait: lets so many seconds pass.
        participation: decides which scenes take part.
        sync_unversioned: a scene without `updated_at` is always due; else never.
        every_scene: every scene is due, changed or not.
        woken: all that wait for Plex are due: they may be matched otherwise now.
        roused: these are, of those that wait: Plex changed in what concerns them.
        timed: one without a candidate is due when its time has come; else only once `roused`.
        now: aware UTC time.
        forced: due whatever their version says.
        first: forced, too; and first, and not to wait until they are settled.
        patient: a scene that is being edited waits a few seconds; else it is taken as it is.
        at_rest: see `Detected`, of an earlier run; "" for none.
    """

    stash: StashClient
    records: State
    step: Callable[[int], None]
    wait: Callable[[float], None]
    participation: Participation
    sync_unversioned: bool
    every_scene: bool
    woken: bool
    roused: frozenset[SceneId] = frozenset()
    timed: bool = True
    now: datetime
    forced: frozenset[SceneId] = frozenset()
    first: tuple[SceneId, ...] = ()
    patient: bool = True
    at_rest: str = ""

    def __post_init__(self) -> None:
        """Look up what waits."""
        self._waiting = dict(self.records.waiting())
        self._handled: Callable[[SceneId], str | None] = self.records.version
        self._counted: int | None = None
        self._first = frozenset(self.first)
        self._forced = self.forced | self._first
        self._organized_only = self.participation.organized_only
        self._with_relations = self.participation.needs_relations

    def named(self, ids: Sequence[SceneId]) -> Detected:
        """Just the scenes a person named, due or not.

        Raises:
            ConfigError: Stash has no scene of that id.
        """
        fetched = self.stash.scenes(tuple(dict.fromkeys(ids)))
        if fetched.missing:
            raise ConfigError(
                f"Stash has no scene {', '.join(fetched.missing)}",
                context="--scene",
                hint="the id is the number in the scene's address in Stash",
            )
        return Detected(
            due=Packed(Scene, fetched.found),
            poisoned=list(fetched.poisoned),
            scenes_read=len(fetched.found),
            of_some=True,
        )

    def among(self, edited: Sequence[Version]) -> Detected:
        """Read those of a few scenes that are due; all others are what they were.

        Where ids have moved all scenes are looked at, as in `changes`.
        """
        found = Detected(of_some=True)
        due = [one for one, version, _ in edited if self._is_due(one, version, found)]
        near = {one.scene_id for one in edited}
        for scene_id, record in self._waiting.items():
            if scene_id not in near:
                found.backlog.add(scene_id, record)
        return self._read(due, found, whole=True)

    def changes(self) -> Detected:
        """Sweep the versions, then read what is due.

        When the files of a scene turn out to be remembered as those of another, ids have
        changed: then the files of all scenes are swept. So they are where that asks less.
        """
        found, here, wanted = self._swept_versions()
        if self._is_short(here):
            found, here, wanted = self._swept_versions()
        if len(wanted) > _FEW and len(wanted) * _WORTH_A_SWEEP > found.scenes_read:
            return self.everything()
        self._check_absent(here, found)
        if found.failure is None:
            wanted = {scene_id: None for scene_id in wanted if scene_id in here}
        return self._read(tuple(wanted), found)

    def everything(self) -> Detected:
        """Sweep all scenes with their files."""
        found, here = self._swept_files()
        if self._is_short(here):
            found, here = self._swept_files()
        self._check_absent(here, found)
        self._fetch_held(found)
        if self._first:
            later = [scene.scene_id not in self._first for scene in found.due]
            found.due = found.due.pick(sorted(range(len(later)), key=later.__getitem__))
        return found

    def _swept_versions(self) -> tuple[Detected, set[SceneId], dict[SceneId, None]]:
        """Return what the versions of all scenes say, which there are, and which are due."""
        found = Detected()
        swept: list[Version] = []
        for page in self.stash.versions(with_organized=self._organized_only):
            swept += page
            self.step(len(swept))
        found.scenes_read = len(swept)
        found.newest = max((version for _, version, _ in swept), default="")
        found.at_rest = self._rest(swept)
        if self._is_at_rest(found):
            watched = self._forced | self._waiting.keys()
            looked_at = [one for one in swept if one[0] in watched]
        else:
            looked_at, self._handled = swept, self.records.versions().get
        wanted = dict.fromkeys(self.first)
        for scene_id, version, organized in looked_at:
            if self._organized_only and not organized:
                is_due = self._counts_in_vain(scene_id) or scene_id in self._forced
            else:
                is_due = self._is_due(scene_id, version, found)
            if is_due:
                wanted[scene_id] = None
        if found.being_edited or not wanted.keys() <= self._waiting.keys():
            found.at_rest = ""
        return found, {scene_id for scene_id, *_ in swept}, wanted

    def _rest(self, swept: list[Version]) -> str:
        """Return a digest of all that says whether a scene is due for its version.

        The version of plexsync is among it: another one may judge otherwise.
        """
        rules = (self._organized_only, self.sync_unversioned)
        known = (__version__, self.records.records_mark(), rules, swept)
        return blake2b(msgspec.msgpack.encode(known), digest_size=_REST_BYTES).hexdigest()

    def _is_at_rest(self, found: Detected) -> bool:
        """Whether an earlier run saw just this, so that no scene is due for its version or gone."""
        return bool(found.at_rest) and found.at_rest == self.at_rest

    def _swept_files(self) -> tuple[Detected, set[SceneId]]:
        """Return what a sweep with files finds, and which scenes there are."""
        found = Detected(with_files=True)
        here: set[SceneId] = set()
        relations, whole = self._with_relations, self._is_read_whole()
        for page in self.stash.sweep(with_relations=relations, whole=whole):
            for scene in page:
                here.add(scene.scene_id)
                found.newest = max(found.newest, scene.updated_at)
                if (self._organized_only and not scene.organized) or self._is_due(
                    scene.scene_id, scene.updated_at, found, files=scene
                ):
                    self._take(scene, found)
            found.scenes_read += len(page)
            self.step(found.scenes_read)
        # One that waits for a later try is left out as it was.
        found.poisoned += [
            one
            for one in self.stash.poisoned
            if one[0] not in here and self._is_due(one[0], "", Detected())
        ]
        here.update(scene_id for scene_id, _ in self.stash.poisoned)
        return found, here

    def _is_read_whole(self) -> bool:
        """Whether nearly all scenes will be asked for in full, and are many."""
        if not self.every_scene:
            return False
        if self._counted is None:
            self._counted = self.stash.count()
        return self._counted >= _WORTH_READING_WHOLE

    # ---- which are due

    def _is_due(
        self, scene_id: SceneId, version: str, found: Detected, *, files: Scene | None = None
    ) -> bool:
        """Whether to look at a scene now; counts it if it waits."""
        if scene_id in self._forced:
            return scene_id in self._first or self._may_begin(scene_id, version, found)
        waiting = self._waiting.get(scene_id)
        if waiting is not None and waiting.updated_at == version:
            if self._may_try(scene_id, waiting) or self._has_other_files(files):
                return True
            found.backlog.add(scene_id, waiting)
            return False
        if not version:
            return self.sync_unversioned
        if not self.every_scene and version == self._handled(scene_id):
            return self._has_other_files(files)
        return self._may_begin(scene_id, version, found)

    def _may_try(self, scene_id: SceneId, record: SceneRecord) -> bool:
        """Whether a scene that waits is tried now."""
        woken = self.woken or scene_id in self.roused
        return self.every_scene or is_wait_over(record, self.now, woken=woken, timed=self.timed)

    def _may_begin(self, scene_id: SceneId, version: str, found: Detected) -> bool:
        """Whether a scene is looked at now; one edited this very moment is held back."""
        if not self.patient or self.stash.is_settled(version):
            return True
        found.being_edited[scene_id] = version
        return False

    def _has_other_files(self, scene: Scene | None) -> bool:
        """Whether a scene, if its files were read, has others than when it was matched."""
        files = self.records.files(scene.scene_id) if scene else ""
        return scene is not None and files not in {"", files_digest(scene.files)}

    # ---- reading those

    def _read(self, ids: Sequence[SceneId], found: Detected, *, whole: bool = False) -> Detected:
        """Read what is due and put it where it belongs; look at all scenes where ids have moved."""
        if ids:
            relations = self._with_relations
            fetched = self.stash.scenes(ids, with_relations=relations, whole=whole)
            found.gone.extend(i for i in fetched.missing if self.records.get(i) is not None)
            found.poisoned.extend(fetched.poisoned)
            for scene in fetched.found:
                self._take(scene, found)
        self._fetch_held(found)
        return self.everything() if self._ids_moved(found) else found

    def _fetch_held(self, found: Detected) -> None:
        """Give scenes that are being edited a few seconds; one that is still edited stays due.

        Only as many as are left of them now that all others were read. The others are not written
        first: matching decides about all scenes of a run as a whole.
        """
        if not found.being_edited:
            return
        left_s = max(map(self.stash.unsettled_s, found.being_edited.values()))
        if left_s:
            self.wait(left_s + _WHOLE_SECOND)
        fetched = self.stash.scenes(tuple(found.being_edited), with_relations=self._with_relations)
        found.poisoned.extend(fetched.poisoned)
        for scene in fetched.found:
            if self.stash.is_settled(scene.updated_at):
                self._take(scene, found)
            else:
                found.backlog.add(scene.scene_id, self._waiting.get(scene.scene_id))

    def _take(self, scene: Scene, found: Detected) -> None:
        """Put a scene that is due where it belongs."""
        refused = self.participation.refusal(scene)
        if refused is None:
            found.due.append(scene)
            return
        is_known = self._is_left_out(scene)
        if self._has_other_files(scene):
            found.strangers.add(scene.scene_id)
        elif is_known:
            return
        if refused.is_unready or is_known:
            found.unready.append(scene)
        else:
            found.left_out.append((scene, refused.why))

    def _is_left_out(self, scene: Scene) -> bool:
        """Whether a scene that takes no part is not to be reported."""
        if self._organized_only and not scene.organized:
            return not self._counts_in_vain(scene.scene_id)
        record = self.records.get(scene.scene_id)
        return (
            record is not None
            and record.outcome is Outcome.IGNORED
            and record.updated_at == scene.updated_at
        )

    def _counts_in_vain(self, scene_id: SceneId) -> bool:
        """Whether a scene that takes no part still waits, or counts as linked.

        One without a version failed: Stash could not tell about it, or a person named it. It is let
        go once the time of its next try has come.
        """
        waiting = self._waiting.get(scene_id)
        if waiting is None:
            return scene_id in self._linked
        return bool(waiting.updated_at) or self._may_try(scene_id, waiting)

    @cached_property
    def _linked(self) -> frozenset[SceneId]:
        """The scenes that count as linked; reads a part of every record, so only where asked."""
        return frozenset(scene_id for scene_id, _ in self.records.links())

    # ---- what is not there

    def _is_short(self, here: set[SceneId]) -> bool:
        """Whether a sweep found fewer scenes than Stash counts, which is asked once."""
        if self._counted is None or len(here) < self._counted:
            self._counted = self.stash.count()
        return len(here) < self._counted

    def _check_absent(self, here: set[SceneId], found: Detected) -> None:
        """Compare with Stash's own count: who is absent from a short sweep is not gone."""
        if self._is_short(here):
            found.failure = BadResponseError(
                f"Stash lists {len(here):,} scenes twice in a row, but counts {self._counted:,}",
                hint="what was listed is kept in step, and nothing is believed to be gone; see the "
                "log of Stash, and of the proxy before it if [stash] url names one",
            )
        elif not self._is_at_rest(found):
            found.gone.extend(i for i in self.records.scene_ids() if i not in here)
        if found.failure or found.gone:
            found.at_rest = ""

    def _ids_moved(self, found: Detected) -> bool:
        """Whether a scene has the files another one is remembered with."""
        strangers = {
            files_digest(scene.files)
            for scene in found.due
            if scene.files and self._has_other_files(scene)
        }
        return bool(strangers and self.records.with_files(strangers).difference(found.gone))
