"""What an agent can have its crew do with the tools, and what it is told."""

import json
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from crew_tools import DONE, LETTER, FarEnd, IdleCrew

from kiro_core.control.meeting import as_stream
from kiro_core.crew.tools import BoundCrew
from kiro_core.errors import CrewInvalid, CrewRefused, Unavailable
from kiro_core.types import RunView, SessionId, SessionInfo, StageView
from kiro_mcp.crew import AgentTools

BOUND_S = 30
ME = "s-1"
COMMANDS = {
    "spawn_session": [
        {
            "task": "Count",
            "agent_name": "counter",
            "depends_on": ["Bob"],
            "persistent": True,
            "role": "r",
            "group": "g",
        },
        (
            "spawn",
            ME,
            "Count",
            {"agent": "counter", "depends_on": ["Bob"], "persistent": True, "role": "r", "group": "g"},
        ),
        "Alice (a-1) has the task. Its result comes to your inbox; `wait` waits for it.",
    ],
    "send_message": [
        {"target": "Alice", "message": "Hurry."},
        ("send", ME, "Alice", "Hurry.", {"priority": "normal"}),
        "The message is in the inbox.",
    ],
    "read_messages": [
        {"limit": 2.0},
        ("read", ME, 2, {}),
        "From Alice, session a-1 (result: succeeded), 2026-01-31T08:00:00.000Z:\n> Seven beans.",
    ],
    "list_sessions": [
        {"filter": "busy"},
        ("members", ME, "working", {}),
        "\n".join(f"Alice [{state}], agent counter: Count the beans" for state in ("working", "terminated, succeeded")),
    ],
    "get_session_status": [
        {"target": "Alice"},
        ("status", ME, "Alice", {}),
        "Alice [working], agent counter: Count the beans",
    ],
    "interrupt": [
        {"target": "Alice", "message": "Stop."},
        ("interrupt", ME, "Alice", "Stop.", {}),
        "Alice goes on with this.",
    ],
    "inject_context": [
        {"target": "Alice", "context": "They are green."},
        ("inject", ME, "Alice", "They are green.", {}),
        "It stands in front of its next prompt.",
    ],
    "manage_group": [
        {"action": "add", "group": "docs", "target": "Alice", "role": "x"},
        ("group", ME, "add", "docs", "Alice", "x", {}),
        "docs: Alice",
    ],
    "revive_session": [
        {"target": "Alice", "task": "Again"},
        ("revive", ME, "Alice", "Again", {}),
        "Alice has another task.",
    ],
    "wait": [
        {"targets": ["Alice", "Bob"], "timeout_s": 5},
        ("wait", ME, ["Alice", "Bob"], {"timeout_s": 5.0}),
        (
            "Alice [terminated, succeeded], agent counter: Count the beans\n> Seven beans.\n\n"
            "1 session is not done: Alice. Wait again, or go on; each result comes to your inbox."
        ),
    ],
    "cancel_session": [{"target": "Alice"}, ("end", ME, "Alice", {}), "Alice is working."],
}


class Runs(IdleCrew):
    """A crew with one run that goes as a test says: `views` are told one after the other."""

    def __init__(self, *views, report=None):
        super().__init__()
        self.views, self.reported = views, report
        self.going, self.delivered = anyio.Event(), anyio.Event()

    async def deliver(self, run):
        self.asked.append(("deliver", run))
        self.delivered.set()
        if "deliver" in self.raising:
            raise self.raising["deliver"]

    async def run(self, crew, **named):
        self.asked.append(("run", crew, named))
        if "run" in self.raising:
            raise self.raising["run"]
        return SessionId("r-1")

    async def follow(self, run, by):
        for view in self.views:
            if view is None:
                self.going.set()
                await anyio.sleep_forever()
            if isinstance(view, Exception):
                raise view
            yield view

    async def report(self, run):
        return self.reported


