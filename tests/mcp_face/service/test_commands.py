"""Slash commands: those that the agent offers, as a turn or in Kiro's own way, and no other."""

import anyio

from kiro_core.messages import new_session
from kiro_core.testing import RecordingClient
from kiro_mcp.service.hosts import Host

OFFERS = (
    "update(sessionUpdate='available_commands_update', availableCommands=["
    "{'name': 'web', 'description': 'Look'}, {'name': 'memory show', 'description': ''}])"
)
SAYS = "tell(got['session/prompt']['prompt'][-1]['text'])"


async def test_a_command_of_the_protocol_is_a_turn(opened):
    with anyio.fail_after(20):
        async with opened(scripted={"acp": {"opened": OFFERS, "prompt": SAYS}}, engine="acp") as place:
            for command in ("/web  for birds", "memory show"):
                begun = await place.service.commands.start(place.host, command)
                assert (await place.done(begun.id)).text.endswith("/" + command.removeprefix("/"))
            offered = {command.name: command.description for command in place.sessions.find(place.host).commands}
            assert offered["web"] == "Look"
            assert "memory show" in offered


async def test_a_command_that_is_not_offered_is_refused_and_those_that_are_named(opened, refused):
    with anyio.fail_after(20):
        async with opened(scripted={"acp": {"opened": OFFERS}}, engine="acp") as place:
            for command in ("/webs", "/memory", "chat"):
                failure = await refused(place.service.commands.start, place.host, command)
                assert failure.code == "INVALID_COMMAND"
                assert {"web", "memory show"} <= set(failure.details["available"])
                assert "/web" in failure.hint


async def test_a_blank_command_is_none(opened, refused):
    with anyio.fail_after(10):
        async with opened() as place:
            for command in ("", " / "):
                assert (await refused(place.service.commands.start, place.host, command)).code == "INVALID_COMMAND"
            assert not place.sessions.listed(place.host)


async def test_an_agent_that_offers_nothing_has_no_commands(opened, refused, monkeypatch):
    monkeypatch.setattr("kiro_mcp.service.commands._OFFER_S", 0.05)
    with anyio.fail_after(20):
        async with opened() as place:
            failure = await refused(place.service.commands.start, place.host, "/help")
            assert (failure.code, failure.details["available"]) == ("INVALID_COMMAND", [])


async def test_a_command_of_kiro_is_answered_at_once(opened, refused):
    with anyio.fail_after(20):
        async with opened(engines={"kiro-like": ["--like", "kiro"]}, engine="kiro-like") as place:
            outcome = await place.service.commands.start(place.host, "/usage")
            assert (outcome.success, outcome.output, outcome.error, outcome.exit_code) == (True, "Done: usage.", "", 0)
            assert outcome.session_id == place.host.active
            assert (await refused(place.service.commands.start, place.host, "/usage now")).code == "INVALID_COMMAND"
            assert not await place.tasks.listed(place.host, include_done=True)


KIRO = "say(method='_kiro.dev/commands/available', params={'sessionId': 's', 'commands': [{'name': '/usage'}]})"
EXECUTE = "_kiro.dev/commands/execute"


async def test_a_command_that_fails_says_so_and_one_that_the_agent_refuses_is_a_failure(opened, refused):
    fails = {"opened": KIRO, EXECUTE: f"answers['{EXECUTE}'] = {{'success': False, 'message': 'No.'}}"}
    refuses = {"opened": KIRO, EXECUTE: "refuse(-32000, 'Not now')"}
    with anyio.fail_after(20):
        async with opened(scripted={"fails": fails, "refuses": refuses}, engine="fails") as place:
            outcome = await place.service.commands.start(place.host, "usage")
            assert (outcome.success, outcome.output, outcome.error, outcome.exit_code) == (False, "", "No.", 1)
            session = await place.create(engine="refuses")
            failure = await refused(place.service.commands.start, place.host, "usage", session)
            assert failure.code == "COMMAND_FAILED"
            assert "Not now" in failure.sentence


async def test_a_command_that_is_not_answered_in_time_is_a_timeout(opened, refused, gate):
    hangs = {"opened": KIRO, EXECUTE: gate.wait}
    limits = {"limits": {"control_s": 0.5, "close_s": 0.2}}
    with anyio.fail_after(20):
        async with opened(scripted={"hangs": hangs}, engine="hangs", settings=limits) as place:
            assert (await refused(place.service.commands.start, place.host, "usage")).code == "COMMAND_TIMEOUT"


async def test_a_call_waits_for_no_command_longer_than_for_an_answer(opened, refused, gate):
    hangs = {"opened": KIRO, EXECUTE: gate.wait}
    with anyio.fail_after(20):
        async with opened(scripted={"hangs": hangs}, engine="hangs", chat_wait_s=0.3) as place:
            failure = await refused(place.service.commands.start, place.host, "usage")
            assert failure.code == "COMMAND_TIMEOUT"
            assert failure.details == {"session_id": place.host.active, "command": "usage", "timeout": 0.3}
            gate.let_in()


async def test_a_command_that_fails_without_a_reason_says_that(opened):
    fails = {"opened": KIRO, EXECUTE: f"answers['{EXECUTE}'] = {{'success': False}}"}
    with anyio.fail_after(20):
        async with opened(scripted={"fails": fails}, engine="fails") as place:
            outcome = await place.service.commands.start(place.host, "usage")
            assert (outcome.success, outcome.error) == (False, "The agent gave no reason.")


async def test_what_the_desk_does_itself_is_a_turn_also_where_kiro_has_a_command_of_that_name(opened, refused):
    offers = KIRO.replace("/usage", "/agent")
    with anyio.fail_after(20):
        async with opened(scripted={"own": {"opened": offers}}, engine="own") as place:
            begun = await place.service.commands.start(place.host, "/agent kiro_default")
            assert (await place.done(begun.id)).text == "Agent: kiro_default.\n"
            begun = await place.service.commands.start(place.host, "engine")
            assert "own" in (await place.done(begun.id)).text
            failure = await refused(place.service.commands.start, place.host, "/agent one two")
            assert failure.code == "INVALID_COMMAND"


async def test_no_session_is_begun_for_a_command_where_no_more_tasks_are_allowed(opened, refused):
    other = Host(connected=True)
    with anyio.fail_after(20):
        async with opened(max_tasks=1) as place:
            await place.tasks.start(place.host, "/sleep 600")
            assert (await refused(place.service.commands.start, other, "/help")).code == "SERVER_OVERLOADED"
            assert not place.sessions.listed(other)


async def test_the_commands_of_a_session_that_somebody_else_began_are_read_from_its_record(
    opened, tmp_path, monkeypatch
):
    monkeypatch.setattr("kiro_mcp.service.commands._OFFER_S", 0.05)
    editor = RecordingClient()
    kiro = {"kiro-like": ["--like", "kiro"]}
    with anyio.fail_after(20):
        async with opened(engines=kiro, engine="kiro-like") as place, place.desk.attach(editor) as agent:
            answer = await agent.new(new_session(tmp_path))
            await editor.until(lambda client: any("commands" in frame.params for frame in client.frames))
            session = answer.result["sessionId"]
            await place.sessions.load(place.host, session_id=session)
            assert (await place.service.commands.start(place.host, "/usage", session)).success
