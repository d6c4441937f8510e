"""Collections of Plex, kept in step with the scenes that are linked.

In: what every scene's record shows, the names and texts of Stash's objects, what is remembered of
each collection. Out: work for the one executor, rows, records.

`keeping.py` is the step of a run that does it all. `due.py` finds out which collections there
should be and which of them need a look, `existing.py` which collection of Plex each is; `work.py`
decides what one needs; `outcomes.py` shows and remembers how each ended.

Read first: `keeping.py`, then `due.py`.
"""
