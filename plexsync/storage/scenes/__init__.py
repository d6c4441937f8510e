"""The records of scenes, as rows: small in memory and on disk, and decoded when asked for.

In: scene records. Out: rows for the journal and the checkpoint, and records, or parts of them, by
scene.

`row.py` makes a row of a record and a record of a row. `shared.py` holds the texts that many rows
have in common, `digests.py` shortens digests. `rows.py` finds the rows of a checkpoint in its
bytes, and keeps those that came since. `views.py` are parts of a row.

Read first: `row.py`.
"""
