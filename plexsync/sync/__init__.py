"""One run: find what changed, link it, write it, remember it.

In: a `Config`, options, and the clients, clock and directories of `ports.py`. Out: rows and a
summary for the reporter, the journal and the state on disk.

`reconcile.py` is the run from beginning to end. `run_scope.py` takes the lock, opens the journal
and adds up; `context.py` asks both servers who they are and what Plex has, and is what all parts
share. `detection/` finds the due scenes, `scenes/` says what becomes of them, `linking/` pairs them
with items. `execution/` is the one executor; `scenes/`, `keeping/` (collections, shows) and
`replay/` (undo, saved plans) are its sources. `saved_plan.py` keeps what a dry run would write.
`rows.py` are what the reporter gets, `stash_needs.py` is what is asked of Stash; `ports.py` also
tells a server's fault from an item's.

Read first: `reconcile.py`.
"""
