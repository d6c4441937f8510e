"""Programs that the documents name and no test may start.

They need a network, an init system or a container engine. Each does here what can be done without,
and ends with 2 and the reason where the real one would fail: a checkout is installed without an
index, `make` says what it would do, a unit that is enabled is started once.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]

_REAL = ("cat", "install", "mkdir")
STAND_INS = (
    *("crontab", "docker", "editor", "journalctl", "loginctl"),
    *("make", "pipx", "podman", "systemctl", "uv"),
)


class WrongCallError(Exception):
    """What the real program would not do."""


def put_programs(folder: Path) -> None:
    """Make a folder that is a whole PATH: stand-ins, plexsync, and a few programs of the system.

    A line that calls anything else ends with 127.
    """
    folder.mkdir(parents=True)
    for name in STAND_INS:
        script = folder / name
        script.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
            f"from tests.support.stand_ins import run\nsys.exit(run({name!r}, *sys.argv[1:]))\n"
        )
        script.chmod(0o755)
    for name in _REAL:
        (folder / name).symlink_to(_of_the_system(name))
    (folder / "plexsync").symlink_to(Path(sys.executable).with_name("plexsync"))


def run(*line: str) -> int:
    """Do what a program would do with these words; return its exit code."""
    try:
        _run(line)
    except WrongCallError as wrong:
        print(f"{shlex.join(line)}: {wrong}", file=sys.stderr)  # noqa: T201 - as programs do
        return 2
    return 0


def _run(line: Sequence[str]) -> None:
    match line:
        case ["pipx", "install", source] | ["uv", "tool", "install", source]:
            _install(Path(source), tools=line[0])
        case ["pipx", "install", "--force", source]:
            _install(_without_extras(source), tools="pipx")
        case ["make", target]:
            _make(target)
        case ["systemctl" | "journalctl", "--user", *words]:
            _manage(words)
        case ["podman" | "docker", *words]:
            _contain(words)
        case ["crontab", "-e"] | ["loginctl", "enable-linger"]:
            pass
        case ["editor", file]:
            Path(file).write_text(sys.stdin.read(), "utf-8")
        case _:
            raise WrongCallError("no such command")


# ---- Installing ----------------------------------------------------------------------------------


def _install(source: Path, *, tools: str) -> None:
    """Install a checkout, with what it depends on and without its extras, in a place of its own."""
    if not (source / "pyproject.toml").is_file():
        raise WrongCallError("no project there")
    venv = Path.home() / ".local/share" / tools / "plexsync"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    _pip("--python", venv / "bin/python", "install", "--no-compile", _wheel_of(source))
    site = next(venv.glob("lib/python*/site-packages"))
    _link_dependencies(PathDistribution(next(site.glob("plexsync-*.dist-info"))), site, set())
    program = Path.home() / ".local/bin/plexsync"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.unlink(missing_ok=True)
    program.symlink_to(venv / "bin/plexsync")


def _without_extras(source: str) -> Path:
    """Return the checkout of `.[web,notify]`; each extra has to be one of its own."""
    folder, _, extras = source.removesuffix("]").partition("[")
    project = tomllib.loads(Path(folder, "pyproject.toml").read_text("utf-8"))["project"]
    if unknown := set(filter(None, extras.split(","))) - set(project["optional-dependencies"]):
        raise WrongCallError(f"no such extra: {', '.join(sorted(unknown))}")
    return Path(folder)


def _wheel_of(source: Path) -> Path:
    """Return the wheel of a checkout, built once."""
    folder = Path.home() / ".cache/wheels"
    if not folder.exists():
        _pip("wheel", "--no-build-isolation", "--wheel-dir", folder, source)
    return next(folder.glob("*.whl"))


def _pip(*words: str | Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    given = [*words[:2], words[2]] if words[0] == "--python" else [words[0]]
    rest = words[len(given) :]
    subprocess.run([*pip, *given, "--no-index", "--no-deps", *rest], check=True)


def _link_dependencies(installed: Distribution, site: Path, done: set[str]) -> None:
    """Link what a distribution needs into `site`, as the lock has it."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - most programs need it not

    for text in installed.requires or ():
        needed = Requirement(text)
        if needed.name in done or (needed.marker and not needed.marker.evaluate({"extra": ""})):
            continue
        done.add(needed.name)
        found = distribution(needed.name)
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(str(found.locate_file(top)))
        _link_dependencies(found, site, done)


