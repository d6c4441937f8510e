"""Output: what people and programs see of a run, a status, a history.

In: rows, summaries and documents of `plexsync.models` and `plexsync.storage`. Out: text and bytes
on the streams; nothing here asks a server or decides.

`console.py` looks at the streams and chooses a reporter: `terminal.py` for a person watching,
`reporters.py` for pipes, cron, JSON and JSON lines. Tables come from `tables.py`, lines and
documents from `formats/`, log files from `log.py`, closing words from `summary.py`; `outages.py`
says whether a failure is news. `report/` has what is sent to others. `history.py`, `status.py`
(`status_view.py` on a terminal) and `explain.py` show what was found. `streams.py` writes to
streams that may go away.

Read first: `console.py`, then `reporters.py`.
"""
