"""Review in a spreadsheet: one line a candidate out, the lines with an answer back in.

No cell can be taken for a formula; see `guarded`.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError
from plexsync.matcher import Answer, Verb
from plexsync.models import Candidate, RatingKey, SceneId
from plexsync.output.formats.tsv import csv_line, unguarded
from plexsync.output.summary import score_text
from plexsync.review.queue import first_path
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from plexsync.review.answer_store import AnswerStore
    from plexsync.state import Waiting

COLUMNS = (
    "scene_id",
    "scene_title",
    "scene_path",
    "reason",
    "lead",
    "rating_key",
    "item_title",
    "item_path",
    "library",
    "score",
    "linked_to_scene",
    "answer",
    "note",
)
"""What each line holds. `answer` and `note` are for the person; new columns come at the end."""

ANSWERS = {"accept": Verb.ACCEPT, "reject": Verb.REJECT, "not in plex": Verb.ABSENT}
ANSWERS |= {"absent": Verb.ABSENT, "ignore": Verb.IGNORE}
"""What may stand under `answer`, case aside; nothing leaves the scene as it is."""

_NEEDED = ("scene_id", "rating_key", "answer")
_MOST_PROBLEMS = 20


def export_lines(waiting: Iterable[Waiting], answers: AnswerStore) -> Iterator[str]:
    """Yield the file, line by line, the heading first."""
    yield csv_line(COLUMNS)
    for one in waiting:
        for candidate in one.candidates or (None,):
            key = candidate.rating_key if candidate else None
            held_by = answers.owner(key, one.scene_id) if key else None
            yield csv_line(_cells(one, candidate, held_by or ""))


def read_answers(
    text: str,
    file: Path,
    waiting: Mapping[SceneId, Waiting],
    answers: AnswerStore,
    *,
    take: bool = False,
) -> tuple[Answer, ...]:
    """Return the answers in a file, in its order; nothing counts unless every line does.

    Args:
        text: what is in the file.
        file: its name.
        waiting: the scenes that may be answered.
        answers: knows what was answered, and which other scene an item belongs to.
        take: an accepted item may be taken from another scene.

    Raises:
        ConfigError: with every problem and its line.
    """
    problems: list[str] = []
    by_scene: dict[SceneId, list[_Row]] = {}
    for row in list(_rows(text, problems)):
        if row.scene_id not in waiting:
            problems.append(f"line {row.line}: scene {row.scene_id!r} does not wait for review")
            continue
        by_scene.setdefault(row.scene_id, []).append(row)
        known = {one.rating_key for one in waiting[row.scene_id].candidates}
        if row.verb in {Verb.ACCEPT, Verb.REJECT} and row.rating_key not in known:
            problems.append(
                f"line {row.line}: item {row.rating_key!r} is no candidate of the scene"
            )
    givers: dict[RatingKey, int] = {}
    for rows in by_scene.values():
        problems += _conflicts(rows, givers, None if take else answers)
    if problems:
        raise _invalid(problems, file)
    return tuple(_answer(answers, waiting[one], rows) for one, rows in by_scene.items())


# ---- Private -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A line with an answer."""

    line: int
    scene_id: SceneId
    rating_key: RatingKey
    verb: Verb
    note: str


def _conflicts(
    rows: Sequence[_Row],
    givers: dict[RatingKey, int],
    answers: AnswerStore | None,
) -> Iterator[str]:
    """Yield what does not fit together about a scene; `givers` are lines that accepted an item."""
    first, verbs = rows[0], {row.verb for row in rows}
    if len(verbs - {Verb.REJECT}) > 1 or (Verb.IGNORE in verbs and len(verbs) > 1):
        named = ", ".join(sorted(verbs))
        yield f"line {first.line}: scene {first.scene_id} has several answers: {named}"
    for row in rows:
        if row.verb is not Verb.ACCEPT:
            continue
        earlier = givers.setdefault(row.rating_key, row.line)
        if earlier != row.line:
            yield f"line {row.line}: item {row.rating_key} is accepted on line {earlier}, too"
        held_by = answers.owner(row.rating_key, row.scene_id) if answers else None
        if held_by:
            yield f"line {row.line}: item {row.rating_key} is linked to scene {held_by} already"


def _answer(answers: AnswerStore, waiting: Waiting, rows: Sequence[_Row]) -> Answer:
    """Return the one answer all lines about a scene make."""
    # What is refused beside another answer follows from that one.
    verb = next((row.verb for row in rows if row.verb is not Verb.REJECT), Verb.REJECT)
    keys = {row.rating_key for row in rows if row.verb is verb}
    meant = [one for one in waiting.candidates if one.rating_key in keys]
    notes = (row.note for row in rows if row.note and verb is Verb.IGNORE)
    return answers.answer_about(waiting, verb, meant, reason=next(notes, ""))


def _cells(waiting: Waiting, candidate: Candidate | None, held_by: str) -> list[str]:
    scene, match = waiting.scene, waiting.match
    item = [""] * 6
    if candidate is not None:
        item = [candidate.rating_key, candidate.title, candidate.item_path]
        item += [candidate.library, score_text(candidate.score), held_by]
    about_scene = [scene.scene_id, scene.title, first_path(scene), match.reason]
    return [*about_scene, f"{match.margin:.2f}", *item, "", ""]


def _rows(text: str, problems: list[str]) -> Iterator[_Row]:
    """Yield the lines with an answer; what cannot be read becomes a problem."""
    text = text.removeprefix("\ufeff")
    heading = text.splitlines()[0] if text else ""
    # Spreadsheets in many countries write semicolons.
    delimiter = max(",;\t", key=heading.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lost = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
        if lost:
            problems.append(f"line 1: no column {', '.join(lost)}")
            return
        for cells in reader:
            row = _row(cells, reader.line_num, problems)
            if row is not None:
                yield row
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")


def _row(cells: Mapping[str, str | None], line: int, problems: list[str]) -> _Row | None:
    cell = {name: unguarded((cells.get(name) or "").strip()) for name in (*_NEEDED, "note")}
    word = " ".join(cell["answer"].lower().split())
    if not word:
        return None
    if word not in ANSWERS:
        problems.append(f"line {line}: {word!r} is no answer; say {', '.join(ANSWERS)}")
        return None
    return _Row(
        line, SceneId(cell["scene_id"]), RatingKey(cell["rating_key"]), ANSWERS[word], cell["note"]
    )


def _invalid(problems: list[str], file: Path) -> ConfigError:
    shown = problems[:_MOST_PROBLEMS]
    if len(problems) > len(shown):
        shown = [*shown, f"… and {len(problems) - len(shown)} more"]
    count = counted(len(problems), "problem")
    return ConfigError(
        f"{count} in the file, nothing was answered:" + "".join(f"\n  {one}" for one in shown),
        context=str(file),
        hint="mend the lines and import the file again: plexsync review import FILE",
    )
