"""Every tool as a host uses it, in both eras."""

import json
import re
import sys

import anyio
import pytest
from mcp_hosts import REHEARSAL

from kiro_mcp.server import progress
from kiro_mcp.service.failing import CODES


async def test_a_host_talks_to_an_agent_and_follows_it(opened_host, folder):
    async with opened_host() as host:
        session = await host.call("kiro_session_create", agent="", working_directory=str(folder))
        assert session["working_directory"] == str(folder)
        assert session["id"] == session["session_id"]
        assert session["is_active"]
        assert session["created_at"].endswith("Z")
        said = await host.call("kiro_chat", message="Good morning")
        assert "Good morning" in said["content"]
        assert said["session_id"] == session["id"]
        assert said["is_complete"]
        assert said["stop_reason"] == "end_turn"
        assert said["timestamp"].endswith("Z")
        task = await host.call("kiro_chat_async", message="/flood 20\n/tool Look around", session_id=session["id"])
        assert task["session_id"] == session["id"]
        states = await host.finished(task["task_id"])
        chunks = [chunk for state in states for chunk in state["new_chunks"]]
        assert [chunk["index"] for chunk in chunks] == list(range(len(chunks)))
        assert len(chunks) >= 20
        assert [chunk["is_final"] for chunk in chunks].count(True) <= 1
        last = states[-1]
        assert last["status"] == "completed"
        assert last["result"] == "".join(chunk["content"] for chunk in chunks)
        assert last["result"].startswith("0 1 2 3 ")
        assert last["total_bytes_received"] == len(last["result"].encode())
        assert {"title": "Look around", "status": "completed"} in last["tools"]
        tasks = await host.call("kiro_task_list", session_id=session["id"], include_done=True)
        assert tasks["count"] == len(tasks["tasks"]) == 2
        shape = next(one for one in tasks["tasks"] if one["task_id"] == task["task_id"])
        assert shape["chunks_count"] == len(chunks)
        assert shape["duration_seconds"] >= 0
        assert "result" not in shape
        assert (await host.call("kiro_task_list"))["count"] == 0


async def test_a_host_keeps_several_sessions(opened_host):
    async with opened_host() as host:
        first = await host.call("kiro_session_create")
        second = await host.call("kiro_session_create", engine="rehearsal")
        assert (first["is_active"], second["is_active"]) == (True, False)
        listed = await host.call("kiro_session_list")
        assert [one["id"] for one in listed["sessions"]] == [first["id"], second["id"]]
        assert (listed["active_session_id"], listed["count"]) == (first["id"], 2)
        switched = await host.call("kiro_session_switch", session_id=second["id"])
        assert switched == {"success": True, "active_session_id": second["id"]}
        assert (await host.call("kiro_chat", message="Hello"))["session_id"] == second["id"]
        ended = await host.call("kiro_session_end", session_id=second["id"])
        assert ended == {"success": True, "session_id": second["id"]}
        assert (await host.call("kiro_session_list"))["active_session_id"] == first["id"]
        await host.call("kiro_session_end", session_id=first["id"])
        assert await host.call("kiro_session_list") == {"sessions": [], "active_session_id": None, "count": 0}
        assert (await host.call("kiro_chat", message="Anew"))["session_id"] not in (first["id"], second["id"])


