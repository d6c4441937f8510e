"""Generated libraries: what Stash and Plex hold of the same videos, and the true links.

In: a seed and a mix of cases. Out: rows for both simulators, and which belong together.

`cases.py` lists the ways two servers see one video, `maker.py` makes one at a time, `pairs.py`
makes whole libraries. `records.py` has the rows. `names.py` and `words.py` give plausible texts,
`odd.py` the strange ones real servers have held, `demo.py` the library of `plexsync demo`.

Read first: `pairs.py`, then `cases.py`.
"""
