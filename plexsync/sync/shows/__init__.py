"""Shows and seasons of Plex that are laid out as studio and year, kept in step with their scenes.

In: what the record of every linked episode says of its show, its studio and its year, the names and
texts of Stash's studios, what is remembered of each show. Out: work for the one executor, rows,
records.

`keeping.py` is the step of a run that does it all: it finds out which shows and seasons belong to a
studio and which of them need a look. `work.py` decides what one needs; `outcomes.py` shows and
remembers how each ended, of which collections do the most alike: `execution/kept.py`.

Read first: `keeping.py`.
"""
