"""Review: a person settles LOW matches, by keys, by commands or in a spreadsheet.

In: the scenes that wait, with the candidates a run found, and a person's answers. Out: answers in
the journal, safe on disk before the next question; matching obeys them from then on.

`context.py` gathers what a review works with. `machine.py` is the review as a state machine: keys
in, a state to draw out; `terminal/` draws it. `batch.py` has the commands `list`, `show`, `accept`
and the others, `csv_files.py` the spreadsheet. `selection.py` and `ties.py` say which scenes
belong together, `candidates.py` and `actions.py` ask both servers, `answer_store.py` writes the
answers. `questions.py` asks for a yes, `json_documents.py` has the JSON, and `interfaces.py` what
the parts need of each other.

Read first: `machine.py`, then `answer_store.py`.
"""
