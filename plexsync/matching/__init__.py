"""Matching: scenes and items become evidence, and evidence becomes HIGH or LOW. Pure.

In: scenes, items, path rules, people's answers. Out: one `Match` for each scene, with candidates,
evidence in bits and the reason it is not HIGH. The door is `plexsync.matcher`.

`blocking.py` chooses the pairs worth comparing, and the other scenes that could compete;
`comparison.py` compares their files; `evidence.py` says what proves or forbids that they are one
and `weighing.py` how much each point says; `scoring.py` does so for all pairs at once, with
`layout.py`, which learns where the libraries lie and proposes path rules; `decision.py` says which
are certain, with `assignment.py` where scenes compete, and `wording.py` says why one is not;
`resolution.py` makes the matches and applies people's answers from `answers.py`.
`title_similarity.py` is the last resort, `account.py` keeps the account for `plexsync explain`.

Read first: `decision.py`, then `evidence.py`.
"""
