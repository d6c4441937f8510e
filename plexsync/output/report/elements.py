"""HTML made of elements: every text is escaped, and only an element can be an element."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from plexsync.text.normalize import clean_for_terminal as clean

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    return Html("".join(one if isinstance(one, Html) else escape(clean(one)) for one in children))


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
        others = zip(cells, kinds[1:], strict=True)
        tds = [element("td", cell, class_=kind_) for cell, kind_ in others]
        body.append(element("tr", element("th", first, scope="row"), *tds))
    return element(
        "div",
        element("table", element("thead", element("tr", *heads)), element("tbody", *body)),
        class_=f"wide {kind}".strip(),
    )


def link(words: str, address: str) -> str:
    """Return words that lead to a page, which does not learn from where; "" leads nowhere."""
    return element("a", words, href=address, rel="noreferrer") if address else words


def embedded_picture(body: bytes, content_type: str, words: str) -> Html:
    """Return a picture that is part of the page."""
    data = f"data:{content_type};base64,{b64encode(body).decode()}"
    return element("img", src=data, alt=words)
