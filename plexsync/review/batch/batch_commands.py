"""`plexsync review list`, `show`, `accept` and their like, for scripts and for spreadsheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError, ExitCode, ServerError
from plexsync.matcher import Answer, Verb
from plexsync.models import Confidence, ItemRef, MatchRow, Outcome, RatingKey, SceneId, SceneRef
from plexsync.output.console import is_terminal, make_console, print_document, write_lines
from plexsync.output.summary import warning_line
from plexsync.review.context import open_review
from plexsync.review.given import ANSWER_WORDS
from plexsync.review.interfaces import LinkPreview
from plexsync.review.queue import first_path, library_of
from plexsync.review.selection import (
    NOTHING_WAITS,
    Filters,
    absence,
    acceptance,
    candidate_of,
    ignoring,
    owner_note,
    refused_keys,
    rejection,
    resetting,
)
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plexsync.models import Candidate
    from plexsync.output.console import Invocation, Streams
    from plexsync.review.context import ReviewContext
    from plexsync.state import Waiting


_WORDS = ANSWER_WORDS | {Verb.REJECT: "rejected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChoice:
    """Which scenes a command answers, and how.

    Args:
        ids: scenes named one by one.
        filters: or by what was found for them.
        items: the items the answer is about; none for those that were found.
        best: accept the first candidate where there are several.
        take: an accepted item may be taken from another scene.
        because: why a scene is ignored.
        lock_wait_s: how long to wait for a run that is under way, in seconds.
    """

    ids: tuple[SceneId, ...]
    filters: Filters
    items: tuple[RatingKey, ...] = ()
    best: bool = False
    take: bool = False
    because: str = ""
    lock_wait_s: float = 0.0


# ---- Looking -------------------------------------------------------------------------------------


def list_waiting(invocation: Invocation, streams: Streams, filters: Filters) -> int:
    """`plexsync review list`."""
    with open_review(invocation) as context:
        chosen = list(filter(filters.let_pass, context.waiting))
        _tell_notes(invocation, streams, context)
        if invocation.shape.json or invocation.shape.jsonl:
            from plexsync.review.batch.json_documents import list_document  # noqa: PLC0415 - only for programs

            print_document(streams, list_document(context, chosen))
        elif invocation.shape.quiet:
            pass
        elif is_terminal(streams.stdout):
            _show_table(invocation, streams, context, chosen)
        else:
            write_lines(streams.stdout, map(_tabbed, chosen))
    return ExitCode.OK


def show_scenes(invocation: Invocation, streams: Streams, ids: Sequence[SceneId]) -> int:
    """`plexsync review show`."""
    from plexsync.review.batch.json_documents import show_document  # noqa: PLC0415 - keeps `list` quick
    from plexsync.review.terminal.screen import scene_rows  # noqa: PLC0415 - same

    with open_review(invocation) as context:
        _tell_notes(invocation, streams, context)
        console = make_console(streams.stdout, no_color=invocation.shape.no_color)
        for one in context.named(ids):
            answers = context.answers.recorded(one.scene_id)
            keys = [candidate.rating_key for candidate in one.candidates]
            previews = _compared(context, one.scene_id, keys)
            if invocation.shape.json or invocation.shape.jsonl:
                print_document(streams, show_document(context, one, previews))
                continue
            notes = {key: owner_note(context.answers.owner(key, one.scene_id)) for key in keys}
            for row in scene_rows(one, console, answers=answers, notes=notes, previews=previews):
                console.print(row)
            console.print()
    return ExitCode.OK


# ---- Answering -----------------------------------------------------------------------------------


def answer_scenes(invocation: Invocation, streams: Streams, verb: Verb, choice: SceneChoice) -> int:
    """`plexsync review accept`, `reject`, `ignore` and `reset`."""
    with open_review(invocation, lock_wait_s=choice.lock_wait_s) as context:
        chosen = _chosen(context, choice)
        if choice.items and len(chosen) != 1:
            raise ConfigError(
                "--item needs exactly one scene",
                hint=f"{verb} them one by one: plexsync review {verb} ID --item RATING_KEY",
            )
        answers = [_answer(context, one, verb, choice) for one in chosen]
        if verb is Verb.ACCEPT:
            context.answers.take_lock()
            _require_free(context, answers, take=choice.take)
        return _give(invocation, streams, context, answers)


def _answer(context: ReviewContext, one: Waiting, verb: Verb, choice: SceneChoice) -> Answer:
    match verb:
        case Verb.ACCEPT if choice.items:
            return acceptance(one, _named(context, one, choice.items))
        case Verb.ACCEPT:
            return acceptance(one, _only(one, best=choice.best))
        case Verb.REJECT:
            refused = refused_keys(context.answers.recorded(one.scene_id))
            return rejection(one, _named(context, one, choice.items), refused)
        case Verb.ABSENT:
            return absence(one)
        case Verb.IGNORE:
            return ignoring(one, choice.because)
        case Verb.RESET:
            return resetting(one)


# ---- Spreadsheets --------------------------------------------------------------------------------


def export_waiting(invocation: Invocation, streams: Streams, file: Path, filters: Filters) -> int:
    """`plexsync review export`."""
    from plexsync.review.batch.csv_files import export_lines  # noqa: PLC0415 - only for spreadsheets
    from plexsync.review.batch.json_documents import review_document  # noqa: PLC0415 - only for programs

    with open_review(invocation) as context:
        _tell_notes(invocation, streams, context)
        chosen = list(filter(filters.let_pass, context.waiting))
        # Excel takes a file for UTF-8 only if it says so.
        text = "\ufeff" + "".join(export_lines(chosen, context.answers.owner))
    try:
        file.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", context=str(file)) from error
    if invocation.shape.json or invocation.shape.jsonl:
        print_document(streams, review_document(exported=len(chosen)))
    else:
        text = "written. Fill the column 'answer' and import the file."
        _say(invocation, streams, f"{counted(len(chosen), 'scene')} {text}")
    return ExitCode.OK


def import_answers(
    invocation: Invocation, streams: Streams, file: Path, *, take: bool, lock_wait_s: float
) -> int:
    """`plexsync review import`."""
    from plexsync.review.batch.csv_files import read_answers  # noqa: PLC0415 - only for spreadsheets

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", context=str(file)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the file is not UTF-8",
            context=str(file),
            hint="save it as 'CSV UTF-8' in the spreadsheet",
        ) from error
    with open_review(invocation, lock_wait_s=lock_wait_s) as context:
        waiting = {one.scene_id: one for one in context.waiting}
        context.answers.take_lock()
        try:
            answers = read_answers(text, waiting, context.answers.owner, take=take)
        except ConfigError as error:
            raise ConfigError(error.message, context=str(file), hint=error.hint) from error
        return _give(invocation, streams, context, answers)


# ---- Private -------------------------------------------------------------------------------------


def _chosen(context: ReviewContext, choice: SceneChoice) -> list[Waiting]:
    """Return the scenes a command is about.

    Raises:
        ConfigError: none are named, or one is not known.
    """
    if not choice.ids and not choice.filters:
        raise ConfigError(
            "say which scenes are meant",
            hint="by their ids, or by --score-min, --lead-min or --reason",
        )
    meant = context.named(choice.ids) if choice.ids else context.waiting
    return list(filter(choice.filters.let_pass, meant))


def _only(waiting: Waiting, *, best: bool) -> list[Candidate]:
    """Return the one candidate of a scene, or with `best` the first of them."""
    if not waiting.candidates:
        raise ConfigError(
            f"scene {waiting.scene_id} has no candidate",
            hint="name the item with --item RATING_KEY",
        )
    if waiting.match.candidate_count > 1 and not best:
        raise ConfigError(
            f"scene {waiting.scene_id} has {waiting.match.candidate_count} candidates",
            hint="name one with --item RATING_KEY, or say --best for the first",
        )
    return [waiting.candidates[0]]


def _named(context: ReviewContext, waiting: Waiting, items: Sequence[RatingKey]) -> list[Candidate]:
    """Return the candidates with these keys; an item that is none is read from Plex."""
    known = {one.rating_key: one for one in waiting.candidates}
    found = []
    for key in dict.fromkeys(items):
        if key in known:
            found.append(known[key])
            continue
        item = context.servers.item(key)
        found.append(candidate_of(item, waiting.scene, found="named by a person"))
    return found


def _require_free(context: ReviewContext, answers: Sequence[Answer], *, take: bool) -> None:
    """Warn before an item gets two scenes.

    Raises:
        ConfigError: an item is wanted twice, or belongs to another scene and is not to be taken.
    """
    wanted: dict[RatingKey, SceneId] = {}
    for answer in answers:
        scene_id = answer.scene.scene_id
        for target in answer.targets:
            other = wanted.setdefault(target.rating_key, scene_id)
            if other != scene_id:
                raise ConfigError(
                    f"scenes {other} and {scene_id} would both get item {target.rating_key}",
                    hint="accept one of them: plexsync review accept ID --item RATING_KEY",
                )
            owner = context.answers.owner(target.rating_key, scene_id)
            if owner and not take:
                raise ConfigError(
                    f"item {target.rating_key} is linked to scene {owner} already",
                    context=f"scene {scene_id}",
                    hint="--take takes it from that scene",
                )


def _give(
    invocation: Invocation, streams: Streams, context: ReviewContext, answers: Sequence[Answer]
) -> int:
    """Remember the answers and say so."""
    _tell_notes(invocation, streams, context)
    if answers:
        context.answers.give(answers)
    if invocation.shape.json or invocation.shape.jsonl:
        from plexsync.review.batch.json_documents import answered_document  # noqa: PLC0415 - only for programs

        print_document(streams, answered_document(context, answers))
        return ExitCode.OK
    for answer in answers:
        items = " ".join(target.rating_key for target in answer.targets)
        shown = f" {items}" if items and answer.verb is not Verb.ABSENT else ""
        _say(invocation, streams, f"scene {answer.scene.scene_id}: {_WORDS[answer.verb]}{shown}")
    if not answers:
        _say(invocation, streams, "No scene was answered.")
    elif any(answer.verb is Verb.ACCEPT for answer in answers):
        _say(invocation, streams, "The next plexsync run writes what was accepted.")
    return ExitCode.OK


def _compared(
    context: ReviewContext, scene_id: SceneId, keys: Sequence[RatingKey]
) -> Mapping[RatingKey, LinkPreview]:
    """Return what accepting would write; where a server is away, that it is."""
    try:
        return context.servers.compare(scene_id, keys)
    except ServerError as error:
        return {key: LinkPreview(problem=error.message) for key in keys}


def _tell_notes(invocation: Invocation, streams: Streams, context: ReviewContext) -> None:
    if not invocation.shape.quiet:
        write_lines(streams.stderr, map(warning_line, context.notes))


def _say(invocation: Invocation, streams: Streams, text: str) -> None:
    if not invocation.shape.quiet:
        write_lines(streams.stdout, [clean_for_terminal(text)])


def _tabbed(waiting: Waiting) -> str:
    """Return a waiting scene as a line of a pipe; score and lead stay empty, as in a run's."""
    best = waiting.candidates[0] if waiting.candidates else None
    cells = (
        waiting.scene_id,
        "",
        "",
        str(waiting.match.candidate_count),
        best.rating_key if best else "",
        waiting.scene.title,
        best.title if best else "",
        first_path(waiting.scene),
        best.item_path if best else "",
        waiting.match.reason,
        best.facts if best else "",
    )
    return "\t".join(map(clean_for_terminal, cells))


