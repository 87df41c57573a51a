"""The settings of docs/deploy.md are read, say the same in both ways, and open a desk."""

import signal
import subprocess
from contextlib import AsyncExitStack

import pytest

from kiro_core.cli.serve.faces import face_of
from kiro_core.dispatcher import open_desk
from kiro_core.registry import Registry
from kiro_core.settings import load_settings


@pytest.fixture
def file(examples, person):
    """The example of a file, where it belongs."""
    path = person / ".kiro" / "kiro.toml"
    path.parent.mkdir()
    path.write_text(examples("toml")[0])
    return path


@pytest.fixture
def variables(examples, environment):
    """What the example of variables puts into an environment."""
    (text,) = (block for block in examples("sh") if block.startswith("export"))
    told = subprocess.run(["sh", "-euc", f"{text}\nenv -0"], capture_output=True, check=True, env=environment)
    found = dict(line.split("=", 1) for line in told.stdout.decode().split("\0") if line)
    return {name: value for name, value in found.items() if name.startswith("KIRO_CORE_")}


def test_the_variables_say_what_the_file_says(file, variables, person):
    by_file = load_settings(config=file, environ={"HOME": str(person)})
    by_variables = load_settings(environ={"HOME": str(person / "nobody"), **variables})
    for name in type(by_file).model_fields:
        assert getattr(by_file, name) == getattr(by_variables, name)
    assert [choice.use for choice in by_file.serve] == ["acp", "http"]
    assert by_file.plugins.strict


async def test_a_desk_opens_with_them_and_so_does_each_face(file, monkeypatch, person):
    monkeypatch.setenv("HOME", str(person))
    monkeypatch.delenv("KIRO_HOME")
    settings = load_settings()
    registry = Registry(only=settings.plugins.only, strict=settings.plugins.strict)
    async with open_desk(settings, registry), AsyncExitStack() as stack:
        for choice in settings.serve:
            face_of(choice.use, await stack.enter_async_context(registry.transports.open(choice)))


@pytest.fixture(params=["file", "variables"])
def given(request, port):
    """The variables of one of the examples, with a port that is free."""
    example = request.getfixturevalue(request.param)
    if request.param == "variables":
        return {name: value.replace("8080", str(port)) for name, value in example.items()}
    example.write_text(example.read_text().replace("8080", str(port)))
    return {}


def test_a_desk_is_served_with_them(given, served, health, port, person):
    process = served(["kiro-core", "serve"], env=given)
    assert (health(port, "healthz"), health(port, "readyz"), health(port, "sessions")) == (200, 200, 404)
    assert (person / ".kiro" / "run" / "acp.sock").stat().st_mode & 0o777 == 0o600
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_plugin_that_does_not_load_ends_a_strict_start(run, file, person, tmp_path):
    broken = tmp_path / "broken-1.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (broken / "entry_points.txt").write_text("[kiro_core]\nbroken = nothing_of_that_name\n")
    env = {"PYTHONPATH": str(tmp_path)}
    listed = run("kiro-core", "plugins", env=env).stdout
    assert "not in plugins.only" in listed
    file.write_text(file.read_text().replace("only = [", 'only = ["broken", '))
    refused = run("kiro-core", "serve", env=env)
    assert refused.returncode == 1
    assert "Plugin 'broken' (broken 1) cannot be used" in refused.stderr
