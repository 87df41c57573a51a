"""Runs a session's triggers at its events, and says what they want."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from kiro_core.agentconfig.tools import matches
from kiro_core.agentconfig.triggers.cache import Cache
from kiro_core.agentconfig.triggers.command import Ended, run_to_end
from kiro_core.agentconfig.triggers.judging import CALLS, GATE, judged
from kiro_core.agentconfig.triggers.outcome import Outcome, TriggerRun
from kiro_core.agentconfig.triggers.wording import name_of
from kiro_core.ports import Launcher
from kiro_core.types import Command

if TYPE_CHECKING:
    from kiro_core.agentconfig.format import Trigger

_PROMPT_CHARACTERS = 4096
"""How much of a prompt `USER_PROMPT` holds (kiro.dev, Hooks); all of it is on stdin."""


class Triggers:
    """The triggers of one session, which share nothing with those of another."""

    def __init__(  # noqa: PLR0913 - what there is to know of a session, by name
        self,
        hooks: Mapping[str, Sequence[Trigger]],
        launcher: Launcher,
        *,
        cwd: str,
        session: str = "",
        origin: str = "",
        fail_closed: Collection[str] = (GATE,),
    ) -> None:
        """`hooks` by event; `origin` is the configuration's, for people; `session` is its id, when it is known.

        At the events of `fail_closed`, a trigger that neither allows nor denies denies; only `preToolUse` has
        something to deny.
        """
        self._hooks = hooks
        self._launcher = launcher
        self._cwd = cwd
        self._session = session
        self._origin = origin
        self._fail_closed = fail_closed
        self._cache = Cache()

    def __contains__(self, event: str) -> bool:
        """Whether anything runs at an event: `agentSpawn`, `userPromptSubmit`, `preToolUse`, `postToolUse`, `stop`."""
        return bool(self._hooks.get(event))

    def concerns(self, event: str, tool: str) -> bool:
        """Whether anything runs at an event of that tool."""
        return any(True for _ in self._for(event, tool))

    async def run(self, event: str, payload: Mapping[str, Any], tool: str = "") -> Outcome:
        """Run an event's triggers one after the other, each within its time; cancelling ends the one that runs.

        `payload` is what they get on stdin besides the event, the folder and the session: `{prompt}`,
        `{tool_name, tool_input}`, the same with `tool_response: {success, result}`, or `{assistant_response}`.
        `tool` is its canonical name (see `kiro_core.agentconfig.tools`), `""` for one that nobody could identify: that
        passes every `preToolUse`, and only those of `postToolUse` that are for all tools.
        """
        stdin, env = self._stdin(event, payload), self._env(payload)
        ran = [await self._one(event, number, trigger, stdin, env) for number, trigger in self._for(event, tool)]
        return judged(event, ran, self._origin, fail_closed=event in self._fail_closed)

    def _for(self, event: str, tool: str) -> Iterator[tuple[int, Trigger]]:
        for number, trigger in enumerate(self._hooks.get(event, ())):
            if event not in CALLS or trigger.matcher is None or _concerns(trigger.matcher, tool, event):
                yield number, trigger

    async def _one(
        self, event: str, number: int, trigger: Trigger, stdin: bytes, env: Mapping[str, str]
    ) -> tuple[TriggerRun, Ended]:
        # A consent to one call is none to another; what is said of a prompt is about the folder, say, and the point.
        key = event, number, hashlib.sha256(stdin).digest() if event in CALLS else b""
        name = name_of(trigger.command)
        if known := self._cache.get(key):
            return TriggerRun(event, name, known.status, stdout_bytes=known.size, cached=True), known
        begun = anyio.current_time()
        command = Command(("/bin/sh", "-c", trigger.command), self._cwd, env)
        limit_s = trigger.timeout_ms / 1000
        ended = await run_to_end(self._launcher, command, stdin, limit_s=limit_s, kept=trigger.max_output_size)
        if ended.status == 0 and trigger.cache_ttl_seconds and event != "agentSpawn":
            self._cache.put(key, ended, trigger.cache_ttl_seconds)
        took_ms = round((anyio.current_time() - begun) * 1000)
        return TriggerRun(event, name, ended.status, took_ms, len(stdin), ended.size), ended

    def _stdin(self, event: str, payload: Mapping[str, Any]) -> bytes:
        known = {"session_id": self._session} if self._session else {}
        return json.dumps({**payload, "hook_event_name": event, "cwd": self._cwd, **known}).encode()

    def _env(self, payload: Mapping[str, Any]) -> Mapping[str, str]:
        env = {"KIRO_SESSION_ID": self._session} if self._session else {}
        if isinstance(prompt := payload.get("prompt"), str):
            env["USER_PROMPT"] = _as_variable(prompt)
        return env


def _concerns(matcher: str, tool: str, event: str) -> bool:
    return matches(matcher, tool) if tool else event == GATE


def _as_variable(prompt: str) -> str:
    """The beginning of a prompt, without what an environment cannot hold and a terminal would obey."""
    begun = prompt[:_PROMPT_CHARACTERS].encode("utf-8", "replace").decode()
    return "".join(sign for sign in begun if sign.isprintable() or sign in "\n\r\t")
