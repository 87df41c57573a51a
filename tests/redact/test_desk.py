"""A whole desk with secrets everywhere: on disk, and in everything that clients were shown, there is none."""

import base64
import json
import re
import sys
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from leaky_agent import secret

from kiro_core import Registry, load_settings, open_desk
from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo, SessionId

AGENT = [sys.executable, "-P", str(Path(__file__).with_name("leaky_agent.py"))]
SAID = re.compile(r"secret\(['\"]([a-z ]+)['\"]\)")
VALUE = "hunter2-of-the-desk"


@pytest.fixture
def folder(tmp_path, home):
    """A working folder, and an agent configuration whose trigger prints a secret."""
    where = tmp_path / "work"
    where.mkdir()
    (where / "key.txt").write_text(secret("trigger"))
    (home / "agents").mkdir(parents=True)
    hooks = {"userPromptSubmit": [{"command": f"cat key.txt; echo {secret('trigger command')}"}]}
    written = {"name": "hooked", "prompt": f"Use {secret('configured')}.", "hooks": hooks}
    (home / "agents" / "hooked.json").write_text(json.dumps(written))
    return where


@asynccontextmanager
async def desk(folder, *clients, command=AGENT, **settings):
    """A desk with the redaction, and what each client has of it."""
    engines = {"leaky": {"command": command}}
    loaded = load_settings({"middlewares": ["redact"], "engines": engines, **settings})
    with anyio.fail_after(60):
        async with (
            open_desk(loaded, Registry(), engine="leaky", agent="hooked") as opened,
            opened.attach(clients[0]) as first,
            opened.attach(clients[-1]) as last,
        ):
            yield opened, Office(first, folder), Office(last, folder)


class Office:
    """The verbs of one client as short calls."""

    def __init__(self, agent, folder):
        self.agent, self.folder = agent, folder

    async def new(self):
        params = {"cwd": str(self.folder), "mcpServers": []}
        return (await self.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]

    async def join(self, session):
        params = {"sessionId": session, "cwd": str(self.folder), "mcpServers": []}
        await self.agent.open(Frame.of("session/load", params, id=0), replay=True)

    async def prompt(self, session, text):
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
        return await (await self.agent.prompt(Frame.of("session/prompt", params, id=0))).settled()


def client():
    """One that allows everything, and fills in forms with a secret."""

    async def answer(frame):
        if frame.method == "session/request_permission":
            options = frame.params["options"]
            return Frame.answer({"outcome": {"outcome": "selected", "optionId": options[0]["optionId"]}})
        if frame.method == "elicitation/create":
            return Frame.answer({"action": "accept", "content": {"pin": secret("filled in")}})
        return Frame.answer({"key": secret("answered")})

    return RecordingClient(PeerInfo("c", abilities=frozenset({"elicitation-form", "notices"})), answer=answer)


def told(folder):
    """What the agent was told: the params of requests, and answers, by their method."""
    return [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]


def names():
    """All the secrets that the agent says, by their names."""
    return [*SAID.findall(Path(AGENT[-1]).read_text()), *SAID.findall(Path(__file__).read_text())]


def leaks(*texts):
    """The names of the secrets in some bytes, as they are, in base64 or as the escapes of JSON."""
    everything = b"\n".join(form for text in texts for form in forms(text))
    bodies = {name: secret(name).removeprefix("ghp_").encode() for name in names()}
    return sorted(name for name, body in {**bodies, "value": VALUE.encode()}.items() if body in everything)


def forms(text):
    yield text
    yield re.sub(rb"\\u00([0-7][0-9a-f])", lambda found: bytes.fromhex(found[1].decode()), text.replace(b"\\/", b"/"))
    for coded in re.findall(rb"[A-Za-z0-9+/]{24,}={0,2}", text):
        if len(coded) % 4 == 0:
            yield base64.b64decode(coded)


def shown(*clients):
    """What clients were shown and asked, and what that comes to when its chunks are put together."""
    frames = [frame for each in clients for frame in (*each.frames, *each.questions)]
    return [*(frame.raw for frame in frames), *spoken(each.updates() for each in clients)]


def stored(home):
    """Every byte that the desk has written, less what the test wrote itself; and the same of chunks."""
    files = [path for path in home.rglob("*") if path.is_file() and path.parent.name != "agents"]
    logs = [path.read_text().splitlines() for path in files if path.suffix == ".jsonl"]
    return [*(path.read_bytes() for path in files), *spoken(map(recorded, logs))]


def recorded(lines):
    bodies = [json.loads(line).get("body", {}) for line in lines]
    params = [body["data"]["params"] for body in bodies if body.get("kind") == "update" and "data" in body]
    return [told["update"] for told in params if "update" in told]


def spoken(conversations):
    """What is said in chunks, of each kind as one text."""
    for updates in conversations:
        said = defaultdict(str)
        for each in updates:
            if each.get("sessionUpdate", "").endswith("_chunk"):
                said[each["sessionUpdate"]] += each["content"]["text"]
        yield from (text.encode() for text in said.values())


def test_the_search_finds_what_there_is():
    found = secret("message").encode()
    written = b"".join(b"\\u%04x" % letter for letter in found)
    assert leaks(b"x" + found) == leaks(base64.b64encode(found)) == leaks(written) == ["message"]
    assert leaks(found[:-1]) == []


