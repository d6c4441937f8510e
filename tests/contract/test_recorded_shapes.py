"""The simulated Plex server, and our decoder, against the shapes of recorded answers.

The shapes (tests/contract/shapes) are facts taken from answers real servers gave. With a folder of
such recordings in the environment variable PLEXSYNC_RECORDED the same claims are tested on them.
"""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.plex.decode import decode_details, decode_hashes, decode_listing
from tests.contract.shapes import derive
from tests.contract.shapes.shapes import (
    UNRECORDED,
    json_name,
    load_additions,
    load_shape,
    shape_names,
    type_name,
    walk_json,
    walk_xml,
    xml_to_json,
)
from tests.support.plex_factories import (
    ask_json,
    ask_xml,
    make_episode,
    make_film,
    make_media,
    make_plex,
    make_video,
    put,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.simulators.plex.simulator import PlexSimulator
    from tests.contract.shapes.shapes import Seen, Shape

RECORDED = os.environ.get("PLEXSYNC_RECORDED", "")
LISTED = "X-Plex-Container-Start=0&X-Plex-Container-Size=50"
ANSWERS = {
    "identity": "/identity",
    "sections": "/library/sections",
    "movie_listing": f"/library/sections/2/all?type=1&{LISTED}",
    "movie_detail": "/library/metadata/20",
    "episode_listing": "/library/metadata/{season}/children",
    "tree": "/library/metadata/20/tree",
}
"""The simulator's answer of each kind that was recorded."""

OTHER_ANSWERS = (
    "/",
    "/library",
    f"/library/sections/1/all?type=1&includeGuids=1&{LISTED}",
    f"/library/sections/3/all?type=2&{LISTED}",
    f"/library/sections/3/all?type=3&{LISTED}",
    "/library/metadata/10?checkFiles=1",
    "/library/metadata/{show}/children",
    "/library/metadata/20/posters",
    "/activities",
)
"""Answers the simulator gives of which no recording is here."""

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "movie_listing": decode_listing,
    "episode_listing": decode_listing,
    "movie_detail": decode_details,
    "tree": decode_hashes,
}
"""Our decoder of each kind of answer; the rest is read with plexapi."""

PLACEHOLDERS: dict[str, object] = {"int": 7, "float": 7.5, "bool": True, "str": "x"}
SPECIAL: dict[str, object] = {
    "ratingKey": "7",
    "type": "movie",
    "key": "/library/parts/7/1740000000/file.mp4",
    "originallyAvailableAt": "2024-05-01",
    "openSubtitleHash": "00ff00ff00ff00ff",
    "size": 1,
}
CHILDREN = {
    "MediaContainer": ("Metadata", "MetadataItem"),
    "Metadata": ("Media", "Genre", "Director", "Writer", "Role", "Country", "Collection", "Image"),
    "Media": ("Part",),
    "Part": ("Stream",),
    "MetadataItem": ("MediaItem",),
    "MediaItem": ("MediaPart",),
    "MediaPart": ("MediaStream",),
}
"""Which element stands in which, for documents made from a shape."""


def answers(*names: str) -> list[Any]:
    """Answers of these kinds: made from their shapes, and recorded ones where there are any."""
    made = [
        pytest.param(name, made_from(name, everything=everything), id=f"{name}-{label}")
        for name in names
        for label, everything in (("least", False), ("most", True))
    ]
    recorded = [
        pytest.param(name, read_recording(name, Path(RECORDED) / file), id=f"{name}-{file}")
        for name in names
        for file in (derive.RECORDINGS.get(name, ()) if RECORDED else ())
    ]
    return made + recorded


