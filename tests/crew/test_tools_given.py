"""Which sessions are given the tools of a crew, and what may be done with them without a question."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from crew_office import scripted
from crew_tools import given

from kiro_core import Frame
from kiro_core.crew.tools_given import named_by
from kiro_core.dispatcher.crewing import CrewGround
from kiro_core.policy import ToolUse, compile_policy
from kiro_core.testing import RecordingClient
from kiro_core.types import AgentConfig, PeerInfo

BOUND_S = 30
USES = ToolUse("@crew/session_management")


@pytest.fixture
def office(opened_desk):
    """`async with office(face=..., crew={...}) as office`; `office.client` is shown notices."""

    @asynccontextmanager
    async def opened(face="crew", **settings):
        client = RecordingClient(PeerInfo("editor", abilities=frozenset({"notices"})))
        with anyio.fail_after(BOUND_S):
            async with opened_desk(face=face, **settings) as office, office.desk.attach(client) as office.agent:
                office.client, office.ground = client, CrewGround(office.desk, None)
                yield office

    return opened


@pytest.fixture
def agent(home):
    """Writes an agent configuration of the user's own."""

    def write(name, folder=home, **fields):
        agents = folder / "agents"
        agents.mkdir(parents=True, exist_ok=True)
        (agents / f"{name}.json").write_text(json.dumps({"name": name, **fields}))

    return write


async def begin(office, servers=(), **wishes):
    """A session that is open, and what its client was told of the tools of crews."""
    params = {"cwd": str(office.cwd), "mcpServers": list(servers), "_meta": {"kiro_core": wishes}}
    answer = await office.agent.new(Frame.of("session/new", params, id=0))
    assert not answer.failed, answer.error
    session = answer.result["sessionId"]
    await (await office.agent.prompt(prompt(session, "Hello"))).settled()  # behind all notices
    return office.desk.live[session], notices(office, session)


def prompt(session, text):
    return Frame.of("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": text}]}, id=0)


def notices(office, session):
    updates = [one for one in office.client.updates(session) if one["sessionUpdate"] == "notice"]
    return [one["title"] for one in updates if "crew" in one["title"]]


def has(session):
    return [server.name for server in session.plan.handed_servers if server.origin == "crew"] == ["crew"]


async def test_members_are_given_them_and_nobody_else(office):
    async with office() as place:
        parent, _ = await begin(place)
        child, _ = await begin(place, parent=parent.plan.info.id)
        assert [has(parent), has(child)] == [False, True]
        assert [place.ground.has_tools(one.plan.info.id) for one in (parent, child)] == [False, True]
        assert [place.ground.uses_tools(one.plan.info.id) for one in (parent, child)] == [False, False]


@pytest.mark.parametrize(("for_agents", "expected"), [("all", [True, True]), ("none", [False, False])])
async def test_the_setting_says_who_is_given_them(office, for_agents, expected):
    async with office(crew={"for_agents": for_agents}) as place:
        parent, _ = await begin(place)
        child, told = await begin(place, parent=parent.plan.info.id)
        assert [has(parent), has(child), told] == [*expected, []]


NAMING = [
    "subagent",
    "agent_crew",
    "use_subagent",
    "session_management",
    "sessions",
    "summary",
    "@crew",
    "@crew/summary",
]


@pytest.mark.parametrize("name", NAMING)
def test_an_agent_configuration_names_them(name):
    assert named_by(AgentConfig("a", fields={"tools": ["read", name]}))


@pytest.mark.parametrize("fields", [{}, {"tools": ["*"]}, {"tools": ["@crews", "read"]}, {"allowedTools": ["@crew"]}])
def test_anything_else_names_none_of_them(fields):
    assert not named_by(AgentConfig("a", fields=fields))


async def test_a_session_whose_configuration_names_them_is_given_them(office, agent):
    agent("lead", tools=["read", "subagent"])
    async with office() as place:
        lead, told = await begin(place, agent="lead")
        assert (has(lead), told) == (True, [])
        assert lead.plan.policy.decide(USES).effect == "allow"


async def test_what_only_the_configuration_of_a_folder_wants_is_asked_about(office, agent, tmp_path):
    agent("lead", tmp_path / ".kiro", tools=["subagent"])
    async with office() as place:
        lead, _ = await begin(place, agent="lead")
        assert has(lead)
        assert lead.plan.policy.decide(USES).effect == "ask"


async def test_whose_configuration_takes_them_away_is_not_given_them(office, agent):
    agent("alone", tools=["subagent"], excludedTools=["@crew"])
    async with office(crew={"for_agents": "all"}) as place:
        alone, told = await begin(place, agent="alone")
        assert (has(alone), told) == (False, [])


