"""Stash behind typed values: scenes, versions, names, covers.

In: ids and what a configuration needs of a scene. Out: `Scene`, `SceneDetail` and versions, or an
error of `plexsync.errors`. The door is `plexsync.stash_client`.

`queries.py` has the texts of the queries, of which a configuration needs more or less;
`wire.py` has the shapes of the answers, `answers.py` what every answer is wrapped in, and
`decode.py` what they become; `objects.py` the names and words of tags, performers, studios and
groups. `readiness.py` says where a Stash is and whether it can be worked with. `paging.py` reads
many scenes although a few cannot be read, and keeps what came along until it is asked for.
`covers.py` reads pictures, only when they changed.

Read first: `queries.py`, then `decode.py`.
"""
