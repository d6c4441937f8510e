"""The libraries of a Plex server: which can be kept in step, and what each says of itself.

Source: docs/plex-api.md 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import BadResponseError, LibraryMissingError
from plexsync.models import ItemKind, Section
from plexsync.plex.connection import read_xml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from plexsync.transport.client import HttpResponse

_LONGEST_COUNTER = 18
"""Decimal digits of a counter: epochs have ten."""

_CUSTOM_PROVIDER = "tv.plex.agents.custom."
_NFO_AGENT = "tv.plex.agents.nfo."
"""How the agents begin that take their words from elsewhere. Source: docs/plex-api.md 7."""

_SECTION_KINDS = {"movie": ItemKind.MOVIE, "show": ItemKind.EPISODE}


def library_list(answer: HttpResponse) -> Element:
    """Return the server's list of libraries.

    Raises:
        BadResponseError: it is none.
    """
    container = read_xml(answer)
    if container.tag != "MediaContainer":
        raise BadResponseError("Plex sent no list of libraries")
    return container


def chosen_sections(container: Element, names: Sequence[str]) -> tuple[Section, ...]:
    """Return the movie and show libraries of these titles or ids, in that order; for none all.

    The exact title counts; where there is none, the id; then a title that differs in case or
    surrounding spaces only.

    Args:
        container: the server's list of libraries.
        names: titles or ids.

    Raises:
        LibraryMissingError: a name belongs to no library, to several, or to one of another kind.
    """
    found = tuple(_section(entry) for entry in container.iter("Directory") if _usable(entry))
    if not names:
        return found
    chosen: dict[str, Section] = {}
    for name in names:
        section = _choose(found, name, container)
        chosen[section.section_id] = section
    return tuple(chosen.values())


def _choose(sections: Sequence[Section], name: str, container: Element) -> Section:
    """Return the one library a name means.

    Raises:
        LibraryMissingError: there is none, or there are several.
    """
    exact = [section for section in sections if section.title == name]
    by_id = [section for section in sections if section.section_id == name.strip()]
    alike = [section for section in sections if _same_name(section.title, name)]
    same = exact or by_id or alike
    if not same:
        raise _library_missing(name, container)
    if len(same) > 1:
        ids = " and ".join(f"{one.title!r} with id {one.section_id}" for one in same)
        raise LibraryMissingError(
            f"{len(same)} Plex libraries are called {name!r}: {ids}",
            hint="name the id instead of the title in [plex] libraries, or give one another title",
        )
    return same[0]


def other_writer(section: Section) -> str:
    """Return who else writes metadata to a library: its agent, in words; "" for one that may.

    What such an agent finds goes to every field plexsync has not locked, in every refresh.
    Source: docs/plex-api.md 7.
    """
    agent = section.agent.lower()
    if agent.startswith(_CUSTOM_PROVIDER):
        return f"a custom metadata provider ({section.agent})"
    if agent.startswith(_NFO_AGENT):
        return f"Plex's NFO agent ({section.agent})"
    return f"a Stash agent ({section.agent})" if "stash" in agent else ""


def _usable(entry: Element) -> bool:
    return entry.get("type") in _SECTION_KINDS and bool(entry.get("key", "").isdecimal())


def _section(entry: Element) -> Section:
    return Section(
        section_id=entry.get("key", ""),
        title=entry.get("title", ""),
        kind=_SECTION_KINDS[entry.get("type", "")],
        agent=entry.get("agent", ""),
        uuid=entry.get("uuid", ""),
        locations=tuple(place.get("path", "") for place in entry.iter("Location")),
        refreshing=entry.get("refreshing") in {"1", "true"},
        content_changed_at=_counter(entry, "contentChangedAt"),
        scanned_at=_counter(entry, "scannedAt"),
        updated_at=_counter(entry, "updatedAt"),
    )


def _counter(entry: Element, name: str) -> int:
    text = entry.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_COUNTER else 0


def _same_name(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _library_missing(name: str, container: Element) -> LibraryMissingError:
    entries = list(container.iter("Directory"))
    for entry in entries:
        if _same_name(entry.get("title", ""), name):
            return LibraryMissingError(
                f"the Plex library {name!r} is of type {entry.get('type')!r}; "
                "only movie and show libraries can be kept in step",
                hint="name another one in [plex] libraries, or none for all that can be",
            )
    usable = sorted(repr(entry.get("title", "")) for entry in entries if _usable(entry))
    return LibraryMissingError(
        f"there is no Plex library called {name!r}",
        hint=f"the server has {', '.join(usable) or 'no movie or show library'}; name one it has "
        "in [plex] libraries",
    )
