"""A report as one HTML page: no script, nothing from elsewhere; for a screen, a phone and paper.

The page is made of elements: every text is escaped, and only an element can be an element.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from plexsync.output.status import COVERAGE_PARTS
from plexsync.text.differences import name_pieces
from plexsync.text.normalize import clean_for_terminal as clean
from plexsync.text.normalize import runs_from_right
from plexsync.text.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.output.report.values import (
        CoverageLine,
        Report,
        ReportedFile,
        ReportedRun,
        WrittenField,
        WrittenItem,
    )
    from plexsync.state import RunRecord


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_MOST_TEXT = 240
_PERCENT = 100

_WIDTH, _HEIGHT = 720, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 10, 24
_LEAST_POINTS = 2


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
    if len(report.trend) >= _LEAST_POINTS:
        yield _section("Trend", "trend", _plot(report.trend))
    yield element("h2", "What runs changed", id="runs")
    if not report.runs:
        yield _quiet("No run in this report wrote anything.")
    for run in report.runs:
        yield from _run(run)
    yield "</main></body></html>\n"


# ---- The parts of a page -------------------------------------------------------------------------


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
        _quiet(f"{when} UTC · plexsync {report.version}{scope}"),
        element("dl", *cards, class_="cards"),
        *(element("p", note, class_="warn") for note in report.notes),
    )


def _section(title: str, name: str, *parts: Html) -> Html:
    return element("section", element("h2", title, id=name), *parts)


def _quiet(words: str) -> Html:
    return element("p", words, class_="quiet")


def _more(count: int, nouns: str = "") -> list[Html]:
    """Say how many are left out, if any."""
    return [_quiet(f"… and {count:,} more{nouns}.")] if count else []


def _coverage(report: Report) -> Html:
    tables = [_coverage_table("Library", report.libraries)]
    if report.studios:
        tables.append(_coverage_table("Studio", report.studios))
    return _section("Coverage", "coverage", *tables, *_more(report.more_studios, " studios"))


def _coverage_table(title: str, lines: Sequence[CoverageLine]) -> Html:
    head = (title, "Share", "Linked", "LOW", "Not in Plex", "Ignored", "Undecided", "All")
    rows = [
        (
            line.name or "none known",
            _bar(line),
            *(f"{getattr(line, part):,}" for part in COVERAGE_PARTS),
            f"{line.scenes:,}",
        )
        for line in lines
    ]
    return table(head, rows, numbers=6)


def _bar(line: CoverageLine) -> Html:
    """Return the shares of one line; the numbers beside it say the same."""
    at = 0.0
    parts = []
    for name in COVERAGE_PARTS:
        width = _PERCENT * getattr(line, name) / max(line.scenes, 1)
        if width:
            place = {"x": f"{at:.2f}", "y": "0", "width": f"{width:.2f}", "height": "10"}
            parts.append(element("rect", **place, class_=name))
        at += width
    shape = {"viewBox": "0 0 100 10", "preserveAspectRatio": "none"}
    return element("svg", *parts, **shape, class_="share", aria_hidden="true")


def _waiting(report: Report) -> Html:
    parts = [
        element("p", f"{report.coverage.unmatched:,} wait for Plex to have their file."),
        element("p", f"{report.coverage.undecided:,} were answered and wait for the next run."),
    ]
    if report.reasons:
        counts = [(one.reason, f"{one.count:,}") for one in report.reasons]
        parts.append(table(("Why a match is not HIGH", "Scenes"), counts, numbers=1))
    if report.waiting:
        head = ("Scene", "Best candidate", "Why not HIGH", "Candidates")
        rows = [
            (
                _named(one.title or "untitled", _scene(one), f" · {one.path}"),
                _named(link(one.item or "none", one.item_url), f"{one.library} · {one.item_path}"),
                one.reason,
                f"{one.candidates:,}",
            )
            for one in report.waiting
        ]
        parts.append(table(head, rows, numbers=1, kind="stack"))
    return _section("What waits, and why", "waiting", *parts, *_more(report.more_waiting))


def _named(name: str, *more: str) -> Html:
    return join([element("b", name), element("small", *more)])


def _scene(one: ReportedFile) -> str:
    return link(f"scene {one.scene_id}", one.scene_url)


def _failing(report: Report) -> Html:
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
    shown = table(head, rows, numbers=1, kind="stack") if rows else _quiet("None.")
    return _section("Parked and failing", "failing", shown, *_more(report.more_failing))


def _run(run: ReportedRun) -> Iterator[str]:
    yield '<section class="run">'
    yield element("h3", f"{run.started_at.replace('T', ' ')} · {run.kind}")
    yield _quiet(f"Run {run.run_id} · {run.end} · {len(run.items) + run.more:,} items")
    yield from map(_item, run.items)
    yield from _more(run.more, " items")
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
        before = _cover(field.cover_before, f"{field.field} before")
        after = _cover(field.cover_after, f"{field.field} after")
    elif isinstance(field.before, str) and isinstance(field.after, str):
        before, after = _text("del", field.before), _text("ins", field.after)
    else:
        pieces = name_pieces(field.before, field.after)
        marked = [element("ins" if mark == "+" else "del", name) for mark, name in pieces]
        return [part for one in marked for part in (element("span", ", "), one)][1:]
    return [before, element("span", " → "), after]


def _text(kind: str, text: str) -> Html:
    return element(kind, shortened(text, _MOST_TEXT)) if text else element("span", "(empty)")


def _cover(body: bytes, words: str) -> Html:
    if not body:
        return element("span", "(none)", class_="quiet")
    kind = "image/png" if body.startswith(b"\x89PNG") else "image/jpeg"
    data = f"data:{kind};base64,{b64encode(body).decode()}"
    return element("img", src=data, alt=words)


# ---- The trend over runs: bars for what each wrote, lines for what waits and fails after ---------


def _plot(trend: Sequence[RunRecord]) -> Html:
    """Return the plot of two runs at least."""
    most = max(1, *(max(one.written, one.counts.review, one.counts.failed) for one in trend))
    step = (_WIDTH - _LEFT - _RIGHT) / len(trend)
    bars = [
        element(
            "rect",
            element("title", f"{one.run_id}: {one.written:,} written"),
            x=f"{_LEFT + at * step + step * 0.2:.1f}",
            y=f"{_y(one.written, most):.1f}",
            width=f"{step * 0.6:.1f}",
            height=f"{_HEIGHT - _BOTTOM - _y(one.written, most):.1f}",
            class_="written",
        )
        for at, one in enumerate(trend)
    ]
    last = trend[-1]
    words = (
        f"{len(trend)} runs. The last wrote {last.written:,}; after it {last.counts.review:,}"
        f" waited for a person and {last.counts.failed:,} failed."
    )
    svg = element(
        "svg",
        element("title", words),
        *_axis(most, trend),
        *bars,
        _line([one.counts.review for one in trend], most, step, "waiting"),
        _line([one.counts.failed for one in trend], most, step, "failed"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=words,
        xmlns="http://www.w3.org/2000/svg",
    )
    keys = [("written", "items written"), ("waiting", "wait for a person"), ("failed", "failed")]
    legend = [element("span", text, class_=f"key {name}") for name, text in keys]
    return element("figure", svg, element("figcaption", *legend))


def _axis(most: int, trend: Sequence[RunRecord]) -> list[Html]:
    parts = []
    for value in dict.fromkeys((0, most // 2, most)):
        y = f"{_y(value, most):.1f}"
        parts += [
            element("line", x1=str(_LEFT), x2=str(_WIDTH - _RIGHT), y1=y, y2=y, class_="grid"),
            element("text", f"{value:,}", x=str(_LEFT - 6), y=y, class_="left"),
        ]
    last = str(_HEIGHT - 6)
    parts.append(element("text", trend[0].started_at[:10], x=str(_LEFT), y=last))
    parts.append(
        element("text", trend[-1].started_at[:10], x=str(_WIDTH - _RIGHT), y=last, class_="right")
    )
    return parts


def _line(values: Sequence[int], most: int, step: float, name: str) -> Html:
    points = [
        f"{_LEFT + (at + 0.5) * step:.1f} {_y(value, most):.1f}" for at, value in enumerate(values)
    ]
    return element("path", d="M" + " L".join(points), class_=name)


def _y(value: int, most: int) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / most)


# ---- Elements ------------------------------------------------------------------------------------


_VOID = frozenset({"img", "meta", "rect", "path", "line", "circle"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str) -> Html:
    """Return an element; children that are no `Html` are texts.

    Attributes are escaped; `class_` is `class`, an underscore within a name a hyphen.
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(clean(value))}"'
        for key, value in attributes.items()
    )
    if name in _VOID:
        return Html(f"<{name}{shown}/>")
    return Html(f"<{name}{shown}>{join(children)}</{name}>")


