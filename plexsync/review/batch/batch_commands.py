"""`plexsync review list`, `show`, `accept` and their like, for scripts and for spreadsheets."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError, ExitCode, ServerError
from plexsync.matcher import Answer, Verb
from plexsync.models import Confidence, ItemRef, MatchRow, Outcome, RatingKey, SceneId, SceneRef
from plexsync.output.console import byte_stream, is_terminal, make_console, write_lines
from plexsync.output.summary import warning_line
from plexsync.review.context import open_review
from plexsync.review.interfaces import LinkPreview
from plexsync.review.selection import (
    NOTHING_WAITS,
    Filters,
    absence,
    acceptance,
    candidate_of,
    ignoring,
    owner_note,
    rejection,
    resetting,
)
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plexsync.models import Candidate
    from plexsync.output.console import Invocation, Streams
    from plexsync.review.context import ReviewContext
    from plexsync.state import Waiting


_VERBS = {
    Verb.ACCEPT: "accepted",
    Verb.REJECT: "rejected",
    Verb.ABSENT: "not in Plex",
    Verb.IGNORE: "ignored",
    Verb.RESET: "reset",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChoice:
    """Which scenes a command is about.

    Args:
        ids: named one by one.
        filters: or by what was found for them.
        everything: or all that wait.
        lock_wait_s: how long to wait for a run that is under way, in seconds.
    """

    ids: tuple[SceneId, ...] = ()
    filters: Filters = field(default_factory=Filters)
    everything: bool = False
    lock_wait_s: float = 0.0


# ---- Looking -------------------------------------------------------------------------------------


def list_waiting(invocation: Invocation, streams: Streams, filters: Filters) -> int:
    """`plexsync review list`."""
    with open_review(invocation, os.environ) as context:
        chosen = [one for one in context.waiting if filters.let_pass(one)]
        _tell_notes(invocation, streams, context)
        if invocation.shape.json or invocation.shape.jsonl:
            from plexsync.review.batch.json_documents import list_document  # noqa: PLC0415 - only for programs

            document = list_document(
                chosen, context.answers.owner, scene_url=context.scene_url, missing=context.missing
            )
            _write(streams, document)
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
    from plexsync.review.terminal.layout import laid_out  # noqa: PLC0415 - same
    from plexsync.review.terminal.screen import scene_lines  # noqa: PLC0415 - same

    with open_review(invocation, os.environ) as context:
        _tell_notes(invocation, streams, context)
        console = make_console(streams.stdout, no_color=invocation.shape.no_color)
        for one in context.named(ids):
            answers = context.answers.recorded(one.scene_id)
            keys = [candidate.rating_key for candidate in one.candidates]
            previews = _compared(context, one.scene_id, keys)
            if invocation.shape.json or invocation.shape.jsonl:
                document = show_document(
                    one,
                    context.answers.owner,
                    scene_url=context.scene_url,
                    previews=previews,
                    answers=answers,
                )
                _write(streams, document)
                continue
            notes = {key: owner_note(context.answers.owner(key, one.scene_id)) for key in keys}
            lines = scene_lines(
                one,
                answers=answers,
                notes=notes,
                previews=previews,
                marks=console.color_system is None or console.no_color,
            )
            for line in laid_out(lines, console):
                console.print(line)
            console.print()
    return ExitCode.OK


# ---- Answering -----------------------------------------------------------------------------------


def accept_scenes(
    invocation: Invocation,
    streams: Streams,
    choice: SceneChoice,
    *,
    items: Sequence[RatingKey],
    best: bool,
    take: bool,
) -> int:
    """`plexsync review accept`."""
    with open_review(invocation, os.environ, lock_wait_s=choice.lock_wait_s) as context:
        chosen = _chosen(context, choice)
        if items and len(chosen) != 1:
            raise ConfigError(
                "--item needs exactly one scene",
                hint="accept them one by one: plexsync review accept ID --item RATING_KEY",
            )
        answers = [
            acceptance(one, _named(context, one, items) if items else _only(one, best=best))
            for one in chosen
        ]
        context.answers.take_lock()
        _require_free(context, answers, take=take)
        return _give(invocation, streams, context, answers)


def reject_scenes(
    invocation: Invocation,
    streams: Streams,
    choice: SceneChoice,
    *,
    items: Sequence[RatingKey],
    everything: bool,
) -> int:
    """`plexsync review reject`."""
    if bool(items) == everything:
        raise ConfigError(
            "say which item it is not, or that it is none",
            hint="--item RATING_KEY, or --none if the scene is not in Plex",
        )
    with open_review(invocation, os.environ, lock_wait_s=choice.lock_wait_s) as context:
        chosen = _chosen(context, choice)
        if items and len(chosen) != 1:
            raise ConfigError(
                "--item needs exactly one scene",
                hint="reject them one by one: plexsync review reject ID --item RATING_KEY",
            )
        answers = []
        for one in chosen:
            if everything:
                answers.append(absence(one))
                continue
            refused = {one.rating_key for one in context.answers.recorded(one.scene_id).refusals}
            answers.append(rejection(one, _named(context, one, items), refused))
        return _give(invocation, streams, context, answers)


def ignore_scenes(
    invocation: Invocation, streams: Streams, choice: SceneChoice, *, because: str
) -> int:
    """`plexsync review ignore`."""
    with open_review(invocation, os.environ, lock_wait_s=choice.lock_wait_s) as context:
        answers = [ignoring(one, because) for one in _chosen(context, choice)]
        return _give(invocation, streams, context, answers)


def reset_scenes(invocation: Invocation, streams: Streams, choice: SceneChoice) -> int:
    """`plexsync review reset`."""
    with open_review(invocation, os.environ, lock_wait_s=choice.lock_wait_s) as context:
        answers = [resetting(one) for one in _chosen(context, choice)]
        return _give(invocation, streams, context, answers)


# ---- Spreadsheets --------------------------------------------------------------------------------


def export_waiting(invocation: Invocation, streams: Streams, file: Path, filters: Filters) -> int:
    """`plexsync review export`."""
    from plexsync.review.batch.csv_files import export_lines  # noqa: PLC0415 - only for spreadsheets

    with open_review(invocation, os.environ) as context:
        _tell_notes(invocation, streams, context)
        chosen = [one for one in context.waiting if filters.let_pass(one)]
        # Excel takes a file for UTF-8 only if it says so.
        text = "\ufeff" + "".join(export_lines(chosen, context.answers.owner))
    try:
        file.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", context=str(file)) from error
    if invocation.shape.json or invocation.shape.jsonl:
        _write(
            streams, b'{"schema":"plexsync/review/1","exported":%d,"error":null}\n' % len(chosen)
        )
    else:
        scenes = "1 scene" if len(chosen) == 1 else f"{len(chosen):,} scenes"
        _say(
            invocation, streams, f"{scenes} written. Fill the column 'answer' and import the file."
        )
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
    with open_review(invocation, os.environ, lock_wait_s=lock_wait_s) as context:
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
    if choice.ids:
        return [one for one in context.named(choice.ids) if choice.filters.let_pass(one)]
    if not choice.filters and not choice.everything:
        raise ConfigError(
            "say which scenes are meant",
            hint="by their ids, or by --score-min, --lead-min or --reason",
        )
    return [one for one in context.waiting if choice.filters.let_pass(one)]


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

        _write(streams, answered_document(answers, context.answers.recorded))
        return ExitCode.OK
    for answer in answers:
        items = " ".join(target.rating_key for target in answer.targets)
        shown = f" {items}" if items and answer.verb is not Verb.ABSENT else ""
        _say(invocation, streams, f"scene {answer.scene.scene_id}: {_VERBS[answer.verb]}{shown}")
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
        return context.servers.compare(scene_id, keys, context.answers.state)
    except ServerError as error:
        return {key: LinkPreview(problem=error.message) for key in keys}


def _tell_notes(invocation: Invocation, streams: Streams, context: ReviewContext) -> None:
    if not invocation.shape.quiet:
        write_lines(streams.stderr, map(warning_line, context.notes))


def _say(invocation: Invocation, streams: Streams, text: str) -> None:
    if not invocation.shape.quiet:
        write_lines(streams.stdout, [clean_for_terminal(text)])


def _write(streams: Streams, document: bytes) -> None:
    out = byte_stream(streams.stdout)
    out.write(document)
    out.flush()


def _tabbed(waiting: Waiting) -> str:
    """Return a waiting scene as a line of a pipe; score and lead stay empty, as in a run's."""
    best = waiting.candidates[0] if waiting.candidates else None
    path = waiting.scene.files[0].path if waiting.scene.files else ""
    cells = (
        waiting.scene_id,
        "",
        "",
        str(waiting.match.candidate_count),
        best.rating_key if best else "",
        waiting.scene.title,
        best.title if best else "",
        path,
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
    waits = "1 scene waits" if every == 1 else f"{every:,} scenes wait"
    shown = "" if len(chosen) == every else f", {len(chosen):,} of them shown"
    console.print(f"{waits}{shown}. To settle them by keys: plexsync review")


def _row(context: ReviewContext, waiting: Waiting) -> MatchRow:
    scene, match = waiting.scene, waiting.match
    best = waiting.candidates[0] if waiting.candidates else None
    return MatchRow(
        scene=SceneRef(
            id=scene.scene_id,
            title=scene.title,
            path=scene.files[0].path if scene.files else "",
            updated_at=scene.updated_at,
            url=context.scene_url(scene.scene_id),
        ),
        item=ItemRef(
            rating_key=best.rating_key,
            title=best.title,
            library=waiting.libraries[0] if waiting.libraries else "",
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
