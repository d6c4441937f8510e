"""What the documents say and what the program does, compared: neither may run ahead."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from plexsync.app.sign_in import CodeExpiredError
from plexsync.cli import cli
from plexsync.config.loader import load_config
from plexsync.errors import ExitCode, PlexsyncError
from plexsync.models import Outcome
from plexsync.output.console import Invocation
from plexsync.output.formats import json_documents as json_report
from plexsync.output.formats.tsv import COLUMNS
from plexsync.output.streams import Shape
from plexsync.sync.execution.writer import NOT_SHOWN, NOT_STORED
from tests.support.factories import make_header, make_preview, make_row, make_summary

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
COMMANDS = DOCS / "commands.md"
OUTPUT = DOCS / "output.md"
CRON = ROOT / "cron.example"
PAGES = (README, *sorted(DOCS.rglob("*.md")))
HOW_TO = (DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md")))
TODAY = (
    README,
    COMMANDS,
    OUTPUT,
    DOCS / "lifecycle.md",
    DOCS / "configuration.md",
    DOCS / "troubleshooting.md",
    *HOW_TO,
    CRON,
)
"""Pages about this version; the contract and the design also speak of later ones."""

NOT_YET: frozenset[ExitCode] = frozenset()
"""Exit codes of commands that do not exist yet."""


def text_of(page: Path) -> str:
    """A page."""
    return page.read_text(encoding="utf-8")


def section(page: Path, title: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = title.partition(" ")[0]
    body = text_of(page).partition(f"\n{title}\n")[2]
    assert body, f"{page.name} has no {title!r}"
    return re.split(rf"\n#{{1,{len(level)}}} ", body)[0]


def first_cells(table: str) -> list[str]:
    """The first column of the tables in `table`, without their headings."""
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    return [row for row in rows if row not in {"option", "command", "code", "column", "event"}]


def documented_options(title: str) -> set[str]:
    """Every spelling of every option in the table under a heading."""
    cells = first_cells(section(COMMANDS, title))
    return {name for cell in cells for name in re.findall(r"(?<![\w-])--?[a-z][\w-]*", cell)}


def spellings(command: click.Command) -> set[str]:
    """Every spelling of every option of a command; `-vv` is `-v` twice."""
    options = [one for one in command.params if isinstance(one, click.Option)]
    return {name for option in options for name in option.opts} | {"-h", "--help"}


# ---- Commands and options ------------------------------------------------------------------------


def test_commands_are_documented_and_exist() -> None:
    """The table of commands names each command, and nothing else."""
    documented = re.findall(r"`plexsync (\w+)`", text_of(COMMANDS).partition("\n## ")[0])

    assert sorted(documented) == sorted(cli.commands)


def test_global_options_are_documented_and_exist() -> None:
    """The table of options of every command, both ways."""
    assert documented_options("## Options of every command") == spellings(cli)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_options_of_a_command_are_documented_and_exist(name: str) -> None:
    """Each command's own table, both ways."""
    own = spellings(cli.commands[name]) - spellings(cli)

    assert documented_options(f"## `plexsync {name}`") == own


@pytest.mark.parametrize(
    "name", sorted(name for name, one in cli.commands.items() if isinstance(one, click.Group))
)
def test_subcommands_and_their_options_are_documented(name: str) -> None:
    """Under the heading of their command."""
    group = cli.commands[name]
    assert isinstance(group, click.Group)
    text = section(COMMANDS, f"## `plexsync {name}`")
    if name == "review":
        text += section(COMMANDS, "## Answering without a terminal")

    options = {option for one in group.commands.values() for option in spellings(one)}
    assert {
        one for one in (*group.commands, *(options - spellings(cli))) if one not in text
    } == set()


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_commands_have_help(name: str) -> None:
    """A command explains itself."""
    assert cli.commands[name].help
    assert cli.commands[name].short_help


def command_lines() -> list[tuple[str, str]]:
    """Every line of the pages about this version that calls plexsync, with its page."""
    found = []
    for page in TODAY:
        for line in text_of(page).splitlines():
            call = re.search(
                r"(?:^ +|^\S+ +\* +\* +\* +\* +|ExecStart=\S*/|`)(plexsync [^`|#<>]+)", line
            )
            if call:
                found.append((page.name, re.split(r"\s{2,}", call[1])[0].strip()))
    return found


