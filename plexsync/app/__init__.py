"""Use cases with real servers, a real clock and signals around them.

In: a command's options and the configuration. Out: an exit code, or what a command prints.

`opening.py` reads the configuration and opens both servers. `runs.py` puts a run together with
reporter and signals; undo and saved plans go the same way. `announcing.py` reports a run to others.
`checkup/` looks at everything a run needs; `wizard.py` asks for a configuration, `sign_in.py` finds
server and token at plex.tv for it. `explain.py` matches one scene or item again and keeps the whole
account, and finds what agents matched; `retry.py` makes scenes due; `report.py` gathers a report;
`web_addresses.py` knows the pages of scenes and items without a server, and what Stash's plugin
shows of them; `failures.py` shows an error before or beside a run, and makes of SIGINT and SIGTERM
a wish to stop; `demo.py` starts both simulators and runs between them.

Nothing here decides about scenes or items; that is `plexsync.sync` and what lies below it.
Read first: `runs.py`.
"""
