"""The records of scenes, as rows: small in memory and on disk, and decoded when asked for.

In: scene records. Out: rows for the journal and the checkpoint, and records, or parts of them, by
scene.

`row.py` makes a row of a record and a record of a row, and says which parts can be read alone;
`cells.py` does the same for the fields and pictures of an item; `texts.py` has the texts that rows
refer to by number. `lines.py` finds the rows of a checkpoint in its bytes; `rows.py` has these and
those that came since, and reads parts of them. `former.py` reads what earlier versions wrote.

Read first: `row.py`.
"""
