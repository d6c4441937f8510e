"""How a Plex server is asked, who it says it is, and which libraries it has.

Source: docs/plex-api.md 1 and 2.
"""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from plexsync import __version__
from plexsync.errors import BadResponseError, LibraryMissingError
from plexsync.models import ItemKind, RatingKey, Section, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from plexsync.transport.client import Transport
    from plexsync.transport.outgoing import RequestRules
    from plexsync.transport.responses import HttpResponse

PRODUCT = "plexsync"

JSON = (("Accept", "application/json"),)
"""Plex answers in XML unless asked."""

DONE = frozenset({200, 201, 204})
"""What Plex answers to a change, whether or not anything changed."""

_MOST_KEY_BYTES = 3900
"""Bytes of the keys in one address, so that it stays below 4,096, and below 8,000 where its commas
are encoded; servers and proxies take 8,000 as they come. One that is refused is asked in parts."""

_ITEM = quote("/library/metadata/", safe="")
"""What stands before a rating key in the address of an item's page."""

_PREFIX = "PLEXAPI_"
"""What the environment variables plexapi reads begin with."""

_LONGEST_COUNTER = 18
"""Decimal digits of a counter: epochs have ten."""

_CUSTOM_PROVIDER = "tv.plex.agents.custom."
_NFO_AGENT = "tv.plex.agents.nfo."
"""How the agents begin that take their words from elsewhere. Source: docs/plex-api.md 7."""

_SECTION_KINDS = {"movie": ItemKind.MOVIE, "show": ItemKind.EPISODE}

T = TypeVar("T")


def plex_headers(client_id: str, token: str = "") -> dict[str, str]:
    """Return the headers a Plex transport sends with every request.

    Args:
        client_id: our stable identifier; a new one on every run would fill the owner's list of
            devices (docs/plex-api.md 1).
        token: left out when empty, as for a server that trusts the network.
    """
    headers = {
        "X-Plex-Client-Identifier": client_id,
        "X-Plex-Product": PRODUCT,
        "X-Plex-Version": __version__,
        "X-Plex-Device-Name": PRODUCT,
        "X-Plex-Platform": platform.system(),
    }
    return headers | ({"X-Plex-Token": token} if token else {})


def item_address(url: str, machine: str, rating_key: RatingKey) -> str:
    """Where a person sees an item in the server's own web app."""
    # A rating key is digits, which need no quoting.
    key = rating_key if rating_key.isdecimal() else quote(rating_key, safe="")
    return f"{url}/web/index.html#!/server/{machine}/details?key={_ITEM}{key}"


def ask_plex(transport: Transport, path: str, decode: Callable[[bytes], T]) -> T:
    """Return what `decode` makes of the JSON at an address of Plex."""
    return transport.ask("GET", path, lambda answer: decode(answer.body), headers=JSON)


def change_rules(hold: Callable[[], None]) -> RequestRules:
    """Return the rules of a change; `hold` is called before it is sent again, and may raise."""
    return {"write": True, "accept_status": DONE, "before_repeat": hold}


def checked_id(key: str) -> str:
    """Return a key or id as it may stand in a path; anything else would mean another."""
    if not (key.isascii() and key.isdecimal()):
        raise BadResponseError(f"{key!r} is not an id Plex gives to anything")
    return key


def short_runs(keys: Sequence[RatingKey], most: int = 1000) -> Iterator[tuple[RatingKey, ...]]:
    """Yield `keys` in order, at most `most` at once, and as many as an address surely holds."""
    longest = max(map(len, keys), default=0) + 1
    size = max(1, min(most, _MOST_KEY_BYTES // longest))
    for start in range(0, len(keys), size):
        yield tuple(keys[start : start + size])


def introduction(answer: HttpResponse, url: str) -> Server:
    """Return the server that an answer to a greeting introduces.

    Args:
        answer: what came for `/`.
        url: the server's address.

    Raises:
        BadResponseError: what answers is no Plex Media Server.
    """
    container = read_xml(answer)
    machine, version = container.get("machineIdentifier"), container.get("version")
    if not machine or not version:  # any service may answer with some XML and status 200
        raise BadResponseError(
            "what answers does not introduce itself as a Plex Media Server",
            context="/",
            hint="check [plex] url",
        )
    return Server(url=url, version=version, identity=machine)


def read_xml(answer: HttpResponse) -> Element:
    """Return the container an answer holds.

    Raises:
        BadResponseError: it is no XML.
    """
    from xml.etree.ElementTree import ParseError, fromstring  # noqa: PLC0415 - late, as plexapi

    try:
        return fromstring(answer.body)  # noqa: S314 - expat limits what entities become
    except (ParseError, ValueError, LookupError) as error:  # the last two: of its encoding
        raise BadResponseError(
            "Plex sent something else than the XML asked for",
            hint="check that [plex] url leads to Plex itself, not to another service",
        ) from error


# ---- Libraries -----------------------------------------------------------------------------------


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


def named_library(name: str, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return the ids of the libraries a name means: by title, else by id, else but for case.

    Args:
        name: a title or an id.
        titles: of all libraries that count, by id.
    """
    exact = tuple(one for one, title in titles.items() if title == name)
    by_id = (name.strip(),) if name.strip() in titles else ()
    alike = (one for one, title in titles.items() if _same_name(title, name))
    return exact or by_id or tuple(alike)


def _choose(sections: Sequence[Section], name: str, container: Element) -> Section:
    """Return the one library a name means.

    Raises:
        LibraryMissingError: there is none, or there are several.
    """
    ids = named_library(name, {one.section_id: one.title for one in sections})
    same = [one for one in sections if one.section_id in ids]
    if not same:
        raise _library_missing(name, container)
    if len(same) > 1:
        several = " and ".join(f"{one.title!r} with id {one.section_id}" for one in same)
        raise LibraryMissingError(
            f"{len(same)} Plex libraries are called {name!r}: {several}",
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


# ---- plexapi -------------------------------------------------------------------------------------


@contextmanager
def plexapi_imported() -> Iterator[None]:
    """Make plexapi ready for this block, without settings of the environment or a home directory.

    It reads `PLEXAPI_*` and a configuration file when it is imported: a leftover file could open a
    log file, put a token into addresses, or name another token. The variables are back when the
    block ends.
    """
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_PREFIX)}
    os.environ[f"{_PREFIX}CONFIG_PATH"] = os.devnull
    try:
        import plexapi  # noqa: PLC0415 - 0.2 s, and it must be read inside a plain environment

        # If somebody imported plexapi before us, it has read a configuration file.
        plexapi.CONFIG.data.clear()
        yield
    finally:
        del os.environ[f"{_PREFIX}CONFIG_PATH"]
        os.environ.update(hidden)
