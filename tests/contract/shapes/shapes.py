"""What recorded Plex answers look like: element, attribute, type, presence. Facts, no content.

A shape file says of one kind of answer, for every element, which attributes it always or sometimes
has and of which JSON type each is. "unrecorded" is the type of an attribute that was seen in XML
only, where everything is text.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
UNRECORDED = "unrecorded"
ITEM_ELEMENTS = frozenset({"Video", "Photo"})
ITEM_TYPES = frozenset({"movie", "show", "season", "episode"})
SECTION_MARK = "scanner"


@dataclass(frozen=True, slots=True)
class ElementShape:
    """One element: its attributes with their JSON types, and which of them are always there."""

    types: dict[str, str]
    always: frozenset[str]


Shape = dict[str, ElementShape]
"""One kind of answer, by element name as in JSON."""

Seen = tuple[str, dict[str, Any]]
"""One element of an answer: its JSON name and its attributes."""


def shape_names() -> list[str]:
    """Every kind of answer that is described."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "additions")


def load_shape(name: str) -> Shape:
    """One shape file."""
    raw = json.loads((FOLDER / f"{name}.json").read_text())
    return {
        element: ElementShape(entry["types"], frozenset(entry["always"]))
        for element, entry in raw["elements"].items()
    }


def load_additions() -> dict[str, dict[str, str]]:
    """Attributes no recording here holds, with the reason why the simulator sends them."""
    additions: dict[str, dict[str, str]] = json.loads((FOLDER / "additions.json").read_text())
    return additions


def walk_json(document: dict[str, Any]) -> Iterator[Seen]:
    """Every element of a JSON answer."""
    yield from _walk_json("MediaContainer", document["MediaContainer"])


def walk_xml(root: ET.Element) -> Iterator[Seen]:
    """Every element of an XML answer, under the name it has in JSON."""
    yield json_name(root), dict(root.attrib)
    for child in root:
        yield from walk_xml(child)


def json_name(element: ET.Element) -> str:
    """What an XML element is called in JSON: items are all `Metadata`."""
    is_directory_item = element.tag == "Directory" and (
        element.get("type") in ITEM_TYPES and SECTION_MARK not in element.attrib
    )
    return "Metadata" if element.tag in ITEM_ELEMENTS or is_directory_item else element.tag


def type_name(value: object) -> str:
    """The JSON type of an attribute, as shape files call it."""
    return type(value).__name__


def read_document(path: Path) -> list[Seen]:
    """Every element of a recorded answer, whichever way it is written."""
    if path.suffix == ".json":
        return list(walk_json(json.loads(path.read_text())))
    return list(walk_xml(ET.fromstring(path.read_text())))  # noqa: S314 - a file the user named


def xml_to_json(root: ET.Element, shape: Shape) -> dict[str, Any]:
    """An XML answer as the JSON the same server gives for it, typed as the shape says."""
    return {"MediaContainer": _object(root, shape)}


def _object(element: ET.Element, shape: Shape) -> dict[str, Any]:
    """One element with its children as arrays."""
    known = shape.get(json_name(element))
    types = known.types if known else {}
    found: dict[str, Any] = {
        name: _typed(value, types.get(name, "str")) for name, value in element.attrib.items()
    }
    for child in element:
        if child.tag == "UltraBlurColors":
            found[child.tag] = _object(child, shape)
        else:
            found.setdefault(json_name(child), []).append(_object(child, shape))
    return found


def _typed(text: str, wanted: str) -> object:
    """An attribute's text as its JSON value."""
    match wanted:
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "bool":
            return text == "1"
        case _:
            return text


def _walk_json(name: str, entry: dict[str, Any]) -> Iterator[Seen]:
    """One object and everything below it."""
    attributes = {key: value for key, value in entry.items() if not isinstance(value, list | dict)}
    yield name, attributes
    for key, value in entry.items():
        children = value if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, dict):
                yield from _walk_json(key, child)
