"""A Stash and a Plex on loopback, for the demo, the tests and the benchmarks.

In: a generated library and HTTP requests. Out: the answers real servers give, their awkwardness
included, and a dump of what they hold.

`library/` generates both sides of a library with the true links between them. `stash/` and
`plex/` are the two servers. `http/` puts a server on a socket or behind an adapter, counts its
requests and breaks them where a test asks for it.

Nothing here imports the rest of plexsync, and of plexsync only the demo imports this.
Read first: `__main__.py`, which starts both.
"""
