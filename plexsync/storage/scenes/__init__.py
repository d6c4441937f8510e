"""The records of scenes, as rows: small in memory and on disk, and decoded when asked for.

In: scene records. Out: rows for the journal and the checkpoint, and records, or parts of them, by
scene.

`row.py` makes a row of a record and a record of a row, and says which parts can be read alone;
`texts.py` shortens what it holds. `rows.py` finds the rows of a checkpoint in its bytes, keeps
those that came since, and reads parts of them.

Read first: `row.py`.
"""
