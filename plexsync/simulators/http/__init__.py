"""Simulated servers on a wire: requests, faults, counters.

In: HTTP requests, from a socket or from `requests`. Out: a simulator's responses, or what a fault
makes of them: a status, a cut body, a reset, silence.

`messages.py` has the request and the response; `exchange.py` counts, compresses and applies the
faults of `faults.py`; `loopback.py` serves it on 127.0.0.1, `adapter.py` without a socket.
`wire.py` names what tests use of these. `plex_tv.py` is where people sign in; `pictures.py` draws
covers.

Read first: `exchange.py`.
"""
