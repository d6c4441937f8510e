"""Linking: due scenes become pairs of scene and item.

In: due scenes, remembered links, the items of Plex. Out: pairs to write, and matches that are LOW
or without a candidate.

`linker.py` keeps the links that still hold and has the rest matched by `plexsync.matcher`.
`competitors.py` adds scenes that wait and could claim an item another scene is about to get.

Read first: `linker.py`.
"""
