"""Texts in a canonical form, so that two servers' spellings compare. Pure.

In: paths, names, titles and dates as servers send them. Out: the same in one form, typed.

`normalize.py` has the forms and the path rules; `folding.py` folds names and remembers them;
`generic_names.py` knows names that say nothing. `templates.py` makes texts of a scene's values,
`toml.py` writes values as TOML, `differences.py` knows what stays, goes and comes between two
texts and what a misspelt name means, `words.py` reads and writes spans of time, ids and numbers.

Read first: `normalize.py`.
"""
