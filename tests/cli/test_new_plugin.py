"""Who makes a plugin gets one that works: under the chosen name everywhere, with what to do next, or nothing at all."""

import ast
import configparser
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from kiro_core.cli.new_plugin.kinds import ABOUT
from kiro_core.cli.new_plugin.naming import LONGEST, Names
from kiro_core.cli.new_plugin.rendering import rendered
from kiro_core.cli.new_plugin.writing import write
from kiro_core.errors import KiroError

SKELETONS = files("kiro_core.cli.new_plugin") / "_skeletons"
COMMON = {
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "tox.ini",
    "src/acme_vault/__init__.py",
    "src/acme_vault/py.typed",
}
HOOKS = {kind: f"kiro_{kind if kind == 'agents' else f'{kind}s'}" for kind in ABOUT}


@pytest.fixture
def made(kiro, tmp_path):
    """Make a plugin: its folder, and what is told."""

    def make(kind, name="acme-vault", *options):
        told = kiro("new-plugin", name, "--kind", kind, *options)
        assert (told.returncode, told.stderr) == (0, "")
        return tmp_path / name, told.stdout

    return make


def texts(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def blocks(language, text):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("kind", ABOUT)
def test_a_plugin_has_its_name_everywhere(made, kind):
    folder, told = made(kind)
    found = texts(folder)
    assert found.keys() >= COMMON | {"tests/test_contract.py"}
    for path, text in found.items():
        assert not re.search("example|SETTINGS|CHANGES|TRY|What it is", path + text), path
    project = tomllib.loads(found["pyproject.toml"])
    assert project["project"]["name"] == "acme-vault"
    assert project["project"]["entry-points"] == {"kiro_core": {"acme-vault": "acme_vault"}}
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["src/acme_vault"]
    assert f"def {HOOKS[kind]}() -> Iterator[" in found["src/acme_vault/__init__.py"]
    assert 'yield Provider("acme-vault", ' in found["src/acme_vault/__init__.py"]
    assert 'provider = "acme-vault"' in found["tests/test_contract.py"]
    assert "acme-vault is the plugin acme-vault now" in told


@pytest.mark.parametrize("kind", ABOUT)
@pytest.mark.parametrize("name", ["my-example", "xkiro-example", "example-store"])
def test_a_name_may_have_words_of_the_skeleton_in_it(kind, name):
    called = {"acme-vault": name, "acme_vault": name.replace("-", "_"), "AcmeVault": name.title().replace("-", "")}

    def renamed(text):
        return re.sub("|".join(called), lambda found: called[found[0]], text)

    usual = rendered(kind, Names.of("acme-vault"))
    assert rendered(kind, Names.of(name)) == {renamed(path): renamed(text) for path, text in usual.items()}


@pytest.mark.parametrize("kind", ABOUT)
def test_it_is_told_what_to_do_next_and_the_readme_says_the_same(made, kind):
    folder, told = made(kind)
    readme = (folder / "README.md").read_text()
    (settings,) = blocks("toml", readme)
    assert "acme-vault" in str(tomllib.loads(settings))
    commands = [line for block in blocks("sh", readme) for line in block.splitlines()]
    assert [line for line in settings.splitlines() if f"  {line}".rstrip() not in told.splitlines()] == []
    assert {"tox", "pytest", "pip install -e . 'kiro-core[testing]'", "pip install acme-vault"} < {*commands}
    (trial,) = [line for line in commands if line.startswith("kiro-core")]
    for line in ("cd acme-vault", "pip install -e . 'kiro-core[testing]'", "pytest", "kiro-core plugins", trial):
        assert f"\n  {line}\n" in told


@pytest.mark.parametrize("kind", ABOUT)
def test_its_environments_are_those_of_every_python_core_and_loop(made, kind):
    folder, _ = made(kind)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(folder / "tox.ini")
    assert tox["tox"]["env_list"] == "py3{11,12,13,14}-{coremin,coremain}-{asyncio,trio}, lint, types"
    assert tox.sections() == ["tox", "testenv", "testenv:lint", "testenv:types"]


@pytest.mark.parametrize("kind", ABOUT)
def test_a_contract_is_a_class_of_few_lines(kind):
    lines = (SKELETONS / kind / "tests" / "test_contract.py").read_text().splitlines()
    for contract in (node for node in ast.parse("\n".join(lines)).body if isinstance(node, ast.ClassDef)):
        assert len([line for line in lines[contract.lineno - 1 : contract.end_lineno] if line]) < 10


def test_a_name_of_any_length_leaves_the_code_well_formed():
    room = 120 - (LONGEST - len("example"))
    long = [
        (path.name, line)
        for path in Path(str(SKELETONS)).rglob("*.py")
        for line in path.read_text().splitlines()
        if "example" in line and len(line) > room
    ]
    assert long == []


@pytest.mark.parametrize(("loop", "other"), [("asyncio", "trio"), ("trio", "asyncio")])
def test_it_keeps_its_contract_as_it_is_on_each_loop_by_itself(made, loop, other, tmp_path):
    folder, _ = made("agents", f"acme-{other}-vault")
    (chosen,) = re.findall(rf"^    {loop}: pytest (.*) {{posargs}}$", (folder / "tox.ini").read_text(), re.MULTILINE)
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *shlex.split(chosen)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder / "src"), str(installed(folder, tmp_path))])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"\d+ passed, .*\d+ deselected", told.stdout.splitlines()[-1])
    assert {*re.findall(r"\[(asyncio|trio)", told.stdout)} == {loop}


