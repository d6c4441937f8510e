"""Linking: due scenes become pairs of scene and item.

In: due scenes, remembered links, the items of Plex. Out: pairs to write, and matches that are LOW
or without a candidate.

`linker.py` keeps the links that still hold and has `plexsync.matcher` decide about the rest, with
content hashes where they can decide. `pairs.py` holds what it found until its turn comes.
`catalogue.py` knows the scenes that are not due, and what was learned from all of them.

Read first: `linker.py`.
"""
