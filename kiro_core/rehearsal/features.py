"""What an agent can do and how it is odd: the one table, from which `--with`, `--without` and their help are made."""

from __future__ import annotations

FEATURES = {
    "load": "session/load; of another process's sessions with --memory",
    "resume": "session/resume; likewise",
    "list": "session/list",
    "delete": "session/delete",
    "close": "session/close",
    "directories": "additionalDirectories",
    "image": "images in prompts",
    "audio": "audio in prompts",
    "embedded": "embedded resources in prompts",
    "mcp-http": "MCP servers over HTTP",
    "mcp-sse": "MCP servers over server-sent events",
    "logout": "logout",
    "modes": "the modes in the field `modes`, with session/set_mode",
    "models": "the models in the former field `models`, with session/set_model",
    "mode-option": "the modes as a configuration option",
    "model-option": "the models as a configuration option",
    "more-options": "the other configuration options; yes-or-no ones for clients that take them",
    "usage": "tokens in the prompt's answer",
    "reports-mcp": "tell each given MCP server's state in Kiro's way before session/new is answered",
    "late-updates": "title, usage and commands are told after the prompt's answer",
    "echo-version": "answer initialize with the client's own protocolVersion",
    "lenient-cwd": "take a working directory that is not absolute",
    "odd-ids": "requests have odd ids: text with quotes, negative, huge, fractions, null",
    "outlive-stdin": "stay for ten minutes after the end of stdin; SIGTERM ends it",
}
"""Names, and what each one stands for. The last five are oddities."""

USUAL = frozenset({"close", "embedded", "model-option", "usage"})
OPTIONS = frozenset({"mode-option", "model-option", "more-options"})
KEEPING = frozenset({"load", "resume", "list", "delete"})
"""Those that need what was said before."""


def named(text: str) -> frozenset[str]:
    """The features whose names stand in `text`, with spaces between.

    Raises:
        ValueError: one of them is none.

    """
    names = frozenset(text.split())
    if unknown := sorted(names - FEATURES.keys()):
        raise ValueError(f"there is no feature {unknown[0]!r}; there are {', '.join(FEATURES)}")
    return names
