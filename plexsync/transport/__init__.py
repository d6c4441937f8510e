"""Transport: the one way to a server over HTTP.

In: a request with its timeout and whether it may be repeated. Out: a complete `HttpResponse`, or
an error of `plexsync.errors` that names the server and what to do.

`client.py` sends, counts and redacts, and asks for the next page while one is worked on;
`sockets.py` keeps the deadline and the size cap. `outgoing.py` is a request with its rules: how
often it is worth sending again, and when a server counts as down. `responses.py` says what came
back, or what failed, in the words of `wording.py`. `validation.py` checks addresses and headers.

Read first: `client.py`.
"""
