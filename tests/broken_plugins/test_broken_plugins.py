"""What people are told of broken plugins, word for word: two of each kind, and whatever else was seen to go wrong."""

import json
import re

import pytest
from broken_declaring import CORE, DECLARED, SLOW, TWIN
from broken_opening import CLOSING, OPENED, VALIDATING

from kiro_core.registry import KINDS, Registry

CHOSEN = {
    "kiro_agents": 'agent_sources=["{}"]',
    "kiro_stores": 'store="{}"',
    "kiro_launchers": 'launcher="{}"',
    "kiro_transports": 'engines.odd={{command=["odd"],transport="{}"}}',
    "kiro_middlewares": 'middlewares=["{}"]',
}
BOUNDS = ("limits.start_s=1", "limits.shutdown_s=1")
TWICE = "Store 'files' comes from both 'files' (kiro-core {}) and 'twin' (twin 1.0)."
BLOCK = 'Block one of them, for example with plugins.block = ["twin"] in the settings.'
SLOW_TOLD = r"It took \d+\.\d s to import this time, for which every command waits\."
OUTDATED = f"It is for kiro-core <0.1, and this is kiro-core {CORE}."


def there(plugins):
    """Those of the kinds that there are."""
    return {name: plugin for name, plugin in plugins.items() if plugin.hook in KINDS}


def told(plugin):
    return f"{plugin.sentence} {plugin.hint}".strip()


def test_plugins_lists_each_that_does_not_load_with_the_reason_and_the_way_out(installed, kiro):
    broken = there(DECLARED)
    folders = [installed(name, one.code, one.requires) for name, one in broken.items()]
    done = kiro("plugins", "--json", plugins=[*folders, installed("twin", TWIN)])
    listed = {one["name"]: one for one in json.loads(done.stdout)}
    assert (done.returncode, done.stderr) == (0, "")
    assert {name: listed[name]["problem"] for name in broken} == {name: told(one) for name, one in broken.items()}
    assert listed["twin"]["problem"] == f"{TWICE.format(CORE)} {BLOCK}"
    assert listed["files"]["provides"]


@pytest.mark.parametrize("name", there(DECLARED))
def test_who_chooses_one_that_does_not_load_is_told_why_it_is_missing(installed, kiro, name):
    one = DECLARED[name]
    folder, setting = installed(name, one.code, one.requires), CHOSEN[one.hook].format(name)
    done = kiro("run", "Hello", plugins=[folder], settings=[setting])
    kind = KINDS[one.hook]
    (known,) = [catalog for catalog in vars(Registry()).values() if getattr(catalog, "kind", "") == kind]
    origin = "" if kind == "transport" else " (argument --set)"
    assert done.stderr.splitlines() == [
        f"kiro-core: No {kind} is called '{name}'{origin}.",
        f"Available: {', '.join(sorted(known.entries)) or 'none'}.",
        f"Plugin '{name}' ({name} 1.0) is not loaded: {told(one)}",
    ]
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("name", there(OPENED))
def test_who_chooses_one_that_does_not_open_is_told_whose_failure_it_is(installed, kiro, name):
    one = OPENED[name]
    setting = CHOSEN[one.hook].format(name)
    # Sources alone are opened where a turn would have to be waited for.
    command = ("agents", "list") if name == "agents-twice" else ("run", "Hello")
    done = kiro(*command, plugins=[installed(name, one.code)], settings=[setting, *BOUNDS])
    assert done.stderr == f"kiro-core: {one.sentence}\n{one.hint}\n"
    assert done.returncode == 1


