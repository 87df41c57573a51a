"""A world for the real executor of runs: agents that do as a script says, faults, and processes that die.

Everything that runs use of a desk is here as a double. What outlives a process is in `World.memory` alone, as it would
be on a disk, and all checks look there.
"""

import json
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
from executor_agents import FOLDER, ScriptedAgents
from memory_store import Kept, MemoryStore, StoreOfLife

from kiro_core.crew import Known, Runs
from kiro_core.errors import CrewInvalid, KiroError, Unavailable
from kiro_core.journal import told
from kiro_core.settings import load_settings
from kiro_core.types import NO_CONTACT, SessionId, SessionInfo

MOST_LIVES = 100
MOST_S = 1e7
SETTINGS = {choice: load_settings({"crew": {"unknown_stages": choice}}) for choice in ("ask", "retry")}


class World:
    """What a crew runs in: `scripts` says what the attempts of each stage come to, `random` all else.

    `run` is the id of the run once it is on record, `report` its report at the end; `faults` are sentences.
    """

    def __init__(self, crew, scripts, random, *, deaths=4, troubles=2, cancel_at=None):
        self.crew, self.scripts, self.random = crew, scripts, random
        self.stages = {stage.id: stage for stage in crew.stages}
        self.memory = MemoryStore()
        self.memory.sessions["parent"] = Kept(SessionInfo(SessionId("parent"), FOLDER, "", ""))
        self.deaths, self.troubles = deaths, troubles
        self.run, self.report, self.faults, self.final, self.lives = None, None, [], {}, 0
        self.delivers = random.random() < 0.3
        self.cancel_at = cancel_at

    async def play(self):
        """Live until the run has ended."""
        with anyio.fail_after(MOST_S):
            while self.report is None:
                self.lives += 1
                assert self.lives < MOST_LIVES, "it does not end"
                await Life(self).spend()

    def events(self):
        """What happened in the run, as far as that is durable."""
        return [item["data"] for item in _durable(self.memory.sessions[self.run]) if item["kind"] == "crew_event"]

    def settled(self, stage):
        """How many attempts of a stage came to something that is on record."""
        ended = [one for one in self.events() if one["kind"] == "settled" and one["stage"] == stage]
        return sum(one["outcome"] != "unknown" for one in ended)

    def children(self):
        """What the records of all sessions of attempts say."""
        kept = [one for one in self.memory.sessions.values() if one.info.parent == self.run]
        return {one.info.id: ChildRecord(_durable(one)) for one in kept}

    def letters(self):
        """What the session that asked for the run was told of it."""
        return [json.loads(body)["about"] for body in self.memory.sessions["parent"].letters.values()]


class ChildRecord:
    """What the record of an attempt's session says, read in another way than the executor does.

    `succeeded` tells that its task's turn has ended well, with `result`; `tokens` and `cost` are what it used.
    """

    def __init__(self, items):
        self.prompted, self.succeeded, self.tokens, self.cost = False, False, 0, 0
        own, said, summaries = "", [], []
        for item in items:
            data = item.get("data", {})
            if item["kind"] == "prompt" and not data["params"]["_meta"]["kiro_core"]["task"].endswith("reminder"):
                own, self.prompted = item["turn"], True
            elif item["kind"] == "crew_summary":
                summaries.append(data["text"])
            elif item["kind"] == "turn_ended":
                self.tokens += data.get("usage", {}).get("totalTokens", 0)
                self.succeeded = self.succeeded or (item["turn"] == own and data.get("stopReason") == "end_turn")
            elif item["kind"] == "update":
                update = data["params"]["update"]
                self.cost = update.get("cost", {}).get("amount", self.cost)
                said += [update["content"]["text"]] if "content" in update else []
        self.result = (summaries or said or [""])[0].strip()


