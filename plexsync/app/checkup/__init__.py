"""Looking at everything a run needs, by reading; and at what this Plex does with an edit.

In: a configuration, both servers, the state directory. Out: findings, a bug report, facts.

`doctor.py` makes the findings about configuration and servers; `examination.py` asks for all of
them, makes those about files, and writes all down for a bug report with versions, settings and the
last runs, without secrets.
`probe.py` is the only one that writes to Plex: it tries edits on one item and puts it back.

Read first: `doctor.py`.
"""
