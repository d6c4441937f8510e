"""Review: a person settles LOW matches, by keys, in the browser, by commands or in a spreadsheet.

In: the scenes that wait, with the candidates a run found, and a person's answers. Out: answers in
the journal, safe on disk before the next question; matching obeys them from then on.

`context.py` gathers what a review works with, and `queue.py` orders the scenes by pattern. Keys
(`keys.py`) change the state machine (`machine.py`; `modes.py` names what it can show); what it
answers goes to disk through `answer_store.py`, and `given.py` keeps it until the review ends.
`groups.py` answers scenes that are alike together, `candidates.py` makes candidates and path rules.
`shown.py` says what screens show, `servers.py` asks both servers, `ahead.py` and `pictures.py` ask
them before a screen needs it. `terminal/` and `web/` draw the machine; `batch/` answers without it,
by commands and spreadsheets.

Read first: `machine.py`, then `answer_store.py`.
"""
