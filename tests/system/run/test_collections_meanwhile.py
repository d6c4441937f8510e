"""What happens to collections while a run writes them: a title taken, a mode chosen, a stop."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.storage.status import read_status
from tests.support.collection_world import collection_world, shelf, titles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plexsync.simulators.http.messages import SimRequest
    from tests.support.world import Ran, World


def before(world: World, kind: str, happens: Callable[[], object]) -> None:
    """Have something happen once, right before the first request of a kind is answered."""
    left = [happens]

    def strikes(_request: SimRequest) -> bool:
        while left:
            left.pop()()
        return False

    world.plex_wire.faults.add(Fault(kind, 1, ErrorStatus(500), times=None, match=strikes))


def rows(ran: Ran) -> dict[str, str]:
    """How each collection ended, by what it is made from."""
    return {one.scene.id: one.outcome.value for one in ran.rows if one.is_collection}


def test_a_title_somebody_takes_while_others_are_made_is_theirs(tmp_path: Path) -> None:
    """Titles are looked at again where the list of them is not of this moment."""
    with collection_world(tmp_path, FIELDS__STUDIO="off") as world:
        clock = count(step=2)
        world.monotonic = lambda: float(next(clock))
        theirs = world.key_of("6")
        before(world, "plex.make", lambda: world.plex.collections.make(1, "Daughter", theirs))
        ran = world.run()

        assert rows(ran) == {"studio:1": "applied", "studio:2": "skipped"}
        assert titles(world)["Daughter"] == {"6"}


def test_a_mode_somebody_chooses_after_the_texts_were_sent_stays(tmp_path: Path) -> None:
    """Modes go out last, and each collection is looked at right before."""
    with collection_world(tmp_path) as world:
        world.run()
        world.stash.edit_studio(1, details="Since 1998.")
        world.wait(1)
        key = world.plex.collections.key_of("Mother")
        before(world, "plex.put", lambda: world.plex.collections.show_as(key, 2))
        ran = world.run(COLLECTIONS__MODE="hide_items")

        assert shelf(world, "Mother")["prefs"] == {"collectionMode": "2"}
        assert shelf(world, "Mother")["fields"]["summary"] == "Since 1998."
        assert shelf(world, "Daughter")["prefs"] == {"collectionMode": "1"}
        assert rows(ran) == {"studio:1": "failed", "studio:2": "applied"}


def test_a_stop_between_text_and_mode_is_no_failed_try(tmp_path: Path) -> None:
    """The next run goes on with it at once."""
    with collection_world(tmp_path, COLLECTIONS__MODE="hide_items") as world:
        stop = [False]
        before(world, "plex.upload", lambda: stop.append(True))
        ran = world.run(should_stop=lambda: stop[-1])

        assert ran.summary.exit_code == ExitCode.INTERRUPTED
        (trouble,) = read_status(world.state_dir, world.now).collections.troubles
        assert (trouble.title, trouble.attempts, trouble.due_at) == ("Mother", 0, "")
        world.run()
        assert shelf(world, "Mother")["prefs"] == {"collectionMode": "1"}


def test_nothing_is_made_after_an_edit_that_reached_another_collection(tmp_path: Path) -> None:
    """A server that mixes up what is meant gets nothing more."""
    with collection_world(tmp_path, FIELDS__STUDIO="off") as world:
        world.run()
        world.plex.switches.edits_by_item = False
        world.plex.switches.drop_edit_ids = True
        world.stash.edit_studio(1, details="Since 1998.")
        world.wait(1)
        ran = world.run(COLLECTIONS__PERFORMERS="true")

        assert ran.summary.error is not None
        assert ran.summary.error.kind == "misdirected-edit"
        assert titles(world).keys() == {"Mother", "Daughter"}
