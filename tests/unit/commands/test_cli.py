"""The command line: every option arrives, every failure ends in words and the right exit code."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

from plexsync import __version__, errors
from plexsync.cli import cli, run_command_line
from plexsync.commands.run import run_command, run_options
from plexsync.errors import ConfigError, ExitCode, InterruptedRunError, PlexsyncError
from plexsync.models import SceneId
from plexsync.output.console import Invocation
from plexsync.sync.ports import RunOptions

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-7f3a9c"


def failing(error: BaseException, *secrets: str) -> click.Command:
    """A command that learns `secrets` and fails."""

    @click.command()
    @click.option("--json", is_flag=True, expose_value=False)
    @click.pass_obj
    def command(session: Invocation) -> None:
        session.secrets += secrets
        raise error

    return command


def parsed(*arguments: str) -> RunOptions:
    """What `plexsync run` hands to reconcile."""
    context = run_command.make_context("run", list(arguments), obj=Invocation(_shape()))
    return run_options(dict(context.params), watched=True)


def _shape() -> Any:  # noqa: ANN401 - Shape, which the session of a test does not look at
    from plexsync.output.streams import Shape  # noqa: PLC0415 - kept beside its only use

    return Shape()


def python(script: str, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401 - those of subprocess.run
    """Run a script of our own in a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", script], check=False, text=True, **options)


# ---- Help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command with a sentence that is not cut."""
    code = run_command_line([flag])

    text = capsys.readouterr().out
    assert code == ExitCode.OK
    assert "..." not in text.partition("Start:")[2]
    for name, command in cli.commands.items():
        assert (f"\n  {name}" in text) is not command.hidden


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Help says what it does, shows how, and fits 80 columns."""
    code = run_command_line([name, "-h"])

    text = capsys.readouterr().out
    assert code == ExitCode.OK
    assert f"plexsync {name}" in text.partition("Examples:")[2]
    assert max(map(len, text.splitlines())) <= 80
    assert all(
        option.help for option in cli.commands[name].params if isinstance(option, click.Option)
    )


@pytest.mark.parametrize("arguments", [["--version"], ["run", "--version"]], ids=" ".join)
def test_version_is_reported_before_and_after_the_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit 0."""
    assert run_command_line(arguments) == ExitCode.OK
    assert capsys.readouterr().out == f"plexsync {__version__}\n"


def test_no_arguments_show_the_help_and_count_as_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A script that lost its arguments does not look fine."""
    assert run_command_line([]) == ExitCode.USAGE
    assert "Start:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]], ids=" ".join)
def test_questions_are_answered_without_heavy_imports(arguments: list[str]) -> None:
    """None of what a run needs is loaded to print a help text."""
    done = python(
        "import sys\n"
        "from plexsync.cli import run_command_line\n"
        f"code = run_command_line({arguments!r})\n"
        "loaded = {'requests', 'plexapi', 'rich', 'msgspec', 'rapidfuzz'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {loaded}' if loaded else code)",
        capture_output=True,
    )

    assert (done.returncode, done.stderr) == (0, "")


# ---- Options -------------------------------------------------------------------------------------


def test_run_defaults_to_nothing_special() -> None:
    """No option given: the defaults of a run."""
    assert parsed() == RunOptions()


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["-n"], RunOptions(dry_run=True)),
        (["--dry-run"], RunOptions(dry_run=True)),
        (["--full"], RunOptions(full=True)),
        (["--scene", "7", "--scene", "12"], RunOptions(scenes=(SceneId("7"), SceneId("12")))),
        (["--library", "A, b", "--library", "C"], RunOptions(libraries=("A, b", "C"))),
        (["--limit", "5"], RunOptions(limit=5)),
        (["--max-changes", "0"], RunOptions(max_changes=0)),
        (["--force"], RunOptions(force=True)),
        (["--lock-wait", "15m"], RunOptions(lock_wait_s=900.0)),
        (["--detailed-exitcode"], RunOptions(detailed_exitcode=True)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_run_option_reaches_the_run(arguments: list[str], options: RunOptions) -> None:
    """One option, one field, nothing else touched."""
    assert parsed(*arguments) == options


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("1d", 86400),
        ("1w", 604800),
        ("1h30m", 5400),
    ],
)
def test_durations_are_read(text: str, seconds: int) -> None:
    """A number and a unit; seconds without one."""
    assert parsed("--lock-wait", text).lock_wait_s == seconds


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--lock-wait", "soon"],
        ["run", "--lock-wait", "-5s"],
        ["run", "--lock-wait", "5 m"],
        ["run", "--lock-wait", ""],
        ["run", "--scene", "abc"],
        ["run", "--scene", "0"],
        ["run", "--scene", "-1"],
        ["run", "--library", ""],
        ["run", "--library", "Films", "--library", " "],
        ["run", "--limit", "0"],
        ["run", "--max-changes", "-1"],
        ["run", "--frob"],
        ["run", "extra"],
        ["frobnicate"],
        ["demo", "--json"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_in_2_with_a_way_out(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong, where to read on, nothing on stdout, no traceback."""
    code = run_command_line(arguments)

    out, err = capsys.readouterr()
    if "--json" in arguments:
        assert json.loads(out)["exit_code"] == 2
    else:
        assert out == ""
        assert err.startswith("plexsync: ")
        assert "--help" in err
    assert code == ExitCode.USAGE
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        "plexsync run",
        "plexsync run --full",
        "plexsync run --scene 2 --scene 4 --library 'My Films' --limit 5 --max-changes 0 --force",
        "plexsync apply 'a plan'",
    ],
)
def test_the_command_that_writes_is_the_dry_one_without_its_dryness(words: str) -> None:
    """What a dry run offers to type writes what it showed: the same scenes, limits, libraries."""
    _, command, *arguments = shlex.split(words)
    shown = parsed("-n", *arguments) if command == "run" else parsed("--save-plan", *arguments)

    assert shlex.join(shown.to_write) == words


