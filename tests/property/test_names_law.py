"""Names: what is written and read back from a server that stores by ASCII-NOCASE is what was meant.

Scenes say names, the planner decides, the edit goes as a request's query to the simulator's own
store, and what the item holds then is compared.
"""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plexsync.models import (
    Base,
    Credit,
    Desired,
    FieldRule,
    FieldRules,
    ItemDetail,
    ItemKind,
    ItemPlan,
    Link,
    PlexField,
    PlexItem,
    Policy,
    RatingKey,
    SceneDetail,
    SceneId,
)
from plexsync.planning.credits import digest_text
from plexsync.planning.desired import FieldMaps
from plexsync.planning.observed import Rules, former_digests
from plexsync.planning.planner import Planner
from plexsync.plex.edit_query import edit_paths
from plexsync.simulators.http.messages import Headers, SimRequest
from plexsync.simulators.library.demo import demo_library
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.text.folding import ENTRY_DIGITS, LIST_DIGITS, short_digest
from plexsync.text.normalize import fold_tag, strip_control

KINDS = {PlexField.GENRES: "genre", PlexField.LABELS: "label", PlexField.ACTORS: "actor"}
LIBRARY = demo_library()
ALIKE = (
    *("É", "é", "e\u0301", "Straße", "strasse", "ß", "SS"),
    *("\u212a", "k", "K", "\u017f", "s", "\u01c5", "\u01c6"),
)
names = st.lists(
    st.one_of(
        st.sampled_from(ALIKE),
        st.text(st.characters(exclude_categories=[]), max_size=4),
        st.text("aAéÉ ,%\t\n\u00a0", max_size=4),
    ),
    max_size=6,
).map(tuple)


class Server:
    """One item on a simulated server, edited as plexsync edits it."""

    def __init__(self, target: PlexField, policy: Policy) -> None:
        self.rule = FieldRule(name="tags", policy=policy, to=target)
        self.target, self.kind = target, KINDS[target]
        self.plex = PlexSimulator(LIBRARY)
        self.key = RatingKey(str(LIBRARY.plex.videos[0].rating_key))
        self.section_id = str(LIBRARY.plex.videos[0].section_id)
        self.add()
        self.planner = Planner(Rules())
        self.link = Link(rating_key=self.key, section_id=self.section_id, path="/m/9.mp4")

    def shown(self) -> tuple[str, ...]:
        """The names it holds."""
        tags = self.plex.dump()[self.key]["tags"]
        assert isinstance(tags, dict)
        return tuple(name for name, *_ in tags.get(self.kind, ()))

    def read(self) -> ItemDetail:
        """The item as a run reads it."""
        item = PlexItem(rating_key=self.key, section_id=self.section_id, kind=ItemKind.MOVIE)
        return ItemDetail(item=item, values={self.target: self.shown()})

    def add(self, *names: str) -> None:
        """A person sets the tags in Plex."""
        self.plex.edit_by_hand(self.key, {self.kind: names}, lock=False)

    def wants(self, names: tuple[str, ...]) -> tuple[Desired, ...]:
        """What a scene with these tags wants."""
        scene = SceneDetail(scene_id=SceneId("1"), updated_at="1", tags=names)
        return FieldMaps(FieldRules(common=(self.rule,))).desired(scene, ItemKind.MOVIE)

    def meant(self, names: tuple[str, ...]) -> set[bytes]:
        """What a scene with these tags means, as Plex tells names apart."""
        clean = [" ".join(strip_control(name).split()) for name in names]
        if self.kind == "label":
            clean = [
                one[:1].upper() + one[1:] if len(one[:1].upper()) == 1 else one for one in clean
            ]
        return {nocase(name) for name in clean if name}

    def write(self, names: tuple[str, ...]) -> int:
        """Plan for these tags, send it, remember; how many changes that took."""
        planned = self.planner.plan(self.wants(names), self.read(), self.link.base)
        plan = ItemPlan(
            scene_id=SceneId("1"),
            rating_key=self.key,
            section_id=self.section_id,
            kind=ItemKind.MOVIE,
            path="/m/9.mp4",
            lock=True,
            changes=planned.changes,
        )
        for path in edit_paths(plan) if planned.changes else ():
            request = SimRequest.from_target(
                "PUT", path, Headers([("X-Plex-Token", self.plex.token)]), b""
            )
            assert self.plex.handle(request).status == 200
        assert self.plex.misdeeds.contradictory_puts == 0
        after = self.read()
        assert all(self.planner.shows_just(after, change) for change in planned.changes)
        self.link = self.planner.link_after(self.link, (*planned.changes, *planned.agreed))
        return len(planned.changes)


