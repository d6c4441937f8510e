"""Undo and saved plans: what was decided earlier, carried out now.

In: a saved plan, or the journal of a run in reverse. Out: the same rows, journal and exit codes as
those of a run.

`apply.py` and `undo.py` are the two use cases; `tasks.py` is what they hand over, one item each;
`engine.py` reads each item afresh, decides, shows, writes and remembers.

Read first: `undo.py`.
"""