def _show_table(
    invocation: Invocation, streams: Streams, context: ReviewContext, chosen: Sequence[Waiting]
) -> None:
    from plexsync.output.tables import low_table  # noqa: PLC0415 - only for terminals

    console = make_console(streams.stdout, no_color=invocation.shape.no_color)
    if not chosen:
        if not context.missing:
            console.print("None of what waits is like that." if context.waiting else NOTHING_WAITS)
        return
    rows = [_row(context, one) for one in chosen]
    console.print(low_table(rows, width=console.width, verbose=invocation.shape.verbosity > 0))
    every = len(context.waiting) + context.missing
    waits = counted(every, "scene waits", "scenes wait")
    shown = "" if len(chosen) == every else f", {len(chosen):,} of them shown"
    console.print(f"{waits}{shown}. To settle them by keys: plexsync review")


def _row(context: ReviewContext, waiting: Waiting) -> MatchRow:
    scene, match = waiting.scene, waiting.match
    best = waiting.candidates[0] if waiting.candidates else None
    return MatchRow(
        scene=SceneRef(
            id=scene.scene_id,
            title=scene.title,
            path=first_path(scene),
            updated_at=scene.updated_at,
            url=context.servers.stash.scene_url(scene.scene_id),
        ),
        item=ItemRef(
            rating_key=best.rating_key,
            title=best.title,
            library=library_of(waiting, 0),
            path=best.item_path,
            url="",
        )
        if best
        else None,
        confidence=Confidence.LOW,
        score=match.score,
        margin=match.margin,
        reason=match.reason,
        evidence=best.evidence if best else (),
        candidates=match.candidates,
        changes=(),
        outcome=Outcome.REVIEW,
    )
