"""The word list: what it finds in names and sentences, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.support.words import find_words, searched_files


@pytest.mark.parametrize(
    "line",
    [
        "The scenes are made anew.",
        "def _told(change):",
        "class Said:",
        "StrayItem = 1",
        "whatever was said",
        '"""Whom a change concerns."""',
        "Whose it is",
        "the scene whose files moved",
        "def test_a_file_whose_name_moved():",
        "There is no room on the disk.",
        "errands and deeds",
    ],
)
def test_an_unwanted_word_is_found(line: str) -> None:
    """In names and in sentences, once or several times."""
    assert [number for number, _ in find_words(f"fine\n{line}\n")].count(2) >= 1


@pytest.mark.parametrize(
    "line",
    [
        "Notice what mushrooms a classroom has.",
        '{"said": answers}',
        "the key `said` of the document",
        "keystroke, indeed, saidest",
        "official toldoth",
    ],
)
def test_a_word_that_only_looks_alike_is_none(line: str) -> None:
    """Parts of other words, and the key scripts read."""
    assert list(find_words(line)) == []


def test_code_tests_and_documents_are_searched() -> None:
    """Of the whole project, but for the list itself."""
    names = {path.name for path in searched_files()}
    assert {"planner.py", "test_maps.py", "README.md", "scene.html", "Makefile"} <= names
    assert not {"words.py", "test_words.py"} & {
        path.name for path in searched_files() if path.parent.name in {"support", "unit"}
    }
