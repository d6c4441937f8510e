"""Shows and seasons of Plex that are laid out as studio and year, kept in step with their scenes.

In: what the record of every linked episode says of its show, its studio and its year, the names and
texts of Stash's studios, what is remembered of each show. Out: work for the one executor, rows,
records.

`keeping.py` is the step of a run that does it all: which shows and seasons belong to a studio,
which of them need a look and what, and how each ended. What collections do alike is in
`sync/keeper.py`.

Read first: `keeping.py`.
"""