@asynccontextmanager
async def served(crew, wait=None):
    """A far end that speaks MCP with the tools of a session, and has introduced itself."""
    ours, theirs = socket.socketpair()
    info = SessionInfo(SessionId(ME), str(Path.cwd()), "", "", roots=("/more",))
    with anyio.fail_after(BOUND_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(AgentTools().serve_tools, BoundCrew(info, crew, lambda: 0), as_stream(ours))
            far = FarEnd.__new__(FarEnd)
            far.stream, far._read = as_stream(theirs), b""
            await far.initialize()
            try:
                yield far
            finally:
                await far.stream.aclose()


def text(result):
    [block] = result["content"]
    return block["text"]


async def test_there_are_three_tools_with_plain_schemas():
    async with served(IdleCrew()) as far:
        tools = {tool["name"]: tool for tool in (await far.ask("tools/list"))["result"]["tools"]}
        assert sorted(tools) == ["session_management", "subagent", "summary"]
        said = json.dumps(tools)
        assert not {"$ref", "$defs", "anyOf"} & set(said.replace('"', " ").split())
        assert tools["session_management"]["inputSchema"]["properties"]["command"]["enum"] == list(COMMANDS)
        assert tools["subagent"]["inputSchema"]["required"] == ["stages"]
        loop = tools["subagent"]["inputSchema"]["properties"]["stages"]["items"]["properties"]["loop"]
        assert loop["required"] == ["target", "trigger"]
        assert tools["summary"]["inputSchema"]["required"] == ["task_result"]
        assert len(said) < 9000  # all of it stands in the context of each model


@pytest.mark.parametrize("command", COMMANDS)
async def test_each_command_is_the_verb_of_the_crew_for_this_session(command):
    arguments, asked, told = COMMANDS[command]
    crew = IdleCrew()
    async with served(crew) as far:
        result = await far.call("session_management", command=command, **arguments)
        assert not result.get("isError"), result
        assert crew.asked[-1] == asked
        assert text(result) == told
        assert result["structuredContent"]


async def test_who_names_another_session_as_its_own_is_refused():
    crew = IdleCrew()
    async with served(crew) as far:
        for argument in ("by", "session", "session_id", "sender"):
            result = await far.call("session_management", command="read_messages", **{argument: "s-2"})
            assert result["isError"]
    assert crew.only("read") == []


async def test_letters_and_members_are_structure_as_well():
    async with served(IdleCrew()) as far:
        read = await far.call("session_management", command="read_messages")
        [letter] = read["structuredContent"]["messages"]
        assert (letter["id"], letter["sender"], letter["about"]) == (LETTER.id, "a-1", {"outcome": "succeeded"})
        waited = await far.call("session_management", command="wait")
        assert waited["structuredContent"]["settled"] is False
        assert [one["result"] for one in waited["structuredContent"]["sessions"]] == ["", DONE.result]


async def test_a_group_is_spoken_to_as_a_whole():
    crew = IdleCrew()
    async with served(crew) as far:
        told = await far.call("session_management", command="manage_group", action="broadcast", group="g", message="x")
        assert (text(told), crew.asked[-1]) == ("The message is in 1 inbox.", ("broadcast", ME, "g", "x", {}))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"command": "spawn_session"}, "spawn_session needs task."),
        ({"command": "interrupt", "target": " "}, "interrupt needs target and message."),
        ({"command": "manage_group", "action": "broadcast"}, "broadcast needs message."),
        ({}, "session_management needs command."),
        ({"command": "list_sessions", "x": 1}, "session_management does not take 'x'."),
        ({"command": "wait", "timeout_s": 1e9}, "timeout_s of session_management is not good"),
        ({"command": "sing"}, "command of session_management is not good"),
    ],
)
async def test_what_cannot_be_done_so_is_said_in_a_sentence(arguments, sentence):
    async with served(IdleCrew()) as far:
        result = await far.call("session_management", **arguments)
        assert result["isError"]
        assert sentence in text(result)
        assert result["structuredContent"]["code"] == "INVALID_COMMAND"


async def test_a_refusal_has_its_code_sentence_and_hint():
    crew = IdleCrew()
    crew.raising["send"] = CrewRefused("You may not write to Bob.", hint="Write to Alice.", rule="stranger")
    async with served(crew) as far:
        result = await far.call("session_management", command="send_message", target="Bob", message="Hi")
        assert result["isError"]
        assert text(result) == "CREW_REFUSED: You may not write to Bob.\nWrite to Alice."
        assert result["structuredContent"] == {
            "code": "CREW_REFUSED",
            "message": "You may not write to Bob.",
            "details": {"rule": "stranger"},
            "hint": "Write to Alice.",
        }


