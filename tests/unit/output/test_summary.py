"""The words a run ends with: counts that add up, next steps that can be taken."""

from __future__ import annotations

import re

import msgspec
import pytest

from plexsync.errors import ConfigError, ExitCode
from plexsync.models import Requests, as_problem
from plexsync.output.summary import (
    cost_sentence,
    is_worth_a_mail,
    next_steps,
    outcome_sentence,
    problem_lines,
    score_text,
    servers_sentence,
)
from tests.support.factories import make_counts, make_header, make_problem, make_rule, make_summary


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"applied": 12, "unchanged": 3401}, "12 written, 3,401 unchanged."),
        ({"review": 2, "unmatched": 1}, "2 waiting for review, 1 without a candidate in Plex."),
        ({"kept": 1, "skipped": 2}, "1 kept as Plex has it, 2 skipped."),
        ({"kept": 2}, "2 kept as Plex has them."),
        ({"failed": 3}, "3 failed."),
        ({"scenes_read": 1}, "Nothing to do: 1 scene read, none is due."),
        ({"scenes_read": 3401}, "Nothing to do: 3,401 scenes read, none is due."),
        ({}, "Nothing to do."),
    ],
    ids=["written", "low", "kept", "kept many", "failed", "one idle", "idle", "empty"],
)
def test_outcome_sentence_says_what_happened(counts: dict[str, int], sentence: str) -> None:
    """Only what occurred is named."""
    assert outcome_sentence(make_summary(counts=make_counts(**counts))) == sentence


def test_dry_run_says_that_nothing_was_written() -> None:
    """The first thing a dry run says."""
    summary = make_summary(header=make_header(dry_run=True), counts=make_counts(planned=3))

    assert outcome_sentence(summary) == "Dry run, nothing was written: 3 would be written."


def test_run_that_failed_at_once_claims_nothing() -> None:
    """To say "nothing to do" would be a lie when a server did not answer."""
    assert outcome_sentence(make_summary(error=make_problem(), exit_code=4)) == ""


def test_cost_is_counted_in_seconds_and_requests() -> None:
    """Singular and plural, minutes from sixty seconds on."""
    summary = make_summary(
        finished_at="2026-11-22T08:34:01Z", requests=Requests(stash=1, plex_reads=2)
    )

    assert cost_sentence(summary) == (
        "Run 20261122T083254Z-3f9a took 1 min 7 s: 1 request to Stash, 2 reads and 0 writes to "
        "Plex."
    )


@pytest.mark.parametrize("missing", ["stash", "plex"])
def test_servers_that_did_not_answer_are_left_out(missing: str) -> None:
    """No "None" in the first line."""
    assert "None" not in servers_sentence(make_header(**{missing: None}))


def test_a_dry_run_without_work_says_so_in_one_sentence() -> None:
    """What was not written needs no word where there was nothing to write."""
    summary = make_summary(header=make_header(dry_run=True), counts=make_counts(scenes_read=3))
    assert outcome_sentence(summary) == "Dry run, nothing to do: 3 scenes read, none is due."


# ---- Next steps ----------------------------------------------------------------------------------


def steps(**fields: object) -> str:
    """All notes as one text."""
    return "\n".join(
        "\n".join((note.text, *note.code)) for note in next_steps(make_summary(**fields))
    )


def test_nothing_waits_when_all_is_done() -> None:
    """A run that wrote everything sends nobody anywhere."""
    assert steps(counts=make_counts(applied=5, unchanged=3)) == ""


def test_dry_run_says_how_to_write() -> None:
    """The next step after looking."""
    assert (
        "plexsync run"
        in steps(header=make_header(dry_run=True), counts=make_counts(planned=1)).splitlines()
    )


def test_every_command_to_type_reads_the_same_configuration() -> None:
    """Where it was named, it has to be named again."""
    counts = make_counts(planned=1, by_hand=1, review=1, failed=1)
    for rules in ((), (make_rule(),)):
        for header in (make_header(dry_run=True), make_header(command="undo", again="plexsync u")):
            named = msgspec.structs.replace(header, named=" --config 'my file.toml'")
            summary = make_summary(header=named, counts=counts, parked=1, proposed_rules=rules)
            typed = [one for note in next_steps(summary) for one in note.code if "plexsync" in one]
            assert typed
            assert all(one.endswith(" --config 'my file.toml'") for one in typed)


def test_low_matches_come_with_the_rules_that_settle_them() -> None:
    """Proposed rules are ready to copy, with what each would settle."""
    text = steps(
        counts=make_counts(review=4),
        proposed_rules=(make_rule(explains=4), make_rule(stash="C:\\v\\")),
    )

    assert "4 LOW matches wait for a person" in text
    assert "# fits 4 files" in text
    assert 'stash = "/data/"\nplex = "/media/"' in text
    assert 'stash = "C:\\\\v\\\\"' in text


