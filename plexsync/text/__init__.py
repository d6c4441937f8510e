"""Texts in a canonical form, so that two servers' spellings compare. Pure.

In: paths, names, titles and dates as servers send them. Out: the same in one form, typed.

`normalize.py` has the forms and the path rules; `folding.py` folds names and remembers them;
`generic_names.py` knows names that say nothing. `templates.py` makes texts of a scene's values,
`durations.py` reads `1h30m`, `ids.py` ids and addresses of scenes, `toml.py` writes values as TOML,
`nearest.py` knows what a misspelt name means, `differences.py` what stays, goes and comes between
two texts, `counts.py` puts numbers into sentences.

Read first: `normalize.py`.
"""
