"""A report that can be sent: how things stand, what waits and why, and what runs changed.

In: a `Report` of values. Out: one HTML page without scripts, Markdown, or CSV.

`values.py` says what a report holds, and replaces titles and paths by stand-ins; `html.py` and
`texts.py` only read it.

Read first: `values.py`, then `html.py`.
"""
