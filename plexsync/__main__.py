"""`python -m plexsync` is `plexsync`, and so is the installed program.

The Stash hook takes a way of its own: Stash waits for it at every save, so it must not wait for the
imports of a command line.
"""

# ruff: noqa: PLC0415 - either way imports only what it needs
from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process."""
    if sys.argv[1:2] == ["hook"]:
        from plexsync.integrations import stash_hook as hook

        if hook.is_plain_call(sys.argv[2:]):
            sys.exit(hook.run_hook(sys.argv[2:]))
    from plexsync.cli import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