class Life:
    """A process: a desk with the runs of its crews, until the run has ended or it dies."""

    def __init__(self, world):
        self.world, self.random = world, world.random
        self.is_dead, self.troubled, self.scope = False, False, anyio.CancelScope()
        self.steps_left = self.random.randint(1, 60 * self.random.randint(1, 6)) if world.deaths > 0 else 0
        self.trouble_in = self.random.randint(1, 200) if world.troubles > 0 and self.random.random() < 0.4 else 0
        self.store = StoreOfLife(world.memory, self.step)
        self.settings = SETTINGS[self.random.choice(["ask", "retry"])]
        self.contact, self.is_open = NO_CONTACT, True

    async def spend(self):
        with self.scope:
            async with anyio.create_task_group() as tasks:
                try:
                    await self._go(Runs(self, tasks))
                except KiroError:
                    if not self.is_dead and not self.troubled:
                        raise
                tasks.cancel_scope.cancel()
        if self.is_dead:
            self.world.memory.die()

    def step(self, what, kind=""):
        """Something is about to be done, or was done: the process may die here, or its disk be in trouble."""
        if self.is_dead:
            raise Unavailable("This process is dead.")
        if self.steps_left:
            self.steps_left -= 1
            if not self.steps_left:
                self.is_dead = True
                self.world.deaths -= 1
                self.scope.cancel()
                raise Unavailable("This process dies.")
        if self.trouble_in and kind == "run" and "append" in what:
            self.trouble_in -= 1
            if not self.trouble_in:
                self.world.troubles -= 1
                self.troubled = True
                raise Unavailable("The disk is full.")

    async def _go(self, runs):
        world = self.world
        if world.run is None and not await self._begin(runs):
            return
        if world.run in runs.driving.live:
            await self._follow(runs)
        while not (report := await runs.report(world.run))["ended"] or not self._has_ended():
            unknown = [stage["id"] for stage in report["stages"] if stage["phase"] == "unknown"]
            await self._resume(runs, unknown)
        world.report = report

    async def _begin(self, runs):
        world = self.world
        fields = world.crew.model_dump(mode="json", exclude_none=True)
        try:
            run = await runs.run(fields, cwd=Path(FOLDER), parent="parent")
            if world.delivers:
                world.run = run
                await runs.deliver(run)
        finally:
            begun = [one for one in world.memory.sessions.values() if one.info.kind == "run" and one.durable]
            world.run = begun[0].info.id if begun else None
            world.delivers = world.delivers and bool(world.run) and _has(begun[0], "crew_deliver")
        return True

    def _has_ended(self):
        return _has(self.world.memory.sessions[self.world.run], "crew_ended")

    async def _resume(self, runs, unknown):
        try:
            await runs.resume(self.world.run, rerun=unknown if self.random.random() < 0.7 else ())
        except CrewInvalid:
            # Something of it has ended on its own record meanwhile.
            await runs.resume(self.world.run)
        await self._follow(runs)

    async def _follow(self, runs):
        world = self.world
        async with aclosing(runs.follow(world.run)) as views:
            async for view in views:
                await self._maybe_cancel(runs, view)
                for stage in view.stages:
                    if stage.phase == "settled" and world.final.setdefault(stage.id, stage.outcome) != stage.outcome:
                        world.faults.append(f"{stage.id} settled twice")
                    if stage.id in world.final and stage.phase != "settled":
                        world.faults.append(f"{stage.id} is {stage.phase} after it settled")

    async def _maybe_cancel(self, runs, view):
        is_time = self.world.cancel_at is not None and len(self.world.final) >= self.world.cancel_at
        if is_time and view.live and view.outcome == "running":
            await runs.cancel(self.world.run)

    # `Ground`

    def require_open(self):
        pass

    def require_kept(self, info):
        pass

    async def sweep(self):
        pass

    async def recorded(self, session, value):
        return value

    async def known(self, cwd, engine):
        return Known()

    def told(self, session):
        return told(self.store.read(session))

    def uses_tools(self, session):
        return session in self.with_tools

    def live(self, session):
        return None

    async def wake(self, session):
        pass

    @asynccontextmanager
    async def admit(self, client):
        self.with_tools, self.client = set(), client
        async with anyio.create_task_group() as tasks:
            yield ScriptedAgents(self, tasks)
            tasks.cancel_scope.cancel()


def _durable(kept):
    return [json.loads(body) for body in kept.bodies[: kept.durable]]


def _has(kept, kind):
    return any(item["kind"] == kind for item in _durable(kept))
