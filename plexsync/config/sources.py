"""Where configured values stand: in a TOML file, or in the environment.

`Sources` puts them in layers, the later over the earlier, remembers where each came from, and
collects what is wrong, each problem with its place. What the values mean is `loader.py`'s business.
"""

from __future__ import annotations

import re
import stat
import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from plexsync.config.configuration import BY_NAME, FIELDS, KEYS, LIBRARIES, PATHS, SECTIONS
from plexsync.config.forms import (
    ENV_CONFIG,
    ENV_PATHS,
    ENV_PREFIX,
    ENV_STATE_DIR,
    SECRET,
    path_from_here,
    split_list,
)
from plexsync.config.values import key_hint, quotes_hint, toml_hint
from plexsync.errors import ConfigError
from plexsync.text.toml import toml_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from plexsync.config.forms import Key


POLICY_KEY = "policy"
"""What a field's policy is called in its table."""
_FIELDS = tuple(name for name in BY_NAME if re.fullmatch(r"fields\.\w+", name))


def _secret_file(text: str) -> object:
    return {"file": path_from_here(text.strip())}


_READERS: dict[str, tuple[Key, Callable[[str], object]]] = {
    **{key.variable: (key, key.form.from_text) for key in KEYS},
    **{
        f"{key.variable}__POLICY": (key, key.form.from_text)
        for key in (BY_NAME[name] for name in _FIELDS)
    },
    **{f"{key.variable}_FILE": (key, _secret_file) for key in KEYS if key.form is SECRET},
}
"""What each variable is for, and what makes its text what TOML would have given."""

_VARIABLES = (*_READERS, ENV_CONFIG, ENV_STATE_DIR, ENV_PATHS)
_UNQUOTED = {
    ENV_PATHS,
    *(one for one, (key, _) in _READERS.items() if not key.name.startswith("fields.")),
}
"""Variables with values that never begin and end with a quote; a template may."""

_NEAR = 0.86
"""How like a known variable an unknown one without `__` must be to be called a mistake.

Kubernetes sets PLEXSYNC_PORT and the like for a service of that name (0.81 to the nearest), which
must not stop anybody; PLEXSYNC_PLEX_TOKEN (0.97) must.
"""

_HEADER_LINE = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?")
_KEY_LINE = re.compile(r"""\s*([\w.\-"' ]+?)\s*=.*""")


class ConfigProblem(msgspec.Struct, frozen=True):
    """One thing wrong with the configuration.

    Args:
        place: `config.toml:3 > [plex] > url`, or the name of an environment variable.
        message: what is wrong; never a secret.
        remedy: what to do about it.
    """

    place: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.place}: {self.message}.{remedy}"


class InvalidConfigError(ConfigError):
    """The configuration has problems, all of them listed.

    Args:
        problems: at least one.
    """

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        self.problems = problems
        if len(problems) == 1:
            (only,) = problems
            super().__init__(only.message, context=only.place, hint=only.remedy)
        else:
            lines = "".join(f"\n  {problem}" for problem in problems)
            super().__init__(
                f"{len(problems)} problems in the configuration:{lines}",
                hint="docs/configuration.md has every key, and how it is written",
            )


class Raw(msgspec.Struct, frozen=True):
    """A value as it was found.

    Args:
        value: what TOML gave, or would have given.
        place: where, for a message: `config.toml:3 > [plex] > url`.
        origin: where, for `config show`: `config.toml:3`.
        in_file: whether it stands in the configuration file itself.
    """

    value: object
    place: str
    origin: str
    in_file: bool = False


