"""Collections, shows and seasons of Plex, kept in step with the scenes that are linked.

In: what every scene's record shows, the names and texts of Stash's objects, what is remembered of
each collection, show and season. Out: work for the one executor, rows, records.

`collections.py` and `shows.py` are two steps of a run, after all of its scenes: which of them need
a look, what each needs, and how each ended. `keeper.py` is what both do alike: texts and pictures
of objects, limits, records and tries. `wishes.py` finds out which collections there should be.

Read first: `keeper.py`, then `shows.py`.
"""
