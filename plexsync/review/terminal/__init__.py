"""The review in a terminal: keys, screens, and the loop between them.

In: keys of a terminal and the states of `plexsync.review.machine`. Out: drawn screens, and the
answers the machine hands over.

`run.py` starts and ends a review; `loop.py` draws, waits for a key and presses it. `screen.py`
makes a screen of `parts.py`, `diff.py` and `layout.py`. `keyboard.py` reads single keys,
`suspend.py` survives Ctrl-Z, `prefetch.py` compares the next scenes meanwhile.

Read first: `loop.py`, then `screen.py`.
"""
