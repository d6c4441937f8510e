"""Plex behind typed values: libraries, items in full, edits, pictures.

In: rating keys, plans and pictures. Out: `PlexItem` and `ItemDetail`, or an error of
`plexsync.errors`. Nothing of plexapi leaves this folder.

`client.py` is what runs use; `connection.py` says how a server is asked, who it is and which
libraries it has; `index.py` keeps what is in them between runs. `decode.py`
turns the JSON of `wire.py` into nouns, also where a server's JSON is broken; `last_details.py`
knows items again that were read a moment ago.
`edits.py` sends edits, which `edit_query.py` words. `pictures.py` uploads and chooses,
`poster_padding.py` makes a wide cover fit. `collections.py` has what only collections have.
`hash_cache.py` keeps content hashes.

Read first: `client.py`.
"""
