"""What is meant by an address as it is typed, and what is a token typed in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync.app.wizard import is_secret, likely_addresses, secrets_in
from plexsync.errors import ParseError


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("http://nas:9999", "http://nas:9999"),
        ("nas", "http://nas:9999"),
        ("nas:9999", "http://nas:9999"),
        ("192.168.1.5", "http://192.168.1.5:9999"),
        ("[::1]", "http://[::1]:9999"),
        ("[::1]:80", "http://[::1]:80"),
        ("HTTPS://Stash.lan", "https://Stash.lan"),
        (" <http://nas:9999/> ", "http://nas:9999"),
        ("'http://nas:9999'", "http://nas:9999"),
        ("http://nas:9999/graphql", "http://nas:9999"),
        ("http://nas/stash/scenes/12", "http://nas/stash"),
        ("http://nas/stash/", "http://nas/stash"),
        ("http://nas:32400/web/index.html#!/media/1?key=%2F", "http://nas:32400"),
        ("http://nas:32400/?X-Plex-Token=abc", "http://nas:32400"),
        ("http://website/webdav", "http://website/webdav"),
    ],
)
def test_the_likeliest_address_is_what_was_meant(typed: str, first: str) -> None:
    """Pages, queries, quotes and slashes are cut; the scheme and the usual port are added."""
    assert likely_addresses(typed, 9999)[0] == first


def test_the_other_scheme_and_the_usual_port_are_tried_as_well() -> None:
    """In an order that depends on what was typed, each once."""
    assert likely_addresses("https://nas", 9999) == (
        "https://nas",
        "https://nas:9999",
        "http://nas",
    )
    assert likely_addresses("nas", 9999) == ("http://nas:9999", "http://nas", "https://nas")
    assert likely_addresses("nas:1", 9999) == ("http://nas:1", "https://nas:1")


@pytest.mark.parametrize("typed", ["", "  ", "ftp://nas", "smb://", "x7Kq2mZpW9sT4vB8nL3c"])
def test_what_is_no_address_is_refused_without_being_repeated(typed: str) -> None:
    """A token is not shown again."""
    with pytest.raises(ParseError) as caught:
        likely_addresses(typed, 9999)
    assert not typed.strip() or typed not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    ("typed", "secret"),
    [
        ("x7Kq2mZpW9sT4vB8nL3c", True),
        ("eyJhbGciOiJI.eyJ1aWQiOiJzdGFzaCIsInN1YiI6.SflKxwRJSMeKKF2QT4", True),
        ("my-nas", False),
        ("stash-container-main", False),
        ("stash.example.org", False),
        ("http://x7Kq2mZpW9sT4vB8nL3c", False),
        ("192.168.100.200", False),
    ],
)
def test_a_token_differs_from_a_name(typed: str, *, secret: bool) -> None:
    """By its length and letters."""
    assert is_secret(typed) is secret


def test_secrets_that_came_with_an_address_are_found() -> None:
    """In the query, and in what the web app puts behind #."""
    typed = "http://nas/web#!/?X-Plex-Token=abcdefgh&x=1&apikey=ijklmnop&token=1"
    assert set(secrets_in(typed)) == {"abcdefgh", "ijklmnop"}


@given(st.text(max_size=40))
def test_whatever_is_typed_is_an_address_or_refused(typed: str) -> None:
    """Never a crash, never an address with a query."""
    try:
        found = likely_addresses(typed, 9999)
    except ParseError:
        return
    assert found
    assert all(one.startswith(("http://", "https://")) and "?" not in one for one in found)
