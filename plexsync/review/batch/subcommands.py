"""Review without keys: `plexsync review list`, `show`, `accept` and their like, for scripts.

Source: docs/output.md, "Review".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError, ExitCode
from plexsync.matcher import Answer, Verb
from plexsync.models import Candidate, MatchRow, Outcome, RatingKey, SceneId
from plexsync.output.console import is_terminal, make_console, print_document, write_lines
from plexsync.output.formats.json_documents import change_json, noun_json, one_line
from plexsync.output.summary import warning_line
from plexsync.review.candidates import candidate_of
from plexsync.review.context import ReviewContext, open_review
from plexsync.review.given import ANSWER_WORDS
from plexsync.review.modes import NOTHING_WAITS
from plexsync.review.queue import first_path
from plexsync.state import OTHER_FILE, state_errors
from plexsync.text.normalize import clean_for_terminal, fold
from plexsync.text.words import counted, shell_word

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from plexsync.output.console import Invocation
    from plexsync.review.ahead import LinkPreview
    from plexsync.state import Waiting

    Previews = Mapping[RatingKey, LinkPreview]

_WORDS = ANSWER_WORDS | {Verb.REJECT: "rejected"}

_DECIMALS = 6
"""Of a score in JSON: one that was copied from there must let its own scene pass."""

_Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChoice:
    """The options of a command: which scenes are meant, and how they are answered.

    Args:
        ids: scenes named one by one.
        score_min: or those with a best candidate of at least this score.
        lead_min: and at least this lead over the next.
        reason: the reason it is not HIGH contains this text, case aside.
        items: the items the answer is about; none for those that were found.
        best: accept the first candidate where there are several.
        take: an accepted item may be taken from another scene.
        because: why a scene is ignored.
        lock_wait_s: how long to wait for a run that is under way, in seconds.
    """

    ids: tuple[SceneId, ...] = ()
    score_min: float | None = None
    lead_min: float | None = None
    reason: str = ""
    items: tuple[RatingKey, ...] = ()
    best: bool = False
    take: bool = False
    because: str = ""
    lock_wait_s: float = 0.0

    @property
    def names_scenes(self) -> bool:
        """Whether any scenes are asked for, by id or by what was found."""
        return bool(self.ids or self.reason) or (self.score_min, self.lead_min) != (None, None)

    def let_pass(self, waiting: Waiting) -> bool:
        """Whether what was found of a scene is what is asked for."""
        match = waiting.match
        return (
            (self.score_min is None or round(match.score, _DECIMALS) >= self.score_min)
            and (self.lead_min is None or round(match.margin, _DECIMALS) >= self.lead_min)
            and fold(self.reason) in fold(match.reason)
        )


# ---- Looking -------------------------------------------------------------------------------------


def list_waiting(invocation: Invocation, choice: SceneChoice) -> int:
    """`plexsync review list`."""
    with open_review(invocation) as context:
        chosen = list(filter(choice.let_pass, context.waiting))
        _tell_notes(invocation, context)
        streams, shape = invocation.streams, invocation.shape
        if shape.as_document:
            scenes = [_scene(context, one) for one in chosen]
            # Scenes wait, too, if their candidates could not be found again.
            count = len(scenes) + context.missing
            _print(invocation, waiting=count, missing=context.missing, scenes=scenes)
        elif not shape.quiet and is_terminal(streams.stdout):
            _show_table(invocation, context, chosen)
        elif not shape.quiet:
            write_lines(streams.stdout, map(_tabbed, chosen))
    return ExitCode.OK


def show_scenes(invocation: Invocation, ids: Sequence[SceneId]) -> int:
    """`plexsync review show`."""
    from plexsync.review.terminal.screen import scene_rows  # noqa: PLC0415 - keeps `list` quick

    with open_review(invocation) as context:
        _tell_notes(invocation, context)
        console = make_console(invocation.streams.stdout, no_color=invocation.shape.no_color)
        for one in context.named(ids):
            keys = tuple(candidate.rating_key for candidate in one.candidates)
            context.servers.previews.load((one.scene_id, keys), at_once=True)
            if invocation.shape.as_document:
                known = context.servers.previews.known(one.scene_id)
                scene = _scene(context, one, known) | {"said": _standing(context, one.scene_id)}
                _print(invocation, scenes=[scene])
                continue
            for row in scene_rows(context.review([one]), console):
                console.print(row)
            console.print()
    return ExitCode.OK


# ---- Answering -----------------------------------------------------------------------------------


def answer_scenes(invocation: Invocation, verb: Verb, choice: SceneChoice) -> int:
    """`plexsync review accept`, `reject`, `ignore` and `reset`."""
    if not choice.names_scenes:
        raise ConfigError(
            "say which scenes are meant",
            hint="by their ids, or by --score-min, --lead-min or --reason",
        )
    with open_review(invocation, lock_wait_s=choice.lock_wait_s, locked=True) as context:
        meant = context.named(choice.ids) if choice.ids else context.waiting
        chosen = list(filter(choice.let_pass, meant))
        if choice.items and len(chosen) != 1:
            raise ConfigError(
                "--item needs exactly one scene",
                hint=f"{verb} them one by one: plexsync review {verb} ID --item RATING_KEY",
            )
        answers = [_answer(context, one, verb, choice) for one in chosen]
        if verb is Verb.ACCEPT:
            _require_free(context, answers, take=choice.take)
        return _give(invocation, context, answers)


def _answer(context: ReviewContext, one: Waiting, verb: Verb, choice: SceneChoice) -> Answer:
    if verb is Verb.ACCEPT and not choice.items:
        candidates = _only(one, context.answers.refused(one.scene_id), best=choice.best)
    else:
        candidates = _named(context, one, choice.items)
    return context.answers.answer_about(one, verb, candidates, reason=choice.because)


# ---- Spreadsheets --------------------------------------------------------------------------------


def export_waiting(invocation: Invocation, file: Path, choice: SceneChoice) -> int:
    """`plexsync review export`."""
    from plexsync.review.batch.csv_files import export_lines  # noqa: PLC0415 - only for spreadsheets

    with open_review(invocation) as context:
        _tell_notes(invocation, context)
        chosen = list(filter(choice.let_pass, context.waiting))
        # Excel takes a file for UTF-8 only if it says so.
        text = "\ufeff" + "".join(export_lines(chosen, context.answers))
    with state_errors("write", file, elsewhere=OTHER_FILE):
        file.write_bytes(text.encode("utf-8", "backslashreplace"))
    if invocation.shape.as_document:
        _print(invocation, exported=len(chosen))
    else:
        _say(
            invocation, f"{counted(len(chosen), 'scene')} written. Fill the column 'answer', then:"
        )
        again = f"plexsync review import {shell_word(str(file))}"
        _say(invocation, f"    {invocation.typed(again)}")
    return ExitCode.OK


def import_answers(invocation: Invocation, file: Path, choice: SceneChoice) -> int:
    """`plexsync review import`."""
    from plexsync.review.batch.csv_files import read_answers  # noqa: PLC0415 - only for spreadsheets

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}",
            context=str(file),
            hint="check its name, and that the user plexsync runs as may read it",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the file is not UTF-8",
            context=str(file),
            hint="save it as 'CSV UTF-8' in the spreadsheet",
        ) from error
    with open_review(invocation, lock_wait_s=choice.lock_wait_s, locked=True) as context:
        waiting = {one.scene_id: one for one in context.waiting}
        answers = read_answers(text, file, waiting, context.answers, take=choice.take)
        return _give(invocation, context, answers)


# ---- Private -------------------------------------------------------------------------------------


def _only(waiting: Waiting, refused: Collection[RatingKey], *, best: bool) -> list[Candidate]:
    """Return the one candidate of a scene that was not refused, or with `best` the first one."""
    left = [one for one in waiting.candidates if one.rating_key not in refused]
    if not left:
        raise ConfigError(
            f"scene {waiting.scene_id} has no candidate" + (" left" if refused else ""),
            hint="name the item with --item RATING_KEY",
        )
    count = waiting.match.candidate_count - len(waiting.candidates) + len(left)
    if count > 1 and not best:
        raise ConfigError(
            f"scene {waiting.scene_id} has {count} candidates",
            hint="name one with --item RATING_KEY, or say --best for the first",
        )
    return left[:1]


def _named(context: ReviewContext, waiting: Waiting, items: Sequence[RatingKey]) -> list[Candidate]:
    """Return the candidates with these keys; an item that is none is read from Plex."""
    known = {one.rating_key: one for one in waiting.candidates}
    return [
        known.get(key)
        or candidate_of(context.servers.item(key), waiting.scene, found="named by a person")
        for key in dict.fromkeys(items)
    ]


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


def _give(invocation: Invocation, context: ReviewContext, answers: Sequence[Answer]) -> int:
    """Remember the answers and say so."""
    _tell_notes(invocation, context)
    if answers:
        context.answers.give(answers)
    if invocation.shape.as_document:
        _print(invocation, answered=[_answered(context, one) for one in answers])
        return ExitCode.OK
    for answer in answers:
        items = " ".join(target.rating_key for target in answer.targets)
        shown = f" {items}" if items and answer.verb is not Verb.ABSENT else ""
        _say(invocation, f"scene {answer.scene.scene_id}: {_WORDS[answer.verb]}{shown}")
    if not answers:
        _say(invocation, "No scene was answered.")
    elif any(answer.verb is Verb.ACCEPT for answer in answers):
        _say(invocation, "To write what was accepted:")
        _say(invocation, f"    {invocation.typed('plexsync run')}")
    return ExitCode.OK


def _tell_notes(invocation: Invocation, context: ReviewContext) -> None:
    if not invocation.shape.quiet:
        write_lines(invocation.streams.stderr, map(warning_line, context.notes))


def _say(invocation: Invocation, text: str) -> None:
    if not invocation.shape.quiet:
        write_lines(invocation.streams.stdout, [clean_for_terminal(text)])


def _tabbed(waiting: Waiting) -> str:
    """Return a waiting scene as a line of a pipe; score and lead stay empty, as in a run's."""
    scene, match = waiting.scene, waiting.match
    key = title = path = facts = ""
    if match.candidates:
        best = match.candidates[0]
        key, title, path, facts = best.rating_key, best.title, best.item_path, best.facts
    cells = [scene.scene_id, "", "", str(match.candidate_count), key, scene.title, title]
    cells += [first_path(scene), path, match.reason, facts]
    return "\t".join(map(clean_for_terminal, cells))


