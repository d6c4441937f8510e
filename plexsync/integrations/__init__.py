"""What Stash, cron and systemd call or read."""