class Sources:
    """The layers of one configuration: the file, and over it the environment.

    Args:
        path: the file.
        environ: the environment.
        must_exist: a file that is not there is a problem.

    Attributes:
        there: whether there is a file, or should be.
    """

    def __init__(self, path: Path, environ: Mapping[str, str], *, must_exist: bool = False) -> None:
        self.problems: list[ConfigProblem] = []
        self.found: dict[str, Raw] = {}
        self.path_rules: list[Raw] = []
        self.libraries: dict[str, dict[str, Raw]] = {}
        self.file_is_public = False
        self.file_failed = False
        self.there = self._take_file(path, must_exist=must_exist)
        self._take_environment(environ)

    def add_problem(self, place: str, message: str, remedy: str = "") -> None:
        """Remember something that is wrong, once."""
        problem = ConfigProblem(place, message, remedy)
        if problem not in self.problems:
            self.problems.append(problem)

    # ---- The file --------------------------------------------------------------------------------

    def _take_file(self, path: Path, *, must_exist: bool) -> bool:
        """Take the values of the file at `path`; False when it is not there and need not be."""
        try:
            content = path.read_bytes()
            self.file_is_public = bool(path.stat().st_mode & stat.S_IROTH)
        except (FileNotFoundError, NotADirectoryError):
            if must_exist:
                self._add_file_problem(path, "there is no such file", "Check its name.")
            return must_exist
        except OSError as error:
            self._add_file_problem(
                path,
                f"cannot be read ({error.strerror or 'unknown reason'})",
                "Check that it is a file the user plexsync runs as may read.",
            )
            return True
        self._take_text(path, content)
        return True

    def _add_file_problem(self, path: Path, message: str, remedy: str) -> None:
        self.file_failed = True
        self.add_problem(str(path), message, remedy)

    def _take_text(self, path: Path, content: bytes) -> None:
        try:
            text = content.decode("utf-8-sig")
            document = tomllib.loads(text)
        except UnicodeDecodeError as error:
            self._add_file_problem(
                path, f"is not UTF-8 (byte {error.start})", "Save it as UTF-8 text."
            )
        except (ValueError, RecursionError) as error:  # some of what is no TOML, tomllib lets pass
            self._add_file_problem(path, f"is not TOML: {error}", toml_hint(text, str(error)))
        else:
            self._take_document(_Places(path, text), document)

    def _take_document(self, places: _Places, document: dict[str, object]) -> None:
        for section, content in document.items():
            if section not in SECTIONS:
                self._unknown(places.of(section), section, SECTIONS)
            elif section == PATHS:
                self._take_path_tables(places, content)
            elif not isinstance(content, dict):
                self.add_problem(places.of(section), "must be a section", f"Write [{section}].")
            elif section == LIBRARIES:
                for title, table in content.items():
                    self._take_library(places, title, table)
            else:
                self._take_keys(places, section, content, into=self.found)

    def _take_library(self, places: _Places, title: str, table: object) -> None:
        place = f"{LIBRARIES}.{title}"
        hint = f"Write [{LIBRARIES}.{toml_value(title)}.{FIELDS}]."
        into = self.libraries.setdefault(title, {})
        for name, content in table.items() if isinstance(table, dict) else [("", table)]:
            where = f"{place}.{name}" if name else place
            if name not in {"", FIELDS}:
                self._unknown(places.of(where), name, (FIELDS,))
            elif not (name and isinstance(content, dict)):
                self.add_problem(places.of(where), "must be a table", hint)
            else:
                self._take_keys(places, FIELDS, content, into=into, before=f"{place}.")

    def _take_keys(
        self,
        places: _Places,
        above: str,
        content: dict[str, object],
        *,
        into: dict[str, Raw],
        before: str = "",
    ) -> None:
        """Take the keys below a section, or below a field that has a table of its own.

        Args:
            places: where each key stands.
            above: the section or field.
            content: what stands below it.
            into: takes the values by key.
            before: what the keys of this part begin with in the file.
        """
        for name, value in content.items():
            written = f"{above}.{name}"
            key = above if above in _FIELDS and name == POLICY_KEY else written
            if key not in BY_NAME:
                self._unknown(places.of(before + written), name, _names_below(above))
            elif written in _FIELDS and isinstance(value, dict):
                self._take_keys(places, written, value, into=into, before=before)
            else:
                into[key] = places.raw(before + written, value)

    def _take_path_tables(self, places: _Places, content: object) -> None:
        if not isinstance(content, list):
            self.add_problem(
                places.of(PATHS),
                "must be a list of tables",
                'Write [[paths]], and below it stash = "/data/" and plex = "/media/".',
            )
            return
        written = [f"{PATHS}.{number}" for number in range(len(content))]
        self.path_rules = [
            places.raw(key, value) for key, value in zip(written, content, strict=True)
        ]

    def _unknown(self, place: str, name: str, known: Iterable[str]) -> None:
        remedy = key_hint(name, known) or _elsewhere(name) or f"Known: {', '.join(known)}."
        self.add_problem(place, "is no setting of plexsync", remedy)

    # ---- The environment -------------------------------------------------------------------------

    def _take_environment(self, environ: Mapping[str, str]) -> None:
        """Take what `PLEXSYNC_*` variables say. An empty one says nothing, but for lists."""
        taken: dict[str, str] = {}
        for variable in sorted(name for name in environ if name.startswith(ENV_PREFIX)):
            raw = self._from_variable(variable, environ[variable])
            if raw is None:
                continue
            key = _READERS[variable][0].name
            if key in taken:
                self.add_problem(
                    variable, f"says the same as {taken[key]}", "Set only one of the two."
                )
            taken[key] = variable
            self.found[key] = raw

    def _from_variable(self, variable: str, text: str) -> Raw | None:
        if variable in _UNQUOTED and (remedy := quotes_hint(text)):
            self.add_problem(variable, "has quotes around its value", remedy)
        if variable == ENV_PATHS:
            if text.strip():
                rules = map(_path_rule, split_list(text))
                self.path_rules = [Raw(rule, ENV_PATHS, ENV_PATHS) for rule in rules]
        elif variable in _READERS:
            key, read = _READERS[variable]
            if text.strip() or key.form.empties:
                return Raw(read(text), variable, variable)
        elif variable not in _VARIABLES:
            self._check_unknown_variable(variable)
        return None

    def _check_unknown_variable(self, variable: str) -> None:
        mistaken = "__" in variable
        near = get_close_matches(variable, _VARIABLES, n=1, cutoff=0.6 if mistaken else _NEAR)
        if mistaken or near:
            remedy = f"Did you mean {near[0]}?" if near else "Unset it."
            self.add_problem(variable, "is no setting of plexsync", remedy)


