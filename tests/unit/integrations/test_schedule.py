"""What starts plexsync by itself: ready to use, quoted for its reader, without secrets."""

from __future__ import annotations

import json
import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped] # its types are a package of their own

from plexsync.cli import cli, run_command_line
from plexsync.config.sources import InvalidConfigError
from plexsync.errors import ConfigError, ExitCode
from plexsync.integrations.schedule import (
    Setup,
    compose_service,
    crontab,
    find_program,
    find_setup,
    stash_manifest,
    systemd_service,
    systemd_timer,
)
from plexsync.output.console import Invocation
from plexsync.output.streams import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

CANARY = "canary-7f3a9c"
ODD = '/srv/it\'s 100% $HOME "q"/ü'


def make_setup(**changes: object) -> Setup:
    """A setup with nothing but awkward paths."""
    given: dict[str, object] = {
        "program": (f"{ODD}/bin/plexsync",),
        "config": Path(f"{ODD}/config.toml"),
        "folder": Path(ODD),
        "state": Path(f"{ODD}/state"),
        "variables": (("PLEXSYNC_PLEX__LIBRARIES", 'A "b", 50%'),),
    }
    return Setup(**(given | changes))  # type: ignore[arg-type]  # fields of Setup


def setup_of(environ: Mapping[str, str], path: Path | None = None) -> Setup:
    """The setup of a configuration."""
    return find_setup(path, environ, home=Path("/home/you"), program=("/bin/plexsync",))


def as_cron_runs(line: str) -> list[str]:
    """The arguments cron's shell hands over. Source: crontab(5)."""
    command = line.split(" ", 5)[5]
    assert not re.search(r"(?<!\\)%", command)
    return shlex.split(command.replace("\\%", "%"))