def test_there_are_calls_to_check() -> None:
    """The pattern finds what it should."""
    lines = command_lines()

    assert len(lines) > 20
    assert ("cron.example", "plexsync run --lock-wait 10m") in lines


@pytest.mark.parametrize(("page", "line"), command_lines(), ids=str)
def test_calls_in_the_documents_parse(page: str, line: str) -> None:
    """Whoever copies a line gets no usage error."""
    words = [word for word in shlex.split(line)[1:] if word not in {"COMMAND", "--help"}]
    names = [word for word in words if word in cli.commands]
    if not names:
        assert words in ([], ["-v"], ["--version"]), f"{page} calls something that is not there"
        return

    command = cli.commands[names[0]]
    given = [word for word in words if word not in names]
    if not given:
        return  # only named
    # Some groups do something by themselves, with options of their own.
    if isinstance(command, click.Group) and not given[0].startswith("-"):
        _, subcommand, given = command.resolve_command(click.Context(command), given)
        assert subcommand, f"{page} calls something that is not there"
        command = subcommand

    # A bare name is a mention, not a call: what it needs stands in its own section.
    mention = not given
    context = command.make_context(
        command.name, given, obj=Invocation(Shape()), resilient_parsing=mention
    )

    assert context.command is command


# ---- Exit codes ----------------------------------------------------------------------------------


def test_exit_codes_are_documented_and_exist() -> None:
    """The table of exit codes names each code this version can end with, and nothing else."""
    documented = {
        int(code)
        for cell in first_cells(section(COMMANDS, "## Exit codes"))
        for code in re.findall(r"\d+", cell)
    }

    assert documented == {int(code) for code in ExitCode} - NOT_YET


def test_help_of_run_tells_every_exit_code() -> None:
    """Those without a special option."""
    documented = (cli.commands["run"].help or "").partition("Exit codes:")[2]

    optional = {ExitCode.CHANGES, ExitCode.ONLY_REVIEW, ExitCode.STALE, ExitCode.TOO_OLD}
    for code in set(ExitCode) - NOT_YET - optional:
        assert re.search(rf"\b{int(code)}\b", documented), code


# ---- Output --------------------------------------------------------------------------------------


def test_columns_of_a_line_are_documented_in_order() -> None:
    """The table is the format."""
    assert tuple(first_cells(section(OUTPUT, "## Lines"))) == COLUMNS


def test_outcomes_of_a_line_are_documented() -> None:
    """All but unchanged, which gets no line."""
    (row,) = re.findall(r"\| outcome \|(.*)\|", text_of(OUTPUT))

    assert set(re.findall(r"`(\w+)`", row)) == set(Outcome) - {Outcome.UNCHANGED}


def test_events_are_documented_in_order() -> None:
    """Each event once, as a run tells them."""
    events = [
        json_report.started_event(make_header()),
        json_report.progress_event("x", 0, None),
        json_report.preview_event(make_preview()),
        json_report.match_event(make_row()),
        json_report.warning_event("x"),
        json_report.finished_event(make_summary()),
    ]

    documented = [cell.strip("`") for cell in first_cells(section(OUTPUT, "## JSON lines"))]
    assert documented == [re.findall(rb'"event":"(\w+)"', event)[0].decode() for event in events]


# ---- README, cron.example, changelog -------------------------------------------------------------


def test_readme_begins_with_three_commands_and_the_two_of_a_checkout() -> None:
    """Install, init, run; then `make demo` and `make test`, which are both there."""
    commands = re.findall(r"^    (\S.*?)\s*(?:#.*)?$", text_of(README), re.MULTILINE)
    targets = re.findall(r"^(\w+):", text_of(ROOT / "Makefile"), re.MULTILINE)

    assert commands[:3] == ["pipx install .", "plexsync init", "plexsync run"]
    assert commands[3:5] == ["make demo", "make test"]
    assert {"demo", "test"} <= set(targets)


