"""The Dockerfile of docs/deploy.md: what it runs is run in a plain environment, without Docker and any network."""

import json
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KNOWN = {"FROM", "RUN", "COPY", "USER", "ENV", "EXPOSE", "VOLUME", "HEALTHCHECK", "CMD"}


@pytest.fixture(scope="module")
def instructions(examples):
    """Each instruction and what stands behind it, in their order."""
    (text,) = examples("dockerfile")
    return [line.split(" ", 1) for line in text.replace("\\\n", " ").splitlines()]


def told(instructions, name):
    return [rest for instruction, rest in instructions if instruction == name]


@pytest.fixture(scope="module")
def image(instructions, tmp_path_factory):
    """What the build makes of a plain Python: the place that stands for `/opt/kiro-core`."""
    pytest.importorskip("hatchling", reason="without a build back end nothing can be installed without a network")
    place = tmp_path_factory.mktemp("image") / "kiro-core"
    user, install = told(instructions, "RUN")
    assert shlex.split(user) == ["useradd", "--create-home", "--uid", "1000", "desk"]
    assert told(instructions, "COPY") == [". /src"]
    make, installed = install.split(" && ")
    _run(make.replace("python ", f"{sys.executable} ", 1), place)
    # The dependencies are those of the environment in which we run; the project itself is installed for real.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    (site / "here.pth").write_text(sysconfig.get_path("purelib"))
    _run(installed.replace("/src", str(ROOT)), place, PIP_NO_INDEX="1", PIP_NO_BUILD_ISOLATION="0")
    return place


def _run(command, place, **env):
    command = command.replace("/opt/kiro-core", str(place))
    subprocess.run(
        shlex.split(command), check=True, timeout=300, cwd=place.parent, env={"PATH": "/usr/bin:/bin", **env}
    )


@pytest.fixture
def variables(instructions, image, person, port):
    """The environment of the container, whose paths and port are ours."""
    ours = {"/opt/kiro-core": str(image), "/home/desk": str(person), "8080": str(port)}
    found = {}
    for line in told(instructions, "ENV"):
        name, value = shlex.split(line)[0].split("=", 1)
        for there, here in ours.items():
            value = value.replace(there, here)
        found[name] = value
    return found


def test_every_instruction_is_known_and_nothing_runs_as_root(instructions):
    names = [name for name, _ in instructions]
    assert set(names) <= KNOWN
    assert names[0] == "FROM"
    assert re.fullmatch(r"python:3\.1[1-3]-slim", instructions[0][1])
    assert told(instructions, "USER") == ["desk"]
    assert names.index("USER") < names.index("CMD")
    assert told(instructions, "VOLUME") == ["/home/desk/.kiro"]


def test_what_is_installed_there_is_the_project_itself(image, run):
    origin = run(str(image / "bin" / "python"), "-P", "-c", "import kiro_core, kiro_http; print(kiro_core.__file__)")
    assert Path(origin.stdout.strip()).is_relative_to(image)


def test_the_container_serves_is_healthy_and_ends_in_order(instructions, served, variables, port, run):
    process = served(json.loads(told(instructions, "CMD")[0]), env=variables)
    (check,) = told(instructions, "HEALTHCHECK")
    asking = json.loads(check.removeprefix("CMD ").replace("8080", str(port)))
    assert run(*asking, env=variables).returncode == 0
    process.send_signal(signal.SIGTERM)  # what `docker stop` sends
    assert process.wait(60) == 0
    assert run(*asking, env=variables).returncode != 0
