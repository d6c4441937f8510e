"""Looking at everything a run needs, by reading; and at what this Plex does with an edit.

In: a configuration, both servers, the state directory. Out: findings, a bug report, facts.

`doctor.py` makes the findings about configuration and servers; `examination.py` asks for all of
them, and makes those about files. `bug_report.py` writes them down with versions, settings and the
last runs, without secrets.
`probe.py` is the only one that writes to Plex: it tries edits on one item and puts it back.

Read first: `doctor.py`.
"""
