"""Slash commands: those that the agent offers, as a turn or in Kiro's own way, and no other."""

import anyio

from kiro_core.testing import RecordingClient
from kiro_mcp.service.asking import new_session

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


async def test_the_commands_of_a_session_that_somebody_else_began_are_read_from_its_record(
    opened, tmp_path, monkeypatch
):
    monkeypatch.setattr("kiro_mcp.service.commands._OFFER_S", 0.05)
    editor = RecordingClient()
    kiro = {"kiro-like": ["--like", "kiro"]}
    with anyio.fail_after(20):
        async with opened(engines=kiro, engine="kiro-like") as place, place.desk.attach(editor) as agent:
            answer = await agent.new(new_session(str(tmp_path), agent="", engine=""))
            await editor.until(lambda client: any("commands" in frame.params for frame in client.frames))
            session = answer.result["sessionId"]
            await place.sessions.load(place.host, session_id=session)
            assert (await place.service.commands.start(place.host, "/usage", session)).success
