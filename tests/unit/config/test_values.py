"""Single values, and the words of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync.config.forms import (
    COLLECTION_SORT_TITLE,
    COLLECTION_TITLE,
    COUNT,
    FLAG,
    HEADERS,
    NAMES,
    ROLE,
    SECRET,
    SHARE,
    VERIFY,
    Form,
    split_list,
)
from plexsync.config.secrets import SecretReader
from plexsync.config.values import photo_template, word_hint
from plexsync.errors import ParseError


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (FLAG, "TRUE", True),
        (FLAG, " off ", False),
        (FLAG, "maybe", "maybe"),
        (VERIFY, "no", False),
        (VERIFY, "/ca.pem", "/ca.pem"),
        (HEADERS, "A=b, C=d=e", {"A": "b", "C": "d=e"}),
        (HEADERS, "A", "A"),
        (COUNT, "12", 12),
        (COUNT, "1_000", "1_000"),
        (COUNT, "\u0661", "\u0661"),
        (SHARE, "0.25", 0.25),
        (SHARE, "1", 1.0),
        (SHARE, "nan", "nan"),
        (NAMES, "a, b,,c", ["a", "b", "c"]),
        (NAMES, "", []),
        (SECRET, " a ", "a"),
    ],
)
def test_a_variable_becomes_what_toml_would_have_given(
    form: Form[object], text: str, value: object
) -> None:
    """What does not fit stays a text, for the one place that complains."""
    found = form.from_text(text)
    assert (found, type(found)) == (value, type(value))


@given(names=st.lists(st.text("abc é*", min_size=1).map(str.strip).filter(bool)))
def test_a_list_comes_back_as_it_was_joined(names: list[str]) -> None:
    """Commas part names, spaces around them do not count."""
    assert split_list(" , ".join(names)) == names


def test_a_suggestion_needs_something_near() -> None:
    """A far-fetched one would mislead; what is no text has none."""
    assert word_hint("libary", ["libraries", "url"]) == 'Did you mean "libraries"?'
    assert word_hint("URL", ["libraries", "url"]) == 'Did you mean "url"?'
    assert word_hint("zzz", ["libraries", "url"]) == ""
    assert word_hint(5, ["libraries", "url"]) == ""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("http://stash/performer/{id}/image?apikey=abc", "must not hold a key"),
        ("{image}&ApiKey=abc", "must not hold a key"),
        ("https://plex/photo?X-Plex-Token=abc", "must not hold a key"),
        ("https://me:secret@lan/{name}.jpg", "must not hold a key"),
        ("/performer/{id}/image", "must be an address"),
        ("file:///etc/passwd", "must be an address"),
        ("{image} {title}", "none of plexsync's"),
        (7, "must be a text"),
    ],
)
def test_a_photo_is_an_address_without_a_key(value: object, message: str) -> None:
    """Plex keeps it, logs it and shows it to everybody."""
    with pytest.raises(ParseError, match=message):
        photo_template(value)


@pytest.mark.parametrize(
    "value", ["", "{image}", "http://lan{image_path}", "https://x/{name}@2.jpg"]
)
def test_a_photo_may_be_anywhere(value: str) -> None:
    """Nothing at all switches it off."""
    assert photo_template(value) == value


def test_a_role_knows_the_words_of_a_performer() -> None:
    """No picture among them, and none of a scene."""
    none = SecretReader({}, folder=Path(), home=Path(), warn=print)
    assert ROLE.read(" {name} {aliases} ", none) == "{name} {aliases}"
    for value in ("{image}", "{title}", "{", 7):
        with pytest.raises(ParseError):
            ROLE.read(value, none)


def test_what_may_be_left_out_may_be_blank() -> None:
    """A role and a sort title; the title of a collection may not."""
    none = SecretReader({}, folder=Path(), home=Path(), warn=print)
    assert [form.read("  ", none) for form in (ROLE, COLLECTION_SORT_TITLE)] == ["", ""]
    with pytest.raises(ParseError):
        COLLECTION_TITLE.read("  ", none)