def as_systemd_reads(value: str) -> list[str]:
    """The words of a setting. Source: systemd.syntax(7), "Quoting"."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', value)
    plain = [re.sub(r"\\(.)", r"\1", quoted) or bare for quoted, bare in words]
    assert not any("%" in word.replace("%%", "") for word in plain)
    return [word.replace("%%", "%") for word in plain]


def as_systemd_runs(value: str) -> list[str]:
    """The arguments systemd hands over. Source: systemd.service(5), "Command lines"."""
    program, *arguments = as_systemd_reads(value)
    assert not any("$" in word.replace("$$", "") for word in arguments)
    return [program, *(word.replace("$$", "$") for word in arguments)]


def settings_of(unit: str) -> list[tuple[str, str]]:
    """The settings of a unit, in order."""
    lines = [line for line in unit.splitlines() if line and line[0] not in "#["]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def expected(setup: Setup) -> list[str]:
    """The command line every starter has to run."""
    config = ["--config", str(setup.config)] if setup.config else []
    return [*setup.program, "run", "--lock-wait", "10m", *config]


def test_crontab_runs_the_command_whatever_the_paths_hold() -> None:
    """Quotes, blanks, dollars and percent signs arrive as they are."""
    setup = make_setup()

    *_, line = crontab(setup).splitlines()

    assert line.startswith("*/15 * * * * ")
    assert as_cron_runs(line) == expected(setup)


def test_crontab_sets_what_cron_does_not_have() -> None:
    """Variables of the shell, and where the state is."""
    text = crontab(make_setup(cache=Path("/c"), path="/usr/bin"))

    assert '\nPLEXSYNC_PLEX__LIBRARIES=A "b", 50%\n' in text
    assert f"\nPLEXSYNC_STATE_DIR={ODD}/state\n" in text
    assert "\nCACHE_DIRECTORY=/c\nPATH=/usr/bin\n" in text


@pytest.mark.parametrize("user", ["", "you"], ids=["user", "system"])
def test_service_runs_the_command_whatever_the_paths_hold(user: str) -> None:
    """Specifiers and variables of systemd are not mistaken for its own."""
    setup = make_setup()

    found = dict(settings_of(systemd_service(setup, user=user)))

    assert as_systemd_runs(found["ExecStart"]) == expected(setup)
    assert found["EnvironmentFile"] == f"-{ODD}/environment".replace("%", "%%")
    assert found["Type"] == "oneshot"
    assert found["NoNewPrivileges"] == "yes"


@pytest.mark.parametrize("user", ["", "you"], ids=["user", "system"])
def test_service_hands_over_the_credentials_the_configuration_asks_for(user: str) -> None:
    """Else every run would end with 2; systemd takes the rest of the line as the path."""
    text = systemd_service(make_setup(credentials=("plex", "stash")), user=user)

    loaded = [value for name, value in settings_of(text) if name == "LoadCredential"]
    folder = ODD.replace("%", "%%")
    assert loaded == [f"plex:{folder}/plex", f"stash:{folder}/stash"]
    assert f"# Put each secret alone into {ODD}/plex and {ODD}/stash, mode 0600" in text


def test_crontab_says_that_cron_has_no_credentials() -> None:
    """What cannot work stands where it is printed."""
    assert "# cron hands over no credentials: use { file" in crontab(
        make_setup(credentials=("plex",))
    )


@pytest.mark.parametrize("user", ["", "you"], ids=["user", "system"])
def test_a_service_that_is_stopped_has_not_failed(user: str) -> None:
    """The run ends in good order with 143, which systemd would take for a failure."""
    assert ("SuccessExitStatus", "143") in settings_of(systemd_service(make_setup(), user=user))


def test_service_of_a_user_keeps_the_state_where_the_shell_has_it() -> None:
    """`plexsync status` in a shell must look at the same state."""
    found = settings_of(systemd_service(make_setup()))

    shown = [as_systemd_reads(value)[0] for name, value in found if name == "Environment"]
    assert f"PLEXSYNC_STATE_DIR={ODD}/state" in shown
    assert "StateDirectory" not in dict(found)
    assert "ProtectSystem" not in dict(found)


def test_service_of_the_system_has_directories_and_a_cage_of_its_own() -> None:
    """Directories are made; the rest of the disk is read-only."""
    found = dict(settings_of(systemd_service(make_setup(), user="you")))

    assert found["User"] == "you"
    assert (found["StateDirectory"], found["CacheDirectory"]) == ("plexsync", "plexsync")
    assert found["ProtectSystem"] == "strict"
    assert "PLEXSYNC_STATE_DIR" not in systemd_service(make_setup(), user="you")


def test_timer_is_installed_and_catches_up() -> None:
    """After a night off it runs at once, and it starts at boot."""
    found = dict(settings_of(systemd_timer(system=False)))

    assert found == {
        "Description": "Start plexsync regularly",
        "OnCalendar": "*:0/15",
        "RandomizedDelaySec": "60",
        "Persistent": "true",
        "WantedBy": "timers.target",
    }


def compose_reads(text: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    """The service of a compose file, with its variables replaced; `$$` is a dollar sign."""
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert not re.search(r"(?<!\$)\$(?:\$\$)*(?!\$)", text), "a variable"
    return yaml.safe_load(text.replace("$$", "$"))["services"]["plexsync"]


def test_compose_has_everything_where_it_is_whatever_the_paths_hold() -> None:
    """The same folders inside as outside, the configuration read-only."""
    service = compose_reads(
        compose_service(make_setup(cache=Path(f"{ODD}/cache")), user="1000:1000")
    )

    places = {one["source"]: one for one in service["volumes"]}
    assert all(one["target"] == one["source"] for one in service["volumes"])
    assert {name: one.get("read_only", False) for name, one in places.items()} == {
        f"{ODD}/state": False,
        f"{ODD}/cache": False,
        ODD: True,
    }
    assert service["environment"] == {
        "PLEXSYNC_PLEX__LIBRARIES": 'A "b", 50%',
        "PLEXSYNC_STATE_DIR": f"{ODD}/state",
        "CACHE_DIRECTORY": f"{ODD}/cache",
        "PLEXSYNC_CONFIG": f"{ODD}/config.toml",
    }


def test_compose_service_may_do_nothing_but_run() -> None:
    """No special user, no capability, a root file system nothing is written to."""
    service = compose_reads(compose_service(make_setup(), user="1000:1000"))

    assert (service["user"], service["read_only"], service["cap_drop"]) == (
        "1000:1000",
        True,
        ["ALL"],
    )
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "env_file" not in service


def test_compose_takes_secrets_of_variables_from_a_file() -> None:
    """A secret of this shell is no part of it; a program's has no program in the container."""
    made = make_setup(
        secrets=("PLEX_TOKEN",), credentials=("stash",), path="/bin:/usr/bin", config=None
    )
    text = compose_service(made, user="1000:1000")

    assert compose_reads(text)["env_file"] == [f"{ODD}/environment"]
    assert "PATH" not in compose_reads(text)["environment"]
    assert "# Write PLEX_TOKEN into" in text
    assert "# compose hands over no credentials" in text
    assert "# { command = ... } finds no program in a container" in text


