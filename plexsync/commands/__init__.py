"""Commands: their options, their help and what they print, a module for those that go together.

In: the command line as click parsed it, and an `Invocation` with the global options. Out: an exit
code; errors are raised and worded in `plexsync.cli`.

A command checks its options (`options.py` has what several share), calls one use case of
`plexsync.app` or `plexsync.review`, and hands the result to `plexsync.output`. They are `run.py`,
`status.py`, `history.py`, `review.py`, `config.py`, `init.py` and `hook.py`; `completion.py` serves
the shell. `plexsync.cli` imports a module when one of its commands is asked for, and imports of a
use case stand inside the function, so that no command waits for what another one needs.

Read first: `status.py`, the shortest whole example.
"""
