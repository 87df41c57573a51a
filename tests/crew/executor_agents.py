"""The agents of the executor's world: each session does what is next in the script of its stage."""

import re

import anyio
from any_crew import mark

from kiro_core.errors import KiroError, LaunchFailed
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.types import SessionInfo

FOLDER = "/"
MARK = re.compile(r"<(s\d+)\.[^>]*>")


class ScriptedAgents:
    """Implements `Agent`: each session does what is next in the script of its stage."""

    def __init__(self, life, tasks):
        self.life, self.world, self.random, self.tasks = life, life.world, life.random, tasks
        self.live = {}

    async def begin(self, frame, session):
        wishes = frame.params["_meta"]["kiro_core"]
        stage = wishes["name"].partition("/")[2].partition(".")[0]
        self.world.run = wishes["parent"]
        work = self.live[session] = Work(self, stage, session)
        try:
            await work.prepared()
            self.life.step("new")
            work.opened(SessionInfo(session, FOLDER, "", "", parent=wishes["parent"]))
        except BaseException:
            del self.live[session]
            raise
        return Frame.answer({"sessionId": session})

    async def prompt(self, frame):
        self.life.step("prompt")
        work = self.live[frame.session]
        await work.prompted(frame)
        return work

    async def close(self, frame):
        self.life.step("close")
        work = self.live.pop(frame.session)
        work.left.cancel()
        await work.journal.commit()
        if self.random.random() < 0.05:
            await anyio.sleep_forever()
        if self.random.random() < 0.05:
            raise LaunchFailed("Something of it survives.")
        return Frame.answer({})


class Work:
    """One session and, as `Turn`, its one turn."""

    def __init__(self, agents, stage, session):
        self.life, self.world, self.random = agents.life, agents.life.world, agents.life.random
        self.agents, self.stage, self.session = agents, stage, session
        self.number = self.world.settled(stage) + 1
        script = self.world.scripts[stage]
        comes = script[self.number - 1] if self.number <= len(script) else ("succeeded", "fine")
        self.comes = comes if comes and comes[0] != "timed_out" else None
        self.where = self.random.choice(["opening", "prompt", "turn", "turn"])
        self.left, self.done, self.response = anyio.CancelScope(), anyio.Event(), None

    async def prepared(self):
        """What happens before there is a session."""
        await self._think()
        self._look()
        if self.where == "opening":
            if self.comes is None:
                await anyio.sleep_forever()
            if self.comes[0] != "succeeded":
                raise self.random.choice([LaunchFailed("It did not start."), ValueError("a mistake")])

    def opened(self, info):
        self.journal = Journal(self.life.store.begun(info))
        if self.random.random() < 0.3:
            self.life.with_tools.add(info.id)

    async def prompted(self, frame):
        """A prompt was accepted; its turn goes on whoever waits for it."""
        self.turn = f"1.{self.random.randint(1, 10**9)}"
        self.left, self.done = anyio.CancelScope(), anyio.Event()
        self.text = frame.params["prompt"][-1]["text"]
        task = frame.params["_meta"]["kiro_core"]["task"]
        await self.journal.message("prompt", frame, self.turn)
        if not task.endswith("reminder") and self.where == "prompt" and self.comes and self.comes[0] != "succeeded":
            await self.journal.settled("turn_ended", {"state": "refused", "open": [], "error": {}}, self.turn)
            raise LaunchFailed("The agent died.")
        self.agents.tasks.start_soon(self._take_turn, task)

    async def settled(self):
        await self.done.wait()
        return self.response

    async def _take_turn(self, task):
        with self.left:
            try:
                await self._turn_of(task)
            except KiroError:
                await anyio.sleep_forever()  # the process is dead, or has no disk

    async def _turn_of(self, task):
        await self.journal.event("turn_begun", {"session": "s"}, self.turn)
        await self._think()
        await self._tell({"sessionUpdate": "usage_update", "cost": {"amount": 0.25, "currency": "USD"}})
        if task.endswith("reminder"):
            await self._end("end_turn", "Yes.")
        elif self.comes is None:
            await anyio.sleep_forever()
        elif self.comes[0] == "succeeded":
            await self._succeed(self.comes[1])
        else:
            await self._end(self.random.choice(["refusal", "max_tokens"]), "no")

    async def _succeed(self, text):
        deps = self.world.stages[self.stage].depends_on
        marks = {found[1]: found[0] for found in MARK.finditer(self.text) if found[1] in deps}
        said = mark(self.stage, self.number, [marks[one] for one in deps if one in marks])
        if self.session in self.life.with_tools and self.random.random() < 0.5:
            await self.journal.settled("crew_summary", {"text": f"{said} {text}"}, self.turn)
            said, text = "I have told it.", ""
        await self._end("end_turn", f"{said} {text}")

    async def _end(self, reason, text):
        await self._tell({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}})
        usage = {"inputTokens": 2, "outputTokens": 1, "totalTokens": 3}
        self.life.step("turn ends")
        ended = {"state": "settled", "open": [], "stopReason": reason, "usage": usage}
        await self.journal.settled("turn_ended", ended, self.turn)
        self.response = Frame.answer({"stopReason": reason, "usage": usage})
        self.done.set()

    async def _tell(self, update):
        frame = Frame.of("session/update", {"sessionId": "s", "update": update})
        await self.journal.updates([frame])
        shown = Frame.of("session/update", {"sessionId": self.session, "update": update})
        await self.life.client.notify([shown])

    async def _think(self):
        await anyio.sleep(self.random.choice([0, 0, 0.1, 2]))
        self.life.step("think")

    def _look(self):
        """Nothing that this stage depends on may be at work, or have nothing on record yet."""
        busy = {work.stage for work in self.agents.live.values() if work is not self}
        for other in self.world.stages[self.stage].depends_on:
            if other in busy:
                self.world.faults.append(f"{self.stage} was begun while {other} was at work")
        if len(self.agents.live) > self.world.crew.max_parallel:
            self.world.faults.append("too many are at work")
        if self.stage in self.world.final:
            self.world.faults.append(f"{self.stage} was begun after it had settled")
