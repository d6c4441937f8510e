"""What one run does with the scenes that are due.

In: the scenes detection found, and what Stash says of them. Out: work for the one executor, rows,
what is remembered of every scene.

`due_work.py` links the scenes, and settles those without an item. `run_items.py` makes work items
of linked pairs, and says what each item should hold. `run_writer.py` takes them to the executor:
past the limits, after a preview or a question, and once more where an item moved. `in_step.py`
knows scenes that need not be compared. `outcomes.py` keeps how each scene ended; `scans.py` has
Plex look for files it lacks.

Read first: `run_writer.py`.
"""
