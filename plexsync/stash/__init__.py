"""Stash behind typed values: scenes, versions, names, covers.

In: ids and what a configuration needs of a scene. Out: `Scene`, `SceneDetail` and versions, or an
error of `plexsync.errors`. The door is `plexsync.stash_client`.

`queries.py` has the texts of the queries; `wire.py` the shapes of the answers, `answers.py` what
every answer is wrapped in, and `decode.py` what they become; `names.py` the dictionary of names,
`objects.py` what objects say of themselves.
`addresses.py` says where a Stash is, `readiness.py` whether it can be worked with, `needs.py` what
the configured fields need of it. `paging.py` reads many scenes although a few cannot be read;
`kept_details.py` keeps what came along until it is asked for. `covers.py` reads pictures, only when
they changed.

Read first: `queries.py`, then `decode.py`.
"""
