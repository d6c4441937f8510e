"""Plex's collections behind typed values.

In: rating keys of collections and of their members. Out: which collections a library has and what
is in each; new ones, other members, none.

`requests.py` sends; `answers.py` turns JSON into nouns.

Read first: `requests.py`.
"""
