"""Runs, and what is sent and written of them: `[run]`, `[notify]` and `[metrics]`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from plexsync.config.forms import COUNT, DURATION, FLAG, NEW_FILE, SECRET, SECRETS, words_of
from plexsync.config.keys import optional, setting

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """`[run]`; durations in seconds."""

    full_every_s: int = setting(
        DURATION,
        '"7d"',
        name="full_every",
        meaning='After how long a run looks at every scene again, changed or not. `"0s"` makes '
        "every run a full one.",
    )
    files_every_s: int = setting(
        DURATION,
        '"1d"',
        name="files_every",
        meaning='After how long a run looks at the files of every scene again. `"0s"` does so in '
        "every run. See [what is found when](detection.md).",
    )
    sweep_every_s: int | None = setting(
        optional(DURATION),
        name="sweep_every",
        meaning="For how long a run that nobody watches may go by a look at Stash from afar, one "
        "request, instead of the version of every scene. Without it every run looks at all of up "
        "to 20,000 scenes; of more, once an hour or when that look, the hook or Plex shows a "
        'change. `"0s"` does so in every run. See [what is found when](detection.md).',
    )
    keep_days: int = setting(
        COUNT,
        "90",
        meaning="For how many days the journal of a run that wrote something is kept, and with it "
        "`plexsync history` and `plexsync undo` of that run. At least 1.",
    )


class NotifyOn(StrEnum):
    """What a message is sent about."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    REVIEW = "review"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyConfig:
    """`[notify]`."""

    ping: Secret | None = setting(
        optional(SECRET),
        meaning="Address of a health check, such as one of healthchecks.io, a [secret](#secrets): "
        "`/start` is added when a run begins, the exit code when it failed, nothing when it ended "
        "well.",
    )
    urls: tuple[Secret, ...] = setting(
        SECRETS,
        meaning="Where messages go, one address of "
        "[apprise](https://github.com/caronc/apprise/wiki) each, such as `ntfy://topic`; "
        "[secrets](#secrets) all. Needs `pip install 'plexsync[notify]'`.",
    )
    on: tuple[NotifyOn, ...] = setting(
        words_of(NotifyOn),
        '["failure", "recovery"]',
        meaning="What a message is sent about: `failure`, once for an outage, `recovery` when it "
        "is over, `review` of new LOW matches, `changes` written to Plex.",
    )
    digest: bool = setting(
        FLAG,
        meaning="One message a day about `review` and `changes`, by the first run of the next "
        "day, instead of one after each run.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """`[metrics]`."""

    textfile: Path | None = setting(
        optional(NEW_FILE),
        meaning="A file for the textfile collector of node_exporter, written after each run; its "
        "name ends with `.prom`. Needs `pip install 'plexsync[metrics]'`.",
    )