class _Places:
    """Where in a TOML text each key stands, found by its lines.

    tomllib keeps no positions. A multi-line text that holds what looks like a key can shift a line
    number, never a value.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = _line_numbers(text)

    def raw(self, key: str, value: object) -> Raw:
        """Return a value with where it stands."""
        return Raw(value, self.of(key), self.origin(key), in_file=True)

    def origin(self, key: str) -> str:
        """`config.toml:3`, without the number when the line was not found."""
        line = self._lines.get(key) or self._lines.get(key.rpartition(".")[0])
        return f"{self._path}:{line}" if line else str(self._path)

    def of(self, key: str) -> str:
        """`config.toml:3 > [plex] > url`."""
        section, _, rest = key.partition(".")
        if section == PATHS:
            inside = f"[[{PATHS}]] {int(rest) + 1}" if rest else PATHS
        elif rest:
            inside = f"[{section}] > {rest.replace('.', ' > ')}"
        else:
            inside = section
        return f"{self.origin(key)} > {inside}"


def _line_numbers(text: str) -> dict[str, int]:
    """Return the first line of each section, key and `[[paths]]` table."""
    lines: dict[str, int] = {}
    section, tables = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER_LINE.fullmatch(line):
            section = _bare(header[2])
            if header[1] == "[[":
                section, tables = f"{section}.{tables}", tables + 1
            lines.setdefault(section, number)
        elif key := _KEY_LINE.fullmatch(line):
            name = _bare(key[1])
            lines.setdefault(f"{section}.{name}" if section else name, number)
    return lines


def _path_rule(text: str) -> object:
    """`/data/=/media/` as a table; what is none stays a text, which is refused."""
    sides = text.split("=")
    if len(sides) != 2:  # noqa: PLR2004 - the two sides of a rule
        return text
    return {"stash": sides[0].strip(), "plex": sides[1].strip()}


def _bare(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _names_below(section: str) -> tuple[str, ...]:
    """Return the keys right below a section or field."""
    below = (name.removeprefix(section + ".") for name in BY_NAME if name.startswith(section + "."))
    policy = (POLICY_KEY,) if section in _FIELDS else ()
    return (*policy, *(name for name in below if "." not in name))


def _elsewhere(name: str) -> str:
    """Where a key that stands in the wrong section belongs."""
    homes = [key.rpartition(".")[0] for key in BY_NAME if key.rpartition(".")[2] == name]
    if not homes:
        return ""
    return "It belongs to " + " or ".join(f"[{home}]" for home in homes) + "."
