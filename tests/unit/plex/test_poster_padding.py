"""Covers made to fit: what comes out, and that no picture does harm."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from plexsync.errors import BadResponseError
from plexsync.models import FieldRule, PlexField, Policy
from plexsync.plex.poster_padding import fitted, recipe
from plexsync.stash.covers import picture_type
from tests.support.picture_factories import (
    ORANGE,
    WIDE,
    animated,
    bomb,
    cover,
    encoded,
    on_its_side,
    plain,
    sixteen_bits,
)

PAD = FieldRule(name="poster", policy=Policy.OVERWRITE, to=PlexField.POSTER, pad=True)
AS_IT_IS = FieldRule(name="poster", policy=Policy.OVERWRITE, to=PlexField.POSTER)
SAMPLES = {
    "png": encoded(plain()),
    "jpeg": encoded(plain(), "JPEG"),
    "webp": encoded(plain(), "WEBP"),
    "gif": encoded(plain(), "GIF"),
    "animated gif": animated("GIF"),
    "animated webp": animated("WEBP"),
}


def read(body: bytes) -> Image.Image:
    """What came out, as a picture."""
    picture = Image.open(io.BytesIO(body))
    picture.load()
    return picture


def near(one: object, other: tuple[int, int, int], by: int = 12) -> bool:
    """Whether two colours look alike."""
    assert isinstance(one, tuple)
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def test_a_wide_cover_stands_whole_in_the_middle_of_a_poster() -> None:
    """Two by three, the cover unchanged in between, darker above and below."""
    found = read(fitted(PAD, encoded(plain())))
    assert (found.format, found.mode, found.size) == ("JPEG", "RGB", (160, 240))
    assert near(found.getpixel((80, 120)), ORANGE)
    assert near(found.getpixel((4, 120)), (255, 255, 255)), "nothing is cut off"
    for y in (5, 70, 170, 235):
        assert near(found.getpixel((80, y)), (104, 63, 14)), "as the cover, at 45 per cent"


def test_the_same_cover_comes_out_as_the_same_bytes() -> None:
    """However often, so that Plex's key for it stands; and otherwise it is another picture."""
    assert fitted(PAD, cover(1)) == fitted(PAD, cover(1)) != fitted(PAD, cover(2))
    assert (recipe(PAD), recipe(AS_IT_IS)) == ("pad1", "")


@pytest.mark.parametrize("size", [(100, 150), (100, 200), (9, 16), (1, 9000)], ids=str)
def test_a_cover_as_tall_as_a_poster_stays_as_it_is(size: tuple[int, int]) -> None:
    """Byte for byte."""
    body = encoded(plain(size))
    assert fitted(PAD, body) is body


@pytest.mark.parametrize(
    ("size", "poster"),
    [
        pytest.param((1920, 1080), (1000, 1500), id="large"),
        pytest.param((1000, 1000), (1000, 1500), id="square"),
        pytest.param((320, 180), (320, 480), id="small ones are not enlarged"),
        pytest.param((101, 100), (101, 152), id="odd"),
        pytest.param((9000, 1), (1000, 1500), id="a line"),
        pytest.param((1, 1), (1, 2), id="a dot"),
    ],
)
def test_every_poster_is_two_by_three_and_not_too_large(
    size: tuple[int, int], poster: tuple[int, int]
) -> None:
    """To the pixel above."""
    assert read(fitted(PAD, encoded(plain(size)))).size == poster


@pytest.mark.parametrize(
    ("body", "colour"),
    [
        pytest.param(encoded(plain().convert("CMYK"), "JPEG"), ORANGE, id="cmyk"),
        pytest.param(encoded(plain().convert("L")), (153, 153, 153), id="grey"),
        pytest.param(sixteen_bits(), (128, 128, 128), id="16 bits"),
        pytest.param(encoded(Image.new("1", WIDE, 1)), (255, 255, 255), id="black and white"),
        pytest.param(encoded(plain().quantize()), ORANGE, id="palette"),
        pytest.param(encoded(Image.new("RGBA", WIDE, (0, 0, 0, 0))), (0, 0, 0), id="transparent"),
        pytest.param(encoded(Image.new("LA", WIDE, (255, 128))), (128, 128, 128), id="half"),
        pytest.param(animated("GIF"), ORANGE, id="animated gif"),
        pytest.param(animated("WEBP"), ORANGE, id="animated webp"),
    ],
)
def test_odd_pictures_look_as_they_should(body: bytes, colour: tuple[int, int, int]) -> None:
    """Of moving ones the first frame; what shows through is black."""
    assert near(read(fitted(PAD, body)).getpixel((80, 120)), colour)


def test_a_cover_on_its_side_is_turned_first() -> None:
    """The stripe was at the left of what is stored; the cover is landscape and has it below."""
    found = read(fitted(PAD, on_its_side()))
    assert found.size == (160, 240)
    assert near(found.getpixel((80, 160)), (255, 255, 255), by=30)
    assert near(found.getpixel((80, 90)), ORANGE, by=30)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(bomb(), id="gigabytes"),
        pytest.param(bomb(9000, 9000), id="many pixels"),
        pytest.param(bomb(3000, 2000), id="fewer bytes than pixels"),
        pytest.param(SAMPLES["png"][:60], id="cut png"),
        pytest.param(SAMPLES["jpeg"][:200], id="cut jpeg"),
        pytest.param(SAMPLES["webp"][:40], id="cut webp"),
        pytest.param(SAMPLES["gif"][:30], id="cut gif"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"no picture" * 20, id="only the beginning of one"),
        pytest.param(b"", id="nothing"),
        pytest.param(encoded(plain(), "TIFF"), id="a format nobody checked"),
    ],
)
def test_a_bad_picture_is_an_error_of_its_own(body: bytes) -> None:
    """With a way out; those included that would unpack to gigabytes."""
    with pytest.raises(BadResponseError, match="no sound picture") as caught:
        fitted(PAD, body)
    assert "pad" in caught.value.hint


@given(
    kind=st.sampled_from(sorted(SAMPLES)),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    end=st.integers(0, 2000),
)
@settings(max_examples=150, deadline=None)
def test_damage_anywhere_never_crashes(kind: str, changes: list[tuple[int, int]], end: int) -> None:
    """A picture comes out, or the one error."""
    body = bytearray(SAMPLES[kind])
    for at, value in changes:
        body[at % len(body)] = value
    if end < len(body):
        del body[end:]
    try:
        found = fitted(PAD, bytes(body))
    except BadResponseError:
        return
    assert found == bytes(body) or picture_type(found) == "image/jpeg"


def test_without_the_option_a_cover_is_sent_as_it_is() -> None:
    """Bad as it may be: whether to take it is for Plex to say."""
    assert fitted(AS_IT_IS, b"anything") == b"anything"