def nocase(name: str) -> bytes:
    """A name as SQLite compares it: the bytes, with ASCII letters in one case."""
    return name.encode().lower()


def keys(names: tuple[str, ...]) -> set[bytes]:
    """Names as Plex tells them apart."""
    return set(map(nocase, names))


@pytest.mark.parametrize("target", KINDS)
@given(first=names, then=names)
def test_overwritten_names_end_as_meant(
    target: PlexField, first: tuple[str, ...], then: tuple[str, ...]
) -> None:
    """The second list replaces the first, and a second run has nothing to do."""
    server = Server(target, Policy.OVERWRITE)
    for names in (first, then):
        server.write(names)
        assert keys(server.shown()) == server.meant(names)
        assert server.write(names) == 0


@given(theirs=names, first=names, then=names)
def test_merged_names_stand_each_for_itself(
    theirs: tuple[str, ...], first: tuple[str, ...], then: tuple[str, ...]
) -> None:
    """Whatever letters look alike: theirs stay, ours come and go."""
    server = Server(PlexField.GENRES, Policy.MERGE)
    added = tuple(name for name in theirs if name == name.strip() and name and name.isprintable())
    server.add(*added)
    server.write(first)
    server.write(then)
    assert keys(server.shown()) == keys(added) | server.meant(then)
    assert server.write(then) == 0


def test_every_pair_of_letters_that_folds_alike_is_two_names() -> None:
    """All of Unicode: each letter and what it folds to, in one list, written and read back."""
    pairs: set[str] = set()
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        if unicodedata.category(letter) in {"Cs", "Cn", "Cc", "Co"}:
            continue
        folded = fold_tag(f"x{letter}x")
        if folded != f"x{letter}x":
            pairs |= {f"x{letter}x", folded}
    names = tuple(sorted(pairs))
    assert len(names) > 2_500
    server = Server(PlexField.GENRES, Policy.OVERWRITE)
    server.write(names)
    assert keys(server.shown()) == server.meant(names)
    assert len(server.shown()) == len(server.meant(names))


def test_a_renamed_studio_leaves_no_collection_behind() -> None:
    """Two spellings that fold alike are two collections; ours goes when the studio is renamed."""
    server = Server(PlexField.GENRES, Policy.MERGE)
    server.write(("Grün STUDIO", "Straße"))
    server.write(("GRÜN Studio", "strasse"))
    assert set(server.shown()) == {"GRÜN Studio", "strasse"}


def test_names_an_earlier_version_remembered_are_still_ours() -> None:
    """They were folded by Unicode's rules then; those beyond ASCII are found, and taken out."""
    server = Server(PlexField.GENRES, Policy.MERGE)
    server.write(("Élan", "lake"))
    base = server.link.base[PlexField.GENRES]
    former = "".join(sorted(short_digest(fold_tag(n), ENTRY_DIGITS) for n in ("Élan", "lake")))
    server.link = replace(server.link, base={PlexField.GENRES: replace(base, entries=former)})
    server.write(())
    assert server.shown() == ()


def test_lists_an_earlier_version_remembered_are_still_ours() -> None:
    """What stood for a list was made of its names; a locked list it stands for is no person's."""
    server = Server(PlexField.GENRES, Policy.OVERWRITE)
    server.write(("Élan", "lake"))
    written, wants = replace(server.read(), locked={server.target}), server.wants(("river",))
    for former, ours in (*((one, True) for one in former_digests(server.shown())), ("ab", False)):
        planned = server.planner.plan(wants, written, {server.target: Base(digest=former)})
        assert [change.after for change in planned.changes] == [("river",)] * ours


def test_what_a_person_took_back_stays_so_whatever_stood_for_it() -> None:
    """Also where an earlier version made the digest, of names alone or with their credits."""
    planner = Planner(Rules())
    want = Desired(
        field="performers",
        target=PlexField.ACTORS,
        value=("Élan", "lake"),
        policy=Policy.OVERWRITE,
        credits={"lake": Credit(role="Herself")},
    )
    for names in former_digests(want.value):
        whole = short_digest(f"{names}\x1d{digest_text(want.credits)}", LIST_DIGITS)
        assert planner.still_held([want], {PlexField.ACTORS: names})
        assert planner.still_held([want], {PlexField.ACTORS: whole})
    assert not planner.still_held([want], {PlexField.ACTORS: "0123456789abcdef"})