async def test_a_host_looks_back_clears_saves_and_loads(opened_host, folder):
    async with opened_host() as host:
        session = (await host.call("kiro_chat", message="/echo Remember the milk"))["session_id"]
        history = await host.call("kiro_history", session_id=session)
        assert [one["role"] for one in history["history"]] == ["user", "assistant"]
        assert history["history"][1]["content"] == "Remember the milk"
        assert history["count"] == 2
        found = await host.call("kiro_session_search", query="the milk")
        assert [one["session_id"] for one in found["sessions"]] == [session]
        cleared = await host.call("kiro_session_clear")
        assert cleared["success"]
        assert cleared["session_id"] == session
        assert (await host.call("kiro_history_clear")) == {"success": True, "session_id": session}
        assert (await host.call("kiro_history"))["history"] == []
        saved = await host.call("kiro_session_save", path="kept.session")
        assert saved["save_path"] == str(folder / "kept.session")
        assert (saved["success"], saved["error"], saved["exit_code"]) == (True, "", 0)
        assert saved["output"].endswith(" bytes were written.")
        await host.call("kiro_session_end", session_id=session)
        loaded = await host.call("kiro_session_load", session_id=session)
        assert (loaded["id"], loaded["is_active"]) == (session, True)
        assert "Hello" in (await host.call("kiro_chat", message="Hello"))["content"]
        await host.call("kiro_session_end", session_id=session)
        await host.desk.delete(session)
        assert (await host.call("kiro_session_load", path=saved["save_path"]))["id"] == session


async def test_a_host_sees_what_there_is(opened_host, home):
    (home / "agents").mkdir(parents=True)
    reviewer = {"name": "reviewer", "description": "Reads closely", "prompt": "Read closely."}
    (home / "agents" / "reviewer.json").write_text(json.dumps(reviewer))
    (home / "agents" / "plain.json").write_text(json.dumps({"name": "plain"}))
    async with opened_host() as host:
        agents = {one["name"]: one for one in (await host.call("kiro_agents_list"))["agents"]}
        assert agents["reviewer"]["description"] == "Reads closely"
        assert agents["reviewer"]["config_path"] == str(home / "agents" / "reviewer.json")
        prompts = await host.call("kiro_prompts_list")
        shape = {
            "name": "reviewer",
            "description": "Reads closely",
            "trigger": "/agent reviewer",
            "always_apply": False,
        }
        assert prompts == {"prompts": [shape], "count": 1}
        prompt = await host.call("kiro_prompts_get", name="reviewer")
        assert prompt == {**shape, "content": "Read closely."}
        assert (await host.fails("kiro_prompts_get", name="plain"))["code"] == "AGENT_NOT_FOUND"
        engines = {one["name"]: one for one in (await host.call("kiro_engines_list"))["engines"]}
        assert engines["rehearsal"]["installed"]
        assert engines["rehearsal"]["command"] == [sys.executable]
        assert await host.call("kiro_pool_stats") == {"pool_stats": {"enabled": False}}


async def offering(host, *names):
    """A session whose agent offers these commands."""
    listed = [{"name": name, "description": "..."} for name in names]
    update = {"sessionUpdate": "available_commands_update", "availableCommands": listed}
    await host.call("kiro_session_create")
    await host.call("kiro_chat", message=f"/update {json.dumps(update)}")


async def test_a_command_is_one_that_the_agent_offers(opened_host):
    async with opened_host() as host:
        await offering(host, "help")
        done = await host.call("kiro_command", command="/help")
        assert done["success"]
        assert "/echo TEXT" in done["output"]
        assert (done["error"], done["exit_code"]) == ("", 0)
        failure = await host.fails("kiro_command", command="/no-such-command")
        assert failure["code"] == "INVALID_COMMAND"


async def test_an_argument_is_checked_in_words(opened_host):
    async with opened_host() as host:
        for arguments, said in (
            ({}, "kiro_session_end needs session_id."),
            ({"session_id": ""}, "session_id of kiro_session_end is blank."),
            ({"session_id": " \n"}, "session_id of kiro_session_end is blank."),
            ({"session_id": None}, "kiro_session_end needs session_id."),
            ({"session_id": "x", "force": True}, "kiro_session_end does not take 'force'."),
            ({"session_id": 7}, "session_id of kiro_session_end is not good: input should be a valid string."),
        ):
            failure = await host.fails("kiro_session_end", **arguments)
            assert (failure["code"], failure["message"]) == ("INVALID_COMMAND", said)
            assert failure["hint"] == "It takes session_id."
        assert (await host.fails("kiro_pool_stats", x=1))["hint"] == "It takes no arguments."
        assert (await host.call("kiro_session_create", agent=None))["id"]