def _make(target: str) -> None:
    """Have make say what it would do; look whether what it would use is there, and run plexsync."""
    done = subprocess.run(
        [_of_the_system("make"), "--dry-run", target], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise WrongCallError(done.stderr)
    used = {
        Path(sys.executable).with_name(name) for name in _found(r"\.venv/bin/(\S+)", done.stdout)
    }
    used |= {Path(name) for name in _found(r"-r (\S+)", done.stdout)}
    if missing := [str(path) for path in sorted(used) if not path.exists()]:
        raise WrongCallError(f"would use what is not there: {missing}")
    for line in _found(r"(?m)^\.venv/bin/(plexsync .*)", done.stdout):
        _succeed(shlex.split(line), os.environ)


# ---- systemd and cron ----------------------------------------------------------------------------


def _manage(words: Sequence[str]) -> None:
    match words:
        case ["daemon-reload"]:
            for unit in _units().iterdir():
                _settings_of(unit.name)
        case ["enable", "--now", unit]:
            if "WantedBy" not in _settings_of(unit):
                raise WrongCallError("nothing would start it")
            _start(unit.replace(".timer", ".service"))
        case ["-u", unit]:
            _settings_of(f"{unit}.service")
        case _:
            raise WrongCallError("no such command")


def _units() -> Path:
    return Path.home() / ".config/systemd/user"


def _settings_of(unit: str) -> dict[str, list[str]]:
    """Return the settings of a unit by their name, as many as there are of each."""
    try:
        text = (_units() / unit).read_text("utf-8")
    except FileNotFoundError:
        raise WrongCallError("no such unit") from None
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line or line.startswith(("#", "[")):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise WrongCallError(f"{unit} has a line that is no setting: {line}")
        found.setdefault(name, []).append(value)
    return found


def _start(unit: str) -> None:
    """Start a service once, with the little that a manager gives it."""
    settings = _settings_of(unit)
    environ = {"HOME": str(Path.home()), "PATH": os.defpath}
    for value in settings.get("Environment", ()):
        environ |= dict(one.split("=", 1) for one in shlex.split(value.replace("%%", "%")))
    (command,) = settings["ExecStart"]
    _succeed(shlex.split(command.replace("%%", "%").replace("$$", "$")), environ)


def run_crontab(text: str, home: Path) -> int:
    """Run each command of a crontab as cron does; return how many there are. Source: crontab(5)."""
    environ = {"HOME": str(home), "PATH": os.defpath}
    commands = []
    for line in text.splitlines():
        if re.match(r"\s*(?:#|$)", line):
            continue
        if setting := re.match(r"(\w+)=(.*)", line):
            environ[setting[1]] = setting[2]
        else:
            *_, command = re.split(r"\s+", line, maxsplit=5)
            if re.search(r"(?<!\\)%", command):
                raise WrongCallError("cron ends a command at a percent sign")
            commands.append(command.replace(r"\%", "%"))
    for command in commands:
        _succeed(["/bin/sh", "-c", command], environ)
    return len(commands)


def _succeed(command: Sequence[str], environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        env=environ,
        cwd=environ["HOME"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WrongCallError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")


# ---- Containers ----------------------------------------------------------------------------------


def _contain(words: Sequence[str]) -> None:
    match words:
        case ["build", "-t", _, context]:
            _check_image(Path(context), "Containerfile")
        case ["build", "-t", _, "-f", file, context]:
            _check_image(Path(context), file)
        case ["compose", "up", "-d"] | ["compose", "up", "-d", "--build"]:
            for secret in _compose().get("secrets", {}).values():
                if not Path(secret["file"]).is_file():
                    raise WrongCallError(f"{secret['file']} is not there")
        case ["compose", "exec", "-it", service, *command] | ["compose", "exec", service, *command]:
            if service not in _compose()["services"]:
                raise WrongCallError("no such service")
            # What a container has inside is what this person has here.
            os.execvp(command[0], command)  # noqa: S606 - the program of a document
        case _:
            raise WrongCallError("no such command")


def _check_image(context: Path, name: str) -> None:
    """Look whether everything an image is made of is there, and reaches the engine."""
    file = context / name
    if not file.is_file():
        raise WrongCallError(f"no {name} is there")
    sent = _found(r"(?m)^!(\S+)", (context / ".dockerignore").read_text("utf-8"))
    for line in _found(r"(?m)^COPY (?!--from)(.*)", file.read_text("utf-8")):
        for source in line.split()[:-1]:
            if not (context / source).exists() or Path(source).parts[0] not in sent:
                raise WrongCallError(f"{file.name} copies what is not there: {source}")


def _compose() -> dict[str, Any]:
    """Return the compose file here; all its services could be started."""
    import yaml  # type: ignore[import-untyped] # noqa: PLC0415 - its types are a package of their own

    if not Path("compose.yaml").is_file():
        raise WrongCallError("no compose.yaml here")
    document: dict[str, Any] = yaml.safe_load(Path("compose.yaml").read_text("utf-8"))
    beside = [secret["file"] for secret in document.get("secrets", {}).values()]
    for name, service in document["services"].items():
        if build := service.get("build"):
            _check_image(Path(build["context"]), build["dockerfile"])
        elif "image" not in service:
            raise WrongCallError(f"{name} has no image")
        if missing := set(service.get("secrets", ())) - set(document.get("secrets", ())):
            raise WrongCallError(f"{name} needs secrets that are not there: {missing}")
        beside += [volume.partition(":")[0] for volume in service.get("volumes", ())]
    sent = _found(r"(?m)^!(\S+)", Path(".dockerignore").read_text("utf-8"))
    if inside := [path for path in beside if Path(path).parts[0] in sent]:
        raise WrongCallError(f"these would become part of the image: {inside}")
    return document


# ---- Private -------------------------------------------------------------------------------------


def _found(pattern: str, text: str) -> list[str]:
    return [str(one) for one in re.findall(pattern, text)]


def _of_the_system(name: str) -> str:
    found = shutil.which(name, path=os.defpath)
    if not found:
        raise WrongCallError("not on this machine")
    return found
