"""Undo and saved plans: what was decided earlier, carried out now.

In: a saved plan, or the journal of a run in reverse. Out: the same rows, journal and exit codes as
those of a run.

`apply.py` and `undo.py` are the two use cases, each with its work items for the executor of
`plexsync.sync.execution`; `engine.py` journals, shows and carries them out.

Read first: `undo.py`.
"""
