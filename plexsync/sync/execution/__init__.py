"""Execution: linked pairs become written items.

In: due scenes with their items. Out: writes to Plex, each with its intent on disk before it and
its result after it, and a row for every pair.

`pipeline.py` reads, plans, writes and remembers, group by group. `delivery.py` shows the first
changes and checks the limits. `item_writer.py` carries out fields and pictures; `sender.py` joins
alike plans in one request; `writer.py` is the loop of intent, request, read back, result.
`outcomes.py` keeps what became of each pair. `unmatched.py` handles scenes without an item,
`unsettled.py` intents of items that are no longer linked.

Read first: `pipeline.py`, then `writer.py`.
"""
