"""What people are told of broken plugins, word for word: two of each kind, and whatever else was seen to go wrong."""

import json
import re

import pytest
from broken_declaring import CORE, DECLARED, SLOW, TWIN, TWINS
from broken_opening import CLOSING, LOST, MUTE, OPENED, OPTIONS, VALIDATING

from kiro_core.registry import KINDS, Registry

CHOSEN = {
    "kiro_agents": 'agent_sources=["{}"]',
    "kiro_stores": 'store="{}"',
    "kiro_launchers": 'launcher="{}"',
    "kiro_transports": 'engines.odd={{command=["odd"],transport="{}"}}',
    "kiro_middlewares": 'middlewares=["{}"]',
}
BOUNDS = ("limits.start_s=1", "limits.shutdown_s=1")
TWICE = "Store '{}' comes from both {} and 'twin' (twin 1.0)."
OURS = f"'files' (kiro-core {CORE})"
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
    done = kiro("plugins", "--json", plugins=[*folders, installed("twin", TWIN.format("files"))])
    listed = {one["name"]: one for one in json.loads(done.stdout)}
    assert (done.returncode, done.stderr) == (0, "")
    assert {name: listed[name]["problem"] for name in broken} == {name: told(one) for name, one in broken.items()}
    assert listed["twin"]["problem"] == f"{TWICE.format('files', OURS)} {BLOCK}"
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
    folders.append(installed("launchers-slow", SLOW["launchers-slow"], "Kiro_Core<0.1"))
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


def test_check_tells_what_has_not_opened_when_it_waits_no_longer(installed, kiro):
    one = OPENED["agents-hang"]
    settings = [CHOSEN[one.hook].format("agents-hang"), 'plugins.only=["agents-hang"]']
    done = kiro("check", "--json", "--timeout", "10", plugins=[installed("agents-hang", one.code)], settings=settings)
    found = {f"{one['kind']} {one['name']}": one for one in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    for name in ("plugin agents-hang", "agent source agents-hang"):
        assert (found[name]["outcome"], found[name]["reason"]) == ("broken", "It does not load and open within 10 s.")


@pytest.mark.parametrize(
    ("name", "owner", "plugins"),
    [("files", OURS, {"twin": TWIN.format("files")}), ("cupboard", "'one' (one 1.0)", TWINS)],
    ids=["of-a-bundled-one", "of-another-one"],
)
def test_a_name_that_two_provide_is_an_error_whatever_is_chosen(installed, kiro, name, owner, plugins):
    folders = [installed(plugin, code) for plugin, code in plugins.items()]
    done = kiro("run", "Hello", plugins=folders)
    assert done.stderr == f"kiro-core: {TWICE.format(name, owner)}\n{BLOCK}\n"
    assert done.returncode == 1


def test_one_of_two_that_provide_a_name_can_be_blocked_for_example_the_newcomer(installed, kiro):
    done = kiro("run", "Hello", plugins=[installed("cupboard", TWIN.format("files"))])
    assert done.stderr.splitlines()[1] == BLOCK.replace("twin", "cupboard")
    done = kiro(
        "agents", "list", plugins=[installed("other", TWIN.format("files"))], settings=['plugins.block=["other"]']
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_plugin_that_is_slow_to_import_or_for_another_core_works_and_is_told(installed, kiro):
    slow, late = (installed(name, code, "kiro-core<0.1") for name, code in SLOW.items())
    done = kiro("plugins", plugins=[slow, late])
    assert "launcher launchers-slow" in done.stdout
    assert "store stores-slow" in done.stdout
    for name in SLOW:
        # On a busy machine a bundled plugin may be slow, too.
        first, second = [line for line in done.stderr.splitlines() if line.startswith(f"notice: plugin {name}: ")]
        assert re.fullmatch(f"notice: plugin {name}: {SLOW_TOLD}", first)
        assert second == f"notice: plugin {name}: {OUTDATED}"
    done = kiro("plugins", "--json", plugins=[slow])
    (listed,) = [one for one in json.loads(done.stdout) if one["name"] == "launchers-slow"]
    assert (listed["problem"], listed["import_ms"] >= 400, len(listed["notices"])) == ("", True, 2)
    done = kiro("check", plugins=[slow], settings=['plugins.only=["launchers-slow"]'])
    assert f"notice: plugin launchers-slow: {OUTDATED}" in done.stderr.splitlines()
    done = kiro("agents", "list", "-v", plugins=[slow])
    told = r"^kiro-core: INFO: plugin 'launchers-slow' \(launchers-slow 1\.0\) took \d+\.\d s to import$"
    assert re.search(told, done.stderr, re.MULTILINE)


def test_what_a_plugin_prints_is_no_part_of_what_a_command_prints(installed, kiro):
    done = kiro("plugins", "--json", plugins=[installed("loud", f"print('hello')\n{TWIN.format('loud')}")])
    assert json.loads(done.stdout)
    assert done.stderr == "hello\n"


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


@pytest.mark.parametrize(
    ("command", "told", "code"),
    [
        (("sessions", "show", "nosuch"), "nosuch", 1),
        (("run", "--engine", "rehearsal", "--agent", "nosuch", "Hello"), "nosuch", 4),
        (("agents", "show", "nosuch"), "nosuch", 4),
    ],
)
def test_what_fails_while_a_backend_is_open_that_keeps_failures_to_itself_is_told(installed, kiro, command, told, code):
    mute = installed("agents-mute", MUTE)
    done = kiro(*command, plugins=[mute], settings=['agent_sources=["agents-mute"]'])
    assert told in done.stderr.splitlines()[0]
    assert done.returncode == code


def test_a_backend_that_fails_while_it_is_used_is_told(installed, kiro):
    lost = installed("agents-lost", LOST)
    settings = ['agent_sources=["agents-lost"]']
    done = kiro("run", "--engine", "rehearsal", "wait 5", plugins=[lost], settings=settings)
    assert done.stderr == (
        f"kiro-core: Agent source 'agents-lost' (agents-lost 1.0) has failed: OSError: the line is dead.\n{OPTIONS}\n"
    )
    assert done.returncode == 1
