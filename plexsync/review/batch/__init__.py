"""The review without keys: subcommands for scripts, and spreadsheets.

In: the scenes and answers that a command line or a file names. Out: lines, a table or JSON of what
waits, and answers for the store, all of them or none.

`subcommands.py` looks, answers and prints; `csv_files.py` writes and reads the spreadsheets.

Read first: `subcommands.py`.
"""
