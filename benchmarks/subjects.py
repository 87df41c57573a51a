"""What is measured, and against what: the commands of the program and of its baselines, each as its own process."""

from __future__ import annotations

import json
import os
import sys
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

_HERE = Path(__file__).parent
_PLAIN = [sys.executable, "-I", "-S"]
_AGENT = [*_PLAIN, str(_HERE / "programs" / "agent.py")]


def direct() -> Subject:
    """The agent with nothing in front of it."""
    return running(_AGENT)


def raw() -> Subject:
    """The agent behind two threads that copy bytes."""
    return running([*_PLAIN, str(_HERE / "programs" / "relay.py"), *_AGENT])


def sdk() -> Subject:
    """The agent behind a proxy made of the protocol's official SDK."""
    return running([sys.executable, str(_HERE / "programs" / "sdk_relay.py"), *_AGENT])


def hosting(scratch: Path) -> Subject:
    """The agent behind `kiro-core mcp serve`, for as many sessions as are asked for."""
    return running([PRODUCT, "mcp", "serve", "--engine", "bench", "--set", "mcp.max_sessions=0"], home(scratch))


def product(scratch: Path, *, log: bool = True) -> Subject:
    """The agent behind `kiro-core acp` in a home of its own; without `log` in the store that keeps nothing."""
    return running(
        [PRODUCT, "acp", "--engine", "bench", "--set", f"store={'files' if log else 'forgetful'}"], home(scratch)
    )


def home(scratch: Path) -> dict[str, str]:
    """The environment of the program: files of its own, our agent, and `forgetful/` as an installed plugin."""
    folder = scratch / "kiro"
    folder.mkdir(exist_ok=True)
    (folder / "kiro.toml").write_text(f"[engines.bench]\ncommand = {json.dumps(_AGENT)}\n")
    # Neither settings of the person who measures, nor an interpreter that is told not to keep its byte-code.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KIRO_", "PYTHON"))}
    return {**kept, "HOME": str(scratch), "KIRO_HOME": str(folder), "PYTHONPATH": str(_HERE / "forgetful")}
