"""Words that generated libraries are made of: nature films, concerts, lectures."""

from __future__ import annotations


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _split(
    """
    Quiet Northern Golden Hidden Slow Distant Silver Open Early Late Wandering Frozen Painted Deep
    Bright Narrow Ancient Gentle Restless Endless Borrowed Winter Summer Autumn Green Amber Salt
    Stone Paper Second Last First Lost Long Small Great Wild Soft Hollow Crooked Steady Patient
    Unseen Forgotten Shallow Burning Western Southern Eastern Velvet Copper Midnight Morning
    """
)

NOUNS = _split(
    """
    River Harbour Garden Mountain Orchard Lantern Meadow Glacier Valley Island Forest Bridge Tide
    Shore Canyon Lighthouse Heron Fox Sparrow Whale Falcon Otter Symphony Quartet Nocturne Sonata
    Lecture Workshop Market Railway Station Window Staircase Library Observatory Telescope Comet
    Storm Rain Snow Wind Fire Field Vineyard Desert Dune Reef Lagoon Delta Marsh Bay Cliff Cave
    Spring Well Mill Kiln Loom Clock Compass Map Letter Violin Cello Piano Choir Ballad Overture
    Rehearsal Encore Horizon Solstice Equinox Harvest Migration Sunrise Dusk Shadow Echo Journey
    Return Crossing Path Gate Tower Wall Roof Courtyard Fountain Statue Mosaic Fresco Canvas
    """
)

PLACES = _split(
    """
    Lisbon Tromso Kyoto Patagonia Galway Bergen Oaxaca Samarkand Valparaiso Reykjavik Porto
    Hokkaido Tasmania Ljubljana Cusco Zanzibar Tbilisi Bruges Antwerp Utrecht Malmo Turku Riga
    Vilnius Gdansk Krakow Brno Graz Salzburg Innsbruck Lugano Geneva Lyon Nantes Bordeaux Toulouse
    Bilbao Sevilla Granada Valencia Palermo Naples Siena Verona Trieste Split Kotor Ohrid Sofia
    Plovdiv Izmir Antalya Beirut Amman Muscat Goa Kandy Hanoi Hue Cebu
    """
)

GIVEN_NAMES = _split(
    """
    Ada Alma Amara Anders Anouk Arlo Astrid Bela Bruno Carla Cedric Chiara Clara Dario Edda Elias
    Emil Esme Fabio Farah Felix Freya Gus Hanna Hugo Ida Imani Ines Ivo Jana Jonas Jun Kaia Karim
    Lars Lea Levi Lina Louis Luca Mara Marek Mei Milo Mina Nils Noor Nora Odin Oona Oscar Paula
    Petra Quinn Rafael Rhea Rosa Sami Selma Soren Talia Theo Uma Vera Viktor Willa Xenia Yara
    Yusuf Zoe
    """
)

FAMILY_NAMES = _split(
    """
    Abbott Adeyemi Aalto Bakker Barros Becker Bianchi Castell Chen Dahl Demir Duarte Eklund Engel
    Ferro Fischer Fontaine Garnier Goto Haas Hale Hansen Ito Ivanova Jansen Jensen Kaya Keller
    Kimura Kowalski Laine Larsen Lindqvist Lopes Marino Meyer Moreau Murphy Nagy Nakamura Nilsen
    Novak Okafor Olsen Orlov Pereira Petrov Quist Ramos Rossi Sato Schmidt Silva Sorensen Suzuki
    Tanaka Tolonen Ulrich Vance Vidal Weber Winter Yamada Zeman Ziegler
    """
)

TAG_FIRST = _split(
    """
    Aerial Archive Black-and-white Close-up Coastal Documentary Evening Handheld Hidden Historical
    Indoor Interview Live Macro Morning Night Outdoor Rare Restored Slow-motion Studio Time-lapse
    Underwater Urban Wide-angle
    """
)

TAG_SECOND = _split(
    """
    Birds Cinema Concert Craft Forest Harvest Jazz Lecture Mountains Ocean Opera Orchestra
    Portrait Rain River Science Snow Travel Weather Wildlife
    """
)

STUDIO_SECOND = ("Films", "Pictures", "Productions", "Archive", "Collective", "Media")

SENTENCES = tuple(
    f"{start} {middle} {end}"
    for start in (
        "The camera follows",
        "In this recording we meet",
        "A small crew spent three weeks with",
        "Filmed without narration, this piece observes",
        "The second half turns to",
        "Viewers who liked the first part will remember",
        "Restored from the original tapes, it shows",
        "Between two storms the team found",
    )
    for middle in (
        "an old ferryman and his daughter",
        "the musicians before the concert",
        "a colony of terns on the outer reef",
        "the last working mill of the valley",
        "a class of students at the observatory",
        "the harvest on the northern slopes",
        "a violin maker - and her patient apprentice",
    )
    for end in (
        "as the seasons change around them.",
        "while the city slowly wakes up.",
        "and asks what will be left in fifty years.",
        "with unusual patience and a dry sense of humour.",
        "in a single, uninterrupted take of twelve minutes.",
        "and ends, quite literally, at the sea's edge.",
    )
)

GENERIC_STEMS = ("video", "movie", "main", "clip", "part1", "full", "1080p")