def test_configuration_in_the_readme_is_valid(tmp_path: Path) -> None:
    """Copied as it stands it is accepted, without a warning."""
    (block,) = re.findall(r"```toml\n(.*?)```", text_of(README), re.DOTALL)
    config = tmp_path / "config.toml"
    for path, content in ((config, block), (tmp_path / "plex-token", "x" * 20)):
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)

    loaded = load_config(config, {}, home=tmp_path)

    assert tomllib.loads(block)["plex"]["libraries"] == list(loaded.plex.libraries)
    assert loaded.warnings == ()


def test_variables_in_the_crontab_are_enough(tmp_path: Path) -> None:
    """What cron.example sets is a complete configuration."""
    token = tmp_path / "plex-token"
    token.write_text("x" * 20, encoding="utf-8")
    token.chmod(0o600)
    environ = dict(re.findall(r"^(PLEXSYNC_\w+)=(.*)$", text_of(CRON), re.MULTILINE))

    loaded = load_config(None, environ | {"PLEXSYNC_PLEX__TOKEN_FILE": str(token)}, home=tmp_path)

    assert "PLEXSYNC_PLEX__TOKEN_FILE" in environ
    assert loaded.plex.url == "http://localhost:32400"


def test_changelog_has_a_place_for_what_comes_next() -> None:
    """Keep a Changelog: an Unreleased section with something in it."""
    assert "\n- " in section(ROOT / "CHANGELOG.md", "## Unreleased")


# ---- Links ---------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors a page's headings make, as GitHub spells them."""
    titles = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    """Files exist, and so do the headings within them."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text_of(page)):
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name} links to {target}#{anchor}"


def test_modules_named_in_the_lifecycle_exist() -> None:
    """Whoever reads on finds the module: those in brackets, `(config)` or `(state, journal)`."""
    brackets = re.findall(r"\(((?:`[\w/]+`,?\s*)+)\)", text_of(DOCS / "lifecycle.md"))
    named = {name for found in brackets for name in re.findall(r"`([\w/]+)`", found)}

    assert len(named) > 10
    assert {name for name in named if not (ROOT / "plexsync" / f"{name}.py").exists()} == set()


def test_ways_to_an_answer_lead_there() -> None:
    """Folder, file, name: each of the ten questions is answered three steps into the tree."""
    table = section(DOCS / "how-it-works.md", "## Where is it?")
    ways = re.findall(
        r"^\|[^|]+\? \| (?:`([\w/]+)`)? ?\| `(\w+\.py)` \| `(\w+)` \|$", table, re.MULTILINE
    )

    assert len(ways) == 10
    for folder, file, name in ways:
        code = text_of(ROOT / "plexsync" / folder / file)
        assert re.search(rf"^(?:class |def |){name}\b", code, re.MULTILINE), (file, name)


def test_folders_of_the_overview_exist() -> None:
    """Every folder "How it works" names is in the tree, and every folder of the tree is named."""
    named = set(re.findall(r"`?\b((?:[a-z]+/)+)", text_of(DOCS / "how-it-works.md")))
    there = {
        f"{path.parent.relative_to(ROOT / 'plexsync')}/"
        for path in (ROOT / "plexsync").glob("*/__init__.py")
    }
    inner = {name for name in named if (ROOT / "plexsync" / name).is_dir()}

    assert there - named == set()
    assert named - inner - {"plexsync/"} == set()


def test_index_names_every_page() -> None:
    """Nothing in docs/ is hidden."""
    index = text_of(DOCS / "README.md")

    assert [page.name for page in DOCS.rglob("*.md") if page.name not in index] == []


def kinds_of_errors() -> set[str]:
    """What `kind` any error has."""
    found, todo = set(), [PlexsyncError]
    while todo:
        one = todo.pop()
        found.add(one.kind)
        todo += one.__subclasses__()
    return found | {CodeExpiredError.kind, NOT_STORED, NOT_SHOWN}


def test_every_kind_of_error_has_its_section() -> None:
    """In the order of the alphabet, so that it is found; a terminal names it."""
    titles = re.findall(r"^## `([\w-]+)`$", text_of(DOCS / "troubleshooting.md"), re.MULTILINE)

    assert titles == sorted(kinds_of_errors())