def join(children: Iterable[str]) -> Html:
    """Return several elements and texts as one."""
    return Html("".join(one if isinstance(one, Html) else _escaped(one) for one in children))


def _escaped(text: str) -> str:
    shown = escape(clean(text))
    return f"<bdi>{shown}</bdi>" if runs_from_right(shown) else shown


def table(
    head: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: int = 0, kind: str = ""
) -> Html:
    """Return a table; the first cell of a row names it, the last `numbers` columns are numbers.

    A table of the kind `stack` shows one cell below the other where it would not fit.
    """
    names = list(head)
    kinds = ["text"] * (len(names) - numbers) + ["number"] * numbers
    heads = [
        element("th", name, scope="col", class_=kind_)
        for name, kind_ in zip(names, kinds, strict=True)
    ]
    body = []
    for first, *cells in rows:
        tds = []
        for name, cell, kind_ in zip(names[1:], cells, kinds[1:], strict=True):
            # A number alone says nothing where the heads are left out.
            words = {"data_head": f"{name}: "} if kind == "stack" and kind_ == "number" else {}
            tds.append(element("td", cell, class_=kind_, **words))
        body.append(element("tr", element("th", first, scope="row"), *tds))
    return element(
        "div",
        element("table", element("thead", element("tr", *heads)), element("tbody", *body)),
        class_=f"wide {kind}".strip(),
    )


def link(words: str, address: str) -> str:
    """Return words that lead to a page, which does not learn from where; "" leads nowhere."""
    return element("a", words, href=address, rel="noreferrer") if address else words