async def test_no_secret_is_on_disk_or_shown_and_the_agent_gets_all_that_was_said(folder, home):
    one, two = client(), client()
    async with desk(folder, one, two) as (_, first, second):
        session = await first.new()
        await second.join(session)
        outcome = await first.prompt(session, f"leak with {secret('prompt')}")
        failed = await first.prompt(session, "fail")
        await two.until(lambda each: any(b"rotate" in frame.raw for frame in each.frames))
    assert outcome.result["stopReason"] == "end_turn"
    assert "ghp_[redacted: github token]" in failed.error["message"]
    assert leaks(*shown(one, two), outcome.raw, failed.raw) == []
    assert leaks(*stored(home)) == []
    heard = json.dumps(told(folder))
    for name in ("prompt", "printed", "filled in", "answered", "trigger"):
        assert secret(name) in heard
    assert (folder / "written.env").read_text() == f"A={secret('written')}\n"


async def test_without_the_redaction_all_of_them_are_found(folder, home):
    one = client()
    async with desk(folder, one, middlewares=[]) as (opened, first, _):
        session = await first.new()
        await talk_of_crews(opened, session)
        await first.prompt(session, f"leak with {secret('prompt')}")
        await first.prompt(session, "fail")
        await first.prompt(session, "crash")
    # What only the agent gets, and what answers that neither are recorded nor reach a client have in them.
    elsewhere = {"trigger", "filled in", "answered", "opening", "agent", "outcome"}
    missed = set(names()) - set(leaks(*shown(one), *stored(home)))
    assert missed == elsewhere


async def test_everything_else_of_the_conversation_is_shown(folder):
    one = client()
    async with desk(folder, one) as (_, first, _):
        session = await first.new()
        await first.prompt(session, "leak")
        assert one.text(session).startswith("The key is ghp_[redacted: github token], really. ")
        assert one.text(session).endswith("Bye: ghp_[redacted: github token]")
    kinds = [each["sessionUpdate"] for each in one.updates(session)]
    order = [
        "agent_message_chunk",
        "agent_thought_chunk",
        "user_message_chunk",
        "tool_call",
        "plan",
        "a_kind_of_tomorrow",
    ]
    assert sorted(order, key=kinds.index) == order
    (asked,) = [each for each in one.questions if each.method == "elicitation/create"]
    assert asked.params["message"] == "Is it ghp_[redacted: github token]?"
    masked = "echo ghp_[redacted: github token]"
    assert masked in [each.params.get("toolCall", {}).get("rawInput", {}).get("command") for each in one.questions]


async def test_an_agent_that_dies_with_a_secret_on_its_lips_shows_none(folder, home):
    one = client()
    async with desk(folder, one) as (_, first, _):
        session = await first.new()
        said = json.dumps((await first.prompt(session, "crash")).error)
    assert "Traceback: no ghp_[redacted: github token]" in said
    assert leaks(said.encode(), *shown(one), *stored(home)) == []


async def test_an_agent_that_does_not_start_shows_none(folder, home):
    program = f"import sys; sys.exit('cannot use {secret('stderr')}')"
    one = client()
    async with desk(folder, one, command=[sys.executable, "-c", program]) as (_, first, _):
        with pytest.raises(KiroError) as caught:
            await first.new()
        said = json.dumps([str(caught.value), caught.value.hint, caught.value.details], default=str)
    assert "cannot use ghp_" in said
    assert leaks(said.encode(), *shown(one), *stored(home)) == []


async def test_letters_titles_and_members_of_crews_have_none(folder, home):
    one = client()
    async with desk(folder, one) as (opened, first, _):
        session = await first.new()
        await talk_of_crews(opened, session)
        await first.prompt(session, "what came?")
    assert leaks(*shown(one), *stored(home)) == []


async def talk_of_crews(opened, session):
    await opened.relabel(SessionId(session), title=f"About {secret('relabelled')}")
    await opened.crew.spawn(session, f"Use {secret('task')}, then leak.", name="ada", persistent=True)
    await opened.crew.wait(session, ["ada"], timeout_s=30)
    await opened.crew.send(session, "ada", f"A letter about {secret('letter')}.")


async def test_values_of_the_environment_are_secrets_wherever_they_stand(folder, home, monkeypatch):
    monkeypatch.setenv("OUR_TOKEN", VALUE)
    one, two = client(), client()
    async with desk(folder, one, two) as (_, first, second):
        session = await first.new()
        await second.join(session)
        await first.prompt(session, f"the value x{VALUE}y")
    assert leaks(*shown(one, two), *stored(home)) == []
    assert VALUE in json.dumps(told(folder))
    assert "x[redacted: environment]y" in str([frame.params for frame in two.frames])


async def test_a_conversation_goes_on_from_what_was_recorded(folder, home):
    one = client()
    async with desk(folder, one) as (_, first, _):
        session = await first.new()
        await first.prompt(session, f"remember {secret('prompt')}")
    two = client()
    async with desk(folder, two) as (_, first, _):
        await first.join(session)
        await first.prompt(session, "again")
    assert "remember ghp_[redacted: github token]" in str([frame.params for frame in two.frames])
    assert leaks(*shown(one, two), *stored(home)) == []
