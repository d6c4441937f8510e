"""Transport: the one way to a server over HTTP.

In: a request with its timeout and whether it may be repeated. Out: a complete `HttpResponse`, or
an error of `plexsync.errors` that names the server and what to do.

`client.py` sends, counts and redacts; `sockets.py` keeps the deadline and the size cap.
`outgoing.py` is a request with its rules, `retry.py` says how often it is worth sending again, and
`breaker.py` stops when a server is down. `responses.py` and `failures.py` say what came back,
in the words of `wording.py`. `ahead.py` asks for the next page while one is worked on.
`validation.py` checks addresses and headers.

Read first: `client.py`.
"""
