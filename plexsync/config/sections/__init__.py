"""The sections of the configuration: a dataclass each, an attribute a key.

In: the forms and declarations of `plexsync.config`. Out: the classes `Config` is made of, and the
keys its schema lists.

`servers.py` has `[stash]` and `[plex]`, `writing.py` `[match]` and `[apply]`, `layout.py`
`[collections]` and `[shows]`, `running.py` the rest but `[fields]`, which stands beside the schema.

Read first: `servers.py`.
"""