def test_manifest_holds_only_keys_stash_knows() -> None:
    """One unknown key and Stash does not load the plugin. Source: docs/stash-api.md 6."""
    text = stash_manifest(make_setup(), "1.2.3")

    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    assert keys <= {"name", "description", "version", "url", "exec", "interface", "hooks", "tasks"}
    inner = set(re.findall(r"^ +(?:- )?(\w+):(?: |$)", text, re.MULTILINE))
    assert inner == {"name", "description", "triggeredBy", "execArgs"}
    assert '\nversion: "1.2.3"\n' in text
    assert re.findall(r"- (Scene\.\w+\.Post)", text) == [
        "Scene.Create.Post",
        "Scene.Update.Post",
        "Scene.Destroy.Post",
    ]


def test_manifest_calls_the_hook_for_this_state() -> None:
    """Every word a quoted text, so that no path reads as something else."""
    text = stash_manifest(make_setup(), "1")

    block = text.partition("\nexec:\n")[2].partition("\ninterface:")[0]
    words = [json.loads(line.removeprefix("  - ")) for line in block.splitlines()]
    assert words == [f"{ODD}/bin/plexsync", "hook", "--state-dir", f"{ODD}/state"]


def test_manifest_has_a_task_that_knows_the_configuration() -> None:
    """What Stash starts for it parses."""
    plugin = yaml.safe_load(stash_manifest(make_setup(), "1"))
    (task,) = plugin["tasks"]

    assert task["execArgs"] == ["--where", "--config", f"{ODD}/config.toml"]
    words = [*plugin["exec"], *task["execArgs"]][2:]
    cli.commands["hook"].make_context("hook", words, obj=Invocation(Shape()))


def test_what_is_started_is_what_the_command_line_takes() -> None:
    """Each starter's command parses."""
    for words in (expected(make_setup())[1:], ["hook", "--state-dir", "x"]):
        command = cli.commands[words[0]]
        command.make_context(words[0], words[1:], obj=Invocation(Shape()))


# ---- What a setup holds --------------------------------------------------------------------------

SERVERS = {"PLEXSYNC_STASH__URL": "http://s:9999", "PLEXSYNC_PLEX__URL": "http://p:32400"}


def test_secrets_stay_in_the_shell(tmp_path: Path) -> None:
    """Only their names are reported, with what to do."""
    token = tmp_path / "token"
    environ = {
        **SERVERS,
        "PLEXSYNC_PLEX__TOKEN": CANARY,
        "PLEXSYNC_STASH__API_KEY_FILE": str(token),
        "HOME": "/home/you",
    }

    setup = setup_of(environ)

    texts = (crontab(setup), systemd_service(setup), stash_manifest(setup, "1"))
    assert not [text for text in texts if CANARY in text]
    assert "PLEXSYNC_PLEX__TOKEN_FILE" in texts[0]
    assert f"PLEXSYNC_STASH__API_KEY_FILE={token}" in texts[0]
    assert "PLEXSYNC_PLEX__TOKEN into /home/you/.config/plexsync/environment" in texts[1]


def test_secret_of_a_program_brings_the_path(tmp_path: Path) -> None:
    """`pass` is found there as it is here."""
    config = tmp_path / "config.toml"
    config.write_text('[plex]\ntoken = { command = ["pass", "plex"] }\n', "utf-8")

    setup = setup_of({**SERVERS, "PATH": "/opt/bin:/bin"}, config)

    assert setup.path == "/opt/bin:/bin"
    assert setup.config == config


def test_secret_of_a_credential_is_not_needed_here(tmp_path: Path) -> None:
    """It exists only within the unit that is about to be written."""
    config = tmp_path / "config.toml"
    config.write_text('[plex]\ntoken = { credential = "plex" }\n', "utf-8")

    found = setup_of(SERVERS, config)

    assert found.secrets == ()
    assert found.credentials == ("plex",)


