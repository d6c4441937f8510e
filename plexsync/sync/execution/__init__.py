"""Execution: work items become written items.

In: pairs of a scene and an item, each with a way to decide what the item needs (`work.py`).
Out: writes to Plex, each with its intent before and its result after it, and a row for every pair.

`executor.py` is the one loop: read, check the file, decide, write, read back, remember. Its work
comes from the scenes of a run, from collections, saved plans and undos. `reader.py` reads items
afresh and looks again right before a write; `settling.py` finds out how earlier writes ended.
`writer.py` journals, sends and judges fields; `sender.py` joins alike plans in one request, and
`doors.py` finds the address that takes them. `making.py` makes collections, `pictures/` writes
pictures; `charging.py` says who is charged with a failure.

Read first: `executor.py`, then `writer.py`.
"""