@pytest.mark.parametrize(
    ("arguments", "page"),
    [
        (["run", "--scene"], "plexsync run --help"),
        (["-v", "run", "--scene", "x"], "plexsync run --help"),
        (["review", "lst"], "plexsync review --help"),
        (["--config"], "plexsync --help"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_wrong_usage_leads_to_the_page_about_it(
    arguments: list[str], page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the help of the command that was meant."""
    assert run_command_line(arguments) == ExitCode.USAGE

    assert f"hint: {page} lists" in capsys.readouterr().err


def test_no_secret_is_an_option() -> None:
    """Nothing that ends up in a process list."""
    names = {
        name
        for command in (cli, *cli.commands.values())
        for option in command.params
        for name in option.opts
    }

    assert not {name for name in names if "token" in name or "key" in name or "pass" in name}


# ---- JSON, whatever happens ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "run", "-c", "missing.toml"],
        ["run", "--json", "-c", "missing.toml"],
        ["-c", "missing.toml", "run", "--json"],
        ["-c", "missing.toml", "--json", "run", "-v"],
        ["run", "--json"],
        ["run", "--json", "--frob"],
        ["--json", "frobnicate"],
        ["--json"],
    ],
    ids=" ".join,
)
def test_failures_are_documents_when_json_is_asked_for(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Before or after the command, for usage and configuration alike."""
    code = run_command_line(arguments)

    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "plexsync/run/1"
    assert found["exit_code"] == code == ExitCode.USAGE
    assert found["matches"] == []
    assert found["error"]["kind"] == "config"
    assert found["error"]["message"]


@pytest.mark.parametrize("shape", ["--json", "--jsonl"])
@pytest.mark.parametrize(
    "command",
    [
        "status --max-age yesterday",
        "status extra",
        "config show -c missing.toml",
        "review list -c missing.toml",
        "explain 12 -c missing.toml",
        "history 20200101T000000Z-0000",
        "retry abc",
    ],
)
def test_commands_that_are_no_run_fail_in_a_document_of_errors(
    command: str, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody takes it for what was asked for, nor for a run that found nothing."""
    code = run_command_line([*command.split(), shape])

    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "plexsync/error/1"
    assert found["exit_code"] == code == ExitCode.USAGE
    assert set(found["error"]) == {"kind", "message", "hint"}


def test_failures_are_events_when_json_lines_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One event, the last of every run."""
    code = run_command_line(["run", "--jsonl", "-c", "missing.toml"])

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "finished"
    assert json.loads(line)["exit_code"] == code == ExitCode.USAGE


def test_argument_after_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    """`-- --json` asks for nothing."""
    run_command_line(["run", "--", "--json"])

    assert capsys.readouterr().out == ""


# ---- Errors --------------------------------------------------------------------------------------

EXPECTED = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PlexsyncError) and kind.kind != "interrupted"
]


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: str(kind.__name__))
def test_expected_errors_end_in_their_exit_code(
    kind: type[PlexsyncError], capsys: pytest.CaptureFixture[str]
) -> None:
    """Message, place and hint on stderr; no traceback."""
    error = kind("it broke", context="here > there", hint="mend it")

    code = run_command_line([], failing(error))

    out, err = capsys.readouterr()
    assert code == kind.exit_code
    assert (out, err) == ("", "plexsync: here > there: it broke\n  hint: mend it\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (InterruptedRunError(ExitCode.INTERRUPTED), 130),
        (InterruptedRunError(ExitCode.TERMINATED), 143),
    ],
    ids=["ctrl-c", "abort", "SIGINT", "SIGTERM"],
)
def test_interruption_ends_in_words(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback for a person who pressed Ctrl-C."""
    assert run_command_line([], failing(error)) == code
    assert capsys.readouterr().err.strip().startswith("plexsync: interrupted: ")


def test_bug_shows_a_traceback_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """What was not expected is shown for the report, tokens hidden."""
    code = run_command_line([], failing(ValueError(f"bad header {CANARY}"), CANARY))

    err = capsys.readouterr().err
    assert code == ExitCode.BUG
    assert "Traceback" in err
    assert "a bug in plexsync" in err
    assert "ValueError: bad header" in err
    assert CANARY not in err


def test_bug_is_a_document_when_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Even then stdout holds one document."""
    code = run_command_line(["--json"], failing(ValueError(f"bad {CANARY}"), CANARY))

    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["kind"] == "bug"
    assert json.loads(out)["exit_code"] == code == ExitCode.BUG
    assert CANARY not in out + err


def test_full_disk_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 9 and a sentence."""
    code = run_command_line([], failing(OSError(28, "No space left on device")))

    assert code == ExitCode.LOCAL_FILES
    assert capsys.readouterr().err == (
        "plexsync: nothing more can be written: No space left on device\n"
        "  hint: free space on that disk, or raise the quota, or set PLEXSYNC_STATE_DIR to another "
        "disk; the next run goes on where this one stopped\n"
    )


def test_all_problems_of_a_configuration_are_reported_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each on a line of its own, none with a secret."""
    config = tmp_path / "config.toml"
    config.write_text(f'[stash]\nurll = "x"\n[plex]\ntoken = "{CANARY}"\nfrob = 1\n')
    config.chmod(0o600)

    code = run_command_line(["run", "-c", str(config)])

    err = capsys.readouterr().err
    assert code == ExitCode.USAGE
    assert "urll" in err
    assert "frob" in err
    assert CANARY not in err


def test_error_of_a_command_names_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    """`run_command`'s mistake leads to `run_command`'s help."""
    run_command_line(["run", "--frob"])

    assert "plexsync run --help" in capsys.readouterr().err


def test_config_error_class_is_what_usage_becomes() -> None:
    """Usage and configuration share kind and exit code, as the contract says."""
    assert ConfigError("x").exit_code == ExitCode.USAGE


# ---- Streams that are gone -----------------------------------------------------------------------

_FAIL = "from plexsync.cli import run_command_line as r; import sys; sys.exit(r({!r}))"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--json", "-c", "missing.toml"]], ids=["help", "json"]
)
def test_reader_that_leaves_is_no_error(arguments: list[str]) -> None:
    """`| head` that is done before us: not a word on stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = python(_FAIL.format(arguments), stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)

    assert done.stderr == ""
    assert done.returncode in {ExitCode.OK, ExitCode.USAGE}


def test_document_that_cannot_be_written_is_reported_on_stderr() -> None:
    """A full disk under stdout: the error appears where it can be written."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device, not a path to handle
        done = python(
            _FAIL.format(["run", "--json", "-c", "missing.toml"]),
            stdout=full,
            stderr=subprocess.PIPE,
        )

    assert "missing.toml" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == ExitCode.USAGE


def test_closed_streams_are_survived() -> None:
    """Started with nothing open at all, as some daemons do."""
    script = (
        "import os, subprocess, sys\n"
        "code = subprocess.call([sys.executable, '-c', "
        f"{_FAIL.format(['run', '-c', 'missing.toml'])!r}], "
        "preexec_fn=lambda: (os.close(0), os.close(1), os.close(2)))\n"
        "sys.exit(code)"
    )

    assert python(script, capture_output=True).returncode == ExitCode.USAGE


def test_a_plan_that_cannot_be_saved_is_named_before_the_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file is written at the very end; not even the configuration is read."""
    plan = "/proc/plan.json"
    assert run_command_line(["run", "--save-plan", plan]) == ExitCode.LOCAL_FILES
    assert f"{plan}: cannot create: " in capsys.readouterr().err


def test_a_folder_that_can_be_written_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the system says of rights: on network file systems that may be wrong."""
    monkeypatch.setattr("os.access", lambda *_: False)
    assert run_command_line(["run", "--save-plan", str(tmp_path / "plan")]) == ExitCode.USAGE
    assert "there is no configuration yet" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
