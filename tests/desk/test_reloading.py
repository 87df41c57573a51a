"""Settings that are read again while a desk runs: new sessions get what has changed, and the rest is named."""

import sys

import anyio
import pytest

from kiro_core.dispatcher import open_desk
from kiro_core.errors import Held, SettingsError
from kiro_core.frames import Frame
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_core.testing import RecordingClient

REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]


async def test_a_new_session_gets_what_has_changed_and_one_that_lives_keeps_what_it_had(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, limits={"max_queued_prompts": 1}, engine="") as office:
            office.desk.reload(load_settings({"engine": "rehearsal", "limits": {"max_queued_prompts": 2}}))
            before = await office.start()
            mine = {"command": REHEARSAL, "env": {"FROM": "the new settings"}}
            again = load_settings({"engine": "mine", "engines": {"mine": mine}, "agent_engines": {"x": "rehearsal"}})
            report = office.desk.reload(again)
            assert report.changed == ["agent_engines.x", "engine", "engines.mine", "limits.max_queued_prompts"]
            assert report.kept == []
            after = await office.start()
            assert await office.prompt(after, "/env FROM")
            assert "the new settings" in client.text(after)
            limits = [office.desk.live[session].tools.limits.max_queued_prompts for session in (before, after)]
            assert limits == [2, 25]


async def test_what_only_another_start_changes_is_named_and_stays(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), limits={"drain_s": 5}) as office:
            other = {
                "store": {"use": "files", "root": str(tmp_path / "elsewhere")},
                "serve": ["acp"],
                "plugins": {"strict": True},
                "agent_sources": [],
                "launcher": {"use": "local", "grace_s": 3},
                "middlewares": ["audit"],
                "engines": {"far": {"command": ["x"], "transport": "telepathy"}},
                "limits": {"drain_s": 7},
            }
            report = office.desk.reload(load_settings(other))
            assert report.changed == ["limits.drain_s"]
            kept = [
                *("agent_sources", "engines.far", "launcher", "middlewares"),
                *("plugins.strict", "serve", "store"),
            ]
            assert report.kept == kept
            assert str(report) == f"Changed: limits.drain_s. Needs another start: {', '.join(kept)}."
            assert office.desk.settings.limits.drain_s == 7
            assert "far" not in {engine.name for engine in office.desk.engines()}
            assert office.desk.reload(load_settings(other)).kept == kept
            await office.start()
            assert not (tmp_path / "elsewhere").exists()


async def test_settings_that_cannot_be_used_change_nothing(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            before = office.desk.settings
            with pytest.raises(SettingsError, match="command"):
                office.desk.reload(load_settings({"engine": "x", "engines": {"new": {"title": "no command"}}}))
            assert office.desk.settings is before


async def test_nothing_has_changed_where_nothing_has_changed(tmp_path):
    settings = load_settings({"store": {"use": "files", "root": str(tmp_path)}, "serve": ["acp"]})
    async with open_desk(settings, Registry()) as desk:
        assert str(desk.reload(settings)) == "Nothing has changed."


async def test_a_limit_that_was_read_again_holds_for_what_other_desks_are_asked(tmp_path, monkeypatch):
    limits = []

    def asked(held, *, limit_s):
        limits.append(limit_s)
        raise held

    monkeypatch.setattr("kiro_core.dispatcher.records.desk_of", asked)
    params = {"cwd": str(tmp_path), "mcpServers": []}
    async with (
        open_desk(load_settings({"engine": "rehearsal"}), Registry()) as one,
        one.attach(RecordingClient()) as agent,
        open_desk(load_settings(), Registry()) as two,
    ):
        session = (await agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]
        two.reload(load_settings({"limits": {"control_s": 7}}))
        with pytest.raises(Held):
            await two.relabel(session, title="Another")
    assert limits == [7]