def read_recording(name: str, path: Path) -> dict[str, Any]:
    """A recorded answer as JSON, completed with what its recorders took out."""
    if path.suffix == ".json":
        document: dict[str, Any] = json.loads(path.read_text())
    else:
        root = ET.fromstring(path.read_text())  # noqa: S314 - a file the user named
        document = xml_to_json(root, load_shape(name))
    container = document["MediaContainer"]
    for entry in (*container.get("Metadata", ()), *container.get("Directory", ())):
        for attribute in derive.SCRUBBED.get(path.name, ()):
            entry.setdefault(attribute, 0 if attribute.endswith("At") else "")
    if name == "episode_listing":
        # Three of nine episodes were kept, with the count of all of them.
        container["size"] = len(container["Metadata"])
    return document


def make_answering_plex() -> PlexSimulator:
    """A server with something odd in every answer."""
    odd = make_media(10, "/media/a.mp4", optimized=True, deleted_at=7)
    odd = replace(odd, parts=(replace(odd.parts[0], deleted_at=7),))
    plex = make_plex(
        make_film(20), make_episode(30), make_video(10, media=(odd,), deleted_at=1_740_000_000)
    )
    plex.set_refreshing(1, refreshing=True)
    put(plex, "/library/metadata/10?editionTitle.value=Uncut&label[0].tag.tag=Odd")
    return plex


def simulated(target: str, *, in_json: bool) -> list[Seen]:
    """Every element of an answer of the simulator."""
    plex = make_answering_plex()
    keys = {entry["type"]: key for key, entry in plex.dump().items()}
    target = target.format(season=keys["season"], show=keys["show"])
    if in_json:
        return list(walk_json({"MediaContainer": ask_json(plex, target)}))
    return list(walk_xml(ask_xml(plex, target)))


def made_from(name: str, *, everything: bool) -> dict[str, Any]:
    """An answer of that shape, with what is always there or with all that ever was."""
    document = {"MediaContainer": _made(load_shape(name), "MediaContainer", everything=everything)}
    if name == "episode_listing":
        document["MediaContainer"]["Metadata"][0]["type"] = "episode"
    return document


def _made(shape: Shape, element: str, *, everything: bool) -> dict[str, Any]:
    """One object and what stands in it."""
    known = shape[element]
    names = known.types if everything else known.always
    made: dict[str, Any] = {
        name: SPECIAL[name]
        if type_name(SPECIAL.get(name)) == known.types[name]
        else PLACEHOLDERS.get(known.types[name], "x")
        for name in names
    }
    for child in CHILDREN.get(element, ()):
        if child in shape:
            made[child] = [_made(shape, child, everything=everything)]
    return made


