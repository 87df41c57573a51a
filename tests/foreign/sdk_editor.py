"""A client made of the SDK, which starts `kiro-core acp` as an editor does."""

import sys
from contextlib import asynccontextmanager
from pathlib import Path

import acp
import anyio
from acp import schema
from sdk_shapes import judge
from sdk_wire import messages, tapped

KIRO_CORE = str(Path(sys.executable).with_name("kiro-core"))
BOUND_S = 60


class Editor:
    """What the SDK calls a client: it keeps what it is shown, and answers questions by the kind of an option."""

    def __init__(self, wire, answer):
        self.wire = wire
        self.updates = []
        self.questions = []
        self.agent = None
        self._answer = answer
        self._news = anyio.Event()

    async def session_update(self, session_id, update, **_):
        self.updates.append((session_id, update))
        self._news.set()

    async def request_permission(self, session_id, tool_call, options, **_):
        self.questions.append((session_id, tool_call, options))
        self._news.set()
        if self._answer is None:
            await anyio.sleep_forever()
        chosen = next(option.option_id for option in options if option.kind == self._answer)
        return schema.RequestPermissionResponse(outcome=schema.AllowedOutcome(option_id=chosen, outcome="selected"))

    async def ask(self, session, *blocks):
        """Prompt; a string is a text block. The SDK returns once the handlers of all updates have."""
        texts = [schema.TextContentBlock(type="text", text=b) if isinstance(b, str) else b for b in blocks]
        return await self.agent.prompt(session_id=session, prompt=texts)

    async def ask_and_cancel(self, session, text, when):
        """Prompt, cancel once `when()` is true, and return the stop reason."""
        reasons = []

        async def prompt():
            reasons.append((await self.ask(session, text)).stop_reason)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(prompt)
            await self.until(when)
            await self.agent.cancel(session_id=session)
        return reasons[0]

    def text(self, session, kind="agent_message_chunk"):
        """What was said in a session, put together."""
        said = [update for of, update in self.updates if of == session and update.session_update == kind]
        return "".join(update.content.text for update in said)

    async def until(self, true):
        """Wait until what was shown or asked makes this true."""
        while not true():
            self._news = anyio.Event()
            await self._news.wait()

    def received(self):
        """All messages from us, in the order of the wire."""
        return messages(self.wire / "received")


@asynccontextmanager
async def editor(place, *options, answer="allow_once"):
    """Start us, introduce the editor, and judge all that we said once we ended; `answer=None` never answers.

    The bound is inside, so that the SDK can still end the process when it is exceeded.
    """
    wire = place.root / f"editor-{len(list(place.root.glob('editor-*')))}"
    wire.mkdir()
    client = Editor(wire, answer)
    with (wire / "stderr").open("wb") as stderr:
        async with acp.spawn_agent_process(
            client,
            KIRO_CORE,
            "acp",
            *options,
            env=place.environment,
            cwd=place.cwd,
            transport_kwargs={"stderr": stderr, "shutdown_timeout": 20.0},
        ) as (client.agent, process):
            with tapped(process.stdout, process.stdin, wire), anyio.fail_after(BOUND_S):
                client.greeting = await client.agent.initialize(
                    protocol_version=acp.PROTOCOL_VERSION,
                    client_info=schema.Implementation(name="sdk editor", version="1"),
                )
                yield client
    assert process.returncode == 0, (wire / "stderr").read_text()
    client.judged = judge(wire / "received", wire / "sent")
