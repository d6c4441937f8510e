"""The error tree: exit codes, severity, and what an error says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync import errors
from plexsync.errors import (
    ConfigError,
    ExitCode,
    InterruptedRunError,
    PlexsyncError,
    TransientError,
    most_severe,
)

CONTRACT_ORDER = (1, 9, 5, 4, 6, 8, 7, 3)
"""Source: docs/contract.md, "Exit codes": most severe wins, in this order."""

CODES = st.sampled_from(ExitCode)
RANKED = st.sampled_from([ExitCode(code) for code in CONTRACT_ORDER])


def tree(error: type[PlexsyncError] = PlexsyncError) -> list[type[PlexsyncError]]:
    """Every error class of `errors.py`, parents first."""
    below = [found for child in error.__subclasses__() for found in tree(child)]
    return [error, *(found for found in below if found.__module__ == errors.__name__)]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("bug", 1),
        ("config", 2),
        ("state", 9),
        ("state-corrupt", 9),
        ("state-version", 9),
        ("state-mismatch", 9),
        ("locked", 8),
        ("server", 4),
        ("transient", 4),
        ("auth", 5),
        ("library-missing", 5),
        ("not-found", 4),
        ("bad-response", 4),
        ("plan", 7),
        ("unsafe", 6),
        ("stale", 7),
        ("parse", 1),
    ],
)
def test_each_kind_of_error_ends_in_its_code(kind: str, code: int) -> None:
    """Cron and scripts tell failures apart by these numbers."""
    (found,) = [error for error in tree() if error.kind == kind]
    assert found.exit_code == code


def test_the_docstring_shows_the_whole_tree() -> None:
    """Who reads errors.py first sees every class with its code."""
    drawn = dict(re.findall(r"(\w+Error) +([0-9/]+)", errors.__doc__ or ""))
    expected = {error.__name__: str(int(error.exit_code)) for error in tree()}
    expected[InterruptedRunError.__name__] = "130/143"
    assert drawn == expected


def test_the_contract_names_every_code() -> None:
    """docs/contract.md and ExitCode say the same numbers."""
    contract = Path(__file__).parents[2] / "docs" / "contract.md"
    section = contract.read_text("utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    cells = re.findall(r"\| ([0-9]+(?: / [0-9]+)?) ", section)
    named = {int(code) for cell in cells for code in cell.split(" / ")}
    assert named == {int(code) for code in ExitCode}


@pytest.mark.parametrize(
    ("met", "worst"),
    [
        ([], ExitCode.OK),
        ([ExitCode.OK], ExitCode.OK),
        ([ExitCode.OK, ExitCode.SOME_FAILED], ExitCode.SOME_FAILED),
        ([ExitCode.SERVER, ExitCode.ACCESS], ExitCode.ACCESS),
        ([ExitCode.SOME_FAILED, ExitCode.BUG, ExitCode.LOCAL_FILES], ExitCode.BUG),
        ([ExitCode.INTERRUPTED, ExitCode.OK], ExitCode.INTERRUPTED),
        ([ExitCode.SOME_FAILED, ExitCode.TERMINATED], ExitCode.TERMINATED),
        ([ExitCode.INTERRUPTED, ExitCode.LOCAL_FILES], ExitCode.LOCAL_FILES),
        ([ExitCode.USAGE], ExitCode.USAGE),
    ],
)
def test_the_most_severe_code_wins(met: list[ExitCode], worst: ExitCode) -> None:
    """A run that met several failures reports the worst."""
    assert most_severe(met) is worst


@given(met=st.lists(RANKED, min_size=1))
def test_severity_follows_the_contract(met: list[ExitCode]) -> None:
    """The contract's order decides, whatever was met first and how often."""
    assert most_severe(met) == next(code for code in CONTRACT_ORDER if code in met)


@given(met=st.lists(CODES), more=st.lists(CODES))
def test_severity_does_not_depend_on_order_or_grouping(
    met: list[ExitCode], more: list[ExitCode]
) -> None:
    """Codes can be gathered in any order, and parts settled first."""
    whole = most_severe([*met, *more])
    assert most_severe([*more, *met]) == whole
    assert most_severe([most_severe(met), most_severe(more)]) == whole


@given(met=st.lists(CODES))
def test_only_a_run_that_met_nothing_is_fine(met: list[ExitCode]) -> None:
    """No failure is ever reported as success, and none is made up."""
    worst = most_severe(met)
    assert (worst is ExitCode.OK) == (set(met) <= {ExitCode.OK})
    assert worst is ExitCode.OK or worst in met


def test_an_error_says_where_and_what() -> None:
    """The text has place and message; what to do is kept apart for the terminal."""
    error = ConfigError("is missing", context="config.toml > [plex] > url", hint="Write it.")
    assert str(error) == "config.toml > [plex] > url: is missing"
    assert error.hint == "Write it."


def test_an_error_without_a_place_is_its_message() -> None:
    """No colon without a place."""
    assert str(ConfigError("is missing")) == "is missing"


def test_a_transient_error_carries_what_the_server_asked_for() -> None:
    """None when the server did not say."""
    assert TransientError("busy", retry_after_s=7.5).retry_after_s == 7.5
    assert TransientError("busy").retry_after_s is None


@pytest.mark.parametrize("code", [ExitCode.INTERRUPTED, ExitCode.TERMINATED])
def test_an_interrupted_run_ends_as_the_signal_asks(code: ExitCode) -> None:
    """SIGINT and SIGTERM have codes of their own."""
    assert InterruptedRunError(code).exit_code is code
