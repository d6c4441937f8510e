"""Matching: scenes and items become evidence, and evidence becomes HIGH or LOW. Pure.

In: scenes, items, path rules, people's answers. Out: one `Match` for each scene, with candidates,
evidence in bits and the reason it is not HIGH. The door is `plexsync.matcher`.

`comparing/` makes pairs and their evidence; `scoring.py` does so for all pairs at once, with
`layout.py`, which learns where the libraries lie and proposes path rules, and `locating.py`, which
says what that means for a pair; `decision.py` says which are certain, with `assignment.py` where
scenes compete and `lone_pairs.py` where none does; `verdicts.py` asks it about each option, with
people's answers from `answers.py`, and `wording.py` says why one is not; `resolution.py` makes the
`matches.py`, where that of a sure pair is but a number. `account.py` keeps the account for
`plexsync explain`.

Read first: `decision.py`, then `comparing/`.
"""
