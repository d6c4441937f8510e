"""Matching: scenes and items become evidence, and evidence becomes HIGH or LOW. Pure.

In: scenes, items, path rules, people's answers. Out: one `Match` for each scene, with candidates,
evidence in bits and the reason it is not HIGH. The door is `plexsync.matcher`.

`blocking.py` chooses the pairs worth comparing; `comparison.py` compares their files with
`attributes.py`; `evidence.py` weighs each agreement; `scoring.py` does so for all pairs at once;
`decision.py` says which are certain, with `assignment.py` where scenes compete; `resolution.py`
makes the matches and applies people's answers from `answers.py`. `title_similarity.py` is the last
resort, `layout.py` proposes path rules, `account.py` keeps the account for `plexsync explain`.

Read first: `decision.py`, then `evidence.py`.
"""
