"""Collections of Plex, kept in step with the scenes that are linked.

In: what every scene's record shows, the names and texts of Stash's objects, what is remembered of
each collection. Out: work for the one executor, rows, records.

`due.py` finds out which collections there should be. `keeping.py` is the step of a run that does
the rest: which of them need a look, which collection of Plex each is, and how each ended; `work.py`
decides what one needs. What shows do alike is in `sync/keeper.py`.

Read first: `keeping.py`, then `work.py`.
"""