def test_file_names_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cron starts elsewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.toml").write_text("", "utf-8")
    environ = {**SERVERS, "PLEXSYNC_PLEX__TOKEN_FILE": "token", "PLEXSYNC_CONFIG": "c.toml"}

    setup = setup_of(environ)

    assert ("PLEXSYNC_PLEX__TOKEN_FILE", str(tmp_path / "token")) in setup.variables
    assert setup.config == tmp_path / "c.toml"


def test_without_a_file_there_is_no_config_option(tmp_path: Path) -> None:
    """Variables alone are a configuration."""
    setup = setup_of({**SERVERS, "XDG_CONFIG_HOME": str(tmp_path)})

    assert setup.config is None
    assert "--config" not in crontab(setup)


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({"PLEXSYNC_PLEX__TOKN": "x"}, InvalidConfigError),
        ({"PLEXSYNC_PLEX__LIBRARIES": "a\nMAILTO=you"}, ConfigError),
    ],
    ids=["unknown", "line break"],
)
def test_what_cannot_be_set_there_is_an_error(
    environ: dict[str, str], kind: type[ConfigError]
) -> None:
    """Nothing half right is printed."""
    with pytest.raises(kind):
        setup_of(environ)


def test_program_is_the_installed_one_or_the_module(tmp_path: Path) -> None:
    """The script beside the interpreter, if there is one."""
    python = tmp_path / "python"

    assert find_program(str(python)) == (str(python), "-m", "plexsync")

    (tmp_path / "plexsync").touch()
    assert find_program(str(python)) == (str(tmp_path / "plexsync"),)


