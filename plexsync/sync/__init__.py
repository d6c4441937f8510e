"""One run: find what changed, link it, write it, remember it.

In: a `Config`, options, and the clients, clock and directories of `ports.py`. Out: rows and a
summary for the reporter, the journal and the state on disk.

`reconcile.py` is the run from beginning to end, and `due_work.py` what it does where scenes are
due. `run_scope.py` takes the lock and opens the journal; `context.py` is what all parts share.
`detection/` finds the due scenes, `linking/` pairs them with items of
`plex_items.py`, `execution/` plans and writes. `replay/` has undo and saved plans, which are other
work for the same executor. `rows.py` and `totals.py` are what the reporter gets. `connections.py`
opens both transports.

Read first: `reconcile.py`.
"""
