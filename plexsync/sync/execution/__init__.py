"""Execution: work items become written items.

In: pairs of a scene and an item, each with a way to decide what the item needs (`work.py`).
Out: writes to Plex, each with its intent before and its result after it, and a row for every pair.

`executor.py` is the one loop: read, check the file, decide, write, read back, remember. A run
(`run_items.py`), a saved plan and an undo are its three sources. `reader.py` reads items afresh and
settles earlier writes; `freshness.py` looks again right before a write. `writer.py` journals, sends
and judges fields; `sender.py` joins alike plans in one request, which `batching.py` finds, and
`doors.py` finds the address that takes them. `outcomes.py` keeps how each scene of a run ended.
`run_writer.py` stands before the loop in a run: limits, preview, question, items that moved.
`unmatched.py` handles scenes without an item.

Read first: `executor.py`, then `writer.py`.
"""