async def test_what_only_looks_like_an_argument_is_refused(opened_host):
    async with opened_host() as host:
        session = (await host.call("kiro_session_create"))["id"]
        for tool, arguments in (
            ("kiro_chat", {"message": "Hello", "stream": "yes"}),
            ("kiro_chat", {"message": 7}),
            ("kiro_history", {"limit": "5"}),
            ("kiro_history", {"limit": True}),
            ("kiro_history", {"limit": 2.5}),
            ("kiro_task_list", {"include_done": 1}),
            ("kiro_task_status", {"task_id": f"{session}:x", "wait_s": "5"}),
        ):
            assert (await host.fails(tool, **arguments))["code"] == "INVALID_COMMAND"
        assert (await host.call("kiro_history", limit=5.0))["count"] == 0
        assert (await host.call("kiro_history", session_id=f" {session}\n"))["session_id"] == session


async def test_what_a_session_tells_besides_comes_with_its_next_result_and_once(opened_host):
    async with opened_host(agent="nobody") as host:
        session = await host.call("kiro_session_create")
        said = await host.call("kiro_chat", message="/echo Hello")
        [notice] = session.get("notices", []) + said.get("notices", [])
        assert (notice["kind"], notice["severity"]) == ("agent_not_found", "warning")
        assert "'nobody'" in notice["message"]
        await host.call("kiro_session_clear")
        task = (await host.call("kiro_chat_async", message="/echo Hello"))["task_id"]
        notices = [notice for state in await host.finished(task) for notice in state.get("notices", [])]
        assert "context_reset" in [notice["kind"] for notice in notices]
        assert "notices" not in await host.call("kiro_chat", message="/echo Hello")


async def test_a_host_goes_on_in_a_session_that_has_ended_by_itself(opened_host):
    async with opened_host(options={"session_idle_s": 0.3}) as host:
        session = (await host.call("kiro_chat", message="/echo One"))["session_id"]
        while (listed := await host.call("kiro_session_list"))["count"]:
            pass
        assert listed == {"sessions": [], "active_session_id": None, "count": 0}
        assert (await host.fails("kiro_chat", message="Two", session_id=session))["code"] == "SESSION_INACTIVE"
        said = await host.call("kiro_chat", message="/echo Two")
        assert said["session_id"] == session
        assert "session_reopened" in [notice["kind"] for notice in said["notices"]]


async def test_a_history_says_how_its_turns_ended(opened_host):
    async with opened_host() as host:
        await host.call("kiro_chat", message="/echo Good")
        await host.fails("kiro_chat", message="/echo Half\n/error -32000 No more credits")
        history = (await host.call("kiro_history"))["history"]
        assert [one.get("status") for one in history] == [None, None, None, "failed"]


async def unspoken(host, folder):
    return await host.fails("kiro_chat", message=" \n")


async def unknown_tool(host, folder):
    return await host.fails("kiro_sessions_end_all")


async def no_folder(host, folder):
    return await host.fails("kiro_session_create", working_directory=str(folder / "nowhere"))


async def no_session(host, folder):
    return await host.fails("kiro_session_end", session_id="11111111-2222-4333-8444-555555555555")


async def is_there(host, folder):
    await host.call("kiro_session_create")
    await host.call("kiro_session_save", path="kept")
    return await host.fails("kiro_session_load", path=str(folder / "kept"))


async def too_many(host, folder):
    await host.call("kiro_session_create")
    await host.call("kiro_session_create")
    return await host.fails("kiro_session_create")


async def stored(host, folder):
    session = (await host.call("kiro_chat", message="Hello"))["session_id"]
    await host.call("kiro_session_end", session_id=session)
    return await host.fails("kiro_chat", message="Hello?", session_id=session)


async def slow_command(host, folder):
    await offering(host, "sleep")
    failure = await host.fails("kiro_command", command="/sleep 30")
    assert await host.call("kiro_task_cancel", task_id=failure["details"]["task_id"])
    return failure


