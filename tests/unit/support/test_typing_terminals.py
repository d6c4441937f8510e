"""The person of the terminal tests: patient, and never past what is still to be read."""

from __future__ import annotations

from tests.support.typing_terminals import Person


def test_what_came_along_with_a_text_is_still_to_be_seen() -> None:
    """On a busy machine several screens arrive at once."""
    words = ["-c", r"printf 'one \033[1mtwo\033[0m three\n'; read line"]
    with Person(words, {}, program="/bin/sh") as person:
        assert person.sees("one") == "one"
        assert person.sees("two") == " two"
        assert person.sees("three") == " three"


def test_what_stood_there_before_a_key_is_no_answer_to_it() -> None:
    """Else a test would go on before the program has seen the key."""
    with Person(["-c", "echo ready; read line; echo done"], {}, program="/bin/sh") as person:
        person.sees("ready")
        person.types("x\r")
        assert "ready" not in person.sees("done")
