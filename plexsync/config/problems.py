"""What is wrong with a configuration: all of it at once, each with its place."""

from __future__ import annotations

from dataclasses import dataclass

from plexsync.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong with the configuration.

    Args:
        place: `config.toml:3 > [plex] > url`, or the name of an environment variable.
        message: what is wrong; never a secret.
        remedy: what to do about it.
    """

    place: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.place}: {self.message}.{remedy}"


class InvalidConfigError(ConfigError):
    """The configuration has problems, all of them listed.

    Args:
        problems: at least one.
    """

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        self.problems = problems
        if len(problems) == 1:
            (only,) = problems
            super().__init__(only.message, context=only.place, hint=only.remedy)
        else:
            lines = "".join(f"\n  {problem}" for problem in problems)
            super().__init__(f"{len(problems)} problems in the configuration:{lines}")
