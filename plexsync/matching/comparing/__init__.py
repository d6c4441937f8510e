"""Comparing: two lists of files become pairs worth comparing, and each pair evidence in bits.

In: scenes, items, path rules, content hashes. Out: for each pair a `Comparison`, level by level,
and its `Assessment`: weights, grade, contradictions.

`blocking.py` chooses the pairs, `neighbours.py` the other scenes that could compete;
`comparison.py` compares two files, `facts.py` single facts of theirs, `title_similarity.py` two
titles; `evidence.py` says what proves or forbids that two files are one, and `weighing.py` how
much each point says.

Read first: `evidence.py`.
"""