@pytest.mark.parametrize("kind", ["compose", "cron", "systemd", "stash-plugin"])
def test_schedules_are_printed_as_text_or_as_a_document(
    kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same text either way."""
    monkeypatch.setenv("PLEXSYNC_STASH__URL", "http://s:9999")
    assert run_command_line(["schedule", kind]) == ExitCode.OK
    text = capsys.readouterr().out
    assert run_command_line(["schedule", kind, "--json"]) == ExitCode.OK

    document = json.loads(capsys.readouterr().out)
    assert document == {"schema": "plexsync/schedule/1", "kind": kind, "text": text}
    assert "plexsync" in text


@pytest.mark.parametrize("kind", ["compose", "cron", "systemd"])
def test_nothing_is_scheduled_that_could_only_fail(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any configuration each run would end with 2 and a mail, every 15 minutes."""
    assert run_command_line(["schedule", kind]) == ExitCode.USAGE

    out, err = capsys.readouterr()
    assert out == ""
    assert "there is no configuration yet" in err


@pytest.mark.parametrize("system", [[], ["--system"]], ids=["user", "system"])
def test_one_part_is_a_file_of_its_own(
    system: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--only` leaves out the other and what to type."""
    monkeypatch.setenv("PLEXSYNC_STASH__URL", "http://s:9999")
    run_command_line(["schedule", "systemd", *system, "--only", "timer"])
    timer = capsys.readouterr().out
    run_command_line(["schedule", "systemd", *system, "--only", "service"])
    service = capsys.readouterr().out

    assert "[Timer]" in timer
    assert "[Service]" not in timer
    assert "[Service]" in service
    assert "systemctl" not in timer + service


def test_the_unit_of_a_user_has_what_works_without_privileges() -> None:
    """Filters of system calls and namespaces need none; mounts of its own do."""
    unit = files("plexsync.integrations").joinpath("templates", "user.service").read_text("utf-8")
    for line in (
        "NoNewPrivileges=yes",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged @resources",
        "RestrictNamespaces=yes",
    ):
        assert line in unit.splitlines()
    assert "ProtectSystem" not in unit


EVERYWHERE = """
[stash]
verify = "ca.pem"
[stash.headers]
Authorization = { credential = "basic" }
X-Two = { env = "TWO" }
file = "canary-7f3a9c"
[plex]
token = { file = "/run/secrets/plex" }
headers = { X-Three = { file = "~/three" } }
[notify]
urls = [{ credential = "ntfy" }, { env = "OTHER" }, "canary-7f3a9c://host"]
[metrics]
textfile = "/var/lib/node exporter/plexsync.prom"
"""
"""What a run reads and writes, at every place of a configuration that can name it."""


@pytest.fixture(name="everywhere")
def setup_that_names_everything(tmp_path: Path) -> Setup:
    """The setup of that configuration."""
    config = tmp_path / "config.toml"
    config.write_text(EVERYWHERE, "utf-8")
    return setup_of({key: SERVERS[key] for key in SERVERS if "TOKEN" not in key}, config)


def test_secrets_in_headers_and_lists_count_as_others_do(everywhere: Setup) -> None:
    """Without its credential or variable every run would end with 2."""
    service = systemd_service(everywhere, user="you")

    assert everywhere.credentials == ("basic", "ntfy")
    assert everywhere.secrets == ("TWO", "OTHER")
    assert f"LoadCredential=basic:{everywhere.folder}/basic" in service
    assert CANARY not in service + compose_service(everywhere, user="1:1") + crontab(everywhere)


def test_the_service_of_the_system_may_write_the_file_of_figures(everywhere: Setup) -> None:
    """In a folder that may be missing, and may have a space in its name."""
    found = dict(settings_of(systemd_service(everywhere, user="you")))

    assert found["ReadWritePaths"] == '"-/var/lib/node exporter"'


def test_compose_mounts_every_file_the_configuration_names(everywhere: Setup) -> None:
    """Those beside it come with its folder."""
    service = compose_reads(compose_service(everywhere, user="1:1"))

    assert {one["source"]: one.get("read_only", False) for one in service["volumes"]} == {
        str(everywhere.state): False,
        "/var/lib/node exporter": False,
        "/run/secrets/plex": True,
        "/home/you/three": True,
        str(everywhere.folder): True,
    }


def test_compose_mounts_files_that_variables_name(tmp_path: Path) -> None:
    """Also those in the folder of a configuration that is not there."""
    token = tmp_path / "plexsync" / "token"
    environ = {**SERVERS, "XDG_CONFIG_HOME": str(tmp_path), "PLEXSYNC_PLEX__TOKEN_FILE": str(token)}

    service = compose_reads(compose_service(setup_of(environ), user="1:1"))

    assert str(token) in {one["source"] for one in service["volumes"]}


@pytest.mark.parametrize("name", ["PLEXSYNC_STASH__VERIFY", "PLEXSYNC_METRICS__TEXTFILE"])
def test_other_file_names_become_absolute_as_well(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cron starts elsewhere."""
    monkeypatch.chdir(tmp_path)

    setup = setup_of({**SERVERS, "XDG_CONFIG_HOME": str(tmp_path), name: "one.prom"})

    assert (name, str(tmp_path / "one.prom")) in setup.variables


def test_a_certificate_may_be_no_file(tmp_path: Path) -> None:
    """A yes or no is carried over as it is."""
    environ = {**SERVERS, "XDG_CONFIG_HOME": str(tmp_path), "PLEXSYNC_STASH__VERIFY": "false"}

    assert ("PLEXSYNC_STASH__VERIFY", "false") in setup_of(environ).variables


def test_compose_mounts_no_folder_twice(tmp_path: Path) -> None:
    """Figures beside the configuration: the folder is one, and can be written."""
    config = tmp_path / "config.toml"
    config.write_text('[metrics]\ntextfile = "one.prom"\n', "utf-8")

    service = compose_reads(compose_service(setup_of(SERVERS, config), user="1:1"))

    mounts = [one for one in service["volumes"] if one["source"] == str(tmp_path)]
    assert [one.get("read_only", False) for one in mounts] == [False]


def test_for_cron_no_variable_is_named_that_does_not_exist(tmp_path: Path) -> None:
    """Headers and lists of addresses come from no `_FILE`."""
    secret = {"PLEXSYNC_NOTIFY__URLS": CANARY, "PLEXSYNC_PLEX__TOKEN": CANARY}

    text = crontab(setup_of({**SERVERS, **secret, "XDG_CONFIG_HOME": str(tmp_path)}))

    assert "use PLEXSYNC_PLEX__TOKEN_FILE and { file = ... } in the configuration." in text