async def test_a_failure_that_nobody_expected_tells_nothing_of_itself(caplog):
    crew = IdleCrew()
    crew.raising["read"] = ZeroDivisionError("a secret")
    async with served(crew) as far:
        result = await far.call("session_management", command="read_messages")
        assert (result["isError"], "a secret" in text(result)) == (True, False)
    assert "a secret" in caplog.text


async def test_a_tool_that_is_not_there_is_named():
    async with served(IdleCrew()) as far:
        result = await far.call("sing")
        assert "There are session_management, subagent, summary." in text(result)


async def test_at_the_greatest_depth_nothing_spawns():
    crew = IdleCrew()
    crew.spawns = False
    async with served(crew) as far:
        tools = {tool["name"]: tool for tool in (await far.ask("tools/list"))["result"]["tools"]}
        assert sorted(tools) == ["session_management", "summary"]
        assert "spawn_session" not in tools["session_management"]["inputSchema"]["properties"]["command"]["enum"]
        assert (await far.call("subagent", task="x", stages=[{"name": "a"}]))["isError"]
    assert crew.only("run") == []


async def test_a_summary_is_on_record_before_it_is_answered():
    crew = IdleCrew()
    async with served(crew) as far:
        given = {"task_description": "Count", "context_summary": "Of today", "task_result": "Seven."}
        assert not (await far.call("summary", **given)).get("isError")
        assert crew.only("summarise") == [[ME, "Seven.", {"task": "Count", "context": "Of today"}]]
        crew.raising["summarise"] = Unavailable("The disk is full.")
        assert (await far.call("summary", task_result="Eight."))["isError"]
        assert (await far.call("summary", task_result=""))["isError"]


STAGES = [
    {"name": "look", "role": "reader", "prompt_template": "Look at {task} and {x}"},
    {"name": "tell", "prompt_template": "Tell.", "depends_on": ["look"], "timeout_s": 5},
]


def stage_report(name, outcome, result="", error=""):
    attempts = [{"number": 1, "session": f"{name}-1"}]
    return {
        "id": name,
        "phase": "settled",
        "outcome": outcome,
        "result": result,
        "error": error,
        "reason": "",
        "attempts": attempts,
    }


REPORT = {
    "run": "r-1",
    "outcome": "succeeded",
    "stages": [stage_report("look", "succeeded", "Beans."), stage_report("tell", "succeeded", "Seven.")],
}


def view(outcome="running", **activities):
    stages = [StageView(name, "running", activity=activity) for name, activity in activities.items()]
    return RunView(SessionId("r-1"), "x", outcome, stages)


async def test_a_crew_runs_below_the_session_and_its_last_results_are_told():
    crew = Runs(view(look="tool: reads"), view("succeeded"), report=REPORT)
    async with served(crew) as far:
        result = await far.call("subagent", task="beans", stages=STAGES)
        assert text(result) == "The run r-1: succeeded.\n\n## look: succeeded\n\n## tell: succeeded\n> Seven."
        assert [one["result"] for one in result["structuredContent"]["stages"]] == ["", "Seven."]
    [(fields, named)] = crew.only("run")
    assert named == {"cwd": Path.cwd(), "roots": ("/more",), "parent": ME, "hops": 0}
    assert (fields["name"], fields["task"]) == ("beans", "beans")
    assert fields["stages"][0] == {"id": "look", "agent": "reader", "prompt": "Look at {task} and {{x}}"}
    assert fields["stages"][1]["prompt"] == "Tell.\n\nResult of look:\n{stages.look.result}"
    assert fields["stages"][1]["timeout_s"] == 5
    assert crew.only("deliver") == []


