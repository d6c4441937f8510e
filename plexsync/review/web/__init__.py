"""The review in a browser: a page on loopback that shows the machine the terminal shows.

In: requests of one browser on this machine. Out: pages, pictures of both servers, and the answers
the machine hands over.

`serve.py` starts and ends the server, `guard.py` lets nobody else in, `site.py` has the routes,
what the buttons do, and what the templates are filled with.
Nothing here needs a build step: the browser gets the script and the style as they are.

Read first: `site.py`, then `guard.py`.
"""
