"""The first configuration, made by asking a person, both servers and plex.tv.

In: who asks, an environment, an account's code. Out: answers that were tried, and two files.

`wizard.py` asks one thing after the other and tries each answer; `addresses.py` finds out what an
address was meant to be. `sign_in.py` gets a token at plex.tv and the servers of the account,
with the conversation around it.

Read first: `wizard.py`.
"""
