"""A simulated Stash: GraphQL over the real schema.

In: GraphQL requests and requests for covers. Out: answers and side effects as docs/stash-api.md
describes them, times and filters as text included.

`simulator.py` is the server, `schema.py` its schema by version, `engine.py` runs queries.
`roots.py` and `resolvers.py` say what each field is, `render.py` writes rows as JSON. `filters.py`
and `criteria.py` select. `store.py` holds `table.py` tables of `rows.py`, and moves the times.
`covers.py` serves pictures.

Read first: `simulator.py`, then `store.py`.
"""
