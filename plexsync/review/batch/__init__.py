"""Review without keys: commands for scripts, answers in a spreadsheet, JSON for programs.

In: scenes named on the command line, filters, or a filled spreadsheet. Out: answers in the answer
store, and lines, CSV or JSON.

`batch_commands.py` has a function for each subcommand; `csv_files.py` writes and reads
spreadsheets, and `json_documents.py` makes the JSON.

Read first: `batch_commands.py`.
"""
