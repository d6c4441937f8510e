"""Pictures of a run: covers become posters and backgrounds.

In: linked pairs and the covers of their scenes. Out: uploaded pictures that Plex shows, with an
intent before and a result after each.

`plan.py` decides which picture of an item is replaced; `prepare.py` gets the bytes when they are
needed, and keeps what would go with a collection; `upload.py` sends and chooses them and looks
whether Plex shows them.

Read first: `plan.py`.
"""
