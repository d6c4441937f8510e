"""Which names of files and folders say something, and which are everybody's.

A library cannot show how common `video.mp4` is beyond itself: one bearer in Plex may be the one
bearer Plex has scanned so far. So a name is also judged by what it is made of. Everything here
expects folded names (`normalize.fold`).
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")
_LEAST_LETTERS = 3
_STAMP_DIGITS = 12
"""A time stamp down to the minute has 12 digits: as good as a name."""

# What people and programs call a video when they call it nothing.
_WORDS_OF_NOTHING = """
    video videos vid movie movies film films clip clips scene scenes file files media untitled
    unnamed noname unknown new old test tests temp tmp demo example output export render rendered
    final edit edited cut copy backup original orig source master main full complete whole
    content stream index default download downloads upload recording record rec capture captured
    screen screencast screenrecording webcam camera cam live session take shot footage part parts
    disc disk dvd bluray vol volume episode episodes season chapter chapters segment track title
    titles play playlist stash plex sample samples trailer trailers teaser preview previews promo
    intro outro extra extras bonus bts behind the deleted featurette interview making short shorts
    loop gif gallery image img dsc dscn dscf mvi mov gopr mah pict snapchat whatsapp telegram
    signal uhd fhd qhd web webrip webdl rip hdrip dvdrip brrip bdrip xvid divx avc hevc mkv avi
    wmv flv webm mpeg mpg remux encode encoded reencode transcode transcoded proxy optimized
    optimised low medium high small large mobile desktop sbs aac dts fps bit and von der die das
    del des los las una with for from dji movi cimg sany vts bdmv pxl hdv trim trimmed project
    tape roll reel bin item entry folder default unbenannt sin titulo sans titre
    teil folge kapitel kino parte partie partes capitulo episodio episodi pelicula filme filmes
    vídeo vídeos vidéo vidéos видео фильм 视频 影片 動画 动画 ビデオ 비디오 동영상 영상 one two
    three four five six seven eight nine ten first second third last next feature features sequence
    sequences comp composition timeline camcorder dashcam gopro vlc obs bandicam fraps
"""
_WORDS_OF_LAYOUTS = """
    data mnt share shares volumes home srv nas pool storage library libraries incoming inbox done
    sorted unsorted misc other others studio studios performer performers archive archives
    collection collections show shows jan feb mar apr may jun jul aug sep oct nov dec january
    february march april june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday
"""

GENERIC_WORDS = frozenset(_WORDS_OF_NOTHING.split())
"""Words that say nothing about which video it is."""

_GENERIC_FOLDER_WORDS = GENERIC_WORDS | frozenset(_WORDS_OF_LAYOUTS.split())

COPY_FOLDERS = frozenset(
    {"backup", "backups", "bak", "copies", "copy", "duplicates", "mirror", "old", "snapshots"}
)
"""Folders people keep copies in. Never decides anything; it only ranks copies."""

_QUALITY = re.compile(
    r"(?<![^\W_])(?:"
    r"\d{3,4}[pi]|[2468]k|uhd|fhd|qhd|hdr(?:10)?|sdr|10bit|[xh][ .]?26[45]|hevc|avc|av1|xvid|divx"
    r"|web(?:[ .-]?(?:dl|rip))?|hdtv|blu[ -]?ray|(?:bd|br|dvd|hd)rip|remux|repack|proper"
    r"|aac(?:2[ .]0)?|ac3|dts|xxx|mp4|mkv)(?![^\W_])"
)
_DATE = re.compile(r"(?<!\d)(?:19|20)?(\d\d)[ ._-](0[1-9]|1[0-2])[ ._-](0[1-9]|[12]\d|3[01])(?!\d)")

_EXTRA = re.compile(r"(?:^|[^a-z])(?:trailer|sample|teaser|preview|promo)s?(?:[^a-z]|$)")


def is_generic_name(stem: str) -> bool:
    """Whether unrelated files carry a folded stem: `video`, `part 2`, `img_0012`."""
    for found in _WORD.finditer(stem):
        word = found.group()
        if len(word) >= _need(word) and word not in GENERIC_WORDS:
            return False
    return sum(map(len, _NUMBER.findall(stem))) < _STAMP_DIGITS


def is_generic_folder(name: str) -> bool:
    """Whether a folded folder name is part of many layouts: `2024`, `01`, `videos`, `season 1`."""
    words = _WORD.findall(name)
    return all(len(word) < _need(word) or word in _GENERIC_FOLDER_WORDS for word in words)


def is_extra(stem: str) -> bool:
    """Whether a folded stem calls itself a trailer, sample, teaser or preview of something."""
    return _EXTRA.search(stem) is not None


def split_quality(text: str) -> tuple[str, str]:
    """Take tags of quality and the first date out of a folded name.

    Returns:
        What is left, and the date as `YY-MM-DD`; "" for none.
    """
    found = _DATE.search(text)
    date = "-".join(found.groups()) if found else ""
    rest = f"{text[: found.start()]} {text[found.end() :]}" if found else text
    return _QUALITY.sub(" ", rest), date


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in a text, in order: what tells part 1 from part 2."""
    return tuple(int(found) for found in _NUMBER.findall(text)[:8] if len(found) < _STAMP_DIGITS)


# ---- Private -------------------------------------------------------------------------------------


def _need(word: str) -> int:
    """How many letters make a word telling: scripts without an alphabet need fewer."""
    return _LEAST_LETTERS if word.isascii() else 2
