"""What `check` says of a machine where everything works, and of plugins that fail in every way there is."""

import json
import os
import re
import stat

import pytest

MEMORY = """
from contextlib import asynccontextmanager
from pathlib import Path
from kiro_core import Provider, hookimpl
from kiro_files.store import FileStore
from pydantic import BaseModel, ConfigDict

class Inner(BaseModel):
    size: int = 1

class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str
    inner: Inner = Inner()

class Store(FileStore):
    @asynccontextmanager
    async def create(self, info, contact=None):
        {create}
        yield None
    async def delete(self, session):
        {delete}

@asynccontextmanager
async def opened(options):
    {open}
    yield Store(Path(options.url))

@hookimpl
def kiro_stores():
    yield Provider("{name}", opened, Options, "a store of a test")
"""


@pytest.fixture
def install(tmp_path, environment):
    """Install a plugin with that code beside the real ones."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    environment["PYTHONPATH"] = str(folder)

    def installed(name, code):
        (folder / f"{name}_plugin.py").write_text(code)
        info = folder / f"{name}_dist-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[kiro_core]\n{name} = {name}_plugin\n")

    return installed


def store(name="memory", **code):
    return MEMORY.format(name=name, **{"create": "pass", "delete": "pass", "open": "pass", **code})


@pytest.fixture
def check(kiro):
    """Check as JSON, all plugins or only these: the exit code, and each thing by kind and name."""

    def checked(*arguments, only=None):
        arguments += () if only is None else ("--set", f"plugins.only={json.dumps(only)}")
        told = kiro("check", "--json", *arguments)
        report = json.loads(told.stdout)
        assert report["fine"] == (told.returncode == 0)
        return told.returncode, {f"{one['kind']} {one['name']}".strip(): one for one in report["checks"]}

    return checked


def test_a_fresh_machine_is_fine(kiro, check, home):
    code, found = check()
    assert code == 0
    names = {
        "settings",
        "engines",
        "plugin files",
        "store files",
        "agent source kiro",
        "launcher local",
        "transport acp",
    }
    assert {found[name]["outcome"] for name in names} == {"fine"}
    head, *rows = kiro("check").stdout.splitlines()
    assert head.split() == ["what", "name", "outcome", "why"]
    assert len(rows) == len(found)
    assert list((home / "sessions" / "core").glob("*.json*")) == []


def test_engines_that_are_named_have_to_be_there(check, home):
    assert check(only=[])[1]["engine mem"]["outcome"] == "fine"
    (home / "kiro.toml").write_text("")
    code, found = check()
    assert (code, found["engine"]["outcome"]) == (0, "not chosen")
    code, found = check("--set", "engine=codex", "--set", "agent_engines.review=codx", only=[])
    assert code == 1
    assert found["engine codex"]["outcome"] == "broken"
    assert "npm install" in found["engine codex"]["hint"]
    assert "did you mean 'codex'" in found["engine for review codx"]["reason"]


def test_wrong_settings_are_told_and_the_plugins_are_checked_all_the_same(check):
    code, found = check("--set", "limits.start=9")
    assert code == 1
    assert "there is no key 'limits.start'" in found["settings"]["reason"]
    assert found["plugin files"]["outcome"] == "fine"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_store_that_cannot_be_written_is_broken(check, tmp_path):
    (tmp_path / "sealed").mkdir(stat.S_IRUSR | stat.S_IXUSR)
    code, found = check("--set", f'store={{use="files",root="{tmp_path}/sealed/here"}}', only=["files"])
    assert (code, found["store files"]["outcome"]) == (1, "broken")


def test_a_store_where_a_file_is_in_the_way_is_broken(check, tmp_path):
    (tmp_path / "file").touch()
    code, found = check("--set", f'store={{use="files",root="{tmp_path}/file/here"}}', only=["files"])
    assert (code, found["store files"]["outcome"]) == (1, "broken")
    assert found["store files"]["reason"]


def test_a_choice_that_nobody_provides_is_told_with_the_near_miss(kiro):
    told = kiro("check", "--set", "store=file", "--set", 'plugins.only=["files"]')
    assert told.returncode == 1
    assert "did you mean 'files'?" in told.stdout
    assert "store file: Available: files." in told.stderr


def test_what_serves_the_tools_of_a_crew_is_looked_for_where_somebody_has_set_it(kiro):
    told = kiro("check", "--set", "crew.server=nope")
    assert told.returncode == 1
    assert re.search("transport +nope +broken +No plugin that loads provides it", told.stdout)


def test_wrong_options_of_a_choice_are_told_without_their_values(check):
    code, found = check("--set", "launcher.environment=s3cret", only=["local"])
    assert (code, found["launcher local"]["outcome"]) == (1, "broken")
    assert "environment" in found["launcher local"]["reason"]
    assert "s3cret" not in json.dumps(found)


def test_a_plugin_of_somebody_else_is_opened_with_its_options(install, check):
    install("other", store(open="print('noise')"))
    assert check("--set", 'store={use="memory",url="x"}', only=["other"])[1]["store memory"]["outcome"] == "fine"
    found = check("--set", "store=memory", only=["other"])[1]["store memory"]
    assert (found["outcome"], "url" in found["reason"]) == ("broken", True)


BROKEN = {
    "no_import": ("import not_there", "not_there"),
    "wrong_yield": (
        "from kiro_core import hookimpl\n@hookimpl\ndef kiro_stores():\n    yield 5",
        "where a Provider belongs",
    ),
    "exits": ("raise SystemExit(3)", "cannot be used: SystemExit: 3."),
    "leaves": ("import os\nos._exit(3)", "ends the interpreter with status 3"),
    "crashes": ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "ends the interpreter with signal 11"),
}


def test_plugins_that_cannot_be_loaded_are_told_and_break_nothing_that_is_not_chosen_of_them(install, check):
    for name, (code, _) in BROKEN.items():
        install(name, code)
    returned, found = check()
    assert returned == 0
    assert found["store files"]["outcome"] == "fine"
    for name, (_, reason) in BROKEN.items():
        assert found[f"plugin {name}"]["outcome"] == "broken"
        assert reason in found[f"plugin {name}"]["reason"]


def test_a_plugin_that_hangs_is_told_after_a_bounded_time(install, check):
    install("bad", "import time\ntime.sleep(600)")
    returned, found = check("--timeout", "10", "--set", "store=memory", only=["bad", "files"])
    assert returned == 1
    assert found["plugin bad"]["reason"] == "It does not load and open within 10 s."
    assert found["plugin files"]["outcome"] == "fine"
    assert found["store memory"]["outcome"] == "broken"


def test_a_plugin_that_is_broken_is_a_failure_where_plugins_are_strict(install, check):
    install("bad", "import not_there")
    assert check("--set", "plugins.strict=true")[0] == 1


def test_a_plugin_that_is_blocked_is_not_even_imported(install, check):
    install("bad", "raise SystemExit(3)")
    assert check("--set", 'plugins.block=["bad"]')[1]["plugin bad"]["outcome"] == "left out"


@pytest.mark.parametrize("step", ["open", "create", "delete"])
def test_a_store_that_fails_at_any_step_is_broken(install, check, step):
    install("other", store(**{step: "raise OSError('disk on fire')"}))
    found = check("--set", 'store={use="memory",url="x"}', only=["other"])[1]["store memory"]
    told = "Store 'memory' (other-dist 1.0) cannot be opened: OSError" if step == "open" else "OSError"
    assert (found["outcome"], found["reason"]) == ("broken", f"{told}: disk on fire.")


def test_two_plugins_of_one_name_are_told_by_check_and_listed_by_plugins(install, kiro):
    install("other", store("files"))
    told = kiro("check")
    assert told.returncode == 1
    assert "It comes from both plugin 'files' and plugin 'other'." in told.stdout
    told = kiro("plugins", "--json")
    listed = {plugin["name"]: plugin for plugin in json.loads(told.stdout)}
    assert told.returncode == 0
    assert listed["other"]["problem"].startswith("Store 'files' comes from both 'files' (kiro-core ")
    assert listed["files"]["provides"]
    assert kiro("sessions", "list").returncode == 1


def test_plugins_lists_what_is_wrong_even_where_plugins_are_strict(install, kiro):
    install("bad", "import not_there")
    told = kiro("plugins", "--set", "plugins.strict=true")
    assert told.returncode == 0
    assert "not_there" in told.stdout


def test_the_schema_has_the_options_of_what_is_installed(install, kiro):
    install("other", store())
    told = kiro("check", "--schema")
    assert told.stderr == ""
    schema = json.loads(told.stdout)
    assert schema["properties"]["crew"]["default"]["server"] == "crew"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["limits"]["$ref"] == "#/$defs/Limits"
    names, *tables = schema["properties"]["store"]["anyOf"]
    assert names == {"enum": ["files", "memory"]}
    (memory,) = [table for table in tables if table["properties"]["use"] == {"const": "memory"}]
    assert memory["required"] == ["use", "url"]
    assert memory["additionalProperties"] is False
    inner = memory["properties"]["inner"]["$ref"].removeprefix("#/$defs/")
    assert schema["$defs"][inner]["properties"]["size"]["type"] == "integer"
    assert schema["properties"]["agent_sources"]["items"]["anyOf"][0] == {"enum": ["kiro"]}
    assert schema["properties"]["agent_sources"]["default"] == ["kiro"]
    assert schema["additionalProperties"] is False


MIDDLEWARE = """
from contextlib import asynccontextmanager
from kiro_core import Provider, hookimpl
from pydantic import BaseModel, ConfigDict