def test_check_tells_all_at_once(installed, kiro):
    names = ("agents-twice", "stores-no-open", "launchers-never", "transports-hang", "middlewares-hang")
    opened = {name: one for name, one in there(OPENED).items() if name in names}
    missing = {name: DECLARED[name] for name in ("agents-async", "stores-driver")}
    folders = [installed(name, one.code, one.requires) for name, one in (opened | missing).items()]
    folders.append(installed("launchers-slow", SLOW, "Kiro_Core<0.1"))
    settings = [CHOSEN[one.hook].format(name) for name, one in opened.items()]
    settings.append(f"plugins.only={json.dumps([*opened, *missing, 'launchers-slow'])}")
    done = kiro("check", "--json", plugins=folders, settings=[*settings, *BOUNDS])
    found = {f"{one['kind']} {one['name']}": one for one in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    for name, one in opened.items():
        check = found[f"{KINDS[one.hook]} {name}"]
        assert (check["outcome"], check["reason"], check["hint"]) == ("broken", one.sentence, one.hint)
        assert found[f"plugin {name}"]["outcome"] == "fine"
    for name, one in missing.items():
        check = found[f"plugin {name}"]
        sentence = f"Plugin '{name}' ({name} 1.0) cannot be used: {one.sentence}"
        assert (check["outcome"], check["reason"], check["hint"]) == ("broken", sentence, one.hint)
    assert found["plugin launchers-slow"]["outcome"] == "fine"
    assert found["plugin launchers-slow"]["notices"] == [OUTDATED]


def test_a_name_that_two_provide_is_an_error_whatever_is_chosen(installed, kiro):
    done = kiro("run", "Hello", plugins=[installed("twin", TWIN)])
    assert done.stderr == f"kiro-core: {TWICE.format(CORE)}\n{BLOCK}\n"
    assert done.returncode == 1
    done = kiro("agents", "list", plugins=[installed("other", TWIN)], settings=['plugins.block=["other"]'])
    assert (done.returncode, done.stderr) == (0, "")


def test_a_plugin_that_is_slow_to_import_or_for_another_core_works_and_is_told(installed, kiro):
    slow = installed("launchers-slow", SLOW, "kiro-core<0.1")
    done = kiro("plugins", plugins=[slow])
    assert "launcher launchers-slow" in done.stdout
    first, second = done.stderr.splitlines()
    assert re.fullmatch(f"notice: plugin launchers-slow: {SLOW_TOLD}", first)
    assert second == f"notice: plugin launchers-slow: {OUTDATED}"
    done = kiro("plugins", "--json", plugins=[slow])
    (listed,) = [one for one in json.loads(done.stdout) if one["name"] == "launchers-slow"]
    assert (listed["problem"], listed["import_ms"] >= 400, len(listed["notices"])) == ("", True, 2)
    done = kiro("check", plugins=[slow], settings=['plugins.only=["launchers-slow"]'])
    assert f"notice: plugin launchers-slow: {OUTDATED}" in done.stderr.splitlines()
    done = kiro("agents", "list", "-v", plugins=[slow])
    told = r"^kiro-core: INFO: plugin 'launchers-slow' \(launchers-slow 1\.0\) took \d+\.\d s to import$"
    assert re.search(told, done.stderr, re.MULTILINE)


def test_a_model_of_options_that_fails_is_told_without_the_value(installed, kiro):
    odd = installed("stores-odd", VALIDATING)
    done = kiro("run", "Hello", plugins=[odd], settings=['store={use="stores-odd",url="pg://me:s3cret@db"}'])
    assert done.stderr == (
        "kiro-core: Store 'stores-odd' (stores-odd 1.0) cannot be opened: its model of options fails with a KeyError.\n"
        "A validator raises ValueError where a value is wrong.\n"
    )
    assert done.returncode == 1


def test_a_backend_that_does_not_close_is_cut_off_and_told(installed, kiro):
    deaf = installed("agents-deaf", CLOSING)
    done = kiro("agents", "list", plugins=[deaf], settings=['agent_sources=["agents-deaf"]', *BOUNDS])
    assert done.stderr == (
        "kiro-core: Agent source 'agents-deaf' (agents-deaf 1.0) has not closed within 1 s.\n"
        "Its clean-up was cut off; look for what it left behind.\n"
    )
    assert done.returncode == 1
