"""Connections to other programs: what Stash, cron, systemd and monitors call or read.

In: a hook call of Stash on stdin; a configuration to make schedules for; how a run ended. Out: one
small file for each announced scene, which the next run reads; texts of a crontab, a unit, a plugin
manifest; calls of a health check, messages, a file of metrics.

`stash_hook.py` runs inside Stash's plugin call, so it imports nothing of plexsync and ends within
milliseconds. `hook_events.py` reads what it left. `schedule.py` writes the texts. `notify.py`
decides which messages a run is worth and sends them; `metrics.py` writes figures for Prometheus.

Read first: `stash_hook.py`, then `notify.py`.
"""