def installed(folder, tmp_path):
    """A folder for the path in which the plugin's entry points stand, as an installer would have put them there."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    about = tmp_path / "site" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["kiro_core"].items())
    (about / "entry_points.txt").write_text(f"[kiro_core]\n{points}")
    return about.parent


def test_a_name_that_begins_with_kiro_is_shorter_in_the_settings(made):
    folder, told = made("launcher", "kiro-dock")
    assert 'yield Provider("dock", ' in (folder / "src" / "kiro_dock" / "__init__.py").read_text()
    assert "class TestDock(" in (folder / "tests" / "test_contract.py").read_text()
    assert 'launcher = { use = "dock"' in told


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_can_be_chosen_that_is_new_or_empty(made, tmp_path, there):
    if there:
        (tmp_path / "mine").mkdir()
    _, told = made("agents", "acme-vault", "--directory", "mine")
    assert texts(tmp_path / "mine").keys() >= COMMON
    assert "\n  cd mine\n" in told


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Acme_Vault", "'Acme_Vault' cannot be the name of a plugin; did you mean 'acme-vault'?"),
        ("../up", "'../up' cannot be the name of a plugin; did you mean 'up'?"),
        ("7", "'7' cannot be the name of a plugin."),
        ("x" * 41, f"'{'x' * 41}' cannot be the name of a plugin."),
        ("class", "'class' is a name of Python's own."),
        ("json", "'json' is a name of Python's own."),
        ("anyio", "There is a package 'anyio' already."),
        ("kiro-files", "There is a plugin 'files' already, in kiro_files."),
        ("kiro-kiro", "'kiro' is provided already, by 'agents' (kiro-core"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_hint_and_nothing_is_written(kiro, tmp_path, name, sentence):
    before = sorted(tmp_path.iterdir())
    told = kiro("new-plugin", name, "--kind", "agents")
    first, hint = told.stderr.splitlines()
    assert (told.returncode, told.stdout) == (1, "")
    assert first.startswith(f"kiro-core: {sentence}")
    assert hint.endswith(".")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["acme-vault", "."])
def test_what_is_in_a_folder_stays_as_it_is(kiro, tmp_path, name):
    (tmp_path / "acme-vault").mkdir()
    (tmp_path / "acme-vault" / "mine").write_text("mine")
    told = kiro("new-plugin", "acme-vault", "--kind", "store", "--directory", name)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"kiro-core: {name} exists, and is no empty folder.\n")
    assert texts(tmp_path / "acme-vault") == {"mine": "mine"}


@pytest.mark.parametrize("there", [False, True])
def test_what_cannot_be_written_to_its_end_leaves_nothing(tmp_path, there):
    folder = tmp_path / "mine"
    if there:
        folder.mkdir()
    with pytest.raises(KiroError, match="cannot be written: ") as refused:
        write(folder, {"deep/er/a": "a", "b": "b", "b/c": "c"})
    assert refused.value.hint
    assert (folder.exists(), [*folder.glob("*")]) == (there, [])


def test_a_folder_in_a_folder_that_does_not_exist_is_refused(kiro):
    told = kiro("new-plugin", "acme-vault", "--kind", "store", "--directory", "nowhere/acme-vault")
    assert told.returncode == 1
    assert told.stderr.startswith("kiro-core: nowhere/acme-vault cannot be written: No such file or directory.\n")


def test_the_kind_is_asked_for_and_every_one_is_offered(kiro):
    told = kiro("new-plugin", "acme-vault")
    assert told.returncode == 2
    assert {*re.findall("[a-z]+", told.stderr.partition("Choose from:")[2])} == {*ABOUT}
