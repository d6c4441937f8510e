"""Both simulated servers with the library of the demo, for tests of whole processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.simulators.http.wire import LoopbackServer, Wired
from plexsync.simulators.library.demo import demo_library
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.simulators.stash.simulator import StashSimulator

if TYPE_CHECKING:
    from pathlib import Path

KEY, TOKEN = "canary-stash-key", "canary-plex-token"


class DemoServers:
    """Both simulated servers, with plexsync's directories in `directory`."""

    def __init__(self, directory: Path) -> None:
        library = demo_library()
        self.directory = directory
        self.stash = LoopbackServer(Wired(StashSimulator(library, api_key=KEY)))
        self.plex = LoopbackServer(Wired(PlexSimulator(library, token=TOKEN)))

    @property
    def environ(self) -> dict[str, str]:
        """Where everything is."""
        return {
            "PLEXSYNC_STASH__URL": self.stash.url,
            "PLEXSYNC_STASH__API_KEY": KEY,
            "PLEXSYNC_PLEX__URL": self.plex.url,
            "PLEXSYNC_PLEX__TOKEN": TOKEN,
            "PLEXSYNC_PATHS": "/data/=/media/",
            "PLEXSYNC_STATE_DIR": str(self.directory / "state"),
            "CACHE_DIRECTORY": str(self.directory / "cache"),
        }
