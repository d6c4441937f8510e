"""Write the shape files from recorded answers: `python -m tests.contract.shapes.derive FOLDER`.

The recordings are other people's and stay out of this repository; what is kept is which attributes
their elements have.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.contract.shapes.shapes import (
    FOLDER,
    UNRECORDED,
    Seen,
    read_document,
    type_name,
    walk_json,
)

RECORDINGS = {
    "sections": ("ha_library_sections.xml", "pms143_library_sections.xml"),
    "movie_listing": (
        "movie_list.json",
        "movie_list_2016_paged.xml",
        "pms143_movie_file_filter_hit.xml",
        "pms143_movie_file_filter_miss.xml",
    ),
    "movie_detail": ("movie_detail_108.json",),
    "episode_listing": ("tv_episodes.json",),
    "tree": ("pms143_metadata_tree.xml",),
}
"""The recorded answers of each kind."""

SCRUBBED = {
    "pms143_library_sections.xml": {"uuid", "updatedAt", "art", "thumb", "composite"},
    "pms143_movie_file_filter_hit.xml": {"addedAt", "updatedAt"},
}
"""Attributes their recorders took out of a recording: their absence there says nothing."""

NOT_OF_EVERY_ITEM = frozenset(
    {
        "art",
        "audienceRating",
        "contentRating",
        "hasPremiumPrimaryExtra",
        "rating",
        "ratingImage",
        "role",
        "studio",
        "tagline",
        "banner",
        "grandparentArt",
        "grandparentContentRating",
        "grandparentStudio",
        "grandparentTheme",
        "theme",
    }
)
"""What an item has only where there is something to say, although a small recording always has."""

TYPED_ELSEWHERE = {
    "MediaContainer.offset": "int",
    "MediaContainer.totalSize": "int",
    "Metadata.audienceRating": "float",
    "Metadata.lastViewedAt": "int",
    "Metadata.viewCount": "int",
    "Media.hasVoiceActivity": "bool",
    "Directory.allowSync": "bool",
    "Directory.content": "bool",
    "Directory.contentChangedAt": "int",
    "Directory.createdAt": "int",
    "Directory.directory": "bool",
    "Directory.filters": "bool",
    "Directory.hidden": "int",
    "Directory.refreshing": "bool",
    "Directory.scannedAt": "int",
    "Directory.updatedAt": "int",
    "Location.id": "int",
    "MediaItem.id": "int",
}
"""Types of attributes seen here in XML only. Source: public JSON answers of Plex servers."""

EVERYWHERE = {
    "allowSync": "bool",
    "size": "int",
    "mediaTagVersion": "int",
    "librarySectionID": "int",
}
"""Types of what every kind of container has, recorded as JSON for at least one kind."""

Typed = list[tuple[str, dict[str, str]]]
"""The elements of an answer with the type of every attribute."""


def derive(folder: Path) -> dict[str, dict[str, Any]]:
    """Every shape, by name, as its file holds it."""
    shapes = {
        name: _shape([_documented(folder / file) for file in files])
        for name, files in RECORDINGS.items()
    }
    examples = json.loads((folder / "spec_examples_identity_tree.json").read_text())
    shapes["identity"] = _shape([_typed(list(walk_json(examples["identity"])), in_json=True)])
    tree = [
        (element, attributes)
        for element, attributes in walk_json(examples["tree_show_first_season"])
        if element in {"MediaContainer", "MetadataItem", "MediaPart", "MediaStream"}
    ]
    recorded = [_documented(folder / file) for file in RECORDINGS["tree"]]
    shapes["tree"] = _shape([*recorded, _typed(tree, in_json=True)])
    return {name: {"elements": elements} for name, elements in shapes.items()}


def _documented(path: Path) -> Typed:
    """A recording; what was scrubbed from an item or a library counts as seen."""
    scrubbed = SCRUBBED.get(path.name, set()) if path.suffix == ".xml" else set()
    typed = _typed(read_document(path), in_json=path.suffix == ".json")
    for element, types in typed:
        if element in {"Metadata", "Directory"}:
            types.update(dict.fromkeys(scrubbed - types.keys(), UNRECORDED))
    return typed


def _typed(document: list[Seen], *, in_json: bool) -> Typed:
    """The types in place of the values; in XML everything is text."""
    return [
        (
            element,
            {
                name: type_name(value) if in_json else UNRECORDED
                for name, value in attributes.items()
            },
        )
        for element, attributes in document
    ]


def _shape(documents: list[Typed]) -> dict[str, dict[str, Any]]:
    """Elements with the union of their attributes and those every occurrence has."""
    types: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    always: dict[str, set[str]] = {}
    for element, attributes in (seen for document in documents for seen in document):
        always[element] = always.get(element, set(attributes)) & set(attributes)
        for name, kind in attributes.items():
            types[element][name].add(kind)
    return {
        element: {
            "types": {
                name: _one_type(element, name, found) for name, found in sorted(named.items())
            },
            "always": sorted(always[element] - NOT_OF_EVERY_ITEM),
        }
        for element, named in sorted(types.items())
    }


def _one_type(element: str, name: str, found: set[str]) -> str:
    """The one type JSON showed; if none did, the one known from elsewhere."""
    recorded = sorted(found - {UNRECORDED})
    if len(recorded) > 1:
        message = f"{element}.{name} has several types: {recorded}"
        raise ValueError(message)
    if recorded:
        return recorded[0]
    elsewhere = EVERYWHERE.get(name) if element == "MediaContainer" else None
    return elsewhere or TYPED_ELSEWHERE.get(f"{element}.{name}", UNRECORDED)


def main(folder: Path) -> None:
    """Write every shape file."""
    for name, shape in derive(folder).items():
        (FOLDER / f"{name}.json").write_text(json.dumps(shape, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
