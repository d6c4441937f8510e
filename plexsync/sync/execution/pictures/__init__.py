"""Pictures of a run: covers become posters and backgrounds.

In: linked pairs and the covers of their scenes. Out: uploaded pictures that Plex shows, with an
intent before and a result after each.

`plan.py` decides which picture of an item is replaced; `prepare.py` gets the bytes when they are
needed; `upload.py` sends and chooses them and looks whether Plex shows them. `saved.py` does the
same for pictures of a saved plan, and keeps what would go with a collection.

Read first: `plan.py`.
"""
