"""Where a person opens a scene and an item, by the configuration alone: no server is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.config.loader import home_directory, load_server_addresses
from plexsync.plex.connection import item_address
from plexsync.stash_client import scene_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plexsync.models import RatingKey, SceneId


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddresses:
    """The pages of scenes and items; without a server's address there are none of it.

    Args:
        stash: the address of Stash.
        plex: the address of Plex.
        machine: the machine identifier of the Plex that the state belongs to.
    """

    stash: str = ""
    plex: str = ""
    machine: str = ""

    def of_scene(self, scene_id: SceneId) -> str:
        """Return the page of a scene; "" where it is not known."""
        return scene_address(self.stash, scene_id) if self.stash else ""

    def of_item(self, rating_key: RatingKey) -> str:
        """Return the page of an item; "" where it is not known."""
        if not (self.plex and self.machine and rating_key):
            return ""
        return item_address(self.plex, self.machine, rating_key)


def configured_addresses(
    path: Path | None, environ: Mapping[str, str], *, machine: str
) -> WebAddresses:
    """Return the pages by a configuration, in which anything may be missing or wrong.

    Args:
        path: `--config`.
        environ: the environment.
        machine: the machine identifier of the Plex that the state belongs to.
    """
    stash, plex = load_server_addresses(path, environ, home=home_directory())
    return WebAddresses(stash=stash, plex=plex, machine=machine)
