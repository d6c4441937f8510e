"""A simulated Plex Media Server.

In: requests as plexapi and plexsync send them. Out: listings, details, pictures and the effects of
edits, as docs/plex-api.md describes them.

`simulator.py` is the server, and `by_hand/` what happens behind a client's back; `routes.py` says
which address means what; `reading.py` and `writing.py` are the handlers, which share `parts.py`.
`store.py` holds libraries and items, made by `build.py`, and `collections/` keeps collections and
their members; `query.py` selects, `edit.py` edits; `render.py` and `render_files.py` make the
`element.py` trees that `answers.py` sends as JSON or XML.

Read first: `simulator.py`, then `routes.py`.
"""
