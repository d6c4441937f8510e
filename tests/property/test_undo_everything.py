"""The law of taking back with every field on: whatever Plex held before is there afterwards."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import CREDITS, EVERYTHING, PHOTO, credit
from tests.support.world import World, snapshot_of

FORCED = RunOptions(full=True, force=True)
MIX = {Case.SAME: 3.0, Case.TWO_ITEMS: 1.0, Case.EPISODE: 2.0}
TEXTS = ("", "One", "one", "The Two", " spaced  out ", "caf\u00e9", "cafe\u0301", "a, b")
NAMES = ("One", "one", "\u00e9t\u00e9", "a, b", "x", "Y", '"q"', "\U0001f600")
TEXT_FIELDS = ("title", "titleSort", "originalTitle", "summary", "tagline", "studio")
LISTS = ("genre", "label", "collection", "director")


def disturb(world: World, chance: random.Random) -> None:
    """People and agents were at work in Plex before."""
    for keys in world.library.truth.values():
        for key in keys:
            texts = {name: chance.choice(TEXTS) for name in chance.sample(TEXT_FIELDS, 3)}
            lists = {name: chance.sample(NAMES, 3) for name in chance.sample(LISTS, 2)}
            # A sort title like the one Plex makes looks like it, and no title is empty.
            texts |= {"title": texts.get("title") or "The One"}
            texts |= {"titleSort": f"by {texts['titleSort']}"} if "titleSort" in texts else {}
            world.plex.edit_by_hand(key, {**texts, **lists}, lock=chance.random() < 0.5)
            if chance.random() < 0.3:
                world.plex.set_rating(key, chance.randint(1, 10))
            people = world.library.stash.performers
            for _ in range(2):
                name = chance.choice((*[one.name for one in people[:6]], "Keanu Example"))
                role, photo = chance.choice(("", "Neo")), chance.choice(("", PHOTO))
                credit(world, key, name, role=role, photo=photo)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    policy=st.sampled_from(["overwrite", "fill", "keep"]),
    lists=st.sampled_from(["overwrite", "fill", "keep", "merge"]),
    to=st.sampled_from(["genre", "label", "collection"]),
    lock=st.booleans(),
    clear=st.booleans(),
)
# A sort title follows its title from the first of two requests to the second.
@example(seed=0, policy="fill", lists="overwrite", to="genre", lock=False, clear=False)
def test_every_field_goes_back(  # noqa: PLR0917 - one per axis
    seed: int,
    policy: str,
    lists: str,
    to: str,
    lock: bool,
    clear: bool,
) -> None:
    """After two runs their undos leave movies and episodes field for field, lock for lock."""
    chance = random.Random(seed)  # noqa: S311 - test values
    on = {name: policy for name, value in EVERYTHING.items() if value == "overwrite"}
    names = ("PERFORMERS", "TAGS", "GROUPS", "LABELS", "DIRECTORS")
    wanted = EVERYTHING | CREDITS | on | {f"FIELDS__{name}": lists for name in names}
    wanted |= {
        "FIELDS__TAGS__TO": to,
        "APPLY__LOCK_FIELDS": str(lock).lower(),
        "APPLY__EMPTY": "clear" if clear else "keep",
    }
    spec = LibrarySpec(seed=seed, scenes=6, mix=MIX, extra_items=0.0, edited=0.3)
    with (
        TemporaryDirectory() as place,
        World(make_library(spec), Path(place), **wanted) as world,
    ):
        disturb(world, chance)
        start = snapshot_of(world)
        first = world.run()
        after_first = snapshot_of(world)
        assert world.run(FORCED).puts == 0
        ids = [scene.id for scene in world.library.stash.scenes]
        world.stash.edit_scenes(ids[::2], title="Second", tag_ids=(1,), details="", code="")
        world.stash.edit_scenes(ids[1::2], performer_ids=(2, 3), director="Ada", rating100=None)
        second = world.run()
        if second.puts:
            world.undo(second.summary.header.run_id)
            assert snapshot_of(world) == after_first
        if first.puts:
            world.undo(first.summary.header.run_id)
        assert snapshot_of(world) == start
        assert world.run().puts == 0
        assert world.plex.misdeeds.total == 0
