"""Collections of the simulated Plex server: items of their own with members that wear a tag.

In: requests that make, fill, empty, set and delete them, and what a person does by hand. Out: the
same effects on the items, as docs/plex-api.md 5 describes them.

A collection is an `Item` of the kind COLLECTION beside a tag of that kind: `membership.py` keeps
both in step, `handlers.py` answers requests.

Read first: `membership.py`.
"""
