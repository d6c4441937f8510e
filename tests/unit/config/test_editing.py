"""A path rule goes into the configuration file and out again; all else stays as it was."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from plexsync.config.files import add_path_rule, remove_path_rule
from plexsync.errors import ConfigError
from tests.support.factories import make_rule

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = '# mine\n[plex]\nurl = "x"  # here\n'


@pytest.mark.parametrize(
    "text",
    [PLAIN, "", PLAIN.rstrip("\n"), PLAIN + '[[paths]]\nstash = "/a/"\nplex = "/b/"\n'],
    ids=["plain", "empty", "no newline", "other rules"],
)
def test_a_rule_is_added_and_taken_out_again(tmp_path: Path, text: str) -> None:
    """Every byte before it stays; the mode of the file, too."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(0o640)
    add_path_rule(path, make_rule())
    assert path.read_text().startswith(text)
    assert tomllib.loads(path.read_text())["paths"][-1] == {"stash": "/data/", "plex": "/media/"}
    assert path.stat().st_mode & 0o777 == 0o640
    remove_path_rule(path, make_rule())
    assert path.read_text().rstrip("\n") == text.rstrip("\n")
    assert [one.name for one in tmp_path.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("stash", ['C:\\v "x"\\', "/da\tta/", "/日本/"])
def test_any_path_can_be_written(tmp_path: Path, stash: str) -> None:
    """What TOML would read otherwise is escaped."""
    path = tmp_path / "config.toml"
    path.write_text(PLAIN)
    add_path_rule(path, make_rule(stash=stash))
    assert tomllib.loads(path.read_text())["paths"][0]["stash"] == stash


@pytest.mark.parametrize(
    "text",
    ['paths = [{stash = "/a/", plex = "/b/"}]\n', f"a = {'[' * 5000}", f"a = 1{'0' * 5000}"],
    ids=["in line", "too deep", "too large"],
)
def test_what_cannot_be_added_to_is_not_touched(tmp_path: Path, text: str) -> None:
    """TOML allows no [[paths]] after such rules: the message says what to add."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        add_path_rule(path, make_rule())
    assert 'stash = "/data/"' in caught.value.hint
    assert path.read_text() == text


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Configurations are often kept elsewhere and linked to."""
    real, link = tmp_path / "real.toml", tmp_path / "config.toml"
    real.write_text(PLAIN)
    link.symlink_to(real)
    add_path_rule(link, make_rule())
    assert link.is_symlink()
    assert "[[paths]]" in real.read_text()


def test_a_file_that_was_changed_since_is_left_alone(tmp_path: Path) -> None:
    """Nobody's words are taken out with the rule."""
    path = tmp_path / "config.toml"
    path.write_text(PLAIN)
    add_path_rule(path, make_rule())
    path.write_text(path.read_text() + "# more\n")
    with pytest.raises(ConfigError):
        remove_path_rule(path, make_rule())
    assert path.read_text().endswith("# more\n")
