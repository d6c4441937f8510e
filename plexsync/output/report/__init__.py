"""A report that can be sent: how things stand, what waits and why, and what runs changed.

In: a `Report` of values. Out: one HTML page without scripts, Markdown, or CSV.

`values.py` says what a report holds; `html.py`, `markdown.py` and `csv_lines.py` only read it.
`elements.py` makes HTML that cannot be broken out of, and `redact.py` replaces titles and paths by
stand-ins.

Read first: `values.py`, then `html.py`.
"""
