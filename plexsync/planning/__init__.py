"""Planning: desired, observed and base become changes, by policy. Pure.

In: a scene in full, an item in full, the base of their link, the rules of the fields. Out: the
changes to write, what is kept and why, and a plan in reverse for undo.

`desired.py` says what Stash wants each field to be; `observed.py` what Plex has, and when two
values are equal; `planner.py` compares the three by policy, with `credits.py` for actors and
`picture_policy.py` for pictures; `write_memory.py` says what is ours once that was written, or a
part of it. `limits.py` stops a plan that is too large. `reversal.py` turns the journal into plans
for undo. `retry_schedule.py` says when a scene is due again, `relations.py` what of Stash a scene
shows, `participation.py` which scenes take part.
`layout.py` has what all scenes come to together: collections, shows and seasons.

Read first: `planner.py`.
"""
