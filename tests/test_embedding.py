"""What docs/embedding.md says is so: its programs are the examples, they run on both loops, and it names every verb."""

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import anyio
import pytest

import kiro_core
from kiro_core import Registry, Settings, load_settings, messages, open_desk, result
from kiro_core.dispatcher import OwnDesk
from kiro_core.errors import RpcError, SessionClosing, UnknownName
from kiro_core.ports import Agent, Client, Desk, Turn
from kiro_core.rpc import INVALID_PARAMS
from kiro_core.testing import RecordingClient, memory
from kiro_core.types import PeerInfo

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "embedding.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NAMES = ("one_prompt", "many_sessions", "crew_and_records")
EXAMPLES = {name: ROOT / "examples" / "embedding" / f"{name}.py" for name in NAMES}

ON_LOOP = """
import json
import sys
from functools import partial
import anyio
anyio.run = partial(anyio.run, backend=sys.argv.pop())
for program in json.load(sys.stdin):
    print("---")
    exec(compile(program, "program", "exec"), {"__name__": "__main__"})
"""
"""Programs of asyncio's, one after the other, on any loop."""


def outputs(folder, backend, *programs):
    """The lines that each program writes; they write nothing to stderr, and have a minute."""
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", ON_LOOP, backend],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )
    assert (told.returncode, told.stderr) == (0, "")
    return [written.splitlines() for written in told.stdout.split("---\n")[1:]]


def test_the_programs_of_the_page_are_the_examples_word_for_word():
    assert PROGRAMS[: len(EXAMPLES)] == [path.read_text("utf-8") for path in EXAMPLES.values()]
    assert {path.name for path in (ROOT / "examples" / "embedding").iterdir()} == {f"{name}.py" for name in EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_less_than_60_lines(name):
    assert len(EXAMPLES[name].read_text("utf-8").splitlines()) < 60


def test_the_programs_of_the_page_do_what_they_say(tmp_path, anyio_backend):
    one, many, crew, *others = outputs(tmp_path, anyio_backend, *PROGRAMS)
    assert one == ["This is the rehearsal agent, which repeats what it is told: Hello", "end_turn"]
    assert sorted(many) == [
        "/permission Delete old backups: end_turn Permission: reject_once.",
        "/permission Read the notes: end_turn Permission: allow_once.",
        "/sleep 600: cancelled ",
    ]
    assert crew[-4:] == [
        "find: succeeded, write: succeeded",
        "the crew succeeded",
        "find said: three changes",
        "write said: Notes: three changes",
    ]
    assert others == [[]] * (len(PROGRAMS) - len(EXAMPLES))


def test_the_page_names_every_verb():
    verbs = {name for port in (OwnDesk, Desk, Agent, Client, Turn) for name in dir(port) if not name.startswith("_")}
    assert {name for name in verbs if not re.search(rf"\b{name}\b", PAGE)} == set()


def test_the_page_names_every_message():
    made = {name for name, value in vars(messages).items() if callable(value) and not name.startswith("_")}
    made -= {"Frame", "Mapping", "PathLike", "Sequence", "Any", "Servers", "fspath", "option_of"}
    assert {name for name in made if f"messages.{name}" not in PAGE} == set()


def test_a_name_that_is_not_there_is_told_as_usual():
    assert kiro_core.PeerInfo is PeerInfo
    with pytest.raises(AttributeError, match="module 'kiro_core' has no attribute 'nothing'"):
        _ = kiro_core.nothing


async def test_a_desk_has_the_plugins_that_its_settings_leave():
    settings = load_settings({"plugins": {"block": ["files"]}})
    with anyio.fail_after(30), pytest.raises(UnknownName, match="No store is called 'files'"):
        async with open_desk(settings):
            pass


async def test_a_desk_of_ones_own_is_the_desk_of_every_face_and_can_be_drained():
    with anyio.fail_after(30):
        async with open_desk(Settings(engine="rehearsal")) as desk:
            assert desk.not_ready() == ""
            assert str(desk.reload(Settings(engine="kiro"))) == "Changed: engine."
            assert desk.settings.engine == "kiro"
            await desk.drain(10)
            assert desk.not_ready() == "The desk is ending."


async def test_behind_its_block_a_desk_begins_and_goes_on_with_nothing(tmp_path):
    client, settings = RecordingClient(), Settings(engine="rehearsal", store="memory")
    with anyio.fail_after(30):
        async with open_desk(settings, Registry(memory)) as desk, desk.attach(client) as agent:
            opened = result(await agent.new(messages.new_session(tmp_path)), "No session")
        for verb, frame in [
            (agent.new, messages.new_session(tmp_path)),
            (partial(agent.open, replay=False), messages.open_session(opened["sessionId"], tmp_path)),
            (agent.prompt, messages.prompt(opened["sessionId"], "Hello")),
        ]:
            with pytest.raises(SessionClosing, match="The desk is ending"):
                await verb(frame)


@pytest.mark.parametrize("folder", ["here", "/is/not/there"])
async def test_a_message_that_is_not_as_the_protocol_has_it_is_refused_with_its_number(folder):
    with anyio.fail_after(30):
        async with (
            open_desk(Settings(engine="rehearsal", store="memory"), Registry(memory)) as desk,
            desk.attach(RecordingClient()) as agent,
        ):
            with pytest.raises(RpcError, match="folder") as refused:
                await agent.new(messages.new_session(folder))
            assert refused.value.number == INVALID_PARAMS