@pytest.mark.parametrize("lacks", ["a socket", "the server"])
async def test_who_asked_for_what_cannot_be_had_is_told_and_nobody_else(office, agent, lacks):
    agent("lead", tools=["summary"])
    settings = {"face": ""} if lacks == "a socket" else {"crew": {"server": "nowhere"}}
    async with office(**settings) as place:
        parent, _ = await begin(place)
        child, told = await begin(place, parent=parent.plan.info.id)
        assert (has(child), told) == (False, [])
        lead, [sentence] = await begin(place, agent="lead")
        assert not has(lead)
        assert sentence.startswith("The agent has no tools of a crew: ")
        assert ("nowhere" in sentence) is (lacks == "the server")


async def test_another_server_of_that_name_counts_and_that_is_told(office):
    mine = {"name": "crew", "command": "/bin/true", "args": [], "env": []}
    async with office(crew={"for_agents": "all"}) as place:
        session, [sentence] = await begin(place, [mine])
        assert [server.entry for server in session.plan.servers] == [mine]
        assert "another one" in sentence
        assert session.plan.policy.decide(USES).effect == "ask"


async def test_one_that_the_configuration_switches_off_stays_off(office, agent):
    agent("lead", tools=["subagent"], mcpServers={"crew": {"command": "x", "disabled": True}})
    async with office() as place:
        lead, told = await begin(place, agent="lead")
        assert ([server.name for server in lead.plan.servers], told) == ([], [])


async def test_an_engine_that_reads_configurations_by_itself_is_handed_them(office, agent):
    agent("lead", tools=["subagent"], mcpServers={"mine": {"command": "/bin/true"}})
    engines = {"native": {**scripted(), "agents": "mode"}}
    async with office(engines=engines, engine="native") as place:
        lead, _ = await begin(place, agent="lead")
        assert [server.name for server in lead.plan.servers] == ["mine", "crew"]
        assert [server.name for server in lead.plan.handed_servers] == ["crew"]


async def test_an_engine_that_takes_no_servers_is_not_handed_them(office):
    engines = {"bare": {**scripted(), "lacks": ["mcpServers"]}}
    async with office(engines=engines, engine="bare", crew={"for_agents": "all"}) as place:
        session, told = await begin(place)
        assert (has(session), told) == (False, [])


async def test_the_organisations_registry_says_nothing_about_the_desks_own(office, tmp_path):
    registry = tmp_path / "registry.json"
    registry.write_text('{"servers": []}')
    async with office(crew={"for_agents": "all"}, mcp_registry=str(registry)) as place:
        session, told = await begin(place)
        assert (has(session), told) == (True, [])


async def test_its_command_needs_nothing_of_the_environment(office):
    async with office(crew={"for_agents": "all"}) as place:
        entry, _ = given((await begin(place))[0])
        assert Path(entry["command"]).is_absolute()
        assert entry["args"][:2] == ["-I", "-S"]
        assert await anyio.Path(entry["args"][2]).is_file()


def policy(parent=None, crew="crew", **fields):
    return compile_policy(AgentConfig("a", fields=fields), cwd="/", crew=crew, also=["@crew"], parent=parent)


@pytest.mark.parametrize("tool", ["@crew/summary", "@crew/subagent"])
def test_they_need_no_question(tool):
    decision = policy(tools=["read"]).decide(ToolUse(tool))
    assert (decision.effect, decision.origin) == ("allow", "crew")
    assert policy().decide(ToolUse("@crew2/summary")).effect == "ask"


@pytest.mark.parametrize("denied", ["@crew", "@crew/session_management", "@crew/*"])
def test_what_a_configuration_denies_stays_denied(denied):
    assert policy(excludedTools=[denied]).decide(USES).effect == "deny"


def test_flags_that_trust_some_tools_take_nothing_away_from_them():
    config = AgentConfig("a")
    assert compile_policy(config, cwd="/", crew="crew", trust_tools=["read"]).decide(USES).effect == "allow"


@pytest.mark.parametrize(
    ("above", "effect"),
    [({}, "allow"), ({"tools": ["read"]}, "allow"), ({"excludedTools": ["@crew"]}, "deny"), ({"tools": []}, "allow")],
)
def test_a_session_above_has_a_say_only_where_it_names_them(above, effect):
    parent = compile_policy(AgentConfig("p", fields=above), cwd="/")
    assert policy(parent).decide(USES).effect == effect


def test_a_session_above_binds_all_else_as_ever():
    parent = compile_policy(AgentConfig("p", fields={"tools": ["read"]}), cwd="/")
    assert policy(parent, allowedTools=["shell"]).decide(ToolUse("shell")).effect == "deny"
