"""What happens while an agent is being started again: no guard is passed, nothing hangs, nothing is lost unsaid."""

import json
import os
import signal
from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core.errors import AgentGone, KiroError, ModeUnguarded
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient

LOADS = "answers['initialize']['agentCapabilities'] = {'loadSession': True}\n"
SEEN = "open('seen', 'a').write(json.dumps(asked['params']['prompt']) + chr(10))\n"
REFUSES_ONCE = SEEN + "if not os.path.exists('no'): open('no', 'w').close(); refuse(-32003, 'overloaded')"
CHOICES = """
def choices(mode, model):
    def one(name, category, now, *values):
        options = [{'value': value, 'name': value} for value in values]
        about = {'id': name, 'category': category, 'name': name, 'type': 'select'}
        return {**about, 'currentValue': now, 'options': options}
    return [one('mode', 'mode', mode, 'ask', 'yolo'), one('llm', 'model', model, 'small', 'big')]
"""
CHOSEN = """
chosen = asked['params']
mode = chosen['value'] if chosen['configId'] == 'mode' else 'ask'
model = chosen['value'] if chosen['configId'] == 'llm' else 'small'
answers['session/set_config_option'] = {'configOptions': choices(mode, model)}
"""
SLOW_TO_LOAD = {
    "initialize": LOADS + CHOICES,
    "new": "answers['session/new']['configOptions'] = choices('ask', 'small')",
    "load": "os.mkfifo('gate'); open('gate').close(); tell('old')\n"
    "answers['session/load'] = {'configOptions': choices('ask', 'small')}",
    "set_config_option": CHOSEN,
}


def agent_file(home, **fields):
    path = home / "agents" / "poet.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": "poet", **fields}))


def seen(office):
    """The prompts that reached the agent, as JSON text."""
    return (office.cwd / "seen").read_text().splitlines()


async def notices(office, session, kind):
    return [e.value for e in await office.entries(session, "notice") if e.value["notice"] == kind]


async def kill(office, session):
    """Kill a session's idle agent, and wait until that is on record."""
    ended = len(await office.entries(session, "process_ended"))
    begun = await office.entries(session, "process_begun")
    os.kill(int(begun[-1].value["process"].split()[1]), signal.SIGKILL)
    while len(await office.entries(session, "process_ended")) == ended:
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def starting_again(office, session):
    """In the block the agent is being started for a prompt; it is ready when the block asks for it."""
    await kill(office, session)
    turn = await office.ask(session, "again")
    gate = office.cwd / "gate"
    while not gate.exists():
        await anyio.lowlevel.checkpoint()

    def ready():
        with gate.open("w"):
            pass

    yield lambda: anyio.to_thread.run_sync(ready)
    await turn.settled()


async def no(_):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "no"}})


async def test_a_guarded_mode_is_asked_about_while_the_agent_is_started_again(opened_desk, scripted):
    client = RecordingClient(answer=no)
    engine = {**scripted(**SLOW_TO_LOAD), "unguarded": ["yolo"]}
    outcomes = []

    async def choose(office, session):
        try:
            outcomes.append(await office.set(session, "mode", "yolo"))
        except KiroError as error:
            outcomes.append(error)

    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            async with anyio.create_task_group() as tasks, starting_again(office, session) as ready:
                tasks.start_soon(choose, office, session)
                await anyio.wait_all_tasks_blocked()
                await ready()
            assert [type(outcome) for outcome in outcomes] == [ModeUnguarded]
            assert len(client.questions) == 1


async def test_a_model_that_is_chosen_meanwhile_is_set_in_the_agents_own_form(opened_desk, scripted):
    answers = []

    async def choose(office, session):
        answers.append(await office.set(session, "model", "big"))

    with anyio.fail_after(30):
        async with opened_desk(
            RecordingClient(), engine_settings={"x": scripted(**SLOW_TO_LOAD)}, engine="x"
        ) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            async with anyio.create_task_group() as tasks, starting_again(office, session) as ready:
                tasks.start_soon(choose, office, session)
                await anyio.wait_all_tasks_blocked()
                await ready()
            assert answers[0]["llm"]["currentValue"] == "big"


async def test_closing_does_not_wait_for_an_agent_that_is_being_started(opened_desk, scripted):
    engine = scripted(**SLOW_TO_LOAD)
    with anyio.fail_after(30):
        async with opened_desk(
            RecordingClient(), engine_settings={"x": engine}, engine="x", limits={"close_s": 300, "shutdown_s": 300}
        ) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            async with starting_again(office, session):
                await office.close(session)
                assert session not in office.desk.live


@pytest.mark.parametrize("loaded", [True, False], ids=["a conversation", "a configuration's prompt"])
async def test_what_is_put_in_front_of_a_prompt_that_the_agent_refuses_is_told_again(
    opened_desk, scripted, home, loaded
):
    agent_file(home, prompt="Rhyme heliotrope.")
    engine = scripted(prompt=REFUSES_ONCE)
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x", agent="poet") as office:
            session = await office.start()
            if loaded:
                (office.cwd / "no").touch()
                await office.prompt(session, "hello")
                await office.close(session)
                await office.load(session)
                (office.cwd / "no").unlink()
            assert (await office.prompt(session, "again")).failed
            assert not (await office.prompt(session, "again")).failed
            assert ["heliotrope" in blocks for blocks in seen(office)[-2:]] == [True, True]


