"""Stash's ids are read from the GUIDs agents and providers leave, and from no others."""

from __future__ import annotations

import pytest

from plexsync.plex.decode import stash_id_of


@pytest.mark.parametrize(
    ("guid", "scene_id"),
    [
        ("com.plexapp.agents.stashplexagent://812?lang=en", "812"),
        ("com.plexapp.agents.stashplexagent://812", "812"),
        ("tv.plex.agents.nfo.movie://movie/stash_812", "812"),
        ("tv.plex.agents.custom.stash://stash-video-812", "812"),
        ("tv.plex.agents.custom.mine://movie/scene-812", "812"),
        ("stash://812", "812"),
        ("com.plexapp.agents.none://3f812?lang=xn", ""),
        ("plex://movie/5d776825880197001ec812", ""),
        ("local://812", ""),
        ("tv.plex.agents.none://812", ""),
        ("tv.plex.agents.nfo.movie://movie/imdb_812", ""),
        ("tmdb://812", ""),
        ("com.plexapp.agents.stashplexagent://0", ""),
        ("", ""),
    ],
)
def test_a_guid_names_a_scene_or_none(guid: str, scene_id: str) -> None:
    """Each form, and its neighbours that mean something else."""
    assert stash_id_of([guid]) == scene_id


def test_a_further_id_counts_as_well() -> None:
    """Plex lists ids of other sources beside its own."""
    assert stash_id_of(["plex://movie/5d77", "tmdb://3", "stash://812"]) == "812"
