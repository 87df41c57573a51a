"""Settings that are read again while a desk is served, by a signal or by a command, with a report."""

import json
import signal

import pytest


@pytest.fixture
def settings(home, environment):
    """Write the settings file anew, with the usual engine."""
    path = home / "kiro.toml"
    usual = path.read_text()

    def write(text=""):
        path.write_text(text + usual)

    return write


def status(kiro):
    return json.loads(kiro("serve", "status", "--json").stdout)


def test_new_sessions_get_what_has_changed_and_the_rest_is_named(serve, editor, kiro, settings):
    desk = serve()
    desk.ready()
    assert status(kiro)["reloaded"] is None
    settings('agent = "careful"\nlauncher = { use = "local", grace_s = 3 }\nlimits = { drain_s = 5 }\n')
    told = kiro("serve", "reload")
    report = "Changed: agent, limits.drain_s. Needs another start: launcher."
    assert (told.returncode, told.stdout, told.stderr) == (0, f"{report}\n", "")
    last = status(kiro)["reloaded"]
    assert (last["report"], last["changed"], last["kept"]) == (report, ["agent", "limits.drain_s"], ["launcher"])
    assert report in kiro("serve", "status").stdout
    client = editor()
    answer = client.ask("session/new", cwd=client.cwd, mcpServers=[])
    assert "result" in answer
    desk.process.send_signal(signal.SIGTERM)
    assert "they have 5 s" in desk.until_logged("The desk ends")
    assert desk.ended()[0] == 0


def test_a_signal_does_the_same_and_the_log_has_the_report(serve, kiro, settings):
    desk = serve()
    desk.ready()
    settings('agent = "careful"\n')
    desk.process.send_signal(signal.SIGHUP)
    assert "Changed: agent." in desk.until_logged("the settings were read again")
    assert status(kiro)["reloaded"]["changed"] == ["agent"]
    assert status(kiro)["settings"].keys() >= {"agent"}


@pytest.mark.parametrize("broken", ["limits = { drain_s = -1 }\n", "this is no TOML\n", "[engines.x]\n"])
def test_broken_settings_change_nothing_and_are_reported(serve, editor, kiro, settings, broken):
    desk = serve()
    desk.ready()
    before = status(kiro)["settings"]
    settings(broken)
    told = kiro("serve", "reload")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr
    desk.process.send_signal(signal.SIGHUP)
    for _ in range(2):
        assert "Nothing has changed:" in desk.until_logged("the settings could not be read again")
    assert kiro("run", "Hello").returncode == 2
    after = status(kiro)
    assert after["reloaded"]["report"].startswith("Nothing has changed: ")
    assert after["settings"] == before
    assert editor().session()
    assert kiro("serve", "stop").returncode == 0
    assert desk.ended()[0] == 0
    assert kiro("serve", "stop").returncode == 2
