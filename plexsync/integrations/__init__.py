"""Connections to other programs: what Stash, cron and systemd call or read.

In: a hook call of Stash on stdin; a configuration to make schedules for. Out: one small file for
each announced scene, which the next run reads; texts of a crontab, a unit, a plugin manifest.

`stash_hook.py` runs inside Stash's plugin call, so it imports nothing of plexsync and ends within
milliseconds. `hook_events.py` reads what it left. `schedule.py` writes the texts.

Read first: `stash_hook.py`.
"""