def _show_table(invocation: Invocation, context: ReviewContext, chosen: Sequence[Waiting]) -> None:
    from rich.text import Text  # noqa: PLC0415 - only for terminals

    from plexsync.output.tables import low_table  # noqa: PLC0415 - same

    console = make_console(invocation.streams.stdout, no_color=invocation.shape.no_color)
    if not chosen:
        if not context.missing:
            console.print("None of what waits is like that." if context.waiting else NOTHING_WAITS)
        return
    rows, verbose = [_row(context, one) for one in chosen], invocation.shape.verbosity > 0
    console.print(low_table(rows, width=console.width, verbose=verbose))
    every = len(context.waiting) + context.missing
    waits = counted(every, "scene waits", "scenes wait")
    shown = "" if len(chosen) == every else f", {len(chosen):,} of them shown"
    them, command = ("it" if every == 1 else "them"), invocation.typed("plexsync review")
    console.print()
    console.print(Text(f"{waits}{shown}. To settle {them} by keys: {command}"))


def _row(context: ReviewContext, waiting: Waiting) -> MatchRow:
    return context.servers.rows.unlinked(waiting.scene, waiting.match, Outcome.REVIEW)


# ---- Private: JSON -------------------------------------------------------------------------------


def _print(invocation: Invocation, **body: object) -> None:
    document = {"schema": "plexsync/review/1", **body, "error": None}
    print_document(invocation.streams, document)


