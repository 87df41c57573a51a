"""What an agent asks reaches the person behind the host, else the host itself; nobody's silence is a yes."""

import json

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp_hosts import conversing
from mcp_types import ElicitResult, ErrorData

from kiro_mcp import build_server
from kiro_mcp.options import McpOptions

ASKING = "/permission Delete all\n/echo Done."


class Person:
    """Fills in forms: `decision` is the option that is chosen, or how the form is left."""

    def __init__(self, decision, offered=("once", "always", "no")):
        self.decision = decision
        self.offered = offered
        self.forms = []

    async def __call__(self, ctx, params):
        self.forms.append(params)
        if self.decision in ("decline", "cancel"):
            return ElicitResult(action=self.decision)
        decision = params.requested_schema["properties"]["decision"]
        assert [one["const"] for one in decision["oneOf"]] == list(self.offered)
        return ElicitResult(action="accept", content={"decision": self.decision})


@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        ("once", "allow"),
        ("no", "reject"),
        ("decline", "reject"),
        ("cancel", "reject"),
        ("nonsense", "reject"),
    ],
)
async def test_a_person_is_asked_by_a_form_and_the_same_turn_goes_on(opened_host, decision, outcome):
    person = Person(decision)
    async with opened_host(form=person) as host:
        said = await host.call("kiro_chat", message=ASKING)
        assert f"Permission: {outcome}" in said["content"]
        assert said["content"].endswith("Done.")
        assert said["is_complete"]
        assert "question" not in said
        [form] = person.forms
        assert "Delete all" in form.message
        history = await host.call("kiro_history")
        assert [one["role"] for one in history["history"]] == ["user", "assistant"]


async def test_each_question_of_a_turn_is_asked(opened_host):
    person = Person("once")
    async with opened_host(form=person) as host:
        said = await host.call("kiro_chat", message="/permission One\n/permission Two\n/permission Three")
        assert said["is_complete"]
        assert [form.message.splitlines()[0].rpartition(": ")[2] for form in person.forms] == ["One", "Two", "Three"]


SHELL = {"title": "shell", "kind": "execute", "rawInput": {"command": "rm -r \x1b[31mwork"}}


async def test_a_question_says_what_it_is_about_in_the_form_and_in_the_result(opened_host):
    asking = f"/permission {json.dumps(SHELL)}"
    person = Person("once")
    async with opened_host(form=person) as host:
        await host.call("kiro_chat", message=asking)
        first, _, about = person.forms[0].message.partition("\n\n")
        assert first.endswith(": shell")
        assert "rm -r" in about
        assert "\x1b" not in about
    async with opened_host() as host:
        question = (await host.call("kiro_chat", message=asking))["question"]
        assert "rm -r" in question["about"]


async def test_who_follows_a_task_is_asked_as_well(opened_host):
    person = Person("once")
    async with opened_host(form=person) as host:
        task = (await host.call("kiro_chat_async", message=ASKING))["task_id"]
        last = (await host.finished(task))[-1]
        assert last["result"].endswith("Done.")
        assert len(person.forms) == 1


async def test_a_host_without_forms_is_told_the_question_and_answers_it(opened_host):
    async with opened_host() as host:
        said = await host.call("kiro_chat", message=ASKING)
        assert not said["is_complete"]
        question = said["question"]
        assert question["title"] == "Delete all"
        kinds = {option["kind"]: option["id"] for option in question["options"]}
        state = await host.call("kiro_task_status", task_id=said["task_id"], wait_s=20)
        assert state["question"] == question
        failure = await host.fails("kiro_permission_answer", question_id=question["question_id"], option_id="x")
        assert failure["code"] == "INVALID_COMMAND"
        answered = await host.call(
            "kiro_permission_answer", question_id=question["question_id"], option_id=kinds["allow_once"]
        )
        assert answered["session_id"] == said["session_id"]
        assert (await host.finished(said["task_id"]))[-1]["result"].endswith("Done.")
        failure = await host.fails(
            "kiro_permission_answer", question_id=question["question_id"], option_id=kinds["allow_once"]
        )
        assert failure["code"] == "INVALID_COMMAND"


async def test_nobody_is_asked_where_the_setting_says_so(opened_host):
    person = Person("once")
    async with opened_host(form=person, options={"permissions": "deny"}) as host:
        assert "Permission: reject" in (await host.call("kiro_chat", message=ASKING))["content"]
        assert person.forms == []


async def test_a_question_that_nobody_answers_in_time_is_a_no(opened_host):
    async with opened_host(limits={"question_s": 0.3}) as host:
        task = (await host.call("kiro_chat_async", message=ASKING))["task_id"]
        last = (await host.finished(task))[-1]
        assert last["status"] in ("completed", "cancelled")
        assert "Permission: allow" not in last["new_content"]


def untrusted_told(result):
    """The notices of a result that a folder is not trusted."""
    notices = result.get("notices", [])
    return [notice["message"] for notice in notices if notice["kind"] in ("folder_untrusted", "agent_untrusted")]


@pytest.fixture
def untrusted(folder):
    """A folder whose agent would be allowed everything; nobody has trusted it."""
    agents = folder / ".kiro" / "agents"
    agents.mkdir(parents=True)
    (agents / "wild.json").write_text(json.dumps({"name": "wild", "tools": ["*"], "allowedTools": ["*"]}))


async def test_only_a_person_trusts_a_folder(opened_host, untrusted, folder):
    async with opened_host(agent="wild") as host:
        said = await host.call("kiro_chat", message="Hello")
        assert said["is_complete"]
        assert "question" not in said
        assert untrusted_told(said) == [f"The folder {folder} is not trusted: kiro-core trust {folder}"]
        assert (await host.call("kiro_session_list"))["sessions"][0]["agent"] == "kiro_default"
        assert untrusted_told(await host.call("kiro_chat", message="Hello")) == []


