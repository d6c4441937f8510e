"""What all linked scenes together ask of a library: its collections, its shows and seasons. Pure.

In: what the record of every linked scene shows, the names of Stash's objects, rules. Out: wishes,
one for each collection, show and season.

`collections.py` says which collections there should be and what is in each; `shows.py` which shows
and seasons belong to a studio and a year.

Read first: `collections.py`.
"""