def _scene(context: ReviewContext, waiting: Waiting, previews: Previews | None = None) -> _Json:
    """Return a scene that waits; with `previews` also what accepting each candidate would write."""
    match, candidates = waiting.match, []
    for one in waiting.candidates:
        shown = {
            "rating_key": one.rating_key,
            "title": one.title,
            "path": one.item_path,
            "library": one.library,
            "score": one.score,
            "linked_to_scene": context.answers.owner(one.rating_key, waiting.scene_id),
            "evidence": [noun_json(piece) for piece in one.evidence],
        }
        changes = {} if previews is None else {"changes": _changes(previews.get(one.rating_key))}
        candidates.append(one_line(shown) | changes)
    about = {
        "scene": noun_json(_row(context, waiting).scene),
        "reason": match.reason,
        "score": match.score,
        "margin": match.margin,
        "candidate_count": match.candidate_count,
    }
    return one_line(about) | {"candidates": candidates}


def _answered(context: ReviewContext, answer: Answer) -> _Json:
    """Return what was answered about a scene, and what now stands."""
    return {
        "scene": answer.scene.scene_id,
        "answer": answer.verb,
        "items": [target.rating_key for target in answer.targets],
        "said": _standing(context, answer.scene.scene_id),
    }


def _standing(context: ReviewContext, scene_id: SceneId) -> _Json:
    answers = context.answers.recorded(scene_id)
    return {
        "accepted": [pin.rating_key for pin in answers.pins],
        "rejected": [one.rating_key for one in answers.refusals],
        "absent": bool(answers.absent),
        "ignored": answers.ignored is not None,
        "note": clean_for_terminal(answers.ignored.reason) if answers.ignored else "",
    }


def _changes(preview: LinkPreview | None) -> list[_Json] | None:
    if preview is None or preview.problem:
        return None
    return [one_line(change_json(one)) for one in preview.changes]
