"""One element tree, written as XML or as JSON, so that both forms of an answer agree.

An attribute's Python type is its JSON type; XML writes booleans as 1 and 0. Children that share a
list name become one JSON array, in the place of the first.

Source: docs/plex-api.md 1, "Accept"; the types are those of tests/contract/shapes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Scalar = str | int | float | bool

_SPECIAL = re.compile("[&<>\"'\n\r\t]")
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
    "\n": "&#10;",
    "\r": "&#13;",
    "\t": "&#9;",
}


@dataclass(slots=True)
class Element:
    """One element of an answer.

    Attributes:
        name: its XML name.
        attributes: in the order they are written.
        children: likewise.
        list_name: its JSON name; "" for the same as in XML.
        alone: in JSON it is an object of its own, not a list of them.
    """

    name: str
    attributes: dict[str, Scalar]
    children: list[Element] = field(default_factory=list)
    list_name: str = ""
    alone: bool = False


def to_xml(element: Element) -> bytes:
    """Return the element as a fragment of a document, ending in a newline."""
    lines: list[str] = []
    _write_xml(element, lines)
    return "".join(lines).encode("utf-8", "surrogatepass")


def to_json(element: Element) -> bytes:
    """Return the element as a JSON object."""
    text = json.dumps(_plain(element), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def xml_document(container: Element, fragments: Iterable[bytes] = ()) -> bytes:
    """Return a whole XML document: `container` around its children and then `fragments`.

    Characters XML forbids are written as they are, because Plex does so.
    Source: docs/plex-api.md 6.
    """
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n{_start_tag(container)}>\n'
    own = [to_xml(child) for child in container.children]
    return b"".join((head.encode(), *own, *fragments, b"</MediaContainer>\n"))


def json_document(
    container: Element, fragments: Iterable[bytes] = (), *, list_name: str = "Metadata"
) -> bytes:
    """Return a JSON document, `fragments` listed under `list_name`; no list for none."""
    head = to_json(container)
    listed = b",".join(fragments)
    if listed:
        head = b'%b,"%b":[%b]}' % (head[:-1], list_name.encode(), listed)
    return b'{"MediaContainer":%b}' % head


def _write_xml(element: Element, lines: list[str]) -> None:
    """Append the element's lines."""
    lines.append(_start_tag(element))
    if not element.children:
        lines.append(" />\n")
        return
    lines.append(">\n")
    for child in element.children:
        _write_xml(child, lines)
    lines.append(f"</{element.name}>\n")


def _start_tag(element: Element) -> str:
    """`<Name a="1"`, still open."""
    written = "".join(
        f' {name}="{_xml_value(value)}"' for name, value in element.attributes.items()
    )
    return f"<{element.name}{written}"


def _xml_value(value: Scalar) -> str:
    """Return an attribute value, escaped."""
    if isinstance(value, str):
        return _SPECIAL.sub(lambda found: _ESCAPES[found.group()], value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def _plain(element: Element) -> dict[str, object]:
    """Return what `json` can write."""
    plain: dict[str, object] = dict(element.attributes)
    lists: dict[str, list[object]] = {}
    for child in element.children:
        name = child.list_name or child.name
        if child.alone:
            plain[name] = _plain(child)
            continue
        if name not in lists:
            plain[name] = lists[name] = []
        lists[name].append(_plain(child))
    return plain
