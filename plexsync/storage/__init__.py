"""Storage: what is remembered, in files that survive a crash. The door is `plexsync.state`.

In: intents, results, answers and scene records. Out: the state of the last run, the history of
runs, how things stand.

`session.py` is what writes, under the lock of `locations.py`, which says where files are; each
entry goes to `journal.py`, an item's plan as `intents.py` packs it, before it counts in
`memory.py`, which has the records of scenes in `scenes/`. `checkpoint.py` writes all of it as
`state.json`, and `loading.py` reads it with newer journals. `filesystem.py` replaces files as a
whole. `history.py` and `status.py` read journals for people. `plan_file.py` is a saved plan,
`review_queue.py` the candidates of waiting scenes.

Read first: `session.py`, then `journal.py`.
"""
