"""Takes settings from the variables of kiro-cli-mcp, so that a host's configuration written for it goes on working."""

from __future__ import annotations

from collections.abc import Mapping

from kiro_core.cli.text import tell
from kiro_core.settings.layers import Layer, Value

PREFIX = "KIRO_MCP_"

_KIRO = "kiro"
SAME: Mapping[str, tuple[str, ...]] = {
    "CLI_PATH": ("engines", _KIRO, "command"),
    "DEFAULT_AGENT": ("agent",),
    "MAX_ASYNC_TASKS": ("mcp", "max_tasks"),
    "MAX_SESSIONS": ("mcp", "max_sessions"),
    "SESSION_TIMEOUT": ("mcp", "session_idle_s"),
    "WORKING_DIRECTORY": ("mcp", "working_directory"),
}
"""The key of the settings that means the same; `CLI_PATH` is the program of a command, and chooses its engine."""

_POOL = "there is no pool: each session has an agent program of its own."
_PROMPTS = "prompts are not matched; each agent configuration offers its own."
OTHER = {
    "CLEANUP_INTERVAL": "a session ends when it has been idle for mcp.session_idle_s, not at a round.",
    "COMMAND_TIMEOUT": "no turn ends by the clock; mcp.chat_wait_s is how long a call waits before it returns a task.",
    "DEFAULT_MODEL": "the model is a field of the agent configuration.",
    "LOG_LEVEL": "-v logs what happens, and -vv everything.",
    "LOG_RESPONSE": "answers are never logged; each session has a record.",
    "POOL_ENABLED": _POOL,
    "POOL_IDLE_TIME": _POOL,
    "POOL_MAX_USES": _POOL,
    "POOL_SIZE": _POOL,
    "PROMPTS_DIR": _PROMPTS,
    "PROMPT_MATCHING_ENABLED": _PROMPTS,
    "TASK_TTL": "results do not expire; they are read from the session's record.",
}
"""What has no effect, and what there is instead."""


def aliases(environ: Mapping[str, str]) -> Layer:
    """The variables that mean the same as a setting, for below all other sources; of any other stderr is told.

    An empty variable counts as one that is not set.
    """
    layer: dict[tuple[str, ...], Value] = {}
    for variable in sorted(name for name, text in environ.items() if name.startswith(PREFIX) and text.strip()):
        name, text = variable.removeprefix(PREFIX), environ[variable]
        if name in SAME:
            origin = f"environment variable {variable}"
            layer[SAME[name]] = Value([text, "acp"] if name == "CLI_PATH" else text, origin)
            if name == "CLI_PATH":
                layer["engine",] = Value(_KIRO, origin)
        else:
            tell(f"kiro-core: {variable} has no effect: {OTHER.get(name, 'no setting is known by that name.')}")
    return layer