async def test_a_person_who_does_not_trust_a_folder_is_not_asked_again_and_that_is_told(opened_host, untrusted, folder):
    person = Person("decline")
    async with opened_host(form=person, agent="wild") as host:
        said = await host.call("kiro_chat", message="Hello")
        assert said["is_complete"]
        assert len(untrusted_told(said)) == len(person.forms) == 1


async def test_a_person_trusts_a_folder_by_a_form_and_no_program_does(opened_host, untrusted):
    person = Person("trust", offered=("trust", "no"))
    async with opened_host(form=person, agent="wild") as host:
        task = (await host.call("kiro_chat_async", message="Hello"))["task_id"]
        states = []
        while not person.forms:  # a call that does not wait puts it all the same
            states.append(await host.call("kiro_task_status", task_id=task))
        states += await host.finished(task)
        assert states[-1]["status"] == "completed"
        assert not [state for state in states if "question" in state or untrusted_told(state)]
        assert (await host.desk.info(states[-1]["session_id"])).agent == "wild"
        assert len(person.forms) == 1


class TestOfTheHandshakeEra:
    @pytest.fixture
    def era(self):
        return "legacy"

    async def test_a_form_is_closed_when_somebody_else_answers(self, opened_host):
        opened, closed = anyio.Event(), anyio.Event()

        async def never(ctx, params):
            opened.set()
            try:
                await anyio.sleep_forever()
            finally:
                closed.set()

        async with opened_host(form=never) as host:
            said = []

            async def chat():
                said.append(await host.call("kiro_chat", message=ASKING))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(chat)
                await opened.wait()
                [task] = (await host.call("kiro_task_list"))["tasks"]
                question = (await host.call("kiro_task_status", task_id=task["task_id"]))["question"]
                option = next(one["id"] for one in question["options"] if one["kind"] == "allow_once")
                await host.call("kiro_permission_answer", question_id=question["question_id"], option_id=option)
                await closed.wait()
            assert said[0]["content"].endswith("Done.")

    async def test_a_form_that_fails_is_a_no_where_only_a_person_can_answer(self, opened_host, untrusted):
        async def broken(ctx, params):
            return ErrorData(code=-32603, message="No window.")

        async with opened_host(form=broken, agent="wild") as host:
            said = await host.call("kiro_chat", message="Hello")
            assert said["is_complete"]
            assert len(untrusted_told(said)) == 1

    async def test_a_person_who_needs_longer_than_the_call_finds_the_question_again(self, opened_host):
        patient = anyio.Event()
        person = Person("once")

        async def slow(ctx, params):
            await patient.wait()
            return await person(ctx, params)

        async with opened_host(form=slow, options={"chat_wait_s": 0.5}) as host:
            said = await host.call("kiro_chat", message=ASKING)
            assert not said["is_complete"]
            patient.set()
            assert (await host.finished(said["task_id"]))[-1]["result"].endswith("Done.")


async def test_an_older_host_that_says_nothing_of_modes_gets_a_form_that_it_knows(opened_desk, folder):
    async with opened_desk() as desk, conversing(build_server(desk, McpOptions(working_directory=str(folder)))) as ends:
        host, _ = ends
        await host.initialize("2025-06-18", elicitation={})
        params = {"name": "kiro_chat", "arguments": {"message": ASKING}}
        await host.send({"id": 1, "method": "tools/call", "params": params})
        form = await host.line()
        assert form["method"] == "elicitation/create"
        decision = form["params"]["requestedSchema"]["properties"]["decision"]
        assert decision["enum"] == decision["enumNames"] == ["once", "always", "no"]
        await host.send({"id": form["id"], "result": {"action": "accept", "content": {"decision": "once"}}})
        result = (await host.line())["result"]
        assert result["structuredContent"]["content"].endswith("Done.")


class TestWithoutAHandshake:
    @pytest.fixture
    def era(self):
        return "2026-07-28"

    async def asked(self, host, **arguments):
        """The result that wants an input, as a client that answers by itself gets it."""
        return await host.client.session.call_tool("kiro_chat", arguments, allow_input_required=True)

    async def test_a_call_comes_back_to_the_same_turn(self, opened_host):
        async with opened_host(form=Person("once")) as host:
            session = (await host.call("kiro_session_create"))["id"]
            arguments = {"message": ASKING, "session_id": session}
            wanted = await self.asked(host, **arguments)
            [question] = wanted.input_requests
            decision = ElicitResult(action="accept", content={"decision": "once"})
            result = await host.client.session.call_tool(
                "kiro_chat",
                arguments,
                input_responses={question: decision},
                request_state=wanted.request_state,
                allow_input_required=True,
            )
            assert result.structured_content["content"].endswith("Done.")
            history = await host.call("kiro_history", session_id=session)
            assert [one["role"] for one in history["history"]] == ["user", "assistant"]

    async def test_a_state_of_another_call_is_refused(self, opened_host):
        async with opened_host(form=Person("once")) as host:
            session = (await host.call("kiro_session_create"))["id"]
            wanted = await self.asked(host, message=ASKING, session_id=session)
            for arguments, state in (
                ({"message": "Something else", "session_id": session}, wanted.request_state),
                ({"message": ASKING, "session_id": session}, wanted.request_state[:-2] + "AA"),
                ({"message": ASKING, "session_id": session}, "forged"),
            ):
                with pytest.raises(MCPError, match="requestState"):
                    await host.client.session.call_tool(
                        "kiro_chat", arguments, request_state=state, allow_input_required=True
                    )
