"""Laws of normalising: once is enough, and rules move whole folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync.models import PathRule
from plexsync.text.normalize import (
    apply_rules,
    base_name,
    clean_for_terminal,
    fold,
    fold_tag,
    fold_whitespace,
    is_windows_path,
    normalize_path,
    normalize_title,
    plex_date,
    stem,
    strip_control,
)
from tests.support.strategies import (
    dates,
    folders,
    names,
    path_rules,
    paths,
    posix_paths,
    texts,
    windows_paths,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS = (
    normalize_path,
    fold,
    fold_whitespace,
    fold_tag,
    normalize_title,
    strip_control,
    clean_for_terminal,
)


def names_along(path: str) -> tuple[str, ...]:
    """The names along a canonical path, outermost first; a drive counts as one."""
    return tuple(part for part in path.split("/") if part)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@given(text=st.one_of(texts(), st.text("/\\?.:cUNC\u212a\u0301 a", max_size=12)))
def test_normalising_twice_is_normalising_once(form: Callable[[str], str], text: str) -> None:
    """Every form is idempotent, so it does not matter who normalised first."""
    once = form(text)
    assert form(once) == once


@given(path=paths())
def test_a_canonical_path_has_single_slashes_and_no_tail(path: str) -> None:
    """Two canonical paths can be compared as text."""
    canonical = normalize_path(path)
    root = "//" if canonical.startswith("//") else ""
    assert "//" not in canonical[len(root) :]
    assert not canonical.endswith("/") or not names_along(canonical)[1:]


@given(path=posix_paths())
def test_a_posix_path_keeps_its_names(path: str) -> None:
    """Nothing but composition changes along a POSIX path."""
    canonical = normalize_path(path)
    assert not is_windows_path(canonical)
    assert names_along(canonical) == names_along(normalize_path("/x" + path))[1:]


@given(path=windows_paths())
def test_either_slash_means_the_same_on_windows(path: str) -> None:
    """A rule written with slashes meets paths written with backslashes."""
    assert normalize_path(path.replace("\\", "/")) == normalize_path(path)


@given(path=paths())
def test_a_base_name_comes_apart_and_together(path: str) -> None:
    """What follows the stem of a base name is nothing, or a dot and an extension without one."""
    canonical = normalize_path(path)
    assert base_name(canonical).startswith(stem(canonical))
    ending = base_name(canonical)[len(stem(canonical)) :]
    assert not ending or (ending[0] == "." and "." not in ending[1:] and len(ending) > 1)


@given(path=paths(), rules=st.lists(path_rules(), max_size=4))
def test_a_rule_keeps_the_names_below_its_folder(path: str, rules: list[PathRule]) -> None:
    """A mapped path is the Plex folder of some covering rule plus the unchanged rest."""
    canonical = normalize_path(path)
    mapped = apply_rules(canonical, rules)
    if mapped is None:
        return
    assert normalize_path(mapped) == mapped
    parts, answer = names_along(canonical), names_along(mapped)
    assert any(
        answer == (*names_along(normalize_path(rule.plex)), *parts[len(source) :])
        for rule in rules
        for source in [names_along(normalize_path(rule.stash))]
    )


@given(folder=folders(), name=names(), more=names(), rest=folders())
def test_a_longer_name_is_another_folder(
    folder: tuple[str, ...], name: str, more: str, rest: tuple[str, ...]
) -> None:
    """A rule for /data never touches /database."""
    source = "/" + "/".join((*folder, name))
    longer = normalize_path("/" + "/".join((*folder, name + "z" + more, *rest, "a.mp4")))
    assert apply_rules(longer, [PathRule(stash=source, plex="/media")]) is None


@given(path=paths(), rules=st.lists(path_rules(), max_size=3), start=st.integers(0, 2))
def test_rules_that_cannot_apply_change_nothing(
    path: str, rules: list[PathRule], start: int
) -> None:
    """An unrelated rule anywhere in the list does not matter."""
    unrelated = PathRule(stash="/nowhere/at/all/of/this/name", plex="/x")
    more = [*rules[:start], unrelated, *rules[start:]]
    canonical = normalize_path(path)
    assert apply_rules(canonical, more) == apply_rules(canonical, rules)


@given(text=texts())
def test_sent_text_can_be_encoded_and_has_no_controls(text: str) -> None:
    """UTF-8 and XML can carry whatever is sent."""
    sent = strip_control(text)
    sent.encode()
    assert all(
        char in "\n\t" or not ("\x00" <= char < " " or "\x7f" <= char < "\xa0") for char in sent
    )


@given(text=texts())
def test_shown_text_is_one_harmless_line(text: str) -> None:
    """No line break, control or direction change reaches a terminal."""
    shown = clean_for_terminal(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set("\x1b\x9b\x07\u202e\u2066\u200f")


@given(text=texts())
def test_sending_does_not_change_what_compares_equal(text: str) -> None:
    """Sending the compared form again changes nothing the planner would see."""
    sent = strip_control(text)
    assert fold_whitespace(strip_control(fold_whitespace(sent))) == fold_whitespace(sent)


@given(text=dates())
def test_plex_gets_a_whole_date_that_starts_as_known(text: str) -> None:
    """A partial date is completed, never altered."""
    full = plex_date(text)
    assert full.startswith(text)
    assert len(full) in {0, 10}