@pytest.mark.parametrize(
    ("review", "rules", "sentence"),
    [
        (1, 1, "This path rule fits your libraries and may settle it; add it to config.toml:"),
        (2, 1, "This path rule fits your libraries and may settle them; add it to config.toml:"),
        (2, 2, "These path rules fit your libraries and may settle them; add them to config.toml:"),
        (0, 1, "This path rule fits your libraries; if missing, add it to config.toml:"),
        (0, 2, "These path rules fit your libraries; if missing, add them to config.toml:"),
    ],
)
def test_rules_and_matches_are_spoken_of_as_one_or_as_many(
    review: int, rules: int, sentence: str
) -> None:
    """One rule is not called many."""
    text = steps(
        counts=make_counts(review=review, unmatched=1), proposed_rules=(make_rule(),) * rules
    )

    assert sentence in text


def test_what_is_typed_after_the_rules_stands_apart_from_them() -> None:
    """Only what belongs into the file is among the lines to copy into it."""
    notes = next_steps(
        make_summary(counts=make_counts(review=4), proposed_rules=(make_rule(explains=4),))
    )

    assert [note.code for note in notes] == [
        ("[[paths]]  # fits 4 files", 'stash = "/data/"', 'plex = "/media/"'),
        ("plexsync review",),
    ]
    assert notes[1].text == "For what is left:"


def test_low_matches_lead_to_review() -> None:
    """There is always a way out."""
    text = steps(counts=make_counts(review=1))

    assert "1 LOW match waits" in text
    assert "plexsync review" in text.splitlines()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"counts": make_counts(failed=1)}, "later runs try it again"),
        ({"counts": make_counts(unmatched=1)}, "when Plex's libraries change"),
        ({"waiting": 1}, "1 scene seen before still waits"),
        ({"waiting": 2000}, "2,000 scenes seen before still wait"),
    ],
    ids=["failed", "unmatched", "waiting", "many waiting"],
)
def test_what_is_left_says_when_it_is_tried_again(fields: dict[str, object], words: str) -> None:
    """Nobody needs to remember anything."""
    assert words in steps(**fields)


def test_only_commands_that_exist_are_named() -> None:
    """A next step that is not there yet would be worse than none."""
    text = steps(
        header=make_header(dry_run=True),
        counts=make_counts(planned=1, review=1, failed=1, unmatched=1),
        waiting=1,
    )

    assert set(re.findall(r"plexsync (\w+)", text)) == {"run", "review"}


@pytest.mark.parametrize(
    ("score", "decimals", "shown"),
    [
        (0.0, 2, "0.00"),
        (0.57, 2, "0.57"),
        (0.4999, 2, "0.50"),
        (0.999, 3, "0.999"),
        (0.9999, 3, "0.999"),
        (0.9999, 2, "0.99"),
        (1.0, 2, "1.00"),
    ],
)
def test_scores_are_not_rounded_up_to_certainty(score: float, decimals: int, shown: str) -> None:
    """A LOW match with 1.00 would look like a contradiction."""
    assert score_text(score, decimals) == shown


# ---- Cron ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"counts": make_counts(unchanged=5, kept=1, review=2, unmatched=3, skipped=1)},
        {"waiting": 3},
        {"exit_code": int(ExitCode.ONLY_REVIEW)},
    ],
    ids=["idle", "known", "waiting", "only review"],
)
def test_cron_hears_nothing_of_what_it_knows(fields: dict[str, object]) -> None:
    """Nothing changed, nothing newly LOW, nothing failed: no mail."""
    assert not is_worth_a_mail(make_summary(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"counts": make_counts(applied=1)},
        {"counts": make_counts(planned=1)},
        {"counts": make_counts(failed=1), "exit_code": 3},
        {"new_review": 1},
        {"error": make_problem(), "exit_code": 4},
        {"exit_code": int(ExitCode.TERMINATED)},
    ],
    ids=["changed", "would change", "failed", "new LOW", "error", "terminated"],
)
def test_cron_hears_of_everything_else(fields: dict[str, object]) -> None:
    """Each of these alone is worth a mail."""
    assert is_worth_a_mail(make_summary(**fields))


# ---- Errors --------------------------------------------------------------------------------------


def test_error_says_what_where_and_what_to_do() -> None:
    """Context and message on the first line, the hint below."""
    error = ConfigError("no token", context="config.toml > [plex] > token", hint="Set one.")

    assert problem_lines(as_problem(error)) == (
        "plexsync: config.toml > [plex] > token: no token",
        "  hint: Set one.",
    )


def test_error_without_hint_is_one_line() -> None:
    """Nothing to do, nothing to say."""
    assert problem_lines(make_problem(message="gone", hint="")) == ("plexsync: gone",)


def test_several_problems_keep_a_line_each() -> None:
    """A configuration with two problems lists two."""
    error = ConfigError("2 problems:\n  one\n  two\x1b[2J")

    assert problem_lines(as_problem(error)) == (
        "plexsync: 2 problems:",
        "  one",
        "  two\ufffd[2J",
        f"  hint: {ConfigError.remedy}",
    )