async def failing_agent(host, folder):
    failure = await host.fails("kiro_chat", message="/echo Half\n/error -32000 No more credits")
    assert "No more credits" in failure["message"]
    assert failure["details"]["content"] == "Half"
    return failure


async def no_program(host, folder):
    return await host.fails("kiro_session_create", engine="missing")


async def broken_program(host, folder):
    return await host.fails("kiro_session_create", engine="broken")


async def no_agent(host, folder):
    return await host.fails("kiro_session_create", agent="nobody")


async def busy(host, folder):
    session = (await host.call("kiro_session_create"))["id"]
    for _ in range(2):
        await host.call("kiro_chat_async", message="/sleep 30", session_id=session)
    return await host.fails("kiro_chat_async", message="And I?", session_id=session)


async def overloaded(host, folder):
    for _ in range(2):
        session = (await host.call("kiro_session_create"))["id"]
        for _ in range(2):
            last = await host.raw("kiro_chat_async", message="/sleep 30", session_id=session)
    assert last.is_error
    return last.structured_content


async def cut_off(host, folder):
    return await host.fails("kiro_chat", message="/echo Half\n/die 3")


RAISED = {
    "INVALID_MESSAGE": unspoken,
    "INVALID_COMMAND": unknown_tool,
    "INVALID_CONFIG": no_folder,
    "SESSION_NOT_FOUND": no_session,
    "SESSION_ALREADY_EXISTS": is_there,
    "SESSION_LIMIT_REACHED": too_many,
    "SESSION_INACTIVE": stored,
    "COMMAND_TIMEOUT": slow_command,
    "COMMAND_FAILED": failing_agent,
    "KIRO_CLI_NOT_FOUND": no_program,
    "EXECUTION_ERROR": broken_program,
    "AGENT_NOT_FOUND": no_agent,
    "SESSION_BUSY": busy,
    "SERVER_OVERLOADED": overloaded,
    "STREAM_INTERRUPTED": cut_off,
}


def test_every_code_is_raised_by_one_of_these():
    assert set(RAISED) == CODES


@pytest.mark.parametrize("code", RAISED)
async def test_a_failure_has_its_code(opened_host, folder, code):
    engines = {"missing": ["/nowhere/agent"], "broken": [sys.executable, "-P", "-c", "raise SystemExit(3)"]}
    options = {"max_sessions": 2, "max_tasks": 3, "chat_wait_s": 5 if code != "COMMAND_TIMEOUT" else 0.2}
    async with opened_host(engines=engines, options=options, limits={"max_queued_prompts": 1}) as host:
        failure = await RAISED[code](host, folder)
    assert failure["code"] == code
    assert failure["hint"] or code == "COMMAND_FAILED"  # the agent's own words, of which nobody knows more


async def test_a_call_that_lasts_returns_what_it_has(opened_host):
    async with opened_host(options={"chat_wait_s": 1}) as host:
        part = await host.call("kiro_chat", message="/echo First\n/sleep 2\n/echo Last")
        assert (part["content"], part["is_complete"]) == ("First", False)
        last = (await host.finished(part["task_id"]))[-1]
        assert last["result"] == "FirstLast"


async def test_a_task_can_be_cancelled(opened_host):
    async with opened_host() as host:
        task = (await host.call("kiro_chat_async", message="/echo First\n/sleep 60"))["task_id"]
        cancelled = await host.call("kiro_task_cancel", task_id=task)
        assert (cancelled["success"], cancelled["task_id"]) == (True, task)
        assert (await host.finished(task))[-1]["status"] == "cancelled"
        assert not (await host.call("kiro_task_cancel", task_id=task))["success"]


