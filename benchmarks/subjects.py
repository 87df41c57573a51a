"""What is measured, and against what: the commands of the program and of its baselines, each as its own process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

from benchmarks.running import Program, running

Subject = AbstractContextManager[Program]

PRODUCT = str(Path(sys.executable).with_name("kiro-core"))
"""The installed command, in the environment of the Python that measures."""

HAS_SDK = find_spec("acp") is not None
"""Whether the protocol's official SDK is installed beside it."""

HAS_MCP = find_spec("mcp") is not None
"""Whether that of MCP is, without which the program serves no hosts."""

SAID = b"I look at the failing test first."
"""The text of each of its updates."""

_HERE = Path(__file__).parent
_PLAIN = [sys.executable, "-I", "-S"]


def _program(name: str, *arguments: str) -> list[str]:
    return [*_PLAIN, str(_HERE / "programs" / name), *arguments]


_AGENT = _program("agent.py")
FAMILY = _program("family.py")
"""The agent that starts the MCP servers which it is given."""
ODD = _program("odd.py")
"""The agent that says what parsers refuse."""
_ENGINES = {
    "bench": _AGENT,
    "family": FAMILY,
    "helpers": [*FAMILY, "helpers"],
    "odd": ODD,
    "user": _program("tool_user.py"),
}

MCP_SERVER = [sys.executable, "-I", str(_HERE / "programs" / "small_server.py")]

BY_HAND = _program("mcp_server.py")
"""An MCP server that does the least that one can."""


def direct() -> Subject:
    """The agent with nothing in front of it."""
    return running(_AGENT)


def raw() -> Subject:
    """The agent behind two threads that copy bytes."""
    return running([*_PLAIN, str(_HERE / "programs" / "relay.py"), *_AGENT])


def agent() -> list[str]:
    """The command of the agent itself, for whoever starts it otherwise."""
    return _AGENT


def sdk() -> Subject:
    """The agent behind a proxy made of the protocol's official SDK."""
    return behind_sdk(_AGENT)


def behind_sdk(agent: Sequence[str], env: Mapping[str, str] | None = None) -> Subject:
    """An agent behind that proxy."""
    return running([sys.executable, str(_HERE / "programs" / "sdk_relay.py"), *agent], env)


def launching(scratch: Path) -> Subject:
    """The program that opens others by the launcher `local`."""
    return running([sys.executable, str(_HERE / "programs" / "launches.py")], home(scratch))


def managing(scratch: Path, engine: str, *settings: str, **env: str) -> Subject:
    """`kiro-core acp` with one of our agents and settings `KEY=VALUE`."""
    options = [word for setting in settings for word in ("--set", setting)]
    return running([PRODUCT, "acp", "--engine", engine, *options], home(scratch) | env)


def selecting(agents: int) -> Subject:
    """So many agents behind a bare `selectors` loop."""
    return running([*_PLAIN, str(_HERE / "programs" / "selecting.py"), str(agents), *_AGENT])


def storing(scratch: Path) -> Subject:
    """The store `files` in a process of its own, and what the same costs without it."""
    return running([sys.executable, str(_HERE / "programs" / "storing.py"), str(scratch)], home(scratch))


def hosting(scratch: Path) -> Subject:
    """The agent behind `kiro-core mcp serve`, for as many sessions as are asked for."""
    return running([PRODUCT, "mcp", "serve", "--engine", "bench", "--set", "mcp.max_sessions=0"], home(scratch))


def product(scratch: Path, *, log: bool = True, store: str = "files", beside: Path | None = None) -> Subject:
    """The agent behind `kiro-core acp` in a home of its own; without `log` in the store that keeps nothing.

    `beside` is a folder of distributions that are installed too.
    """
    environment = home(scratch)
    if beside is not None:
        environment["PYTHONPATH"] += os.pathsep + str(beside)
    chosen = store if log else "forgetful"
    return running([PRODUCT, "acp", "--engine", "bench", "--set", f"store={chosen}"], environment)


def crewed(scratch: Path) -> Subject:
    """An agent that uses tools behind `kiro-core acp`, with those of a crew."""
    return running([PRODUCT, "acp", "--engine", "user", "--set", "crew.for_agents=all"], home(scratch))


def home(scratch: Path) -> dict[str, str]:
    """The environment of the program: files of its own, our agents, and our stores as installed plugins."""
    folder = scratch / "kiro"
    folder.mkdir(exist_ok=True)
    engines = (f"[engines.{name}]\ncommand = {json.dumps(command)}\n" for name, command in _ENGINES.items())
    (folder / "kiro.toml").write_text("".join(engines))
    # Neither settings of the person who measures, nor an interpreter that is told not to keep its byte-code.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KIRO_", "PYTHON"))}
    plugins = os.pathsep.join(str(_HERE / name) for name in ("forgetful", "stalling"))
    return {**kept, "HOME": str(scratch), "KIRO_HOME": str(folder), "PYTHONPATH": plugins}
