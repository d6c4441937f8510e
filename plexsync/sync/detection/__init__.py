"""Detection: which scenes a run looks at, and why.

In: versions and names from Stash, changed items from Plex, what is remembered. Out: the due scenes,
each read in full, and what a complete look at both servers found.

`glance.py` looks from afar whether anything moved. `changes.py` puts the questions in order, and
`seen.py` is what the next run compares with.
`detector.py` compares versions, and fills in `detected.py`; `unversioned.py` finds the scenes that
a renamed tag or performer concerns, and those that got or lost a file; `plex_changes.py` the scenes
a change in Plex concerns.

Read first: `changes.py`, then `detector.py`.
"""
