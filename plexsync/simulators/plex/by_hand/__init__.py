"""What happens in a Plex server behind its client's back.

In: the store and the switches of the server, a lock. Out: items and collections changed as people,
agents and scans change them.

`items.py` edits, moves, merges and trashes items; `collections.py` makes and fills collections.

Read first: `items.py`.
"""
