"""Commands: one module for each, with its options, its help and what it prints.

In: the command line as click parsed it, and an `Invocation` with the global options. Out: an exit
code; errors are raised and worded in `plexsync.cli`.

A command checks its options (`options.py` has what several share), calls one use case of
`plexsync.app` or `plexsync.review`, and hands the result to `plexsync.output`. `completion.py`
serves the shell. Imports of a use case stand inside the function,
so that `plexsync --help` imports nothing heavy.

Read first: `status.py`, the shortest whole example.
"""
