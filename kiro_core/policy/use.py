"""What an agent wants to do with a tool, said in one way for every agent program."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CAPABILITIES: Mapping[str, str] = {
    "read": "fs_read",
    "grep": "fs_read",
    "glob": "fs_read",
    "code": "fs_read",
    "write": "fs_write",
    "shell": "shell",
    "use_aws": "shell",
    "web_fetch": "web_fetch",
    "web_search": "web_search",
    "subagent": "subagent",
    "delegate": "subagent",
}
"""The capability, in the words of `permissions.rules` (kiro.dev, Permissions), of each built-in tool that has one."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One use of a tool, as far as the agent program told it.

    `tool` is a built-in's canonical name or `@server/tool`, and empty where nobody can say which it is; `name` is
    the program's own name for it. `paths` are those that it works on and `mentioned` all that were told of it, as
    they were written; `command` is a shell's text, None where several were `told_commands`; `env` is what it is given
    besides, whose values are for nobody else. `urls` is what is fetched, `input` the arguments as told.
    """

    tool: str = ""
    name: str = ""
    title: str = ""
    call_id: str = ""
    paths: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    command: str | None = None
    urls: tuple[str, ...] = ()
    input: Mapping[str, Any] = field(default_factory=dict, repr=False)
    told_commands: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def identified(self) -> bool:
        """Whether it is known which tool it is; what is not is never allowed by a rule."""
        return bool(self.tool)

    @property
    def family(self) -> str:
        """Its capability in the words of `permissions.rules`: "fs_read", "shell", "mcp", ...; "" for none."""
        return "mcp" if self.tool.startswith("@") else CAPABILITIES.get(self.tool, "")

    @property
    def commands(self) -> tuple[str, ...]:
        """The texts of which any may be what a shell gets: with an environment, also behind its assignments."""
        told = self.told_commands or (() if self.command is None else (self.command,))
        given = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.env.items())
        return told + tuple(f"{given} {text}" for text in told if given)

    @property
    def about(self) -> str:
        """For a person who is asked: the commands, else the addresses, else the paths, else all arguments; cut."""
        named = "\n".join(str(_named(self.env, text)) for text in self.told_commands or filter(None, (self.command,)))
        told = named or "\n".join(self.urls or self.paths)
        if not told and self.input:
            told = json.dumps(dict(self.input), ensure_ascii=False, default=str)
        return told if len(told) <= _ABOUT else f"{told[:_ABOUT]}..."

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of the agents that a subagent tool is to start."""
        stages = self.input.get("stages")
        told = [self.input, *(stages if isinstance(stages, list) else ())]
        names = [each.get(key) for each in told if isinstance(each, Mapping) for key in _AGENT_KEYS]
        return tuple(name for name in names if isinstance(name, str) and name)

    def recorded(self) -> Mapping[str, Any]:
        """For the record: which tool on what, without its other arguments, which may be secret or large."""
        told = {"tool": self.tool, "name": self.name, "title": self.title, "toolCallId": self.call_id}
        acted = {"paths": list(self.paths), "command": _named(self.env, self.command), "urls": list(self.urls)}
        return {key: value for key, value in (told | acted | {"commands": list(self.told_commands)}).items() if value}

    @classmethod
    def reading(cls, path: str) -> ToolUse:
        """A file that the desk itself would read for an agent (ACP `fs/read_text_file`)."""
        return cls("read", title=f"Read {path}", paths=(path,), mentioned=(path,), input={"path": path})

    @classmethod
    def writing(cls, path: str) -> ToolUse:
        """A file that the desk itself would write for an agent (ACP `fs/write_text_file`)."""
        return cls("write", title=f"Write {path}", paths=(path,), mentioned=(path,), input={"path": path})

    @classmethod
    def running(cls, program: str, arguments: Sequence[str] = (), env: Mapping[str, str] | None = None) -> ToolUse:
        """A command that the desk would run for an agent (ACP `terminal/create`); shell text if it has no arguments.

        `env` are the variables that the agent gives it. They may make it do anything, so no pattern of commands
        allows it; of their values nothing is told or recorded.
        """
        command, env = f"{program} {shlex.join(arguments)}" if arguments else program, env or {}
        shown = _named(env, command)
        return cls("shell", title=str(shown), command=command, input={"command": shown}, env=env)


def _named(env: Mapping[str, str], command: str | None) -> str | None:
    """The command as others may see it: of its environment only the names."""
    return " ".join([*(f"{name}=..." for name in env), command]) if command is not None and env else command


_ABOUT = 2000
_AGENT_KEYS = ("agent_name", "agentName", "agent", "role", "subagent_type")