async def test_a_first_turn_in_which_the_agent_dies_does_not_take_the_configurations_prompt_along(
    opened_desk, home, tmp_path
):
    agent_file(home, prompt="Rhyme.")
    client = RecordingClient()
    engines = {"x": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(client, engines=engines, engine="x", agent="poet") as office:
            session = await office.start()
            assert (await office.prompt(session, "/die 3")).failed
            before = len(client.text(session))
            await office.prompt(session, "/blocks")
            assert "Rhyme." in client.text(session)[before:]


async def test_a_title_that_a_person_gave_is_no_conversation(opened_desk, home, tmp_path):
    agent_file(home, prompt="Rhyme.")
    client = RecordingClient()
    engines = {"x": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(client, engines=engines, engine="x", agent="poet") as office:
            session = await office.start()
            await office.close(session)
            await office.desk.relabel(session, title="My poems")
            await office.load(session)
            await office.prompt(session, "/blocks")
            assert "Rhyme." in client.text(session)


async def test_a_history_that_comes_behind_the_answer_is_no_news(opened_desk, scripted):
    load = "say(id=asked.pop('id'), result={}); os.path.exists('x'); tell('an old word'); tell('an old word')"
    client = RecordingClient()
    engine = scripted(initialize=LOADS, prompt="tell('an old word')", load=load)
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await kill(office, session)
            await office.prompt(session, "again")
            assert client.text(session).count("an old word") == 2
            assert not await notices(office, session, "history_not_shown")


async def test_what_a_new_session_of_the_agent_tells_at_once_is_about_ours(opened_desk, scripted):
    engine = scripted(
        initialize="me = 's%d' % os.getpid()",
        new="answers['session/new'] = {'sessionId': me}",
        opened="say(method='session/update', params={'sessionId': me, 'update': "
        "{'sessionUpdate': 'available_commands_update', 'availableCommands': []}})",
    )
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            client.frames.clear()
            await office.load(session)
            await office.prompt(session, "again")
            assert [frame.session for frame in client.frames if b"available_commands" in frame.raw] == [session]


async def test_a_rung_that_worked_is_not_given_up_for_a_death_behind_it(opened_desk, scripted):
    code = {**SLOW_TO_LOAD, "load": "tell('old'); answers['session/load'] = {'configOptions': choices('ask', 'small')}"}
    dies = "if os.path.exists('crash'): os.unlink('crash'); os._exit(4)\n" + CHOSEN
    engine = scripted(**{**code, "set_config_option": dies})
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            await office.set(session, "llm", "big")
            await office.prompt(session, "hello")
            await office.close(session)
            (office.cwd / "crash").touch()
            await office.load(session)
            assert not await office.entries(session, "context_reset")
            assert not (office.cwd / "crash").exists()


async def test_an_agent_that_dies_of_an_option_is_described(opened_desk, scripted):
    code = {**SLOW_TO_LOAD, "set_config_option": "os._exit(4)"}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": scripted(**code)}, engine="x") as office:
            session = await office.start()
            with pytest.raises(AgentGone, match="ended with status 4"):
                await office.set(session, "llm", "big")


async def test_a_login_that_is_wanted_by_a_start_is_the_engines_own_and_no_crash(opened_desk, tmp_path):
    login = tmp_path / "login"
    login.touch()
    engines = {
        "x": [],
        "y": ["--auth", "key", "--auth-file", str(login), "--memory", str(tmp_path / "memory")],
    }
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=engines, engine="x", limits={"max_restarts": 1}) as office:
            session = await office.start(engine="y")
            await office.prompt(session, "hello")
            await kill(office, session)
            login.unlink()
            for _ in range(3):
                assert (await office.prompt(session, "again")).error["data"]["code"] == "AUTH_REQUIRED"
            await office.agent.authenticate(Frame.of("authenticate", {"methodId": "key"}, id=0))
            assert not (await office.prompt(session, "again")).failed


async def test_a_tool_call_of_an_agent_that_died_is_shown_as_failed(opened_desk, scripted):
    call = "update(sessionUpdate='tool_call', toolCallId='t', title='build', status='in_progress'); os._exit(3)"
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": scripted(prompt=call)}, engine="x") as office:
            session = await office.start()
            assert (await office.prompt(session, "die")).failed
            states = [update.get("status") for update in client.updates(session) if update.get("toolCallId") == "t"]
            assert states == ["in_progress", "failed"]


async def test_prompts_to_an_agent_that_ends_after_each_of_them_all_have_an_outcome(opened_desk, scripted):
    engine = scripted(prompt="say(id=asked.pop('id'), result={'stopReason': 'end_turn'}); os._exit(0)")
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            turns = [await office.ask(session, text) for text in ("one", "two", "three")]
            responses = [await turn.settled() for turn in turns]
            # One that was written to an agent that had just ended is failed, and not sent twice.
            codes = {response.error["data"]["code"] for response in responses if response.failed}
            assert codes <= {"AGENT_GONE"}
            assert not responses[0].failed
            assert len(await office.entries(session, "turn_ended")) == 3
