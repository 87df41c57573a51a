"""The rehearsal agent keeps, lists and forgets sessions as it is told."""

import stat

import pytest


def test_with_a_memory_another_process_loads_the_conversation(rehearsal, tmp_path):
    folder = tmp_path / "memory"
    with rehearsal("--memory", str(folder)) as first:
        first.begin().ask("/echo one\n/tool")
        first.call("session/set_config_option", sessionId=first.session, configId="model", value="rehearsal-2")
        assert first.end() == 0
    with rehearsal("--memory", str(folder)) as second:
        abilities = second.call("initialize")["result"]["agentCapabilities"]
        assert abilities["loadSession"] is True
        assert "resume" in abilities["sessionCapabilities"]
        second.session = first.session
        loaded = second.load(first.session)["result"]
        assert loaded["configOptions"][0]["currentValue"] == "rehearsal-2"
        assert [update["content"]["text"] for update in second.updates("user_message_chunk")] == ["/echo one\n/tool"]
        assert second.said() == ["one"]
        second.ask("/tool")
        calls = [update["toolCallId"] for update in second.updates("tool_call")]
        assert len(set(calls)) == 2
        before = len(second.seen)
        assert "result" in second.load(first.session, "session/resume")
        assert len(second.seen) == before + 1
        assert second.load("../../etc/passwd")["error"]["code"] == -32002
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())] == [0o700, 0o600]


def test_one_that_loads_without_a_memory_knows_what_it_said_itself(rehearsal):
    with rehearsal("--with", "load,resume") as agent:
        agent.begin().ask("/echo one")
        assert agent.result("session/close", sessionId=agent.session) == {}
        before = len(agent.said())
        assert "configOptions" in agent.load(agent.session)["result"]
        assert agent.said()[before:] == ["one"]
        assert agent.ask("/echo two")["result"]["stopReason"] == "end_turn"
    with rehearsal("--with", "load") as other:
        assert other.load(agent.session)["error"]["code"] == -32002


def test_a_notice_is_not_repeated(rehearsal):
    with rehearsal("--with", "load") as agent:
        agent.begin().ask('/update {"sessionUpdate":"notice","severity":"info","title":"Hm"}')
        agent.load(agent.session)
        assert len(agent.updates("notice")) == 1


@pytest.mark.parametrize("kept", [True, False])
def test_sessions_are_listed_the_newest_first_and_deleted(rehearsal, tmp_path, kept):
    arguments = ["--with", "list,delete", *(["--memory", tmp_path / "memory"] if kept else [])]
    with rehearsal(*arguments) as agent:
        agent.begin("/").ask("/echo hm")
        older = agent.session
        agent.begin(tmp_path, additionalDirectories=["/lib"]).ask("Good morning\nand evening")
        first, second = agent.result("session/list")["sessions"]
        assert (first["sessionId"], first["cwd"], first["title"]) == (agent.session, str(tmp_path), "Good morning")
        assert first["additionalDirectories"] == ["/lib"]
        assert first["updatedAt"] > second["updatedAt"]
        assert second["sessionId"] == older
        assert agent.result("session/list", cwd="/")["sessions"] == [second]
        for _ in range(2):
            assert agent.result("session/delete", sessionId=older) == {}
        assert agent.result("session/list")["sessions"] == [first]
        agent.session = older
        assert agent.ask("hello")["error"]["code"] == -32002


def test_what_is_kept_has_no_secrets(rehearsal, tmp_path):
    with rehearsal("--memory", tmp_path / "memory") as agent:
        servers = [{"name": "docs", "command": "x", "args": [], "env": [{"name": "KEY", "value": "s3cret"}]}]
        agent.session = agent.result("session/new", cwd="/", mcpServers=servers)["sessionId"]
        agent.ask("hello")
    (kept,) = (tmp_path / "memory").iterdir()
    assert "s3cret" not in kept.read_text()


@pytest.mark.parametrize("method", ["session/load", "session/resume"])
def test_the_load_of_an_unknown_session_is_refused_hangs_ends_or_succeeds(rehearsal, tmp_path, method):
    def loaded(how):
        agent = rehearsal("--memory", tmp_path / "memory", "--unknown-load", how)
        agent.send(id="load", method=method, params={"sessionId": "x-1", "cwd": "/", "mcpServers": []})
        return agent

    with loaded("error") as agent:
        assert agent.receive()["error"]["code"] == -32002
    with loaded("hang") as agent:
        agent.greet()
        assert [message["id"] for message in agent.seen] == ["initialize"]
    with loaded("exit") as agent:
        assert agent.process.wait(20) == 0
    with loaded("silent") as agent:
        assert "configOptions" in agent.receive()["result"]
        agent.session = "x-1"
        assert agent.ask("/echo here")["result"]["stopReason"] == "end_turn"
