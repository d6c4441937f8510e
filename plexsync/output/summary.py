"""The words a run ends with: what it did, and what a person can do next. Plain text, no styling.

Source: docs/contract.md, "Output". Only commands of this version are named.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ExitCode
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.toml import rule_lines
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.models import PathRule, Problem, RunHeader, RunSummary


class Note(msgspec.Struct, frozen=True):
    """A sentence for a person, and lines to copy that must not be wrapped."""

    text: str
    code: tuple[str, ...] = ()


# ---- Public --------------------------------------------------------------------------------------


def outcome_sentence(summary: RunSummary) -> str:
    """Return what the run did, in one line, such as `12 written, 3,401 unchanged.`."""
    counts = summary.counts
    written = "put back" if summary.header.command == "undo" else "written"
    phrases = (
        (counts.planned, f"would be {written}"),
        (counts.applied, written),
        (counts.unchanged, "unchanged"),
        (counts.kept, f"kept as Plex has {'it' if counts.kept == 1 else 'them'}"),
        (counts.review, "waiting for review"),
        (0 if summary.subset else counts.unmatched, "without a candidate in Plex"),
        (counts.skipped, "skipped"),
        (counts.failed, "failed"),
    )
    done = ", ".join(f"{count:,} {words}" for count, words in phrases if count)
    start = "Dry run, nothing was written" if summary.header.dry_run else ""
    if summary.error and not done:
        return ""
    if not done:
        read = counted(counts.scenes_read, "scene")
        start = "Dry run, nothing to do" if start else "Nothing to do"
        done = f"{read} read, none is due" if counts.scenes_read else ""
    return f"{': '.join(filter(None, (start, done)))}."


def cost_sentence(summary: RunSummary, *, verbose: bool = True) -> str:
    """Return what the run took: its time and, if `verbose`, its requests."""
    requests = summary.requests
    took = f"Run {summary.header.run_id} took {_seconds(summary)}"
    if not verbose:
        return f"{took}."
    return (
        f"{took}: "
        f"{counted(requests.stash, 'request')} to Stash, "
        f"{counted(requests.plex_reads, 'read')} and "
        f"{counted(requests.plex_writes, 'write')} to Plex."
    )


def servers_sentence(header: RunHeader) -> str:
    """Who is read and who is written, for the first line of a run."""
    known = [
        clean_for_terminal(f"{name} {server.version} at {server.url}")
        for name, server in (("Stash", header.stash), ("Plex", header.plex))
        if server
    ]
    kind = " (dry run)" if header.dry_run else ""
    return " -> ".join(known) + kind


def next_steps(summary: RunSummary) -> tuple[Note, ...]:
    """Return what a person can do now, most useful first; empty when nothing waits for anyone."""
    counts, notes = summary.counts, []
    # What an error stopped can not be had by just repeating it, or by applying what was not saved.
    if summary.header.dry_run and counts.planned and summary.error is None:
        notes.append(_to_type(summary.header, "To write these changes:", summary.header.again))
    for lists, count in summary.emptied.items():
        notes.append(Note(f"{counted(count, 'item loses', 'items lose')} all {lists}."))
    if counts.by_hand and summary.header.command == "run":
        were = counted(counts.by_hand, "field was", "fields were")
        stay = "stays" if counts.by_hand == 1 else "stay"
        how = f"{were} typed by hand in Plex and {stay}. To replace what was typed, once:"
        notes.append(_to_type(summary.header, how, "plexsync run --take-over"))
    notes += _learned_notes(summary.learned_rules)
    if counts.review:
        notes += _review_notes(summary)
    elif counts.unmatched and summary.proposed_rules:
        fits, them = _rules_fit(summary.proposed_rules)
        how = f"{fits}; if missing, add {them} to config.toml:"
        notes.append(Note(how, _rule_lines(summary.proposed_rules)))
    if counts.failed:
        notes.append(_failed_note(summary.header))
    if counts.unmatched and not summary.subset:
        notes.append(
            Note("Scenes without a candidate are tried again when Plex's libraries change.")
        )
    if summary.parked:
        are = counted(summary.parked, "scene is", "scenes are")
        why = f": {summary.parked_why}" if summary.parked_why else ""
        how = f"{are} parked{why}. To try before the next full run:"
        notes.append(_to_type(summary.header, how, "plexsync retry"))
    notes += _later_notes(summary)
    return tuple(notes)


def _later_notes(summary: RunSummary) -> Iterator[Note]:
    """Yield what is left to a person's word, or to later runs."""
    if summary.undone:
        stay = counted(
            summary.undone, "item stays as an undo left it", "items stay as an undo left them"
        )
        it = "it" if summary.undone == 1 else "one of them"
        how = f"{stay} until Stash says something else. To write {it} again:"
        yield _to_type(summary.header, how, f"plexsync run --scene {summary.undone_scene}")
    if summary.left_due:
        are = counted(summary.left_due, "more scene is", "more scenes are")
        them = "it" if summary.left_due == 1 else "them"
        yield Note(f"{are} due: --limit leaves {them} to later runs.")
    if summary.waiting and not summary.subset:
        wait = "seen before still wait"
        scenes = counted(summary.waiting, f"scene {wait}s", f"scenes {wait}")
        yield Note(f"{scenes}: for a person, for Plex, or for another try.")