class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    words: list[str]

class Audit:
    def enter(self, session):
        raise NotImplementedError

@asynccontextmanager
async def opened(options):
    yield Audit()

@hookimpl
def kiro_middlewares():
    yield Provider("audit", opened, Options, "keeps an eye on it")
"""


def test_a_middleware_is_listed_checked_and_completed_like_any_other_choice(install, kiro, check):
    install("audit", MIDDLEWARE)
    listed = {one["name"]: one["provides"] for one in json.loads(kiro("plugins", "--json").stdout)}
    assert listed["audit"] == [{"kind": "middleware", "name": "audit", "summary": "keeps an eye on it"}]
    chosen = 'middlewares=[{use = "audit", words = ["plum"]}]'
    assert check("--set", chosen, only=["audit"])[1]["middleware audit"]["outcome"] == "fine"
    code, found = check("--set", 'middlewares=["audit"]', only=["audit"])
    assert (code, found["middleware audit"]["outcome"]) == (1, "broken")
    assert found["middleware audit"]["reason"] == "Middleware 'audit': words: Field required (argument --set)."
    code, found = check("--set", 'middlewares=["audti"]', only=["audit"])
    assert code == 1
    assert "did you mean 'audit'" in found["middleware audti"]["reason"]
    schema = json.loads(kiro("check", "--schema").stdout)["properties"]["middlewares"]
    assert schema["default"] == []
    assert schema["items"]["anyOf"][0] == {"enum": ["audit", "redact"]}


def test_the_schema_can_be_had_where_the_settings_are_wrong_and_a_plugin_is_broken(install, kiro):
    install("bad", "import not_there")
    told = kiro("check", "--schema", "--set", "limits.start=9")
    assert told.returncode == 0
    assert json.loads(told.stdout)["properties"]["store"]["anyOf"][0] == {"enum": ["files"]}
    assert "The options of plugin 'bad' are missing" in told.stderr