async def test_what_a_stage_that_failed_was_given_is_told():
    report = {**REPORT, "outcome": "failed"}
    report["stages"] = [stage_report("look", "succeeded", "Beans."), stage_report("tell", "failed", error="No.")]
    async with served(Runs(view("failed"), report=report)) as far:
        told = text(await far.call("subagent", task="beans", stages=STAGES))
        assert told == "The run r-1: failed.\n\n## look: succeeded\n> Beans.\n\n## tell: failed\n> No."


async def test_a_crew_in_the_background_reports_by_letter():
    crew = Runs()
    async with served(crew) as far:
        result = await far.call("subagent", task="x", mode="background", stages=STAGES)
        assert result["structuredContent"] == {"run": "r-1"}
    assert crew.only("deliver") == [["r-1"]]


async def test_while_it_waits_it_tells_who_wants_to_know():
    crew = Runs(view(look="tool: reads"), view(look="thinks"), view("succeeded"), report=REPORT)
    async with served(crew) as far:
        given = {"name": "subagent", "arguments": {"task": "x", "stages": STAGES}, "_meta": {"progressToken": 7}}
        await far.say("tools/call", 5, **given)
        told = []
        while (message := json.loads(await far.line())).get("id") != 5:
            told.append(message["params"])
        assert [one["message"] for one in told] == ["look tool: reads", "look thinks"]
        assert {one["progressToken"] for one in told} == {7}


@pytest.mark.parametrize("how", ["cancelled", "hung up"])
async def test_a_call_that_is_given_up_leaves_the_run_going_and_has_its_report_delivered(how):
    crew = Runs(view(look="thinks"), None)
    async with served(crew) as far:
        await far.say("tools/call", 5, name="subagent", arguments={"task": "x", "stages": STAGES})
        await crew.going.wait()
        if how == "cancelled":
            await far.say("notifications/cancelled", requestId=5)
        else:
            await far.stream.aclose()
        await crew.delivered.wait()
    assert crew.only("deliver") == [["r-1"]]


async def test_a_run_that_waits_for_a_person_is_told_and_delivered():
    crew = Runs(view(look="thinks"))
    async with served(crew) as far:
        assert "before a person has looked at it" in text(await far.call("subagent", task="x", stages=STAGES))
    assert crew.only("deliver") == [["r-1"]]


async def test_a_run_that_its_store_cuts_off_is_an_error_and_delivered_as_far_as_that_goes():
    crew = Runs(Unavailable("The disk is full."))
    crew.raising["deliver"] = Unavailable("The disk is full.")
    async with served(crew) as far:
        result = await far.call("subagent", task="x", stages=STAGES)
        assert (result["isError"], text(result)) == (True, "STORE_UNAVAILABLE: The disk is full.")


async def test_what_is_wrong_with_a_crew_is_told_in_the_words_of_the_tool():
    crew = Runs()
    problem = {"path": "crew", "line": None, "field": "stages.0.agent", "reason": "names nobody"}
    crew.raising["run"] = CrewInvalid("The crew cannot run.", hint="stages.0.agent: names nobody", problems=[problem])
    async with served(crew) as far:
        result = await far.call("subagent", task="x", stages=STAGES)
        assert text(result) == "CREW_INVALID: The crew cannot run.\nstages.0.role: names nobody"
        assert result["structuredContent"]["details"]["problems"][0]["field"] == "stages.0.role"


async def test_a_call_that_hangs_ends_with_the_connection():
    crew = IdleCrew()
    crew.hanging.add("wait")
    async with served(crew) as far:
        await far.say("tools/call", 5, name="session_management", arguments={"command": "wait"})
        await far.ask("ping", 6)
        await far.stream.aclose()
        await crew.cancelled.wait()


async def test_five_megabytes_pass_both_ways():
    crew = IdleCrew()
    big = "b" * 5 * 1024 * 1024
    async with served(crew) as far:
        assert not (await far.call("summary", task_result=big)).get("isError")
        assert len(crew.only("summarise")[0][1]) == len(big)


async def test_what_steers_a_terminal_is_not_passed_on():
    crew = IdleCrew()
    crew.raising["status"] = CrewRefused("No \x1b[31msession\x07 x.", rule="unknown")
    async with served(crew) as far:
        assert text(await far.call("session_management", command="get_session_status", target="x")).endswith(
            "No session x."
        )