def _failed_note(header: RunHeader) -> Note:
    """Return what becomes of items that failed."""
    if header.command != "run":
        how = "What failed can be tried again:"
        return _to_type(header, how, header.again) if header.again else Note(how)
    if header.dry_run:
        return Note("What failed here is tried again by a run.")
    return Note("What failed stays due: later runs try it again by themselves.")


def is_worth_a_mail(summary: RunSummary, *, known_failure: bool = False) -> bool:
    """Whether cron should hear of the run: something changed, is newly LOW, or failed.

    Of an undo or a saved plan also what it left alone: nobody is shown that again.

    Args:
        summary: how it ended.
        known_failure: that it failed, and how, was reported before.
    """
    counts = summary.counts
    quiet = {ExitCode.OK, ExitCode.CHANGES, ExitCode.ONLY_REVIEW}
    failed = bool(counts.failed or summary.error or summary.exit_code not in quiet)
    changed = bool(counts.applied or counts.planned or summary.new_review)
    left = summary.header.command != "run" and bool(counts.skipped or counts.kept)
    return changed or left or (failed and not known_failure)


def score_text(score: float, decimals: int = 2) -> str:
    """Return a probability, rounded, but never up to 1.00: that is kept for certainty."""
    return f"{score if score >= 1 else min(score, 1 - 10**-decimals):.{decimals}f}"


def problem_lines(problem: Problem) -> tuple[str, ...]:
    """Return an error as lines for a person: what happened, then what to do about it."""
    message = _clean_lines(problem.message)
    lines = [f"plexsync: {message[0]}", *(f"  {line.strip()}" for line in message[1:])]
    lines += [f"  hint: {line}" for line in _clean_lines(problem.hint) if line]
    return tuple(lines)


def problem_page(problem: Problem) -> str:
    """Return the line that leads a person at a terminal to what can be done about an error.

    A log or a mail needs none.
    """
    return f"  more: docs/troubleshooting.md#{problem.kind}"


def warning_line(message: str) -> str:
    """Return a warning as a line for a person."""
    return f"plexsync: {clean_for_terminal(message)}"


# ---- Private -------------------------------------------------------------------------------------


def _to_type(header: RunHeader, text: str, command: str) -> Note:
    """Return a note with a command to type, which reads the configuration this run has read."""
    return Note(text, (f"{command}{header.named}",))


def _review_notes(summary: RunSummary) -> tuple[Note, ...]:
    header, count, rules = summary.header, summary.counts.review, summary.proposed_rules
    match = counted(count, "LOW match waits", "LOW matches wait")
    them = "it" if count == 1 else "them"
    if not rules:
        how = f"{match} for a person. To settle {them}:"
        return (_to_type(header, how, "plexsync review"),)
    fits, those = _rules_fit(rules)
    how = f"{match} for a person. {fits} and may settle {them}; add {those} to config.toml:"
    rest = _to_type(header, "For what is left:", "plexsync review")
    return Note(how, _rule_lines(rules)), rest


def _rules_fit(rules: tuple[PathRule, ...]) -> tuple[str, str]:
    """Return that the rules fit, and the word that stands for them."""
    if len(rules) == 1:
        return "This path rule fits your libraries", "it"
    return "These path rules fit your libraries", "them"


def _rule_lines(rules: tuple[PathRule, ...]) -> tuple[str, ...]:
    lines: list[str] = []
    for rule in rules:
        head, *sides = rule_lines(rule)
        lines += [f"{head}  # {_fit(rule)}", *sides]
    return tuple(lines)


def _learned_notes(rules: tuple[PathRule, ...]) -> list[Note]:
    """Where files were found without a path rule."""
    how = "Files were found where nearly all certain ones lie, as if these were path rules:"
    return [Note(how, tuple(map(_place_words, rules)))] if rules else []


def _place_words(rule: PathRule) -> str:
    return f"{clean_for_terminal(f'{rule.stash} -> {rule.plex}')}  # {_fit(rule)}"


def _fit(rule: PathRule) -> str:
    """How many of the certain files below its folder a rule explains."""
    if rule.certain <= rule.explains:
        return f"fits {counted(rule.explains, 'file')}"
    return f"fits {rule.explains:,} of {counted(rule.certain, 'file')}"


def _clean_lines(text: str) -> list[str]:
    return [clean_for_terminal(line) for line in text.splitlines()] or [""]


def _seconds(summary: RunSummary) -> str:
    """Whole seconds between the two stamps, which is all they hold."""
    try:
        started = datetime.fromisoformat(summary.header.started_at)
        finished = datetime.fromisoformat(summary.finished_at)
    except ValueError:
        return "an unknown time"
    seconds = int((finished - started).total_seconds())
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
