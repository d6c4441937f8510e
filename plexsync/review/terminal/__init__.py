"""The review in a terminal: keys, screens, and the loop between them.

In: keys of a terminal and the states of `plexsync.review.machine`. Out: drawn screens, and the
answers the machine hands over.

`application.py` starts and ends a review, draws and takes keys, by prompt_toolkit. `screen.py`
makes a screen of `parts.py`; `pictures.py` draws covers over the columns a screen leaves free.

Read first: `application.py`, then `screen.py`.
"""
