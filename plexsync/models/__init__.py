"""Models: the nouns, immutable values that travel from the two servers to the report. Pure.

In: what the clients decode and what planning decides. Out: the same values, for everybody; all are
imported from here, and the modules only part them by subject.

`servers.py` has scenes and items, and what all nouns share; `wishes.py` what Plex should hold and
what is to be written, `telling.py` what matching finds, rows and summaries, `memory.py` what is
remembered of scenes, collections, shows and seasons. `sequences.py` holds many of a kind, which are
made when they are asked for.

Durations are seconds, sizes bytes, times aware UTC datetimes unless a name says otherwise. An
unknown number is None, an unset text "", an unset list (): "absent" and "empty" look the same on
both servers, so they are the same here. Read first: `servers.py`.
"""

from plexsync.models.memory import *
from plexsync.models.sequences import *
from plexsync.models.servers import *
from plexsync.models.telling import *
from plexsync.models.wishes import *