def decode(name: str, document: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever the decoder gives
    """What our decoder of that kind of answer makes of it."""
    return DECODERS[name](json.dumps(document).encode())


def described_attributes() -> dict[str, set[str]]:
    """Every attribute of every element that any recording shows."""
    found: dict[str, set[str]] = {}
    for name in shape_names():
        for element, shape in load_shape(name).items():
            found.setdefault(element, set()).update(shape.types)
    return found


@pytest.mark.parametrize("in_json", [True, False], ids=["json", "xml"])
@pytest.mark.parametrize("target", [*ANSWERS.values(), *OTHER_ANSWERS])
def test_simulator_invents_no_attribute(target: str, *, in_json: bool) -> None:
    """What the simulator sends is recorded, or listed with the reason why it is sent."""
    known = described_attributes()
    additions = load_additions()

    invented = {
        f"{element}.{attribute}"
        for element, attributes in simulated(target, in_json=in_json)
        for attribute in attributes
        if attribute not in known.get(element, ()) and attribute not in additions.get(element, ())
    }

    assert invented == set()


@pytest.mark.parametrize("in_json", [True, False], ids=["json", "xml"])
@pytest.mark.parametrize("name", ANSWERS)
def test_simulator_leaves_out_nothing_that_is_always_there(name: str, *, in_json: bool) -> None:
    """An attribute every recording shows is one clients may rely on."""
    shape = load_shape(name)

    missing = {
        f"{element}.{attribute}"
        for element, attributes in simulated(ANSWERS[name], in_json=in_json)
        if element in shape
        for attribute in shape[element].always - attributes.keys()
    }

    assert missing == set()


@pytest.mark.parametrize("name", ANSWERS)
def test_simulator_types_its_json_as_recorded(name: str) -> None:
    """Numbers are numbers and rating keys text, exactly where recordings have them so."""
    shape = load_shape(name)

    wrong = {
        f"{element}.{attribute}: {type_name(value)}"
        for element, attributes in simulated(ANSWERS[name], in_json=True)
        if element in shape
        for attribute, value in attributes.items()
        if shape[element].types.get(attribute, UNRECORDED) not in (UNRECORDED, type_name(value))
    }

    assert wrong == set()


@pytest.mark.parametrize("target", [*ANSWERS.values(), *OTHER_ANSWERS])
def test_simulator_says_the_same_in_xml_and_json(target: str) -> None:
    """Both forms hold the same elements with the same attributes."""
    in_json = sorted((name, sorted(found)) for name, found in simulated(target, in_json=True))

    in_xml = sorted((name, sorted(found)) for name, found in simulated(target, in_json=False))

    assert in_xml == in_json


@pytest.mark.parametrize("name", DECODERS)
def test_decoder_reads_the_simulator(name: str) -> None:
    """Our decoder finds the one film, episode or hash of the simulator's answer."""
    plex = make_answering_plex()
    season = next(key for key, entry in plex.dump().items() if entry["type"] == "season")
    container = ask_json(plex, ANSWERS[name].format(season=season))

    decoded = decode(name, {"MediaContainer": container})

    assert len(decoded.items if name.endswith("listing") else decoded) == 1


@pytest.mark.parametrize("element", sorted(load_additions()))
def test_additions_are_reasoned_and_needed(element: str) -> None:
    """Every listed addition has a reason, and none is listed that a recording shows anyway."""
    additions = load_additions()[element]

    assert all(additions.values())
    assert set(additions).isdisjoint(described_attributes().get(element, ()))


@pytest.mark.parametrize(("name", "document"), answers(*ANSWERS))
def test_answer_fits_its_shape(name: str, document: dict[str, Any]) -> None:
    """An answer has no attribute and no type its shape does not know, and all that always is."""
    shape = load_shape(name)
    seen = list(walk_json(document))

    wrong = {
        f"{element}.{attribute}: {type_name(value)}"
        for element, attributes in seen
        for attribute, value in attributes.items()
        if shape[element].types.get(attribute) not in (UNRECORDED, type_name(value))
    }
    missing = {
        f"{element}.{attribute}"
        for element, attributes in seen
        for attribute in shape[element].always - attributes.keys()
    }

    assert (wrong, missing) == (set(), set())


@pytest.mark.parametrize(("name", "document"), answers(*DECODERS))
def test_decoder_reads_the_answer(name: str, document: dict[str, Any]) -> None:
    """Our decoder finds every item, file and hash an answer holds."""
    seen = list(walk_json(document))
    entries = [attributes for element, attributes in seen if element == "Metadata"]
    files = [attributes for element, attributes in seen if element == "Part"]
    hashed = [attributes for element, attributes in seen if element == "MediaPart"]

    decoded = decode(name, document)

    if name == "tree":
        read = {part: oshash for parts in decoded.values() for part, oshash in parts.items()}
        assert read == {part["id"]: int(part["openSubtitleHash"], 16) for part in hashed}
        return
    items = decoded.items if name.endswith("listing") else [detail.item for detail in decoded]
    parts = [part for item in items for part in item.files]
    assert [(item.title, item.rating_key) for item in items] == [
        (entry["title"], entry["ratingKey"]) for entry in entries
    ]
    assert [(part.path, part.size_bytes) for part in parts] == [
        (file["file"], file["size"]) for file in files
    ]


def test_sections_differ_from_shows() -> None:
    """A library and a show are both a `Directory` in XML; only the show is an item."""
    section = ET.Element("Directory", {"type": "show", "scanner": "Plex TV Series"})
    show = ET.Element("Directory", {"type": "show"})

    assert [json_name(section), json_name(show)] == ["Directory", "Metadata"]
