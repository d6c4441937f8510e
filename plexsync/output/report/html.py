"""A report as one HTML page: no script, nothing from elsewhere; for a screen, a phone and paper."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from plexsync.output.report.elements import Html, element, embedded_picture, join, link, table
from plexsync.output.report.plot import trend_plot
from plexsync.text.differences import name_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plexsync.output.report.values import (
        CoverageLine,
        FailingScene,
        Report,
        ReportedRun,
        ReportedScene,
        WrittenField,
        WrittenItem,
    )

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_MOST_TEXT = 240
_PERCENT = 100
_PARTS = ("linked", "low", "unmatched", "ignored", "undecided")


def report_html(report: Report) -> Iterator[str]:
    """Return the page piece by piece."""
    style = files("plexsync.output.report").joinpath("report.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"plexsync report {report.made_at[:10]}"),
        element("style", Html(style)),
    )
    yield f'<!doctype html>\n<html lang="en">{head}<body>'
    yield _top(report)
    yield "<main>"
    yield _coverage(report)
    yield _waiting(report)
    yield _failing(report)
    yield _trend(report)
    yield element("h2", "What runs changed", id="runs")
    if not report.runs:
        yield element("p", "No run in this report wrote anything.", class_="quiet")
    for run in report.runs:
        yield from _run(run)
    yield "</main></body></html>\n"


# ---- Private -------------------------------------------------------------------------------------


def _top(report: Report) -> Html:
    total = report.coverage
    share = f"{_PERCENT * total.linked / total.scenes:.1f} %" if total.scenes else "none"
    facts = [
        ("Scenes", f"{total.scenes:,}"),
        ("Linked", f"{total.linked:,} ({share})"),
        ("Wait for a person", f"{total.low:,}"),
        ("Not in Plex", f"{total.unmatched:,}"),
        ("Failing or parked", f"{len(report.failing) + report.more_failing:,}"),
    ]
    facts += report.kept_words
    cards = [element("div", element("dt", name), element("dd", value)) for name, value in facts]
    scope = f" · {report.scope}" if report.scope else ""
    when = report.made_at.replace("T", " ").removesuffix("Z")
    return element(
        "header",
        element("h1", "plexsync report"),
        element("p", f"{when} UTC · plexsync {report.version}{scope}", class_="quiet"),
        element("dl", *cards, class_="cards"),
        *(element("p", note, class_="warn") for note in report.notes),
    )


def _coverage(report: Report) -> Html:
    parts = [element("h2", "Coverage", id="coverage"), _coverage_table("Library", report.libraries)]
    if report.studios:
        parts.append(_coverage_table("Studio", report.studios))
    if report.more_studios:
        parts.append(element("p", f"… and {report.more_studios:,} more studios.", class_="quiet"))
    return element("section", *parts)


def _coverage_table(title: str, lines: Sequence[CoverageLine]) -> Html:
    head = (title, "Share", "Linked", "LOW", "Not in Plex", "Ignored", "Undecided", "All")
    rows = [
        (
            line.name or "none known",
            _bar(line),
            *(f"{getattr(line, part):,}" for part in _PARTS),
            f"{line.scenes:,}",
        )
        for line in lines
    ]
    return table(head, rows, numbers=6)


def _bar(line: CoverageLine) -> Html:
    """Return the shares of one line; the numbers beside it say the same."""
    at = 0.0
    parts = []
    for name in _PARTS:
        width = _PERCENT * getattr(line, name) / max(line.scenes, 1)
        if width:
            parts.append(
                element(
                    "rect", x=f"{at:.2f}", y="0", width=f"{width:.2f}", height="10", class_=name
                )
            )
        at += width
    return element(
        "svg",
        *parts,
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        class_="share",
        aria_hidden="true",
    )


def _waiting(report: Report) -> Html:
    parts = [element("h2", "What waits, and why", id="waiting")]
    facts = [
        f"{report.coverage.unmatched:,} wait for Plex to have their file.",
        f"{report.coverage.undecided:,} were answered and wait for the next run.",
    ]
    parts += [element("p", fact) for fact in facts]
    if report.reasons:
        rows = [(one.reason, f"{one.count:,}") for one in report.reasons]
        parts.append(table(("Why a match is not HIGH", "Scenes"), rows, numbers=1))
    if report.waiting:
        head = ("Scene", "Best candidate", "Why not HIGH", "Candidates")
        rows_ = [
            (
                join(
                    [
                        element("b", one.title or "untitled"),
                        element("small", _scene(one), f" · {one.path}"),
                    ]
                ),
                join(
                    [
                        element("b", link(one.item or "none", one.item_url)),
                        element("small", f"{one.library} · {one.item_path}"),
                    ]
                ),
                one.reason,
                f"{one.candidates:,}",
            )
            for one in report.waiting
        ]
        parts.append(table(head, rows_, numbers=1, kind="stack"))
    if report.more_waiting:
        parts.append(element("p", f"… and {report.more_waiting:,} more.", class_="quiet"))
    return element("section", *parts)


def _scene(one: ReportedScene | FailingScene | WrittenItem) -> str:
    return link(f"scene {one.scene_id}", one.scene_url)


def _failing(report: Report) -> Html:
    parts = [element("h2", "Parked and failing", id="failing")]
    if not report.failing:
        return element("section", *parts, element("p", "None.", class_="quiet"))
    rows = [
        (
            join([_scene(one), element("small", link(one.path, one.item_url))]),
            f"again at {one.due_at}" if one.due_at else "parked: plexsync retry",
            one.problem,
            one.remedy,
            f"{one.attempts:,}",
        )
        for one in report.failing
    ]
    head = ("Scene", "Next try", "What went wrong", "Remedy", "Tries")
    parts.append(table(head, rows, numbers=1, kind="stack"))
    if report.more_failing:
        parts.append(element("p", f"… and {report.more_failing:,} more.", class_="quiet"))
    return element("section", *parts)


def _trend(report: Report) -> Html:
    plot = trend_plot(report.trend)
    if not plot:
        return Html("")
    return element("section", element("h2", "Trend", id="trend"), plot)


def _run(run: ReportedRun) -> Iterator[str]:
    yield '<section class="run">'
    yield element("h3", f"{run.started_at.replace('T', ' ')} · {run.kind}")
    count = len(run.items) + run.more
    yield element("p", f"Run {run.run_id} · {run.end} · {count:,} items", class_="quiet")
    for item in run.items:
        yield _item(item)
    if run.more:
        yield element("p", f"… and {run.more:,} more items.", class_="quiet")
    yield "</section>"


def _item(item: WrittenItem) -> Html:
    fields = [join([element("dt", one.field), element("dd", *_change(one))]) for one in item.fields]
    tag = [] if item.outcome == "applied" else [element("span", item.outcome, class_="tag")]
    return element(
        "article",
        element("h4", item.title or "untitled", *tag),
        element(
            "small",
            _scene(item),
            " · ",
            link(f"item {item.rating_key}", item.item_url),
            f" · {item.path}",
        ),
        element("dl", *fields, class_="diff"),
    )


def _change(field: WrittenField) -> list[Html]:
    if field.cover_before or field.cover_after:
        return [
            _cover(field.cover_before, f"{field.field} before"),
            element("span", " → "),
            _cover(field.cover_after, f"{field.field} after"),
        ]
    if isinstance(field.before, str) and isinstance(field.after, str):
        return [
            element("del", _short(field.before)) if field.before else element("span", "(empty)"),
            element("span", " → "),
            element("ins", _short(field.after)) if field.after else element("span", "(empty)"),
        ]
    pieces = name_pieces(field.before, field.after)
    marked = [element("ins" if mark == "+" else "del", name) for mark, name in pieces]
    return [part for one in marked for part in (element("span", ", "), one)][1:]


def _cover(body: bytes, words: str) -> Html:
    if not body:
        return element("span", "(none)", class_="quiet")
    kind = "image/png" if body.startswith(b"\x89PNG") else "image/jpeg"
    return embedded_picture(body, kind, words)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"