async def test_a_cancelled_task_that_goes_on_says_so_and_what_helps(opened_host):
    async with opened_host() as host:
        task = (await host.call("kiro_chat_async", message="/echo First\n/hang"))["task_id"]
        await host.call("kiro_task_status", task_id=task, wait_s=20)
        assert "kiro_session_end" in (await host.call("kiro_task_cancel", task_id=task))["message"]
        state = await host.call("kiro_task_status", task_id=task)
        assert (state["is_done"], state["cancel_requested"]) == (False, True)
        [listed] = (await host.call("kiro_task_list"))["tasks"]
        assert listed["cancel_requested"]
        await host.call("kiro_session_end", session_id=state["session_id"])
        assert "cancel_requested" not in (await host.finished(task))[-1]


async def test_a_chat_that_the_host_cancels_is_cancelled_at_the_agent(opened_host):
    async with opened_host() as host:
        session = (await host.call("kiro_session_create"))["id"]
        async with anyio.create_task_group() as calls:

            async def chat():
                await host.raw("kiro_chat", message="/echo First\n/sleep 60")

            calls.start_soon(chat)
            while not (running := (await host.call("kiro_task_list"))["tasks"]):
                pass
            task = running[0]["task_id"]
            await host.call("kiro_task_status", task_id=task, wait_s=20)
            calls.cancel_scope.cancel()
        assert (await host.finished(task))[-1]["status"] == "cancelled"
        assert "Hello" in (await host.call("kiro_chat", message="Hello", session_id=session))["content"]


async def test_a_chat_ends_as_cancelled_when_its_session_is_ended(opened_host):
    async with opened_host() as host:
        session = (await host.call("kiro_session_create"))["id"]
        results = []

        async def chat():
            results.append(await host.raw("kiro_chat", message="/echo First\n/sleep 60"))

        async with anyio.create_task_group() as calls:
            calls.start_soon(chat)
            while not (running := (await host.call("kiro_task_list"))["tasks"]):
                pass
            await host.call("kiro_task_status", task_id=running[0]["task_id"], wait_s=20)
            await host.call("kiro_session_end", session_id=session)
        [result] = results
        assert (result.structured_content["is_complete"], result.structured_content["stop_reason"]) == (
            True,
            "cancelled",
        )
        assert result.structured_content["content"] == "First"


async def test_what_happens_is_told_while_it_happens(opened_host):
    async with opened_host() as host:
        await host.call("kiro_session_create")
        assert host.progress[0][1] == "The agent is being started."
        host.progress.clear()
        await host.call("kiro_chat", message="/echo One\n/sleep 0.4\n/echo Two\n/sleep 0.4\n/echo Three", stream=True)
        numbers = [number for number, _ in host.progress]
        assert numbers == sorted(set(numbers))
        # A slow machine tells two of them at a time.
        assert re.findall("One|Two|Three", "".join(message for _, message in host.progress)) == ["One", "Two", "Three"]


async def test_what_was_said_last_is_told_before_a_call_returns(opened_host):
    async with opened_host(options={"chat_wait_s": 1.2}) as host:
        await host.call("kiro_session_create")
        host.progress.clear()
        await host.call("kiro_chat", message="/echo One\n/sleep 1\n/echo Two\n/echo Three\n/sleep 30", stream=True)
        assert "".join(message for _, message in host.progress if "bytes" not in message) == "OneTwoThree"


class TestOfAHostThatAsksForProgress:
    @pytest.fixture
    def era(self):
        return "legacy"  # the other one needs no token in memory, and asks for nothing

    async def test_a_long_silence_is_told_to_go_on(self, opened_host, monkeypatch):
        monkeypatch.setattr(progress, "_HEARTBEAT_S", 0.1)
        slow = [*REHEARSAL, "--start-delay", "0.5"]
        async with opened_host(engines={"slow": slow}) as host:
            await host.call("kiro_session_create", engine="slow")
            assert "working, 0 s" in [message for _, message in host.progress]
            host.progress.clear()
            await host.call("kiro_chat", message="/sleep 1.5\n/echo Done")
            numbers = [number for number, _ in host.progress]
            assert numbers == sorted(set(numbers))
            assert "working, 1 s" in [message for _, message in host.progress]
