"""Forms for programs: JSON documents and events, lines, and their schemas.

In: rows and summaries of a run, and what other commands found. Out: bytes, and JSON schemas.

`json_documents.py` makes the document and the events of a run, `tsv.py` its lines for pipes.
`documents.py` and `parts.py` declare every document and event as types; the JSON schemas
`plexsync schema` prints are made of them.

Read first: `json_documents.py`.
"""
